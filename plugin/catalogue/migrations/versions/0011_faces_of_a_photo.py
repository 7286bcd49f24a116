"""An index that says who is on a photo without a look at the faces themselves; it replaces the one by photo alone."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_index(
        op.f("ix_face_asset_id_account_id_state_person_id"), "face", ["asset_id", "account_id", "state", "person_id"]
    )
    op.drop_index(op.f("ix_face_asset_id"), "face")
