"""What intake makes of everything that can happen to an album between two looks at it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from plugin.catalogue.store import SqlCatalogue, open_in_memory
from plugin.domain import Asset, AssetId, IntakeProblem, Library, SyncSummary
from plugin.errors import HostRefused, HostUnreachable
from plugin.hosts.folder.host import FolderHost
from plugin.hosts.folder.options import FolderOptions
from plugin.intake import BLOCK, HELD, Intake
from tests.fakes.dying_catalogue import DyingCatalogue, Killed
from tests.fakes.host import FakeHost

ANNA, BEN, CLARA, DORA = b"Anna", b"Ben", b"Clara", b"Dora"
NEVER = 1 << 60


class Family:
    """One account's library on a fake host."""

    def __init__(self, catalogue: SqlCatalogue, host: FakeHost) -> None:
        self.catalogue = catalogue
        self.host = host
        [account] = catalogue.accounts.all()
        self.library: Library = catalogue.libraries.add(account.id, "fake", "Album", "fake://album")
        self.intake = Intake(catalogue)

    def sync(self) -> SyncSummary:
        return self.intake.sync(self.library, self.host)

    def present(self) -> dict[str, AssetId]:
        return {asset.path: asset.id for asset in self.assets()}

    def assets(self) -> list[Asset]:
        return list(self.catalogue.assets.unseen(self.library.id, NEVER))

    def now(self) -> Library:
        return self.catalogue.libraries.get(self.library.id)


@pytest.fixture
def catalogue() -> Iterator[SqlCatalogue]:
    catalogue = open_in_memory()
    yield catalogue
    catalogue.close()


@pytest.fixture
def family(catalogue: SqlCatalogue) -> Family:
    """Anna and Ben are in the catalogue already."""
    family = Family(catalogue, FakeHost())
    family.host.put("anna.jpg", ANNA)
    family.host.put("ben.jpg", BEN)
    family.sync()
    return family


class TestNewChangedAndSame:
    def test_the_first_pass_finds_everything_new(self, catalogue: SqlCatalogue) -> None:
        family = Family(catalogue, FakeHost())
        family.host.put("anna.jpg", ANNA)
        family.host.put("2024/swim.mp4", CLARA)
        assert family.sync() == SyncSummary(listed=2, new=2)
        assert set(family.present()) == {"anna.jpg", "2024/swim.mp4"}

    def test_a_second_pass_finds_nothing_and_reads_nothing(self, family: Family) -> None:
        family.host.reads.clear()
        assert family.sync() == SyncSummary(listed=2)
        assert family.host.reads == []

    def test_changed_pixels_keep_the_asset_and_are_detected_again(self, family: Family) -> None:
        before = family.present()
        family.host.put("anna.jpg", CLARA)
        assert family.sync() == SyncSummary(listed=2, changed=1)
        assert family.present() == before

    def test_a_touched_file_is_not_changed(self, family: Family) -> None:
        before = family.present()
        family.host.put("anna.jpg", ANNA)
        assert family.sync() == SyncSummary(listed=2)
        assert family.present() == before

    def test_what_was_deleted_is_gone_and_returns_as_the_same_asset(self, family: Family) -> None:
        before = family.present()
        family.host.remove("anna.jpg")
        assert family.sync() == SyncSummary(listed=1, gone=1)
        assert set(family.present()) == {"ben.jpg"}
        family.host.put("anna.jpg", ANNA)
        assert family.sync() == SyncSummary(listed=2, returned=1)
        assert family.present() == before

    def test_more_than_one_block_is_taken_and_progress_is_told(self, catalogue: SqlCatalogue) -> None:
        family = Family(catalogue, FakeHost())
        for number in range(2 * BLOCK + 1):
            family.host.put(f"{number:04}.jpg", b"%d" % number)
        told: list[SyncSummary] = []
        family.intake.sync(family.library, family.host, told.append)
        assert told[-1] == SyncSummary(listed=2 * BLOCK + 1, new=2 * BLOCK + 1)
        assert {BLOCK, 2 * BLOCK} <= {summary.new for summary in told}
        for number in range(2 * BLOCK):
            family.host.remove(f"{number:04}.jpg")
        assert family.sync() == SyncSummary(listed=1, gone=2 * BLOCK)


