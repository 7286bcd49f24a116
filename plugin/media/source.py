"""The stream a decoder reads from, and the one place where what a decoder raises becomes a `PictureError`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NoReturn

from plugin.errors import (
    HostUnreachable,
    KinfolkError,
    PictureBroken,
    PictureError,
    PictureTooLarge,
    PictureUnsupported,
)
from plugin.media.limits import check_bytes

_UNSUPPORTED = (
    "cannot handle",
    "not supported",
    "unsupported",
    "not available",
    "unknown pixel mode",
    "not implemented",
)
"""What Pillow, libheif and FFmpeg say of files that are fine but beyond them."""


_FARTHEST = 2**62
"""Seeking farther is an error of its own in some streams (EINVAL, OverflowError)."""


class Source:
    """A seekable binary stream that remembers when reading itself failed.

    A decoder turns every failed read into "broken file" or "end of file", which would mark a photo as damaged for good
    because a network share went away for a second. Has no `fileno` on purpose: libtiff would read past this class.

    Args:
        stream: seekable; stays open, and its position does not matter.
        maximum_bytes: a longer stream is refused.

    Raises:
        PictureBroken: the stream is empty.
        PictureTooLarge: it is longer than `maximum_bytes`.
        HostUnreachable: it cannot be read.
    """

    def __init__(self, stream: BinaryIO, maximum_bytes: int) -> None:
        self._stream = stream
        self._failure: Exception | None = None
        with decoding(self):
            self.size = self.seek(0, os.SEEK_END)
            self.seek(0)
        if self.size == 0:
            raise PictureBroken("The file is empty", "Restore it from a backup or delete it.")
        check_bytes(self.size, maximum_bytes)

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, all that is left when negative."""
        try:
            return self._stream.read(size)
        except Exception as error:
            self._failure = error
            raise

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to `offset` and return the new position.

        Raises:
            ValueError: a position no file has, which a damaged header led the decoder to; not the host's fault.
        """
        whence &= 3  # FFmpeg adds AVSEEK_FORCE, 0x20000
        if whence == os.SEEK_CUR:
            offset, whence = self.tell() + offset, os.SEEK_SET
        if not -_FARTHEST < offset < _FARTHEST or (offset < 0 and whence == os.SEEK_SET):
            raise ValueError("the file refers to a position outside itself")
        try:
            return self._stream.seek(offset, whence)
        except Exception as error:
            self._failure = error
            raise

    def tell(self) -> int:
        """The position."""
        return self._stream.tell()

    def raise_read_failure(self) -> None:
        """Raise what went wrong while reading, if anything did.

        Raises:
            HostUnreachable: for an OSError. Kinfolk's own errors come as they are.
        """
        if isinstance(self._failure, OSError):
            raise HostUnreachable(
                f"The file could not be read: {self._failure.strerror or self._failure}",
                "It is tried again; check the disk or the network share if this stays.",
            ) from self._failure
        if self._failure is not None:
            raise self._failure


@contextmanager
def decoding(source: Source) -> Iterator[None]:
    """Everything a decoder raises on a hostile file leaves as a `PictureError`; failed reads leave as what they are."""
    try:
        yield
    except KinfolkError as error:
        if isinstance(error, PictureError):
            source.raise_read_failure()
        raise
    except Exception as error:  # noqa: BLE001 - four native decoders: no list of what they raise would be complete
        source.raise_read_failure()
        _raise_picture_error(error)
    source.raise_read_failure()


def _raise_picture_error(error: Exception) -> NoReturn:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, MemoryError):
        raise PictureTooLarge(
            "There was not enough memory to decode it", "Close other programs or run fewer workers."
        ) from error
    if any(words in reason.lower() for words in _UNSUPPORTED):
        raise PictureUnsupported(
            f"This kind of picture cannot be read: {reason}", "Convert it to JPEG or PNG."
        ) from error
    if "truncated" in reason.lower():
        raise PictureBroken(
            f"The file is incomplete: {reason}", "Copy it again from the camera or restore it from a backup."
        ) from error
    raise PictureBroken(f"The file is damaged: {reason}", "Restore it from a backup or delete it.") from error
