"""How numbers, dates and times are said in templates, the way of the page's language."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, format_timedelta, get_datetime_format
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit
from flask import Flask
from flask_babel import get_locale
from flask_babel import gettext as _


def number(value: float) -> str:
    """1234 -> "1,234", "1.234" in German."""
    return said_before(value, get_locale())


@lru_cache(10_000)
def said_before(value: float, locale: Locale | None) -> str:
    """Most numbers of a page are small, and said again and again."""
    return format_decimal(value, locale=locale)


def percent(value: float) -> str:
    """87 -> "87%", "87 %" in German."""
    return format_percent(value / 100, locale=get_locale())


def day(value: date | None) -> str:
    """14 July 2024."""
    if not value:
        return str(_("Date unknown"))
    return day_said_before(date(value.year, value.month, value.day), get_locale())


@lru_cache(10_000)
def day_said_before(value: date, locale: Locale | None) -> str:
    """The same days are said on many pages."""
    return format_date(value, "long", locale=locale)


def month(value: date | None) -> str:
    """July 2024."""
    return month_said_before(date(value.year, value.month, 1), get_locale()) if value else str(_("Date unknown"))


@lru_cache(5_000)
def month_said_before(value: date, locale: Locale | None) -> str:
    """The page of a person says 240 of them."""
    return format_skeleton("yMMMM", value, locale=locale)


def moment(value: datetime | None) -> str:
    """14 July 2024, 18:05, in the time zone the value has."""
    if value is None:
        return str(_("Date unknown"))
    locale = get_locale()
    # The long format of both would name the time zone, which a camera does not know.
    time = format_time(value, "short", locale=locale)
    return str(get_datetime_format("medium", locale=locale)).replace("{0}", time).replace("{1}", day(value))


def ago(value: datetime | None) -> str:
    """How long ago an aware time was, in the largest fitting unit."""
    return str(_("never")) if value is None else elapsed((datetime.now(UTC) - value.astimezone(UTC)).total_seconds())


def elapsed(seconds: float) -> str:
    """7200 -> "2 hours ago"."""
    if seconds < 60:
        return str(_("just now"))
    return format_timedelta(timedelta(seconds=-seconds), add_direction=True, threshold=1, locale=get_locale())


def duration(seconds: float) -> str:
    """About how long, rounded so that it does not jitter: "about 3 minutes"."""
    if seconds < 60:
        return str(_("less than a minute"))
    # Minutes up to an hour and a half: "about 1 hour" would be too far off.
    unit, amount = ("minute", seconds / 60) if seconds < 5_400 else ("hour", seconds / 3_600)
    return str(_("about %(time)s", time=format_unit(round(amount), unit, "long", locale=get_locale())))


def rate(per_second: float) -> str:
    """2.345 -> "2.3 a second"; 0.05 -> "3 a minute"."""
    if per_second >= 1:
        return str(_("%(num)s a second", num=format_decimal(per_second, "#,##0.0", locale=get_locale())))
    return str(_("%(num)s a minute", num=number(round(per_second * 60))))


def size(value: int) -> str:
    """Bytes for people: "4.2 GB"."""
    amount, locale = float(value), get_locale()
    for unit in ("byte", "kilobyte", "megabyte"):
        if amount < 1000:
            return format_unit(round(amount), unit, "short", locale=locale)
        amount /= 1000
    return format_unit(amount, "gigabyte", "short", format="#,##0.0", locale=locale)


def clock(milliseconds: int) -> str:
    """Position in a video: 65000 -> "1:05"."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes}:{seconds:02d}"


def initial(name: str) -> str:
    """The first letter of a name, for a person without a picture."""
    return name.strip()[:1].upper() or "?"


def install_wording(app: Flask) -> None:
    """Make these available in every template, as filters."""
    for said in (number, percent, day, month, moment, ago, duration, rate, size, clock, initial):
        app.jinja_env.filters[said.__name__] = said
