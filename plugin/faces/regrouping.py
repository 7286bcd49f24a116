"""From groups to persons, and from yesterday's persons to today's: what is new is grouped with its surroundings only.

A person is a group that has enough faces, or that a user knows. Groups are recomputed whenever faces come in, persons
stay: each group continues the person that most of its faces belonged to.
"""

from collections.abc import Callable

import numpy as np

from plugin.domain import Float32Array, PersonId
from plugin.faces.grouping import LINK, RUNNERS_UP
from plugin.faces.immich import NOBODY
from plugin.faces.linkage import Groups
from plugin.faces.neighbours import IntArray, nearest

NEAREST = 100
"""Faces looked at around a new one; its own person and the likely runners-up are among theirs."""


def persons_of(
    groups: Groups, before: IntArray, *, minimum_faces: int, found: Callable[[IntArray], PersonId]
) -> IntArray:
    """Who each face is now, int64 (n,), `NOBODY` for none.

    Args:
        groups: all groups of these faces.
        before: int64 (n,), who each face was, `NOBODY` for none.
        minimum_faces: *minimum recognized faces*, >= 1; smaller groups belong to nobody unless their person is known.
        found: called with the faces (rows) of a group that continues nobody, returns the new person's id.
    """
    labels = groups.labels()
    labels = labels[(groups.size[labels] >= minimum_faces) | groups.known(labels)]
    whose = {label: groups.person_of(label) for label in labels[groups.known(labels)].tolist()}
    free = set(labels.tolist()) - whose.keys()
    taken = set(whose.values())
    for label, old in _largest_overlaps(groups.label, before):
        if label in free and old not in taken:
            whose[label] = old
            free.discard(label)
            taken.add(old)
    for label in sorted(free):
        whose[label] = found(np.flatnonzero(groups.label == label).astype(np.int64))
    by_label = np.full(len(before), NOBODY, dtype=np.int64)
    for label, person in whose.items():
        by_label[label] = person
    return by_label[groups.label]


def surroundings(embedding: Float32Array, person: IntArray, new: IntArray, maximum_distance: float) -> IntArray:
    """The faces that new ones can change anything for, the new ones included: int64 (m,), ascending rows.

    These are the unassigned faces near a new one, those near them in turn, and all faces of the persons that are near
    any of these, as a match or as a runner-up.

    Args:
        embedding: float32 (n, d), unit length.
        person: int64 (n,), `NOBODY` for none.
        new: int64 (k,), rows that changed.
        maximum_distance: *maximum recognition distance*.
    """
    reach = LINK * maximum_distance
    rows, persons = _near(embedding, person, new, reach)
    more, more_persons = _near(embedding, person, np.setdiff1d(rows, new), reach)
    affected = np.zeros(len(person), dtype=np.bool_)
    affected[new] = affected[rows] = affected[more] = True
    affected |= np.isin(person, list(persons | more_persons))
    return np.flatnonzero(affected).astype(np.int64)


def _near(embedding: Float32Array, person: IntArray, rows: IntArray, reach: float) -> tuple[IntArray, set[PersonId]]:
    """Unassigned faces within reach of any of these, and the persons most alike to each of them."""
    indices, distances = nearest(embedding, embedding[rows], min(NEAREST, len(embedding)))
    there = indices >= 0
    loose = indices[there & (distances <= reach) & (person[indices] == NOBODY)]
    persons: set[PersonId] = set()
    for found in person[indices]:
        distinct = dict.fromkeys(who for who in found.tolist() if who != NOBODY)
        persons.update(list(distinct)[:RUNNERS_UP])
    return np.unique(loose), persons


def _largest_overlaps(label: IntArray, before: IntArray) -> list[tuple[int, PersonId]]:
    """(label, person) of every group that has faces of a person, most faces first; ties by person, then label."""
    known = before != NOBODY
    pairs, counts = np.unique(np.stack([before[known], label[known]], axis=1), axis=0, return_counts=True)
    order = np.lexsort((pairs[:, 1], pairs[:, 0], -counts))
    return [(int(group), int(old)) for old, group in pairs[order].tolist()]
