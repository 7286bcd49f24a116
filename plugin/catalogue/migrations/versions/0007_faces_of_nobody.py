"""Faces of nobody are counted and paged by an index of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index(
        "ix_face_nobody",
        "face",
        ["account_id", "pack", "group_id", "asset_id", "quality", "state"],
        sqlite_where=sa.text("state NOT IN ('assigned', 'ignored')"),
    )
