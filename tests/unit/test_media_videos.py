"""Frames are sampled over the length of whatever cameras, phones, browsers and screen recorders write."""

import itertools
from datetime import datetime
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugin.errors import PictureBroken, PictureTooLarge
from plugin.media import DecodeLimits, StandardMedia, videos
from plugin.ports.vision import VideoFrame
from tests.fakes.media import clock_video, grey_at, is_upright, marker_picture, song, video


def sample(raw: bytes, frames: int = 4, minimum_long_side: int | None = None) -> list[VideoFrame]:
    return list(StandardMedia().video(BytesIO(raw), frames, minimum_long_side))


def shows_its_time(frame: VideoFrame, length: float) -> bool:
    """Whether the picture of a `clock_video` is the one of `at_ms` (one frame and the codec's rounding allowed)."""
    step = grey_at(0.04, length) - grey_at(0, length)
    return abs(float(frame.picture.pixels.mean()) - grey_at(frame.at_ms / 1000, length)) <= 3 + step


CONTAINERS = [
    ("mp4", "libx264"),
    ("mp4", "mpeg4"),
    ("mov", "libx264"),
    ("matroska", "libx264"),
    ("webm", "libvpx-vp9"),
    ("avi", "mpeg4"),
    ("mpegts", "libx264"),
    ("mpegts", "mpeg4"),
    ("flv", "libx264"),
]


@pytest.mark.parametrize(("container", "codec"), CONTAINERS)
@pytest.mark.parametrize("key_frame_every", [25, 10_000], ids=["key frames", "one key frame"])
def test_every_container_gives_frames_over_its_whole_length(container: str, codec: str, key_frame_every: int) -> None:
    raw = clock_video(8, container=container, codec=codec, key_frame_every=key_frame_every)
    frames = sample(raw)
    assert [round(frame.at_ms, -2) for frame in frames] == [1000, 3000, 5000, 7000]
    assert all(shows_its_time(frame, 8) for frame in frames)


@pytest.mark.parametrize(("container", "codec"), CONTAINERS)
@pytest.mark.parametrize("key_frame_every", [25, 10_000], ids=["key frames", "one key frame"])
def test_a_frame_is_found_by_its_time_in_every_container(container: str, codec: str, key_frame_every: int) -> None:
    raw = clock_video(6, container=container, codec=codec, key_frame_every=key_frame_every)
    for at_ms in (0, 40, 2520, 5000):
        pixels = StandardMedia().frame(BytesIO(raw), at_ms).pixels
        assert abs(float(pixels.mean()) - grey_at(at_ms / 1000, 6)) <= 4, at_ms


def test_a_frame_behind_the_end_is_the_last_one() -> None:
    pixels = StandardMedia().frame(BytesIO(clock_video(2)), 99_000).pixels
    assert abs(float(pixels.mean()) - grey_at(1.96, 2)) <= 3


def test_far_from_key_frames_few_frames_are_decoded_and_all_samples_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one key frame in 80 seconds every sample may cost fifty frames, not up to two thousand."""
    raw = clock_video(80, key_frame_every=10_000)
    decoded = 0
    original = videos.Video._time

    def counting(self: videos.Video, frame: Any) -> float:
        nonlocal decoded
        decoded += 1
        return original(self, frame)

    monkeypatch.setattr(videos.Video, "_time", counting)
    frames = sample(raw, 4)
    assert len(frames) == 4
    assert decoded <= 4 * 52
    assert all(one.at_ms < following.at_ms for one, following in itertools.pairwise(frames))
    assert all(shows_its_time(frame, 80) for frame in frames)


def test_where_a_key_frame_is_near_it_is_taken_instead_of_decoding_far() -> None:
    """Key frames every 10 s, samples at 7.5 and 22.5 s: the key frame at 10 and 49 frames behind the one at 20."""
    frames = sample(clock_video(30, key_frame_every=250), 2)
    assert [frame.at_ms for frame in frames] == [10_000, 21_960]
    assert all(shows_its_time(frame, 30) for frame in frames)


def test_a_variable_frame_rate_is_sampled_by_time_and_not_by_count() -> None:
    """Nine frames in the first second, then one every two seconds."""
    times = [0, 3, 6, 9, 12, 15, 18, 21, 24, *range(50, 501, 50)]
    greys = (np.full((48, 64, 3), 20 + time // 3, np.uint8) for time in times)
    frames = sample(video(greys, times=times, key_frame_every=5))
    assert len(frames) == 4
    for frame, target in zip(frames, (2500, 7500, 12_500, 17_500), strict=True):
        assert abs(frame.at_ms - target) <= 2000
        assert abs(float(frame.picture.pixels.mean()) - (20 + frame.at_ms / 40 // 3)) <= 3


class Pipe:
    """A target that cannot be rewound, so the muxer never learns the length (as when a browser records)."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def getvalue(self) -> bytes:
        return b"".join(self._parts)


@pytest.mark.parametrize(("container", "codec"), [("webm", "libvpx-vp9"), ("matroska", "libx264")])
def test_a_stream_without_a_length_is_measured_first(container: str, codec: str) -> None:
    frames = sample(clock_video(8, container=container, codec=codec, target=Pipe()))
    assert [round(frame.at_ms, -2) for frame in frames] == [1000, 3000, 5000, 7000]
    assert all(shows_its_time(frame, 8) for frame in frames)


