"""Whatever the hours and whatever is pressed: work rests inside them, and always goes on by itself."""

from datetime import UTC, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from plugin.pausing import PauseRules, Pausing, QuietHours, SensorLimit

DAY = datetime(2026, 5, 4, tzinfo=UTC)
minutes_of_day = st.integers(0, 24 * 60 - 1)


class Rows:
    """Preferences in a dictionary."""

    def __init__(self) -> None:
        self.values = dict[str, str]()

    def get(self, key: str) -> str | None:
        return self.values.get(key)

    def all(self) -> dict[str, str]:
        return dict(self.values)

    def set(self, key: str, value: str) -> None:
        self.values[key] = value

    def delete(self, key: str) -> None:
        self.values.pop(key, None)


def clock_face(minute: int) -> time:
    return time(minute // 60, minute % 60)


@given(minutes_of_day, minutes_of_day, minutes_of_day, st.integers(0, 59))
def test_hours_hold_from_their_start_up_to_their_end(start: int, end: int, now: int, second: int) -> None:
    if start == end:
        return
    hours = QuietHours(clock_face(start), clock_face(end))
    local = datetime(2026, 5, 4) + timedelta(minutes=now, seconds=second)  # noqa: DTZ001  local, as it takes it
    ends = hours.end_after(local)
    inside = (now - start) % 1440 < (end - start) % 1440
    assert (ends is not None) == inside
    if ends is not None:
        assert ends.time() == clock_face(end)
        assert timedelta() < ends - local <= timedelta(days=1)
        assert hours.end_after(ends) is None


@given(
    st.lists(st.one_of(st.none(), st.integers(1, 1440), st.just("resume"), st.floats(-50, 150)), max_size=12),
    st.lists(st.integers(1, 600), min_size=12, max_size=12),
)
def test_after_a_last_resume_and_a_day_of_silence_nothing_holds_work_back(
    events: list[object], gaps: list[int]
) -> None:
    now, rows = [DAY], Rows()
    rules = PauseRules(sensors=(SensorLimit("a", below=10, above=90),))
    pausing = Pausing(rows, rules, clock=lambda: now[0], load=lambda: 0.0, zone=UTC)
    for event, gap in zip(events, gaps, strict=False):
        if event == "resume":
            pausing.resume()
        elif isinstance(event, float):
            pausing.heard(0, event)
            pressed = "pause.button" in rows.values
            assert pressed or pausing.holds() == (event < 10 or event > 90)
        else:
            pausing.press(event if isinstance(event, int) else None)
            assert pausing.holds()
        now[0] += timedelta(minutes=gap)
    pausing.resume()
    now[0] += timedelta(hours=24, seconds=1)
    assert not pausing.holds()
