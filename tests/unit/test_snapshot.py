"""A copy of the whole data folder, made by others while a scan runs, holds everything and can be started."""

import os
import re
import shutil
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import pytest
import yaml

from plugin.assemble import open_kinfolk
from plugin.assemble.copies import KeptCopies
from plugin.assemble.data_folder import DataFolder
from plugin.assemble.snapshot import (
    FIRST_AFTER_SECONDS,
    FRESH_SECONDS,
    FreshSnapshot,
    drop_snapshot,
    make_whole,
    take_snapshot,
)
from plugin.assemble.vault import Vault
from plugin.catalogue.backup import write_backup
from plugin.catalogue.backup_files import backup_name
from plugin.catalogue.store import SqlCatalogue, open_catalogue
from plugin.domain import AssetKind, HostAsset
from plugin.errors import CatalogueCorrupt
from plugin.settings import load_settings
from tests.fakes.terminal import Terminal
from tests.unit.test_cli import terminal  # noqa: F401  a fixture

LEFT_OUT = shutil.ignore_patterns("catalogue.db*", "index", "cache", "models", "*.lock", ".kinfolk-*")
"""As addon.yaml's backup_exclude says."""

ADDON = {"ingress": {"supervisor": "172.30.32.2"}}


def photos(start: int, count: int) -> list[HostAsset]:
    return [
        HostAsset(f"{number}.jpg", f"{number}.jpg", AssetKind.PHOTO, f"key {number}")
        for number in range(start, start + count)
    ]


