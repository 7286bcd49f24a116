"""Alembic migrations, run by `plugin.catalogue.opening`."""

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0013", "0015")
"""Every revision this version knows, oldest first. Written out (a test compares it with the scripts) so that opening a
catalogue that is up to date need not load Alembic, which costs a quarter of a second."""
