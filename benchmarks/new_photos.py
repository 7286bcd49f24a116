"""What new photos and verdicts cost in a large library, with the real catalogue and the real index.

    python -m benchmarks.new_photos [--faces 100000] [--new 100]

Generates an album (`benchmarks.crowds`), stores it as if it had been recognised, and measures against the limits:
100 new faces recognised in 2 s, a user's word about one face with all it spreads to in 0.2 s. The index is Chroma, as
in `kinfolk serve`; building it takes a few minutes for 100,000 faces. Medians of several tries; ratios to the limits.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import insert

from benchmarks.crowds import Crowd, album
from plugin.assemble.kinfolk import NoNudge
from plugin.catalogue.store import SqlCatalogue, open_catalogue
from plugin.catalogue.tables import asset, embedding, face
from plugin.domain import FaceId, Preferences
from plugin.index.chroma import ChromaIndex
from plugin.people import People
from plugin.recognition import Recognition

PACK = "buffalo_s"
PREFERENCES = Preferences(PACK, minimum_score=0.7, maximum_distance=0.6, minimum_faces=3, linking=1.08)
NEW_LIMIT_SECONDS, VERDICT_LIMIT_SECONDS = 2.0, 0.2
TRIES = 5
AT_ONCE = 5000


class Library:
    """A catalogue and an index that hold a crowd.

    Args:
        folder: an empty folder.
        crowd: the faces.
    """

    def __init__(self, folder: Path, crowd: Crowd) -> None:
        self.catalogue: SqlCatalogue = open_catalogue(folder / "catalogue.db")
        self.index = ChromaIndex(folder / "index")
        self.account = self.catalogue.accounts.all()[0].id
        self._library = self.catalogue.libraries.add(self.account, "folder", "Crowd", "/crowd").id
        self._crowd = crowd
        self._shift = int(crowd.picture.min()) - 1

    def add_assets(self) -> None:
        """Every picture of the crowd, looked at already."""
        done: dict[str, object] = {
            "state": "done",
            "detected_pack": PACK,
            "kind": "photo",
            "gone": False,
            "seen_pass": 1,
            "attempts": 0,
        }
        rows = [
            {"id": int(number) - self._shift, "library_id": self._library, "account_id": self.account, **done}
            | {"host_key": str(number), "path": f"{number}.jpg", "content_key": str(number), "change_key": ""}
            for number in np.unique(self._crowd.picture)
        ]
        with self.catalogue._transactions.write() as connection:  # noqa: SLF001  detection takes hours for so many
            for start in range(0, len(rows), AT_ONCE):
                connection.execute(insert(asset), rows[start : start + AT_ONCE])

    def add_faces(self, rows: range, *, recognised: bool) -> None:
        """These faces of the crowd; as people (the true ones with three faces or more), or waiting."""
        ids = [row + 1 for row in rows]
        constant: dict[str, object] = {
            "x": 0.1,
            "y": 0.1,
            "w": 0.2,
            "h": 0.2,
            "score": 0.9,
            "quality": 0.8,
            "norm": 20.0,
        }
        constant |= {
            "pose": 0.9,
            "sharpness": 300.0,
            "width_px": 120.0,
            "pack": PACK,
            "state": "pending",
            "source": "machine",
        }
        points = np.zeros((5, 2), dtype="<f4").tobytes()
        pictures = self._crowd.picture
        for start in range(0, len(ids), AT_ONCE):
            part = ids[start : start + AT_ONCE]
            vectors = self._crowd.embedding[part[0] - 1 : part[-1]]
            faces = [
                {"id": i, "asset_id": int(pictures[i - 1]) - self._shift, "account_id": self.account, **constant}
                | {"landmarks": points}
                for i in part
            ]
            blobs = [
                {"face_id": i, "pack": PACK, "revision": 1, "indexed": True, "vector": vector.astype("<f4").tobytes()}
                for i, vector in zip(part, vectors, strict=True)
            ]
            with self.catalogue._transactions.write() as connection:  # noqa: SLF001  as above
                connection.execute(insert(face), faces)
                connection.execute(insert(embedding), blobs)
            self.index.add(PACK, part, vectors)
        if recognised:
            self._recognised(ids)

    def _recognised(self, ids: list[FaceId]) -> None:
        who = self._crowd.person[ids[0] - 1 : ids[-1]]
        sizes = np.bincount(who)
        person = np.where(sizes[who] >= PREFERENCES.minimum_faces, -2 - who, -1)
        groups = np.full(len(ids), -1, dtype=np.int64)
        self.catalogue.faces.regroup(self.account, np.array(ids), person, groups)


def median_seconds(action: Callable[[int], object], tries: int) -> float:
    """Of several runs, each with its number."""
    seconds: list[float] = []
    for number in range(tries):
        started = time.perf_counter()
        action(number)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--new", type=int, default=100)
    given = parser.parse_args()
    crowd = album(given.faces + TRIES * given.new)
    with tempfile.TemporaryDirectory(prefix="kinfolk-new-photos-") as folder:
        library = Library(Path(folder), crowd)
        started = datetime.now(UTC)
        library.add_assets()
        library.add_faces(range(given.faces), recognised=True)
        print(f"{given.faces} faces stored and indexed in {(datetime.now(UTC) - started).seconds} s", flush=True)
        recognition = Recognition(library.catalogue, library.index, lambda: PREFERENCES)
        people = People(library.catalogue, NoNudge(), recognition.spread)

        library.index.nearest(PACK, crowd.embedding[0], 1)  # Chroma takes up a large first batch when it is asked
        seconds: list[float] = []
        for first in range(given.faces, len(crowd.person), given.new):
            library.add_faces(range(first, first + given.new), recognised=False)
            seconds.append(median_seconds(lambda _: recognition.run(), 1))
        taken = statistics.median(seconds)
        print(f"{given.new} new faces: {taken:.2f} s (x{taken / NEW_LIMIT_SECONDS:.2f} of the limit)", flush=True)

        def verdict(number: int) -> None:
            people.assign(library.account, loose[number], persons[number])

        places = library.catalogue.faces.all_places(library.account, PACK)
        loose = places.face_id[places.person_id < 0][:TRIES].tolist()
        persons = [person.id for person in library.catalogue.people.all(library.account, limit=TRIES)]
        taken = median_seconds(verdict, TRIES)
        print(f"a verdict and its spreading: {1000 * taken:.0f} ms (x{taken / VERDICT_LIMIT_SECONDS:.2f} of the limit)")


if __name__ == "__main__":
    main()
