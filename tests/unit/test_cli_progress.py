"""Progress: plain lines every few seconds in a log, bars in a terminal."""

import io
import logging

import pytest
from rich.console import Console

from plugin.cli import progress
from plugin.cli.output import duration, log_to_terminal, printable
from plugin.cli.progress import DownloadDisplay, ScanDisplay, counted
from plugin.domain import ScanProgress, ScanStage


class Clock:
    """Seconds that only pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def detecting(done: int) -> ScanProgress:
    return ScanProgress(ScanStage.DETECT, done, 100)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"), (7800, "2 h 10 min")],
)
def test_a_length_of_time_is_told_as_people_say_it(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_counts_come_with_total_rate_time_left_faces_and_failures() -> None:
    state = ScanProgress(ScanStage.DETECT, 1200, 5000, failed=2, faces=900, rate=3.14, seconds_left=1210)
    assert counted(state) == "1,200 of 5,000, 3.1/s, 20 min 10 s left, 900 faces, 2 failed"


def test_while_the_total_is_unknown_only_the_count_is_told() -> None:
    assert counted(ScanProgress(ScanStage.SYNC, 12, None, message="Family\n")) == "12, Family\\n"


def test_without_a_terminal_a_line_comes_every_five_seconds_and_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with ScanDisplay(clock) as display:
        for second in range(12):
            clock.now = float(second)
            display(detecting(second))
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"Finding faces: {done} of 100" for done in (0, 5, 10, 11)]


def test_the_last_word_on_each_stage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with ScanDisplay(Clock()) as display:
        display(ScanProgress(ScanStage.SYNC, 1, None))
        display(ScanProgress(ScanStage.SYNC, 7, None))
        display(detecting(3))
    assert capsys.readouterr().err.splitlines() == [
        "Looking for photos: 1", "Looking for photos: 7", "Finding faces: 3 of 100",
    ]  # fmt: skip


def test_in_a_terminal_there_are_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    monkeypatch.setattr(progress, "notes", lambda: console)
    with ScanDisplay() as display:
        display(detecting(40))
    with DownloadDisplay() as display_bytes:
        display_bytes(1_000_000, 2_000_000, "sface.onnx")
    assert "Finding faces" in screen.getvalue()
    assert "40 of 100" in screen.getvalue()
    assert "sface.onnx" in screen.getvalue()


def test_control_characters_are_escaped_and_letters_kept() -> None:
    assert printable("Åse \x1b[2J\u202e李\n") == "Åse \\x1b[2J\\u202e李\\n"


def test_libraries_are_quiet_and_kinfolk_speaks_from_the_chosen_level_on(capsys: pytest.CaptureFixture[str]) -> None:
    root, own = logging.getLogger(), logging.getLogger("plugin")
    before = (list(root.handlers), root.level, own.level)
    try:
        log_to_terminal("info")
        logging.getLogger("alembic").info("about tables")
        logging.getLogger("plugin.jobs").info("about photos")
        logging.getLogger("plugin.jobs").debug("about details")
    finally:
        root.handlers = before[0]
        root.setLevel(before[1])
        own.setLevel(before[2])
    shown = capsys.readouterr().err
    assert "about photos" in shown
    assert "about tables" not in shown
    assert "about details" not in shown
