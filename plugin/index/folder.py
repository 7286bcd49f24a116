"""The folder that holds Chroma's files: hold it for one process, look at it, make it durable, remove it."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from filelock import FileLock, Timeout

from plugin.errors import AlreadyRunning


def hold_folder(folder: Path) -> FileLock:
    """Take the folder for this process alone; the lock lies beside it, so that it survives the folder's removal.

    Two processes on one Chroma folder lose vectors without any error, hence this lock although the data folder has
    one too. The kernel releases it when the process ends, however it ends.

    Raises:
        AlreadyRunning: another process holds it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.parent / f"{folder.name}.lock", thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise AlreadyRunning(
            f"Another process is using the search index {folder}",
            "Stop the other Kinfolk first, or give this one its own data folder.",
        ) from None
    return lock


def remove_folder(folder: Path) -> None:
    """Remove the folder, whatever it is by now: a folder with sparse giants, a file, a link, nothing."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
    _fsync(folder.parent)


def fsync_folder(folder: Path) -> None:
    """Make everything in the folder survive a power cut; Chroma itself never asks for that."""
    for current, _, files in os.walk(folder):
        for name in files:
            _fsync(Path(current) / name)
        _fsync(Path(current))
    _fsync(folder.parent)


def oversized_links(folder: Path) -> Path | None:
    """The first `link_lists.bin` larger than the vectors beside it, which no sound index has.

    Link lists take about 8 bytes a face, vectors 650 and more. A kill while Chroma writes leaves link lists of an
    apparent size of terabytes (measured in 13 of 14 kills), and opening those can take the whole process down.
    """
    for links in folder.rglob("link_lists.bin"):
        vectors = links.with_name("data_level0.bin")
        if links.stat().st_size > (vectors.stat().st_size if vectors.exists() else 0):
            return links
    return None


def logged_rows(folder: Path) -> int:
    """Writes that Chroma replays when it opens the folder, about 1,500 a second.

    Raises:
        sqlite3.Error: its database cannot be read.
    """
    database = folder / "chroma.sqlite3"
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM embeddings_queue").fetchone()
        return int(count)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
