"""PhotoPrism's websocket: a hint that something changed, which nobody else hears and nothing depends on."""

import base64
import hashlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plugin.errors import DiskFull
from plugin.hosts.network.login import Login
from plugin.hosts.photoprism.client import PhotoPrismClient
from plugin.hosts.photoprism.host import PhotoPrismHost
from plugin.hosts.photoprism.listening import Listening
from plugin.hosts.photoprism.options import PhotoPrismOptions
from tests.fakes.nextcloud.certificate import self_signed

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455."""


class FakeWebsocket:
    """Accepts connections one after the other, hears the first word of each, and says what `words` has for it.

    Attributes:
        words: what is said on each connection; it is closed afterwards, and stays open when there is nothing to say.
        heard: the request line and the first word of each connection.
        cut_off: how often somebody hung up in the middle of a word.
        left: once for each connection that ended before a word was said.
    """

    def __init__(self, *words: list[bytes], tls: ssl.SSLContext | None = None) -> None:
        self.words = list(words)
        self.heard: list[tuple[str, Any]] = []
        self.greeted, self.left = threading.Semaphore(0), threading.Semaphore(0)
        self.cut_off = 0
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"{'https' if tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"
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
            try:
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
                self._talk(connection)
            except OSError:
                self.left.release()

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
        if len(head) < 6:
            self.left.release()
            return
        length = head[1] & 127
        body = connection.recv(length)
        said = bytes(byte ^ head[2 + number % 4] for number, byte in enumerate(body))
        self.heard.append((request.split("\r\n")[0], json.loads(said)))
        self.greeted.release()
        if self.words:
            try:
                for word in self.words.pop(0):
                    connection.sendall(word)
            except OSError:
                self.cut_off += 1
            connection.close()


def event(name: str) -> bytes:
    return frame(json.dumps({"event": name, "data": {"entities": []}}).encode())


def frame(said: bytes, kind: int = 1) -> bytes:
    length = bytes([len(said)]) if len(said) < 126 else bytes([127]) + struct.pack("!Q", len(said))
    return bytes([0x80 | kind]) + length + said


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
        frame(b"\xff\xfe"), b"\xff\xff\xff", frame(b"ping", 9), frame(b"[" * 100_000), frame(b'{"event":' * 50_000),
    ],
)  # fmt: skip
def test_noise_tells_nothing_and_does_no_harm(listens: Listens, websockets: list[FakeWebsocket], noise: bytes) -> None:
    server = FakeWebsocket([noise], [event("photos.created")])
    websockets.append(server)
    told = listens(server)
    assert told.acquire(timeout=5), "the next connection is heard"
    assert not told.acquire(blocking=False)
    assert len(server.heard) >= 2


@pytest.mark.parametrize("pieces", [1, 64])
def test_a_word_without_an_end_is_not_taken_into_memory(
    listens: Listens, websockets: list[FakeWebsocket], pieces: int
) -> None:
    piece = bytes(64 * 2**20 // pieces)
    begun = bytes([0x01]) + frame(piece)[1:]  # text that goes on in the next frame
    server = FakeWebsocket([begun, *[bytes([0x00]) + frame(piece)[1:]] * (pieces - 1)], [event("photos.created")])
    websockets.append(server)
    assert listens(server).acquire(timeout=10), "the next connection is heard"
    assert server.cut_off == 1


def test_who_could_not_be_told_once_is_told_the_next_time(websockets: list[FakeWebsocket]) -> None:
    server = FakeWebsocket([event("photos.created")], [event("photos.created")])
    websockets.append(server)
    told, calls = threading.Semaphore(0), iter([DiskFull("The disk is full")])

    def tell() -> None:
        told.release()
        for error in calls:
            raise error

    listening = Listening(Login(server.base, "app", "token"), tell, settle=0.01, again=0.2)
    assert told.acquire(timeout=5)
    assert told.acquire(timeout=5)
    assert listening.holds
    listening.stop()
    assert not listening.holds


@pytest.mark.parametrize("pinned", ["the right one", "another one", "none"])
def test_the_token_is_sent_to_the_confirmed_certificate_only(
    websockets: list[FakeWebsocket], tmp_path: Path, pinned: str
) -> None:
    context, fingerprint = self_signed(tmp_path)
    server = FakeWebsocket(tls=context)
    websockets.append(server)
    confirmed = {"the right one": fingerprint, "another one": "ab" * 32, "none": None}[pinned]
    listening = Listening(Login(server.base, "app", "token", confirmed), lambda: None, again=0.02)
    if pinned == "the right one":
        assert server.greeted.acquire(timeout=5)
        assert server.heard == [("GET /api/v1/ws HTTP/1.1", {"session": "token"})]
    else:
        for _ in range(2):
            assert server.left.acquire(timeout=5)
        assert server.heard == []
    listening.stop()


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
