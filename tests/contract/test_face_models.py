"""What every face model and every collection of packs must do: the real default pack and the fake of painted people."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from plugin.domain import Float32Array, Picture
from plugin.errors import LicenceNotAccepted, PackUnavailable, PackUnknown
from plugin.ports.vision import Detection, FaceModel, FaceModels
from plugin.vision.models import OnnxFaceModels
from plugin.vision.packs import UrlSource, known_packs
from tests.fakes.face_models import FakeFaceModels, blank_picture, paint_person

MINIMUM_SCORE = 0.6


@dataclass
class Cast:
    """A model and pictures it can find people in: two of the same person, one of somebody else."""

    model: FaceModel
    barack: Picture
    barack_again: Picture
    joe: Picture


def painted() -> Cast:
    pictures = [blank_picture(600, 700) for _ in range(3)]
    paint_person(pictures[0], 4, 200, 100, 160)
    paint_person(pictures[1], 4, 100, 300, 220, look=0.5)
    paint_person(pictures[2], 9, 250, 200, 180)
    return Cast(FakeFaceModels().load("opencv"), *pictures)


def photographed(model_folder: Path, album: Path) -> Cast:
    names = ("obama.jpg", "obama2.jpg", "biden.jpg")
    model = OnnxFaceModels(model_folder).load("opencv")
    return Cast(model, *(read(album / name) for name in names))


def read(path: Path) -> Picture:
    pixels = cv2.imread(str(path))
    assert pixels is not None
    return np.ascontiguousarray(pixels[..., ::-1], dtype=np.uint8)


@pytest.fixture(scope="module", params=["painted", pytest.param("opencv", marks=pytest.mark.models)])
def cast(request: pytest.FixtureRequest) -> Cast:
    if request.param == "painted":
        return painted()
    return photographed(request.getfixturevalue("model_folder"), request.getfixturevalue("sample_album"))


def only_face(model: FaceModel, picture: Picture) -> Detection:
    (found,) = model.detect(picture, 640, MINIMUM_SCORE)
    return found


def embedding(model: FaceModel, picture: Picture) -> Float32Array:
    (refined,) = model.refine(picture, [only_face(model, picture)])
    raw = model.embed([model.align(picture, refined.landmarks_px)])[0]
    return np.asarray(raw / np.linalg.norm(raw), np.float32)


def test_a_detection_is_in_pixels_of_the_picture_with_its_landmarks_in_order(cast: Cast) -> None:
    found = only_face(cast.model, cast.barack)
    x1, y1, x2, y2 = found.box_px
    height, width = cast.barack.shape[:2]
    assert 0 <= x1 < x2 <= width
    assert 0 <= y1 < y2 <= height
    assert found.box_px.dtype == np.float32
    assert found.landmarks_px.dtype == np.float32
    left_eye, right_eye, nose, left_mouth, right_mouth = found.landmarks_px
    assert x1 < left_eye[0] < nose[0] < right_eye[0] < x2
    assert left_mouth[0] < right_mouth[0]
    assert y1 < left_eye[1] < nose[1] < left_mouth[1] < y2
    assert MINIMUM_SCORE <= found.score <= 1


def test_the_size_the_detector_looks_at_does_not_move_the_box(cast: Cast) -> None:
    small = cast.model.detect(cast.barack, 320, MINIMUM_SCORE)[0].box_px
    large = cast.model.detect(cast.barack, 640, MINIMUM_SCORE)[0].box_px
    assert small == pytest.approx(large, abs=0.12 * float(large[2] - large[0]))


def test_a_higher_minimum_score_finds_fewer(cast: Cast) -> None:
    score = only_face(cast.model, cast.barack).score
    assert cast.model.detect(cast.barack, 640, min(score + 0.02, 1.0)) == []


def test_several_faces_come_best_score_first(cast: Cast) -> None:
    side_by_side = np.hstack([cv2.resize(p, (600, 700)) for p in (cast.barack, cast.joe, cast.barack_again)])
    scores = [one.score for one in cast.model.detect(np.asarray(side_by_side, np.uint8), 960, MINIMUM_SCORE)]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (10, 5000), (5000, 10), (31, 33)])
def test_pictures_of_any_shape_without_people_have_no_faces(cast: Cast, size: tuple[int, int]) -> None:
    grey = np.full((*size, 3), 127, np.uint8)
    assert cast.model.detect(grey, 640, MINIMUM_SCORE) == []
    assert cast.model.refine(grey, []) == []


def test_refining_keeps_number_order_box_and_score(cast: Cast) -> None:
    found = [only_face(cast.model, cast.joe)] * 2
    refined = cast.model.refine(cast.joe, found)
    assert [one.score for one in refined] == [one.score for one in found]
    for one, before in zip(refined, found, strict=True):
        assert one.box_px == pytest.approx(before.box_px)
        assert one.landmarks_px == pytest.approx(before.landmarks_px, abs=0.15 * float(np.ptp(before.box_px[[0, 2]])))


def test_a_face_at_the_very_edge_of_the_picture_can_still_be_aligned(cast: Cast) -> None:
    found = only_face(cast.model, cast.barack)
    shifted = replace(found, box_px=found.box_px - 500, landmarks_px=found.landmarks_px - 500)
    (refined,) = cast.model.refine(cast.barack, [shifted])
    crop = cast.model.align(cast.barack, refined.landmarks_px)
    assert crop.shape == (112, 112, 3)


def test_a_crop_is_112_pixels_of_uint8(cast: Cast) -> None:
    crop = cast.model.align(cast.barack, only_face(cast.model, cast.barack).landmarks_px)
    assert crop.shape == (112, 112, 3)
    assert crop.dtype == np.uint8


def test_no_crops_give_no_embeddings_of_the_right_width(cast: Cast) -> None:
    none = cast.model.embed([])
    assert none.shape == (0, cast.model.pack.dimension)
    assert none.dtype == np.float32


def test_embeddings_do_not_depend_on_what_else_is_in_the_batch(cast: Cast) -> None:
    pictures = (cast.barack, cast.joe, cast.barack_again)
    crops = [cast.model.align(p, only_face(cast.model, p).landmarks_px) for p in pictures]
    together = cast.model.embed(crops)
    assert together.shape == (3, cast.model.pack.dimension)
    assert together.dtype == np.float32
    for crop, row in zip(crops, together, strict=True):
        assert cast.model.embed([crop])[0] == pytest.approx(row, abs=1e-3)


def test_the_same_person_is_near_and_another_one_far(cast: Cast) -> None:
    barack, again, joe = (embedding(cast.model, p) for p in (cast.barack, cast.barack_again, cast.joe))
    limit = cast.model.pack.default_distance
    assert 1 - barack @ again < limit < 1 - barack @ joe


def test_the_provider_is_named(cast: Cast) -> None:
    assert cast.model.provider.endswith("ExecutionProvider")


def test_two_threads_get_what_one_gets(cast: Cast) -> None:
    alone = embedding(cast.model, cast.barack)
    results: list[Float32Array] = []

    def work() -> None:
        results.extend(embedding(cast.model, cast.barack) for _ in range(3))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    for result in results:
        assert result == pytest.approx(alone, abs=1e-5)


Models = Callable[..., FaceModels]


@pytest.fixture(params=["painted", pytest.param("onnx", marks=pytest.mark.models)])
def models(request: pytest.FixtureRequest, tmp_path: Path) -> Models:
    """Builds a collection; `unavailable` is a pack no source can deliver."""
    if request.param == "painted":
        return FakeFaceModels
    folder: Path = request.getfixturevalue("model_folder")

    def build(accepted: Callable[[str], bool] = lambda name: False, unavailable: tuple[str, ...] = ()) -> FaceModels:
        packs = known_packs()
        if not unavailable:
            return OnnxFaceModels(folder, accepted=accepted, packs=packs)
        gone = (UrlSource("http://127.0.0.1:9/gone.onnx"),)
        packs = tuple(
            replace(
                pack, detector=replace(pack.detector, sources=gone), embedder=replace(pack.embedder, sources=gone),
                landmarks=None,
            )
            for pack in packs
        )  # fmt: skip
        return OnnxFaceModels(tmp_path, accepted=accepted, packs=packs)

    return build


def test_the_default_pack_comes_first_and_needs_no_acceptance(models: Models) -> None:
    infos = models().packs()
    assert (infos[0].name, infos[0].needs_acceptance, infos[0].tested) == ("opencv", False, True)
    assert "buffalo_s" in [info.name for info in infos]


def test_loading_twice_gives_the_same_model_even_from_two_threads(models: Models) -> None:
    collection = models()
    loaded: list[FaceModel] = []
    threads = [threading.Thread(target=lambda: loaded.append(collection.load("opencv"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(model) for model in loaded}) == 1
    assert len(loaded) == 3
    assert collection.installed("opencv")
    assert loaded[0].pack == collection.packs()[0]


def test_an_unknown_pack_is_refused_with_the_names_there_are(models: Models) -> None:
    with pytest.raises(PackUnknown, match="cavemen") as caught:
        models().load("cavemen")
    assert "opencv" in caught.value.advice
    assert not models().installed("cavemen")


def test_a_licensed_pack_is_not_even_fetched_before_its_licence_was_accepted(models: Models) -> None:
    collection = models(unavailable=("buffalo_s",))
    with pytest.raises(LicenceNotAccepted, match="buffalo_s"):
        collection.load("buffalo_s")


def test_a_pack_no_source_delivers_is_unavailable_and_not_installed(models: Models) -> None:
    collection = models(accepted=lambda name: True, unavailable=("buffalo_s",))
    with pytest.raises(PackUnavailable) as caught:
        collection.load("buffalo_s")
    assert caught.value.advice
    assert not collection.installed("buffalo_s")
