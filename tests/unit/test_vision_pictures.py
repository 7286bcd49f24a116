"""Scaling without squashing, suppression of double boxes, and the packs as data."""

import numpy as np
import pytest

from plugin.domain import Float32Array
from plugin.ports.vision import Detection
from plugin.vision.detections import suppressed
from plugin.vision.facemesh import FaceMesh
from plugin.vision.packs import PackageSource, UrlSource, known_packs
from plugin.vision.pictures import Letterbox, letterbox, planes
from plugin.vision.runtime import Network


@pytest.mark.parametrize(
    ("size", "canvas"),
    [
        ((480, 640), (480, 640)),
        ((3000, 4000), (480, 640)),
        ((1000, 1500), (448, 640)),
        ((10, 5000), (32, 640)),
        ((5000, 1), (640, 32)),
        ((1, 1), (640, 640)),
    ],
)
def test_aspect_is_kept_on_a_canvas_of_multiples_of_32(size: tuple[int, int], canvas: tuple[int, int]) -> None:
    boxed = letterbox(np.full((*size, 3), 200, np.uint8), 640)
    assert boxed.pixels.shape == (*canvas, 3)
    painted_h = np.count_nonzero(boxed.pixels[:, 0, 0])
    painted_w = np.count_nonzero(boxed.pixels[0, :, 0])
    assert boxed.scale_x == pytest.approx(painted_w / size[1])
    assert boxed.scale_y == pytest.approx(painted_h / size[0])
    assert painted_w / painted_h == pytest.approx(max(size[1] / size[0], 1 / 640), rel=0.01) or painted_h == 1


def test_a_margin_of_black_follows_the_short_side_only() -> None:
    white = np.full((640, 310, 3), 255, np.uint8)
    assert letterbox(white, 640).pixels.shape == (640, 320, 3)
    boxed = letterbox(white, 640, margin=32)
    assert boxed.pixels.shape == (640, 352, 3)
    assert not boxed.pixels[:, 310:].any()


def test_an_accelerator_gets_the_same_square_for_every_aspect() -> None:
    shapes = {letterbox(np.zeros((h, w, 3), np.uint8), 640, square=True).pixels.shape for h, w in [(9, 16), (4, 3)]}
    assert shapes == {(640, 640, 3)}


def test_planes_hold_rgb_or_bgr_scaled_as_asked() -> None:
    pixel = np.array([[[255, 0, 127]]], np.uint8)
    assert planes(pixel, mean=127.5, scale=1 / 127.5).ravel() == pytest.approx([1, -1, -0.5 / 127.5])
    assert planes(pixel, mean=0, scale=1, bgr=True).ravel() == pytest.approx([127, 0, 255])


def test_of_overlapping_boxes_the_best_stays_and_comes_back_in_pixels_of_the_picture() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [50, 50, 60, 60]], np.float32)
    points = np.zeros((3, 5, 2), np.float32) + boxes[:, None, :2]
    canvas = Letterbox(np.zeros((64, 64, 3), np.uint8), 0.5, 0.25)
    found = suppressed(boxes, points, np.array([0.8, 0.9, 0.95], np.float32), 0.3, canvas)
    assert [round(one.score, 2) for one in found] == [0.95, 0.9]
    assert found[1].box_px == pytest.approx([2, 4, 22, 44])
    assert found[1].landmarks_px[0] == pytest.approx([2, 4])


def test_no_candidates_are_no_detections() -> None:
    empty = np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, np.float32)
    assert suppressed(*empty, 0.3, Letterbox(np.zeros((32, 32, 3), np.uint8), 1, 1)) == []


class Mesh(Network):
    """A mesh network that always says the same."""

    def __init__(self, *presences: float) -> None:
        self.presences = list(presences)

    def run(self, batch: Float32Array) -> list[Float32Array]:
        points = np.random.default_rng(0).uniform(60, 130, (1, 468, 3)).astype(np.float32)
        return [points.reshape(1, -1), np.array([[self.presences.pop(0)]], np.float32)]


def detection(side: float = 100.0) -> Detection:
    box = np.array([20, 20, 20 + side, 20 + side], np.float32)
    return Detection(box, np.array([[40, 60], [80, 60], [60, 80], [45, 100], [75, 100]], np.float32), 0.9)


def test_where_the_mesh_sees_no_face_the_detectors_points_stay() -> None:
    given = detection()
    assert FaceMesh(Mesh(-3.0)).refine(np.zeros((200, 200, 3), np.uint8), given) is given


def test_when_only_the_second_look_finds_nothing_the_first_one_counts() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    once = FaceMesh(Mesh(5.0, -5.0)).refine(picture, detection())
    assert not np.array_equal(once.landmarks_px, detection().landmarks_px)
    assert np.array_equal(once.box_px, detection().box_px)


@pytest.mark.parametrize("side", [0.0, np.nan])
def test_a_box_without_area_is_left_alone(side: float) -> None:
    given = detection(side)
    assert FaceMesh(Mesh()).refine(np.zeros((9, 9, 3), np.uint8), given) is given


def test_every_pack_names_full_checksums_sources_and_its_licence() -> None:
    packs = known_packs()
    assert [pack.info.name for pack in packs] == ["opencv", "buffalo_s", "buffalo_m", "buffalo_l", "antelopev2"]
    sums: dict[str, str] = {}
    for pack in packs:
        assert pack.info.licence_url.startswith("https://")
        assert pack.info.download_bytes == sum(file.size_bytes for file in pack.files)
        for file in pack.files:
            assert len(bytes.fromhex(file.sha256)) == 32
            assert sums.setdefault(file.name, file.sha256) == file.sha256, "packs share one folder"
            assert file.sources
            for source in file.sources:
                assert not isinstance(source, UrlSource) or source.url.startswith("https://")
                assert not isinstance(source, PackageSource) or "==" in source.requirement


def test_only_the_default_pack_needs_no_acceptance_and_what_nobody_ran_is_marked() -> None:
    infos = [pack.info for pack in known_packs()]
    assert [info.name for info in infos if not info.needs_acceptance] == ["opencv"]
    assert [info.name for info in infos if not info.tested] == ["buffalo_m", "buffalo_l", "antelopev2"]
