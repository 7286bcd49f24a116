"""Average linkage among unit-length embeddings: groups merge while their faces resemble each other on average.

The average cosine between two groups is the dot product of their mean vectors, so a group is a sum vector and a count,
and nothing the size of the distance matrix is ever held. Two groups can only be near on average when at least one pair
of their faces is, so `neighbours.similar_pairs` finds every candidate. Unlike with a single nearest face (Immich) or a
density (DBSCAN), one face between two people cannot chain them together.

Sources: Müllner, Modern hierarchical, agglomerative clustering algorithms, 2011 (reciprocal nearest neighbours);
Dhulipala et al., TeraHAC, 2023 (merging what is *nearly* the best at once, see `SLACK`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from plugin.domain import Float32Array, PersonId
from plugin.faces.immich import NOBODY
from plugin.faces.neighbours import IntArray, Pairs

SLACK = 0.005
"""Groups merge when no other choice is nearer by more than this. With 0 a large group takes one face a round."""

EDGES_AT_ONCE = 4_000
"""Pairs looked at together: 2 x 8 MB of gathered sums of 512 numbers."""

LABELS_AT_ONCE = 64
"""Groups compared with all others together: 64 x 100,000 float32 are 26 MB, and ten times faster than one by one."""


@dataclass(frozen=True, slots=True, eq=False)
class Constraints:
    """What may not be put together, whatever it looks like.

    Attributes:
        picture: int64 (n,), faces with the same number are in one picture; two of them are two people.
        person: int64 (n,), whom a user (or an earlier run that must stand) says a face is, `NOBODY` for the others.
            Groups of two persons never merge. One person may end as several groups: the profile a user confirmed must
            not spoil the mean of the frontal faces, and brings along what looks like it.
        barred: by row, persons that face cannot be (a verdict, or born after the picture was taken).
        late: rows that link once all others have. A face that looks like Ben and is not Ben by a verdict would else
            draw Ben's other faces to itself, and away from Ben.
    """

    picture: IntArray
    person: IntArray
    barred: Mapping[int, Collection[PersonId]] = field(default_factory=dict)
    late: Collection[int] = ()


class Groups:
    """Groups of faces under constraints; every face starts alone.

    Attributes:
        label: int64 (n,), the group of each face: the lowest row in it at the start, later any row of it.
        total: float32 (n, d), at a group's label the sum of its trusted embeddings.
        count: float32 (n,), at a group's label how many embeddings `total` holds.
        size: int64 (n,), at a group's label how many faces it has.

    Args:
        embedding: float32 (n, d), unit length; where `faces` is larger than 1, the mean of that many faces.
        constraints: see there.
        trusted: bool (n,); faces that are False never count as evidence, except alone.
        faces: int64 (n,), how many faces each row stands for, >= 1; None for one each. A row of many faces is a person
            who is already there and takes part as a whole.
    """

    def __init__(
        self,
        embedding: Float32Array,
        constraints: Constraints,
        trusted: npt.NDArray[np.bool_] | None = None,
        faces: IntArray | None = None,
    ) -> None:
        self.label: IntArray = np.arange(len(embedding), dtype=np.int64)
        self.size: IntArray = np.ones(len(embedding), dtype=np.int64) if faces is None else faces.astype(np.int64)
        self.count: Float32Array = self.size.astype(np.float32)
        self.total = (embedding * self.count[:, None]).astype(np.float32, copy=False)
        self.trusted = np.ones(len(embedding), dtype=np.bool_) if trusted is None else trusted.copy()
        self.late = np.zeros(len(embedding), dtype=np.bool_)
        self.late[list(constraints.late)] = True
        self._person = constraints.person.copy()
        self._barred: dict[int, set[PersonId]] = {row: set(who) for row, who in constraints.barred.items()}
        self._pictures = _shared_pictures(constraints.picture)
        for row in np.flatnonzero(constraints.person != NOBODY).tolist():
            self._gather_pictures(self._whose(row), [row])

    def labels(self) -> IntArray:
        """Every group's label, ascending."""
        return np.flatnonzero(self.label == np.arange(len(self.label))).astype(np.int64)

    def person_of(self, label: int) -> PersonId:
        """The person some of a group's faces are said to be, or `NOBODY`."""
        return int(self._person[label])

    def known(self, labels: IntArray) -> npt.NDArray[np.bool_]:
        """Which of these groups have faces that are said to be a person, bool (m,)."""
        return np.asarray(self._person[labels] != NOBODY)

    def means(self, labels: IntArray) -> Float32Array:
        """The mean vectors of these groups, float32 (m, d)."""
        found = self.total[labels]
        found /= self.count[labels, None]
        return found

    def similarity(self, first: npt.NDArray[np.int32], second: npt.NDArray[np.int32]) -> Float32Array:
        """Mean cosine over all pairs of faces of two groups, pair by pair: float32 (m,)."""
        found = np.empty(len(first), dtype=np.float32)
        for start in range(0, len(first), EDGES_AT_ONCE):
            a, b = first[start : start + EDGES_AT_ONCE], second[start : start + EDGES_AT_ONCE]
            dots = np.einsum("ij,ij->i", self.total[a], self.total[b])
            found[start : start + EDGES_AT_ONCE] = dots / (self.count[a] * self.count[b])
        return found

    def may_unite(self, first: int, second: int) -> bool:
        """Whether nothing forbids these two groups to be one."""
        one, other = int(self._person[first]), int(self._person[second])
        if NOBODY not in (one, other):
            return one == other
        if one in self._barred.get(second, ()) or other in self._barred.get(first, ()):
            return False
        mine, theirs = self._pictures.get(self._whose(first)), self._pictures.get(self._whose(second))
        return not mine or not theirs or mine.isdisjoint(theirs)

    def promise(self, kept: int, gone: int) -> bool:
        """Let `kept` inherit what forbids `gone` to be with others, when the two may be one; `unite` has to follow."""
        if not self.may_unite(kept, gone):
            return False
        self._inherit(kept, gone)
        return True

    def unite(self, kept: IntArray, gone: IntArray) -> None:
        """Merge groups pairwise, as promised: all of `gone` (no label twice) into `kept` (repeats allowed)."""
        counts = self.trusted[gone]
        np.add.at(self.total, kept[counts], self.total[gone[counts]])
        np.add.at(self.count, kept[counts], self.count[gone[counts]])
        np.add.at(self.size, kept, self.size[gone])
        moved = np.arange(len(self.label))
        moved[gone] = kept
        self.label = moved[self.label]

    def _whose(self, label: int) -> int:
        """Whose pictures count for a group: its own, or those of all groups of its person (as a number below -1)."""
        person = int(self._person[label])
        return label if person == NOBODY else -2 - person

    def _inherit(self, kept: int, gone: int) -> None:
        before = {self._whose(kept), self._whose(gone)}
        if self._person[kept] == NOBODY:
            self._person[kept] = self._person[gone]
        self._gather_pictures(self._whose(kept), before)
        if barred := self._barred.pop(gone, None):
            self._barred.setdefault(kept, set()).update(barred)

    def _gather_pictures(self, into: int, sources: Iterable[int]) -> None:
        for source in sources:
            if source != into and (pictures := self._pictures.pop(source, None)):
                self._pictures.setdefault(into, set()).update(pictures)


