"""Triggers that write down what a user's action changes, while one is being recorded (`plugin.catalogue.events`).

Recorded in SQL, row by row, whatever code makes the change: no action can forget to be undoable, and a merge of 40,000
faces stays one statement. After https://sqlite.org/undoredo.html.
"""

from collections.abc import Iterator

RECORDED = {
    "face": ("person_id", "state", "assigned_by", "group_id"),
    "person": (
        "account_id",
        "name",
        "name_key",
        "search_words",
        "birth_date",
        "hidden",
        "favourite",
        "feature_face_id",
        "typical_face_id",
    ),
    "verdict": ("account_id", "kind", "face_id", "person_id", "other_person_id", "said_at"),
}
"""By table, the columns that are restored. The faces of the machine come and go by detection only, so they are recorded
when they change; those users draw are written down by `drawn_faces`; persons and verdicts in everything."""

SEPARATOR = "\x1f"
"""Between values. No value has it: names have no control characters."""


def trigger_statements() -> Iterator[str]:
    """One `CREATE TRIGGER` for each kind of change of each table."""
    for table, columns in RECORDED.items():
        old, new = _encoded("OLD", columns), _encoded("NEW", columns)
        yield _trigger(table, f"UPDATE OF {', '.join(columns)}", "OLD.id", old, new, f"{old} IS NOT {new}")
        if table != "face":
            yield _trigger(table, "INSERT", "NEW.id", "NULL", new)
            yield _trigger(table, "DELETE", "OLD.id", old, "NULL")


def decoded(row: str, columns: tuple[str, ...]) -> dict[str, str | int | float | None]:
    """The values a trigger wrote for these columns."""
    return {column: _value(text) for column, text in zip(columns, row.split(SEPARATOR), strict=True)}


def _value(text: str) -> str | int | float | None:
    if text == "NULL":
        return None
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    return float(text) if "." in text else int(text)


def _encoded(row: str, columns: tuple[str, ...]) -> str:
    """SQLite's `quote`, value by value: its JSON functions are barred from triggers by `trusted_schema = OFF`."""
    return f" || char({ord(SEPARATOR)}) || ".join(f"quote({row}.{column})" for column in columns)


def _trigger(table: str, change: str, row_id: str, before: str, after: str, when: str = "1") -> str:
    active = "(SELECT event_id FROM recording)"
    head = f"CREATE TRIGGER record_{table}_{change.split(maxsplit=1)[0].lower()} AFTER {change} ON {table}"
    columns = "(event_id, table_name, row_id, before, after)"
    row = f"({active}, '{table}', {row_id}, {before}, {after})"
    # Names of our own tables and columns only.
    insertion = f"INSERT INTO event_change {columns} VALUES {row}"  # noqa: S608
    return f"{head} WHEN {active} IS NOT NULL AND {when} BEGIN {insertion}; END"
