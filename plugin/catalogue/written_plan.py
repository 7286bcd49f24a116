"""The difference between the names that belong on a host and those that were written there, in SQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Subquery,
    and_,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    union,
    union_all,
)

from plugin.catalogue.tables import asset, face, person, write_back, write_problem, written_name
from plugin.domain import AssetId, AssetKind, FaceState, LibraryId
from plugin.ports.written import NameKind, PersonOnHost, WritePlan, WriteState, WrittenState

MOVED = 1e-4
"""Boxes are stored as they were wanted, so any difference is a new detection."""

SHOWN = 12

BOX = ("x", "y", "w", "h")


def wanted(kind: NameKind, library_id: LibraryId, asset_id: AssetId | None = None) -> Subquery:
    """Every name that belongs on the host (on one asset): of named people who are not hidden, on present assets.

    Columns: asset_id, face_id (0 where no places are kept), person_id, name, x, y, w, h, path, shown (a face).
    """
    conditions: list[ColumnElement[bool]] = [
        asset.c.library_id == library_id,
        asset.c.gone.is_(False),
        *_named(),
    ]
    if asset_id is not None:
        conditions.append(face.c.asset_id == asset_id)
    tables = face.join(asset, asset.c.id == face.c.asset_id).join(person, person.c.id == face.c.person_id)
    query: Select[Any]
    if kind.has_places:
        conditions += [asset.c.kind == AssetKind.PHOTO, face.c.frame_ms.is_(None)]
        boxes = [face.c[side] for side in BOX]
        query = select(
            face.c.asset_id, face.c.id.label("face_id"), face.c.person_id, person.c.name, *boxes,
            asset.c.path, face.c.id.label("shown"),
        )  # fmt: skip
    else:
        no_boxes = [null().label(side) for side in BOX]
        query = select(
            face.c.asset_id, literal(0).label("face_id"), face.c.person_id, person.c.name, *no_boxes,
            literal("").label("path"), func.min(face.c.id).label("shown"),
        ).group_by(face.c.asset_id, face.c.person_id)  # fmt: skip
    named = query.select_from(tables).where(*conditions, ~_removing(kind, library_id))
    if kind.denies:
        return union_all(named, _denials(kind, library_id, asset_id)).subquery("wanted")
    return named.subquery("wanted")


def _denials(kind: NameKind, library_id: LibraryId, asset_id: AssetId | None) -> Select[Any]:
    """What a user said is no face, or nobody's: a name "" of person 0."""
    conditions: list[ColumnElement[bool]] = [
        asset.c.library_id == library_id,
        asset.c.gone.is_(False),
        asset.c.kind == AssetKind.PHOTO,
        *_denied(),
    ]
    if asset_id is not None:
        conditions.append(face.c.asset_id == asset_id)
    boxes = [face.c[side] for side in BOX]
    return (
        select(
            face.c.asset_id, face.c.id.label("face_id"), literal(0).label("person_id"), literal("").label("name"),
            *boxes, asset.c.path, face.c.id.label("shown"),
        )
        .select_from(face.join(asset, asset.c.id == face.c.asset_id))
        .where(*conditions, ~_removing(kind, library_id))
    )  # fmt: skip


def _denied() -> list[ColumnElement[bool]]:
    return [face.c.state == FaceState.IGNORED, face.c.account_id == asset.c.account_id, face.c.frame_ms.is_(None)]


def _removing(kind: NameKind, library_id: LibraryId) -> ColumnElement[bool]:
    return exists().where(
        write_back.c.library_id == library_id, write_back.c.kind == kind, write_back.c.state == WriteState.REMOVING
    )


def _same(want: Subquery) -> ColumnElement[bool]:
    return and_(
        written_name.c.asset_id == want.c.asset_id,
        written_name.c.face_id == want.c.face_id,
        written_name.c.person_id == want.c.person_id,
    )


def _moved(want: Subquery, kind: NameKind) -> ColumnElement[bool]:
    if not kind.has_places:
        return false()
    return or_(
        *(func.abs(written_name.c[side] - want.c[side]) > MOVED for side in BOX), written_name.c.path != want.c.path
    )


