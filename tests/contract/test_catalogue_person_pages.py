"""Contract of what the People page and the page of a person ask: order, times, months, companions, many at once."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from plugin.domain import AssignedBy, FaceState, MonthCount, PersonOrder, VerdictKind
from plugin.errors import NotFound
from tests.contract.catalogue_cast import (
    LEFT,
    MIDDLE,
    PACK,
    RIGHT,
    STORES,
    Cast,
    direction,
    found,
    open_store,
)


@pytest.fixture(params=STORES)
def cast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cast]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


def at(day: str) -> datetime:
    return datetime.fromisoformat(day)


def ordered(cast: Cast, order: PersonOrder) -> list[int]:
    return [person.id for person in cast.catalogue.people.all(cast.me, order=order)]


def test_people_are_sorted_as_asked(cast: Cast) -> None:
    def faces(*days: str) -> list[int]:
        return [face for day in days for face in cast.photo(found(), taken_at=at(day))]

    crowd = cast.person("", *faces("2020-01-01", "2020-01-02", "2020-01-03"))
    zoe = cast.person("zoe", *faces("2021-01-01", "2019-01-01"))
    anna = cast.person("Anna", *faces("2024-01-01"))
    emil = cast.person("Emil", *cast.photo(found()))
    cast.catalogue.people.mark(cast.me, [emil], favourite=True)
    assert ordered(cast, PersonOrder.FACES) == [crowd, zoe, anna, emil]
    assert ordered(cast, PersonOrder.NAMED) == [emil, zoe, anna, crowd]
    assert ordered(cast, PersonOrder.NAME) == [anna, emil, zoe, crowd]
    assert ordered(cast, PersonOrder.RECENT) == [anna, zoe, crowd, emil], "whose times are unknown come last"


def test_favourites_can_be_listed_alone(cast: Cast) -> None:
    anna, _ = cast.person("Anna"), cast.person("Ben")
    cast.catalogue.people.mark(cast.me, [anna], favourite=True)
    assert [person.id for person in cast.catalogue.people.all(cast.me, favourites=True)] == [anna]
    assert cast.catalogue.people.count(cast.me, favourites=True) == 1


def test_the_first_and_last_time_are_of_present_photos_whose_time_is_known(cast: Cast) -> None:
    first, last, unknown = (
        cast.photo(found(), taken_at=at("2019-03-01 10:00"))[0],
        cast.photo(found(), taken_at=at("2022-03-01"))[0],
        cast.photo(found())[0],
    )
    gone = cast.photo(found(), taken_at=at("1980-01-01"))[0]
    anna = cast.person("Anna", first, last, unknown, gone)
    ben = cast.person("Ben")
    cast.catalogue.assets.mark_gone([cast.catalogue.faces.get(gone).asset_id])
    person = cast.catalogue.people.get(anna, cast.me)
    assert (person.first_taken, person.last_taken) == (at("2019-03-01 10:00"), at("2022-03-01"))
    assert cast.catalogue.people.get(ben, cast.me).first_taken is None


def test_months_are_counted_newest_first_and_unknown_times_last(cast: Cast) -> None:
    days = ["2024-07-31 23:59", "2024-07-01", "2023-12-24"]
    faces = [cast.photo(found(), taken_at=at(day))[0] for day in days] + cast.photo(found())
    twice = cast.photo(found(LEFT), found(RIGHT), taken_at=at("2024-07-02"))
    anna = cast.person("Anna", *faces, *twice)
    months = cast.catalogue.person_photos.months(anna, cast.me)
    assert months == [MonthCount(date(2024, 7, 1), 3), MonthCount(date(2023, 12, 1), 1), MonthCount(None, 1)]
    listed = cast.catalogue.assets.of_person(anna, cast.me, 0, 99)
    assert sum(month.photos for month in months) == len(listed), "the jump bar counts what the page shows"


def test_the_faces_of_a_person_on_some_photos_are_found(cast: Cast) -> None:
    left, right = cast.photo(found(LEFT), found(RIGHT))
    other = cast.photo(found())[0]
    anna = cast.person("Anna", left, other)
    cast.person("Ben", right)
    photo = cast.catalogue.faces.get(left).asset_id
    assert cast.catalogue.person_photos.faces_on(anna, cast.me, [photo, photo, 999]) == [left]
    assert cast.catalogue.person_photos.faces_on(anna, cast.me, []) == []


def test_the_faces_before_a_day_are_found(cast: Cast) -> None:
    before, that_day, unknown = (
        cast.photo(found(), taken_at=at("1979-12-31 23:59"))[0],
        cast.photo(found(), taken_at=at("1980-01-01 00:00"))[0],
        cast.photo(found())[0],
    )
    anna = cast.person("Anna", before, that_day, unknown)
    assert cast.catalogue.person_photos.faces_before(anna, cast.me, date(1980, 1, 1)) == [before]


def test_companions_are_sorted_by_shared_photos(cast: Cast) -> None:
    boxes = (LEFT, MIDDLE, RIGHT)
    photos = [cast.photo(*(found(box) for box in boxes)) for _ in range(2)]
    anna = cast.person("Anna", *(photo[0] for photo in photos))
    ben = cast.person("Ben", *(photo[1] for photo in photos))
    clara = cast.person("Clara", photos[0][2])
    hidden = cast.person("Krause", photos[1][2])
    cast.catalogue.people.mark(cast.me, [hidden], hidden=True)
    together = cast.catalogue.person_photos.companions(anna, cast.me, 9)
    assert [(companion.person.id, companion.photos) for companion in together] == [(ben, 2), (clara, 1)]
    assert together[0].person == cast.catalogue.people.get(ben, cast.me)
    assert len(cast.catalogue.person_photos.companions(anna, cast.me, 1)) == 1


def test_everybody_with_faces_has_a_typical_embedding(cast: Cast) -> None:
    good, poor = cast.photo(found(LEFT, direction(1), 0.9), found(RIGHT, direction(2), 0.1))
    third = cast.photo(found(LEFT, direction(3)))[0]
    anna, ben, empty = cast.person("Anna", good, poor), cast.person("Ben", third), cast.person("Empty")
    people, vectors = cast.catalogue.person_photos.typical(cast.me, PACK)
    assert people == [anna, ben]
    assert empty not in people
    assert vectors.tolist() == [direction(1).tolist(), direction(3).tolist()]
    cast.catalogue.people.set_typical_faces(cast.me, {anna: poor, ben: poor})
    _, vectors = cast.catalogue.person_photos.typical(cast.me, PACK)
    assert vectors.tolist() == [direction(2).tolist(), direction(3).tolist()], "a face of somebody else does not count"
    assert cast.catalogue.person_photos.typical(cast.me, "another pack")[0] == []


def test_faces_of_nobody_come_best_first(cast: Cast) -> None:
    poor, good, ignored, taken = (cast.photo(found(quality=quality))[0] for quality in (0.2, 0.9, 0.8, 0.7))
    cast.catalogue.faces.set_state([ignored], FaceState.IGNORED)
    cast.person("Anna", taken)
    face_ids, vectors = cast.catalogue.person_photos.unassigned(cast.me, PACK, 9)
    assert sorted(face_ids) == [poor, good]
    assert vectors.shape == (2, 4)
    assert cast.catalogue.person_photos.unassigned(cast.me, PACK, 1)[0] == [good]


def test_faces_said_not_to_be_a_person_are_known(cast: Cast) -> None:
    one, two = cast.photo(found())[0], cast.photo(found())[0]
    anna, ben = cast.person("Anna"), cast.person("Ben")
    cast.say(VerdictKind.IS_NOT_PERSON, one, anna)
    cast.say(VerdictKind.IS_NOT_PERSON, two, ben)
    assert cast.catalogue.person_photos.rejected(anna, cast.me) == {one}


def test_many_people_are_marked_at_once(cast: Cast) -> None:
    anna, ben, clara = (cast.person(name) for name in ("Anna", "Ben", "Clara"))
    people = cast.catalogue.people
    people.mark(cast.me, [anna, ben, 999], hidden=True, favourite=True)
    people.mark(cast.me, [ben], hidden=False)
    people.mark(cast.me, [clara])
    marks = [(person.hidden, person.favourite) for person in people.existing(cast.me, [anna, ben, clara])]
    assert marks == [(True, True), (False, True), (False, False)]


def test_people_that_exist_are_found_in_the_order_given(cast: Cast) -> None:
    anna, ben = cast.person("Anna", *cast.photo(found())), cast.person("Ben")
    foreign = cast.catalogue.people.add(cast.stranger().id, "Foreign")
    people = cast.catalogue.people.existing(cast.me, [ben, 999, foreign, anna, ben])
    assert [person.id for person in people] == [ben, anna]
    assert people[1] == cast.catalogue.people.get(anna, cast.me)


def test_everybody_without_a_name_is_hidden(cast: Cast) -> None:
    anna, one, two = cast.person("Anna"), cast.person(""), cast.person("")
    foreign = cast.catalogue.people.add(cast.stranger().id)
    cast.catalogue.people.mark(cast.me, [two], hidden=True)
    assert cast.catalogue.people.hide_unnamed(cast.me) == 1
    assert [person.hidden for person in cast.catalogue.people.existing(cast.me, [anna, one, two])] == [
        False, True, True,
    ]  # fmt: skip
    assert not cast.catalogue.people.get(foreign, cast.stranger().id).hidden


def test_all_faces_of_strangers_become_nobody_and_they_go(cast: Cast) -> None:
    one, two, kept = cast.photo(found())[0], cast.photo(found())[0], cast.photo(found())[0]
    crowd, anna = cast.person("", one, two, by=AssignedBy.USER), cast.person("Anna", kept)
    cast.say(VerdictKind.IS_PERSON, one, crowd)
    cast.say(VerdictKind.IS_NOT_PERSON, one, anna)
    assert cast.catalogue.people.make_strangers(cast.me, [crowd]) == 2
    assert [cast.catalogue.faces.get(face).state for face in (one, two)] == [FaceState.IGNORED] * 2
    assert cast.said() == [
        ("is_not_person", one, anna, None), ("is_nobody", one, None, None), ("is_nobody", two, None, None),
    ]  # fmt: skip
    assert cast.who([kept]) == [anna]
    with pytest.raises(NotFound):
        cast.catalogue.people.get(crowd, cast.me)
    assert cast.catalogue.integrity() == []


def test_another_account_is_neither_seen_nor_touched(cast: Cast) -> None:
    face = cast.photo(found())[0]
    anna = cast.person("Anna", face)
    nora, rows = cast.stranger().id, cast.catalogue.person_photos
    asset_id = cast.catalogue.faces.get(face).asset_id
    cast.catalogue.people.mark(nora, [anna], hidden=True)
    assert cast.catalogue.people.make_strangers(nora, [anna]) == 0
    assert cast.catalogue.people.existing(nora, [anna]) == []
    assert (rows.typical(nora, PACK)[0], rows.unassigned(nora, PACK, 9)[0]) == ([], [])
    assert rows.rejected(anna, nora) == set()
    assert cast.who([face]) == [anna]
    assert not cast.catalogue.people.get(anna, cast.me).hidden
    for asks in (
        lambda: rows.months(anna, nora),
        lambda: rows.faces_on(anna, nora, [asset_id]),
        lambda: rows.faces_before(anna, nora, date(2999, 1, 1)),
        lambda: rows.companions(anna, nora, 9),
    ):
        with pytest.raises(NotFound):
            asks()
