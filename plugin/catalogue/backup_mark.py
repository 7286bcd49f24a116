"""Whether a backup would hold anything that an earlier one lacks."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from plugin.catalogue.opening import revision_of

SMALL = {
    "account": "id, name_key, password_hash, is_admin, session_epoch",
    # Without when it was compared with its host: that changes every few minutes though nothing was found.
    "library": "id, account_id, host, name, address",
    "host_login": "*",
    "library_share": "*",
    "api_token": "id",
    "library_hook": "*",
    "told_account": "*",
    "told_person": "person_id, with_picture",
    "write_back": "library_id, kind, state",
}
"""What is read whole; there are few rows."""

LARGE = ("asset", "person", "face", "verdict", "event", "event_change", "forgotten_face", "outside_user", "skipped")
"""Whose newest row and number of rows say enough: whatever a user says is an event, too."""

SETTINGS = "SELECT key, value FROM preference WHERE key NOT IN ('pause.sensors') ORDER BY key"
"""Without what sensors said."""


def backup_mark(catalogue_path: Path) -> str:
    """Another one once the catalogue holds something new that a backup is for; "" where it cannot be read.

    Reads an index of each large table: a fraction of a second for a million faces.
    """
    digest = hashlib.sha256((revision_of(catalogue_path) or "").encode())
    uri = f"{catalogue_path.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=30)) as connection:
            for row in _told(connection):
                digest.update(repr(row).encode())
    except sqlite3.DatabaseError:
        return ""
    return digest.hexdigest()


def _told(connection: sqlite3.Connection) -> Iterator[tuple[object, ...]]:
    for table, columns in SMALL.items():
        yield (table,)
        yield from connection.execute(f"SELECT {columns} FROM {table} ORDER BY rowid")  # noqa: S608  our own words
    for table in LARGE:
        yield from connection.execute(f"SELECT count(*), max(rowid) FROM {table}")  # noqa: S608  our own words
    yield from connection.execute("SELECT count(undone_at), max(undone_at) FROM event")
    yield from connection.execute(SETTINGS)
