"""Who may be told about to a smart home, and where something of ours may be kept by a broker."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "told_account",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_told_account_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_told_account")),
    )
    op.create_table(
        "told_person",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("with_picture", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_told_person_person_id_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_told_person")),
    )
    op.create_table(
        "told_topic",
        sa.Column("topic", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_told_topic")),
    )
