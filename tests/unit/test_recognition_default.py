"""Recognition by the default engine over a real catalogue in memory, with hand-made faces."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Thread

import numpy as np
import pytest

from plugin.domain import AssignedBy, FaceId, FaceState, Float32Array, PersonId, VerdictKind
from plugin.faces.regrouping import regroup
from plugin.history import History
from plugin.people import People
from plugin.recognition import Recognition, regrouping
from plugin.recognition.surroundings import AccountFaces
from tests.fakes.album import Album, DamagedIndex, NudgeLog, at
from tests.fakes.crowds import people

ASSIGNED, UNASSIGNED, PENDING, IGNORED = (
    FaceState.ASSIGNED,
    FaceState.UNASSIGNED,
    FaceState.PENDING,
    FaceState.IGNORED,
)


@pytest.fixture
def album() -> Iterator[Album]:
    made = Album()
    made.preferences = replace(made.preferences, method="kinfolk")
    yield made
    made.catalogue.close()


@pytest.fixture
def recognition(album: Album) -> Recognition:
    return Recognition(album.catalogue, album.index, lambda: album.preferences)


@pytest.fixture
def users(album: Album, recognition: Recognition) -> People:
    return People(album.catalogue, NudgeLog(), recognition.spread)


@pytest.fixture(params=["in memory", "through the index"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of finding neighbours must lead to the same people."""
    if request.param == "through the index":
        monkeypatch.setattr(regrouping, "FACES_PER_SEARCH", 0.0)
        monkeypatch.setattr(AccountFaces, "all", _not_expected)
    else:
        monkeypatch.setattr(regrouping, "FACES_PER_SEARCH", 10**9)
        monkeypatch.setattr(AccountFaces, "around", _not_expected)
    return str(request.param)


def _not_expected(*_: object) -> None:
    raise AssertionError("this run should go the other way")


def crowd(album: Album, *sizes: int, seed: int = 1) -> list[list[FaceId]]:
    """Add people with so many faces each, every face in a photo of its own; their faces by person."""
    faces, who = people(np.random.default_rng(seed), sizes)
    ids = [album.add_photo([face])[0] for face in faces]
    return [
        [face_id for face_id, whose in zip(ids, who, strict=True) if whose == person] for person in range(len(sizes))
    ]


def one_person(album: Album, faces: list[FaceId]) -> PersonId:
    """The one person all of these faces belong to."""
    (person,) = set(album.persons(faces))
    assert person is not None
    return person


def test_faces_that_resemble_each_other_become_people(album: Album, recognition: Recognition, way: str) -> None:
    anna, ben, strangers, stranger = crowd(album, 6, 4, 2, 1)
    summary = recognition.run()
    assert (summary.assigned, summary.founded, summary.unassigned) == (10, 2, 3)
    assert one_person(album, anna) != one_person(album, ben)
    assert album.states(strangers + stranger) == [UNASSIGNED] * 3
    assert {album.catalogue.faces.get(face).assigned_by for face in anna + ben} == {AssignedBy.MACHINE}


def test_a_new_face_joins_and_a_third_one_founds_at_once(album: Album, recognition: Recognition, way: str) -> None:
    faces, _ = people(np.random.default_rng(2), [6, 3])
    ids = [album.add_photo([face])[0] for face in faces[:8]]
    recognition.run()
    anna = one_person(album, ids[:6])
    assert album.states(ids[6:8]) == [UNASSIGNED] * 2
    ids += album.add_photo([faces[8]])
    recognition.run()
    assert one_person(album, ids[6:]) != anna


def test_faces_of_nobody_know_who_is_alike(album: Album, recognition: Recognition, way: str) -> None:
    _, pair, other, alone = crowd(album, 5, 2, 2, 1)
    recognition.run()
    places = album.catalogue.faces.places(album.account.id, "opencv", face_ids=[*pair, *other, *alone])
    groups = dict(zip(places.face_id.tolist(), places.group_id.tolist(), strict=True))
    assert [groups[face] for face in pair] == [pair[0]] * 2
    assert [groups[face] for face in other] == [other[0]] * 2
    assert groups[alone[0]] == -1


def test_two_faces_in_one_picture_are_two_people(album: Album, recognition: Recognition, way: str) -> None:
    faces, _ = people(np.random.default_rng(3), [8])
    ids = [album.add_photo([face])[0] for face in faces[:6]]
    recognition.run()
    both = album.add_photo([faces[6], faces[7]])
    recognition.run()
    one, other = album.persons(both)
    assert one != other
    assert {one, other} & set(album.persons(ids))


