"""What `kinfolk serve` takes while there is nothing to do: memory, processor, disks.

    python -m benchmarks.idle [--pictures 60] [--minutes 10]

Serves an empty data folder, connected to an MQTT broker (Mosquitto, of its own) that is told about an account, with a
sensor there that says something every second. Adds an album, waits until everything is looked at and the models left
memory, and then watches for some minutes. Prints resident memory before, with and after the models, the processor at
rest as a ratio to the limit of 0.5 % of one core, and what was written and read meanwhile: files of the data folder
that changed, files and folders of the library that were opened, bytes. The regular comparison with the library is
switched off (that is what a poll costs; docs/idle.md tells how often it happens). Needs the sample album and the
default pack (fetched once), and Mosquitto.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from benchmarks.albums import write_album
from benchmarks.memory import resident_megabytes
from benchmarks.serving import cache, sample_portraits, serving, work_left
from plugin.catalogue.store import open_catalogue
from plugin.mqtt.broker import PahoConnection
from plugin.vision.models import OnnxFaceModels
from tests.fakes.mosquitto import Mosquitto, kept_at, running

CPU_LIMIT = 0.005
"""Of one core."""

SENSOR = "cellar/temperature"


def settings(broker: Mosquitto) -> dict[str, str]:
    """As variables: models leave early, the library is not compared again, and there is a broker."""
    return {
        "KINFOLK_RUNTIME__UNLOAD_MINUTES": "1",
        "KINFOLK_LIBRARIES__RESCAN_MINUTES": "10080",
        "KINFOLK_MQTT__HOST": broker.login.host,
        "KINFOLK_MQTT__PORT": str(broker.port),
        "KINFOLK_MQTT__USER": broker.login.user,
        "KINFOLK_MQTT__PASSWORD": broker.login.password,
        "KINFOLK_PAUSE__SENSORS": json.dumps([{"topic": SENSOR, "above": 40}]),
    }


@contextmanager
def chatting(broker: Mosquitto) -> Iterator[None]:
    """A sensor that says the same, more or less, every second."""
    over = threading.Event()
    sensor = PahoConnection(broker.login, "sensor", None, lambda _heard: None)

    def chat() -> None:
        said = 0
        while not over.wait(1):
            said += 1
            sensor.publish(SENSOR, b"%d" % (20 + said % 3), keep=True)

    thread = threading.Thread(target=chat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        sensor.close()


@dataclass(frozen=True)
class Rest:
    """What one stretch of rest took; bytes are those that reached a disk or its cache, not pipes or sockets."""

    cpu: float
    wakes_per_second: float
    written_bytes: int
    read_bytes: int
    changed: list[str]
    touched: list[str]


class Opened(FileSystemEventHandler):
    """Notes every access to the library."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Keep what happened."""
        self.paths.append(f"{event.event_type} {event.src_path!s}")


def rest(process: psutil.Process, data: Path, album: Path, seconds: float) -> Rest:
    """Watch for so long."""
    opened, observer = Opened(), Observer()
    observer.schedule(opened, str(album), recursive=True)
    observer.start()
    files, times, counts, switches = states(data), process.cpu_times(), process.io_counters(), wakes(process)
    began = time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    after, later = process.cpu_times(), process.io_counters()
    observer.stop()
    observer.join()
    now = states(data)
    return Rest(
        cpu=(after.user + after.system - times.user - times.system) / took,
        wakes_per_second=(wakes(process) - switches) / took,
        written_bytes=later.write_bytes - counts.write_bytes,
        read_bytes=later.read_bytes - counts.read_bytes,
        changed=sorted(name for name in files.keys() | now.keys() if files.get(name) != now.get(name)),
        touched=opened.paths,
    )


def wakes(process: psutil.Process) -> int:
    """How often its threads went to sleep by themselves."""
    total = 0
    for status in Path(f"/proc/{process.pid}/task").glob("*/status"):
        total += int(status.read_text().partition("\nvoluntary_ctxt_switches:")[2].split()[0])
    return total


def states(folder: Path) -> dict[str, tuple[int, int]]:
    """(time, size) of every file."""
    found = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {str(path.relative_to(folder)): (stat.st_mtime_ns, stat.st_size) for path, stat in found.items()}


def until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for it."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.5)


def main() -> None:
    """Serve, work, rest, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=60)
    parser.add_argument("--minutes", type=float, default=10)
    chosen = parser.parse_args()
    OnnxFaceModels(cache() / "models").pull("opencv")
    with tempfile.TemporaryDirectory(prefix="kinfolk-idle-") as scratch:
        album, data = Path(scratch) / "album", Path(scratch) / "data"
        write_album(album, sample_portraits(), chosen.pictures, (1440, 1080))
        data.mkdir()
        (data / "models").symlink_to(cache() / "models")
        broker_folder = Path(scratch) / "broker"
        broker_folder.mkdir()
        open_catalogue(data / "catalogue.db").close()
        with running(broker_folder) as broker:
            allow_everybody(data)
            with serving(data, settings(broker)) as server, chatting(broker):
                measure(psutil.Process(server.pid), data, album, chosen.pictures, chosen.minutes)
            told = [topic for topic in kept_at(broker) if topic.startswith("kinfolk/")]
            print(f"the broker was told {len(told)} topics", flush=True)


def allow_everybody(data: Path) -> None:
    """Every account allows that Home Assistant is told about it."""
    catalogue = open_catalogue(data / "catalogue.db")
    for account in catalogue.accounts.all():
        catalogue.smart_home.allow(account.id)
    catalogue.close()


def measure(process: psutil.Process, data: Path, album: Path, pictures: int, minutes: float) -> None:
    """Memory before, during and after work, then the rest."""
    time.sleep(15)
    before = resident_megabytes(process)
    add = [sys.executable, "-m", "plugin", "--data", str(data), "library", "add", "folder", str(album)]
    subprocess.run(add, check=True, stdout=subprocess.DEVNULL)
    until(lambda: not work_left(data, pictures), 900)
    time.sleep(25)  # the search index is opened last
    loaded = resident_megabytes(process)
    time.sleep(75)
    after = resident_megabytes(process)
    print(f"memory: {before:.0f} MB before, {loaded:.0f} MB with models, {after:.0f} MB after", flush=True)
    report(rest(process, data, album, 60 * minutes), minutes)


def report(found: Rest, minutes: float) -> None:
    """Print what the rest took."""
    print(f"at rest: {found.cpu:.3%} of one core: x{found.cpu / CPU_LIMIT:.2f} of the limit")
    print(f"         woke {found.wakes_per_second:.1f} times a second")
    print(f"in {minutes:g} minutes: {found.written_bytes} bytes written, {found.read_bytes} bytes read from disks")
    print(f"         files of the data folder changed: {', '.join(found.changed) or 'none'}")
    print(f"         accesses to the library: {', '.join(found.touched[:5]) or 'none'}")


if __name__ == "__main__":
    main()
