"""What hosts said of their folders when they were listed in full."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from plugin.catalogue.asset_rows import blocks
from plugin.catalogue.tables import folder_mark
from plugin.catalogue.transactions import Transactions
from plugin.domain import LibraryId

IN_DOUBT = "in doubt"
"""Stands for the mark of a folder in which files were taken beside the pass that is under way.

That pass will not miss such a file when it is deleted before its folder is listed. So it keeps no mark for the folder,
and the next pass lists it. No host's mark is this text.
"""

NEVER_LISTED = "in doubt, never listed"
"""The same for a folder that had no mark: unless that pass lists it, the next one may ask for all below it at once."""

DOUBTS = (IN_DOUBT, NEVER_LISTED)

OUTDATED = ""
"""No folder is as this mark says, and none is taken for new: its own files are listed, and folders that changed."""


class SqlFolderMarks:
    """`FolderMarkRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def get(self, library_id: LibraryId, path: str) -> str | None:
        """The mark of a folder, None when it was never listed in full or something below it moved away since."""
        where = (*_certain(library_id), folder_mark.c.path == path)
        with self._transactions.read() as connection:
            mark: str | None = connection.execute(select(folder_mark.c.mark).where(*where)).scalar()
        return mark

    def all(self, library_id: LibraryId) -> dict[str, str]:
        """Path -> mark of every folder that has one."""
        query = select(folder_mark.c.path, folder_mark.c.mark).where(*_certain(library_id))
        with self._transactions.read() as connection:
            return {row.path: row.mark for row in connection.execute(query)}

    def put(self, library_id: LibraryId, marks: Mapping[str, str]) -> None:
        """Add or replace the marks of these folders, in one transaction; a folder in doubt stays so."""
        with self._transactions.write() as connection:
            doubtful = _in_doubt(connection, library_id)
            _put(connection, library_id, {path: IN_DOUBT if path in doubtful else marks[path] for path in marks})

    def drop(self, library_id: LibraryId, paths: Collection[str]) -> None:
        """Forget the marks of these folders: they have to be listed again."""
        with self._transactions.write() as connection:
            drop_marks(connection, library_id, paths)

    def clear(self, library_id: LibraryId) -> None:
        """Every folder has to be listed again."""
        with self._transactions.write() as connection:
            connection.execute(delete(folder_mark).where(folder_mark.c.library_id == library_id))


def doubt(connection: Connection, library_id: LibraryId, folders: Collection[str]) -> None:
    """No marks for these folders until the next pass begins."""
    new = set(folders) - _in_doubt(connection, library_id)
    known = set[str]()
    for block in blocks(new):
        marked = (*_certain(library_id), folder_mark.c.path.in_(block))
        known |= set(connection.execute(select(folder_mark.c.path).where(*marked)).scalars())
    _put(connection, library_id, {path: IN_DOUBT if path in known else NEVER_LISTED for path in new})


def settle_doubts(connection: Connection, library_id: LibraryId) -> None:
    """A pass begins: folders in doubt are listed, and may get a mark."""
    mine = folder_mark.c.library_id == library_id
    connection.execute(delete(folder_mark).where(mine, folder_mark.c.mark == NEVER_LISTED))
    connection.execute(update(folder_mark).where(mine, folder_mark.c.mark == IN_DOUBT).values(mark=OUTDATED))


def _put(connection: Connection, library_id: LibraryId, marks: Mapping[str, str]) -> None:
    _delete(connection, marks, folder_mark.c.library_id == library_id)
    rows = [{"library_id": library_id, "path": path, "mark": mark} for path, mark in marks.items()]
    if rows:
        connection.execute(insert(folder_mark), rows)


def _certain(library_id: LibraryId) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return folder_mark.c.library_id == library_id, folder_mark.c.mark.not_in(DOUBTS)


def _in_doubt(connection: Connection, library_id: LibraryId) -> set[str]:
    doubtful = (folder_mark.c.library_id == library_id, folder_mark.c.mark.in_(DOUBTS))
    return set(connection.execute(select(folder_mark.c.path).where(*doubtful)).scalars())


def drop_marks(connection: Connection, library_id: LibraryId, paths: Collection[str]) -> None:
    """Forget the marks of these folders; doubts stay."""
    _delete(connection, paths, *_certain(library_id))


def _delete(connection: Connection, paths: Collection[str], *which: ColumnElement[bool]) -> None:
    for block in blocks(paths):
        connection.execute(delete(folder_mark).where(*which, folder_mark.c.path.in_(block)))


def above(path: str) -> Iterator[str]:
    """Every folder an asset is in, "" being the whole library."""
    for parent in PurePosixPath(path).parents:
        yield "" if str(parent) == "." else str(parent)
