"""Libraries and what their last sync said."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.deletion import delete_empty_persons, delete_faces
from plugin.catalogue.event_traces import forget_drawn_on
from plugin.catalogue.folder_marks import settle_doubts
from plugin.catalogue.privacy import note_leftovers, overwrite_deleted
from plugin.catalogue.same_files import release_all
from plugin.catalogue.tables import account, asset, face, intake_problem, library, person, tally, verdict
from plugin.catalogue.transactions import Transactions
from plugin.domain import AccountId, IntakeProblem, Library, LibraryId
from plugin.errors import NotFound, Refused

PROBLEM_FIELDS = ("path", "code", "message", "hides_below")


class SqlLibraries:
    """`LibraryRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def all(self, account_id: AccountId | None = None) -> list[Library]:
        """Every library (of the account), the first one first."""
        query = _query().order_by(library.c.id)
        if account_id is not None:
            query = query.where(library.c.account_id == account_id)
        with self._transactions.read() as connection:
            return [_library(row) for row in connection.execute(query)]

    def get(self, library_id: LibraryId, account_id: AccountId | None = None) -> Library:
        """The library; `NotFound` when there is none or it is another account's."""
        with self._transactions.read() as connection:
            return get_library(connection, library_id, account_id)

    def add(self, account_id: AccountId, host: str, name: str, address: str) -> Library:
        """The existing library is returned when this account already has that host and address."""
        if not address:
            raise Refused("A library needs an address")
        same = (library.c.account_id == account_id, library.c.host == host, library.c.address == address)
        with self._transactions.write() as connection:
            if connection.execute(select(account.c.id).where(account.c.id == account_id)).first() is None:
                raise NotFound("There is no such account")
            library_id = connection.execute(select(library.c.id).where(*same)).scalar()
            if library_id is None:
                values = {"account_id": account_id, "host": host, "name": name.strip() or address, "address": address}
                added = connection.execute(insert(library).values(**values, sync_pass=0).returning(library.c.id))
                library_id = added.scalar_one()
            return get_library(connection, library_id)

    def remove(self, library_id: LibraryId, account_id: AccountId | None = None) -> None:
        """With all its assets, faces, embeddings; unnamed persons that lose their last face go too."""
        with self._transactions.write() as connection:
            overwrite_deleted(connection)
            forget_drawn_on(connection, get_library(connection, library_id, account_id).account_id, library_id)
            assets = select(asset.c.id).where(asset.c.library_id == library_id)
            faces = select(face.c.id).where(face.c.asset_id.in_(assets))
            touched = connection.execute(
                select(face.c.person_id).where(face.c.asset_id.in_(assets), face.c.person_id.is_not(None)).distinct()
            ).scalars()
            person_ids = list(touched)
            connection.execute(delete(verdict).where(verdict.c.face_id.in_(faces)))
            delete_faces(connection, face.c.asset_id.in_(assets))
            connection.execute(delete(asset).where(asset.c.library_id == library_id))
            release_all(connection, library_id, self._transactions.now())
            connection.execute(delete(library).where(library.c.id == library_id))
            for person_id in person_ids:
                delete_empty_persons(connection, person.c.id == person_id)
            note_leftovers(connection)

    def request_sync(self, library_id: LibraryId) -> None:
        """Note that somebody wants this library compared with its host."""
        self._set(library_id, sync_requested_at=self._transactions.now())

    def sync_started(self, library_id: LibraryId) -> int:
        """A new, larger pass number for `AssetRows.seen`."""
        with self._transactions.write() as connection:
            started = connection.execute(
                update(library)
                .where(library.c.id == library_id)
                .values(sync_pass=library.c.sync_pass + 1, sync_started_at=self._transactions.now())
                .returning(library.c.sync_pass)
            ).scalar()
            settle_doubts(connection, library_id)
        return int(_found(started))

    def sync_finished(self, library_id: LibraryId, error: str | None) -> None:
        """Clears the request, unless it was made after this pass began and so may want more than it saw."""
        with self._transactions.write() as connection:
            changed = connection.execute(
                update(library)
                .where(library.c.id == library_id)
                .values(last_sync_at=self._transactions.now(), last_sync_error=error)
            )
            _found(changed.rowcount or None)
            connection.execute(
                update(library)
                .where(
                    library.c.id == library_id,
                    func.coalesce(library.c.sync_requested_at <= library.c.sync_started_at, True),
                )
                .values(sync_requested_at=None)
            )

    def replace_problems(self, library_id: LibraryId, problems: Sequence[IntakeProblem]) -> None:
        """Store what this pass could not take, in place of what an earlier one could not."""
        rows = [{name: getattr(problem, name) for name in PROBLEM_FIELDS} for problem in problems]
        with self._transactions.write() as connection:
            get_library(connection, library_id)
            connection.execute(delete(intake_problem).where(intake_problem.c.library_id == library_id))
            if rows:
                connection.execute(insert(intake_problem), [{"library_id": library_id, **row} for row in rows])

    def problems(self, library_id: LibraryId) -> list[IntakeProblem]:
        """What the last pass could not take, in the order it met them."""
        columns = [intake_problem.c[name] for name in PROBLEM_FIELDS]
        query = select(*columns).where(intake_problem.c.library_id == library_id).order_by(intake_problem.c.id)
        with self._transactions.read() as connection:
            return [IntakeProblem(*row) for row in connection.execute(query)]

    def all_problems(self, account_id: AccountId) -> dict[LibraryId, list[IntakeProblem]]:
        """What the last pass over each library of the account could not take; libraries without any are left out."""
        columns = [intake_problem.c[name] for name in PROBLEM_FIELDS]
        query = select(intake_problem.c.library_id, *columns).join(library, library.c.id == intake_problem.c.library_id)
        query = query.where(library.c.account_id == account_id).order_by(library.c.id, intake_problem.c.id)
        found: dict[LibraryId, list[IntakeProblem]] = {}
        with self._transactions.read() as connection:
            for library_id, *fields in connection.execute(query):
                found.setdefault(library_id, []).append(IntakeProblem(*fields))
        return found

    def example_problems(self, account_id: AccountId, each: int) -> list[IntakeProblem]:
        """Of each kind at most so many of what the last passes could not take."""
        columns = [intake_problem.c[name] for name in PROBLEM_FIELDS]
        number = func.row_number().over(partition_by=intake_problem.c.code, order_by=intake_problem.c.id)
        joined = select(*columns, intake_problem.c.id, number.label("number")).join(
            library, library.c.id == intake_problem.c.library_id
        )
        found = joined.where(library.c.account_id == account_id).subquery()
        query = select(*(found.c[name] for name in PROBLEM_FIELDS)).where(found.c.number <= each).order_by(found.c.id)
        with self._transactions.read() as connection:
            return [IntakeProblem(*row) for row in connection.execute(query)]

    def _set(self, library_id: LibraryId, **values: object) -> None:
        with self._transactions.write() as connection:
            changed = connection.execute(update(library).where(library.c.id == library_id).values(**values))
            _found(changed.rowcount or None)


def _query() -> Select[Any]:
    here = (tally.c.library_id == library.c.id, tally.c.kind == "asset", tally.c.state != "gone")
    assets = select(func.coalesce(func.sum(tally.c.number), 0)).where(*here).scalar_subquery()
    return select(library, assets.label("asset_count"))


def get_library(connection: Connection, library_id: LibraryId, account_id: AccountId | None = None) -> Library:
    """The library; `NotFound` when there is none or it is another account's."""
    query = _query().where(library.c.id == library_id)
    if account_id is not None:
        query = query.where(library.c.account_id == account_id)
    return _library(_found(connection.execute(query).first()))


def _found(value: Any | None) -> Any:  # noqa: ANN401, hands through whatever it was given
    if value is None:
        raise NotFound("There is no such library")
    return value


def _library(row: AnyRow) -> Library:
    return Library(
        id=row.id,
        account_id=row.account_id,
        host=row.host,
        name=row.name,
        address=row.address,
        last_sync_at=row.last_sync_at,
        last_sync_error=row.last_sync_error,
        sync_requested_at=row.sync_requested_at,
        asset_count=row.asset_count,
    )
