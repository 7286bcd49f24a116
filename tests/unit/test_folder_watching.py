"""Watching a folder: one call after a burst of changes, none for what is left out."""

import errno
import threading
from pathlib import Path
from typing import Any

import pytest
from watchdog.observers.api import BaseObserver

from plugin.hosts.folder.host import FolderHost
from plugin.hosts.folder.mounts import Ground
from plugin.hosts.folder.options import FolderOptions
from plugin.hosts.folder.watching import Settling

QUICK = FolderOptions(settle_seconds=0.05, longest_settle_seconds=0.2)
LONG = 20.0
"""More than any change needs; only a failing test waits this long."""


class Calls:
    def __init__(self) -> None:
        self.count = 0
        self._told = threading.Semaphore(0)

    def __call__(self) -> None:
        self.count += 1
        self._told.release()

    def wait(self) -> bool:
        return self._told.acquire(timeout=LONG)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024/ben.jpg").write_bytes(b"Ben")
    return tmp_path


@pytest.mark.parametrize("change", ["create", "overwrite", "rename", "delete", "new folder", "delete folder"])
def test_every_kind_of_change_is_told(photos: Path, change: str) -> None:
    calls = Calls()
    watch = FolderHost(str(photos), QUICK).watch(calls)
    assert watch is not None
    ben = photos / "2024/ben.jpg"
    match change:
        case "create":
            (photos / "2024/anna.jpg").write_bytes(b"Anna")
        case "overwrite":
            ben.write_bytes(b"Ben again")
        case "rename":
            ben.rename(photos / "ben.jpg")
        case "delete":
            ben.unlink()
        case "new folder":
            (photos / "2025").mkdir()
        case "delete folder":
            ben.unlink()
            ben.parent.rmdir()
    try:
        assert calls.wait()
    finally:
        watch.stop()


def test_a_watch_holds_until_it_is_stopped_or_its_folder_is_another_one(photos: Path) -> None:
    folder = photos / "2024"
    watch = FolderHost(str(folder), QUICK).watch(Calls())
    stopped = FolderHost(str(folder), QUICK).watch(Calls())
    assert watch is not None
    assert stopped is not None
    seen = [watch.holds]
    stopped.stop()
    assert not stopped.holds
    folder.rename(photos / "unplugged")
    seen.append(watch.holds)
    folder.mkdir()
    seen += [watch.holds, watch.sees_everything]
    watch.stop()
    assert seen == [True, False, False, False]


@pytest.mark.parametrize("way", ["made", "moved in"])
def test_a_watch_that_may_miss_a_new_folder_is_begun_anew(photos: Path, tmp_path_factory: Any, way: str) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "2025"
    elsewhere.mkdir()
    calls = Calls()
    watch = FolderHost(str(photos), QUICK).watch(calls)
    assert watch is not None
    (photos / "@eaDir").mkdir()
    (photos / "2024/anna.jpg").write_bytes(b"Anna")
    assert calls.wait()
    held = [watch.holds]
    elsewhere.rename(photos / "2025") if way == "moved in" else (photos / "2025").mkdir()
    assert calls.wait()
    held.append(watch.holds)
    watch.stop()
    assert held == [True, False]


@pytest.mark.parametrize("told", [True, False])
def test_a_watch_sees_everything_on_a_disk_of_this_machine_only(
    photos: Path, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    ground = Ground(1, 1, (("/", "ext4" if told else "nfs4"),))
    monkeypatch.setattr("plugin.hosts.folder.watching.ground_of", lambda folder: ground)
    watch = FolderHost(str(photos), QUICK).watch(Calls())
    assert watch is not None
    assert watch.holds
    assert watch.sees_everything is told
    watch.stop()


def test_reading_and_what_is_left_out_are_not_told(photos: Path) -> None:
    calls = Calls()
    watch = FolderHost(str(photos), QUICK).watch(calls)
    assert watch is not None
    (photos / "2024/ben.jpg").read_bytes()
    (photos / "notes.txt").write_bytes(b"notes")
    (photos / "@eaDir").mkdir()
    (photos / "@eaDir/thumb.jpg").write_bytes(b"thumb")
    (photos / "2024/.tmp.jpg").write_bytes(b"half")
    try:
        assert not calls._told.acquire(timeout=0.5)
        (photos / "2024/anna.jpg").write_bytes(b"Anna")
        assert calls.wait(), "the watch was alive all the time"
    finally:
        watch.stop()


def test_a_stopped_watch_is_silent_and_leaves_no_thread(photos: Path) -> None:
    before = set(threading.enumerate())
    calls = Calls()
    watch = FolderHost(str(photos), QUICK).watch(calls)
    assert watch is not None
    watch.stop()
    watch.stop()
    (photos / "late.jpg").write_bytes(b"late")
    assert set(threading.enumerate()) <= before
    assert calls.count == 0


def test_without_watches_left_there_is_no_watch_and_the_log_says_what_to_do(
    photos: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(observer: BaseObserver) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.setattr(BaseObserver, "start", full)
    before = set(threading.enumerate())
    assert FolderHost(str(photos), QUICK).watch(lambda: None) is None
    assert "max_user_watches" in caplog.text
    assert set(threading.enumerate()) <= before


def test_changes_that_never_pause_are_told_all_the_same() -> None:
    calls = Calls()
    settling = Settling(calls, settle_seconds=LONG, longest_seconds=0.05)
    settling.changed()
    settling.changed()
    try:
        assert calls.wait()
        settling.changed()
        assert calls.wait(), "and told again after the next burst"
    finally:
        settling.stop()


def test_many_changes_at_once_are_told_once() -> None:
    calls = Calls()
    settling = Settling(calls, settle_seconds=0.2, longest_seconds=LONG)
    for _ in range(100):
        settling.changed()
    try:
        assert calls.wait()
        assert not calls._told.acquire(timeout=0.4)
    finally:
        settling.stop()


def test_a_callback_that_fails_does_not_end_the_watch(caplog: pytest.LogCaptureFixture) -> None:
    calls = Calls()

    def fail_once() -> None:
        calls()
        if calls.count == 1:
            raise RuntimeError("the catalogue is busy")

    settling = Settling(fail_once, settle_seconds=0.01, longest_seconds=0.01)
    try:
        settling.changed()
        assert calls.wait()
        settling.changed()
        assert calls.wait()
    finally:
        settling.stop()
    assert "could not be reported" in caplog.text


def test_a_watch_can_be_stopped_from_its_own_callback() -> None:
    stopped = threading.Event()
    holder: list[Settling] = []

    def stop() -> None:
        holder[0].stop()
        stopped.set()

    holder.append(Settling(stop, settle_seconds=0.01, longest_seconds=0.01))
    holder[0].changed()
    assert stopped.wait(LONG)
