"""Backups: written whole or not at all, restored safely or not at all."""

import errno
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from plugin.catalogue import backup as backup_module
from plugin.catalogue import restore as restore_module
from plugin.catalogue.backup import newest_backup, prune_backups, restore_backup, write_backup
from plugin.catalogue.backup_files import PART_PREFIX, backup_name
from plugin.catalogue.restore import SPARE_BYTES
from plugin.catalogue.store import SqlCatalogue, open_catalogue
from plugin.errors import CatalogueCorrupt, CatalogueError, CatalogueNewer, DiskFull, NotFound, Refused
from tests.contract.catalogue_cast import PACK, found, listed

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A catalogue with one face that the index has."""
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "catalogue.db"
    catalogue = open_catalogue(path)
    library = catalogue.libraries.add(1, "folder", "Photos", "/photos")
    (seen,) = catalogue.assets.seen(library.id, [listed("a.jpg")], 1)
    faces = catalogue.detection.finish(catalogue.assets.get(seen.asset_id), PACK, [found()], (1, 1), None)
    catalogue.index_state.added(PACK, faces)
    note(catalogue, "first")
    catalogue.close()
    return path


def note(catalogue: SqlCatalogue, text: str) -> None:
    catalogue.preferences.set("note", text)


def noted(path: Path) -> str | None:
    catalogue = open_catalogue(path)
    try:
        return catalogue.preferences.get("note")
    finally:
        catalogue.close()


def write_note(path: Path, text: str) -> None:
    catalogue = open_catalogue(path)
    note(catalogue, text)
    catalogue.close()


def test_a_backup_brings_back_what_was_and_keeps_what_is_aside(path: Path, tmp_path: Path) -> None:
    backup = write_backup(path, tmp_path / "backup.zip")
    write_note(path, "second")
    aside = restore_backup(backup, path, lambda: NOON)
    assert aside == path.with_name("catalogue.db.before-restore-20240501T120000000000Z")
    assert noted(path) == "first"
    assert noted(aside) == "second"
    assert sorted(file.name for file in path.parent.iterdir()) == ["catalogue.db", aside.name]


def test_in_a_restored_catalogue_the_index_has_to_be_built_anew(path: Path, tmp_path: Path) -> None:
    restore_backup(write_backup(path, tmp_path / "backup.zip"), path)
    catalogue = open_catalogue(path)
    assert catalogue.index_state.dirty()
    assert len(catalogue.index_state.to_add(PACK, 10)[0]) == 1
    assert catalogue.integrity() == []
    catalogue.close()


def test_a_backup_can_be_restored_where_nothing_is(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert restore_backup(write_backup(path, tmp_path / "backup.zip"), elsewhere / "catalogue.db") is None
    assert noted(elsewhere / "catalogue.db") == "first"


def test_a_backup_is_taken_while_kinfolk_runs_and_holds_what_is_only_in_the_log(path: Path, tmp_path: Path) -> None:
    catalogue = open_catalogue(path)
    note(catalogue, "in the log")
    with catalogue._transactions.write() as connection:
        connection.exec_driver_sql("INSERT INTO preference VALUES ('half', 'done')")
        backup = write_backup(path, tmp_path / "backup.zip")
    catalogue.close()
    write_note(path, "later")
    restore_backup(backup, path)
    assert noted(path) == "in the log"
    with closing(sqlite3.connect(path)) as restored:
        assert restored.execute("SELECT count(*) FROM preference WHERE key = 'half'").fetchone() == (0,)


def test_a_damaged_catalogue_is_put_aside_with_its_log(path: Path, tmp_path: Path) -> None:
    backup = write_backup(path, tmp_path / "backup.zip")
    path.write_text("ruined")
    path.with_name("catalogue.db-wal").write_text("its log")
    aside = restore_backup(backup, path)
    assert aside is not None
    assert aside.read_text() == "ruined"
    assert aside.with_name(f"{aside.name}-wal").read_text() == "its log"
    assert noted(path) == "first"


def test_a_backup_is_private_and_says_what_it_is(path: Path, tmp_path: Path) -> None:
    backup = write_backup(path, tmp_path / "backup.zip", lambda: NOON)
    assert backup.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(backup) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        content = archive.read("catalogue.db")
    assert set(manifest) == {"kinfolk", "revision", "created", "sha256", "size", "mark"}
    assert manifest["created"] == NOON.isoformat()
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_backup_never_overwrites(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.zip"
    target.write_text("precious")
    with pytest.raises(Refused, match="exists already"):
        write_backup(path, target)
    assert target.read_text() == "precious"


def test_a_backup_does_not_overwrite_what_appeared_while_it_was_written(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "backup.zip"
    written = backup_module._write_archive

    def slowly(*arguments: object) -> None:
        written(*arguments)  # type: ignore[arg-type]  # handed through
        target.write_text("precious")

    monkeypatch.setattr(backup_module, "_write_archive", slowly)
    with pytest.raises(Refused, match="exists already"):
        write_backup(path, target)
    assert target.read_text() == "precious"


def test_a_backup_is_written_where_there_are_no_hard_links(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    target = write_backup(path, tmp_path / "backup.zip")
    assert newest_backup(tmp_path) == target
    with pytest.raises(Refused):
        write_backup(path, target)


def test_nothing_is_left_of_a_backup_the_disk_had_no_room_for(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "usb").mkdir()
    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(DiskFull):
        write_backup(path, tmp_path / "usb" / "backup.zip")
    assert list((tmp_path / "usb").iterdir()) == []


def test_there_must_be_a_catalogue_and_a_folder(path: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        write_backup(tmp_path / "none.db", tmp_path / "backup.zip")
    with pytest.raises(Refused, match="no folder"):
        write_backup(path, tmp_path / "none" / "backup.zip")
    with pytest.raises(NotFound):
        restore_backup(tmp_path / "none.zip", path)


def test_a_backup_that_cannot_be_written_is_a_clear_error(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EIO, "the stick was pulled out")

    monkeypatch.setattr(os, "fsync", refused)
    with pytest.raises(CatalogueError, match="pulled out"):
        write_backup(path, tmp_path / "backup.zip")


def forge(source: Path, target: Path, change: Callable[[dict[str, object], bytes], bytes], extra: str = "") -> Path:
    """A copy of a backup with another manifest or database, or a further member."""
    with zipfile.ZipFile(source) as archive:
        manifest, content = json.loads(archive.read("manifest.json")), archive.read("catalogue.db")
    content = change(manifest, content)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("catalogue.db", content)
        archive.writestr("manifest.json", json.dumps(manifest))
        if extra:
            archive.writestr(extra, "evil")
    return target


def seal(manifest: dict[str, object], content: bytes) -> bytes:
    """What an attacker who can compute a checksum would do."""
    manifest.update(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    return content


def with_trigger(manifest: dict[str, object], content: bytes, folder: Path) -> bytes:
    path = folder / "forged.db"
    path.write_bytes(content)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TRIGGER evil AFTER UPDATE ON account BEGIN DELETE FROM verdict; END")
    return seal(manifest, path.read_bytes())


@pytest.mark.parametrize(
    ("why", "change", "extra"),
    [
        ("checksum", lambda m, c: c[:-1] + bytes([c[-1] ^ 1]), ""),
        ("size", lambda m, c: c + b"more", ""),
        ("exactly", lambda m, c: c, "../../evil.sh"),
        ("exactly", lambda m, c: c, "catalogue.db-wal"),
        ("manifest cannot be read", lambda m, c: m.pop("sha256") and c, ""),
        ("manifest cannot be read", lambda m, c: m.update(created="yesterday") or c, ""),
        ("manifest is too large", lambda m, c: m.update(kinfolk="x" * 100_000) or c, ""),
        ("SQLite", lambda m, c: seal(m, b"Dear diary"), ""),
        ("not a catalogue|damaged|malformed", lambda m, c: seal(m, c[:8192] + b"\xff" * (len(c) - 8192)), ""),
        ("cut off", lambda m, c: seal(m, c[:-4096]), ""),
        ("absurd", lambda m, c: seal(m, b"SQLite format 3\x00" + bytes(70_000_000)), ""),
    ],
)
def test_a_damaged_or_hostile_backup_is_refused_and_the_catalogue_stays(
    path: Path,
    tmp_path: Path,
    why: str,
    change: Callable[[dict[str, object], bytes], bytes],
    extra: str,
) -> None:
    forged = forge(write_backup(path, tmp_path / "backup.zip"), tmp_path / "forged.zip", change, extra)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    with pytest.raises(CatalogueCorrupt, match=why):
        restore_backup(forged, path)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_a_backup_with_programs_in_its_database_is_refused(path: Path, tmp_path: Path) -> None:
    backup = write_backup(path, tmp_path / "backup.zip")
    forged = forge(backup, tmp_path / "forged.zip", lambda m, c: with_trigger(m, c, tmp_path))
    with pytest.raises(CatalogueCorrupt, match="programs"):
        restore_backup(forged, path)


def test_a_file_that_is_no_archive_is_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_text("not a zip")
    with pytest.raises(CatalogueCorrupt):
        restore_backup(tmp_path / "b.zip", path)
    whole = write_backup(path, tmp_path / "backup.zip").read_bytes()
    (tmp_path / "b.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CatalogueCorrupt):
        restore_backup(tmp_path / "b.zip", path)


def test_a_backup_of_a_newer_kinfolk_is_refused(path: Path, tmp_path: Path) -> None:
    def newer(manifest: dict[str, object], content: bytes) -> bytes:
        manifest["revision"] = "9999"
        return content

    forged = forge(write_backup(path, tmp_path / "backup.zip"), tmp_path / "forged.zip", newer)
    with pytest.raises(CatalogueNewer, match="9999"):
        restore_backup(forged, path)
    assert noted(path) == "first"


def test_a_restore_without_room_leaves_the_catalogue(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = write_backup(path, tmp_path / "backup.zip")
    monkeypatch.setattr(restore_module, "SPARE_BYTES", 1 << 62)
    with pytest.raises(DiskFull):
        restore_backup(backup, path)
    assert noted(path) == "first"


KILLED_RESTORE = """
import os, sys
from pathlib import Path
from plugin.catalogue import restore
from plugin.catalogue.store import open_catalogue

