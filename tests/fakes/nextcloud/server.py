"""Serves a `Cloud` on loopback: who asks, which part answers, and the knobs for what goes wrong."""

import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from tests.fakes.nextcloud import dav, login_flow, ocs, previews, tags
from tests.fakes.nextcloud.answers import Part, dav_error, sabre_name, unauthorised
from tests.fakes.nextcloud.cloud import Cloud, CloudError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came: what tests count."""

    method: str
    path: str
    status: int
    headers: dict[str, str]


class QuietHandler(WSGIRequestHandler):
    """HTTP/1.1, so that connections are kept, and nothing on stderr."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name is werkzeug's
        """Nothing."""


class FakeNextcloud:
    """A running fake; use it as a context manager.

    Attributes:
        cloud: the state; change it as users would.
        parts: who answers what, longest prefix first; add to it to extend the fake.
        seen: every request, in order.
        maintenance: answer everything with 503 and Nextcloud's header, as `occ maintenance:mode --on` does.
        latency: seconds before each answer.
        interfere: called with every request first; what it returns is the answer, None goes on.
        version: major version.
        infinite: whether `Depth: infinity` is honoured; else Sabre answers as if it were 1.
        throttle_after: so many wrong passwords, and every answer is 429.
    """

    def __init__(self, cloud: Cloud | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.cloud = cloud or Cloud()
        self.seen: list[Seen] = []
        self.maintenance = False
        self.latency = 0.0
        self.interfere: Callable[[Request], Response | None] = lambda _request: None
        self.version = 27
        self.infinite = True
        self.throttle_after = 10
        self.wrong_passwords = 0
        self.parts: list[Part] = [*dav.PARTS, *tags.PARTS, *ocs.PARTS, *previews.PARTS, *login_flow.make_parts()]
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
            "127.0.0.1", self._port, self, threaded=True, request_handler=QuietHandler, ssl_context=self._tls
        )
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="nextcloud", daemon=True)
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
        answer = self._answer(request)
        with self._lock:
            self.seen.append(Seen(request.method, request.path, answer.status_code, dict(request.headers)))
        return answer(environ, start_response)

    def _answer(self, request: Request) -> Response:
        first = self._out_of_order(request)
        if first is not None:
            return first
        part = self._part(request.path)
        if part is None:
            return Response("Not found", 404, content_type="text/html; charset=UTF-8")
        user, refused = self._who(request, part)
        if refused is not None:
            return refused
        try:
            return part.handler(self, request, user)
        except CloudError as error:
            return dav_error(error.status, error.kind or sabre_name(error.status), str(error))

    def _out_of_order(self, request: Request) -> Response | None:
        if self._server is None:
            return Response("", 502)  # a kept connection to a server that was stopped
        interfered = self.interfere(request)
        if interfered is None and self.maintenance and not request.path.startswith("/status.php"):
            return self._maintenance(request)
        return interfered

    def _part(self, path: str) -> Part | None:
        fitting = [part for part in self.parts if path.startswith(part.prefix)]
        return max(fitting, key=lambda part: len(part.prefix), default=None)

    def _who(self, request: Request, part: Part) -> tuple[str, Response | None]:
        login = request.authorization
        user, password = (login.username or "", login.password or "") if login else ("", "")
        if login is not None and self.wrong_passwords >= self.throttle_after:
            return "", Response("Reached maximum delay", 429, content_type="text/html; charset=UTF-8")
        if login is not None and self.cloud.accepts(user, password):
            return user, None
        if part.public:
            return "", None
        if login is not None:
            self.wrong_passwords += 1
        return "", unauthorised(request.path)

    def _maintenance(self, request: Request) -> Response:
        if request.path.startswith("/remote.php"):
            answer = dav_error(503, "Sabre\\DAV\\Exception\\ServiceUnavailable", "System in maintenance mode.")
        else:
            answer = Response("<html>Maintenance mode</html>", 503, content_type="text/html; charset=UTF-8")
        answer.headers["X-Nextcloud-Maintenance-Mode"] = "1"
        answer.headers["Retry-After"] = "120"
        return answer
