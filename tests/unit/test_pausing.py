"""Work rests after a press, by the clock, while the machine is busy, by a sensor; and goes on by itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

import pytest

from plugin.catalogue.store import SqlCatalogue, open_in_memory
from plugin.errors import CatalogueError, Refused
from plugin.pausing import Pause, PauseReason, PauseRules, Pausing, QuietHours, SensorLimit, quiet_hours

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
EAST = timezone(timedelta(hours=2))
BATTERY = SensorLimit("zigbee2mqtt/ups", "battery", below=30)
CELLAR = SensorLimit("cellar/temperature", above=40)


@dataclass
class Moment:
    """What time it is, and how busy the machine is."""

    at: datetime = NOON
    load: float = 0.0
    asked: int = 0

    def later(self, **time: float) -> None:
        self.at += timedelta(**time)

    def clock(self) -> datetime:
        return self.at

    def machine(self) -> float:
        self.asked += 1
        return self.load


@dataclass
class Home:
    catalogue: SqlCatalogue
    moment: Moment = field(default_factory=Moment)

    def pausing(self, **rules: object) -> Pausing:
        return Pausing(
            self.catalogue.preferences,
            PauseRules(**rules),  # type: ignore[arg-type]  # by name
            clock=self.moment.clock,
            load=self.moment.machine,
            zone=EAST,
        )


@pytest.fixture
def home() -> Iterator[Home]:
    catalogue = open_in_memory()
    yield Home(catalogue)
    catalogue.close()


def reason(pausing: Pausing) -> PauseReason | None:
    pause = pausing.now()
    return pause.reason if pause else None


def test_without_rules_and_presses_work_never_rests(home: Home) -> None:
    home.moment.load = 99.0
    assert home.pausing().now() is None
    assert home.pausing().readings() == []


def test_a_press_lasts_until_somebody_resumes_also_over_a_restart(home: Home) -> None:
    home.pausing().press()
    home.moment.later(days=400)
    again = home.pausing()
    assert again.now() == Pause(PauseReason.BUTTON, again.now().sentence)  # type: ignore[union-attr]  # it is one
    assert again.holds()
    again.resume()
    assert again.now() is None
    assert not again.holds()


def test_a_press_for_an_hour_ends_by_itself_and_says_when_in_local_time(home: Home) -> None:
    pausing = home.pausing()
    pausing.press(60)
    pause = pausing.now()
    assert pause
    assert (str(pause.sentence), pause.until) == ("Paused until 15:00", NOON + timedelta(hours=1))
    home.moment.later(minutes=59)
    assert pausing.holds()
    home.moment.later(minutes=1)
    assert not pausing.holds()


def test_a_clock_that_is_set_back_does_not_make_a_pause_endless(home: Home) -> None:
    pausing = home.pausing()
    pausing.press(60)
    home.moment.later(days=-30)
    assert pausing.now() is None


@pytest.mark.parametrize("minutes", [0, -5, 24 * 60 + 1, 10**9])
def test_a_pause_of_an_absurd_length_is_refused(home: Home, minutes: int) -> None:
    with pytest.raises(Refused, match="from 1 to 1440 minutes"):
        home.pausing().press(minutes)
    assert home.pausing().now() is None


def test_quiet_hours_are_local_and_end_by_themselves(home: Home) -> None:
    pausing = home.pausing(quiet=quiet_hours("07:00-23:00"))
    pause = pausing.now()  # 14:00 there
    assert pause
    assert str(pause.sentence) == "Paused until 23:00, as every day"
    assert pause.until == datetime(2026, 5, 4, 23, 0, tzinfo=EAST)
    home.moment.at = datetime(2026, 5, 4, 21, 0, tzinfo=UTC)
    assert pausing.now() is None
    home.moment.at = datetime(2026, 5, 5, 4, 59, 59, tzinfo=UTC)
    assert pausing.now() is None
    home.moment.at = datetime(2026, 5, 5, 5, 0, tzinfo=UTC)
    assert reason(pausing) is PauseReason.HOURS


def test_quiet_hours_may_go_over_midnight() -> None:
    night = QuietHours(*(datetime.strptime(text, "%H:%M").time() for text in ("22:30", "06:00")))  # noqa: DTZ007
    evening, morning, noon = (datetime(2026, 5, 4, hour, 45) for hour in (22, 5, 12))  # noqa: DTZ001
    assert night.end_after(evening) == datetime(2026, 5, 5, 6, 0)  # noqa: DTZ001
    assert night.end_after(morning) == datetime(2026, 5, 4, 6, 0)  # noqa: DTZ001
    assert night.end_after(noon) is None


@pytest.mark.parametrize("text", ["07:00", "7-23", "07:00-07:00", "25:00-26:00", "07:00-23:00-24:00", "-"])
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        quiet_hours(text)


def test_a_busy_machine_is_left_alone_until_it_is_clearly_calm_again(home: Home) -> None:
    pausing, seen = home.pausing(load_above=4.0), []
    for load in (3.9, 4.1, 3.5, 3.3, 3.1, 3.9):
        home.moment.load = load
        seen.append(reason(pausing) is PauseReason.LOAD)
    assert seen == [False, True, True, True, False, False]


def test_a_low_battery_and_a_hot_cellar_stop_work_until_they_are_well_again(home: Home) -> None:
    pausing = home.pausing(sensors=(BATTERY, CELLAR))
    assert pausing.now() is None
    pausing.heard(0, 29.5)
    pause = pausing.now()
    assert pause
    assert (pause.reason, str(pause.sentence)) == (PauseReason.SENSOR, "Paused while zigbee2mqtt/ups says 29.5")
    pausing.heard(0, 30)
    assert pausing.now() is None
    pausing.heard(1, 40.1)
    assert pausing.now()
    assert [reading.value for reading in pausing.readings()] == [30, 40.1]
    pausing.heard(1, 40.0)
    assert pausing.now() is None


def test_a_sensor_that_died_is_forgotten_although_the_broker_says_its_last_word_at_every_start(home: Home) -> None:
    home.pausing(sensors=(CELLAR,)).heard(0, 50, kept=True)
    for _ in range(2):
        home.moment.later(hours=13)
        home.pausing(sensors=(CELLAR,)).heard(0, 50, kept=True)
    assert home.pausing(sensors=(CELLAR,)).now() is None
    home.pausing(sensors=(CELLAR,)).heard(0, 51, kept=True)
    assert reason(home.pausing(sensors=(CELLAR,))) is PauseReason.SENSOR


def test_another_process_knows_what_a_sensor_said(home: Home) -> None:
    home.pausing(sensors=(CELLAR,)).heard(0, 50)
    assert reason(home.pausing(sensors=(CELLAR,))) is PauseReason.SENSOR
    assert home.pausing(sensors=(BATTERY,)).now() is None


def test_a_sensor_that_fell_silent_stops_nothing_for_ever(home: Home) -> None:
    pausing = home.pausing(sensors=(CELLAR,))
    pausing.heard(0, 50)
    home.moment.later(hours=24)
    assert pausing.holds()
    home.moment.later(seconds=1)
    assert not pausing.holds()
    assert [reading.value for reading in pausing.readings()] == [None]


def test_a_chatty_sensor_is_not_written_down_each_time(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    pausing, written = home.pausing(sensors=(CELLAR,)), list[str]()
    real = home.catalogue.preferences.set

    def write(key: str, value: str) -> None:
        written.append(key)
        real(key, value)

    monkeypatch.setattr(home.catalogue.preferences, "set", write)
    for quarter in range(24 * 4):
        home.moment.later(minutes=15)
        pausing.heard(0, 20 + quarter % 3)
    assert len(written) == 4  # at once, and every six hours: it must stay fresher than a day
    assert pausing.readings()[0].value is not None
    pausing.heard(0, 41)
    assert pausing.holds()


def test_the_newest_value_of_a_sensor_is_shown_although_it_is_not_written_down(home: Home) -> None:
    pausing = home.pausing(sensors=(SensorLimit("ups", below=50),))
    pausing.heard(0, 18)
    home.moment.later(minutes=5)
    pausing.heard(0, 45)
    pause = pausing.now()
    assert pause
    assert str(pause.sentence) == "Paused while ups says 45"
    assert [reading.value for reading in pausing.readings()] == [45]
    home.moment.later(minutes=5)
    home.pausing(sensors=(SensorLimit("ups", below=50),)).heard(0, 60)
    assert [reading.value for reading in pausing.readings()] == [60], "another process heard something newer"


def test_a_press_comes_before_the_clock_and_the_clock_before_sensors_and_load(home: Home) -> None:
    home.moment.load = 9
    pausing = home.pausing(quiet=quiet_hours("13:00-15:00"), load_above=1.0, sensors=(CELLAR,))
    pausing.heard(0, 50)
    pausing.press()
    assert reason(pausing) is PauseReason.BUTTON
    pausing.resume()
    assert reason(pausing) is PauseReason.HOURS
    home.moment.later(hours=1)
    assert reason(pausing) is PauseReason.SENSOR
    pausing.heard(0, 20)
    assert reason(pausing) is PauseReason.LOAD


def test_the_pipeline_may_ask_before_every_photo(home: Home) -> None:
    pausing = home.pausing(load_above=1.0)
    for _ in range(100):
        assert not pausing.holds()
    assert home.moment.asked == 1
    home.moment.later(seconds=1)
    home.moment.load = 2
    assert pausing.holds()


def test_a_catalogue_that_cannot_be_read_is_no_pause(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> dict[str, str]:
        raise CatalogueError("broken")

    monkeypatch.setattr(home.catalogue.preferences, "all", broken)
    assert not home.pausing().holds()
