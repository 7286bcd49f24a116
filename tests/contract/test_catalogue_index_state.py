"""Contract of `IndexState`."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.contract.catalogue_cast import PACK, STORES, Cast, direction, found, listed, open_store


@pytest.fixture(params=STORES)
def cast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cast]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


def to_add(cast: Cast, pack: str = PACK, limit: int = 10) -> list[int]:
    return cast.catalogue.index_state.to_add(pack, limit)[0]


def test_new_embeddings_are_to_add_until_they_were_added(cast: Cast) -> None:
    faces = [cast.photo(found(embedding=direction(i)))[0] for i in range(3)]
    ids, vectors = cast.catalogue.index_state.to_add(PACK, 2)
    assert ids == faces[:2]
    np.testing.assert_array_equal(vectors, [direction(0), direction(1)])
    cast.catalogue.index_state.added(PACK, ids)
    assert to_add(cast) == faces[2:]
    cast.catalogue.index_state.added(PACK, faces)
    assert to_add(cast) == []
    cast.catalogue.index_state.added(PACK, [])
    assert cast.catalogue.index_state.face_ids(PACK) == set(faces)


def test_a_changed_embedding_is_to_add_again_and_an_unchanged_one_is_not(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    faces = cast.finish(asset, found())
    cast.catalogue.index_state.added(PACK, to_add(cast))
    cast.finish(asset, found())
    assert to_add(cast) == []
    cast.finish(asset, found(embedding=direction(1)))
    assert to_add(cast) == faces


def test_an_embedding_that_changes_while_it_is_added_is_to_add_again(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    faces = cast.finish(asset, found())
    handed_out = to_add(cast)
    cast.finish(asset, found(embedding=direction(1)))
    cast.catalogue.index_state.added(PACK, handed_out)
    assert to_add(cast) == faces


def test_a_deleted_face_is_to_delete_until_the_index_forgot_it(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    (face,) = cast.finish(asset, found())
    cast.finish(asset)
    assert cast.catalogue.index_state.to_delete(10) == [(PACK, face)]
    assert cast.catalogue.index_state.to_delete(0) == []
    assert to_add(cast) == []
    for _ in range(2):
        cast.catalogue.index_state.deleted([(PACK, face)])
    cast.catalogue.index_state.deleted([])
    assert cast.catalogue.index_state.to_delete(10) == []


def test_a_face_that_changes_its_pack_leaves_one_collection_and_joins_the_other(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    (face,) = cast.finish(asset, found())
    cast.catalogue.index_state.added(PACK, [face])
    cast.finish(asset, found(embedding=direction(0, 8)), pack="buffalo_s")
    assert cast.catalogue.index_state.to_delete(10) == [(PACK, face)]
    assert (to_add(cast), to_add(cast, "buffalo_s")) == ([], [face])
    assert cast.catalogue.index_state.packs() == ["buffalo_s"]
    assert cast.catalogue.index_state.face_ids(PACK) == set()

    cast.finish(asset, found())
    assert cast.catalogue.index_state.to_delete(10) == [("buffalo_s", face)]
    assert to_add(cast) == [face]


def test_ids_of_deleted_faces_are_never_used_again(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    (deleted,) = cast.finish(asset, found())
    cast.finish(asset)
    (new,) = cast.finish(asset, found())
    assert new > deleted


def test_a_cleared_index_has_to_be_given_everything_and_has_nothing_to_delete(cast: Cast) -> None:
    faces = cast.photo(found())
    (asset,) = cast.add(listed("a.jpg"))
    cast.finish(asset, found())
    cast.finish(asset)
    cast.catalogue.index_state.added(PACK, faces)
    cast.catalogue.index_state.forget()
    assert to_add(cast) == faces
    assert cast.catalogue.index_state.to_delete(10) == []


def test_packs_are_those_with_embeddings(cast: Cast) -> None:
    assert cast.catalogue.index_state.packs() == []
    cast.photo(found())
    assert cast.catalogue.index_state.packs() == [PACK]
    assert cast.catalogue.index_state.face_ids("buffalo_s") == set()
    assert to_add(cast, "buffalo_s") == []


def test_the_dirty_flag_stays_until_it_is_taken_away(cast: Cast) -> None:
    state = cast.catalogue.index_state
    assert not state.dirty()
    state.set_dirty(dirty=True)
    assert state.dirty()
    state.set_dirty(dirty=False)
    assert not state.dirty()
