"""The link tells what changed, takes back what is not to be told, waits longer each time, and stops nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from plugin.errors import BrokerRefused, CatalogueError, HostUnreachable, KinfolkError
from plugin.mqtt.broker import BrokerLogin
from plugin.mqtt.link import LARGEST_PICTURE_BYTES, LOOK_SECONDS, REST_SECONDS, SmartHomeLink
from plugin.mqtt.messages import kept
from plugin.mqtt.shared import SharedStatus
from plugin.ports.smart_home import HomeTold, LinkState, LinkStatus, Wish
from tests.fakes.smart_home import FakeBroker, FakeHome, FakeRows, HandMovedClock
from tests.fakes.workshop import Workshop
from tests.unit.test_mqtt_messages import ANNA, HOME, MARIA, NEWEST, TOPICS

LOGIN = BrokerLogin("broker", 1883, "user", "secret")
PICTURE = "kinfolk/abc123/person/7/picture"
SEEN = "kinfolk/abc123/person/7/seen"
AVAILABLE = "kinfolk/abc123/available"


def nothing() -> None:
    pass


@dataclass
class Looking:
    """`plugin.mqtt.left.Look`."""

    due: bool = True

    def is_due(self) -> bool:
        return self.due

    def done(self) -> None:
        self.due = False


@dataclass
class Bench:
    """A link whose thread is run by the test, from one wait to the next."""

    home: FakeHome = field(default_factory=FakeHome)
    broker: FakeBroker = field(default_factory=FakeBroker)
    rows: FakeRows = field(default_factory=FakeRows)
    clock: HandMovedClock = field(default_factory=HandMovedClock)
    looking: "Looking" = field(default_factory=lambda: Looking(due=False))

    def __post_init__(self) -> None:
        self.link = SmartHomeLink(
            self.home, self.rows, TOPICS, lambda: LOGIN,  # type: ignore[arg-type]  # what it uses of them
            look=self.looking, opens=self.broker.open, wait=self.clock.wait, clock=self.clock.now,
        )  # fmt: skip
        self.clock.stop = self.link.stop

    def run(self, *plan: Callable[[], None]) -> None:
        """Run until as many waits are over as there are steps, doing one step at each."""
        self.clock.plan = list(plan)
        self.link._run()

    def tell(self, told: HomeTold = HOME) -> None:
        self.home.state = told


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_it_does_not_even_connect_before_somebody_allows_something(bench: Bench) -> None:
    bench.run(nothing, nothing)
    assert bench.broker.connections == 0
    assert bench.clock.waits == [REST_SECONDS] * 3
    assert bench.link.status.state is LinkState.RESTING


def test_everything_is_kept_at_the_broker_and_written_down_first(bench: Bench) -> None:
    bench.tell()
    bench.run(nothing)
    wanted = kept(HOME, TOPICS) | {PICTURE: b"jpeg of 70", AVAILABLE: b"offline"}
    assert bench.broker.kept == wanted
    assert bench.rows.known == set(wanted)
    assert bench.broker.will == (AVAILABLE, b"offline")
    assert bench.broker.listening == TOPICS.everywhere


def test_only_what_changed_is_told_again(bench: Bench) -> None:
    bench.tell(HomeTold((replace(MARIA, persons=()),)))
    marks = list[int]()
    changed = HomeTold((replace(MARIA, persons=(), faces=41),))

    def mark_and_change() -> None:
        marks.append(len(bench.broker.said))
        bench.tell(changed)

    bench.run(
        lambda: marks.append(len(bench.broker.said)),
        mark_and_change,
        lambda: marks.append(len(bench.broker.said)),
    )
    assert marks[1] == marks[0]
    assert marks[2] == marks[1] + 1


def test_a_person_who_is_not_told_about_any_more_is_taken_back_devices_first(bench: Bench) -> None:
    bench.tell()
    bench.run(lambda: bench.tell(HomeTold((replace(MARIA, persons=()),))), nothing)
    assert not any("person" in topic for topic in bench.broker.kept)
    assert not any("person" in topic for topic in bench.rows.known)
    emptied = [topic for topic, payload in bench.broker.said if not payload]
    assert [topic.endswith("/config") for topic in emptied] == [True, True, False, False]


def test_when_nobody_allows_anything_any_more_nothing_of_ours_is_left(bench: Bench) -> None:
    bench.tell()
    bench.run(lambda: bench.tell(HomeTold(())), nothing, nothing)
    assert bench.broker.kept == {}
    assert bench.rows.known == set()
    assert bench.broker.connections == 1
    assert bench.link.status.state is LinkState.RESTING


def test_what_could_not_be_taken_back_is_when_the_broker_is_there_again(bench: Bench) -> None:
    bench.tell()
    bench.run()
    again = Bench(broker=bench.broker, rows=bench.rows)
    again.broker.failing = BrokerRefused("no")
    again.run(nothing, lambda: setattr(again.broker, "failing", None), nothing)
    assert again.broker.kept == {}
    assert again.rows.known == set()


def test_a_kill_in_the_middle_leaves_nothing_that_is_not_known(bench: Bench) -> None:
    bench.tell()
    for messages in range(len(kept(HOME, TOPICS)) + 3):
        bench.broker.said.clear()
        bench.broker.deaf_after = messages
        bench.run(nothing)
        assert set(bench.broker.kept) <= bench.rows.known
        bench = Bench(home=bench.home, broker=bench.broker, rows=bench.rows)
    bench.broker.deaf_after = None
    bench.tell(HomeTold(()))
    bench.run(nothing)
    assert bench.broker.kept == {}


def test_what_a_restored_catalogue_does_not_know_is_taken_back_and_nothing_of_others(bench: Bench) -> None:
    bench.tell()
    bench.run()
    others = {
        "homeassistant/device/kinfolk_abc1234/config": b"{}",
        "homeassistant/device/zigbee/config": b"{}",
        "homeassistant/image/kinfolk_other_person_7_picture/config": b"{}",
        "kinfolk/other/person/7/state": b"{}",
        "kinfolk/abc123": b"?",
    }
    bench.broker.kept |= others
    # As before anybody was chosen; the picture is larger than anything that is sent to us.
    restored = Bench(FakeHome(HomeTold((replace(MARIA, persons=()),))), bench.broker, FakeRows())
    large = bench.broker.kept.pop(PICTURE)
    restored.run(lambda: bench.broker.kept.__setitem__(PICTURE, large), nothing)
    assert restored.rows.known == kept(restored.home.state, TOPICS).keys()
    assert (PICTURE, b"") in bench.broker.said
    left = {topic for topic in bench.broker.kept if topic != PICTURE}
    assert left == others.keys() | kept(restored.home.state, TOPICS).keys()


def test_clear_takes_everything_back_at_once(bench: Bench) -> None:
    bench.tell()
    bench.run()
    bench.clock.plan = [nothing] * 2
    assert bench.link.clear() == len(kept(HOME, TOPICS)) + 1
    assert bench.broker.kept == {}
    assert bench.rows.known == set()
    assert bench.link.clear() == 0


def test_clear_takes_back_what_an_older_catalogue_does_not_know(bench: Bench) -> None:
    bench.tell()
    bench.run()
    restored = Bench(broker=bench.broker, looking=Looking())
    restored.broker.is_slow = True
    restored.clock.plan = [restored.broker.say_what_is_kept]
    assert restored.link.clear() == len(kept(HOME, TOPICS)) + 1
    assert bench.broker.kept == {}
    assert not restored.looking.due


class TestAfterARestoreToBeforeAnythingWasAllowed:
    @pytest.mark.parametrize("sensors", [[], [("cellar", "")]])
    def test_everything_is_taken_back_although_nothing_is_known(self, bench: Bench, sensors: list[Any]) -> None:
        bench.tell()
        bench.run()
        restored = Bench(FakeHome(sensors=sensors), bench.broker, looking=Looking())
        restored.broker.is_slow = True
        restored.run(restored.broker.say_what_is_kept, nothing, nothing)
        assert bench.broker.kept == {}
        assert restored.rows.known == set()
        assert not restored.looking.due
        assert restored.broker.will is None

    def test_a_look_that_was_cut_off_is_made_again(self, bench: Bench) -> None:
        bench.tell()
        bench.run()
        restored = Bench(broker=bench.broker, looking=Looking())
        restored.broker.is_slow = True
        restored.run(restored.broker.break_off)
        assert restored.looking.due
        again = Bench(broker=bench.broker, looking=restored.looking)
        again.run(restored.broker.say_what_is_kept, nothing)
        assert bench.broker.kept == {}
        assert not again.looking.due

    def test_nothing_is_looked_for_where_nothing_was_restored(self, bench: Bench) -> None:
        bench.run(nothing)
        assert bench.broker.connections == 0


def test_a_will_that_the_broker_read_meanwhile_is_taken_back_too(bench: Bench) -> None:
    """Nobody is told any more; what the catalogue knows is gone at once, what the broker says comes a moment later."""
    bench.rows.known = {SEEN}
    bench.broker.kept = {AVAILABLE: b"offline"}
    bench.broker.is_slow = True
    bench.run(bench.broker.say_what_is_kept, nothing)
    assert bench.broker.kept == {}


class TestSomethingUnexpected:
    def test_does_not_end_the_link(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken() -> HomeTold:
            raise RuntimeError("?")

        bench.tell()
        states = list[LinkState]()
        monkeypatch.setattr(bench.home, "told", broken)

        def mend_and_forbid() -> None:
            states.append(bench.link.status.state)
            monkeypatch.undo()
            bench.tell(HomeTold(()))

        bench.run(mend_and_forbid, nothing, nothing)
        assert states == [LinkState.AWAY]
        assert bench.link.status.failures == 1
        assert bench.broker.kept == {}, "taken back afterwards"
        assert bench.rows.known == set()

    def test_closes_the_connection_and_says_that_we_are_away(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken() -> HomeTold:
            raise RuntimeError("?")

        bench.tell()
        bench.run(lambda: monkeypatch.setattr(bench.home, "told", broken), nothing)
        assert bench.broker.lost
        assert bench.broker.kept[AVAILABLE] == b"offline"
        assert "RuntimeError" in bench.link.status.trouble

    def test_about_a_picture_stops_nothing_else(self, bench: Bench) -> None:
        def broken(asset_id: int) -> bytes:
            raise OSError("cannot identify image file")

        bench.home.pictures = broken
        bench.tell()
        bench.run(nothing, nothing)
        assert bench.broker.kept.keys() == kept(HOME, TOPICS).keys() | {AVAILABLE}
        assert bench.home.told_seen == [(7, NEWEST.taken_at)] * 3
        assert (bench.link.status.state, bench.link.status.failures) == (LinkState.RESTING, 0)

    def test_in_a_message_ends_nothing(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is heard in a thread of Paho's, which would end."""

        def broken(_wish: Wish) -> None:
            raise RuntimeError("?")

        monkeypatch.setattr(bench.home, "asked", broken)
        bench.tell()
        bench.run(lambda: bench.broker.press("kinfolk/abc123/do", b"scan"), nothing)
        assert bench.link.status.failures == 0


