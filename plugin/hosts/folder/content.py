"""Keys that tell whether the pixels of a file may have changed.

The content key hashes the size and 64 KiB at both ends, so a 4 GB video costs as much as a photo. That is enough for
compressed formats, in which every change moves the bytes that follow; uncompressed ones are read whole. BLAKE2b is in
the standard library and faster than the disk (https://docs.python.org/3/library/hashlib.html#blake2).
"""

import hashlib
import os
from typing import BinaryIO

END_BYTES = 65_536
FRESH_SECONDS = 2
"""A file written this recently may change again within one tick of its clock (FAT: 2 s), at the same size."""


def change_key(found: os.stat_result, now: float) -> str:
    """Size and time of modification; "" for a file so fresh that they may miss its next change.

    The inode is left out: network shares hand out new ones at every mount.

    Args:
        found: what `os.stat` said.
        now: seconds since 1970, as `time.time`.
    """
    if abs(now - found.st_mtime) < FRESH_SECONDS:
        return ""
    return f"{found.st_size}:{found.st_mtime_ns}"


def content_key(stream: BinaryIO, size: int, *, whole: bool) -> str:
    """Hash a file.

    Args:
        stream: at its beginning, seekable.
        size: bytes in the file.
        whole: whether to read everything.

    Returns:
        40 hexadecimal digits.
    """
    digest = hashlib.blake2b(str(size).encode(), digest_size=20)
    if whole or size <= 2 * END_BYTES:
        while block := stream.read(1 << 20):
            digest.update(block)
    else:
        digest.update(stream.read(END_BYTES))
        stream.seek(-END_BYTES, os.SEEK_END)
        digest.update(stream.read(END_BYTES))
    return digest.hexdigest()
