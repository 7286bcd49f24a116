"""How long recognition takes and how much memory, from 20,000 to 300,000 faces, and for the worst albums.

    python -m benchmarks.recognition_scale [--faces 20000 100000 300000] [--scenario full ...] [--json]

Nothing is read: `benchmarks.crowds` generates faces that lie as far apart as real ones. Every row runs in a process of
its own, so that its peak memory is its own. Times on a shared machine mean little, so each is printed as a ratio to

    product   the bare matrix product `block @ block.T` of every pair of faces once, in the same blocks, on the same
              threads, in the same process. Any exact search has to compute it. Half of its blocks are computed before
              the full run and half after it, so that both meet the same neighbours on a noisy machine.

and the full run `plugin.faces.grouping.group_faces` (no verdicts, with pictures, distance 0.6) is split into

    pairs     the same product, with the pairs within the distance picked out of it
    link      average linkage among those pairs
    join      the rest: what is left over joins people, people unite

Limits: 100,000 faces in 1.3 times the product and 1.5 GB. How it grows: the product, and with it `pairs`, with the
square of the faces. `link` grows with the pairs that are listed, which `grouping.NEIGHBOURS` bounds for each face, and
so does memory beside the embeddings; `join` compares each left-over face with each person, a small square. So the ratio
falls towards that of `pairs` alone, and memory grows a little faster than the embeddings do.

Scenarios: `full` at each size; `new`, 100 new faces into 100,000; `verdict`, one answer and what it spreads to among
100,000; `copies`, 10,000 identical faces; `strangers`, 50,000 people seen once; `one_person` with 40,000 faces. The
first two limits of the issue for `new` (2 s) and `verdict` (0.2 s) hold for the catalogue and its index as well; here
only the pure part is measured.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import numpy as np

from benchmarks import crowds
from plugin.domain import Float32Array
from plugin.faces import grouping
from plugin.faces.immich import NOBODY
from plugin.faces.known import KnownFaces, KnownPeople
from plugin.faces.linkage import Constraints
from plugin.faces.neighbours import COLUMNS_PER_ROW, ROWS
from plugin.faces.regrouping import regroup, surroundings

DISTANCE = 0.6
"""Default maximum recognition distance of the pack whose distances the crowds follow."""

MINIMUM_FACES = 3
SIZES = (20_000, 100_000, 300_000)
LIMITS = {"ratio": 1.3, "peak_mb": 1_500.0, "new": 2.0, "verdict": 0.2}
NEW_FACES, INTO = 100, 100_000
REPEATS = 5

Row = dict[str, Any]


def blocks(faces: int) -> Iterator[tuple[slice, slice]]:
    """The blocks of an exact search: each pair of faces in one of them (on the diagonal, in both orders)."""
    for first in range(0, faces, ROWS):
        for start in range(first, faces, ROWS * COLUMNS_PER_ROW):
            yield slice(first, first + ROWS), slice(start, start + ROWS * COLUMNS_PER_ROW)


def product(embedding: Float32Array, half: int) -> float:
    """Seconds for every second block of the bare matrix product, into one buffer that is used again."""
    buffer = np.empty((ROWS, ROWS * COLUMNS_PER_ROW), dtype=np.float32)
    started = time.perf_counter()
    for number, (rows, columns) in enumerate(blocks(len(embedding))):
        if number % 2 == half:
            left, right = embedding[rows], embedding[columns]
            np.matmul(left, right.T, out=buffer[: len(left), : len(right)])
    return time.perf_counter() - started


def peak_megabytes() -> float:
    """The most memory this process ever had resident."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


@contextmanager
def timed(seconds: Row, **names: str) -> Iterator[None]:
    """Time these functions of `plugin.faces.grouping` while a full run calls them."""

    def clock(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*args: object) -> Any:  # noqa: ANN401  whatever the step returns
            started = time.perf_counter()
            found = run(*args)
            seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - started
            if name == "pairs":
                seconds["listed_pairs"] = len(found.rows)
            return found

        return measured

    with ExitStack() as patched:
        for run, name in names.items():
            patched.enter_context(mock.patch.object(grouping, run, clock(name, getattr(grouping, run))))
        yield


def full_run(crowd: crowds.Crowd) -> Row:
    """A full run beside the bare product."""
    row: Row = {"embeddings_mb": crowd.embedding.nbytes / 1e6}
    bare = product(crowd.embedding, 0)
    row["product_peak_mb"] = peak_megabytes()
    nobody = np.full(len(crowd.person), NOBODY, dtype=np.int64)
    started = time.perf_counter()
    with timed(row, similar_pairs="pairs", link="link"):
        groups = grouping.group_faces(crowd.embedding, Constraints(crowd.picture, nobody), maximum_distance=DISTANCE)
    row["seconds"] = time.perf_counter() - started
    row["peak_mb"] = peak_megabytes()
    row["join"] = row["seconds"] - row["pairs"] - row["link"]
    row["product"] = bare + product(crowd.embedding, 1)
    row["ratio"] = row["seconds"] / row["product"]
    sizes = np.bincount(groups.label)
    row["people"] = int(np.count_nonzero(sizes >= MINIMUM_FACES))
    row["largest"] = int(sizes.max(initial=0))
    return row


