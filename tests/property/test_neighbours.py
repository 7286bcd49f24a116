"""Blockwise search gives what comparing everything with everything gives."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.domain import Float32Array
from plugin.faces.neighbours import DECIMALS, nearest, similar_pairs


@st.composite
def embeddings(draw: st.DrawFn, maximum: int = 40) -> Float32Array:
    """Unit vectors in few dimensions, many of them copies of each other, as bursts and doubled photos are."""
    count, dimension = draw(st.integers(0, maximum)), draw(st.integers(2, 6))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    originals = random.normal(size=(max(1, count // 2), dimension)).astype(np.float32)
    originals /= np.linalg.norm(originals, axis=1, keepdims=True)
    return originals[random.integers(0, len(originals), size=count)]


def all_distances(queries: Float32Array, matrix: Float32Array) -> npt.NDArray[np.float64]:
    """The oracle, in double precision and one by one."""
    rows = [[1.0 - float(np.dot(q.astype(np.float64), m.astype(np.float64))) for m in matrix] for q in queries]
    return np.array(rows, dtype=np.float64).reshape(len(queries), len(matrix)).clip(0.0, 2.0)


SLACK = 4 * 10.0**-DECIMALS
"""Between float32 and float64 a pair may fall on either side of a limit by about this much."""


@given(embeddings(), st.floats(0.0, 2.0), st.integers(1, 7))
@settings(deadline=None)
def test_similar_pairs_are_exactly_the_pairs_within_the_distance_when_none_is_crowded(
    matrix: Float32Array, maximum: float, block: int
) -> None:
    expected = all_distances(matrix, matrix)
    found = similar_pairs(matrix, maximum, max(1, len(matrix)), block=block)
    pairs = list(zip(found.rows.tolist(), found.columns.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert all(row < column for row, column in pairs)
    assert not len(found.crowded)
    assert set(pairs) >= set(zip(*np.triu(expected < maximum - SLACK, 1).nonzero(), strict=True))
    assert set(pairs) <= set(zip(*np.triu(expected <= maximum + SLACK, 1).nonzero(), strict=True))
    np.testing.assert_allclose(found.distances, expected[found.rows, found.columns], atol=SLACK)


@given(embeddings(), st.integers(0, 50), st.floats(0.0, 2.0), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_nearest_finds_the_nearest_rows_in_order(matrix: Float32Array, count: int, maximum: float, seed: int) -> None:
    queries = np.random.default_rng(seed).normal(size=(3, matrix.shape[1])).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    expected = all_distances(queries, matrix)
    indices, distances = nearest(matrix, queries, count, maximum)
    assert indices.shape == distances.shape == (3, count)
    for row in range(3):
        there = indices[row] >= 0
        own = list(zip(distances[row][there].tolist(), indices[row][there].tolist(), strict=True))
        assert own == sorted(own)
        assert len({index for _, index in own}) == len(own)
        assert not there[len(own) :].any()
        assert np.isinf(distances[row][~there]).all()
        possible = np.sort(expected[row])
        assert len(own) >= min(count, int((possible < maximum - SLACK).sum()))
        assert len(own) <= min(count, int((possible <= maximum + SLACK).sum()))
        np.testing.assert_allclose([distance for distance, _ in own], possible[: len(own)], atol=SLACK)


@given(embeddings(maximum=30))
@settings(deadline=None)
def test_nearest_does_not_depend_on_how_many_are_asked_for(matrix: Float32Array) -> None:
    everything, _ = nearest(matrix, matrix, len(matrix))
    for count in range(len(matrix)):
        some, _ = nearest(matrix, matrix, count)
        np.testing.assert_array_equal(some, everything[:, :count])


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="5 numbers"):
        nearest(np.zeros((2, 4), np.float32), np.zeros((1, 5), np.float32), 1)
    with pytest.raises(ValueError, match="arrays"):
        similar_pairs(np.zeros(4, np.float32), 0.5, 3)