def to_put(kind: NameKind, library_id: LibraryId) -> Select[Any]:
    """(asset, person, a face) of each wanted name that is not there as it should be."""
    want = wanted(kind, library_id)
    row = written_name.c
    ours = row.state == WrittenState.WRITTEN
    differs = or_(
        row.state.is_(None),
        row.state == WrittenState.NEW,
        row.aim.is_not(None),
        and_(row.state == WrittenState.THEIRS, row.name != want.c.name),
        and_(ours, or_(row.name != want.c.name, _moved(want, kind))),
    )
    joined = want.outerjoin(written_name, and_(_same(want), row.kind == kind))
    return select(want.c.asset_id, want.c.person_id, want.c.shown).select_from(joined).where(differs)


def to_take(kind: NameKind, library_id: LibraryId) -> Select[Any]:
    """(asset, person, state) of each name we know of on a present asset that is not wanted any more."""
    row = written_name.c
    here = (row.kind == kind, asset.c.library_id == library_id, asset.c.gone.is_(False))
    known = written_name.join(asset, asset.c.id == row.asset_id)
    unwanted = or_(_removing(kind, library_id), ~_still_wanted(kind))
    return (
        select(row.asset_id, row.person_id, row.state)
        .select_from(known)
        .where(*here, row.state != WrittenState.REFUSED, unwanted)
    )


def _still_wanted(kind: NameKind) -> ColumnElement[bool]:
    """As `wanted` says it, but asked row by row: two looks into indexes instead of a table of everything wanted."""
    row = written_name.c
    conditions = [*_named(), face.c.asset_id == row.asset_id, face.c.person_id == row.person_id]
    if kind.has_places:
        conditions += [face.c.id == row.face_id, face.c.frame_ms.is_(None)]
    found = select(face.c.id).select_from(face.join(person, person.c.id == face.c.person_id)).where(*conditions)
    still = found.correlate(written_name, asset).exists()
    if not kind.denies:
        return still
    denied = select(face.c.id).where(*_denied(), face.c.asset_id == row.asset_id, face.c.id == row.face_id)
    return or_(still, and_(row.person_id == 0, denied.correlate(written_name, asset).exists()))


def _named() -> list[ColumnElement[bool]]:
    """Of named people who are not hidden; people and their faces are of one account, the library's owner's."""
    return [
        face.c.state == FaceState.ASSIGNED,
        face.c.account_id == asset.c.account_id,
        person.c.name != "",
        person.c.hidden.is_(False),
    ]


def differing(kind: NameKind, library_id: LibraryId) -> CompoundSelect[Any]:
    """The id of every asset that differs."""
    put, take = to_put(kind, library_id).subquery("put"), to_take(kind, library_id).subquery("take")
    return union(select(put.c.asset_id), select(take.c.asset_id))


def asset_ids(
    connection: Connection, kind: NameKind, library_id: LibraryId, now: datetime, limit: int
) -> list[AssetId]:
    """Assets that differ and do not rest, lowest id first."""
    found = differing(kind, library_id).subquery("differing")
    rests = exists().where(
        write_problem.c.asset_id == found.c.asset_id, write_problem.c.kind == kind, write_problem.c.due_at > now
    )
    query = select(found.c.asset_id).where(~rests).order_by(found.c.asset_id).limit(limit)
    return list(connection.execute(query).scalars())


def waiting(connection: Connection, kind: NameKind, library_id: LibraryId) -> int:
    """How many assets differ."""
    return _number(connection, select(func.count()).select_from(differing(kind, library_id).subquery("differing")))


def plan(connection: Connection, kind: NameKind, library_id: LibraryId) -> WritePlan:
    """What a run would do."""
    put, take = to_put(kind, library_id).subquery("put"), to_take(kind, library_id).subquery("take")
    ours = take.c.state.in_([WrittenState.WRITTEN, WrittenState.NEW])
    want = wanted(kind, library_id)
    photos = func.count(want.c.asset_id.distinct()).label("photos")
    people = select(want.c.person_id, want.c.name, photos).group_by(want.c.person_id, want.c.name)
    people = people.where(want.c.person_id != 0)
    examples = select(func.min(put.c.shown)).group_by(put.c.asset_id).order_by(put.c.asset_id.desc()).limit(SHOWN)
    return WritePlan(
        photos=waiting(connection, kind, library_id),
        put=_number(connection, select(func.count()).select_from(put)),
        take=_number(connection, select(func.count()).select_from(take).where(ours)),
        people=tuple(
            PersonOnHost(*row)
            for row in connection.execute(people.order_by(photos.desc(), want.c.person_id).limit(SHOWN))
        ),
        examples=tuple(connection.execute(examples).scalars()),
    )


def _number(connection: Connection, query: Select[Any]) -> int:
    return int(connection.execute(query).scalar_one())
