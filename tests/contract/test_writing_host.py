"""What every host that takes names must do, run over each of them and over the fake."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from plugin.domain import Box
from plugin.errors import (
    AssetGone,
    ChangedMeanwhile,
    HostFull,
    HostUnreachable,
    SidecarUnusable,
    WriteLocked,
    WriteRefused,
)
from plugin.hosts.folder.host import FolderHost
from plugin.hosts.folder.options import FolderOptions
from plugin.hosts.network.login import Login
from plugin.hosts.nextcloud.address import Place
from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.host import NextcloudHost
from plugin.hosts.nextcloud.options import NextcloudOptions
from plugin.hosts.photoprism.client import PhotoPrismClient
from plugin.hosts.photoprism.host import PhotoPrismHost
from plugin.hosts.photoprism.options import PhotoPrismOptions
from plugin.ports.writing import LabelHost, Marker, MarkerHost, SidecarHost
from tests.fakes.nextcloud import FakeNextcloud
from tests.fakes.photoprism import FakePhotoPrism
from tests.fakes.photoprism.people import FakePeople
from tests.fakes.writing_host import FakeWritingHost

PHOTO = "2024/Sommer ü & Meer/anna <1>.jpg"
FIRST, SECOND = b"<first/>", b"<second/>"


class Album(Protocol):
    """What a user does on the host, beside Kinfolk."""

    host: SidecarHost

    def put(self, path: str, data: bytes) -> None: ...
    def read(self, path: str) -> bytes | None: ...
    def remove(self, path: str) -> None: ...
    def vanish(self) -> None: ...


class FolderAlbum:
    def __init__(self, root: Path) -> None:
        self.root = root / "Photos"
        self.root.mkdir()
        self.host: SidecarHost = FolderHost(str(self.root), FolderOptions())

    def put(self, path: str, data: bytes) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def read(self, path: str) -> bytes | None:
        file = self.root / path
        return file.read_bytes() if file.exists() else None

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def vanish(self) -> None:
        self.root.rename(self.root.with_name("unmounted"))


class NextcloudAlbum:
    def __init__(self, server: FakeNextcloud) -> None:
        self.server = server
        server.cloud.add_user("anna")
        login = Login(server.address, "anna", server.cloud.app_password("anna"))
        self.client = NextcloudClient(login, sleep=lambda _seconds: None)
        self.nextcloud = NextcloudHost(Place(server.address, "anna"), self.client, NextcloudOptions())
        self.host: SidecarHost = self.nextcloud

    def put(self, path: str, data: bytes) -> None:
        self.server.cloud.put("anna", path, data, parents=True)

    def read(self, path: str) -> bytes | None:
        try:
            return self.server.cloud.find("anna", path).data
        except Exception:  # noqa: BLE001 - the fake's own "404"
            return None

    def remove(self, path: str) -> None:
        self.server.cloud.delete("anna", path)

    def vanish(self) -> None:
        self.server.stop()


class MemoryAlbum:
    def __init__(self) -> None:
        self.memory = FakeWritingHost()
        self.host: SidecarHost = self.memory

    def put(self, path: str, data: bytes) -> None:
        if path.endswith(".xmp"):
            self.memory.sidecars[path.removesuffix(".xmp")] = data
        else:
            self.memory.put(path, data)

    def read(self, path: str) -> bytes | None:
        return self.memory.sidecars.get(path.removesuffix(".xmp"))

    def remove(self, path: str) -> None:
        if path.endswith(".xmp"):
            del self.memory.sidecars[path.removesuffix(".xmp")]
        else:
            self.memory.remove(path)

    def vanish(self) -> None:
        self.memory.unreachable = True


@pytest.fixture
def server() -> Iterator[FakeNextcloud]:
    with FakeNextcloud() as running:
        yield running


@pytest.fixture
def cloud_album(server: FakeNextcloud) -> Iterator[NextcloudAlbum]:
    album = NextcloudAlbum(server)
    album.put(PHOTO, b"\xff\xd8 pixels")
    yield album
    album.nextcloud.close()


@pytest.fixture(params=["folder", "memory", "nextcloud"])
def album(request: pytest.FixtureRequest, tmp_path: Path) -> Album:
    if request.param == "nextcloud":
        cloud: NextcloudAlbum = request.getfixturevalue("cloud_album")
        return cloud
    album: Album = FolderAlbum(tmp_path) if request.param == "folder" else MemoryAlbum()
    album.put(PHOTO, b"\xff\xd8 pixels")
    return album


def test_a_sidecar_is_written_read_replaced_and_removed(album: Album) -> None:
    assert album.host.read_sidecar(PHOTO) is None
    album.host.write_sidecar(PHOTO, FIRST, None)
    first = album.host.read_sidecar(PHOTO)
    assert first is not None
    assert (first.content, album.read(f"{PHOTO}.xmp")) == (FIRST, FIRST)
    album.host.write_sidecar(PHOTO, SECOND, first.version)
    second = album.host.read_sidecar(PHOTO)
    assert second is not None
    assert second.content == SECOND
    assert second.version != first.version
    album.host.remove_sidecar(PHOTO, second.version)
    assert album.host.read_sidecar(PHOTO) is None
    assert album.read(f"{PHOTO}.xmp") is None


def test_what_was_changed_in_between_is_not_overwritten(album: Album) -> None:
    album.host.write_sidecar(PHOTO, FIRST, None)
    first = album.host.read_sidecar(PHOTO)
    assert first is not None
    album.put(f"{PHOTO}.xmp", b"<theirs/>")
    with pytest.raises(ChangedMeanwhile):
        album.host.write_sidecar(PHOTO, SECOND, first.version)
    with pytest.raises(ChangedMeanwhile):
        album.host.write_sidecar(PHOTO, SECOND, None)
    with pytest.raises(ChangedMeanwhile):
        album.host.remove_sidecar(PHOTO, first.version)
    assert album.read(f"{PHOTO}.xmp") == b"<theirs/>"
    album.remove(f"{PHOTO}.xmp")
    with pytest.raises(ChangedMeanwhile):
        album.host.write_sidecar(PHOTO, SECOND, first.version)
    assert album.read(f"{PHOTO}.xmp") is None


def test_no_sidecar_is_made_for_a_photo_that_is_gone(album: Album) -> None:
    album.remove(PHOTO)
    with pytest.raises(AssetGone):
        album.host.write_sidecar(PHOTO, FIRST, None)
    assert album.read(f"{PHOTO}.xmp") is None


def test_the_stored_picture_can_be_read(album: Album) -> None:
    with album.host.stored_picture(PHOTO) as stream:
        assert stream.read(2) == b"\xff\xd8"
    with pytest.raises(AssetGone), album.host.stored_picture("2024/nobody.jpg"):
        pass


def test_a_host_that_is_away_is_unreachable(album: Album) -> None:
    album.host.write_sidecar(PHOTO, FIRST, None)
    there = album.host.read_sidecar(PHOTO)
    assert there is not None
    album.vanish()
    if isinstance(album, MemoryAlbum):
        album.memory.trouble = lambda _what, _where: album.memory.check()
    with pytest.raises(HostUnreachable):
        album.host.write_sidecar(PHOTO, SECOND, there.version)


# The folder, where a sidecar is a file on a disk.


@pytest.fixture
def folder(tmp_path: Path) -> FolderAlbum:
    album = FolderAlbum(tmp_path)
    album.put("a.jpg", b"pixels")
    return album


def test_a_new_file_has_the_rights_of_its_photo_and_an_old_one_keeps_its_own(folder: FolderAlbum) -> None:
    (folder.root / "a.jpg").chmod(0o640)
    folder.host.write_sidecar("a.jpg", FIRST, None)
    sidecar = folder.root / "a.jpg.xmp"
    assert sidecar.stat().st_mode & 0o777 == 0o640
    sidecar.chmod(0o664)
    there = folder.host.read_sidecar("a.jpg")
    assert there is not None
    folder.host.write_sidecar("a.jpg", SECOND, there.version)
    assert sidecar.stat().st_mode & 0o777 == 0o664
    assert sorted(found.name for found in folder.root.iterdir()) == ["a.jpg", "a.jpg.xmp"]


def test_a_sidecar_of_another_name_is_not_put_out_of_sight(folder: FolderAlbum) -> None:
    folder.put("a.xmp", FIRST)
    with pytest.raises(SidecarUnusable) as raised:
        folder.host.read_sidecar("a.jpg")
    assert raised.value.code == "sidecar_elsewhere"


def test_links_and_paths_that_lead_out_are_not_followed(folder: FolderAlbum, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (folder.root / "a.jpg.xmp").symlink_to(secret)
    with pytest.raises(WriteRefused):
        folder.host.read_sidecar("a.jpg")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "b.jpg").write_bytes(b"")
    (folder.root / "out").symlink_to(tmp_path / "outside")
    for path in ("../secret.jpg", "out/b.jpg", "/etc/passwd", "a\0.jpg", ""):
        with pytest.raises((AssetGone, WriteRefused, HostUnreachable)):
            folder.host.write_sidecar(path, FIRST, None)
    assert secret.read_bytes() == b"secret"
    assert [found.name for found in (tmp_path / "outside").iterdir()] == ["b.jpg"]


def test_a_huge_sidecar_is_not_read_to_its_end(folder: FolderAlbum) -> None:
    with (folder.root / "a.jpg.xmp").open("wb") as file:
        file.truncate(10_000_000)
    with pytest.raises(SidecarUnusable):
        folder.host.read_sidecar("a.jpg")


def test_a_name_that_would_get_too_long_is_refused(folder: FolderAlbum) -> None:
    name = "a" * 250 + ".jpg"
    folder.put(name, b"pixels")
    with pytest.raises(WriteRefused):
        folder.host.write_sidecar(name, FIRST, None)


# Nextcloud, with what only a server can say.


@pytest.fixture
def labels(cloud_album: NextcloudAlbum) -> LabelHost:
    return cloud_album.nextcloud


def file_id(album: NextcloudAlbum) -> str:
    return str(album.server.cloud.find("anna", PHOTO).id)


def test_a_tag_is_made_once_assigned_listed_and_taken_off(cloud_album: NextcloudAlbum, labels: LabelHost) -> None:
    photo = file_id(cloud_album)
    made = labels.make_label("Person: Anna")
    assert made is not None
    assert labels.make_label("Person: Anna") is None
    assert labels.labels() == [made]
    for _ in range(2):
        labels.assign(photo, made.id)
        assert labels.labels_of(photo) == [made]
    for _ in range(2):
        labels.unassign(photo, made.id)
        assert labels.labels_of(photo) == []


def test_a_photo_that_is_gone_takes_no_tags(labels: LabelHost) -> None:
    made = labels.make_label("Person: Anna")
    assert made is not None
    for key in ("999999", "x/../1"):
        with pytest.raises(AssetGone):
            labels.assign(key, made.id)
        with pytest.raises(AssetGone):
            labels.labels_of(key)


@pytest.mark.parametrize(("version", "is_admin", "gone"), [(27, True, False), (31, True, True), (31, False, False)])
def test_a_tag_is_deleted_only_where_the_server_says_that_nobody_uses_it(
    cloud_album: NextcloudAlbum, labels: LabelHost, version: int, is_admin: bool, gone: bool
) -> None:
    server, photo = cloud_album.server, file_id(cloud_album)
    server.version, server.cloud.users["anna"].is_admin = version, is_admin
    made = labels.make_label("Person: Anna")
    assert made is not None
    labels.assign(photo, made.id)
    assert not labels.remove_label(made.id)
    labels.unassign(photo, made.id)
    assert labels.remove_label(made.id) is gone
    assert labels.labels() == ([] if gone else [made])


def test_locked_full_and_read_only_are_told_apart(cloud_album: NextcloudAlbum) -> None:
    cloud = cloud_album.server.cloud
    cloud_album.host.write_sidecar(PHOTO, FIRST, None)
    there = cloud_album.host.read_sidecar(PHOTO)
    assert there is not None
    cloud.find("anna", f"{PHOTO}.xmp").locked = True
    with pytest.raises(WriteLocked):
        cloud_album.host.write_sidecar(PHOTO, SECOND, there.version)
    cloud.find("anna", f"{PHOTO}.xmp").locked = False
    cloud.free_bytes = 1
    with pytest.raises(HostFull):
        cloud_album.host.write_sidecar(PHOTO, SECOND, there.version)


def test_the_beginning_of_a_jpeg_is_enough(cloud_album: NextcloudAlbum) -> None:
    cloud_album.put("big.jpg", b"\xff\xd8" + bytes(3_000_000))
    with cloud_album.host.stored_picture("big.jpg") as stream:
        assert len(stream.read()) < 700_000


# Markers: hosts that mark faces and know people.


class Prism(Protocol):
    """One photo on a host with markers, and what people do to it there."""

    host: MarkerHost
    key: str
    people: FakePeople

    @property
    def file(self) -> str: ...


class MemoryPrism:
    def __init__(self) -> None:
        memory = FakeWritingHost()
        memory.put(PHOTO, b"pixels")
        self.host: MarkerHost = memory
        self.people, self.key, self.file = memory.people, PHOTO, PHOTO


class ServedPrism:
    def __init__(self, server: FakePhotoPrism) -> None:
        self.server = server
        photo = server.library.put(PHOTO, b"pixels")
        client = PhotoPrismClient(Login(server.address, "app", server.library.token()), sleep=lambda _seconds: None)
        self.photoprism = PhotoPrismHost(client, PhotoPrismOptions())
        self.host: MarkerHost = self.photoprism
        self.people, self.key, self.file = server.library.people, photo.uid, server.library.primary(PHOTO).uid


@pytest.fixture(params=["memory", "photoprism"])
def prism(request: pytest.FixtureRequest) -> Iterator[Prism]:
    if request.param == "memory":
        yield MemoryPrism()
        return
    with FakePhotoPrism() as running:
        served = ServedPrism(running)
        yield served
        served.photoprism.close()


BOX = Box(0.2, 0.3, 0.1, 0.2)


def fine() -> None:
    """Nothing changed."""


def changed() -> None:
    raise ChangedMeanwhile("Somebody was faster")


def the_marker(prism: Prism) -> Marker:
    (marker,) = prism.host.marked(prism.key).markers
    return marker


def test_a_marker_is_added_with_its_name_and_listed(prism: Prism) -> None:
    assert prism.host.marked(prism.key).markers == ()
    assert list(prism.host.all_marked()) == []
    made = prism.host.add_marker(prism.host.marked(prism.key).file, BOX, "Anna", fine)
    found = the_marker(prism)
    assert found.id == made.id
    assert (found.box.x, found.box.y, found.box.w, found.box.h) == pytest.approx((0.2, 0.3, 0.1, 0.2))
    assert (found.by_hand, found.drawn, found.invalid) == (True, True, False)
    assert prism.host.subjects() == {found.subject: "Anna"}
    assert [photo.host_key for photo in prism.host.all_marked()] == [prism.key]


def test_a_face_the_host_found_is_named_cleared_denied_and_brought_back(prism: Prism) -> None:
    marker_id = prism.people.detect(prism.file, (0.2, 0.3, 0.1, 0.2)).uid
    before = the_marker(prism)
    assert (before.subject, before.drawn, before.by_hand) == ("", False, False)
    for _ in range(2):  # safe to repeat
        named = prism.host.name_marker(marker_id, "Anna", fine)
        assert prism.host.subjects()[named.subject] == "Anna"
    assert the_marker(prism).by_hand
    for _ in range(2):
        prism.host.clear_marker(marker_id, fine)
        assert the_marker(prism).subject == ""
    for rejected in (True, True, False, False):
        prism.host.reject_marker(marker_id, fine, rejected=rejected)
        assert the_marker(prism).invalid is rejected


def test_nothing_is_sent_that_is_not_as_it_was_read(prism: Prism) -> None:
    marker_id = prism.people.detect(prism.file, (0.2, 0.3, 0.1, 0.2)).uid
    prism.host.name_marker(marker_id, "Anna", fine)
    before = prism.host.marked(prism.key).markers
    for send in (
        lambda: prism.host.add_marker(prism.file, BOX, "Ben", changed),
        lambda: prism.host.name_marker(marker_id, "Ben", changed),
        lambda: prism.host.clear_marker(marker_id, changed),
        lambda: prism.host.reject_marker(marker_id, changed, rejected=True),
    ):
        with pytest.raises(ChangedMeanwhile):
            send()
    assert prism.host.marked(prism.key).markers == before


def test_a_person_is_renamed_on_every_photo_and_the_mark_tells(prism: Prism) -> None:
    named = prism.host.add_marker(prism.file, BOX, "Anna", fine)
    before = prism.host.subjects_mark()
    assert prism.host.subjects_mark() == before
    for _ in range(2):
        assert prism.host.rename_subject(named.subject, "Anna Maria") == "Anna Maria"
    assert prism.host.subjects() == {named.subject: "Anna Maria"}
    after = prism.host.subjects_mark()
    assert after != before
    prism.host.add_marker(prism.file, Box(0.6, 0.6, 0.1, 0.1), "Ben", fine)
    assert prism.host.subjects_mark() != after


def test_markers_of_a_photo_that_is_not_there_are_gone(prism: Prism) -> None:
    with pytest.raises(AssetGone):
        prism.host.marked("pq99999999999999")
