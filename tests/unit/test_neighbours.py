"""Exact neighbours: the edges, and blocks of the size that is really used."""

import numpy as np

from plugin.faces.neighbours import ROWS, nearest, similar_pairs
from tests.fakes.index_state import unit_vectors


def test_nothing_has_no_neighbours() -> None:
    empty = np.empty((0, 8), dtype=np.float32)
    assert [len(part) for part in similar_pairs(empty, 0.5, 3)] == [0, 0, 0, 0]
    found, far = nearest(empty, unit_vectors(2, 8), 3)
    assert (found == -1).all()
    assert np.isinf(far).all()


def test_copies_of_one_photo_tie_and_are_ordered_by_index() -> None:
    copies = np.repeat(unit_vectors(1, 128), 2500, axis=0)
    indices, distances = nearest(copies, copies[:2], 5)
    assert indices.tolist() == [[0, 1, 2, 3, 4]] * 2
    assert not distances.any()


def test_the_maximum_distance_is_inclusive() -> None:
    right_angle = np.eye(2, dtype=np.float32)
    assert similar_pairs(right_angle, 1.0, 3).columns.tolist() == [1]
    assert similar_pairs(right_angle, 0.999, 3).columns.tolist() == []


def test_blocks_of_the_real_size_give_the_same_as_one_product() -> None:
    vectors = unit_vectors(ROWS * 9 + 5, 4)
    sample = [0, ROWS - 1, ROWS, ROWS * 8, ROWS * 8 + 1, ROWS * 9 + 4]
    expected = 1.0 - vectors[sample].astype(np.float64) @ vectors.T.astype(np.float64)
    found = similar_pairs(vectors, 0.02, len(vectors))
    nearest_ten, _ = nearest(vectors, vectors[sample], 10)
    assert len(found.rows) > 3 * len(vectors)
    assert not len(found.crowded)
    for row, own_distances, own_ten in zip(sample, expected, nearest_ten, strict=True):
        mine = np.flatnonzero((found.rows == row) | (found.columns == row))
        others = np.where(found.rows[mine] == row, found.columns[mine], found.rows[mine])
        # Two roundings of one distance may differ by a few millionths, so the edge itself is left open.
        assert {row, *others.tolist()} >= set(np.flatnonzero(own_distances < 0.02 - 4e-6).tolist())
        assert {row, *others.tolist()} <= set(np.flatnonzero(own_distances < 0.02 + 4e-6).tolist())
        np.testing.assert_allclose(found.distances[mine], own_distances[others], atol=4e-6)
        np.testing.assert_allclose(own_distances[own_ten], np.sort(own_distances)[:10], atol=4e-6)
