"""Hearing of changes over PhotoPrism's websocket (`internal/api/websocket.go`). A hint only, and off unless chosen.

It is for PhotoPrism's own pages and promises nothing: what was missed is found by the next comparison. Nothing that is
heard is believed but that something happened.
"""

import hashlib
import json
import logging
import ssl
import threading
from collections.abc import Callable
from typing import Any

import websocket

from plugin.hosts.network.client import USER_AGENT
from plugin.hosts.network.login import Login

log = logging.getLogger(__name__)

TELLING = ("photos.", "index.completed", "import.completed", "upload.saved", "people.", "subjects.")
"""How the names of events begin that say that a comparison may find something."""

SETTLE_SECONDS = 5.0
"""An import tells of every photo."""

AGAIN_SECONDS = 60.0
"""After the connection broke; a PhotoPrism that restarts is back by then."""

READ_SECONDS = 120.0
"""Without a word in between, the connection is made anew; PhotoPrism pings."""

LONGEST_WORD = 2**20
"""Bytes; events about thousands of photos are some hundred kilobytes."""


class BoundedSocket(websocket.WebSocket):
    """Reads no word longer than `LONGEST_WORD`, be it one frame or many. `room`: what it may still read."""

    room = LONGEST_WORD

    def _recv(self, bufsize: int) -> bytes:
        if bufsize > self.room:
            raise ValueError("too much")
        read: bytes = super()._recv(bufsize)  # type: ignore[no-untyped-call]  # the library's own
        self.room -= len(read)
        return read


class Listening:
    """A running watch.

    Args:
        login: where, and who we are.
        on_change: called from another thread, once for what comes within a few seconds.
        settle, again: seconds; tests are in a hurry.
    """

    def __init__(
        self,
        login: Login,
        on_change: Callable[[], None],
        *,
        settle: float = SETTLE_SECONDS,
        again: float = AGAIN_SECONDS,
    ) -> None:
        self._login = login
        self._on_change = on_change
        self._settle = settle
        self._again = again
        self._stopping = threading.Event()
        self._heard = threading.Event()
        self._socket: BoundedSocket | None = None
        self._threads = [
            threading.Thread(target=run, name="photoprism-websocket", daemon=True) for run in (self._listen, self._tell)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def holds(self) -> bool:
        """Until it is stopped: a broken connection is made anew by itself."""
        return not self._stopping.is_set() and all(thread.is_alive() for thread in self._threads)

    @property
    def sees_everything(self) -> bool:
        """Never; see the module."""
        return False

    def stop(self) -> None:
        """End the connection and the threads. Safe to call twice."""
        self._stopping.set()
        self._heard.set()
        connected: Any = self._socket
        if connected is not None:
            connected.abort()  # wakes whoever waits for a word
        for thread in self._threads:
            thread.join(5)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                self._connect()
                while not self._stopping.is_set():
                    self._hear()
            except (OSError, websocket.WebSocketException, ValueError, RecursionError) as error:
                log.debug("%s: %s", self._login.base, type(error).__name__)
            finally:
                self._close()
            self._stopping.wait(self._again)

    def _connect(self) -> None:
        scheme, _, rest = self._login.base.partition("://")
        options = {"cert_reqs": ssl.CERT_NONE, "check_hostname": False} if self._login.fingerprint else {}
        connected: Any = BoundedSocket(sslopt=options)
        connected.settimeout(READ_SECONDS)
        connected.connect(
            f"{'wss' if scheme == 'https' else 'ws'}://{rest}/api/v1/ws",
            header=[f"User-Agent: {USER_AGENT}"],
            http_no_proxy=["*"],
            redirect_limit=0,
        )
        self._socket = connected
        self._check_certificate(connected)
        connected.send(json.dumps({"session": self._login.password}))

    def _check_certificate(self, connected: websocket.WebSocket) -> None:
        """Before the token is sent. Raises `ValueError` for another certificate than the one that was confirmed."""
        if self._login.fingerprint:
            secured: Any = connected.sock
            if hashlib.sha256(secured.getpeercert(binary_form=True)).hexdigest() != self._login.fingerprint:
                raise ValueError("another certificate")

    def _hear(self) -> None:
        connected = self._socket
        if connected is None:
            raise ValueError("no connection")
        connected.room = LONGEST_WORD
        said = connected.recv()
        if not said:
            raise ValueError("nothing")
        word = json.loads(said)
        event = word.get("event") if isinstance(word, dict) else None
        if isinstance(event, str) and event.startswith(TELLING):
            self._heard.set()

    def _tell(self) -> None:
        while not self._stopping.is_set():
            self._heard.wait()
            if self._stopping.wait(self._settle):
                return
            self._heard.clear()
            try:
                self._on_change()
            except Exception:  # it outlives a callback that fails (a full disk, say); the next event calls it again
                log.exception("A change at PhotoPrism could not be reported")

    def _close(self) -> None:
        connected: Any = self._socket
        self._socket = None
        if connected is not None:
            connected.shutdown()
