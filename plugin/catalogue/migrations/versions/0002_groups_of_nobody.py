"""Faces of nobody that are alike know each other."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("face", sa.Column("group_id", sa.Integer(), nullable=True))
    op.create_index("ix_face_account_id_group_id", "face", ["account_id", "group_id"])