def test_a_large_person_takes_part_as_a_whole_and_is_alone_in_a_picture(
    album: Album, recognition: Recognition, way: str
) -> None:
    faces, _ = people(np.random.default_rng(4), [62])
    ids = [album.add_photo([face])[0] for face in faces[:60]]
    recognition.run()
    anna = one_person(album, ids)
    both = album.add_photo([faces[60], faces[61]])
    recognition.run()
    assert sorted(album.persons(both), key=str) == sorted([anna, None], key=str)


def test_low_quality_faces_join_and_never_found(album: Album, recognition: Recognition) -> None:
    faces, _ = people(np.random.default_rng(5), [6, 4])
    sharp = [album.add_photo([face])[0] for face in faces[:5]]
    blurred = [album.add_photo([face], quality=0.01)[0] for face in faces[5:]]
    recognition.run()
    assert album.persons(blurred) == [one_person(album, sharp), None, None, None, None]


def test_a_blurred_face_may_look_less_like_its_person_than_a_crisp_one(
    album: Album, recognition: Recognition, way: str
) -> None:
    frontal = np.eye(128, dtype=np.float32)[0]
    blurred, crisp = (
        np.cos(np.radians(65)) * frontal + np.sin(np.radians(65)) * np.eye(128, dtype=np.float32)[axis]
        for axis in (1, 2)
    )
    ids = [album.add_photo([frontal])[0] for _ in range(6)]
    recognition.run()
    anna = one_person(album, ids)
    odd = album.add_photo([blurred], quality=0.3) + album.add_photo([crisp], quality=1.0)
    recognition.run()
    assert album.persons(odd) == [anna, None]


def test_nobody_is_recognised_before_birth(album: Album, recognition: Recognition, users: People, way: str) -> None:
    faces, _ = people(np.random.default_rng(6), [8])
    ids = [album.add_photo([face], taken_at=at(2010))[0] for face in faces[:6]]
    recognition.run()
    anna = one_person(album, ids)
    users.set_birth_date(album.account.id, anna, at(2005).date())
    before, after = (
        album.add_photo([face], taken_at=at(year))[0] for face, year in zip(faces[6:], (2004, 2006), strict=True)
    )
    recognition.run()
    assert album.persons([before, after]) == [None, anna]


def test_named_people_and_corrections_survive_a_reset(album: Album, recognition: Recognition, users: People) -> None:
    anna, ben, carl = crowd(album, 8, 8, 3)
    recognition.run()
    who = {"Anna": one_person(album, anna), "Ben": one_person(album, ben)}
    for name, person in who.items():
        users.rename(album.account.id, person, name)
    users.set_hidden(album.account.id, who["Ben"], hidden=True)
    users.set_feature_face(album.account.id, who["Anna"], anna[3])
    users.assign(album.account.id, anna[7], who["Ben"])
    users.reject(album.account.id, ben[7])
    users.ignore(album.account.id, carl[0])
    for _ in range(2):
        recognition.reset()
        recognition.run()
        assert one_person(album, anna[:7]) == who["Anna"]
        assert one_person(album, ben[:7]) == who["Ben"]
        assert album.persons([anna[7], ben[7], carl[0]])[0] == who["Ben"]
        assert album.persons([ben[7]])[0] != who["Ben"]
        assert album.states([carl[0]]) == [IGNORED]
    now = album.catalogue.people.get(who["Ben"], album.account.id)
    assert (now.name, now.hidden) == ("Ben", True)
    assert album.catalogue.people.get(who["Anna"], album.account.id).feature_face_id == anna[3]


def test_a_reset_mends_what_early_runs_got_wrong_and_people_keep_their_ids(
    album: Album, recognition: Recognition
) -> None:
    anna, ben = crowd(album, 6, 9)
    wrong = album.catalogue.people.add(album.account.id)
    album.catalogue.faces.assign([(face, wrong) for face in anna + ben], AssignedBy.MACHINE)
    recognition.reset()
    recognition.run()
    assert one_person(album, ben) == wrong
    assert one_person(album, anna) != wrong


