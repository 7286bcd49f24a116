"""How far long work is: bars in a terminal, a plain line every few seconds anywhere else."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TaskID, TextColumn, TransferSpeedColumn

from plugin.cli.output import duration, note, notes, printable
from plugin.domain import ScanProgress, ScanStage

SECONDS_BETWEEN_LINES = 5.0

STAGES = {
    ScanStage.SYNC: "Looking for photos",
    ScanStage.DETECT: "Finding faces",
    ScanStage.RECOGNISE: "Recognising people",
}


class ScanDisplay:
    """Shows the progress of a scan while the block runs; call it with every `ScanProgress`.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._bars: Progress | None = None
        self._tasks: dict[ScanStage, TaskID] = {}
        self._last: ScanProgress | None = None
        self._printed_at = float("-inf")
        self._printed: ScanProgress | None = None

    def __enter__(self) -> Self:
        console = notes()
        if console.is_terminal:
            columns = (
                SpinnerColumn(),
                TextColumn("{task.description:<20}"),
                BarColumn(),
                TextColumn("{task.fields[text]}"),
            )
            self._bars = Progress(*columns, console=console)
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.stop()
        elif self._last is not None:
            self._print(self._last)

    def __call__(self, progress: ScanProgress) -> None:
        """Show this state."""
        if self._bars:
            self._draw(self._bars, progress)
            return
        if self._last is not None and self._last.stage is not progress.stage:
            self._print(self._last)
        self._last = progress
        if self._clock() - self._printed_at >= SECONDS_BETWEEN_LINES:
            self._print(progress)

    def _draw(self, bars: Progress, progress: ScanProgress) -> None:
        if progress.stage not in self._tasks:
            self._tasks[progress.stage] = bars.add_task(STAGES[progress.stage], total=None, text="")
        task = self._tasks[progress.stage]
        bars.update(task, completed=progress.done, total=progress.total, text=counted(progress))

    def _print(self, progress: ScanProgress) -> None:
        if progress is not self._printed:
            note(f"{STAGES[progress.stage]}: {counted(progress)}")
        self._printed, self._printed_at = progress, self._clock()


def counted(progress: ScanProgress) -> str:
    """Count, rate, time left, faces and failures of one state as text."""
    total = f" of {progress.total:,}" if progress.total is not None else ""
    parts = [f"{progress.done:,}{total}"]
    if progress.rate:
        parts.append(f"{progress.rate:.1f}/s")
    if progress.seconds_left:
        parts.append(f"{duration(progress.seconds_left)} left")
    if progress.faces:
        parts.append(f"{progress.faces:,} faces")
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    if progress.message:
        parts.append(printable(progress.message))
    return ", ".join(parts)


class DownloadDisplay:
    """Shows bytes as they come while the block runs; call it with (done, total or None, what)."""

    def __init__(self) -> None:
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        console = notes()
        if console.is_terminal:
            text = TextColumn("{task.description}")
            self._bars = Progress(text, BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=console)
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.stop()

    def __call__(self, done: int, total: int | None, what: str) -> None:
        """Show this state; without a terminal, only that a file has begun."""
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=total) if self._bars else TaskID(0)
            if not self._bars:
                note(f"Fetching {what}")
        if self._bars:
            self._bars.update(self._tasks[what], completed=done, total=total)