class Scan:
    """A scan that writes blocks of a hundred photos until it is stopped; each block is one transaction."""

    def __init__(self, catalogue: SqlCatalogue) -> None:
        self.catalogue = catalogue
        self.library = catalogue.libraries.add(catalogue.accounts.all()[0].id, "folder", "Photos", "/media")
        self.blocks = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        sync_pass = self.catalogue.libraries.sync_started(self.library.id)
        while not self._stop.is_set():
            self.catalogue.assets.seen(self.library.id, photos(100 * self.blocks, 100), sync_pass)
            self.blocks += 1

    def __enter__(self) -> Self:
        self._thread.start()
        while self.blocks < 2:
            self._stop.wait(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    return folder


def test_a_backup_made_while_a_scan_runs_is_one_state_with_every_secret(folder: DataFolder, tmp_path: Path) -> None:
    catalogue = open_catalogue(folder.catalogue)
    locked = Vault(folder, {}).lock("app password")
    (folder.path / "index").mkdir()
    with Scan(catalogue) as scan:
        before = scan.blocks
        take_snapshot(folder)
        shutil.copytree(folder.path, tmp_path / "restored", ignore=LEFT_OUT)
        while scan.blocks < before + 2:
            pass
    drop_snapshot(folder)
    catalogue.close()

    restored = DataFolder(tmp_path / "restored")
    assert not restored.catalogue.exists()
    with open_kinfolk(load_settings(restored.path), exclusive=True, stays=True) as kinfolk:
        assert kinfolk.catalogue.integrity() == []
        found = kinfolk.catalogue.assets.counts(None)[0]
        assert found % 100 == 0
        assert 100 * before <= found <= 100 * scan.blocks
        assert [library.name for library in kinfolk.catalogue.libraries.all()] == ["Photos"]
    assert Vault(restored, {}).unlock(locked) == "app password"
    assert not restored.snapshot.exists()


def test_a_second_snapshot_replaces_the_first(folder: DataFolder) -> None:
    catalogue = open_catalogue(folder.catalogue)
    first = take_snapshot(folder).read_bytes()
    catalogue.preferences.set("a", "b")
    assert take_snapshot(folder).read_bytes() != first
    catalogue.close()
    assert sorted(path.name for path in folder.path.glob("*.zip")) == ["snapshot.zip"]
    drop_snapshot(folder)
    drop_snapshot(folder)
    assert list(folder.path.glob("*.zip")) == []


def test_a_folder_that_has_its_catalogue_is_left_alone(folder: DataFolder) -> None:
    catalogue = open_catalogue(folder.catalogue)
    take_snapshot(folder)
    catalogue.preferences.set("newer", "yes")
    catalogue.close()
    make_whole(folder)
    again = open_catalogue(folder.catalogue)
    assert again.preferences.get("newer") == "yes"
    again.close()


def test_a_damaged_snapshot_is_no_reason_to_begin_with_nothing(folder: DataFolder) -> None:
    folder.snapshot.write_bytes(b"torn")
    with pytest.raises(CatalogueCorrupt), open_kinfolk(load_settings(folder.path), exclusive=False):
        pass
    assert not folder.catalogue.exists()
    assert folder.snapshot.exists()


def named(catalogue: SqlCatalogue, name: str) -> None:
    catalogue.libraries.add(catalogue.accounts.all()[0].id, "folder", name, f"/media/{name}")


def names_after_start(folder: DataFolder) -> list[str]:
    with open_kinfolk(load_settings(folder.path), exclusive=True, stays=True) as kinfolk:
        assert kinfolk.catalogue.integrity() == []
        return [library.name for library in kinfolk.catalogue.libraries.all()]


def with_backups(folder: DataFolder, *names: str) -> list[Path]:
    """A folder without its catalogue, and one backup after each library was added."""
    folder.backups.mkdir()
    catalogue = open_catalogue(folder.catalogue)
    made = []
    for name in names:
        named(catalogue, name)
        made.append(write_backup(folder.catalogue, folder.backups / backup_name(datetime.now(UTC))))
    catalogue.close()
    for path in folder.path.glob("catalogue.db*"):
        path.unlink()
    return made


def test_a_folder_that_lost_its_catalogue_starts_with_its_newest_backup(
    folder: DataFolder, caplog: pytest.LogCaptureFixture
) -> None:
    _, newest = with_backups(folder, "Photos", "Videos")
    assert names_after_start(folder) == ["Photos", "Videos"]
    assert f"There was no catalogue; it was restored from backups/{newest.name}" in caplog.text
    assert newest.exists()


def test_the_newest_sound_backup_is_taken_and_what_is_none_is_passed_over(folder: DataFolder) -> None:
    _, newest = with_backups(folder, "Photos", "Videos")
    newest.write_bytes(newest.read_bytes()[:-100])
    (folder.backups / "mine.zip").write_bytes(b"the user's own")
    assert names_after_start(folder) == ["Photos"]


def test_backups_none_of_which_is_sound_are_no_reason_to_begin_with_nothing(folder: DataFolder) -> None:
    (backup,) = with_backups(folder, "Photos")
    backup.write_bytes(b"torn")
    with pytest.raises(CatalogueCorrupt, match=re.escape(backup.name)):
        names_after_start(folder)
    assert not folder.catalogue.exists()


def test_a_folder_with_nothing_of_kinfolk_s_begins_with_nothing(folder: DataFolder) -> None:
    folder.backups.mkdir()
    (folder.backups / "mine.zip").write_bytes(b"the user's own")
    assert names_after_start(folder) == []


def test_a_snapshot_comes_before_a_backup(folder: DataFolder) -> None:
    catalogue = open_catalogue(folder.catalogue)
    named(catalogue, "From the snapshot")
    catalogue.close()
    take_snapshot(folder)
    with_backups(folder, "From a backup")
    assert names_after_start(folder) == ["From the snapshot"]


@pytest.mark.parametrize("copied", [True, False], ids=["a snapshot", "a backup"])
def test_what_a_killed_restore_had_decided_comes_before_any_copy(folder: DataFolder, *, copied: bool) -> None:
    catalogue = open_catalogue(folder.catalogue)
    if copied:
        take_snapshot(folder)
    else:
        folder.backups.mkdir()
        write_backup(folder.catalogue, folder.backups / backup_name(datetime.now(UTC)))
    named(catalogue, "Decided")
    catalogue.close()
    folder.catalogue.rename(folder.path / "catalogue.db.restoring-20260101T000000000000Z")
    assert names_after_start(folder) == ["Decided"]


def test_a_backup_of_the_stopped_add_on_is_as_complete_as_one_of_the_running(
    folder: DataFolder, tmp_path: Path
) -> None:
    settings = load_settings(folder.path, overrides=ADDON)
    with open_kinfolk(settings, exclusive=True, stays=True) as kinfolk:
        assert not folder.snapshot.exists()
        named(kinfolk.catalogue, "Added last")
    shutil.copytree(folder.path, tmp_path / "restored", ignore=LEFT_OUT)
    assert names_after_start(DataFolder(tmp_path / "restored")) == ["Added last"]
    with open_kinfolk(settings, exclusive=True, stays=True):
        assert folder.snapshot.exists(), "it is renewed, and a kill before that finds at least this one"


@dataclass
class Clock:
    """Moved by hand."""

    at: float = 0.0

    def now(self) -> float:
        return self.at


class TestACopyThatIsKeptFresh:
    def test_a_killed_add_on_loses_an_hour_at_most(self, folder: DataFolder, tmp_path: Path) -> None:
        clock = Clock()
        catalogue = open_catalogue(folder.catalogue)
        fresh = FreshSnapshot(folder, clock.now)
        named(catalogue, "Before a kill")
        fresh.look()
        assert not folder.snapshot.exists(), "not while everything else begins"
        clock.at += FIRST_AFTER_SECONDS
        fresh.look()
        named(catalogue, "An hour ago")
        clock.at += FRESH_SECONDS - 1
        fresh.look()
        clock.at += 1
        fresh.look()
        named(catalogue, "Just now")
        fresh.look()
        # Killed here, and backed up by the Supervisor, who asks nobody.
        shutil.copytree(folder.path, tmp_path / "restored", ignore=LEFT_OUT)
        catalogue.close()
        assert names_after_start(DataFolder(tmp_path / "restored")) == ["Before a kill", "An hour ago"]

    def test_nothing_is_written_while_nothing_changes(
        self, folder: DataFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = Clock()
        catalogue = open_catalogue(folder.catalogue)
        fresh = FreshSnapshot(folder, clock.now)
        clock.at += FIRST_AFTER_SECONDS
        fresh.look()
        before = folder.snapshot.stat().st_mtime_ns
        for _ in range(48):
            clock.at += FRESH_SECONDS
            fresh.look()
        assert folder.snapshot.stat().st_mtime_ns == before
        folder.snapshot.unlink()  # as `kinfolk snapshot drop` does, or who forgets a person for good
        fresh.look()
        assert folder.snapshot.exists()
        catalogue.close()

    def test_a_comparison_that_finds_nothing_costs_no_copy_also_after_a_start(self, folder: DataFolder) -> None:
        clock = Clock()
        catalogue = open_catalogue(folder.catalogue)
        named(catalogue, "Photos")
        fresh = FreshSnapshot(folder, clock.now)
        clock.at += FIRST_AFTER_SECONDS
        fresh.look()
        before = folder.snapshot.stat().st_mtime_ns
        for watcher in (fresh, FreshSnapshot(folder, clock.now)):
            library = catalogue.libraries.all()[0].id
            catalogue.libraries.sync_started(library)
            catalogue.libraries.sync_finished(library, None)
            clock.at += FRESH_SECONDS
            watcher.look()
        assert folder.snapshot.stat().st_mtime_ns == before
        catalogue.preferences.set("a", "b")
        fresh.look()
        assert folder.snapshot.stat().st_mtime_ns != before
        catalogue.close()

    def test_a_full_disk_is_no_reason_to_try_every_minute(
        self, folder: DataFolder, caplog: pytest.LogCaptureFixture
    ) -> None:
        clock = Clock()
        folder.snapshot.mkdir()
        open_catalogue(folder.catalogue).close()
        fresh = FreshSnapshot(folder, clock.now)
        for minutes in (1, 2, 3, 61):
            clock.at = 60.0 * minutes
            fresh.look()
        assert caplog.text.count("lacks the newest changes") == 2, "and an hour later"

    def test_a_copy_that_takes_longer_than_a_minute_is_not_begun_again_beside_itself(
        self, folder: DataFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls, begun, goes_on = list[Path](), threading.Event(), threading.Event()

        def slow(_catalogue: Path, target: Path) -> Path:
            calls.append(target)
            begun.set()
            goes_on.wait(20)
            target.touch()
            return target

        monkeypatch.setattr("plugin.assemble.snapshot.write_backup", slow)
        clock = Clock()
        open_catalogue(folder.catalogue).close()
        fresh = FreshSnapshot(folder, clock.now)
        clock.at += FIRST_AFTER_SECONDS
        first = threading.Thread(target=fresh.look)
        first.start()
        assert begun.wait(20)
        clock.at += 2 * FRESH_SECONDS
        second = threading.Thread(target=fresh.look)
        second.start()
        second.join(0.5)
        goes_on.set()
        first.join()
        second.join()
        assert len(calls) == 1

    def test_an_error_nobody_thought_of_is_no_reason_to_try_every_minute(
        self, folder: DataFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = list[Path]()

        def broken(_catalogue: Path, target: Path) -> Path:
            calls.append(target)
            raise RuntimeError("nobody thought of it")

        monkeypatch.setattr("plugin.assemble.snapshot.write_backup", broken)
        clock = Clock()
        open_catalogue(folder.catalogue).close()
        fresh = FreshSnapshot(folder, clock.now)
        clock.at += FIRST_AFTER_SECONDS
        with pytest.raises(RuntimeError):
            fresh.look()
        fresh.look()
        assert len(calls) == 1


def test_what_a_killed_copy_left_goes_after_a_day_and_into_no_backup(folder: DataFolder) -> None:
    catalogue = open_catalogue(folder.catalogue)
    old, new, others = (folder.path / name for name in (".kinfolk-part-old", ".kinfolk-part-new", "mine.zip"))
    for path in (old, new, others):
        path.write_bytes(b"torn")
    os.utime(old, (0, 0))
    os.utime(others, (0, 0))
    take_snapshot(folder)
    assert (old.exists(), new.exists(), others.exists()) == (False, True, True)
    left_out = yaml.safe_load((Path(__file__).parents[2] / "addon.yaml").read_text())["backup_exclude"]
    assert any(new.match(pattern) for pattern in left_out)
    assert not any(folder.snapshot.match(pattern) for pattern in left_out)
    catalogue.close()


def test_only_the_add_on_leaves_a_copy_at_its_stop(folder: DataFolder) -> None:
    assert names_after_start(folder) == []
    assert not folder.snapshot.exists()


def test_a_stop_does_not_fail_where_no_copy_can_be_made(folder: DataFolder, caplog: pytest.LogCaptureFixture) -> None:
    settings = load_settings(folder.path, overrides=ADDON)
    with open_kinfolk(settings, exclusive=True, stays=True):
        folder.snapshot.mkdir()
    assert "A backup made while Kinfolk is stopped lacks the newest changes" in caplog.text


def test_what_is_forgotten_for_good_is_forgotten_there_too(folder: DataFolder) -> None:
    open_catalogue(folder.catalogue).close()
    take_snapshot(folder)
    copies = KeptCopies(folder)
    assert [copy.name for copy in copies.all()] == ["snapshot.zip"]
    copies.renew()
    assert not folder.snapshot.exists()


def test_the_commands_before_and_after_a_backup(terminal: Terminal, tmp_path: Path) -> None:  # noqa: F811  the fixture
    folder = DataFolder(terminal.folder)
    assert "nothing to copy" in terminal.run("snapshot", "take").stdout
    folder.create()
    open_catalogue(folder.catalogue).close()
    assert terminal.run("snapshot", "take").exit_code == 0
    assert folder.snapshot.exists()
    assert terminal.run("snapshot", "drop").exit_code == 0
    assert not folder.snapshot.exists()


def test_what_a_killed_copy_left_goes_at_the_next_start_of_the_add_on_whatever_its_age(folder: DataFolder) -> None:
    parts = [folder.path / name for name in (".kinfolk-part-x", ".kinfolk-part-snapshot-1.zip")]
    for part in parts:
        part.write_bytes(b"a whole catalogue")
    with open_kinfolk(load_settings(folder.path, overrides=ADDON), exclusive=True, stays=True):
        assert not any(part.exists() for part in parts)


def test_a_copy_that_is_being_made_does_not_bring_back_who_is_forgotten_meanwhile(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, goes_on, done = threading.Event(), threading.Event(), list[str]()

    def slow(catalogue: Path, target: Path) -> Path:
        begun.set()
        goes_on.wait(20)
        return write_backup(catalogue, target)

    monkeypatch.setattr("plugin.assemble.snapshot.write_backup", slow)
    open_catalogue(folder.catalogue).close()
    left = folder.path / ".kinfolk-part-left"
    left.write_bytes(b"a whole catalogue")

    def copy() -> None:
        take_snapshot(folder)
        done.append("copied")

    def forget() -> None:
        KeptCopies(folder).renew()
        done.append("forgotten")

    copying = threading.Thread(target=copy)
    copying.start()
    assert begun.wait(20)
    forgetting = threading.Thread(target=forget)
    forgetting.start()
    forgetting.join(0.5)
    goes_on.set()
    copying.join()
    forgetting.join()
    assert done == ["copied", "forgotten"]
    assert not folder.snapshot.exists()
    assert not left.exists()
