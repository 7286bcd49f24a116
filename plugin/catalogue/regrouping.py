"""Storing the outcome of a whole run of recognition at once: a kill leaves all of it or nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, insert, select, update

from plugin.catalogue.asset_rows import blocks
from plugin.catalogue.assignment import forbids, person_owners, verdicts_on
from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.tables import face, person
from plugin.domain import AccountId, AssignedBy, FaceId, FaceState, PersonId
from plugin.ports.faces import IntArray

NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Faces and what became of them, int64 (n,) each; see `FaceRows.regroup`."""

    face_ids: IntArray
    persons: IntArray
    groups: IntArray


def store_outcome(
    connection: Connection, account_id: AccountId, outcome: Outcome, now: datetime
) -> dict[int, PersonId]:
    """See `FaceRows.regroup`. Only rows that change are written."""
    changes = _changes(connection, account_id, outcome)
    new = sorted({who for _, who, _ in changes if who < NOBODY}, reverse=True)
    founded = {number: _found(connection, account_id) for number in new}
    rows = [
        {
            "row": face_id,
            "person": founded.get(who, who) if who != NOBODY else None,
            "to": FaceState.UNASSIGNED if who == NOBODY else FaceState.ASSIGNED,
            "by": None if who == NOBODY else AssignedBy.MACHINE,
            "group": None if group < 0 else group,
            "now": now,
        }
        for face_id, who, group in changes
    ]
    if rows:
        values: dict[str, Any] = {
            "person_id": bindparam("person"),
            "state": bindparam("to"),
            "assigned_by": bindparam("by"),
            "group_id": bindparam("group"),
            "recognised_at": bindparam("now"),
        }
        connection.execute(update(face).where(face.c.id == bindparam("row")).values(**values), rows)
    return founded


def _changes(connection: Connection, account_id: AccountId, outcome: Outcome) -> list[tuple[FaceId, PersonId, FaceId]]:
    """(face, person, group) of every face that is not so yet and may become so."""
    owners = person_owners(connection, np.unique(outcome.persons[outcome.persons > NOBODY]).tolist())
    wanted = {
        face_id: (who, group)
        for face_id, who, group in zip(
            outcome.face_ids.tolist(), outcome.persons.tolist(), outcome.groups.tolist(), strict=True
        )
        if who <= NOBODY or owners.get(who) == account_id
    }
    changes: list[tuple[FaceId, PersonId, FaceId]] = []
    for block in blocks(wanted):
        said = verdicts_on(connection, block)
        columns = (face.c.id, face.c.person_id, face.c.state, face.c.assigned_by, face.c.group_id)
        query = select(*columns).where(face.c.id.in_(block), face.c.account_id == account_id)
        changes += [
            (row.id, *wanted[row.id])
            for row in connection.execute(query).all()
            if _may_become(row, said.get(row.id, ()), *wanted[row.id])
        ]
    return changes


def _may_become(row: AnyRow, said: Iterable[AnyRow], who: PersonId, group: FaceId) -> bool:
    if row.assigned_by == AssignedBy.USER or row.state == FaceState.IGNORED:
        return False
    if any(forbids(verdict, None if who == NOBODY else who) for verdict in said):
        return False
    if row.state not in {FaceState.ASSIGNED, FaceState.UNASSIGNED}:
        return True
    return (_number(row.person_id), _number(row.group_id)) != (who, group)


def _number(value: int | None) -> int:
    return NOBODY if value is None else value


def _found(connection: Connection, account_id: AccountId) -> PersonId:
    unnamed = {"account_id": account_id, "name": "", "name_key": "", "search_words": ""}
    values = {**unnamed, "hidden": False, "favourite": False}
    return int(connection.execute(insert(person).values(**values).returning(person.c.id)).scalar_one())
