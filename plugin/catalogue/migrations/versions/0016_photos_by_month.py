"""The photos of each person by month, kept instead of counted for every page."""

import sqlalchemy as sa
from alembic import op

from plugin.catalogue.counting import count_months

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "person_month",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("photos", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_person_month_person_id_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "month", name=op.f("pk_person_month")),
        sqlite_with_rowid=False,
    )
    count_months(op.get_bind())
