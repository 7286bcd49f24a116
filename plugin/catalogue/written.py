"""What is written to hosts: settings, what was written, what could not be."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.privacy import overwrite_deleted
from plugin.catalogue.tables import asset, preference, write_back, write_label, write_problem, written_name
from plugin.catalogue.transactions import Transactions
from plugin.catalogue.written_plan import asset_ids, plan, waiting, wanted
from plugin.domain import Asset, AssetId, Box, FailureCount, LibraryId
from plugin.ports.written import (
    Aim,
    KnownLabel,
    NameKey,
    NameKind,
    WantedName,
    WriteBackSetting,
    WriteCounts,
    WritePlan,
    WriteState,
    WrittenName,
    WrittenState,
)

INSTALLATION = "writeback.installation"

FIRST_REST, LONGEST_REST = timedelta(minutes=5), timedelta(days=1)
"""How long an asset that could not be written rests; each time twice as long."""


class SqlWritten:
    """`WrittenRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def installation(self) -> str:
        """The name of this Kinfolk, made once."""
        where = preference.c.key == INSTALLATION
        with self._transactions.write() as connection:
            found = connection.execute(select(preference.c.value).where(where)).scalar()
            if found is None:
                found = secrets.token_hex(6)
                connection.execute(insert(preference).values(key=INSTALLATION, value=found))
            return str(found)

    def settings(self, library_id: LibraryId | None = None) -> list[WriteBackSetting]:
        """Every setting (of the library)."""
        query = select(write_back).order_by(write_back.c.library_id, write_back.c.kind)
        if library_id is not None:
            query = query.where(write_back.c.library_id == library_id)
        with self._transactions.read() as connection:
            return [_setting(row) for row in connection.execute(query)]

    def setting(self, library_id: LibraryId, kind: NameKind) -> WriteBackSetting | None:
        """The setting, None when this way was never turned on."""
        return next((found for found in self.settings(library_id) if found.kind is kind), None)

    def set_state(self, library_id: LibraryId, kind: NameKind, state: WriteState) -> None:
        """Turn it on, or change its state; it is due at once."""
        values = {"state": state, "settled": "", "error": "", "due_at": None, "failures": 0}
        with self._transactions.write() as connection:
            if not connection.execute(update(write_back).where(*_of(library_id, kind)).values(values)).rowcount:
                connection.execute(insert(write_back).values(library_id=library_id, kind=kind, **values))

    def end(self, library_id: LibraryId, kind: NameKind) -> None:
        """Forget the setting and all rows of it."""
        mine = select(asset.c.id).where(asset.c.library_id == library_id)
        with self._transactions.write() as connection:
            overwrite_deleted(connection)
            for table in (written_name, write_problem):
                connection.execute(delete(table).where(table.c.kind == kind, table.c.asset_id.in_(mine)))
            if kind is NameKind.TAGS:
                connection.execute(delete(write_label).where(write_label.c.library_id == library_id))
            connection.execute(delete(write_back).where(*_of(library_id, kind)))

    def stopped(self, library_id: LibraryId, kind: NameKind, error: str, due_at: datetime, failures: int) -> None:
        """A run stopped since the host cannot be written to now, the so many-th in a row."""
        values = {"error": error, "due_at": due_at, "failures": failures}
        with self._transactions.write() as connection:
            connection.execute(update(write_back).where(*_of(library_id, kind)).values(values))

    def settled(self, library_id: LibraryId, kind: NameKind, marker: str) -> None:
        """A run came to its end."""
        now = self._transactions.now()
        values = {"settled": marker, "error": "", "due_at": None, "failures": 0, "finished_at": now}
        with self._transactions.write() as connection:
            connection.execute(update(write_back).where(*_of(library_id, kind)).values(values))

    def plan(self, library_id: LibraryId, kind: NameKind) -> WritePlan:
        """What a run would do now; also before it is turned on."""
        with self._transactions.read() as connection:
            return plan(connection, kind, library_id)

    def waiting(self, library_id: LibraryId, kind: NameKind) -> int:
        """How many assets differ, those that rest included."""
        with self._transactions.read() as connection:
            return waiting(connection, kind, library_id)

    def to_visit(self, library_id: LibraryId, kind: NameKind, now: datetime, limit: int) -> list[AssetId]:
        """Assets that differ and have no trouble that lasts longer than `now`, lowest id first."""
        with self._transactions.read() as connection:
            return asset_ids(connection, kind, library_id, now, limit)

    def next_trouble(self, library_id: LibraryId, kind: NameKind) -> datetime | None:
        """When an asset that has trouble is due next."""
        query = select(write_problem.c.due_at).where(*_problems(library_id, kind)).order_by(write_problem.c.due_at)
        with self._transactions.read() as connection:
            return connection.execute(query.limit(1)).scalar()

    def names_of(self, asset: Asset, kind: NameKind) -> tuple[list[WantedName], list[WrittenName]]:
        """What is wanted on one asset and what we know to be there."""
        want = wanted(kind, asset.library_id, asset.id)
        known = select(written_name).where(*_rows(asset.id, kind)).order_by(written_name.c.face_id)
        with self._transactions.read() as connection:
            wants = connection.execute(select(want).order_by(want.c.face_id, want.c.person_id)).all()
            return [_wanted(row) for row in wants], [_written(row) for row in connection.execute(known)]

    def record(self, asset: Asset, kind: NameKind, names: Sequence[WrittenName], gone: Sequence[NameKey] = ()) -> None:
        """Note what is about to be done, or was done, on one asset."""
        if not names and not gone:
            return
        now = self._transactions.now()
        with self._transactions.write() as connection:
            overwrite_deleted(connection)  # names of people that were forgotten
            for key in (*gone, *(name.key for name in names)):
                connection.execute(delete(written_name).where(*_rows(asset.id, kind), *_key(key)))
            rows = [{"asset_id": asset.id, "kind": kind, "written_at": now, **_values(name)} for name in names]
            if rows:
                connection.execute(insert(written_name), rows)

    def trouble(self, asset_id: AssetId, kind: NameKind, code: str, message: str, now: datetime) -> None:
        """One asset could not be written; it rests, longer each time."""
        where = (write_problem.c.asset_id == asset_id, write_problem.c.kind == kind)
        with self._transactions.write() as connection:
            attempts = connection.execute(select(write_problem.c.attempts).where(*where)).scalar() or 0
            rest = min(FIRST_REST * 2 ** min(attempts, 12), LONGEST_REST)
            connection.execute(delete(write_problem).where(*where))
            values = {"code": code, "message": message, "attempts": attempts + 1, "due_at": now + rest}
            connection.execute(insert(write_problem).values(asset_id=asset_id, kind=kind, **values))

    def no_trouble(self, asset_id: AssetId, kind: NameKind) -> None:
        """One asset is as it should be."""
        where = (write_problem.c.asset_id == asset_id, write_problem.c.kind == kind)
        with self._transactions.read() as connection:
            if connection.execute(select(write_problem.c.asset_id).where(*where)).first() is None:
                return
        with self._transactions.write() as connection:
            connection.execute(delete(write_problem).where(*where))

    def retry(self, library_id: LibraryId, kind: NameKind) -> None:
        """Everything that rests is due now."""
        with self._transactions.write() as connection:
            connection.execute(delete(write_problem).where(*_problems(library_id, kind)))

    def write_again(self, library_id: LibraryId, kind: NameKind) -> int:
        """Forget what was refused on the host; returns how many names."""
        mine = select(asset.c.id).where(asset.c.library_id == library_id)
        refused = (written_name.c.kind == kind, written_name.c.state == WrittenState.REFUSED)
        with self._transactions.write() as connection:
            names = connection.execute(delete(written_name).where(*refused, written_name.c.asset_id.in_(mine))).rowcount
            if kind is NameKind.TAGS:
                away = (write_label.c.library_id == library_id, write_label.c.refused)
                connection.execute(delete(write_label).where(*away))
            connection.execute(update(write_back).where(*_of(library_id, kind)).values(settled=""))
            return names

    def counts(self, library_id: LibraryId, kind: NameKind) -> WriteCounts:
        """What there is."""
        with self._transactions.read() as connection:
            return _counts(connection, library_id, kind)

    def names_in_use(self, library_id: LibraryId, kind: NameKind) -> set[str]:
        """Every name that is wanted or that we know to be there."""
        mine = select(asset.c.id).where(asset.c.library_id == library_id)
        known = select(written_name.c.name).where(written_name.c.kind == kind, written_name.c.asset_id.in_(mine))
        with self._transactions.read() as connection:
            wants = connection.execute(select(wanted(kind, library_id).c.name).distinct()).scalars()
            return {*wants, *connection.execute(known.distinct()).scalars()}

    def labels(self, library_id: LibraryId) -> list[KnownLabel]:
        """The labels this library uses on its host."""
        columns = (write_label.c.name, write_label.c.label_id, write_label.c.made, write_label.c.refused)
        query = select(*columns).where(write_label.c.library_id == library_id).order_by(write_label.c.name)
        with self._transactions.read() as connection:
            return [KnownLabel(*row) for row in connection.execute(query)]

    def note_label(self, library_id: LibraryId, label: KnownLabel) -> None:
        """Remember a label, or what became of it."""
        where = (write_label.c.library_id == library_id, write_label.c.name == label.name)
        values = {"label_id": label.id, "made": label.made, "refused": label.refused}
        with self._transactions.write() as connection:
            connection.execute(delete(write_label).where(*where))
            connection.execute(insert(write_label).values(library_id=library_id, name=label.name, **values))

    def forget_label(self, library_id: LibraryId, name: str) -> None:
        """It is not used any more."""
        where = (write_label.c.library_id == library_id, write_label.c.name == name)
        with self._transactions.write() as connection:
            overwrite_deleted(connection)
            connection.execute(delete(write_label).where(*where))


def _of(library_id: LibraryId, kind: NameKind) -> tuple[Any, ...]:
    return write_back.c.library_id == library_id, write_back.c.kind == kind


def _rows(asset_id: AssetId, kind: NameKind) -> tuple[Any, ...]:
    return written_name.c.asset_id == asset_id, written_name.c.kind == kind


def _key(key: NameKey) -> tuple[Any, ...]:
    return written_name.c.face_id == key.face_id, written_name.c.person_id == key.person_id


def _problems(library_id: LibraryId, kind: NameKind) -> tuple[Any, ...]:
    """Of present assets: what is away cannot be written and waits for its return."""
    mine = select(asset.c.id).where(asset.c.library_id == library_id, asset.c.gone.is_(False))
    return write_problem.c.kind == kind, write_problem.c.asset_id.in_(mine)


def _counts(connection: Connection, library_id: LibraryId, kind: NameKind) -> WriteCounts:
    ours = (written_name.c.kind == kind, asset.c.library_id == library_id)
    here = (*ours, asset.c.gone.is_(False))
    joined = written_name.join(asset, asset.c.id == written_name.c.asset_id)
    states = select(written_name.c.state, func.count(), func.count(written_name.c.asset_id.distinct()))
    found = {
        state: (names, photos)
        for state, names, photos in connection.execute(
            states.select_from(joined).where(*here).group_by(written_name.c.state)
        )
    }
    reasons = (
        select(write_problem.c.code, func.min(write_problem.c.message), func.count())
        .where(*_problems(library_id, kind))
        .group_by(write_problem.c.code)
        .order_by(func.count().desc(), write_problem.c.code)
    )
    on_host = written_name.c.state.in_([WrittenState.WRITTEN, WrittenState.NEW])
    away = select(func.count(written_name.c.asset_id.distinct())).select_from(joined)
    written, new = found.get(WrittenState.WRITTEN, (0, 0)), found.get(WrittenState.NEW, (0, 0))
    return WriteCounts(
        names=written[0] + new[0],
        photos=written[1],
        theirs=found.get(WrittenState.THEIRS, (0, 0))[0],
        refused=found.get(WrittenState.REFUSED, (0, 0))[0],
        problems=tuple(FailureCount(*row) for row in connection.execute(reasons)),
        away=int(connection.execute(away.where(*ours, asset.c.gone.is_(True), on_host)).scalar_one()),
    )


def _setting(row: AnyRow) -> WriteBackSetting:
    return WriteBackSetting(
        row.library_id, NameKind(row.kind), WriteState(row.state), row.settled, row.error, row.due_at, row.failures,
        row.finished_at,
    )  # fmt: skip


def _box(row: AnyRow) -> Box | None:
    return None if row.x is None else Box(row.x, row.y, row.w, row.h)


def _wanted(row: AnyRow) -> WantedName:
    return WantedName(NameKey(row.face_id, row.person_id), row.name, _box(row))


def _written(row: AnyRow) -> WrittenName:
    key = NameKey(row.face_id, row.person_id)
    return WrittenName(key, WrittenState(row.state), row.name, _box(row), row.mark, row.path, _aim(row.aim))


def _aim(stored: dict[str, Any] | None) -> Aim | None:
    if stored is None:
        return None
    return Aim(stored["name"], Box(*stored["box"]) if stored["box"] else None)


def _values(name: WrittenName) -> dict[str, object]:
    box, aim = name.box, name.aim
    sides = (box.x, box.y, box.w, box.h) if box else (None,) * 4
    aim_box = [aim.box.x, aim.box.y, aim.box.w, aim.box.h] if aim and aim.box else None
    return {
        **dict(zip(("x", "y", "w", "h"), sides, strict=True)),
        "face_id": name.key.face_id,
        "person_id": name.key.person_id,
        "state": name.state,
        "name": name.name,
        "mark": name.mark,
        "path": name.path,
        "aim": {"name": aim.name, "box": aim_box} if aim else None,
    }
