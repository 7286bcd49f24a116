"""The default way from faces to people: link what is alike on average, let the rest join where no doubt is.

1. *Link*: average linkage (`plugin.faces.linkage`). It makes people that are right but lack their odd faces: a profile,
   sunglasses, a child's first year.
2. *Join*: what is left over joins the person it resembles most, when it is alike enough *and* the next likely person
   is clearly less alike. A lone stranger resembles several people a little; an odd face of Anna resembles only Anna.
   The gap is what tells them apart: with it a third of the left-out faces find their person at the same precision.
3. *Unite*: two people become one under the same question, asked from both sides and more strictly.

docs/recognition.md has the measurements behind every number here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plugin.domain import Float32Array
from plugin.faces.company import Company
from plugin.faces.immich import NOBODY
from plugin.faces.linkage import Constraints, Groups, link
from plugin.faces.neighbours import IntArray, similar_pairs

CORE = 3
"""Groups of at least this many faces are looked at as people that others may join."""

LINK, JOIN, UNITE = 1.08, 1.06, 0.94
"""Times the maximum recognition distance: the mean distance for linking, and the doubtful distances below which a face
joins and two people are united. Best common setting over all albums and packs; +-3 % changes actions by 1 to 4 %.
Only the first differs by embedder (`plugin.ports.vision.PackInfo.linking`), this one is ArcFace's."""

TYPICAL_LENGTH = 0.8
"""Of the mean vector of a person's faces. The more varied the faces, the shorter it is, and the lower the mean cosine
of the person's own next odd face. So joining measures the cosine with the mean *direction*, times this, which keeps the
scale of mean cosines: 10 % fewer actions over all albums and packs. Linking and uniting gained nothing by it."""

JOIN_GAP, UNITE_GAP = 1.1, 2.0
"""How much the gap to the runner-up counts, in a doubtful distance."""

STRANGER = 0.4
"""Times (1 - maximum recognition distance): how alike somebody unknown may be. In an album of two people there is no
runner-up to tell how much a stranger resembles; among 300 people the runner-up is at about this."""

COMPANY = 0.1
"""Times (1 - maximum recognition distance): how much more alike a face counts to people who were seen elsewhere with
those in its picture. Takes 3 to 6 % of the actions from the families albums, where most pictures have several faces,
and changes nothing where few have. At .2 up to 30 % more strangers are assigned."""

TRUSTED_QUALITY = 0.2
"""Faces below this quality join people, and never found or bridge them.

Measured on the labelled albums (full runs, share of faces below; user actions over those with all faces trusted, mean
of six; pairwise precision moved by .002 at most up to .4, and by .015 at .5):

| threshold | 0.1 | 0.15 | **0.2** | 0.25 | 0.3 | 0.35 | 0.4 | 0.5 |
|---|---|---|---|---|---|---|---|---|
| families excluded, % | 0 | 0 | 0-0.1 | 0-0.2 | 0-0.3 | 0-0.4 | 0-0.7 | 0.4-3.9 |
| friends excluded, % | 0.7-0.8 | 1.2-1.5 | 1.7-2.2 | 2.4-3.1 | 3.0-4.1 | 3.7-5.0 | 4.7-5.5 | 6.5-8.6 |
| actions, times | 0.999 | 1.000 | 0.993 | 1.000 | 1.000 | 1.001 | 1.010 | 1.067 |

So it costs nothing up to .35. It gains little there, too: those albums hold hardly any tiny or blurred face.
"""

NEIGHBOURS = 32
"""Listed for each face; those of larger people are compared by their means at the end. From 24 to 128 no group in six
albums differs; more only cost time and memory."""

LENIENCE, TYPICAL_QUALITY = 0.5, 0.65
"""Times (1 - maximum recognition distance) and (typical quality - quality): how much less alike, in a doubtful
distance, a blurred, dim or turned face may be to the person it joins. A crisp one has to be more alike.

A bad picture of Anna looks less like her than a good one; a good picture that looks only a little like Anna is not her.
Takes 7 to 17 % of the actions and a third to half of the assigned strangers from the friends albums; families pay 1 to
2 %. .35 to .7 and .6 to .7 are as good. In linking, where both may be bad pictures, it gained nothing.
Below `TRUSTED_QUALITY` it grows no more: the albums hold too few such faces to measure it.
"""

RUNNERS_UP = 8
"""Of the most alike people this many are looked at: some are in the same picture and drop out."""

ROUNDS = 6
"""A face that joined lets others join; after this many rounds nothing was left to do in any album."""

ROUNDING = 1e-5
"""Cosines are good for about this much."""

BLOCK = 1024


