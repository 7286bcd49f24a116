"""The part of the host that takes names (`plugin.ports.writing`): markers."""

from collections.abc import Iterator

from plugin.domain import Box
from plugin.errors import AssetGone
from plugin.hosts.photoprism.client import PhotoPrismClient
from plugin.hosts.photoprism.markers import Markers
from plugin.hosts.photoprism.photos import RemotePhoto
from plugin.ports.writing import Check, MarkedPhoto, Marker


class TakesMarkers:
    """`MarkerHost` for one login; see there."""

    client: PhotoPrismClient

    def find(self, host_key: str) -> RemotePhoto | None:
        """One photo, None when there is none that may be read."""
        raise NotImplementedError

    def everything(self) -> Iterator[RemotePhoto]:
        """Every photo that may be read."""
        raise NotImplementedError

    def subjects(self) -> dict[str, str]:
        """Names by id."""
        return Markers(self.client).subjects()

    def subjects_mark(self) -> str:
        """A digest of them."""
        return Markers(self.client).mark()

    def marked(self, host_key: str) -> MarkedPhoto:
        """The markers of one photo."""
        photo = self.find(host_key)
        if photo is None or photo.marked is None:
            raise AssetGone("The photo is no longer at PhotoPrism")
        return photo.marked

    def all_marked(self) -> Iterator[MarkedPhoto]:
        """Every photo that has markers."""
        for photo in self.everything():
            if photo.marked is not None and (photo.marked.markers or photo.marked.unusable):
                yield photo.marked

    def add_marker(self, file: str, box: Box, name: str, check: Check) -> Marker:
        """A new marker."""
        return Markers(self.client).add(file, box, name, check)

    def name_marker(self, marker_id: str, name: str, check: Check) -> Marker:
        """Say who it is."""
        return Markers(self.client).name(marker_id, name, check)

    def clear_marker(self, marker_id: str, check: Check) -> None:
        """Take the name off."""
        Markers(self.client).clear(marker_id, check)

    def reject_marker(self, marker_id: str, check: Check, *, rejected: bool) -> None:
        """Say that it is no face, or one after all."""
        Markers(self.client).reject(marker_id, check, rejected=rejected)

    def rename_subject(self, subject: str, name: str) -> str:
        """Rename a person."""
        return Markers(self.client).rename(subject, name)
