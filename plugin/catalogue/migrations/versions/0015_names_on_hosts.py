"""What was written to hosts: who is on a photo."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "write_back",
        sa.Column("library_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("settled", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('tags', 'sidecars')", name=op.f("ck_write_back_kind")),
        sa.CheckConstraint("state IN ('on', 'paused', 'removing')", name=op.f("ck_write_back_state")),
        sa.ForeignKeyConstraint(
            ["library_id"], ["library.id"], name=op.f("fk_write_back_library_id_library"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("library_id", "kind", name=op.f("pk_write_back")),
    )
    op.create_table(
        "written_name",
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("face_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("x", sa.Float(), nullable=True),
        sa.Column("y", sa.Float(), nullable=True),
        sa.Column("w", sa.Float(), nullable=True),
        sa.Column("h", sa.Float(), nullable=True),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("aim", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('new', 'written', 'theirs', 'refused')", name=op.f("ck_written_name_state")),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name=op.f("fk_written_name_asset_id_asset"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asset_id", "kind", "face_id", "person_id", name=op.f("pk_written_name")),
    )
    op.create_table(
        "write_problem",
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name=op.f("fk_write_problem_asset_id_asset"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asset_id", "kind", name=op.f("pk_write_problem")),
    )
    op.create_table(
        "write_label",
        sa.Column("library_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("label_id", sa.String(), nullable=False),
        sa.Column("made", sa.Boolean(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["library_id"], ["library.id"], name=op.f("fk_write_label_library_id_library"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("library_id", "name", name=op.f("pk_write_label")),
    )
