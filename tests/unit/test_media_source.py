"""A disk or network that fails while reading is never taken for a broken photo."""

import io
from io import BytesIO

import numpy as np
import pytest

from plugin.errors import AssetGone, HostUnreachable, KinfolkError, PictureBroken, PictureTooLarge, PictureUnsupported
from plugin.media import StandardMedia
from plugin.media.source import Source, decoding
from tests.fakes.media import clock_video, encoded, marker_picture


class FailingStream(BytesIO):
    """Reads fine up to `until`, then raises `failure` for good."""

    def __init__(self, data: bytes, until: int, failure: Exception) -> None:
        super().__init__(data)
        self._until, self._failure = until, failure

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() + (size or 0) > self._until or size == -1:
            raise self._failure
        return super().read(size)


@pytest.mark.parametrize("until", [0, 100, 300, 20_000])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "HEIF", "AVIF"])
def test_a_read_that_fails_means_try_again(file_format: str, until: int) -> None:
    raw = encoded(np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8), file_format)
    with pytest.raises(HostUnreachable, match="Stale file handle") as caught:
        StandardMedia().photo(FailingStream(raw, min(until, len(raw) // 2), OSError(116, "Stale file handle")), None)
    assert not caught.value.permanent


@pytest.mark.parametrize("part", [0.0, 0.5, 0.9])
def test_a_video_whose_reading_fails_means_try_again(part: float) -> None:
    raw = clock_video(4, container="matroska")
    stream = FailingStream(raw, int(len(raw) * part), OSError(5, "Input/output error"))
    with pytest.raises(HostUnreachable, match="Input/output error"):
        list(StandardMedia().video(stream, 4, None))


def test_the_hosts_own_errors_come_as_they_are() -> None:
    raw = encoded(marker_picture(), "PNG")
    with pytest.raises(AssetGone):
        StandardMedia().photo(FailingStream(raw, 100, AssetGone("gone")), None)


def test_a_stream_that_cannot_be_measured_is_unreachable() -> None:
    class Unseekable(BytesIO):
        def seek(self, offset: int, whence: int = 0, /) -> int:
            raise OSError(29, "Illegal seek")

    with pytest.raises(HostUnreachable, match="Illegal seek"):
        StandardMedia().photo(Unseekable(b"x"), None)


@pytest.mark.parametrize("offset", [-1, 2**62, 2**80])
def test_a_position_no_file_has_is_the_files_fault(offset: int) -> None:
    source = Source(BytesIO(b"abc"), 10)
    with pytest.raises(PictureBroken, match="outside itself"), decoding(source):
        source.seek(offset)


def test_positions_may_be_relative_and_carry_ffmpegs_flag() -> None:
    source = Source(BytesIO(b"abcdef"), 10)
    assert source.size == 6
    assert source.seek(2, io.SEEK_SET | 0x20000) == 2
    assert source.seek(1, io.SEEK_CUR) == 3
    assert source.read(1) == b"d"
    assert source.seek(-1, io.SEEK_END) == 5
    assert source.read() == b"f"


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (OSError("image file is truncated (3 bytes not processed)"), PictureBroken),
        (SyntaxError("not a TIFF file"), PictureBroken),
        (EOFError(), PictureBroken),
        (RecursionError("too deep"), PictureBroken),
        (MemoryError(), PictureTooLarge),
        (OSError("decoder webp not available"), PictureUnsupported),
        (SyntaxError("cannot handle 12-bit layers"), PictureUnsupported),
    ],
)
def test_whatever_a_decoder_raises_becomes_a_picture_error(raised: Exception, expected: type[KinfolkError]) -> None:
    with pytest.raises(expected) as caught, decoding(Source(BytesIO(b"x"), 10)):
        raise raised
    assert str(caught.value)
    assert caught.value.advice
    assert caught.value.__cause__ is raised
