"""Huey: short tasks that nudge the pipeline on, and the timetable. Tasks carry ids only; the work itself is rows."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from huey import SqliteHuey, crontab
from huey.consumer import Consumer
from huey.serializer import SignedSerializer

from plugin.domain import LibraryId
from plugin.errors import HostError, KinfolkError, NotFound
from plugin.pipeline import Pipeline
from plugin.ports.catalogue import Catalogue
from plugin.writeback import WriteBack

log = logging.getLogger(__name__)

SLICE_SECONDS = 5.0
"""A task works about this long and then queues itself again, so that a stop or a new upload never waits long."""

MOST_WAITING_TASKS = 64
"""Beyond this a nudge is dropped: the rows are there, and the sweep looks every minute."""


def open_queue(path: Path, secret: bytes) -> SqliteHuey:
    """The task queue. Huey pickles its messages, so they are signed: a writable queue file must not become code."""
    return SqliteHuey(
        "kinfolk",
        filename=str(path),
        results=False,
        serializer=SignedSerializer(secret.hex(), salt="kinfolk-queue"),
        timeout=30,
        strict_fifo=True,
    )


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
        huey: SqliteHuey,
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
        self._writing_lock = threading.Lock()
        self._looks: list[Callable[[], None]] = []
        self._workers = workers
        self._detecting = threading.BoundedSemaphore(workers)
        self._recognising = threading.Lock()
        self._syncing: set[LibraryId] = set()
        self._syncing_lock = threading.Lock()
        self._sync_task = huey.task(name="sync")(self._run_sync)
        self._detect_task = huey.task(name="detect")(self._run_detection)
        self._recognise_task = huey.task(name="recognise")(self._run_recognition)
        self._model_task = huey.task(name="model")(self._run_model)
        self._take_over_task = huey.task(name="take over")(self._run_taking_over)
        self._write_task = huey.task(name="writeback")(self._run_writing)
        huey.periodic_task(crontab(), name="sweep")(self.sweep)
        huey.periodic_task(_local_time(nightly_at), name="nightly")(self._run_nightly)

    def every_sweep(self, look: Callable[[], None]) -> None:
        """Call this at every sweep, too."""
        self._looks.append(look)

    def sync(self, library_id: LibraryId) -> None:
        """A library should be compared with its host. The request is a row first, so a lost nudge loses nothing."""
        self._catalogue.libraries.request_sync(library_id)
        self._enqueue(self._sync_task, library_id)

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
            due = library.last_sync_at is None or now - library.last_sync_at >= self._rescan
            if due or library.sync_requested_at is not None:
                self._enqueue(self._sync_task, library.id)
        self.detection()
        self.recognition()
        if self._writing is not None and self._writing.due():
            self.writeback()
        for look in self._looks:
            look()

    def _enqueue(self, task: Callable[..., Any], *arguments: int) -> None:
        if self._huey.pending_count() < MOST_WAITING_TASKS:
            task(*arguments)

    def _run_sync(self, library_id: LibraryId) -> None:
        with self._syncing_lock:
            if library_id in self._syncing:
                return
            self._syncing.add(library_id)
        try:
            self._pipeline.sync(library_id, lambda _: self.detection())
        except NotFound:
            return
        except HostError as error:
            log.warning("Library %s: %s", library_id, error.explanation)
        finally:
            with self._syncing_lock:
                self._syncing.discard(library_id)
        self.detection()
        self.recognition()
        if self._writing is not None:
            self._enqueue(self._take_over_task, library_id)

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
        if not self._recognising.acquire(blocking=False):
            return
        try:
            self._pipeline.recognise()
        finally:
            self._recognising.release()
        self.writeback()

    def _run_taking_over(self, library_id: LibraryId) -> None:
        """Never while names are written: what is half written must not be taken for somebody's word."""
        if self._writing is None:
            return
        try:
            with self._writing_lock:
                self._writing.take_over(library_id)
        except NotFound:
            return  # the library was removed meanwhile
        except KinfolkError as error:
            log.warning("Names from hosts: %s", error.explanation)

    def _run_writing(self) -> None:
        """One after the other: hosts take one write at a time better than many, and two must not do the same."""
        if self._writing is None or not self._writing_lock.acquire(blocking=False):
            return
        try:
            for library_id, kind in self._writing.due():
                if self._writing.run(library_id, kind, SLICE_SECONDS).more:
                    self.writeback()
        except NotFound:
            return  # a library was removed meanwhile
        except KinfolkError as error:  # a full disk, say; the next sweep looks again
            log.warning("Names to hosts: %s", error.explanation)
        finally:
            self._writing_lock.release()

    def _run_model(self) -> None:
        self._pipeline.fetch_model()

    def _run_nightly(self) -> None:
        with self._recognising:
            self._pipeline.nightly()
        self._upkeep()


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
    """

    def __init__(self, huey: SqliteHuey, jobs: Jobs, threads: int) -> None:
        self._jobs = jobs
        self._consumer = EmbeddedConsumer(huey, workers=threads, max_delay=1.0, shutdown_timeout=30)
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
            self._consumer.stop(graceful=True)

    def _watch_health(self) -> None:
        while not self._stopping.wait(10):
            self._consumer.check_worker_health()
