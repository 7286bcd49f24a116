"""Sidecar files beside photos, over DAV: read with their ETag, written only over that very version."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from plugin.errors import (
    AssetGone,
    ChangedMeanwhile,
    HostError,
    HostFull,
    HostUnreachable,
    SidecarUnusable,
    WriteLocked,
    WriteRefused,
)
from plugin.hosts.network.bodies import chunks
from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.files import UserFiles
from plugin.ports.writing import StoredSidecar

SUFFIX = ".xmp"
LARGEST_BYTES = 4 * 2**20

HEAD_BYTES = 512 * 1024
"""EXIF lies in the first 64 KB of a JPEG, behind a colour profile or a thumbnail at most."""

IN_MEMORY = 8 * 2**20

JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")

PROBLEMS: dict[int, HostError] = {
    403: WriteRefused("This user may not write into the folder of the photo", "Ask for the right to edit it"),
    423: WriteLocked("Somebody has the sidecar file open in Nextcloud", "It is tried again later"),
    507: HostFull("The user's space in Nextcloud is used up", "Make room there; Kinfolk goes on by itself"),
}


class Sidecars:
    """The sidecar files of one user.

    Args:
        client: logged in.
        files: where files are.
    """

    def __init__(self, client: NextcloudClient, files: UserFiles) -> None:
        self._client = client
        self._files = files

    def read(self, path: str) -> StoredSidecar | None:
        """See `SidecarHost.read_sidecar`."""
        try:
            with self._client.request("GET", self._files.url(path + SUFFIX)) as response:
                content = b"".join(_at_most(chunks(response, LARGEST_BYTES * 4, self._client.words)))
                return StoredSidecar(content, _etag(response.headers.get("ETag", "")))
        except AssetGone:
            self._refuse_another(path)
            return None

    def write(self, path: str, content: bytes, version: str | None) -> None:
        """See `SidecarHost.write_sidecar`."""
        if version is None:
            self._files.one(path)  # AssetGone: the photo was moved since it was listed
        condition = {"If-None-Match": "*"} if version is None else {"If-Match": f'"{version}"'}
        headers = {"Content-Type": "application/rdf+xml", **condition}
        self._write("PUT", path, content, headers, (201, 204))

    def remove(self, path: str, version: str) -> None:
        """See `SidecarHost.remove_sidecar`. It goes to the user's trash, as everything deleted there."""
        self._write("DELETE", path, None, {"If-Match": f'"{version}"'}, (204, 404))

    @contextmanager
    def picture(self, path: str) -> Iterator[BinaryIO]:
        """The photo as it is stored, of a JPEG only the beginning: previews say nothing about its orientation."""
        headers = {"Range": f"bytes=0-{HEAD_BYTES - 1}"} if path.lower().endswith(JPEG_SUFFIXES) else {}
        limit = self._client.limits.original_bytes
        with (
            self._client.request("GET", self._files.url(path), headers=headers, accept=(200, 206)) as response,
            tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file,
        ):
            for chunk in chunks(response, limit, self._client.words):
                file.write(chunk)
                if headers and file.tell() >= HEAD_BYTES:
                    break  # a server that does not know ranges sends it all
            file.seek(0)
            yield cast("BinaryIO", file)

    def _write(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str], accept: tuple[int, ...]
    ) -> None:
        url = self._files.url(path + SUFFIX)
        with self._client.request(
            method, url, body=content, headers=headers, accept=(*accept, 409, 412, *PROBLEMS)
        ) as response:
            status = response.status_code
        if status == 409:
            raise AssetGone("The folder of the photo is no longer there")
        if status == 412:
            raise ChangedMeanwhile("The sidecar file was changed in the meantime", "It is read again")
        if status in PROBLEMS:
            problem = PROBLEMS[status]
            raise type(problem)(str(problem.message), str(problem.advice))

    def _refuse_another(self, path: str) -> None:
        stem, dot, _ = path.rpartition(".")
        if not dot or "/" in path[len(stem) :]:
            return
        try:
            self._files.one(stem + SUFFIX)
        except AssetGone:
            return
        raise SidecarUnusable(
            "The photo has a sidecar file of another name, which a new one would put out of sight",
            code="sidecar_elsewhere",
        )


def _at_most(content: Iterator[bytes]) -> Iterator[bytes]:
    total = 0
    for chunk in content:
        total += len(chunk)
        if total > LARGEST_BYTES:
            raise SidecarUnusable("The sidecar file is too large to be one", code="sidecar_too_large")
        yield chunk


def _etag(header: str) -> str:
    """Without quotes, and without what a proxy that compresses adds."""
    etag = header.removeprefix("W/").strip('"').removesuffix("-gzip")
    if not etag:
        raise HostUnreachable("Nextcloud sent a file without an ETag", "It is tried again")
    return etag
