"""The detection work, as columns of the assets' own rows: leased, retried, resumable."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, update

from plugin.catalogue.asset_listing import UNTRIED
from plugin.catalogue.asset_rows import COLUMNS, NEWEST_FIRST, blocks, present, to_asset
from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.deletion import delete_faces, kept_by_user, kept_persons
from plugin.catalogue.detection_result import store_faces
from plugin.catalogue.queue_rate import queue_status, recent_rate, tallied
from plugin.catalogue.tables import asset, face, person
from plugin.catalogue.transactions import Transactions
from plugin.domain import AccountId, Asset, AssetId, FaceId, FoundFace, LibraryId, QueueStatus, WorkState

RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
"""How long a failed asset rests after its 1st, 2nd, ... attempt; the attempt after the last rest is the last one."""

MOST_ATTEMPTS = len(RETRY_AFTER) + 1

GAVE_UP = {
    "state": WorkState.FAILED,
    "error_code": "interrupted",
    "error_message": f"The worker ended {MOST_ATTEMPTS} times while it looked at this file",
}
"""For a file that brings the whole process down: nobody was left to report the failure."""

NOT_LEASED: dict[str, Any] = {"leased_by": None, "leased_until": None}

MODES = ("missing", "refresh", "reset")


class SqlDetectionQueue:
    """`DetectionQueue` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def request(self, mode: str, pack: str, asset_ids: Sequence[AssetId] | None = None) -> int:
        """Make assets pending again; returns how many (of these) are now pending, gone ones not counted.

        `missing`: no result by this pack yet, or failed; what is being looked at now goes on. `refresh`: all; what is
        being looked at now is looked at once more. `reset`: all, and faces a user said nothing
        about are deleted, unless they belong to somebody a user knows.
        """
        if mode not in MODES:
            raise ValueError(f"mode {mode!r} is none of {', '.join(MODES)}")
        scopes = [None] if asset_ids is None else [asset.c.id.in_(block) for block in blocks(dict.fromkeys(asset_ids))]
        with self._transactions.write() as connection:
            return sum(_request(connection, mode, pack, scope) for scope in scopes)

    def retry_of_library(self, library_id: LibraryId, codes: Sequence[str]) -> int:
        """Present assets of the library that failed for these reasons become pending at once; returns how many."""
        which = (*present(), asset.c.library_id == library_id, asset.c.error_code.in_(codes))
        with self._transactions.write() as connection:
            return connection.execute(update(asset).where(*which).values(**UNTRIED)).rowcount

    def once_more(self, library_id: LibraryId, given_up: Sequence[str], resting: Sequence[str]) -> int:
        """A pass over the library's host went well, so its assets get another chance; returns how many."""
        mine = (*present(), asset.c.library_id == library_id)
        failed = (*mine, asset.c.state == WorkState.FAILED, asset.c.error_code.in_(given_up))
        rests = (*mine, asset.c.state == WorkState.PENDING, asset.c.error_code.in_(resting))
        waiting = (*rests, asset.c.due_at.is_not(None))
        at_once = update(asset).where(*waiting).values(due_at=None)
        one_try = update(asset).where(*failed).values(**UNTRIED | {"attempts": MOST_ATTEMPTS - 1})
        with self._transactions.write() as connection:
            # A single one is to blame itself, not the host: one that fails each time would stop the others each time.
            several = len(connection.execute(select(asset.c.id).where(*waiting).limit(2)).all()) > 1
            return sum(
                connection.execute(change).rowcount for change in ((at_once, one_try) if several else (one_try,))
            )

    def retry_failed(self, account_id: AccountId | None, code: str | None) -> int:
        """Failed assets (for this reason) become pending at once; returns how many."""
        which = [*present(account_id), asset.c.state == WorkState.FAILED]
        if code is not None:
            which.append(asset.c.error_code == code)
        with self._transactions.write() as connection:
            return connection.execute(update(asset).where(*which).values(**UNTRIED)).rowcount

    def claim(
        self,
        worker: str,
        count: int,
        lease_seconds: float,
        besides: Collection[LibraryId] = (),
        among: Sequence[AssetId] | None = None,
    ) -> list[Asset]:
        """Lease up to `count` pending assets that are due and not leased, newest `taken_at` first."""
        now = self._transactions.now()
        lease = {"leased_by": worker, "leased_until": now + timedelta(seconds=lease_seconds)}
        with self._transactions.write() as connection:
            _give_up(connection, asset.c.leased_until <= now)
            due = [*_pending(), *_due(now, besides), _free(now)]
            ids = _next(connection, due, count) if among is None else _first_of(connection, among, due, count)
            claimed = []
            for block in blocks(ids):
                these = asset.c.id.in_(block)
                connection.execute(update(asset).where(these).values(**lease, attempts=asset.c.attempts + 1))
                rows = connection.execute(select(*COLUMNS).where(these).order_by(*NEWEST_FIRST))
                claimed += [to_asset(row) for row in rows]
        return claimed

    def finish(
        self,
        asset: Asset,
        pack: str,
        faces: Sequence[FoundFace],
        size: tuple[int, int],
        taken_at: datetime | None,
    ) -> list[FaceId]:
        """Store the result in one transaction; see the port.

        Nothing is stored, and no ids are returned, when the content changed since `asset` was claimed or the asset was
        removed. When another look was requested since, the faces are stored and the asset stays pending.
        """
        with self._transactions.write() as connection:
            row = _current(connection, asset)
            if row is None:
                return []
            ids = store_faces(connection, asset, pack, faces)
            values: dict[str, Any] = {"width": size[0], "height": size[1]}
            if taken_at is not None:
                values["taken_at"] = taken_at
            if not _asked_again(row, asset):
                values |= {**UNTRIED, "attempts": row.attempts, "state": WorkState.DONE}
                values |= {"detected_at": self._transactions.now(), "detected_pack": pack}
            _update(connection, asset.id, values)
        return ids

    def fail(self, asset: Asset, code: str, message: str, *, permanent: bool) -> None:
        """Failed for good, or due again later (after 5 attempts for good).

        Says nothing about content that came after `asset` was claimed, nor about an asset finished by somebody else.
        """
        with self._transactions.write() as connection:
            row = _current(connection, asset)
            if row is None or row.state != WorkState.PENDING or _asked_again(row, asset):
                return
            values: dict[str, Any] = {"error_code": code, "error_message": message, **NOT_LEASED}
            if permanent or row.attempts >= MOST_ATTEMPTS:
                values["state"] = WorkState.FAILED
            else:
                values["due_at"] = self._transactions.now() + RETRY_AFTER[max(row.attempts, 1) - 1]
            _update(connection, asset.id, values)

    def put_off(self, asset: Asset, seconds: float) -> None:
        """Give back one lease, since the host was not asked; due after so long, and no attempt is counted."""
        with self._transactions.write() as connection:
            row = _current(connection, asset)
            if row is None or row.state != WorkState.PENDING or _asked_again(row, asset):
                return
            due_at = self._transactions.now() + timedelta(seconds=seconds)
            _update(connection, asset.id, {"attempts": max(row.attempts - 1, 0), "due_at": due_at, **NOT_LEASED})

    def release(self, worker: str, *, count_attempt: bool = False) -> None:
        """Give back every lease of this worker.

        Args:
            worker: as in `claim`.
            count_attempt: false after a clean shutdown. True for the leases of a run that was killed: a file that
                brings the process down each time must not be tried for ever.
        """
        values: dict[str, Any] = dict(NOT_LEASED)
        if not count_attempt:
            # A request made meanwhile has set them to 0; not func.max, which means an aggregate in PostgreSQL.
            values["attempts"] = case((asset.c.attempts > 0, asset.c.attempts - 1), else_=0)
        with self._transactions.write() as connection:
            if count_attempt:
                _give_up(connection, asset.c.leased_by == worker)
            connection.execute(update(asset).where(asset.c.leased_by == worker).values(**values))

    def release_expired(self) -> int:
        """Give back leases whose time is over; the attempts stay counted. Returns how many there were."""
        now = self._transactions.now()
        with self._transactions.write() as connection:
            over = asset.c.leased_until <= now
            given_up = _give_up(connection, over)
            return given_up + connection.execute(update(asset).where(over).values(**NOT_LEASED)).rowcount

    def busy(self, besides: Collection[LibraryId] = ()) -> bool:
        """Whether an asset is due or being looked at; those that rest before another try do not count."""
        now = self._transactions.now()
        due = or_(and_(*_due(now, besides)), asset.c.leased_until > now)
        with self._transactions.read() as connection:
            return connection.execute(select(asset.c.id).where(*_pending(), due).limit(1)).first() is not None

    def status(self, account_id: AccountId | None = None) -> QueueStatus:
        """Over present assets; assets that rest before another try count as waiting."""
        now = self._transactions.now()
        with self._transactions.read() as connection:
            counts = tallied(connection, "asset", account_id)
            running = _running(connection, account_id, now)
            rate = recent_rate(connection, asset.c.detected_at, asset.c.account_id, account_id, now)
        return queue_status(
            waiting=counts.get(WorkState.PENDING, 0) - running,
            running=running,
            done=counts.get(WorkState.DONE, 0),
            failed=counts.get(WorkState.FAILED, 0),
            rate=rate,
        )


