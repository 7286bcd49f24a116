"""A host in memory that takes names: labels that belong to everybody, and sidecar files; people change both by hand."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO

from plugin.catalogue.store import SqlCatalogue
from plugin.domain import Asset, Box, Library
from plugin.errors import AssetGone, ChangedMeanwhile, HostError
from plugin.hosts.photoprism.markers import marker_of
from plugin.people import People
from plugin.ports.writing import Check, Label, MarkedPhoto, Marker, StoredSidecar
from plugin.writeback import WriteBack
from tests.fakes.album import Album, NudgeLog, at_degrees
from tests.fakes.dying_catalogue import DyingCatalogue, Killed
from tests.fakes.host import FakeHost
from tests.fakes.photoprism.answers import marker_row
from tests.fakes.photoprism.people import MANUAL, FakeMarker, FakePeople


class Lifetime:
    """How many calls are still made before the process is killed; None for ever."""

    def __init__(self) -> None:
        self.left: list[int] | None = None

    def spend(self) -> None:
        if self.left is not None:
            self.left[0] -= 1
            if self.left[0] < 0:
                raise Killed


class FakeWritingHost(FakeHost):
    """Set the knobs at any time.

    Attributes:
        tags: name by id; every asset may carry them.
        carried: pairs of host key and id.
        sidecars: content by path of the asset.
        people: markers and subjects, as PhotoPrism keeps them; a photo's only file has the key of the photo.
        trouble: called with the name of each write and its key or path; raises what goes wrong.
        before_write: called before each write of a sidecar, to be somebody who is faster.
        lifetime: counts calls; a kill comes before a call or right after it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, str] = {}
        self.carried: set[tuple[str, str]] = set()
        self.sidecars: dict[str, bytes] = {}
        self.trouble: Callable[[str, str], None] = lambda _what, _where: None
        self.before_write: Callable[[str], None] = lambda _path: None
        self.lifetime = Lifetime()
        self.written: list[tuple[str, str]] = []
        self.people = FakePeople()
        self._ids = 0

    # What Kinfolk calls.

    def labels(self) -> list[Label]:
        return [Label(tag_id, name) for tag_id, name in self.tags.items()]

    def labels_of(self, host_key: str) -> list[Label]:
        self._present(host_key)
        return [Label(tag_id, self.tags[tag_id]) for key, tag_id in sorted(self.carried) if key == host_key]

    def make_label(self, name: str) -> Label | None:
        with self._call("make", name):
            return None if name in self.tags.values() else Label(self.tag(name), name)

    def assign(self, host_key: str, label_id: str) -> None:
        with self._call("assign", host_key):
            self._present(host_key)
            if label_id not in self.tags:
                raise AssetGone("There is no such tag")
            self.carried.add((host_key, label_id))

    def unassign(self, host_key: str, label_id: str) -> None:
        with self._call("unassign", host_key):
            self.carried.discard((host_key, label_id))

    def remove_label(self, label_id: str) -> bool:
        with self._call("remove label", label_id):
            if any(tag_id == label_id for _, tag_id in self.carried):
                return False
            self.tags.pop(label_id, None)
            return True

    def read_sidecar(self, path: str) -> StoredSidecar | None:
        content = self.sidecars.get(path)
        return None if content is None else StoredSidecar(content, version(content))

    def write_sidecar(self, path: str, content: bytes, version_read: str | None) -> None:
        with self._call("write", path):
            if version_read is None:
                self._present(path)
            self._require(path, version_read)
            self.sidecars[path] = content

    def remove_sidecar(self, path: str, version_read: str) -> None:
        with self._call("remove", path):
            self._require(path, version_read)
            del self.sidecars[path]

    def subjects(self) -> dict[str, str]:
        return dict(self.people.subjects)

    def subjects_mark(self) -> str:
        return repr((self.people.subjects, [vars(marker) for marker in self.people.markers.values()]))

    def marked(self, host_key: str) -> MarkedPhoto:
        self._present(host_key)
        rows = [marker_of(marker_row(marker)) for marker in self.people.of_file(host_key)]
        return MarkedPhoto(host_key, host_key, tuple(row for row in rows if row is not None))

    def all_marked(self) -> Iterator[MarkedPhoto]:
        return (self.marked(key) for key in list(self.files) if self.people.of_file(key))

    def add_marker(self, file: str, box: Box, name: str, check: Check) -> Marker:
        with self._call("add marker", file):
            check()
            sides = {"X": box.x, "Y": box.y, "W": box.w, "H": box.h}
            return _found(self.people.create({"FileUID": file, **sides, "Name": name, "SubjSrc": MANUAL}))

    def name_marker(self, marker_id: str, name: str, check: Check) -> Marker:
        with self._call("name marker", self.people.markers[marker_id].file_uid):
            check()
            return _found(self.people.update(marker_id, {"Name": name, "SubjSrc": MANUAL}))

    def clear_marker(self, marker_id: str, check: Check) -> None:
        with self._call("clear marker", self.people.markers[marker_id].file_uid):
            check()
            self.people.clear(marker_id)

    def reject_marker(self, marker_id: str, check: Check, *, rejected: bool) -> None:
        with self._call("reject marker", self.people.markers[marker_id].file_uid):
            check()
            self.people.update(marker_id, {"Invalid": rejected})

    def rename_subject(self, subject: str, name: str) -> str:
        with self._call("rename", subject):
            return self.people.subjects[self.people.rename(subject, name)]

    # What people do there.

    def tag(self, name: str) -> str:
        """The id of the tag of this name, made when there is none."""
        known = next((tag_id for tag_id, there in self.tags.items() if there == name), None)
        if known is None:
            self._ids += 1
            known = str(self._ids)
            self.tags[known] = name
        return known

    def tags_of(self, host_key: str) -> set[str]:
        return {self.tags[tag_id] for key, tag_id in self.carried if key == host_key}

    def delete_tag(self, tag_id: str) -> None:
        del self.tags[tag_id]
        self.carried = {pair for pair in self.carried if pair[1] != tag_id}

    def stored_picture(self, path: str) -> AbstractContextManager[BinaryIO]:
        return self.open(path)

    def _present(self, key: str) -> None:
        if key not in self.files:
            raise AssetGone(f"{key} is no longer there")

    def _require(self, path: str, version_read: str | None) -> None:
        self.before_write(path)
        now = self.sidecars.get(path)
        if (None if now is None else version(now)) != version_read:
            raise ChangedMeanwhile("The sidecar file was changed in the meantime")

    def _call(self, what: str, where: str) -> "_Call":
        return _Call(self, what, where)


