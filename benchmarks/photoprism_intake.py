"""How few requests a PhotoPrism needs: the first listing, an unchanged one, one new photo, a complete one.

The fake PhotoPrism answers 50 ms late in this process, so the seconds are an upper bound; the requests count.

    python -m benchmarks.photoprism_intake [--photos 20000]
"""

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from plugin.assemble import open_kinfolk
from plugin.assemble.kinfolk import Kinfolk
from plugin.domain import LibraryId
from plugin.settings import load_settings
from tests.fakes.photoprism import FakePhotoPrism

LATENCY = 0.05


def main() -> None:
    """Print requests and seconds."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--photos", type=int, default=20_000)
    photos = arguments.parse_args().photos
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
        server.latency = LATENCY
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


if __name__ == "__main__":
    main()
