"""Huey: short tasks that nudge the pipeline on, and the timetable. Tasks carry ids only; the work itself is rows."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, time, timedelta
from time import monotonic
from typing import Any

from huey import Huey, crontab
from huey.consumer import Consumer
from huey.storage import MemoryStorage

from plugin.domain import Library, LibraryId
from plugin.errors import HostError, KinfolkError, NotFound
from plugin.pipeline import Pipeline
from plugin.ports.catalogue import Catalogue
from plugin.writeback import WriteBack

log = logging.getLogger(__name__)

SLICE_SECONDS = 5.0
"""A task works about this long and then queues itself again, so that a stop or a new upload never waits long."""

MOST_WAITING_TASKS = 64
"""Beyond this a nudge is dropped: the rows are there, and the sweep looks every minute."""

SECOND_LOOK_RETRY_SECONDS = 900.0
"""After a second look that failed: it goes over every face, and fails at the end, perhaps."""

SCHEDULER_SECONDS = 10
"""How often the timetable is looked at; its entries are to the minute."""

NAMED_FIRST = 10
"""A task's priority; the others have none. Somebody is waiting for a photo that was just taken."""

LONGEST_WAIT = 60.0
"""After so long a waiting thread looks by itself, although it is always woken."""


class WakingQueue(MemoryStorage):  # type: ignore[misc]  # huey ships no type information
    """A queue in memory that wakes a waiting thread, so that nobody polls and no disk is written.

    One process nudges and works (`docs/decisions/queue-in-memory.md`), and a lost nudge loses nothing.
    """

    blocking = True

    def __init__(self, *arguments: Any, **more: Any) -> None:  # noqa: ANN401  as Huey calls it
        super().__init__(*arguments, **more)
        self._arrived = threading.Condition(self._lock)
        self._ended = False

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Add a task, and wake one thread for it."""
        with self._arrived:
            super().enqueue(data, priority)
            self._arrived.notify()

    def dequeue(self) -> bytes | None:
        """The next task, waited for; None when there was none for long, or waiting is over."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._queue or self._ended, LONGEST_WAIT)
            task: bytes | None = super().dequeue()
            return task

    def end_waiting(self) -> None:
        """Nobody waits any more, now or later."""
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()


def open_queue() -> Huey:
    """The task queue of this process."""
    return Huey("kinfolk", storage_class=WakingQueue, results=False)


