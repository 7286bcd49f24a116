"""Opening a catalogue: fresh, old, damaged, newer."""

import shutil
import sqlite3
import stat
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect
from sqlalchemy.pool import NullPool

from plugin.catalogue import opening
from plugin.catalogue.backup import newest_backup, write_backup
from plugin.catalogue.migrations import REVISIONS
from plugin.catalogue.opening import MIGRATIONS, memory_engine, migrate
from plugin.catalogue.store import open_catalogue, open_in_memory
from plugin.catalogue.tables import metadata
from plugin.errors import CatalogueCorrupt, CatalogueError, CatalogueNewer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A catalogue with something in it, closed."""
    path = tmp_path / "catalogue.db"
    catalogue = open_catalogue(path)
    catalogue.preferences.set("pack", "opencv")
    catalogue.close()
    return path


def sql(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement).fetchall()


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but SQLite's shared memory, which holds nothing of its own."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file() and file.suffix != ".db-shm"}


def test_the_migrations_lead_to_exactly_the_tables() -> None:
    engine = create_engine("sqlite://", poolclass=NullPool)
    with engine.begin() as connection:
        migrate(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def comparable(found: list[Any]) -> list[dict[str, Any]]:
    """The condition of a partial index is an object that equals no other; its words do."""
    rows = [{**row, "dialect_options": {k: str(v) for k, v in row.get("dialect_options", {}).items()}} for row in found]
    return sorted(rows, key=str)


def test_the_migrations_lead_to_the_constraints_alembic_does_not_compare() -> None:
    migrated, created = create_engine("sqlite://", poolclass=NullPool), memory_engine()
    with migrated.begin() as connection:
        migrate(connection)
        tables = inspect(connection)
        wanted = inspect(created)
        for table in metadata.tables:
            for what in ("check_constraints", "foreign_keys", "unique_constraints", "indexes"):
                found = comparable(getattr(tables, f"get_{what}")(table))
                assert found == comparable(getattr(wanted, f"get_{what}")(table)), (table, what)
    created.dispose()


def test_the_known_revisions_are_the_scripts_there_are() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    assert tuple(script.revision for script in scripts)[::-1] == REVISIONS


def test_a_catalogue_is_made_once_and_opened_again(path: Path) -> None:
    catalogue = open_catalogue(path)
    assert catalogue.preferences.get("pack") == "opencv"
    assert [account.name for account in catalogue.accounts.all()] == ["admin"]
    assert catalogue.integrity() == []
    catalogue.close()
    catalogue.close()


def test_the_catalogue_is_private_to_its_user(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_catalogue_is_durable_and_waits_for_others(path: Path) -> None:
    catalogue = open_catalogue(path)
    with catalogue._transactions.read() as connection:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]
    catalogue.close()
    assert values == ["wal", 2, 1, 30_000]


def test_a_catalogue_in_memory_is_fresh_each_time_and_begins_like_a_file() -> None:
    for _ in range(2):
        catalogue = open_in_memory()
        assert [account.name for account in catalogue.accounts.all()] == ["admin"]
        assert catalogue.libraries.all() == []
        assert not catalogue.index_state.dirty()
        catalogue.libraries.add(1, "folder", "Photos", "/photos")
        catalogue.close()


def test_a_folder_with_odd_letters_is_no_trouble(tmp_path: Path) -> None:
    folder = tmp_path / "a?b#c%d e&ö"
    folder.mkdir()
    for _ in range(2):
        open_catalogue(folder / "catalogue.db").close()
    assert write_backup(folder / "catalogue.db", folder / "b.zip").exists()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4096])


def scribble(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 * 2 :] = b"\xff" * (len(content) - 4096 * 2)
    path.write_bytes(content)


def replace_by_text(path: Path) -> None:
    path.write_text("Dear diary, " * 1000)


def replace_by_other_database(path: Path) -> None:
    path.unlink()
    sql(path, "CREATE TABLE recipes (name TEXT)")


def shorten_to_header(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


DAMAGES = [cut, scribble, replace_by_text, replace_by_other_database, shorten_to_header]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_catalogue_is_refused_and_left_byte_for_byte(path: Path, damage: object) -> None:
    damage(path)  # type: ignore[operator]  # one of the functions above
    before = contents(path.parent)
    with pytest.raises(CatalogueCorrupt, match="left untouched") as refused:
        open_catalogue(path)
    assert "no usable backup" in refused.value.advice
    assert {name: after for name, after in contents(path.parent).items() if after} == before


def test_the_refusal_names_the_newest_usable_backup_and_the_command(path: Path) -> None:
    backups = path.parent / "backups"
    backups.mkdir()
    for name in ("one.zip", "two.zip", "three.zip"):
        write_backup(path, backups / name)
    damaged = bytearray((backups / "three.zip").read_bytes())
    damaged[300] ^= 0xFF
    (backups / "three.zip").write_bytes(damaged)
    (backups / "four.zip").write_text("not a zip at all")
    replace_by_text(path)
    with pytest.raises(CatalogueCorrupt) as refused:
        open_catalogue(path)
    assert f"kinfolk restore {backups / 'two.zip'}" in refused.value.advice


def test_an_empty_file_is_a_beginning_unless_there_was_a_catalogue_before(path: Path) -> None:
    other = path.with_name("other.db")
    other.touch()
    open_catalogue(other).close()
    (path.parent / "backups").mkdir()
    write_backup(path, path.parent / "backups" / "one.zip")
    path.write_bytes(b"")
    with pytest.raises(CatalogueCorrupt, match="empty"):
        open_catalogue(path)
    assert path.read_bytes() == b""


def test_a_newer_catalogue_is_refused_and_left_byte_for_byte(path: Path) -> None:
    sql(path, "UPDATE alembic_version SET version_num = '9999'")
    before = contents(path.parent)
    with pytest.raises(CatalogueNewer, match="9999"):
        open_catalogue(path)
    assert {name: after for name, after in contents(path.parent).items() if after} == before


def test_a_newer_catalogue_is_left_with_what_is_still_in_its_log(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        killed = path.parent / "killed"
        killed.mkdir()
        for name in ("catalogue.db", "catalogue.db-wal"):
            shutil.copy(path.with_name(name), killed / name)
    before = contents(killed)
    assert before["catalogue.db-wal"]
    with pytest.raises(CatalogueNewer):
        open_catalogue(killed / "catalogue.db")
    assert contents(killed) == before


def test_a_folder_in_place_of_the_catalogue_is_named(tmp_path: Path) -> None:
    (tmp_path / "catalogue.db").mkdir()
    with pytest.raises(CatalogueError, match="not a file"):
        open_catalogue(tmp_path / "catalogue.db")


def test_damage_the_quick_look_misses_is_found_by_the_full_check(path: Path) -> None:
    sql(path, "PRAGMA writable_schema = ON")
    catalogue = open_catalogue(path)
    catalogue.libraries.add(1, "folder", "x", "/x")
    catalogue.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE library SET account_id = 77")
    catalogue = open_catalogue(path)
    assert catalogue.integrity() == ["Row 1 of table library names a row of account that does not exist."]
    catalogue.close()


def test_damage_met_while_working_is_reported_as_such(path: Path) -> None:
    catalogue = open_catalogue(path)
    scribble(path)
    with pytest.raises(CatalogueCorrupt, match="damaged"):
        catalogue.preferences.get("pack")
    assert catalogue.integrity() != []
    catalogue.close()


def test_an_old_catalogue_is_backed_up_before_it_is_migrated(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    latest = REVISIONS[-1]

    def add_table(connection: object) -> None:
        connection.exec_driver_sql("CREATE TABLE news (id INTEGER)")  # type: ignore[attr-defined]  # a Connection
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")  # type: ignore[attr-defined]

    monkeypatch.setattr(opening, "REVISIONS", (*REVISIONS, "9999"))
    monkeypatch.setattr(opening, "migrate", add_table)
    for _ in range(2):
        open_catalogue(path).close()
    assert sql(path, "SELECT version_num FROM alembic_version") == [("9999",)]
    (backup,) = (path.parent / "backups").iterdir()
    assert newest_backup(path.parent / "backups") == backup
    with zipfile.ZipFile(backup) as archive:
        assert f'"revision": "{latest}"'.encode() in archive.read("manifest.json")


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half_way(connection: object) -> None:
        connection.exec_driver_sql("CREATE TABLE news (id INTEGER)")  # type: ignore[attr-defined]  # a Connection
        raise RuntimeError("power is gone")

    monkeypatch.setattr(opening, "REVISIONS", (*REVISIONS, "9999"))
    monkeypatch.setattr(opening, "migrate", half_way)
    with pytest.raises(RuntimeError):
        open_catalogue(path)
    monkeypatch.undo()
    assert sql(path, "SELECT name FROM sqlite_master WHERE name = 'news'") == []
    open_catalogue(path).close()