def test_a_broker_that_is_away_is_tried_again_later_each_time_and_counted(bench: Bench) -> None:
    bench.tell()
    bench.broker.failing = BrokerRefused("The broker refused", "Correct it")
    bench.run(*[nothing] * 11)
    assert bench.clock.waits[:9] == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    status = bench.link.status
    assert (status.state, status.failures, status.connections) == (LinkState.AWAY, 12, 0)
    assert status.trouble == "The broker refused. Correct it"
    assert "secret" not in repr(status) + repr(LOGIN)


def test_after_a_connection_that_held_the_first_wait_is_short_again(bench: Bench) -> None:
    bench.tell()
    bench.run(*[nothing] * 20, bench.broker.break_off, nothing)
    assert bench.clock.waits[21] == 1
    assert bench.broker.connections == 2
    assert bench.link.status.failures == 1


def test_two_that_throw_each_other_out_do_not_do_so_every_second(bench: Bench) -> None:
    bench.tell()
    bench.run(*[bench.broker.break_off] * 12)
    pauses = [wait for wait in bench.clock.waits if wait != LOOK_SECONDS]
    assert pauses[:4] == [2, 4, 8, 16]


def test_everything_is_told_again_to_a_broker_that_forgot_it(bench: Bench) -> None:
    bench.tell()

    def forget() -> None:
        bench.broker.kept.clear()
        bench.broker.break_off()

    bench.run(forget, nothing, nothing)
    assert bench.broker.kept.keys() == kept(HOME, TOPICS).keys() | {PICTURE}