class Turn:
    """Lets one thread at a time do something. Who comes meanwhile goes away, and it is done once more for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = False

    def take(self, work: Callable[[], None]) -> None:
        """Do it, unless it is being done: then whoever does it does it again, so that nothing new is missed."""
        self._asked = True
        while self._asked and self._lock.acquire(blocking=False):
            try:
                self._asked = False
                work()
            finally:
                self._lock.release()

    def alone(self) -> AbstractContextManager[bool]:
        """Wait until nobody does it, and keep others from it."""
        return self._lock


class Jobs:
    """Registers the tasks on a queue, and is the `Nudge` port.

    Args:
        huey: the queue.
        pipeline: what follows what.
        catalogue: where the waiting rows are.
        workers: how many detection slices may run at once.
        rescan: how long after its last sync a library is compared with its host again.
        nightly_at: local time of the nightly run, to the minute.
        upkeep: backups and cleaning, run after the nightly recognition.
        writing: tells hosts who is on their photos, where that is turned on.
    """

    def __init__(
        self,
        huey: Huey,
        pipeline: Pipeline,
        catalogue: Catalogue,
        *,
        workers: int,
        rescan: timedelta,
        nightly_at: time,
        upkeep: Callable[[], None],
        writing: WriteBack | None = None,
    ) -> None:
        self._huey = huey
        self._pipeline = pipeline
        self._catalogue = catalogue
        self._rescan = rescan
        self._upkeep = upkeep
        self._writing = writing
        self._writing_turn = Turn()
        self._looks: list[Callable[[], None]] = []
        self._tells_since: Callable[[LibraryId], float | None] = lambda _: None
        self._rescan_of_watched = rescan
        self._listed_from: dict[LibraryId, float] = {}
        self._workers = workers
        self._detecting = threading.BoundedSemaphore(workers)
        self._recognising = Turn()
        self._owed_look = threading.Lock()
        self._second_look_from = monotonic()
        self._syncing: set[LibraryId] = set()
        self._syncing_lock = threading.Lock()
        self._sync_task = huey.task(name="sync")(self._run_sync)
        self._named_task = huey.task(name="named", priority=NAMED_FIRST)(self._run_named)
        self._detect_task = huey.task(name="detect")(self._run_detection)
        self._recognise_task = huey.task(name="recognise")(self._run_recognition)
        self._model_task = huey.task(name="model")(self._run_model)
        self._take_over_task = huey.task(name="take over")(self._run_taking_over)
        self._write_task = huey.task(name="writeback")(self._run_writing)
        self._second_look_task = huey.task(name="second look")(self._run_owed_look)
        huey.periodic_task(crontab(), name="sweep")(self.sweep)
        huey.periodic_task(_local_time(nightly_at), name="nightly")(self._run_nightly)

    def every_sweep(self, look: Callable[[], None]) -> None:
        """Call this at every sweep, too."""
        self._looks.append(look)

    def trust(self, tells_since: Callable[[LibraryId], float | None], rescan: timedelta) -> None:
        """Compare libraries whose every change is told less often: listing a folder wakes a sleeping disk.

        Args:
            tells_since: since when every change of a library is told (`time.monotonic`), None where it is not.
            rescan: how long after its last sync such a library is compared with its host again.
        """
        self._tells_since = tells_since
        self._rescan_of_watched = rescan

    def sync(self, library_id: LibraryId) -> None:
        """A library should be compared with its host. The request is a row first, so a lost nudge loses nothing."""
        self._catalogue.libraries.request_sync(library_id)
        self._enqueue(self._sync_task, library_id)

    def named(self, library_id: LibraryId, host_keys: Sequence[str]) -> None:
        """Somebody named these assets. A lost nudge loses nothing: the library is compared anyway."""
        self._enqueue(self._named_task, library_id, list(host_keys))

    def detection(self) -> None:
        """There may be assets to look at."""
        for _ in range(self._workers):
            self._enqueue(self._detect_task)

    def recognition(self) -> None:
        """There may be faces to recognise."""
        self._enqueue(self._recognise_task)

    def model(self) -> None:
        """The chosen pack should be fetched now. A lost nudge costs nothing: detection fetches it when it has work."""
        self._enqueue(self._model_task)

    def writeback(self) -> None:
        """There may be names to tell a host. What is due is found in the rows, so a lost nudge loses nothing."""
        if self._writing is not None:
            self._enqueue(self._write_task)

    def sweep(self) -> None:
        """Look for work nobody is doing: after a crash, a lost nudge, a passed retry time. Cheap when idle."""
        self._catalogue.detection.release_expired()
        now = datetime.now(UTC)
        for library in self._catalogue.libraries.all():
            due = library.last_sync_at is None or now - library.last_sync_at >= self._rescan_after(library)
            if due or library.sync_requested_at is not None:
                self._enqueue(self._sync_task, library.id)
        self.detection()
        self.recognition()
        if self._owes_second_look() and not self._owed_look.locked():
            self._enqueue(self._second_look_task)
        if self._writing is not None and self._writing.due():
            self.writeback()
        for look in self._looks:
            look()

    def _rescan_after(self, library: Library) -> timedelta:
        """Longer where everything that changed since the last listing began was told."""
        told, listed = self._tells_since(library.id), self._listed_from.get(library.id)
        return self._rescan_of_watched if told is not None and listed is not None and listed > told else self._rescan

    def _enqueue(self, task: Callable[..., Any], *arguments: int | list[str]) -> None:
        if self._huey.pending_count() < MOST_WAITING_TASKS:
            task(*arguments)

    def _run_sync(self, library_id: LibraryId) -> None:
        if self._pipeline.held():  # the request is a row, and the sweep comes back to it
            return
        with self._syncing_lock:
            if library_id in self._syncing:
                return
            self._syncing.add(library_id)
        began = monotonic()
        try:
            self._pipeline.sync(library_id, lambda _: self.detection())
            self._listed_from[library_id] = began
        except NotFound:
            return
        except HostError as error:
            self._listed_from.pop(library_id, None)
            log.warning("Library %s: %s", library_id, error.explanation)
        finally:
            with self._syncing_lock:
                self._syncing.discard(library_id)
        self.detection()
        self.recognition()
        if self._writing is not None:
            self._enqueue(self._take_over_task, library_id)

    def _run_named(self, library_id: LibraryId, host_keys: list[str]) -> None:
        """Also while the library is being compared: a first listing may take long, and this does not."""
        if self._pipeline.held():  # the comparison that was requested, too, finds it afterwards
            return
        try:
            if self._pipeline.take_named(library_id, host_keys, self._detecting):
                self.detection()
                self._run_recognition()
        except NotFound:
            return
        except HostError as error:
            log.info("Library %s: what was named is not looked up: %s", library_id, error.explanation)

    def _run_detection(self) -> None:
        if not self._detecting.acquire(blocking=False):
            return
        try:
            done = self._pipeline.detect(SLICE_SECONDS)
        finally:
            self._detecting.release()
        if done.more:
            self._enqueue(self._detect_task)
        else:
            self.recognition()

    def _run_recognition(self) -> None:
        self._recognising.take(self._recognise)

    def _recognise(self) -> None:
        self._pipeline.recognise()
        self.writeback()

    def _run_taking_over(self, library_id: LibraryId) -> None:
        """Never while names are written: what is half written must not be taken for somebody's word."""
        if self._writing is None or self._pipeline.held():  # the next comparison asks for it again
            return
        try:
            with self._writing_turn.alone():
                self._writing.take_over(library_id)
        except NotFound:
            return  # the library was removed meanwhile
        except KinfolkError as error:
            log.warning("Names from hosts: %s", error.explanation)

    def _run_writing(self) -> None:
        """One after the other: hosts take one write at a time better than many, and two must not do the same."""
        self._writing_turn.take(self._write)

    def _write(self) -> None:
        if self._writing is None:
            return
        try:
            for library_id, kind in self._writing.due():
                if self._pipeline.held():  # what is due is rows, and the sweep comes back to them
                    return
                if self._writing.run(library_id, kind, SLICE_SECONDS).more:
                    self.writeback()
        except NotFound:
            return  # a library was removed meanwhile
        except KinfolkError as error:  # a full disk, say; the next sweep looks again
            log.warning("Names to hosts: %s", error.explanation)

    def _run_model(self) -> None:
        self._pipeline.fetch_model()

    def _run_nightly(self) -> None:
        self._run_second_look()
        self._upkeep()

    def _owes_second_look(self) -> bool:
        return monotonic() >= self._second_look_from and self._pipeline.owes_second_look()

    def _run_owed_look(self) -> None:
        """One waits for its turn, whoever is queued meanwhile goes away: a waiting task takes a thread."""
        if not self._owed_look.acquire(blocking=False):
            return
        try:
            self._run_second_look(unless=lambda: not self._owes_second_look())
        finally:
            self._owed_look.release()

    def _run_second_look(self, unless: Callable[[], bool] = lambda: False) -> None:
        with self._recognising.alone():
            if unless():  # made meanwhile by another
                return
            # Until it succeeds: what fails is owed still, and would fail every minute.
            self._second_look_from = monotonic() + SECOND_LOOK_RETRY_SECONDS
            self._pipeline.nightly()
            self._second_look_from = monotonic()
        self.recognition()


