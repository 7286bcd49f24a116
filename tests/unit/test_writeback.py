"""Names to the host: what is there follows what the catalogue says, and what people did there stays."""

from contextlib import suppress
from dataclasses import replace

import pytest

from plugin.domain import AssignedBy, Box, HostAsset, PersonId
from plugin.errors import (
    AnswerFailed,
    CertificateRefused,
    ChangedMeanwhile,
    HostBusy,
    HostError,
    HostFull,
    HostRefused,
    HostUnreachable,
    LoginRefused,
    NotFound,
    Refused,
    WriteLocked,
    WriteRefused,
)
from plugin.people import People
from plugin.ports.written import NameKind, WriteState
from plugin.sidecars import Region, edited, read_sidecar
from plugin.writeback import WriteBack
from tests.fakes.album import NudgeLog
from tests.fakes.dying_catalogue import Killed
from tests.fakes.host import FakeHost
from tests.fakes.photoprism.people import MANUAL
from tests.fakes.writing_host import Household, raising

KINDS = list(NameKind)


class Home(Household):
    """Anna is on all three photos (left), Ben on the first two (right)."""

    def __init__(self, kind: NameKind) -> None:
        super().__init__()
        self.kind = kind
        rows = self.catalogue.people
        self.anna, self.ben = (rows.add(self.account_id, name) for name in ("Anna", "Ben"))
        for number, (left, right) in enumerate(self.faces):
            self.give(left, self.anna)
            if number < 2:
                self.give(right, self.ben)

    def give(self, face_id: int, person_id: PersonId | None) -> None:
        self.catalogue.faces.assign([(face_id, person_id)], AssignedBy.USER)

    def add_photos_of_anna(self, count: int) -> list[str]:
        """Their paths."""
        paths = []
        for _ in range(count):
            (face_id,) = self.album.add(7.0)
            paths.append(self.catalogue.assets.get(self.catalogue.faces.get(face_id).asset_id).path)
            self.host.put(paths[-1], b"")
            self.give(face_id, self.anna)
        self.paths += paths
        return paths

    def start(self) -> None:
        self.writing().start(self.library, self.kind)
        self.run()

    def run(self) -> None:
        self.writing().run(self.library.id, self.kind)

    def run_killed_after(self, calls: int) -> bool:
        """A run that is killed, and the one that takes it up; True when the first came to its end alone."""
        try:
            self.writing([calls]).run(self.library.id, self.kind)
        except Killed:
            self.run()
            return False
        return True

    def names(self, number: int) -> list[str]:
        """Who is on a photo, as the host has it."""
        path = self.paths[number]
        if self.kind is NameKind.TAGS:
            return sorted(name.removeprefix("Person: ") for name in self.host.tags_of(path))
        if self.kind is NameKind.MARKERS:
            return self.host.people.named(path)
        content = self.host.sidecars.get(path)
        return [] if content is None else sorted(region.name for region in read_sidecar(content).regions)

    def take_by_hand(self, number: int, name: str) -> None:
        path = self.paths[number]
        if self.kind is NameKind.TAGS:
            self.host.carried.discard((path, self.host.tag(f"Person: {name}")))
        elif self.kind is NameKind.MARKERS:
            for marker in self.host.people.of_file(path):
                if marker.name == name:
                    self.host.people.update(marker.uid, {"Invalid": True})
        else:
            marks = {region.mark for region in read_sidecar(self.host.sidecars[path]).regions if region.name == name}
            left = edited(self.host.sidecars.pop(path), {}, marks, (1000, 1000))
            if left is not None:
                self.host.sidecars[path] = left

    def add_by_hand(self, number: int, name: str, box: Box) -> None:
        path = self.paths[number]
        if self.kind is NameKind.TAGS:
            self.host.carried.add((path, self.host.tag(f"Person: {name}")))
        elif self.kind is NameKind.MARKERS:
            sides = {"X": box.x, "Y": box.y, "W": box.w, "H": box.h}
            self.host.people.create({"FileUID": path, **sides, "Name": name, "SubjSrc": MANUAL})
        else:
            region = {"": Region(name, box)}
            content = edited(self.host.sidecars.get(path), region, frozenset(), (1000, 1000))
            assert content is not None
            self.host.sidecars[path] = content

    def trash(self, number: int) -> None:
        """As a comparison with the host finds it. Names stay on it, and a sidecar beside it."""
        self.trashed = self.host.files.pop(self.paths[number])
        self.catalogue.assets.mark_gone([self.asset(number).id])

    def restore(self, number: int) -> None:
        path, libraries = self.paths[number], self.catalogue.libraries
        self.host.files[path] = self.trashed
        asset = self.asset(number)
        listed = HostAsset(asset.host_key, path, asset.kind, asset.content_key)
        (seen,) = self.catalogue.assets.seen(self.library.id, [listed], libraries.sync_started(self.library.id))
        assert seen.outcome == "returned"
        libraries.sync_finished(self.library.id, None)

    def everything(self) -> object:
        shown = [replace(marker) for marker in self.host.people.markers.values() if marker.is_shown]
        people = (dict(self.host.people.subjects), shown)
        return dict(self.host.sidecars), set(self.host.carried), dict(self.host.tags), people


