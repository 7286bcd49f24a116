"""Who is who on hosts that know people, and what was taken over from there."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, literal, or_, select, update

from plugin.catalogue.asset_rows import blocks
from plugin.catalogue.privacy import overwrite_deleted
from plugin.catalogue.tables import asset, face, host_guess, host_marker, host_person, person, written_name
from plugin.catalogue.transactions import Transactions
from plugin.domain import AccountId, AssetId, FaceId, FaceState, LibraryId, PersonId
from plugin.ports.written import GUESS, NameKind, PersonLink, WrittenState


class SqlHostPeople:
    """`HostPeopleRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def links(self, library_id: LibraryId) -> list[PersonLink]:
        """Every link of a library, with what the person is called now."""
        row = host_person.c
        columns = (
            row.subject,
            row.person_id,
            row.name,
            row.there,
            row.before,
            person.c.name,
            func.coalesce(row.aim, ""),
        )
        query = select(*columns).select_from(host_person.join(person, person.c.id == row.person_id))
        with self._transactions.read() as connection:
            found = connection.execute(query.where(row.library_id == library_id).order_by(row.subject))
            return [PersonLink(*values) for values in found]

    def agree(self, library_id: LibraryId, link: PersonLink) -> None:
        """Both sides have these names now; names written to the library's markers of the subject follow."""
        where = (host_person.c.library_id == library_id, host_person.c.subject == link.subject)
        values = {
            "person_id": link.person_id,
            "name": link.name,
            "there": link.there,
            "before": link.before,
            "aim": link.aim or None,
        }
        with self._transactions.write() as connection:
            overwrite_deleted(connection)
            former = connection.execute(select(host_person.c.person_id, host_person.c.name).where(*where)).first()
            connection.execute(delete(host_person).where(*where))
            connection.execute(insert(host_person).values(library_id=library_id, subject=link.subject, **values))
            if former is not None and former.person_id == link.person_id and former.name != link.name:
                _rename_written(connection, library_id, link, former.name)

    def forget(self, library_id: LibraryId, subject: str) -> None:
        """This subject is nobody's any more."""
        where = (host_person.c.library_id == library_id, host_person.c.subject == subject)
        with self._transactions.write() as connection:
            overwrite_deleted(connection)
            connection.execute(delete(host_person).where(*where))

    def seen(self, asset_id: AssetId) -> dict[str, str]:
        """What each marker of an asset said when it was looked at last; a guess only while it is kept (`guess`)."""
        query = select(host_marker.c.marker, host_marker.c.subject).where(host_marker.c.asset_id == asset_id)
        # A guess goes with its face, and a face that is found anew is another one.
        guesses = select(literal(GUESS).concat(host_guess.c.subject)).join(face, face.c.id == host_guess.c.face_id)
        with self._transactions.read() as connection:
            said = {row.marker: row.subject for row in connection.execute(query)}
            if not any(subject.startswith(GUESS) for subject in said.values()):
                return said
            kept = set(connection.execute(guesses.where(face.c.asset_id == asset_id)).scalars())
        return {marker: subject for marker, subject in said.items() if subject[:1] != GUESS or subject in kept}

    def see(self, asset_id: AssetId, markers: Mapping[str, str]) -> None:
        """Remember what these markers say."""
        mine = host_marker.c.asset_id == asset_id
        rows = [{"asset_id": asset_id, "marker": marker, "subject": subject} for marker, subject in markers.items()]
        with self._transactions.write() as connection:
            connection.execute(delete(host_marker).where(mine, host_marker.c.marker.in_(list(markers))))
            if rows:
                connection.execute(insert(host_marker), rows)

    def guess(self, library_id: LibraryId, guesses: Mapping[FaceId, str]) -> None:
        """Remember which subject the host takes these faces for; "" forgets."""
        rows = [
            {"face_id": face_id, "library_id": library_id, "subject": subject}
            for face_id, subject in guesses.items()
            if subject
        ]
        with self._transactions.write() as connection:
            for some in blocks(list(guesses)):
                connection.execute(delete(host_guess).where(host_guess.c.face_id.in_(some)))
            if rows:
                connection.execute(insert(host_guess), rows)

    def guesses(self, account_id: AccountId) -> dict[FaceId, PersonId]:
        """Faces of nobody the host takes for somebody who is known here."""
        known = and_(host_person.c.library_id == host_guess.c.library_id, host_person.c.subject == host_guess.c.subject)
        tables = host_guess.join(host_person, known).join(face, face.c.id == host_guess.c.face_id)
        nobodys = (face.c.account_id == account_id, face.c.person_id.is_(None), face.c.state != FaceState.IGNORED)
        query = select(host_guess.c.face_id, host_person.c.person_id).select_from(tables).where(*nobodys)
        with self._transactions.read() as connection:
            return {row.face_id: row.person_id for row in connection.execute(query)}


def _rename_written(connection: Connection, library_id: LibraryId, link: PersonLink, former: str) -> None:
    """The subject was renamed as a whole, so every marker of it says the new name: what we know of them follows.

    Whoever they are here: hosts keep one subject for two people of one name. The next run gives the others their own.
    But not those who are another subject there, which may have had this name before.
    """
    row = written_name.c
    mine = select(asset.c.id).where(asset.c.library_id == library_id)
    elsewhere = select(host_person.c.person_id).where(
        host_person.c.library_id == library_id, host_person.c.subject != link.subject
    )
    whose = or_(row.person_id == link.person_id, row.person_id.not_in(elsewhere))
    theirs: tuple[Any, ...] = (row.kind == NameKind.MARKERS, row.asset_id.in_(mine), whose)
    states = row.state.in_([WrittenState.WRITTEN, WrittenState.THEIRS])
    connection.execute(update(written_name).where(*theirs, states, row.name == former).values(name=link.name))
    key = (row.asset_id, row.face_id)
    for found in connection.execute(select(*key, row.aim).where(*theirs, row.aim.is_not(None))).all():
        if found.aim["name"] == former:
            aim = {**found.aim, "name": link.name}
            here = (row.asset_id == found.asset_id, row.face_id == found.face_id)
            connection.execute(update(written_name).where(*theirs, *here).values(aim=aim))