def settled(crowd: crowds.Crowd) -> KnownFaces:
    """An album in which everybody with enough faces is a person already."""
    enough = np.bincount(crowd.person)[crowd.person] >= MINIMUM_FACES
    count = len(crowd.person)
    return KnownFaces(
        crowd.embedding,
        crowd.picture,
        np.where(enough, crowd.person + 1, NOBODY),
        np.full(count, NOBODY, dtype=np.int64),
        np.full(count, NOBODY, dtype=np.int64),
        np.full(count, "NaT", dtype="datetime64[s]"),
        np.ones(count, dtype=np.bool_),
    )


def regrouping(faces: KnownFaces, changed: list[int]) -> Row:
    """The pure part of what follows when these faces changed: find their surroundings, group them again."""
    rows = np.array(changed, dtype=np.int64)
    seconds: list[float] = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        around = surroundings(faces, rows, DISTANCE)
        regroup(faces.some(around), KnownPeople(), maximum_distance=DISTANCE, minimum_faces=MINIMUM_FACES)
        seconds.append(time.perf_counter() - started)
    return {"seconds": float(np.median(seconds)), "looked_at": len(around), "peak_mb": peak_megabytes()}


def new_faces(faces: int) -> Row:
    """100 new faces of anybody come into an album of so many."""
    known = settled(crowds.album(faces + NEW_FACES))
    known.person[-NEW_FACES:] = NOBODY
    return regrouping(known, list(range(faces, faces + NEW_FACES)))


def verdict(faces: int) -> Row:
    """A user says whom one face of nobody shows: somebody with about fifty faces."""
    known = settled(crowds.album(faces))
    people, counts = np.unique(known.person[known.person != NOBODY], return_counts=True)
    anna = int(people[np.argmin(np.abs(counts - 50))])
    row = int(np.flatnonzero(known.person == anna)[0])
    known.said[row] = anna
    return regrouping(known, [row])


SCENARIOS: dict[str, tuple[Callable[[int], Row], tuple[int, ...]]] = {
    "full": (lambda faces: full_run(crowds.album(faces)), SIZES),
    "new": (new_faces, (INTO,)),
    "verdict": (verdict, (INTO,)),
    "copies": (lambda faces: full_run(crowds.copies(faces)), (10_000,)),
    "strangers": (lambda faces: full_run(crowds.strangers(faces)), (50_000,)),
    "one_person": (lambda faces: full_run(crowds.one_person(faces)), (40_000,)),
}


def measure(scenario: str, faces: int) -> Row:
    """One row of the table; runs in a process of its own."""
    return {"scenario": scenario, "faces": faces, **SCENARIOS[scenario][0](faces)}


def in_its_own_process(scenario: str, faces: int) -> Row:
    """Started afresh, not forked: a fork would begin with the memory of this process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (scenario, faces))


def text(row: Row) -> str:
    """A row as a line."""
    name = f"{row['scenario']:10s} {row['faces']:7,d} faces {row['seconds']:8.2f} s, peak {row['peak_mb']:6,.0f} MB"
    if "ratio" not in row:
        limit = LIMITS[row["scenario"]]
        return f"{name}; {row['looked_at']} faces looked at; x{row['seconds'] / limit:.2f} of the limit, pure part only"
    parts = ", ".join(f"{part} x{row[part] / row['product']:.2f}" for part in ("pairs", "link", "join"))
    return (
        f"{name}; x{row['ratio']:.2f} of the product's {row['product']:.2f} s ({parts}; product alone "
        f"{row['product_peak_mb']:,.0f} MB, embeddings {row['embeddings_mb']:,.0f} MB); "
        f"{row['listed_pairs']:,d} pairs listed; {row['people']:,d} people, the largest with {row['largest']:,d}"
    )


def growth(rows: list[Row]) -> Iterator[str]:
    """What each size costs, compared with the smallest."""
    full = [row for row in rows if row["scenario"] == "full"]
    for row in full[1:]:
        small = full[0]
        parts = ("faces", "product", "seconds", "pairs", "link", "join", "listed_pairs", "peak_mb")
        yield ", ".join(f"{part} x{row[part] / small[part]:.1f}" for part in parts)


def main() -> None:
    """Measure and print lines or JSON rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, nargs="+", default=SIZES, help="sizes of the full runs")
    parser.add_argument("--scenario", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows: list[Row] = []
    for scenario in given.scenario:
        for faces in given.faces if scenario == "full" else SCENARIOS[scenario][1]:
            rows.append(in_its_own_process(scenario, faces))
            print(json.dumps(rows[-1]) if given.json else text(rows[-1]), flush=True)
    if not given.json:
        print(f"Limits at 100,000 faces: x{LIMITS['ratio']} of the product, {LIMITS['peak_mb']:,.0f} MB.")
        print(*(f"Growth from {rows[0]['faces']:,d} faces: {line}" for line in growth(rows)), sep="\n")


if __name__ == "__main__":
    main()