def test_a_fragmented_mp4_is_sampled_over_its_length() -> None:
    frames = sample(clock_video(8, muxing={"movflags": "frag_keyframe+empty_moov"}))
    assert [frame.at_ms for frame in frames] == [1000, 3000, 5000, 7000]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_turned_phone_gives_upright_frames(rotation: int) -> None:
    stored = np.ascontiguousarray(np.rot90(marker_picture(), -rotation // 90))
    raw = video([stored] * 5, rotation=rotation)
    for minimum, width in ((None, 300), (150, 150)):
        (frame,) = sample(raw, 1, minimum)
        assert is_upright(frame.picture.pixels, tolerance=40)
        assert frame.picture.pixels.shape[1] == width
        assert (frame.picture.full_width, frame.picture.full_height) == (300, 200)
    assert is_upright(StandardMedia().frame(BytesIO(raw), 0).pixels, tolerance=40)


def test_pixels_that_are_not_square_are_stretched_to_be() -> None:
    """DV and DVD: 720 x 576 pixels shown as 16:9 would make faces narrow."""
    (frame,) = sample(video([marker_picture(200, 200)] * 3, pixel_aspect=Fraction(3, 2)), 1)
    assert frame.picture.pixels.shape == (200, 300, 3)
    assert (frame.picture.full_width, frame.picture.full_height) == (300, 200)


def test_frames_are_scaled_down_and_never_up() -> None:
    raw = video([marker_picture()] * 3)
    assert sample(raw, 1, 100)[0].picture.pixels.shape == (67, 100, 3)
    assert sample(raw, 1, 1000)[0].picture.pixels.shape == (200, 300, 3)
    assert sample(raw, 1, 100)[0].picture.reduced


def test_the_time_taken_comes_from_the_container() -> None:
    raw = clock_video(0.2, metadata={"creation_time": "2021-05-01T10:00:00Z"})
    assert sample(raw, 1)[0].picture.taken_at == datetime.fromisoformat("2021-05-01 10:00:00")
    assert sample(clock_video(0.2), 1)[0].picture.taken_at is None


def test_a_song_is_not_a_video_though_it_has_a_cover() -> None:
    with pytest.raises(PictureBroken, match="no video"):
        sample(song())


def test_one_frame_is_a_video_and_no_frames_asked_for_give_none() -> None:
    assert [frame.at_ms for frame in sample(clock_video(0.04), 12)] == [0]
    assert sample(clock_video(0.2), 0) == []


@pytest.mark.parametrize("container", ["matroska", "mpegts", "flv"])
def test_a_truncated_video_gives_what_it_still_has(container: str) -> None:
    whole = clock_video(8, container=container)
    frames = sample(whole[: len(whole) // 2], 8)
    assert 1 <= len(frames) < 8 or frames[-1].at_ms < 5000
    assert all(shows_its_time(frame, 8) for frame in frames)


def test_a_frame_behind_the_end_of_a_truncated_video_is_the_last_it_has() -> None:
    whole = clock_video(8, container="matroska")
    assert StandardMedia().frame(BytesIO(whole[: len(whole) // 2]), 7000).pixels.shape == (48, 64, 3)


def test_a_video_that_lost_its_description_is_broken() -> None:
    """An MP4 keeps it at the end by default: half the file is nothing."""
    whole = clock_video(4)
    with pytest.raises(PictureBroken, match="missing"):
        sample(whole[: len(whole) // 2])


def test_a_video_without_a_single_good_frame_is_broken() -> None:
    whole = bytearray(clock_video(2))
    start, end = whole.index(b"mdat") + 4, whole.index(b"moov") - 4
    whole[start:end] = bytes(end - start)
    with pytest.raises(PictureBroken, match="No frame"):
        sample(bytes(whole))
    with pytest.raises(PictureBroken, match="No frame"):
        StandardMedia().frame(BytesIO(bytes(whole)), 0)


def test_a_damaged_middle_costs_those_frames_only() -> None:
    whole = bytearray(clock_video(8))
    start, end = whole.index(b"mdat") + 4, whole.index(b"moov") - 4
    third = (end - start) // 3
    whole[start + third : start + 2 * third] = bytes(third)
    frames = sample(bytes(whole), 8)
    assert frames[0].at_ms < 1000
    assert frames[-1].at_ms > 7000


def test_a_playlist_never_opens_other_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg would follow such lists to other files or hosts; a photo folder must not be able to ask for that."""
    (tmp_path / "secret.ts").write_bytes(clock_video(1, container="mpegts"))
    monkeypatch.chdir(tmp_path)
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n"
    for text in (hls, "ffconcat version 1.0\nfile secret.ts\n"):
        with pytest.raises(PictureBroken, match="not a video"):
            sample(text.encode())


def test_a_video_over_the_limits_is_refused() -> None:
    raw = clock_video(0.2)
    for limits in (DecodeLimits(maximum_pixels=64 * 48 - 1), DecodeLimits(maximum_video_bytes=len(raw) - 1)):
        with pytest.raises(PictureTooLarge):
            list(StandardMedia(limits).video(BytesIO(raw), 1, None))
        with pytest.raises(PictureTooLarge):
            StandardMedia(limits).frame(BytesIO(raw), 0)


def test_the_container_is_closed_when_the_caller_stops_early(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []
    original = videos.Video.__exit__

    def recording(self: videos.Video, *error: Any) -> None:
        original(self, *error)
        closed.append(True)

    monkeypatch.setattr(videos.Video, "__exit__", recording)
    frames = StandardMedia().video(BytesIO(clock_video(4)), 4, None)
    next(frames)
    assert not closed
    del frames
    assert closed == [True]