def test_a_catalogue_that_cannot_be_read_says_that_we_are_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.tell()

    def broken() -> HomeTold:
        raise CatalogueError("broken")

    bench.run(lambda: monkeypatch.setattr(bench.home, "told", broken), nothing)
    assert bench.broker.kept[AVAILABLE] == b"offline"
    assert bench.link.status.state is LinkState.AWAY


def test_news_is_said_once_not_kept_and_written_down_after(bench: Bench) -> None:
    bench.tell()
    quiet = HomeTold((replace(MARIA, persons=(replace(ANNA, is_news=False),)),))
    bench.run(lambda: bench.tell(quiet), nothing)
    assert [topic for topic, _ in bench.broker.said].count(SEEN) == 1
    assert bench.home.told_seen == [(7, NEWEST.taken_at)]
    assert SEEN not in bench.broker.kept


def test_a_picture_is_told_again_only_when_there_is_a_newer_one(bench: Bench) -> None:
    bench.tell()
    newer = replace(ANNA, newest=replace(NEWEST, asset_id=71))
    bench.run(nothing, lambda: bench.tell(HomeTold((replace(MARIA, persons=(newer,)),))), nothing)
    assert [payload for topic, payload in bench.broker.said if topic == PICTURE] == [b"jpeg of 70", b"jpeg of 71"]


