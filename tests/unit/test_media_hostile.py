"""Whatever bytes a file holds, the decoders deliver a picture or a `PictureError`, nothing else."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin.errors import PictureError
from plugin.media import DecodeLimits, StandardMedia
from tests.fakes.media import clock_video, encoded, exif, marker_picture

Result = TypeVar("Result")
PHOTOS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "HEIF", "AVIF", "BMP", "JPEG2000")
VIDEOS = (("mp4", "libx264"), ("matroska", "mpeg4"), ("avi", "mpeg4"), ("mpegts", "libx264"))
LIMITS = DecodeLimits(maximum_pixels=1_000_000)
BOUNDED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

DAMAGE = st.tuples(
    st.floats(0, 1),  # where it is cut off, as a part of its length
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(1, 255)), max_size=6),  # flipped bits: where, which
)


@cache
def photo(file_format: str) -> bytes:
    details = exif(6, DateTimeOriginal="2011:02:03 04:05:06")
    options = {} if file_format in {"GIF", "BMP", "JPEG2000"} else {"exif": details}
    return encoded(marker_picture(60, 40), file_format, **options)


@cache
def film(container: str, codec: str) -> bytes:
    return clock_video(1, container=container, codec=codec)


def damaged(raw: bytes, damage: tuple[float, list[tuple[float, int]]]) -> bytes:
    """Half of the flips fall on the first 200 bytes, where the headers are."""
    end, flips = damage
    data = bytearray(raw[: max(1, round(len(raw) * end))])
    for i, (where, bits) in enumerate(flips):
        data[int(where * (len(data) if i % 2 else min(len(data), 200)))] ^= bits
    return bytes(data)


def unless_refused(look: Callable[[], Result]) -> Result | None:
    """What `look` gives; None when it raised a `PictureError`. Everything else it raises fails the test."""
    try:
        return look()
    except PictureError:
        return None


@pytest.mark.parametrize("file_format", PHOTOS)
def test_a_damaged_photo_is_a_picture_or_a_picture_error(file_format: str) -> None:
    media = StandardMedia(LIMITS)

    @BOUNDED
    @given(DAMAGE, st.sampled_from([None, 20]))
    def look(damage: tuple[float, list[tuple[float, int]]], minimum: int | None) -> None:
        decoded = unless_refused(lambda: media.photo(BytesIO(damaged(photo(file_format), damage)), minimum))
        if decoded is not None:
            assert decoded.pixels.dtype == np.uint8
            assert decoded.pixels.shape[2:] == (3,)
            assert decoded.full_width * decoded.full_height <= LIMITS.maximum_pixels

    look()


@pytest.mark.parametrize(("container", "codec"), VIDEOS)
def test_a_damaged_video_gives_frames_or_a_picture_error(container: str, codec: str) -> None:
    media = StandardMedia(LIMITS)

    @BOUNDED
    @given(DAMAGE)
    def look(damage: tuple[float, list[tuple[float, int]]]) -> None:
        raw = damaged(film(container, codec), damage)
        frames = unless_refused(lambda: list(media.video(BytesIO(raw), 3, 32)))
        assert frames is None or 1 <= len(frames) <= 3
        again = unless_refused(lambda: media.frame(BytesIO(raw), 500))
        assert again is None or again.pixels.shape[2:] == (3,)

    look()


@BOUNDED
@given(st.binary(max_size=400), st.sampled_from([b"", *(photo(name)[:16] for name in PHOTOS)]))
def test_random_bytes_behind_a_real_beginning_are_refused_as_a_video_and_mostly_as_a_photo(
    tail: bytes, head: bytes
) -> None:
    media = StandardMedia(LIMITS)
    decoded = unless_refused(lambda: media.photo(BytesIO(head + tail), None))
    assert decoded is None or decoded.pixels.shape[2:] == (3,)
    with pytest.raises(PictureError):
        list(media.video(BytesIO(head + tail), 2, None))
