"""A generic host: one JSON document on a web server that lists photos, for programs without an adapter of their own.

    {"photos": [{"id": "4711", "path": "2024/anna.jpg", "url": "files/4711.jpg", "hash": "9f86d0…"},
                {"id": "4712", "path": "2024/swim.mp4", "url": "/films/4712.mp4", "hash": "60303a…", "type": "video"}]}

`id` names the photo for ever, `hash` changes when its pixels do, `url` is relative to the manifest and must be on the
same server. The library's address is the manifest's.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit

from plugin.domain import AssetKind, HostAsset, IntakeProblem
from plugin.errors import AssetGone, BadListing, HostRefused
from plugin.hosts.network.address import server_of
from plugin.hosts.network.ahead import Ahead
from plugin.hosts.network.bodies import chunks, spooled
from plugin.hosts.network.client import HostClient
from plugin.hosts.network.login import Login
from plugin.hosts.network.texts import storable
from plugin.ports.host import KnownContent

KINDS = {"photo": AssetKind.PHOTO, "video": AssetKind.VIDEO}
Row = dict[str, Any]
KNOWN_SECONDS = 60.0  # photos are opened by the manifest that was read last, instead of reading it for each of them


class ManifestHost:
    """Photos of the manifest at an http(s) address without a password in it. `client` speaks to that server."""

    stable_keys = True

    def __init__(self, address: str, client: HostClient | None = None) -> None:
        self._address = address
        self._base = server_of(address)
        self.client = client or HostClient(Login(self._base))
        self._known: tuple[float, dict[str, Row]] = (0.0, {})
        self._ahead = Ahead(self._fetch)

    def close(self) -> None:
        """Close kept connections and what was fetched ahead."""
        self._ahead.close()
        self.client.close()

    def check(self) -> None:
        """Prove that there is a manifest. Raises `HostUnreachable`, `HostRefused`."""
        self._rows()

    def listing(self, known: KnownContent) -> Iterator[HostAsset | IntakeProblem]:  # noqa: ARG002 - hashes are told
        """Every photo and video. Raises `HostUnreachable`, `HostRefused`."""
        for key, row in self._rows().items():
            try:
                yield self._asset(key, row)
            except HostRefused as error:
                path = storable(str(row.get("path") or key))
                yield IntakeProblem(path, "entry_refused", error.message, hides_below=True)
        self._rows()  # a server that went away meanwhile says so, as every host must

    def look_up(self, host_key: str, known: KnownContent) -> HostAsset | None:  # noqa: ARG002 - hashes are told
        """The asset as the manifest has it now, None when it has not. Raises `HostUnreachable`, `HostRefused`."""
        row = self._rows().get(host_key)
        return self._asset(host_key, row) if row is not None else None

    def open(self, host_key: str) -> AbstractContextManager[BinaryIO]:
        """The bytes. Raises `AssetGone`, `HostUnreachable`, `HostRefused`."""
        return self._ahead.take(host_key)

    def fetch_ahead(self, host_keys: Sequence[str]) -> None:
        """Fetch these in the background; `open` takes them."""
        self._ahead.begin(host_keys)

    def _fetch(self, host_key: str) -> BinaryIO:
        read_at, rows = self._known
        row = (rows.get(host_key) if time.monotonic() - read_at < KNOWN_SECONDS else None) or self._rows().get(host_key)
        if row is None:
            raise AssetGone("The manifest does not list this photo")
        with self.client.request("GET", self._way(row.get("url"))) as response:
            return spooled(chunks(response, self.client.limits.original_bytes, self.client.words))

    def link(self, host_key: str) -> str | None:  # noqa: ARG002 - the port's signature
        """A manifest has no interface of its own."""
        return None

    def _rows(self) -> dict[str, Row]:
        with self.client.request("GET", self._way(self._address)) as response:
            body = b"".join(chunks(response, self.client.limits.listing_bytes // 8, self.client.words))
        try:
            rows = json.loads(body)["photos"]
            found = {str(row["id"]): row for row in rows}
        except (ValueError, KeyError, TypeError, RecursionError):
            raise BadListing("This is not a manifest of photos", "See docs/adding-a-host.md for its form") from None
        if len(found) < len(rows):
            raise BadListing("The manifest names a photo twice", "Every id must be there once")
        self._known = (time.monotonic(), found)
        return found

    def _asset(self, key: str, row: Row) -> HostAsset:
        """Raises `HostRefused` for an entry that must not or cannot be read."""
        path, content, kind = row.get("path", key), row.get("hash"), KINDS.get(str(row.get("type", "photo")))
        self._way(row.get("url"))
        if not (isinstance(path, str) and isinstance(content, str) and content and kind and key.isprintable()):
            raise HostRefused("An entry of the manifest lacks its hash or has another form", "")
        return HostAsset(key, storable(path), kind, storable(content), storable(content))

    def _way(self, url: object) -> str:
        """Path and query of an address at the manifest's own server. Raises `HostRefused` for every other one."""
        try:
            parts = urlsplit(urljoin(self._address, url) if isinstance(url, str) and url.isprintable() else "")
        except ValueError:
            parts = urlsplit("")
        if f"{parts.scheme}://{parts.netloc}" != self._base:
            raise HostRefused("An entry of the manifest leads to another server, which Kinfolk does not ask", "")
        return parts.path + (f"?{parts.query}" if parts.query else "")
