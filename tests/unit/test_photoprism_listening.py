"""PhotoPrism's websocket: a hint that something changed, which nobody else hears and nothing depends on."""

import base64
import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plugin.hosts.network.login import Login
from plugin.hosts.photoprism.client import PhotoPrismClient
from plugin.hosts.photoprism.host import PhotoPrismHost
from plugin.hosts.photoprism.listening import Listening
from plugin.hosts.photoprism.options import PhotoPrismOptions

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455."""


class FakeWebsocket:
    """Accepts connections one after the other, hears the first word of each, and says what `words` has for it.

    Attributes:
        words: what is said on each connection; it is closed afterwards, and stays open when there is nothing to say.
        heard: the request line and the first word of each connection.
    """

    def __init__(self, *words: list[bytes]) -> None:
        self.words = list(words)
        self.heard: list[tuple[str, Any]] = []
        self.greeted = threading.Semaphore(0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        request = connection.recv(4096).decode()
        key = next(
            line.split(": ")[1] for line in request.split("\r\n") if line.lower().startswith("sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1((key + MAGIC).encode()).digest()).decode()
        connection.sendall(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        head = connection.recv(6)
        length = head[1] & 127
        body = connection.recv(length)
        said = bytes(byte ^ head[2 + number % 4] for number, byte in enumerate(body))
        self.heard.append((request.split("\r\n")[0], json.loads(said)))
        self.greeted.release()
        if self.words:
            for word in self.words.pop(0):
                connection.sendall(word)
            connection.close()


def event(name: str) -> bytes:
    return frame(json.dumps({"event": name, "data": {"entities": []}}).encode())


def frame(said: bytes, kind: int = 1) -> bytes:
    assert len(said) < 126
    return bytes([0x80 | kind, len(said)]) + said


Listens = Callable[..., threading.Semaphore]


@pytest.fixture
def listens() -> Iterator[Listens]:
    running: list[Listening] = []

    def start(server: FakeWebsocket) -> threading.Semaphore:
        told = threading.Semaphore(0)
        running.append(Listening(Login(server.base, "app", "token"), told.release, settle=0.05, again=0.02))
        return told

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def websockets() -> Iterator[list[FakeWebsocket]]:
    made: list[FakeWebsocket] = []
    yield made
    for one in made:
        one.close()


def test_what_happens_there_is_told_once_for_many_events(listens: Listens, websockets: list[FakeWebsocket]) -> None:
    server = FakeWebsocket([event("photos.created"), event("photos.updated"), event("photos.archived")])
    websockets.append(server)
    told = listens(server)
    assert told.acquire(timeout=5)
    assert server.greeted.acquire(timeout=5)
    assert server.greeted.acquire(timeout=5), "the connection broke, and was made anew"
    assert not told.acquire(blocking=False)
    assert server.heard[0] == ("GET /api/v1/ws HTTP/1.1", {"session": "token"})


@pytest.mark.parametrize(
    "noise",
    [
        event("config.updated"), frame(b"no json"), frame(b"[1]"), frame(b'{"event": 5}'), frame(b"", 8),
        frame(b"\xff\xfe"), b"\xff\xff\xff", frame(b"ping", 9),
    ],
)  # fmt: skip
def test_noise_tells_nothing_and_does_no_harm(listens: Listens, websockets: list[FakeWebsocket], noise: bytes) -> None:
    server = FakeWebsocket([noise], [event("photos.created")])
    websockets.append(server)
    told = listens(server)
    assert told.acquire(timeout=5), "the next connection is heard"
    assert not told.acquire(blocking=False)
    assert len(server.heard) >= 2


def test_nobody_listens_unless_it_was_chosen_and_there_is_a_login() -> None:
    for options, password in ((PhotoPrismOptions(), "token"), (PhotoPrismOptions(live=True), "")):
        host = PhotoPrismHost(PhotoPrismClient(Login("http://127.0.0.1:9", "app", password)), options)
        assert host.watch(lambda: None) is None
        host.close()


def test_it_stops_while_it_waits_for_a_word(listens: Listens, websockets: list[FakeWebsocket]) -> None:
    server = FakeWebsocket()
    websockets.append(server)
    listening = Listening(Login(server.base, "app", "token"), lambda: None)
    assert server.greeted.acquire(timeout=5)
    listening.stop()
    assert not any(thread.is_alive() for thread in listening._threads)
    listening.stop()
