"""Frames of videos, through FFmpeg (PyAV)."""

from collections.abc import Generator, Iterator
from datetime import datetime
from fractions import Fraction
from types import TracebackType
from typing import Any, Self, TypeAlias

import av
import av.error

from plugin.errors import PictureBroken, PictureUnsupported
from plugin.media.capture_time import container_time
from plugin.media.limits import DecodeLimits
from plugin.media.orientation import turned
from plugin.media.source import Source
from plugin.ports.vision import DecodedPicture, VideoFrame

AvFrame: TypeAlias = Any  # `av` is followed nowhere (see mypy's overrides)

_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,asf,flv,ogg,mjpeg,dv,rm,wtv,mxf,h264,hevc"
"""What FFmpeg may take a file for. Playlists (HLS, concat, DASH) would open other files and hosts: not among them."""

_STEPS = 50
"""At most this many frames are decoded on the way to one sample: about 0.3 s of CPU at 1080p, as much as its faces."""

_STEPS_AFTER_SEEK = 300
"""Bound for containers without an index, where a seek may land far before the frames already seen."""

_LONGEST = 24 * 3600 * 100
"""Seconds; a claimed length beyond a hundred days is a damaged header."""


def _open(source: Source) -> Any:  # noqa: ANN401 - an untyped library's container
    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}
    try:
        return av.open(source, metadata_errors="replace", container_options=options)
    except (av.error.InvalidDataError, av.error.ArgumentError) as error:  # garbage; a format that is not on the list
        raise PictureBroken(
            "The file is not a video, or the part that describes it is missing",
            "Copy it again from the camera, restore it from a backup, or exclude it by its name.",
        ) from error


