"""What users said."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, insert, or_, select

from plugin.catalogue.person_rows import require_person
from plugin.catalogue.tables import face, skipped, verdict
from plugin.catalogue.transactions import Transactions
from plugin.domain import AccountId, FaceId, PersonId, Verdict, VerdictKind
from plugin.errors import NotFound, Refused

LATELY = 500
"""Verdicts in which those recognised last are looked for first: there may be tens of thousands."""


class SqlVerdicts:
    """`VerdictRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def add(
        self,
        account_id: AccountId,
        kind: VerdictKind,
        *,
        face_id: FaceId | None = None,
        person_id: PersonId | None = None,
        other_person_id: PersonId | None = None,
    ) -> None:
        """Store what a user said, in place of what it contradicts or repeats.

        Raises:
            NotFound: a face or person that is not there or is another account's.
            Refused: a person cannot differ from itself.
            ValueError: the ids do not fit the kind; a mistake of the caller.
        """
        _check_shape(kind, face_id, person_id, other_person_id)
        if kind is VerdictKind.PERSONS_DIFFER and person_id is not None and other_person_id is not None:
            person_id, other_person_id = sorted((person_id, other_person_id))
        with self._transactions.write() as connection:
            _check_owner(connection, account_id, face_id, (person_id, other_person_id))
            connection.execute(delete(verdict).where(_replaced(kind, face_id, person_id, other_person_id)))
            ids = {"face_id": face_id, "person_id": person_id, "other_person_id": other_person_id}
            values = {"account_id": account_id, "kind": kind, "said_at": self._transactions.now(), **ids}
            connection.execute(insert(verdict).values(**values))

    def withdraw(self, account_id: AccountId, kind: VerdictKind, *, face_id: FaceId) -> None:
        """Take back what was said about a face; nothing happens when it was not said."""
        said = (verdict.c.account_id == account_id, verdict.c.kind == kind, verdict.c.face_id == face_id)
        with self._transactions.write() as connection:
            connection.execute(delete(verdict).where(*said))

    def all(self, account_id: AccountId) -> list[Verdict]:
        """Everything that still holds, oldest first."""
        query = select(verdict).where(verdict.c.account_id == account_id).order_by(verdict.c.id)
        with self._transactions.read() as connection:
            return [
                Verdict(row.id, row.account_id, VerdictKind(row.kind), row.face_id, row.person_id, row.other_person_id)
                for row in connection.execute(query)
            ]

    def recent_persons(self, account_id: AccountId, limit: int) -> list[PersonId]:
        """Whom users recognised in faces last, the latest first."""
        said = (verdict.c.account_id == account_id, verdict.c.kind == VerdictKind.IS_PERSON)
        newest = select(verdict.c.id, verdict.c.person_id).where(*said).order_by(verdict.c.id.desc()).limit(LATELY)
        with self._transactions.read() as connection:
            read = newest.subquery()
            found = connection.execute(_latest_of(read.c.person_id, read.c.id, limit)).scalars().all()
            if len(found) < limit:
                # The same few, again and again; who came before them is among all that was ever said.
                everything = _latest_of(verdict.c.person_id, verdict.c.id, limit).where(*said)
                found = connection.execute(everything).scalars().all()
        return list(found)

    def differ(self, account_id: AccountId, one: PersonId, other: PersonId) -> bool:
        """Whether a user said that these are two people."""
        pair = sorted((one, other))
        said = _replaced(VerdictKind.PERSONS_DIFFER, None, *pair)
        with self._transactions.read() as connection:
            query = select(verdict.c.id).where(said, verdict.c.account_id == account_id)
            return connection.execute(query).first() is not None

    def rejected_persons(self, face_id: FaceId) -> set[PersonId]:
        """Persons this face is not, by `is_not_person`."""
        query = select(verdict.c.person_id).where(
            verdict.c.face_id == face_id, verdict.c.kind == VerdictKind.IS_NOT_PERSON
        )
        with self._transactions.read() as connection:
            return set(connection.execute(query).scalars())

    def skip(self, account_id: AccountId, key: str, likelihood: float) -> None:
        """Remember that a suggestion was skipped when a yes was so likely."""
        same = (skipped.c.account_id == account_id, skipped.c.key == key)
        with self._transactions.write() as connection:
            connection.execute(delete(skipped).where(*same))
            connection.execute(insert(skipped).values(account_id=account_id, key=key, likelihood=likelihood))

    def unskip(self, account_id: AccountId, key: str) -> None:
        """Forget that it was skipped; nothing happens when it was not."""
        with self._transactions.write() as connection:
            connection.execute(delete(skipped).where(skipped.c.account_id == account_id, skipped.c.key == key))

    def skipped(self, account_id: AccountId) -> dict[str, float]:
        """The likelihood at which suggestions were skipped last, by key."""
        query = select(skipped.c.key, skipped.c.likelihood).where(skipped.c.account_id == account_id)
        with self._transactions.read() as connection:
            return {row.key: row.likelihood for row in connection.execute(query)}


def _latest_of(person_id: ColumnElement[int], said: ColumnElement[int], limit: int) -> Select[Any]:
    query: Select[Any] = select(person_id).group_by(person_id)
    return query.order_by(func.max(said).desc()).limit(limit)


def _check_shape(
    kind: VerdictKind, face_id: FaceId | None, person_id: PersonId | None, other_person_id: PersonId | None
) -> None:
    given = (face_id is not None, person_id is not None, other_person_id is not None)
    wanted = {
        VerdictKind.IS_PERSON: (True, True, False),
        VerdictKind.IS_NOT_PERSON: (True, True, False),
        VerdictKind.IS_NOBODY: (True, False, False),
        VerdictKind.PERSONS_DIFFER: (False, True, True),
    }[kind]
    if given != wanted:
        raise ValueError(f"{kind}: face, person, other person given: {given}, wanted: {wanted}")
    if kind is VerdictKind.PERSONS_DIFFER and person_id == other_person_id:
        raise Refused("A person cannot differ from itself")


def _check_owner(
    connection: Connection, account_id: AccountId, face_id: FaceId | None, persons: tuple[PersonId | None, ...]
) -> None:
    if face_id is not None:
        mine = (face.c.id == face_id, face.c.account_id == account_id)
        if connection.execute(select(face.c.id).where(*mine)).first() is None:
            raise NotFound("There is no such face")
    for person_id in persons:
        if person_id is not None:
            require_person(connection, person_id, account_id)


def _replaced(
    kind: VerdictKind, face_id: FaceId | None, person_id: PersonId | None, other_person_id: PersonId | None
) -> ColumnElement[bool]:
    """The older verdicts a new one takes the place of."""
    if kind is VerdictKind.PERSONS_DIFFER:
        return and_(
            verdict.c.kind == kind, verdict.c.person_id == person_id, verdict.c.other_person_id == other_person_id
        )
    is_person = verdict.c.kind == VerdictKind.IS_PERSON
    is_nobody = verdict.c.kind == VerdictKind.IS_NOBODY
    same_person = verdict.c.person_id == person_id
    about = {
        VerdictKind.IS_PERSON: or_(is_person, is_nobody, and_(_is_not_person(), same_person)),
        VerdictKind.IS_NOT_PERSON: and_(or_(is_person, _is_not_person()), same_person),
        VerdictKind.IS_NOBODY: or_(is_person, is_nobody),
    }
    return and_(verdict.c.face_id == face_id, about[kind])


def _is_not_person() -> ColumnElement[bool]:
    return verdict.c.kind == VerdictKind.IS_NOT_PERSON
