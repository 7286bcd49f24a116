"""Requests of the app to its Nextcloud: OCS calls and files, with limits, and to no other host."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO

import requests

from plugin.app_identity import AppIdentity
from plugin.errors import AssetGone, HostRefused, HostUnreachable, PictureTooLarge

TIMEOUT = (10.0, 60.0)
"""Seconds to connect, and between two pieces of an answer."""

LARGEST_ANSWER = 4 * 2**20
"""Bytes of an OCS answer; a task of a thousand files has 20 KB."""

CHUNK = 2**16

Data = object
Fields = Mapping[str, object]
Query = Mapping[str, str | list[str]]


class AppNextcloud:
    """The Nextcloud this app belongs to. Thread-safe: every request is its own.

    Args:
        identity: address and secret.
    """

    def __init__(self, identity: AppIdentity) -> None:
        self._identity = identity

    def ocs(
        self, method: str, path: str, body: Fields | None = None, query: Query | None = None, user: str = ""
    ) -> Data:
        """The `data` of an OCS answer; None for 204.

        Args:
            method: GET, POST, PUT or DELETE.
            path: from `/ocs/` on.
            body: sent as JSON.
            query: values may be lists.
            user: whom to act for; "" for the app itself.

        Raises:
            HostUnreachable: no answer, not an OCS answer, busy or in maintenance.
            HostRefused: 400, 401, 403, or a redirect.
            AssetGone: 404.
        """
        with self._request(method, path, body, dict(query or {}) | {"format": "json"}, user) as answer:
            if answer.status_code == 204:
                return None
            content = limited(answer, LARGEST_ANSWER)
        try:
            said = json.loads(content)
            return said["ocs"]["data"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise HostUnreachable("Nextcloud did not answer as expected", "See its log") from error

    def file(self, path: str, largest: int) -> BinaryIO:
        """A file, in memory. Raises as `ocs`, and `PictureTooLarge` over `largest` bytes."""
        with self._request("GET", path, None, {}, "") as answer:
            if answer.status_code == 204:
                raise AssetGone("Nextcloud has no such file")
            return BytesIO(limited(answer, largest))

    @staticmethod
    def _session() -> requests.Session:
        """Without the environment: a proxy would see the secret, and `.netrc` would add a password."""
        session = requests.Session()
        session.trust_env = False
        return session

    @contextmanager
    def _request(
        self, method: str, path: str, body: Fields | None, query: Query, user: str
    ) -> Iterator[requests.Response]:
        headers = self._identity.headers(user) | {"OCS-APIRequest": "true", "Accept": "application/json"}
        address = self._identity.nextcloud_url + path
        try:
            with self._session() as session, session.request(
                method, address, json=body, params=query, headers=headers, timeout=TIMEOUT,
                allow_redirects=False, stream=True,
            ) as answer:  # fmt: skip
                judge(answer)
                yield answer
        except requests.RequestException as error:
            # The text of the error may hold the address with its values; its kind says enough.
            raise HostUnreachable(f"Nextcloud cannot be reached ({type(error).__name__})", "Is it running?") from error


def judge(answer: requests.Response) -> None:
    """Raise what a status means; 2xx passes."""
    status = answer.status_code
    if 200 <= status < 300:
        return
    if status == 404:
        raise AssetGone("Nextcloud has no such thing")
    if 300 <= status < 400:
        raise HostRefused("Nextcloud sent the request to another address", "Set NEXTCLOUD_URL to the final address")
    if status in {429, 500, 502, 503, 504}:
        raise HostUnreachable(f"Nextcloud is busy or in maintenance ({status})", "It is tried again")
    raise HostRefused(f"Nextcloud refused the request ({status})", "Is the app enabled there?")


def limited(answer: requests.Response, largest: int) -> bytes:
    """The body, up to so many bytes. Raises `PictureTooLarge`."""
    content = bytearray()
    for chunk in answer.iter_content(CHUNK):
        content += chunk
        if len(content) > largest:
            raise PictureTooLarge(f"Nextcloud sent more than {largest // 2**20} MB")
    return bytes(content)