class Video:
    """An open video; a context manager that closes the container (not the source).

    Args:
        source: where the bytes come from.
        limits: the frame size is checked before anything is decoded.
        now: local time, naive; see `container_time`.

    Raises:
        PictureBroken: no video in it.
        PictureUnsupported: FFmpeg knows the container and has no decoder for the video.
        av.error.FFmpegError and others: the caller wraps everything in `decoding`.
    """

    def __init__(self, source: Source, limits: DecodeLimits, now: datetime) -> None:
        self._limits = limits
        self._container = _open(source)
        try:
            self._stream = self._video_stream()
        except BaseException:
            self._container.close()
            raise
        self._taken_at = container_time({**self._container.metadata, **self._stream.metadata}, now)
        self._time_base: Fraction = self._stream.time_base or Fraction(1, 1000)
        self._start = float((self._stream.start_time or 0) * self._time_base)
        self._rate = float(self._stream.average_rate or self._stream.guessed_rate or 30) or 30.0
        self._frames = self._decode(from_key_frame=False)
        self._position: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._frames.close()
        self._container.close()

    def _video_stream(self) -> Any:  # noqa: ANN401 - an untyped library's stream
        streams = [
            stream
            for stream in self._container.streams.video
            if not stream.disposition & av.stream.Disposition.attached_pic  # the cover of a song
        ]
        if not streams:
            raise PictureBroken("The file has no video, only sound", "Exclude it by its name.")
        stream = streams[0]
        if stream.codec_context is None:
            raise PictureUnsupported("The video's codec cannot be read", "Convert it to H.264.")
        self._limits.check_pixels(stream.codec_context.width, stream.codec_context.height)
        stream.thread_count = 1  # every worker thread decodes its own video
        return stream

    def sample(self, frames: int, minimum_long_side: int | None) -> Iterator[VideoFrame]:
        """Up to `frames` frames from the middles of equal slices of the length, in order, each at another time.

        Raises:
            PictureBroken: not a single frame could be decoded.
        """
        length = self._length()
        count = min(frames, max(1, round(length * self._rate)))
        self._seek(0)  # Matroska reads its index on the first seek only
        found = False
        for i in range(count):
            frame = self._next_sample(length * (i + 0.5) / count)
            if frame is not None:
                found = True
                yield VideoFrame(self._picture(frame, minimum_long_side), round(1000 * self._time(frame)))
        if frames > 0 and not found:
            raise self._nothing_decodes()

    def frame_at(self, at_ms: int) -> DecodedPicture:
        """The first frame at `at_ms` or later, else the last one; exact however far the key frame is.

        Raises:
            PictureBroken: not a single frame could be decoded.
        """
        target = at_ms / 1000 - 0.0006  # `at_ms` is rounded
        self._seek(at_ms / 1000)
        frame = self._first_from(target)
        if frame is None or self._time(frame) > target + 1.5 / self._rate:
            # The seek overshot (MPEG-TS has no index), or nothing decodes behind that point (truncated).
            self._seek(0)
            frame = self._first_from(target)
        if frame is None:
            raise self._nothing_decodes()
        return self._picture(frame, None)

    def _next_sample(self, target: float) -> AvFrame | None:
        """The frame near `target` seconds: decode forward where that is short, else start at the nearer key frame."""
        reach = _STEPS / self._rate
        before, after = self._key_frames(target, reach)
        here = self._position
        if here is not None and before is None and target - here <= reach:
            before = here
        start = before if here is None or before is None else max(here, before)
        if start is None:
            self._seek(target)
        elif after is not None and after - target < target - start - reach:
            target = after
            self._seek(target)
        elif start != here:
            self._seek(start)
        return self._forward(target - 0.5 / self._rate)

    def _forward(self, target: float) -> AvFrame | None:
        """Decode to `target` seconds or `_STEPS` frames on; the last new frame reached, None when there is none."""
        earlier, new, reached = self._position, 0, None
        for count, frame in enumerate(self._frames, start=1):
            time = self._time(frame)
            if earlier is None or time > earlier:
                reached, self._position, new = frame, time, new + 1
            if (reached is not None and time >= target) or new >= _STEPS or count >= _STEPS_AFTER_SEEK:
                break
        return reached

    def _first_from(self, target: float) -> AvFrame | None:
        """Decode on to the first frame at `target` seconds or later; the last one when there is none."""
        last = None
        for frame in self._frames:
            last = frame
            self._position = self._time(frame)
            if self._position >= target:
                break
        return last

    def _decode(self, *, from_key_frame: bool) -> Generator[AvFrame, None, None]:
        """Frames from where the container stands; what does not decode, or only to grey blocks, is skipped."""
        for packet in self._container.demux(self._stream):
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                continue
            for frame in frames:
                from_key_frame = from_key_frame and not frame.key_frame
                if not from_key_frame and not frame.is_corrupt:
                    yield frame

    def _seek(self, seconds: float) -> None:
        """Go to the key frame at or before `seconds`. Where the container cannot, decoding goes on from where it is."""
        offset = round((seconds + self._start) / self._time_base)
        try:
            self._container.seek(offset, stream=self._stream)
        except av.error.FFmpegError:
            return
        self._frames = self._decode(from_key_frame=seconds > 0)

    def _key_frames(self, seconds: float, reach: float) -> tuple[float | None, float | None]:
        """Times of the key frames around `seconds` in the container's index, None where it has none there.

        An index that ends more than `reach` seconds before says nothing (fragmented MP4 fills it while reading).
        """
        entries = self._stream.index_entries
        offset = round((seconds + self._start) / self._time_base)
        if len(entries) == 0 or entries[len(entries) - 1].timestamp + reach / self._time_base < offset:
            return None, None
        found = [entries.search_timestamp(offset, backward=backward) for backward in (True, False)]
        before, after = (None if i < 0 else float(entries[i].timestamp * self._time_base) - self._start for i in found)
        return before, after

    def _time(self, frame: AvFrame) -> float:
        """Seconds from the start; frames without a timestamp follow their predecessor at the average rate."""
        if frame.time is not None:
            return max(0.0, float(frame.time) - self._start)
        return 0.0 if self._position is None else self._position + 1 / self._rate

    def _length(self) -> float:
        """Seconds; streams recorded by browsers do not say, so their packets are counted through (not decoded)."""
        if self._stream.duration:
            length = float(self._stream.duration * self._time_base)
        elif self._container.duration:
            length = float(self._container.duration / av.time_base)
        else:
            times = (packet.pts for packet in self._container.demux(self._stream) if packet.pts is not None)
            length = float(max(times, default=0) * self._time_base) - self._start
            self._seek(0)
        return length if 0 < length < _LONGEST else 0.0

    def _picture(self, frame: AvFrame, minimum_long_side: int | None) -> DecodedPicture:
        """The frame as upright RGB with square pixels, scaled down where that is allowed."""
        self._limits.check_pixels(frame.width, frame.height)
        aspect = float(self._stream.sample_aspect_ratio or 1)
        width = max(1, round(frame.width * (aspect if 0.25 <= aspect <= 4 else 1)))
        height = frame.height
        long_side = max(width, height)
        scale = 1.0 if minimum_long_side is None else min(1.0, minimum_long_side / long_side)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = frame.reformat(*size, format="rgb24", interpolation="AREA", threads=1).to_ndarray()
        if round(frame.rotation / 90) % 2:
            width, height = height, width
        return DecodedPicture(turned(pixels, frame.rotation), width, height, self._taken_at)

    @staticmethod
    def _nothing_decodes() -> PictureBroken:
        return PictureBroken("No frame of the video can be decoded", "Restore it from a backup or delete it.")
