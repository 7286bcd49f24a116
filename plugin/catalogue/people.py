"""People."""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, delete, func, insert, or_, select, update

from plugin.catalogue.bulk_changes import existing_people, hide_unnamed, make_strangers, mark_people
from plugin.catalogue.deletion import delete_empty_persons, kept_persons
from plugin.catalogue.merging import merge_people
from plugin.catalogue.names import name_key, searchable
from plugin.catalogue.person_rows import found_by, ordering, people_query, require_person, shown, to_people
from plugin.catalogue.tables import account, face, person, person_stats
from plugin.catalogue.transactions import Transactions
from plugin.domain import AccountId, FaceId, FaceState, Person, PersonId, PersonOrder
from plugin.errors import NotFound, Refused
from plugin.ports.people import PeopleCounts


class SqlPeople:
    """`PersonRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def get(self, person_id: PersonId, account_id: AccountId) -> Person:
        """The person with its counts."""
        with self._transactions.read() as connection:
            rows = connection.execute(people_query(account_id, person_id)).all()
            if not rows:
                raise NotFound("There is no such person")
            return to_people(connection, rows)[0]

    def all(
        self,
        account_id: AccountId,
        *,
        minimum_faces: int = 1,
        include_hidden: bool = False,
        favourites: bool = False,
        search: str = "",
        order: PersonOrder = PersonOrder.FACES,
        offset: int = 0,
        limit: int = 1000,
    ) -> list[Person]:
        """Named people, and unnamed ones with at least `minimum_faces` faces; most faces first."""
        query = people_query(account_id)
        which = {"include_hidden": include_hidden, "favourites": favourites}
        query = query.where(*shown(query, minimum_faces=minimum_faces, search=search, **which))
        query = query.order_by(*ordering(query, order))
        with self._transactions.read() as connection:
            return to_people(connection, connection.execute(query.offset(offset).limit(limit)).all())

    def count(
        self,
        account_id: AccountId,
        *,
        minimum_faces: int = 1,
        include_hidden: bool = False,
        favourites: bool = False,
        search: str = "",
    ) -> int:
        """How many `all` would list."""
        query = people_query(account_id)
        which = {"include_hidden": include_hidden, "favourites": favourites}
        query = query.where(*shown(query, minimum_faces=minimum_faces, search=search, **which))
        with self._transactions.read() as connection:
            return int(connection.execute(query.with_only_columns(func.count())).scalar_one())

    def counts(
        self, account_id: AccountId, *, minimum_faces: int, favourites: bool = False, search: str = ""
    ) -> PeopleCounts:
        """All four numbers `count` has for this, by one look at the people."""
        query = people_query(account_id)
        which = shown(query, minimum_faces=1, include_hidden=True, favourites=favourites, search=search)
        query = query.where(*which)
        often = or_(person.c.name != "", query.selected_columns["face_count"] >= max(minimum_faces, 1))
        visible = person.c.hidden.is_(False)
        numbers = [_how_many(which) for which in (and_(often, visible), often, visible)]
        with self._transactions.read() as connection:
            row = connection.execute(query.with_only_columns(*numbers, func.count())).one()
        return PeopleCounts(*map(int, row))

    def many(self, person_ids: Sequence[PersonId], account_id: AccountId) -> list[Person]:
        """People of the account among these, in the order given."""
        query = people_query(account_id).where(person.c.id.in_(person_ids))
        with self._transactions.read() as connection:
            found = {one.id: one for one in to_people(connection, connection.execute(query).all())}
        return [found[person_id] for person_id in person_ids if person_id in found]

    def by_name(self, account_id: AccountId, name: str) -> list[Person]:
        """Exactly this name, case-insensitive; nobody for an empty one."""
        key = name_key(name)
        if not key:
            return []
        query = people_query(account_id).where(person.c.name_key == key).order_by(person.c.id)
        with self._transactions.read() as connection:
            return to_people(connection, connection.execute(query).all())

    def add(self, account_id: AccountId, name: str = "", feature_face_id: FaceId | None = None) -> PersonId:
        """A new person without faces."""
        with self._transactions.write() as connection:
            if connection.execute(select(account.c.id).where(account.c.id == account_id)).first() is None:
                raise NotFound("There is no such account")
            if feature_face_id is not None:
                _face_person(connection, feature_face_id, account_id)
            values = {"account_id": account_id, "feature_face_id": feature_face_id, **_naming(name)}
            added = insert(person).values(**values, hidden=False, favourite=False).returning(person.c.id)
            return int(connection.execute(added).scalar_one())

    def rename(self, person_id: PersonId, account_id: AccountId, name: str) -> None:
        """Give a name; "" takes it away."""
        self._set(person_id, account_id, **_naming(name))

    def set_hidden(self, person_id: PersonId, account_id: AccountId, *, hidden: bool) -> None:
        """Hide from (or show again on) the People page."""
        self._set(person_id, account_id, hidden=hidden)

    def set_birth_date(self, person_id: PersonId, account_id: AccountId, birth_date: date | None) -> None:
        """Set or clear the birth date."""
        self._set(person_id, account_id, birth_date=birth_date)

    def set_feature_face(self, person_id: PersonId, account_id: AccountId, face_id: FaceId) -> None:
        """The face that stands for the person; `Refused` when it is somebody else's."""
        with self._transactions.write() as connection:
            require_person(connection, person_id, account_id)
            if _face_person(connection, face_id, account_id) != person_id:
                raise Refused("This face does not belong to this person")
            connection.execute(update(person).where(person.c.id == person_id).values(feature_face_id=face_id))

    def set_typical_faces(self, account_id: AccountId, faces: Mapping[PersonId, FaceId]) -> None:
        """Which face to show for a person as long as no user chose one; people that are gone are left out."""
        mine = (person.c.id == bindparam("row"), person.c.account_id == account_id)
        rows = [{"row": person_id, "typical": face_id} for person_id, face_id in faces.items()]
        if rows:
            with self._transactions.write() as connection:
                connection.execute(update(person).where(*mine).values(typical_face_id=bindparam("typical")), rows)

    def merge(self, into: PersonId, others: Sequence[PersonId], account_id: AccountId) -> None:
        """Faces and verdicts move; `into` keeps its name and birth date or takes the first one set among the others."""
        with self._transactions.write() as connection:
            for person_id in (into, *others):
                require_person(connection, person_id, account_id)
            merge_people(connection, into, [other for other in dict.fromkeys(others) if other != into])

    def delete(self, person_id: PersonId, account_id: AccountId) -> None:
        """Its faces become unassigned, what was said about it is forgotten with it."""
        with self._transactions.write() as connection:
            require_person(connection, person_id, account_id)
            freed = {"person_id": None, "assigned_by": None, "state": FaceState.UNASSIGNED}
            connection.execute(update(face).where(face.c.person_id == person_id).values(**freed))
            connection.execute(delete(person).where(person.c.id == person_id))

    def delete_empty(self) -> int:
        """Unnamed persons without any face, of every account; returns how many there were."""
        with self._transactions.write() as connection:
            return delete_empty_persons(connection)

    def existing(self, account_id: AccountId, person_ids: Sequence[PersonId]) -> list[Person]:
        """Those of the account among these, in the order given, each once."""
        with self._transactions.read() as connection:
            return existing_people(connection, account_id, person_ids)

    def mark(
        self,
        account_id: AccountId,
        person_ids: Sequence[PersonId],
        *,
        hidden: bool | None = None,
        favourite: bool | None = None,
    ) -> None:
        """Hide, show, make favourites or not, many at once; None changes nothing."""
        with self._transactions.write() as connection:
            mark_people(connection, account_id, person_ids, hidden=hidden, favourite=favourite)

    def hide_unnamed(self, account_id: AccountId) -> int:
        """Hide everybody without a name; returns how many were to be seen before."""
        with self._transactions.write() as connection:
            return hide_unnamed(connection, account_id)

    def make_strangers(self, account_id: AccountId, person_ids: Sequence[PersonId]) -> int:
        """All their faces become nobody, by a verdict on each, and they go; returns how many faces."""
        with self._transactions.write() as connection:
            return make_strangers(connection, account_id, person_ids, self._transactions.now())

    def names(self, account_id: AccountId, search: str = "", limit: int = 500) -> list[str]:
        """Each name once, those with most faces first."""
        faces = func.coalesce(func.max(person_stats.c.face_count), 0)
        query = select(person.c.name).outerjoin_from(person, person_stats, person_stats.c.person_id == person.c.id)
        query = query.where(person.c.account_id == account_id, person.c.name != "", *found_by(search))
        query = query.group_by(person.c.name).order_by(faces.desc(), person.c.name).limit(limit)
        with self._transactions.read() as connection:
            return list(connection.execute(query).scalars())

    def named(self, account_id: AccountId) -> set[PersonId]:
        """Everybody who has a name, hidden ones too."""
        query = select(person.c.id).where(person.c.account_id == account_id, person.c.name != "")
        with self._transactions.read() as connection:
            return set(connection.execute(query).scalars())

    def birth_dates(self, account_id: AccountId) -> dict[PersonId, date]:
        """The birth dates that are known."""
        query = select(person.c.id, person.c.birth_date).where(
            person.c.account_id == account_id, person.c.birth_date.is_not(None)
        )
        with self._transactions.read() as connection:
            return {row.id: row.birth_date for row in connection.execute(query)}

    def kept(self, account_id: AccountId) -> set[PersonId]:
        """People a user said something about."""
        query = select(person.c.id).where(person.c.account_id == account_id, kept_persons())
        with self._transactions.read() as connection:
            return set(connection.execute(query).scalars())

    def _set(self, person_id: PersonId, account_id: AccountId, **values: object) -> None:
        with self._transactions.write() as connection:
            require_person(connection, person_id, account_id)
            connection.execute(update(person).where(person.c.id == person_id).values(**values))


def _how_many(which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((which, 1), else_=0)), 0)


def _naming(name: str) -> dict[str, str]:
    return {"name": name.strip(), "name_key": name_key(name), "search_words": searchable(name)}


def _face_person(connection: Connection, face_id: FaceId, account_id: AccountId) -> PersonId | None:
    row = connection.execute(
        select(face.c.person_id).where(face.c.id == face_id, face.c.account_id == account_id)
    ).first()
    if row is None:
        raise NotFound("There is no such face")
    person_id: PersonId | None = row.person_id
    return person_id
