"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name_key", name=op.f("uq_account_name_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "index_status",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dirty", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_status")),
    )
    op.create_table(
        "index_tombstone",
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("face_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("pack", "face_id", name=op.f("pk_index_tombstone")),
    )
    op.create_table(
        "preference",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_preference")),
    )
    op.create_table(
        "library",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("last_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sync_error", sa.String(), nullable=True),
        sa.Column("sync_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sync_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sync_pass", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_library_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library")),
        sa.UniqueConstraint("account_id", "host", "address", name=op.f("uq_library_account_id_host_address")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("search_words", sa.String(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("favourite", sa.Boolean(), nullable=False),
        sa.Column("feature_face_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_person_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_person_account_id_name_key", "person", ["account_id", "name_key"], unique=False)
    op.create_table(
        "asset",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("library_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("host_key", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("content_key", sa.String(), nullable=False),
        sa.Column("change_key", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=True),
        sa.Column("taken_at", sa.DateTime(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("seen_pass", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error_message", sa.String(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_by", sa.String(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detected_pack", sa.String(), nullable=True),
        sa.CheckConstraint("kind IN ('photo', 'video')", name=op.f("ck_asset_kind")),
        sa.CheckConstraint("state IN ('pending', 'done', 'failed')", name=op.f("ck_asset_state")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_asset_account_id_account")),
        sa.ForeignKeyConstraint(["library_id"], ["library.id"], name=op.f("fk_asset_library_id_library")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset")),
        sa.UniqueConstraint("library_id", "host_key", name=op.f("uq_asset_library_id_host_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_asset_account_id_gone_state", "asset", ["account_id", "gone", "state"], unique=False)
    op.create_index(
        "ix_asset_account_id_gone_taken_at_id", "asset", ["account_id", "gone", "taken_at", "id"], unique=False
    )
    op.create_index("ix_asset_detected_at", "asset", ["detected_at"], unique=False)
    op.create_index("ix_asset_leased_until", "asset", ["leased_until"], unique=False)
    op.create_index("ix_asset_library_id_content_key", "asset", ["library_id", "content_key"], unique=False)
    op.create_index("ix_asset_state_gone_taken_at_id", "asset", ["state", "gone", "taken_at", "id"], unique=False)
    op.create_table(
        "intake_problem",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("library_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("hides_below", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["library_id"], ["library.id"], name=op.f("fk_intake_problem_library_id_library"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake_problem")),
    )
    op.create_index(op.f("ix_intake_problem_library_id"), "intake_problem", ["library_id"], unique=False)
    op.create_table(
        "face",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("x", sa.Float(), nullable=False),
        sa.Column("y", sa.Float(), nullable=False),
        sa.Column("w", sa.Float(), nullable=False),
        sa.Column("h", sa.Float(), nullable=False),
        sa.Column("landmarks", sa.LargeBinary(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("quality", sa.Float(), nullable=False),
        sa.Column("norm", sa.Float(), nullable=False),
        sa.Column("sharpness", sa.Float(), nullable=False),
        sa.Column("pose", sa.Float(), nullable=False),
        sa.Column("width_px", sa.Float(), nullable=False),
        sa.Column("frame_ms", sa.Integer(), nullable=True),
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("assigned_by", sa.String(), nullable=True),
        sa.Column("recognised_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'assigned') = (person_id IS NOT NULL)", name=op.f("ck_face_assigned_has_person")),
        sa.CheckConstraint("assigned_by IN ('machine', 'user')", name=op.f("ck_face_assigned_by")),
        sa.CheckConstraint("source IN ('machine', 'user')", name=op.f("ck_face_source")),
        sa.CheckConstraint(
            "state IN ('pending', 'deferred', 'assigned', 'unassigned', 'ignored')", name=op.f("ck_face_state")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_face_account_id_account")),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_face_asset_id_asset")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_face_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_face_account_id_state_person_id_asset_id",
        "face",
        ["account_id", "state", "person_id", "asset_id"],
        unique=False,
    )
    op.create_index(op.f("ix_face_asset_id"), "face", ["asset_id"], unique=False)
    op.create_index("ix_face_person_id_quality", "face", ["person_id", "quality"], unique=False)
    op.create_index("ix_face_recognised_at", "face", ["recognised_at"], unique=False)
    op.create_index("ix_face_state_pack_id", "face", ["state", "pack", "id"], unique=False)
    op.create_table(
        "embedding",
        sa.Column("face_id", sa.Integer(), nullable=False),
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("indexed", sa.Boolean(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["face_id"], ["face.id"], name=op.f("fk_embedding_face_id_face"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("face_id", name=op.f("pk_embedding")),
    )
    op.create_index("ix_embedding_pack_face_id_indexed", "embedding", ["pack", "face_id", "indexed"], unique=False)
    op.create_table(
        "verdict",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("face_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("other_person_id", sa.Integer(), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('is_person', 'is_not_person', 'is_nobody', 'persons_differ')", name=op.f("ck_verdict_kind")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_verdict_account_id_account")),
        sa.ForeignKeyConstraint(["face_id"], ["face.id"], name=op.f("fk_verdict_face_id_face")),
        sa.ForeignKeyConstraint(
            ["other_person_id"], ["person.id"], name=op.f("fk_verdict_other_person_id_person"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_verdict_person_id_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdict")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_verdict_account_id"), "verdict", ["account_id"], unique=False)
    op.create_index(op.f("ix_verdict_face_id"), "verdict", ["face_id"], unique=False)
    op.create_index(op.f("ix_verdict_other_person_id"), "verdict", ["other_person_id"], unique=False)
    op.create_index(op.f("ix_verdict_person_id"), "verdict", ["person_id"], unique=False)
