"""Contract of `PersonRows`, `VerdictRows` and what a merge does to both."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from plugin.domain import AssignedBy, FaceState, VerdictKind
from plugin.errors import NotFound, Refused
from tests.contract.catalogue_cast import LEFT, MIDDLE, RIGHT, STORES, Cast, direction, found, open_store

IS, IS_NOT, NOBODY, DIFFER = (
    VerdictKind.IS_PERSON,
    VerdictKind.IS_NOT_PERSON,
    VerdictKind.IS_NOBODY,
    VerdictKind.PERSONS_DIFFER,
)


@pytest.fixture(params=STORES)
def cast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cast]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


def many(cast: Cast, number: int) -> list[int]:
    return [face for _ in range(number) for face in cast.photo(found())]


def test_people_come_with_most_faces_first_and_small_unnamed_ones_not_at_all(cast: Cast) -> None:
    anna, crowd, few, empty = (
        cast.person("Anna", *many(cast, 2)),
        cast.person("", *many(cast, 3)),
        cast.person("", *many(cast, 1)),
        cast.person("Ben"),
    )
    people = cast.catalogue.people
    assert [person.id for person in people.all(cast.me)] == [crowd, anna, few, empty]
    assert [person.id for person in people.all(cast.me, minimum_faces=3)] == [crowd, anna, empty]
    assert [person.id for person in people.all(cast.me, minimum_faces=0, offset=1, limit=2)] == [anna, few]
    assert people.count(cast.me) == 4
    assert people.count(cast.me, minimum_faces=4) == 2


def test_only_visible_faces_of_present_photos_count(cast: Cast) -> None:
    left, right = cast.photo(found(LEFT), found(RIGHT))
    gone, ignored = many(cast, 2)
    anna = cast.person("Anna", left, right, gone, ignored)
    cast.catalogue.assets.mark_gone([cast.catalogue.faces.get(gone).asset_id])
    cast.catalogue.faces.set_state([ignored], FaceState.IGNORED)
    person = cast.catalogue.people.get(anna, cast.me)
    assert (person.face_count, person.photo_count) == (2, 1)
    assert cast.catalogue.people.all(cast.me) == [person]


def test_hidden_people_are_listed_on_request_only(cast: Cast) -> None:
    anna = cast.person("Anna")
    cast.catalogue.people.set_hidden(anna, cast.me, hidden=True)
    assert cast.catalogue.people.all(cast.me) == []
    assert [person.hidden for person in cast.catalogue.people.all(cast.me, include_hidden=True)] == [True]
    assert (cast.catalogue.people.count(cast.me), cast.catalogue.people.count(cast.me, include_hidden=True)) == (0, 1)
    cast.catalogue.people.set_hidden(anna, cast.me, hidden=False)
    assert len(cast.catalogue.people.all(cast.me)) == 1


@pytest.mark.parametrize(
    ("name", "search"),
    [
        ("Zoë Müller", "muller zo"),
        ("Zoë Müller", "ZOË"),
        ("Jean-Luc Picard", "luc"),
        ("Łukasz Żak", "lukasz zak"),
        ("Søren", "sor"),
        ("Groß", "gross"),
        ("O'Brien", "o'b"),
        ("100% Anna_B", "100%"),
        ("Иван", "иВ"),
        ("❤", "❤"),
        ("Anna", "  "),
    ],
)
def test_every_word_searched_must_begin_a_word_of_the_name(cast: Cast, name: str, search: str) -> None:
    cast.person(name)
    assert [person.name for person in cast.catalogue.people.all(cast.me, search=search)] == [name]
    assert cast.catalogue.people.count(cast.me, search=search) == 1


@pytest.mark.parametrize("search", ["nna", "anna x", "_", "%", "a%x", "!?"])
def test_a_search_finds_nobody_whose_words_do_not_begin_so(cast: Cast, search: str) -> None:
    cast.person("Anna Berg")
    cast.person("", *many(cast, 1))
    assert cast.catalogue.people.all(cast.me, search=search) == []


def test_a_renamed_person_is_found_by_the_new_name_only(cast: Cast) -> None:
    anna = cast.person("Ann")
    cast.catalogue.people.rename(anna, cast.me, " Berta ")
    assert cast.catalogue.people.get(anna, cast.me).name == "Berta"
    assert [person.id for person in cast.catalogue.people.by_name(cast.me, "bERTA")] == [anna]
    assert cast.catalogue.people.by_name(cast.me, "Ann") == []
    assert cast.catalogue.people.all(cast.me, search="ann") == []
    assert cast.catalogue.people.by_name(cast.me, "") == []


def test_the_best_face_stands_for_a_person_until_one_is_chosen_and_when_that_is_gone(cast: Cast) -> None:
    good, poor, middling = cast.photo(found(LEFT, quality=0.9), found(RIGHT, quality=0.1), found(MIDDLE, quality=0.5))
    anna = cast.person("Anna", good, poor, middling)
    people = cast.catalogue.people

    def featured() -> int | None:
        (listed,) = people.all(cast.me)
        assert listed == people.get(anna, cast.me)
        return listed.feature_face_id

    assert featured() == good
    people.set_feature_face(anna, cast.me, poor)
    assert featured() == poor
    cast.catalogue.faces.assign([(poor, None)], AssignedBy.USER)
    assert featured() == good
    cast.catalogue.assets.mark_gone([cast.catalogue.faces.get(good).asset_id])
    assert featured() is None


def test_a_face_of_somebody_else_cannot_stand_for_a_person(cast: Cast) -> None:
    (face,) = many(cast, 1)
    cast.person("Ben", face)
    anna = cast.person("Anna")
    with pytest.raises(Refused):
        cast.catalogue.people.set_feature_face(anna, cast.me, face)
    with pytest.raises(NotFound):
        cast.catalogue.people.set_feature_face(anna, cast.me, 999)
    with pytest.raises(NotFound):
        cast.catalogue.people.add(cast.me, "Carl", 999)


def test_a_birth_date_is_kept_and_cleared(cast: Cast) -> None:
    anna = cast.person("Anna")
    cast.catalogue.people.set_birth_date(anna, cast.me, date(2001, 2, 3))
    assert cast.catalogue.people.get(anna, cast.me).birth_date == date(2001, 2, 3)
    assert cast.catalogue.people.birth_dates(cast.me) == {anna: date(2001, 2, 3)}
    cast.catalogue.people.set_birth_date(anna, cast.me, None)
    assert cast.catalogue.people.birth_dates(cast.me) == {}


def test_the_faces_of_a_deleted_person_belong_to_nobody(cast: Cast) -> None:
    one, two = many(cast, 2)
    anna = cast.person("Anna", one)
    ben = cast.person("Ben")
    cast.catalogue.faces.assign([(two, anna)], AssignedBy.USER)
    cast.say(IS, two, anna)
    cast.say(DIFFER, None, anna, ben)
    cast.catalogue.people.delete(anna, cast.me)
    states = [(face.person_id, face.assigned_by, face.state) for face in cast.catalogue.faces.many([one, two])]
    assert states == [(None, None, FaceState.UNASSIGNED)] * 2
    assert cast.said() == []
    with pytest.raises(NotFound):
        cast.catalogue.people.delete(anna, cast.me)


def test_empty_unnamed_people_are_swept_away_but_not_those_whose_photos_are_gone(cast: Cast) -> None:
    (gone,) = many(cast, 1)
    named, empty, away = cast.person("Anna"), cast.person(""), cast.person("", gone)
    cast.catalogue.assets.mark_gone([cast.catalogue.faces.get(gone).asset_id])
    assert cast.catalogue.people.delete_empty() == 1
    assert cast.catalogue.people.delete_empty() == 0
    for person in (named, away):
        cast.catalogue.people.get(person, cast.me)
    with pytest.raises(NotFound):
        cast.catalogue.people.get(empty, cast.me)


def test_a_merge_moves_faces_and_takes_the_first_name_and_birth_date_set(cast: Cast) -> None:
    one, two, three = many(cast, 3)
    into, unnamed, anna, ben = (
        cast.person("", one),
        cast.person("", two),
        cast.person("Anna", three),
        cast.person("Ben"),
    )
    cast.catalogue.people.set_birth_date(ben, cast.me, date(2001, 2, 3))
    cast.catalogue.people.merge(into, [unnamed, anna, ben, into, anna], cast.me)
    (left,) = cast.catalogue.people.all(cast.me)
    assert (left.id, left.name, left.birth_date, left.face_count) == (into, "Anna", date(2001, 2, 3), 3)
    assert [person.id for person in cast.catalogue.people.all(cast.me, search="ann")] == [into]
    assert [person.id for person in cast.catalogue.people.by_name(cast.me, "anna")] == [into]


def test_a_merge_keeps_the_name_and_remembers_one_typical_face_of_each(cast: Cast) -> None:
    (blurred,) = cast.photo(found(embedding=direction(0), quality=0.1))
    (typical,) = cast.photo(found(embedding=direction(0)))
    (odd,) = cast.photo(found(embedding=direction(1), quality=0.99))
    (other,) = cast.photo(found(embedding=direction(0)))
    anna, ben = cast.person("Anna", blurred, typical, odd), cast.person("Ben", other)
    cast.catalogue.people.merge(anna, [ben], cast.me)
    assert cast.catalogue.people.get(anna, cast.me).name == "Anna"
    assert cast.said() == [(IS, typical, anna, None), (IS, other, anna, None)]
    by = [face.assigned_by for face in cast.catalogue.faces.many([blurred, typical, odd, other])]
    assert by == ["machine", "user", "machine", "user"]


def test_a_merge_relies_on_what_was_said_before(cast: Cast) -> None:
    one, two, three = many(cast, 3)
    anna, ben = cast.person("Anna", one, two), cast.person("Ben", three)
    for face, person in ((two, anna), (three, ben)):
        cast.say(IS, face, person)
    cast.catalogue.people.merge(anna, [ben], cast.me)
    assert cast.said() == [(IS, two, anna, None), (IS, three, anna, None)]


def test_nobody_is_merged_when_one_of_them_does_not_exist(cast: Cast) -> None:
    anna, ben = cast.person("Anna"), cast.person("Ben")
    with pytest.raises(NotFound):
        cast.catalogue.people.merge(anna, [ben, 999], cast.me)
    assert len(cast.catalogue.people.all(cast.me)) == 2


def test_merging_a_person_with_itself_changes_nothing(cast: Cast) -> None:
    anna = cast.person("Anna", *many(cast, 1))
    before = cast.catalogue.people.get(anna, cast.me)
    cast.catalogue.people.merge(anna, [anna], cast.me)
    assert cast.catalogue.people.get(anna, cast.me) == before


def test_verdicts_move_with_a_merge_and_those_it_contradicts_are_dropped(cast: Cast) -> None:
    of_ben, stranger, of_anna = many(cast, 3)
    anna, ben, carl = cast.person("Anna", of_anna), cast.person("Ben", of_ben), cast.person("Carl")
    cast.say(IS, of_ben, ben)
    cast.say(IS_NOT, of_ben, anna)
    cast.say(IS_NOT, of_anna, ben)
    cast.say(IS_NOT, stranger, ben)
    cast.say(IS_NOT, stranger, anna)
    cast.say(DIFFER, None, anna, ben)
    cast.say(DIFFER, None, ben, carl)
    cast.say(DIFFER, None, anna, carl)
    cast.catalogue.people.merge(anna, [ben], cast.me)
    assert sorted(cast.said(), key=str) == sorted(
        [
            ("is_person", of_ben, anna, None),
            ("is_person", of_anna, anna, None),
            ("is_not_person", stranger, anna, None),
            ("persons_differ", None, anna, carl),
        ],
        key=str,
    )
    assert cast.catalogue.integrity() == []


def test_that_a_face_is_a_person_replaces_all_that_says_otherwise(cast: Cast) -> None:
    (face,) = many(cast, 1)
    anna, ben = cast.person("Anna"), cast.person("Ben")
    for kind, person in [(NOBODY, []), (IS, [ben]), (IS_NOT, [anna]), (IS_NOT, [ben])]:
        cast.say(kind, face, *person)
    cast.say(IS, face, anna)
    assert cast.said() == [("is_not_person", face, ben, None), ("is_person", face, anna, None)]
    cast.say(IS, face, ben)
    assert cast.said() == [("is_person", face, ben, None)]


def test_that_a_face_is_nobody_replaces_that_it_is_somebody(cast: Cast) -> None:
    (face,) = many(cast, 1)
    anna = cast.person("Anna")
    cast.say(IS, face, anna)
    cast.say(NOBODY, face)
    cast.say(NOBODY, face)
    assert cast.said() == [("is_nobody", face, None, None)]


def test_that_a_face_is_not_a_person_replaces_that_it_is(cast: Cast) -> None:
    (face,) = many(cast, 1)
    anna, ben = cast.person("Anna"), cast.person("Ben")
    cast.say(IS, face, anna)
    cast.say(IS_NOT, face, ben)
    assert len(cast.said()) == 2
    cast.say(IS_NOT, face, anna)
    cast.say(IS_NOT, face, anna)
    assert cast.said() == [("is_not_person", face, ben, None), ("is_not_person", face, anna, None)]
    assert cast.catalogue.verdicts.rejected_persons(face) == {anna, ben}


def test_that_two_persons_differ_is_said_once_whatever_the_order(cast: Cast) -> None:
    anna, ben = cast.person("Anna"), cast.person("Ben")
    cast.say(DIFFER, None, ben, anna)
    cast.say(DIFFER, None, anna, ben)
    assert cast.said() == [("persons_differ", None, anna, ben)]
    with pytest.raises(Refused):
        cast.say(DIFFER, None, anna, anna)


def test_a_verdict_can_be_withdrawn(cast: Cast) -> None:
    (face,) = many(cast, 1)
    anna = cast.person("Anna")
    cast.say(NOBODY, face)
    cast.say(IS_NOT, face, anna)
    for _ in range(2):
        cast.catalogue.verdicts.withdraw(cast.me, NOBODY, face_id=face)
    assert cast.said() == [("is_not_person", face, anna, None)]


def test_a_verdict_about_what_does_not_exist_is_not_found(cast: Cast) -> None:
    (face,) = many(cast, 1)
    anna = cast.person("Anna")
    for kind, subject, persons in [(IS, 999, [anna]), (IS, face, [999]), (DIFFER, None, [anna, 999])]:
        with pytest.raises(NotFound):
            cast.say(kind, subject, *persons)
    assert cast.said() == []


@pytest.mark.parametrize(("kind", "persons"), [(IS, 0), (IS_NOT, 2), (NOBODY, 1), (DIFFER, 2)])
def test_a_verdict_of_the_wrong_shape_is_a_mistake_of_the_caller(cast: Cast, kind: VerdictKind, persons: int) -> None:
    (face,) = many(cast, 1)
    people = [cast.person("Anna"), cast.person("Ben")]
    with pytest.raises(ValueError, match=kind.value):
        cast.say(kind, face, *people[:persons])


def test_people_that_do_not_exist_are_not_found(cast: Cast) -> None:
    people = cast.catalogue.people
    for call in (
        lambda: people.get(999, cast.me),
        lambda: people.rename(999, cast.me, "x"),
        lambda: people.set_hidden(999, cast.me, hidden=True),
        lambda: people.set_birth_date(999, cast.me, None),
        lambda: people.add(999, "x"),
    ):
        with pytest.raises(NotFound):
            call()