@pytest.fixture(params=KINDS)
def home(request: pytest.FixtureRequest) -> Home:
    return Home(request.param)


def test_names_reach_the_host_and_follow_a_rename_a_hide_and_a_new_face(home: Home) -> None:
    home.start()
    assert [home.names(number) for number in range(3)] == [["Anna", "Ben"], ["Anna", "Ben"], ["Anna"]]
    home.catalogue.people.rename(home.anna, home.account_id, "Anna Maria")
    home.catalogue.people.set_hidden(home.ben, home.account_id, hidden=True)
    home.run()
    assert [home.names(number) for number in range(3)] == [["Anna Maria"]] * 3
    home.catalogue.people.set_hidden(home.ben, home.account_id, hidden=False)
    home.give(home.faces[2][1], home.ben)
    home.give(home.faces[0][0], None)
    home.run()
    assert [home.names(number) for number in range(3)] == [["Ben"], ["Anna Maria", "Ben"], ["Anna Maria", "Ben"]]


def test_a_merge_and_its_undo_follow_by_themselves(home: Home) -> None:
    home.start()
    with home.catalogue.events.record(home.account_id, "merge"):
        home.catalogue.people.merge(home.anna, [home.ben], home.account_id)
    home.run()
    both = ["Anna"] if home.kind is NameKind.TAGS else ["Anna", "Anna"]
    assert home.names(0) == both
    home.catalogue.events.undo(home.account_id)
    home.run()
    assert home.names(0) == ["Anna", "Ben"]


def test_a_face_that_becomes_somebody_elses_of_the_same_name_keeps_what_is_written(home: Home) -> None:
    other = home.catalogue.people.add(home.account_id, "Anna")
    home.start()
    home.give(home.faces[2][0], other)
    home.run()
    assert home.names(2) == ["Anna"]
    home.give(home.faces[2][0], home.ben)
    home.run()
    assert home.names(2) == ["Ben"]
    home.give(home.faces[2][0], home.anna)
    home.run()
    assert home.names(2) == ["Anna"]


def test_a_change_of_the_person_killed_at_any_moment_is_taken_up_where_it_was(home: Home) -> None:
    home.start()
    for calls in range(1000):
        home.give(home.faces[2][0], home.ben)
        over = home.run_killed_after(calls)
        assert home.names(2) == ["Ben"], f"killed after {calls} calls"
        home.give(home.faces[2][0], home.anna)
        over = home.run_killed_after(calls) and over
        assert home.names(2) == ["Anna"], f"killed after {calls} calls"
        if over:
            break
    assert calls > 10


