"""Who is on the same photos as a person."""

from sqlalchemy import Connection, func, select

from plugin.catalogue.asset_rows import not_gone
from plugin.catalogue.person_rows import people_query, to_people
from plugin.catalogue.tables import face, person
from plugin.domain import AccountId, Companion, FaceState, PersonId


def read_companions(connection: Connection, person_id: PersonId, account_id: AccountId, limit: int) -> list[Companion]:
    """See `PersonPhotoRows.companions`: one query over the photos of this person only, by two indexes alone."""
    theirs = select(face.c.asset_id).where(face.c.person_id == person_id, not_gone(face.c.asset_id, account_id))
    # All columns of the index, so that it is taken, and each pair once before they are counted.
    others = face.c.account_id == account_id, face.c.state == FaceState.ASSIGNED, face.c.person_id != person_id
    pairs = select(face.c.asset_id, face.c.person_id).where(face.c.asset_id.in_(theirs), *others).distinct().subquery()
    together = select(pairs.c.person_id, func.count().label("shared")).group_by(pairs.c.person_id).subquery()
    query = people_query(account_id).add_columns(together.c.shared)
    query = query.join(together, together.c.person_id == person.c.id).where(person.c.hidden.is_(False))
    query = query.order_by(together.c.shared.desc(), person.c.name_key == "", person.c.name_key, person.c.id)
    rows = connection.execute(query.limit(limit)).all()
    return [Companion(who, row.shared) for who, row in zip(to_people(connection, rows), rows, strict=True)]
