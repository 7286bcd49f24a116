"""What is known before faces are grouped: who they are, what users said, and people who take part as a whole."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from plugin.domain import Float32Array, PersonId
from plugin.faces.ages import age_bands
from plugin.faces.grouping import CORE
from plugin.faces.immich import NOBODY, barred_persons
from plugin.faces.neighbours import IntArray

BoolArray: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class KnownFaces:
    """What is known of n faces of one account and pack.

    Attributes:
        embedding: float32 (n, d), unit length.
        picture: int64 (n,), the asset.
        person: int64 (n,), who each is now, `NOBODY` for none.
        said: int64 (n,), who a user says each is, `NOBODY` for nothing said.
        group: int64 (n,), faces of nobody with the same number (>= 0) were alike in an earlier run; negative: none.
        taken_at: datetime64[s] (n,), NaT when unknown.
        trusted: bool (n,), whether it may found or bridge people.
        quality: float32 (n,), 0..1; None when all are typical.
    """

    embedding: Float32Array
    picture: IntArray
    person: IntArray
    said: IntArray
    group: IntArray
    taken_at: npt.NDArray[np.datetime64]
    trusted: BoolArray
    quality: Float32Array | None = None

    def __len__(self) -> int:
        return len(self.picture)

    def some(self, rows: IntArray | BoolArray) -> "KnownFaces":
        """Only these rows."""
        return KnownFaces(
            self.embedding[rows],
            self.picture[rows],
            self.person[rows],
            self.said[rows],
            self.group[rows],
            self.taken_at[rows],
            self.trusted[rows],
            None if self.quality is None else self.quality[rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class KnownPeople:
    """What has to be respected.

    Attributes:
        kept: people who stay as they are: a user named them, hid them, or said they differ from somebody.
        faces: how many faces people have in all, where that is more than the rows tell.
        appearances: (picture, person), int64 (k, 2): who of the people that take part as a whole is in which picture.
        birth_dates: by person.
        rejected: by row, the persons a face is not.
    """

    kept: Collection[PersonId] = ()
    faces: Mapping[PersonId, int] | None = None
    appearances: IntArray | None = None
    birth_dates: Mapping[PersonId, date] | None = None
    rejected: Mapping[int, Collection[PersonId]] | None = None


def anchored(faces: KnownFaces, persons: Iterable[PersonId], birth_dates: Mapping[PersonId, date]) -> IntArray:
    """Who faces are said to be, with one typical face for each of these persons: int64 (n,), as `KnownFaces.said`.

    A name given to a group of faces says who these are without saying it of any one of them. The face nearest to the
    mean stands for it (at each age, see `plugin.faces.ages`), so the name goes where the typical face goes.
    """
    said = faces.said.copy()
    for person in persons:
        rows = np.flatnonzero((faces.person == person) & faces.trusted)
        if not len(rows):
            rows = np.flatnonzero(faces.person == person)
        for band in _bands(faces.taken_at[rows], birth_dates.get(person)):
            typical = rows[band][np.argmax(faces.embedding[rows[band]] @ faces.embedding[rows[band]].mean(axis=0))]
            if said[typical] == NOBODY:
                said[typical] = person
    return said


def contradicting(faces: KnownFaces) -> BoolArray:
    """Faces a user assigned that look more like somebody else than like the person they were given to, bool (n,).

    They are taken at their word and decide nothing else: one twin's photo given to the other must not bring along all
    photos of the first. That two people are one is for a user to say.
    """
    found = np.zeros(len(faces), dtype=np.bool_)
    rows = np.flatnonzero(faces.said != NOBODY)
    persons, place = np.unique(faces.person, return_inverse=True)
    if not len(rows) or not len(persons):
        return found
    total = np.zeros((len(persons), faces.embedding.shape[1]), dtype=np.float32)
    np.add.at(total, place, faces.embedding)
    counts = np.bincount(place).astype(np.float32)
    known = (persons != NOBODY) & (counts >= CORE)
    for row in rows.tolist():
        alike = faces.embedding[row] @ total.T / counts
        mine = persons == faces.said[row]
        others = counts - mine  # without the face itself
        own = (alike * counts - 1)[mine] / np.maximum(others[mine], 1)
        stranger = np.max(alike, where=known & ~mine, initial=-1.0)
        found[row] = stranger > (float(own[0]) if len(own) and others[mine][0] > 0 else 0.0)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """People who take part as a whole, once per age band: int64 (m,), float32 (m, d), int64 (m,)."""

    person: IntArray
    embedding: Float32Array
    faces: IntArray

    @classmethod
    def of(cls, faces: KnownFaces, people: KnownPeople, whole: Collection[PersonId]) -> "Means":
        """Of these people, over their trusted faces."""
        born, totals = people.birth_dates or {}, people.faces or {}
        person: list[PersonId] = []
        embedding: list[Float32Array] = []
        counts: list[int] = []
        for who in sorted(whole):
            rows = np.flatnonzero(faces.person == who)
            evidence = rows[faces.trusted[rows]] if faces.trusted[rows].any() else rows
            times_more = max(totals.get(who, 0), len(rows)) / len(rows)
            for band in _bands(faces.taken_at[evidence], born.get(who)):
                person.append(who)
                embedding.append(faces.embedding[evidence[band]].mean(axis=0))
                counts.append(max(1, round(len(band) * times_more)))
        width = faces.embedding.shape[1]
        means = np.array(embedding, dtype=np.float32).reshape(-1, width)
        return cls(np.array(person, dtype=np.int64), means, np.array(counts, dtype=np.int64))


def whole_people(person: IntArray, people: KnownPeople, whole_from: int | None) -> set[PersonId]:
    """Who takes part as a whole: who is kept, or has at least `whole_from` faces (None: only the kept ones)."""
    ids, counts = np.unique(person[person != NOBODY], return_counts=True)
    totals = people.faces or {}
    kept = set(people.kept)
    return {
        who
        for who, count in zip(ids.tolist(), counts.tolist(), strict=True)
        if who in kept or (whole_from is not None and max(count, totals.get(who, 0)) >= whole_from)
    }


def barred(
    faces: KnownFaces, people: KnownPeople, loose: IntArray, whole: Collection[PersonId]
) -> dict[int, set[PersonId]]:
    """Whom the loose faces cannot be, by position among them: rejected, not born, or in the same picture already."""
    born, rejected = people.birth_dates or {}, people.rejected or {}
    seen = _seen_in(faces, people, whole)
    days = faces.taken_at.astype("datetime64[D]")
    found: dict[int, set[PersonId]] = {}
    for position, row in enumerate(loose.tolist()):
        who = barred_persons(days[row].item() if born else None, born, rejected.get(row, ()))
        if faces.said[row] == NOBODY:
            who |= seen.get(int(faces.picture[row]), set())
        who.discard(int(faces.said[row]))
        if who:
            found[position] = who
    return found


def _seen_in(faces: KnownFaces, people: KnownPeople, whole: Collection[PersonId]) -> dict[int, set[PersonId]]:
    mine = np.isin(faces.person, list(whole))
    pairs = np.stack([faces.picture[mine], faces.person[mine]], axis=1)
    if people.appearances is not None:
        others = people.appearances[np.isin(people.appearances[:, 1], list(whole))]
        pairs = np.concatenate([pairs, others])
    seen: dict[int, set[PersonId]] = {}
    for picture, who in pairs.tolist():
        seen.setdefault(picture, set()).add(who)
    return seen


def _bands(taken_at: npt.NDArray[np.datetime64], birth_date: date | None) -> list[IntArray]:
    """Positions by age band; all in one without a birth date."""
    if birth_date is None:
        return [np.arange(len(taken_at), dtype=np.int64)] if len(taken_at) else []
    bands = age_bands(taken_at, birth_date)
    return [np.flatnonzero(bands == band).astype(np.int64) for band in np.unique(bands)]
