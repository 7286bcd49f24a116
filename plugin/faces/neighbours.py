"""Exact nearest neighbours among unit-length embeddings, blockwise, so that memory stays bounded.

Distances are cosine distances rounded to six decimals: a matrix product gives the same pair of faces a last digit that
depends on where in its block it stood, and without rounding two copies of one photo would not tie. Order is always
distance first, then index, so equal input gives equal answers.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from plugin.domain import Float32Array

IntArray: TypeAlias = npt.NDArray[np.int64]

ROWS = 512
"""Rows of one block. 512 x 4096 float32 are 8 MB, measured as fast as any larger block with OpenBLAS."""

COLUMNS_PER_ROW = 8
"""A block is this many times wider than high."""

WORD = 8
"""Comparisons looked through together for one that holds: as many bytes as an integer has."""

HELD_PER_ROW = 4
"""Times `count`, what a block of rows holds of pairs before only the most alike are kept: sorting seldom is cheaper."""

DECIMALS = 6
"""Distances are rounded to this many; float32 products of unit vectors are good for about six."""

FARTHEST = 2.0
"""The largest cosine distance there is."""


def nearest(
    matrix: Float32Array, queries: Float32Array, count: int, maximum_distance: float = FARTHEST
) -> tuple[IntArray, Float32Array]:
    """The `count` rows of `matrix` nearest to each query, none farther than `maximum_distance`.

    Args:
        matrix: float32 (n, d), unit length.
        queries: float32 (q, d), unit length.
        count: how many per query, >= 0.
        maximum_distance: inclusive, 0..2.

    Returns:
        Indices int64 (q, count), -1 where there are fewer, and distances float32 (q, count), inf there.

    Raises:
        ValueError: when the shapes do not fit.
    """
    _check(matrix, queries)
    indices = np.full((len(queries), count), -1, dtype=np.int64)
    distances = np.full((len(queries), count), np.inf, dtype=np.float32)
    if count == 0:
        return indices, distances
    # As many comparisons at once for one query as for a block of them; a single one is then one product.
    width = ROWS * COLUMNS_PER_ROW * (ROWS // min(max(len(queries), 1), ROWS))
    for first in range(0, len(queries), ROWS):
        for start in range(0, len(matrix), width):
            block = _distances(queries[first : first + ROWS], matrix[start : start + width])
            for row, found in enumerate(block, start=first):
                _merge(indices[row], distances[row], found, start, np.float32(maximum_distance))
    return indices, distances


class Pairs(NamedTuple):
    """Pairs of neighbours, each once and none with itself.

    Attributes:
        rows, columns: int32 (m,), rows < columns. distances: float32 (m,), 0..2, not rounded.
        crowded: int64 (k,), rows with more neighbours than are listed.
    """

    rows: npt.NDArray[np.int32]
    columns: npt.NDArray[np.int32]
    distances: Float32Array
    crowded: IntArray


def similar_pairs(matrix: Float32Array, maximum_distance: float, count: int, block: int = ROWS) -> Pairs:
    """All pairs of rows within the distance; of a row with more than `count` later ones about the nearest `count`.

    A person with 40,000 faces has 800 million such pairs, a poster in 10,000 photos 50 million: `count` bounds memory.

    Args:
        matrix: float32 (n, d), unit length.
        maximum_distance: inclusive, 0..2.
        count: how many neighbours of one row are listed, >= 1.
        block: rows per block; the matrix product needs block x 8 block float32.

    Raises:
        ValueError: when `matrix` is not two-dimensional.
    """
    _check(matrix, matrix)
    limit = np.float32(1 - maximum_distance)
    parts: list[_Hits] = []
    crowded: list[IntArray] = [np.empty(0, dtype=np.int64)]
    search = _LaterRows(matrix, block)
    for first in range(0, len(matrix), block):
        hits, full = search.nearest_of(first, limit, count)
        parts.append(hits)
        crowded.append(full)
    if not parts:
        return Pairs(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32), crowded[0])
    rows, columns, distances = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Pairs(rows, columns, distances, np.concatenate(crowded))


class _Hits(NamedTuple):
    """Pairs found within the distance, as three arrays of one length (int32 halves what 10 million pairs take)."""

    rows: npt.NDArray[np.int32]
    columns: npt.NDArray[np.int32]
    distances: Float32Array


def _check(matrix: Float32Array, queries: Float32Array) -> None:
    if matrix.ndim != 2 or queries.ndim != 2:
        raise ValueError(f"embeddings must be (n, d) arrays, got shapes {matrix.shape} and {queries.shape}")
    if len(matrix) and len(queries) and matrix.shape[1] != queries.shape[1]:
        raise ValueError(f"embeddings of {queries.shape[1]} numbers cannot be compared with {matrix.shape[1]}")


def _distances(queries: Float32Array, matrix: Float32Array) -> Float32Array:
    found = np.asarray(1.0 - queries @ matrix.T, dtype=np.float32)
    np.round(found, DECIMALS, out=found)
    return np.clip(found, 0.0, FARTHEST, out=found)


def _merge(
    indices: IntArray, distances: Float32Array, found: Float32Array, start: int, maximum_distance: np.float32
) -> None:
    """Merge one block's distances into the best so far; both arrays are written in place."""
    count = len(indices)
    limit = maximum_distance
    if len(found) > count:
        limit = min(limit, np.partition(found, count - 1)[count - 1])
    candidates = np.flatnonzero(found <= min(limit, distances[-1]))
    if not len(candidates):
        return
    all_distances = np.concatenate([distances, found[candidates]])
    all_indices = np.concatenate([indices, candidates + start])
    # Stable, and every earlier index comes first: ties end up ordered by index.
    best = np.argsort(all_distances, kind="stable")[:count]
    indices[:], distances[:] = all_indices[best], all_distances[best]