class TestMoves:
    def test_a_renamed_file_stays_the_same_asset(self, family: Family) -> None:
        before = family.present()
        family.host.move("anna.jpg", "2024/anna at the sea.jpg")
        assert family.sync() == SyncSummary(listed=2, moved=1)
        assert family.present() == {"2024/anna at the sea.jpg": before["anna.jpg"], "ben.jpg": before["ben.jpg"]}

    def test_a_copy_is_an_asset_of_its_own(self, family: Family) -> None:
        before = family.present()
        family.host.put("a copy.jpg", ANNA)
        family.host.put("zz copy.jpg", ANNA)
        assert family.sync() == SyncSummary(listed=4, new=2)
        assert before.items() <= family.present().items()

    def test_a_copy_stays_when_the_original_is_deleted(self, family: Family) -> None:
        family.host.put("copy.jpg", ANNA)
        family.sync()
        before = family.present()
        family.host.remove("anna.jpg")
        assert family.sync() == SyncSummary(listed=2, gone=1)
        assert family.present()["copy.jpg"] == before["copy.jpg"]

    def test_of_equal_files_that_moved_each_is_found_by_its_name(self, family: Family) -> None:
        family.host.put("copy.jpg", ANNA)
        family.sync()
        before = family.present()
        family.host.move("anna.jpg", "2024/anna.jpg")
        family.host.move("copy.jpg", "2024/copy.jpg")
        assert family.sync() == SyncSummary(listed=3, moved=2)
        now = family.present()
        assert (now["2024/anna.jpg"], now["2024/copy.jpg"]) == (before["anna.jpg"], before["copy.jpg"])

    def test_one_vanished_file_becomes_only_one_of_two_new_ones(self, family: Family) -> None:
        before = family.present()
        family.host.move("anna.jpg", "x/anna.jpg")
        family.host.put("y/anna.jpg", ANNA)
        assert family.sync() == SyncSummary(listed=3, moved=1, new=1)
        assert family.present()["x/anna.jpg"] == before["anna.jpg"]

    def test_a_move_over_another_file_keeps_the_faces_of_the_moved_one(self, family: Family) -> None:
        before = family.present()
        family.host.move("ben.jpg", "anna.jpg")
        assert family.sync().moved == 1
        assert family.present() == {"anna.jpg": before["ben.jpg"]}

    def test_two_files_that_swap_names_keep_their_own_identity(self, family: Family) -> None:
        before = family.present()
        family.host.swap("anna.jpg", "ben.jpg")
        assert family.sync() == SyncSummary(listed=2, moved=2)
        assert family.present() == {"anna.jpg": before["ben.jpg"], "ben.jpg": before["anna.jpg"]}

    def test_renumbered_files_keep_their_own_identity(self, catalogue: SqlCatalogue) -> None:
        family = Family(catalogue, FakeHost())
        for number in range(5):
            family.host.put(f"IMG_{number}.jpg", b"picture %d" % number)
        family.sync()
        before = family.present()
        for number in reversed(range(5)):
            family.host.move(f"IMG_{number}.jpg", f"IMG_{number + 1}.jpg")
        assert family.sync() == SyncSummary(listed=5, moved=5)
        assert family.present() == {f"IMG_{number + 1}.jpg": before[f"IMG_{number}.jpg"] for number in range(5)}

    def test_another_picture_under_the_old_name_does_not_take_the_identity(self, family: Family) -> None:
        before = family.present()
        family.host.move("anna.jpg", "z/anna.jpg")  # listed after the new anna.jpg
        family.host.put("anna.jpg", CLARA)
        assert family.sync() == SyncSummary(listed=3, moved=1, new=1)
        assert family.present()["z/anna.jpg"] == before["anna.jpg"]
        assert family.present()["anna.jpg"] not in before.values()

    def test_a_file_that_was_deleted_and_comes_back_under_another_name_is_the_same_asset(self, family: Family) -> None:
        before = family.present()
        family.host.remove("anna.jpg")
        family.sync()
        family.host.put("rescued/anna.jpg", ANNA)
        assert family.sync() == SyncSummary(listed=2, moved=1)
        assert family.present()["rescued/anna.jpg"] == before["anna.jpg"]

    def test_a_visible_photo_that_takes_the_place_of_its_deleted_copy_stays_the_same_asset(
        self, family: Family
    ) -> None:
        family.host.put("copy.jpg", ANNA)
        family.sync()
        before = family.present()
        family.host.remove("copy.jpg")
        family.sync()
        family.host.move("anna.jpg", "copy.jpg")
        assert family.sync() == SyncSummary(listed=2, moved=1)
        assert family.present() == {"copy.jpg": before["anna.jpg"], "ben.jpg": before["ben.jpg"]}

    def test_a_visible_photo_that_takes_the_name_of_its_deleted_copy_elsewhere_stays_too(self, family: Family) -> None:
        family.host.put("copy.jpg", ANNA)
        family.sync()
        before = family.present()
        family.host.remove("copy.jpg")
        family.sync()
        family.host.move("anna.jpg", "2024/copy.jpg")
        family.sync()
        assert family.present() == {"2024/copy.jpg": before["anna.jpg"], "ben.jpg": before["ben.jpg"]}

    def test_empty_files_are_never_taken_for_one_another(self, family: Family) -> None:
        family.host.put("empty.jpg", b"")
        family.sync()
        family.host.move("empty.jpg", "other empty.jpg")
        assert family.sync() == SyncSummary(listed=3, new=1, gone=1)

    def test_a_file_that_cannot_be_looked_at_has_not_moved(self, family: Family) -> None:
        before = family.present()
        family.host.put("copy.jpg", ANNA)
        family.host.unreadable.add("anna.jpg")
        assert family.sync() == SyncSummary(listed=2, new=1, problems=1)
        assert before.items() <= family.present().items()

    def test_a_broken_sector_does_not_end_the_pass(self, family: Family) -> None:
        before = family.present()
        family.host.put("copy.jpg", ANNA)
        family.host.broken.add("anna.jpg")
        assert family.sync() == SyncSummary(listed=2, new=1, problems=1)
        assert before.items() <= family.present().items()

    def test_with_stable_keys_a_rename_is_no_change_at_all(self, catalogue: SqlCatalogue) -> None:
        family = Family(catalogue, FakeHost(stable_keys=True))
        family.host.put("anna.jpg", ANNA)
        family.host.put("ben.jpg", BEN)
        family.sync()
        before = family.present()
        family.host.swap("anna.jpg", "ben.jpg")
        family.host.move("ben.jpg", "2024/anna.jpg")
        assert family.sync() == SyncSummary(listed=2)
        assert family.present() == {"anna.jpg": before["ben.jpg"], "2024/anna.jpg": before["anna.jpg"]}

    def test_memory_for_new_files_is_bounded(self, family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("plugin.intake.HELD", BLOCK)
        for number in range(5 * BLOCK):
            family.host.put(f"{number:05}.jpg", b"%d" % number)
        told: list[SyncSummary] = []
        family.intake.sync(family.library, family.host, told.append)
        assert max(summary.listed - summary.new for summary in told) <= 3 * BLOCK
        assert told[-1].new == 5 * BLOCK
        assert HELD < 10_000


class TestHostsThatFail:
    def test_a_host_that_is_away_changes_nothing_and_the_reason_is_kept(self, family: Family) -> None:
        before = family.present()
        family.host.unreachable = True
        with pytest.raises(HostUnreachable):
            family.sync()
        assert family.present() == before
        assert "The fake host is away. Set unreachable to False" in (family.now().last_sync_error or "")
        family.host.unreachable = False
        family.sync()
        assert family.now().last_sync_error is None

    def test_a_host_that_refuses_changes_nothing(self, family: Family) -> None:
        before = family.present()
        family.host.refused = True
        with pytest.raises(HostRefused):
            family.sync()
        assert family.present() == before
        assert family.now().last_sync_error

    def test_a_listing_that_breaks_off_removes_nothing_but_keeps_what_it_found(self, catalogue: SqlCatalogue) -> None:
        family = Family(catalogue, FakeHost())
        for number in range(2 * BLOCK):
            family.host.put(f"{number:04}.jpg", b"%d" % number)
        family.host.fails_after = BLOCK + 7
        with pytest.raises(HostUnreachable):
            family.sync()
        assert len(family.present()) == BLOCK + 7
        family.host.fails_after = None
        family.sync()
        before = family.present()
        family.host.remove("0399.jpg")
        family.host.fails_after = 0
        with pytest.raises(HostUnreachable):
            family.sync()
        assert family.present() == before

    def test_an_empty_folder_is_taken_for_an_unmounted_disk(self, family: Family) -> None:
        before = family.present()
        family.host.remove("anna.jpg")
        family.host.remove("ben.jpg")
        with pytest.raises(HostUnreachable, match="nothing was removed") as raised:
            family.sync()
        assert "mounted" in raised.value.advice
        assert family.present() == before
        assert "nothing was removed" in (family.now().last_sync_error or "")

    def test_a_library_that_was_always_empty_is_fine(self, catalogue: SqlCatalogue) -> None:
        family = Family(catalogue, FakeHost())
        assert family.sync() == SyncSummary()
        assert family.now().last_sync_error is None

    def test_a_library_whose_only_folder_is_unreadable_keeps_its_assets(self, catalogue: SqlCatalogue) -> None:
        family = Family(catalogue, FakeHost())
        family.host.put("2024/anna.jpg", ANNA)
        family.sync()
        family.host.unreadable.add("2024")
        assert family.sync() == SyncSummary(problems=1)
        assert set(family.present()) == {"2024/anna.jpg"}

    def test_nothing_below_an_unreadable_folder_is_taken_for_deleted(self, family: Family) -> None:
        for path in ("2024/clara.jpg", "2024/summer/dora.jpg", "2024b/ben.jpg"):
            family.host.put(path, path.encode())
        family.sync()
        family.host.unreadable.add("2024")
        family.host.remove("2024b/ben.jpg")
        assert family.sync() == SyncSummary(listed=2, gone=1, problems=1)
        assert {"2024/clara.jpg", "2024/summer/dora.jpg"} <= set(family.present())


class TestProblems:
    LOOP = IntakeProblem("loop", "link_loop", "A circle")
    RAW = IntakeProblem("a.nef", "raw_unsupported", "Raw")

    def test_a_complete_pass_replaces_the_problems_of_the_one_before(self, family: Family) -> None:
        family.host.problems = [self.LOOP]
        assert family.sync().problems == 1
        family.host.problems = [self.RAW]
        family.sync()
        assert family.catalogue.libraries.problems(family.library.id) == [self.RAW]

    def test_a_broken_off_pass_only_adds_problems(self, family: Family) -> None:
        family.host.problems = [self.LOOP]
        family.sync()
        family.host.broken.add("anna.jpg")
        family.host.fails_after = 1
        for _ in range(2):
            with pytest.raises(HostUnreachable):
                family.sync()
        codes = [problem.code for problem in family.catalogue.libraries.problems(family.library.id)]
        assert codes == ["link_loop", "file_unreadable"]

    def test_problems_are_counted_among_the_failures(self, family: Family) -> None:
        family.host.problems = [self.LOOP, IntakeProblem("loop 2", "link_loop", "A circle")]
        family.sync()
        [failure] = family.catalogue.assets.failures(family.library.account_id)
        assert (failure.code, failure.count) == ("link_loop", 2)


class TestStopping:
    def test_a_pass_that_is_stopped_removes_nothing_and_is_asked_for_again(self, family: Family) -> None:
        before = family.present()
        family.host.remove("anna.jpg")
        assert family.intake.sync(family.library, family.host, should_stop=lambda: True).gone == 0
        assert family.present() == before
        assert family.now().sync_requested_at is not None
        family.sync()
        assert family.now().sync_requested_at is None


def everything_happens(host: FakeHost) -> None:
    host.swap("anna.jpg", "ben.jpg")
    host.move("clara.jpg", "2024/clara.jpg")
    host.put("clara.jpg", DORA)
    host.put("copy.jpg", ANNA)
    host.put("changed.jpg", b"after")
    host.remove("deleted.jpg")
    host.problems = [TestProblems.LOOP]


def test_a_pass_killed_at_any_moment_is_simply_repeated() -> None:
    def outcome(kill_before_call: int | None) -> tuple[bool, dict[str, AssetId | None], list[IntakeProblem]]:
        catalogue = open_in_memory()
        family = Family(catalogue, FakeHost())
        for path, data in (("anna.jpg", ANNA), ("ben.jpg", BEN), ("clara.jpg", CLARA)):
            family.host.put(path, data)
        family.host.put("changed.jpg", b"before")
        family.host.put("deleted.jpg", b"deleted")
        family.sync()
        known = set(family.present().values())
        everything_happens(family.host)
        killed = False
        if kill_before_call is not None:
            dying = DyingCatalogue(catalogue, [kill_before_call])
            try:
                Intake(dying).sync(family.library, family.host)  # type: ignore[arg-type] # it has the port's methods
            except Killed:
                killed = True
        family.sync()
        family.sync()
        present = {path: asset_id if asset_id in known else None for path, asset_id in family.present().items()}
        problems = catalogue.libraries.problems(family.library.id)
        catalogue.close()
        return killed, present, problems

    _, undisturbed, problems = outcome(None)
    assert {path for path, known in undisturbed.items() if known is None} == {"clara.jpg", "copy.jpg"}
    calls = 0
    while True:
        killed, present, found = outcome(calls)
        assert (present, found) == (undisturbed, problems), f"killed before call {calls}"
        if not killed:
            break
        calls += 1
    assert calls > 20


class TestWithAFolder:
    """The two parts together, on a real disk."""

    @pytest.fixture
    def sync(self, catalogue: SqlCatalogue, tmp_path: Path) -> Callable[[], SyncSummary]:
        [account] = catalogue.accounts.all()
        library = catalogue.libraries.add(account.id, "folder", "Album", str(tmp_path / "album"))
        host = FolderHost(library.address, FolderOptions())
        return lambda: Intake(catalogue).sync(library, host)

    def test_rename_swap_and_renumbering_keep_every_identity(
        self, sync: Callable[[], SyncSummary], tmp_path: Path
    ) -> None:
        album = tmp_path / "album"
        album.mkdir()
        for name in ("anna", "ben", "clara", "img_1", "img_2"):
            (album / f"{name}.jpg").write_bytes(name.encode())
        assert sync() == SyncSummary(listed=5, new=5)
        (album / "anna.jpg").rename(album / "tmp.jpg")
        (album / "ben.jpg").rename(album / "anna.jpg")
        (album / "tmp.jpg").rename(album / "ben.jpg")
        (album / "img_2.jpg").rename(album / "img_3.jpg")
        (album / "img_1.jpg").rename(album / "img_2.jpg")
        (album / "2024").mkdir()
        (album / "clara.jpg").rename(album / "2024/clara.jpg")
        assert sync() == SyncSummary(listed=5, moved=5)
        assert sync() == SyncSummary(listed=5)

    def test_an_unmounted_disk_removes_nothing(
        self, sync: Callable[[], SyncSummary], tmp_path: Path, catalogue: SqlCatalogue
    ) -> None:
        album = tmp_path / "album"
        album.mkdir()
        (album / "anna.jpg").write_bytes(ANNA)
        sync()
        album.rename(tmp_path / "unmounted")
        with pytest.raises(HostUnreachable):
            sync()
        album.mkdir()
        with pytest.raises(HostUnreachable):
            sync()
        assert catalogue.assets.counts(None) == (1, 0)


def test_an_unchanged_library_is_asked_about_by_folder_and_not_by_photo(
    catalogue: SqlCatalogue, tmp_path: Path
) -> None:
    asked, counts = list[str](), []
    event.listen(catalogue._transactions._engine, "before_cursor_execute", lambda *seen: asked.append(seen[2]))
    for photos in (3, 60):
        folder = tmp_path / str(photos)
        (folder / "summer").mkdir(parents=True)
        for number in range(photos):
            (folder / "summer" / f"{number}.jpg").write_bytes(b"photo %d" % number)
            os.utime(folder / "summer" / f"{number}.jpg", (1_600_000_000, 1_600_000_000))
        [account] = catalogue.accounts.all()
        library = catalogue.libraries.add(account.id, "folder", f"Album {photos}", str(folder))
        intake = Intake(catalogue)
        for _ in range(2):
            asked.clear()
            intake.sync(library, FolderHost(str(folder), FolderOptions()))
        counts.append(len(asked))
    assert counts[0] == counts[1]
