"""Huey carries nudges; the rows decide. Run in Huey's immediate mode and with real worker threads."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo
from datetime import time as time_of_day
from typing import Any

import pytest
from huey import Huey

from plugin.domain import HostAsset
from plugin.errors import HostUnreachable
from plugin.jobs import MOST_WAITING_TASKS, SECOND_LOOK_RETRY_SECONDS, Jobs, Turn, Workers, open_queue
from plugin.people import People
from plugin.ports.host import Host
from plugin.ports.written import NameKind
from plugin.watchers import Watchers
from plugin.writeback import WriteBack
from tests.fakes.album import NudgeLog
from tests.fakes.host import FakeHost, FakeWatchableHost
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
def queue() -> Huey:
    return open_queue()


def jobs_on(queue: Huey, workshop: Workshop, writing: WriteBack | None = None, workers: int = 2) -> Jobs:
    return Jobs(
        queue,
        workshop.pipeline,
        workshop.catalogue,
        workers=workers,
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


def test_workers_take_a_new_library_from_folder_to_people_by_themselves(queue: Huey, workshop: Workshop) -> None:
    workers = Workers(queue, jobs_on(queue, workshop), threads=3)
    workers.start()
    try:
        eventually(lambda: workshop.people() == [{"anna0.jpg", "anna1.jpg", "anna2.jpg"}])
    finally:
        workers.stop()
        workers.stop()


def test_a_new_photo_is_found_after_a_nudge(queue: Huey, workshop: Workshop) -> None:
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
    queue: Huey, monkeypatch: pytest.MonkeyPatch
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


def test_a_sync_request_is_a_row_before_it_is_a_task(queue: Huey, workshop: Workshop) -> None:
    workshop.pipeline.sync(workshop.library.id)
    jobs = jobs_on(queue, workshop)
    jobs.sync(workshop.library.id)
    assert workshop.catalogue.libraries.get(workshop.library.id).sync_requested_at is not None


class NamingFakeHost(FakeHost):
    """Looks named files up, as Nextcloud does."""

    def look_up_named(self, host_keys: Sequence[str]) -> list[HostAsset]:
        found = (self.look_up(key, lambda _key, _change: None) for key in host_keys)
        return [asset for asset in found if asset is not None]


def naming(workshop: Workshop) -> NamingFakeHost:
    host = NamingFakeHost()
    host.files = workshop.host.files
    workshop.pipeline._host_of = lambda _library: host
    return host


def paths_of(workshop: Workshop) -> set[str]:
    rows = (workshop.catalogue.assets.of_host_key(workshop.library.id, key) for key in workshop.host.files)
    return {row.path for row in rows if row is not None}


def test_a_named_photo_is_taken_although_the_library_is_being_compared(queue: Huey, workshop: Workshop) -> None:
    naming(workshop)
    jobs = jobs_on(queue, workshop)
    jobs._syncing.add(workshop.library.id)
    jobs._run_named(workshop.library.id, ["anna1.jpg", "nothing.jpg"])
    assert paths_of(workshop) == {"anna1.jpg"}
    assert workshop.catalogue.libraries.get(workshop.library.id).last_sync_at is None


def test_a_named_photo_of_a_host_that_is_away_or_a_library_that_is_gone_waits_for_the_comparison(
    queue: Huey, workshop: Workshop
) -> None:
    naming(workshop).unreachable = True
    jobs = jobs_on(queue, workshop)
    jobs._run_named(workshop.library.id, ["anna1.jpg"])
    jobs._run_named(999, ["anna1.jpg"])
    assert paths_of(workshop) == set()
    assert workshop.catalogue.libraries.get(workshop.library.id).last_sync_error is None


def test_named_photos_are_looked_at_by_no_more_threads_than_there_are_workers(
    queue: Huey, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    naming(workshop)
    jobs, process = jobs_on(queue, workshop, workers=1), workshop.detection.process
    inside, most = [], []

    def watched(*given: Any) -> int:
        inside.append(1)
        most.append(len(inside))
        other_came.wait(0.2)
        try:
            return process(*given)
        finally:
            inside.pop()
            if len(most) > 1:
                other_came.set()

    other_came = threading.Event()
    monkeypatch.setattr(workshop.detection, "process", watched)
    named = [
        threading.Thread(target=jobs._run_named, args=(workshop.library.id, [f"anna{number}.jpg"])) for number in (1, 2)
    ]
    for thread in named:
        thread.start()
    for thread in named:
        thread.join()
    assert len(most) == 2
    assert max(most) == 1


def test_during_a_pause_nothing_named_is_looked_up(queue: Huey, workshop: Workshop) -> None:
    naming(workshop)
    workshop.pipeline.held = lambda: True
    jobs_on(queue, workshop)._run_named(workshop.library.id, ["anna1.jpg"])
    assert paths_of(workshop) == set()


def test_a_storm_of_nudges_fills_neither_memory_nor_disk(queue: Huey, workshop: Workshop) -> None:
    jobs = jobs_on(queue, workshop)
    for _ in range(500):
        jobs.recognition()
    assert queue.pending_count() == MOST_WAITING_TASKS


def test_a_sweep_asks_for_libraries_that_are_due_only(queue: Huey, workshop: Workshop) -> None:
    jobs = jobs_on(queue, workshop)
    jobs.sweep()
    assert "sync" in {task.name for task in queue.pending()}
    queue.flush()
    workshop.work()
    jobs.sweep()
    assert "sync" not in {task.name for task in queue.pending()}


def test_a_waiting_thread_is_woken_by_a_task_and_by_the_end_not_by_a_clock(queue: Huey, workshop: Workshop) -> None:
    jobs, taken = jobs_on(queue, workshop), list[str | None]()

    def wait() -> None:
        for _ in range(2):
            task = queue.dequeue()
            taken.append(task.name if task else None)

    thread = threading.Thread(target=wait)
    thread.start()
    jobs.recognition()
    eventually(lambda: taken == ["recognise"])
    queue.storage.end_waiting()
    thread.join(20)
    assert taken == ["recognise", None]
    assert queue.dequeue() is None  # nobody waits once it ended


def test_who_asks_while_it_is_done_gets_it_done_once_more_and_nobody_waits() -> None:
    turn, began, go_on, done = Turn(), threading.Event(), threading.Event(), list[int]()

    def work() -> None:
        began.set()
        go_on.wait(20)
        done.append(threading.get_ident())

    first = threading.Thread(target=turn.take, args=(work,))
    first.start()
    began.wait(20)
    for _ in range(5):
        turn.take(work)
    assert done == []
    go_on.set()
    first.join(20)
    assert done == [first.ident, first.ident]
    turn.take(work)
    assert len(done) == 3


def test_what_fails_lets_the_next_one_have_its_turn() -> None:
    turn, done = Turn(), list[int]()

    def fail() -> None:
        raise HostUnreachable("It is away")

    with pytest.raises(HostUnreachable):
        turn.take(fail)
    turn.take(lambda: done.append(1))
    assert done == [1]


def test_every_worker_thread_is_prepared(queue: Huey, workshop: Workshop) -> None:
    prepared: list[int] = []
    workers = Workers(queue, jobs_on(queue, workshop), 3, prepare=lambda: prepared.append(threading.get_ident()))
    workers.start()
    try:
        eventually(lambda: len(set(prepared)) == 3)
    finally:
        workers.stop()


def due(queue: Huey, jobs: Jobs) -> bool:
    jobs.sweep()
    found = "sync" in {task.name for task in queue.pending()}
    queue.flush()
    return found


def listed(queue: Huey, jobs: Jobs, workshop: Workshop) -> None:
    jobs._run_sync(workshop.library.id)
    queue.flush()


def hours_later(workshop: Workshop, monkeypatch: pytest.MonkeyPatch, hours: float) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(hours=hours)

    monkeypatch.setattr("plugin.jobs.datetime", Later)


def test_a_library_whose_every_change_is_told_is_hardly_listed(
    queue: Huey, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, since = jobs_on(queue, workshop), time.monotonic()
    jobs.trust(lambda _: since, timedelta(hours=24))
    listed(queue, jobs, workshop)
    hours_later(workshop, monkeypatch, 23)
    assert not due(queue, jobs)
    hours_later(workshop, monkeypatch, 25)
    assert due(queue, jobs)


def test_what_changed_before_the_watch_began_is_found_by_the_next_regular_listing(
    queue: Huey, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = jobs_on(queue, workshop)
    listed(queue, jobs, workshop)
    began = time.monotonic()
    jobs.trust(lambda _: began, timedelta(hours=24))
    hours_later(workshop, monkeypatch, 2)
    assert due(queue, jobs)
    listed(queue, jobs, workshop)
    hours_later(workshop, monkeypatch, 4)
    assert not due(queue, jobs)


def test_a_library_that_is_not_watched_is_listed_as_always(
    queue: Huey, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = jobs_on(queue, workshop)
    jobs.trust(lambda _: None, timedelta(hours=24))
    listed(queue, jobs, workshop)
    hours_later(workshop, monkeypatch, 2)
    assert due(queue, jobs)


def test_a_listing_that_failed_is_no_reason_to_wait_a_day(
    queue: Huey, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, since = jobs_on(queue, workshop), time.monotonic()
    jobs.trust(lambda _: since, timedelta(hours=24))
    listed(queue, jobs, workshop)

    def away(*_arguments: object) -> None:
        raise HostUnreachable("It is away")

    monkeypatch.setattr(workshop.pipeline, "sync", away)
    listed(queue, jobs, workshop)
    hours_later(workshop, monkeypatch, 2)
    assert due(queue, jobs)


def test_a_watch_that_lost_its_disk_is_begun_anew_and_not_trusted_meanwhile(workshop: Workshop) -> None:
    host, told = FakeWatchableHost(), list[int]()
    watchers = Watchers(workshop.catalogue.libraries, lambda library: host, told.append)
    assert watchers.tells_since(workshop.library.id) is None
    watchers.refresh()
    first = watchers.tells_since(workshop.library.id)
    assert first is not None
    host.watches[0].holds = host.watches[0].sees_everything = False
    assert watchers.tells_since(workshop.library.id) is None
    watchers.refresh()
    assert len(host.watches) == 2
    later = watchers.tells_since(workshop.library.id)
    assert later is not None
    assert later > first
    watchers.stop()


def test_a_host_that_was_opened_anew_is_watched_anew(workshop: Workshop) -> None:
    """As after "Listen for new photos" was switched on or off, or another login was given."""
    hosts: list[Host] = [FakeHost()]
    watchers = Watchers(workshop.catalogue.libraries, lambda library: hosts[-1], list[int]().append)
    watchers.refresh()
    listening = FakeWatchableHost()
    hosts.append(listening)
    watchers.refresh()
    watchers.refresh()
    assert len(listening.watches) == 1
    hosts.append(FakeHost())
    watchers.refresh()
    assert listening.watching == []
    watchers.stop()


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


def writing_to(host: FakeWritingHost, workshop: Workshop) -> WriteBack:
    people = People(workshop.catalogue, NudgeLog())
    return WriteBack(workshop.catalogue, lambda _library: host, lambda _stream: 1, lambda: None, people=people)


def test_names_reach_the_host_after_recognition_and_after_a_rename(queue: Huey, workshop: Workshop) -> None:
    catalogue, host = workshop.catalogue, FakeWritingHost()
    for path in workshop.host.files:
        host.put(path, b"")
    writing = writing_to(host, workshop)
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


def test_names_given_on_the_host_are_taken_over_after_a_comparison(queue: Huey, workshop: Workshop) -> None:
    catalogue, host = workshop.catalogue, FakeWritingHost()
    for path in workshop.host.files:
        host.put(path, b"")
    writing = writing_to(host, workshop)
    jobs = jobs_on(queue, workshop, writing)
    workers = Workers(queue, jobs, threads=3)
    workers.start()
    try:
        eventually(lambda: len(workshop.people()) == 1)
        asset = catalogue.assets.of_host_key(workshop.library.id, "anna0.jpg")
        assert asset is not None
        (face,) = catalogue.faces.of_asset(asset.id, workshop.account_id)
        marker = host.people.detect("anna0.jpg", (face.box.x, face.box.y, face.box.w, face.box.h))
        host.people.update(marker.uid, {"Name": "Anna", "SubjSrc": "manual"})
        jobs.sync(workshop.library.id)
        eventually(lambda: catalogue.faces.get(face.id).person_name == "Anna")
    finally:
        workers.stop()


def test_a_sweep_writes_only_where_something_is_due(queue: Huey, workshop: Workshop) -> None:
    writing = writing_to(FakeWritingHost(), workshop)
    jobs = jobs_on(queue, workshop, writing)
    jobs.sweep()
    assert "writeback" not in {task.name for task in queue.pending()}
    writing.start(workshop.library, NameKind.TAGS)
    queue.flush()
    jobs.sweep()
    assert "writeback" in {task.name for task in queue.pending()}


def test_a_night_within_a_pause_is_made_up_for_by_the_sweep_after_it(
    queue: Huey, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quiet hours may cover every night."""
    workshop.work()
    held, looks, kept_up = [True], list[int](), list[int]()
    workshop.pipeline.held = lambda: held[0]
    monkeypatch.setattr(workshop.recognition, "nightly", lambda _stop: looks.append(1))
    jobs = jobs_on(queue, workshop)
    jobs._upkeep = lambda: kept_up.append(1)
    jobs._run_nightly()
    jobs.sweep()
    assert "second look" not in {task.name for task in queue.pending()}
    assert looks == []
    held[0] = False
    queue.flush()
    jobs.sweep()
    (task,) = [task for task in queue.pending() if task.name == "second look"]
    queue.execute(task)
    assert looks == [1]
    queue.flush()
    jobs.sweep()
    assert "second look" not in {task.name for task in queue.pending()}
    assert kept_up == [1], "the backup of the night is no work that rests"


