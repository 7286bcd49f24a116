"""What the title of an event is made of, so that the history speaks every language; older events stay English."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("event", sa.Column("wording", sa.JSON(), nullable=True))
