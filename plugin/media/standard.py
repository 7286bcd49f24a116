"""The adapter behind the `Media` port."""

import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import BinaryIO

from PIL import Image

from plugin.domain import Box, Picture
from plugin.media.limits import DecodeLimits
from plugin.media.photos import decode_photo, stored_orientation
from plugin.media.source import Source, decoding
from plugin.media.thumbnails import cut_face, encode_preview
from plugin.media.videos import Video
from plugin.ports.vision import DecodedPicture, VideoFrame


class StandardMedia:
    """Photos through Pillow, videos through FFmpeg (`av`). Keeps no state, so any number of threads may use it.

    Beyond the port's errors, a stream that cannot be read raises `HostUnreachable` (try again), never `PictureBroken`.

    Args:
        limits: what is refused before it is decoded.
        clock: the local time now, naive; dates in the future are not believed.
    """

    def __init__(self, limits: DecodeLimits | None = None, clock: Callable[[], datetime] = datetime.now) -> None:
        self._limits = limits or DecodeLimits()
        self._clock = clock
        # Pillow's own limit warns from 89 megapixels on and cannot be passed in; ours is checked before every decode.
        Image.MAX_IMAGE_PIXELS = None
        # Damaged EXIF is an everyday thing; Pillow reads on and tells stderr, without the name of the photo.
        warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

    def photo(self, stream: BinaryIO, minimum_long_side: int | None) -> DecodedPicture:
        """See `Media.photo`."""
        source = Source(stream, self._limits.maximum_photo_bytes)
        with decoding(source):
            return decode_photo(source, minimum_long_side, self._limits, self._clock())

    def orientation(self, stream: BinaryIO) -> int:
        """The EXIF orientation (1..8) a still picture is stored with; only its header is read. Raises like `photo`."""
        source = Source(stream, self._limits.maximum_photo_bytes)
        with decoding(source):
            return stored_orientation(source, self._limits)

    def video(self, stream: BinaryIO, frames: int, minimum_long_side: int | None) -> Iterator[VideoFrame]:
        """See `Media.video`. The container is closed when the iterator ends, fails or is dropped."""
        source = Source(stream, self._limits.maximum_video_bytes)
        with decoding(source), Video(source, self._limits, self._clock()) as video:
            yield from video.sample(frames, minimum_long_side)

    def frame(self, stream: BinaryIO, at_ms: int) -> DecodedPicture:
        """See `Media.frame`."""
        source = Source(stream, self._limits.maximum_video_bytes)
        with decoding(source), Video(source, self._limits, self._clock()) as video:
            return video.frame_at(at_ms)

    def face_thumbnail(self, picture: Picture, box: Box) -> bytes:
        """See `Media.face_thumbnail`."""
        return cut_face(picture, box)

    def preview(self, picture: Picture, long_side: int) -> bytes:
        """See `Media.preview`."""
        return encode_preview(picture, long_side)
