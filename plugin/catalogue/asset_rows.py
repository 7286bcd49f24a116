"""Reading assets: columns, conditions, and rows as `Asset`."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, exists, select

from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.tables import asset, face
from plugin.catalogue.transactions import BLOCK
from plugin.domain import AccountId, Asset, AssetId, AssetKind, FaceState, WorkState
from plugin.errors import NotFound

Item = TypeVar("Item")

COLUMNS = (
    asset.c.id,
    asset.c.library_id,
    asset.c.account_id,
    asset.c.host_key,
    asset.c.path,
    asset.c.kind,
    asset.c.content_key,
    asset.c.taken_at,
    asset.c.width,
    asset.c.height,
    asset.c.state,
    asset.c.attempts,
    asset.c.error_code,
    asset.c.error_message,
    asset.c.gone,
)

NEWEST_FIRST = (asset.c.taken_at.desc().nulls_last(), asset.c.id.desc())
"""The order of photos everywhere; an unknown time counts as oldest."""


def to_asset(row: AnyRow) -> Asset:
    """A row of `COLUMNS` as a value."""
    return Asset(
        id=row.id,
        library_id=row.library_id,
        account_id=row.account_id,
        host_key=row.host_key,
        path=row.path,
        kind=AssetKind(row.kind),
        content_key=row.content_key,
        taken_at=row.taken_at,
        width=row.width,
        height=row.height,
        state=WorkState(row.state),
        attempts=row.attempts,
        error_code=row.error_code,
        error_message=row.error_message,
        gone=row.gone,
    )


def present(account_id: AccountId | None = None) -> list[ColumnElement[bool]]:
    """Conditions for assets the host still has (of the account)."""
    conditions: list[ColumnElement[bool]] = [asset.c.gone.is_(False)]
    if account_id is not None:
        conditions.append(asset.c.account_id == account_id)
    return conditions


def belongs(owner: ColumnElement[int], account_id: AccountId) -> ColumnElement[bool]:
    """That a row is the account's, beside a condition that finds few rows.

    The sum keeps SQLite from indexes that begin with the account: it does not know that one account owns everything,
    and would go through all its faces to find those of one person.
    """
    return owner + 0 == account_id


def not_gone(asset_id: ColumnElement[int], account_id: AccountId) -> ColumnElement[bool]:
    """That a photo of the account, named by another table, is present.

    Not joined: photos that are gone are few, and looking up the row of each photo takes most of the time.
    """
    gone = select(asset.c.id).where(asset.c.account_id == account_id, asset.c.gone.is_(True))
    return asset_id.not_in(gone)


def with_visible_face() -> ColumnElement[bool]:
    """Assets with at least one face that is not ignored."""
    return exists().where(face.c.asset_id == asset.c.id, face.c.state != FaceState.IGNORED)


def get_asset(connection: Connection, asset_id: AssetId, account_id: AccountId | None = None) -> Asset:
    """The asset, gone or not; `NotFound` when there is none or it is another account's."""
    query = select(*COLUMNS).where(asset.c.id == asset_id)
    if account_id is not None:
        query = query.where(asset.c.account_id == account_id)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound("There is no such photo")
    return to_asset(row)


def blocks(items: Iterable[Item], size: int = BLOCK) -> Iterator[Sequence[Item]]:
    """The items in lists of at most `size`, so that no statement gets too many parameters."""
    iterator = iter(items)
    while block := list(islice(iterator, size)):
        yield block
