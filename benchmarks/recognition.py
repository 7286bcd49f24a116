"""Every grouping method on labelled faces: how right, how many corrections a user would make, how long, how large.

    python -m benchmarks.recognition --albums DIR [--json] [--shuffles 5]

DIR holds `<album>.<pack>.npz` files with the arrays `embedding` (n, d), `person` (-1: not scored) and `picture`. The
quality of faces follows from `score`, `norm`, `sharpness`, `landmarks` and `width_px`; without these all are typical.
`full` is one run over everything, `incremental` starts with the first fifth and adds the rest in 20 batches; both with
the faces in several random orders, of which the mean is printed. One setting per pack for all albums.
"""

import argparse
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.scores import Labels, score
from plugin.domain import Float32Array
from plugin.faces.grouping import TRUSTED_QUALITY
from plugin.faces.immich import NOBODY, Rules, recognise_all
from plugin.faces.known import KnownFaces, KnownPeople
from plugin.faces.linkage import Constraints, Groups, link
from plugin.faces.neighbours import similar_pairs
from plugin.faces.quality import NORM_RANGES, pose, quality
from plugin.faces.regrouping import NEW, regroup, surroundings

MINIMUM_FACES = 3
FIRST, BATCHES = 0.2, 20
DISTANCE, LINKING = {"buffalo_s": 0.6}, {"buffalo_s": 1.08}
DISTANCE_ELSE, LINKING_ELSE = 0.5, 1.03
"""The packs' default maximum recognition distance, and how far their groups link."""


@dataclass(frozen=True)
class Album:
    """Labelled faces of one file."""

    name: str
    pack: str
    embedding: Float32Array
    person: Labels
    picture: Labels
    quality: Float32Array | None = None

    @property
    def distance(self) -> float:
        """The pack's default maximum recognition distance."""
        return DISTANCE.get(self.pack, DISTANCE_ELSE)

    def in_order(self, order: Labels) -> "Album":
        """The same faces in another order."""
        quality = None if self.quality is None else self.quality[order]
        return Album(self.name, self.pack, self.embedding[order], self.person[order], self.picture[order], quality)

    def known(self, person: Labels, group: Labels) -> KnownFaces:
        """The faces as recognition sees them: no dates, and no user said anything."""
        count = len(person)
        said, undated = np.full(count, NOBODY, dtype=np.int64), np.full(count, "NaT", dtype="datetime64[s]")
        trusted = np.ones(count, dtype=np.bool_) if self.quality is None else self.quality >= TRUSTED_QUALITY
        return KnownFaces(self.embedding, self.picture, person, said, group, undated, trusted, self.quality)


def read_albums(folder: Path) -> Iterator[Album]:
    """Every album of a folder."""
    for path in sorted(folder.glob("*.npz")):
        name, pack = path.stem.split(".")
        arrays = np.load(path)
        embedding = arrays["embedding"].astype(np.float32)
        embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
        person, picture = arrays["person"].astype(np.int64), arrays["picture"].astype(np.int64)
        yield Album(name, pack, embedding, person, picture, qualities(pack, arrays))


def qualities(pack: str, arrays: Mapping[str, Float32Array]) -> Float32Array | None:
    """What detection would have stored as quality, float32 (n,); None for a file that does not tell."""
    if not {"score", "norm", "sharpness", "landmarks", "width_px"} <= set(arrays):
        return None
    norm_range = NORM_RANGES.get(pack.removesuffix("_mesh"))
    columns = (arrays[name].tolist() for name in ("score", "norm", "sharpness", "width_px"))
    found = [
        quality(score=score, norm=norm, sharpness=sharp, pose=pose(points), width_px=width, norm_range=norm_range)
        for points, score, norm, sharp, width in zip(arrays["landmarks"], *columns, strict=True)
    ]
    return np.array(found, dtype=np.float32)


Method = Callable[[Album, Labels, Labels], Labels]
"""(album, who the faces were, new rows) -> who they are now, `NOBODY` for none. Rows behind the new ones are unseen."""


