"""Grouping over random albums: right against an oracle, in any order, and never against a constraint."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.domain import Float32Array
from plugin.faces.grouping import group_faces
from plugin.faces.immich import NOBODY
from plugin.faces.linkage import SLACK, Constraints, Groups, link
from plugin.faces.neighbours import IntArray, similar_pairs
from tests.fakes.crowds import people, unconstrained

seeds = st.integers(0, 2**32 - 1)


@st.composite
def albums(draw: st.DrawFn) -> tuple[Float32Array, Constraints]:
    """Up to 60 faces of overlapping people, some in shared pictures, some known, some known not to be somebody."""
    random = np.random.default_rng(draw(seeds))
    sizes = draw(st.lists(st.integers(1, 12), min_size=1, max_size=6))
    faces, _ = people(random, sizes, spread=draw(st.floats(0.3, 2.0)))
    count = len(faces)
    person = np.where(random.random(count) < 0.2, random.integers(1, 4, count), NOBODY).astype(np.int64)
    picture = random.integers(0, max(1, count // 2) + 1, count).astype(np.int64)
    barred = {row: {int(random.integers(1, 4))} for row in range(count) if random.random() < 0.1}
    barred = {row: who - {int(person[row])} for row, who in barred.items()}
    return faces, Constraints(picture, person, barred)


@given(albums(), st.floats(0.1, 1.2))
@settings(deadline=None)
def test_no_group_contradicts_a_constraint(album: tuple[Float32Array, Constraints], distance: float) -> None:
    faces, constraints = album
    groups = group_faces(faces, constraints, maximum_distance=distance)
    for label in groups.labels():
        rows = np.flatnonzero(groups.label == label)
        known = set(constraints.person[rows].tolist()) - {NOBODY}
        assert known <= {groups.person_of(int(label))}
        assert all(groups.person_of(int(label)) not in constraints.barred.get(row, ()) for row in rows.tolist())
    # Whoever is one: a group of nobody known, or all groups of a person.
    who = np.array([groups.person_of(label) for label in groups.label.tolist()])
    one = np.where(who == NOBODY, groups.label, -2 - who)
    for number in np.unique(one):
        rows = np.flatnonzero(one == number)
        unsaid = constraints.picture[rows[constraints.person[rows] == NOBODY]]
        assert len(set(unsaid.tolist())) == len(unsaid)
        assert set(unsaid.tolist()).isdisjoint(constraints.picture[rows[constraints.person[rows] != NOBODY]].tolist())


@given(albums(), st.floats(0.1, 1.2), st.integers(1, 80))
@settings(deadline=None)
def test_groups_keep_their_books(album: tuple[Float32Array, Constraints], distance: float, count: int) -> None:
    faces, constraints = album
    groups = Groups(faces, constraints)
    link(groups, similar_pairs(faces, distance, count), distance)
    for label in groups.labels():
        rows = np.flatnonzero(groups.label == label)
        assert groups.size[label] == len(rows) == groups.count[label]
        np.testing.assert_allclose(groups.total[label], faces[rows].sum(axis=0), atol=1e-4)


@given(albums(), st.floats(0.1, 1.2))
@settings(deadline=None)
def test_linking_ends_when_no_two_groups_are_within_the_distance(
    album: tuple[Float32Array, Constraints], distance: float
) -> None:
    faces, constraints = album
    groups = Groups(faces, constraints)
    link(groups, similar_pairs(faces, distance, 100), distance)
    labels = groups.labels()
    alike = groups.means(labels) @ groups.means(labels).T
    for i, one in enumerate(labels.tolist()):
        for j, other in enumerate(labels.tolist()[:i]):
            assert alike[i, j] < 1 - distance + 1e-5 or not groups.may_unite(one, other)


def average_linkage(faces: Float32Array, distance: float) -> IntArray:
    """The oracle: the two nearest groups merge, one pair at a time, all similarities computed anew."""
    label = np.arange(len(faces), dtype=np.int64)
    while True:
        groups = np.unique(label)
        means = np.stack([faces[label == group].mean(axis=0) for group in groups])
        alike = means @ means.T
        np.fill_diagonal(alike, -2)
        first, second = np.unravel_index(int(alike.argmax()), alike.shape)
        if alike[first, second] < 1 - distance:
            return label
        label[label == groups[second]] = groups[first]


@given(seeds, st.lists(st.integers(1, 8), min_size=2, max_size=5), seeds)
@settings(deadline=None)
def test_people_who_can_be_told_apart_are_the_same_in_any_order(seed: int, sizes: list[int], shuffle: int) -> None:
    faces, _ = people(np.random.default_rng(seed), sizes, spread=0.5)
    order = np.random.default_rng(shuffle).permutation(len(faces))
    groups = Groups(faces[order], unconstrained(len(faces)))
    link(groups, similar_pairs(faces[order], 0.5, 100), 0.5)
    expected = average_linkage(faces, 0.5)[order]
    same = groups.label[:, None] == groups.label[None, :]
    assert (same == (expected[:, None] == expected[None, :])).all(), SLACK


@given(seeds, st.integers(0, 60), st.floats(0.0, 1.5), st.integers(1, 5), st.integers(1, 9))
@settings(deadline=None)
def test_listed_pairs_are_the_nearest_ones(seed: int, size: int, distance: float, count: int, block: int) -> None:
    random = np.random.default_rng(seed)
    faces = random.normal(size=(size, 4)).astype(np.float32)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    rows, columns, distances, crowded = similar_pairs(faces, distance, count, block)
    exact = 1 - faces @ faces.T
    np.testing.assert_allclose(distances, exact[rows, columns].clip(0, 2), atol=1e-5)
    assert len({*zip(rows.tolist(), columns.tolist(), strict=True)}) == len(rows)
    for row in range(size):
        later = np.sort(exact[row, row + 1 :])
        within = later[later <= distance]
        listed = np.sort(distances[rows == row])
        assert (columns[rows == row] > row).all()
        assert len(listed) <= count
        np.testing.assert_allclose(listed, within[: len(listed)].clip(0), atol=1e-5)
        if abs(later - distance).min(initial=1) > 1e-5:
            assert len(listed) == min(len(within), count)
            assert (row in crowded) == (len(within) > count)
