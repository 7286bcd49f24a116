"""One connection to an MQTT broker, through Eclipse Paho (https://eclipse.dev/paho/files/paho.mqtt.python/html/).

It does not reconnect by itself: `plugin.mqtt.link` does, so that there is one place that waits, counts and gives up.
"""

import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from plugin.errors import BrokerAway, BrokerRefused

SECONDS = 10.0
"""How long the broker may take for anything."""

STEP_SECONDS = 0.2

KEEPALIVE_SECONDS = 60

LARGEST_MESSAGE_BYTES = 64 * 1024
"""The broker is told to send us nothing larger: a sensor says a number, a button a word."""

LOGIN_REFUSED = {134, 135}
"""MQTT 5 reason codes: bad user name or password, not authorised."""


@dataclass(frozen=True, slots=True)
class BrokerLogin:
    """Where the broker is and who we are there.

    Attributes:
        certificate_file: who vouches for it, "" for those the system trusts; only with `tls`.
    """

    host: str
    port: int = 1883
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    certificate_file: str = ""

    @property
    def where(self) -> str:
        """For people."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Heard:
    """A message. `kept`: it was there before we asked for it."""

    topic: str
    payload: bytes
    kept: bool


OnHeard = Callable[[Heard], None]


class Connection(Protocol):
    """What the link needs of a connection that is open."""

    @property
    def lost(self) -> bool:
        """Whether it broke."""
        ...

    def listen(self, topics: list[str]) -> None:
        """Hear these. Raises `BrokerAway`."""
        ...

    def publish(self, topic: str, payload: bytes, *, keep: bool) -> None:
        """Say it; the broker has it when this returns. An empty message that is kept removes. Raises `BrokerAway`."""
        ...

    def close(self, *, read_will: bool = False) -> None:
        """Say goodbye; the last will is read only when this asks for it. Safe to call twice."""
        ...


class PahoConnection:
    """An open connection.

    Args:
        login: where, and who.
        name: of this client at the broker; a second one of the same name would throw the first one out.
        will: (topic, message) that is kept there when the connection breaks; None for nothing.
        on_heard: called in a thread of Paho's.

    Raises:
        BrokerAway, BrokerRefused.
    """

    def __init__(self, login: BrokerLogin, name: str, will: tuple[str, bytes] | None, on_heard: OnHeard) -> None:
        self._login = login
        self._on_heard = on_heard
        self._answered, self._lost = threading.Event(), threading.Event()
        self._refusal: ReasonCode | None = None
        self._denied = False
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False
        )
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._message
        self._client.on_publish = self._taken
        self._client.connect_timeout = SECONDS
        if login.user:
            self._client.username_pw_set(login.user, login.password)
        if will:
            self._client.will_set(will[0], will[1], qos=1, retain=True)
        self._open()

    @property
    def lost(self) -> bool:
        """Whether it broke."""
        return self._lost.is_set()

    def listen(self, topics: list[str]) -> None:
        """Hear these."""
        for topic in topics:
            code, _ = self._client.subscribe(topic, qos=1)
            self._expect(code)

    def publish(self, topic: str, payload: bytes, *, keep: bool) -> None:
        """Say it and wait until the broker has it."""
        said = self._client.publish(topic, payload, qos=1, retain=keep)
        self._expect(said.rc)
        try:
            deadline = time.monotonic() + SECONDS
            # Paho would wait on although the connection is lost.
            while not said.is_published() and not self.lost and time.monotonic() < deadline:
                said.wait_for_publish(STEP_SECONDS)
        except (RuntimeError, ValueError) as error:
            raise self._away("the connection was lost") from error
        if not said.is_published():
            raise self._away("it takes no messages")
        if self._denied:
            raise BrokerRefused(
                "The MQTT broker %(where)s does not let Kinfolk publish",
                "Allow its user to write below mqtt.topic and mqtt.discovery_prefix",
                where=self._login.where,
            )

    def close(self, *, read_will: bool = False) -> None:
        """Say goodbye."""
        with_will = ReasonCode(PacketTypes.DISCONNECT, identifier=4)
        self._client.disconnect(with_will if read_will else None)
        self._client.loop_stop()

    def _open(self) -> None:
        try:
            if self._login.tls:
                self._client.tls_set_context(ssl.create_default_context(cafile=self._login.certificate_file or None))
            limits = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # Paho left it so
            limits.MaximumPacketSize = LARGEST_MESSAGE_BYTES
            self._client.connect(self._login.host, self._login.port, KEEPALIVE_SECONDS, properties=limits)
        except ssl.SSLCertVerificationError as error:
            raise BrokerRefused(
                "Nobody vouches for the certificate of the MQTT broker %(where)s",
                "Name a file with its certificate in mqtt.certificate_file",
                where=self._login.where,
            ) from error
        except (OSError, ValueError) as error:
            raise self._away(getattr(error, "strerror", None) or str(error) or type(error).__name__) from error
        self._client.loop_start()
        if not self._answered.wait(SECONDS) or self._refusal or self.lost:
            self.close()
            raise self._not_let_in()

    def _not_let_in(self) -> BrokerAway | BrokerRefused:
        if self._refusal is None:
            return self._away("no answer")
        if self._refusal.value in LOGIN_REFUSED:
            return BrokerRefused(
                "The MQTT broker %(where)s refused user and password",
                "Correct mqtt.user and mqtt.password",
                where=self._login.where,
            )
        return self._away(self._refusal.getName())

    def _away(self, reason: str) -> BrokerAway:
        return BrokerAway(
            "The MQTT broker %(where)s cannot be reached (%(reason)s)",
            "It is tried again by itself",
            where=self._login.where,
            reason=reason,
        )

    def _expect(self, code: MQTTErrorCode) -> None:
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise self._away("the connection was lost")

    def _connected(self, _client: Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:  # noqa: ANN401  Paho's
        if code.is_failure:
            self._refusal = code
        self._answered.set()

    def _disconnected(self, _client: Client, _data: Any, _flags: Any, _code: ReasonCode, _properties: Any) -> None:  # noqa: ANN401  Paho's
        self._lost.set()
        self._answered.set()

    def _taken(self, _client: Client, _data: Any, _mid: int, code: ReasonCode, _properties: Any) -> None:  # noqa: ANN401  Paho's
        self._denied = self._denied or code.is_failure

    def _message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:  # noqa: ANN401  Paho's
        self._on_heard(Heard(message.topic, bytes(message.payload), bool(message.retain)))
