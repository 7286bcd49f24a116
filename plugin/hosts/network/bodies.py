"""Reading what servers send: bounded, and into memory only as far as it is small."""

import errno
import tempfile
from collections.abc import Iterator
from typing import BinaryIO, cast

import requests

from plugin.errors import NoRoom
from plugin.hosts.network.words import Words

IN_MEMORY = 8 * 2**20
"""A preview stays in memory, a video goes through a temporary file."""

PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"BM")
"""How previews begin; an HTML page that a proxy puts in the way does not."""


def chunks(response: requests.Response, at_most: int, words: Words) -> Iterator[bytes]:
    """The body as it comes, decompressed. Raises `HostUnreachable` when it is longer than `at_most` bytes."""
    total = 0
    for chunk in response.iter_content(64 * 1024):
        total += len(chunk)
        if total > at_most:
            raise words.larger_than(at_most)
        yield chunk


def spooled(content: Iterator[bytes]) -> BinaryIO:
    """Everything in a temporary file, at its beginning; closed when the content ends badly.

    Raises:
        NoRoom: for the file.
    """
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the caller closes it
    try:
        for chunk in content:
            file.write(chunk)
    except BaseException as error:
        file.close()
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoom(
                "There is no room for a file the host sent", "Make room on the disk of the data folder"
            ) from error
        raise
    file.seek(0)
    return cast("BinaryIO", file)


def picture(file: BinaryIO) -> BinaryIO | None:
    """The same file when it begins as a picture does; else None, and it is closed."""
    begins = file.read(8)
    file.seek(0)
    if begins.startswith(PICTURES):
        return file
    file.close()
    return None


def beginning(response: requests.Response) -> bytes:
    """The first kilobytes of an answer that is not wanted, for the reason in it; closes it."""
    try:
        return next(response.iter_content(4096), b"")
    except requests.RequestException:
        return b""
    finally:
        response.close()
