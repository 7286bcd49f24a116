"""Faces a user drew: stored, moved and erased by users, each of which can be undone.

The machine's faces come and go by detection; drawn ones come and go by users. Triggers cannot write down a face that
goes (its embedding lies in a table of its own), so these changes are written down here, as a picture of both rows.
"""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update

from plugin.catalogue.asset_listing import UNTRIED
from plugin.catalogue.asset_rows import get_asset
from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.deletion import bury, delete_faces
from plugin.catalogue.detection_result import add_face, renew_face
from plugin.catalogue.face_rows import get_face
from plugin.catalogue.tables import asset, embedding, event_change, face, index_tombstone, person, verdict
from plugin.domain import AccountId, AssetId, AssetKind, Box, FaceId, FaceState, FoundFace
from plugin.errors import Refused
from plugin.faces.boxes import SAME_FACE_IOU, iou

TABLE = "drawn_face"
"""What `event_change` calls these changes: no table, but a row of `face` and one of `embedding`."""

FACE = [column.name for column in face.columns if column.name not in {"id", "recognised_at"}]
MEASURED = [name for name in FACE if name not in {"account_id", "asset_id", "source", "state", "person_id",
                                                  "assigned_by", "group_id"}]  # fmt: skip
"""What moving a box changes; who the face is belongs to the triggers."""


def draw_face(
    connection: Connection, event_id: int | None, account_id: AccountId, asset_id: AssetId, pack: str, there: FoundFace
) -> FaceId:
    """Store a face a user drew; see `FaceRows.draw`."""
    drawn_on = get_asset(connection, asset_id, account_id)
    if drawn_on.kind is not AssetKind.PHOTO:
        raise Refused("Faces can be drawn on photos only", "A video shows many moments")
    _check_room(connection, asset_id, there.box, None)
    face_id = add_face(connection, drawn_on, pack, there, source="user")
    _record(connection, event_id, face_id, None, _picture(connection, face_id))
    return face_id


def redraw_face(
    connection: Connection, event_id: int | None, account_id: AccountId, face_id: FaceId, pack: str, there: FoundFace
) -> None:
    """Give a drawn face another box; see `FaceRows.redraw`."""
    known = require_drawn(connection, account_id, face_id)
    _check_room(connection, known.asset_id, there.box, face_id)
    before = _picture(connection, face_id)
    renew_face(connection, known, pack, there)
    _record(connection, event_id, face_id, before, _picture(connection, face_id))


def erase_face(connection: Connection, event_id: int | None, account_id: AccountId, face_id: FaceId) -> None:
    """Delete a drawn face and what was said about it; see `FaceRows.erase`."""
    require_drawn(connection, account_id, face_id)
    # The triggers write down what was said; an undo brings it back after the face.
    connection.execute(delete(verdict).where(verdict.c.face_id == face_id))
    _record(connection, event_id, face_id, _picture(connection, face_id), None)
    delete_faces(connection, face.c.id == face_id)


def take_back(connection: Connection, change: AnyRow) -> None:
    """Undo one of these changes. What it stood on may be gone meanwhile; then there is nothing to bring back."""
    if change.before is None:
        connection.execute(delete(verdict).where(verdict.c.face_id == change.row_id))
        delete_faces(connection, face.c.id == change.row_id)
        return
    values = json.loads(change.before)
    if not _exists(connection, asset.c.id, values["face"]["asset_id"]):
        return
    if change.after is None:
        _bring_back(connection, change.row_id, values["face"])
    elif _exists(connection, face.c.id, change.row_id):
        measured = {name: value for name, value in _from_text(values["face"]).items() if name in MEASURED}
        connection.execute(update(face).where(face.c.id == change.row_id).values(**measured))
    else:
        return
    _bring_embedding_back(connection, change.row_id, values["embedding"])


def drawn(picture: str) -> Mapping[str, Any]:
    """The row of `face` in one side of such a change."""
    values: Mapping[str, Any] = json.loads(picture)["face"]
    return values