def test_a_picture_that_cannot_be_had_stops_nothing_and_is_tried_again_later(bench: Bench) -> None:
    bench.tell()
    tries = list[int]()

    def away(asset_id: int) -> bytes:
        tries.append(asset_id)
        raise HostUnreachable("The disk is away")

    bench.home.pictures = away
    bench.run(*[nothing] * 10)
    assert len(tries) == 1
    assert bench.broker.connections == 1
    bench.clock.at += timedelta(minutes=11)
    bench.home.pictures = lambda asset_id: b"there"
    again = Bench(home=bench.home, broker=bench.broker, rows=bench.rows)
    again.run(nothing)
    assert bench.broker.kept[PICTURE] == b"there"


def test_a_picture_that_is_too_large_is_not_told(bench: Bench) -> None:
    bench.home.pictures = lambda asset_id: b"x" * (LARGEST_PICTURE_BYTES + 1)
    bench.tell()
    bench.run(nothing)
    assert PICTURE not in bench.broker.kept


def test_buttons_are_heard_and_nonsense_is_not(bench: Bench) -> None:
    bench.tell()

    def press() -> None:
        for payload in (b"scan", b"pause", b"resume", b"", b"SCAN", b"\xff", b"scan" * 1000):
            bench.broker.press("kinfolk/abc123/do", payload)
        bench.broker.press("kinfolk/abc123/do", b"pause", kept=True)
        bench.broker.press("kinfolk/abc123/pause", b"pause")

    bench.run(press, nothing)
    assert bench.home.wishes == [Wish.SCAN, Wish.PAUSE, Wish.RESUME]


def test_sensors_are_heard_without_telling_anything(bench: Bench) -> None:
    bench.home.sensors = [("cellar", ""), ("ups", "battery"), ("ups", "voltage")]

    def say() -> None:
        bench.broker.press("cellar", b"41", kept=True)
        bench.broker.press("ups", b'{"battery": 20, "voltage": "?"}')
        bench.broker.press("ups", b"garbage")

    bench.run(say, nothing)
    assert bench.home.readings == [(0, 41), (1, 20)]
    assert bench.broker.listening == ["cellar", "ups"]
    assert (bench.broker.will, bench.broker.said) == (None, [])


def test_somebody_who_allows_it_while_only_sensors_are_heard_is_told_about(bench: Bench) -> None:
    bench.home.sensors = [("cellar", "")]
    bench.run(bench.tell, nothing, nothing)
    assert bench.broker.will == (AVAILABLE, b"offline")
    assert "homeassistant/device/kinfolk_abc123/config" in bench.broker.kept


def test_a_wish_that_cannot_be_done_breaks_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.tell()

    def full(_wish: Wish) -> None:
        raise KinfolkError("The disk is full")

    monkeypatch.setattr(bench.home, "asked", full)
    bench.run(lambda: bench.broker.press("kinfolk/abc123/do", b"scan"), nothing)
    assert bench.link.status.failures == 0


class TestPagesInAnotherProcess:
    def test_see_how_the_connection_of_the_worker_stands(self, bench: Bench) -> None:
        rows = Workshop().catalogue.preferences
        bench.link.share(SharedStatus(rows).note)
        bench.tell()
        seen = list[LinkStatus]()
        bench.run(lambda: seen.append(SharedStatus(rows).status), nothing)
        assert (seen[0].state, seen[0].where) == (LinkState.CONNECTED, LOGIN.where)
        assert seen[0].connections == 1
        assert seen[0].since is not None
        assert SharedStatus(rows).status.state is LinkState.RESTING, "after a clean end"

    def test_see_trouble_and_nobody_writes_it_down_at_every_try(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows, written = Workshop().catalogue.preferences, list[str]()
        real = rows.set

        def write(key: str, value: str) -> None:
            written.append(key)
            real(key, value)

        monkeypatch.setattr(rows, "set", write)
        bench.link.share(SharedStatus(rows).note)
        bench.tell()
        bench.broker.failing = BrokerRefused("The broker refused", "Correct it")
        seen = list[str]()
        bench.run(*[nothing] * 20, lambda: seen.append(SharedStatus(rows).status.trouble))
        assert seen == ["The broker refused. Correct it"]
        assert len(written) == 2, "once, and the end"

    def test_a_catalogue_that_cannot_be_written_ends_nothing(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = Workshop().catalogue.preferences

        def full(_key: str, _value: str) -> None:
            raise CatalogueError("full")

        monkeypatch.setattr(rows, "set", full)
        bench.link.share(SharedStatus(rows).note)
        bench.tell()
        bench.run(nothing)
        assert bench.link.status.failures == 0
        assert bench.broker.connections == 1