def _running(connection: Connection, account_id: AccountId | None, now: datetime) -> int:
    """Present assets that are being looked at."""
    # Leases are few, and found by their own index only when nothing else is asked.
    columns = (asset.c.state, asset.c.gone, asset.c.account_id)
    rows = connection.execute(select(*columns).where(asset.c.leased_until > now)).all()
    return sum(row.state == WorkState.PENDING and not row.gone and account_id in {None, row.account_id} for row in rows)


def _pending() -> list[ColumnElement[bool]]:
    return [asset.c.state == WorkState.PENDING, asset.c.gone.is_(False)]


def _give_up(connection: Connection, lost: ColumnElement[bool]) -> int:
    """Assets whose lease was `lost` on their last attempt fail; called wherever a lease ends without a word."""
    # Leases are few. With all conditions in one statement SQLite goes through every pending asset, at every claim.
    rows = connection.execute(select(asset.c.id, asset.c.state, asset.c.attempts).where(lost)).all()
    worn_out = [row.id for row in rows if row.state == WorkState.PENDING and row.attempts >= MOST_ATTEMPTS]
    for block in blocks(worn_out):
        connection.execute(update(asset).where(asset.c.id.in_(block)).values(**GAVE_UP, **NOT_LEASED))
    return len(worn_out)


