"""When work in the background rests: after a press of a button, by the clock, while the machine is busy, by a sensor.

Nothing is remembered but the button and what sensors said last, so work goes on by itself once no reason is left.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum

from plugin.errors import CatalogueError, Refused
from plugin.ports.accounts import PreferenceRows
from plugin.sentences import Sentence

BUTTON = "pause.button"
"""Until when, as an ISO time; "" until somebody resumes."""

SENSORS = "pause.sensors"

LONGEST_MINUTES = 24 * 60
"""Of a pause that ends by itself: its end is shown as a time of day."""

FRESH = timedelta(hours=24)
"""A sensor that was silent for longer has nothing to say: a dead battery must not stop Kinfolk for ever."""

REWRITE_AFTER = timedelta(hours=6)
"""A sensor that says the same every second is written down this often: each time wakes the disk of the data folder."""

CALM = 0.8
"""Below this part of the limit the load is over; without a gap, work would stop and start every minute."""

LOOK_EVERY = timedelta(seconds=1)


class PauseReason(StrEnum):
    """Why work rests."""

    BUTTON = "button"
    HOURS = "hours"
    SENSOR = "sensor"
    LOAD = "load"


@dataclass(frozen=True, slots=True)
class Pause:
    """Work rests. `until`: when this reason ends by itself, None where nobody knows."""

    reason: PauseReason
    sentence: Sentence
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A stretch of every day in local time, over midnight where it ends before it starts. `end` is not part of it."""

    start: time
    end: time

    def end_after(self, local: datetime) -> datetime | None:
        """When the stretch ends that this (naive, local) moment is in; None outside."""
        at, day = local.time(), local.date()
        over_midnight = self.end <= self.start
        inside = (at >= self.start or at < self.end) if over_midnight else self.start <= at < self.end
        if not inside:
            return None
        tomorrow = over_midnight and at >= self.start
        return datetime.combine(day + timedelta(days=1) if tomorrow else day, self.end)


@dataclass(frozen=True, slots=True)
class SensorLimit:
    """A sensor somebody else publishes, and between which values work may go on; None: no limit on that side.

    Attributes:
        topic: where it is published.
        key: the entry of a JSON object to look at; "" where the message is the number.
        below, above: work rests below the one and above the other.
    """

    topic: str
    key: str = ""
    below: float | None = None
    above: float | None = None

    def holds(self, value: float) -> bool:
        """Whether work has to rest."""
        return (self.below is not None and value < self.below) or (self.above is not None and value > self.above)


