"""The photos of one person, by month and by face, and the faces that stand for everybody."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Select, func, select

from plugin.catalogue.asset_rows import blocks, present
from plugin.catalogue.column_types import AnyRow, from_blobs
from plugin.catalogue.companions import read_companions
from plugin.catalogue.person_rows import require_person
from plugin.catalogue.tables import asset, embedding, face, person, person_month, verdict
from plugin.catalogue.transactions import Transactions
from plugin.domain import (
    AccountId,
    AssetId,
    Companion,
    FaceId,
    FaceState,
    Float32Array,
    MonthCount,
    PersonId,
    VerdictKind,
)


class SqlPersonPhotos:
    """`PersonPhotoRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def months(self, person_id: PersonId, account_id: AccountId) -> list[MonthCount]:
        """How many photos each month has, newest first, unknown times last."""
        query = select(person_month.c.month, person_month.c.photos).where(person_month.c.person_id == person_id)
        query = query.order_by(person_month.c.month.desc())
        with self._transactions.read() as connection:
            require_person(connection, person_id, account_id)
            rows = connection.execute(query).all()
        return [MonthCount(date.fromisoformat(f"{row.month}-01") if row.month else None, row.photos) for row in rows]

    def faces_on(self, person_id: PersonId, account_id: AccountId, asset_ids: Sequence[AssetId]) -> list[FaceId]:
        """The faces of the person on these photos, lowest id first."""
        found: list[FaceId] = []
        with self._transactions.read() as connection:
            require_person(connection, person_id, account_id)
            for block in blocks(dict.fromkeys(asset_ids)):
                query = _faces_of(person_id).where(face.c.asset_id.in_(block))
                found.extend(connection.execute(query).scalars())
        return sorted(found)

    def faces_before(self, person_id: PersonId, account_id: AccountId, day: date) -> list[FaceId]:
        """The faces of the person on present photos taken before this day, lowest id first."""
        query = _faces_of(person_id).where(asset.c.taken_at < datetime.combine(day, time()))
        with self._transactions.read() as connection:
            require_person(connection, person_id, account_id)
            return list(connection.execute(query).scalars())

    def companions(self, person_id: PersonId, account_id: AccountId, limit: int) -> list[Companion]:
        """Who is on the same photos, most shared photos first; hidden people left out."""
        with self._transactions.read() as connection:
            require_person(connection, person_id, account_id)
            return read_companions(connection, person_id, account_id, limit)

    def typical(self, account_id: AccountId, pack: str) -> tuple[list[PersonId], Float32Array]:
        """Of everybody with comparable faces one embedding; one query, however many people there are."""
        known, other = face.alias("known"), face.alias("other")
        chosen = select(known.c.id).where(known.c.id == person.c.typical_face_id, known.c.person_id == person.c.id)
        best = select(other.c.id).where(other.c.person_id == person.c.id, other.c.pack == pack)
        best = best.order_by(other.c.quality.desc(), other.c.id).limit(1)
        stands = func.coalesce(chosen.correlate(person).scalar_subquery(), best.correlate(person).scalar_subquery())
        query = (
            select(person.c.id, embedding.c.vector)
            .select_from(person)
            .join(embedding, embedding.c.face_id == stands)
            .where(person.c.account_id == account_id, embedding.c.pack == pack)
            .order_by(person.c.id)
        )
        return _vectors(self._rows(query))

    def unassigned(self, account_id: AccountId, pack: str, limit: int) -> tuple[list[FaceId], Float32Array]:
        """Faces of nobody on present photos, those of best quality first, with their embeddings."""
        nobodys = (face.c.state.in_([FaceState.UNASSIGNED, FaceState.DEFERRED, FaceState.PENDING]), face.c.pack == pack)
        best = (
            select(face.c.id)
            .join(asset, asset.c.id == face.c.asset_id)
            .where(*present(account_id), face.c.account_id == account_id, *nobodys)
            .order_by(face.c.quality.desc(), face.c.id)
            .limit(limit)
        )
        query = select(embedding.c.face_id.label("id"), embedding.c.vector)
        return _vectors(self._rows(query.where(embedding.c.face_id.in_(best), embedding.c.pack == pack)))

    def rejected(self, person_id: PersonId, account_id: AccountId) -> set[FaceId]:
        """Faces a user said are not this person."""
        said = (verdict.c.kind == VerdictKind.IS_NOT_PERSON, verdict.c.person_id == person_id)
        query = select(verdict.c.face_id.label("id")).where(*said, verdict.c.account_id == account_id)
        return {row.id for row in self._rows(query)}

    def _rows(self, query: Select[Any]) -> Sequence[AnyRow]:
        with self._transactions.read() as connection:
            return connection.execute(query).all()


def _faces_of(person_id: PersonId) -> Select[Any]:
    """Ids of the faces of a person on present photos, lowest first."""
    joined = select(face.c.id).join(asset, asset.c.id == face.c.asset_id)
    return joined.where(*present(), face.c.person_id == person_id).order_by(face.c.id)


def _vectors(rows: Sequence[AnyRow]) -> tuple[list[int], Float32Array]:
    return [row.id for row in rows], from_blobs([row.vector for row in rows])
