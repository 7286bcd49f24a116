"""Who is on the same photos as a person."""

from sqlalchemy import Connection, func, select

from plugin.catalogue.person_rows import people_query, to_people
from plugin.catalogue.tables import asset, face, person
from plugin.domain import AccountId, Companion, PersonId


def read_companions(connection: Connection, person_id: PersonId, account_id: AccountId, limit: int) -> list[Companion]:
    """See `PersonPhotoRows.companions`: one query over the photos of this person only."""
    theirs = select(face.c.asset_id).where(face.c.person_id == person_id)
    together = (
        select(face.c.person_id, func.count(face.c.asset_id.distinct()).label("shared"))
        .join(asset, asset.c.id == face.c.asset_id)
        .where(asset.c.gone.is_(False), face.c.asset_id.in_(theirs), face.c.person_id != person_id)
        .group_by(face.c.person_id)
        .subquery()
    )
    query = people_query(account_id).add_columns(together.c.shared)
    query = query.join(together, together.c.person_id == person.c.id).where(person.c.hidden.is_(False))
    query = query.order_by(together.c.shared.desc(), person.c.name_key == "", person.c.name_key, person.c.id)
    rows = connection.execute(query.limit(limit)).all()
    return [Companion(who, row.shared) for who, row in zip(to_people(connection, rows), rows, strict=True)]
