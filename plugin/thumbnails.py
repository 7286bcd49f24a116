"""Pictures for the screens: square face thumbnails and photo previews, kept in a cache that may be deleted any time."""

import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from plugin.domain import AccountId, Asset, AssetId, AssetKind, Face, FaceId, Library
from plugin.ports.catalogue import Catalogue
from plugin.ports.host import Host
from plugin.ports.vision import DecodedPicture, Media

DECODES_AT_ONCE = 2
"""A page asks for fifty pictures at once; two decoders keep the memory of a small machine bounded."""


class Thumbnails:
    """Cuts and caches pictures.

    Args:
        folder: the cache; created when needed.
        catalogue: whose faces and assets may be shown to whom.
        media: decodes and encodes.
        host_of: the host of a library.
    """

    def __init__(self, folder: Path, catalogue: Catalogue, media: Media, host_of: Callable[[Library], Host]) -> None:
        self._folder = folder
        self._catalogue = catalogue
        self._media = media
        self._host_of = host_of
        self._decoding = threading.BoundedSemaphore(DECODES_AT_ONCE)

    def keep(self, face_id: FaceId, thumbnail: bytes | None) -> None:
        """Keep what detection cut; None removes a thumbnail that is no longer true."""
        path = self._face_path(face_id)
        if thumbnail is None:
            path.unlink(missing_ok=True)
        else:
            write_atomically(path, thumbnail)

    def face_thumbnail(self, account_id: AccountId, face_id: FaceId) -> bytes:
        """A square WebP of the face, from the best picture there is.

        Raises:
            NotFound: no such face for this account.
            HostError, PictureError: it is not cached and cannot be cut now.
        """
        face = self._catalogue.faces.get(face_id, account_id)

        def cut() -> bytes:
            asset = self._catalogue.assets.get(face.asset_id, account_id)
            decoded = self._decode(asset, None, face.frame_ms)
            return self._media.face_thumbnail(decoded.pixels, face.box)

        return self._cached(self._drawn_path(face) if face.drawn else self._face_path(face_id), cut)

    def preview(self, account_id: AccountId, asset_id: AssetId, long_side: int) -> bytes:
        """The photo (or a frame of the video) as WebP with at most this long side, in pixels.

        Raises:
            NotFound: no such asset for this account.
            HostError, PictureError: it is not cached and cannot be decoded now.
        """
        asset = self._catalogue.assets.get(asset_id, account_id)
        version = hashlib.blake2b(asset.content_key.encode(), digest_size=6).hexdigest()
        path = self._folder / "previews" / f"{asset_id % 256:02x}" / f"{asset_id}-{version}-{long_side}.webp"

        def shrink() -> bytes:
            return self._media.preview(self._decode(asset, long_side, 0).pixels, long_side)

        return self._cached(path, shrink)

    def forget(self, keep_faces: Iterable[FaceId], maximum_preview_bytes: int) -> None:
        """Remove thumbnails of faces that no longer exist, and the oldest previews beyond the limit."""
        alive = set(keep_faces)
        for path in (self._folder / "faces").glob("*/*.webp"):
            number = path.stem.partition("-")[0]
            if not (number.isdecimal() and int(number) in alive):
                path.unlink(missing_ok=True)
        previews = sorted((self._folder / "previews").glob("*/*.webp"), key=lambda p: p.stat().st_mtime, reverse=True)
        total = 0
        for path in previews:
            total += path.stat().st_size
            if total > maximum_preview_bytes:
                path.unlink(missing_ok=True)

    def keep_only(self, face_ids: Iterable[FaceId], asset_ids: Iterable[AssetId]) -> None:
        """Remove every picture of other faces and assets. Safe to repeat after a kill at any moment."""
        for kind, ids in (("faces", set(face_ids)), ("previews", set(asset_ids))):
            for path in (self._folder / kind).glob("*/*"):
                number = path.stem.partition("-")[0]
                if not (number.isdecimal() and int(number) in ids):
                    path.unlink(missing_ok=True)

    def _face_path(self, face_id: FaceId) -> Path:
        return self._folder / "faces" / f"{face_id % 256:02x}" / f"{face_id}.webp"

    def _drawn_path(self, face: Face) -> Path:
        """A box that was drawn may be moved, and moved back by an undo: each place has its own picture."""
        box, content = face.box, self._catalogue.assets.get(face.asset_id, face.account_id).content_key
        place = hashlib.blake2b(f"{box.x} {box.y} {box.w} {box.h} {content}".encode(), digest_size=6).hexdigest()
        return self._face_path(face.id).with_name(f"{face.id}-{place}.webp")

    def _decode(self, asset: Asset, minimum_long_side: int | None, frame_ms: int | None) -> DecodedPicture:
        host = self._host_of(self._catalogue.libraries.get(asset.library_id))
        with self._decoding, host.open(asset.host_key) as stream:
            if asset.kind is AssetKind.VIDEO:
                return self._media.frame(stream, frame_ms or 0)
            return self._media.photo(stream, minimum_long_side)

    def _cached(self, path: Path, make: Callable[[], bytes]) -> bytes:
        try:
            kept = path.read_bytes()
        except OSError:  # not cached yet, or a cache that cannot be read
            kept = b""
        if any(kept[:16]):
            return kept
        # A power cut leaves a file that is empty or all zeros: what is cached is not worth a wait for the disk.
        picture = make()
        write_atomically(path, picture)
        return picture


def write_atomically(path: Path, content: bytes) -> None:
    """Write a whole file or nothing; a cache that cannot be written (disk full) costs time, not correctness."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
