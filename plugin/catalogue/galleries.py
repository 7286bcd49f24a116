"""Faces of nobody and ignored faces, counted and paged in SQL: a page costs one pass over an index, not all rows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, TextClause, func, literal, select, text, union_all

from plugin.catalogue.asset_rows import belongs, blocks, not_gone, present
from plugin.catalogue.queue_rate import tallied
from plugin.catalogue.tables import asset, face, verdict
from plugin.catalogue.transactions import Transactions
from plugin.domain import AccountId, FaceId, FaceState, VerdictKind
from plugin.ports.galleries import Group, NobodyCounts

GROUP_KEY = func.coalesce(face.c.group_id, face.c.id)

OF_NOBODY = text("face.state NOT IN ('assigned', 'ignored')")
"""Word for word the condition of `ix_face_nobody`, else SQLite does not take that index. Said by state: by `person_id`
it would take the index on persons instead, and look at every row."""


class SqlGalleries:
    """`GalleryRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def nobody_counts(self, account_id: AccountId, pack: str) -> NobodyCounts:
        """How many groups and single faces there are."""
        return self.largest_groups(account_id, pack, 0, 0)[0]

    def largest_groups(
        self, account_id: AccountId, pack: str, offset: int, limit: int
    ) -> tuple[NobodyCounts, list[Group]]:
        """Groups of two or more, the largest first, and the counts of all: by one pass over the index."""
        ids = func.max(face.c.id).label("last"), func.min(face.c.id).label("low")
        columns = face.c.group_id.label("key"), func.count().label("faces"), *ids
        # Faces without a group are one row here, without a key.
        found = _nobodys(account_id, pack, *columns).group_by(face.c.group_id).cte("found")
        several = found.c.key.is_not(None) & (found.c.faces > 1)
        counts = select(
            func.total(func.iif(several, 1, 0)).label("groups"),
            func.total(func.iif(several, found.c.faces, 0)).label("grouped"),
            func.total(func.iif(several, 0, found.c.faces)).label("singles"),
        ).subquery()
        page = select(found).where(several).order_by(found.c.faces.desc(), found.c.low)
        rows = page.offset(offset).limit(limit).subquery()
        query = select(counts, rows).join_from(counts, rows, text("1"), isouter=True)
        query = query.order_by(rows.c.faces.desc(), rows.c.low)
        with self._transactions.read() as connection:
            read = connection.execute(query).all()
        groups = [Group(row.key, row.faces, row.last) for row in read if row.key is not None]
        return NobodyCounts(int(read[0].groups), int(read[0].grouped), int(read[0].singles)), groups

    def groups(self, account_id: AccountId, pack: str, offset: int, limit: int) -> list[Group]:
        """Groups, the largest first, and after them single faces, each a group of one."""
        columns = face.c.id.label("key"), literal(1).label("faces"), face.c.id.label("last"), face.c.id.label("low")
        alone = _nobodys(account_id, pack, *columns).where(face.c.group_id.is_(None))
        rows = union_all(_groups(account_id, pack), alone).subquery()
        query = select(rows).order_by(rows.c.faces.desc(), rows.c.low).offset(offset).limit(limit)
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
                # Not by the key itself, nor by OR: both would go through all faces of nobody.
                columns = face.c.id, GROUP_KEY.label("key")
                grouped = _nobodys(account_id, pack, *columns, number).where(face.c.group_id.in_(block))
                alone = select(*columns, literal(1)).where(
                    face.c.id.in_(block), face.c.group_id.is_(None), face.c.pack == pack, *_on_present(account_id)
                )
                rows = union_all(*(part.where(face.c.id > after) for part in (grouped, alone))).subquery()
                query = select(rows.c.id, rows.c.key).where(rows.c.number <= each).order_by(rows.c.id)
                for row in connection.execute(query):
                    found.setdefault(row.key, []).append(row.id)
        return found

    def singles(self, account_id: AccountId, pack: str, offset: int, limit: int) -> list[FaceId]:
        """Faces alike to no other, best quality first."""
        lone = _groups(account_id, pack).having(func.count() == 1).subquery()
        ids = union_all(
            _nobodys(account_id, pack, face.c.id, face.c.quality).where(face.c.group_id.is_(None)),
            select(face.c.id, face.c.quality).join(lone, lone.c.low == face.c.id),
        ).subquery()
        query = select(ids.c.id).order_by(ids.c.quality.desc(), ids.c.id).offset(offset).limit(limit)
        with self._transactions.read() as connection:
            return list(connection.execute(query).scalars())

    def ignored_count(self, account_id: AccountId) -> int:
        """How many faces a user said to be nobody."""
        with self._transactions.read() as connection:
            return tallied(connection, "face", account_id).get(FaceState.IGNORED, 0)

    def ignored(self, account_id: AccountId, offset: int, limit: int) -> list[FaceId]:
        """Faces a user said to be nobody, the last one first."""
        said = (verdict.c.face_id == face.c.id) & (verdict.c.kind == VerdictKind.IS_NOBODY)
        when = select(func.max(verdict.c.id)).where(said).correlate(face).scalar_subquery()
        query = _ignored(account_id, face.c.id).order_by(when.desc().nulls_last(), face.c.id.desc())
        with self._transactions.read() as connection:
            return list(connection.execute(query.offset(offset).limit(limit)).scalars())


def _groups(account_id: AccountId, pack: str) -> Select[Any]:
    """Faces with a group, by group: in the order of the index, so nothing is sorted to count them."""
    ids = func.max(face.c.id).label("last"), func.min(face.c.id).label("low")
    columns = face.c.group_id.label("key"), func.count().label("faces"), *ids
    grouped = _nobodys(account_id, pack, *columns).where(face.c.group_id.is_not(None))
    return grouped.group_by(face.c.group_id)


def _nobodys(account_id: AccountId, pack: str, *columns: ColumnElement[Any]) -> Select[Any]:
    """Faces of nobody, by the partial index `ix_face_nobody` alone."""
    mine = face.c.account_id == account_id, face.c.pack == pack
    return select(*columns).where(*mine, OF_NOBODY, not_gone(face.c.asset_id, account_id))


def _on_present(account_id: AccountId) -> tuple[ColumnElement[bool] | TextClause, ...]:
    """Faces of nobody that another condition finds."""
    return belongs(face.c.account_id, account_id), OF_NOBODY, not_gone(face.c.asset_id, account_id)


def _ignored(account_id: AccountId, *columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(*columns)
        .select_from(face.join(asset, asset.c.id == face.c.asset_id))
        .where(face.c.account_id == account_id, face.c.state == FaceState.IGNORED, *present())
    )
