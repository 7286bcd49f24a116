"""What every host must do, run over each of them and over the fake."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from plugin.domain import AssetKind, HostAsset, IntakeProblem, ListedFolder
from plugin.errors import AssetGone, HostError, HostUnreachable
from plugin.hosts.folder.host import FolderHost
from plugin.hosts.folder.options import FolderOptions
from plugin.hosts.manifest import ManifestHost
from plugin.hosts.network.login import Login
from plugin.hosts.nextcloud.address import Place
from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.host import NextcloudHost
from plugin.hosts.nextcloud.options import NextcloudOptions
from plugin.hosts.photoprism.client import PhotoPrismClient
from plugin.hosts.photoprism.host import PhotoPrismHost
from plugin.hosts.photoprism.options import PhotoPrismOptions
from plugin.ports.host import DatedHost, FolderMarkingHost, Host
from tests.fakes.host import FakeHost
from tests.fakes.manifest import FakeManifest
from tests.fakes.nextcloud import FakeNextcloud
from tests.fakes.photoprism import FakePhotoPrism


class Album(Protocol):
    """What a user does on the host, beside Kinfolk."""

    host: Host

    def put(self, path: str, data: bytes) -> None: ...
    def move(self, old: str, new: str) -> None: ...
    def remove(self, path: str) -> None: ...
    def vanish(self) -> None: ...


class FakeAlbum:
    def __init__(self, *, stable_keys: bool) -> None:
        self.fake = FakeHost(stable_keys=stable_keys)
        self.host: Host = self.fake
        self.put, self.move, self.remove = self.fake.put, self.fake.move, self.fake.remove

    def vanish(self) -> None:
        self.fake.unreachable = True


class FolderAlbum:
    def __init__(self, root: Path) -> None:
        self.root = root / "Photos"
        self.root.mkdir()
        self.host: Host = FolderHost(str(self.root), FolderOptions())

    def put(self, path: str, data: bytes) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def move(self, old: str, new: str) -> None:
        (self.root / new).parent.mkdir(parents=True, exist_ok=True)
        (self.root / old).rename(self.root / new)

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def vanish(self) -> None:
        self.root.rename(self.root.with_name("unmounted"))


class NextcloudAlbum:
    def __init__(self, server: FakeNextcloud) -> None:
        self.server = server
        server.cloud.add_user("anna")
        login = Login(server.address, "anna", server.cloud.app_password("anna"))
        self.nextcloud = NextcloudHost(
            Place(server.address, "anna"),
            NextcloudClient(login, sleep=lambda _seconds: None),
            NextcloudOptions(skip=FolderOptions().skip),
        )
        self.host: Host = self.nextcloud

    def put(self, path: str, data: bytes) -> None:
        self.server.cloud.put("anna", path, data, parents=True)

    def move(self, old: str, new: str) -> None:
        self.server.cloud.move("anna", old, new)

    def remove(self, path: str) -> None:
        self.server.cloud.delete("anna", path)

    def vanish(self) -> None:
        self.server.stop()


class PhotoPrismAlbum:
    def __init__(self, server: FakePhotoPrism) -> None:
        self.server = server
        login = Login(server.address, "admin", server.library.token())
        client = PhotoPrismClient(login, sleep=lambda _seconds: None)
        self.photoprism = PhotoPrismHost(client, PhotoPrismOptions(page=3))
        self.host: Host = self.photoprism
        self.move, self.remove, self.vanish = server.library.move, server.library.remove, server.stop

    def put(self, path: str, data: bytes) -> None:
        self.server.library.put(path, data)


class ManifestAlbum:
    def __init__(self, server: FakeManifest) -> None:
        self.manifest = ManifestHost(server.manifest)
        self.host: Host = self.manifest
        self.put, self.move, self.remove, self.vanish = server.put, server.move, server.remove, server.vanish


@contextmanager
def new_album(kind: str, tmp_path: Path) -> Iterator[Album]:
    if kind == "manifest":
        with FakeManifest() as web:
            listed_photos = ManifestAlbum(web)
            yield listed_photos
            listed_photos.manifest.close()
        return
    if kind == "photoprism":
        with FakePhotoPrism() as prism:
            photos = PhotoPrismAlbum(prism)
            yield photos
            photos.photoprism.close()
        return
    if kind == "nextcloud":
        with FakeNextcloud() as server:
            album = NextcloudAlbum(server)
            yield album
            album.nextcloud.close()
    else:
        yield FolderAlbum(tmp_path) if kind == "folder" else FakeAlbum(stable_keys=kind.endswith("ids"))


@pytest.fixture(params=["folder", "fake with paths", "fake with ids", "nextcloud", "photoprism", "manifest"])
def album(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Album]:
    """Anna's album with three photos and a video."""
    with new_album(request.param, tmp_path) as album:
        fill(album)
        yield album


