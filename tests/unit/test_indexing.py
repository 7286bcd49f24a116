"""Keeping the index in step with the catalogue, interrupted anywhere."""

from collections.abc import Callable
from typing import cast

import pytest

from plugin.domain import FaceId, Float32Array
from plugin.index.exact import ExactIndex
from plugin.indexing import BLOCK, Indexing
from plugin.ports.catalogue import Catalogue
from tests.fakes.index_state import FakeIndexState, unit_vectors


class PowerCut(BaseException):
    """Stands for kill -9: nothing after it happens."""


def cut(*_: object) -> None:
    raise PowerCut


@pytest.fixture
def catalogue() -> FakeIndexState:
    state = FakeIndexState()
    state.store("opencv", list(range(1, 31)), unit_vectors(30))
    state.store("buffalo_s", [31, 32], unit_vectors(2, 8))
    return state


@pytest.fixture
def index() -> ExactIndex:
    return ExactIndex()


def indexing_of(catalogue: FakeIndexState, index: ExactIndex) -> Indexing:
    return Indexing(cast(Catalogue, catalogue), index)


def everything_of(indexing: Indexing) -> int:
    return sum(iter(indexing.catch_up, 0))


def holds_exactly_the_catalogue(index: ExactIndex, catalogue: FakeIndexState) -> bool:
    return all(index.ids(pack) == catalogue.face_ids(pack) for pack in ("opencv", "buffalo_s"))


def test_new_faces_reach_the_index_in_blocks(catalogue: FakeIndexState, index: ExactIndex) -> None:
    indexing = indexing_of(catalogue, index)
    assert indexing.catch_up(10) == 12
    assert index.ids("opencv") == set(range(1, 11))
    assert everything_of(indexing) == 20
    assert holds_exactly_the_catalogue(index, catalogue)
    assert indexing.catch_up() == 0


def test_deleted_faces_leave_the_index(catalogue: FakeIndexState, index: ExactIndex) -> None:
    indexing = indexing_of(catalogue, index)
    everything_of(indexing)
    catalogue.remove("opencv", [3, 4])
    assert everything_of(indexing) == 2
    assert holds_exactly_the_catalogue(index, catalogue)


def test_a_face_that_left_a_pack_and_came_back_ends_up_in_the_index(
    catalogue: FakeIndexState, index: ExactIndex
) -> None:
    indexing = indexing_of(catalogue, index)
    everything_of(indexing)
    catalogue.remove("opencv", list(range(1, 31)))
    catalogue.store("opencv", [30], unit_vectors(1, seed=5))
    while indexing.catch_up(4):
        pass
    assert index.ids("opencv") == {30}


def test_a_changed_embedding_replaces_the_old_one(catalogue: FakeIndexState, index: ExactIndex) -> None:
    indexing = indexing_of(catalogue, index)
    everything_of(indexing)
    changed = unit_vectors(1, seed=9)
    catalogue.store("opencv", [7], changed)
    everything_of(indexing)
    assert index.nearest("opencv", changed[0], 1)[0].face_id == 7


@pytest.mark.parametrize("step", ["add", "delete", "added", "deleted"])
def test_a_kill_before_any_step_repeats_harmlessly(
    step: str, catalogue: FakeIndexState, index: ExactIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything_of(indexing_of(catalogue, index))
    catalogue.remove("opencv", [1, 2])
    catalogue.store("opencv", [40], unit_vectors(1, seed=4))
    with monkeypatch.context() as broken:
        broken.setattr(index if step in {"add", "delete"} else catalogue, step, cut)
        with pytest.raises(PowerCut):
            everything_of(indexing_of(catalogue, index))
    everything_of(indexing_of(catalogue, index))
    assert holds_exactly_the_catalogue(index, catalogue)


def test_check_of_a_sound_index_finds_nothing_and_catches_up_first(
    catalogue: FakeIndexState, index: ExactIndex
) -> None:
    found = indexing_of(catalogue, index).check(repair=False)
    assert found.findings == ()
    assert {pack.pack: (pack.faces, pack.searched) for pack in found.packs} == {"opencv": (30, 30), "buffalo_s": (2, 2)}


Damage = Callable[[ExactIndex], None]


def lose_faces(index: ExactIndex) -> None:
    index.delete("opencv", [5, 6])


def keep_deleted_faces(index: ExactIndex) -> None:
    index.add("opencv", [900], unit_vectors(1, seed=3))


def mix_up_embeddings(index: ExactIndex) -> None:
    index.add("opencv", [8], unit_vectors(1, seed=2))


@pytest.mark.parametrize(
    ("damage", "counts", "sentence"),
    [
        (lose_faces, (2, 0, 0), "lacks 2 of 30 faces of opencv"),
        (keep_deleted_faces, (0, 1, 0), "holds 1 faces of opencv"),
        (mix_up_embeddings, (0, 0, 1), "did not find 1 of 30 faces"),
    ],
)
def test_check_reports_what_differs_and_repairs_it_when_asked(
    damage: Damage, counts: tuple[int, int, int], sentence: str, catalogue: FakeIndexState, index: ExactIndex
) -> None:
    indexing = indexing_of(catalogue, index)
    everything_of(indexing)
    damage(index)
    found = indexing.check(repair=False)
    assert (found.missing, found.surplus, found.astray) == counts
    assert sentence in found.findings[0]
    assert not found.repaired
    assert indexing.check(repair=True).repaired
    assert indexing.check(repair=False).findings == ()


def test_repair_finds_missing_faces_however_far_their_ids_lie_apart(index: ExactIndex) -> None:
    catalogue = FakeIndexState()
    face_ids = [1, 2, BLOCK, BLOCK + 1, BLOCK + 2, 10 * BLOCK, 10**9]
    catalogue.store("opencv", face_ids, unit_vectors(len(face_ids)))
    indexing = indexing_of(catalogue, index)
    everything_of(indexing)
    index.clear()
    assert indexing.check(repair=True).missing == len(face_ids)
    assert index.ids("opencv") == set(face_ids)


def test_many_copies_of_one_photo_are_not_taken_for_astray(index: ExactIndex) -> None:
    catalogue = FakeIndexState()
    catalogue.store("opencv", list(range(1, 41)), unit_vectors(1).repeat(40, axis=0))
    assert indexing_of(catalogue, index).check(repair=False).findings == ()


def test_rebuild_fills_the_index_again_and_says_how_far_it_is(catalogue: FakeIndexState, index: ExactIndex) -> None:
    indexing = indexing_of(catalogue, index)
    everything_of(indexing)
    index.add("opencv", [900], unit_vectors(1))
    steps: list[tuple[int, int]] = []
    assert indexing.rebuild(lambda done, total: steps.append((done, total))) == 32
    assert steps == [(0, 32), (32, 32)]
    assert holds_exactly_the_catalogue(index, catalogue)


def test_a_kill_in_a_rebuild_is_continued(
    catalogue: FakeIndexState, index: ExactIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything_of(indexing_of(catalogue, index))

    def add_some_then_die(pack: str, face_ids: list[FaceId], embeddings: Float32Array) -> None:
        ExactIndex.add(index, pack, face_ids[:5], embeddings[:5])
        raise PowerCut

    for step, replacement in (("clear", cut), ("add", add_some_then_die)):
        with monkeypatch.context() as broken:
            broken.setattr(index, step, replacement)
            with pytest.raises(PowerCut):
                indexing_of(catalogue, index).rebuild()
    everything_of(indexing_of(catalogue, index))
    assert holds_exactly_the_catalogue(index, catalogue)
