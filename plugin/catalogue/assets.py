"""Assets as intake and the screens see them."""

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, and_, func, select, tuple_

from plugin.catalogue.asset_listing import store_gone, store_moved, store_seen
from plugin.catalogue.asset_rows import (
    COLUMNS,
    NEWEST_FIRST,
    get_asset,
    present,
    to_asset,
    with_visible_face,
)
from plugin.catalogue.assets_of_person import read_assets_of_person
from plugin.catalogue.folder_marks import above, doubt
from plugin.catalogue.person_rows import require_person
from plugin.catalogue.photo_search import counted_by_faces, fits
from plugin.catalogue.queue_rate import tallied
from plugin.catalogue.tables import asset, intake_problem, library
from plugin.catalogue.transactions import BLOCK, Transactions
from plugin.domain import (
    AccountId,
    Asset,
    AssetId,
    FailureCount,
    HostAsset,
    LibraryId,
    PersonId,
    PhotoSearch,
    WorkState,
)
from plugin.ports.assets import SeenAsset

PLACES = 10_000
"""Ids and paths read at once, 2 MB."""


class SqlAssets:
    """`AssetRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def by_host_key(self, library_id: LibraryId, host_key: str) -> AssetId | None:
        """The asset the host knows by this name, or None; gone ones are none."""
        same = (asset.c.library_id == library_id, asset.c.host_key == host_key, asset.c.gone.is_(False))
        with self._transactions.read() as connection:
            found: AssetId | None = connection.execute(select(asset.c.id).where(*same)).scalar()
        return found

    def content_key(self, library_id: LibraryId, host_key: str, change_key: str) -> str | None:
        """The stored content key when the stored change key is the same and not empty, else None."""
        if not change_key:
            return None
        same = (asset.c.library_id == library_id, asset.c.host_key == host_key, asset.c.change_key == change_key)
        with self._transactions.read() as connection:
            key: str | None = connection.execute(select(asset.c.content_key).where(*same)).scalar()
        return key

    def contents(self, library_id: LibraryId, folder: str) -> dict[str, tuple[str, str]]:
        """(change key, content key) by host key of the assets directly in a folder ("": at the top)."""
        first = f"{folder}/" if folder else ""
        mine = asset.c.library_id == library_id
        # "0" follows "/": the rows of the folder and of those below it, by the index alone.
        below = (asset.c.host_key >= first, asset.c.host_key < f"{folder}0") if folder else ()
        directly = func.instr(func.substr(asset.c.host_key, len(first) + 1), "/") == 0
        query = select(asset.c.host_key, asset.c.change_key, asset.c.content_key).where(mine, *below, directly)
        with self._transactions.read() as connection:
            rows = connection.execute(query).all()
        return {row.host_key: (row.change_key, row.content_key) for row in rows if row.change_key}

    def seen(self, library_id: LibraryId, listed: Sequence[HostAsset], sync_pass: int) -> list[SeenAsset]:
        """Insert or update by `host_key`; new or changed content, and content that returns changed, becomes pending.

        What another library of the account reads already is left out (`plugin.catalogue.same_files`).
        One transaction (one fsync) per call: hand over some hundred at once.
        """
        with self._transactions.write() as connection:
            return store_seen(connection, library_id, listed, sync_pass)

    def looked_up(self, library_id: LibraryId, found: Sequence[HostAsset]) -> list[SeenAsset]:
        """As `seen`, with the number of the present pass (or the last one), which so may not mark their folders."""
        with self._transactions.write() as connection:
            doubt(connection, library_id, {folder for entry in found for folder in above(entry.path)})
            number = connection.execute(select(library.c.sync_pass).where(library.c.id == library_id)).scalar()
            return store_seen(connection, library_id, found, number or 0)

    def unseen_with_content(self, library_id: LibraryId, content_key: str, sync_pass: int) -> list[Asset]:
        """Assets with this content not seen in this pass (gone ones included), present and lowest id first."""
        query = (
            select(*COLUMNS)
            .where(asset.c.library_id == library_id, asset.c.content_key == content_key, asset.c.seen_pass < sync_pass)
            .order_by(asset.c.gone, asset.c.id)
        )
        with self._transactions.read() as connection:
            return [to_asset(row) for row in connection.execute(query)]

    def moved(self, asset_id: AssetId, listed: HostAsset, sync_pass: int) -> None:
        """Same asset, new key and path; faces and verdicts stay; detection is not repeated."""
        with self._transactions.write() as connection:
            store_moved(connection, asset_id, listed, sync_pass)

    def unseen(self, library_id: LibraryId, sync_pass: int) -> Iterator[Asset]:
        """Present assets the pass did not see, in blocks; the caller may hide each block while it goes."""
        after = 0
        while True:
            query = (
                select(*COLUMNS)
                .where(*present(), asset.c.library_id == library_id, asset.c.seen_pass < sync_pass, asset.c.id > after)
                .order_by(asset.c.id)
                .limit(BLOCK)
            )
            with self._transactions.read() as connection:
                found = [to_asset(row) for row in connection.execute(query)]
            if not found:
                return
            yield from found
            after = found[-1].id

    def unseen_places(self, library_id: LibraryId, sync_pass: int) -> Iterator[tuple[AssetId, str]]:
        """(id, path) of present assets the pass did not see, in blocks."""
        after = 0
        unseen = (*present(), asset.c.library_id == library_id, asset.c.seen_pass < sync_pass)
        while True:
            query = select(asset.c.id, asset.c.path).where(*unseen, asset.c.id > after).order_by(asset.c.id)
            with self._transactions.read() as connection:
                found = [(row.id, row.path) for row in connection.execute(query.limit(PLACES))]
            yield from found
            if len(found) < PLACES:
                return
            after = found[-1][0]

    def of_host_key(self, library_id: LibraryId, host_key: str) -> Asset | None:
        """The asset of this library that the host names so, gone or not."""
        query = select(*COLUMNS).where(asset.c.library_id == library_id, asset.c.host_key == host_key)
        with self._transactions.read() as connection:
            row = connection.execute(query).first()
        return to_asset(row) if row is not None else None

    def mark_gone(self, asset_ids: Sequence[AssetId]) -> None:
        """Hidden with their faces, kept so that a return brings everything back."""
        with self._transactions.write() as connection:
            store_gone(connection, asset_ids, self._transactions.now())

    def get(self, asset_id: AssetId, account_id: AccountId | None = None) -> Asset:
        """The asset, gone or not."""
        with self._transactions.read() as connection:
            return get_asset(connection, asset_id, account_id)

    def of_person(self, person_id: PersonId, account_id: AccountId, offset: int, limit: int) -> list[Asset]:
        """Present assets with a face of this person, newest `taken_at` first."""
        with self._transactions.read() as connection:
            require_person(connection, person_id, account_id)
            return [to_asset(row) for row in read_assets_of_person(connection, person_id, account_id, offset, limit)]

    def neighbours_in_time(self, asset: Asset) -> tuple[AssetId | None, AssetId | None]:
        """The previous (older) and next (newer) present asset of the account that has faces."""
        return self._nearest(asset, newer=False), self._nearest(asset, newer=True)

    def recent_with_faces(self, account_id: AccountId, offset: int, limit: int) -> list[Asset]:
        """Present assets with faces, newest `taken_at` first."""
        query = select(*COLUMNS).where(*present(account_id), with_visible_face()).order_by(*NEWEST_FIRST)
        with self._transactions.read() as connection:
            return [to_asset(row) for row in connection.execute(query.offset(offset).limit(limit))]

    def search(self, account_id: AccountId, search: PhotoSearch, offset: int, limit: int) -> list[Asset]:
        """Present assets that fit, newest `taken_at` first."""
        query = select(*COLUMNS).where(*present(account_id), *fits(account_id, search)).order_by(*NEWEST_FIRST)
        with self._transactions.read() as connection:
            return [to_asset(row) for row in connection.execute(query.offset(offset).limit(limit))]

    def search_count(self, account_id: AccountId, search: PhotoSearch) -> int:
        """How many `search` would list."""
        if search == PhotoSearch():
            query = counted_by_faces(account_id)
        else:
            query = select(func.count()).select_from(asset).where(*present(account_id), *fits(account_id, search))
        with self._transactions.read() as connection:
            return int(connection.execute(query).scalar_one())

    def failed(self, account_id: AccountId | None, code: str | None, limit: int) -> list[Asset]:
        """Present assets that failed for good (for this reason), newest `taken_at` first."""
        query = select(*COLUMNS).where(*present(account_id), asset.c.state == WorkState.FAILED)
        if code is not None:
            query = query.where(asset.c.error_code == code)
        with self._transactions.read() as connection:
            return [to_asset(row) for row in connection.execute(query.order_by(*NEWEST_FIRST).limit(limit))]

    def failures(self, account_id: AccountId | None) -> list[FailureCount]:
        """Failed assets and listing problems by reason, most frequent first; the message is one example."""
        assets = (
            select(asset.c.error_code, func.min(asset.c.error_message), func.count())
            .where(*present(account_id), asset.c.state == WorkState.FAILED)
            .group_by(asset.c.error_code)
        )
        listed = (
            select(intake_problem.c.code, func.min(intake_problem.c.message), func.count())
            .join(library, library.c.id == intake_problem.c.library_id)
            .group_by(intake_problem.c.code)
        )
        if account_id is not None:
            listed = listed.where(library.c.account_id == account_id)
        with self._transactions.read() as connection:
            rows = [*connection.execute(assets), *connection.execute(listed)]
        return _by_reason([(code or "", message or "", count) for code, message, count in rows])

    def counts(self, account_id: AccountId | None) -> tuple[int, int]:
        """(present assets, gone assets)."""
        with self._transactions.read() as connection:
            counts = tallied(connection, "asset", account_id)
        gone = counts.pop("gone", 0)
        return sum(counts.values()), gone

    def _nearest(self, start: Asset, *, newer: bool) -> AssetId | None:
        order = (asset.c.taken_at.asc(), asset.c.id.asc()) if newer else (asset.c.taken_at.desc(), asset.c.id.desc())
        with self._transactions.read() as connection:
            for there in beyond(start, newer=newer):
                query = select(asset.c.id).where(*present(start.account_id), there, with_visible_face())
                found: AssetId | None = connection.execute(query.order_by(*order).limit(1)).scalar()
                if found is not None:
                    return found
        return None


def beyond(start: Asset, *, newer: bool) -> list[ColumnElement[bool]]:
    """Where to look for assets after (or before) `start` by (taken_at, id), an unknown time being older than any.

    One place after the other, since SQLite finds each of them by its index, but reads all assets for their union.
    """
    later_id = asset.c.id > start.id if newer else asset.c.id < start.id
    if start.taken_at is None:
        among_unknown = and_(asset.c.taken_at.is_(None), later_id)
        return [among_unknown, asset.c.taken_at.is_not(None)] if newer else [among_unknown]
    here, there = tuple_(asset.c.taken_at, asset.c.id), tuple_(start.taken_at, start.id)
    return [here > there] if newer else [here < there, asset.c.taken_at.is_(None)]


def _by_reason(rows: Sequence[tuple[str, str, int]]) -> list[FailureCount]:
    merged: dict[str, FailureCount] = {}
    for code, message, count in rows:
        before = merged.get(code)
        merged[code] = FailureCount(
            code, before.message if before else message, count + (before.count if before else 0)
        )
    return sorted(merged.values(), key=lambda failure: (-failure.count, failure.code))
