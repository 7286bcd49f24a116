"""What a parent does on the screens, said in words a parent understands."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

import pytest

from plugin.domain import AssignedBy, FaceId, FaceState, PersonId, VerdictKind
from plugin.errors import NotFound, Refused
from plugin.people import LONGEST_NAME, People, clean_name
from plugin.recognition import Recognition
from tests.fakes.album import Album, NudgeLog

TODAY = date(2026, 11, 23)


@pytest.fixture
def album() -> Iterator[Album]:
    made = Album()
    yield made
    made.catalogue.close()


@pytest.fixture
def nudge() -> NudgeLog:
    return NudgeLog()


@pytest.fixture
def recognition(album: Album) -> Recognition:
    return Recognition(album.catalogue, album.index, lambda: album.preferences)


@pytest.fixture
def people(album: Album, nudge: NudgeLog, recognition: Recognition) -> People:
    return People(album.catalogue, nudge, recognition.spread, lambda: TODAY)


@pytest.fixture
def me(album: Album) -> int:
    return album.account.id


@pytest.fixture
def anna(album: Album, me: int) -> PersonId:
    return album.catalogue.people.add(me, "Anna")


def _kinds(album: Album) -> list[tuple[VerdictKind, FaceId | None, PersonId | None]]:
    return [(said.kind, said.face_id, said.person_id) for said in album.catalogue.verdicts.all(album.account.id)]


# Names.


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Anna", "Anna"),
        ("  Anna  Maria ", "Anna Maria"),
        ("Anna\tMaria\n", "Anna Maria"),
        ("Øyvind Łukasz", "Øyvind Łukasz"),
        ("علی", "علی"),
        ("👩‍👧 Mum", "👩‍👧 Mum"),
        ("x" * LONGEST_NAME, "x" * LONGEST_NAME),
    ],
)
def test_a_name_is_stored_tidied_up_in_any_script(typed: str, stored: str) -> None:
    assert clean_name(typed) == stored


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "The name is empty"),
        (" \t\n", "The name is empty"),
        ("x" * (LONGEST_NAME + 1), "The name is longer than 200 characters"),
        ("An\x00na", "The name contains characters that cannot be shown"),
        ("Anna\x1b[2J", "The name contains characters that cannot be shown"),
        ("\u202eannA", "The name contains characters that cannot be shown"),
        ("Anna\udcff", "The name contains characters that cannot be shown"),
    ],
)
def test_a_name_that_cannot_be_shown_is_refused_with_a_reason(typed: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        clean_name(typed)
    assert refused.value.advice


def test_renaming_stores_the_tidied_name(album: Album, people: People, me: int, anna: PersonId) -> None:
    people.rename(me, anna, " Anna   Maria ")
    assert album.catalogue.people.get(anna, me).name == "Anna Maria"


def test_a_refused_name_changes_nothing(album: Album, people: People, me: int, anna: PersonId) -> None:
    with pytest.raises(Refused):
        people.rename(me, anna, "")
    assert album.catalogue.people.get(anna, me).name == "Anna"


def test_others_with_the_same_name_are_found_whatever_the_case(album: Album, people: People, me: int) -> None:
    first, second = (album.catalogue.people.add(me, name) for name in ("Anna", "anna"))
    album.catalogue.people.add(me, "Annabel")
    assert [person.id for person in people.same_name(me, " ANNA ")] == [first, second]
    assert [person.id for person in people.same_name(me, "Anna", first)] == [second]


# Merge.


def test_merging_moves_all_faces_and_keeps_the_name(album: Album, people: People, nudge: NudgeLog, me: int) -> None:
    faces = album.add(0, 90)
    anna = people.assign_new(me, faces[0], "Anna")
    other = people.assign_new(me, faces[1])
    nudge.told.clear()
    people.merge(me, anna, [other, other])
    assert album.persons(faces) == [anna, anna]
    assert [person.name for person in album.catalogue.people.all(me)] == ["Anna"]
    assert nudge.told == ["recognition"]


def test_a_person_cannot_be_merged_with_themselves(people: People, me: int, anna: PersonId) -> None:
    with pytest.raises(Refused, match="with themselves"):
        people.merge(me, anna, [anna])


def test_merging_with_nobody_is_refused(people: People, me: int, anna: PersonId) -> None:
    with pytest.raises(Refused, match="Nobody was chosen"):
        people.merge(me, anna, [])


# Hide, birth date, feature face, delete.


def test_a_hidden_person_still_gets_new_faces(album: Album, people: People, recognition: Recognition, me: int) -> None:
    album.add(0, 10, 20)
    recognition.run()
    (person,) = album.catalogue.people.all(me)
    people.set_hidden(me, person.id, hidden=True)
    assert album.catalogue.people.all(me) == []
    album.add(5)
    recognition.run()
    assert album.catalogue.people.get(person.id, me).face_count == 4


@pytest.mark.parametrize("day", [TODAY, date(1950, 1, 1), None])
def test_a_birth_date_up_to_today_or_none_is_taken(
    album: Album, people: People, me: int, anna: PersonId, day: date | None
) -> None:
    people.set_birth_date(me, anna, day)
    assert album.catalogue.people.get(anna, me).birth_date == day


def test_a_birth_date_in_the_future_is_refused(people: People, me: int, anna: PersonId) -> None:
    with pytest.raises(Refused, match="in the future"):
        people.set_birth_date(me, anna, date(2026, 11, 24))


def test_the_feature_face_must_be_the_persons_own(album: Album, people: People, me: int, anna: PersonId) -> None:
    mine, other = album.add(0, 90)
    people.assign(me, mine, anna)
    people.set_feature_face(me, anna, mine)
    assert album.catalogue.people.get(anna, me).feature_face_id == mine
    with pytest.raises(Refused):
        people.set_feature_face(me, anna, other)


def test_deleting_a_person_leaves_the_faces_unassigned(
    album: Album, people: People, recognition: Recognition, me: int
) -> None:
    faces = album.add(0, 10, 20)
    recognition.run()
    (person,) = album.catalogue.people.all(me)
    people.delete(me, person.id)
    recognition.run()
    assert album.states(faces) == [FaceState.UNASSIGNED] * 3
    assert album.catalogue.people.all(me) == []


# Faces.


def test_assigning_is_a_verdict_that_recognition_never_moves(
    album: Album, people: People, recognition: Recognition, me: int, anna: PersonId
) -> None:
    faces = album.add(0, 5, 10)
    recognition.run()
    people.assign(me, faces[1], anna)
    recognition.reset()
    recognition.run()
    assert album.persons(faces)[1] == anna
    assert album.catalogue.faces.get(faces[1]).assigned_by is AssignedBy.USER
    assert _kinds(album) == [(VerdictKind.IS_PERSON, faces[1], anna)]


def test_an_assignment_shows_its_consequence_at_once(
    album: Album, people: People, recognition: Recognition, nudge: NudgeLog, me: int, anna: PersonId
) -> None:
    faces = album.add(0, 10)
    recognition.run()
    assert album.persons(faces) == [None, None]
    people.assign(me, faces[0], anna)
    assert nudge.told == ["recognition"]
    recognition.run()
    assert album.persons(faces) == [anna, anna]


def test_without_spreading_the_others_wait_for_the_night(
    album: Album, nudge: NudgeLog, recognition: Recognition, me: int, anna: PersonId
) -> None:
    faces = album.add(0, 10)
    recognition.run()
    People(album.catalogue, nudge).assign(me, faces[0], anna)
    recognition.run()
    assert album.persons(faces) == [anna, None]


def test_assigning_again_replaces_what_was_said(album: Album, people: People, me: int, anna: PersonId) -> None:
    (face,) = album.add(0)
    people.assign(me, face, anna)
    ben = people.assign_new(me, face, "Ben")
    assert album.persons([face]) == [ben]
    assert _kinds(album) == [(VerdictKind.IS_PERSON, face, ben)]


def test_a_new_person_gets_the_face_the_name_and_the_picture(album: Album, people: People, me: int) -> None:
    (face,) = album.add(0)
    person = album.catalogue.people.get(people.assign_new(me, face, " Ben "), me)
    assert (person.name, person.face_count, person.feature_face_id) == ("Ben", 1, face)


def test_a_new_person_may_stay_without_a_name(album: Album, people: People, me: int) -> None:
    (face,) = album.add(0)
    assert album.catalogue.people.get(people.assign_new(me, face, "  "), me).name == ""


def test_a_new_person_swept_by_a_run_that_just_begins_is_made_again(
    album: Album, people: People, me: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (face,) = album.add(0)
    add = album.catalogue.people.add
    swept: list[int] = []

    def add_and_sweep(account_id: int, name: str = "", feature_face_id: int | None = None) -> PersonId:
        person_id = add(account_id, name, feature_face_id)
        if not swept:
            swept.append(album.catalogue.people.delete_empty())
        return person_id

    monkeypatch.setattr(album.catalogue.people, "add", add_and_sweep)
    assert album.persons([face]) == [None]
    assert album.persons([face]) != [people.assign_new(me, face)]
    assert swept == [1]
    assert album.states([face]) == [FaceState.ASSIGNED]


def test_a_new_person_with_an_impossible_name_is_not_made(album: Album, people: People, me: int) -> None:
    (face,) = album.add(0)
    with pytest.raises(Refused):
        people.assign_new(me, face, "x" * 999)
    assert album.catalogue.people.all(me, minimum_faces=0) == []


def test_rejecting_takes_the_face_from_the_person_for_good(
    album: Album, people: People, recognition: Recognition, me: int
) -> None:
    faces = album.add(0, 5, 10)
    recognition.run()
    person = album.persons(faces)[0]
    people.reject(me, faces[1])
    assert album.states(faces) == [FaceState.ASSIGNED, FaceState.UNASSIGNED, FaceState.ASSIGNED]
    recognition.nightly()
    recognition.run()
    assert album.persons(faces) == [person, None, person]
    assert _kinds(album) == [(VerdictKind.IS_NOT_PERSON, faces[1], person)]


def test_rejecting_a_face_of_nobody_is_refused(album: Album, people: People, me: int) -> None:
    with pytest.raises(Refused, match="belongs to nobody"):
        people.reject(me, album.add(0)[0])


def test_a_rejected_face_can_be_assigned_by_hand_again(album: Album, people: People, me: int, anna: PersonId) -> None:
    (face,) = album.add(0)
    people.assign(me, face, anna)
    people.reject(me, face)
    people.assign(me, face, anna)
    assert album.persons([face]) == [anna]
    assert _kinds(album) == [(VerdictKind.IS_PERSON, face, anna)]


def test_an_ignored_face_is_nobody_until_it_is_restored(
    album: Album, people: People, recognition: Recognition, nudge: NudgeLog, me: int
) -> None:
    faces = album.add(0, 5, 10)
    recognition.run()
    people.ignore(me, faces[0])
    recognition.reset()
    recognition.run()
    assert album.states(faces) == [FaceState.IGNORED, FaceState.UNASSIGNED, FaceState.UNASSIGNED]
    people.restore(me, faces[0])
    assert album.states(faces)[0] is FaceState.PENDING
    assert _kinds(album) == []
    recognition.missing()
    recognition.run()
    assert album.groups(faces) == [[0, 1, 2]]


def test_restoring_what_was_not_taken_away_is_refused(album: Album, people: People, me: int) -> None:
    with pytest.raises(Refused, match="was not taken away"):
        people.restore(me, album.add(0)[0])


@pytest.mark.parametrize("action", ["reject", "ignore", "assign"])
def test_an_unnamed_person_who_loses_the_last_face_is_gone(
    album: Album, people: People, me: int, anna: PersonId, action: str
) -> None:
    (face,) = album.add(0)
    nameless = people.assign_new(me, face)
    actions: dict[str, Callable[[], None]] = {
        "reject": lambda: people.reject(me, face),
        "ignore": lambda: people.ignore(me, face),
        "assign": lambda: people.assign(me, face, anna),
    }
    actions[action]()
    with pytest.raises(NotFound):
        album.catalogue.people.get(nameless, me)


def test_a_named_person_stays_without_faces(album: Album, people: People, me: int, anna: PersonId) -> None:
    (face,) = album.add(0)
    people.assign(me, face, anna)
    people.ignore(me, face)
    assert album.catalogue.people.get(anna, me).name == "Anna"


# Accounts.


ACTIONS: dict[str, Callable[[People, int, FaceId, PersonId], object]] = {
    "rename": lambda people, who, _face, person: people.rename(who, person, "Mine now"),
    "merge": lambda people, who, _face, person: people.merge(who, person, [person + 1]),
    "hide": lambda people, who, _face, person: people.set_hidden(who, person, hidden=True),
    "birth date": lambda people, who, _face, person: people.set_birth_date(who, person, TODAY),
    "feature face": lambda people, who, face, person: people.set_feature_face(who, person, face),
    "delete": lambda people, who, _face, person: people.delete(who, person),
    "assign": lambda people, who, face, person: people.assign(who, face, person),
    "assign new": lambda people, who, face, _person: people.assign_new(who, face, "Mine"),
    "reject": lambda people, who, face, _person: people.reject(who, face),
    "ignore": lambda people, who, face, _person: people.ignore(who, face),
    "restore": lambda people, who, face, _person: people.restore(who, face),
}


@pytest.mark.parametrize("action", list(ACTIONS))
def test_no_action_reaches_another_account(album: Album, people: People, me: int, anna: PersonId, action: str) -> None:
    ben = album.catalogue.accounts.add("Ben", None, is_admin=False)
    (face,) = album.add(0)
    people.assign(me, face, anna)
    album.catalogue.people.add(me, "Other")
    before = album.catalogue.faces.get(face), album.catalogue.people.all(me), _kinds(album)
    with pytest.raises(NotFound):
        ACTIONS[action](people, ben.id, face, anna)
    face_now = album.catalogue.faces.get(face)
    assert (face_now.person_id, face_now.state) == (before[0].person_id, before[0].state)
    assert (album.catalogue.people.all(me), _kinds(album)) == before[1:]
    assert album.catalogue.people.all(ben.id, minimum_faces=0) == []


def test_every_action_can_be_repeated(album: Album, people: People, me: int, anna: PersonId) -> None:
    """A double click, or a browser that sends the form again."""
    (face,) = album.add(0)
    album.preferences = replace(album.preferences, minimum_faces=1)
    for _ in range(2):
        people.assign(me, face, anna)
        people.rename(me, anna, "Anna")
        people.set_hidden(me, anna, hidden=True)
        people.set_feature_face(me, anna, face)
    for _ in range(2):
        people.ignore(me, face)
    assert album.states([face]) == [FaceState.IGNORED]
    assert _kinds(album) == [(VerdictKind.IS_NOBODY, face, None)]
