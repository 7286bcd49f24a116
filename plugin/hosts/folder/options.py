"""What a user may choose about folders."""

from dataclasses import dataclass

DEFAULT_SKIP = (
    ".*",  # hidden, which also covers .Trash-1000, .photoprism and macOS's ._copies
    "@eaDir",  # Synology's thumbnails
    "@Recycle",  # QNAP
    "#recycle",
    "#snapshot",
    "$RECYCLE.BIN",
    "System Volume Information",
    "lost+found",
)
"""Names that hold no photos of the user's, or deleted ones."""


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """How folders are read.

    Attributes:
        skip: globs of files and folders to leave out, see `plugin.hosts.folder.skipping`.
        follow_symlinks: whether links that stay inside the library's folder are followed.
        videos: whether videos are listed too.
        settle_seconds: how long a folder must be quiet before a change is told.
        longest_settle_seconds: after how long it is told although changes go on (a copy of many files).
    """

    skip: tuple[str, ...] = DEFAULT_SKIP
    follow_symlinks: bool = True
    videos: bool = True
    settle_seconds: float = 3.0
    longest_settle_seconds: float = 15.0
