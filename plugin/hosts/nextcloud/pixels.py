"""The bytes of photos and videos: previews made by Nextcloud, and originals where there is none."""

from collections.abc import Callable
from typing import BinaryIO

from plugin.domain import AssetKind
from plugin.errors import AssetGone, HostRefused
from plugin.hosts.network.bodies import chunks, picture, spooled
from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.files import RemoteFile, UserFiles

PREVIEW = "/index.php/core/preview"


class Pixels:
    """Fetches what detection and the screens look at.

    Args:
        client: logged in.
        files: where files are.
        preview_pixels: long side.
    """

    def __init__(self, client: NextcloudClient, files: UserFiles, preview_pixels: int) -> None:
        self._client = client
        self._files = files
        self._preview_pixels = preview_pixels

    def fetch(self, file_id: str, kind: AssetKind | None, where: Callable[[], RemoteFile | None]) -> BinaryIO:
        """A seekable file at its beginning, which the caller closes.

        Args:
            file_id: of the asset.
            kind: what it is, None when only `where` knows.
            where: looks the file up; asked only when the original is needed.

        Raises:
            AssetGone, HostUnreachable, HostRefused.
        """
        if kind is AssetKind.PHOTO:
            preview = self._preview(file_id)
            if preview is not None:
                return preview
        file = where()
        if file is None:
            raise AssetGone("The photo is no longer at Nextcloud")
        if kind is None and file.kind is AssetKind.PHOTO and (preview := self._preview(file_id)) is not None:
            return preview
        return self.original(file)

    def _preview(self, file_id: str) -> BinaryIO | None:
        """None where Nextcloud makes none, or sends something that is no picture."""
        side = str(self._preview_pixels)
        query = {"fileId": file_id, "x": side, "y": side, "a": "1", "forceIcon": "0"}
        try:
            with self._client.request("GET", PREVIEW, query=query, accept=(200,)) as response:
                if not response.headers.get("Content-Type", "").startswith("image/"):
                    return None
                preview = spooled(chunks(response, self._client.limits.preview_bytes, self._client.words))
        except (AssetGone, HostRefused) as error:
            # Not made (404), or downloads are forbidden for a share (403): the original says which. A refused login
            # says the same for both.
            if error.code == "login_refused":
                raise
            return None
        return picture(preview)

    def original(self, file: RemoteFile) -> BinaryIO:
        """The file as it was uploaded. Raises `AssetGone`, `HostUnreachable`, `HostRefused`."""
        limit = self._client.limits.original_bytes
        if file.size is not None and file.size > limit:
            raise HostRefused("The file is larger than %(limit)s MB", "", limit=limit // 2**20)
        with self._client.request("GET", self._files.url(file.path)) as response:
            if file.size and response.headers.get("Content-Type", "").startswith("text/html"):
                raise self._client.words.page_instead()
            return spooled(chunks(response, limit, self._client.words))
