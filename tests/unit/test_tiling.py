"""Panoramas are looked at in overlapping tiles, and every face comes out once."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.faces.tiling import PANORAMA_ASPECT, Tile, merge_detections, tiles
from plugin.ports.vision import Detection

SIDES = st.integers(1, 40_000)


def detection(x1: float, y1: float, x2: float, y2: float, score: float = 0.9) -> Detection:
    """A detection with all five landmarks in the middle of its box."""
    middle = np.array([[(x1 + x2) / 2, (y1 + y2) / 2]] * 5, np.float32)
    return Detection(np.array([x1, y1, x2, y2], np.float32), middle, score)


def seen_by(tile: Tile, faces: list[tuple[float, float, float, float]]) -> list[Detection]:
    """What a perfect detector sees in `tile`, in its pixels: faces cut at its edges, from a third of their width."""
    x0, y0, x1, y1 = tile
    found = []
    for left, top, right, bottom in faces:
        box = (max(left, x0) - x0, max(top, y0) - y0, min(right, x1) - x0, min(bottom, y1) - y0)
        if box[2] - box[0] > (right - left) / 3 and box[3] - box[1] > (bottom - top) / 3:
            found.append(detection(*box, score=0.7 + 0.2 * (box[2] - box[0]) / (right - left)))
    return found


@pytest.mark.parametrize(("width", "height"), [(4000, 3000), (3000, 4000), (1, 1), (3000, 1000), (5000, 20)])
def test_an_ordinary_picture_is_one_tile(width: int, height: int) -> None:
    assert tiles(width, height) == [(0, 0, width, height)]


def test_a_wide_panorama_is_cut_into_4_to_3_tiles() -> None:
    parts = tiles(24_000, 3_000)
    assert len(parts) == 8
    assert {(x1 - x0, y1 - y0) for x0, y0, x1, y1 in parts} == {(4000, 3000)}


def test_a_tall_panorama_is_cut_along_its_height() -> None:
    assert [(y0, x0, y1, x1) for x0, y0, x1, y1 in tiles(1_000, 7_000)] == tiles(7_000, 1_000)


@given(SIDES, SIDES)
def test_every_pixel_is_in_some_tile(width: int, height: int) -> None:
    parts = tiles(width, height)
    assert min(x0 for x0, *_ in parts) == min(y0 for _, y0, *_ in parts) == 0
    assert max(part[2] for part in parts) == width
    assert max(part[3] for part in parts) == height
    for one, following in itertools.pairwise(parts):
        assert following[0] <= one[2]
        assert following[1] <= one[3]
    assert all(x1 - x0 == width or y1 - y0 == height for x0, y0, x1, y1 in parts)


@given(st.integers(32, 5_000), st.floats(PANORAMA_ASPECT + 0.01, 40))
def test_neighbouring_tiles_of_a_panorama_overlap_by_a_fifth_or_more(short: int, aspect: float) -> None:
    parts = tiles(round(short * aspect), short)
    for one, following in itertools.pairwise(parts):
        assert one[2] - following[0] >= 0.2 * (one[2] - one[0])


def test_a_face_in_the_overlap_of_two_tiles_comes_out_once() -> None:
    parts: list[Tile] = [(0, 0, 400, 300), (300, 0, 700, 300)]
    faces = [(320.0, 100.0, 360.0, 150.0)]
    merged = merge_detections([(tile, seen_by(tile, faces)) for tile in parts], 700, 300)
    assert [one.box_px.tolist() for one in merged] == [[320, 100, 360, 150]]
    np.testing.assert_allclose(merged[0].landmarks_px, [[340, 125]] * 5)


def test_a_face_cut_by_a_tile_is_dropped_for_the_neighbour_that_sees_it_whole_even_at_a_lower_score() -> None:
    cut, whole = detection(370, 100, 400, 150, 0.99), detection(70, 100, 130, 150, 0.6)
    merged = merge_detections([((0, 0, 400, 300), [cut]), ((300, 0, 700, 300), [whole])], 700, 300)
    assert [one.box_px.tolist() for one in merged] == [[370, 100, 430, 150]]


def test_a_cut_face_that_no_other_tile_shows_is_kept() -> None:
    merged = merge_detections([((0, 0, 400, 300), [detection(380, 100, 400, 150)]), ((300, 0, 700, 300), [])], 700, 300)
    assert len(merged) == 1


def test_a_face_at_the_edge_of_the_picture_does_not_count_as_cut() -> None:
    edge, inner = detection(0, 100, 40, 150, 0.9), detection(2, 102, 38, 148, 0.8)
    merged = merge_detections([((0, 0, 400, 300), [edge]), ((0, 0, 390, 300), [inner])], 400, 300)
    assert [one.score for one in merged] == [0.9]


def test_faces_of_one_tile_are_never_merged_and_come_best_first() -> None:
    close = [detection(10, 10, 60, 60, 0.7), detection(12, 12, 62, 62, 0.8)]
    assert [one.score for one in merge_detections([((0, 0, 400, 300), close)], 400, 300)] == [0.8, 0.7]


@given(
    st.lists(st.tuples(st.integers(0, 38), st.integers(20, 95)), max_size=8, unique_by=lambda face: face[0]),
    st.booleans(),
)
def test_every_face_of_a_panorama_comes_out_exactly_once(places: list[tuple[int, int]], tall: bool) -> None:
    """Faces up to a third of the short side, anywhere (at least one face apart): each once, and whole."""
    faces = [(100.0 * place, 40.0, 100.0 * place + size, 40.0 + size) for place, size in places]
    width, height = 4000, 300
    if tall:
        faces = [(y1, x1, y2, x2) for x1, y1, x2, y2 in faces]
        width, height = height, width
    found = [(tile, seen_by(tile, faces)) for tile in tiles(width, height)]
    merged = merge_detections(found, width, height)
    assert sorted(tuple(one.box_px.tolist()) for one in merged) == sorted(faces)
