"""Whether one person is two, and which face stands for a person."""

import numpy as np
import pytest

from plugin.domain import Float32Array
from plugin.faces import splitting
from plugin.faces.neighbours import IntArray
from plugin.faces.splitting import split_proposal
from plugin.faces.typicality import by_typicality
from tests.fakes.crowds import people, toward

DISTANCE = 0.5


def parts(faces: Float32Array, picture: IntArray | None = None, blurred: int = 0) -> list[list[int]]:
    trusted = np.arange(len(faces)) < len(faces) - blurred
    picture = np.arange(len(faces)) if picture is None else picture
    return [rows.tolist() for rows in split_proposal(faces, picture, trusted, DISTANCE)]


def test_one_person_is_left_whole() -> None:
    faces, _ = people(np.random.default_rng(1), [40])
    assert parts(faces) == []


def test_two_people_are_taken_apart_the_larger_part_first() -> None:
    faces, who = people(np.random.default_rng(2), [5, 20])
    assert parts(faces) == [np.flatnonzero(who == 1).tolist(), np.flatnonzero(who == 0).tolist()]


def test_three_people_are_three_parts_and_every_face_is_in_one() -> None:
    faces, _ = people(np.random.default_rng(3), [8, 7, 6, 1])
    found = parts(faces)
    assert len(found) == 3
    assert sorted(row for rows in found for row in rows) == list(range(22))


def test_two_stray_faces_are_no_part_of_their_own() -> None:
    faces, _ = people(np.random.default_rng(4), [20, 2])
    assert parts(faces) == []


def test_blurred_faces_found_no_part() -> None:
    faces, _ = people(np.random.default_rng(5), [20, 4])
    assert len(parts(faces)) == 2
    assert parts(faces, blurred=4) == []


@pytest.mark.parametrize("count", [0, 1, 5])
def test_few_faces_are_never_split(count: int) -> None:
    assert parts(toward(*range(0, 36 * count, 36))) == []


def test_a_very_large_person_is_compared_by_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "MOST_FACES", 60)
    faces, who = people(np.random.default_rng(6), [300, 200])
    assert parts(faces) == [np.flatnonzero(who == number).tolist() for number in (0, 1)]


def test_the_sharpest_face_does_not_stand_for_a_person_when_it_is_a_strangers() -> None:
    faces = np.concatenate([toward(0, 5, 10, 3), toward(90)])  # and the fourth is typical, but blurred
    quality = np.array([0.6, 0.7, 0.65, 0.2, 0.95], dtype=np.float32)
    assert by_typicality(faces, quality).tolist() == [1, 2, 0, 4, 3]


def test_of_typical_faces_the_best_stands_for_the_person_and_ties_keep_their_order() -> None:
    quality = np.array([0.5, 0.9, 0.9], dtype=np.float32)
    assert by_typicality(toward(0, 0, 0), quality).tolist() == [1, 2, 0]
    assert by_typicality(toward(0, 20), np.zeros(2, dtype=np.float32)).tolist() == [0, 1]
    assert by_typicality(np.empty((0, 2), dtype=np.float32), np.empty(0, dtype=np.float32)).tolist() == []
