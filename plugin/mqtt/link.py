"""Keeps the connection to the broker: tells what changed, takes back what is not to be told, hears what is asked.

All of it in a thread of its own, so that neither a page nor a scan ever waits for a broker.
"""

import hashlib
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue

from plugin.domain import AccountId
from plugin.errors import BrokerError, KinfolkError
from plugin.mqtt.broker import BrokerLogin, Connection, Heard, OnHeard, PahoConnection
from plugin.mqtt.left import Look, NothingToLookFor
from plugin.mqtt.messages import OFFLINE, kept, seen
from plugin.mqtt.readings import reading
from plugin.mqtt.topics import Topics
from plugin.ports.smart_home import Home, HomeTold, LinkState, LinkStatus, NewestPhoto, PersonTold, SmartHomeRows, Wish

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""How often what changed is looked for: four questions to the catalogue for each account."""

REST_SECONDS = 30.0
"""How often it is looked whether there is anything to tell at all."""

FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
"""After a failure; each time twice as long."""

STEADY = timedelta(minutes=1)

PICTURE_AGAIN = timedelta(minutes=10)
"""A picture that cannot be had now (the host is away) is tried again this much later."""

LARGEST_PICTURE_BYTES = 512 * 1024

HEARD_AFTER = timedelta(seconds=3)
"""By then a broker has said everything it keeps to whoever began to listen; nobody tells when it is done."""

Opens = Callable[[BrokerLogin, str, tuple[str, bytes] | None, OnHeard], Connection]


class SmartHomeLink:
    """Tells a smart home, as long as it runs.

    Args:
        home: what is told, and what is done when it asks.
        rows: where something of ours may be kept by the broker.
        topics: where everything is told.
        login: which broker, asked before every connection. Raises `BrokerError`.
        look: whether the broker may keep what the catalogue does not know.
        opens: makes a connection; tests pass their own.
        wait: sleeps for so many seconds, unless it is woken; tests pass their own.
        clock: what time it is, aware.
    """

    def __init__(
        self,
        home: Home,
        rows: SmartHomeRows,
        topics: Topics,
        login: Callable[[], BrokerLogin],
        *,
        look: Look | None = None,
        opens: Opens = PahoConnection,
        wait: Callable[[float], None] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._home = home
        self._rows = rows
        self._topics = topics
        self._login = login
        self._look = look or NothingToLookFor()
        self._opens = opens
        self._clock = clock
        self._stopping, self._woken = threading.Event(), threading.Event()
        self._wait = wait or self._wait_until_woken
        self._thread = threading.Thread(target=self._run, name="smart-home", daemon=True)
        self._status = LinkStatus(LinkState.RESTING)
        self._share: Callable[[LinkStatus], None] = lambda _status: None
        self._told: dict[str, str] = {}
        self._pictures_due: dict[str, datetime] = {}
        self._found: SimpleQueue[str] = SimpleQueue()

    @property
    def status(self) -> LinkStatus:
        """How the connection stands."""
        return self._status

    def share(self, note: Callable[[LinkStatus], None]) -> None:
        """Say how it stands at every change, too: another process serves the pages. Call before `start`."""
        self._share = note

    def start(self) -> None:
        """Begin; whether the broker is there does not matter."""
        self._thread.start()

    def stop(self) -> None:
        """Say that we are away, and end. Safe to call twice."""
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)
        self._share(LinkStatus(LinkState.RESTING))

    def wake(self) -> None:
        """Something changed that should be told now."""
        self._woken.set()

    def clear(self) -> int:
        """Take everything back that was ever told, now and here; how many topics. Raises `BrokerError`.

        The broker is looked at in any case: a catalogue may be older than what was told.
        """
        connection = self._opens(self._login(), self._topics.device, None, self._note_found)
        try:
            connection.listen(self._topics.everywhere)
            self._wait(HEARD_AFTER.total_seconds())
            self._rows.note_topics(self._found_there() - self._rows.topics())
            topics = self._rows.topics()
            self._take_back(connection, topics)
        finally:
            connection.close()
        self._look.done()
        return len(topics)

    def _run(self) -> None:
        """Whatever happens, it is tried again: a thread that ends says nothing more, and takes nothing back."""
        pause = FIRST_WAIT
        while not self._stopping.is_set():
            try:
                if self._is_needed():
                    self._connect()
                self._note(LinkState.RESTING)
                self._wait(REST_SECONDS)
            except BrokerError as error:
                pause = FIRST_WAIT if self._lasted() else min(2 * pause, LONGEST_WAIT)
                self._failed(error.explanation)
                self._wait(pause)
            except KinfolkError as error:  # the catalogue: others say so louder
                self._failed(error.explanation)
                self._wait(LONGEST_WAIT)
            except Exception as error:
                log.exception("Smart home")
                self._failed(_unexpected(error).explanation)
                self._wait(LONGEST_WAIT)

    def _lasted(self) -> bool:
        """Whether there was a connection that held: one that breaks at once (a twin of us?) is no reason to hurry."""
        since = self._status.since
        return self._status.state is LinkState.CONNECTED and since is not None and self._clock() - since >= STEADY

    def _is_needed(self) -> bool:
        home = self._home
        return home.is_told() or bool(home.sensor_topics()) or bool(self._rows.topics()) or self._look.is_due()

    def _connect(self) -> None:
        """Connect, and serve for as long as there is something to tell or to hear."""
        login, is_told = self._login(), self._home.is_told()
        self._status = replace(self._status, where=login.where)
        will = (self._topics.available, OFFLINE) if is_told else None
        if is_told:
            self._rows.note_topics({self._topics.available})
        connection = self._opens(login, self._topics.device, will, self._heard)
        try:
            self._told.clear()
            self._note(LinkState.CONNECTED, connections=self._status.connections + 1)
            may_be_there = is_told or self._rows.topics() or self._look.is_due()
            everywhere = self._topics.everywhere if may_be_there else []
            connection.listen([*everywhere, *dict.fromkeys(topic for topic, _ in self._home.sensor_topics())])
            self._serve(connection, is_told=is_told)
        except BaseException:
            connection.close(read_will=True)
            raise
        connection.close()

    def _serve(self, connection: Connection, *, is_told: bool) -> None:
        """Until it is told to stop, or nobody (or somebody for the first time) allows anything."""
        began = self._clock()
        while not self._stopping.is_set():
            has_heard_all = self._clock() - began >= HEARD_AFTER
            self.tell(connection)
            if has_heard_all:
                self._look.done()
            if self._home.is_told() != is_told or (has_heard_all and not self._is_needed()):
                return
            self._wait(LOOK_SECONDS)
            if connection.lost:
                raise BrokerError("The connection to the MQTT broker was lost", "It is made again by itself")
        if is_told:
            connection.publish(self._topics.available, OFFLINE, keep=True)

    def tell(self, connection: Connection) -> None:
        """Tell what changed since it was told last, and take back what is not to be told any more."""
        told = self._home.told()
        messages, pictures = kept(told, self._topics), self._pictures(told)
        wanted = messages.keys() | pictures.keys()
        known = self._rows.topics()
        self._rows.note_topics((wanted | self._found_there()) - known)
        self._take_back(connection, self._rows.topics() - wanted)
        for topic, payload in messages.items():
            self._keep(connection, topic, hashlib.sha256(payload).hexdigest(), lambda payload=payload: payload)  # type: ignore[misc]  # a default binds it
        for topic, (account_id, newest) in pictures.items():
            self._keep_picture(connection, topic, account_id, newest)
        for account in told.accounts:
            for person in account.persons:
                self._tell_news(connection, person)

    def _found_there(self) -> set[str]:
        """What the broker keeps of ours, whether we know of it or not: a restored catalogue may not."""
        found = set[str]()
        while not self._found.empty():
            found |= self._topics.ours(self._found.get_nowait())
        return found

    def _take_back(self, connection: Connection, topics: set[str]) -> None:
        # Devices first: a device whose states are gone would be shown as unknown for a moment.
        for topic in sorted(topics, key=lambda topic: (not topic.endswith("/config"), topic)):
            connection.publish(topic, b"", keep=True)
            self._told.pop(topic, None)
            self._rows.forget_topics({topic})

    def _keep(self, connection: Connection, topic: str, version: str, payload: Callable[[], bytes]) -> None:
        if self._told.get(topic) != version:
            connection.publish(topic, payload(), keep=True)
            self._told[topic] = version

    def _pictures(self, told: HomeTold) -> dict[str, tuple[AccountId, NewestPhoto]]:
        return {
            self._topics.person(person.id, "picture"): (account.id, person.newest)
            for account in told.accounts
            for person in account.persons
            if person.with_picture and person.newest
        }

    def _keep_picture(self, connection: Connection, topic: str, account_id: AccountId, newest: NewestPhoto) -> None:
        version = f"{newest.asset_id} {newest.content_key}"
        due = self._pictures_due.get(topic)
        if self._told.get(topic) == version or (due is not None and self._clock() < due):
            return
        self._pictures_due.pop(topic, None)
        try:
            picture = self._home.picture(account_id, newest.asset_id)
        except Exception as error:  # noqa: BLE001  whatever is wrong with one picture, the rest is told
            log.info("The newest photo of a person cannot be told now: %s", error)
            self._pictures_due[topic] = self._clock() + PICTURE_AGAIN
            return
        if len(picture) <= LARGEST_PICTURE_BYTES:
            self._keep(connection, topic, version, lambda: picture)

    def _tell_news(self, connection: Connection, person: PersonTold) -> None:
        """Told, then written down: after a kill in between it is told twice rather than never."""
        if person.is_news and person.newest:
            connection.publish(self._topics.person(person.id, "seen"), seen(person), keep=False)
            self._home.seen(person.id, person.newest.taken_at)

    def _heard(self, heard: Heard) -> None:
        try:
            self._note_found(heard)
            if heard.topic == self._topics.wishes:
                self._hear_wish(heard)
            for number, (topic, key) in enumerate(self._home.sensor_topics()):
                value = reading(heard.payload, key) if topic == heard.topic else None
                if value is not None:
                    self._home.heard(number, value, kept=heard.kept)
        except KinfolkError as error:
            log.warning("%s", error.explanation)
        except Exception:  # Paho's thread would end, and nobody notice
            log.exception("A message of the MQTT broker")

    def _note_found(self, heard: Heard) -> None:
        if heard.kept and heard.payload:
            self._found.put(heard.topic)

    def _hear_wish(self, heard: Heard) -> None:
        """A press that somebody kept at the broker would be pressed again at every start, so it does not count."""
        if not heard.kept and heard.payload in {wish.value.encode() for wish in Wish}:
            self._home.asked(Wish(heard.payload.decode()))
            self.wake()

    def _failed(self, trouble: str) -> None:
        if self._status.trouble != trouble:
            log.warning("Smart home: %s", trouble)
        self._note(LinkState.AWAY, trouble=trouble, failures=self._status.failures + 1)

    def _note(
        self, state: LinkState, *, trouble: str = "", connections: int | None = None, failures: int | None = None
    ) -> None:
        now = self._status
        self._status = LinkStatus(
            state=state,
            where=now.where,
            trouble=trouble,
            connections=now.connections if connections is None else connections,
            failures=now.failures if failures is None else failures,
            since=now.since if now.state is state else self._clock(),
        )
        self._share(self._status)

    def _wait_until_woken(self, seconds: float) -> None:
        self._woken.wait(seconds)
        if not self._stopping.is_set():
            self._woken.clear()


def _unexpected(error: Exception) -> BrokerError:
    return BrokerError(
        "Home Assistant could not be told anything (%(reason)s)",
        "It is tried again by itself; the log says more",
        reason=repr(error)[:200],
    )