def _shared_pictures(picture: IntArray) -> dict[int, set[int]]:
    """Only pictures with several faces can forbid anything; leaving out the others keeps this small."""
    _, inverse, counts = np.unique(picture, return_inverse=True, return_counts=True)
    return {row: {int(picture[row])} for row in np.flatnonzero(counts[inverse] > 1).tolist()}


def link(groups: Groups, pairs: Pairs, maximum_distance: float) -> None:
    """Merge groups, most alike first, until none are within `maximum_distance` (mean cosine distance) and may unite.

    Pairs of faces that are not trusted are left out. The result does not depend on the order of the rows, except where
    distances tie within `SLACK`.

    Args:
        groups: changed in place.
        pairs: every pair of faces within the distance, or for crowded faces the nearest of them.
        maximum_distance: inclusive, 0..2.
    """
    if groups.late.any():
        _link_rows(groups, pairs, maximum_distance, groups.trusted & ~groups.late)
    _link_rows(groups, pairs, maximum_distance, groups.trusted)


def _link_rows(groups: Groups, pairs: Pairs, maximum_distance: float, use: npt.NDArray[np.bool_]) -> None:
    limit = np.float32(1 - maximum_distance)
    crowded = np.zeros(len(groups.label), dtype=np.bool_)
    crowded[groups.label[pairs.crowded]] = True
    _link_edges(groups, _first_edges(groups, pairs, use).at_least(limit), limit, crowded)
    while len((edges := _edges_of_crowded(groups, crowded, limit, use)).similarity):
        _link_edges(groups, edges, limit, crowded)


