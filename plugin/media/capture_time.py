"""When a photo or video was taken, as the camera's wall clock said."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from PIL import ExifTags, Image

_TIME = re.compile(r"\s*(\d{4})[:\-/.](\d{1,2})[:\-/.](\d{1,2})(?:[T\s]+(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?)?", re.ASCII)
_FIRST_PHOTO = datetime(1826, 1, 1)  # noqa: DTZ001 - camera time has no zone; the oldest known photo is of 1826/27
_UNSET_CLOCKS = {datetime(1904, 1, 1), datetime(1970, 1, 1)}  # noqa: DTZ001 - zero of QuickTime's and Unix' clocks


def parse_time(text: object, now: datetime) -> datetime | None:
    """The time in an EXIF ("2021:05:01 12:30:00") or ISO 8601 text, naive as written; zone and fractions are dropped.

    Cameras write zeros, blanks and nonsense where they do not know: anything that is no date, lies before photography
    or more than a day (time zones) after `now` (naive) is None.
    """
    if isinstance(text, bytes):
        text = text.decode("ascii", "replace")
    match = _TIME.match(text) if isinstance(text, str) else None
    if match is None:
        return None
    try:
        time = datetime(*(int(part or 0) for part in match.groups()))  # type: ignore[arg-type]  # noqa: DTZ001 - naive
    except ValueError:
        return None
    return time if _FIRST_PHOTO <= time <= now + timedelta(days=1) else None


def exif_time(exif: Image.Exif, now: datetime) -> datetime | None:
    """DateTimeOriginal, else DateTimeDigitized, else DateTime (Exif 2.32, section 4.6.5)."""
    details = exif.get_ifd(ExifTags.IFD.Exif)
    candidates = (
        details.get(ExifTags.Base.DateTimeOriginal),
        details.get(ExifTags.Base.DateTimeDigitized),
        exif.get(ExifTags.Base.DateTime),
    )
    return _first_time(candidates, now)


def container_time(metadata: Mapping[str, str], now: datetime) -> datetime | None:
    """Apple's creation date (local time), else `creation_time` (UTC by its definition, taken as given)."""
    time = _first_time((metadata.get("com.apple.quicktime.creationdate"), metadata.get("creation_time")), now)
    return None if time in _UNSET_CLOCKS else time


def _first_time(candidates: Iterable[object], now: datetime) -> datetime | None:
    return next((time for text in candidates if (time := parse_time(text, now)) is not None), None)
