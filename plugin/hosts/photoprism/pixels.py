"""The bytes of photos and videos: pictures PhotoPrism keeps of every photo, and originals where it has none."""

from collections.abc import Callable
from typing import BinaryIO

from plugin.domain import AssetKind
from plugin.errors import AssetGone, HostRefused
from plugin.hosts.network.bodies import chunks, picture, spooled
from plugin.hosts.photoprism.client import API, PUBLIC, PhotoPrismClient
from plugin.hosts.photoprism.photos import RemotePhoto

Address = tuple[str, dict[str, str]]
"""Path and query."""

Where = Callable[[], RemotePhoto | None]

NEWER_TOKENS = 3
"""So often a token may change while one file is fetched: a PhotoPrism that restarts, or drops its sessions."""


class Pixels:
    """Fetches what detection and the screens look at.

    Args:
        client: knows the tokens.
        size: one of PhotoPrism's `fit_` sizes.
    """

    def __init__(self, client: PhotoPrismClient, size: str) -> None:
        self._client = client
        self._size = size

    def fetch(self, known_hash: str, kind: AssetKind | None, where: Where) -> BinaryIO:
        """A seekable file at its beginning, which the caller closes.

        Args:
            known_hash: of the picture, "" when only `where` knows.
            kind: what it is, None when only `where` knows.
            where: asks PhotoPrism; only when it is needed.

        Raises:
            AssetGone, HostUnreachable, HostRefused.
        """
        if kind is AssetKind.PHOTO and known_hash and (found := self._picture(known_hash)) is not None:
            return found
        photo = where()
        if photo is None:
            raise AssetGone("The photo is no longer at PhotoPrism")
        if photo.kind is AssetKind.PHOTO:
            found = self._picture(photo.hash) if photo.hash and photo.hash != known_hash else None
            return found or self._original(photo.hash)
        return self.original(photo)

    def original(self, photo: RemotePhoto) -> BinaryIO:
        """The file as it was put in. Raises `AssetGone`, `HostUnreachable`, `HostRefused`."""
        return self._original(photo.video if photo.kind is AssetKind.VIDEO and photo.video else photo.original)

    def _picture(self, file_hash: str) -> BinaryIO | None:
        """None where PhotoPrism has none: it answers with an icon then."""

        def at(token: str) -> Address:
            return f"{API}/t/{file_hash}/{token}/{self._size}", {}

        try:
            return picture(self._fetch("preview", at, self._client.limits.preview_bytes))
        except AssetGone:
            return None

    def _original(self, file_hash: str) -> BinaryIO:
        if not file_hash:
            raise AssetGone("PhotoPrism has no file of this photo")

        def at(token: str) -> Address:
            return f"{API}/dl/{file_hash}", {"t": token}

        return self._fetch("download", at, self._client.limits.original_bytes)

    def _fetch(self, purpose: str, at: Callable[[str], Address], at_most: int) -> BinaryIO:
        """The file; when the token is not valid any more, again with the one PhotoPrism gives now."""
        for newer_left in reversed(range(NEWER_TOKENS + 1)):
            used = self._token(purpose)
            try:
                return self._get(*at(used), at_most)
            except HostRefused as error:
                if error.code == "login_refused" or not newer_left:
                    raise
                self._client.config()
                if self._token(purpose) == used:
                    raise
        raise AssertionError("unreachable")

    def _token(self, purpose: str) -> str:
        name = f"{purpose}_token"
        if not getattr(self._client, name):
            self._client.config()
        token: str = getattr(self._client, name)
        return token or PUBLIC

    def _get(self, path: str, query: dict[str, str], at_most: int) -> BinaryIO:
        with self._client.request("GET", path, query=query) as response:
            if response.headers.get("Content-Type", "").startswith("text/html"):
                raise self._client.words.page_instead()
            return spooled(chunks(response, at_most, self._client.words))
