"""HTTP with one server on behalf of one user: who we are, how often we ask, how much we take, what went wrong.

Nothing is sent anywhere but to the configured server: no proxy and no `.netrc` from the environment, no cookies, no
redirects. Passwords and answers never reach the log.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import requests
from requests.auth import HTTPBasicAuth

from plugin.errors import HostBusy, HostError, HostUnreachable, LoginRefused
from plugin.hosts.network.bodies import beginning, chunks
from plugin.hosts.network.certificates import PinnedAdapter, certificate_refused
from plugin.hosts.network.limits import Limits
from plugin.hosts.network.login import Login
from plugin.hosts.network.words import ANY_SERVER, Words

log = logging.getLogger(__name__)

Headers = Mapping[str, str]

USER_AGENT = "Kinfolk"
"""Some hosts show it to the user as the name of the app password."""

BUSY = (429, 502, 503, 504)
GAVE_UP = frozenset({502, 504})


class HostClient:
    """One user at one server. Thread-safe; connections are kept.

    Args:
        login: who we are.
        limits: how much is asked and taken.
        refused: the server did not accept this login before: nothing is asked.
        on_refused: told once with the reason when the server does not accept the login any more.
        now, sleep: the clock.

    Attributes:
        words: what users are told; a host's client has its own.
    """

    words: Words = ANY_SERVER

    def __init__(
        self,
        login: Login,
        limits: Limits | None = None,
        *,
        refused: LoginRefused | None = None,
        on_refused: Callable[[LoginRefused], None] = lambda _error: None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.login = login
        self.limits = limits or Limits()
        self._on_refused = on_refused
        self._now = now
        self._sleep = sleep
        self._slots = threading.BoundedSemaphore(self.limits.at_once)
        self._refused = refused
        self._busy: _Busy | None = None
        self._gave_up_on = ("", 0.0)
        self._busy_lock = threading.Lock()
        self._session = self._new_session()

    @property
    def is_refused(self) -> bool:
        """Whether the server did not accept the login, so that nothing is asked any more."""
        return self._refused is not None

    def close(self) -> None:
        """Close kept connections."""
        self._session.close()

    @contextmanager
    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | str | None = None,
        headers: Headers | None = None,
        query: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (200,),
        again: bool = True,
        tries: int | None = None,
    ) -> Iterator[requests.Response]:
        """One request; the answer's body is not read yet and must be read within the block.

        Args:
            method: HTTP or DAV verb.
            path: from the server's base, encoded (see `encoded`).
            body: str is sent as UTF-8.
            headers: in addition to ours.
            query: parameters of the address.
            accept: statuses that are given back; every other one is raised.
            again: whether it may be sent once more when nobody knows whether it was done: the connection broke, or a
                proxy answered 502 to 504. What was put off with 429 was not done.
            tries: how often it is sent at most; None for what the limits say.

        Raises:
            LoginRefused, HostRefused, HostUnreachable, HostBusy, AssetGone (404 and 410).
        """
        data = body.encode() if isinstance(body, str) else body
        with self._slots:
            tries = self.limits.tries if tries is None else tries
            response = self._send(method, path, data, dict(headers or {}), query, accept, again=again, tries=tries)
            try:
                yield response
            except requests.RequestException as error:
                raise self._unreachable(error) from error
            finally:
                response.close()

    def answer(self, method: str, path: str, **options: Any) -> bytes:  # noqa: ANN401  the options of `request`
        """As `request`, the whole body; at most `limits.answer_bytes`."""
        with self.request(method, path, **options) as response:
            return b"".join(chunks(response, self.limits.answer_bytes, self.words))

    def json(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401  whatever the server says
        """As `answer`, parsed. Raises `HostUnreachable` where the answer is no JSON: a proxy's page, say."""
        return self.parsed(self.answer(method, path, **options))

    def parsed(self, body: bytes) -> Any:  # noqa: ANN401  whatever the server says
        """JSON. Raises `HostUnreachable` where it is none."""
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise self.strange_answer() from None

    def strange_answer(self) -> HostUnreachable:
        """The answer is not what this host sends."""
        return self.words.strange_answer(self.login.base)

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        query: Mapping[str, str] | None,
        accept: tuple[int, ...],
        *,
        again: bool,
        tries: int,
    ) -> requests.Response:
        for tries_left in reversed(range(tries)):
            self._stop_early()
            try:
                response = self._session.request(
                    method,
                    self.login.base + path,
                    data=body,
                    headers=headers,
                    params=query,
                    stream=True,
                    allow_redirects=False,
                    timeout=(self.limits.connect_seconds, self.limits.read_seconds),
                )
            except requests.RequestException as error:
                if tries_left and again and is_passing(error):
                    self._sleep(0.5)
                    continue
                raise self._unreachable(error) from error
            if response.status_code in accept:
                return response
            problem = self._problem(response, beginning(response))
            not_done = again or response.status_code == 429
            if tries_left and not_done and isinstance(problem, HostBusy) and self.waited(problem):
                continue
            raise problem
        raise AssertionError("unreachable")

    def waited(self, problem: HostBusy) -> bool:
        """Wait as long as a busy server wants to be left alone; False, at once, where that takes too long."""
        if problem.seconds > self.limits.patience_seconds:
            return False
        self._sleep(problem.seconds)
        with self._busy_lock:
            if self._busy is not None and self._busy.error is problem:  # a longer pause of another request stands
                self._busy = None
        return True

    def _stop_early(self) -> None:
        """Do not ask while the answer is known: a refused login, a server that wants to be left alone."""
        if self._refused is not None:
            raise self._refused
        waited: _Busy | None = None
        while (busy := self._busy) is not None and busy is not waited and (left := busy.until - self._now()) > 0:
            if left > self.limits.patience_seconds:
                raise busy.error.not_asked(left)
            self._sleep(left)
            waited = busy

    def _problem(self, response: requests.Response, beginning: bytes) -> HostError:  # noqa: ARG002 - hosts read it
        """What an unwelcome status means; `beginning`: of the answer's body."""
        if response.status_code == 401:
            return self._login_refused()
        if response.status_code in BUSY:
            error = self._is_busy(response)
            error.whole = self._means_all(response)
            if error.whole:
                self._note_busy(_Busy(self._now() + error.seconds, error))
            return error
        return self.words.unwelcome(response.status_code, self.login.base)

    def _means_all(self, response: requests.Response) -> bool:
        """A gateway gives up on one thing that takes too long, too: until a second one fares the same, it may be that.

        The same one once more says nothing new.
        """
        if response.status_code not in GAVE_UP or "Retry-After" in response.headers:
            return True
        now, address = self._now(), response.request.path_url
        with self._busy_lock:
            before, at = self._gave_up_on
            if before != address:
                self._gave_up_on = address, now
        return before not in {"", address} and now - at <= self.limits.pause_seconds

    def _note_busy(self, busy: "_Busy") -> None:
        """The longest pause counts, whichever request was told of it."""
        with self._busy_lock:
            if self._busy is None or busy.until >= self._busy.until:
                self._busy = busy

    def _login_refused(self) -> LoginRefused:
        error = self.words.refusal()
        if self._refused is None:
            self._refused = error
            self._on_refused(error)
        return error

    def _is_busy(self, response: requests.Response) -> HostBusy:
        seconds = retry_after(response.headers.get("Retry-After", ""), self.limits.pause_seconds)
        return self.words.busy(response.status_code, seconds)

    def _unreachable(self, error: requests.RequestException) -> HostError:
        refused = certificate_refused(error, self.login)
        if refused is not None:
            return refused
        log.debug("%s: %s", self.login.base, type(error).__name__)
        return HostUnreachable(
            "%(base)s does not answer",
            "Is the server on, and can this machine reach it? It is tried again",
            base=self.login.base,
        )

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers["User-Agent"] = USER_AGENT
        session.headers.update(self.login.headers)
        self._authorise(session)
        if self.login.fingerprint:
            session.verify = False  # the fingerprint says more than any authority
            session.mount("https://", PinnedAdapter(self.login.fingerprint, self.limits.at_once))
        return session

    def _authorise(self, session: requests.Session) -> None:
        """Say who we are with every request; HTTP's basic way unless a host has its own."""
        if self.login.name:
            # Bytes, since requests would send Latin-1, and servers want UTF-8.
            session.auth = HTTPBasicAuth(self.login.name.encode(), self.login.password.encode())


@dataclass(frozen=True, slots=True)
class _Busy:
    """The server wants to be left alone until then (by our clock), and the answer that said so."""

    until: float
    error: HostBusy


def is_passing(error: requests.RequestException) -> bool:
    """Whether asking again at once may help: a kept connection that the server had closed."""
    return isinstance(error, requests.ConnectionError) and not isinstance(
        error, requests.exceptions.SSLError | requests.exceptions.ConnectTimeout
    )


def retry_after(header: str, otherwise: float) -> float:
    """Seconds; dates are not understood on purpose, since clocks differ."""
    return min(float(header), 3600.0) if header.isdecimal() else otherwise


def encoded(*parts: str) -> str:
    """Path segments for `request`: every part is one or more names with `/` between, without one at the end."""
    return "/".join(quote(part, safe="/", errors="surrogatepass") for part in parts if part)
