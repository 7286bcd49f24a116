"""Photos as PhotoPrism's search tells of them, and the pages they come in.

A page is asked for by offset, and what is added or archived meanwhile moves everything behind it. So each page begins
with the last photo of the one before. Where it does not, something in between went away, and the listing steps back
until it stands on a photo it knows: nothing can be passed over, which intake would take for deleted.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from plugin.domain import AssetKind, HostAsset, IntakeProblem
from plugin.errors import BadListing
from plugin.hosts.network.texts import storable
from plugin.hosts.photoprism.client import PhotoPrismClient
from plugin.hosts.photoprism.markers import marked_photo
from plugin.hosts.photoprism.options import PhotoPrismOptions
from plugin.ports.writing import MarkedPhoto
from plugin.sentences import Sentence

UID = re.compile(r"p[a-z0-9]{15}")
HASH = re.compile(r"[0-9a-f]{8,128}")

KINDS = {
    "image": AssetKind.PHOTO,
    "raw": AssetKind.PHOTO,
    "live": AssetKind.PHOTO,
    "animated": AssetKind.PHOTO,
    "video": AssetKind.VIDEO,
}
"""`Type` of a photo; drawings, documents and sounds have no faces. A live photo is one photo, its video is not read."""

STEPS_BACK = 50
"""In one listing: a library that changes faster than it can be read is listed the next time."""


@dataclass(frozen=True, slots=True)
class RemotePhoto:
    """A photo or video.

    `name`: of the original, from the library's root; `video`: hash of the film, "" without one; `original`: hash of
    the file users put in, where all files are told; `marked`: the faces marked on its picture.
    """

    uid: str
    kind: AssetKind | None
    hash: str
    video: str
    original: str
    name: str
    private: bool
    hidden: bool
    stamp: datetime | None
    taken_at: datetime | None
    marked: MarkedPhoto | None = None

    def asset(self) -> HostAsset | IntakeProblem | None:
        """As the port lists it; None when it has no faces to look for."""
        if self.kind is None:
            return None
        if not self.hash:
            said = Sentence("PhotoPrism has no picture of this photo yet. It is taken once PhotoPrism has indexed it")
            return IntakeProblem(self.name or self.uid, "no_picture", said, hides_below=True)
        return HostAsset(self.uid, self.name, self.kind, self.hash, self.hash, None, self.taken_at)


class Photos:
    """Searches. `quality`: 3 leaves out what PhotoPrism asks its user to review first, 0 nothing."""

    def __init__(self, client: PhotoPrismClient, options: PhotoPrismOptions, quality: int) -> None:
        self._client = client
        self._options = options
        self._quality = quality

    def all(self, search: str = "") -> Iterator[RemotePhoto]:
        """Every photo that fits and may be read, once.

        Raises:
            HostUnreachable, HostRefused: it is not complete.
        """
        seen = set[str]()
        offset = steps = 0
        while True:
            photos, count, limit = self._page(search, offset)
            if offset and (not photos or photos[0].uid not in seen):
                steps += 1
                if steps > STEPS_BACK:
                    raise BadListing("PhotoPrism's library changes while it is read", "It is tried again")
                offset = max(0, offset - max(1, limit // 2))
                continue
            for photo in photos:
                if photo.uid not in seen:
                    seen.add(photo.uid)
                    if self._is_taken(photo):
                        yield photo
            if count < limit:
                return
            offset += count - 1

    def of_uid(self, uid: str) -> RemotePhoto | None:
        """One photo with all its files; None when it is not there or may not be read. Raises like `all`."""
        rows, _ = self._client.listed("/photos", **self._query(f"uid:{uid}"), count="100", merged="true")
        photos = [photo_of(row) for row in _rows(rows)]
        return next((photo for photo in photos if photo.uid == uid and self._is_taken(photo)), None)

    def _page(self, search: str, offset: int) -> tuple[list[RemotePhoto], int, int]:
        """(photos, files they were made of, most files of a page)."""
        page = self._options.page
        rows, response = self._client.listed(
            "/photos", **self._query(search), count=str(page), offset=str(offset), merged="true", primary="true"
        )
        photos = [photo_of(row) for row in _rows(rows)]
        count = _number(response.headers.get("X-Count"), len(photos))
        limit = min(page, _number(response.headers.get("X-Limit"), page))
        if limit < 2 or count < len(photos):
            raise BadListing("PhotoPrism's listing is broken off", "It is tried again; look into PhotoPrism's log")
        return photos, count, limit

    def _query(self, search: str) -> dict[str, str]:
        private = {} if self._options.private else {"public": "true"}
        return {"order": "added", "quality": str(self._quality), "q": search, **private}

    def _is_taken(self, photo: RemotePhoto) -> bool:
        if photo.hidden or (photo.private and not self._options.private):
            return False
        return self._options.videos or photo.kind is not AssetKind.VIDEO


def photo_of(row: Mapping[str, Any]) -> RemotePhoto:
    """A photo of a listing. Raises `BadListing` for what PhotoPrism never sends."""
    uid = row.get("UID")
    if not isinstance(uid, str) or not UID.fullmatch(uid):
        raise BadListing("PhotoPrism's listing has a photo without a name", "It is tried again")
    files = [file for file in _list(row.get("Files")) if isinstance(file, Mapping)]
    files.sort(key=lambda file: not file.get("Primary"))
    primary = next((file for file in files if file.get("Primary")), {})
    others = [file for file in files if file is not primary]
    film = next((file for file in files if file.get("Video") and not file.get("Missing")), {})
    first = next((file for file in files if file.get("Root") == "/" and not file.get("Video")), primary)
    root, name = (storable(primary.get(key)) or storable(row.get(f"File{key}")) for key in ("Root", "Name"))
    return RemotePhoto(
        uid=uid,
        kind=KINDS.get(storable(row.get("Type"))),
        hash=_hash(primary.get("Hash")) or _hash(row.get("Hash")),
        video=_hash(film.get("Hash")),
        original=_hash(first.get("Hash")) or _hash(primary.get("Hash")) or _hash(row.get("Hash")),
        # PhotoPrism keeps the picture it made of a film or a HEIC beside it: `swim.mp4.jpg` for `swim.mp4`.
        name=name.rpartition(".")[0] if root == "sidecar" and "." in name else name,
        private=bool(row.get("Private")),
        hidden=_number(row.get("Quality"), 0) < 0 or bool(row.get("DeletedAt")),
        stamp=max(filter(None, (_moment(row.get("CreatedAt")), _moment(row.get("UpdatedAt")))), default=None),
        taken_at=_moment(row.get("TakenAt")),
        marked=marked_photo(uid, primary, others),
    )


def _rows(answer: object) -> list[Mapping[str, Any]]:
    if not isinstance(answer, list) or not all(isinstance(row, Mapping) for row in answer):
        raise BadListing("PhotoPrism's answer is no listing of photos", "It is tried again")
    return answer


def _hash(value: object) -> str:
    return value if isinstance(value, str) and HASH.fullmatch(value) else ""


def _number(value: object, otherwise: int) -> int:
    try:
        return int(str(value))
    except ValueError:
        return otherwise


def _moment(value: object) -> datetime | None:
    """In UTC; None for what is no time, and for the year 1, which Go writes for none."""
    try:
        found = datetime.fromisoformat(str(value))
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        return found.astimezone(UTC) if found.year > 1 else None
    except (ValueError, OverflowError):  # the other side of the year 9999, say
        return None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
