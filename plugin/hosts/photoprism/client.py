"""HTTP with one PhotoPrism, and its own way to say who we are.

Follows `internal/api` of December 2024. A token goes into the header `X-Auth-Token`; without one PhotoPrism has to be
in public mode. Pictures are not asked for with the token but with a *preview token* in their address, which PhotoPrism
tells with every listing and may change at any time.
"""

import json
from typing import Any

import requests

from plugin.hosts.network.bodies import chunks
from plugin.hosts.network.client import HostClient
from plugin.hosts.photoprism.words import PHOTOPRISM

API = "/api/v1"

PUBLIC = "public"
"""The preview and download token of a PhotoPrism in public mode."""


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
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return self.json("POST", API + path, body=json.dumps(said), headers=headers)

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

    def _authorise(self, session: requests.Session) -> None:
        if self.login.password:
            session.headers["X-Auth-Token"] = self.login.password
