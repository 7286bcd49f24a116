"""Photos that arrive in parts lead to (almost) the people of one full run, and people keep who they are."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.domain import Float32Array
from plugin.faces.grouping import group_faces
from plugin.faces.immich import NOBODY
from plugin.faces.linkage import Constraints
from plugin.faces.neighbours import IntArray
from plugin.faces.regrouping import persons_of, surroundings
from tests.fakes.crowds import people, unconstrained

DISTANCE = 0.5
FOUNDED_FROM = 1000


def run(faces: Float32Array, before: IntArray, new: IntArray) -> IntArray:
    """One run of recognition over the new rows; rows after the last of them have not arrived."""
    founded = int(before.max(initial=FOUNDED_FROM))
    rows = surroundings(faces, before, new, DISTANCE)
    constraints = unconstrained(len(rows))

    def found(_rows: IntArray) -> int:
        nonlocal founded
        founded += 1
        return founded

    groups = group_faces(faces[rows], constraints, maximum_distance=DISTANCE)
    after = before.copy()
    after[rows] = persons_of(groups, before[rows], minimum_faces=3, found=found)
    return after


def agreement(one: IntArray, other: IntArray) -> float:
    """Share of pairs of faces that both results judge alike (Rand index); nobody is a person of their own."""
    count = len(one)
    if count < 2:
        return 1.0
    alone = -1 - np.arange(count)
    one, other = np.where(one == NOBODY, alone, one), np.where(other == NOBODY, alone, other)
    same = (one[:, None] == one[None, :]) == (other[:, None] == other[None, :])
    return float((same.sum() - count) / (count * (count - 1)))


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(1, 15), min_size=1, max_size=8),
    st.floats(0.4, 0.9),
    st.integers(1, 6),
)
@settings(deadline=None)
def test_any_split_of_the_album_reaches_almost_the_groups_of_one_run(
    seed: int, sizes: list[int], spread: float, parts: int
) -> None:
    random = np.random.default_rng(seed)
    faces, _ = people(random, sizes, spread)
    faces = faces[random.permutation(len(faces))]
    nobody = np.full(len(faces), NOBODY, dtype=np.int64)
    full = run(faces, nobody, np.arange(len(faces)))
    person = nobody
    for new in np.array_split(np.arange(len(faces)), parts):
        if len(new):
            seen = int(new.max()) + 1
            person[:seen] = run(faces[:seen], person[:seen], new)
    assert agreement(full, person) >= 0.97


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(3, 15), min_size=1, max_size=6))
@settings(deadline=None)
def test_a_run_over_what_is_known_changes_nobody(seed: int, sizes: list[int]) -> None:
    faces, _ = people(np.random.default_rng(seed), sizes)
    everything = np.arange(len(faces))
    first = run(faces, np.full(len(faces), NOBODY, dtype=np.int64), everything)
    assert (run(faces, first, everything) == first).all()


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_faces_far_away_are_not_touched(seed: int) -> None:
    faces, who = people(np.random.default_rng(seed), [200, *[10] * 30])
    person = np.where(who == 0, 1, who + 1).astype(np.int64)
    person[0] = NOBODY
    touched = surroundings(faces, person, np.array([0]), DISTANCE)
    assert set(np.flatnonzero(who == 0).tolist()) <= set(touched.tolist())
    assert len(set(who[touched].tolist())) <= 9


def test_a_group_continues_the_person_most_of_it_belonged_to() -> None:
    faces, who = people(np.random.default_rng(5), [10, 10])
    before = np.where(who == 0, 7, 8).astype(np.int64)
    before[[0, 1, 2]] = 8  # an earlier run was wrong about three
    after = run(faces, before, np.arange(20))
    assert set(after[:10].tolist()) == {7}
    assert set(after[10:].tolist()) == {8}


def test_a_split_person_goes_on_with_the_larger_part() -> None:
    faces, who = people(np.random.default_rng(6), [12, 5])
    after = run(faces, np.full(17, 7, dtype=np.int64), np.arange(17))
    assert set(after[who == 0].tolist()) == {7}
    assert set(after[who == 1].tolist()) == {FOUNDED_FROM + 1}


def test_known_people_need_no_minimum_and_keep_their_faces() -> None:
    faces, _ = people(np.random.default_rng(7), [2, 2])
    known = np.array([7, NOBODY, NOBODY, NOBODY])
    groups = group_faces(faces, Constraints(np.arange(4), known), maximum_distance=DISTANCE)
    after = persons_of(groups, np.full(4, NOBODY, dtype=np.int64), minimum_faces=3, found=lambda rows: int(rows[0]))
    assert after.tolist() == [7, 7, NOBODY, NOBODY]
