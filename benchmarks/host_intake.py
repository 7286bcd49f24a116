"""How few requests a Nextcloud needs, and whether detection waits for the network.

A fake Nextcloud in a process of its own answers 50 ms late. Requests are counted by it; the ratios to the limits of
issue 5 count, not the seconds. Detection looks at the same pictures once as a folder and once through previews. A
photo a hook names is timed until a person has a face on it, with nothing else to do and while all others wait, too.

    python -m benchmarks.host_intake [--files 60000] [--folders 600] [--pictures 96] [--only hooks]
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.albums import write_album
from benchmarks.serving import cache, sample_portraits
from plugin.assemble import open_kinfolk
from plugin.assemble.hooks import NextcloudHooks
from plugin.assemble.kinfolk import Kinfolk
from plugin.assemble.serving import working
from plugin.domain import Library
from plugin.hooks import Hooks
from plugin.settings import load_settings

LATENCY = 0.05
PER_10_000 = 90
PER_POLL = 2
OF_THE_FOLDER = 0.9
HOOK_SECONDS = 10.0
SIZE = (1024, 768)
"""Of the pictures: as large as previews, so that both hosts decode the same."""


@dataclass
class Server:
    """The fake in its process."""

    process: subprocess.Popen[str]
    address: str

    def ask(self, command: str) -> dict[str, int]:
        """One command, one answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        counts: dict[str, int] = json.loads(self.process.stdout.readline())
        return counts

    def count(self) -> int:
        """Requests so far."""
        return sum(self.ask("count").values())


