"""How few requests a PhotoPrism needs, and whether detection waits for the network.

Requests: the first listing, an unchanged one, one new photo, a complete one. The fake PhotoPrism answers 50 ms late in
this process, so the seconds are an upper bound; the requests count. Detection looks at the same pictures once as a
folder and once through PhotoPrism's, served by a process of its own.

    python -m benchmarks.photoprism_intake [--photos 20000] [--pictures 48]
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.albums import write_album
from benchmarks.serving import cache, sample_portraits
from plugin.assemble import open_kinfolk
from plugin.assemble.kinfolk import Kinfolk
from plugin.domain import LibraryId
from plugin.settings import load_settings
from tests.fakes.photoprism import FakePhotoPrism

LATENCY = 0.05
SIZE = (1024, 768)
"""Of the pictures: both hosts decode the same."""


def main() -> None:
    """Print requests and seconds."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--photos", type=int, default=20_000)
    arguments.add_argument("--pictures", type=int, default=48)
    arguments.add_argument("--serve", type=Path, help="be the fake with these pictures, until the input ends")
    given = arguments.parse_args()
    if given.serve:
        serve(given.serve)
        return
    requests(given.photos)
    with tempfile.TemporaryDirectory() as work:
        pictures = Path(work) / "pictures"
        write_album(pictures, sample_portraits(), given.pictures, SIZE)
        detection(pictures)


def requests(photos: int) -> None:
    """Requests and seconds of each kind of pass."""
    with (
        FakePhotoPrism() as server,
        tempfile.TemporaryDirectory() as data,
        open_kinfolk(load_settings(Path(data)), exclusive=False) as kinfolk,
    ):
        long_ago = datetime.now(UTC) - timedelta(days=1)
        server.library.clock = lambda: long_ago
        for number in range(photos):
            photo = server.library.put(f"{number}.jpg", b"%d" % number) if number < 2 else copy(server, number)
            assert photo
        server.latency, server.keeps_bodies = LATENCY, False
        [admin] = kinfolk.catalogue.accounts.all()
        library = kinfolk.photoprism.connect(admin, server.address, server.library.token()).library
        measure("first listing", server, kinfolk, library.id)
        server.library.clock = lambda: datetime.now(UTC)
        copy(server, photos)
        measure("one new photo", server, kinfolk, library.id)
        measure("unchanged", server, kinfolk, library.id)
        kinfolk.catalogue.folder_marks.clear(library.id)
        measure("complete, unchanged", server, kinfolk, library.id)
        assert kinfolk.catalogue.libraries.get(library.id).asset_count == photos + 1


def copy(server: FakePhotoPrism, number: int) -> object:
    """As `put`, without looking for an older version, which would take a minute for all."""
    library = server.library
    library.photos, known = {}, library.photos
    photo = library.put(f"{number}.jpg", b"%d" % number)
    library.photos = known
    library.photos[photo.uid] = photo
    return photo


def measure(what: str, server: FakePhotoPrism, kinfolk: Kinfolk, library_id: LibraryId) -> None:
    """One pass."""
    before, started = len(server.seen), time.perf_counter()
    kinfolk.pipeline.sync(library_id)
    print(f"{what}: {len(server.seen) - before} requests in {time.perf_counter() - started:.1f} s")


def serve(pictures: Path) -> None:
    """Print address and app password, and serve until the input ends."""
    with FakePhotoPrism() as server:
        for picture in sorted(pictures.iterdir()):
            server.library.put(picture.name, picture.read_bytes())
        server.latency, server.keeps_bodies = LATENCY, False
        print(json.dumps([server.address, server.library.token()]), flush=True)
        sys.stdin.read()


def detection(pictures: Path) -> None:
    """Pictures per second of both hosts, three times in turn."""
    command = [sys.executable, "-m", "benchmarks.photoprism_intake", "--serve", str(pictures)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        address, token = json.loads(process.stdout.readline())
        rate(pictures, address, token)  # PhotoPrism makes its pictures once
        rates = [(rate(pictures), rate(pictures, address, token)) for _ in range(3)]
        process.stdin.close()
    folder, far = (statistics.median(column) for column in zip(*rates, strict=True))
    print(f"detection: folder {folder:.1f}/s, {LATENCY * 1000:.0f} ms away {far:.1f}/s, ratio {far / folder:.2f}")


def rate(pictures: Path, address: str = "", token: str = "") -> float:
    """Pictures per second, from the first to the last stored face; listing and model are there before."""
    with tempfile.TemporaryDirectory() as data:
        (Path(data) / "models").symlink_to(cache() / "models")
        with open_kinfolk(load_settings(Path(data)), exclusive=True) as kinfolk:
            kinfolk.models.load(kinfolk.preferences.current().pack)
            admin = kinfolk.catalogue.accounts.all()[0]
            if address:
                library = kinfolk.photoprism.connect(admin, address, token).library
            else:
                library = kinfolk.add_folder(admin.id, str(pictures))
            kinfolk.pipeline.sync(library.id)
            started = time.perf_counter()
            kinfolk.run_detection(lambda _: None)
            done = kinfolk.catalogue.detection.status().done
            assert done == len(list(pictures.iterdir())), "some pictures failed"
            return done / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