def test_a_second_look_that_has_to_wait_takes_one_thread_and_is_made_once(
    queue: Huey, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.work()
    looks, loaded = list[int](), list[str]()
    monkeypatch.setattr(workshop.recognition, "nightly", lambda _stop: looks.append(1))
    monkeypatch.setattr(workshop.models, "load", loaded.append)
    workshop.pipeline.held = lambda: True
    workshop.pipeline.nightly()
    workshop.pipeline.held = lambda: False
    jobs = jobs_on(queue, workshop)
    workers = Workers(queue, jobs, threads=3)
    with jobs._recognising.alone():
        workers.start()
        for _ in range(5):
            jobs.sweep()
        jobs.model()
        try:
            eventually(lambda: loaded == ["opencv"])
        except AssertionError:
            workers._consumer.stop_flag.set()
            raise
    try:
        eventually(lambda: not workshop.pipeline.owes_second_look() and queue.pending_count() == 0)
    finally:
        workers.stop()
    assert looks == [1]


def test_a_second_look_that_fails_is_not_made_again_every_minute(
    queue: Huey, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_stop: Callable[[], bool]) -> None:
        raise RuntimeError("nobody thought of it")

    workshop.work()
    workshop.pipeline.held = lambda: True
    workshop.pipeline.nightly()
    workshop.pipeline.held = lambda: False
    monkeypatch.setattr(workshop.recognition, "nightly", broken)
    jobs = jobs_on(queue, workshop)
    with pytest.raises(RuntimeError):
        jobs._run_second_look()
    jobs.sweep()
    assert "second look" not in {task.name for task in queue.pending()}
    jobs._second_look_from -= SECOND_LOOK_RETRY_SECONDS
    jobs.sweep()
    assert "second look" in {task.name for task in queue.pending()}


def test_during_a_pause_no_host_is_told_names_or_asked_for_them(
    queue: Huey, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = writing_to(FakeWritingHost(), workshop)
    jobs = jobs_on(queue, workshop, writing)
    writing.start(workshop.library, NameKind.TAGS)
    asked = list[str]()
    run = writing.run

    def watched(*given: Any) -> Any:
        asked.append("told")
        return run(*given)

    monkeypatch.setattr(writing, "run", watched)
    monkeypatch.setattr(writing, "take_over", lambda _library: asked.append("asked"))
    workshop.pipeline.held = lambda: True
    jobs._run_writing()
    jobs._run_taking_over(workshop.library.id)
    assert asked == []
    workshop.pipeline.held = lambda: False
    jobs._run_writing()
    jobs._run_taking_over(workshop.library.id)
    assert set(asked) == {"told", "asked"}


def test_a_request_during_a_pause_wakes_no_disk_and_is_done_by_itself_afterwards(
    queue: Huey, workshop: Workshop
) -> None:
    held = [True]
    workshop.pipeline.held = lambda: held[0]
    jobs = jobs_on(queue, workshop)
    jobs.sync(workshop.library.id)
    jobs._run_sync(workshop.library.id)
    library = workshop.catalogue.libraries.get(workshop.library.id)
    assert library.sync_requested_at is not None
    assert library.last_sync_at is None
    held[0] = False
    workers = Workers(queue, jobs, threads=3)
    workers.start()
    try:
        eventually(lambda: workshop.people() == [{"anna0.jpg", "anna1.jpg", "anna2.jpg"}])
    finally:
        workers.stop()
