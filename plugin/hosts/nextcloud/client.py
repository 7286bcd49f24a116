"""HTTP with one Nextcloud on behalf of one user: who we are, how often we ask, how much we take, what went wrong.

Nothing is sent anywhere but to the configured server: no proxy and no `.netrc` from the environment, no cookies, no
redirects. Passwords and answers never reach the log.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import requests
from requests.auth import HTTPBasicAuth

from plugin.errors import AnswerFailed, AssetGone, HostBusy, HostError, HostRefused, HostUnreachable, LoginRefused
from plugin.hosts.nextcloud.certificates import PinnedAdapter, certificate_refused
from plugin.hosts.nextcloud.limits import Limits

log = logging.getLogger(__name__)

Headers = Mapping[str, str]

USER_AGENT = "Kinfolk"
"""Nextcloud shows it to the user as the name of the app password."""

BUSY = (429, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are at a server.

    Attributes:
        base: the server, without a slash at the end.
        name: what the user logs in with; "" for requests that need no login.
        password: an app password, usually.
        fingerprint: SHA-256 of the server's certificate (hex) when the user confirmed a self-signed one.
        headers: sent with every request: how an app of the server says who it is and whom it acts for.
    """

    base: str
    name: str = ""
    password: str = field(default="", repr=False)
    fingerprint: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class NextcloudClient:
    """One user at one server. Thread-safe; connections are kept.

    Args:
        login: who we are.
        limits: how much is asked and taken.
        refused: the server did not accept this login before: nothing is asked.
        on_refused: told once with the reason when the server does not accept the login any more.
        now, sleep: the clock.
    """

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
        self._busy: tuple[float, HostBusy] | None = None
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
    ) -> Iterator[requests.Response]:
        """One request; the answer's body is not read yet and must be read within the block.

        Args:
            method: HTTP or DAV verb.
            path: from the server's base, encoded (see `encoded`).
            body: str is sent as UTF-8.
            headers: in addition to ours.
            query: parameters of the address.
            accept: statuses that are given back; every other one is raised.

        Raises:
            LoginRefused, HostRefused, HostUnreachable, HostBusy, AssetGone (404 and 410).
        """
        data = body.encode() if isinstance(body, str) else body
        with self._slots:
            response = self._send(method, path, data, dict(headers or {}), query, accept)
            try:
                yield response
            except requests.RequestException as error:
                raise self._unreachable(error) from error
            finally:
                response.close()

    def answer(self, method: str, path: str, **options: Any) -> bytes:  # noqa: ANN401  the options of `request`
        """As `request`, the whole body; at most `limits.answer_bytes`."""
        with self.request(method, path, **options) as response:
            return b"".join(chunks(response, self.limits.answer_bytes))

    def json(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401  whatever the server says
        """As `answer`, parsed. Raises `HostUnreachable` where the answer is no JSON: a proxy's page, say."""
        try:
            return json.loads(self.answer(method, path, **options))
        except ValueError:
            raise strange_answer(self.login.base) from None

    def ocs(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401  whatever the server says
        """The `data` of an OCS answer."""
        headers = {"OCS-APIRequest": "true", "Accept": "application/json", **options.pop("headers", {})}
        answer = self.json(method, path, headers=headers, **options)
        try:
            return answer["ocs"]["data"]
        except (KeyError, TypeError):
            raise strange_answer(self.login.base) from None

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        query: Mapping[str, str] | None,
        accept: tuple[int, ...],
    ) -> requests.Response:
        for tries_left in reversed(range(self.limits.tries)):
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
                if tries_left and is_passing(error):
                    self._sleep(0.5)
                    continue
                raise self._unreachable(error) from error
            if response.status_code in accept:
                return response
            problem = self._problem(response, beginning(response))
            if tries_left and isinstance(problem, HostBusy) and problem.seconds <= self.limits.patience_seconds:
                self._busy = None
                self._sleep(problem.seconds)
                continue
            raise problem
        raise AssertionError("unreachable")

    def _stop_early(self) -> None:
        """Do not ask while the answer is known: a refused login, a server that wants to be left alone."""
        if self._refused is not None:
            raise self._refused
        if self._busy is not None and self._now() < self._busy[0]:
            raise self._busy[1]

    def _problem(self, response: requests.Response, beginning: bytes) -> HostError:
        """What an unwelcome status means."""
        status = response.status_code
        if status == 401:
            return self._login_refused()
        if status == 503 and b"StorageNotAvailable" in beginning:
            return AnswerFailed("A storage behind Nextcloud is away", "It is tried again")
        if status in BUSY:
            return self._is_busy(response)
        return unwelcome(status, self.login.base)

    def _login_refused(self) -> LoginRefused:
        error = self._refusal()
        if self._refused is None and self.login.name:
            self._refused = error
            self._on_refused(error)
        return error

    def _refusal(self) -> LoginRefused:
        """What a user is told; other hosts have words of their own."""
        return login_refused()

    def _is_busy(self, response: requests.Response) -> HostBusy:
        seconds = retry_after(response.headers.get("Retry-After", ""), self.limits.pause_seconds)
        if response.headers.get("X-Nextcloud-Maintenance-Mode") == "1":
            error = HostBusy("Nextcloud is under maintenance", "Kinfolk goes on by itself when it is back", seconds)
        elif response.status_code == 429:
            seconds = max(seconds, self.limits.pause_seconds)
            error = HostBusy(
                "Nextcloud slows Kinfolk down after too many requests or wrong passwords",
                "Kinfolk waits and goes on by itself; see brute-force protection in Nextcloud if this stays",
                seconds,
            )
        else:
            error = HostBusy("Nextcloud is overloaded", "Kinfolk waits and goes on by itself", seconds)
        self._busy = (self._now() + seconds, error)
        return error

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
        if self.login.name:
            # Bytes, since requests would send Latin-1, and Nextcloud wants UTF-8.
            session.auth = HTTPBasicAuth(self.login.name.encode(), self.login.password.encode())
        if self.login.fingerprint:
            session.verify = False  # the fingerprint says more than any authority
            session.mount("https://", PinnedAdapter(self.login.fingerprint, self.limits.at_once))
        return session


def chunks(response: requests.Response, at_most: int) -> Iterator[bytes]:
    """The body as it comes, decompressed. Raises `HostUnreachable` when it is longer than `at_most` bytes."""
    total = 0
    for chunk in response.iter_content(64 * 1024):
        total += len(chunk)
        if total > at_most:
            raise HostUnreachable(
                "Nextcloud's answer is larger than %(limit)s MB", "Choose smaller folders", limit=at_most // 2**20
            )
        yield chunk


def login_refused() -> LoginRefused:
    """What a user is told; the library pauses."""
    return LoginRefused(
        "Nextcloud does not accept the user name or password", "Connect this library again on the Libraries page"
    )


def unwelcome(status: int, base: str) -> HostError:
    """What a status means that says nothing about the login or about how busy the server is."""
    if status in (404, 410):
        return AssetGone("It is no longer there, or not visible to this user")
    if status == 403:
        return HostRefused("Nextcloud does not allow this", "Look at the user's rights and the app password's")
    if 300 <= status < 400:
        return HostRefused(
            "%(base)s sends its visitors to another address, which Kinfolk does not follow",
            "Connect with the address your browser ends up at",
            base=base,
        )
    return AnswerFailed(
        "Nextcloud answered with an error (%(status)s)",
        "It is tried again; look into Nextcloud's log if this stays",
        status=status,
    )


def beginning(response: requests.Response) -> bytes:
    """The first kilobytes of an answer that is not wanted, for the reason in it; closes it."""
    try:
        return next(response.iter_content(4096), b"")
    except requests.RequestException:
        return b""
    finally:
        response.close()


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


def strange_answer(base: str) -> HostUnreachable:
    """The answer is not what a Nextcloud sends."""
    return HostUnreachable(
        "%(base)s answers, but not as a Nextcloud does",
        "Is the address right, and is nothing in front of it that shows a page of its own?",
        base=base,
    )
