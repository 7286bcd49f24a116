"""The folder host against everything a disk, a share or a hostile neighbour can put into a folder."""

import errno
import gc
import os
import socket
import time
import tracemalloc
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from plugin.domain import AssetKind, HostAsset, IntakeProblem, Library
from plugin.errors import AssetGone, HostRefused, HostUnreachable
from plugin.hosts.folder import root as folder_root
from plugin.hosts.folder.host import FolderHost
from plugin.hosts.folder.options import FolderOptions
from plugin.hosts.registry import HostOptions, host_kinds

OLD = 1_600_000_000
"""A time of modification far from now."""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "Photos"
    folder.mkdir()
    return folder


def put(path: Path, data: bytes = b"picture", modified: int = OLD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (modified, modified))
    return path


def nothing_known(host_key: str, change_key: str) -> str | None:
    return None


def entries(folder: Path, **options: object) -> tuple[list[str], dict[str, str]]:
    """The keys that were listed, in order, and the codes of the problems by path."""
    listing = list(FolderHost(str(folder), FolderOptions(**options)).listing(nothing_known))  # type: ignore[arg-type] # options by name
    keys = [entry.host_key for entry in listing if isinstance(entry, HostAsset)]
    return keys, {entry.path: entry.code for entry in listing if isinstance(entry, IntakeProblem)}


def denying(real: Callable[..., object], name: bytes, code: int) -> Callable[..., object]:
    """Root may read everything, so a refusal has to be played."""

    def call(path: object, *rest: object, **more: object) -> object:
        if isinstance(path, bytes) and path.rpartition(b"/")[2] == name:
            raise OSError(code, os.strerror(code), path)
        return real(path, *rest, **more)

    return call


class TestWhatIsListed:
    def test_photos_and_videos_are_told_by_their_names_in_any_case(self, photos: Path) -> None:
        for name in ("a.JPG", "b.HeIc", "c.tiff", "d.MP4", "e.mts", "notes.txt", "jpg", "f.jpg.part"):
            put(photos / name)
        assert entries(photos) == (["a.JPG", "b.HeIc", "c.tiff", "d.MP4", "e.mts"], {})
        kinds = [
            entry.kind
            for entry in FolderHost(str(photos), FolderOptions()).listing(nothing_known)
            if isinstance(entry, HostAsset)
        ]
        assert kinds == [AssetKind.PHOTO] * 3 + [AssetKind.VIDEO] * 2

    def test_videos_can_be_left_out(self, photos: Path) -> None:
        put(photos / "a.mp4")
        put(photos / "b.jpg")
        assert entries(photos, videos=False) == (["b.jpg"], {})
        host = FolderHost(str(photos), FolderOptions(videos=False))
        assert host.look_up("a.mp4", nothing_known) is None

    def test_an_empty_file_is_listed_so_that_detection_can_report_it(self, photos: Path) -> None:
        put(photos / "empty.jpg", b"")
        [asset] = FolderHost(str(photos), FolderOptions()).listing(nothing_known)
        assert isinstance(asset, HostAsset)
        assert asset.size_bytes == 0

    def test_a_raw_photo_is_shown_as_a_problem_unless_its_twin_is_beside_it(self, photos: Path) -> None:
        put(photos / "twin.CR2")
        put(photos / "twin.JPG")
        put(photos / "lonely.nef")
        assert entries(photos) == (["twin.JPG"], {"lonely.nef": "raw_unsupported"})

    def test_a_very_deep_folder_is_walked(self, photos: Path) -> None:
        deep = photos
        for _ in range(1100):  # deeper than Python's recursion limit
            deep /= "d"
            deep.mkdir()
        put(deep / "a.jpg")
        try:
            assert entries(photos) == (["d/" * 1100 + "a.jpg"], {})
        finally:  # pytest's own clearing up is recursive
            (deep / "a.jpg").unlink()
            while deep != photos:
                deep.rmdir()
                deep = deep.parent

    def test_ten_thousand_photos_are_streamed_in_bounded_memory(self, photos: Path) -> None:
        for folder in range(100):
            (photos / f"{folder:03}").mkdir()
            for number in range(100):
                put(photos / f"{folder:03}" / f"IMG_{number:04}.jpg", b"")
        listing = FolderHost(str(photos), FolderOptions()).listing(lambda host_key, change_key: "known")
        assert sum(1 for _ in islice(listing, 1_000)) == 1_000
        gc.collect()
        tracemalloc.start()
        try:
            assert sum(1 for _ in listing) == 9_000
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 1_000_000  # keeping the 9,000 assets would take several megabytes


