"""Photos that arrive in parts lead to (almost) the people of one full run, and people keep who they are."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.domain import Float32Array
from plugin.faces.grouping import group_faces
from plugin.faces.immich import NOBODY
from plugin.faces.known import KnownFaces, KnownPeople
from plugin.faces.linkage import Constraints
from plugin.faces.neighbours import IntArray
from plugin.faces.regrouping import NEW, persons_of, regroup, surroundings
from tests.fakes.crowds import people

DISTANCE = 0.5
FOUNDED_FROM = 1000


def known(faces: Float32Array, person: IntArray, group: IntArray | None = None) -> KnownFaces:
    """Faces without pictures in common, dates or verdicts."""
    count = len(faces)
    nobody, undated = np.full(count, NOBODY, dtype=np.int64), np.full(count, "NaT", dtype="datetime64[s]")
    group = nobody if group is None else group
    return KnownFaces(faces, np.arange(count), person, nobody, group, undated, np.ones(count, dtype=np.bool_))


class Runs:
    """Runs of recognition over one album, one after the other."""

    def __init__(self, faces: Float32Array, before: IntArray | None = None) -> None:
        self.faces = faces
        self.person = np.full(len(faces), NOBODY, dtype=np.int64) if before is None else before.copy()
        self.group = np.full(len(faces), NOBODY, dtype=np.int64)
        self._founded = FOUNDED_FROM

    def run(self, new: IntArray) -> IntArray:
        """Take in the new rows; rows after the last of them have not arrived."""
        seen = int(new.max()) + 1
        album = known(self.faces[:seen], self.person[:seen], self.group[:seen])
        rows = surroundings(album, new, DISTANCE)
        done = regroup(album.some(rows), KnownPeople(), maximum_distance=DISTANCE, minimum_faces=3)
        founded = done.person <= NEW
        self.person[rows[done.rows]] = np.where(founded, self._founded + 1 + NEW - done.person, done.person)
        self._founded += len(np.unique(done.person[founded]))
        self.group[rows[done.rows]] = np.where(done.group >= 0, rows[done.group], -1)
        return self.person


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
    full = Runs(faces).run(np.arange(len(faces)))
    increments = Runs(faces)
    for new in np.array_split(np.arange(len(faces)), parts):
        if len(new):
            increments.run(new)
    assert agreement(full, increments.person) >= 0.97


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(3, 15), min_size=1, max_size=6))
@settings(deadline=None)
def test_a_run_over_what_is_known_changes_nobody(seed: int, sizes: list[int]) -> None:
    faces, _ = people(np.random.default_rng(seed), sizes)
    runs, everything = Runs(faces), np.arange(len(faces))
    first = runs.run(everything).copy()
    assert (runs.run(everything) == first).all()


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_faces_far_away_are_not_touched(seed: int) -> None:
    faces, who = people(np.random.default_rng(seed), [200, *[10] * 30])
    person = np.where(who == 0, 1, who + 1).astype(np.int64)
    person[0] = NOBODY
    touched = surroundings(known(faces, person), np.array([0]), DISTANCE)
    assert set(np.flatnonzero(who == 0).tolist()) <= set(touched.tolist())
    assert len(set(who[touched].tolist())) <= 9


def test_a_group_continues_the_person_most_of_it_belonged_to() -> None:
    faces, who = people(np.random.default_rng(5), [10, 10])
    before = np.where(who == 0, 7, 8).astype(np.int64)
    before[[0, 1, 2]] = 8  # an earlier run was wrong about three
    after = Runs(faces, before).run(np.arange(20))
    assert set(after[:10].tolist()) == {7}
    assert set(after[10:].tolist()) == {8}


def test_a_split_person_goes_on_with_the_larger_part() -> None:
    faces, who = people(np.random.default_rng(6), [12, 5])
    after = Runs(faces, np.full(17, 7, dtype=np.int64)).run(np.arange(17))
    assert set(after[who == 0].tolist()) == {7}
    assert set(after[who == 1].tolist()) == {FOUNDED_FROM + 1}


def test_known_people_need_no_minimum_and_keep_their_faces() -> None:
    faces, _ = people(np.random.default_rng(7), [2, 2])
    said = np.array([7, NOBODY, NOBODY, NOBODY])
    groups = group_faces(faces, Constraints(np.arange(4), said), maximum_distance=DISTANCE)
    after = persons_of(groups, np.full(4, NOBODY, dtype=np.int64), minimum_faces=3, found=lambda rows: int(rows[0]))
    assert after.tolist() == [7, 7, NOBODY, NOBODY]