class _Call:
    """One write: a kill may come before it, or after it before anybody knows."""

    def __init__(self, host: FakeWritingHost, what: str, where: str) -> None:
        self._host, self._what, self._where = host, what, where

    def __enter__(self) -> None:
        self._host.lifetime.spend()
        self._host.trouble(self._what, self._where)
        self._host.written.append((self._what, self._where))

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        if kind is None:
            self._host.lifetime.spend()


def _found(marker: FakeMarker) -> Marker:
    found = marker_of(marker_row(marker))
    assert found is not None
    return found


def version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Household:
    """Anna's album on a host that takes names: photos with two faces each, and who is on them.

    Args:
        photos: how many.
        catalogue: a fresh one.
    """

    def __init__(self, photos: int = 3, catalogue: SqlCatalogue | None = None) -> None:
        self.album = Album(catalogue)
        self.catalogue = self.album.catalogue
        self.account_id = self.album.account.id
        self.host = FakeWritingHost()
        self.faces: list[list[int]] = [
            self.album.add_photo([at_degrees(40.0 * number), at_degrees(40.0 * number + 20)])
            for number in range(photos)
        ]
        self.paths = [self.asset(number).path for number in range(photos)]
        for path in self.paths:
            self.host.put(path, b"pixels")
        self.orientation = 1
        self.woken = 0

    @property
    def library(self) -> Library:
        return self.catalogue.libraries.get(self.album.library.id)

    def asset(self, number: int) -> Asset:
        return self.catalogue.assets.get(self.catalogue.faces.get(self.faces[number][0]).asset_id)

    def writing(self, lifetime: list[int] | None = None) -> WriteBack:
        """The step; with a lifetime it is killed after so many calls to the catalogue or writes to the host."""
        self.host.lifetime.left = lifetime
        catalogue = DyingCatalogue(self.catalogue, lifetime) if lifetime is not None else self.catalogue
        return WriteBack(
            catalogue,  # type: ignore[arg-type]  # it passes every call on
            lambda _library: self.host,
            lambda _stream: self.orientation,
            self._wake,
            people=People(catalogue, NudgeLog()),  # type: ignore[arg-type]  # as above
            clock=self.catalogue._transactions.now,
        )

    def _wake(self) -> None:
        self.woken += 1


def raising(error: HostError) -> Callable[[str, str], None]:
    """A trouble that comes with every write."""

    def trouble(_what: str, _where: str) -> None:
        raise error

    return trouble
