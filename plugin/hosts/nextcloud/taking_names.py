"""The part of the host that takes names (`plugin.ports.writing`): tags and sidecar files."""

from contextlib import AbstractContextManager
from typing import BinaryIO

from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.files import UserFiles
from plugin.hosts.nextcloud.sidecars import Sidecars
from plugin.hosts.nextcloud.tags import Tags
from plugin.ports.writing import Label, StoredSidecar


class TakesNames:
    """`LabelHost` and `SidecarHost` for one user; see there."""

    client: NextcloudClient
    files: UserFiles

    def labels(self) -> list[Label]:
        """Tags this user may put on files."""
        return Tags(self.client).all()

    def labels_of(self, host_key: str) -> list[Label]:
        """Tags of a file."""
        return Tags(self.client).of(host_key)

    def make_label(self, name: str) -> Label | None:
        """A new tag; None when there is one of this name."""
        return Tags(self.client).make(name)

    def assign(self, host_key: str, label_id: str) -> None:
        """Put a tag on a file."""
        Tags(self.client).assign(host_key, label_id)

    def unassign(self, host_key: str, label_id: str) -> None:
        """Take a tag off a file."""
        Tags(self.client).unassign(host_key, label_id)

    def remove_label(self, label_id: str) -> bool:
        """Delete a tag that provably nobody uses."""
        return Tags(self.client).remove(label_id)

    def read_sidecar(self, path: str) -> StoredSidecar | None:
        """The sidecar beside a photo."""
        return Sidecars(self.client, self.files).read(path)

    def write_sidecar(self, path: str, content: bytes, version: str | None) -> None:
        """Write it over this version."""
        Sidecars(self.client, self.files).write(path, content, version)

    def remove_sidecar(self, path: str, version: str) -> None:
        """Delete this version."""
        Sidecars(self.client, self.files).remove(path, version)

    def stored_picture(self, path: str) -> AbstractContextManager[BinaryIO]:
        """The photo as it is stored."""
        return Sidecars(self.client, self.files).picture(path)
