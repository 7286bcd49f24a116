"""Huey carries nudges; the rows decide. Run in Huey's immediate mode and with real worker threads."""

import time
from collections.abc import Callable, Iterator
from datetime import time as time_of_day
from datetime import timedelta
from pathlib import Path

import pytest
from huey import SqliteHuey

from plugin.jobs import MOST_WAITING_TASKS, Jobs, Workers, open_queue
from plugin.people import People
from plugin.ports.written import NameKind
from plugin.watchers import Watchers
from plugin.writeback import WriteBack
from tests.fakes.album import NudgeLog
from tests.fakes.host import FakeWatchableHost
from tests.fakes.workshop import Workshop, photo
from tests.fakes.writing_host import FakeWritingHost

ANNA = 1


@pytest.fixture
def workshop() -> Workshop:
    workshop = Workshop()
    for number in range(3):
        workshop.host.put(f"anna{number}.jpg", photo([(ANNA, 60 + 10 * number, 48, 160)]))
    return workshop


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[SqliteHuey]:
    huey = open_queue(tmp_path / "queue.db", b"k" * 32)
    yield huey
    huey.storage.close()


def jobs_on(queue: SqliteHuey, workshop: Workshop, writing: WriteBack | None = None) -> Jobs:
    return Jobs(
        queue,
        workshop.pipeline,
        workshop.catalogue,
        workers=2,
        rescan=timedelta(hours=1),
        nightly_at=time_of_day(2, 0),
        upkeep=lambda: None,
        writing=writing,
    )


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def test_workers_take_a_new_library_from_folder_to_people_by_themselves(queue: SqliteHuey, workshop: Workshop) -> None:
    workers = Workers(queue, jobs_on(queue, workshop), threads=3)
    workers.start()
    try:
        eventually(lambda: workshop.people() == [{"anna0.jpg", "anna1.jpg", "anna2.jpg"}])
    finally:
        workers.stop()
        workers.stop()


def test_a_new_photo_is_found_after_a_nudge(queue: SqliteHuey, workshop: Workshop) -> None:
    jobs = jobs_on(queue, workshop)
    workers = Workers(queue, jobs, threads=3)
    workers.start()
    try:
        eventually(lambda: len(workshop.people()) == 1)
        workshop.host.put("new.jpg", photo([(ANNA, 80, 48, 160)]))
        jobs.sync(workshop.library.id)
        eventually(lambda: workshop.people() == [{"anna0.jpg", "anna1.jpg", "anna2.jpg", "new.jpg"}])
    finally:
        workers.stop()


def test_a_pack_is_fetched_on_request_although_nothing_needs_it_yet(
    queue: SqliteHuey, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop, loaded = Workshop(), list[str]()
    monkeypatch.setattr(workshop.models, "load", loaded.append)
    jobs = jobs_on(queue, workshop)
    workers = Workers(queue, jobs, threads=2)
    workers.start()
    try:
        jobs.model()
        eventually(lambda: loaded == ["opencv"])
    finally:
        workers.stop()


def test_a_sync_request_is_a_row_before_it_is_a_task(queue: SqliteHuey, workshop: Workshop) -> None:
    workshop.pipeline.sync(workshop.library.id)
    jobs = jobs_on(queue, workshop)
    jobs.sync(workshop.library.id)
    assert workshop.catalogue.libraries.get(workshop.library.id).sync_requested_at is not None


def test_a_storm_of_nudges_fills_neither_memory_nor_disk(queue: SqliteHuey, workshop: Workshop) -> None:
    jobs = jobs_on(queue, workshop)
    for _ in range(500):
        jobs.recognition()
    assert queue.pending_count() == MOST_WAITING_TASKS


def test_a_sweep_asks_for_libraries_that_are_due_only(queue: SqliteHuey, workshop: Workshop) -> None:
    jobs = jobs_on(queue, workshop)
    jobs.sweep()
    assert "sync" in {task.name for task in queue.pending()}
    queue.flush()
    workshop.work()
    jobs.sweep()
    assert "sync" not in {task.name for task in queue.pending()}


def test_a_queue_message_that_kinfolk_did_not_sign_is_not_unpickled(tmp_path: Path, workshop: Workshop) -> None:
    queue = open_queue(tmp_path / "queue.db", b"k" * 32)
    jobs_on(queue, workshop)
    foreign = open_queue(tmp_path / "queue.db", b"x" * 32)
    jobs_on(foreign, workshop).recognition()
    with pytest.raises(ValueError, match=r"[Ss]ignature|mismatch"):
        queue.dequeue()
    queue.storage.close()
    foreign.storage.close()


def test_watches_come_and_go_with_libraries(workshop: Workshop) -> None:
    host, told = FakeWatchableHost(), list[int]()
    watchers = Watchers(workshop.catalogue.libraries, lambda library: host, told.append)
    watchers.refresh()
    watchers.refresh()
    host.changed()
    assert told == [workshop.library.id]
    workshop.catalogue.libraries.remove(workshop.library.id)
    watchers.refresh()
    host.changed()
    assert told == [workshop.library.id]
    watchers.stop()


def test_names_reach_the_host_after_recognition_and_after_a_rename(queue: SqliteHuey, workshop: Workshop) -> None:
    catalogue, host = workshop.catalogue, FakeWritingHost()
    for path in workshop.host.files:
        host.put(path, b"")
    people = People(catalogue, NudgeLog())
    writing = WriteBack(catalogue, lambda _library: host, lambda _stream: 1, lambda: None, people=people)
    jobs = jobs_on(queue, workshop, writing)
    workers = Workers(queue, jobs, threads=3)
    workers.start()
    try:
        eventually(lambda: len(workshop.people()) == 1)
        (person,) = catalogue.people.all(workshop.account_id)
        writing.start(workshop.library, NameKind.TAGS)
        for name in ("Anna", "Anna Maria"):
            with catalogue.events.record(workshop.account_id, "name"):
                catalogue.people.rename(person.id, workshop.account_id, name)
            jobs.recognition()
            eventually(lambda said=name: host.tags_of("anna0.jpg") == {f"Person: {said}"})  # type: ignore[misc]
        assert len(host.carried) == 3
    finally:
        workers.stop()


def test_a_sweep_writes_only_where_something_is_due(queue: SqliteHuey, workshop: Workshop) -> None:
    people = People(workshop.catalogue, NudgeLog())
    host = FakeWritingHost()
    writing = WriteBack(workshop.catalogue, lambda _library: host, lambda _stream: 1, lambda: None, people=people)
    jobs = jobs_on(queue, workshop, writing)
    jobs.sweep()
    assert "writeback" not in {task.name for task in queue.pending()}
    writing.start(workshop.library, NameKind.TAGS)
    queue.flush()
    jobs.sweep()
    assert "writeback" in {task.name for task in queue.pending()}