def group_faces(
    embedding: Float32Array,
    constraints: Constraints,
    *,
    maximum_distance: float,
    linking: float = LINK,
    trusted: npt.NDArray[np.bool_] | None = None,
    faces: IntArray | None = None,
    quality: Float32Array | None = None,
) -> Groups:
    """Group all faces of one account. `Groups.size` tells which groups have *minimum recognized faces*, and are people.

    Args:
        embedding: float32 (n, d), unit length. Rows of zeros or with NaN stay alone, or with their person.
        constraints: what may not be put together, and who is known.
        maximum_distance: *maximum recognition distance*, 0..1.5.
        linking: the pack's, about 1.
        trusted: bool (n,); the others join people, and never found or bridge them.
        faces: int64 (n,), how many faces each row stands for (see `Groups`); None for one each.
        quality: float32 (n,), 0..1 (`plugin.faces.quality`); None when all are typical.
    """
    usable: npt.NDArray[np.bool_] = np.isfinite(embedding).all(axis=1) & (embedding != 0).any(axis=1)
    if not usable.all():
        embedding = np.where(usable[:, None], embedding, np.float32(0))  # which resembles nothing
        trusted = usable if trusted is None else usable & trusted
    groups = Groups(embedding, constraints, trusted, faces)
    distance = linking * maximum_distance
    link(groups, similar_pairs(embedding, distance, NEIGHBOURS), distance)
    joining = _Joining.of(constraints.picture, maximum_distance, quality)
    rest = _Rest(groups)
    for _ in range(ROUNDS):
        joined = _join(groups, rest, joining)
        if not joined + _unite(groups, 1 - UNITE * maximum_distance, joining.stranger):
            break
    return groups


class _Rest:
    """Small groups that were far from everybody in an earlier round: now only those who changed can be near.

    Comparing all of them with all people again would double what joining costs.
    """

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._far = np.zeros(len(groups.label), dtype=np.bool_)
        self._faces_then = np.zeros(len(groups.label), dtype=np.int64)

    def to_compare(self, rest: IntArray, people: IntArray, vectors: Float32Array, least: Float32Array) -> IntArray:
        """Which of the small groups somebody may be near to; they count as far until `near` says otherwise.

        `least`: float32 (n,), by label, how alike somebody near is.
        """
        changed = self._groups.size[people] != self._faces_then[people]
        self._faces_then[people] = self._groups.size[people]
        if changed.any():
            far = rest[self._far[rest]]
            for start in range(0, len(far), BLOCK):
                block = far[start : start + BLOCK]
                alike = self._groups.means(block) @ vectors[changed].T
                self._far[block] = alike.max(axis=1) < least[block] - ROUNDING
        asked = rest[~self._far[rest]]
        self._far[asked] = True
        return asked

    def near(self, label: int) -> None:
        """Somebody is near this group."""
        self._far[label] = False


@dataclass(frozen=True, slots=True, eq=False)
class _Joining:
    """What it takes to join: the picture of each row, and how alike everything has to be (cosines).

    Attributes:
        picture: int64 (n,).
        limit: float32 (n,), by row, in a doubtful distance; a group's is the mean of its rows'.
        stranger: how alike somebody unknown may be.
        favour: how much more alike those count who are expected in a picture.
    """

    picture: IntArray
    limit: Float32Array
    stranger: float
    favour: float

    @classmethod
    def of(cls, picture: IntArray, maximum_distance: float, quality: Float32Array | None) -> "_Joining":
        scale = 1 - maximum_distance
        limit = np.full(len(picture), 1 - JOIN * maximum_distance, dtype=np.float32)
        if quality is not None:
            limit -= np.float32(LENIENCE * scale) * (TYPICAL_QUALITY - np.maximum(quality, TRUSTED_QUALITY))
        return cls(picture, limit, STRANGER * scale, COMPANY * scale)

    def limits(self, groups: Groups) -> Float32Array:
        """By label, what each group has to reach."""
        count = len(self.limit)
        rows = np.bincount(groups.label, minlength=count)
        total = np.bincount(groups.label, weights=self.limit, minlength=count)
        return np.asarray(total / np.maximum(rows, 1), dtype=np.float32)


def _join(groups: Groups, rest: _Rest, joining: _Joining) -> int:
    """Let small groups join people, the surest first; how many did."""
    labels = groups.labels()
    people, small_ones = _people(groups, labels)
    directions = _directions(groups, people)
    company = Company(groups.label, joining.picture, people)
    limits, stranger, favour = joining.limits(groups), joining.stranger, joining.favour
    least = _least(limits, stranger, JOIN_GAP) - favour
    ready: list[tuple[float, int, int]] = []
    asked = rest.to_compare(small_ones, people, directions, least)
    for small, candidates, alike in _most_alike(groups, asked, people, directions, least[asked]):
        rest.near(small)
        match = _match(groups, small, *_favoured(company, small, candidates, alike, favour), stranger)
        if not match:
            continue
        sure = match.alike + JOIN_GAP * (match.alike - match.runner_up) - float(limits[small])
        if sure >= 0:
            ready.append((-sure, small, match.label))
    merges = [(person, small) for _, small, person in sorted(ready) if groups.promise(person, small)]
    return _unite_all(groups, merges)


