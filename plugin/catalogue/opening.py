"""Opening a catalogue file: looked at read-only first, so that a damaged or newer one is left as it was."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from plugin.catalogue.backup_files import newest_backup
from plugin.catalogue.counting import counting_triggers, refresh_people
from plugin.catalogue.event_triggers import trigger_statements
from plugin.catalogue.failures import BACKUP_FOLDER, advice_for, corrupt, in_our_words
from plugin.catalogue.migrations import REVISIONS
from plugin.catalogue.tables import account, index_status, metadata, recording
from plugin.catalogue.transactions import WRITES
from plugin.errors import CatalogueError, CatalogueNewer

MIGRATIONS = Path(__file__).parent / "migrations"
SQLITE_MAGIC = b"SQLite format 3\x00"
BUSY_TIMEOUT_MS = 30_000
WAL_LIMIT_BYTES = 64 * 1024 * 1024

FIRST_ACCOUNT = "admin"
"""Owns what is added before anyone logged in; has no password until one is set."""


def open_engine(path: Path, before_migration: Callable[[], object]) -> Engine:
    """An engine on the catalogue at `path`, created or migrated to the newest revision where needed.

    Args:
        path: the catalogue's file; its folder exists.
        before_migration: called before an existing catalogue is migrated (makes a backup).

    Raises:
        CatalogueCorrupt: damaged, and left untouched.
        CatalogueNewer: written by a newer Kinfolk, and left untouched.
        DiskFull: could not be created.
    """
    revision = inspect_file(path)
    if revision is not None and revision != REVISIONS[-1]:
        before_migration()
    _create_private(path)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        # One connection per thread that works at the moment, however many there are.
        pool_size=8,
        max_overflow=-1,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
    )
    prepare_sqlite(engine)
    try:
        _bring_up_to_date(engine)
    except DBAPIError as error:
        engine.dispose()
        raise in_our_words(error.orig, path) or error from error
    return engine


def memory_engine() -> Engine:
    """A fresh catalogue in memory, for tests: one connection, shared by all threads, one transaction at a time."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    prepare_sqlite(engine)
    with engine.begin() as connection:
        metadata.create_all(connection)
        for statement in (*trigger_statements(), *counting_triggers()):
            connection.exec_driver_sql(statement)
        _first_rows(connection)
    return engine


def inspect_file(path: Path) -> str | None:
    """The schema revision of the catalogue at `path`, None where there is none yet. Writes nothing.

    Cheap on purpose (start-up waits for it): header, length, revision, and the first row of every table.
    `full_check` is the thorough one.

    Raises:
        CatalogueCorrupt, CatalogueNewer.
    """
    if not path.exists():
        return None
    if not path.is_file():
        raise CatalogueError(f"{path} should be the catalogue but is not a file", "Move it away")
    if path.stat().st_size == 0:
        # SQLite leaves an empty file when it is killed while creating; where a backup exists, something was lost.
        if newest_backup(path.parent / BACKUP_FOLDER) is not None:
            raise corrupt(path, "the file is empty")
        return None
    try:
        revision = revision_of(path)
    except sqlite3.DatabaseError as error:
        raise in_our_words(error, path) or corrupt(path, str(error)) from error
    except ValueError as error:
        raise corrupt(path, str(error)) from error
    if revision is not None and revision not in REVISIONS:
        raise CatalogueNewer(
            f"The catalogue {path} was written by a newer Kinfolk (revision {revision}); it was left untouched",
            f"Install that version again. {advice_for(path)}",
        )
    return revision


def revision_of(path: Path) -> str | None:
    """The revision written in the SQLite file at `path`; None for a database without tables.

    Raises:
        ValueError: the file is cut off, no SQLite database, or not a catalogue of Kinfolk.
        sqlite3.DatabaseError: SQLite cannot read it.
    """
    _check_header(path)
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
        names = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not names:
            return None
        if "alembic_version" not in names:
            raise ValueError("it is not a catalogue of Kinfolk")
        for name in names:
            connection.execute(f'SELECT * FROM "{name}" LIMIT 1').fetchone()  # noqa: S608, a name SQLite itself gave
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        raise ValueError("it has no schema revision")
    return str(row[0])


