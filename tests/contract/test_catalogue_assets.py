"""Contract of `AssetRows`."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from plugin.domain import AssetKind, FailureCount, IntakeProblem, VerdictKind, WorkState
from plugin.errors import NotFound
from tests.contract.catalogue_cast import LEFT, PACK, RIGHT, STORES, Cast, found, listed, open_store

NOON = datetime(2020, 6, 1, 12)  # noqa: DTZ001, the camera's local time has no zone


@pytest.fixture(params=STORES)
def cast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cast]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


def test_assets_are_new_then_the_same_then_changed(cast: Cast) -> None:
    assets, library_id = cast.catalogue.assets, cast.library.id
    first = assets.seen(library_id, [listed("a.jpg")], 1)
    assert [seen.outcome for seen in first] == ["new"]
    assert [seen.outcome for seen in assets.seen(library_id, [listed("a.jpg")], 2)] == ["same"]
    changed = assets.seen(library_id, [listed("a.jpg", "other pixels")], 3)
    assert [(seen.asset_id, seen.outcome) for seen in changed] == [(first[0].asset_id, "changed")]


def test_an_asset_is_stored_as_listed_and_pending(cast: Cast) -> None:
    (asset,) = cast.add(listed("film/a.mp4", kind=AssetKind.VIDEO, taken_at=NOON, size_bytes=7))
    assert (asset.host_key, asset.path, asset.kind, asset.taken_at) == (
        "film/a.mp4",
        "film/a.mp4",
        AssetKind.VIDEO,
        NOON,
    )
    assert (asset.state, asset.attempts, asset.gone, asset.account_id) == (WorkState.PENDING, 0, False, cast.me)


def test_an_asset_listed_twice_in_one_block_is_one_asset(cast: Cast) -> None:
    seen = cast.catalogue.assets.seen(cast.library.id, [listed("a.jpg", "one"), listed("a.jpg", "two")], 1)
    assert seen[0] == seen[1]
    assert cast.catalogue.assets.get(seen[0].asset_id).content_key == "two"


def test_a_block_may_be_larger_than_one_statement_takes(cast: Cast) -> None:
    keys = [f"{i}.jpg" for i in range(1203)]
    seen = cast.catalogue.assets.seen(cast.library.id, [listed(key) for key in keys], 1)
    assert [cast.catalogue.assets.get(each.asset_id).host_key for each in seen[::400]] == keys[::400]
    assert len(list(cast.catalogue.assets.unseen(cast.library.id, 2))) == 1203


def test_changed_content_waits_for_detection_with_its_attempts_forgotten(cast: Cast) -> None:
    cast.add(listed("a.jpg"))
    (claimed,) = cast.catalogue.detection.claim("worker", 1, 60)
    cast.catalogue.detection.fail(claimed, "picture_broken", "broken", permanent=True)
    (asset,) = cast.add(listed("a.jpg", "repaired"))
    assert (asset.state, asset.attempts, asset.error_code) == (WorkState.PENDING, 0, None)


def test_the_content_key_is_known_while_the_change_key_stays(cast: Cast) -> None:
    cast.add(listed("a.jpg", change_key="size and time"), listed("b.jpg"))
    known = cast.catalogue.assets.content_key
    assert known(cast.library.id, "a.jpg", "size and time") == "content of a.jpg"
    assert known(cast.library.id, "a.jpg", "another time") is None
    assert known(cast.library.id, "b.jpg", "") is None
    assert known(cast.library.id, "c.jpg", "size and time") is None
    cast.add(listed("a.jpg", change_key="touched"))
    assert known(cast.library.id, "a.jpg", "touched") == "content of a.jpg"


def test_what_a_folder_holds_is_known_at_once_and_nothing_of_the_folders_below(cast: Cast) -> None:
    keys = ("top.jpg", "a/one.jpg", "a/two.jpg", "a/b/deep.jpg", "a0/near.jpg", "a.jpg", "ä/über.jpg")
    cast.add(*(listed(key, change_key=f"as of {key}") for key in keys), listed("a/unknown.jpg"))
    contents = cast.catalogue.assets.contents

    def of(*names: str) -> dict[str, tuple[str, str]]:
        return {key: (f"as of {key}", f"content of {key}") for key in names}

    assert contents(cast.library.id, "a") == of("a/one.jpg", "a/two.jpg")
    assert contents(cast.library.id, "a/b") == of("a/b/deep.jpg")
    assert contents(cast.library.id, "ä") == of("ä/über.jpg")
    assert contents(cast.library.id, "") == of("top.jpg", "a.jpg")
    assert contents(cast.library.id, "b") == contents(cast.library.id + 1, "a") == {}


def test_a_time_read_from_the_picture_is_not_overwritten_by_the_host(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    cast.finish(asset, taken_at=NOON)
    (asset,) = cast.add(listed("a.jpg", taken_at=NOON + timedelta(days=1)))
    assert asset.taken_at == NOON


def test_what_a_pass_did_not_see_goes_and_comes_back_with_its_faces(cast: Cast) -> None:
    asset, other = cast.sync(listed("a.jpg"), listed("b.jpg"))
    faces = cast.finish(asset, found())
    anna = cast.person("Anna", *faces)
    cast.sync(listed("b.jpg"))
    assert cast.catalogue.assets.get(asset.id).gone
    assert cast.catalogue.people.get(anna, cast.me).face_count == 0
    assert cast.catalogue.assets.counts(cast.me) == (1, 1)

    sync_pass = cast.catalogue.libraries.sync_started(cast.library.id)
    (seen,) = cast.catalogue.assets.seen(cast.library.id, [listed("a.jpg")], sync_pass)
    assert (seen.asset_id, seen.outcome) == (asset.id, "returned")
    assert cast.catalogue.assets.get(asset.id).state is WorkState.DONE
    assert cast.catalogue.people.get(anna, cast.me).face_count == 1
    assert other.id != asset.id


def test_content_that_returns_changed_waits_for_detection(cast: Cast) -> None:
    (asset,) = cast.sync(listed("a.jpg"))
    cast.finish(asset)
    cast.sync()
    (asset,) = cast.sync(listed("a.jpg", "other pixels"))
    assert (asset.gone, asset.state) == (False, WorkState.PENDING)


def test_an_asset_that_failed_is_tried_again_when_it_returns(cast: Cast) -> None:
    cast.sync(listed("a.jpg"))
    (claimed,) = cast.catalogue.detection.claim("worker", 1, 60)
    cast.catalogue.detection.fail(claimed, "asset_gone", "not there", permanent=True)
    cast.sync()
    (asset,) = cast.sync(listed("a.jpg"))
    assert (asset.state, asset.attempts) == (WorkState.PENDING, 0)


def test_an_asset_that_is_listed_was_not_gone_for_good(cast: Cast) -> None:
    """Trashed, looked for, and restored before the next pass: to the pass it is as it was."""
    cast.sync(listed("a.jpg"), listed("b.jpg"))
    queue = cast.catalogue.detection
    for claimed in queue.claim("worker", 2, 60):
        code = "asset_gone" if claimed.path == "a.jpg" else "picture_broken"
        queue.fail(claimed, code, "not there", permanent=True)
    a, b = cast.sync(listed("a.jpg"), listed("b.jpg"))
    assert (a.state, a.attempts, a.error_code) == (WorkState.PENDING, 0, None)
    assert (b.state, b.error_code) == (WorkState.FAILED, "picture_broken")


def test_a_moved_asset_keeps_faces_and_verdicts_and_is_not_looked_at_again(cast: Cast) -> None:
    (asset,) = cast.add(listed("old.jpg", "pixels"))
    faces = cast.finish(asset, found())
    cast.say(VerdictKind.IS_NOBODY, faces[0])
    sync_pass = cast.catalogue.libraries.sync_started(cast.library.id)
    (candidate,) = cast.catalogue.assets.unseen_with_content(cast.library.id, "pixels", sync_pass)
    cast.catalogue.assets.moved(candidate.id, listed("new.jpg", "pixels"), sync_pass)
    moved = cast.catalogue.assets.get(asset.id)
    assert (moved.host_key, moved.path, moved.state, moved.gone) == ("new.jpg", "new.jpg", WorkState.DONE, False)
    assert [face.id for face in cast.catalogue.faces.of_asset(asset.id, cast.me)] == faces
    assert list(cast.catalogue.assets.unseen(cast.library.id, sync_pass)) == []
    assert cast.catalogue.assets.unseen_with_content(cast.library.id, "pixels", sync_pass) == []


def test_gone_assets_are_candidates_for_a_move_after_present_ones(cast: Cast) -> None:
    gone, _ = cast.sync(listed("a.jpg", "pixels"), listed("b.jpg", "pixels"))
    cast.sync(listed("b.jpg", "pixels"))
    candidates = cast.catalogue.assets.unseen_with_content(cast.library.id, "pixels", 99)
    assert [asset.host_key for asset in candidates] == ["b.jpg", "a.jpg"]
    assert candidates[1].id == gone.id


def test_two_files_may_swap_their_names(cast: Cast) -> None:
    one, two = cast.sync(listed("a.jpg", "one"), listed("b.jpg", "two"))
    sync_pass = cast.catalogue.libraries.sync_started(cast.library.id)
    cast.catalogue.assets.moved(one.id, listed("b.jpg", "one"), sync_pass)
    assert cast.catalogue.assets.get(two.id).gone, "displaced until it is found under its new name"
    (candidate,) = cast.catalogue.assets.unseen_with_content(cast.library.id, "two", sync_pass)
    cast.catalogue.assets.moved(candidate.id, listed("a.jpg", "two"), sync_pass)
    after = [cast.catalogue.assets.get(asset.id) for asset in (one, two)]
    assert [(asset.host_key, asset.gone) for asset in after] == [("b.jpg", False), ("a.jpg", False)]


def test_unseen_assets_can_be_hidden_while_they_are_listed(cast: Cast) -> None:
    cast.add(*(listed(f"{i}.jpg") for i in range(1100)))
    met = 0
    for asset in cast.catalogue.assets.unseen(cast.library.id, 99):
        met += 1
        if met % 100 == 0:
            cast.catalogue.assets.mark_gone([asset.id])
    assert met == 1100
    assert cast.catalogue.assets.counts(None) == (1089, 11)


def test_photos_of_a_person_come_newest_first_and_those_without_a_time_last(cast: Cast) -> None:
    times = [NOON, None, NOON + timedelta(days=2), NOON + timedelta(days=1)]
    faces = [face for time in times for face in cast.photo(found(), taken_at=time)]
    anna = cast.person("Anna", *faces)
    cast.photo(found())
    photos = cast.catalogue.assets.of_person(anna, cast.me, 0, 10)
    assert [photo.taken_at for photo in photos] == [times[2], times[3], times[0], None]
    assert cast.catalogue.assets.of_person(anna, cast.me, 1, 2) == photos[1:3]


def test_a_photo_with_two_faces_of_a_person_is_listed_once(cast: Cast) -> None:
    anna = cast.person("Anna", *cast.photo(found(LEFT), found(RIGHT)))
    assert len(cast.catalogue.assets.of_person(anna, cast.me, 0, 10)) == 1


def test_the_neighbours_of_a_photo_are_the_next_older_and_newer_with_faces(cast: Cast) -> None:
    times = [None, None, NOON, NOON, NOON + timedelta(days=1)]
    row = [cast.catalogue.faces.get(cast.photo(found(), taken_at=time)[0]).asset_id for time in times]
    cast.photo(taken_at=NOON)
    ignored = cast.photo(found(), taken_at=NOON)
    cast.catalogue.faces.set_state(ignored, state="ignored")  # type: ignore[arg-type]  # a StrEnum's value
    neighbours = [cast.catalogue.assets.neighbours_in_time(cast.catalogue.assets.get(asset)) for asset in row]
    assert neighbours == list(zip([None, *row[:-1]], [*row[1:], None], strict=True))


def test_recent_photos_have_faces(cast: Cast) -> None:
    older = cast.photo(found(), taken_at=NOON)
    newer = cast.photo(found(), taken_at=NOON + timedelta(days=1))
    cast.photo(taken_at=NOON)
    recent = cast.catalogue.assets.recent_with_faces(cast.me, 0, 10)
    assert [photo.id for photo in recent] == [cast.catalogue.faces.get(face).asset_id for face in (*newer, *older)]
    assert cast.catalogue.assets.recent_with_faces(cast.me, 1, 10) == recent[1:]


def test_failures_are_counted_by_reason_with_an_example(cast: Cast) -> None:
    cast.add(*(listed(f"{i}.jpg") for i in range(4)))
    claimed = cast.catalogue.detection.claim("worker", 4, 60)
    for asset, code in zip(claimed, ["broken", "broken", "too_large", "too_large"], strict=True):
        cast.catalogue.detection.fail(asset, code, f"It is {code}", permanent=True)
    cast.catalogue.libraries.replace_problems(
        cast.library.id, [IntakeProblem("x", "broken", "Unreadable"), IntakeProblem("y", "loop", "A loop")]
    )
    assert cast.catalogue.assets.failures(cast.me) == [
        FailureCount("broken", "It is broken", 3),
        FailureCount("too_large", "It is too_large", 2),
        FailureCount("loop", "A loop", 1),
    ]
    assert cast.catalogue.assets.failures(cast.stranger().id) == []
    assert {asset.error_code for asset in cast.catalogue.assets.failed(cast.me, "broken", 10)} == {"broken"}
    assert len(cast.catalogue.assets.failed(None, None, 3)) == 3


def test_assets_that_do_not_exist_are_not_found(cast: Cast) -> None:
    with pytest.raises(NotFound):
        cast.catalogue.assets.get(999)
    with pytest.raises(NotFound):
        cast.catalogue.assets.moved(999, listed("a.jpg"), 1)
    with pytest.raises(NotFound):
        cast.catalogue.assets.of_person(999, cast.me, 0, 1)


def test_the_size_is_known_after_detection(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    cast.catalogue.detection.finish(asset, PACK, [], (640, 480), None)
    done = cast.catalogue.assets.get(asset.id)
    assert (done.width, done.height) == (640, 480)