@dataclass(frozen=True, slots=True)
class PauseRules:
    """What config.yaml says: quiet hours, a load average, sensors."""

    quiet: QuietHours | None = None
    load_above: float | None = None
    sensors: tuple[SensorLimit, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a sensor said last; `value` is None while it said nothing, or nothing for a day."""

    limit: SensorLimit
    value: float | None


def quiet_hours(text: str) -> QuietHours | None:
    """From "07:00-23:00"; None for "". Raises `ValueError` with the reason."""
    if not text:
        return None
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError("not two times of day with - between")
    hours = QuietHours(time.fromisoformat(start.strip()), time.fromisoformat(end.strip()))
    if hours.start == hours.end:
        raise ValueError("it starts and ends at the same time")
    return hours


def machine_load() -> float:
    """The load average of the last minute; 0 where the system has none."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return 0.0


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class Pausing:
    """Whether work in the background rests now, and why.

    Args:
        rows: where the button and the sensors are kept: web and worker may be two processes.
        rules: from the settings.
        clock: what time it is, aware.
        load: the load average.
        zone: whose local time quiet hours are in; None: the machine's.
    """

    def __init__(
        self,
        rows: PreferenceRows,
        rules: PauseRules,
        *,
        clock: Callable[[], datetime] = utc_now,
        load: Callable[[], float] = machine_load,
        zone: tzinfo | None = None,
    ) -> None:
        self._rows = rows
        self.rules = rules
        self._clock = clock
        self._load = load
        self._zone = zone
        self._is_busy = False
        self._last_look: tuple[datetime, bool] | None = None
        # What is not worth writing down yet; only the process that hears has it.
        self._newest: dict[str, tuple[float, datetime]] = {}

    def now(self) -> Pause | None:
        """Why work rests now, None when it may go on."""
        at = self._clock()
        pause = self._look(at)
        self._last_look = (at, pause is not None)
        return pause

    def holds(self) -> bool:
        """For the pipeline, which asks before every photo: whether it has to rest; looked at anew once a second.

        A catalogue that cannot be read stops work with words of its own.
        """
        last = self._last_look
        if last is not None and timedelta() <= self._clock() - last[0] < LOOK_EVERY:
            return last[1]
        try:
            return self.now() is not None
        except CatalogueError:
            return False

    def press(self, minutes: int | None = None) -> None:
        """Rest for so long, or until somebody resumes. Raises `Refused`."""
        if minutes is not None and not 1 <= minutes <= LONGEST_MINUTES:
            raise Refused("A pause lasts from 1 to %(most)s minutes", most=LONGEST_MINUTES)
        until = "" if minutes is None else (self._clock() + timedelta(minutes=minutes)).isoformat()
        self._rows.set(BUTTON, until)
        self._last_look = None

    def resume(self) -> None:
        """Take the press of the button back; other reasons stand."""
        self._rows.delete(BUTTON)
        self._last_look = None

    def heard(self, sensor: int, value: float, *, kept: bool = False) -> None:
        """A sensor (its number in the rules) said something; `kept`: earlier, and the broker says it again.

        What is known already does not get younger by that: a sensor that died must not let work rest for ever.
        """
        limit, said = self.rules.sensors[sensor], self._said(self._rows.get(SENSORS))
        before, at = said.get(_key(limit)), self._clock()
        newest = self._with_newest(said).get(_key(limit))
        if kept and newest and newest[0] == value:
            return
        self._newest[_key(limit)] = (value, at)
        self._last_look = None
        if before and limit.holds(before[0]) == limit.holds(value) and timedelta() <= at - before[1] < REWRITE_AFTER:
            return
        known = {_key(each) for each in self.rules.sensors}
        rest = {key: [old, when.isoformat()] for key, (old, when) in said.items() if key in known}
        self._rows.set(SENSORS, json.dumps(rest | {_key(limit): [value, at.isoformat()]}))

    def readings(self) -> Sequence[Reading]:
        """Every sensor and what it said last."""
        said, at = self._all_said(self._rows.get(SENSORS)), self._clock()
        return [Reading(limit, self._value(limit, said, at)) for limit in self.rules.sensors]

    def _look(self, at: datetime) -> Pause | None:
        saved = self._rows.all()
        # Always, so that the gap between busy and calm is known.
        loaded = self._loaded()
        return self._pressed(saved.get(BUTTON), at) or self._quiet(at) or self._sensed(saved, at) or loaded

    def _pressed(self, until: str | None, at: datetime) -> Pause | None:
        if until is None:
            return None
        if not until:
            return Pause(PauseReason.BUTTON, Sentence("Paused until somebody resumes"))
        end = datetime.fromisoformat(until)
        # A clock that was set back must not make a pause longer than it can be.
        if not at < end <= at + timedelta(minutes=LONGEST_MINUTES):
            return None
        return Pause(PauseReason.BUTTON, _until(end.astimezone(self._zone)), end)

    def _quiet(self, at: datetime) -> Pause | None:
        if self.rules.quiet is None:
            return None
        end = self.rules.quiet.end_after(at.astimezone(self._zone).replace(tzinfo=None))
        if end is None:
            return None
        sentence = Sentence("Paused until %(time)s, as every day", time=f"{end:%H:%M}")
        return Pause(PauseReason.HOURS, sentence, end.replace(tzinfo=self._zone) if self._zone else end.astimezone())

    def _sensed(self, saved: Mapping[str, str], at: datetime) -> Pause | None:
        said = self._all_said(saved.get(SENSORS))
        for limit in self.rules.sensors:
            value = self._value(limit, said, at)
            if value is not None and limit.holds(value):
                sentence = Sentence("Paused while %(sensor)s says %(value)s", sensor=limit.topic, value=f"{value:g}")
                return Pause(PauseReason.SENSOR, sentence)
        return None

    def _loaded(self) -> Pause | None:
        limit = self.rules.load_above
        if limit is None:
            return None
        load = self._load()
        self._is_busy = load > limit or (self._is_busy and load > limit * CALM)
        return Pause(PauseReason.LOAD, Sentence("Paused while this machine is busy")) if self._is_busy else None

    def _value(self, limit: SensorLimit, said: Mapping[str, tuple[float, datetime]], at: datetime) -> float | None:
        value, when = said.get(_key(limit), (None, at))
        return value if at - when <= FRESH else None

    def _all_said(self, text: str | None) -> dict[str, tuple[float, datetime]]:
        return self._with_newest(self._said(text)) if self.rules.sensors else {}

    def _with_newest(self, said: dict[str, tuple[float, datetime]]) -> dict[str, tuple[float, datetime]]:
        later = {key: one for key, one in self._newest.items() if key not in said or one[1] >= said[key][1]}
        return said | later

    @staticmethod
    def _said(text: str | None) -> dict[str, tuple[float, datetime]]:
        saved: dict[str, list[str]] = json.loads(text) if text else {}
        return {key: (float(value), datetime.fromisoformat(when)) for key, (value, when) in saved.items()}


def _key(limit: SensorLimit) -> str:
    return f"{limit.topic} {limit.key}"


def _until(end: datetime) -> Sentence:
    return Sentence("Paused until %(time)s", time=f"{end:%H:%M}")
