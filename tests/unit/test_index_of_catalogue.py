"""The index and the real catalogue together: detection stores faces, the index follows, a restart agrees."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from plugin.index.guarded import GuardedIndex
from plugin.index.probe import Probe
from plugin.indexing import Indexing
from tests.contract.catalogue_cast import PACK, Cast, found, open_store
from tests.fakes.index_state import unit_vectors


@pytest.fixture
def cast(tmp_path: Path) -> Iterator[Cast]:
    with open_store("sqlite file", tmp_path) as cast:
        yield cast


def opened(folder: Path, cast: Cast) -> GuardedIndex:
    # The real probe has its own tests; here it would only cost three seconds.
    state, faces = cast.catalogue.index_state, cast.catalogue.faces
    return GuardedIndex(folder, state, faces, probe_folder=lambda _: Probe("sound"))


def test_faces_that_detection_stores_changes_and_deletes_reach_the_index(cast: Cast, tmp_path: Path) -> None:
    vectors = unit_vectors(30)
    photos = [cast.photo(found(embedding=vector)) for vector in vectors]
    face_ids = [face_id for faces in photos for face_id in faces]
    with closing(opened(tmp_path / "index", cast)) as index:
        indexing = Indexing(cast.catalogue, index)
        assert indexing.check(repair=False).findings == ()
        assert index.wait_until_settled(60).state == "ready"
        changed = unit_vectors(2, seed=5)
        first, second = (
            cast.catalogue.assets.get(cast.catalogue.faces.get(face_id).asset_id) for face_id in face_ids[:2]
        )
        cast.finish(first, found(embedding=changed[0]))
        cast.finish(second)
        assert indexing.check(repair=False).findings == ()
        assert index.ids(PACK) == set(face_ids) - {face_ids[1]}
        assert index.nearest(PACK, changed[0], 1)[0].face_id == face_ids[0]
    assert not cast.catalogue.index_state.dirty()
    with closing(opened(tmp_path / "index", cast)) as index:
        assert index.wait_until_settled(60).state == "ready"
        assert Indexing(cast.catalogue, index).check(repair=False).findings == ()


def test_a_rebuild_by_hand_ends_with_every_face(cast: Cast, tmp_path: Path) -> None:
    for vector in unit_vectors(5):
        cast.photo(found(embedding=vector))
    with closing(opened(tmp_path / "index", cast)) as index:
        indexing = Indexing(cast.catalogue, index)
        indexing.catch_up()
        index.wait_until_settled(60)
        assert indexing.rebuild() == 5
        assert index.ids(PACK) == cast.catalogue.index_state.face_ids(PACK)
        assert indexing.check(repair=False).findings == ()
