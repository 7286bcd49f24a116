"""How fast the work went over the last day, as a plot and as a table."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from plugin.web.request_context import account, services

STEP = timedelta(minutes=30)
STEPS = 48
HEIGHT = 100
"""Of the plot, in units of its own."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Photos of one half hour. `left` and `height` are in units of the plot: 10 wide a bar, `HEIGHT` high."""

    at: datetime
    count: int
    left: int
    height: float


@dataclass(frozen=True, slots=True)
class Throughput:
    """The last day; `hours` are its sums by hour, for those who do not see the plot, without the empty ones."""

    bars: list[Bar]
    total: int
    most: int
    hours: list[tuple[datetime, int]]

    @property
    def width(self) -> int:
        """In units of the plot."""
        return 10 * len(self.bars)


def throughput(now: datetime | None = None) -> Throughput:
    """Photos that detection finished over the last day, by whole half hours."""
    now = now or datetime.now(UTC)
    step = STEP.total_seconds()
    end = datetime.fromtimestamp((now.timestamp() // step + 1) * step, UTC)
    start = end - STEPS * STEP
    counts = services().catalogue.live.throughput(account().id, start, int(step), STEPS)
    return drawn(start, counts)


def drawn(start: datetime, counts: list[int]) -> Throughput:
    """The plot of these counts, each of one half hour from `start` on."""
    most = max(counts, default=0)
    times = [(start + number * STEP).astimezone() for number in range(len(counts))]
    heights = [round(HEIGHT * count / most, 1) if most else 0.0 for count in counts]
    # Something that happened is seen, however little it was.
    bars = [
        Bar(at, count, 10 * number, max(height, 2.0) if count else 0.0)
        for number, (at, count, height) in enumerate(zip(times, counts, heights, strict=True))
    ]
    hours = [(times[number], counts[number] + counts[number + 1]) for number in range(0, len(counts) - 1, 2)]
    return Throughput(bars, sum(counts), most, [(at, count) for at, count in hours if count])
