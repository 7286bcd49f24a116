"""Files and folders as DAV tells of them."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from xml.sax.saxutils import escape

from plugin.domain import AssetKind, HostAsset
from plugin.errors import BadListing
from plugin.hosts.network.bodies import chunks
from plugin.hosts.network.client import encoded
from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.multistatus import DAV, NC, OC, ChunkStream, DavEntry, entries

FILES = "/remote.php/dav/files/"

PROPS = (
    "<d:prop><d:resourcetype/><d:getetag/><d:getlastmodified/><d:getcontenttype/><d:getcontentlength/><oc:fileid/>"
    "<oc:owner-id/><nc:has-preview/><nc:metadata-photos-original_date_time/></d:prop>"
)

DECLARED = 'xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns"'

NOT_PHOTOS = frozenset({"image/svg+xml", "image/x-icon", "image/vnd.microsoft.icon", "image/vnd.djvu"})
RAW = frozenset({"image/x-dcraw", "image/x-adobe-dng"})
MARKERS = frozenset({".nomedia", ".noimage"})
"""A folder with such a file, and everything below it, holds no photos (as Nextcloud's own apps see it)."""


SEARCHED_AT_ONCE = 50
"""A search may compare a hundred times at most."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file or folder. `path`: from the user's root; "" for the root itself."""

    path: str
    is_folder: bool
    file_id: str
    etag: str
    mime: str
    size: int | None
    owner: str
    has_preview: bool
    taken_at: datetime | None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The folder it is in."""
        return self.path.rpartition("/")[0]

    @property
    def is_raw_without_preview(self) -> bool:
        """A photo that neither Nextcloud nor Kinfolk can show."""
        return self.mime in RAW and not self.has_preview

    @property
    def kind(self) -> AssetKind | None:
        """What it is for Kinfolk; None for everything else."""
        if self.is_folder or self.mime in NOT_PHOTOS or not self.file_id.isdecimal():
            return None
        if self.is_raw_without_preview:
            return None
        kinds = {"image": AssetKind.PHOTO, "video": AssetKind.VIDEO}
        return kinds.get(self.mime.partition("/")[0])

    def asset(self) -> HostAsset | None:
        """As the port lists it; None when it is no photo and no video."""
        kind = self.kind
        if kind is None:
            return None
        return HostAsset(self.file_id, self.path, kind, self.etag, self.etag, self.size, self.taken_at)


class UserFiles:
    """The files of one user over DAV.

    Args:
        client: logged in.
        user: the user's id.
    """

    def __init__(self, client: NextcloudClient, user: str) -> None:
        self._client = client
        self._user = user
        # Below a path when Nextcloud lies in a folder of the host: hrefs count from the host's root.
        self._marker = f"{FILES}{user}/"

    def url(self, path: str) -> str:
        """For `NextcloudClient.request`."""
        return f"{FILES}{encoded(self._user)}/{encoded(path)}"

    @contextmanager
    def listing(self, folder: str, depth: str) -> Iterator[Iterator[RemoteFile]]:
        """PROPFIND, streamed; depth "0", "1" or "infinity". Raises `BadListing` and what `request` raises."""
        body = f'<?xml version="1.0"?><d:propfind {DECLARED}>{PROPS}</d:propfind>'
        with self._client.request(
            "PROPFIND",
            self.url(folder) + ("/" if folder else ""),
            body=body,
            headers={"Content-Type": "application/xml; charset=utf-8", "Depth": depth},
            accept=(207,),
        ) as response:
            stream = ChunkStream(chunks(response, self._client.limits.listing_bytes, self._client.words))
            yield (self._file(entry) for entry in entries(stream))

    def one(self, path: str) -> RemoteFile:
        """The file or folder at this path. Raises `AssetGone`."""
        with self.listing(path, "0") as found:
            for file in found:
                return file
        raise BadListing("Nextcloud's listing is empty", "It is tried again")

    def of_id(self, file_id: str) -> RemoteFile | None:
        """Where the file with this id is for this user; None when it is nowhere (deleted, trashed, not shared)."""
        where = f"<d:eq><d:prop><oc:fileid/></d:prop><d:literal>{escape(file_id)}</d:literal></d:eq>"
        return next(iter(self.search(where, 1)), None)

    def of_ids(self, file_ids: Sequence[str]) -> list[RemoteFile]:
        """As `of_id` for several at once; at most `SEARCHED_AT_ONCE`."""
        each = "".join(
            f"<d:eq><d:prop><oc:fileid/></d:prop><d:literal>{escape(file_id)}</d:literal></d:eq>"
            for file_id in file_ids
        )
        return self.search(f"<d:or>{each}</d:or>", len(file_ids)) if file_ids else []

    def search(self, where: str, count: int) -> list[RemoteFile]:
        """SEARCH below the user's root; at most `count`."""
        body = (
            f'<?xml version="1.0"?><d:searchrequest {DECLARED}><d:basicsearch><d:select>{PROPS}</d:select><d:from>'
            f"<d:scope><d:href>/files/{escape(encoded(self._user))}</d:href><d:depth>infinity</d:depth></d:scope></d:from>"
            f"<d:where>{where}</d:where>"
            "<d:orderby><d:order><d:prop><d:getlastmodified/></d:prop><d:ascending/></d:order></d:orderby>"
            f"<d:limit><d:nresults>{count}</d:nresults></d:limit>"
            "</d:basicsearch></d:searchrequest>"
        )
        with self._client.request(
            "SEARCH", "/remote.php/dav/", body=body, headers={"Content-Type": "text/xml; charset=utf-8"}, accept=(207,)
        ) as response:
            stream = ChunkStream(chunks(response, self._client.limits.listing_bytes, self._client.words))
            return [self._file(entry) for entry in entries(stream)]

    def _file(self, entry: DavEntry) -> RemoteFile:
        _, found, path = entry.path.partition(self._marker)
        if not found and not f"{entry.path}/".endswith(self._marker):
            raise BadListing("Nextcloud's listing names files of somebody else", "Is the address right?")
        props = entry.props
        return RemoteFile(
            path=path.strip("/"),
            is_folder=entry.is_folder,
            file_id=props.get(f"{OC}fileid", ""),
            etag=props.get(f"{DAV}getetag", "").strip('"'),
            mime=props.get(f"{DAV}getcontenttype", "").partition(";")[0].lower(),
            size=_whole(props.get(f"{DAV}getcontentlength", "")),
            owner=props.get(f"{OC}owner-id", ""),
            has_preview=props.get(f"{NC}has-preview") == "true",
            taken_at=_taken_at(props),
        )


def _whole(number: str) -> int | None:
    """None for what is no number or cannot be one: a hostile server sends thousands of digits."""
    return int(number) if number.isascii() and number.isdecimal() and len(number) <= MOST_DIGITS else None


def _taken_at(props: dict[str, str]) -> datetime | None:
    """The camera's time where Nextcloud read it (28 and later), else when the file was last written.

    Nextcloud takes the camera's wall clock for UTC. A time that cannot be (before 1980, in the future: somebody's
    clock is wrong) says nothing.
    """
    latest = time.time() + CLOCKS_DIFFER_SECONDS
    camera = _whole(props.get(f"{NC}metadata-photos-original_date_time", ""))
    if camera and camera < latest:
        return datetime.fromtimestamp(camera, UTC).replace(tzinfo=None)
    try:
        seconds = parsedate_to_datetime(props.get(f"{DAV}getlastmodified", "")).timestamp()
    except (ValueError, OverflowError):
        return None
    # Local time, since a camera's clock is local.
    local = datetime.fromtimestamp(seconds, UTC).astimezone() if EARLIEST < seconds < latest else None
    return local.replace(tzinfo=None) if local else None


MOST_DIGITS = 18
"""Of a number a 64 bit column takes."""

CLOCKS_DIFFER_SECONDS = 86_400
"""The clock of a telephone may be ahead of ours, and a camera's wall clock by its time zone."""

EARLIEST = 315_532_800
"""1980: before the first digital camera."""
