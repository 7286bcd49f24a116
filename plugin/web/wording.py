"""How numbers, dates and times are said in templates."""

from datetime import UTC, date, datetime

from flask import Flask


def number(value: int) -> str:
    """1234 -> "1,234"."""
    return f"{value:,}"


def counted(value: int, one: str, many: str) -> str:
    """(1, "photo", "photos") -> "1 photo"."""
    return f"{value:,} {one if value == 1 else many}"


def day(value: date | None) -> str:
    """14 July 2024."""
    return f"{value.day} {value:%B %Y}" if value else "Date unknown"


def month(value: date | None) -> str:
    """July 2024."""
    return f"{value:%B %Y}" if value else "Date unknown"


def moment(value: datetime | None) -> str:
    """14 July 2024, 18:05."""
    return f"{day(value)}, {value:%H:%M}" if value else "Date unknown"


def ago(value: datetime | None) -> str:
    """How long ago an aware time was, in the largest fitting unit."""
    return "never" if value is None else elapsed((datetime.now(UTC) - value.astimezone(UTC)).total_seconds())


def elapsed(seconds: float) -> str:
    """90 -> "1 minute ago"."""
    for size, one, many in ((86_400, "day", "days"), (3_600, "hour", "hours"), (60, "minute", "minutes")):
        if seconds >= size:
            return f"{counted(int(seconds // size), one, many)} ago"
    return "just now"


def duration(seconds: float) -> str:
    """About how long, rounded so that it does not jitter: "about 3 minutes"."""
    if seconds < 60:
        return "less than a minute"
    if seconds < 5_400:
        return f"about {counted(max(1, round(seconds / 60)), 'minute', 'minutes')}"
    return f"about {counted(round(seconds / 3_600), 'hour', 'hours')}"


def rate(per_second: float) -> str:
    """2.345 -> "2.3 a second"; 0.05 -> "3 a minute"."""
    return f"{per_second:.1f} a second" if per_second >= 1 else f"{per_second * 60:.0f} a minute"


def size(value: int) -> str:
    """Bytes for people: "4.2 GB"."""
    amount = float(value)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def clock(milliseconds: int) -> str:
    """Position in a video: 65000 -> "1:05"."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes}:{seconds:02d}"


def initial(name: str) -> str:
    """The first letter of a name, for a person without a picture."""
    return name.strip()[:1].upper() or "?"


def install_wording(app: Flask) -> None:
    """Make these available in every template, as filters."""
    for said in (number, counted, day, month, moment, ago, duration, rate, size, clock, initial):
        app.jinja_env.filters[said.__name__] = said
