"""A rename that was begun on a host, so that its end is not taken for somebody's word."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("host_person", sa.Column("aim", sa.String(), nullable=True))
