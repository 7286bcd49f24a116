"""Face thumbnails are squares inside the picture that show the whole face."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from plugin.domain import Box
from plugin.media import StandardMedia
from plugin.media.thumbnails import face_square


def test_a_face_in_the_middle_gets_ten_percent_around_its_longer_side() -> None:
    assert face_square(1000, 800, Box(0.4, 0.25, 0.2, 0.5)) == (280, 180, 440)


def test_a_face_in_a_corner_stays_whole_the_square_is_shifted_inside() -> None:
    assert face_square(1000, 800, Box(0.0, 0.0, 0.2, 0.25)) == (0, 0, 220)
    assert face_square(1000, 800, Box(0.8, 0.75, 0.2, 0.25)) == (780, 580, 220)


def test_a_face_larger_than_the_short_side_shrinks_the_square() -> None:
    assert face_square(1000, 300, Box(0.4, 0.0, 0.3, 1.0)) == (400, 0, 300)


def test_a_box_beyond_the_picture_counts_as_far_as_it_is_inside() -> None:
    assert face_square(1000, 1000, Box(-0.1, -0.1, 0.3, 0.3)) == face_square(1000, 1000, Box(0, 0, 0.2, 0.2))


FRACTION = st.floats(-0.5, 1.5)


@given(st.integers(1, 5000), st.integers(1, 5000), FRACTION, FRACTION, st.floats(0, 1.5), st.floats(0, 1.5))
def test_every_square_lies_inside_and_shows_the_middle_of_the_face(
    width: int, height: int, x: float, y: float, w: float, h: float
) -> None:
    left, top, side = face_square(width, height, Box(x, y, w, h))
    assert side >= 1
    assert 0 <= left <= width - side
    assert 0 <= top <= height - side
    for start, length, low, high in ((left, width, x, x + w), (top, height, y, y + h)):
        middle = length * (np.clip(low, 0, 1) + np.clip(high, 0, 1)) / 2
        assert start - 1 <= middle <= start + side + 1


@pytest.mark.parametrize(("face_px", "thumbnail_px"), [(40, 44), (200, 220), (600, 250)])
def test_a_large_face_is_scaled_to_250_and_a_small_one_is_not_enlarged(face_px: int, thumbnail_px: int) -> None:
    picture = np.full((1000, 1000, 3), 128, np.uint8)
    thumbnail = StandardMedia().face_thumbnail(picture, Box(0.1, 0.1, face_px / 1000, face_px / 1000))
    assert Image.open(BytesIO(thumbnail)).size == (thumbnail_px, thumbnail_px)


def test_a_box_without_area_still_gives_a_picture() -> None:
    thumbnail = StandardMedia().face_thumbnail(np.zeros((10, 10, 3), np.uint8), Box(0.5, 0.5, 0.0, 0.0))
    assert Image.open(BytesIO(thumbnail)).size == (1, 1)
