"""Seconds from starting `kinfolk serve` to its first page, with a warm disk cache; the median of several starts.

    python -m benchmarks.startup [--starts 5]

Prints the median as a ratio to the limit of 3 s.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.serving import free_port, wait_for_page

LIMIT_SECONDS = 3.0


def start_once(data: str) -> float:
    """One start on this data folder, in seconds."""
    port = free_port()
    environment = os.environ | {"KINFOLK_DATA": data, "KINFOLK_WEB__PORT": str(port)}
    started = time.monotonic()
    server = subprocess.Popen([sys.executable, "-m", "plugin", "serve"], env=environment)
    try:
        wait_for_page(port)
        return time.monotonic() - started
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def main() -> None:
    """Start once to warm the cache, then measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=5)
    starts = parser.parse_args().starts
    with tempfile.TemporaryDirectory(prefix="kinfolk-startup-") as data:
        start_once(data)
        seconds = [start_once(data) for _ in range(starts)]
    median = statistics.median(seconds)
    print(f"first page after {median:.2f} s (median of {starts}): x{median / LIMIT_SECONDS:.2f} of the limit")


if __name__ == "__main__":
    main()
