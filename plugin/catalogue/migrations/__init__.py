"""Alembic migrations, run by `plugin.catalogue.opening`."""

REVISIONS = tuple(f"{number:04}" for number in range(1, 15))
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
    "0014",
)
"""Every revision this version knows, oldest first. Not looked up (a test compares it with the scripts) so that opening a
catalogue that is up to date need not load Alembic, which costs a quarter of a second."""
