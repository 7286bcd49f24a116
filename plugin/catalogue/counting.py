"""Counts that are kept instead of counted: what a page shows of every person, and how many rows stand where.

Counting 200,000 faces for every page costs a second. Triggers keep `tally` true row by row, and mark in
`person_changed` whose faces or photos changed; `refresh_people` counts those again at the end of the same transaction.
So whatever code makes the change, undo included, and whatever moment the process is killed at, what a reader sees
adds up; and a merge of 40,000 faces is counted once, not 40,000 times.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, text

MARKED = "INSERT INTO person_changed (person_id) SELECT {who} WHERE {known}"
"""Not `INSERT OR IGNORE`: the conflict clause of the statement that fires a trigger would replace its own."""

ADD = "ON CONFLICT (library_id, kind, state) DO UPDATE SET number = number + excluded.number"
INSERT = "INSERT INTO tally (library_id, account_id, kind, state, number)"

STANDS = "CASE WHEN {row}.gone THEN 'gone' ELSE {row}.state END"
"""An asset that is gone counts as that, whatever detection made of it."""


def counting_triggers() -> Iterator[str]:
    """One `CREATE TRIGGER` for each kind of change that moves a count."""
    yield from _person_triggers()
    yield from _face_triggers()
    yield from _asset_triggers()


def refresh_people(connection: Connection) -> None:
    """Count the marked people anew; costs next to nothing when nobody is marked."""
    if connection.execute(text("SELECT 1 FROM person_changed LIMIT 1")).first() is None:
        return
    for statement in (*COUNT_PHOTOS, *COUNT_MONTHS, NOBODY_IS_MARKED):
        connection.execute(text(statement))


def count_everything(connection: Connection) -> None:
    """Fill the empty tables, after a migration; months came later, see `count_months`."""
    connection.execute(text(EVERYBODY_IS_MARKED))
    for statement in (*COUNT_PHOTOS, NOBODY_IS_MARKED):
        connection.execute(text(statement))
    whose = "SELECT asset.library_id, asset.account_id"
    faces = f"{whose}, 'face', face.state, count(*) FROM face JOIN asset ON asset.id = face.asset_id"
    connection.execute(text(f"{INSERT} {faces} WHERE NOT asset.gone GROUP BY 1, 2, 4"))
    assets = f"{whose}, 'asset', {STANDS.format(row='asset')}, count(*) FROM asset GROUP BY 1, 2, 4"
    connection.execute(text(f"{INSERT} {assets}"))


def count_months(connection: Connection) -> None:
    """Fill the empty table of months, after a migration; whoever is marked stays so."""
    connection.execute(text(MONTHS.format(people="(SELECT id AS person_id FROM person)")))


EVERYBODY_IS_MARKED = "INSERT INTO person_changed SELECT DISTINCT person_id FROM face WHERE person_id > 0"
NOBODY_IS_MARKED = "DELETE FROM person_changed"

COUNT_PHOTOS = (
    "DELETE FROM person_stats WHERE person_id IN (SELECT person_id FROM person_changed)",
    # CROSS JOIN keeps the order: SQLite, which cannot know how few are marked, may start with the assets.
    """
    INSERT INTO person_stats (person_id, face_count, photo_count, first_taken, last_taken)
    SELECT face.person_id, count(*), count(DISTINCT face.asset_id), min(asset.taken_at), max(asset.taken_at)
    FROM person_changed
    CROSS JOIN face ON face.person_id = person_changed.person_id
    CROSS JOIN asset ON asset.id = face.asset_id AND NOT asset.gone
    GROUP BY face.person_id
    """,
)

MONTHS = """
    INSERT INTO person_month (person_id, month, photos)
    SELECT face.person_id, coalesce(substr(asset.taken_at, 1, 7), ''), count(DISTINCT asset.id)
    FROM {people} AS counted
    CROSS JOIN face ON face.person_id = counted.person_id
    CROSS JOIN asset ON asset.id = face.asset_id AND NOT asset.gone
    GROUP BY 1, 2
    """
"""Times are texts that begin with the month; to read them as times takes longer than all the rest."""

COUNT_MONTHS = (
    "DELETE FROM person_month WHERE person_id IN (SELECT person_id FROM person_changed)",
    MONTHS.format(people="person_changed"),
)


def _person_triggers() -> Iterator[str]:
    yield _trigger("mark", "face", "INSERT", [_mark("NEW.person_id")], "NEW.person_id IS NOT NULL")
    yield _trigger("mark", "face", "DELETE", [_mark("OLD.person_id")], "OLD.person_id IS NOT NULL")
    both = [_mark("OLD.person_id"), _mark("NEW.person_id")]
    moved = "OLD.person_id IS NOT NEW.person_id OR OLD.asset_id IS NOT NEW.asset_id"
    yield _trigger("mark", "face", "UPDATE OF person_id, asset_id", both, moved)
    shown = (
        "INSERT INTO person_changed (person_id) SELECT DISTINCT person_id FROM face "
        "WHERE asset_id = NEW.id AND person_id IS NOT NULL AND person_id NOT IN (SELECT person_id FROM person_changed)"
    )
    changed = "OLD.gone IS NOT NEW.gone OR OLD.taken_at IS NOT NEW.taken_at"
    yield _trigger("mark", "asset", "UPDATE OF gone, taken_at", [shown], changed)


def _mark(who: str) -> str:
    known = f"{who} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM person_changed WHERE person_id = {who})"  # noqa: S608
    return MARKED.format(who=who, known=known)


def _face_triggers() -> Iterator[str]:
    yield _trigger("tally", "face", "INSERT", [_face_step("NEW", 1)])
    yield _trigger("tally", "face", "DELETE", [_face_step("OLD", -1)])
    steps = [_face_step("OLD", -1), _face_step("NEW", 1)]
    yield _trigger("tally", "face", "UPDATE OF state", steps, "OLD.state IS NOT NEW.state")
    sign = "CASE WHEN NEW.gone THEN -1 ELSE 1 END"
    theirs = f"SELECT NEW.library_id, NEW.account_id, 'face', state, count(*) * {sign} FROM face"  # noqa: S608
    with_asset = f"{INSERT} {theirs} WHERE asset_id = NEW.id GROUP BY state {ADD}"
    yield _trigger("tally", "asset", "UPDATE OF gone", [with_asset], "OLD.gone IS NOT NEW.gone")


def _face_step(row: str, number: int) -> str:
    source = f"SELECT library_id, account_id, 'face', {row}.state, {number} FROM asset"  # noqa: S608
    return f"{INSERT} {source} WHERE id = {row}.asset_id AND NOT gone {ADD}"


def _asset_triggers() -> Iterator[str]:
    new, old = _asset_step("NEW", 1), _asset_step("OLD", -1)
    yield _trigger("count", "asset", "INSERT", [new])
    yield _trigger("count", "asset", "DELETE", [old])
    moved = f"{STANDS.format(row='OLD')} IS NOT {STANDS.format(row='NEW')}"
    yield _trigger("count", "asset", "UPDATE OF state, gone", [old, new], moved)


def _asset_step(row: str, number: int) -> str:
    stands = STANDS.format(row=row)
    return f"{INSERT} VALUES ({row}.library_id, {row}.account_id, 'asset', {stands}, {number}) {ADD}"


def _trigger(name: str, table: str, change: str, steps: list[str], when: str = "1") -> str:
    head = f"CREATE TRIGGER {name}_{table}_{change.split(maxsplit=1)[0].lower()} AFTER {change} ON {table} WHEN {when}"
    return f"{head} BEGIN {'; '.join(steps)}; END"
