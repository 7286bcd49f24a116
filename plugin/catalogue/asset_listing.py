"""What a pass over a host writes: assets seen, moved, gone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from plugin.catalogue.asset_rows import blocks
from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.folder_marks import above, drop_marks
from plugin.catalogue.same_files import left_to_others, release
from plugin.catalogue.tables import asset, library
from plugin.domain import AssetId, HostAsset, LibraryId, WorkState
from plugin.errors import AssetGone, NotFound
from plugin.ports.assets import SeenAsset

UNTRIED: dict[str, Any] = {
    "state": WorkState.PENDING,
    "attempts": 0,
    "error_code": None,
    "error_message": None,
    "due_at": None,
    "leased_by": None,
    "leased_until": None,
}
"""An asset that waits for detection as if it had never been tried."""

OF_LIBRARY = (library.c.id, library.c.account_id, library.c.host, library.c.address)
LISTED = ("path", "kind", "content_key", "change_key", "size_bytes")


def store_seen(
    connection: Connection, library_id: LibraryId, listed: Sequence[HostAsset], sync_pass: int
) -> list[SeenAsset]:
    """Insert or update by host key; see `AssetRows.seen`. When a key is listed twice the last entry counts."""
    mine = connection.execute(select(*OF_LIBRARY).where(library.c.id == library_id)).first()
    if mine is None:
        raise NotFound("There is no such library")
    by_key = {entry.host_key: entry for entry in listed}
    known = _known(connection, library_id, list(by_key))
    left = left_to_others(connection, mine, by_key, {key for key, row in known.items() if not row.gone})
    by_key = {key: entry for key, entry in by_key.items() if key not in left}
    known = {key: row for key, row in known.items() if key not in left}
    new = [key for key in by_key if key not in known]
    if new:
        connection.execute(
            insert(asset), [_new_row(by_key[key], library_id, mine.account_id, sync_pass) for key in new]
        )
    outcomes = {key: _outcome(known[key], entry) if key in known else "new" for key, entry in by_key.items()}
    _update_known(connection, library_id, known, by_key, outcomes, sync_pass)
    ids = {key: row.id for key, row in {**known, **_known(connection, library_id, new)}.items()}
    return [SeenAsset(ids[entry.host_key], outcomes[entry.host_key]) for entry in listed if entry.host_key in ids]


def store_moved(connection: Connection, asset_id: AssetId, listed: HostAsset, sync_pass: int) -> None:
    """Give an asset a new key and path; see `AssetRows.moved`."""
    row = connection.execute(select(asset.c.library_id).where(asset.c.id == asset_id)).first()
    if row is None:
        raise NotFound("There is no such photo")
    _make_way(connection, row.library_id, listed.host_key, asset_id)
    values = {**_listed_values(listed), "host_key": listed.host_key, "seen_pass": sync_pass, "gone": False}
    connection.execute(update(asset).where(asset.c.id == asset_id).values(**values))
    # Failed for want of the file under its old name, most likely: worth a new try under the new one.
    connection.execute(update(asset).where(asset.c.id == asset_id, asset.c.state == WorkState.FAILED).values(**UNTRIED))


def store_gone(connection: Connection, asset_ids: Sequence[AssetId], now: datetime) -> None:
    """Hide assets; their leases end, their faces stay. Other libraries that see the same files look for them."""
    release(connection, asset_ids, now)
    for block in blocks(asset_ids):
        connection.execute(
            update(asset).where(asset.c.id.in_(block)).values(gone=True, leased_by=None, leased_until=None)
        )


def _known(connection: Connection, library_id: LibraryId, keys: Sequence[str]) -> dict[str, AnyRow]:
    columns = [asset.c[name] for name in ("id", "host_key", "gone", "state", "error_code", "taken_at", *LISTED)]
    rows: dict[str, AnyRow] = {}
    for block in blocks(keys):
        query = select(*columns).where(asset.c.library_id == library_id, asset.c.host_key.in_(block))
        rows.update((row.host_key, row) for row in connection.execute(query).all())
    return rows


def _outcome(row: AnyRow, entry: HostAsset) -> str:
    if row.gone:
        return "returned"
    return "same" if row.content_key == entry.content_key else "changed"


def _new_row(entry: HostAsset, library_id: LibraryId, account_id: int, sync_pass: int) -> dict[str, Any]:
    return {
        **_listed_values(entry),
        **UNTRIED,
        "taken_at": entry.taken_at,
        "host_key": entry.host_key,
        "library_id": library_id,
        "account_id": account_id,
        "gone": False,
        "seen_pass": sync_pass,
    }


def _listed_values(entry: HostAsset) -> dict[str, Any]:
    values = {name: getattr(entry, name) for name in LISTED}
    # The camera's own time, once detection has read it, is better than none from the host.
    return values if entry.taken_at is None else {**values, "taken_at": entry.taken_at}


def _update_known(
    connection: Connection,
    library_id: LibraryId,
    known: Mapping[str, AnyRow],
    listed: Mapping[str, HostAsset],
    outcomes: Mapping[str, str],
    sync_pass: int,
) -> None:
    changes = {}
    left: set[str] = set()
    for key, row in known.items():
        wanted = _changes(row, listed[key], outcomes[key])
        changes[row.id] = {name: value for name, value in wanted.items() if getattr(row, name, ...) != value}
        if "path" in changes[row.id]:
            left.update(above(row.path))
    # A folder that something moved out of is not as it was marked, and may look so again when that moves back.
    drop_marks(connection, library_id, left)
    # Nearly all are as they were: one statement for them, one by one for the rest.
    for block in blocks([row.id for row in known.values()]):
        connection.execute(update(asset).where(asset.c.id.in_(block)).values(seen_pass=sync_pass))
    for asset_id, values in changes.items():
        if values:
            connection.execute(
                update(asset).where(asset.c.id == bindparam("which")).values(**values), {"which": asset_id}
            )


def _changes(row: AnyRow, entry: HostAsset, outcome: str) -> dict[str, Any]:
    values = _listed_values(entry)
    if outcome == "same" and row.state == WorkState.FAILED and row.error_code == AssetGone.code:
        return {**values, **UNTRIED}  # it was in the trash when detection came by, and is back
    if outcome == "same":
        # The camera's own time stays, whatever the host makes of an unchanged file.
        return {name: value for name, value in values.items() if name != "taken_at" or row.taken_at is None}
    values["gone"] = False
    again = row.content_key != entry.content_key or row.state == WorkState.FAILED
    return {**values, **UNTRIED} if again else values


def _make_way(connection: Connection, library_id: LibraryId, host_key: str, besides: AssetId) -> None:
    """Another asset under this key (two files that swapped names, a deleted one's name used again) gives the key up.

    It is hidden, not deleted; when its content turns up under another key it comes back from there.
    """
    in_the_way = (asset.c.library_id == library_id, asset.c.host_key == host_key, asset.c.id != besides)
    row = connection.execute(select(asset.c.id).where(*in_the_way)).first()
    if row is not None:
        # No host has an empty part in a key.
        values = {"host_key": f"{host_key}//displaced-{row.id}", "gone": True, "leased_by": None, "leased_until": None}
        connection.execute(update(asset).where(asset.c.id == row.id).values(**values))
