"""From groups to persons, and from yesterday's persons to today's: what is new is grouped with its surroundings only.

A person is a group that has enough faces, or that a user knows. Groups are recomputed whenever faces come in, persons
stay: each group continues the person that most of its faces belonged to. People who are large, or whom a user knows,
take part as a whole: one row with their mean, instead of all their faces. That bounds what a new photo costs, and no
run moves what a user has seen.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from plugin.domain import Float32Array, PersonId
from plugin.faces.grouping import LINK, RUNNERS_UP, TYPICAL_QUALITY, group_faces
from plugin.faces.immich import NOBODY
from plugin.faces.known import KnownFaces, KnownPeople, Means, anchored, barred, contradicting, whole_people
from plugin.faces.linkage import Constraints, Groups
from plugin.faces.neighbours import IntArray, nearest

NEAREST = 30
"""Faces looked at around a new one: its own person and the runners-up are among theirs. 100 changed no measure."""

WHOLE_FROM = 48
"""A person with this many faces takes part as a whole. Runs in 21 parts then need 2 to 6 % more actions than one run,
as when nobody does; at 32 up to 10 %, at 10 still more, because early mistakes cannot be mended any more."""

NEW = -2
"""People founded by a regrouping are numbered -2, -3, ... until the catalogue gives them an id."""


@dataclass(frozen=True, slots=True, eq=False)
class Regrouped:
    """The outcome for the faces that were looked at one by one.

    Attributes:
        rows: int64 (m,), which of the given faces these are, ascending.
        person: int64 (m,), who they are now, `NOBODY` for none, `NEW` and below for people just founded.
        group: int64 (m,), for faces of nobody the lowest given row among those alike; -1 for all others, and alone.
        groups: all groups; its rows are `rows`, then the people who took part as a whole.
    """

    rows: IntArray
    person: IntArray
    group: IntArray
    groups: Groups


def regroup(
    faces: KnownFaces,
    people: KnownPeople,
    *,
    maximum_distance: float,
    minimum_faces: int,
    linking: float = LINK,
    whole_from: int | None = WHOLE_FROM,
    from_scratch: bool = False,
) -> Regrouped:
    """Group faces, and decide who is who.

    Args:
        faces: everything that may change, and faces of the people it may belong to (all of them, or a sample).
        people: what has to be respected.
        maximum_distance: *maximum recognition distance*.
        minimum_faces: *minimum recognized faces*, >= 1.
        linking: the pack's, about 1.
        whole_from: people with at least this many faces take part as a whole; None: only the `kept` ones.
        from_scratch: nobody takes part as a whole; one typical face stands for everybody who has to go on.
    """
    whole = set() if from_scratch else whole_people(faces.person, people, whole_from)
    go_on = {*people.kept, *faces.said[faces.said != NOBODY].tolist()} - whole
    odd = contradicting(faces)
    faces = replace(
        faces,
        said=anchored(replace(faces, trusted=faces.trusted & ~odd), sorted(go_on), people.birth_dates or {}),
        trusted=faces.trusted & ~odd,
    )
    loose = np.flatnonzero(~np.isin(faces.person, list(whole)) | (faces.said != NOBODY)).astype(np.int64)
    means = Means.of(faces, people, whole)
    apart = faces.picture.max(initial=0) + 1 + np.arange(len(means.person))
    constraints = Constraints(
        np.concatenate([faces.picture[loose], apart]),
        np.concatenate([faces.said[loose], means.person]),
        barred(faces, people, loose, whole),
        [position for position, row in enumerate(loose.tolist()) if people.rejected and row in people.rejected],
    )
    everything = len(loose) == len(faces) and not len(means.person)
    groups = group_faces(
        faces.embedding if everything else np.concatenate([faces.embedding[loose], means.embedding]),
        constraints,
        maximum_distance=maximum_distance,
        linking=linking,
        trusted=np.concatenate([faces.trusted[loose], np.ones(len(means.person), dtype=np.bool_)]),
        faces=np.concatenate([np.ones(len(loose), dtype=np.int64), means.faces]),
        quality=None if faces.quality is None else _with_typical(faces.quality[loose], len(means.person)),
    )
    founded = iter(range(NEW, -len(loose) - 3, -1))
    before = np.concatenate([faces.person[loose], means.person])
    person = persons_of(groups, before, minimum_faces=minimum_faces, found=lambda _: next(founded))[: len(loose)]
    return Regrouped(loose, person, _groups_of_nobody(groups, loose, person), groups)


def _with_typical(quality: Float32Array, people: int) -> Float32Array:
    """The qualities of faces, and those of so many people who take part as a whole."""
    return np.concatenate([quality, np.full(people, TYPICAL_QUALITY, dtype=np.float32)])


def persons_of(
    groups: Groups, before: IntArray, *, minimum_faces: int, found: Callable[[IntArray], PersonId]
) -> IntArray:
    """Who each face is now, int64 (n,), `NOBODY` for none.

    Args:
        groups: all groups of these faces.
        before: int64 (n,), who each face was, `NOBODY` for none.
        minimum_faces: *minimum recognized faces*, >= 1; groups with fewer trusted faces belong to nobody unless their
            person is known.
        found: called with the faces (rows) of a group that continues nobody, returns the new person's id.
    """
    labels = groups.labels()
    enough = groups.trusted[labels] & (groups.count[labels] >= minimum_faces)
    labels = labels[enough | groups.known(labels)]
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


def surroundings(faces: KnownFaces, new: IntArray, maximum_distance: float) -> IntArray:
    """The faces that new ones can change anything for, the new ones included: int64 (m,), ascending rows.

    These are the faces of nobody near a new one and those alike to them, and all faces of the persons near a new one,
    as a match or as a runner-up.

    Args:
        faces: all there are.
        new: int64 (k,), rows that changed.
        maximum_distance: *maximum recognition distance*.
    """
    indices, distances = nearest(faces.embedding, faces.embedding[new], min(NEAREST, len(faces)))
    affected = np.zeros(len(faces), dtype=np.bool_)
    affected[new] = True
    persons: set[PersonId] = set()
    for near, far in zip(indices, distances, strict=True):
        loose, who = near_faces(near[near >= 0], faces.person[near], far, maximum_distance)
        affected[loose] = True
        persons.update(who)
    alike = np.unique(faces.group[affected & (faces.person == NOBODY) & (faces.group >= 0)])
    affected |= (faces.person == NOBODY) & np.isin(faces.group, alike)
    affected |= np.isin(faces.person, list(persons))
    return np.flatnonzero(affected).astype(np.int64)


def near_faces(
    near: IntArray, person: IntArray, distance: Float32Array, maximum_distance: float
) -> tuple[IntArray, list[PersonId]]:
    """Of the nearest faces of one face: those of nobody within reach, and the persons most alike (a match, runners-up).

    Args:
        near: int64 (k,), faces, nearest first.
        person: int64, at least k of them: whose the near faces are.
        distance: float32, at least k of them: how far away they are.
        maximum_distance: *maximum recognition distance*.
    """
    person, distance = person[: len(near)], distance[: len(near)]
    loose = near[(distance <= LINK * maximum_distance) & (person == NOBODY)]
    persons = list(dict.fromkeys(who for who in person.tolist() if who != NOBODY))
    return loose, persons[:RUNNERS_UP]


def _groups_of_nobody(groups: Groups, loose: IntArray, person: IntArray) -> IntArray:
    label = groups.label[: len(loose)]
    nobody = person == NOBODY
    lowest = np.full(len(groups.label), -1, dtype=np.int64)
    lowest[label[::-1]] = loose[::-1]
    alone = np.bincount(label, minlength=len(groups.label))[label] == 1
    return np.where(nobody & ~alone, lowest[label], -1)


def _largest_overlaps(label: IntArray, before: IntArray) -> list[tuple[int, PersonId]]:
    """(label, person) of every group that has faces of a person, most faces first; ties by person, then label."""
    known = before != NOBODY
    pairs, counts = np.unique(np.stack([before[known], label[known]], axis=1), axis=0, return_counts=True)
    order = np.lexsort((pairs[:, 1], pairs[:, 0], -counts))
    return [(int(group), int(old)) for old, group in pairs[order].tolist()]
