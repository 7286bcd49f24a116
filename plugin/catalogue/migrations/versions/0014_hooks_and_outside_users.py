"""Who may tell Kinfolk that a library changed, and whose accounts users of a Nextcloud have."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "library_hook",
        sa.Column("library_id", sa.Integer(), nullable=False),
        sa.Column("secret_digest", sa.String(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["library_id"], ["library.id"], name=op.f("fk_library_hook_library_id_library"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("library_id", name=op.f("pk_library_hook")),
    )
    op.create_table(
        "outside_user",
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_outside_user_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("origin", "user_id", name=op.f("pk_outside_user")),
    )
    op.create_index(op.f("ix_outside_user_account_id"), "outside_user", ["account_id"])
