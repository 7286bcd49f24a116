"""Names as markers, and who is who on hosts that know people."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    with op.batch_alter_table("write_back") as table:
        table.drop_constraint(op.f("ck_write_back_kind"), type_="check")
        table.create_check_constraint(op.f("ck_write_back_kind"), "kind IN ('tags', 'sidecars', 'markers')")
    op.create_table(
        "host_person",
        sa.Column("library_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("there", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["library_id"], ["library.id"], name=op.f("fk_host_person_library_id_library"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_host_person_person_id_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("library_id", "subject", name=op.f("pk_host_person")),
    )
    op.create_index(op.f("ix_host_person_person_id"), "host_person", ["person_id"])
    op.create_table(
        "host_marker",
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column("marker", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name=op.f("fk_host_marker_asset_id_asset"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asset_id", "marker", name=op.f("pk_host_marker")),
    )
    op.create_table(
        "host_guess",
        sa.Column("face_id", sa.Integer(), nullable=False),
        sa.Column("library_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["face_id"], ["face.id"], name=op.f("fk_host_guess_face_id_face"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["library_id"], ["library.id"], name=op.f("fk_host_guess_library_id_library"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("face_id", name=op.f("pk_host_guess")),
    )
    op.create_index(op.f("ix_host_guess_library_id"), "host_guess", ["library_id"])
