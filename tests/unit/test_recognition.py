"""Recognition over a real catalogue in memory, with hand-made faces."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from plugin.domain import AssetKind, AssignedBy, FaceState, HostAsset, VerdictKind
from plugin.errors import DiskFull, NotFound
from plugin.faces.immich import Rules, recognise_all
from plugin.recognition import Recognition, RecognitionSummary, runs
from tests.fakes.album import Album, DamagedIndex, at

ASSIGNED, UNASSIGNED, PENDING, IGNORED = (
    FaceState.ASSIGNED,
    FaceState.UNASSIGNED,
    FaceState.PENDING,
    FaceState.IGNORED,
)


@pytest.fixture
def album() -> Iterator[Album]:
    made = Album()
    yield made
    made.catalogue.close()


@pytest.fixture
def recognition(album: Album) -> Recognition:
    return Recognition(album.catalogue, album.index, lambda: album.preferences)


@pytest.fixture(params=["in memory", "through the index"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of finding neighbours must lead to the same people."""
    if request.param == "through the index":
        monkeypatch.setattr(runs, "IN_MEMORY_FROM", 10**9)
        monkeypatch.setattr(runs, "FACES_PER_SEARCH", 0.0)
        monkeypatch.setattr(runs.Run, "_in_memory", _not_expected)
    else:
        monkeypatch.setattr(runs, "FACES_PER_SEARCH", 10**9)
        monkeypatch.setattr(runs.Run, "_by_index", _not_expected)
    return str(request.param)


def _not_expected(*_: object) -> None:
    raise AssertionError("this run should go the other way")


def test_three_faces_that_resemble_each_other_become_a_person(album: Album, recognition: Recognition, way: str) -> None:
    faces = album.add(0, 10, 20)
    assert recognition.run() == RecognitionSummary(assigned=3, founded=1, unassigned=0)
    assert album.groups(faces) == [[0, 1, 2]]
    (person,) = album.catalogue.people.all(album.account.id)
    assert (person.name, person.face_count, person.feature_face_id) == ("", 3, faces[0])
    assert {album.catalogue.faces.get(face).assigned_by for face in faces} == {AssignedBy.MACHINE}


def test_two_faces_stay_unassigned_until_a_third_comes_and_the_night(
    album: Album, recognition: Recognition, way: str
) -> None:
    faces = album.add(0, 10)
    assert recognition.run().unassigned == 2
    assert album.states(faces) == [UNASSIGNED, UNASSIGNED]
    faces += album.add(20)
    recognition.run()
    assert album.groups(faces) == [[2]]
    assert recognition.nightly() == 2
    recognition.run()
    assert album.groups(faces) == [[0, 1, 2]]


def test_at_minimum_one_every_face_alone_is_a_person(album: Album, recognition: Recognition, way: str) -> None:
    album.preferences = replace(album.preferences, minimum_faces=1)
    faces = album.add(0, 90, 180, 1)
    recognition.run()
    assert album.groups(faces) == [[0, 3], [1], [2]]


def test_the_end_state_is_that_of_the_documented_algorithm(album: Album, recognition: Recognition, way: str) -> None:
    degrees = [0, 3, 50, 52, 98, 99, 100, 170, 200, 201, 260, 300, 301, 302, 30, 130]
    faces = album.add(*degrees)
    rows = album.catalogue.faces.recognition_rows(album.account.id, "opencv")
    expected = recognise_all(rows.embedding, rows.person_id, range(len(faces)), Rules(3, 0.5)).person.tolist()
    recognition.run()
    together = {person: [i for i, p in enumerate(expected) if p == person] for person in expected if person != -1}
    assert album.groups(faces) == sorted(together.values())


