"""What a visitor sees of the libraries shared with them.

Every query here joins `asset` and has the conditions of `_seen`, and nothing outside this file reads for a visitor: so
this is the file to look at for a leak. The owner's own pages never come here, and so cost nothing more.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal, or_, select, union_all

from plugin.catalogue.asset_rows import (
    COLUMNS,
    NEWEST_FIRST,
    Item,
    belongs,
    blocks,
    present,
    to_asset,
    with_visible_face,
)
from plugin.catalogue.assets import beyond
from plugin.catalogue.face_rows import faces_query, to_face
from plugin.catalogue.person_rows import ordering, shown, to_people
from plugin.catalogue.photo_search import fits
from plugin.catalogue.tables import asset, face, library, person
from plugin.catalogue.transactions import Transactions
from plugin.domain import (
    Asset,
    AssetId,
    Face,
    FaceId,
    FaceState,
    MonthCount,
    Person,
    PersonId,
    PersonOrder,
    PhotoSearch,
    View,
)
from plugin.errors import NotFound


class SqlShared:
    """`SharedRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def people_ids(
        self, view: View, *, minimum_faces: int = 1, search: str = "", order: PersonOrder = PersonOrder.NAMED
    ) -> list[PersonId]:
        """Who `PersonRows.all` would list, in its order."""
        query = _everybody(view)
        query = query.where(*shown(query, minimum_faces=minimum_faces, include_hidden=False, search=search))
        query = query.order_by(*ordering(query, PersonOrder.NAMED if order is PersonOrder.RECENT else order))
        with self._transactions.read() as connection:
            return [row.id for row in connection.execute(query)]

    def names(self, view: View) -> list[str]:
        """Each name once, for completion while typing."""
        query = _everybody(view).where(person.c.name != "")
        with self._transactions.read() as connection:
            return sorted({row.name for row in connection.execute(query)})

    def people_among(self, view: View, person_ids: Sequence[PersonId]) -> list[Person]:
        """Those that are there, in the order given."""
        with self._transactions.read() as connection:
            return _among(connection, view, person_ids)

    def person(self, view: View, person_id: PersonId) -> Person:
        """Somebody on a shared photo."""
        with self._transactions.read() as connection:
            return _one(_among(connection, view, [person_id]), "There is no such person")

    def correctable(self, view: View, person_id: PersonId) -> bool:
        """Whether one of their faces may be corrected."""
        allowed = replace(view, libraries=tuple(shared for shared in view.libraries if shared.may_correct))
        try:
            with self._transactions.read() as connection:
                _require(connection, allowed, [person_id])
        except NotFound:
            return False
        return True

    def months(self, view: View, person_id: PersonId) -> list[MonthCount]:
        """How many shared photos each month has, newest first, unknown times last."""
        # Times are texts that begin with the month.
        month = func.substr(asset.c.taken_at, 1, 7).label("month")
        theirs = select(face.c.asset_id).where(face.c.person_id == person_id)
        query = select(month, func.count().label("photos")).where(*_seen(view), asset.c.id.in_(theirs))
        query = query.group_by(month).order_by(month.desc().nulls_last())
        with self._transactions.read() as connection:
            _require(connection, view, [person_id])
            rows = connection.execute(query).all()
        return [MonthCount(date.fromisoformat(f"{row.month}-01") if row.month else None, row.photos) for row in rows]

    def photos(self, view: View, search: PhotoSearch, offset: int, limit: int) -> list[Asset]:
        """Shared photos that fit, newest first."""
        query = select(*COLUMNS).where(*_fitting(view, search)).order_by(*NEWEST_FIRST)
        with self._transactions.read() as connection:
            _require(connection, view, _asked_for(search))
            return [to_asset(row) for row in connection.execute(query.offset(offset).limit(limit))]

    def photo_count(self, view: View, search: PhotoSearch) -> int:
        """How many `photos` would list."""
        query = select(func.count()).select_from(asset).where(*_fitting(view, search))
        with self._transactions.read() as connection:
            _require(connection, view, _asked_for(search))
            return int(connection.execute(query).scalar_one())

    def photo(self, view: View, asset_id: AssetId) -> Asset:
        """A shared photo the host still has."""
        with self._transactions.read() as connection:
            return _photo(connection, view, asset_id)

    def neighbours_in_time(self, view: View, asset: Asset) -> tuple[AssetId | None, AssetId | None]:
        """The previous (older) and next (newer) shared photo with faces."""
        return self._nearest(view, asset, newer=False), self._nearest(view, asset, newer=True)

    def faces_on(self, view: View, asset_id: AssetId) -> list[Face]:
        """Faces on a shared photo, left to right."""
        query = _faces(view).where(face.c.asset_id == asset_id).order_by(face.c.x + face.c.w / 2, face.c.id)
        with self._transactions.read() as connection:
            _photo(connection, view, asset_id)
            return [to_face(row) for row in connection.execute(query)]

    def face(self, view: View, face_id: FaceId) -> Face:
        """A face on a shared photo."""
        return _one(self.faces(view, [face_id]), "There is no such face")

    def faces(self, view: View, face_ids: Sequence[FaceId]) -> list[Face]:
        """Those that are there, in the order given."""
        found: dict[FaceId, Face] = {}
        with self._transactions.read() as connection:
            for block in blocks(dict.fromkeys(face_ids)):
                rows = connection.execute(_faces(view).where(face.c.id.in_(block)))
                found.update((row.id, to_face(row)) for row in rows)
        return [found[face_id] for face_id in face_ids if face_id in found]

    def _nearest(self, view: View, start: Asset, *, newer: bool) -> AssetId | None:
        order = (asset.c.taken_at.asc(), asset.c.id.asc()) if newer else (asset.c.taken_at.desc(), asset.c.id.desc())
        with self._transactions.read() as connection:
            for there in beyond(start, newer=newer):
                query = select(asset.c.id).where(*_seen_by_time(view), there, with_visible_face())
                found: AssetId | None = connection.execute(query.order_by(*order).limit(1)).scalar()
                if found is not None:
                    return found
        return None


def _seen(view: View) -> list[ColumnElement[bool]]:
    """Conditions on `asset` beside one that finds few: present, the owner's, and in a library that is shared.

    The sums keep SQLite from going through all photos of the account or the library, see `asset_rows.belongs`.
    """
    return [*present(), belongs(asset.c.account_id, view.owner_id), (asset.c.library_id + 0).in_(view.library_ids)]


def _seen_by_time(view: View) -> list[ColumnElement[bool]]:
    """The same where nothing else finds few: the photos of the account in their order of time."""
    return [*present(view.owner_id), (asset.c.library_id + 0).in_(view.library_ids)]


def _fitting(view: View, search: PhotoSearch) -> list[ColumnElement[bool]]:
    seen = _seen(view) if search.every or search.some else _seen_by_time(view)
    return [*seen, *fits(view.owner_id, search)]


def _everybody(view: View) -> Select[Any]:
    """Who is on shared photos, with the number of faces there: `id`, `name` and what `ordering` wants.

    Told by the photos that are *not* seen, which two covering indexes find: to look at the photo of each face, as
    `_people` does, takes ten times as long where there are 200,000.
    """
    unshared = select(library.c.id).where(library.c.account_id == view.owner_id, library.c.id.not_in(view.library_ids))
    unseen = union_all(
        select(asset.c.id).where(asset.c.account_id == view.owner_id, asset.c.gone.is_(True)),
        select(asset.c.id).where(asset.c.library_id.in_(unshared)),
    )
    counts = select(face.c.person_id, func.count().label("face_count"))
    counts = counts.where(face.c.person_id.is_not(None), face.c.asset_id.not_in(unseen)).group_by(face.c.person_id)
    theirs = counts.subquery()
    query = select(person.c.id, person.c.name, theirs.c.face_count, literal(None).label("last_taken"))
    query = query.join_from(person, theirs, theirs.c.person_id == person.c.id)
    return query.where(person.c.account_id == view.owner_id, person.c.hidden.is_(False))


def _people(view: View, person_ids: Sequence[PersonId]) -> Select[Any]:
    """Like `person_rows.people_query`, counted over shared photos; the inner join leaves all others out."""
    counts = select(
        face.c.person_id,
        func.count().label("face_count"),
        func.count(asset.c.id.distinct()).label("photo_count"),
        func.min(asset.c.taken_at).label("first_taken"),
        func.max(asset.c.taken_at).label("last_taken"),
    ).join(asset, asset.c.id == face.c.asset_id)
    theirs = counts.where(*_seen(view), face.c.person_id.in_(person_ids)).group_by(face.c.person_id).subquery()
    named = [theirs.c[name].label(name) for name in ("face_count", "photo_count", "first_taken", "last_taken")]
    query = select(person, *named).join_from(person, theirs, theirs.c.person_id == person.c.id)
    return query.where(person.c.account_id == view.owner_id, person.c.hidden.is_(False))


def _among(connection: Connection, view: View, person_ids: Sequence[PersonId]) -> list[Person]:
    rows = connection.execute(_people(view, person_ids)).all()
    found = {one.id: one for one in to_people(connection, rows, *_seen(view))}
    return [found[person_id] for person_id in person_ids if person_id in found]


def _require(connection: Connection, view: View, person_ids: Sequence[PersonId]) -> None:
    """Raises `NotFound` when one of these people is not there; stops at the first shared face of each."""
    theirs = select(face.c.id).join(asset, asset.c.id == face.c.asset_id)
    there = theirs.where(face.c.person_id == person.c.id, *_seen(view)).exists()
    mine = person.c.account_id == view.owner_id, person.c.hidden.is_(False)
    query = select(func.count()).select_from(person).where(person.c.id.in_(set(person_ids)), *mine, there)
    if person_ids and connection.execute(query).scalar_one() < len(set(person_ids)):
        raise NotFound("One of these people does not exist any more")


def _asked_for(search: PhotoSearch) -> list[PersonId]:
    return [*search.every, *search.some, *search.none]


def _photo(connection: Connection, view: View, asset_id: AssetId) -> Asset:
    row = connection.execute(select(*COLUMNS).where(*_seen(view), asset.c.id == asset_id)).first()
    if row is None:
        raise NotFound("There is no such photo")
    return to_asset(row)


def _faces(view: View) -> Select[Any]:
    """Faces on shared photos; neither ignored ones nor those of hidden people."""
    nobody_hidden = or_(person.c.id.is_(None), person.c.hidden.is_(False))
    return faces_query().where(*_seen(view), face.c.state != FaceState.IGNORED, nobody_hidden)


def _one(found: Sequence[Item], missing: str) -> Item:
    if not found:
        raise NotFound(missing)
    return found[0]
