"""HTTP with one PhotoPrism: the same manners as with a Nextcloud, and its own way to say who we are.

Follows `internal/api` of December 2024. A token goes into the header `X-Auth-Token`; without one PhotoPrism has to be
in public mode. Pictures are not asked for with the token but with a *preview token* in their address, which PhotoPrism
tells with every listing and may change at any time.
"""

import json
from collections.abc import Iterator
from typing import Any

import requests

from plugin.errors import AnswerFailed, AssetGone, HostBusy, HostError, HostRefused, HostUnreachable, LoginRefused
from plugin.hosts.nextcloud.client import BUSY, NextcloudClient, retry_after

API = "/api/v1"

PUBLIC = "public"
"""The preview and download token of a PhotoPrism in public mode."""


class PhotoPrismClient(NextcloudClient):
    """One user, or one app, at one server. Thread-safe; the arguments are those of `NextcloudClient`.

    Attributes:
        preview_token, download_token: as told last; "" when nothing was told yet.
    """

    preview_token = ""
    download_token = ""

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401  whatever the server says
        """A JSON answer of the API, at most `limits.listing_bytes` long. Raises like `request`."""
        return self.listed(path, **query)[0]

    def listed(self, path: str, **query: str) -> tuple[Any, requests.Response]:
        """As `get`, and the answer it came with, for its headers. Remembers the tokens in them."""
        with self.request("GET", API + path, query=query, headers={"Accept": "application/json"}) as response:
            answer = parsed(b"".join(parts(response, self.limits.listing_bytes // 8)), self.login.base)
            self.preview_token = response.headers.get("X-Preview-Token", "") or self.preview_token
            self.download_token = response.headers.get("X-Download-Token", "") or self.download_token
            return answer, response

    def post(self, path: str, said: object) -> Any:  # noqa: ANN401  whatever the server says
        """Send JSON, get JSON. Raises like `request`."""
        body, headers = json.dumps(said), {"Content-Type": "application/json", "Accept": "application/json"}
        with self.request("POST", API + path, body=body, headers=headers) as response:
            return parsed(b"".join(parts(response, self.limits.answer_bytes)), self.login.base)

    def config(self) -> dict[str, Any]:
        """What the server tells of itself, and the tokens for pictures. Raises like `request`."""
        found = self.get("/config")
        if not isinstance(found, dict) or not isinstance(found.get("edition"), str):
            raise strange_answer(self.login.base)
        for kind in ("preview", "download"):
            token = found.get(f"{kind}Token")
            if isinstance(token, str) and token:
                setattr(self, f"{kind}_token", token)
        return found

    def _problem(self, response: requests.Response, beginning: bytes) -> HostError:  # noqa: ARG002 - says nothing
        status = response.status_code
        if status == 401:
            return self._login_refused()
        if status in BUSY:
            return self._is_busy(response)
        return unwelcome(status, self.login.base)

    def _refusal(self) -> LoginRefused:
        return login_refused()

    def _is_busy(self, response: requests.Response) -> HostBusy:
        seconds = retry_after(response.headers.get("Retry-After", ""), self.limits.pause_seconds)
        if response.status_code == 429:
            error = HostBusy(
                "PhotoPrism slows Kinfolk down after too many requests or wrong passwords",
                "Kinfolk waits and goes on by itself",
                seconds,
            )
        else:
            error = HostBusy("PhotoPrism is overloaded or starting", "Kinfolk waits and goes on by itself", seconds)
        self._busy = (self._now() + seconds, error)
        return error

    def _new_session(self) -> requests.Session:
        session = super()._new_session()
        session.auth = None
        if self.login.password:
            session.headers["X-Auth-Token"] = self.login.password
        return session


def parts(response: requests.Response, at_most: int) -> Iterator[bytes]:
    """The body as it comes. Raises `HostUnreachable` when it is longer than `at_most` bytes."""
    total = 0
    for chunk in response.iter_content(64 * 1024):
        total += len(chunk)
        if total > at_most:
            raise HostUnreachable("PhotoPrism's answer is larger than %(limit)s MB", "", limit=at_most // 2**20)
        yield chunk


def parsed(body: bytes, base: str) -> Any:  # noqa: ANN401  whatever the server says
    """JSON. Raises `HostUnreachable` where it is none: a proxy's page, say."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise strange_answer(base) from None


def login_refused() -> LoginRefused:
    """What a user is told; the library pauses."""
    return LoginRefused(
        "PhotoPrism does not accept the app password", "Connect this library again on the Libraries page"
    )


def unwelcome(status: int, base: str) -> HostError:
    """What a status means that says nothing about the login or about how busy the server is."""
    if status in (404, 410):
        return AssetGone("It is no longer there, or not visible to this user")
    if status == 403:
        return HostRefused(
            "PhotoPrism does not allow this",
            "The app password needs at least the scopes photos and files, or full access; make a new one",
        )
    if 300 <= status < 400:
        return HostRefused(
            "%(base)s sends its visitors to another address, which Kinfolk does not follow",
            "Connect with the address your browser ends up at",
            base=base,
        )
    return AnswerFailed(
        "PhotoPrism answered with an error (%(status)s)",
        "It is tried again; look into PhotoPrism's log if this stays",
        status=status,
    )


def strange_answer(base: str) -> HostUnreachable:
    """The answer is not what a PhotoPrism sends."""
    return HostUnreachable(
        "%(base)s answers, but not as a PhotoPrism does",
        "Is the address right, and is nothing in front of it that shows a page of its own?",
        base=base,
    )
