"""Who is like whom, over faces on a circle: 60 degrees apart is a distance of 0.5."""

from io import BytesIO

import pytest

from plugin.detection import DetectionLimits
from plugin.domain import AssetKind, AssignedBy, FaceState, HostAsset, VerdictKind
from plugin.errors import NotFound, PackUnavailable, PictureBroken, PictureTooLarge, SearchIndexDamaged
from plugin.face_search import FaceSearch
from plugin.index.exact import ExactIndex
from plugin.media import DecodeLimits, StandardMedia
from plugin.ports.index import EmbeddingIndex
from tests.fakes.album import PACK, Album, DamagedIndex, at_degrees, found_face
from tests.fakes.face_models import FakeFaceModels
from tests.fakes.workshop import photo


def likeness(album: Album, index: EmbeddingIndex | None = None, models: FakeFaceModels | None = None) -> FaceSearch:
    media = StandardMedia(DecodeLimits(maximum_pixels=1_000_000, maximum_photo_bytes=100_000))
    searched = index or album.index
    return FaceSearch(
        album.catalogue, lambda: searched, lambda: album.preferences, models or FakeFaceModels(), media,
        DetectionLimits(),
    )  # fmt: skip


def test_the_nearest_faces_come_first_and_the_face_itself_is_left_out() -> None:
    album = Album()
    anna, near, far = album.add(0, 10, 90)
    alike = likeness(album).like_face(album.account.id, anna, 9)
    assert [one.face.id for one in alike] == [near, far]
    assert [one.distance for one in alike] == pytest.approx([0.0152, 1.0], abs=1e-3)


def test_faces_of_others_and_faces_taken_away_are_never_shown_however_many_are_near() -> None:
    album = Album()
    anna, ignored, mine = album.add(0, 1, 80)
    album.catalogue.faces.set_state([ignored], FaceState.IGNORED)
    nora = album.catalogue.accounts.add("Nora", None, is_admin=False).id
    library = album.catalogue.libraries.add(nora, "folder", "Nora", "/nora")
    listed = [HostAsset(f"{i}.jpg", f"{i}.jpg", AssetKind.PHOTO, str(i)) for i in range(40)]
    for seen in album.catalogue.assets.seen(library.id, listed, 1):
        asset = album.catalogue.assets.get(seen.asset_id)
        (face_id,) = album.catalogue.detection.finish(asset, PACK, [found_face(at_degrees(2))], (1, 1), None)
        album.index.add(PACK, [face_id], at_degrees(2)[None])
    alike = likeness(album).like_face(album.account.id, anna, 3)
    assert [one.face.id for one in alike] == [mine]
    with pytest.raises(NotFound):
        likeness(album).like_face(nora, anna, 3)


def test_likely_people_are_ranked_by_their_nearest_face_without_those_it_is_not() -> None:
    album = Album()
    face, annas, bens, claras = album.add(0, 30, 20, 10)
    people = [album.catalogue.people.add(album.account.id, name) for name in ("Anna", "Ben", "Clara")]
    album.catalogue.faces.assign(list(zip((annas, bens, claras), people, strict=True)), AssignedBy.MACHINE)
    album.catalogue.verdicts.add(album.account.id, VerdictKind.IS_NOT_PERSON, face_id=face, person_id=people[2])
    likely = likeness(album).likely_people(album.account.id, face, 5)
    assert [person.person_id for person in likely] == [people[1], people[0]]
    assert likely[0].distance < likely[1].distance


def test_a_damaged_index_means_nobody_is_likely_but_a_search_says_so() -> None:
    album = Album()
    (face,) = album.add(0)
    broken = likeness(album, DamagedIndex())
    assert broken.likely_people(album.account.id, face, 5) == []
    with pytest.raises(SearchIndexDamaged):
        broken.like(album.account.id, at_degrees(0), 5)
    assert likeness(album, ExactIndex()).like(album.account.id, at_degrees(0), 5) == []


def test_faces_of_a_picture_are_found_from_left_to_right() -> None:
    models = FakeFaceModels()
    models.load("opencv")
    found = likeness(Album(), models=models).faces_in(BytesIO(photo([(3, 400, 48, 160), (9, 64, 48, 160)])))
    assert [round(face.box.x, 1) for face in found] == [0.1, 0.6]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"no picture", PictureBroken),
        (b"", PictureBroken),
        (photo([], 1100, 1000), PictureTooLarge),
        (b"\xff\xd8\xff" + b"0" * 200_000, PictureTooLarge),
    ],
)
def test_what_is_no_picture_or_too_large_is_refused(content: bytes, error: type[Exception]) -> None:
    models = FakeFaceModels()
    models.load("opencv")
    with pytest.raises(error):
        likeness(Album(), models=models).faces_in(BytesIO(content))


def test_a_model_that_is_not_here_yet_is_not_fetched_while_somebody_waits() -> None:
    models = FakeFaceModels()
    with pytest.raises(PackUnavailable, match="not on this machine yet"):
        likeness(Album(), models=models).faces_in(BytesIO(photo([])))
    assert not models.installed("opencv")
