"""The worst albums: posters, crowds of strangers, one person everywhere, words that contradict each other."""

import tracemalloc

import numpy as np
import pytest

from plugin.domain import Float32Array
from plugin.faces.grouping import group_faces
from plugin.faces.immich import NOBODY
from plugin.faces.linkage import Constraints, Groups
from plugin.faces.neighbours import similar_pairs
from tests.fakes.crowds import people, unconstrained

DISTANCE = 0.5
ANNA, BEN = 7, 8


def copies(count: int) -> Float32Array:
    """One face again and again."""
    return np.repeat(people(np.random.default_rng(1), [1])[0], count, axis=0)


def grouped(faces: Float32Array, constraints: Constraints) -> Groups:
    return group_faces(faces, constraints, maximum_distance=DISTANCE)


def nobody(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.full(count, NOBODY, dtype=np.int64)


def test_a_poster_in_ten_thousand_photos_takes_no_more_memory_than_a_block_of_distances() -> None:
    faces = copies(10_000)
    tracemalloc.start()
    try:
        found = grouped(faces, unconstrained(len(faces)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.size[found.labels()].tolist() == [10_000]
    assert peak < 60e6, "a block is 10 MB, all distances are 400 MB"


@pytest.mark.parametrize("count", [200, 2_000])
def test_of_a_crowd_of_copies_the_listed_pairs_are_bounded(count: int) -> None:
    found = similar_pairs(copies(count), DISTANCE, 8, block=64)
    assert np.bincount(found.rows).max() == 8
    assert set(range(count - 9)) == set(found.crowded.tolist())


def test_a_wall_of_copies_in_one_picture_stays_many_people() -> None:
    found = grouped(copies(300), Constraints(np.zeros(300, dtype=np.int64), nobody(300)))
    assert len(found.labels()) == 300


@pytest.mark.parametrize("per_picture", [2, 20])
def test_copies_that_share_pictures_never_share_a_group_there(per_picture: int) -> None:
    picture = np.arange(1_000) // per_picture
    found = grouped(copies(1_000), Constraints(picture, nobody(1_000)))
    assert len(np.unique(np.stack([found.label, picture]), axis=1).T) == 1_000
    assert len(found.labels()) < 1_000 / per_picture


def test_strangers_stay_strangers() -> None:
    faces, _ = people(np.random.default_rng(3), [1] * 5_000)
    found = grouped(faces, unconstrained(5_000))
    assert found.size[found.labels()].max() <= 2
    assert len(found.labels()) > 4_950


def test_a_person_far_beyond_the_listed_neighbours_is_one_and_takes_nobody_else_in() -> None:
    faces, person = people(np.random.default_rng(4), [4_000, 3, 1])
    found = grouped(faces, unconstrained(len(faces)))
    assert sorted(found.size[found.labels()].tolist()) == [1, 3, 4_000]
    assert len(np.unique(np.stack([found.label, person]), axis=1).T) == 3


def test_a_face_that_is_said_to_be_whom_it_is_not_stays_with_the_word_that_was_kept() -> None:
    faces, _ = people(np.random.default_rng(5), [6])
    said = nobody(6)
    said[:3] = ANNA
    found = grouped(faces, Constraints(np.arange(6), said, barred={0: {ANNA}, 5: {ANNA}}))
    assert found.person_of(int(found.label[0])) == ANNA
    assert found.person_of(int(found.label[5])) == NOBODY


def test_copies_said_to_be_two_people_stay_two() -> None:
    said = nobody(1_000)
    said[::100], said[50::100] = ANNA, BEN
    found = grouped(copies(1_000), Constraints(np.arange(1_000), said))
    assert {found.person_of(label) for label in found.label[::100].tolist()} == {ANNA}
    assert {found.person_of(label) for label in found.label[50::100].tolist()} == {BEN}


def test_a_face_that_can_be_nobody_stays_alone_and_stops_nothing() -> None:
    faces, _ = people(np.random.default_rng(6), [4, 4])
    said = nobody(8)
    said[0], said[4] = ANNA, BEN
    found = grouped(faces, Constraints(np.arange(8), said, barred={3: {ANNA, BEN}}, late=[3]))
    assert found.person_of(int(found.label[3])) == NOBODY
    assert [found.person_of(label) for label in found.label[[1, 2, 5, 6, 7]].tolist()] == [ANNA, ANNA, BEN, BEN, BEN]
