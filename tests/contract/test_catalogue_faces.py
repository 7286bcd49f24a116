"""Contract of `FaceRows`."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from plugin.domain import AssignedBy, FaceState, VerdictKind
from plugin.errors import NotFound
from tests.contract.catalogue_cast import (
    LEFT,
    MIDDLE,
    PACK,
    RIGHT,
    STORES,
    Cast,
    direction,
    found,
    listed,
    open_store,
)

NOON = datetime(2020, 6, 1, 12)  # noqa: DTZ001, the camera's local time has no zone


@pytest.fixture(params=STORES)
def cast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cast]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


def test_faces_of_a_photo_come_left_to_right_with_the_ignored_ones(cast: Cast) -> None:
    right, left, middle = cast.photo(found(RIGHT), found(LEFT), found(MIDDLE))
    cast.catalogue.faces.set_state([middle], FaceState.IGNORED)
    asset_id = cast.catalogue.faces.get(right).asset_id
    faces = cast.catalogue.faces.of_asset(asset_id, cast.me)
    assert [face.id for face in faces] == [left, middle, right]


def test_faces_of_a_person_come_best_first_from_present_photos(cast: Cast) -> None:
    poor, good = cast.photo(found(LEFT, quality=0.2), found(RIGHT, quality=0.8))
    gone = cast.photo(found(quality=0.9))
    anna = cast.person("Anna", poor, good, *gone)
    cast.catalogue.assets.mark_gone([cast.catalogue.faces.get(gone[0]).asset_id])
    assert [face.id for face in cast.catalogue.faces.of_person(anna, cast.me, 10)] == [good, poor]
    assert [face.id for face in cast.catalogue.faces.of_person(anna, cast.me, 1)] == [good]
    assert [face.person_name for face in cast.catalogue.faces.of_person(anna, cast.me, 1)] == ["Anna"]


def test_many_faces_come_in_the_order_asked_for_without_those_that_are_not_there(cast: Cast) -> None:
    one, two = cast.photo(found(LEFT), found(RIGHT))
    (gone,) = cast.photo(found())
    cast.catalogue.assets.mark_gone([cast.catalogue.faces.get(gone).asset_id])
    assert [face.id for face in cast.catalogue.faces.many([two, 999, gone, one])] == [two, one]
    assert cast.catalogue.faces.many([]) == []
    assert len(cast.catalogue.faces.many([one, *range(1000, 3000)])) == 1


def test_embeddings_come_in_blocks_by_rising_id_and_of_one_pack(cast: Cast) -> None:
    faces = [cast.photo(found(embedding=direction(i)))[0] for i in range(3)]
    (asset,) = cast.add(listed("other pack.jpg"))
    cast.finish(asset, found(embedding=direction(0, 8)), pack="buffalo_s")
    ids, vectors = cast.catalogue.faces.embeddings(PACK, 0, 2)
    assert ids == faces[:2]
    np.testing.assert_array_equal(vectors, [direction(0), direction(1)])
    assert vectors.dtype == np.float32
    ids, vectors = cast.catalogue.faces.embeddings(PACK, ids[-1], 2)
    assert ids == faces[2:]
    ids, vectors = cast.catalogue.faces.embeddings(PACK, ids[-1], 2)
    assert (ids, len(vectors)) == ([], 0)


def test_faces_to_recognise_are_those_of_present_photos_in_this_state_and_pack(cast: Cast) -> None:
    one, two, deferred = cast.photo(found(LEFT), found(MIDDLE), found(RIGHT))
    (gone,) = cast.photo(found())
    cast.catalogue.assets.mark_gone([cast.catalogue.faces.get(gone).asset_id])
    cast.catalogue.faces.set_state([deferred], FaceState.DEFERRED)
    waiting = cast.catalogue.faces.to_recognise
    assert [face.id for face in waiting(PACK, FaceState.PENDING, 10)] == [one, two]
    assert [face.id for face in waiting(PACK, FaceState.PENDING, 1)] == [one]
    assert [face.id for face in waiting(PACK, FaceState.DEFERRED, 10)] == [deferred]
    assert waiting("buffalo_s", FaceState.PENDING, 10) == []


def test_recognition_rows_are_all_faces_of_the_account_and_pack_but_ignored_and_gone_ones(cast: Cast) -> None:
    plain, anna_face, ignored = cast.photo(
        found(LEFT, direction(0)), found(MIDDLE, direction(1)), found(RIGHT, direction(2)), taken_at=NOON
    )
    (gone,) = cast.photo(found())
    (no_time,) = cast.photo(found(embedding=direction(3)))
    anna = cast.person("Anna", anna_face, by=AssignedBy.USER)
    cast.catalogue.faces.set_state([ignored], FaceState.IGNORED)
    cast.catalogue.assets.mark_gone([cast.catalogue.faces.get(gone).asset_id])
    rows = cast.catalogue.faces.recognition_rows(cast.me, PACK)
    assert rows.face_id.tolist() == [plain, anna_face, no_time]
    assert rows.person_id.tolist() == [-1, anna, -1]
    assert rows.by_user.tolist() == [False, True, False]
    assert rows.asset_id.tolist() == [cast.catalogue.faces.get(face).asset_id for face in (plain, anna_face, no_time)]
    assert rows.taken_at[:2].tolist() == [NOON, NOON]
    assert np.isnat(rows.taken_at[2])
    np.testing.assert_array_equal(rows.embedding, [direction(0), direction(1), direction(3)])
    assert rows.embedding.dtype == np.float32


def test_recognition_rows_of_nothing_are_empty_arrays(cast: Cast) -> None:
    rows = cast.catalogue.faces.recognition_rows(cast.me, PACK)
    assert [len(rows.face_id), len(rows.embedding), len(rows.taken_at)] == [0, 0, 0]
    assert (rows.embedding.ndim, rows.taken_at.dtype) == (2, np.dtype("datetime64[s]"))


def test_a_user_assigns_and_takes_away(cast: Cast) -> None:
    (face,) = cast.photo(found())
    anna = cast.person("Anna", face, by=AssignedBy.USER)
    now = cast.catalogue.faces.get(face)
    assert (now.person_id, now.assigned_by, now.state) == (anna, AssignedBy.USER, FaceState.ASSIGNED)
    cast.catalogue.faces.assign([(face, None)], AssignedBy.USER)
    now = cast.catalogue.faces.get(face)
    assert (now.person_id, now.assigned_by, now.state) == (None, None, FaceState.UNASSIGNED)


def test_the_state_of_a_face_without_a_person_can_be_chosen(cast: Cast) -> None:
    (face,) = cast.photo(found())
    cast.catalogue.faces.assign([(face, None)], AssignedBy.MACHINE, FaceState.DEFERRED)
    assert cast.catalogue.faces.get(face).state is FaceState.DEFERRED


def test_a_user_may_assign_a_face_that_was_ignored(cast: Cast) -> None:
    (face,) = cast.photo(found())
    cast.catalogue.faces.set_state([face], FaceState.IGNORED)
    anna = cast.person("Anna", face, by=AssignedBy.USER)
    assert cast.who([face]) == [anna]


def test_a_user_cannot_assign_to_what_does_not_exist_and_nothing_is_stored_then(cast: Cast) -> None:
    one, two = cast.photo(found(LEFT), found(RIGHT))
    anna = cast.person("Anna")
    for bad in [(999, anna), (two, 999)]:
        with pytest.raises(NotFound):
            cast.catalogue.faces.assign([(one, anna), bad], AssignedBy.USER)
    assert cast.who([one, two]) == [None, None]


def test_the_machine_leaves_alone_what_a_user_decided(cast: Cast) -> None:
    by_user, ignored, nobody, is_ben, not_anna, free = [cast.photo(found())[0] for _ in range(6)]
    ben = cast.person("Ben", by_user, by=AssignedBy.USER)
    anna = cast.person("Anna")
    cast.catalogue.faces.set_state([ignored], FaceState.IGNORED)
    cast.say(VerdictKind.IS_NOBODY, nobody)
    cast.say(VerdictKind.IS_PERSON, is_ben, ben)
    cast.say(VerdictKind.IS_NOT_PERSON, not_anna, anna)
    every = [by_user, ignored, nobody, is_ben, not_anna, free]
    cast.catalogue.faces.assign([(face, anna) for face in every], AssignedBy.MACHINE)
    assert cast.who(every) == [ben, None, None, None, None, anna]
    cast.catalogue.faces.assign([(is_ben, ben), (not_anna, ben)], AssignedBy.MACHINE)
    assert cast.who([is_ben, not_anna]) == [ben, ben]
    cast.catalogue.faces.assign([(face, None) for face in every], AssignedBy.MACHINE)
    assert cast.who(every) == [ben, None, None, ben, None, None]
    assert cast.catalogue.faces.get(ignored).state is FaceState.IGNORED


def test_what_was_deleted_meanwhile_does_not_cost_the_machine_its_other_results(cast: Cast) -> None:
    one, two = cast.photo(found(LEFT), found(RIGHT))
    anna = cast.person("Anna")
    cast.catalogue.faces.assign([(999, anna), (one, 999), (two, anna)], AssignedBy.MACHINE)
    assert cast.who([one, two]) == [None, anna]


def test_a_state_without_a_person_takes_the_person_away(cast: Cast) -> None:
    (face,) = cast.photo(found())
    cast.person("Anna", face)
    cast.catalogue.faces.set_state([face, 999], FaceState.PENDING)
    now = cast.catalogue.faces.get(face)
    assert (now.person_id, now.assigned_by, now.state) == (None, None, FaceState.PENDING)
    with pytest.raises(ValueError, match="whom"):
        cast.catalogue.faces.set_state([face], FaceState.ASSIGNED)


def test_only_a_user_moves_what_a_user_decided_by_state(cast: Cast) -> None:
    by_user, nobody = cast.photo(found(LEFT), found(RIGHT))
    anna = cast.person("Anna", by_user, by=AssignedBy.USER)
    cast.say(VerdictKind.IS_NOBODY, nobody)
    cast.catalogue.faces.set_state([by_user, nobody], FaceState.IGNORED)
    assert cast.who([by_user]) == [None]
    cast.catalogue.faces.assign([(by_user, anna)], AssignedBy.USER)
    cast.catalogue.faces.set_state([by_user, nobody], FaceState.DEFERRED)
    assert cast.who([by_user]) == [anna]
    assert cast.catalogue.faces.get(nobody).state is FaceState.IGNORED


def test_reset_frees_what_the_machine_assigned_and_keeps_names_and_users_words(cast: Cast) -> None:
    by_machine, by_user, confirmed, ignored, unnamed_face = [cast.photo(found())[0] for _ in range(5)]
    anna = cast.person("Anna", by_machine, confirmed)
    ben = cast.person("", by_user, by=AssignedBy.USER)
    unnamed = cast.person("", unnamed_face)
    cast.say(VerdictKind.IS_PERSON, confirmed, anna)
    cast.catalogue.faces.set_state([ignored], FaceState.IGNORED)
    cast.catalogue.faces.unassign_machine(cast.stranger().id)
    assert cast.who([by_machine]) == [anna]
    cast.catalogue.faces.unassign_machine(cast.me)
    assert cast.who([by_machine, by_user, confirmed, ignored, unnamed_face]) == [None, ben, anna, None, None]
    assert cast.catalogue.faces.get(by_machine).state is FaceState.PENDING
    assert cast.catalogue.faces.get(ignored).state is FaceState.IGNORED
    with pytest.raises(NotFound):
        cast.catalogue.people.get(unnamed, cast.me)
    cast.catalogue.faces.unassign_machine(None)
    assert cast.catalogue.people.get(anna, cast.me).name == "Anna"


def test_missing_makes_unassigned_faces_of_present_photos_wait_again(cast: Cast) -> None:
    one, two = cast.photo(found(LEFT), found(RIGHT))
    (gone,) = cast.photo(found())
    cast.catalogue.faces.set_state([one, gone], FaceState.UNASSIGNED)
    cast.catalogue.assets.mark_gone([cast.catalogue.faces.get(gone).asset_id])
    assert cast.catalogue.faces.requeue_unassigned(cast.stranger().id) == 0
    assert cast.catalogue.faces.requeue_unassigned(cast.me) == 1
    assert cast.catalogue.faces.requeue_unassigned(None) == 0
    assert {cast.catalogue.faces.get(face).state for face in (one, two)} == {FaceState.PENDING}


def test_the_recognition_status_counts_states_of_present_photos(cast: Cast) -> None:
    faces = [cast.photo(found())[0] for _ in range(6)]
    cast.catalogue.assets.mark_gone([cast.catalogue.faces.get(faces[5]).asset_id])
    anna = cast.person("Anna")
    cast.catalogue.faces.assign([(faces[0], anna), (faces[1], None)], AssignedBy.MACHINE)
    cast.catalogue.faces.set_state([faces[2]], FaceState.DEFERRED)
    cast.clock.forward(seconds=10)
    status = cast.catalogue.faces.recognition_status(cast.me)
    assert (status.waiting, status.running, status.done, status.failed) == (3, 0, 2, 0)
    assert status.rate == pytest.approx(0.3)
    assert status.seconds_left == pytest.approx(10)
    assert cast.catalogue.faces.state_counts(cast.me) == {
        FaceState.PENDING: 2,
        FaceState.DEFERRED: 1,
        FaceState.ASSIGNED: 1,
        FaceState.UNASSIGNED: 1,
        FaceState.IGNORED: 0,
    }
    assert set(cast.catalogue.faces.state_counts(cast.stranger().id).values()) == {0}
    assert cast.catalogue.faces.recognition_status(cast.stranger().id).waiting == 0


def test_the_export_has_every_face_of_present_photos(cast: Cast) -> None:
    faces = [face for _ in range(3) for face in cast.photo(found(LEFT), found(RIGHT))]
    cast.catalogue.assets.mark_gone([cast.catalogue.faces.get(faces[0]).asset_id])
    exported = list(cast.catalogue.faces.export(cast.me))
    assert [row.face.id for row in exported] == faces[2:]
    assert {(row.library, row.path) for row in exported} == {("Photos", "photo 2.jpg"), ("Photos", "photo 3.jpg")}
    assert len(list(cast.catalogue.faces.export(None))) == 4


def test_a_long_export_comes_whole_though_read_in_blocks(cast: Cast) -> None:
    for asset in cast.add(*(listed(f"{i}.jpg") for i in range(3))):
        cast.finish(asset, *(found(embedding=direction(0)) for _ in range(200)))
    ids = [row.face.id for row in cast.catalogue.faces.export(None)]
    assert len(ids) == len(set(ids)) == 600


def test_faces_that_do_not_exist_are_not_found(cast: Cast) -> None:
    for call in (cast.catalogue.faces.get, cast.catalogue.faces.embedding):
        with pytest.raises(NotFound):
            call(999)
    with pytest.raises(NotFound):
        cast.catalogue.faces.of_asset(999, cast.me)
    with pytest.raises(NotFound):
        cast.catalogue.faces.of_person(999, cast.me, 1)
