"""Pictures and videos made on the spot, with a marker that shows how they are turned.

The marker picture is 3:2, upright: red top left, green top right, blue bottom left, grey bottom right.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from io import BytesIO
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image

from plugin.domain import Picture

CORNERS = ((230, 20, 20), (20, 230, 20), (20, 20, 230), (128, 128, 128))

STORED: dict[int, Callable[[npt.NDArray[Any]], npt.NDArray[Any]]] = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: upright.transpose(1, 0, 2)[::-1],
    7: lambda upright: upright.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda upright: upright.transpose(1, 0, 2)[:, ::-1],
}
"""How an upright picture lies in a file with each EXIF orientation (Exif 2.32, tag 0x0112)."""


def marker_picture(width: int = 300, height: int = 200) -> Picture:
    """An upright picture whose quarters have the four colours of `CORNERS`."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2], picture[: height // 2, width // 2 :] = CORNERS[:2]
    picture[height // 2 :, : width // 2], picture[height // 2 :, width // 2 :] = CORNERS[2:]
    return picture


def corners(pixels: Picture) -> list[list[int]]:
    """The colours in the middles of the four quarters, in the order of `CORNERS`."""
    height, width = pixels.shape[:2]
    rows, columns = (height // 4, 3 * height // 4), (width // 4, 3 * width // 4)
    return [pixels[y, x].tolist() for y in rows for x in columns]


def is_upright(pixels: Picture, tolerance: int = 15) -> bool:
    """Whether these are the pixels of an upright marker picture, up to compression."""
    return bool(np.abs(np.array(corners(pixels)) - np.array(CORNERS)).max() <= tolerance)


def encoded(image: Image.Image | npt.NDArray[Any], file_format: str, **options: Any) -> bytes:
    """The image as a file in memory."""
    pillow_heif.register_heif_opener()
    stream = BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(np.ascontiguousarray(image))
    picture.save(stream, file_format, **options)
    return stream.getvalue()


def exif(orientation: int = 1, **times: str) -> bytes:
    """EXIF with an orientation and any of DateTime, DateTimeOriginal, DateTimeDigitized."""
    data = Image.Exif()
    data[0x0112] = orientation
    if "DateTime" in times:
        data[0x0132] = times["DateTime"]
    for tag, name in ((0x9003, "DateTimeOriginal"), (0x9004, "DateTimeDigitized")):
        if name in times:
            data.get_ifd(0x8769)[tag] = times[name]
    return data.tobytes()


def grey_at(seconds: float, length: float) -> int:
    """The grey value that `clock_video` shows at this time."""
    return round(20 + 210 * seconds / length)


def clock_video(seconds: float = 8.0, *, container: str = "mp4", codec: str = "libx264", **options: Any) -> bytes:
    """A video at 25 frames a second that turns from dark to light, so the grey value tells the time (`grey_at`)."""
    count = round(seconds * 25)
    frames = (np.full((48, 64, 3), grey_at(i / 25, seconds), np.uint8) for i in range(count))
    return video(frames, container=container, codec=codec, **options)


def video(
    frames: Iterable[npt.NDArray[np.uint8]],
    *,
    container: str = "mp4",
    codec: str = "libx264",
    key_frame_every: int = 25,
    rotation: int = 0,
    times: Iterable[int] | None = None,
    metadata: dict[str, str] | None = None,
    muxing: dict[str, str] | None = None,
    target: Any = None,
    pixel_aspect: Fraction | None = None,
) -> bytes:
    """A video of these RGB frames; `times` are theirs in 25ths of a second, `rotation` counterclockwise to upright."""
    stream = target if target is not None else BytesIO()
    with av.open(stream, "w", format=container, options=muxing or {}) as output:
        output.metadata.update(metadata or {})
        track: Any = output.add_stream(codec, rate=25)
        for (pixels, i), first in zip(_timed(frames, times), _first_then_others(), strict=False):
            if first:
                track.height, track.width = pixels.shape[:2]
                track.pix_fmt, track.gop_size = "yuv420p", key_frame_every
                if codec == "libx264":
                    track.options = {"preset": "ultrafast", "sc_threshold": "0"}
                if pixel_aspect is not None:
                    track.codec_context.sample_aspect_ratio = pixel_aspect
                if rotation:
                    track.set_display_rotation(rotation)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            output.mux(track.encode(frame))
        output.mux(track.encode())
    return bytes(stream.getvalue())


def _timed(
    frames: Iterable[npt.NDArray[np.uint8]], times: Iterable[int] | None
) -> Iterable[tuple[npt.NDArray[np.uint8], int]]:
    return zip(frames, times if times is not None else range(1_000_000), strict=False)


def _first_then_others() -> Iterable[bool]:
    yield True
    while True:
        yield False


def song() -> bytes:
    """A second of silence with a cover picture, which FFmpeg lists as a video stream."""
    stream = BytesIO()
    with av.open(stream, "w", format="mp4") as output:
        track: Any = output.add_stream("aac", rate=8000)
        cover: Any = output.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(marker_picture(64, 48), format="rgb24")
        picture.pts = 0
        output.mux(cover.encode(picture))
        output.mux(cover.encode())
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 8000
        output.mux(track.encode(silence))
        output.mux(track.encode())
    return stream.getvalue()
