"""Immich's recognition as its documentation describes it, over numbers alone.

One face at a time: its nearest faces within the *maximum recognition distance* are looked up. It joins the nearest one
that already belongs to a person. If none does, and the face is a core face (*minimum recognized faces* of them, itself
included), it founds a person. A face that is not core waits until all others had their turn, and may then join
somebody, but never found. The order of the queue matters, as it does in Immich.

Source: https://docs.immich.app/features/facial-recognition (read November 2026). Only the description was used.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from plugin.domain import Float32Array, PersonId
from plugin.faces.neighbours import DECIMALS

IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
TimeArray: TypeAlias = npt.NDArray[np.datetime64]

NOBODY = -1
"""In arrays of person ids: belongs to no person."""

BLOCK_NUMBERS = 500_000
"""Distances held at once by `within`: 2 MB (twice while they are rounded), whatever the size of the library.

With 4,000,000 the peak of a scan grew by some 60 MB between 2,000 and 20,000 faces."""


class Action(StrEnum):
    """What recognition does with one face."""

    ASSIGN = "assign"
    FOUND = "found"
    DEFER = "defer"
    LEAVE = "leave"


class Decision(NamedTuple):
    """The outcome for one face; `person` is set for `assign`, and for `found` once the person has an id."""

    action: Action
    person: PersonId | None = None


Search: TypeAlias = Callable[[IntArray], Iterator[tuple[IntArray, Float32Array]]]
"""For each row asked for: all rows within the maximum distance (itself included), nearest first, and the distances."""


def decide(
    distances: Float32Array,
    persons: IntArray,
    *,
    minimum_faces: int,
    maximum_distance: float,
    deferred: bool,
    may_found: bool = True,
) -> Decision:
    """What becomes of one face without a person.

    Args:
        distances: (m,) cosine distances to the faces it may be compared with, nearest first, its own 0 among them.
        persons: (m,) who each of those belongs to, `NOBODY` for none.
        minimum_faces: *minimum recognized faces*, >= 1. Only this many nearest faces are counted.
        maximum_distance: *maximum recognition distance*, inclusive.
        deferred: whether the face had its first turn and all others are done.
        may_found: False for faces that may join a person but never start one.
    """
    matches = int(np.count_nonzero(distances[:minimum_faces] <= maximum_distance))
    if minimum_faces > 1 and matches <= 1:
        return Decision(Action.LEAVE)
    core = matches >= minimum_faces and may_found
    if not core and not deferred:
        return Decision(Action.DEFER)
    # Immich asks twice: among the counted faces, then for the nearest assigned face anywhere within the distance.
    # With neighbours in order both questions have one answer.
    assigned = persons[(distances <= maximum_distance) & (persons != NOBODY)]
    if len(assigned):
        return Decision(Action.ASSIGN, int(assigned[0]))
    return Decision(Action.FOUND) if core else Decision(Action.LEAVE)


def barred_persons(
    taken_on: date | None, birth_dates: Mapping[PersonId, date], rejected: Collection[PersonId] = ()
) -> set[PersonId]:
    """Persons a face cannot be: those a verdict rejected, and those born after the picture was taken.

    Faces of these persons do not count as neighbours at all, before the nearest are chosen; that is where Immich puts
    its birth date rule. Without a date (a scan, a messenger's copy) nothing can be ruled out.
    """
    barred = set(rejected)
    if taken_on is not None:
        barred.update(person for person, born in birth_dates.items() if born > taken_on)
    return barred


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """What else recognition must respect.

    Attributes:
        minimum_faces, maximum_distance: see `decide`.
        birth_dates: by person.
        taken_at: datetime64 (n,), NaT where unknown; None when no time is known at all.
        rejected: by row, the persons that face is not.
        may_found: bool (n,); None: every face may.
    """

    minimum_faces: int
    maximum_distance: float
    birth_dates: Mapping[PersonId, date] = field(default_factory=dict)
    taken_at: TimeArray | None = None
    rejected: Mapping[int, Collection[PersonId]] = field(default_factory=dict)
    may_found: BoolArray | None = None

    def barred(self, row: int) -> set[PersonId]:
        """Persons the face in this row cannot be."""
        taken_on: date | None = None
        if self.birth_dates and self.taken_at is not None:
            taken_on = self.taken_at[row].astype("datetime64[D]").item()
        return barred_persons(taken_on, self.birth_dates, self.rejected.get(row, ()))


def within(embedding: Float32Array, maximum_distance: float) -> Search:
    """The exact `Search` over unit-length embeddings, float32 (n, d), computed block by block when asked.

    A queue over all n faces costs n² d multiplications: 8,000 faces of 512 numbers about 2 s on two cores.
    Distances are rounded as in `plugin.faces.neighbours`, so that copies of one photo tie; the lower row comes first.
    """

    def search(rows: IntArray) -> Iterator[tuple[IntArray, Float32Array]]:
        step = max(1, BLOCK_NUMBERS // max(1, len(embedding)))
        for start in range(0, len(rows), step):
            found = 1 - embedding[rows[start : start + step]] @ embedding.T
            np.round(found, DECIMALS, out=found)
            np.clip(found, 0, 2, out=found)
            for distances in found:
                near = np.flatnonzero(distances <= maximum_distance)
                order = near[np.argsort(distances[near], kind="stable")]
                yield order, distances[order]

    return search


def take_turns(
    rows: Sequence[int] | IntArray,
    person: IntArray,
    search: Search,
    rules: Rules,
    found: Callable[[int], PersonId],
    *,
    deferred: bool,
) -> Iterator[tuple[int, Decision]]:
    """Give each row its turn, in this order, and yield (row, decision) as soon as it is taken.

    Args:
        rows: the queue. Rows that have a person already are passed over, as in Immich.
        person: int64 (n,), who each row belongs to; written in place, so that later rows see earlier decisions.
        search: finds neighbours.
        rules: see `Rules`.
        found: makes a person founded by the row and returns its id.
        deferred: whether this is the second turn.
    """
    queue = np.asarray(rows, dtype=np.int64)
    for row, (near, distances) in zip(queue.tolist(), search(queue), strict=True):
        if person[row] != NOBODY:
            continue
        allowed = ~np.isin(person[near], list(rules.barred(row)))
        decision = decide(
            distances[allowed],
            person[near][allowed],
            minimum_faces=rules.minimum_faces,
            maximum_distance=rules.maximum_distance,
            deferred=deferred,
            may_found=rules.may_found is None or bool(rules.may_found[row]),
        )
        if decision.action is Action.FOUND:
            decision = Decision(Action.FOUND, found(row))
        if decision.person is not None:
            person[row] = decision.person
        yield row, decision


@dataclass(frozen=True, slots=True, eq=False)
class Recognised:
    """How a run over arrays ended.

    Attributes:
        person: int64 (n,), `NOBODY` for faces that stay unassigned.
        founders: for each new person, the row that founded it; new ids go on after the highest one given.
    """

    person: IntArray
    founders: dict[PersonId, int]


def recognise_all(
    embedding: Float32Array,
    person: IntArray,
    pending: Sequence[int] | IntArray,
    rules: Rules,
    *,
    deferred: Sequence[int] | IntArray = (),
    search: Search | None = None,
) -> Recognised:
    """Run the whole queue: every pending row in the given order, then those that were deferred, in their order.

    Args:
        embedding: float32 (n, d), unit length.
        person: int64 (n,), who each row belongs to before; not changed.
        pending: rows that wait for their first turn.
        rules: see `Rules`.
        deferred: rows that had their first turn in an earlier run; they come before the newly deferred ones.
        search: another way to find neighbours; `within` when None.
    """
    person = person.copy()
    founders: dict[PersonId, int] = {}
    first_new = int(person.max(initial=0)) + 1

    def found(row: int) -> PersonId:
        founders[first_new + len(founders)] = row
        return first_new + len(founders) - 1

    search = search or within(embedding, rules.maximum_distance)
    first = take_turns(pending, person, search, rules, found, deferred=False)
    again = [*deferred, *(row for row, decision in first if decision.action is Action.DEFER)]
    for _ in take_turns(again, person, search, rules, found, deferred=True):
        pass
    return Recognised(person, founders)
