"""The work in the background leaves room for everything else."""

import os
import subprocess
import sys
import threading

import psutil
import pytest

from plugin.pace import BREAK_SECONDS, Pace
from plugin.restraint import LAST_OF_THE_OTHERS, NICENESS, CpuShare, lower_priority


@pytest.mark.skipif(not psutil.LINUX, reason="a niceness of one thread exists on Linux only")
def test_only_the_thread_that_asks_goes_behind_everything_else() -> None:
    found: list[int] = []

    def work() -> None:
        lower_priority()
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [max(before, NICENESS)]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


@pytest.mark.skipif(not psutil.LINUX, reason="ioprio_set exists on Linux only")
def test_its_disk_accesses_wait_for_those_of_others() -> None:
    code = "from plugin.restraint import *; import psutil as p; lower_priority(); print(*p.Process().ionice())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == str(LAST_OF_THE_OTHERS & 7)


@pytest.mark.parametrize(
    ("percent", "workers", "processors", "computed", "took", "rest"),
    [
        (100, 2, 2, 1.0, 1.0, 0.0),  # no limit
        (50, 2, 2, 1.0, 1.0, 1.0),  # each worker may take half of one processor
        (50, 1, 2, 1.0, 1.0, 0.0),  # one worker cannot take more than half of two processors
        (25, 1, 2, 1.0, 1.0, 1.0),
        (5, 1, 1, 0.1, 0.1, 1.9),
        (50, 2, 2, 1.0, 3.0, 0.0),  # it waited for its host longer than it would have to rest
    ],
)
def test_a_worker_rests_until_its_share_is_kept(
    percent: int, workers: int, processors: int, computed: float, took: float, rest: float
) -> None:
    assert CpuShare(percent, workers, processors).rest_after(computed, took) == pytest.approx(rest)


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("plugin.restraint.time.sleep", slept.append)
    return slept


def test_resting_ends_at_once_when_kinfolk_stops(naps: list[float]) -> None:
    stint = CpuShare(5, 1, 1).begin()
    stint._computed -= 3.0  # as if three seconds had been computed
    stint.rest(lambda: len(naps) == 1)
    assert naps == [0.5]


def test_a_rest_is_as_long_as_the_share_asks_for_in_short_naps(naps: list[float]) -> None:
    stint = CpuShare(10, 1, 1).begin()
    stint._computed -= 0.2
    stint._began -= 0.2
    stint.rest(lambda: False)
    assert sum(naps) == pytest.approx(1.8, abs=0.05)
    assert max(naps) <= 0.5


def test_without_a_limit_nobody_rests(naps: list[float]) -> None:
    stint = CpuShare(100, 2, 2).begin()
    stint._computed -= 3.0
    stint.rest(lambda: False)
    assert naps == []


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def finish(pace: Pace, clock: Clock, count: int, every: float, by: str = "CPU") -> None:
    for _ in range(count):
        clock.now += every
        pace.note(by)


def test_the_pace_is_kept_when_the_work_ends(clock: Clock) -> None:
    pace = Pace(clock)
    assert pace.per_second() is None
    finish(pace, clock, 2, 0.5)
    assert pace.per_second() is None
    finish(pace, clock, 8, 0.5)
    clock.now += 10_000
    assert pace.per_second() == pytest.approx(2.0)


def test_a_pause_is_not_taken_for_slowness(clock: Clock) -> None:
    pace = Pace(clock)
    finish(pace, clock, 10, 0.5)
    clock.now += BREAK_SECONDS + 1
    finish(pace, clock, 5, 0.25)
    assert pace.per_second() == pytest.approx(4.0)


def test_the_pace_of_the_cpu_says_nothing_about_a_card(clock: Clock) -> None:
    pace = Pace(clock)
    finish(pace, clock, 10, 1.0)
    finish(pace, clock, 10, 0.1, "ROCm")
    assert pace.per_second() == pytest.approx(10.0)
