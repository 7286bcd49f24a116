"""A smart home without a broker: what was told, and what can go wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from paho.mqtt.client import topic_matches_sub

from plugin.errors import BrokerAway, KinfolkError
from plugin.mqtt.broker import BrokerLogin, Heard, OnHeard
from plugin.ports.smart_home import HomeTold, LinkState, LinkStatus, Wish


@dataclass
class FakeBroker:
    """Keeps what is to be kept.

    `failing`: raised by whoever connects; `deaf_after`: messages before it breaks; `is_slow`: it says what it keeps
    when the test asks for it, as a real one does a moment after somebody began to listen.
    """

    kept: dict[str, bytes] = field(default_factory=dict)
    said: list[tuple[str, bytes]] = field(default_factory=list)
    listening: list[str] = field(default_factory=list)
    failing: KinfolkError | None = None
    deaf_after: int | None = None
    connections: int = 0
    will: tuple[str, bytes] | None = None
    lost: bool = False
    is_slow: bool = False
    on_heard: OnHeard = lambda heard: None

    def open(self, login: BrokerLogin, name: str, will: tuple[str, bytes] | None, on_heard: OnHeard) -> "FakeBroker":
        if self.failing:
            raise self.failing
        self.connections += 1
        self.will, self.on_heard, self.lost, self.listening = will, on_heard, False, []
        return self

    def listen(self, topics: list[str]) -> None:
        self.listening += topics
        if not self.is_slow:
            self.say_what_is_kept()

    def say_what_is_kept(self) -> None:
        for topic, payload in list(self.kept.items()):
            if any(topic_matches_sub(pattern, topic) for pattern in self.listening):
                self.on_heard(Heard(topic, payload, kept=True))

    def publish(self, topic: str, payload: bytes, *, keep: bool) -> None:
        if self.deaf_after is not None and len(self.said) >= self.deaf_after:
            self.break_off()
            raise BrokerAway("The connection was lost")
        self.said.append((topic, payload))
        if keep and payload:
            self.kept[topic] = payload
        elif keep:
            self.kept.pop(topic, None)

    def break_off(self) -> None:
        """The connection breaks, so the will is read."""
        self.lost = True
        if self.will:
            self.kept[self.will[0]] = self.will[1]

    def close(self, *, read_will: bool = False) -> None:
        if read_will and not self.lost:
            self.break_off()

    def press(self, topic: str, payload: bytes, *, kept: bool = False) -> None:
        self.on_heard(Heard(topic, payload, kept))


@dataclass
class FakeRows:
    """`SmartHomeRows`, as far as the link uses it."""

    known: set[str] = field(default_factory=set)

    def topics(self) -> set[str]:
        return set(self.known)

    def note_topics(self, topics: object) -> None:
        self.known |= set(topics)  # type: ignore[call-overload]  # a collection

    def forget_topics(self, topics: object) -> None:
        self.known -= set(topics)  # type: ignore[call-overload]  # a collection


@dataclass
class FakeHome:
    """`Home`: what is told is set by the test."""

    state: HomeTold = field(default_factory=lambda: HomeTold(()))
    sensors: list[tuple[str, str]] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    readings: list[tuple[int, float]] = field(default_factory=list)
    told_seen: list[tuple[int, datetime]] = field(default_factory=list)
    pictures: Callable[[int], bytes] = lambda asset_id: b"jpeg of %d" % asset_id

    def is_told(self) -> bool:
        return bool(self.state.accounts)

    def told(self) -> HomeTold:
        return self.state

    def picture(self, account_id: int, asset_id: int) -> bytes:
        return self.pictures(asset_id)

    def asked(self, wish: Wish) -> None:
        self.wishes.append(wish)

    def seen(self, person_id: int, taken_at: datetime) -> None:
        self.told_seen.append((person_id, taken_at))

    def sensor_topics(self) -> list[tuple[str, str]]:
        return self.sensors

    def heard(self, sensor: int, value: float, *, kept: bool = False) -> None:
        self.readings.append((sensor, value))


@dataclass
class FakeLink:
    """`plugin.mqtt.link.SmartHomeLink`, as the pages see it."""

    status: LinkStatus = field(
        default_factory=lambda: LinkStatus(LinkState.CONNECTED, "core-mosquitto:1883", connections=2, failures=1)
    )
    woken: int = 0

    def wake(self) -> None:
        self.woken += 1


@dataclass
class HandMovedClock:
    """Time passes only when somebody waits; after the last planned wait the link is told to stop."""

    at: datetime = datetime(2026, 5, 4, tzinfo=UTC)
    waits: list[float] = field(default_factory=list)
    plan: list[Callable[[], None]] = field(default_factory=list)
    stop: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += timedelta(seconds=seconds)
        if self.plan:
            self.plan.pop(0)()
        else:
            self.stop()