def fill(album: Album) -> None:
    album.put("anna.jpg", b"Anna laughs")
    album.put("2024/ben.png", b"Ben waves")
    album.put("2024/summer/clara.heic", b"Clara dives")
    album.put("2024/summer/swim.mp4", b"Clara swims")


def nothing_known(host_key: str, change_key: str) -> str | None:
    return None


def listed(host: Host) -> dict[str, HostAsset]:
    entries = list(host.listing(nothing_known))
    assert not [entry for entry in entries if isinstance(entry, IntakeProblem)]
    assets = [entry for entry in entries if isinstance(entry, HostAsset)]
    assert len({asset.host_key for asset in assets}) == len(assets), "a key was listed twice"
    return {asset.path: asset for asset in assets}


def test_the_listing_has_every_photo_and_video_once(album: Album) -> None:
    kinds = {path: asset.kind for path, asset in listed(album.host).items()}
    assert kinds == {
        "anna.jpg": AssetKind.PHOTO,
        "2024/ben.png": AssetKind.PHOTO,
        "2024/summer/clara.heic": AssetKind.PHOTO,
        "2024/summer/swim.mp4": AssetKind.VIDEO,
    }


def test_the_listing_is_streamed(album: Album) -> None:
    listing = album.host.listing(nothing_known)
    assert isinstance(listing, Iterator)
    assert isinstance(next(listing), HostAsset)


def test_a_second_listing_says_the_same(album: Album) -> None:
    def content(host: Host) -> dict[str, tuple[str, str]]:
        return {path: (asset.host_key, asset.content_key) for path, asset in listed(host).items()}

    assert content(album.host) == content(album.host)


def test_looking_up_agrees_with_the_listing(album: Album) -> None:
    for asset in listed(album.host).values():
        found = album.host.look_up(asset.host_key, nothing_known)
        assert found is not None
        assert (found.host_key, found.path, found.kind, found.content_key) == (
            asset.host_key,
            asset.path,
            asset.kind,
            asset.content_key,
        )


def test_what_is_not_there_is_looked_up_as_none(album: Album) -> None:
    key = listed(album.host)["anna.jpg"].host_key
    album.remove("anna.jpg")
    assert album.host.look_up(key, nothing_known) is None
    assert album.host.look_up("4711-never-there.jpg", nothing_known) is None


def test_opening_gives_the_bytes_and_can_seek(album: Album) -> None:
    with album.host.open(listed(album.host)["2024/ben.png"].host_key) as stream:
        assert stream.seekable()
        assert stream.read() == b"Ben waves"
        stream.seek(4)
        assert stream.read(5) == b"waves"


def test_opening_what_is_gone_says_so(album: Album) -> None:
    key = listed(album.host)["anna.jpg"].host_key
    album.remove("anna.jpg")
    with pytest.raises(AssetGone), album.host.open(key):
        pass


def test_a_rename_keeps_the_key_or_the_content_key(album: Album) -> None:
    before = listed(album.host)["anna.jpg"]
    album.move("anna.jpg", "2024/anna at the sea.jpg")
    after = listed(album.host)["2024/anna at the sea.jpg"]
    assert after.content_key == before.content_key
    assert (after.host_key == before.host_key) == album.host.stable_keys


def test_other_pixels_have_another_content_key_and_change_key(album: Album) -> None:
    before = listed(album.host)["anna.jpg"]
    album.put("anna.jpg", b"Anna frowns")
    after = listed(album.host)["anna.jpg"]
    assert after.host_key == before.host_key
    assert after.content_key != before.content_key
    assert after.change_key != before.change_key or not after.change_key


def test_equal_bytes_have_equal_content_keys_unless_keys_are_stable(album: Album) -> None:
    album.put("copy.jpg", b"Anna laughs")
    assets = listed(album.host)
    assert album.host.stable_keys or assets["copy.jpg"].content_key == assets["anna.jpg"].content_key
    assert assets["copy.jpg"].host_key != assets["anna.jpg"].host_key