def _due(now: datetime, besides: Collection[LibraryId]) -> list[ColumnElement[bool]]:
    due = [or_(asset.c.due_at.is_(None), asset.c.due_at <= now)]
    return [*due, asset.c.library_id.not_in(besides)] if besides else due


def _next(connection: Connection, due: list[ColumnElement[bool]], count: int) -> list[AssetId]:
    query = select(asset.c.id).where(*due).order_by(*NEWEST_FIRST).limit(count)
    # Says nothing to SQLite, which has one writer; on PostgreSQL two workers then never wait for each other.
    return list(connection.execute(query.with_for_update(skip_locked=True)).scalars())


def _first_of(
    connection: Connection, among: Sequence[AssetId], due: list[ColumnElement[bool]], count: int
) -> list[AssetId]:
    """Some of a few, in the order they are named.

    Found by their ids alone: with conditions or an order SQLite goes through everything that is pending.
    """
    ids: list[AssetId] = []
    for block in blocks(dict.fromkeys(among)):
        query = select(asset.c.id, and_(*due).label("due")).where(asset.c.id.in_(block))
        rows = connection.execute(query.with_for_update(skip_locked=True)).all()
        found = {row.id for row in rows if row.due}
        ids += [asset_id for asset_id in block if asset_id in found]
    return ids[:count]


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(asset.c.leased_until.is_(None), asset.c.leased_until <= now)


def _request(connection: Connection, mode: str, pack: str, scope: ColumnElement[bool] | None) -> int:
    within = [] if scope is None else [scope]
    if mode == "missing":
        without = or_(asset.c.detected_pack.is_(None), asset.c.detected_pack != pack)
        finished = and_(asset.c.state == WorkState.DONE, without)
        resting = and_(asset.c.state == WorkState.PENDING, asset.c.leased_until.is_(None))
        which = or_(finished, resting, asset.c.state == WorkState.FAILED)
        connection.execute(update(asset).where(which, *within).values(**UNTRIED))
    else:
        connection.execute(update(asset).where(*within).values(**UNTRIED))
    if mode == "reset":
        assets = select(asset.c.id).where(*within)
        # Faces of people a user knows stay until detection has looked: it finds them again, and so the people.
        of_kept = face.c.person_id.in_(select(person.c.id).where(kept_persons()))
        forgotten = or_(face.c.person_id.is_(None), ~of_kept)
        delete_faces(connection, and_(face.c.asset_id.in_(assets), ~kept_by_user(), forgotten))
    count = select(func.count()).select_from(asset).where(*_pending(), *within)
    return int(connection.execute(count).scalar_one())


def _current(connection: Connection, claimed: Asset) -> AnyRow | None:
    """The row of a claimed asset, or None when it is gone for good or shows something else now."""
    query = select(asset.c.content_key, asset.c.attempts, asset.c.state).where(asset.c.id == claimed.id)
    row = connection.execute(query).first()
    return row if row is not None and row.content_key == claimed.content_key else None


def _asked_again(row: AnyRow, claimed: Asset) -> bool:
    """Whether a new look was requested since the claim: that starts the attempts anew."""
    return bool(row.state == WorkState.PENDING and row.attempts < claimed.attempts)


def _update(connection: Connection, asset_id: AssetId, values: dict[str, Any]) -> None:
    connection.execute(update(asset).where(asset.c.id == asset_id).values(**values))