class TestWhatIsLeftOut:
    def test_hidden_and_system_folders_are_left_out(self, photos: Path) -> None:
        for name in (".hidden/a.jpg", "._b.jpg", "x/@eaDir/c.jpg", "#recycle/d.jpg", ".Trash-1000/e.jpg", "x/f.jpg"):
            put(photos / name)
        assert entries(photos) == (["x/f.jpg"], {})

    def test_a_folder_with_nomedia_is_left_out_with_everything_below(self, photos: Path) -> None:
        put(photos / "stickers/a.jpg")
        put(photos / "stickers/deep/b.jpg")
        put(photos / "c.jpg")
        put(photos / "stickers/.nomedia")
        assert entries(photos) == (["c.jpg"], {})
        assert FolderHost(str(photos), FolderOptions()).look_up("stickers/deep/b.jpg", nothing_known) is None

    def test_nomedia_in_the_librarys_own_folder_does_not_empty_it(self, photos: Path) -> None:
        put(photos / "a.jpg")
        put(photos / ".nomedia")
        assert entries(photos)[0] == ["a.jpg"]
        assert FolderHost(str(photos), FolderOptions()).look_up("a.jpg", nothing_known) is not None

    @pytest.mark.parametrize(
        ("glob", "left"),
        [
            ("*.gif", ["a/b/c.jpg", "a/c.jpg", "c.jpg"]),
            ("a", ["c.jpg", "d.gif"]),
            ("a/b", ["a/c.jpg", "c.jpg", "d.gif"]),
            ("b/", ["a/c.jpg", "c.jpg", "d.gif"]),
            ("**/b/**", ["a/c.jpg", "c.jpg", "d.gif"]),
            ("/a/**", ["c.jpg", "d.gif"]),
            ("a/*.jpg", ["a/b/c.jpg", "c.jpg", "d.gif"]),
            ("a/**/c.jpg", ["c.jpg", "d.gif"]),
            ("A", ["a/b/c.jpg", "a/c.jpg", "c.jpg", "d.gif"]),
            ("", ["a/b/c.jpg", "a/c.jpg", "c.jpg", "d.gif"]),
        ],
    )
    def test_globs_leave_out_what_they_name(self, photos: Path, glob: str, left: list[str]) -> None:
        for name in ("a/b/c.jpg", "a/c.jpg", "c.jpg", "d.gif"):
            put(photos / name)
        keys, problems = entries(photos, skip=(glob,))
        assert sorted(keys) == left
        assert problems == {}
        host = FolderHost(str(photos), FolderOptions(skip=(glob,)))
        everything = ("a/b/c.jpg", "a/c.jpg", "c.jpg", "d.gif")
        assert [key for key in everything if host.look_up(key, nothing_known)] == left

    def test_what_is_left_out_is_not_opened_either(self, photos: Path) -> None:
        put(photos / ".hidden/a.jpg")
        put(photos / "password.txt")
        host = FolderHost(str(photos), FolderOptions())
        for key in (".hidden/a.jpg", "password.txt"):
            with pytest.raises(AssetGone):
                host.open(key)


