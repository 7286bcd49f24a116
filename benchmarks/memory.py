"""Resident memory of `kinfolk serve`, during and after a scan, for a small and a ten times larger library.

    python -m benchmarks.memory [--small 1000] [--large 10000]

Prints each figure as a ratio to its limit: 600 MB idle after the scan, 900 MB during it, and the larger library at most
10 % above the smaller one. Needs the sample album and the default pack (fetched once).
"""

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.albums import write_album
from benchmarks.serving import cache, sample_portraits, serving, work_left
from plugin.vision.models import OnnxFaceModels

MEGABYTE = 1_000_000
IDLE_LIMIT_MB = 600
SCAN_LIMIT_MB = 900
GROWTH_LIMIT = 1.10


@dataclass(frozen=True)
class Memory:
    """Resident megabytes of the serving process and its children: the peak while scanning, and idle afterwards."""

    scanning: float
    idle: float


def resident_megabytes(process: psutil.Process) -> float:
    """RSS of the process and its children, in MB."""
    family = [process, *process.children(recursive=True)]
    return sum(member.memory_info().rss for member in family if member.is_running()) / MEGABYTE


def measure(pictures: int, portraits: list[Path]) -> Memory:
    """Serve an album of this many pictures in an empty data folder and watch."""
    with tempfile.TemporaryDirectory(prefix="kinfolk-memory-") as scratch:
        album, data = Path(scratch) / "album", Path(scratch) / "data"
        write_album(album, portraits, pictures, (1440, 1080))
        data.mkdir()
        (data / "models").symlink_to(cache() / "models")
        kinfolk = [sys.executable, "-m", "plugin", "--data", str(data)]
        subprocess.run([*kinfolk, "library", "add", "folder", str(album)], check=True)
        with serving(data) as server:
            process, peak = psutil.Process(server.pid), 0.0
            while work_left(data, pictures):
                peak = max(peak, resident_megabytes(process))
                time.sleep(0.5)
            time.sleep(20)
            return Memory(peak, resident_megabytes(process))


def main() -> None:
    """Measure both libraries and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=1_000)
    parser.add_argument("--large", type=int, default=10_000)
    sizes = parser.parse_args()
    portraits = sample_portraits()
    OnnxFaceModels(cache() / "models").pull("opencv")
    results = {count: measure(count, portraits) for count in (sizes.small, sizes.large)}
    for count, memory in results.items():
        print(
            f"{count:6d} pictures: scanning {memory.scanning:4.0f} MB (x{memory.scanning / SCAN_LIMIT_MB:.2f} of the "
            f"limit), idle {memory.idle:4.0f} MB (x{memory.idle / IDLE_LIMIT_MB:.2f} of the limit)"
        )
    growth = results[sizes.large].scanning / results[sizes.small].scanning
    print(f"growth while scanning: x{growth:.2f} (limit x{GROWTH_LIMIT:.2f})")


if __name__ == "__main__":
    main()
