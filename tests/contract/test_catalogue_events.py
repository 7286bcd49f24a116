"""What users did is recorded, and can be taken back."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugin.catalogue import events
from plugin.domain import AssignedBy, FaceState, VerdictKind
from plugin.errors import NotFound, Refused
from plugin.sentences import Sentence
from tests.contract.catalogue_cast import STORES, Cast, found, open_store


@pytest.fixture(params=STORES)
def cast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cast]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


def test_the_title_of_an_event_keeps_what_it_is_made_of(cast: Cast) -> None:
    title = Sentence(
        "Showed %(num)s face of %(name)s", "Showed %(num)s faces of %(name)s", num=2, name=Sentence("100%")
    )
    with cast.catalogue.events.record(cast.me, title):
        cast.person("Anna")
    (event,) = cast.catalogue.events.all(cast.me, 9)
    assert event.title == "Showed 2 faces of 100%"
    assert isinstance(event.title, Sentence)
    assert (event.title.template, event.title.plural) == (title.template, title.plural)
    assert isinstance(event.title.values["name"], Sentence)


def test_an_event_is_listed_and_taken_back(cast: Cast) -> None:
    (face,) = cast.photo(found())
    anna = cast.person("Anna")
    with cast.catalogue.events.record(cast.me, "Said that a face is Anna"):
        cast.say(VerdictKind.IS_PERSON, face, anna)
        cast.catalogue.faces.assign([(face, anna)], AssignedBy.USER)
    (event,) = cast.catalogue.events.all(cast.me, 9)
    assert (event.title, event.at, event.undone) == ("Said that a face is Anna", cast.clock.time, False)
    assert cast.catalogue.events.undo(cast.me).undone
    now = cast.catalogue.faces.get(face)
    assert (now.person_id, now.assigned_by, now.state) == (None, None, FaceState.PENDING)
    assert cast.said() == []
    assert [event.undone for event in cast.catalogue.events.all(cast.me, 9)] == [True]
    with pytest.raises(Refused):
        cast.catalogue.events.undo(cast.me)


def test_a_deleted_person_comes_back_with_everything_said(cast: Cast) -> None:
    one, two = cast.photo(found())[0], cast.photo(found())[0]
    anna, ben = cast.person("Anna O'Neil", one, by=AssignedBy.USER), cast.person("Ben")
    cast.say(VerdictKind.IS_PERSON, one, anna)
    cast.say(VerdictKind.IS_NOT_PERSON, two, anna)
    cast.say(VerdictKind.PERSONS_DIFFER, None, anna, ben)
    before = cast.catalogue.people.get(anna, cast.me), cast.said()
    with cast.catalogue.events.record(cast.me, "Deleted Anna"):
        cast.catalogue.people.delete(anna, cast.me)
    assert cast.said() == []
    cast.catalogue.events.undo(cast.me)
    assert (cast.catalogue.people.get(anna, cast.me), cast.said()) == before
    assert cast.catalogue.faces.get(one).assigned_by is AssignedBy.USER
    assert cast.catalogue.integrity() == []


def test_an_undo_of_one_event_takes_back_no_other(cast: Cast) -> None:
    anna = cast.person("Anna")
    for name in ("Anni", "Annika"):
        with cast.catalogue.events.record(cast.me, f"Named somebody {name}"):
            cast.catalogue.people.rename(anna, cast.me, name)
    newest, earlier = cast.catalogue.events.all(cast.me, 9)
    with pytest.raises(Refused, match="newer"):
        cast.catalogue.events.undo(cast.me, expected=earlier.id)
    assert cast.catalogue.events.undo(cast.me, expected=newest.id).id == newest.id
    with pytest.raises(Refused, match="taken back already"):
        cast.catalogue.events.undo(cast.me, expected=newest.id)
    assert cast.catalogue.people.get(anna, cast.me).name == "Anni"


def test_what_changes_nothing_or_fails_before_it_changed_anything_is_no_event(cast: Cast) -> None:
    with pytest.raises(NotFound), cast.catalogue.events.record(cast.me, "Renamed nobody"):
        cast.catalogue.people.rename(999, cast.me, "Anna")
    with cast.catalogue.events.record(cast.me, "Did nothing"):
        pass
    assert cast.catalogue.events.all(cast.me, 9) == []


def test_an_event_within_an_event_is_part_of_it(cast: Cast) -> None:
    with cast.catalogue.events.record(cast.me, "outer"):
        cast.person("Anna")
        with cast.catalogue.events.record(cast.me, "inner"):
            cast.person("Ben")
    assert [event.title for event in cast.catalogue.events.all(cast.me, 9)] == ["outer"]
    cast.catalogue.events.undo(cast.me)
    assert cast.catalogue.people.all(cast.me) == []


def test_what_other_threads_do_meanwhile_is_not_taken_back(cast: Cast) -> None:
    with cast.catalogue.events.record(cast.me, "Added Anna"):
        cast.person("Anna")
        other = threading.Thread(target=cast.person, args=("Ben",))
        other.start()
        other.join()
    cast.catalogue.events.undo(cast.me)
    assert [person.name for person in cast.catalogue.people.all(cast.me)] == ["Ben"]


def test_faces_given_since_then_to_a_person_that_goes_wait_again(cast: Cast) -> None:
    (face,) = cast.photo(found())
    with cast.catalogue.events.record(cast.me, "Added Anna"):
        anna = cast.person("Anna")
    cast.catalogue.faces.assign([(face, anna)], AssignedBy.MACHINE)
    cast.catalogue.events.undo(cast.me)
    assert cast.catalogue.faces.get(face).state is FaceState.PENDING


def test_a_face_whose_person_a_sweep_let_go_waits_again(cast: Cast) -> None:
    (face,) = cast.photo(found())
    unnamed = cast.person("", face)
    with cast.catalogue.events.record(cast.me, "Took a face away"):
        cast.catalogue.faces.assign([(face, None)], AssignedBy.USER)
    cast.catalogue.people.delete_empty()
    cast.catalogue.events.undo(cast.me)
    assert cast.catalogue.faces.get(face).state is FaceState.PENDING
    with pytest.raises(NotFound):
        cast.catalogue.people.get(unnamed, cast.me)


def test_only_the_newest_events_of_each_account_are_kept(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEPT_EVENTS", 2)
    other = cast.catalogue.accounts.add("Other", None, is_admin=False).id
    with cast.catalogue.events.record(other, "Added Otto"):
        cast.catalogue.people.add(other, "Otto")
    for name in ("Anna", "Ben", "Clara"):
        with cast.catalogue.events.record(cast.me, f"Added {name}"):
            cast.person(name)
    assert [event.title for event in cast.catalogue.events.all(cast.me, 9)] == ["Added Clara", "Added Ben"]
    assert [event.title for event in cast.catalogue.events.all(other, 9)] == ["Added Otto"]
    cast.catalogue.events.undo(cast.me)
    assert [person.name for person in cast.catalogue.people.all(other)] == ["Otto"]
