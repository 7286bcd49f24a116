"""The tables. `migrations/versions` must lead to exactly these; a test compares them.

Ids of assets, faces and persons are never used twice (`sqlite_autoincrement`): the embedding index, thumbnails and
bookmarks may still name a deleted one.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

from plugin.catalogue.column_types import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

account = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("name_key", String, nullable=False, unique=True),
    Column("password_hash", String),
    Column("is_admin", Boolean, nullable=False),
    Column("session_epoch", Integer, nullable=False),
    sqlite_autoincrement=True,
)

library = Table(
    "library",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("host", String, nullable=False),
    Column("name", String, nullable=False),
    Column("address", String, nullable=False),
    Column("last_sync_at", UtcDateTime),
    Column("last_sync_error", String),
    Column("sync_requested_at", UtcDateTime),
    Column("sync_started_at", UtcDateTime),
    Column("sync_pass", Integer, nullable=False),
    UniqueConstraint("account_id", "host", "address"),
    sqlite_autoincrement=True,
)

host_login = Table(
    "host_login",
    metadata,
    Column("library_id", ForeignKey("library.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String, nullable=False),
    # Encrypted; the key is not in this file.
    Column("secret", String, nullable=False),
    Column("fingerprint", String),
    Column("options", JSON, nullable=False),
    Column("refused", String),
)

folder_mark = Table(
    "folder_mark",
    metadata,
    Column("library_id", ForeignKey("library.id", ondelete="CASCADE"), primary_key=True),
    Column("path", String, primary_key=True),
    Column("mark", String, nullable=False),
)

intake_problem = Table(
    "intake_problem",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("library_id", ForeignKey("library.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("path", String, nullable=False),
    Column("code", String, nullable=False),
    Column("message", String, nullable=False),
    Column("hides_below", Boolean, nullable=False),
)

asset = Table(
    "asset",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("library_id", ForeignKey("library.id"), nullable=False),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("host_key", String, nullable=False),
    Column("path", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("content_key", String, nullable=False),
    Column("change_key", String, nullable=False),
    Column("size_bytes", Integer),
    Column("taken_at", DateTime),
    Column("width", Integer),
    Column("height", Integer),
    Column("gone", Boolean, nullable=False),
    Column("seen_pass", Integer, nullable=False),
    # The detection queue lives in the asset's own row: nothing can get lost between two tables.
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error_code", String),
    Column("error_message", String),
    Column("due_at", UtcDateTime),
    Column("leased_by", String),
    Column("leased_until", UtcDateTime),
    Column("detected_at", UtcDateTime),
    Column("detected_pack", String),
    UniqueConstraint("library_id", "host_key"),
    CheckConstraint("state IN ('pending', 'done', 'failed')", name="state"),
    CheckConstraint("kind IN ('photo', 'video')", name="kind"),
    Index("ix_asset_library_id_content_key", "library_id", "content_key"),
    Index("ix_asset_state_gone_taken_at_id", "state", "gone", "taken_at", "id"),
    Index("ix_asset_account_id_gone_taken_at_id", "account_id", "gone", "taken_at", "id"),
    Index("ix_asset_account_id_gone_state", "account_id", "gone", "state"),
    Index("ix_asset_account_id_detected_at", "account_id", "detected_at"),
    Index("ix_asset_leased_until", "leased_until"),
    sqlite_autoincrement=True,
)

person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("name", String, nullable=False),
    Column("name_key", String, nullable=False),
    Column("search_words", String, nullable=False),
    Column("birth_date", Date),
    Column("hidden", Boolean, nullable=False),
    Column("favourite", Boolean, nullable=False),
    # No foreign key: face and person would name each other, and a face that is gone only means "take the best one".
    Column("feature_face_id", Integer),
    # What recognition would show, as long as no user chose; the same holds.
    Column("typical_face_id", Integer),
    Index("ix_person_account_id_name_key", "account_id", "name_key"),
    sqlite_autoincrement=True,
)

face = Table(
    "face",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("asset_id", ForeignKey("asset.id"), nullable=False),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("source", String, nullable=False),
    Column("x", Float, nullable=False),
    Column("y", Float, nullable=False),
    Column("w", Float, nullable=False),
    Column("h", Float, nullable=False),
    Column("landmarks", LargeBinary, nullable=False),
    Column("score", Float, nullable=False),
    Column("quality", Float, nullable=False),
    Column("norm", Float, nullable=False),
    Column("sharpness", Float, nullable=False),
    Column("pose", Float, nullable=False),
    Column("width_px", Float, nullable=False),
    Column("frame_ms", Integer),
    Column("pack", String, nullable=False),
    Column("state", String, nullable=False),
    Column("person_id", ForeignKey("person.id")),
    Column("assigned_by", String),
    # Faces of nobody that are alike share the lowest of their ids: no row of its own has to be kept true.
    Column("group_id", Integer),
    Column("recognised_at", UtcDateTime),
    CheckConstraint("state IN ('pending', 'deferred', 'assigned', 'unassigned', 'ignored')", name="state"),
    CheckConstraint("assigned_by IN ('machine', 'user')", name="assigned_by"),
    CheckConstraint("source IN ('machine', 'user')", name="source"),
    CheckConstraint("(state = 'assigned') = (person_id IS NOT NULL)", name="assigned_has_person"),
    Index("ix_face_person_id_quality", "person_id", "quality"),
    Index("ix_face_state_pack_id", "state", "pack", "id"),
    Index("ix_face_account_id_state_person_id_asset_id", "account_id", "state", "person_id", "asset_id"),
    Index("ix_face_account_id_recognised_at", "account_id", "recognised_at"),
    # Whose photos these are, and who is on a photo, without a look at the faces themselves.
    Index("ix_face_person_id_asset_id", "person_id", "asset_id"),
    Index("ix_face_asset_id_account_id_state_person_id", "asset_id", "account_id", "state", "person_id"),
    Index("ix_face_account_id_group_id", "account_id", "group_id"),
    # For the gallery of faces of nobody: few of all, and everything it counts.
    Index(
        "ix_face_nobody",
        "account_id",
        "pack",
        "group_id",
        "asset_id",
        "quality",
        "state",
        sqlite_where=text("state NOT IN ('assigned', 'ignored')"),
    ),
    sqlite_autoincrement=True,
)

# What a page shows of a person, over faces of present assets; without a row there are none. See `counting`.
person_stats = Table(
    "person_stats",
    metadata,
    Column("person_id", ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Column("face_count", Integer, nullable=False),
    Column("photo_count", Integer, nullable=False),
    Column("first_taken", DateTime),
    Column("last_taken", DateTime),
)

# The photos of a person by month, `2024-07` or "" for unknown times; kept like `person_stats`.
person_month = Table(
    "person_month",
    metadata,
    Column("person_id", ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Column("month", String, primary_key=True),
    Column("photos", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# People to be counted anew before the transaction ends; empty between transactions.
person_changed = Table("person_changed", metadata, Column("person_id", Integer, primary_key=True))

# How many assets (kind `asset`; state `gone` for those the host lost) and faces of present assets (kind `face`) are
# in which state.
tally = Table(
    "tally",
    metadata,
    Column("library_id", ForeignKey("library.id", ondelete="CASCADE"), primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("kind", String, primary_key=True),
    Column("state", String, primary_key=True),
    Column("number", Integer, nullable=False),
)

embedding = Table(
    "embedding",
    metadata,
    # Beside `face`, not in it: lists of faces must not read a half to two kilobytes each for nothing.
    Column("face_id", ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("pack", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("indexed", Boolean, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    Index("ix_embedding_pack_face_id_indexed", "pack", "face_id", "indexed"),
)

index_tombstone = Table(
    "index_tombstone",
    metadata,
    Column("pack", String, primary_key=True),
    Column("face_id", Integer, primary_key=True, autoincrement=False),
)

index_status = Table(
    "index_status",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("dirty", Boolean, nullable=False),
)

verdict = Table(
    "verdict",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("kind", String, nullable=False),
    # Without cascade: what a user said cannot disappear because a detection did not find the face again.
    Column("face_id", ForeignKey("face.id"), index=True),
    Column("person_id", ForeignKey("person.id", ondelete="CASCADE"), index=True),
    Column("other_person_id", ForeignKey("person.id", ondelete="CASCADE"), index=True),
    Column("said_at", UtcDateTime, nullable=False),
    CheckConstraint("kind IN ('is_person', 'is_not_person', 'is_nobody', 'persons_differ')", name="kind"),
    sqlite_autoincrement=True,
)

# What users did, for undo; written by the triggers of `event_triggers` while `recording` names an event.
event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("title", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("undone_at", UtcDateTime),
    # Last, where a migration can add it: what the title is made of.
    Column("wording", JSON),
    sqlite_autoincrement=True,
)

event_change = Table(
    "event_change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("table_name", String, nullable=False),
    Column("row_id", Integer, nullable=False),
    Column("before", String),
    Column("after", String),
)

recording = Table(
    "recording",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event_id", Integer),
)

# Where faces were whose person was to be forgotten: boxes only, so that no detection brings them back unasked.
forgotten_face = Table(
    "forgotten_face",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("asset_id", ForeignKey("asset.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("x", Float, nullable=False),
    Column("y", Float, nullable=False),
    Column("w", Float, nullable=False),
    Column("h", Float, nullable=False),
    Column("frame_ms", Integer),
)

# A link with which somebody sets the password of an account, once; only a hash of it is kept.
invitation = Table(
    "invitation",
    metadata,
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("token_hash", String, nullable=False, unique=True),
    Column("expires_at", UtcDateTime, nullable=False),
)

# Suggestions are worked out when they are asked for; only that one was skipped has to be remembered.
skipped = Table(
    "skipped",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("key", String, primary_key=True),
    Column("likelihood", Float, nullable=False),
)

# Who else may look at a library.
library_share = Table(
    "library_share",
    metadata,
    Column("library_id", ForeignKey("library.id", ondelete="CASCADE"), primary_key=True),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("may_correct", Boolean, nullable=False),
)

# What opens the API for a program; the secret is only known to the program.
api_token = Table(
    "api_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),
    CheckConstraint("scope IN ('read', 'verdicts', 'admin')", name="scope"),
    sqlite_autoincrement=True,
)

# A host that may tell when a library changed; the secret is only known to the host.
library_hook = Table(
    "library_hook",
    metadata,
    Column("library_id", ForeignKey("library.id", ondelete="CASCADE"), primary_key=True),
    Column("secret_digest", String, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("heard_at", UtcDateTime),
    Column("urls", JSON(none_as_null=True)),
)

# Files that a library sees and leaves to another one of the same account, which reads the same file of the same server.
left_file = Table(
    "left_file",
    metadata,
    Column("library_id", ForeignKey("library.id", ondelete="CASCADE"), primary_key=True),
    Column("host_key", String, primary_key=True),
    Column("path", String, nullable=False),
    Column("to_library_id", ForeignKey("library.id", ondelete="CASCADE"), nullable=False),
    Index("ix_left_file_to_library_id", "to_library_id", "host_key"),
)

# Users of a Nextcloud whose account here has no password: Nextcloud says who they are.
outside_user = Table(
    "outside_user",
    metadata,
    Column("origin", String, primary_key=True),
    Column("user_id", String, primary_key=True),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
)

preference = Table(
    "preference",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)

# Who allows that a smart home is told about them (`plugin.smart_home`), and about whom. `seen_at`: local, naive.
told_account = Table(
    "told_account",
    metadata,
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
)

told_person = Table(
    "told_person",
    metadata,
    Column("person_id", ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Column("with_picture", Boolean, nullable=False),
    Column("seen_at", DateTime),
)

# Where a broker may keep something of ours: written down first, so that it can always be taken back.
told_topic = Table("told_topic", metadata, Column("topic", String, primary_key=True))

# That names of a library are written to its host in one way (`plugin.writeback`).
write_back = Table(
    "write_back",
    metadata,
    Column("library_id", ForeignKey("library.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("settled", String, nullable=False),
    Column("error", String, nullable=False),
    Column("due_at", UtcDateTime),
    Column("failures", Integer, nullable=False),
    Column("finished_at", UtcDateTime),
    CheckConstraint("kind IN ('tags', 'sidecars', 'markers')", name="kind"),
    CheckConstraint("state IN ('on', 'paused', 'removing')", name="state"),
)

# What we know of each name on each asset. What is wanted is never stored: it is what `face` and `person` say.
written_name = Table(
    "written_name",
    metadata,
    Column("asset_id", ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String, primary_key=True),
    # Without foreign keys: what is on the host does not go because a face or a person does.
    Column("face_id", Integer, primary_key=True, autoincrement=False),
    Column("person_id", Integer, primary_key=True, autoincrement=False),
    Column("state", String, nullable=False),
    Column("name", String, nullable=False),
    Column("x", Float),
    Column("y", Float),
    Column("w", Float),
    Column("h", Float),
    Column("mark", String, nullable=False),
    Column("path", String, nullable=False),
    # What was about to be done: {"name": ..., "box": [...]}; NULL once it is known to be done.
    Column("aim", JSON(none_as_null=True)),
    Column("written_at", UtcDateTime, nullable=False),
    CheckConstraint("state IN ('new', 'written', 'theirs', 'refused')", name="state"),
)

# Assets that could not be written, and when they are tried again.
write_problem = Table(
    "write_problem",
    metadata,
    Column("asset_id", ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String, primary_key=True),
    Column("code", String, nullable=False),
    Column("message", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
)

# Labels on the host that we use; only those we made may ever be deleted.
write_label = Table(
    "write_label",
    metadata,
    Column("library_id", ForeignKey("library.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("label_id", String, nullable=False),
    Column("made", Boolean, nullable=False),
    Column("refused", Boolean, nullable=False),
)

# Which person of a host is which person here, for hosts that know people.
host_person = Table(
    "host_person",
    metadata,
    Column("library_id", ForeignKey("library.id", ondelete="CASCADE"), primary_key=True),
    Column("subject", String, primary_key=True),
    Column("person_id", ForeignKey("person.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("there", String, nullable=False),
    Column("before", String, nullable=False),
    Column("aim", String),
)

# What markers of a host said when they were looked at last: a subject, "" for nobody, "!" for no face.
host_marker = Table(
    "host_marker",
    metadata,
    Column("asset_id", ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    Column("marker", String, primary_key=True),
    Column("subject", String, nullable=False),
)

# Whom a host takes a face for by itself: questions to users, never more.
host_guess = Table(
    "host_guess",
    metadata,
    Column("face_id", ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("library_id", ForeignKey("library.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("subject", String, nullable=False),
)