def test_two_named_people_who_look_alike_are_never_merged(album: Album, recognition: Recognition) -> None:
    faces, _ = people(np.random.default_rng(8), [20])
    ids = [album.add_photo([face])[0] for face in faces]
    one, other = (album.catalogue.people.add(album.account.id, name) for name in ("Anna", "Beth"))
    album.catalogue.faces.assign([(face, one if i % 2 else other) for i, face in enumerate(ids)], AssignedBy.MACHINE)
    for _ in range(3):
        recognition.reset()
        recognition.run()
        recognition.nightly()
    assert {one, other} <= set(album.persons(ids))


def test_people_said_to_differ_are_never_merged(album: Album, recognition: Recognition) -> None:
    faces, _ = people(np.random.default_rng(8), [20])
    ids = [album.add_photo([face])[0] for face in faces]
    one, other = (album.catalogue.people.add(album.account.id) for _ in range(2))
    album.catalogue.faces.assign([(face, one if i % 2 else other) for i, face in enumerate(ids)], AssignedBy.MACHINE)
    verdict = VerdictKind.PERSONS_DIFFER
    album.catalogue.verdicts.add(album.account.id, verdict, person_id=one, other_person_id=other)
    recognition.reset()
    recognition.run()
    recognition.nightly()
    assert {one, other} <= set(album.persons(ids))


def test_a_confirmed_face_brings_along_those_like_it_at_once(
    album: Album, recognition: Recognition, users: People
) -> None:
    anna, profile = crowd(album, 12, 2)
    recognition.run()
    person = one_person(album, anna)
    assert album.persons(profile) == [None, None]
    users.assign(album.account.id, profile[0], person)
    assert album.persons(profile) == [person, person]
    recognition.reset()
    recognition.run()
    assert album.persons(anna + profile) == [person] * 14


def test_a_rejected_face_is_not_given_back(album: Album, recognition: Recognition, users: People, way: str) -> None:
    (anna,) = crowd(album, 8)
    recognition.run()
    person = one_person(album, anna)
    users.reject(album.account.id, anna[0])
    recognition.missing()
    recognition.run()
    assert album.persons(anna) == [None] + [person] * 7


def test_a_child_is_recognised_through_the_years_once_the_birth_date_is_known(
    album: Album, recognition: Recognition, users: People
) -> None:
    years, per_year = range(2010, 2024), 6
    ids = [
        album.add_photo([face], taken_at=at(year, 2 + month))[0]
        for year in years
        for month, face in enumerate(growing(year - 2010, per_year))
    ]
    recognition.run()
    child = album.persons(ids)[-1]
    assert child is not None
    users.rename(album.account.id, child, "Carla")
    users.set_birth_date(album.account.id, child, at(2010).date())
    others = sorted({person for person in album.persons(ids) if person not in (None, child)})
    users.merge(album.account.id, child, others)
    recognition.run()
    assert set(album.persons(ids)) == {child}
    recognition.reset()
    recognition.run()
    assert set(album.persons(ids)) == {child}


def growing(age: int, count: int) -> Float32Array:
    """Faces of a child who turns away from the baby by 20 degrees a year."""
    random = np.random.default_rng(age)
    angle = np.radians(20 * age + random.normal(0, 3, count))
    faces = np.zeros((count, 128), dtype=np.float32)
    faces[:, 0], faces[:, 1] = np.cos(angle), np.sin(angle)
    faces += random.normal(0, 0.02, faces.shape).astype(np.float32)
    unit: Float32Array = faces / np.linalg.norm(faces, axis=1, keepdims=True)
    return unit


def test_a_damaged_index_costs_nothing(album: Album) -> None:
    recognition = Recognition(album.catalogue, DamagedIndex(), lambda: album.preferences)
    anna, ben = crowd(album, 6, 4)
    recognition.run()
    assert one_person(album, anna) != one_person(album, ben)
    recognition.spread(album.account.id, anna[:1])