class TestLinks:
    def test_a_link_to_a_folder_above_is_a_loop_that_is_shown_and_not_followed(self, photos: Path) -> None:
        put(photos / "a/b/c.jpg")
        (photos / "a/b/up").symlink_to("..")
        (photos / "a/self").symlink_to(".")
        (photos / "top").symlink_to(photos)
        (photos / "one").symlink_to("two")
        (photos / "two").symlink_to("one")
        (photos / "root").symlink_to("/")
        keys, problems = entries(photos)
        assert keys == ["a/b/c.jpg"]
        assert problems == dict.fromkeys(["a/b/up", "a/self", "top", "one", "two", "root"], "link_loop")

    def test_a_folder_reached_twice_is_listed_once_at_its_real_place(self, photos: Path) -> None:
        put(photos / "m/2024/a.jpg")
        (photos / "a first in order").symlink_to("m/2024")
        (photos / "z").symlink_to("m")
        (photos / "favourite.jpg").symlink_to("m/2024/a.jpg")
        assert entries(photos) == (["m/2024/a.jpg"], {})
        host = FolderHost(str(photos), FolderOptions())
        assert host.look_up("z/2024/a.jpg", nothing_known) is None
        assert host.look_up("favourite.jpg", nothing_known) is None

    def test_links_to_a_place_that_is_left_out_are_followed_once(self, photos: Path) -> None:
        put(photos / ".git/annex/xyz", b"annexed")
        put(photos / ".store/a.jpg")
        (photos / "annexed.jpg").symlink_to(".git/annex/xyz")
        (photos / "one").symlink_to(".store")
        (photos / "two").symlink_to(".store")
        (photos / ".store/again").symlink_to("../.store")
        assert entries(photos) == (["annexed.jpg", "one/a.jpg"], {"one/again": "link_loop"})
        host = FolderHost(str(photos), FolderOptions())
        assert host.look_up("annexed.jpg", nothing_known) is not None
        with host.open("annexed.jpg") as stream:
            assert stream.read() == b"annexed"

    def test_two_hidden_folders_that_link_to_each_other_end(self, photos: Path) -> None:
        put(photos / ".a/1.jpg")
        put(photos / ".b/2.jpg")
        (photos / ".a/to b").symlink_to("../.b")
        (photos / ".b/to a").symlink_to("../.a")
        (photos / "enter").symlink_to(".a")
        assert entries(photos)[0] == ["enter/1.jpg", "enter/to b/2.jpg"]

    def test_a_link_out_of_the_folder_is_neither_listed_nor_opened(self, photos: Path, tmp_path: Path) -> None:
        put(tmp_path / "secret/tax.jpg", b"secret")
        put(photos / "a.jpg")
        (photos / "passwd.jpg").symlink_to("/etc/passwd")
        (photos / "secret").symlink_to(tmp_path / "secret")
        (photos / "v1.2").symlink_to(tmp_path / "secret")
        (photos / "readme.txt").symlink_to("/etc/passwd")
        keys, problems = entries(photos)
        assert keys == ["a.jpg"]
        assert problems == dict.fromkeys(["passwd.jpg", "secret", "v1.2"], "outside_root")
        host = FolderHost(str(photos), FolderOptions())
        for key in ("passwd.jpg", "secret/tax.jpg", "v1.2/tax.jpg"):
            with pytest.raises(HostRefused):
                host.open(key)

    def test_a_neighbour_whose_name_begins_alike_is_outside(self, photos: Path) -> None:
        put(photos.with_name("Photos of Ben") / "a.jpg")
        (photos / "ben").symlink_to("../Photos of Ben")
        assert entries(photos) == ([], {"ben": "outside_root"})

    def test_a_folder_swapped_for_a_link_while_it_is_opened_opens_nothing_outside(
        self, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(photos / "a/b.jpg", b"fine")
        put(tmp_path / "secret/b.jpg", b"secret")
        resolve = os.path.realpath

        def swap_after_resolving(path: bytes, *, strict: bool) -> bytes:
            real = resolve(path, strict=strict)
            if real.endswith(b"b.jpg"):
                (photos / "a").rename(photos / "away")
                (photos / "a").symlink_to(tmp_path / "secret")
            return real

        monkeypatch.setattr(os.path, "realpath", swap_after_resolving)
        with pytest.raises((HostRefused, AssetGone)):
            FolderHost(str(photos), FolderOptions()).open("a/b.jpg")

    def test_links_can_be_ignored_altogether(self, photos: Path) -> None:
        put(photos / ".store/a.jpg")
        (photos / "a.jpg").symlink_to(".store/a.jpg")
        (photos / "out").symlink_to("/etc")
        assert entries(photos, follow_symlinks=False) == ([], {})
        host = FolderHost(str(photos), FolderOptions(follow_symlinks=False))
        put(photos / "b.jpg")
        assert host.look_up("a.jpg", nothing_known) is None

    def test_a_broken_link_is_shown_when_it_may_have_been_a_photo(self, photos: Path) -> None:
        (photos / "a.jpg").symlink_to("gone.jpg")
        (photos / "album").symlink_to("gone")
        (photos / "log.txt").symlink_to("gone.txt")
        assert entries(photos) == ([], {"a.jpg": "link_broken", "album": "link_broken"})

    def test_the_librarys_folder_may_itself_be_a_link(self, photos: Path, tmp_path: Path) -> None:
        put(photos / "a.jpg")
        (tmp_path / "link").symlink_to(photos)
        assert entries(tmp_path / "link") == (["a.jpg"], {})


class TestNames:
    def test_a_name_that_is_not_utf8_is_shown_printable_and_stops_nothing(self, photos: Path) -> None:
        for name in (b"z.jpg", b"caf\xe9.jpg", b"b/\xff\xfe.png", b"notes\xe9.txt", b"\xe9t\xe9/a.jpg"):
            put(photos / os.fsdecode(name))
        keys, problems = entries(photos)
        assert keys == ["z.jpg"]
        assert problems == dict.fromkeys([r"caf\xe9.jpg", r"b/\xff\xfe.png", r"\xe9t\xe9"], "name_not_utf8")
        for path in problems:
            path.encode("utf-8")


class TestSpecialFiles:
    def test_pipes_and_sockets_are_never_opened(self, photos: Path) -> None:
        os.mkfifo(photos / "pipe.jpg")  # opening it would wait for ever
        os.mkfifo(photos / "pipe.txt")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.relpath(photos / "socket.png"))
            assert entries(photos) == ([], {"pipe.jpg": "not_a_file", "socket.png": "not_a_file"})
            host = FolderHost(str(photos), FolderOptions())
            assert host.look_up("pipe.jpg", nothing_known) is None
            with pytest.raises(AssetGone):
                host.open("pipe.jpg")

    def test_a_folder_named_like_a_photo_is_a_folder(self, photos: Path) -> None:
        put(photos / "album.jpg/a.jpg")
        assert entries(photos) == (["album.jpg/a.jpg"], {})
        host = FolderHost(str(photos), FolderOptions())
        assert host.look_up("album.jpg", nothing_known) is None
        with pytest.raises(AssetGone):
            host.open("album.jpg")