def _local_time(at: time) -> Callable[[datetime], bool]:
    """A Huey timetable entry in local time: Huey passes UTC, a family's night is local."""

    def due(timestamp: datetime) -> bool:
        local = timestamp.replace(tzinfo=UTC).astimezone()
        return (local.hour, local.minute) == (at.hour, at.minute)

    return due


class EmbeddedConsumer(Consumer):  # type: ignore[misc]  # huey ships no type information
    """Huey's consumer inside another program: that program owns the signals."""

    def _set_signal_handlers(self) -> None:
        """The web server or the worker command stops us; Huey must not take SIGTERM, it would drop running tasks."""


class Workers:
    """The running worker threads of one process.

    Args:
        huey: the queue with its tasks registered.
        jobs: swept once at the start, so what a killed run left is taken up at once.
        threads: how many tasks run at once.
        prepare: called in each thread before it works.
    """

    def __init__(self, huey: Huey, jobs: Jobs, threads: int, prepare: Callable[[], None] | None = None) -> None:
        self._jobs = jobs
        self._queue = huey.storage
        if prepare is not None:
            huey.on_startup("prepare")(prepare)
        self._consumer = EmbeddedConsumer(
            huey, workers=threads, scheduler_interval=SCHEDULER_SECONDS, shutdown_timeout=30
        )
        self._stopping = threading.Event()
        self._health = threading.Thread(target=self._watch_health, name="worker-health", daemon=True)

    def start(self) -> None:
        """Start the threads and take up waiting work."""
        self._consumer.start()
        self._health.start()
        try:
            self._jobs.sweep()
        except KinfolkError as error:
            log.warning("%s", error.explanation)

    def stop(self) -> None:
        """Let running tasks finish (at most 30 s), then end. Safe to call twice."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._consumer.stop_flag.set()
            self._queue.end_waiting()
            self._consumer.stop(graceful=True)

    def _watch_health(self) -> None:
        while not self._stopping.wait(10):
            self._consumer.check_worker_health()
