"""Reading people: counts over visible faces, the face that stands for a person, conditions of the People page."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.names import search_words
from plugin.catalogue.tables import asset, face, person, person_stats
from plugin.catalogue.transactions import BLOCK
from plugin.domain import AccountId, FaceId, Person, PersonId, PersonOrder
from plugin.errors import NotFound


def require_person(connection: Connection, person_id: PersonId, account_id: AccountId) -> None:
    """Raises `NotFound` when there is no such person or it is another account's."""
    mine = (person.c.id == person_id, person.c.account_id == account_id)
    if connection.execute(select(person.c.id).where(*mine)).first() is None:
        raise NotFound("There is no such person")


def people_query(account_id: AccountId, person_id: PersonId | None = None) -> Select[Any]:
    """People of the account (or one of them) with `face_count`, `photo_count`, `first_taken` and `last_taken`."""
    counts = [func.coalesce(person_stats.c[name], 0).label(name) for name in ("face_count", "photo_count")]
    query = select(person, *counts, person_stats.c.first_taken, person_stats.c.last_taken)
    query = query.outerjoin_from(person, person_stats, person_stats.c.person_id == person.c.id)
    query = query.where(person.c.account_id == account_id)
    return query if person_id is None else query.where(person.c.id == person_id)


def shown(
    query: Select[Any], *, minimum_faces: int, include_hidden: bool, search: str, favourites: bool = False
) -> tuple[ColumnElement[bool], ...]:
    """Conditions for `people_query`: who is on the People page."""
    face_count: ColumnElement[int] = query.selected_columns["face_count"]
    conditions: list[ColumnElement[bool]] = [or_(person.c.name != "", face_count >= max(minimum_faces, 1))]
    if not include_hidden:
        conditions.append(person.c.hidden.is_(False))
    if favourites:
        conditions.append(person.c.favourite.is_(True))
    return (*conditions, *found_by(search))


def found_by(search: str) -> list[ColumnElement[bool]]:
    """Conditions for people whose name has words that begin with those searched for."""
    if not search.strip():
        return []
    # Something without any letter matches nobody, rather than everybody.
    words = search_words(search) or ["\0"]
    return [person.c.search_words.contains(f" {word}", autoescape=True) for word in words]


def ordering(query: Select[Any], order: PersonOrder) -> tuple[ColumnElement[Any], ...]:
    """How `people_query` is sorted."""
    faces = query.selected_columns["face_count"].desc()
    unnamed, name = person.c.name_key == "", person.c.name_key
    first: dict[PersonOrder, tuple[ColumnElement[Any], ...]] = {
        PersonOrder.NAMED: (person.c.favourite.desc(), unnamed, faces),
        PersonOrder.NAME: (unnamed, name, faces),
        PersonOrder.FACES: (faces, unnamed),
        PersonOrder.RECENT: (query.selected_columns["last_taken"].desc().nulls_last(), faces, unnamed),
    }
    return (*first[order], name, person.c.id)


def to_people(connection: Connection, rows: Sequence[AnyRow], *only: ColumnElement[bool]) -> list[Person]:
    """Rows of `people_query` as values, each with a feature face that can really be shown.

    `only`: further conditions on the photo of that face.
    """
    chosen = _features(connection, [row.id for row in rows], only)
    return [
        Person(
            id=row.id,
            account_id=row.account_id,
            name=row.name,
            birth_date=row.birth_date,
            hidden=row.hidden,
            favourite=row.favourite,
            feature_face_id=chosen.get(row.id),
            face_count=row.face_count,
            photo_count=row.photo_count,
            first_taken=row.first_taken,
            last_taken=row.last_taken,
        )
        for row in rows
    ]


def _features(
    connection: Connection, person_ids: Sequence[PersonId], only: Sequence[ColumnElement[bool]]
) -> dict[PersonId, FaceId]:
    """The face that stands for each person, by one statement, whatever holds for whom.

    The chosen one, else the typical one, as long as it is theirs and can be shown, else their best.
    """
    chosen, typical = _theirs(only), _theirs(only)
    best = _theirs(only).order_by(face.c.quality.desc(), face.c.id).limit(1)
    stands = func.coalesce(
        chosen.where(face.c.id == person.c.feature_face_id).scalar_subquery(),
        typical.where(face.c.id == person.c.typical_face_id).scalar_subquery(),
        best.scalar_subquery(),
    )
    found: dict[PersonId, FaceId] = {}
    for start in range(0, len(person_ids), BLOCK):
        query = select(person.c.id, stands.label("face_id")).where(person.c.id.in_(person_ids[start : start + BLOCK]))
        found.update((row.id, row.face_id) for row in connection.execute(query) if row.face_id is not None)
    return found


def _theirs(only: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Ids of the faces of `person` on present photos; an index finds the best without a look at the others."""
    joined = select(face.c.id).join(asset, asset.c.id == face.c.asset_id).correlate(person)
    return joined.where(face.c.person_id == person.c.id, asset.c.gone.is_(False), *only)
