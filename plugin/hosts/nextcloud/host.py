"""Nextcloud behind the host port."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO

from plugin.domain import Asset, HostAsset, IntakeProblem, ListedFolder
from plugin.errors import AssetGone
from plugin.hosts.network.ahead import Ahead
from plugin.hosts.nextcloud.address import Place
from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.files import SEARCHED_AT_ONCE, RemoteFile, UserFiles
from plugin.hosts.nextcloud.options import NextcloudOptions
from plugin.hosts.nextcloud.pixels import Pixels
from plugin.hosts.nextcloud.taking_names import TakesNames
from plugin.hosts.nextcloud.walking import Walk, hidden_folders, lies_in
from plugin.ports.host import KnownContent, KnownMark, Listed

Remembered = Callable[[str], Asset | None]
"""host_key -> what the catalogue has of it; spares asking Nextcloud what it is."""


class NextcloudHost(TakesNames):
    """The files of one user. `host_key` is Nextcloud's file id, which survives renames, the trash and overwriting.

    Args:
        place: server and user.
        client: logged in at that server.
        options: what is chosen.
        remembered: what the catalogue has of an asset.
    """

    stable_keys = True

    def __init__(
        self,
        place: Place,
        client: NextcloudClient,
        options: NextcloudOptions,
        remembered: Remembered = lambda _key: None,
    ) -> None:
        self.client = client
        self.files = UserFiles(client, place.user)
        self._place = place
        self._options = options
        self._remembered = remembered
        self._pixels = Pixels(client, self.files, options.preview_pixels)
        self._ahead = Ahead(self._fetch)

    def close(self) -> None:
        """Close connections and what was fetched ahead."""
        self._ahead.close()
        self.client.close()

    def check(self) -> None:
        """Prove that the server answers and lets this user in. Raises `HostUnreachable`, `HostRefused`."""
        self.client.ocs("GET", "/ocs/v2.php/cloud/user")

    def listing(self, known: KnownContent) -> Iterator[HostAsset | IntakeProblem]:  # noqa: ARG002 - ETags are cheap
        """Every chosen photo and video. Raises `HostUnreachable`, `HostRefused`."""
        for entry in self.changes(lambda _path: None):
            if not isinstance(entry, ListedFolder):
                yield entry

    def changes(self, known: KnownMark) -> Iterator[Listed]:
        """What is in folders whose ETag is not the known one; see `FolderMarkingHost`."""
        for entry in Walk(self.files, self._options, known).run():
            if isinstance(entry, RemoteFile):
                asset = entry.asset()
                if asset is not None and self._takes_kind(entry):
                    yield asset
            else:
                yield entry

    def look_up(self, host_key: str, known: KnownContent) -> HostAsset | None:  # noqa: ARG002 - ETags are cheap
        """The asset as it is now, None when it is not there or left out. Raises `HostUnreachable`, `HostRefused`."""
        file = self.find(host_key)
        return file.asset() if file is not None and self._takes(file) and not self._is_of_others(file) else None

    def look_up_named(self, host_keys: Sequence[str]) -> list[HostAsset]:
        """Two requests, however many keys; see `NamingHost`."""
        files = self.files.of_ids([key for key in host_keys if is_file_id(key)][:SEARCHED_AT_ONCE])
        taken = [file for file in files if self._takes(file)]
        hidden = hidden_folders(self.files) if taken else frozenset[str]()
        if hidden is None:
            return []  # only the walk can tell what lies below a `.nomedia`
        assets = (file.asset() for file in taken if not lies_in(file.folder, hidden) and not self._is_of_others(file))
        return [asset for asset in assets if asset is not None]

    def find(self, host_key: str) -> RemoteFile | None:
        """Where the file is now for this user, left out or not; None when it is nowhere."""
        return self.files.of_id(host_key) if is_file_id(host_key) else None

    def open(self, host_key: str) -> AbstractContextManager[BinaryIO]:
        """Nextcloud's preview of a photo, the original of everything else.

        Raises:
            AssetGone, HostUnreachable, HostRefused.
        """
        if not is_file_id(host_key):
            raise AssetGone("There is no such photo")
        return self._ahead.take(host_key)

    def open_original(self, host_key: str) -> AbstractContextManager[BinaryIO]:
        """The file as it was uploaded. Raises `AssetGone`, `HostUnreachable`, `HostRefused`."""
        file = self.find(host_key)
        if file is None:
            raise AssetGone("The photo is no longer at Nextcloud")
        return self._pixels.original(file)

    def fetch_ahead(self, host_keys: Sequence[str]) -> None:
        """Fetch these in the background; `open` takes them."""
        self._ahead.begin([key for key in host_keys if is_file_id(key)])

    def link(self, host_key: str) -> str | None:
        """Nextcloud's own page of the file."""
        return f"{self._place.base}/index.php/f/{host_key}" if is_file_id(host_key) else None

    def _fetch(self, host_key: str) -> BinaryIO:
        asset = self._remembered(host_key)
        return self._pixels.fetch(host_key, asset.kind if asset else None, lambda: self.find(host_key))

    def _takes(self, file: RemoteFile) -> bool:
        return self._options.takes_folder(file.path) and self._takes_kind(file)

    def _is_of_others(self, file: RemoteFile) -> bool:
        """Whether another library of the account reads it. A search does not tell who owns a file, so it is asked."""
        if not self._options.others:
            return False
        try:
            return (file.owner or self.files.one(file.path).owner) in self._options.others
        except AssetGone:
            return True  # moved this very moment: left to the next listing

    def _takes_kind(self, file: RemoteFile) -> bool:
        return self._options.videos or not file.mime.startswith("video/")


def is_file_id(host_key: str) -> bool:
    """Whether this can be one: ASCII digits, as many as a 64 bit number has."""
    return host_key.isascii() and host_key.isdecimal() and len(host_key) <= 19
