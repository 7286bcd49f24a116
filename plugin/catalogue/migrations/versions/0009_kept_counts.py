"""Counts that are kept instead of counted, and indexes for what the pages ask."""

import sqlalchemy as sa
from alembic import op

from plugin.catalogue.counting import count_everything, counting_triggers

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "person_stats",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("face_count", sa.Integer(), nullable=False),
        sa.Column("photo_count", sa.Integer(), nullable=False),
        sa.Column("first_taken", sa.DateTime(), nullable=True),
        sa.Column("last_taken", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_person_stats_person_id_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person_stats")),
    )
    op.create_table(
        "person_changed",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person_changed")),
    )
    op.create_table(
        "tally",
        sa.Column("library_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["library_id"], ["library.id"], name=op.f("fk_tally_library_id_library"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("library_id", "kind", "state", name=op.f("pk_tally")),
    )
    op.create_index(op.f("ix_face_person_id_asset_id"), "face", ["person_id", "asset_id"])
    op.create_index(op.f("ix_face_account_id_recognised_at"), "face", ["account_id", "recognised_at"])
    op.create_index(op.f("ix_asset_account_id_detected_at"), "asset", ["account_id", "detected_at"])
    op.drop_index(op.f("ix_face_recognised_at"), "face")
    op.drop_index(op.f("ix_asset_detected_at"), "asset")
    for statement in counting_triggers():
        op.execute(statement)
    count_everything(op.get_bind())
