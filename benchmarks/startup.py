"""Seconds from starting `kinfolk serve` to its first page, with a warm disk cache; the median of several starts.

    python -m benchmarks.startup [--starts 5]

Prints the median as a ratio to the limit of 3 s.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.serving import serving

LIMIT_SECONDS = 3.0


def start_once(data: Path) -> float:
    """One start on this data folder, in seconds."""
    started = time.monotonic()
    with serving(data):
        return time.monotonic() - started


def main() -> None:
    """Start once to warm the cache, then measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=5)
    starts = parser.parse_args().starts
    with tempfile.TemporaryDirectory(prefix="kinfolk-startup-") as data:
        start_once(Path(data))
        seconds = [start_once(Path(data)) for _ in range(starts)]
    median = statistics.median(seconds)
    print(f"first page after {median:.2f} s (median of {starts}): x{median / LIMIT_SECONDS:.2f} of the limit")


if __name__ == "__main__":
    main()