class TestContentKeys:
    def test_a_known_file_is_not_read_again(self, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(photos / "a.jpg")
        host = FolderHost(str(photos), FolderOptions())
        [first] = host.listing(nothing_known)
        assert isinstance(first, HostAsset)
        known = {(first.host_key, first.change_key): first.content_key}
        monkeypatch.setattr(folder_root.Root, "open", lambda *_: pytest.fail("the file was read"))
        assert list(host.listing(lambda *keys: known.get(keys))) == [first]
        assert host.look_up("a.jpg", lambda *keys: known.get(keys)) == first

    def test_the_change_key_follows_size_and_time(self, photos: Path) -> None:
        keys = set()
        for data, modified in ((b"one", OLD), (b"two", OLD + 1), (b"three", OLD + 1)):
            put(photos / "a.jpg", data, modified)
            [asset] = FolderHost(str(photos), FolderOptions()).listing(nothing_known)
            assert isinstance(asset, HostAsset)
            keys.add(asset.change_key)
        assert len(keys - {""}) == 3

    def test_a_file_written_just_now_is_read_again_next_time(
        self, photos: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(photos / "a.jpg")
        monkeypatch.setattr(time, "time", lambda: OLD + 1.0)
        [asset] = FolderHost(str(photos), FolderOptions()).listing(nothing_known)
        assert isinstance(asset, HostAsset)
        assert asset.change_key == ""

    def test_a_change_at_either_end_of_a_long_file_is_noticed(self, photos: Path) -> None:
        def key(data: bytes, name: str = "a.jpg") -> str:
            put(photos / name, data)
            asset = FolderHost(str(photos), FolderOptions()).look_up(name, nothing_known)
            assert asset is not None
            return asset.content_key

        zeros = bytes(1_000_000)
        middle = zeros[:500_000] + b"x" + zeros[500_001:]
        assert len({key(zeros), key(b"x" + zeros[1:]), key(zeros[:-1] + b"x"), key(zeros + b"\0")}) == 4
        assert key(zeros, "scan.tif") != key(middle, "scan.tif"), "uncompressed pictures are read whole"
        short = bytes(100_000)
        assert key(short) != key(short[:50_000] + b"x" + short[50_001:]), "short files are read whole"


class TestFailures:
    def test_an_unreadable_folder_is_a_problem_that_hides_what_is_below(
        self, photos: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(photos / "a/a.jpg")
        put(photos / "private/b.jpg")
        put(photos / "z.jpg")
        monkeypatch.setattr(os, "scandir", denying(os.scandir, b"private", errno.EACCES))
        listing = list(FolderHost(str(photos), FolderOptions()).listing(nothing_known))
        assert [entry.host_key for entry in listing if isinstance(entry, HostAsset)] == ["z.jpg", "a/a.jpg"]
        [problem] = [entry for entry in listing if isinstance(entry, IntakeProblem)]
        assert (problem.path, problem.code, problem.hides_below) == ("private", "folder_unreadable", True)

    @pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.ESTALE])
    def test_an_unreadable_file_is_a_problem_and_not_taken_for_deleted(
        self, photos: Path, monkeypatch: pytest.MonkeyPatch, code: int
    ) -> None:
        put(photos / "a.jpg")
        put(photos / "b.jpg")
        monkeypatch.setattr(os, "open", denying(os.open, b"a.jpg", code))
        listing = list(FolderHost(str(photos), FolderOptions()).listing(nothing_known))
        assert [entry.host_key for entry in listing if isinstance(entry, HostAsset)] == ["b.jpg"]
        [problem] = [entry for entry in listing if isinstance(entry, IntakeProblem)]
        assert (problem.path, problem.code, problem.hides_below) == ("a.jpg", "file_unreadable", True)
        with pytest.raises((HostRefused, HostUnreachable)):
            FolderHost(str(photos), FolderOptions()).look_up("a.jpg", nothing_known)

    def test_a_file_deleted_between_listing_and_reading_is_no_problem(self, photos: Path) -> None:
        put(photos / "a.jpg")
        b = put(photos / "b.jpg")
        host = FolderHost(str(photos), FolderOptions())
        listing = host.listing(nothing_known)
        next(listing)
        b.unlink()
        assert list(listing) == []

    def test_a_folder_deleted_while_the_walk_is_elsewhere_is_no_problem(self, photos: Path) -> None:
        put(photos / "a.jpg")
        put(photos / "later/b.jpg")
        listing = FolderHost(str(photos), FolderOptions()).listing(nothing_known)
        next(listing)
        (photos / "later/b.jpg").unlink()
        (photos / "later").rmdir()
        assert list(listing) == []

    def test_a_disk_that_fails_while_a_photo_is_read_is_the_hosts_failure(self, photos: Path) -> None:
        put(photos / "a.jpg")
        folder = os.open(photos, os.O_RDONLY)
        with FolderHost(str(photos), FolderOptions()).open("a.jpg") as stream:
            os.dup2(folder, stream.fileno())  # reading a folder fails as reading from a dying disk does
            os.close(folder)
            with pytest.raises(HostUnreachable):
                stream.read(3)
            with pytest.raises(HostUnreachable):
                stream.read()


class TestTheFolderItself:
    @pytest.fixture
    def away(self, photos: Path) -> FolderHost:
        return FolderHost(str(photos / "nowhere"), FolderOptions())

    def test_a_missing_folder_is_unreachable_and_says_what_to_check(self, away: FolderHost) -> None:
        with pytest.raises(HostUnreachable, match="is not there") as raised:
            away.check()
        assert "mounted" in raised.value.advice

    def test_a_file_instead_of_a_folder_is_unreachable(self, photos: Path) -> None:
        put(photos / "a.jpg")
        with pytest.raises(HostUnreachable, match="not a folder"):
            FolderHost(str(photos / "a.jpg"), FolderOptions()).check()

    def test_an_unreadable_folder_is_refused(self, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "scandir", denying(os.scandir, b"Photos", errno.EACCES))
        host = FolderHost(str(photos), FolderOptions())
        with pytest.raises(HostRefused):
            host.check()
        with pytest.raises(HostRefused):
            list(host.listing(nothing_known))

    @pytest.mark.parametrize("address", ["a\0b", "\ud800"])
    def test_an_impossible_address_is_unreachable(self, address: str) -> None:
        with pytest.raises(HostUnreachable):
            FolderHost(address, FolderOptions()).check()

    def test_another_folder_in_its_place_ends_the_listing(self, photos: Path) -> None:
        put(photos / "a.jpg")
        put(photos / "later/b.jpg")
        listing = FolderHost(str(photos), FolderOptions()).listing(nothing_known)
        next(listing)
        photos.rename(photos.with_name("unmounted"))
        photos.mkdir()  # the empty place where a disk was mounted
        with pytest.raises(HostUnreachable, match="replaced"):
            list(listing)

    def test_an_empty_folder_means_unmounted_not_every_photo_deleted(self, photos: Path) -> None:
        host = FolderHost(str(photos), FolderOptions())
        with pytest.raises(HostUnreachable, match="empty"):
            host.open("a.jpg")
        with pytest.raises(HostUnreachable, match="empty"):
            host.look_up("a.jpg", nothing_known)


class TestRegistry:
    def test_the_folder_host_is_registered_under_the_name_that_libraries_store(self, photos: Path) -> None:
        put(photos / "a.jpg")
        kind = host_kinds()["folder"]
        host = kind.open(Library(1, 1, "folder", "Photos", str(photos)), HostOptions())
        host.check()
        assert kind.name == "folder"

    def test_one_place_has_one_address(self, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(photos.parent)
        address = host_kinds()["folder"].address
        assert {address(typed) for typed in ("Photos", "./Photos/", str(photos), f"{photos}/../Photos")} == {
            str(photos)
        }

    def test_opening_a_library_touches_no_disk(self) -> None:
        kind = host_kinds()["folder"]
        kind.open(Library(1, 1, "folder", "Photos", "/nowhere"), HostOptions())
