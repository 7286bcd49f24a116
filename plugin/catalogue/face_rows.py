"""Reading faces: one query with everything a `Face` needs, never the embedding."""

from typing import Any

from sqlalchemy import Connection, Select, select

from plugin.catalogue.column_types import AnyRow, from_blob
from plugin.catalogue.tables import asset, face, person
from plugin.domain import AccountId, AssignedBy, Box, Face, FaceId, FaceState
from plugin.errors import NotFound

COLUMNS = (
    face.c.id,
    face.c.asset_id,
    face.c.account_id,
    face.c.source,
    face.c.x,
    face.c.y,
    face.c.w,
    face.c.h,
    face.c.landmarks,
    face.c.score,
    face.c.quality,
    face.c.width_px,
    face.c.pack,
    face.c.state,
    face.c.person_id,
    person.c.name.label("person_name"),
    face.c.assigned_by,
    face.c.frame_ms,
    asset.c.taken_at,
)


def faces_query() -> Select[Any]:
    """Faces with their asset and person, `asset` and `person` joined for further conditions."""
    joined = face.join(asset, asset.c.id == face.c.asset_id).outerjoin(person, person.c.id == face.c.person_id)
    return select(*COLUMNS).select_from(joined)


def to_face(row: AnyRow) -> Face:
    """A row of `faces_query` as a value."""
    return Face(
        id=row.id,
        asset_id=row.asset_id,
        account_id=row.account_id,
        box=Box(row.x, row.y, row.w, row.h),
        landmarks=from_blob(row.landmarks).reshape(5, 2),
        score=row.score,
        quality=row.quality,
        width_px=row.width_px,
        pack=row.pack,
        state=FaceState(row.state),
        person_id=row.person_id,
        person_name=row.person_name,
        assigned_by=AssignedBy(row.assigned_by) if row.assigned_by else None,
        frame_ms=row.frame_ms,
        taken_at=row.taken_at,
        drawn=row.source == "user",
    )


def get_face(connection: Connection, face_id: FaceId, account_id: AccountId | None = None) -> Face:
    """The face; `NotFound` when there is none or it is another account's."""
    query = faces_query().where(face.c.id == face_id)
    if account_id is not None:
        query = query.where(face.c.account_id == account_id)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound("There is no such face")
    return to_face(row)