def test_forgotten_and_deleted_people_are_taken_off_the_host_and_out_of_the_catalogue(home: Home) -> None:
    home.start()
    home.catalogue.privacy.forget_person(home.account_id, home.anna)
    home.catalogue.people.delete(home.ben, home.account_id)
    home.run()
    assert [home.names(number) for number in range(3)] == [[], [], []]
    counts = home.catalogue.written.counts(home.library.id, home.kind)
    assert (counts.names, counts.theirs, counts.refused) == (0, 0, 0)
    assert home.host.sidecars == {}
    assert home.catalogue.written.labels(home.library.id) == []
    assert home.host.tags == {}


def test_somebody_forgotten_during_a_pause_is_told_of_and_taken_off_the_host_when_it_ends(home: Home) -> None:
    home.start()
    home.writing().pause(home.library, home.kind)
    assert home.writing().left_at(home.account_id) == []
    home.catalogue.privacy.forget_person(home.account_id, home.anna)
    home.run()
    assert "Anna" in home.names(0), "a pause is a pause"
    assert [library.id for library in home.writing().left_at(home.account_id)] == [home.library.id]
    assert home.writing().left_at(home.account_id + 1) == []
    (status,) = [status for status in home.writing().status(home.library) if status.setting]
    assert status.left > 0
    home.writing().start(home.library, home.kind)
    home.run()
    assert all("Anna" not in home.names(number) for number in range(3))
    assert home.writing().left_at(home.account_id) == []


def test_a_run_without_a_change_writes_nothing(home: Home) -> None:
    home.start()
    home.host.written.clear()
    assert not home.writing().due()
    home.run()
    assert home.host.written == []


@pytest.mark.parametrize("home", [NameKind.TAGS, NameKind.SIDECARS], indirect=True)  # from markers it is taken over
def test_what_somebody_took_away_on_the_host_is_not_put_back(home: Home) -> None:
    home.start()
    home.take_by_hand(0, "Anna")
    home.catalogue.people.rename(home.anna, home.account_id, "Anna Maria")
    home.run()
    assert [home.names(number) for number in range(3)] == [["Ben"], ["Anna Maria", "Ben"], ["Anna Maria"]]
    assert home.catalogue.written.counts(home.library.id, home.kind).refused == 1
    home.catalogue.people.set_hidden(home.anna, home.account_id, hidden=True)
    home.run()
    home.catalogue.people.set_hidden(home.anna, home.account_id, hidden=False)
    home.run()
    assert home.names(0) == ["Ben"]
    assert home.writing().write_again(home.library, home.kind) == 1
    home.run()
    assert home.names(0) == ["Anna Maria", "Ben"]


def test_what_others_said_before_us_is_neither_doubled_nor_removed(home: Home) -> None:
    box = home.catalogue.faces.get(home.faces[0][0]).box
    home.add_by_hand(0, "Anna", box)
    home.start()
    assert home.names(0) == ["Anna", "Ben"]
    home.writing().remove(home.library, home.kind)
    home.run()
    assert [home.names(number) for number in range(3)] == [["Anna"], [], []]
    assert home.catalogue.written.setting(home.library.id, home.kind) is None


def test_everything_we_wrote_is_removed_and_then_it_is_as_if_we_had_never_been_there(home: Home) -> None:
    home.add_by_hand(1, "Oma", Box(0.8, 0.8, 0.1, 0.1))
    before = home.everything()
    home.start()
    assert home.everything() != before
    home.writing().remove(home.library, home.kind)
    with pytest.raises(Exception, match="still being removed"):
        home.writing().start(home.library, home.kind)
    home.run()
    assert home.everything() == before
    assert home.catalogue.written.settings() == []
    assert home.catalogue.written.labels(home.library.id) == []


