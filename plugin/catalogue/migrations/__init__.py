"""Alembic migrations, run by `plugin.catalogue.opening`."""

REVISIONS = tuple(f"{number:04}" for number in range(1, 21))
"""Every revision this version knows, oldest first. Not looked up (a test compares it with the scripts) so that opening
a catalogue that is up to date need not load Alembic, which costs a quarter of a second."""
