"""Contract of `DetectionQueue`."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, event

from plugin.domain import AssetKind, AssignedBy, Box, FaceState, VerdictKind, WorkState
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
NEAR_LEFT = Box(0.11, 0.11, 0.2, 0.2)


@pytest.fixture(params=STORES)
def cast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cast]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


def test_the_newest_photos_are_claimed_first_and_those_without_a_time_last(cast: Cast) -> None:
    cast.add(listed("none.jpg"), listed("old.jpg", taken_at=NOON), listed("new.jpg", taken_at=NOON + timedelta(1)))
    claimed = cast.catalogue.detection.claim("worker", 2, 60)
    claimed += cast.catalogue.detection.claim("worker", 2, 60)
    assert [asset.host_key for asset in claimed] == ["new.jpg", "old.jpg", "none.jpg"]
    assert [asset.attempts for asset in claimed] == [1, 1, 1]


def test_a_leased_asset_is_given_to_nobody_else_until_the_lease_ends(cast: Cast) -> None:
    cast.add(listed("a.jpg"))
    assert len(cast.catalogue.detection.claim("one", 5, 60)) == 1
    assert cast.catalogue.detection.claim("two", 5, 60) == []
    cast.clock.forward(seconds=61)
    (again,) = cast.catalogue.detection.claim("two", 5, 60)
    assert again.attempts == 2


def test_gone_assets_are_not_claimed(cast: Cast) -> None:
    cast.sync(listed("a.jpg"))
    cast.sync()
    assert cast.catalogue.detection.claim("worker", 5, 60) == []


def test_a_failed_attempt_rests_longer_each_time_and_the_fifth_is_the_last(cast: Cast) -> None:
    cast.add(listed("a.jpg"))
    queue = cast.catalogue.detection
    for minutes in (1, 5, 30, 120):
        (asset,) = queue.claim("worker", 1, 60)
        queue.fail(asset, "host_unreachable", "away", permanent=False)
        cast.clock.forward(minutes=minutes, seconds=-1)
        assert queue.claim("worker", 1, 60) == []
        cast.clock.forward(seconds=1)
    (asset,) = queue.claim("worker", 1, 60)
    queue.fail(asset, "host_unreachable", "away", permanent=False)
    failed = cast.catalogue.assets.get(asset.id)
    assert (failed.state, failed.attempts, failed.error_code) == (WorkState.FAILED, 5, "host_unreachable")


def test_a_permanent_failure_is_final_at_once_until_it_is_retried(cast: Cast) -> None:
    cast.add(listed("a.jpg"), listed("b.jpg"))
    for asset, code in zip(cast.catalogue.detection.claim("worker", 2, 60), ["broken", "large"], strict=True):
        cast.catalogue.detection.fail(asset, code, "no", permanent=True)
    assert cast.catalogue.detection.claim("worker", 5, 60) == []
    assert cast.catalogue.detection.retry_failed(cast.me, "broken") == 1
    assert cast.catalogue.detection.retry_failed(cast.me, "broken") == 0
    (asset,) = cast.catalogue.detection.claim("worker", 5, 60)
    assert asset.attempts == 1
    assert cast.catalogue.detection.retry_failed(None, None) == 1


def test_a_file_that_brings_the_worker_down_every_time_fails_in_the_end(cast: Cast) -> None:
    cast.add(listed("poison.jpg"))
    queue = cast.catalogue.detection
    for _ in range(5):
        assert len(queue.claim("worker", 1, 60)) == 1
        cast.clock.forward(seconds=61)
    assert queue.claim("worker", 1, 60) == []
    (failed,) = cast.catalogue.assets.failed(None, "interrupted", 5)
    assert failed.host_key == "poison.jpg"


@pytest.mark.parametrize("way", ["release", "release_expired"])
def test_however_a_killed_workers_lease_ends_the_fifth_is_the_last(cast: Cast, way: str) -> None:
    cast.add(listed("poison.jpg"))
    queue = cast.catalogue.detection
    for _ in range(5):
        assert len(queue.claim("worker", 1, 60)) == 1
        cast.clock.forward(seconds=61)
        if way == "release":
            queue.release("worker", count_attempt=True)
        else:
            assert queue.release_expired() == 1
    assert queue.claim("worker", 1, 60) == []
    assert queue.status().failed == 1


def test_a_clean_release_gives_the_attempt_back(cast: Cast) -> None:
    cast.add(listed("a.jpg"), listed("b.jpg"))
    queue = cast.catalogue.detection
    queue.claim("one", 1, 60)
    queue.claim("two", 1, 60)
    queue.release("one")
    (asset,) = queue.claim("three", 5, 60)
    assert asset.attempts == 1
    assert queue.release_expired() == 0


def test_finished_assets_are_done(cast: Cast) -> None:
    cast.add(listed("a.jpg"))
    (asset,) = cast.catalogue.detection.claim("worker", 1, 60)
    cast.finish(asset, found(), taken_at=NOON)
    done = cast.catalogue.assets.get(asset.id)
    assert (done.state, done.taken_at) == (WorkState.DONE, NOON)
    assert cast.catalogue.detection.claim("worker", 1, 60) == []


def test_found_faces_are_stored_as_found_and_wait_for_recognition(cast: Cast) -> None:
    there = found(RIGHT, direction(2), quality=0.7, frame_ms=1500)
    (face_id,) = cast.photo(there)
    face = cast.catalogue.faces.get(face_id)
    assert (face.box, face.score, face.quality, face.width_px, face.frame_ms) == (RIGHT, 0.9, 0.7, 64.0, 1500)
    assert (face.state, face.person_id, face.assigned_by, face.pack) == (FaceState.PENDING, None, None, PACK)
    np.testing.assert_array_equal(face.landmarks, there.landmarks)
    np.testing.assert_array_equal(cast.catalogue.faces.embedding(face_id), direction(2))


def test_finishing_twice_is_finishing_once(cast: Cast) -> None:
    cast.add(listed("a.jpg"))
    (asset,) = cast.catalogue.detection.claim("worker", 1, 60)
    faces = [found(LEFT), found(RIGHT, direction(1))]
    assert cast.finish(asset, *faces) == cast.finish(asset, *faces)
    assert len(cast.catalogue.faces.of_asset(asset.id, cast.me)) == 2
    assert cast.catalogue.index_state.to_delete(10) == []


def test_a_known_face_keeps_id_person_and_verdicts_and_gets_the_new_numbers(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    (face_id,) = cast.finish(asset, found(LEFT))
    anna = cast.person("Anna", face_id)
    cast.say(VerdictKind.IS_PERSON, face_id, anna)
    assert cast.finish(asset, found(RIGHT), found(NEAR_LEFT, direction(3))) == [face_id + 1, face_id]
    face = cast.catalogue.faces.get(face_id)
    assert (face.box, face.person_id, face.state) == (NEAR_LEFT, anna, FaceState.ASSIGNED)
    np.testing.assert_array_equal(cast.catalogue.faces.embedding(face_id), direction(3))
    assert cast.said() == [("is_person", face_id, anna, None)]


def test_an_unassigned_face_with_another_embedding_is_recognised_anew(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    (face_id,) = cast.finish(asset, found(LEFT))
    cast.catalogue.faces.set_state([face_id], FaceState.UNASSIGNED)
    cast.finish(asset, found(LEFT))
    assert cast.catalogue.faces.get(face_id).state is FaceState.UNASSIGNED
    cast.finish(asset, found(LEFT, direction(1)))
    assert cast.catalogue.faces.get(face_id).state is FaceState.PENDING


def test_faces_no_longer_found_are_deleted_unless_a_user_spoke_about_them(cast: Cast) -> None:
    boxes = [Box(i / 10, 0.1, 0.05, 0.05) for i in range(6)]
    (asset,) = cast.add(listed("a.jpg"))
    faces = cast.finish(asset, *(found(box) for box in boxes))
    plain, by_machine, by_user, rejected, nobody, ignored = faces
    anna = cast.person("Anna", by_machine)
    cast.catalogue.faces.assign([(by_user, anna)], AssignedBy.USER)
    cast.say(VerdictKind.IS_NOT_PERSON, rejected, anna)
    cast.say(VerdictKind.IS_NOBODY, nobody)
    cast.catalogue.faces.set_state([ignored], FaceState.IGNORED)
    assert cast.finish(asset) == []
    left = {face.id for face in cast.catalogue.faces.of_asset(asset.id, cast.me)}
    assert left == {by_user, rejected, nobody, ignored}
    assert cast.catalogue.index_state.to_delete(10) == [(PACK, plain), (PACK, by_machine)]


def test_ignored_faces_stay_ignored(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    faces = cast.finish(asset, found(LEFT))
    cast.catalogue.faces.set_state(faces, FaceState.IGNORED)
    assert cast.finish(asset, found(LEFT, direction(2))) == faces
    assert cast.catalogue.faces.get(faces[0]).state is FaceState.IGNORED


def test_two_detections_on_one_face_cannot_both_be_it(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    (known,) = cast.finish(asset, found(LEFT))
    ids = cast.finish(asset, found(NEAR_LEFT), found(LEFT))
    assert ids[1] == known
    assert len(set(ids)) == 2


def test_faces_of_videos_are_matched_by_embedding_whatever_the_frame(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.mp4", kind=AssetKind.VIDEO))
    one, two = cast.finish(asset, found(LEFT, direction(0), frame_ms=0), found(RIGHT, direction(1), frame_ms=1000))
    crossed = [found(LEFT, direction(1), frame_ms=500), found(RIGHT, direction(0), frame_ms=1500)]
    assert cast.finish(asset, *crossed) == [two, one]
    stranger = found(LEFT, direction(2), frame_ms=500)
    (new,) = cast.finish(asset, stranger)
    assert new not in {one, two}


def test_faces_of_videos_survive_another_pack_where_the_frame_is_the_same(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.mp4", kind=AssetKind.VIDEO))
    one, two = cast.finish(asset, found(LEFT, frame_ms=0), found(RIGHT, direction(1), frame_ms=1000))
    other_pack = [found(LEFT, direction(5, 8), frame_ms=0), found(RIGHT, direction(6, 8), frame_ms=2000)]
    ids = cast.finish(asset, *other_pack, pack="buffalo_s")
    assert ids[0] == one
    assert ids[1] != two


def test_a_result_for_content_that_changed_meanwhile_is_discarded(cast: Cast) -> None:
    cast.add(listed("a.jpg", "before"))
    (asset,) = cast.catalogue.detection.claim("worker", 1, 60)
    cast.add(listed("a.jpg", "after"))
    assert cast.finish(asset, found()) == []
    cast.catalogue.detection.fail(asset, "broken", "broken", permanent=True)
    now = cast.catalogue.assets.get(asset.id)
    assert (now.state, now.error_code) == (WorkState.PENDING, None)
    assert cast.catalogue.faces.of_asset(asset.id, cast.me) == []
    assert [again.content_key for again in cast.catalogue.detection.claim("worker", 1, 60)] == ["after"]


def test_a_result_for_a_removed_asset_is_discarded(cast: Cast) -> None:
    cast.add(listed("a.jpg"))
    (asset,) = cast.catalogue.detection.claim("worker", 1, 60)
    cast.catalogue.libraries.remove(cast.library.id)
    assert cast.finish(asset, found()) == []
    cast.catalogue.detection.fail(asset, "broken", "broken", permanent=True)


def test_a_refresh_asked_for_during_a_look_leads_to_another_look(cast: Cast) -> None:
    cast.add(listed("a.jpg"))
    (asset,) = cast.catalogue.detection.claim("worker", 1, 60)
    assert cast.catalogue.detection.request("refresh", PACK) == 1
    assert len(cast.finish(asset, found())) == 1
    assert cast.catalogue.assets.get(asset.id).state is WorkState.PENDING
    assert len(cast.catalogue.detection.claim("worker", 1, 60)) == 1


def test_a_late_failure_says_nothing_about_what_somebody_else_finished(cast: Cast) -> None:
    cast.add(listed("a.jpg"))
    (slow,) = cast.catalogue.detection.claim("slow", 1, 60)
    cast.clock.forward(seconds=61)
    (fast,) = cast.catalogue.detection.claim("fast", 1, 60)
    cast.finish(fast, found())
    cast.catalogue.detection.fail(slow, "host_unreachable", "away", permanent=True)
    assert cast.catalogue.assets.get(fast.id).state is WorkState.DONE


def test_missing_asks_for_assets_without_a_result_by_this_pack_and_for_failed_ones(cast: Cast) -> None:
    cast.add(*(listed(f"{i}.jpg") for i in range(4)))
    done, other_pack, failed, _ = cast.catalogue.detection.claim("worker", 3, 60) + cast.catalogue.detection.claim(
        "busy", 1, 60
    )
    cast.finish(done)
    cast.finish(other_pack, pack="buffalo_s")
    cast.catalogue.detection.fail(failed, "broken", "broken", permanent=True)
    assert cast.catalogue.detection.request("missing", PACK) == 3
    assert {asset.id for asset in cast.catalogue.detection.claim("worker", 9, 60)} == {other_pack.id, failed.id}
    assert cast.catalogue.assets.get(done.id).state is WorkState.DONE


def test_a_request_may_name_its_assets(cast: Cast) -> None:
    one, two = cast.add(listed("a.jpg"), listed("b.jpg"))
    for asset in (one, two):
        cast.finish(asset, found())
    assert cast.catalogue.detection.request("refresh", PACK, [one.id]) == 1
    assert cast.catalogue.detection.request("reset", PACK, []) == 0
    assert [asset.id for asset in cast.catalogue.detection.claim("worker", 9, 60)] == [one.id]
    assert len(cast.catalogue.faces.of_asset(one.id, cast.me)) == 1


def test_reset_deletes_the_faces_a_user_said_nothing_about(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    plain, said, by_machine = cast.finish(asset, found(LEFT), found(MIDDLE), found(RIGHT))
    cast.person("", by_machine)
    cast.say(VerdictKind.IS_NOT_PERSON, said, cast.person("Anna"))
    assert cast.catalogue.detection.request("reset", PACK) == 1
    assert [face.id for face in cast.catalogue.faces.of_asset(asset.id, cast.me)] == [said]
    assert cast.catalogue.index_state.to_delete(10) == [(PACK, plain), (PACK, by_machine)]


def test_people_a_user_knows_survive_a_reset_and_a_change_of_pack_with_the_faces_found_again(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    annas, nobodys, lost = cast.finish(asset, found(LEFT), found(MIDDLE), found(RIGHT))
    anna = cast.person("Anna", annas, lost)
    assert cast.catalogue.detection.request("reset", "buffalo_s") == 1
    assert [face.id for face in cast.catalogue.faces.of_asset(asset.id, cast.me)] == [annas, lost]
    again = cast.finish(asset, found(LEFT), found(MIDDLE), pack="buffalo_s")
    now = cast.catalogue.faces.of_asset(asset.id, cast.me)
    assert [(face.id, face.pack, face.person_id) for face in now] == [
        (annas, "buffalo_s", anna),
        (again[1], "buffalo_s", None),
    ]
    assert again[1] != nobodys


def test_an_unknown_mode_is_a_mistake_of_the_caller(cast: Cast) -> None:
    with pytest.raises(ValueError, match="again"):
        cast.catalogue.detection.request("again", PACK)


def test_the_status_counts_present_assets_with_rate_and_time_left(cast: Cast) -> None:
    cast.sync(*(listed(f"{i}.jpg") for i in range(10)))
    queue = cast.catalogue.detection
    assert (queue.status().rate, queue.status().seconds_left) == (None, None)
    for asset in queue.claim("worker", 4, 600):
        cast.finish(asset)
        cast.clock.forward(seconds=10)
    (broken,) = queue.claim("worker", 1, 600)
    queue.fail(broken, "broken", "broken", permanent=True)
    queue.claim("worker", 2, 600)
    status = queue.status(cast.me)
    assert (status.waiting, status.running, status.done, status.failed) == (3, 2, 4, 1)
    assert status.rate == pytest.approx(4 / 40)
    assert status.seconds_left == pytest.approx(5 * 10)
    cast.clock.forward(minutes=3)
    assert queue.status().rate is None
    cast.sync()
    assert (queue.status().waiting, queue.status().running, queue.status().done) == (0, 0, 0)


def test_a_lease_that_is_put_off_counts_no_attempt_and_is_due_after_its_time(cast: Cast) -> None:
    cast.add(listed("a.jpg"))
    queue = cast.catalogue.detection
    for _ in range(10):
        (claimed,) = queue.claim("worker", 5, 60)
        assert claimed.attempts == 1
        queue.put_off(claimed, 30)
        assert queue.claim("worker", 5, 60) == []
        assert not queue.busy()
        cast.clock.forward(seconds=31)
    assert queue.status().failed == 0


def test_putting_off_says_nothing_about_what_changed_or_was_finished_meanwhile(cast: Cast) -> None:
    cast.add(listed("a.jpg"), listed("b.jpg"))
    queue = cast.catalogue.detection
    a, b = sorted(queue.claim("worker", 5, 60), key=lambda asset: asset.path)
    cast.add(listed("a.jpg", content="other"))
    queue.finish(b, PACK, [], (1, 1), None)
    queue.put_off(a, 3600)
    queue.put_off(b, 3600)
    assert [asset.path for asset in queue.claim("worker", 5, 60)] == ["a.jpg"]
    assert queue.status().done == 1


def test_libraries_that_rest_are_not_claimed_and_keep_nobody_busy(cast: Cast) -> None:
    cast.add(listed("a.jpg"))
    queue, rests = cast.catalogue.detection, [cast.library.id]
    assert queue.claim("worker", 5, 60, rests) == []
    assert queue.busy()
    assert not queue.busy(rests)
    (claimed,) = queue.claim("worker", 5, 60, [cast.library.id + 1])
    assert queue.busy(rests), "what is being looked at is"
    queue.put_off(claimed, 60)


def test_after_a_pass_what_was_given_up_gets_one_more_try_and_what_rests_is_due(cast: Cast) -> None:
    cast.add(*(listed(f"{name}.jpg") for name in ("busy", "busy-too", "given-up", "broken", "resting")))
    queue = cast.catalogue.detection
    claimed = {asset.path: asset for asset in queue.claim("worker", 5, 3600)}
    queue.fail(claimed["busy-too.jpg"], "host_busy", "busy", permanent=False)
    queue.fail(claimed["busy.jpg"], "host_busy", "busy", permanent=False)
    queue.fail(claimed["given-up.jpg"], "host_unreachable", "away", permanent=True)
    queue.fail(claimed["broken.jpg"], "picture_broken", "broken", permanent=True)
    queue.fail(claimed["resting.jpg"], "host_unreachable", "away", permanent=False)
    assert queue.once_more(cast.library.id, ["host_unreachable", "host_busy"], ["host_busy"]) == 3
    again = {asset.path: asset for asset in queue.claim("worker", 5, 3600)}
    assert again.keys() == {"busy.jpg", "busy-too.jpg", "given-up.jpg"}
    assert again["busy.jpg"].attempts == 2
    queue.fail(again["given-up.jpg"], "host_unreachable", "away", permanent=False)
    assert queue.status().failed == 2, "one try, not five"


def test_after_a_pass_a_single_photo_the_host_is_busy_for_keeps_waiting(cast: Cast) -> None:
    cast.add(listed("slow.jpg"))
    queue = cast.catalogue.detection
    for minutes in (1, 5, 30, 120):
        (slow,) = queue.claim("worker", 5, 60)
        queue.fail(slow, "host_busy", "the gateway gave up", permanent=False)
        assert queue.once_more(cast.library.id, ["host_busy"], ["host_busy"]) == 0
        cast.clock.forward(seconds=minutes * 60 - 1)
        assert queue.claim("worker", 5, 60) == []
        cast.clock.forward(seconds=2)


def test_named_assets_are_claimed_before_newer_ones(cast: Cast) -> None:
    old, _ = cast.add(listed("old.jpg", taken_at=NOON), listed("new.jpg", taken_at=NOON + timedelta(1)))
    queue = cast.catalogue.detection
    assert [asset.path for asset in queue.claim("worker", 5, 60, among=[old.id, 999])] == ["old.jpg"]
    assert queue.claim("worker", 5, 60, among=[old.id]) == []
    assert queue.claim("worker", 5, 60, among=[]) == []


def test_named_assets_are_found_by_their_ids_alone(cast: Cast) -> None:
    """Else a claim goes through all that is pending, while nobody else can write."""
    assets = cast.add(*(listed(f"{number}.jpg") for number in range(12)))
    plans: list[str] = []

    def explain(connection: Connection, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("SELECT") and " AS due" in statement and connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters)
            plans.extend(row[-1] for row in rows)

    event.listen(Engine, "before_cursor_execute", explain)
    try:
        claimed = cast.catalogue.detection.claim("worker", 4, 60, among=[asset.id for asset in assets[:10]])
    finally:
        event.remove(Engine, "before_cursor_execute", explain)
    assert [asset.path for asset in claimed] == ["3.jpg", "2.jpg", "1.jpg", "0.jpg"]
    assert all(plan == "SEARCH asset USING INTEGER PRIMARY KEY (rowid=?)" for plan in plans), plans
