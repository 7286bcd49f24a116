"""A stand-in for a program on loopback: started and stopped, every request counted, knobs for what goes wrong."""

import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came and the answer it got: what tests count and validate."""

    method: str
    path: str
    query: dict[str, str]
    status: int
    headers: dict[str, str]
    said: bytes = field(default=b"", repr=False)
    answer: bytes = field(default=b"", repr=False)


class QuietHandler(WSGIRequestHandler):
    """Nothing on stderr."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name is werkzeug's
        """Nothing."""


class KeepingHandler(QuietHandler):
    """HTTP/1.1, so that connections are kept."""

    protocol_version = "HTTP/1.1"


class OnLoopback:
    """A WSGI application on a free port of loopback; use it as a context manager."""

    _server: BaseWSGIServer | None = None

    @property
    def address(self) -> str:
        """`http://127.0.0.1:port`, without a trailing slash."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._server = make_server("127.0.0.1", 0, self, threaded=True, request_handler=QuietHandler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """The WSGI application."""
        raise NotImplementedError


class FakeServer:
    """A running fake; use it as a context manager. A fake of a program says how it answers (`answer`).

    Attributes:
        seen: every request, in order.
        latency: seconds before each answer.
        interfere: called with every request first; what it returns is the answer, None goes on.
    """

    name = "fake"

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.latency = 0.0
        self.interfere: Callable[[Request], Response | None] = lambda _request: None
        self._tls = tls
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._port = 0
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """`http://127.0.0.1:port`, without a trailing slash."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def asked(self) -> Counter[str]:
        """How many requests of each method came."""
        return Counter(seen.method for seen in self.seen)

    def start(self) -> None:
        """Listen; at the same port as before when it was stopped in between."""
        self._server = make_server(
            "127.0.0.1", self._port, self, threaded=True, request_handler=KeepingHandler, ssl_context=self._tls
        )
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Be away. `start` brings it back with the same state and address."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        """The WSGI application."""
        request = Request(environ)
        if self.latency:
            time.sleep(self.latency)
        answer = self._first(request) or self.answer(request)
        query = {name: request.args[name] for name in request.args}
        said = request.get_data(cache=True) if self.keeps_bodies else b""
        answered = answer.get_data() if self.keeps_bodies else b""
        with self._lock:
            headers = dict(request.headers)
            self.seen.append(Seen(request.method, request.path, query, answer.status_code, headers, said, answered))
        return answer(environ, start_response)

    keeps_bodies = False
    """Whether `seen` has bodies: for fakes that answer with little."""

    def answer(self, request: Request) -> Response:
        """How the program answers."""
        raise NotImplementedError

    def _first(self, request: Request) -> Response | None:
        if self._server is None:
            return Response("", 502)  # a kept connection to a server that was stopped
        return self.interfere(request)
