"""How far a grouping of labelled faces is from the true people."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]

SEVERAL = 3
"""People with fewer faces are strangers: nobody misses a group of them."""


def score(person: Labels, group: Labels) -> Mapping[str, float]:
    """Compare groups with people.

    Args:
        person: int (n,), -1 for bystanders, who take part in grouping but are not scored.
        group: int (n,), -1 for faces that belong to nobody; each counts as a group of one.

    Returns:
        P, R, F over pairs of faces; bP, bR, bF after BCubed (Amigó et al., 2009); found: share of the people with
        several faces who have a group that holds most of them and is mostly theirs; frag: groups per person found;
        fam_un: share of their faces left out; stranger: share of strangers' faces in a group; actions: moves of wrong
        faces + merges of fragments + assignments of left out faces, per 1,000; groups: how many there are.
    """
    scored = person >= 0
    alone = group[scored] < 0
    labels = np.where(alone, group.max(initial=0) + 1 + np.arange(len(alone)), group[scored])
    people = np.unique(person[scored], return_inverse=True)[1]
    groups = np.unique(labels, return_inverse=True)[1]
    cells, cell_of, shared = np.unique(
        np.stack([people, groups], axis=1), axis=0, return_inverse=True, return_counts=True
    )
    person_size, group_size = np.bincount(people), np.bincount(groups)
    real = np.zeros(len(group_size), dtype=np.bool_)
    real[groups[~alone]] = True
    several = person_size >= SEVERAL
    moves = _moves(cells, shared, group_size, real)
    found, fragments, merges = _fragments(cells, shared, person_size, group_size, real)
    left_out = int((alone & several[people]).sum())
    together = shared[cell_of.reshape(-1)]
    pairs = _pair_scores(shared, person_size, group_size)
    cubed = (together / group_size[groups]).mean(), (together / person_size[people]).mean()
    return {
        **dict(zip("PRF", pairs, strict=True)),
        "bP": float(cubed[0]),
        "bR": float(cubed[1]),
        "bF": _harmonic(*cubed),
        "found": found / max(int(several.sum()), 1),
        "frag": fragments / max(found, 1),
        "fam_un": left_out / max(int(several[people].sum()), 1),
        "stranger": float((~alone & ~several[people]).sum() / max(int((~several[people]).sum()), 1)),
        "actions": 1000 * (moves + merges + left_out) / len(people),
        "groups": int(real.sum()),
    }


def _harmonic(one: float, other: float) -> float:
    return float(2 * one * other / (one + other)) if one + other else 0.0


def _pair_scores(shared: Labels, person_size: Labels, group_size: Labels) -> tuple[float, float, float]:
    right, grouped, true = (int((count * (count - 1) // 2).sum()) for count in (shared, group_size, person_size))
    precision, recall = right / max(grouped, 1), right / max(true, 1)
    return precision, recall, _harmonic(precision, recall)


def _moves(cells: Labels, shared: Labels, group_size: Labels, real: npt.NDArray[np.bool_]) -> int:
    """Faces that are not of the person most of their group are."""
    largest = np.zeros(len(group_size), dtype=np.int64)
    np.maximum.at(largest, cells[:, 1], shared)
    return int((group_size - largest)[real].sum())


def _fragments(
    cells: Labels, shared: Labels, person_size: Labels, group_size: Labels, real: npt.NDArray[np.bool_]
) -> tuple[int, int, int]:
    """(people found, groups they are in, merges that would put them together)."""
    found = fragments = merges = 0
    for who in np.flatnonzero(person_size >= SEVERAL):
        mine = (cells[:, 0] == who) & real[cells[:, 1]]
        if not mine.any():
            continue
        counts, sizes = shared[mine], group_size[cells[mine, 1]]
        best = int(counts.argmax())
        found += bool(counts[best] * 2 > person_size[who] and counts[best] * 2 > sizes[best])
        theirs = int((counts * 2 > sizes).sum())
        fragments += max(theirs, 1)
        merges += max(theirs - 1, 0)
    return found, fragments, merges
