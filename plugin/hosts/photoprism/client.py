"""HTTP with one PhotoPrism, and its own way to say who we are.

Follows `internal/api` of December 2024. A token goes into the header `X-Auth-Token`; without one PhotoPrism has to be
in public mode. Pictures are not asked for with the token but with a *preview token* in their address, which PhotoPrism
tells with every listing and may change at any time.
"""

import json
import re
from typing import Any

import requests

from plugin.errors import HostBusy, HostError, HostRefused, WriteRefused
from plugin.hosts.network.bodies import chunks
from plugin.hosts.network.client import HostClient
from plugin.hosts.photoprism.words import PHOTOPRISM

API = "/api/v1"

PUBLIC = "public"
"""The preview and download token of a PhotoPrism in public mode."""


PEOPLE = re.compile(r"/(markers|subjects)\b")

ONE_AT_A_TIME_SECONDS = 2.0
"""It changes one person or marker at a time and answers 429 to everybody else meanwhile."""


class PhotoPrismClient(HostClient):
    """One user, or one app, at one server; see `HostClient`. The login's password is the token.

    Attributes:
        preview_token, download_token: as told last; "" when nothing was told yet.
    """

    words = PHOTOPRISM
    preview_token = ""
    download_token = ""

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401  whatever the server says
        """A JSON answer of the API, at most `limits.listing_bytes` long. Raises like `request`."""
        return self.listed(path, **query)[0]

    def listed(self, path: str, **query: str) -> tuple[Any, requests.Response]:
        """As `get`, and the answer it came with, for its headers. Remembers the tokens in them."""
        with self.request("GET", API + path, query=query, headers={"Accept": "application/json"}) as response:
            answer = self.parsed(b"".join(chunks(response, self.limits.listing_bytes // 8, self.words)))
            self.preview_token = response.headers.get("X-Preview-Token", "") or self.preview_token
            self.download_token = response.headers.get("X-Download-Token", "") or self.download_token
            return answer, response

    def post(self, path: str, said: object) -> Any:  # noqa: ANN401  whatever the server says
        """Send JSON, get JSON. Raises like `request`."""
        return self.send("POST", path, said)

    def send(self, method: str, path: str, said: object = None, **options: Any) -> Any:  # noqa: ANN401
        """As `post`, with any verb; see `request` for `again` and `tries`."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        body = None if said is None else json.dumps(said)
        return self.json(method, API + path, body=body, headers=headers, accept=(200, 201), **options)

    def config(self) -> dict[str, Any]:
        """What the server tells of itself, and the tokens for pictures. Raises like `request`."""
        found = self.get("/config")
        if not isinstance(found, dict) or not isinstance(found.get("edition"), str):
            raise self.strange_answer()
        for kind in ("preview", "download"):
            token = found.get(f"{kind}Token")
            if isinstance(token, str) and token:
                setattr(self, f"{kind}_token", token)
        return found

    def _problem(self, response: requests.Response, beginning: bytes) -> HostError:
        """A refusal to change people says why, which matters to whoever can mend it."""
        if changes_people(response) and response.status_code == 403:
            return why_forbidden(beginning)
        if changes_people(response) and response.status_code == 400:
            return WriteRefused("PhotoPrism refuses this name or place", "It is tried again now and then")
        return super()._problem(response, beginning)

    def _is_busy(self, response: requests.Response) -> HostBusy:
        error = super()._is_busy(response)
        error.put_off = response.status_code == 429
        if response.status_code == 429 and changes_people(response) and "Retry-After" not in response.headers:
            error.seconds = ONE_AT_A_TIME_SECONDS
        return error

    def _authorise(self, session: requests.Session) -> None:
        if self.login.password:
            session.headers["X-Auth-Token"] = self.login.password


def changes_people(response: requests.Response) -> bool:
    """Whether this is the answer to a request that changes markers or people."""
    return response.request.method != "GET" and PEOPLE.search(response.request.path_url) is not None


def why_forbidden(answer: bytes) -> HostRefused:
    """Why people may not be changed, from the answer's text, which PhotoPrism writes in English or its user's language.

    The settings are named in the advice for all cases it does not tell apart.
    """
    said = answer.decode("utf-8", "replace").lower()
    if "wakeup" in said:
        return HostRefused(
            "PhotoPrism takes no names while its background worker runs less than once an hour",
            "Set PHOTOPRISM_WAKEUP_INTERVAL to an hour or less there",
        )
    if "disabled" in said:
        return HostRefused(
            "People are switched off in this PhotoPrism, so it takes no names",
            "Switch People on in its settings, and leave PHOTOPRISM_DISABLE_FACES unset",
        )
    return HostRefused(
        "PhotoPrism does not let Kinfolk change names",
        "The app password needs the scopes files and people, or full access, and its user the right to edit; "
        "People must be on there, and PHOTOPRISM_WAKEUP_INTERVAL an hour or less",
    )
