"""One transaction per call: consistent reads, immediate writes, and errors in the words of the product."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from plugin.catalogue.counting import refresh_people
from plugin.catalogue.failures import in_our_words

Clock = Callable[[], datetime]

WRITES = "kinfolk_writes"
"""The execution option that tells `opening.prepare_sqlite` to take the write lock at once."""

RECORD = "UPDATE recording SET event_id = :event"
"""Tells the triggers what they record for. One writer at a time, and it ends with the transaction."""

BLOCK = 500
"""Rows per statement or streamed block; well under SQLite's 32,766 parameters, enough that one commit costs little."""


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class _Sight:
    """The connection of one context that is looking; opened by its first question, and again after a write."""

    def __init__(self) -> None:
        self._connection: Connection | None = None

    def connection(self, engine: Engine) -> Connection:
        if self._connection is None:
            connection = engine.connect()
            try:
                connection.begin()
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Transactions:
    """Opens transactions on an engine.

    Args:
        engine: prepared by `opening`.
        path: the catalogue's file, for advice in errors; None in memory.
        clock: what time it is; tests pass their own.
    """

    def __init__(self, engine: Engine, path: Path | None = None, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._path = path
        self._clock = clock
        # SQLite lets one writer in at a time and makes the others poll; a lock is fair among our own threads.
        self._writing = threading.Lock()
        # Of this context, so of this thread: the machine's work beside it is nobody's action.
        self._recorded: ContextVar[int | None] = ContextVar("recorded_event", default=None)
        # What this context looks at, while it is in `looking`.
        self._sight: ContextVar[_Sight | None] = ContextVar("sight", default=None)
        self._shared = isinstance(engine.pool, StaticPool)
        self._reading: AbstractContextManager[object] = self._writing if self._shared else nullcontext()

    def now(self) -> datetime:
        """The time, UTC."""
        return self._clock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the catalogue; within `looking`, the same for all of them.

        Raises:
            CatalogueError: and its kin.
        """
        sight = self._sight.get()
        if sight is None or self._shared:
            with self._reading, self._translated(), self._engine.connect() as connection, connection.begin():
                yield connection
        else:
            with self._translated():
                yield sight.connection(self._engine)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """What this thread reads inside is one state, read by one connection: a page asks a dozen questions.

        Whatever it writes inside it sees from then on.
        """
        if self._sight.get() is not None:
            yield
            return
        sight = _Sight()
        token = self._sight.set(sight)
        try:
            yield
        finally:
            self._sight.reset(token)
            sight.close()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start, so it never fails half-way for another writer.

        Raises:
            DiskFull: nothing was written.
            CatalogueError: and its kin.
        """
        with self._seen_afterwards(), self._writing, self._translated(), self._engine.connect() as connection:
            connection.execution_options(**{WRITES: True})
            with connection.begin():
                event_id = self.recorded_event()
                if event_id is not None:
                    connection.execute(text(RECORD), {"event": event_id})
                yield connection
                refresh_people(connection)
                if event_id is not None:
                    connection.execute(text(RECORD), {"event": None})

    @contextmanager
    def _seen_afterwards(self) -> Iterator[None]:
        """The next read of this context sees what is written inside."""
        try:
            yield
        finally:
            if (sight := self._sight.get()) is not None:
                sight.close()

    @contextmanager
    def recording(self, event_id: int) -> Iterator[None]:
        """What this thread writes inside belongs to this event; other threads' writes do not."""
        token = self._recorded.set(event_id)
        try:
            yield
        finally:
            self._recorded.reset(token)

    def recorded_event(self) -> int | None:
        """The event that this thread's writes belong to."""
        return self._recorded.get()

    def shorten_log(self) -> None:
        """Empty the write-ahead log into the file; while somebody reads, a later call does it."""
        with self._writing, self._translated(), self._engine.connect() as connection:
            driver_connection = connection.connection.driver_connection
            if driver_connection is not None:
                # Outside any transaction, which is why SQLAlchemy's connection is not asked.
                driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def close(self) -> None:
        """Release every connection."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            translated = in_our_words(error.orig, self._path)
            if translated is None:
                raise
            raise translated from error
