"""At which addresses hosts were asked to tell, and files that two libraries of an account see and one of them reads."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("library_hook", sa.Column("urls", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "left_file",
        sa.Column("library_id", sa.Integer(), nullable=False),
        sa.Column("host_key", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("to_library_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["library_id"], ["library.id"], name=op.f("fk_left_file_library_id_library"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["to_library_id"], ["library.id"], name=op.f("fk_left_file_to_library_id_library"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("library_id", "host_key", name=op.f("pk_left_file")),
    )
    op.create_index(op.f("ix_left_file_to_library_id"), "left_file", ["to_library_id", "host_key"])
    # What two libraries hold by now is sorted out when its folders are listed once more.
    op.execute(
        "DELETE FROM folder_mark WHERE library_id IN "
        "(SELECT id FROM library WHERE host = 'nextcloud' AND account_id IN "
        "(SELECT account_id FROM library WHERE host = 'nextcloud' GROUP BY account_id HAVING count(*) > 1))"
    )