def test_deferred_faces_wait_for_all_pending_ones_of_the_run(
    album: Album, recognition: Recognition, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SLICE", 1)
    faces = album.add(0, 50, 100, 101)
    recognition.run()
    assert album.groups(faces) == [[0, 1, 2, 3]]


def test_faces_of_another_account_are_no_neighbours(album: Album, recognition: Recognition, way: str) -> None:
    ben = album.catalogue.accounts.add("Ben", None, is_admin=False)
    hers = album.add(0, 10)
    his = album.add(5, library=album.add_library(ben))
    recognition.run()
    assert album.states(hers + his) == [UNASSIGNED] * 3


def test_each_account_gets_people_of_its_own(album: Album, recognition: Recognition, way: str) -> None:
    ben = album.catalogue.accounts.add("Ben", None, is_admin=False)
    library = album.add_library(ben)
    hers, his = album.add(0, 10, 20), album.add(1, 11, 21, library=library)
    recognition.run()
    assert album.groups(hers + his) == [[0, 1, 2], [3, 4, 5]]
    assert len(album.catalogue.people.all(ben.id)) == 1


def test_faces_of_another_pack_are_never_compared(album: Album, recognition: Recognition, way: str) -> None:
    faces = album.add(0, 10)
    other = album.add(5, pack="buffalo_s")
    recognition.run()
    assert album.states(faces + other) == [UNASSIGNED, UNASSIGNED, PENDING]


def test_faces_on_photos_that_are_gone_do_not_count(album: Album, recognition: Recognition, way: str) -> None:
    faces = album.add(0, 10, 20)
    album.remove_photo(faces[2])
    recognition.run()
    assert album.states(faces[:2]) == [UNASSIGNED, UNASSIGNED]


def test_ignored_faces_do_not_count(album: Album, recognition: Recognition, way: str) -> None:
    faces = album.add(0, 10, 20)
    album.catalogue.faces.set_state([faces[2]], IGNORED)
    recognition.run()
    assert album.states(faces) == [UNASSIGNED, UNASSIGNED, IGNORED]


def test_a_face_never_joins_a_person_it_was_rejected_from(album: Album, recognition: Recognition, way: str) -> None:
    people, verdicts = album.catalogue.people, album.catalogue.verdicts
    faces = album.add(0, 5, 10)
    recognition.run()
    (anna,) = people.all(album.account.id)
    (twin,) = album.add(7)
    verdicts.add(album.account.id, VerdictKind.IS_NOT_PERSON, face_id=twin, person_id=anna.id)
    recognition.run()
    assert album.states([*faces, twin]) == [ASSIGNED] * 3 + [UNASSIGNED]


def test_a_person_matches_no_face_taken_before_birth(album: Album, recognition: Recognition, way: str) -> None:
    faces = album.add(0, 5, 10, taken_at=at(2020))
    recognition.run()
    (child,) = album.catalogue.people.all(album.account.id)
    album.catalogue.people.set_birth_date(child.id, album.account.id, date(2019, 5, 1))
    before = album.add(6, taken_at=at(1985))
    recognition.run()
    later = album.add(7) + album.add(8, taken_at=at(2019, 5, 1))
    recognition.run()
    assert album.persons(faces) == [child.id] * 3
    assert album.persons(before + later) == [None, child.id, child.id]


def test_faces_a_user_assigned_attract_others(album: Album, recognition: Recognition, way: str) -> None:
    (face,) = album.add(0)
    anna = album.catalogue.people.add(album.account.id, "Anna")
    album.catalogue.verdicts.add(album.account.id, VerdictKind.IS_PERSON, face_id=face, person_id=anna)
    album.catalogue.faces.assign([(face, anna)], AssignedBy.USER)
    faces = album.add(10, 20)
    recognition.run()
    assert album.persons([face, *faces]) == [anna] * 3


def test_more_neighbours_than_asked_for_at_first_are_fetched(
    album: Album, recognition: Recognition, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest answers are all another account's; ours lie behind them, still within the distance."""
    monkeypatch.setattr("plugin.recognition.albums.FEWEST_NEIGHBOURS", 4)
    ben = album.catalogue.accounts.add("Ben", None, is_admin=False)
    album.add(*[i / 10 for i in range(60)], library=album.add_library(ben))
    faces = album.add(20, 30, 40)
    recognition.run()
    assert album.groups(faces) == [[0, 1, 2]]


def test_a_second_run_finds_nothing_to_do(album: Album, recognition: Recognition, way: str) -> None:
    faces = album.add(0, 10, 20, 90, 180)
    recognition.run()
    before = album.persons(faces), album.states(faces)
    assert recognition.run() == RecognitionSummary()
    assert (album.persons(faces), album.states(faces)) == before


def test_reset_starts_from_scratch_and_keeps_what_users_said(album: Album, recognition: Recognition, way: str) -> None:
    faces = album.add(0, 10, 20, 180, 190, 200)
    recognition.run()
    anna = album.persons(faces)[0]
    assert anna is not None
    album.catalogue.people.rename(anna, album.account.id, "Anna")
    album.catalogue.verdicts.add(album.account.id, VerdictKind.IS_PERSON, face_id=faces[0], person_id=anna)
    album.catalogue.faces.assign([(faces[0], anna)], AssignedBy.USER)
    recognition.reset()
    assert album.states(faces) == [ASSIGNED] + [PENDING] * 5
    recognition.run()
    assert album.groups(faces) == [[0, 1, 2], [3, 4, 5]]
    assert album.persons(faces)[0] == anna
    assert len(album.catalogue.people.all(album.account.id)) == 2


def test_reset_gives_deferred_and_unassigned_faces_their_first_turn_again(
    album: Album, recognition: Recognition
) -> None:
    faces = album.add(0, 90)
    album.catalogue.faces.set_state([faces[0]], FaceState.DEFERRED)
    album.catalogue.faces.set_state([faces[1]], UNASSIGNED)
    recognition.reset()
    assert album.states(faces) == [PENDING, PENDING]


def test_missing_gives_unassigned_faces_another_turn(album: Album, recognition: Recognition) -> None:
    faces = album.add(0, 10)
    recognition.run()
    assert recognition.missing() == 2
    assert album.states(faces) == [PENDING, PENDING]


def test_raising_the_distance_and_missing_finds_more(album: Album, recognition: Recognition, way: str) -> None:
    faces = album.add(0, 70, 140)
    recognition.run()
    assert album.groups(faces) == []
    album.preferences = replace(album.preferences, maximum_distance=0.7)
    recognition.missing()
    recognition.run()
    assert album.groups(faces) == [[0, 1, 2]]


# Ready.


def test_recognition_is_ready_once_detection_has_nothing_left(album: Album, recognition: Recognition) -> None:
    assert recognition.ready()
    sync_pass = album.catalogue.libraries.sync_started(album.library.id)
    album.catalogue.assets.seen(album.library.id, [HostAsset("x.jpg", "x.jpg", AssetKind.PHOTO, "x")], sync_pass)
    assert not recognition.ready()
    (asset,) = album.catalogue.detection.claim("test", 1, 60)
    assert not recognition.ready()
    album.catalogue.detection.finish(asset, "opencv", [], (10, 10), None)
    assert recognition.ready()


# Which way.


def test_a_damaged_index_is_replaced_by_comparing_in_memory(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "FACES_PER_SEARCH", 0.0)
    faces = album.add(0, 10, 20)
    Recognition(album.catalogue, DamagedIndex(), lambda: album.preferences).run()
    assert album.groups(faces) == [[0, 1, 2]]
    assert len(album.catalogue.people.all(album.account.id)) == 1


def test_faces_the_index_does_not_have_yet_are_not_missed(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "FACES_PER_SEARCH", 0.0)
    faces = album.add(0, 10, 20, indexed=False)
    Recognition(album.catalogue, album.index, lambda: album.preferences).run()
    assert album.groups(faces) == [[0, 1, 2]]


def test_a_few_new_faces_of_a_large_library_go_through_the_index(
    album: Album, recognition: Recognition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "FACES_PER_SEARCH", 2)
    faces = album.add(*range(0, 20, 2))
    recognition.run()
    monkeypatch.setattr(runs.Run, "_in_memory", _not_expected)
    faces += album.add(5)
    recognition.run()
    assert album.groups(faces) == [list(range(11))]


# Stopping, and being killed.


def test_progress_counts_up_to_the_number_of_waiting_faces(
    album: Album, recognition: Recognition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SLICE", 2)
    album.add(0, 10, 20, 90, 180)
    seen: list[tuple[int, int]] = []
    recognition.run(progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (5, 5)


def test_a_run_that_is_asked_to_stop_leaves_the_rest_waiting(
    album: Album, recognition: Recognition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SLICE", 2)
    faces = album.add(0, 10, 20, 30, 40)
    asked = iter([False, True])
    assert recognition.run(should_stop=lambda: next(asked)).stopped
    assert album.states(faces) == [ASSIGNED, ASSIGNED, PENDING, PENDING, PENDING]
    recognition.run()
    assert album.groups(faces) == [[0, 1, 2, 3, 4]]


class Killed(BaseException):
    """Stands for SIGKILL: nothing of the run goes on, not even its clean-up."""


DEGREES = (0, 50, 100, 101, 140, 180, 181, 182, 230, 300, 301)


@pytest.mark.parametrize("writes", range(1, 14))
def test_a_run_killed_between_any_two_writes_ends_like_an_undisturbed_one(
    album: Album, way: str, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SLICE", 4)
    undisturbed = Album()
    expected = undisturbed.add(*DEGREES)
    Recognition(undisturbed.catalogue, undisturbed.index, lambda: album.preferences).run()

    faces = album.add(*DEGREES)
    with monkeypatch.context() as patch:
        left = [writes]
        for rows, name in ((album.catalogue.faces, "assign"), (album.catalogue.people, "add")):
            patch.setattr(rows, name, _killed_after(left, getattr(rows, name)))
        patch.setattr(album.catalogue.people, "delete_empty", lambda: 0)
        killed = False
        try:
            Recognition(album.catalogue, album.index, lambda: album.preferences).run()
        except Killed:
            killed = True
    assert killed == (left[0] < 0)
    Recognition(album.catalogue, album.index, lambda: album.preferences).run()
    assert album.groups(faces) == undisturbed.groups(expected)
    assert album.states(faces) == undisturbed.states(expected)
    assert all(person.face_count for person in album.catalogue.people.all(album.account.id, minimum_faces=0))
    undisturbed.catalogue.close()


def _killed_after(left: list[int], write: Callable[..., Any]) -> Callable[..., Any]:
    def writing(*arguments: Any, **options: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return write(*arguments, **options)

    return writing


def test_an_empty_unnamed_person_of_a_killed_run_is_swept(album: Album, recognition: Recognition) -> None:
    album.catalogue.people.add(album.account.id)
    named = album.catalogue.people.add(album.account.id, "Grandma")
    recognition.run()
    assert [person.id for person in album.catalogue.people.all(album.account.id, minimum_faces=0)] == [named]


def test_a_full_disk_stops_the_run_and_loses_nothing(
    album: Album, recognition: Recognition, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = album.add(0, 10, 20)

    def full(*_: object, **__: object) -> None:
        raise DiskFull("No space left", "Free some")

    with monkeypatch.context() as patch:
        patch.setattr(album.catalogue.faces, "assign", full)
        with pytest.raises(DiskFull):
            recognition.run()
    assert album.states(faces) == [PENDING] * 3
    recognition.run()
    assert album.groups(faces) == [[0, 1, 2]]


# Users act while a run goes on.


def _between_slices(
    monkeypatch: pytest.MonkeyPatch, album: Album, recognition: Recognition, act: Callable[[], None]
) -> None:
    monkeypatch.setattr(runs, "SLICE", 3)
    acted = False

    def once(_done: int, _total: int) -> None:
        nonlocal acted
        if not acted:
            acted = True
            act()

    recognition.run(progress=once)


def test_a_person_deleted_during_a_run_is_founded_anew(
    album: Album, recognition: Recognition, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = album.add(0, 5, 10, 15, 20, 25)

    def delete() -> None:
        (person,) = album.catalogue.people.all(album.account.id)
        album.catalogue.people.delete(person.id, album.account.id)

    _between_slices(monkeypatch, album, recognition, delete)
    assert album.groups(faces) == [[3, 4, 5]]
    assert album.states(faces[:3]) == [UNASSIGNED] * 3


def test_a_verdict_given_during_a_run_is_respected(
    album: Album, recognition: Recognition, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = album.add(0, 5, 10, 15, 20, 25)

    def reject() -> None:
        (person,) = album.catalogue.people.all(album.account.id)
        album.catalogue.verdicts.add(album.account.id, VerdictKind.IS_NOT_PERSON, face_id=faces[4], person_id=person.id)

    _between_slices(monkeypatch, album, recognition, reject)
    assert album.groups(faces) == [[0, 1, 2, 3, 5]]
    assert album.states([faces[4]]) == [UNASSIGNED]


def test_reset_during_a_run_is_not_undone_by_what_the_run_remembers(
    album: Album, recognition: Recognition, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = album.add(0, 5, 10, 180, 185, 190)
    _between_slices(monkeypatch, album, recognition, recognition.reset)
    assert album.groups(faces) == [[0, 1, 2], [3, 4, 5]]
    assert len(album.catalogue.people.all(album.account.id, minimum_faces=0)) == 2


def test_a_face_deleted_during_a_run_does_not_stop_it(
    album: Album, recognition: Recognition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "FACES_PER_SEARCH", 0.0)
    faces = album.add(0, 10, 20)
    embedding = album.catalogue.faces.embedding
    missed: list[int] = []

    def missing_once(face_id: int) -> Any:
        if not missed:
            missed.append(face_id)
            raise NotFound("There is no such face")
        return embedding(face_id)

    monkeypatch.setattr(album.catalogue.faces, "embedding", missing_once)
    recognition.run()
    assert missed
    assert album.groups(faces) == [[0, 1, 2]]


def test_faces_nobody_will_take_are_left_instead_of_tried_for_ever(
    album: Album, recognition: Recognition, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faces = album.add(0, 10, 20)
    monkeypatch.setattr(album.catalogue.faces, "assign", lambda *_, **__: None)
    recognition.run()
    assert album.states(faces) == [UNASSIGNED] * 3
    assert "3 faces could not be given a person" in caplog.text


# Verdicts come first.


def test_a_verdict_whose_effect_was_lost_in_a_kill_is_carried_out(album: Album, recognition: Recognition) -> None:
    verdicts, account = album.catalogue.verdicts, album.account.id
    is_anna, is_nobody, is_not_ben = album.add(0, 90, 180)
    anna, ben = (album.catalogue.people.add(account, name) for name in ("Anna", "Ben"))
    album.catalogue.faces.assign([(is_not_ben, ben)], AssignedBy.USER)
    verdicts.add(account, VerdictKind.IS_PERSON, face_id=is_anna, person_id=anna)
    verdicts.add(account, VerdictKind.IS_NOBODY, face_id=is_nobody)
    verdicts.add(account, VerdictKind.IS_NOT_PERSON, face_id=is_not_ben, person_id=ben)
    verdicts.add(account, VerdictKind.PERSONS_DIFFER, person_id=anna, other_person_id=ben)
    recognition.run()
    assert album.persons([is_anna, is_nobody, is_not_ben]) == [anna, None, None]
    assert album.states([is_anna, is_nobody, is_not_ben]) == [ASSIGNED, IGNORED, UNASSIGNED]
    assert album.catalogue.faces.get(is_anna).assigned_by is AssignedBy.USER


# Reconsider.


def test_unassigned_faces_near_one_that_was_named_are_looked_at_again(album: Album, recognition: Recognition) -> None:
    faces = album.add(0, 10, 180, 190)
    recognition.run()
    anna = album.catalogue.people.add(album.account.id, "Anna")
    album.catalogue.faces.assign([(faces[0], anna)], AssignedBy.USER)
    assert recognition.reconsider(album.account.id, [faces[0]]) == 1
    assert album.states(faces) == [ASSIGNED, PENDING, UNASSIGNED, UNASSIGNED]
    recognition.run()
    assert album.persons(faces) == [anna, anna, None, None]


def test_reconsidering_never_touches_another_account(album: Album, recognition: Recognition) -> None:
    ben = album.catalogue.accounts.add("Ben", None, is_admin=False)
    faces = [*album.add(0), *album.add(5, library=album.add_library(ben))]
    recognition.run()
    recognition.reconsider(album.account.id, [faces[0]])
    assert album.states(faces)[1] is UNASSIGNED


def test_reconsidering_without_an_index_is_left_to_the_night(album: Album) -> None:
    album.add(0, 10)
    recognition = Recognition(album.catalogue, DamagedIndex(), lambda: album.preferences)
    assert recognition.reconsider(album.account.id, album.add(20)) == 0
