"""Faces of nobody and ignored faces, counted and paged in SQL: a page costs one pass over an index, not all rows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from plugin.catalogue.asset_rows import blocks, present
from plugin.catalogue.tables import asset, face, verdict
from plugin.catalogue.transactions import Transactions
from plugin.domain import AccountId, FaceId, FaceState, VerdictKind
from plugin.ports.galleries import Group, NobodyCounts

GROUP_KEY = func.coalesce(face.c.group_id, face.c.id)


class SqlGalleries:
    """`GalleryRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def nobody_counts(self, account_id: AccountId, pack: str) -> NobodyCounts:
        """How many groups and single faces there are."""
        groups = _groups(account_id, pack).subquery()
        together = func.iif(groups.c.faces > 1, 1, 0)
        query = select(func.sum(together), func.sum(groups.c.faces * together), func.sum(1 - together))
        with self._transactions.read() as connection:
            counts = connection.execute(query).one()
        return NobodyCounts(*(int(count or 0) for count in counts))

    def groups(self, account_id: AccountId, pack: str, offset: int, limit: int, smallest: int = 2) -> list[Group]:
        """Groups of at least this many faces, the largest first."""
        query = (
            _groups(account_id, pack)
            .having(func.count() >= smallest)
            .order_by(func.count().desc(), func.min(face.c.id))
            .offset(offset)
            .limit(limit)
        )
        with self._transactions.read() as connection:
            return [Group(row.key, row.faces, row.last) for row in connection.execute(query)]

    def members(
        self, account_id: AccountId, pack: str, keys: Sequence[FaceId], each: int, after: FaceId = 0
    ) -> dict[FaceId, list[FaceId]]:
        """Of each group with such a key the first `each` faces above `after`, lowest id first."""
        number = func.row_number().over(partition_by=GROUP_KEY, order_by=face.c.id).label("number")
        found: dict[FaceId, list[FaceId]] = {}
        with self._transactions.read() as connection:
            for block in blocks(dict.fromkeys(keys)):
                # Not by the key itself: that would go through all faces of nobody.
                among = face.c.group_id.in_(block) | (face.c.group_id.is_(None) & face.c.id.in_(block))
                columns = face.c.id, GROUP_KEY.label("key"), number
                rows = _nobodys(account_id, pack, *columns).where(among, face.c.id > after).subquery()
                query = select(rows.c.id, rows.c.key).where(rows.c.number <= each).order_by(rows.c.id)
                for row in connection.execute(query):
                    found.setdefault(row.key, []).append(row.id)
        return found

    def singles(self, account_id: AccountId, pack: str, offset: int, limit: int) -> list[FaceId]:
        """Faces alike to no other, best quality first."""
        alone = _nobodys(account_id, pack, func.min(face.c.id).label("id"), func.max(face.c.quality).label("quality"))
        rows = alone.group_by(GROUP_KEY).having(func.count() == 1).subquery()
        query = select(rows.c.id).order_by(rows.c.quality.desc(), rows.c.id).offset(offset).limit(limit)
        with self._transactions.read() as connection:
            return list(connection.execute(query).scalars())

    def ignored_count(self, account_id: AccountId) -> int:
        """How many faces a user said to be nobody."""
        with self._transactions.read() as connection:
            return int(connection.execute(_ignored(account_id, func.count())).scalar_one())

    def ignored(self, account_id: AccountId, offset: int, limit: int) -> list[FaceId]:
        """Faces a user said to be nobody, the last one first."""
        said = (verdict.c.face_id == face.c.id) & (verdict.c.kind == VerdictKind.IS_NOBODY)
        when = select(func.max(verdict.c.id)).where(said).correlate(face).scalar_subquery()
        query = _ignored(account_id, face.c.id).order_by(when.desc().nulls_last(), face.c.id.desc())
        with self._transactions.read() as connection:
            return list(connection.execute(query.offset(offset).limit(limit)).scalars())


def _groups(account_id: AccountId, pack: str) -> Select[Any]:
    columns = GROUP_KEY.label("key"), func.count().label("faces"), func.max(face.c.id).label("last")
    return _nobodys(account_id, pack, *columns).group_by(GROUP_KEY)


def _nobodys(account_id: AccountId, pack: str, *columns: ColumnElement[Any]) -> Select[Any]:
    """Faces of nobody; the conditions are those of the partial index `ix_face_nobody`."""
    return (
        select(*columns)
        .select_from(face.join(asset, asset.c.id == face.c.asset_id))
        .where(face.c.account_id == account_id, face.c.pack == pack, face.c.person_id.is_(None))
        .where(face.c.state != FaceState.IGNORED, *present())
    )


def _ignored(account_id: AccountId, *columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(*columns)
        .select_from(face.join(asset, asset.c.id == face.c.asset_id))
        .where(face.c.account_id == account_id, face.c.state == FaceState.IGNORED, *present())
    )
