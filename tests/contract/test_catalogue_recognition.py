"""What recognition reads and writes: faces as arrays, samples of people, the outcome of a run, skipped suggestions."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from plugin.domain import AssignedBy, FaceId, FaceState, VerdictKind
from tests.contract.catalogue_cast import PACK, STORES, Cast, direction, found, open_store


@pytest.fixture(params=STORES)
def cast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cast]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


def photos(cast: Cast, count: int) -> list[FaceId]:
    return [cast.photo(found(embedding=direction(number % 4)))[0] for number in range(count)]


def store(cast: Cast, faces: list[FaceId], persons: list[int], groups: list[int] | None = None) -> dict[int, int]:
    """The outcome of a run."""
    group = np.array(groups or [-1] * len(faces))
    return cast.catalogue.faces.regroup(cast.me, np.array(faces), np.array(persons), group)


def where(cast: Cast, faces: list[FaceId]) -> list[tuple[int, int]]:
    places = cast.catalogue.faces.places(cast.me, PACK, face_ids=faces)
    by_id = {i: (p, g) for i, p, g in zip(places.face_id, places.person_id, places.group_id, strict=True)}
    return [(int(by_id[face][0]), int(by_id[face][1])) for face in faces if face in by_id]


def test_an_outcome_founds_people_and_keeps_groups_of_nobody(cast: Cast) -> None:
    faces = photos(cast, 5)
    founded = store(cast, faces, [-2, -2, -3, -1, -1], [-1, -1, -1, faces[3], faces[3]])
    assert set(founded) == {-2, -3}
    one, other = founded[-2], founded[-3]
    assert where(cast, faces) == [(one, -1), (one, -1), (other, -1), (-1, faces[3]), (-1, faces[3])]
    states = [face.state for face in cast.catalogue.faces.many(faces)]
    assert states == [FaceState.ASSIGNED] * 3 + [FaceState.UNASSIGNED] * 2
    assert {face.assigned_by for face in cast.catalogue.faces.many(faces[:3])} == {AssignedBy.MACHINE}


def test_storing_an_outcome_twice_changes_nothing_more(cast: Cast) -> None:
    faces = photos(cast, 3)
    founded = store(cast, faces, [-2, -2, -1])
    later = cast.clock.time + timedelta(hours=1)
    cast.clock.time = later
    assert store(cast, faces, [founded[-2], founded[-2], -1]) == {}
    assert cast.catalogue.faces.recognised_since(cast.me, later) == []
    assert cast.catalogue.faces.recognised_since(cast.me, None) == faces


def test_an_outcome_leaves_alone_what_users_said_and_who_is_gone(cast: Cast) -> None:
    by_user, ignored, rejected, of_gone, strange = photos(cast, 5)
    anna, ben = cast.person("Anna"), cast.person("Ben")
    gone = cast.person("")
    theirs = cast.catalogue.people.add(cast.catalogue.accounts.add("Other", None, is_admin=False).id)
    cast.catalogue.faces.assign([(by_user, anna)], AssignedBy.USER)
    cast.catalogue.faces.set_state([ignored], FaceState.IGNORED)
    cast.say(VerdictKind.IS_NOT_PERSON, rejected, ben)
    cast.catalogue.people.delete(gone, cast.me)
    store(cast, [by_user, ignored, rejected, of_gone, strange], [ben, ben, ben, gone, theirs])
    people = [face.person_id for face in cast.catalogue.faces.many([by_user, ignored, rejected, of_gone, strange])]
    assert people == [anna, None, None, None, None]
    waiting = cast.catalogue.faces.to_recognise(PACK, FaceState.PENDING, 9)
    assert [face.id for face in waiting] == [rejected, of_gone, strange]


def test_a_face_that_gets_a_person_leaves_its_group(cast: Cast) -> None:
    faces = photos(cast, 2)
    store(cast, faces, [-1, -1], [faces[0]] * 2)
    cast.catalogue.faces.assign([(faces[0], cast.person("Anna"))], AssignedBy.USER)
    cast.catalogue.faces.set_state([faces[1]], FaceState.IGNORED)
    cast.catalogue.faces.assign([(faces[0], None)], AssignedBy.USER, FaceState.UNASSIGNED)
    assert where(cast, [faces[0]]) == [(-1, -1)]


def test_places_are_found_by_face_person_and_group(cast: Cast) -> None:
    faces = photos(cast, 6)
    founded = store(cast, faces, [-2, -2, -3, -1, -1, -1], [-1, -1, -1, faces[3], faces[3], -1])
    rows = cast.catalogue.faces

    def ids(**asked: list[int]) -> list[int]:
        return sorted(rows.places(cast.me, PACK, **asked).face_id.tolist())

    assert ids() == []
    assert ids(face_ids=[faces[5], 999]) == [faces[5]]
    assert ids(person_ids=[founded[-2]]) == faces[:2]
    assert ids(group_ids=[faces[3]], person_ids=[founded[-3]]) == faces[2:5]
    everything = rows.all_places(cast.me, PACK)
    assert sorted(everything.face_id.tolist()) == faces
    assert everything.quality.dtype == np.float32
    assert sorted(rows.appearances(cast.me, [int(everything.asset_id[0])]).tolist()) == [
        [int(everything.asset_id[0]), int(everything.person_id[0])]
    ]
    assert rows.all_places(cast.me, "buffalo_s").face_id.tolist() == []


def test_large_people_are_sampled_evenly_and_always_alike(cast: Cast) -> None:
    faces = photos(cast, 12)
    founded = store(cast, faces, [-2] * 10 + [-3] * 2)
    sampled, totals = cast.catalogue.faces.samples(cast.me, PACK, [founded[-2], founded[-3]], 4)
    assert sorted(sampled) == [faces[0], faces[3], faces[6], faces[9], *faces[10:]]
    assert totals == {founded[-2]: 10, founded[-3]: 2}
    assert cast.catalogue.faces.samples(cast.me, PACK, [], 4) == ([], {})


def test_some_recognition_rows_are_those_of_all(cast: Cast) -> None:
    faces = photos(cast, 4)
    rows = cast.catalogue.faces.recognition_rows(cast.me, PACK, [faces[2], faces[0], 999])
    assert rows.face_id.tolist() == [faces[0], faces[2]]
    np.testing.assert_array_equal(rows.embedding, [direction(0), direction(2)])
    assert rows.waiting.tolist() == [True, True]
    assert cast.catalogue.faces.recognition_rows(cast.me, PACK, []).face_id.tolist() == []


def test_people_a_user_said_something_about_are_kept(cast: Cast) -> None:
    people, (face,) = cast.catalogue.people, photos(cast, 1)
    plain, named, hidden, chosen, one, other = (cast.person(name) for name in ("", "Anna", "", "", "", ""))
    people.set_hidden(hidden, cast.me, hidden=True)
    cast.catalogue.faces.assign([(face, chosen)], AssignedBy.MACHINE)
    people.set_feature_face(chosen, cast.me, face)
    cast.say(VerdictKind.PERSONS_DIFFER, None, one, other)
    assert people.kept(cast.me) == {named, hidden, chosen, one, other}
    assert plain not in people.kept(cast.me)


def test_the_typical_face_is_shown_until_a_user_chooses_or_it_is_lost(cast: Cast) -> None:
    (best,) = cast.photo(found(embedding=direction(0), quality=0.9))
    (typical,) = cast.photo(found(embedding=direction(0), quality=0.5))
    (liked,) = cast.photo(found(embedding=direction(0), quality=0.2))
    anna = cast.person("Anna", best, typical, liked)
    people = cast.catalogue.people
    people.set_typical_faces(cast.me, {anna: typical, 999: best})
    assert people.get(anna, cast.me).feature_face_id == typical
    people.set_feature_face(anna, cast.me, liked)
    assert people.get(anna, cast.me).feature_face_id == liked
    cast.catalogue.faces.assign([(typical, None), (liked, None)], AssignedBy.USER)
    assert people.get(anna, cast.me).feature_face_id == best


def test_skipped_suggestions_are_remembered_with_the_last_likelihood(cast: Cast) -> None:
    verdicts = cast.catalogue.verdicts
    verdicts.skip(cast.me, "face-1-2", 0.25)
    verdicts.skip(cast.me, "face-1-2", 0.5)
    assert verdicts.skipped(cast.me) == {"face-1-2": 0.5}
    other = cast.catalogue.accounts.add("Other", None, is_admin=False).id
    assert verdicts.skipped(other) == {}
    verdicts.unskip(other, "face-1-2")
    assert verdicts.skipped(cast.me) == {"face-1-2": 0.5}
    for _ in range(2):
        verdicts.unskip(cast.me, "face-1-2")
    assert verdicts.skipped(cast.me) == {}
