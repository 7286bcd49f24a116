"""Conditions on `asset` for photos by people. One statement, however many people are asked for."""

from datetime import datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from plugin.catalogue.asset_rows import belongs, with_visible_face
from plugin.catalogue.tables import asset, face
from plugin.domain import AccountId, FaceState, PhotoSearch

BY_PHOTO = "INDEXED BY ix_face_asset_id_account_id_state_person_id"


def fits(account_id: AccountId, search: PhotoSearch) -> list[ColumnElement[bool]]:
    """What a photo must meet; see `PhotoSearch`."""
    conditions = [_shows(account_id, face.c.person_id == person_id) for person_id in dict.fromkeys(search.every)]
    if search.some:
        conditions.append(_shows(account_id, face.c.person_id.in_(search.some)))
    if search.none:
        conditions.append(~_shows(account_id, face.c.person_id.in_(search.none)))
    if search.alone:
        others = or_(face.c.person_id.is_(None), face.c.person_id.not_in({*search.every, *search.some}))
        conditions.append(~_shows(account_id, others))
    if search.at_least > 1:
        conditions.append(_shows_faces(account_id, search.at_least))
    elif not (search.every or search.some):
        # EXISTS here: nearly all photos have a face, so the first page is found without a look at most of them.
        conditions.append(with_visible_face())
    return conditions + _taken_and_kept(search)


def counted_by_faces(account_id: AccountId) -> Select[Any]:
    """How many photos show anybody at all, when nothing more is asked: one index, in the order of the photos.

    Those that are gone are few, so they are taken off rather than each photo looked up.
    """
    visible = belongs(face.c.account_id, account_id), face.c.state != FaceState.IGNORED
    # The hint keeps SQLite from an index that would make it sort all faces by their photos first.
    photos = select(face.c.asset_id).with_hint(face, BY_PHOTO, "sqlite").where(*visible).distinct().subquery()
    gone = select(func.count()).where(asset.c.account_id == account_id, asset.c.gone.is_(True), with_visible_face())
    return select(select(func.count()).select_from(photos).scalar_subquery() - gone.scalar_subquery())


def _taken_and_kept(search: PhotoSearch) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if search.first_day is not None:
        conditions.append(asset.c.taken_at >= datetime.combine(search.first_day, time.min))
    if search.last_day is not None:
        conditions.append(asset.c.taken_at <= datetime.combine(search.last_day, time.max))
    if search.library_id is not None:
        conditions.append(asset.c.library_id == search.library_id)
    return conditions


def _shows(account_id: AccountId, *who: ColumnElement[bool]) -> ColumnElement[bool]:
    """Assets with such a face. Not EXISTS: SQLite would go through all assets instead of the people's faces."""
    mine = (face.c.account_id == account_id, face.c.state != FaceState.IGNORED)
    return asset.c.id.in_(select(face.c.asset_id).where(*mine, *who))


def _shows_faces(account_id: AccountId, count: int) -> ColumnElement[bool]:
    mine = (face.c.account_id == account_id, face.c.state != FaceState.IGNORED)
    crowded = select(face.c.asset_id).where(*mine).group_by(face.c.asset_id).having(func.count() >= count)
    return asset.c.id.in_(crowded)
