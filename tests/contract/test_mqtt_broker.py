"""A real Mosquitto: what Home Assistant would find there, and what happens when it goes, refuses or forgets."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Self

import pytest

from plugin.errors import BrokerAway, BrokerRefused
from plugin.mqtt.broker import LARGEST_MESSAGE_BYTES, BrokerLogin, Heard, PahoConnection
from plugin.mqtt.left import LeftAtBroker
from plugin.mqtt.link import SmartHomeLink
from plugin.mqtt.messages import kept
from plugin.ports.smart_home import HomeTold, LinkState, Wish
from tests.fakes.mosquitto import PASSWORD, Listener, Mosquitto, eventually, free_port, kept_at, running
from tests.fakes.smart_home import FakeHome, FakeRows
from tests.unit.test_mqtt_messages import HOME, MARIA, TOPICS

AVAILABLE = "kinfolk/abc123/available"
PICTURE = "kinfolk/abc123/person/7/picture"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with running(tmp_path_factory.mktemp("mosquitto")) as mosquitto:
        yield mosquitto


@pytest.fixture
def broker(shared: Mosquitto) -> Mosquitto:
    """The shared one, with nothing kept there."""
    if shared.process is None:
        shared.start()
    clean = PahoConnection(shared.login, "cleaner", None, lambda heard: None)
    for topic in kept_at(shared):
        if not topic.startswith("$"):
            clean.publish(topic, b"", keep=True)
    clean.close()
    return shared


class Linked:
    """A link that runs, looking often."""

    def __init__(
        self, login: BrokerLogin, told: HomeTold = HOME, rows: FakeRows | None = None, look: LeftAtBroker | None = None
    ) -> None:
        self.home, self.rows = FakeHome(told), rows or FakeRows()
        self._woken = threading.Event()
        self.link = SmartHomeLink(
            self.home, self.rows, TOPICS, lambda: login, look=look, wait=self._wait  # type: ignore[arg-type]  # what it uses
        )  # fmt: skip

    def _wait(self, _seconds: float) -> None:
        self._woken.wait(0.05)

    def __enter__(self) -> Self:
        self.link.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.link.stop()


def wanted(told: HomeTold = HOME) -> dict[str, bytes]:
    return kept(told, TOPICS) | {PICTURE: b"jpeg of 70"}


def ours(mosquitto: Mosquitto) -> dict[str, bytes]:
    return {topic: payload for topic, payload in kept_at(mosquitto).items() if not topic.startswith("$")}


def also_large(mosquitto: Mosquitto) -> dict[str, bytes]:
    """The same as somebody hears it who asked for no limit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("plugin.mqtt.broker.LARGEST_MESSAGE_BYTES", 10**7)
        return ours(mosquitto)


def test_home_assistant_finds_devices_states_and_the_picture_after_a_restart_of_its_own(broker: Mosquitto) -> None:
    with Linked(broker.login) as linked:
        eventually(lambda: linked.home.told_seen != [])
        assert ours(broker) == wanted()
        assert linked.link.status.state is LinkState.CONNECTED


@pytest.mark.parametrize("sensors", [[], [("cellar", "")]])
def test_after_a_restore_to_before_anything_was_allowed_nothing_of_ours_stays(
    broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sensors: list[tuple[str, str]]
) -> None:
    monkeypatch.setattr("plugin.mqtt.link.HEARD_AFTER", timedelta(seconds=0.5))
    with Linked(broker.login) as linked:
        eventually(lambda: linked.home.told_seen != [])
    left = LeftAtBroker(tmp_path)
    left.look_again()
    restored = Linked(broker.login, HomeTold(()), FakeRows(), left)
    restored.home.sensors = sensors
    with restored:
        eventually(lambda: not left.is_due())
    assert also_large(broker) == {}


