"""Forgetting for good, and reading out all that is held of an account.

A deletion is one transaction. It leaves a note in `preference` that files may have to follow (thumbnails), so that a
kill between the two is made up for later.
"""

import secrets
from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, or_, select, text, update

from plugin.catalogue.asset_rows import blocks
from plugin.catalogue.column_types import from_blob
from plugin.catalogue.deletion import delete_empty_persons, delete_faces
from plugin.catalogue.event_traces import forget_events_about
from plugin.catalogue.face_rows import faces_query, to_face
from plugin.catalogue.person_rows import people_query, require_person, to_people
from plugin.catalogue.tables import (
    asset,
    embedding,
    event,
    face,
    forgotten_face,
    library,
    person,
    preference,
    skipped,
    verdict,
)
from plugin.catalogue.transactions import BLOCK, Transactions
from plugin.domain import AccountId, AssetId, ExportedFace, FaceId, Person, PersonId, VerdictKind
from plugin.ports.privacy import HeldData, HeldFace

LEFTOVERS = "privacy.leftovers"

FORGOT = "privacy.forgot"
"""Names the last deletion, also when its files are gone: what was worked out before it is not true any more."""


class SqlPrivacy:
    """`PrivacyRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def held(self, account_id: AccountId, person_id: PersonId | None = None) -> HeldData:
        """What the account holds; of one person: what `forget_person` would delete."""
        with self._transactions.read() as connection:
            if person_id is None:
                return _held(connection, account_id)
            require_person(connection, person_id, account_id)
            return _held_of_person(connection, account_id, person_id)

    def forget_person(self, account_id: AccountId, person_id: PersonId) -> None:
        """The person with faces, embeddings, verdicts and every event about them; the faces are not found again."""
        with self._transactions.write() as connection:
            require_person(connection, person_id, account_id)
            overwrite_deleted(connection)
            face_ids = _faces_of(connection, account_id, person_id)
            forget_events_about(connection, account_id, person_id, face_ids)
            _forget_skipped(connection, account_id, person_id, frozenset(face_ids))
            for block in blocks(face_ids):
                _forget(connection, face.c.id.in_(block))
            connection.execute(delete(person).where(person.c.id == person_id))
            note_leftovers(connection)

    def forget_faces(self, account_id: AccountId) -> None:
        """Every face, embedding, verdict about faces, the history and unnamed people; named people stay, faceless."""
        with self._transactions.write() as connection:
            overwrite_deleted(connection)
            _forget_all_faces(connection, account_id)
            pictured = {"feature_face_id": None, "typical_face_id": None}
            connection.execute(update(person).where(person.c.account_id == account_id).values(**pictured))
            delete_empty_persons(connection, person.c.account_id == account_id)
            note_leftovers(connection)

    def forget_everything(self, account_id: AccountId) -> None:
        """As `forget_faces`, with every person and verdict."""
        with self._transactions.write() as connection:
            overwrite_deleted(connection)
            _forget_all_faces(connection, account_id)
            connection.execute(delete(verdict).where(verdict.c.account_id == account_id))
            connection.execute(delete(person).where(person.c.account_id == account_id))
            note_leftovers(connection)

    def let_be_found(self, account_id: AccountId) -> list[AssetId]:
        """Lift the ban on forgotten faces; returns the present assets where they were."""
        mine = forgotten_face.c.account_id == account_id
        query = (
            select(forgotten_face.c.asset_id)
            .join(asset, asset.c.id == forgotten_face.c.asset_id)
            .where(mine, asset.c.gone.is_(False))
        )
        with self._transactions.write() as connection:
            asset_ids = list(connection.execute(query.distinct()).scalars())
            connection.execute(delete(forgotten_face).where(mine))
        return asset_ids

    def held_faces(self, account_id: AccountId) -> Iterator[HeldFace]:
        """Faces of gone assets, too, lowest id first, read in blocks."""
        after = 0
        while True:
            query = (
                faces_query()
                .join(library, library.c.id == asset.c.library_id)
                .outerjoin(embedding, embedding.c.face_id == face.c.id)
                .add_columns(library.c.name.label("library"), asset.c.path, embedding.c.vector)
                .where(face.c.account_id == account_id, face.c.id > after)
                .order_by(face.c.id)
                .limit(BLOCK)
            )
            with self._transactions.read() as connection:
                rows = connection.execute(query).all()
            for row in rows:
                vector = None if row.vector is None else from_blob(row.vector)
                yield HeldFace(ExportedFace(row.library, row.path, to_face(row)), vector)
            if not rows:
                return
            after = rows[-1].id

    def held_people(self, account_id: AccountId) -> list[Person]:
        """Every person, hidden ones and those without a visible face, too."""
        with self._transactions.read() as connection:
            return to_people(connection, connection.execute(people_query(account_id).order_by(person.c.id)).all())

    def face_ids(self) -> set[FaceId]:
        """Every face of every account."""
        with self._transactions.read() as connection:
            return set(connection.execute(select(face.c.id)).scalars())

    def asset_ids(self) -> set[AssetId]:
        """Every asset of every account."""
        with self._transactions.read() as connection:
            return set(connection.execute(select(asset.c.id)).scalars())

    def leftovers(self) -> str | None:
        """Names the last deletion whose files may still be there; None when all is clean."""
        with self._transactions.read() as connection:
            return connection.execute(select(preference.c.value).where(preference.c.key == LEFTOVERS)).scalar()

    def cleaned(self, leftovers: str) -> None:
        """The files of that deletion, and all before it, are gone. Nothing happens when a newer one came."""
        this = (preference.c.key == LEFTOVERS, preference.c.value == leftovers)
        with self._transactions.write() as connection:
            connection.execute(delete(preference).where(*this))

    def scrub(self) -> None:
        """Take deleted rows out of the write-ahead log, as far as readers let it."""
        self._transactions.shorten_log()


def overwrite_deleted(connection: Connection) -> None:
    """Let SQLite write zeros over what this connection deletes: the pages would keep it otherwise."""
    connection.execute(text("PRAGMA secure_delete = ON"))


def note_leftovers(connection: Connection) -> None:
    """Remember, in the same transaction, that files have to follow."""
    this = secrets.token_hex(8)
    connection.execute(delete(preference).where(preference.c.key.in_([LEFTOVERS, FORGOT])))
    connection.execute(insert(preference), [{"key": key, "value": this} for key in (LEFTOVERS, FORGOT)])


def _held(connection: Connection, account_id: AccountId) -> HeldData:
    mine = face.c.account_id == account_id
    joined = select(func.count()).select_from(embedding.join(face, face.c.id == embedding.c.face_id))
    return HeldData(
        faces=_count(connection, face, mine),
        embeddings=int(connection.execute(joined.where(mine)).scalar_one()),
        people=_count(connection, person, person.c.account_id == account_id),
        named_people=_count(connection, person, person.c.account_id == account_id, person.c.name != ""),
        verdicts=_count(connection, verdict, verdict.c.account_id == account_id),
        events=_count(connection, event, event.c.account_id == account_id),
        forgotten=_count(connection, forgotten_face, forgotten_face.c.account_id == account_id),
    )


def _held_of_person(connection: Connection, account_id: AccountId, person_id: PersonId) -> HeldData:
    theirs = _is_theirs(account_id, person_id)
    joined = select(func.count()).select_from(embedding.join(face, face.c.id == embedding.c.face_id))
    about = or_(
        verdict.c.face_id.in_(select(face.c.id).where(theirs)),
        verdict.c.person_id == person_id,
        verdict.c.other_person_id == person_id,
    )
    named = _count(connection, person, person.c.id == person_id, person.c.name != "")
    return HeldData(
        faces=_count(connection, face, theirs),
        embeddings=int(connection.execute(joined.where(theirs)).scalar_one()),
        people=1,
        named_people=named,
        verdicts=_count(connection, verdict, about),
        events=0,
        forgotten=0,
    )


def _count(connection: Connection, table: Table, *which: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(*which)).scalar_one())


def _is_theirs(account_id: AccountId, person_id: PersonId) -> ColumnElement[bool]:
    """Faces given to the person, and those a user said it of."""
    said = (verdict.c.kind == VerdictKind.IS_PERSON, verdict.c.person_id == person_id)
    # Two lists of ids: an OR with a correlated EXISTS would look at every face of the catalogue.
    said_of = select(verdict.c.face_id).where(*said, verdict.c.face_id.is_not(None))
    return (face.c.account_id == account_id) & or_(face.c.person_id == person_id, face.c.id.in_(said_of))


def _faces_of(connection: Connection, account_id: AccountId, person_id: PersonId) -> Sequence[FaceId]:
    query = select(face.c.id).where(_is_theirs(account_id, person_id)).order_by(face.c.id)
    return list(connection.execute(query).scalars())


def _forget_skipped(
    connection: Connection, account_id: AccountId, person_id: PersonId, face_ids: frozenset[FaceId]
) -> None:
    """Questions that were skipped name whom they are about by their keys (`plugin.suggestions`)."""
    mine = skipped.c.account_id == account_id
    keys = connection.execute(select(skipped.c.key).where(mine)).scalars().all()
    doomed = [key for key in keys if _names(key, person_id, face_ids)]
    for block in blocks(doomed):
        connection.execute(delete(skipped).where(mine, skipped.c.key.in_(block)))


def _names(key: str, person_id: PersonId, face_ids: frozenset[FaceId]) -> bool:
    """Whether `face-<face>-<person>` or `person-<person>-<person>` is about one of these."""
    kind, *ids = key.split("-")
    first, last = (int(number) if number.isdecimal() else 0 for number in (ids[0], ids[-1])) if ids else (0, 0)
    return person_id == last or (first in face_ids if kind == "face" else person_id == first)


def _forget_all_faces(connection: Connection, account_id: AccountId) -> None:
    connection.execute(delete(event).where(event.c.account_id == account_id))
    connection.execute(delete(skipped).where(skipped.c.account_id == account_id))
    _forget(connection, face.c.account_id == account_id)


def _forget(connection: Connection, which: ColumnElement[bool]) -> None:
    """Delete faces and what was said about them; only their places stay, for `plugin.catalogue.forgotten`."""
    places = ("account_id", "asset_id", "x", "y", "w", "h", "frame_ms")
    boxes = select(*[face.c[name] for name in places]).where(which)
    connection.execute(insert(forgotten_face).from_select(list(places), boxes))
    connection.execute(delete(verdict).where(verdict.c.face_id.in_(select(face.c.id).where(which))))
    delete_faces(connection, which)