def test_names_on_a_photo_in_the_trash_are_removed_when_it_comes_back(home: Home) -> None:
    before = home.everything()
    home.start()
    home.trash(1)
    home.writing().remove(home.library, home.kind)
    home.run()
    assert [home.names(number) for number in (0, 2)] == [[], []]
    (status,) = [status for status in home.writing().status(home.library) if status.setting]
    assert status.setting is not None
    assert status.setting.state is WriteState.REMOVING, "it is not over yet"
    assert status.counts is not None
    assert (status.counts.names, status.counts.away) == (0, 1)
    home.restore(1)
    assert home.writing().due(), "it came back with a comparison"
    home.run()
    assert home.everything() == before
    assert home.catalogue.written.setting(home.library.id, home.kind) is None


def test_photos_in_the_trash_need_not_be_waited_for(home: Home) -> None:
    home.start()
    home.trash(1)
    with pytest.raises(Refused):
        home.writing().end(home.library, home.kind)
    home.writing().remove(home.library, home.kind)
    home.run()
    assert not home.writing().due(), "nothing is asked of the host for them"
    home.writing().end(home.library, home.kind)
    home.writing().end(home.library, home.kind)
    assert home.catalogue.written.settings() == []
    home.restore(1)
    home.start()
    assert home.names(0) == ["Anna", "Ben"]


def test_a_run_killed_at_any_moment_is_taken_up_where_it_was(home: Home) -> None:
    first, then = [["Anna", "Ben"], ["Anna", "Ben"], ["Anna"]], [["Anna Maria"]] * 3
    home.start()
    for calls in range(1000):
        rename, hide = home.catalogue.people.rename, home.catalogue.people.set_hidden
        rename(home.anna, home.account_id, "Anna Maria")
        hide(home.ben, home.account_id, hidden=True)
        over = home.run_killed_after(calls)
        assert [home.names(number) for number in range(3)] == then, f"killed after {calls} calls"
        rename(home.anna, home.account_id, "Anna")
        hide(home.ben, home.account_id, hidden=False)
        over = home.run_killed_after(calls) and over
        assert [home.names(number) for number in range(3)] == first, f"killed after {calls} calls"
        if over:
            break
    assert calls > 20
    assert home.catalogue.written.counts(home.library.id, home.kind).refused == 0


def test_a_first_run_killed_at_any_moment_writes_everything_once_and_removes_it_all(home: Home) -> None:
    before = home.everything()
    for calls in range(1000):
        home.writing().start(home.library, home.kind)
        over = home.run_killed_after(calls)
        names = [home.names(number) for number in range(3)]
        assert names == [["Anna", "Ben"], ["Anna", "Ben"], ["Anna"]], f"killed after {calls} calls"
        home.writing().remove(home.library, home.kind)
        over = home.run_killed_after(calls) and over
        assert home.everything() == before, f"killed after {calls} calls"
        if over:
            break
    assert calls > 20


def test_a_locked_photo_rests_is_counted_and_tried_again(home: Home) -> None:
    def locked(_what: str, where: str) -> None:
        if where == home.paths[1]:
            raise WriteLocked("Somebody edits it", "Later")

    home.host.trouble = locked
    home.start()
    assert [home.names(number) for number in (0, 2)] == [["Anna", "Ben"], ["Anna"]]
    (problem,) = home.catalogue.written.counts(home.library.id, home.kind).problems
    assert (problem.code, problem.count) == ("write_locked", 1)
    home.host.trouble = lambda _what, _where: None
    home.run()
    assert home.names(1) == [], "it rests for some minutes"
    home.writing().start(home.library, home.kind)
    home.run()
    assert home.names(1) == ["Anna", "Ben"]
    assert home.catalogue.written.counts(home.library.id, home.kind).problems == ()


FAILED = AnswerFailed("A storage behind the host is away", "Wait")
FORBIDDEN = HostRefused("It may not be read", "Ask")