def main() -> None:
    """Print requests and ratios."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--files", type=int, default=60_000)
    arguments.add_argument("--folders", type=int, default=600)
    arguments.add_argument("--pictures", type=int, default=96)
    arguments.add_argument("--only", choices=["hooks"], help="leave the rest out")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as work:
        pictures = Path(work) / "pictures"
        write_album(pictures, sample_portraits(), given.pictures, SIZE)
        many = Path(work) / "many"
        write_album(many, sample_portraits(), 4 * given.pictures, SIZE)  # a backlog that lasts
        with served(1, 1, many, flat=True) as server:
            hooks(server)
        if given.only:
            return
        for flat in (False, True):
            with served(given.files, given.folders, pictures, flat=flat) as server:
                listing(server, given.files, "folders at the top" if flat else "folders by year")
                if not flat:
                    detection(server, pictures)


@contextmanager
def served(files: int, folders: int, pictures: Path, *, flat: bool) -> Iterator[Server]:
    """The fake, until the block ends."""
    command = [sys.executable, "-m", "benchmarks.host_server", "--files", str(files), "--folders", str(folders)]
    command += ["--latency", str(LATENCY), "--pictures", str(pictures), *(["--flat"] if flat else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Server(process, json.loads(process.stdout.readline())["address"])
        process.stdin.close()


def listing(server: Server, files: int, kind: str) -> None:
    """First listing, an unchanged poll, one new photo."""
    with tempfile.TemporaryDirectory() as data, open_kinfolk(load_settings(Path(data)), exclusive=False) as kinfolk:
        library = connect(kinfolk, server, "anna")
        first, seconds = counted(server, kinfolk, library)
        limit = PER_10_000 * files / 10_000
        print(
            f"{files} files, {kind}: {first} requests in {seconds:.1f} s; {first / limit:.3f} of the limit {limit:.0f}"
        )
        polled, seconds = counted(server, kinfolk, library)
        print(f"  unchanged: {polled} requests in {seconds:.2f} s (limit {PER_POLL})")
        server.ask("new")
        new, seconds = counted(server, kinfolk, library)
        print(f"  one new photo: {new} requests in {seconds:.2f} s")
        polled, seconds = counted(server, kinfolk, library)
        print(f"  unchanged again: {polled} requests in {seconds:.2f} s (limit {PER_POLL})")
        assert kinfolk.catalogue.libraries.get(library.id).asset_count == files + 1


def counted(server: Server, kinfolk: Kinfolk, library: Library) -> tuple[int, float]:
    """(requests, seconds) of one pass."""
    before, started = server.count(), time.perf_counter()
    kinfolk.pipeline.sync(library.id)
    return server.count() - before, time.perf_counter() - started


def connect(kinfolk: Kinfolk, server: Server, user: str) -> Library:
    """A library at the fake."""
    admin = kinfolk.catalogue.accounts.all()[0]
    return kinfolk.connections.with_password(admin, server.address, user, "secret")


def detection(server: Server, pictures: Path) -> None:
    """Pictures per second of both hosts, three times in turn."""
    rates: dict[str, list[float]] = {"folder": [], "nextcloud": []}
    rate(pictures, server)  # Nextcloud makes its previews once
    for _ in range(3):
        rates["folder"].append(rate(pictures, None))
        rates["nextcloud"].append(rate(pictures, server))
    folder, far = (statistics.median(rates[kind]) for kind in ("folder", "nextcloud"))
    print(f"detection: folder {folder:.1f}/s, {LATENCY * 1000:.0f} ms away {far:.1f}/s", end=" ")
    print(f"ratio {far / folder:.2f} (wanted {OF_THE_FOLDER})")


def rate(pictures: Path, server: Server | None) -> float:
    """Pictures per second, from the first to the last stored face; listing and model are there before."""
    with tempfile.TemporaryDirectory() as data:
        (Path(data) / "models").symlink_to(cache() / "models")
        with open_kinfolk(load_settings(Path(data)), exclusive=True) as kinfolk:
            kinfolk.models.load(kinfolk.preferences.current().pack)
            admin = kinfolk.catalogue.accounts.all()[0]
            library = connect(kinfolk, server, "ben") if server else kinfolk.add_folder(admin.id, str(pictures))
            kinfolk.pipeline.sync(library.id)
            started = time.perf_counter()
            kinfolk.run_detection(lambda _: None)
            seconds = time.perf_counter() - started
            done = kinfolk.catalogue.detection.status().done
            assert done == len(list(pictures.iterdir())), "some pictures failed"
            return done / seconds


def hooks(server: Server) -> None:
    """Seconds from a hook until a person has a face on the photo it named."""
    with tempfile.TemporaryDirectory() as data:
        (Path(data) / "models").symlink_to(cache() / "models")
        with open_kinfolk(load_settings(Path(data)), exclusive=True, stays=True) as kinfolk:
            library = connect(kinfolk, server, "ben")
            kinfolk.pipeline.sync(library.id)
            kinfolk.run_detection(lambda _: None)
            kinfolk.run_recognition(lambda _: None)
            with working(kinfolk):
                listener = Hooks(
                    kinfolk.catalogue.hooks, kinfolk.catalogue.libraries, NextcloudHooks(None), kinfolk.nudge
                )
                pack = kinfolk.preferences.current().pack
                print_hook("nothing else to do", [until_shown(kinfolk, server, listener, library) for _ in range(2)])
                backlog = kinfolk.catalogue.detection.request("refresh", pack)
                kinfolk.nudge.detection()
                seconds = [until_shown(kinfolk, server, listener, library) for _ in range(2)]
                left = kinfolk.catalogue.detection.status().waiting
                print_hook(f"{left} of {backlog} others waited still", seconds)


def print_hook(kind: str, seconds: list[float]) -> None:
    """The first one, and a second one told right after it."""
    told = ", ".join(f"{one:.1f} s ({one / HOOK_SECONDS:.2f} of the limit {HOOK_SECONDS:.0f})" for one in seconds)
    print(f"from a hook to a person, {kind}: {told}", flush=True)


def until_shown(kinfolk: Kinfolk, server: Server, listener: Hooks, library: Library) -> float:
    """Upload a photo, tell of it, wait."""
    key = server.ask("upload")["id"]
    node = {"id": key, "path": "/ben/files/Pictures/new.jpg"}
    started = time.perf_counter()
    listener.receive(library.id, json.dumps({"event": {"node": node}}).encode())
    while not shown(kinfolk, library, str(key)):
        if time.perf_counter() - started > 12 * HOOK_SECONDS:
            raise TimeoutError("the photo never came")
        time.sleep(0.05)
    return time.perf_counter() - started


def shown(kinfolk: Kinfolk, library: Library, host_key: str) -> bool:
    """Whether a person has a face on the photo."""
    asset = kinfolk.catalogue.assets.of_host_key(library.id, host_key)
    faces = kinfolk.catalogue.faces.of_asset(asset.id, library.account_id) if asset else []
    return any(face.person_id is not None for face in faces)


if __name__ == "__main__":
    main()
