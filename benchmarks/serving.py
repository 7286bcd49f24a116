"""What the benchmarks share about a running server: its port, its first page, its queue, and the sample portraits."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(data: Path, settings: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """`kinfolk serve` on this data folder, from its first page on until the block ends; `settings` by variable."""
    port = free_port()
    environment = os.environ | {"KINFOLK_DATA": str(data), "KINFOLK_WEB__PORT": str(port), **(settings or {})}
    server = subprocess.Popen([sys.executable, "-m", "plugin", "serve"], env=environment)
    try:
        wait_for_page(port)
        yield server
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def free_port() -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_page(port: int, seconds: float = 60.0) -> None:
    """Return as soon as the server answers a page, whatever it says."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"no page on port {port} after {seconds:.0f} s")


def work_left(data: Path, expected_assets: int) -> bool:
    """Whether the server's queues still hold work, read from its catalogue without disturbing it."""
    with sqlite3.connect(f"file:{data / 'catalogue.db'}?mode=ro", uri=True) as catalogue:
        assets, waiting = catalogue.execute("SELECT count(*), sum(state = 'pending') FROM asset").fetchone()
        faces = catalogue.execute("SELECT count(*) FROM face WHERE state IN ('pending', 'deferred')").fetchone()[0]
    return bool(assets < expected_assets or waiting or faces)


def cache() -> Path:
    """The folder the tests keep models and sample pictures in, too."""
    return Path(os.environ.get("KINFOLK_TEST_CACHE", Path(__file__).parents[1] / ".cache" / "kinfolk"))


def sample_portraits() -> list[Path]:
    """The sample album's JPEGs, fetched once into the cache."""
    album = cache() / "sample-album"
    subprocess.run([sys.executable, "-m", "plugin", "sample", str(album)], check=True, stdout=subprocess.DEVNULL)
    return sorted(album.glob("*.jpg"))
