"""Who faces belong to: the rules by which a user's word stands above the machine's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, exists, or_, select, update

from plugin.catalogue.asset_rows import blocks
from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.tables import face, person, verdict
from plugin.domain import AccountId, AssignedBy, FaceId, FaceState, PersonId, VerdictKind
from plugin.errors import NotFound

Assignment = tuple[FaceId, PersonId | None]

LOOKED_AT = frozenset({FaceState.DEFERRED, FaceState.ASSIGNED, FaceState.UNASSIGNED})


def user_decides(connection: Connection, assignments: Sequence[Assignment], state: FaceState | None) -> None:
    """Store what a user said, whatever was there.

    Raises:
        NotFound: a face or person does not exist, or they belong to different accounts; nothing is stored then.
    """
    owners = _face_rows(connection, [face_id for face_id, _ in assignments])
    persons = person_owners(connection, [person_id for _, person_id in assignments if person_id is not None])
    for face_id, person_id in assignments:
        if face_id not in owners:
            raise NotFound("There is no such face")
        if person_id is not None and persons.get(person_id) != owners[face_id].account_id:
            raise NotFound("There is no such person")
    for face_id, person_id in assignments:
        _store(connection, face_id, person_id, AssignedBy.USER, state, None)


def machine_proposes(
    connection: Connection, assignments: Sequence[Assignment], state: FaceState | None, now: datetime
) -> None:
    """Store what recognition found, except where a user said otherwise.

    Faces and persons that were deleted since recognition looked, and pairs of different accounts, are left out: one of
    them must not cost all the others their result.
    """
    rows = _face_rows(connection, [face_id for face_id, _ in assignments])
    persons = person_owners(connection, [person_id for _, person_id in assignments if person_id is not None])
    said = verdicts_on(connection, list(rows))
    for face_id, person_id in assignments:
        row = rows.get(face_id)
        if row is None or (person_id is not None and persons.get(person_id) != row.account_id):
            continue
        if row.assigned_by == AssignedBy.USER or row.state == FaceState.IGNORED:
            continue
        if not any(forbids(verdict_row, person_id) for verdict_row in said.get(face_id, [])):
            _store(connection, face_id, person_id, AssignedBy.MACHINE, state, now)


def set_states(connection: Connection, face_ids: Sequence[FaceId], state: FaceState, now: datetime) -> None:
    """Set the state; what is not `assigned` any more belongs to nobody.

    Only `ignored`, which a user decides, touches faces a user assigned; faces a verdict calls nobody stay ignored.
    """
    if state is FaceState.ASSIGNED:
        raise ValueError("assign() says to whom")
    values: dict[str, Any] = {"state": state, "person_id": None, "assigned_by": None}
    if state is FaceState.IGNORED:
        values["group_id"] = None
    if state in LOOKED_AT:
        values["recognised_at"] = now
    for block in blocks(face_ids):
        change = update(face).where(face.c.id.in_(block)).values(**values)
        if state is not FaceState.IGNORED:
            change = change.where(
                or_(face.c.assigned_by.is_(None), face.c.assigned_by != AssignedBy.USER),
                ~exists().where(verdict.c.face_id == face.c.id, verdict.c.kind == VerdictKind.IS_NOBODY),
            )
        connection.execute(change)


def unassign_all_machine(connection: Connection, account_id: AccountId | None) -> None:
    """Faces the machine assigned, and no verdict confirms, become pending."""
    confirmed = exists().where(
        verdict.c.face_id == face.c.id,
        verdict.c.kind == VerdictKind.IS_PERSON,
        verdict.c.person_id == face.c.person_id,
    )
    which = [face.c.assigned_by == AssignedBy.MACHINE, ~confirmed]
    if account_id is not None:
        which.append(face.c.account_id == account_id)
    freed = {"state": FaceState.PENDING, "person_id": None, "assigned_by": None}
    connection.execute(update(face).where(and_(*which)).values(**freed))


def _store(
    connection: Connection,
    face_id: FaceId,
    person_id: PersonId | None,
    by: AssignedBy,
    state: FaceState | None,
    now: datetime | None,
) -> None:
    if person_id is not None:
        # A person and a state other than `assigned` contradict each other; the person is what was asked for.
        state = FaceState.ASSIGNED
    elif state is None or state is FaceState.ASSIGNED:
        state = FaceState.UNASSIGNED
    values: dict[str, Any] = {"person_id": person_id, "assigned_by": by if person_id is not None else None}
    if person_id is not None:
        values["group_id"] = None
    if now is not None and state in LOOKED_AT:
        values["recognised_at"] = now
    connection.execute(update(face).where(face.c.id == face_id).values(state=state, **values))


def forbids(said: AnyRow, person_id: PersonId | None) -> bool:
    """Whether a verdict on a face speaks against this person (None: nobody)."""
    if said.kind == VerdictKind.IS_PERSON:
        return bool(said.person_id != person_id)
    if said.kind == VerdictKind.IS_NOBODY:
        return True
    return person_id is not None and bool(said.person_id == person_id)


def _face_rows(connection: Connection, face_ids: Sequence[FaceId]) -> dict[FaceId, AnyRow]:
    rows: dict[FaceId, AnyRow] = {}
    for block in blocks(face_ids):
        query = select(face.c.id, face.c.account_id, face.c.state, face.c.assigned_by).where(face.c.id.in_(block))
        rows.update((row.id, row) for row in connection.execute(query))
    return rows


def person_owners(connection: Connection, person_ids: Sequence[PersonId]) -> dict[PersonId, AccountId]:
    """Whose persons these are; those that do not exist are left out."""
    owners: dict[PersonId, AccountId] = {}
    for block in blocks(dict.fromkeys(person_ids)):
        query = select(person.c.id, person.c.account_id).where(person.c.id.in_(block))
        owners.update((row.id, row.account_id) for row in connection.execute(query))
    return owners


def verdicts_on(connection: Connection, face_ids: Sequence[FaceId]) -> dict[FaceId, list[AnyRow]]:
    """What users said about these faces: (face_id, kind, person_id)."""
    said: dict[FaceId, list[AnyRow]] = {}
    for block in blocks(face_ids):
        query = select(verdict.c.face_id, verdict.c.kind, verdict.c.person_id).where(verdict.c.face_id.in_(block))
        for row in connection.execute(query):
            said.setdefault(row.face_id, []).append(row)
    return said