@pytest.mark.parametrize(
    ("home", "error"),
    [*((kind, FAILED) for kind in KINDS), (NameKind.TAGS, FORBIDDEN), (NameKind.SIDECARS, FORBIDDEN)],
    indirect=["home"],
)
def test_one_photo_the_host_cannot_give_keeps_no_other_back(home: Home, error: HostError) -> None:
    def trouble(_what: str, where: str) -> None:
        if where == home.paths[0]:
            raise error

    home.host.trouble = trouble
    home.start()
    assert [home.names(number) for number in range(3)] == [[], ["Anna", "Ben"], ["Anna"]]
    (problem,) = home.catalogue.written.counts(home.library.id, home.kind).problems
    assert (problem.code, problem.count) == (error.code, 1)
    setting = home.catalogue.written.setting(home.library.id, home.kind)
    assert setting is not None
    assert setting.error == ""
    home.catalogue.privacy.forget_person(home.account_id, home.anna)
    home.run()
    assert [home.names(number) for number in (1, 2)] == [["Ben"], []], "who is to be forgotten is"
    home.host.trouble = lambda _what, _where: None
    home.writing().start(home.library, home.kind)
    home.run()
    assert home.names(0) == ["Ben"]


@pytest.mark.parametrize(
    ("kind", "what"),
    [(NameKind.SIDECARS, "read_sidecar"), (NameKind.TAGS, "labels_of"), (NameKind.MARKERS, "marked")],
)
def test_one_photo_whose_names_cannot_be_read_keeps_no_other_back(
    kind: NameKind, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(kind)
    read = getattr(home.host, what)

    def fails(where: str) -> object:
        if where == home.paths[0]:
            raise AnswerFailed("A storage behind the host is away", "Wait", 503)
        return read(where)

    monkeypatch.setattr(home.host, what, fails)
    home.start()
    assert [home.names(number) for number in (1, 2)] == [["Anna", "Ben"], ["Anna"]]


@pytest.mark.parametrize("error", [LoginRefused("Revoked", "Connect again"), CertificateRefused("Another one", "Look")])
def test_a_login_that_is_refused_ends_the_run_at_once(home: Home, error: HostError) -> None:
    asked: list[str] = []

    def trouble(what: str, _where: str) -> None:
        asked.append(what)
        raise error

    home.host.trouble = trouble
    home.start()
    assert len(asked) == 1
    assert home.catalogue.written.counts(home.library.id, home.kind).problems == ()


@pytest.mark.parametrize("error", [HostUnreachable("It is away", "Wait"), HostFull("No space left", "Make room")])
def test_an_unhappy_host_is_asked_once_and_then_left_in_peace(home: Home, error: HostUnreachable) -> None:
    asked: list[str] = []

    def trouble(what: str, where: str) -> None:
        asked.append(what)
        raise error

    home.host.trouble = trouble
    home.start()
    assert len(asked) == 1
    setting = home.catalogue.written.setting(home.library.id, home.kind)
    assert setting is not None
    assert str(error) in setting.error
    assert not home.writing().due(), "it rests"
    home.host.trouble = lambda _what, _where: None
    home.start()
    assert home.names(0) == ["Anna", "Ben"]
    (after,) = home.catalogue.written.settings()
    assert after.error == ""


@pytest.mark.parametrize(
    "error", [WriteLocked("Locked", ""), AnswerFailed("It failed inside", ""), HostRefused("Nothing may be read", "")]
)
def test_a_host_that_refuses_one_photo_after_the_other_is_left_in_peace(error: HostError) -> None:
    home = Home(NameKind.TAGS)
    home.add_photos_of_anna(80)
    home.host.trouble = lambda what, _where: raising(error)(what, "") if what == "assign" else None
    home.start()
    assert home.catalogue.written.counts(home.library.id, home.kind).problems[0].count == 50
    assert not home.writing().due()


def test_after_ten_troubles_in_a_row_a_host_that_is_not_well_is_asked_no_more() -> None:
    home = Home(NameKind.TAGS)
    home.add_photos_of_anna(20)

    def trouble(what: str, _where: str) -> None:
        if what == "assign":
            home.host.unreachable = True
            raise AnswerFailed("It failed inside", "")

    home.host.trouble = trouble
    home.start()
    assert home.catalogue.written.counts(home.library.id, home.kind).problems[0].count == 10
    setting = home.catalogue.written.setting(home.library.id, home.kind)
    assert setting is not None
    assert "The fake host is away" in setting.error


def test_many_photos_whose_storage_is_away_do_not_keep_the_others_back() -> None:
    home = Home(NameKind.TAGS)
    *bad, good = home.add_photos_of_anna(31)

    def trouble(what: str, where: str) -> None:
        if what == "assign" and where != good:
            raise AnswerFailed("A storage behind the host is away", "Wait")

    home.host.trouble = trouble
    home.start()
    assert home.host.tags_of(good) == {"Person: Anna"}
    assert not home.host.tags_of(bad[0])


def test_runs_that_get_on_are_not_left_alone_for_longer_each_time(home: Home) -> None:
    for _ in range(3):
        good, bad = home.add_photos_of_anna(2)

        def trouble(_what: str, where: str, bad: str = bad) -> None:
            if where == bad:
                raise HostUnreachable("It is away", "Wait")

        home.host.trouble = trouble
        home.run() if _ else home.start()
        assert home.names(home.paths.index(good)) == ["Anna"]
        (setting,) = home.catalogue.written.settings()
        assert setting.failures == 1


@pytest.mark.parametrize(
    ("home", "error"),
    [
        *((kind, HostUnreachable("A web page came instead", "")) for kind in KINDS),
        *((kind, HostBusy("The gateway gave up", "", 60)) for kind in KINDS),
        (NameKind.MARKERS, HostRefused("No rights on people", "")),
    ],
    indirect=["home"],
)
def test_one_photo_that_ends_a_run_does_not_end_every_other_one_too(home: Home, error: HostError) -> None:
    def trouble(_what: str, where: str) -> None:
        if where == home.paths[0]:
            raise error

    home.host.trouble = trouble
    home.start()
    assert home.names(2) == []
    home.run()
    home.run()
    assert [home.names(number) for number in range(3)] == [[], ["Anna", "Ben"], ["Anna"]]
    home.host.trouble = lambda _what, _where: None
    home.writing().start(home.library, home.kind)
    home.run()
    assert home.names(0) == ["Anna", "Ben"]


def test_no_photo_is_to_blame_for_what_the_host_was_not_asked_for(home: Home) -> None:
    home.host.trouble = raising(HostBusy("It is busy", "", 60).not_asked(30))
    home.start()
    home.run()
    assert home.catalogue.written.counts(home.library.id, home.kind).problems == ()


def test_a_file_changed_in_between_is_read_again() -> None:
    home = Home(NameKind.SIDECARS)
    changes = [1]

    def somebody_is_faster(path: str) -> None:
        if changes and path == home.paths[0]:
            changes.pop()
            home.add_by_hand(0, "Oma", Box(0.8, 0.8, 0.1, 0.1))

    home.host.before_write = somebody_is_faster
    home.start()
    assert home.names(0) == ["Anna", "Ben", "Oma"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("calls", [1, 3, 5, 8, 12, 17, 24, 40])
def test_two_kinfolks_that_write_at_once_lose_none_of_their_names(kind: NameKind, calls: int) -> None:
    ours, theirs = Home(kind), Home(kind)
    theirs.host = ours.host
    for home, left in ((ours, ours.ben), (theirs, theirs.anna)):
        home.catalogue.people.set_hidden(left, home.account_id, hidden=True)
        home.writing().start(home.library, kind)
    untouched = ours.everything()
    with suppress(Killed):
        ours.writing([calls]).run(ours.library.id, kind)
    theirs.run()
    ours.run()
    assert [ours.names(number) for number in range(3)] == [["Anna", "Ben"], ["Anna", "Ben"], ["Anna"]]
    with suppress(Killed):
        ours.writing().remove(ours.library, kind)
        ours.writing([calls]).run(ours.library.id, kind)
    theirs.catalogue.people.rename(theirs.ben, theirs.account_id, "Benjamin")
    theirs.run()
    ours.run()
    assert [ours.names(number) for number in range(3)] == [["Benjamin"], ["Benjamin"], []]
    theirs.writing().remove(theirs.library, kind)
    theirs.run()
    assert ours.everything() == untouched


def test_a_file_that_never_holds_still_is_counted() -> None:
    home = Home(NameKind.SIDECARS)
    home.host.trouble = raising(ChangedMeanwhile("It was changed", "Again"))
    home.start()
    assert {p.code for p in home.catalogue.written.counts(home.library.id, home.kind).problems} == {"changed_meanwhile"}


def test_a_hostile_sidecar_is_left_alone_and_counted() -> None:
    home = Home(NameKind.SIDECARS)
    bomb = b'<!DOCTYPE a [<!ENTITY b "boom">]><a>&b;</a>'
    home.host.sidecars[home.paths[0]] = bomb
    home.start()
    assert home.host.sidecars[home.paths[0]] == bomb
    assert home.names(1) == ["Anna", "Ben"]
    (problem,) = home.catalogue.written.counts(home.library.id, home.kind).problems
    assert problem.code == "sidecar_harmful"


def test_a_region_renamed_in_another_program_stays_as_it_is() -> None:
    home = Home(NameKind.SIDECARS)
    home.start()
    home.host.sidecars[home.paths[0]] = home.host.sidecars[home.paths[0]].replace(b'"Anna"', b'"Aunt Anna"')
    home.catalogue.people.rename(home.anna, home.account_id, "Anna Maria")
    home.run()
    assert home.names(0) == ["Aunt Anna", "Ben"]
    home.writing().remove(home.library, home.kind)
    home.run()
    assert home.names(0) == ["Aunt Anna"]


def test_a_tag_renamed_on_the_host_is_not_made_again_until_asked_for() -> None:
    home = Home(NameKind.TAGS)
    home.start()
    home.host.tags[home.host.tag("Person: Anna")] = "Auntie"
    (face_id,) = home.album.add(7.0)
    asset = home.catalogue.assets.get(home.catalogue.faces.get(face_id).asset_id)
    home.host.put(asset.path, b"")
    home.give(face_id, home.anna)
    home.run()
    assert "Person: Anna" not in home.host.tags.values()
    assert home.host.tags_of(home.paths[2]) == {"Auntie"}
    home.writing().write_again(home.library, home.kind)
    home.run()
    assert home.host.tags_of(asset.path) == {"Person: Anna"}


def test_a_tag_that_others_made_is_used_and_never_deleted() -> None:
    home = Home(NameKind.TAGS)
    theirs = home.host.tag("Person: Anna")
    home.start()
    assert home.host.tag("Person: Anna") == theirs
    home.writing().remove(home.library, home.kind)
    home.run()
    assert home.host.tags == {theirs: "Person: Anna"}


def test_a_tag_we_made_stays_while_somebody_else_uses_it() -> None:
    home = Home(NameKind.TAGS)
    home.start()
    home.host.put("of others.jpg", b"")
    home.host.carried.add(("of others.jpg", home.host.tag("Person: Anna")))
    home.writing().remove(home.library, home.kind)
    home.run()
    assert list(home.host.tags.values()) == ["Person: Anna"]
    assert home.host.tags_of("of others.jpg") == {"Person: Anna"}


def test_two_people_of_one_name_share_a_tag_until_the_last_one_leaves() -> None:
    home = Home(NameKind.TAGS)
    home.catalogue.people.rename(home.ben, home.account_id, "Anna")
    home.start()
    assert home.names(0) == ["Anna"]
    home.catalogue.people.set_hidden(home.anna, home.account_id, hidden=True)
    home.run()
    assert home.names(0) == ["Anna"]
    home.catalogue.people.set_hidden(home.ben, home.account_id, hidden=True)
    home.run()
    assert home.names(0) == []


def test_a_long_name_fits_into_a_tag_and_is_found_again() -> None:
    home = Home(NameKind.TAGS)
    home.catalogue.people.rename(home.anna, home.account_id, "Anna " * 19 + "A")
    home.start()
    (label,) = home.host.tags_of(home.paths[2])
    assert len(label) <= 64
    home.host.written.clear()
    home.catalogue.people.set_hidden(home.anna, home.account_id, hidden=True)
    home.run()
    assert home.host.tags_of(home.paths[2]) == set()


def test_regions_lie_in_the_picture_as_it_is_stored() -> None:
    home = Home(NameKind.SIDECARS)
    home.orientation = 6
    home.start()
    face = home.catalogue.faces.get(home.faces[2][0])
    sidecar = read_sidecar(home.host.sidecars[home.paths[2]])
    box = sidecar.regions[0].box
    assert sidecar.size == (1000.0, 1000.0)
    assert box
    assert box.x + box.w / 2 == pytest.approx(face.box.y + face.box.h / 2, abs=1e-4)
    assert box.y + box.h / 2 == pytest.approx(1 - face.box.x - face.box.w / 2, abs=1e-4)


@pytest.mark.parametrize("along", [True, False])
def test_a_sidecar_follows_its_photo_to_another_folder(along: bool) -> None:
    home = Home(NameKind.SIDECARS)
    home.start()
    asset, old = home.asset(0), home.paths[0]
    sync_pass = home.catalogue.libraries.sync_started(home.library.id)
    home.catalogue.assets.moved(asset.id, HostAsset("new/a.jpg", "new/a.jpg", asset.kind, asset.content_key), sync_pass)
    home.host.move(old, "new/a.jpg")
    if along:
        home.host.sidecars["new/a.jpg"] = home.host.sidecars.pop(old)
    home.run()
    home.paths[0] = "new/a.jpg"
    assert home.names(0) == ["Anna", "Ben"]
    assert old not in home.host.sidecars
    home.host.written.clear()
    home.writing().start(home.library, home.kind)
    home.run()
    assert home.host.written == []


def test_a_preview_tells_what_would_be_written_before_anything_is(home: Home) -> None:
    plan = home.writing().preview(home.library, home.kind)
    assert (plan.photos, plan.put, plan.take) == (3, 5, 0)
    assert [(person.name, person.photos) for person in plan.people] == [("Anna", 3), ("Ben", 2)]
    assert len(plan.examples) == 3
    assert home.host.written == []
    assert home.writing().status(home.library)[0].setting is None


def test_a_paused_library_is_left_as_it_is(home: Home) -> None:
    home.start()
    home.writing().pause(home.library, home.kind)
    home.catalogue.people.set_hidden(home.anna, home.account_id, hidden=True)
    home.run()
    assert not home.writing().due()
    assert home.names(0) == ["Anna", "Ben"]
    (status,) = [status for status in home.writing().status(home.library) if status.setting]
    assert status.setting is not None
    assert (status.setting.state, status.waiting) == (WriteState.PAUSED, 3)


def test_a_host_without_this_way_says_so(home: Home) -> None:
    plain = WriteBack(
        home.catalogue,
        lambda _library: FakeHost(),
        lambda _stream: 1,
        lambda: None,
        people=People(home.catalogue, NudgeLog()),
    )
    assert plain.kinds(home.library) == ()
    with pytest.raises(NotFound):
        plain.start(home.library, home.kind)


def test_what_may_not_be_written_is_not_hammered(home: Home) -> None:
    home.host.trouble = raising(WriteRefused("The share is read-only", "Ask its owner"))
    home.start()
    (problem,) = home.catalogue.written.counts(home.library.id, home.kind).problems
    assert (problem.code, problem.count) == ("write_refused", 3)
    assert not home.writing().due()
