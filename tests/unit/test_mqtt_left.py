"""Two files outlive a catalogue that is brought back: the name at the broker, and that it has to be looked at."""

import os
from pathlib import Path

import pytest

from plugin.assemble.data_folder import DataFolder
from plugin.assemble.kinfolk import open_kinfolk, restore
from plugin.assemble.snapshot import make_whole, take_snapshot
from plugin.errors import CatalogueError, DiskFull
from plugin.mqtt.left import LeftAtBroker
from plugin.settings import load_settings


def test_the_name_is_made_once_and_outlives_the_catalogue(tmp_path: Path) -> None:
    left = LeftAtBroker(tmp_path)
    assert left.name(lambda: "aaaaaaaaaaaa") == "aaaaaaaaaaaa"
    assert left.name(lambda: "bbbbbbbbbbbb") == "aaaaaaaaaaaa"
    assert (tmp_path / "broker.id").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [b"", b"../#", b"\xff\xfe", b"aaaa", b"\0" * 12])
def test_a_damaged_name_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broker.id").write_bytes(content)
    assert LeftAtBroker(tmp_path).name(lambda: "bbbbbbbbbbbb") == "bbbbbbbbbbbb"
    assert LeftAtBroker(tmp_path).name(lambda: "cccccccccccc") == "bbbbbbbbbbbb"


def test_a_name_that_cannot_be_kept_is_an_error_with_advice(tmp_path: Path) -> None:
    with pytest.raises(DiskFull):
        LeftAtBroker(tmp_path / "missing").name(lambda: "aaaaaaaaaaaa")


def test_a_look_is_due_until_it_was_made(tmp_path: Path) -> None:
    left = LeftAtBroker(tmp_path)
    assert not left.is_due()
    left.look_again()
    left.look_again()
    assert left.is_due()
    left.done()
    left.done()
    assert not left.is_due()
    LeftAtBroker(tmp_path / "missing").look_again()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    for name in [name for name in os.environ if name.startswith("KINFOLK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KINFOLK_MQTT__HOST", "127.0.0.1")
    return DataFolder(tmp_path / "data")


def name_at_the_broker(folder: DataFolder) -> str:
    with open_kinfolk(load_settings(folder.path), exclusive=True) as kinfolk:
        assert kinfolk.home_link is not None
        return kinfolk.home_link._topics.installation


def test_a_backup_from_before_there_was_a_name_changes_no_name_and_makes_kinfolk_look(
    folder: DataFolder, tmp_path: Path
) -> None:
    settings = load_settings(folder.path)
    with open_kinfolk(settings, exclusive=True) as kinfolk:
        kinfolk.backup(tmp_path / "early.zip")
    before = name_at_the_broker(folder)
    assert not LeftAtBroker(folder.path).is_due()
    restore(settings, tmp_path / "early.zip")
    assert LeftAtBroker(folder.path).is_due()
    assert name_at_the_broker(folder) == before


def test_a_data_folder_restored_by_home_assistant_makes_kinfolk_look(folder: DataFolder) -> None:
    name_at_the_broker(folder)
    take_snapshot(folder)
    for path in folder.path.glob("catalogue.db*"):
        path.unlink()
    make_whole(folder)
    assert LeftAtBroker(folder.path).is_due()


def test_a_restore_that_fails_asks_for_a_look_at_most(folder: DataFolder, tmp_path: Path) -> None:
    before = name_at_the_broker(folder)
    (tmp_path / "broken.zip").write_bytes(b"PK")
    with pytest.raises(CatalogueError):
        restore(load_settings(folder.path), tmp_path / "broken.zip")
    assert name_at_the_broker(folder) == before
