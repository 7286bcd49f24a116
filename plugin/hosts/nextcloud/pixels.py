"""The bytes of photos and videos: previews made by Nextcloud, and originals where there is none."""

import tempfile
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from plugin.domain import AssetKind
from plugin.errors import AssetGone, HostRefused, HostUnreachable
from plugin.hosts.nextcloud.client import NextcloudClient, chunks
from plugin.hosts.nextcloud.files import RemoteFile, UserFiles

IN_MEMORY = 8 * 2**20
"""A preview stays in memory, a video goes through a temporary file."""

PREVIEW = "/index.php/core/preview"

PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"BM")
"""How previews begin; an HTML page that a proxy puts in the way does not."""


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
                preview = _spooled(chunks(response, self._client.limits.preview_bytes))
        except (AssetGone, HostRefused) as error:
            # Not made (404), or downloads are forbidden for a share (403): the original says which. A refused login
            # says the same for both.
            if error.code == "login_refused":
                raise
            return None
        begins = preview.read(8)
        preview.seek(0)
        if begins.startswith(PICTURES):
            return preview
        preview.close()
        return None

    def original(self, file: RemoteFile) -> BinaryIO:
        """The file as it was uploaded. Raises `AssetGone`, `HostUnreachable`, `HostRefused`."""
        limit = self._client.limits.original_bytes
        if file.size is not None and file.size > limit:
            raise HostRefused("The file is larger than %(limit)s MB", "", limit=limit // 2**20)
        with self._client.request("GET", self._files.url(file.path)) as response:
            if file.size and response.headers.get("Content-Type", "").startswith("text/html"):
                raise HostUnreachable("A web page came instead of the photo", "Is there a proxy in front of Nextcloud?")
            return _spooled(chunks(response, limit))


def _spooled(content: Iterator[bytes]) -> BinaryIO:
    """Everything in a temporary file, at its beginning; closed when the content ends badly."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the caller closes it
    try:
        for chunk in content:
            file.write(chunk)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return cast("BinaryIO", file)
