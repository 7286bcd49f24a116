"""Alembic runs this; the connection, already in a transaction, comes from `plugin.catalogue.opening`."""

from alembic import context

from plugin.catalogue.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter most things in place; Alembic then copies the table.
    render_as_batch=True,
)
context.run_migrations()