backup, path = Path(sys.argv[1]), Path(sys.argv[2])

def write(text):
    catalogue = open_catalogue(path)
    catalogue.preferences.set("note", text)
    return catalogue

def killed_after(steps):
    def counted(function):
        def step(*arguments, **others):
            nonlocal steps
            if steps == 0:
                os.kill(os.getpid(), 9)
            steps -= 1
            return function(*arguments, **others)
        return step
    Path.rename, Path.unlink = counted(Path.rename), counted(Path.unlink)
    for name in ("_unpack", "_check", "_prepare", "sync_folder"):
        setattr(restore, name, counted(getattr(restore, name)))
    restore.restore_backup(backup, path)

def in_a_child(work, *arguments):
    child = os.fork()  # one import for all, in a process that has no threads
    if child == 0:
        work(*arguments)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

for steps in range(30):
    write("second").close()
    in_a_child(lambda: write("third") and os.kill(os.getpid(), 9))  # its log stays
    code = in_a_child(killed_after, steps)
    catalogue = open_catalogue(path)
    print(code, catalogue.preferences.get("note"), *catalogue.integrity())
    catalogue.close()
    if code == 0:
        break
"""


def test_a_restore_killed_at_any_step_leaves_one_catalogue_or_the_other(path: Path, tmp_path: Path) -> None:
    backup = write_backup(path, tmp_path / "backup.zip")
    arguments = [sys.executable, "-c", KILLED_RESTORE, str(backup), str(path)]
    run = subprocess.run(arguments, capture_output=True, text=True, check=True)
    *killed, finished = run.stdout.splitlines()
    assert finished == "0 first"
    assert killed == sorted(killed, reverse=True), "once it is decided, every later kill leaves the restored one"
    assert set(killed) == {"-9 third", "-9 first"}


def test_a_restore_that_was_cut_off_does_not_come_back_over_a_later_one(path: Path, tmp_path: Path) -> None:
    first = write_backup(path, tmp_path / "first.zip")
    write_note(path, "second")
    second = write_backup(path, tmp_path / "second.zip")
    elsewhere = tmp_path / "elsewhere.db"
    restore_backup(first, elsewhere)
    elsewhere.rename(path.with_name("catalogue.db.restoring-20240501T120000000000Z"))
    restore_backup(second, path)
    assert noted(path) == noted(path) == "second"


def test_the_newest_backup_is_the_newest_by_what_it_says_not_by_the_files_time(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    assert newest_backup(folder) is None
    folder.mkdir()
    assert newest_backup(folder) is None
    new = write_backup(path, folder / "a.zip", lambda: NOON)
    write_backup(path, folder / "b.zip", lambda: NOON - timedelta(days=1))
    assert newest_backup(folder) == new


def test_pruning_keeps_the_newest_of_our_own_and_all_of_the_users(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    days = [NOON + timedelta(days=day) for day in range(4)]
    ours = [write_backup(path, folder / backup_name(day), lambda day=day: day) for day in days]  # type: ignore[misc]
    own = write_backup(path, folder / "before the wedding.zip", lambda: NOON)
    stale, fresh = folder / f"{PART_PREFIX}stale", folder / f"{PART_PREFIX}fresh"
    for part in (stale, fresh):
        part.touch()
    os.utime(stale, (time.time() - 90_000,) * 2)
    assert sorted(prune_backups(folder, 2)) == ours[:2]
    assert sorted(folder.iterdir()) == sorted([*ours[2:], own, fresh])
    assert prune_backups(folder, 0) == [ours[2]]
    assert prune_backups(tmp_path / "none", 3) == []


def test_a_backup_for_which_there_is_no_room_is_not_begun(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 2 * path.stat().st_size + SPARE_BYTES - 1
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=free))
    monkeypatch.setattr("plugin.catalogue.backup.part_file", lambda _folder: pytest.fail("it was begun"))
    with pytest.raises(DiskFull):
        write_backup(path, tmp_path / "backup.zip")
    assert not (tmp_path / "backup.zip").exists()
