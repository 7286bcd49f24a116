"""Names kept as face regions in sidecar files, on any host that has room for them."""

from collections.abc import Callable, Collection, Mapping
from typing import BinaryIO

from plugin.domain import Asset, Box
from plugin.errors import SidecarUnusable
from plugin.ports.writing import NameChanges, NamesThere, NameThere, SidecarHost, StoredSidecar
from plugin.ports.written import NameKey, NameKind
from plugin.sidecars import Region, as_stored, as_upright, edited, read_sidecar, sayable
from plugin.sidecars.places import stored_size, within

OrientationOf = Callable[[BinaryIO], int]
"""The EXIF orientation (1..8) a picture is stored with. Raises `PictureError`."""


class SidecarNames:
    """A `NameKeeper` on sidecar files.

    Args:
        host: of the library.
        installation: of this Kinfolk; another one's regions are others'.
        orientation_of: regions lie in the picture as it is stored.
    """

    kind = NameKind.SIDECARS
    overlap = None

    def __init__(self, host: SidecarHost, installation: str, orientation_of: OrientationOf) -> None:
        self._host = host
        self._installation = installation
        self._orientation_of = orientation_of
        self._known: tuple[int, int] | None = None

    def begin(self, *, removing: bool) -> None:
        """Every name is kept with its asset."""

    def said(self, name: str) -> str:
        """Without characters that XML does not have."""
        return sayable(name).strip()

    def mark(self, key: NameKey) -> str:
        """Written into the region."""
        return f"{self._installation}-{key.face_id}"

    def refuses(self, name: str) -> bool:  # noqa: ARG002  the port's signature
        """A region can only be taken away one by one."""
        return False

    def read(self, asset: Asset, path: str) -> NamesThere:
        """See `NameKeeper.read`."""
        stored = self._host.read_sidecar(path)
        if stored is None:
            return NamesThere(())
        orientation = self._orientation(asset)
        regions = read_sidecar(stored.content).regions
        faces = (region for region in regions if region.mark or region.kind == "Face")
        return NamesThere(tuple(self._there(region, orientation) for region in faces), stored)

    def _orientation(self, asset: Asset) -> int:
        """Read once for an asset, though it is read and written."""
        if self._known is None or self._known[0] != asset.id:
            with self._host.stored_picture(asset.path) as stream:
                self._known = (asset.id, self._orientation_of(stream))
        return self._known[1]

    def _there(self, region: Region, orientation: int) -> NameThere:
        ours = region.mark.startswith(f"{self._installation}-")
        box = None if region.box is None else as_upright(region.box, orientation)
        return NameThere(region.name, box, region.mark if ours else "", ours)

    def write(self, asset: Asset, path: str, there: NamesThere, changes: NameChanges) -> Mapping[NameKey, str]:
        """See `NameKeeper.write`. The whole file is replaced at once, and only if it is the one that was read."""
        stored = there.seal if isinstance(there.seal, StoredSidecar) else None
        if asset.width is None or asset.height is None:
            raise SidecarUnusable("The size of the photo is not known yet", code="size_unknown")
        orientation = self._orientation(asset)
        put = {
            self.mark(change.key): Region(change.name, _stored(change.box, orientation), mark=self.mark(change.key))
            for change in changes.put
        }
        content = edited(
            stored.content if stored else None,
            put,
            {taken.mark for taken in changes.take},
            stored_size(asset.width, asset.height, orientation),
        )
        if content is None and stored is not None:
            self._host.remove_sidecar(path, stored.version)
        elif content is not None and (stored is None or content != stored.content):
            self._host.write_sidecar(path, content, stored.version if stored else None)
        return {}

    def finish(self, in_use: Collection[str]) -> None:
        """Files that held nothing but ours went with the last region in them."""


def _stored(box: Box | None, orientation: int) -> Box:
    if box is None:
        raise ValueError("a region needs a box")
    return as_stored(within(box), orientation)