def test_the_night_looks_only_at_what_changed(
    album: Album, recognition: Recognition, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(album, 6, 4)
    recognition.run()
    assert recognition.nightly() == 10
    album.catalogue.faces.recognised_since(album.account.id, None)
    monkeypatch.setattr(AccountFaces, "all", _not_expected)
    assert recognition.nightly() == 0


def test_a_reset_that_was_killed_is_finished_by_the_next_run(
    album: Album, recognition: Recognition, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, ben = crowd(album, 6, 9)
    wrong = album.catalogue.people.add(album.account.id)
    album.catalogue.faces.assign([(face, wrong) for face in anna + ben], AssignedBy.MACHINE)
    recognition.reset()
    with monkeypatch.context() as killed:
        killed.setattr(regrouping.Regrouping, "from_scratch", _killed)
        with pytest.raises(KeyboardInterrupt):
            recognition.run()
    recognition.run()
    assert one_person(album, ben) != one_person(album, anna)


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_run_asked_to_stop_leaves_the_rest_waiting(album: Album, recognition: Recognition) -> None:
    (anna,) = crowd(album, 6)
    assert recognition.run(lambda: True).stopped
    assert album.states(anna) == [PENDING] * 6
    recognition.reset()
    recognition.run(lambda: True)
    assert album.states(anna) == [PENDING] * 6


def test_a_person_deleted_in_the_middle_of_a_run_costs_nobody_a_face(
    album: Album, recognition: Recognition, users: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces, _ = people(np.random.default_rng(9), [9])
    ids = [album.add_photo([face])[0] for face in faces[:6]]
    recognition.run()
    person = one_person(album, ids)
    ids += [album.add_photo([face])[0] for face in faces[6:]]
    deleted: list[PersonId] = []

    def late(*given: object, **named: object) -> object:
        done = regroup(*given, **named)  # type: ignore[arg-type]  # passed through
        if not deleted:
            users.delete(album.account.id, person)
            deleted.append(person)
        return done

    monkeypatch.setattr(regrouping, "regroup", late)
    recognition.run()
    recognition.missing()
    recognition.run()
    assert one_person(album, ids) != person


def test_other_accounts_do_not_matter(album: Album, recognition: Recognition, way: str) -> None:
    faces, _ = people(np.random.default_rng(10), [6])
    other = album.catalogue.accounts.add("Ben", None, is_admin=False)
    library = album.add_library(other)
    mine = [album.add_photo([face])[0] for face in faces[:3]]
    theirs = [album.add_photo([face], library=library)[0] for face in faces[3:]]
    recognition.run()
    assert one_person(album, mine) != one_person(album, theirs)


def test_a_run_twice_changes_nothing(album: Album, recognition: Recognition) -> None:
    anna, ben, rest = crowd(album, 6, 40, 2)
    recognition.run()
    persons = album.persons(anna + ben + rest)
    for again in (recognition.missing, recognition.nightly, recognition.reset):
        again()
        recognition.run()
        assert album.persons(anna + ben + rest) == persons


def test_a_typical_face_stands_for_a_person_until_a_user_chooses(
    album: Album, recognition: Recognition, users: People
) -> None:
    faces, _ = people(np.random.default_rng(11), [6, 3])
    ids = [album.add_photo([face], quality=0.7)[0] for face in faces[:5]]
    (strange,) = album.add_photo([faces[6]], quality=0.99)
    recognition.run()
    anna = one_person(album, ids)
    album.catalogue.faces.assign([(strange, anna)], AssignedBy.MACHINE)  # an early mistake, and the sharpest face
    ids += album.add_photo([faces[5]], quality=0.8)
    recognition.run()
    assert album.catalogue.people.get(anna, album.account.id).feature_face_id == ids[5]
    users.set_feature_face(album.account.id, anna, ids[0])
    recognition.reset()
    recognition.run()
    assert album.catalogue.people.get(anna, album.account.id).feature_face_id == ids[0]
    album.remove_photo(ids[0])
    assert album.catalogue.people.get(anna, album.account.id).feature_face_id == ids[5]


def test_twins_told_apart_twenty_times_are_never_merged_again(
    album: Album, recognition: Recognition, users: People
) -> None:
    """The worst case: two people whose faces overlap completely, each in ten fragments."""
    faces, _ = people(np.random.default_rng(12), [100])
    ids = [album.add_photo([face])[0] for face in faces]
    twins = [album.catalogue.people.add(album.account.id) for _ in range(20)]
    album.catalogue.faces.assign([(face, twins[i % 20]) for i, face in enumerate(ids)], AssignedBy.MACHINE)
    for fragment in range(10):
        for other in (fragment, (fragment + 1) % 10):
            users.tell_apart(album.account.id, twins[fragment], twins[10 + other])
    more, _ = people(np.random.default_rng(12), [120])
    for start in (100, 110):
        album.add_photo([more[start]])
        recognition.run()
        recognition.nightly()
        recognition.reset()
        recognition.run()
        assert set(twins) <= set(album.persons(ids))


def test_the_later_of_two_contradicting_words_wins_and_the_earlier_stays_in_the_history(
    album: Album, recognition: Recognition, users: People
) -> None:
    anna, ben = crowd(album, 5, 5)
    recognition.run()
    one, other = one_person(album, anna), one_person(album, ben)
    users.assign(album.account.id, anna[0], other)
    users.assign(album.account.id, anna[0], one)
    users.reject(album.account.id, anna[0])
    recognition.reset()
    recognition.run()
    assert album.persons([anna[0]]) == [None]
    users.assign(album.account.id, anna[0], one)
    recognition.reset()
    recognition.run()
    assert album.persons([anna[0]]) == [one]
    history = History(album.catalogue, NudgeLog()).latest(album.account.id)
    assert len(history) == 4
    assert not any(event.undone for event in history)


def test_a_second_run_waits_for_the_first(
    album: Album, recognition: Recognition, monkeypatch: pytest.MonkeyPatch
) -> None:
    (anna,) = crowd(album, 6)
    inside: list[int] = []
    second = Thread(target=recognition.run)

    def slow(*given: object, **named: object) -> object:
        inside.append(1)
        if len(inside) == 1:
            second.start()
            second.join(0.2)
            assert second.is_alive()
        return regroup(*given, **named)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(regrouping, "regroup", slow)
    recognition.run()
    second.join(30)
    assert not second.is_alive()
    assert len(inside) == 1
    assert one_person(album, anna)
    recognition.spread(album.account.id, anna[:1])


@pytest.mark.parametrize("broken", [np.nan, 0.0])
def test_a_broken_embedding_belongs_to_nobody_and_stops_nothing(
    album: Album, recognition: Recognition, broken: float
) -> None:
    (bad,) = album.add_photo([np.full(128, broken, dtype=np.float32)], indexed=False)
    (anna,) = crowd(album, 6)
    recognition.run()
    assert one_person(album, anna)
    assert album.states([bad]) == [UNASSIGNED]


# Meeting: named photos, while detection has other work yet.


def newcomers(album: Album, recognition: Recognition, *, indexed: bool) -> tuple[PersonId, list[FaceId], list[FaceId]]:
    """Anna is known; then two more of her faces and three of a stranger come."""
    faces, _ = people(np.random.default_rng(2), [8, 3])
    first = [album.add_photo([face])[0] for face in faces[:6]]
    recognition.run()
    anna = one_person(album, first)
    hers = [album.add_photo([face], indexed=indexed)[0] for face in faces[6:8]]
    strangers = [album.add_photo([face], indexed=indexed)[0] for face in faces[8:]]
    return anna, hers, strangers


def photos_of(album: Album, faces: list[FaceId]) -> list[int]:
    return [album.catalogue.faces.get(face).asset_id for face in faces]


@pytest.mark.parametrize("indexed", [True, False])
def test_faces_of_photos_somebody_named_meet_people_there_are_and_found_none(
    album: Album, recognition: Recognition, indexed: bool
) -> None:
    anna, hers, strangers = newcomers(album, recognition, indexed=indexed)
    named = photos_of(album, [hers[0], *strangers])
    assert recognition.meet(album.account.id, named) == 1
    assert album.persons(hers) == [anna, None], "what was not named waits"
    assert album.states([hers[1], *strangers]) == [PENDING] * 4
    assert len(album.catalogue.people.all(album.account.id)) == 1
    album.index_all()
    recognition.run()
    assert album.persons(hers) == [anna, anna]
    assert one_person(album, strangers) != anna


def test_meeting_respects_who_a_face_is_not_and_other_accounts(album: Album, recognition: Recognition) -> None:
    anna, hers, _ = newcomers(album, recognition, indexed=True)
    album.catalogue.verdicts.add(album.account.id, VerdictKind.IS_NOT_PERSON, face_id=hers[0], person_id=anna)
    assert recognition.meet(album.account.id, photos_of(album, hers)) == 1
    assert album.persons(hers) == [None, anna]


def test_meeting_gives_way_to_a_run_to_another_method_and_to_a_broken_index(
    album: Album, recognition: Recognition
) -> None:
    _, hers, _ = newcomers(album, recognition, indexed=True)
    with recognition._one_run:
        assert recognition.meet(album.account.id, photos_of(album, hers)) == 0
    broken = Recognition(album.catalogue, DamagedIndex(), lambda: album.preferences)
    assert broken.meet(album.account.id, photos_of(album, hers)) == 0
    album.preferences = replace(album.preferences, method="immich")
    assert recognition.meet(album.account.id, photos_of(album, hers)) == 0
    assert album.states(hers) == [PENDING, PENDING]