def _favoured(
    company: Company, small: int, candidates: list[int], alike: Float32Array, favour: float
) -> tuple[list[int], Float32Array]:
    """The candidates again, those expected in these pictures counting as more alike; most alike first."""
    expected, telling = company.expected(small)
    if not expected:
        return candidates, alike
    by = alike + np.float32(favour * telling) * np.array([who in expected for who in candidates], dtype=np.float32)
    order = np.argsort(-by, kind="stable")
    return [candidates[i] for i in order.tolist()], by[order]


def _unite(groups: Groups, limit: float, stranger: float) -> int:
    """Unite people who are most alike to each other and clearly less alike to anybody else; how many pairs were."""
    people, _ = _people(groups, groups.labels())
    best: dict[int, Match] = {}
    least = _least(np.full(len(people), limit, dtype=np.float32), stranger, UNITE_GAP)
    for person, candidates, alike in _most_alike(groups, people, people, groups.means(people), least):
        if match := _match(groups, person, candidates, alike, stranger):
            best[person] = match
    merges: list[tuple[int, int]] = []
    for person, match in best.items():
        mutual = best.get(match.label)
        if person > match.label or mutual is None or mutual.label != person:
            continue
        if match.alike + UNITE_GAP * (match.alike - max(match.runner_up, mutual.runner_up)) >= limit:
            larger, smaller = sorted((person, match.label), key=lambda label: -int(groups.size[label]))
            if groups.promise(larger, smaller):
                merges.append((larger, smaller))
    return _unite_all(groups, merges)


@dataclass(frozen=True, slots=True)
class Match:
    """The group most alike to another one, and how alike it and the runner-up are (mean cosines)."""

    label: int
    alike: float
    runner_up: float


def _match(groups: Groups, label: int, candidates: Sequence[int], alike: Float32Array, stranger: float) -> Match | None:
    """The most alike of the candidates that may be one with `label`; further groups of its person are no runner-up."""
    allowed = [
        (other, float(by)) for other, by in zip(candidates, alike, strict=True) if groups.may_unite(other, label)
    ]
    if not allowed:
        return None
    (best, best_alike), *others = allowed
    who = groups.person_of(best)
    runner_up = next((by for other, by in others if who == NOBODY or groups.person_of(other) != who), stranger)
    return Match(best, best_alike, max(stranger, runner_up))


def _people(groups: Groups, labels: IntArray) -> tuple[IntArray, IntArray]:
    """Labels of groups that others may join (large, or known to be a person), and of those that may join them."""
    known = groups.known(labels)
    people = groups.trusted[labels] & ((groups.size[labels] >= CORE) | known)
    return labels[people], labels[~people & ~known]


def _directions(groups: Groups, people: IntArray) -> Float32Array:
    """The mean vectors of people, all of one length; of a person with nothing usable zeros, which resemble nobody."""
    means = groups.means(people)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return np.asarray(means * (TYPICAL_LENGTH / np.where(lengths > 0, lengths, 1)), dtype=np.float32)


def _least(limit: Float32Array, stranger: float, gap: float) -> Float32Array:
    """How alike groups have to be at least, when there is no runner-up but somebody unknown."""
    return np.asarray((limit + gap * stranger) / (1 + gap), dtype=np.float32)


def _most_alike(
    groups: Groups, these: IntArray, people: IntArray, vectors: Float32Array, least: Float32Array
) -> Iterator[tuple[int, list[int], Float32Array]]:
    """For each group that is `least` alike to anybody: the people most alike, most alike first, and how alike.

    Alike is the dot product of the group's mean and the person's vector. A group is not compared with itself; `least`
    is each group's own; `people` ascend.
    """
    if not len(people):
        return
    width = min(RUNNERS_UP + 1, len(people))
    for start in range(0, len(these), BLOCK):
        block = these[start : start + BLOCK]
        alike = groups.means(block) @ vectors.T
        themselves = np.searchsorted(people, block)
        here = np.flatnonzero(people[np.minimum(themselves, len(people) - 1)] == block)
        alike[here, themselves[here]] = -np.inf
        near = alike.max(axis=1) >= least[start : start + BLOCK] - ROUNDING
        alike = alike[near]
        top = np.argpartition(-alike, width - 1, axis=1)[:, :width]
        for label, columns, row in zip(block[near].tolist(), top, alike, strict=True):
            nearest = columns[np.lexsort((columns, -row[columns]))]
            nearest = nearest[np.isfinite(row[nearest])]
            if len(nearest):
                yield label, people[nearest].tolist(), row[nearest]


def _unite_all(groups: Groups, merges: list[tuple[int, int]]) -> int:
    pairs = np.array(merges, dtype=np.int64).reshape(-1, 2)
    groups.unite(pairs[:, 0], pairs[:, 1])
    return len(merges)