def full_check(connection: Connection) -> list[str]:
    """One sentence per thing wrong with the file or its references; empty when all is well. Reads everything."""
    found = [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check"))]
    sentences = [f"The catalogue's file is damaged: {finding}." for finding in found if finding != "ok"]
    orphans = connection.execute(text("PRAGMA foreign_key_check")).all()
    sentences += [f"Row {row[1]} of table {row[0]} names a row of {row[2]} that does not exist." for row in orphans]
    return sentences


def prepare_sqlite(engine: Engine) -> None:
    """Make SQLite do what we rely on: foreign keys, waiting, full durability, and transactions begun by us.

    Python's sqlite3 begins transactions late and by its own rules; SQLAlchemy documents this way around it
    (https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#pysqlite-serializable).
    """

    @event.listens_for(engine, "connect")
    def configure(driver_connection: Any, _: object) -> None:  # noqa: ANN401, SQLAlchemy's own type
        driver_connection.isolation_level = None
        for pragma in (
            "foreign_keys = ON",
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            # FULL, also for what the machine finds: one fsync per asset is nothing beside its inference.
            "synchronous = FULL",
            f"journal_size_limit = {WAL_LIMIT_BYTES}",
            "trusted_schema = OFF",
        ):
            driver_connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A write that begins as a read fails at once (SQLITE_BUSY_SNAPSHOT) when another writer was faster.
        if connection.get_execution_options().get(WRITES):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            # Said to the driver itself: it touches no file yet, so it cannot fail; SQLAlchemy takes ten times as long.
            connection.connection.cursor().execute("BEGIN").close()


def migrate(connection: Connection) -> None:
    """Run every migration that is missing, in the transaction the connection is in."""
    from alembic import command  # noqa: PLC0415, costs a quarter of a second and is needed once per version
    from alembic.config import Config  # noqa: PLC0415, as above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _bring_up_to_date(engine: Engine) -> None:
    with engine.connect() as connection:
        _use_wal(connection)
    with engine.connect() as connection:
        connection.execution_options(**{WRITES: True})
        # Looked at again under the write lock: another process may be creating the same catalogue.
        with connection.begin():
            if _revision(connection) != REVISIONS[-1]:
                migrate(connection)
            _first_rows(connection)
            # What somebody changed with other tools since.
            refresh_people(connection)


def _use_wal(connection: Connection) -> None:
    driver_connection = connection.connection.driver_connection
    if driver_connection is None:
        return
    # Outside any transaction, which is why SQLAlchemy's connection is not asked.
    driver_connection.execute("PRAGMA journal_mode = WAL").close()


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _first_rows(connection: Connection) -> None:
    if connection.execute(select(account.c.id).limit(1)).first() is None:
        connection.execute(
            insert(account).values(name=FIRST_ACCOUNT, name_key=FIRST_ACCOUNT, is_admin=True, session_epoch=0)
        )
    if connection.execute(select(index_status.c.id)).first() is None:
        connection.execute(insert(index_status).values(id=1, dirty=False))
    if connection.execute(select(recording.c.id)).first() is None:
        connection.execute(insert(recording).values(id=1))


def _create_private(path: Path) -> None:
    """Password hashes and faces are nobody else's: SQLite gives its side files the mode of the main one."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _check_header(path: Path) -> None:
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100 or not header.startswith(SQLITE_MAGIC):
        raise ValueError("it is not an SQLite database")
    wal = path.with_name(f"{path.name}-wal")
    if wal.exists() and wal.stat().st_size > 0:
        # A checkpoint that was cut off may leave the file short; SQLite finishes it from the write-ahead log.
        return
    page_size = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    # Page size 1 means 65536 (https://www.sqlite.org/fileformat2.html#page_size).
    if path.stat().st_size < pages * (65536 if page_size == 1 else page_size):
        raise ValueError("it is cut off")
