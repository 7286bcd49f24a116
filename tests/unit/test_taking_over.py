"""What users said on a host with markers: verdicts once, undoable, and never what the host guessed or we wrote."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import update

from plugin.catalogue.tables import face
from plugin.domain import AssignedBy, Box, FaceState, VerdictKind
from plugin.errors import HostRefused, HostUnreachable
from plugin.people import People
from plugin.ports.writing import MarkedPhoto
from plugin.ports.written import NameKind
from plugin.suggestions import Suggestions
from plugin.writeback import Taken
from plugin.writeback.from_hosts import last_look
from tests.fakes.album import NudgeLog, at_degrees, found_face
from tests.fakes.photoprism.people import MANUAL, FakeMarker
from tests.fakes.writing_host import Household


class Home(Household):
    """Three photos with two faces each, of nobody."""

    def mark(self, photo: int, side: int, name: str) -> FakeMarker:
        """Somebody named a face there."""
        marker = self.found(photo, side)
        return self.host.people.update(marker.uid, {"Name": name, "SubjSrc": MANUAL})

    def found(self, photo: int, side: int, guess: str = "") -> FakeMarker:
        """The host found a face, a little to the side of where we did, and may guess who it is."""
        box = self.catalogue.faces.get(self.faces[photo][side]).box
        return self.host.people.detect(self.paths[photo], (box.x + 0.02, box.y, box.w * 1.2, box.h), guess)

    def take(self) -> Taken:
        self.catalogue.preferences.delete(last_look(self.library.id))
        taken = self.writing().take_over(self.library.id)
        assert taken is not None
        return taken

    def who(self, photo: int, side: int) -> str | None:
        return self.catalogue.faces.get(self.faces[photo][side]).person_name

    def verdicts(self) -> list[tuple[VerdictKind, int | None]]:
        return [(verdict.kind, verdict.face_id) for verdict in self.catalogue.verdicts.all(self.account_id)]

    def events(self) -> list[str]:
        return [event.title for event in self.catalogue.events.all(self.account_id, 100)]

    def name(self, photo: int, side: int, person_id: int, by: AssignedBy = AssignedBy.USER) -> None:
        self.catalogue.faces.assign([(self.faces[photo][side], person_id)], by)


@pytest.fixture
def home() -> Home:
    return Home()


def test_named_markers_become_verdicts_once_and_one_undo_takes_them_back(home: Home) -> None:
    home.mark(0, 0, "Anna")
    home.mark(1, 1, "Anna")
    home.mark(2, 0, "Ben")
    assert home.take().named == 3
    assert [home.who(0, 0), home.who(1, 1), home.who(2, 0), home.who(0, 1)] == ["Anna", "Anna", "Ben", None]
    assert len(home.verdicts()) == 3
    assert home.events() == ["Took 3 names over from Photos"]
    assert home.take() == Taken()
    home.catalogue.events.undo(home.account_id)
    assert [home.who(0, 0), home.who(1, 1), home.who(2, 0)] == [None, None, None]
    assert home.take() == Taken(), "what was taken back here is not taken over again"
    assert home.verdicts() == []


def test_a_guess_of_the_host_is_no_verdict(home: Home) -> None:
    home.found(0, 0, guess="Anna")
    home.found(0, 1)
    assert home.take() == Taken()
    assert home.verdicts() == []
    assert home.who(0, 0) is None


def test_a_guess_of_the_host_is_asked_about_until_somebody_knows(home: Home) -> None:
    home.mark(0, 0, "Anna")
    marker = home.found(2, 1, guess="Anna")
    home.take()
    anna = home.catalogue.faces.get(home.faces[0][0]).person_id
    face_id = home.faces[2][1]
    assert home.catalogue.host_people.guesses(home.account_id) == {face_id: anna}
    assert home.who(2, 1) is None
    suggestions = Suggestions(home.catalogue, People(home.catalogue, NudgeLog()), lambda: home.album.preferences)
    asked = [question for question in suggestions.ranked(home.account_id) if face_id in question.face_ids]
    assert [(question.person_id, question.likelihood) for question in asked] == [(anna, 0.5)]
    suggestions.accept(home.account_id, asked[0])
    assert home.who(2, 1) == "Anna"
    assert home.catalogue.host_people.guesses(home.account_id) == {}
    home.catalogue.events.undo(home.account_id)
    marker.subj_uid, marker.name = "", ""  # the host thinks better of it
    home.take()
    assert home.catalogue.host_people.guesses(home.account_id) == {}


def test_a_guess_seen_before_its_face_was_found_is_asked_about_once_it_is_found(home: Home) -> None:
    home.mark(0, 0, "Anna")
    home.host.people.detect(home.paths[2], (0.02, 0.7, 0.1, 0.1), guess="Anna")
    assert home.take() == Taken(named=1)
    assert home.catalogue.host_people.guesses(home.account_id) == {}
    moved(home, home.faces[2][1], 0.02, 0.7, 0.1)
    assert home.take() == Taken()
    anna = home.catalogue.faces.get(home.faces[0][0]).person_id
    assert home.catalogue.host_people.guesses(home.account_id) == {home.faces[2][1]: anna}


def test_a_guess_is_asked_about_again_when_its_face_was_found_anew(home: Home) -> None:
    home.mark(0, 0, "Anna")
    home.host.people.detect(home.paths[2], (0.2, 0.2, 0.2, 0.2), guess="Anna")
    moved(home, home.faces[2][1], 0.2)
    home.take()
    anew = replace(found_face(at_degrees(100)), box=Box(0.29, 0.2, 0.2, 0.2))
    (face_id,) = home.catalogue.detection.finish(home.asset(2), "opencv", [anew], (900, 600), None)
    assert face_id not in home.faces[2]
    home.take()
    assert list(home.catalogue.host_people.guesses(home.account_id)) == [face_id]


def test_a_guess_for_another_account_is_not_asked(home: Home) -> None:
    home.mark(1, 0, "Anna")
    home.found(0, 1, guess="Anna")
    home.take()
    other = home.catalogue.accounts.add("Ben", None, is_admin=False)
    assert home.catalogue.host_people.guesses(other.id) == {}


def test_a_person_of_the_same_name_is_the_same_person(home: Home) -> None:
    anna = home.catalogue.people.add(home.account_id, "Anna")
    home.name(1, 0, anna)
    home.mark(0, 0, "anna")
    home.take()
    assert home.catalogue.faces.get(home.faces[0][0]).person_id == anna


def test_two_people_of_one_name_here_are_not_told_apart_by_it(home: Home) -> None:
    for photo in (1, 2):
        home.name(photo, 0, home.catalogue.people.add(home.account_id, "Anna"))
    home.mark(0, 0, "Anna")
    assert home.take() == Taken(unclear=1)
    assert home.who(0, 0) is None


def test_a_name_made_there_while_we_look_is_taken_over(home: Home) -> None:
    marker, listed = home.found(0, 0), home.host.all_marked

    def late() -> Iterator[MarkedPhoto]:
        home.host.people.update(marker.uid, {"Name": "Zoe", "SubjSrc": MANUAL})
        return listed()

    home.host.all_marked = late  # type: ignore[method-assign]
    assert home.take().named == 1
    assert home.who(0, 0) == "Zoe"


def test_our_marker_given_to_somebody_new_there_while_we_look_is_taken_over(home: Home) -> None:
    home.name(0, 0, home.catalogue.people.add(home.account_id, "Anna"))
    home.writing().start(home.library, NameKind.MARKERS)
    home.writing().run(home.library.id, NameKind.MARKERS)
    (marker,), listed = home.host.people.of_file(home.paths[0]), home.host.all_marked

    def late() -> Iterator[MarkedPhoto]:
        home.host.people.clear(marker.uid)
        home.host.people.update(marker.uid, {"Name": "Zoe", "SubjSrc": MANUAL})
        return listed()

    home.host.all_marked = late  # type: ignore[method-assign]
    home.take()
    home.host.all_marked = listed  # type: ignore[method-assign]
    home.take()
    home.writing().run(home.library.id, NameKind.MARKERS)
    assert home.who(0, 0) == "Zoe"
    assert home.host.people.named(home.paths[0]) == ["Zoe"]


def test_a_name_that_was_unclear_is_taken_over_once_it_is_clear(home: Home) -> None:
    first, second = (home.catalogue.people.add(home.account_id, "Anna") for _ in range(2))
    home.name(1, 0, first)
    home.name(2, 0, second)
    home.mark(0, 0, "Anna")
    for _ in range(2):
        assert home.take() == Taken(unclear=1)
    home.catalogue.people.rename(second, home.account_id, "Anna Smith")
    assert home.take().named == 1
    assert home.catalogue.faces.get(home.faces[0][0]).person_id == first


def test_two_people_of_one_name_there_are_two_people_here(home: Home) -> None:
    home.mark(0, 0, "Anna")
    other = home.mark(1, 0, "Anna B.")
    home.host.people.subjects[other.subj_uid] = "Anna"  # PhotoPrism does not let that happen any more
    home.take()
    first, second = (home.catalogue.faces.get(home.faces[photo][0]).person_id for photo in (0, 1))
    assert first is not None
    assert second is not None
    assert first != second
    assert [home.who(0, 0), home.who(1, 0)] == ["Anna", "Anna"]


def two_annas_share_a_subject(home: Home) -> tuple[int, int]:
    first, second = (home.catalogue.people.add(home.account_id, "Anna") for _ in range(2))
    home.name(0, 0, first)
    home.name(1, 0, second)
    home.writing().start(home.library, NameKind.MARKERS)
    home.writing().run(home.library.id, NameKind.MARKERS)
    assert list(home.host.people.subjects.values()) == ["Anna"]
    return first, second


@pytest.mark.parametrize("where", ["here", "there"])
def test_a_rename_of_one_of_two_people_of_one_name_leaves_the_other_one_alone(home: Home, where: str) -> None:
    first, second = two_annas_share_a_subject(home)
    if where == "here":
        home.catalogue.people.rename(first, home.account_id, "Anna Smith")
    else:
        home.host.people.rename(next(iter(home.host.people.subjects)), "Anna Smith")
    for _ in range(2):
        home.writing().run(home.library.id, NameKind.MARKERS)
        home.take()
    assert [home.catalogue.faces.get(home.faces[photo][0]).person_id for photo in (0, 1)] == [first, second]
    assert [home.who(0, 0), home.who(1, 0)] == ["Anna Smith", "Anna"]
    assert [home.host.people.named(path) for path in home.paths[:2]] == [["Anna Smith"], ["Anna"]]
    assert len(home.host.people.subjects) == 2
    assert home.verdicts() == []


def moved(home: Home, face_id: int, x: float, y: float = 0.2, side: float = 0.2) -> None:
    with home.catalogue._transactions.write() as connection:
        connection.execute(update(face).where(face.c.id == face_id).values(x=x, y=y, w=side, h=side))


@pytest.mark.parametrize("marked_at", [0.2, 0.29])
def test_two_faces_that_overlap_do_not_share_the_marker_of_one_of_them(home: Home, marked_at: float) -> None:
    anna, ben = (home.catalogue.people.add(home.account_id, name) for name in ("Anna", "Ben"))
    for side, x in enumerate((0.2, 0.29)):
        moved(home, home.faces[1][side], x)
    home.name(0, 0, anna)
    home.name(1, 0, anna)
    home.name(1, 1, ben)
    marker = home.host.people.detect(home.paths[1], (marked_at, 0.2, 0.2, 0.2))
    home.writing().start(home.library, NameKind.MARKERS)
    for _ in range(2):
        home.writing().run(home.library.id, NameKind.MARKERS)
        assert home.take() == Taken()
        assert [home.host.people.named(path) for path in home.paths[:2]] == [["Anna"], ["Anna", "Ben"]]
        assert len(home.host.people.of_file(home.paths[1])) == 2
    assert marker.name == {0.2: "Anna", 0.29: "Ben"}[marked_at], "who fits best"
    assert [home.who(0, 0), home.who(1, 0), home.who(1, 1)] == ["Anna", "Anna", "Ben"]


@pytest.mark.parametrize("guess", ["", "Clara"])
def test_a_marker_without_a_face_does_not_take_its_neighbours_face_at_the_second_look(home: Home, guess: str) -> None:
    moved(home, home.faces[1][0], 0.2)
    moved(home, home.faces[1][1], 0.7)
    home.host.people.detect(home.paths[1], (0.2, 0.2, 0.2, 0.2), guess)
    ben = home.host.people.detect(home.paths[1], (0.29, 0.2, 0.2, 0.2))
    home.host.people.update(ben.uid, {"Name": "Ben", "SubjSrc": MANUAL})
    for _ in range(2):
        assert home.take() == Taken(faceless=1)
        assert home.who(1, 0) is None
    moved(home, home.faces[1][1], 0.29)  # its face is found
    assert home.take() == Taken(named=1)
    assert [home.who(1, 0), home.who(1, 1)] == [None, "Ben"]


def test_a_face_marked_anew_after_its_marker_was_called_none_is_named(home: Home) -> None:
    box = home.catalogue.faces.get(home.faces[0][0]).box
    first = home.host.people.detect(home.paths[0], (box.x, box.y, box.w, box.h))
    home.take()
    home.host.people.update(first.uid, {"Invalid": True})
    home.mark(0, 0, "Anna")
    assert home.take() == Taken(named=1)
    assert home.who(0, 0) == "Anna"


@pytest.mark.parametrize("linked", [False, True])
def test_not_anna_said_here_is_not_overruled_by_the_first_look(home: Home, linked: bool) -> None:
    anna = home.catalogue.people.add(home.account_id, "Anna")
    home.name(1, 0, anna)
    if linked:
        home.mark(1, 1, "Anna")
        home.take()
    People(home.catalogue, NudgeLog()).reject_all(home.account_id, [home.faces[0][0]], anna)
    marker = home.mark(0, 0, "Anna")
    assert home.take() == Taken(kept=1)
    assert home.who(0, 0) is None
    home.host.people.clear(marker.uid)
    home.take()
    home.host.people.update(marker.uid, {"Name": "Anna", "SubjSrc": MANUAL})
    assert home.take() == Taken(named=1), "the later word wins"


def test_a_name_given_by_hand_to_a_neighbour_keeps_no_other_name_back(home: Home) -> None:
    for side, x in enumerate((0.2, 0.29)):
        moved(home, home.faces[1][side], x)
    marker = home.host.people.detect(home.paths[1], (0.2, 0.2, 0.2, 0.2))
    home.host.people.update(marker.uid, {"Name": "Anna", "SubjSrc": MANUAL})
    assert home.take() == Taken(named=1)
    home.name(1, 1, home.catalogue.people.add(home.account_id, "Ben"))
    home.writing().start(home.library, NameKind.MARKERS)
    home.writing().run(home.library.id, NameKind.MARKERS)
    assert [home.who(1, 0), home.who(1, 1)] == ["Anna", "Ben"]
    assert home.host.people.named(home.paths[1]) == ["Anna", "Ben"]
    home.writing().remove(home.library, NameKind.MARKERS)
    home.writing().run(home.library.id, NameKind.MARKERS)
    assert home.host.people.named(home.paths[1]) == ["Anna"]


def test_what_users_said_here_stays_until_somebody_changes_it_there(home: Home) -> None:
    ben = home.catalogue.people.add(home.account_id, "Ben")
    home.name(0, 0, ben)
    marker = home.mark(0, 0, "Anna")
    assert home.take() == Taken(kept=1)
    assert home.who(0, 0) == "Ben"
    home.host.people.clear(marker.uid)
    home.host.people.update(marker.uid, {"Name": "Clara", "SubjSrc": MANUAL})
    assert home.take().named == 1
    assert home.who(0, 0) == "Clara"
    home.name(0, 0, ben)  # corrected here afterwards
    assert home.take() == Taken()
    assert home.who(0, 0) == "Ben"


def test_what_the_machine_thought_gives_way(home: Home) -> None:
    home.name(0, 0, home.catalogue.people.add(home.account_id, "Ben"), AssignedBy.MACHINE)
    home.mark(0, 0, "Anna")
    assert home.take().named == 1
    assert home.who(0, 0) == "Anna"


def test_a_name_taken_off_and_a_face_called_none_there_are_taken_over(home: Home) -> None:
    off, none = home.mark(0, 0, "Anna"), home.mark(0, 1, "Ben")
    home.take()
    home.host.people.clear(off.uid)
    home.host.people.update(none.uid, {"Invalid": True})
    assert home.take().taken_back == 2
    assert home.who(0, 0) is None
    assert home.catalogue.faces.get(home.faces[0][1]).state is FaceState.IGNORED
    home.catalogue.events.undo(home.account_id)
    assert [home.who(0, 0), home.who(0, 1)] == ["Anna", "Ben"]


def test_a_face_called_none_before_we_came_says_nothing(home: Home) -> None:
    home.host.people.update(home.found(0, 0).uid, {"Invalid": True})
    assert home.take() == Taken()
    assert home.catalogue.faces.get(home.faces[0][0]).state is not FaceState.IGNORED


@pytest.mark.parametrize(
    ("steps", "then"),
    [
        ([("Ben", "Dora"), ("Anna", "Ben")], ["Ben", "Dora", "Ben"]),
        ([("Anna", "X"), ("Ben", "Anna"), ("X", "Ben")], ["Ben", "Anna", "Ben"]),
    ],
    ids=["a name passed on", "two names swapped"],
)
def test_names_that_went_from_one_to_another_there_are_kept_apart(
    home: Home, steps: list[tuple[str, str]], then: list[str]
) -> None:
    anna, ben = (home.catalogue.people.add(home.account_id, name) for name in ("Anna", "Ben"))
    for photo, side, who in ((0, 0, anna), (0, 1, ben), (1, 0, anna)):
        home.name(photo, side, who)
    home.writing().start(home.library, NameKind.MARKERS)
    home.writing().run(home.library.id, NameKind.MARKERS)
    for former, name in steps:
        home.host.people.rename(next(uid for uid, there in home.host.people.subjects.items() if there == former), name)
    assert home.take() == Taken(renamed=2)
    assert [home.who(0, 0), home.who(0, 1), home.who(1, 0)] == then
    home.writing().run(home.library.id, NameKind.MARKERS)
    assert home.catalogue.written.counts(home.library.id, NameKind.MARKERS).refused == 0
    home.writing().remove(home.library, NameKind.MARKERS)
    home.writing().run(home.library.id, NameKind.MARKERS)
    assert [one.name for path in home.paths for one in home.host.people.of_file(path) if one.is_shown] == []


def test_a_rename_there_renames_here_and_can_be_undone(home: Home) -> None:
    marker = home.mark(0, 0, "Anna")
    home.take()
    home.host.people.rename(marker.subj_uid, "Anna Maria")
    assert home.take() == Taken(renamed=1)
    assert home.who(0, 0) == "Anna Maria"
    home.catalogue.events.undo(home.account_id)
    assert home.who(0, 0) == "Anna"
    assert home.take() == Taken()


def test_a_merge_there_gives_the_faces_to_whom_is_left(home: Home) -> None:
    anna, ben = home.mark(0, 0, "Anna"), home.mark(1, 0, "Ben")
    home.take()
    home.host.people.rename(ben.subj_uid, "Anna")
    assert home.take().named == 1
    assert home.who(1, 0) == "Anna"
    assert home.catalogue.faces.get(home.faces[1][0]).person_id == home.catalogue.faces.get(home.faces[0][0]).person_id
    assert anna.subj_uid == ben.subj_uid


@pytest.mark.parametrize(("again", "said"), [("", None), ("guess", None), ("name", "Anna")])
def test_no_face_said_of_our_own_marker_counts_though_the_host_finds_that_face_again(
    home: Home, again: str, said: str | None
) -> None:
    anna = home.catalogue.people.add(home.account_id, "Anna")
    home.name(0, 0, anna)
    home.writing().start(home.library, NameKind.MARKERS)
    home.writing().run(home.library.id, NameKind.MARKERS)
    (ours,) = home.host.people.of_file(home.paths[0])
    home.host.people.update(ours.uid, {"Invalid": True})
    if again == "name":
        home.mark(0, 0, "Berta")
    else:
        home.found(0, 0, guess="Anna" if again else "")
    home.take()
    assert home.who(0, 0) == said
    ignored = home.catalogue.faces.get(home.faces[0][0]).state is FaceState.IGNORED
    assert ignored is (said is None)
    home.writing().run(home.library.id, NameKind.MARKERS)
    shown = [one for one in home.host.people.of_file(home.paths[0]) if one.is_shown and one.subj_src == MANUAL]
    assert "Anna" not in {one.name for one in shown}


def test_a_marker_where_we_found_no_face_is_counted_and_waits_for_one(home: Home) -> None:
    sides = {"X": 0.02, "Y": 0.9, "W": 0.05, "H": 0.05}
    home.host.people.create({"FileUID": home.paths[0], **sides, "Name": "Oma", "SubjSrc": MANUAL})
    assert home.take() == Taken(faceless=1)
    assert home.take() == Taken(faceless=1)


def test_names_that_cannot_be_names_are_counted(home: Home) -> None:
    marker = home.mark(0, 0, "Anna")
    home.host.people.subjects[marker.subj_uid] = "A\u202eB"
    assert home.take() == Taken(unclear=1)


def test_what_we_wrote_is_nobodys_word(home: Home) -> None:
    home.name(0, 0, home.catalogue.people.add(home.account_id, "Anna"), AssignedBy.MACHINE)
    home.writing().start(home.library, NameKind.MARKERS)
    home.writing().run(home.library.id, NameKind.MARKERS)
    assert home.host.people.named(home.paths[0]) == ["Anna"]
    assert home.take() == Taken()
    assert home.verdicts() == []
    assert home.catalogue.faces.get(home.faces[0][0]).assigned_by is AssignedBy.MACHINE


def test_what_a_killed_run_left_half_written_is_nobodys_word(home: Home) -> None:
    home.name(0, 0, home.catalogue.people.add(home.account_id, "Anna"), AssignedBy.MACHINE)
    home.writing().start(home.library, NameKind.MARKERS)
    for calls in range(40):
        try:
            home.writing([calls]).run(home.library.id, NameKind.MARKERS)
        except BaseException as killed:  # noqa: BLE001  the process is
            assert type(killed).__name__ == "Killed"  # noqa: PT017
        assert home.take() == Taken(), f"killed after {calls} calls"
    assert home.verdicts() == []


def test_another_account_is_not_touched(home: Home) -> None:
    other = home.catalogue.accounts.add("Ben", None, is_admin=False)
    theirs = home.catalogue.people.add(other.id, "Anna")
    home.mark(0, 0, "Anna")
    home.take()
    assert home.catalogue.faces.get(home.faces[0][0]).person_id != theirs
    assert home.catalogue.events.all(other.id, 10) == []


def test_it_is_looked_at_again_only_when_people_changed_there_or_a_day_passed(home: Home) -> None:
    home.mark(0, 0, "Anna")
    assert home.writing().take_over(home.library.id) is not None
    assert home.writing().take_over(home.library.id) is None
    home.mark(0, 1, "Ben")
    taken = home.writing().take_over(home.library.id)
    assert taken is not None
    assert taken.named == 1


@pytest.mark.parametrize("error", [HostUnreachable("away"), HostRefused("no scope")])
def test_a_host_that_does_not_answer_changes_nothing(home: Home, error: HostUnreachable | HostRefused) -> None:
    home.mark(0, 0, "Anna")

    def fails() -> dict[str, str]:
        raise error

    home.host.subjects = fails  # type: ignore[method-assign]
    assert home.writing().take_over(home.library.id) is None
    assert home.verdicts() == []
