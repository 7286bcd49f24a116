"""One file that several libraries of an account see is read by one of them.

Who owns a file says so for what users share. Files of Team folders and external storages have no owner but whoever
asks, so two users who are connected here see the same file ids. Whoever reads such a file keeps it, with all that was
said about its faces; where two do, the library that was added first. What is left to another library is written down:
when that one loses the file or is removed, the folders it is in are listed again, whatever their marks say.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from plugin.catalogue.asset_rows import blocks
from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.folder_marks import above, doubt
from plugin.catalogue.tables import asset, host_login, left_file, library, written_name
from plugin.domain import AssetId, HostAsset, LibraryId
from plugin.ports.written import WrittenState

SEEN_BY_SEVERAL = frozenset({"nextcloud"})
"""Hosts that show one file to several users under the same key."""


def left_to_others(
    connection: Connection, mine: AnyRow, listed: Mapping[str, HostAsset], present: Collection[str]
) -> set[str]:
    """Which of these the library leaves to others, and writes so down.

    Args:
        connection: in a transaction that writes.
        mine: the row of the library.
        listed: by key.
        present: keys of those the library holds already.
    """
    others = _others(connection, mine) if mine.host in SEEN_BY_SEVERAL else {}
    if not others:
        return set()
    left: dict[str, LibraryId] = {}
    for block in blocks(list(listed)):
        held = (asset.c.library_id.in_(others), asset.c.host_key.in_(block), asset.c.gone.is_(False))
        for row in connection.execute(select(asset.c.library_id, asset.c.host_key, asset.c.content_key).where(*held)):
            # Known under another name, a server is the same one when the file has the same random ETag, too.
            is_same = others[row.library_id] or row.content_key == listed[row.host_key].content_key
            if is_same and (row.host_key not in present or row.library_id < mine.id):
                left[row.host_key] = row.library_id
    for key in _written_on(connection, mine.id, [key for key in left if key in present]):
        del left[key]  # or nobody would take the names off again that this library wrote there
    _note(connection, mine.id, listed, left)
    return set(left)


def release(connection: Connection, asset_ids: Sequence[AssetId], now: datetime) -> None:
    """These assets are gone: other libraries that left their files to this one look for them anew."""
    for block in blocks(asset_ids):
        same = and_(asset.c.library_id == left_file.c.to_library_id, asset.c.host_key == left_file.c.host_key)
        query = select(left_file).join(asset, same).where(asset.c.id.in_(block))
        _list_again(connection, connection.execute(query).all(), now)


def release_all(connection: Connection, library_id: LibraryId, now: datetime) -> None:
    """As `release`, for a library that is removed."""
    query = select(left_file).where(left_file.c.to_library_id == library_id)
    _list_again(connection, connection.execute(query).all(), now)


def _others(connection: Connection, mine: AnyRow) -> dict[LibraryId, bool]:
    """Other libraries of the account at such a host that may ask it; whether they are at the same address."""
    same = (library.c.account_id == mine.account_id, library.c.host == mine.host, library.c.id != mine.id)
    shut_out = select(host_login.c.library_id).where(host_login.c.refused.is_not(None))
    rows = connection.execute(select(library.c.id, library.c.address).where(*same, library.c.id.not_in(shut_out)))
    return {row.id: _server(row.address) == _server(mine.address) for row in rows}


def _written_on(connection: Connection, library_id: LibraryId, host_keys: Sequence[str]) -> set[str]:
    """Those that carry names of ours at the host."""
    found = set[str]()
    ours = written_name.c.state.in_([WrittenState.WRITTEN, WrittenState.NEW])
    for block in blocks(host_keys):
        query = select(asset.c.host_key).join(written_name, written_name.c.asset_id == asset.c.id)
        where = (asset.c.library_id == library_id, asset.c.host_key.in_(block), ours)
        found |= set(connection.execute(query.where(*where)).scalars())
    return found


def _server(address: str) -> tuple[str, str]:
    """An address without whose files it means."""
    scheme, _, rest = address.partition("://")
    return scheme, rest.rpartition("@")[2]


def _note(
    connection: Connection, library_id: LibraryId, listed: Mapping[str, HostAsset], left: Mapping[str, LibraryId]
) -> None:
    for block in blocks(list(listed)):
        connection.execute(delete(left_file).where(_of(library_id, block)))
    rows = [
        {"library_id": library_id, "host_key": key, "path": listed[key].path, "to_library_id": other}
        for key, other in left.items()
    ]
    if rows:
        connection.execute(insert(left_file), rows)


def _list_again(connection: Connection, rows: Sequence[AnyRow], now: datetime) -> None:
    for library_id in {row.library_id for row in rows}:
        mine = [row for row in rows if row.library_id == library_id]
        doubt(connection, library_id, {folder for row in mine for folder in above(row.path)})
        for block in blocks([row.host_key for row in mine]):
            connection.execute(delete(left_file).where(_of(library_id, block)))
        connection.execute(update(library).where(library.c.id == library_id).values(sync_requested_at=now))


def _of(library_id: LibraryId, host_keys: Sequence[str]) -> ColumnElement[bool]:
    return and_(left_file.c.library_id == library_id, left_file.c.host_key.in_(host_keys))
