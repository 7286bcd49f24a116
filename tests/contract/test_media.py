"""What every adapter behind the `Media` port promises."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from plugin.domain import Box
from plugin.errors import PictureBroken, PictureError, PictureTooLarge
from plugin.media import DecodeLimits, StandardMedia
from plugin.ports.vision import Media
from tests.fakes.media import clock_video, encoded, exif, grey_at, is_upright, marker_picture

MAXIMUM_PIXELS = 1_000_000


@pytest.fixture(params=[lambda: StandardMedia(DecodeLimits(maximum_pixels=MAXIMUM_PIXELS))], ids=["standard"])
def media(request: pytest.FixtureRequest) -> Media:
    make: Callable[[], Media] = request.param
    return make()


def test_a_photo_comes_upright_as_rgb_with_its_full_size(media: Media) -> None:
    stored = np.ascontiguousarray(marker_picture().transpose(1, 0, 2)[::-1])
    decoded = media.photo(BytesIO(encoded(stored, "JPEG", exif=exif(6))), None)
    assert is_upright(decoded.pixels)
    assert decoded.pixels.dtype == np.uint8
    assert decoded.pixels.shape == (200, 300, 3)
    assert (decoded.full_width, decoded.full_height, decoded.reduced) == (300, 200, False)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "HEIF"])
@pytest.mark.parametrize("minimum", [1, 50, 60, 149, 150, 151, 299, 300, 301, 5000])
def test_a_reduced_photo_keeps_the_long_side_asked_for_and_its_shape(
    media: Media, file_format: str, minimum: int
) -> None:
    decoded = media.photo(BytesIO(encoded(marker_picture(), file_format)), minimum)
    height, width = decoded.pixels.shape[:2]
    assert min(minimum, 300) <= width <= 300
    assert width < 2 * minimum or minimum * 8 < 300 or width == 300
    assert abs(height - width * 2 / 3) <= 1
    assert (decoded.full_width, decoded.full_height) == (300, 200)
    assert decoded.reduced == (width < 300)


def test_an_animation_gives_its_first_frame(media: Media) -> None:
    others = [Image.new("RGB", (300, 200)) for _ in range(2)]
    for file_format in ("GIF", "PNG", "WEBP"):
        raw = encoded(marker_picture(), file_format, save_all=True, append_images=others)
        assert is_upright(media.photo(BytesIO(raw), None).pixels), file_format


def test_the_stream_may_stand_anywhere_and_stays_open(media: Media) -> None:
    stream = BytesIO(encoded(marker_picture(), "JPEG"))
    stream.seek(500)
    assert media.photo(stream, None).full_width == 300
    assert media.photo(stream, None).full_width == 300
    assert not stream.closed


@pytest.mark.parametrize("junk", [b"", b"\0", b"just a text", bytes(5000), b"\xff\xd8\xff\xe0", b"PK\x03\x04" * 99])
def test_what_is_no_picture_is_broken_with_advice(media: Media, junk: bytes) -> None:
    for look in (lambda: media.photo(BytesIO(junk), None), lambda: list(media.video(BytesIO(junk), 3, None))):
        with pytest.raises(PictureBroken) as caught:
            look()
        assert str(caught.value)
        assert not str(caught.value).endswith(".")
        assert caught.value.advice
    with pytest.raises(PictureBroken):
        media.frame(BytesIO(junk), 0)


def test_a_photo_or_video_over_the_limit_is_refused(media: Media) -> None:
    with pytest.raises(PictureTooLarge, match="1001 x 1000"):
        media.photo(BytesIO(encoded(Image.new("L", (1001, 1000)), "PNG")), 10)
    assert media.photo(BytesIO(encoded(Image.new("L", (1000, 1000)), "PNG")), None).full_width == 1000


def test_a_video_gives_frames_spread_over_its_length(media: Media) -> None:
    frames = list(media.video(BytesIO(clock_video(8)), 4, None))
    assert [frame.at_ms for frame in frames] == [1000, 3000, 5000, 7000]
    for frame in frames:
        assert abs(int(frame.picture.pixels.mean()) - grey_at(frame.at_ms / 1000, 8)) <= 3
        assert (frame.picture.full_width, frame.picture.full_height) == (64, 48)


def test_a_short_video_gives_no_frame_twice(media: Media) -> None:
    frames = list(media.video(BytesIO(clock_video(0.12)), 12, None))
    assert [frame.at_ms for frame in frames] == [0, 40, 80]


def test_a_frame_is_found_again_by_its_time(media: Media) -> None:
    raw = clock_video(2)  # four grey values from frame to frame
    for frame in media.video(BytesIO(raw), 5, 32):
        again = media.frame(BytesIO(raw), frame.at_ms)
        assert frame.picture.pixels.shape[:2] == (24, 32)
        assert again.pixels.shape == (48, 64, 3)
        assert abs(float(again.pixels.mean()) - float(frame.picture.pixels.mean())) < 2


def test_a_face_thumbnail_is_a_square_webp(media: Media) -> None:
    thumbnail = Image.open(BytesIO(media.face_thumbnail(marker_picture(1200, 800), Box(0.25, 0.3, 0.3, 0.5))))
    assert (thumbnail.format, thumbnail.size) == ("WEBP", (250, 250))


@pytest.mark.parametrize(("long_side", "size"), [(150, (150, 100)), (300, (300, 200)), (4000, (300, 200))])
def test_a_preview_is_a_webp_that_is_never_enlarged(media: Media, long_side: int, size: tuple[int, int]) -> None:
    preview = Image.open(BytesIO(media.preview(marker_picture(), long_side)))
    assert (preview.format, preview.size) == ("WEBP", size)
    assert is_upright(np.asarray(preview.convert("RGB")), tolerance=25)


def test_many_threads_may_use_one_instance(media: Media) -> None:
    photo, film = encoded(marker_picture(900, 600), "JPEG"), clock_video(2)
    broken = photo[: len(photo) // 2]

    def work(i: int) -> bytes:
        if i % 3 == 0:
            return media.photo(BytesIO(photo), 300).pixels.tobytes()
        if i % 3 == 1:
            return b"".join(frame.picture.pixels.tobytes() for frame in media.video(BytesIO(film), 3, None))
        with pytest.raises(PictureError):
            media.photo(BytesIO(broken), None)
        return b""

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(work, range(60)))
    assert [len(set(results[i::3])) for i in range(3)] == [1, 1, 1]
