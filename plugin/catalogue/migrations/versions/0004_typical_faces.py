"""The face that recognition would show for a person."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("person", sa.Column("typical_face_id", sa.Integer(), nullable=True))