class _LaterRows:
    """Searches a block of rows among all later rows.

    Besides the product itself, which any exact search needs, every similarity is compared once with what the block
    still takes: a row that has its `count` takes nearer ones only. Both buffers are made once; fresh ones cost as much
    time in page faults as the comparison.
    """

    def __init__(self, matrix: Float32Array, block: int) -> None:
        width = min(block * COLUMNS_PER_ROW, len(matrix))
        self._matrix = matrix
        self._block = block
        self._alike = np.empty(min(block, len(matrix)) * width, dtype=np.float32)
        self._near = np.empty(-(-self._alike.size // WORD) * WORD, dtype=np.bool_)
        self._later = np.triu(np.ones((block, block), dtype=np.bool_), k=1)

    def nearest_of(self, first: int, limit: np.float32, count: int) -> tuple[_Hits, IntArray]:
        """Of each row its most alike later rows, and the rows that have more than `count`."""
        queries = self._matrix[first : first + self._block]
        least = np.full(len(queries), limit, dtype=np.float32)
        full = np.zeros(len(queries), dtype=np.bool_)
        parts: list[_Hits] = []
        held = 0
        for start in range(first, len(self._matrix), self._block * COLUMNS_PER_ROW):
            more, over = self._hits(queries, first, start, least, count)
            full |= over
            parts.append(more)
            held += len(more.rows)
            if held > HELD_PER_ROW * count * len(queries):
                parts = [_most_alike(_joined(parts), count, least, full)]
                held = len(parts[0].rows)
        found = _most_alike(_joined(parts), count, least, full)
        distances = np.clip(1 - found.distances, 0, FARTHEST)
        return _Hits(found.rows + np.int32(first), found.columns, distances), np.flatnonzero(full) + first

    def _hits(
        self, queries: Float32Array, first: int, start: int, least: Float32Array, count: int
    ) -> tuple[_Hits, npt.NDArray[np.bool_]]:
        """Pairs (row of the block, row of the matrix) and, instead of the distance, how alike they are.

        Where there are many, of rows with more than `count` (the second answer) only the most alike ones: in an album
        of copies every similarity of the block is a hit, and as pairs they would take ten times the block's memory.
        """
        others = self._matrix[start : start + self._block * COLUMNS_PER_ROW]
        shape, size = (len(queries), len(others)), len(queries) * len(others)
        alike = np.matmul(queries, others.T, out=self._alike[:size].reshape(shape))
        flat = self._near[: -(-size // WORD) * WORD]
        flat[size:] = False
        # With one number for all rows the comparison is four times as fast as with one for each.
        near = np.greater_equal(alike, least.min(), out=flat[:size].reshape(shape))
        if start == first:
            near[:, : len(queries)] &= self._later[: len(queries), : len(queries)]
        words = _true_words(flat)
        over = np.zeros(len(queries), dtype=np.bool_)
        if len(words) > count * len(queries):
            over = _thin_out(near, alike, least, count)
            words = _true_words(flat)
        which, inside = np.nonzero(flat.reshape(-1, WORD)[words])
        places = words[which] * WORD + inside
        rows, columns = np.divmod(places, len(others))
        by = self._alike[places]
        taken = by >= least[rows]
        return _Hits(rows[taken].astype(np.int32), (columns[taken] + start).astype(np.int32), by[taken]), over


def _true_words(flat: npt.NDArray[np.bool_]) -> IntArray:
    """Which words of a bool array, its length a multiple of `WORD`, hold anything true: few do."""
    return np.flatnonzero(flat.view(np.uint64) != 0).astype(np.int64, copy=False)


def _thin_out(
    near: npt.NDArray[np.bool_], alike: Float32Array, least: Float32Array, count: int
) -> npt.NDArray[np.bool_]:
    """Leave only the `count` most alike in each row of `near` that has more, in place; which rows had."""
    near &= alike >= least[:, None]
    over = np.count_nonzero(near, axis=1) > count
    for row in np.flatnonzero(over).tolist():
        columns = np.flatnonzero(near[row])
        best = np.argpartition(-alike[row, columns], count - 1)[:count]
        near[row] = False
        near[row, columns[best]] = True
    return np.asarray(over)


def _joined(parts: list[_Hits]) -> _Hits:
    return _Hits(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _most_alike(found: _Hits, count: int, least: Float32Array, full: npt.NDArray[np.bool_]) -> _Hits:
    """Keep the `count` most alike of each row that has more, and raise what it takes from now on, both in place."""
    over = np.bincount(found.rows, minlength=len(least)) > count
    full |= over
    trimmed = np.flatnonzero(over[found.rows])
    if not len(trimmed):
        return found
    # Row and distance as one number, of which the larger half is the row: sorted four times as fast as by two keys.
    distances = np.clip(1 - found.distances[trimmed], 0, FARTHEST)
    trimmed = trimmed[np.argsort((found.rows[trimmed].astype(np.int64) << 32) | distances.view(np.int32))]
    rows = found.rows[trimmed]
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    rank = np.arange(len(rows)) - np.repeat(starts, np.diff(starts, append=len(rows)))
    last = trimmed[rank == count - 1]
    least[found.rows[last]] = found.distances[last]
    kept = np.sort(np.concatenate([np.flatnonzero(~over[found.rows]), trimmed[rank < count]]))
    return _Hits(found.rows[kept], found.columns[kept], found.distances[kept])