@dataclass(frozen=True, slots=True, eq=False)
class _Edges:
    """Pairs of groups, each once, with how alike they are: int32 (m,), int32 (m,), float32 (m,)."""

    first: npt.NDArray[np.int32]
    second: npt.NDArray[np.int32]
    similarity: Float32Array

    @classmethod
    def between(cls, groups: Groups, first: npt.NDArray[np.int32], second: npt.NDArray[np.int32]) -> "_Edges":
        """Of the groups that these rows are in now."""
        size = len(groups.label)
        low, high = groups.label[first], groups.label[second]
        keys = (np.minimum(low, high) * size + np.maximum(low, high))[low != high]
        keys.sort()  # in place; np.unique takes three times the memory
        keys = keys[np.diff(keys, prepend=-1) > 0]
        low, high = (keys // size).astype(np.int32), (keys % size).astype(np.int32)
        return cls(low, high, groups.similarity(low, high))

    def where(self, keep: npt.NDArray[np.bool_]) -> "_Edges":
        if keep.all():
            return self
        return _Edges(self.first[keep], self.second[keep], self.similarity[keep])

    def at_least(self, limit: np.float32) -> "_Edges":
        return self.where(self.similarity >= limit)

    def and_(self, other: "_Edges") -> "_Edges":
        return _Edges(
            np.concatenate([self.first, other.first]),
            np.concatenate([self.second, other.second]),
            np.concatenate([self.similarity, other.similarity]),
        )


def _first_edges(groups: Groups, pairs: Pairs, use: npt.NDArray[np.bool_]) -> _Edges:
    """Of groups that are one row the similarity is known; that of the others has to be computed."""
    both = use[pairs.rows] & use[pairs.columns]
    label = groups.label.astype(np.int32)
    first, second = label[pairs.rows[both]], label[pairs.columns[both]]
    rows = np.bincount(groups.label, minlength=len(groups.label))
    alone = (rows[first] == 1) & (rows[second] == 1)
    single = _Edges(first[alone], second[alone], 1 - pairs.distances[both][alone])
    return single if alone.all() else single.and_(_Edges.between(groups, first[~alone], second[~alone]))


def _link_edges(groups: Groups, edges: _Edges, limit: np.float32, crowded: npt.NDArray[np.bool_]) -> None:
    """Rounds of merges, until no pair is left.

    An average with a merged group is never above the better of its parts, so edges below the limit can be forgotten.
    """
    while len(edges.similarity):
        kept, gone, forbidden = _choose(groups, edges)
        edges = edges.where(~forbidden)
        if not len(gone):
            continue  # what was nearest is forbidden; the next round looks further
        groups.unite(kept, gone)
        np.logical_or.at(crowded, kept, crowded[gone])
        crowded[gone] = False
        changed = np.zeros(len(groups.label), dtype=np.bool_)
        changed[kept] = changed[gone] = True
        stale = changed[edges.first] | changed[edges.second]
        renewed = edges.where(stale)
        edges = edges.where(~stale)
        edges = edges.and_(_Edges.between(groups, renewed.first, renewed.second).at_least(limit))


def _choose(groups: Groups, edges: _Edges) -> tuple[IntArray, IntArray, npt.NDArray[np.bool_]]:
    """The merges of one round (kept, gone), promised already, and which edges turned out to be forbidden.

    A pair merges when for neither of the two another group is nearer by more than `SLACK`. A group may take several
    smaller ones at once, up to its own size: more would change it too much for their similarities still to hold.
    """
    best = np.full(len(groups.label), -np.inf, dtype=np.float32)
    np.maximum.at(best, edges.first, edges.similarity)
    np.maximum.at(best, edges.second, edges.similarity)
    good = edges.similarity >= np.maximum(best[edges.first], best[edges.second]) - SLACK
    chosen = np.flatnonzero(good)
    chosen = chosen[np.lexsort((edges.second[chosen], edges.first[chosen], -edges.similarity[chosen]))]
    forbidden = np.zeros(len(edges.similarity), dtype=np.bool_)
    room: dict[int, int] = {}  # of groups that take others; those that are taken have none
    merges: list[tuple[int, int]] = []
    for edge, one, other in _one_by_one(chosen, edges):
        kept, gone = (one, other) if groups.size[one] >= groups.size[other] else (other, one)
        left = room.get(kept, int(groups.size[kept])) - int(groups.size[gone])
        if gone in room or left < 0:
            continue  # either of them has changed in this round; the next one looks again
        if not groups.promise(kept, gone):
            forbidden[edge] = True
            continue
        room[kept], room[gone] = left, 0
        merges.append((kept, gone))
    merged = np.array(merges, dtype=np.int64).reshape(-1, 2)
    return merged[:, 0], merged[:, 1], forbidden


def _one_by_one(chosen: IntArray, edges: _Edges) -> Iterator[tuple[int, int, int]]:
    """(edge, first, second); as lists all at once they would take five times the memory of the arrays."""
    for start in range(0, len(chosen), EDGES_AT_ONCE):
        some = chosen[start : start + EDGES_AT_ONCE]
        yield from zip(some.tolist(), edges.first[some].tolist(), edges.second[some].tolist(), strict=True)


def _edges_of_crowded(
    groups: Groups, crowded: npt.NDArray[np.bool_], limit: np.float32, use: npt.NDArray[np.bool_]
) -> _Edges:
    """Compare the means of groups whose faces have more neighbours than were listed with all others."""
    labels = groups.labels()
    labels = labels[use[labels]]
    means = groups.means(labels)
    found: list[tuple[int, int]] = []
    these = labels[crowded[labels]]
    for start in range(0, len(these), LABELS_AT_ONCE):
        some = these[start : start + LABELS_AT_ONCE]
        for label, alike in zip(some.tolist(), groups.means(some) @ means.T, strict=True):
            near = labels[alike >= limit].tolist()
            found += [(label, other) for other in near if other != label and groups.may_unite(label, other)]
    pairs = np.array(found, dtype=np.int32).reshape(-1, 2)
    return _Edges.between(groups, pairs[:, 0], pairs[:, 1])
