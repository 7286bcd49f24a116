"""Pictures for the screens come from the cache, else from the host; only to the account they belong to."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from plugin.domain import Box, FaceId, FoundFace
from plugin.errors import HostUnreachable, NotFound, PictureBroken
from plugin.media.thumbnails import small_jpeg
from plugin.thumbnails import Thumbnails
from tests.fakes.workshop import Workshop, photo


@pytest.fixture
def workshop() -> Workshop:
    workshop = Workshop()
    workshop.host.put("anna.jpg", photo([(1, 100, 100, 200)]))
    workshop.work()
    return workshop


@pytest.fixture
def thumbnails(workshop: Workshop, tmp_path: Path) -> Thumbnails:
    return Thumbnails(tmp_path / "cache", workshop.catalogue, workshop.media, workshop.host_of)


def only_face(workshop: Workshop) -> FaceId:
    (row,) = workshop.catalogue.faces.export(None)
    return row.face.id


def test_a_face_thumbnail_is_a_square_webp(workshop: Workshop, thumbnails: Thumbnails) -> None:
    picture = Image.open(BytesIO(thumbnails.face_thumbnail(workshop.account_id, only_face(workshop))))
    assert picture.format == "WEBP"
    assert picture.width == picture.height > 100


def test_what_is_cached_needs_no_host(workshop: Workshop, thumbnails: Thumbnails) -> None:
    face = only_face(workshop)
    first = thumbnails.face_thumbnail(workshop.account_id, face), thumbnails.preview(workshop.account_id, 1, 320)
    workshop.host.unreachable = True
    assert thumbnails.face_thumbnail(workshop.account_id, face) == first[0]
    assert thumbnails.preview(workshop.account_id, 1, 320) == first[1]
    with pytest.raises(HostUnreachable):
        thumbnails.preview(workshop.account_id, 1, 640)


def test_another_account_sees_neither_faces_nor_photos(workshop: Workshop, thumbnails: Thumbnails) -> None:
    stranger = workshop.catalogue.accounts.add("stranger", None, is_admin=False)
    thumbnails.face_thumbnail(workshop.account_id, only_face(workshop))
    with pytest.raises(NotFound):
        thumbnails.face_thumbnail(stranger.id, only_face(workshop))
    with pytest.raises(NotFound):
        thumbnails.preview(stranger.id, 1, 320)


def test_a_changed_photo_gets_a_new_preview(workshop: Workshop, thumbnails: Thumbnails) -> None:
    before = thumbnails.preview(workshop.account_id, 1, 320)
    workshop.host.put("anna.jpg", photo([(9, 300, 200, 200)]))
    workshop.work()
    assert thumbnails.preview(workshop.account_id, 1, 320) != before


def test_a_preview_is_never_larger_than_asked_for(workshop: Workshop, thumbnails: Thumbnails) -> None:
    assert max(Image.open(BytesIO(thumbnails.preview(workshop.account_id, 1, 320))).size) == 320


def test_a_broken_photo_says_so_and_leaves_nothing_in_the_cache(
    workshop: Workshop, thumbnails: Thumbnails, tmp_path: Path
) -> None:
    workshop.host.put("anna.jpg", b"no picture")
    with pytest.raises(PictureBroken):
        thumbnails.preview(workshop.account_id, 1, 320)
    assert not list((tmp_path / "cache").rglob("*.webp"))


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    thumbnails = Thumbnails(tmp_path / "cache", workshop.catalogue, workshop.media, workshop.host_of)
    with pytest.raises(NotADirectoryError):
        (tmp_path / "cache" / "previews").mkdir()
    assert thumbnails.preview(workshop.account_id, 1, 320)


@pytest.mark.parametrize("left", [b"", bytes(4096)])
def test_what_a_power_cut_left_in_the_cache_is_made_again(
    workshop: Workshop, thumbnails: Thumbnails, tmp_path: Path, left: bytes
) -> None:
    whole = thumbnails.preview(workshop.account_id, 1, 320)
    (cached,) = (tmp_path / "cache").rglob("*.webp")
    cached.write_bytes(left)
    assert thumbnails.preview(workshop.account_id, 1, 320) == whole
    assert cached.read_bytes() == whole


@pytest.mark.parametrize("damaged", [b"", b"RIFF", b"no picture at all"])
def test_a_damaged_picture_is_no_jpeg_and_says_so(damaged: bytes) -> None:
    with pytest.raises(PictureBroken):
        small_jpeg(damaged, 1000)


def test_forgetting_removes_faces_that_are_gone_and_the_oldest_previews(
    workshop: Workshop, thumbnails: Thumbnails, tmp_path: Path
) -> None:
    face = only_face(workshop)
    thumbnails.keep(face, b"kept")
    thumbnails.keep(face + 1, b"gone")
    for long_side in (100, 200, 300):
        thumbnails.preview(workshop.account_id, 1, long_side)
    thumbnails.forget([face], maximum_preview_bytes=0)
    assert [path.name for path in (tmp_path / "cache").rglob("*.webp")] == [f"{face}.webp"]


def test_keeping_nothing_removes_a_thumbnail_that_is_no_longer_true(
    workshop: Workshop, thumbnails: Thumbnails, tmp_path: Path
) -> None:
    thumbnails.keep(7, b"old")
    thumbnails.keep(7, None)
    assert not list((tmp_path / "cache").rglob("*.webp"))


def test_a_box_that_was_drawn_has_its_own_picture_wherever_it_is_moved(
    workshop: Workshop, thumbnails: Thumbnails, tmp_path: Path
) -> None:
    def seen(box: Box) -> FoundFace:
        (asset,) = workshop.catalogue.assets.recent_with_faces(workshop.account_id, 0, 1)
        return workshop.detection.face_in(asset, box, workshop.models.load("opencv"))

    there, elsewhere = Box(0.6, 0.5, 0.2, 0.3), Box(0.7, 0.6, 0.1, 0.3)
    face = workshop.catalogue.faces.draw(workshop.account_id, 1, "opencv", seen(there))
    first = thumbnails.face_thumbnail(workshop.account_id, face)
    workshop.catalogue.faces.redraw(workshop.account_id, face, "opencv", seen(Box(0.15, 0.5, 0.1, 0.2)))
    assert thumbnails.face_thumbnail(workshop.account_id, face) != first
    workshop.catalogue.faces.redraw(workshop.account_id, face, "opencv", seen(there))
    workshop.host.unreachable = True
    assert thumbnails.face_thumbnail(workshop.account_id, face) == first
    workshop.host.unreachable = False
    workshop.catalogue.faces.redraw(workshop.account_id, face, "opencv", seen(elsewhere))
    thumbnails.forget([face], maximum_preview_bytes=0)
    assert len(list((tmp_path / "cache").rglob(f"{face}-*.webp"))) == 2
    thumbnails.forget([], maximum_preview_bytes=0)
    assert not list((tmp_path / "cache").rglob("*.webp"))
