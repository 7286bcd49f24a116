# Paths on disk are bytes, which pathlib does not take.
# ruff: noqa: PTH116
"""Which file systems a folder lies on, and so whether the operating system tells of every change there."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")

TELLING = frozenset(
    [
        "bcachefs",
        "btrfs",
        "exfat",
        "ext2",
        "ext3",
        "ext4",
        "f2fs",
        "hfsplus",
        "jfs",
        "msdos",
        "ntfs3",
        "reiserfs",
        "tmpfs",
        "udf",
        "vfat",
        "xfs",
        "zfs",
    ]
)
"""File systems only this machine writes. Network shares, FUSE and folders of a virtual machine's host change unseen."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a folder stands on: another one means that a disk came or went.

    Attributes:
        device, inode: of the folder itself.
        mounts: (place, type) of the file system it lies on, and of those mounted below it.
    """

    device: int
    inode: int
    mounts: tuple[tuple[str, str], ...]

    @property
    def tells_everything(self) -> bool:
        """Whether every change is told, whoever makes it."""
        return bool(self.mounts) and all(kind in TELLING for _, kind in self.mounts)


def ground_of(folder: bytes, table: Path = MOUNTS) -> Ground | None:
    """What a folder stands on now; None where that cannot be told. Reads no disk: the kernel has it in memory."""
    try:
        found, lines = os.stat(folder), table.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    place = os.path.realpath(os.fsdecode(folder))
    return Ground(found.st_dev, found.st_ino, _mounts(place, [_mount(line) for line in lines]))


def _mounts(place: str, table: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    over = [mount for mount in table if _is_within(place, mount[0])]
    below = [mount for mount in table if mount[0] != place and _is_within(mount[0], place)]
    # The last one mounted on a place hides those before it, and the longest path is the nearest.
    nearest = [max(enumerate(over), key=lambda numbered: (len(numbered[1][0]), numbered[0]))[1]] if over else []
    return (*nearest, *sorted(set(below)))


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _mount(line: str) -> tuple[str, str]:
    """(place, type) of one line, see proc(5): optional fields end with a dash, blanks are written as octal numbers."""
    before, _, after = line.partition(" - ")
    place = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), before.split(" ")[4])
    return place, after.split(" ")[0]
