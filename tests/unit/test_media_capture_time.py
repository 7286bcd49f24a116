"""The camera's clock, in all the ways cameras write it."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from plugin.media.capture_time import container_time, exif_time, parse_time
from tests.fakes.media import exif

NOW = datetime.fromisoformat("2026-05-01 12:00:00")


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2011:02:03 04:05:06", datetime.fromisoformat("2011-02-03 04:05:06")),
        ("2011:02:03 04:05:06\0", datetime.fromisoformat("2011-02-03 04:05:06")),
        (b"2011:02:03 04:05:06\0", datetime.fromisoformat("2011-02-03 04:05:06")),
        ("2011-02-03T04:05:06.000000Z", datetime.fromisoformat("2011-02-03 04:05:06")),
        ("2011-02-03T04:05:06+0200", datetime.fromisoformat("2011-02-03 04:05:06")),
        ("  2011:2:3 4:05", datetime.fromisoformat("2011-02-03 04:05:00")),
        ("2011/02/03", datetime.fromisoformat("2011-02-03 00:00:00")),
        ("2026:05:02 11:59:59", datetime.fromisoformat("2026-05-02 11:59:59")),
    ],
)
def test_times_are_read_as_the_camera_wrote_them(text: object, time: datetime) -> None:
    assert parse_time(text, NOW) == time


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "    :  :     :  :  ",
        "0000:00:00 00:00:00",
        "2011:13:03 04:05:06",
        "2011:02:30 04:05:06",
        "2011:02:03 25:05:06",
        "2026:05:02 12:00:01",
        "9999:12:31 23:59:59",
        "1825:12:31 23:59:59",
        "yesterday",
        42,
        (2011, 2, 3),
        "٢٠١١:٠٢:٠٣",
    ],
)
def test_what_cannot_be_a_photos_time_is_none(text: object) -> None:
    assert parse_time(text, NOW) is None


@given(st.one_of(st.text(), st.binary(), st.from_regex(r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d")))
def test_no_text_makes_the_parser_fail(text: object) -> None:
    time = parse_time(text, NOW)
    assert time is None or (time.tzinfo is None and datetime.fromisoformat("1826-01-01 00:00:00") <= time)


def read(data: bytes) -> datetime | None:
    tags = Image.Exif()
    tags.load(data)
    return exif_time(tags, NOW)


def test_the_original_time_wins_over_digitized_and_changed() -> None:
    original, digitized, changed = "2001:01:01 00:00:00", "2002:01:01 00:00:00", "2003:01:01 00:00:00"
    assert read(
        exif(DateTimeOriginal=original, DateTimeDigitized=digitized, DateTime=changed)
    ) == datetime.fromisoformat("2001-01-01 00:00:00")
    assert read(exif(DateTimeDigitized=digitized, DateTime=changed)) == datetime.fromisoformat("2002-01-01 00:00:00")
    assert read(exif(DateTime=changed)) == datetime.fromisoformat("2003-01-01 00:00:00")
    assert read(exif()) is None


def test_a_blank_original_time_does_not_hide_the_next() -> None:
    assert read(exif(DateTimeOriginal="0000:00:00 00:00:00", DateTime="2003:01:01 00:00:00")) == datetime.fromisoformat(
        "2003-01-01 00:00:00"
    )


def test_apples_local_time_wins_over_the_containers_utc() -> None:
    utc, local = "2021-05-01T10:00:00.000000Z", "2021-05-01T12:00:00+0200"
    both = {"creation_time": utc, "com.apple.quicktime.creationdate": local}
    assert container_time(both, NOW) == datetime.fromisoformat("2021-05-01 12:00:00")
    assert container_time({"creation_time": utc}, NOW) == datetime.fromisoformat("2021-05-01 10:00:00")
    assert container_time({}, NOW) is None


@pytest.mark.parametrize("zero", ["1904-01-01T00:00:00.000000Z", "1970-01-01T00:00:00.000000Z"])
def test_a_clock_that_was_never_set_is_no_time(zero: str) -> None:
    assert container_time({"creation_time": zero}, NOW) is None
