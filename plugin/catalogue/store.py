"""The whole catalogue in one object."""

from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import Engine

from plugin.catalogue.accounts import SqlAccounts
from plugin.catalogue.assets import SqlAssets
from plugin.catalogue.backup import backup_before_migration
from plugin.catalogue.detection_queue import SqlDetectionQueue
from plugin.catalogue.events import SqlEvents
from plugin.catalogue.faces import SqlFaces
from plugin.catalogue.folder_marks import SqlFolderMarks
from plugin.catalogue.galleries import SqlGalleries
from plugin.catalogue.host_logins import SqlHostLogins
from plugin.catalogue.host_people import SqlHostPeople
from plugin.catalogue.index_state import SqlIndexState
from plugin.catalogue.libraries import SqlLibraries
from plugin.catalogue.live import SqlLive
from plugin.catalogue.opening import full_check, memory_engine, open_engine
from plugin.catalogue.outside import SqlHooks, SqlOutsideUsers
from plugin.catalogue.people import SqlPeople
from plugin.catalogue.person_photos import SqlPersonPhotos
from plugin.catalogue.preferences import SqlPreferences
from plugin.catalogue.privacy import SqlPrivacy
from plugin.catalogue.restore import finish_restore
from plugin.catalogue.shared_rows import SqlShared
from plugin.catalogue.shares import SqlShares
from plugin.catalogue.smart_home import SqlSmartHome
from plugin.catalogue.tokens import SqlTokens
from plugin.catalogue.transactions import Clock, Transactions, utc_now
from plugin.catalogue.verdicts import SqlVerdicts
from plugin.catalogue.written import SqlWritten
from plugin.errors import CatalogueCorrupt


class SqlCatalogue:
    """`Catalogue` in SQL. Safe to use from several threads, beside other processes.

    Args:
        engine: from `plugin.catalogue.opening`.
        path: the catalogue's file; None in memory.
        clock: what time it is; tests pass their own.
    """

    def __init__(self, engine: Engine, path: Path | None = None, clock: Clock = utc_now) -> None:
        self._transactions = Transactions(engine, path, clock)
        self.accounts = SqlAccounts(self._transactions)
        self.libraries = SqlLibraries(self._transactions)
        self.host_logins = SqlHostLogins(self._transactions)
        self.folder_marks = SqlFolderMarks(self._transactions)
        self.assets = SqlAssets(self._transactions)
        self.detection = SqlDetectionQueue(self._transactions)
        self.faces = SqlFaces(self._transactions)
        self.people = SqlPeople(self._transactions)
        self.person_photos = SqlPersonPhotos(self._transactions)
        self.verdicts = SqlVerdicts(self._transactions)
        self.events = SqlEvents(self._transactions)
        self.privacy = SqlPrivacy(self._transactions)
        self.galleries = SqlGalleries(self._transactions)
        self.live = SqlLive(self._transactions)
        self.shares = SqlShares(self._transactions)
        self.shared = SqlShared(self._transactions)
        self.index_state = SqlIndexState(self._transactions)
        self.preferences = SqlPreferences(self._transactions)
        self.tokens = SqlTokens(self._transactions)
        self.hooks = SqlHooks(self._transactions)
        self.outside_users = SqlOutsideUsers(self._transactions)
        self.written = SqlWritten(self._transactions)
        self.smart_home = SqlSmartHome(self._transactions)
        self.host_people = SqlHostPeople(self._transactions)

    def integrity(self) -> list[str]:
        """For `kinfolk check`: one sentence per finding, empty when all is well. Reads the whole file."""
        try:
            with self._transactions.read() as connection:
                return full_check(connection)
        except CatalogueCorrupt as error:
            return [error.explanation]

    def looking(self) -> AbstractContextManager[None]:
        """What this thread reads inside is one state of the catalogue, and cheaper; what it writes inside it sees."""
        return self._transactions.looking()

    def close(self) -> None:
        """Release every connection. Safe to call twice."""
        self._transactions.close()


def open_catalogue(path: Path, clock: Clock = utc_now) -> SqlCatalogue:
    """The catalogue at `path`; created with its first account when there is none, migrated (after a backup) when old.

    Raises:
        CatalogueCorrupt, CatalogueNewer: the file was left untouched; the advice names the backup to restore.
        DiskFull: there is no room to create it.
    """
    finish_restore(path)
    engine = open_engine(path, before_migration=lambda: backup_before_migration(path))
    return SqlCatalogue(engine, path, clock)


def open_in_memory(clock: Clock = utc_now) -> SqlCatalogue:
    """A fresh catalogue that is gone once it is closed, for tests."""
    return SqlCatalogue(memory_engine(), clock=clock)
