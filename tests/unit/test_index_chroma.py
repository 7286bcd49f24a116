"""What is special about Chroma: how well it finds, and when it writes which files."""

from pathlib import Path

import numpy as np

from plugin.domain import Float32Array
from plugin.faces.neighbours import nearest
from plugin.index.chroma import ChromaIndex
from plugin.index.folder import logged_rows
from tests.fakes.index_state import unit_vectors


def people(persons: int, faces_each: int, dimension: int = 128) -> Float32Array:
    """Embeddings of faces around persons, same-person cosine about .6, every tenth a copy of the one before."""
    centres = np.repeat(unit_vectors(persons, dimension), faces_each, axis=0)
    faces = centres + 0.8 * unit_vectors(len(centres), dimension, seed=1)
    faces[9::10] = faces[8::10]
    return np.asarray(faces / np.linalg.norm(faces, axis=1, keepdims=True), dtype=np.float32)


def test_it_finds_at_least_95_of_100_true_neighbours(tmp_path: Path) -> None:
    faces = people(persons=100, faces_each=40)
    index = ChromaIndex(tmp_path / "index", persist_every=500)
    index.add("opencv", list(range(len(faces))), faces)
    queries = faces[::20]
    _, true_distances = nearest(faces, queries, 10)
    found = [index.nearest("opencv", query, 10) for query in queries]
    index.close()
    # By distance, not by id: which of several copies comes first is nobody's business.
    hits = [n.distance <= limit[-1] + 1e-5 for near, limit in zip(found, true_distances, strict=True) for n in near]
    assert len(hits) == 10 * len(queries)
    assert np.mean(hits) >= 0.95


def hnsw_files(folder: Path) -> dict[str, bytes]:
    """Everything Chroma writes beside SQLite, where a kill ruins it."""
    return {str(path): path.read_bytes() for path in folder.glob("*/*")}


def test_in_normal_running_only_the_sqlite_log_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    index = ChromaIndex(folder)
    index.add("opencv", [0], unit_vectors(1, 8))
    before = hnsw_files(folder)
    index.add("opencv", list(range(3000)), unit_vectors(3000, 8))
    index.nearest("opencv", unit_vectors(1, 8)[0], 5)
    index.close()
    assert hnsw_files(folder) == before
    assert logged_rows(folder) >= 3000


def test_after_a_bulk_build_the_hnsw_files_are_never_touched_again(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    index = ChromaIndex(folder, persist_every=100)
    index.add("opencv", [0], unit_vectors(1, 8))
    empty = hnsw_files(folder)
    index.add("opencv", list(range(500)), unit_vectors(500, 8))
    index.stop_persisting()
    index.close()
    built = hnsw_files(folder)
    assert built != empty
    index = ChromaIndex(folder)
    index.add("opencv", list(range(400, 1500)), unit_vectors(1100, 8, seed=1))
    index.delete("opencv", [1])
    index.close()
    assert hnsw_files(folder) == built
    index = ChromaIndex(folder)
    assert index.ids("opencv") == set(range(1500)) - {1}
    index.close()
