"""Who may be told about to a smart home, and where something of ours may be kept by a broker."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Select, delete, insert, select, update

from plugin.catalogue.tables import account, person, person_stats, told_account, told_person, told_topic
from plugin.catalogue.transactions import Transactions
from plugin.domain import AccountId, PersonId
from plugin.errors import NotFound
from plugin.ports.smart_home import ChosenPerson, PersonChoice


class SqlSmartHome:
    """`SmartHomeRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def accounts(self) -> list[AccountId]:
        """Those that are told about."""
        with self._transactions.read() as connection:
            return list(
                connection.execute(select(told_account.c.account_id).order_by(told_account.c.account_id)).scalars()
            )

    def allow(self, account_id: AccountId) -> None:
        """Tell about this account."""
        with self._transactions.write() as connection:
            if connection.execute(select(account.c.id).where(account.c.id == account_id)).first() is None:
                raise NotFound("There is no such account")
            connection.execute(delete(told_account).where(told_account.c.account_id == account_id))
            connection.execute(insert(told_account).values(account_id=account_id))

    def forbid(self, account_id: AccountId) -> None:
        """Do not, nor about any of its people."""
        with self._transactions.write() as connection:
            connection.execute(delete(told_account).where(told_account.c.account_id == account_id))
            connection.execute(delete(told_person).where(told_person.c.person_id.in_(_people_of(account_id))))

    def choice(self, account_id: AccountId, person_id: PersonId) -> PersonChoice | None:
        """What was chosen for a person of this account."""
        of_account = told_person.c.person_id.in_(_people_of(account_id))
        with self._transactions.read() as connection:
            row = connection.execute(
                select(told_person).where(told_person.c.person_id == person_id, of_account)
            ).first()
        return PersonChoice(row.person_id, row.with_picture, row.seen_at) if row else None

    def choose(self, account_id: AccountId, choice: PersonChoice) -> None:
        """Replace what was chosen."""
        mine = _people_of(account_id).where(person.c.id == choice.person_id)
        with self._transactions.write() as connection:
            if connection.execute(mine).first() is None:
                raise NotFound("There is no such person")
            connection.execute(delete(told_person).where(told_person.c.person_id == choice.person_id))
            values = {"person_id": choice.person_id, "with_picture": choice.with_picture, "seen_at": choice.seen_at}
            connection.execute(insert(told_person).values(**values))

    def drop(self, account_id: AccountId, person_id: PersonId) -> None:
        """Do not tell about this person any more."""
        of_account = told_person.c.person_id.in_(_people_of(account_id))
        with self._transactions.write() as connection:
            connection.execute(delete(told_person).where(told_person.c.person_id == person_id, of_account))

    def chosen(self, account_id: AccountId) -> list[ChosenPerson]:
        """Named favourites only, so that to hide somebody, or to take the star away, is enough to end it."""
        query = (
            select(told_person, person.c.name, person_stats.c.photo_count, person_stats.c.last_taken)
            .join(person, person.c.id == told_person.c.person_id)
            .join(told_account, told_account.c.account_id == person.c.account_id)
            .outerjoin(person_stats, person_stats.c.person_id == person.c.id)
            .where(person.c.account_id == account_id, person.c.favourite, ~person.c.hidden, person.c.name != "")
            .order_by(told_person.c.person_id)
        )
        with self._transactions.read() as connection:
            rows = connection.execute(query).all()
        return [
            ChosenPerson(
                PersonChoice(row.person_id, row.with_picture, row.seen_at),
                row.name,
                row.photo_count or 0,
                row.last_taken,
            )
            for row in rows
        ]

    def seen(self, person_id: PersonId, taken_at: datetime) -> None:
        """A photo of this time was told."""
        with self._transactions.write() as connection:
            connection.execute(update(told_person).where(told_person.c.person_id == person_id).values(seen_at=taken_at))

    def topics(self) -> set[str]:
        """Where something of ours may be kept."""
        with self._transactions.read() as connection:
            return set(connection.execute(select(told_topic.c.topic)).scalars())

    def note_topics(self, topics: Collection[str]) -> None:
        """Before something is put there."""
        if not topics:
            return
        with self._transactions.write() as connection:
            connection.execute(delete(told_topic).where(told_topic.c.topic.in_(topics)))
            connection.execute(insert(told_topic), [{"topic": topic} for topic in sorted(topics)])

    def forget_topics(self, topics: Collection[str]) -> None:
        """Nothing of ours is there any more."""
        with self._transactions.write() as connection:
            connection.execute(delete(told_topic).where(told_topic.c.topic.in_(topics)))


def _people_of(account_id: AccountId) -> Select[tuple[int]]:
    return select(person.c.id).where(person.c.account_id == account_id)
