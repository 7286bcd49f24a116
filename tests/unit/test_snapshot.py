"""A copy of the whole data folder, made by others while a scan runs, holds everything and can be started."""

import shutil
import threading
from pathlib import Path
from typing import Self

import pytest

from plugin.assemble import open_kinfolk
from plugin.assemble.copies import KeptCopies
from plugin.assemble.data_folder import DataFolder
from plugin.assemble.snapshot import drop_snapshot, restore_from_snapshot, take_snapshot
from plugin.assemble.vault import Vault
from plugin.catalogue.store import SqlCatalogue, open_catalogue
from plugin.domain import AssetKind, HostAsset
from plugin.errors import CatalogueCorrupt
from plugin.settings import load_settings
from tests.fakes.terminal import Terminal
from tests.unit.test_cli import terminal  # noqa: F401  a fixture

LEFT_OUT = shutil.ignore_patterns("catalogue.db*", "index", "cache", "models", "*.lock", "queue.db*")
"""As addon.yaml's backup_exclude says."""


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
    restore_from_snapshot(folder)
    again = open_catalogue(folder.catalogue)
    assert again.preferences.get("newer") == "yes"
    again.close()


def test_a_damaged_snapshot_is_no_reason_to_begin_with_nothing(folder: DataFolder) -> None:
    folder.snapshot.write_bytes(b"torn")
    with pytest.raises(CatalogueCorrupt), open_kinfolk(load_settings(folder.path), exclusive=False):
        pass
    assert not folder.catalogue.exists()
    assert folder.snapshot.exists()


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
