"""What every `EmbeddingIndex` promises, asked of each of them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from plugin.errors import SearchIndexError
from plugin.index.chroma import ChromaIndex
from plugin.index.exact import ExactIndex
from plugin.index.guarded import GuardedIndex
from plugin.ports.index import EmbeddingIndex
from tests.fakes.index_state import FakeIndexState, unit_vectors

Opener = Callable[[Path], EmbeddingIndex]


def guarded(folder: Path) -> GuardedIndex:
    state = FakeIndexState()
    return GuardedIndex(folder, state, state)


def guarded_and_ready(folder: Path) -> GuardedIndex:
    """Handed over to Chroma, by a face that came and went."""
    index = guarded(folder)
    index.add("made-up", [1], unit_vectors(1))
    assert index.wait_until_settled(60).state == "ready"
    index.delete("made-up", [1])
    return index


OPENERS: dict[str, Opener] = {
    "exact": lambda _: ExactIndex(),
    "chroma": ChromaIndex,
    "guarded": guarded,
    "guarded and ready": guarded_and_ready,
}


@pytest.fixture(params=list(OPENERS.values()), ids=list(OPENERS))
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddingIndex]:
    opened: EmbeddingIndex = request.param(tmp_path / "index")
    yield opened
    opened.close()


FACES = unit_vectors(300)


def near(index: EmbeddingIndex, face_id: int, count: int = 1) -> list[int]:
    return [neighbour.face_id for neighbour in index.nearest("opencv", FACES[face_id], count)]


def test_an_empty_index_knows_nobody(index: EmbeddingIndex) -> None:
    assert index.nearest("opencv", FACES[0], 5) == []
    assert index.ids("opencv") == set()
    index.delete("opencv", [1, 2])


def test_a_face_is_nearest_to_itself_and_the_others_follow_in_order(index: EmbeddingIndex) -> None:
    index.add("opencv", list(range(300)), FACES)
    found = index.nearest("opencv", FACES[42], 10)
    expected = np.argsort(1 - FACES @ FACES[42])[:10]
    assert [neighbour.face_id for neighbour in found] == expected.tolist()
    np.testing.assert_allclose([n.distance for n in found], (1 - FACES @ FACES[42])[expected], atol=1e-5)
    assert all(neighbour.distance >= 0 for neighbour in found)


def test_asking_for_more_than_there_is_gives_what_there_is(index: EmbeddingIndex) -> None:
    index.add("opencv", [1, 2, 3], FACES[1:4])
    assert sorted(near(index, 1, 1000)) == [1, 2, 3]
    assert near(index, 1, 0) == []


def test_adding_again_changes_nothing_and_a_new_embedding_replaces_the_old_one(index: EmbeddingIndex) -> None:
    index.add("opencv", [1, 2], FACES[1:3])
    index.add("opencv", [1, 2], FACES[1:3])
    assert index.ids("opencv") == {1, 2}
    index.add("opencv", [1], FACES[9:10])
    assert index.ids("opencv") == {1, 2}
    assert near(index, 9) == [1]
    assert index.nearest("opencv", FACES[9], 1)[0].distance == pytest.approx(0, abs=1e-5)


def test_a_deleted_face_is_gone_and_may_come_back(index: EmbeddingIndex) -> None:
    index.add("opencv", list(range(300)), FACES)
    index.delete("opencv", [0, 299, 42, 77, 12345])
    index.delete("opencv", [42])
    assert index.ids("opencv") == set(range(300)) - {0, 299, 42, 77}
    assert 42 not in near(index, 42, 295)
    index.add("opencv", [42], FACES[42:43])
    assert near(index, 42) == [42]


def test_packs_do_not_mix(index: EmbeddingIndex) -> None:
    index.add("opencv", [1], FACES[1:2])
    index.add("buffalo_s", [1, 2], unit_vectors(2, 8))
    index.delete("buffalo_s", [1])
    assert index.ids("opencv") == {1}
    assert index.ids("buffalo_s") == {2}


def test_embeddings_of_another_length_are_refused_and_nothing_is_lost(index: EmbeddingIndex) -> None:
    index.add("opencv", [1], FACES[1:2])
    with pytest.raises(ValueError, match="16"):
        index.add("opencv", [2], unit_vectors(1, 8))
    with pytest.raises(ValueError, match="16"):
        index.nearest("opencv", unit_vectors(1, 8)[0], 1)
    assert near(index, 1) == [1]


def test_adding_nothing_does_nothing(index: EmbeddingIndex) -> None:
    index.add("opencv", [], np.empty((0, 0), dtype=np.float32))
    index.delete("opencv", [])
    assert index.ids("opencv") == set()


def test_clear_removes_everything_and_the_index_goes_on(index: EmbeddingIndex) -> None:
    index.add("opencv", [1, 2], FACES[1:3])
    index.add("buffalo_s", [1], unit_vectors(1, 8))
    index.clear()
    assert index.ids("opencv") == index.ids("buffalo_s") == set()
    assert near(index, 1) == []
    index.add("opencv", [2], unit_vectors(1, 8))
    assert index.ids("opencv") == {2}


def test_more_faces_than_fit_into_one_batch_arrive(index: EmbeddingIndex) -> None:
    many = unit_vectors(2500, 8)
    index.add("opencv", list(range(2500)), many)
    assert index.ids("opencv") == set(range(2500))
    assert index.nearest("opencv", many[2400], 1)[0].face_id == 2400
    index.delete("opencv", list(range(2499)))
    assert index.ids("opencv") == {2499}


def test_several_threads_may_use_it_at_once(index: EmbeddingIndex) -> None:
    def work(worker: int) -> None:
        for face_id in range(worker, 60, 4):
            index.add("opencv", [face_id], FACES[face_id : face_id + 1])
            assert near(index, face_id) == [face_id]
            if face_id % 3 == 0:
                index.delete("opencv", [face_id])

    with ThreadPoolExecutor(4) as workers:
        assert list(workers.map(work, range(4))) == [None] * 4
    assert index.ids("opencv") == {face_id for face_id in range(60) if face_id % 3}


def test_closing_twice_is_safe(index: EmbeddingIndex) -> None:
    index.add("opencv", [1], FACES[1:2])
    index.close()
    index.close()


@pytest.mark.parametrize("opener", [ChromaIndex, guarded])
def test_a_closed_index_says_so(opener: Opener, tmp_path: Path) -> None:
    index = opener(tmp_path / "index")
    index.close()
    with pytest.raises(SearchIndexError, match="closed"):
        index.nearest("opencv", FACES[0], 1)