class Kinfolk:
    """The default engine, as recognition runs it."""

    def __init__(self) -> None:
        self._last = 0
        self._group = np.empty(0, dtype=np.int64)

    def __call__(self, album: Album, before: Labels, new: Labels) -> Labels:
        """Regroup what the new faces touch."""
        if len(self._group) != len(before):
            self._group = np.full(len(before), NOBODY, dtype=np.int64)
        faces = album.known(before, self._group).some(np.arange(int(new.max()) + 1))
        rows = surroundings(faces, new, album.distance)
        done = regroup(
            faces.some(rows),
            KnownPeople(),
            maximum_distance=album.distance,
            minimum_faces=MINIMUM_FACES,
            linking=LINKING.get(album.pack, LINKING_ELSE),
        )
        now = before.copy()
        founded = done.person <= NEW
        now[rows[done.rows]] = np.where(founded, self._last + 1 + NEW - done.person, done.person)
        self._last += len(np.unique(done.person[founded]))
        self._group[rows[done.rows]] = np.where(done.group >= 0, rows[done.group], NOBODY)
        return now


def immich(factor: float) -> Method:
    """Immich's algorithm, at the default distance times this."""

    def run(album: Album, before: Labels, new: Labels) -> Labels:
        seen = int(new.max()) + 1
        rules = Rules(MINIMUM_FACES, factor * album.distance)
        waiting = np.flatnonzero(before[:seen] == NOBODY)
        now = before.copy()
        now[:seen] = recognise_all(album.embedding[:seen], before[:seen], waiting, rules).person
        return now

    return run


def average_linkage(factor: float) -> Method:
    """Plain average linkage without any constraint, always from scratch, at the default distance times this."""

    def run(album: Album, before: Labels, new: Labels) -> Labels:
        seen = int(new.max()) + 1
        alone = Constraints(np.arange(seen), np.full(seen, NOBODY, dtype=np.int64))
        groups = Groups(album.embedding[:seen], alone)
        distance = factor * album.distance
        link(groups, similar_pairs(album.embedding[:seen], distance, 128), distance)
        now = before.copy()
        now[:seen] = np.where(groups.size[groups.label] >= MINIMUM_FACES, groups.label + 1, NOBODY)
        return now

    return run


METHODS: dict[str, Callable[[], Method]] = {
    "kinfolk": Kinfolk,
    **{f"immich x{factor}": partial(immich, factor) for factor in (0.83, 0.9, 1.0, 1.1)},
    **{f"average x{factor}": partial(average_linkage, factor) for factor in (1.07, 1.1, 1.14, 1.17, 1.22, 1.27)},
}


def batches(count: int, run: str) -> list[Labels]:
    """The rows of each run of recognition."""
    first = count if run == "full" else int(FIRST * count)
    rest = np.array_split(np.arange(first, count), BATCHES) if first < count else []
    return [np.arange(first), *rest]


def measure(album: Album, method: str, run: str, shuffles: int) -> dict[str, object]:
    """Mean scores over random orders."""
    rows: list[dict[str, float]] = []
    for shuffle in range(shuffles):
        shuffled = album.in_order(np.random.default_rng(shuffle).permutation(len(album.person)))
        person = np.full(len(album.person), NOBODY, dtype=np.int64)
        step = METHODS[method]()
        started = time.perf_counter()
        for new in batches(len(person), run):
            person = step(shuffled, person, new)
        seconds = time.perf_counter() - started
        rows.append({**score(shuffled.person, np.where(person == NOBODY, -1, person)), "seconds": seconds})
    mean = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    return {"album": album.name, "pack": album.pack, "method": method, "run": run, **mean}


def peak_megabytes(album: Album, method: str) -> float:
    """Most memory a full run allocates, without the embeddings."""
    tracemalloc.start()
    METHODS[method]()(album, np.full(len(album.person), NOBODY, dtype=np.int64), np.arange(len(album.person)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def main() -> None:
    """Measure everything and print a table or JSON rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--albums", type=Path, default=Path(__file__).parents[2] / "shared" / "faces")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--shuffles", type=int, default=5)
    given = parser.parse_args()
    albums = list(read_albums(given.albums))
    if not albums:
        print(f"There are no labelled faces in {given.albums}. Name a folder that has some with --albums.")
    shown = ("P", "R", "F", "bP", "bR", "bF", "found", "frag", "stranger", "fam_un", "actions", "seconds", "peak_mb")
    if not given.json:
        print(f"{'album':9s} {'pack':12s} {'method':14s} {'run':11s}", *(f"{name:>8s}" for name in shown))
    for album in albums:
        for method in METHODS:
            peak = peak_megabytes(album, method)
            for run in ("full", "incremental"):
                row = {**measure(album, method, run, given.shuffles), "peak_mb": peak}
                if given.json:
                    print(json.dumps(row), flush=True)
                else:
                    names = f"{album.name:9s} {album.pack:12s} {method:14s} {run:11s}"
                    print(names, *(f"{row[name]:8.3f}" for name in shown), flush=True)


if __name__ == "__main__":
    main()
