"""The zip of a person's originals: hostile names, missing files, hosts that fail half-way, downloads that pile up."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.domain import AssetKind, HostAsset
from plugin.errors import HostUnreachable, NotFound, Refused
from plugin.originals import AT_ONCE, LONGEST_FILE_NAME, MISSING, Originals, file_name, unused_name
from tests.contract.catalogue_cast import Cast, found, listed, open_store
from tests.fakes.host import FakeHost


@pytest.fixture
def cast(tmp_path: Path) -> Iterator[Cast]:
    with open_store("sqlite memory", tmp_path) as opened:
        yield opened


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


@pytest.fixture
def originals(cast: Cast, host: FakeHost) -> Originals:
    return Originals(cast.catalogue, lambda _library: host)


def person_on(cast: Cast, host: FakeHost, *paths: str) -> int:
    """Somebody on photos of these paths, the last one the newest."""
    faces = []
    for path in paths:
        host.put(path, f"pixels of {path}".encode("utf-8", "surrogateescape"))
        (asset,) = cast.add(HostAsset(path, path, AssetKind.PHOTO, f"content of {path}"))
        faces += cast.finish(asset, found())
    return cast.person("Anna", *faces)


def unzipped(originals: Originals, cast: Cast, person: int, part: int = 1) -> dict[str, bytes]:
    download = originals.zip_of_person(cast.me, person, part)
    data = b"".join(download)
    download.close()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_photos_of_the_same_name_in_two_folders_are_both_there(
    cast: Cast, host: FakeHost, originals: Originals
) -> None:
    anna = person_on(cast, host, "2023/IMG_1.JPG", "2024/img_1.jpg", "2025/IMG_1.JPG")
    assert unzipped(originals, cast, anna) == {
        "IMG_1.JPG": b"pixels of 2025/IMG_1.JPG",
        "img_1 (2).jpg": b"pixels of 2024/img_1.jpg",
        "IMG_1 (3).JPG": b"pixels of 2023/IMG_1.JPG",
    }


class PreviewingFake(FakeHost):
    """A host that shows something smaller than the original."""

    def open(self, host_key: str) -> AbstractContextManager[BinaryIO]:
        return io.BytesIO(b"a preview")

    def open_original(self, host_key: str) -> AbstractContextManager[BinaryIO]:
        return super().open(host_key)


def test_a_download_holds_originals_where_the_host_shows_previews(cast: Cast) -> None:
    host = PreviewingFake()
    anna = person_on(cast, host, "a.jpg")
    assert unzipped(Originals(cast.catalogue, lambda _library: host), cast, anna) == {"a.jpg": b"pixels of a.jpg"}


def test_a_missing_photo_is_named_inside_and_costs_no_other(cast: Cast, host: FakeHost, originals: Originals) -> None:
    anna = person_on(cast, host, "a.jpg", "gone.jpg", "c.jpg")
    host.remove("gone.jpg")
    files = unzipped(originals, cast, anna)
    assert set(files) == {"a.jpg", "c.jpg", MISSING}
    assert b"gone.jpg: gone.jpg is no longer there" in files[MISSING]


def test_a_host_that_is_away_gives_a_zip_that_says_so(cast: Cast, host: FakeHost, originals: Originals) -> None:
    anna = person_on(cast, host, "a.jpg")
    host.unreachable = True
    files = unzipped(originals, cast, anna)
    assert set(files) == {MISSING}
    assert b"The fake host is away" in files[MISSING]


class HalfWay(io.BytesIO):
    """A file on a disk that is pulled out after the first bytes."""

    def read(self, _size: int | None = -1) -> bytes:
        if self.tell():
            raise HostUnreachable("The disk is away")
        self.seek(1)
        return b"first bytes"


def test_a_photo_that_breaks_off_is_named_and_the_zip_stays_whole(
    cast: Cast, host: FakeHost, originals: Originals, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = person_on(cast, host, "whole.jpg", "half.jpg")
    whole = host.open

    def open_half(key: str) -> BinaryIO:
        return HalfWay() if key == "half.jpg" else whole(key)  # type: ignore[return-value]  # both are files

    monkeypatch.setattr(host, "open", open_half)
    files = unzipped(originals, cast, anna)
    assert files["half.jpg"] == b"first bytes"
    assert files["whole.jpg"] == b"pixels of whole.jpg"
    assert b"half.jpg: The disk is away" in files[MISSING]


def test_only_so_many_downloads_run_at_once_and_closing_lets_the_next_in(
    cast: Cast, host: FakeHost, originals: Originals
) -> None:
    anna = person_on(cast, host, "a.jpg")
    running = [originals.zip_of_person(cast.me, anna, 1) for _ in range(AT_ONCE)]
    with pytest.raises(Refused, match="Other downloads"):
        originals.zip_of_person(cast.me, anna, 1)
    running[0].close()
    running[0].close()
    assert originals.zip_of_person(cast.me, anna, 1)
    with pytest.raises(Refused):
        originals.zip_of_person(cast.me, anna, 1)


def test_only_ones_own_photos_are_downloaded(cast: Cast, host: FakeHost, originals: Originals) -> None:
    anna = person_on(cast, host, "a.jpg")
    with pytest.raises(NotFound):
        originals.zip_of_person(cast.stranger().id, anna, 1)
    with pytest.raises(NotFound):
        originals.zip_of_person(cast.me, anna, 2)
    assert originals.zip_of_person(cast.me, anna, 1), "what was refused holds no place"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("2024/Lake/boat.jpg", "boat.jpg"),
        ("../../etc/passwd", "passwd"),
        ("..", "photo"),
        ("a\\..\\evil.jpg", "evil.jpg"),
        ("C:/windows/con.jpg", "_con.jpg"),
        ("aux", "_aux"),
        ("nul.tar.gz", "_nul.tar.gz"),
        ('what<>:"|?*.jpg', "what_______.jpg"),
        ("line\nbreak\x00.jpg", "line_break_.jpg"),
        ("evil\u202egpj.exe", "evil_gpj.exe"),
        (".hidden", "hidden"),
        ("trailing. . .", "trailing"),
        ("bad\udcff.jpg", "bad_.jpg"),
        ("", "photo"),
    ],
)
def test_file_names_stay_in_the_folder_and_any_system_takes_them(path: str, name: str) -> None:
    assert file_name(path) == name


@given(st.text(st.characters(), max_size=600))
def test_any_path_becomes_a_harmless_name(path: str) -> None:
    name = file_name(path)
    assert name.strip(" .") == name
    assert not set(name) & set('<>:"/\\|?*\0\n\r')
    assert 0 < len(name) <= LONGEST_FILE_NAME + 11
    assert len(name.encode()) <= 255


@given(st.lists(st.sampled_from(["a.jpg", "A.jpg", "a (2).jpg", "b", "a"]), max_size=12))
def test_no_two_names_in_one_zip_are_equal_but_for_case(names: list[str]) -> None:
    taken: set[str] = set()
    used = [unused_name(name, taken).casefold() for name in names]
    assert len(set(used)) == len(names)


def test_only_links_of_the_web_lead_to_the_host(
    cast: Cast, host: FakeHost, originals: Originals, monkeypatch: pytest.MonkeyPatch
) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    assert originals.links(cast.me, [asset]) == {}
    host.stable_keys = True
    assert originals.links(cast.me, [asset]) == {asset.id: "https://photos.example/f/a.jpg"}
    monkeypatch.setattr(host, "link", lambda _key: "javascript:alert(1)")
    assert originals.links(cast.me, [asset]) == {}
    assert originals.links(cast.stranger().id, [asset]) == {}