@pytest.mark.parametrize(
    "name", ["über 100 %.jpg", "a\nb.jpg", 'it\'s "quoted".jpg', "back\\slash.jpg", "🏖️.jpg", "-rf.jpg"]
)
def test_any_utf8_name_is_listed_and_opened(album: Album, name: str) -> None:
    album.put(f"odd {name}/{name}", b"odd")
    asset = listed(album.host)[f"odd {name}/{name}"]
    with album.host.open(asset.host_key) as stream:
        assert stream.read() == b"odd"
    assert album.host.look_up(asset.host_key, nothing_known) is not None


def test_a_vanished_host_is_unreachable_in_every_call(album: Album) -> None:
    key = listed(album.host)["anna.jpg"].host_key
    album.host.check()
    album.vanish()
    with pytest.raises(HostUnreachable) as raised:
        album.host.check()
    assert raised.value.advice, "the user must be told what to do"
    with pytest.raises(HostUnreachable):
        list(album.host.listing(nothing_known))
    with pytest.raises(HostUnreachable):
        album.host.look_up(key, nothing_known)
    with pytest.raises(HostUnreachable), album.host.open(key):
        pass


def test_a_host_that_vanishes_while_it_lists_does_not_end_the_listing_quietly(album: Album) -> None:
    listing = album.host.listing(nothing_known)
    next(listing)
    album.vanish()
    with pytest.raises(HostUnreachable):
        list(listing)


def test_a_host_with_dates_lists_only_what_is_new(album: Album) -> None:
    if not isinstance(album.host, DatedHost):
        assert not hasattr(album.host, "changes_since")
        return
    *first, last = album.host.changes_since(None)
    assert isinstance(last, ListedFolder)
    assert (last.path, last.unchanged) == ("", False)
    assert len(first) == 4
    album.put("2024/new.jpg", b"new")
    *second, then = album.host.changes_since(last.mark)
    assert "2024/new.jpg" in {entry.path for entry in second if isinstance(entry, HostAsset)}
    assert isinstance(then, ListedFolder)
    assert (then.path, then.unchanged) == ("", True)


@pytest.mark.parametrize(
    "key", ["../secret.jpg", "/etc/passwd", "2024/../../secret.jpg", "a\0b.jpg", "", ".", "\udce9.jpg"]
)
def test_a_hostile_key_opens_nothing(album: Album, key: str) -> None:
    with pytest.raises(HostError), album.host.open(key):
        pass


def test_a_key_that_cannot_be_is_looked_up_as_none(album: Album) -> None:
    for key in ("../secret.jpg", "/anna.jpg", "2024/../anna.jpg", "anna.jpg//displaced-7", "a\0b.jpg", "\udce9.jpg"):
        assert album.host.look_up(key, nothing_known) is None


def test_several_threads_read_at_once(album: Album) -> None:
    keys = {asset.host_key for asset in listed(album.host).values()}

    def read(key: str) -> bytes:
        with album.host.open(key) as stream:
            return stream.read()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(read, list(keys) * 20)) == {b"Anna laughs", b"Ben waves", b"Clara dives", b"Clara swims"}


def test_a_link_is_an_address_or_none(album: Album) -> None:
    link = album.host.link(listed(album.host)["anna.jpg"].host_key)
    assert link is None or link.startswith(("https://", "http://"))


def test_a_host_with_marks_lists_only_what_changed(album: Album) -> None:
    if not isinstance(album.host, FolderMarkingHost):
        assert not hasattr(album.host, "changes")
        return
    marks: dict[str, str] = {}
    first = list(album.host.changes(marks.get))
    marks |= {entry.path: entry.mark for entry in first if isinstance(entry, ListedFolder)}
    assert set(marks) == {"", "2024", "2024/summer"}
    assert [entry.path for entry in first if isinstance(entry, HostAsset)] != []
    assert list(album.host.changes(marks.get)) == [ListedFolder("", marks[""], unchanged=True)]
    album.put("2024/new.jpg", b"new")
    second = list(album.host.changes(marks.get))
    assert {entry.path for entry in second if isinstance(entry, HostAsset)} == {
        "anna.jpg",
        "2024/ben.png",
        "2024/new.jpg",
    }
    assert [entry.path for entry in second if isinstance(entry, ListedFolder) and entry.unchanged] == ["2024/summer"]