def require_drawn(connection: Connection, account_id: AccountId, face_id: FaceId) -> AnyRow:
    """The face with its embedding. Raises `NotFound`, and `Refused` for a face the machine found."""
    get_face(connection, face_id, account_id)
    columns = (face, embedding.c.pack.label("embedding_pack"), embedding.c.vector, embedding.c.revision)
    joined = face.outerjoin(embedding, embedding.c.face_id == face.c.id)
    row = connection.execute(select(*columns).select_from(joined).where(face.c.id == face_id)).one()
    if row.source != "user":
        raise Refused("Kinfolk found this face itself, so its box stays", "Take the face away if it is none")
    return row


def _check_room(connection: Connection, asset_id: AssetId, box: Box, besides: FaceId | None) -> None:
    """Refuse a second box around one face, also when a button is clicked twice."""
    rows = connection.execute(select(face.c.id, face.c.x, face.c.y, face.c.w, face.c.h, face.c.state).where(
        face.c.asset_id == asset_id, face.c.frame_ms.is_(None)
    ))  # fmt: skip
    for row in rows:
        if row.id != besides and iou(Box(row.x, row.y, row.w, row.h), box) > SAME_FACE_IOU:
            way = "Bring it back instead" if row.state == FaceState.IGNORED else "Choose that face and say who it is"
            raise Refused("There is a face in this place already", way)


def _record(
    connection: Connection, event_id: int | None, face_id: FaceId, before: str | None, after: str | None
) -> None:
    if event_id is not None:
        values = {"event_id": event_id, "table_name": TABLE, "row_id": face_id, "before": before, "after": after}
        connection.execute(insert(event_change).values(**values))


def _picture(connection: Connection, face_id: FaceId) -> str:
    """Both rows as text."""
    stored = connection.execute(select(*(face.c[name] for name in FACE)).where(face.c.id == face_id)).mappings().one()
    vector = connection.execute(
        select(embedding.c.pack, embedding.c.vector, embedding.c.revision).where(embedding.c.face_id == face_id)
    ).mappings()
    both = {"face": dict(stored), "embedding": next((dict(row) for row in vector), None)}
    return json.dumps(both, default=bytes.hex)


def _from_text(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, "landmarks": bytes.fromhex(values["landmarks"])}


def _bring_back(connection: Connection, face_id: FaceId, before: Mapping[str, Any]) -> None:
    values = _from_text(before)
    if values["person_id"] is not None and not _exists(connection, person.c.id, values["person_id"]):
        values |= {"person_id": None, "assigned_by": None, "state": FaceState.PENDING, "group_id": None}
    connection.execute(insert(face).values(id=face_id, **values))


def _bring_embedding_back(connection: Connection, face_id: FaceId, before: Mapping[str, Any] | None) -> None:
    """The index has to hear of it, and detection, too, when another pack has looked at the photo since."""
    bury(connection, embedding.c.face_id == face_id)
    latest = connection.execute(select(embedding.c.revision).where(embedding.c.face_id == face_id)).scalar()
    connection.execute(delete(embedding).where(embedding.c.face_id == face_id))
    if before is None:
        return
    coming = (index_tombstone.c.pack == before["pack"], index_tombstone.c.face_id == face_id)
    connection.execute(delete(index_tombstone).where(*coming))
    values = {"pack": before["pack"], "vector": bytes.fromhex(before["vector"])}
    revision = max(before["revision"], latest or 0) + 1
    connection.execute(insert(embedding).values(face_id=face_id, **values, revision=revision, indexed=False))
    place = select(face.c.asset_id).where(face.c.id == face_id).scalar_subquery()
    stale = (asset.c.id == place, asset.c.detected_pack.is_not(None), asset.c.detected_pack != before["pack"])
    connection.execute(update(asset).where(*stale).values(**UNTRIED))


def _exists(connection: Connection, column: Any, row_id: int) -> bool:  # noqa: ANN401, a column of any table
    return connection.execute(select(text("1")).where(column == row_id)).first() is not None