def test_a_will_that_was_read_meanwhile_does_not_stay(broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody allows anything any more, and the catalogue knows one topic only."""
    monkeypatch.setattr("plugin.mqtt.link.HEARD_AFTER", timedelta(seconds=0.5))
    with Linked(broker.login) as linked:
        eventually(lambda: linked.home.told_seen != [])
    rows = FakeRows({PICTURE})
    with Linked(broker.login, HomeTold(()), rows):
        eventually(lambda: also_large(broker) == {})


def test_clear_finds_what_the_catalogue_does_not_know(broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugin.mqtt.link.HEARD_AFTER", timedelta(seconds=0.5))
    with Linked(broker.login) as linked:
        eventually(lambda: linked.home.told_seen != [])
    unaware = SmartHomeLink(FakeHome(), FakeRows(), TOPICS, lambda: broker.login)  # type: ignore[arg-type]  # what it uses
    assert unaware.clear() == len(wanted())
    assert also_large(broker) == {}


def test_the_end_of_kinfolk_is_told(broker: Mosquitto) -> None:
    with Linked(broker.login) as linked:
        eventually(lambda: linked.home.told_seen != [])
    assert ours(broker)[AVAILABLE] == b"offline"


def test_a_kinfolk_that_dies_is_told_by_its_will(broker: Mosquitto) -> None:
    dying = PahoConnection(broker.login, "dying", (AVAILABLE, b"offline"), lambda heard: None)
    dying.publish(AVAILABLE, b"online", keep=True)
    assert ours(broker)[AVAILABLE] == b"online"
    raw = dying._client.socket()
    assert isinstance(raw, socket.socket)
    raw.shutdown(socket.SHUT_RDWR)
    eventually(lambda: ours(broker)[AVAILABLE] == b"offline")
    assert dying.lost
    dying.close()


@pytest.mark.parametrize(("read_will", "left"), [(True, b"offline"), (False, b"online")])
def test_a_goodbye_reads_the_will_only_when_asked_to(broker: Mosquitto, read_will: bool, left: bytes) -> None:
    connection = PahoConnection(broker.login, "leaving", (AVAILABLE, b"offline"), lambda heard: None)
    connection.publish(AVAILABLE, b"online", keep=True)
    connection.close(read_will=read_will)
    eventually(lambda: ours(broker)[AVAILABLE] == left)


def test_a_new_photo_of_somebody_is_heard_once_and_not_kept(broker: Mosquitto) -> None:
    automation = Listener(broker).listen("kinfolk/abc123/person/7/seen")
    with Linked(broker.login) as linked:
        eventually(lambda: automation.heard != [])
        quiet = kept(HOME, TOPICS)
        linked.home.state = HomeTold(())
    assert json.loads(automation.heard[0].payload)["person"] == "Anna"
    assert not automation.heard[0].kept
    assert "kinfolk/abc123/person/7/seen" not in quiet
    automation.connection.close()


def test_after_everybody_forbade_it_not_one_topic_of_ours_is_left(broker: Mosquitto) -> None:
    with Linked(broker.login) as linked:
        eventually(lambda: linked.home.told_seen != [])
        linked.home.state = HomeTold(())
        eventually(lambda: linked.rows.known == set())
        eventually(lambda: linked.link.status.state is LinkState.RESTING)
    assert ours(broker) == {}


def test_clear_empties_every_topic_after_a_kill(broker: Mosquitto) -> None:
    with Linked(broker.login) as linked:
        eventually(lambda: linked.home.told_seen != [])
        rows = FakeRows(set(linked.rows.known))
    left = Linked(broker.login, HomeTold(()), rows)
    left.link.clear()
    assert ours(broker) == {}
    assert rows.known == set()


def test_after_a_restore_of_an_older_catalogue_nobody_stays_there_who_is_not_chosen(broker: Mosquitto) -> None:
    picture = b"x" * (LARGEST_MESSAGE_BYTES * 2)
    linked = Linked(broker.login)
    linked.home.pictures = lambda asset_id: picture
    with linked:
        eventually(lambda: linked.home.told_seen != [])
    assert also_large(broker)[PICTURE] == picture
    older = HomeTold((replace(MARIA, persons=()),))
    with Linked(broker.login, older):
        eventually(lambda: also_large(broker).keys() == kept(older, TOPICS).keys())


def test_buttons_and_sensors_are_heard(broker: Mosquitto) -> None:
    house = PahoConnection(broker.login, "house", None, lambda heard: None)
    house.publish("ups", b'{"battery": 20}', keep=True)
    linked = Linked(broker.login)
    linked.home.sensors = [("ups", "battery")]
    with linked:
        eventually(lambda: linked.home.readings == [(0, 20)])
        house.publish("kinfolk/abc123/do", b"pause", keep=False)
        eventually(lambda: linked.home.wishes == [Wish.PAUSE])
    house.publish("ups", b"", keep=True)
    house.close()


def test_a_press_that_somebody_kept_at_the_broker_is_not_pressed_at_every_start(broker: Mosquitto) -> None:
    house = PahoConnection(broker.login, "house", None, lambda heard: None)
    house.publish("kinfolk/abc123/do", b"pause", keep=True)
    with Linked(broker.login) as linked:
        eventually(lambda: linked.home.told_seen != [])
        house.publish("kinfolk/abc123/do", b"scan", keep=False)
        eventually(lambda: linked.home.wishes != [])
        assert linked.home.wishes == [Wish.SCAN]
    house.publish("kinfolk/abc123/do", b"", keep=True)
    house.close()


def test_a_flood_from_the_broker_does_not_reach_us(broker: Mosquitto) -> None:
    heard = list[Heard]()
    connection = PahoConnection(broker.login, "small", None, heard.append)
    connection.listen(["flood", "after"])
    sender = PahoConnection(broker.login, "sender", None, lambda heard: None)
    sender.publish("flood", b"x" * (LARGEST_MESSAGE_BYTES * 4), keep=False)
    sender.publish("after", b"fine", keep=False)
    eventually(lambda: heard != [])
    assert [message.topic for message in heard] == ["after"]
    connection.close()
    sender.close()


def test_a_broker_that_comes_late_goes_and_forgets_is_told_everything_again(broker: Mosquitto) -> None:
    broker.stop()
    with Linked(broker.login) as linked:
        eventually(lambda: linked.link.status.failures >= 2)
        status = linked.link.status
        assert (status.state, status.connections) == (LinkState.AWAY, 0)
        assert "cannot be reached" in status.trouble
        broker.start()
        eventually(lambda: linked.link.status.state is LinkState.CONNECTED)
        broker.stop()
        eventually(lambda: linked.link.status.state is LinkState.AWAY)
        broker.start()
        eventually(lambda: linked.link.status.connections >= 2)
        eventually(lambda: ours(broker).keys() == wanted().keys())
        assert linked.link.status.trouble == ""


@pytest.mark.parametrize(("user", "password"), [("kinfolk", "wrong"), ("stranger", PASSWORD), ("", "")])
def test_a_wrong_password_is_refused_in_words_and_not_shown(broker: Mosquitto, user: str, password: str) -> None:
    with pytest.raises(BrokerRefused, match="refused user and password") as caught:
        PahoConnection(BrokerLogin("127.0.0.1", broker.port, user, password), "x", None, lambda heard: None)
    assert "mqtt.password" in caught.value.advice
    assert not password or password not in caught.value.explanation


def test_a_user_who_may_not_write_is_refused_in_words(broker: Mosquitto) -> None:
    connection = PahoConnection(
        BrokerLogin("127.0.0.1", broker.port, "reader", PASSWORD), "reader", None, lambda heard: None
    )
    with pytest.raises(BrokerRefused, match="does not let Kinfolk publish"):
        connection.publish("kinfolk/x", b"1", keep=True)
    connection.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid"])
def test_no_broker_there_is_said_in_words(host: str) -> None:
    with pytest.raises(BrokerAway, match=rf"{host}:\d+ cannot be reached"):
        PahoConnection(BrokerLogin(host, free_port()), "x", None, lambda heard: None)


def test_something_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugin.mqtt.broker.SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(BrokerAway, match="no answer"):
        PahoConnection(BrokerLogin("127.0.0.1", silent.getsockname()[1]), "x", None, lambda heard: None)


# Paho leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_a_broker_without_tls_is_no_broker_with_tls(broker: Mosquitto) -> None:
    login = BrokerLogin("127.0.0.1", broker.port, "kinfolk", PASSWORD, tls=True)
    with pytest.raises(BrokerAway):
        PahoConnection(login, "x", None, lambda heard: None)


def test_a_certificate_nobody_vouches_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise ssl.SSLCertVerificationError(1, "self-signed certificate")

    monkeypatch.setattr("paho.mqtt.client.Client.connect", unknown)
    with pytest.raises(BrokerRefused, match="Nobody vouches"):
        PahoConnection(BrokerLogin("broker", 8883, tls=True), "x", None, lambda heard: None)


def test_links_leave_no_thread_behind(broker: Mosquitto, tmp_path: Path) -> None:
    before = threading.active_count()
    for _ in range(3):
        with Linked(broker.login) as linked:
            eventually(lambda linked=linked: linked.home.told_seen != [])  # type: ignore[misc]  # a default binds it
    assert threading.active_count() == before
