"""The default engine, requirement by requirement."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from plugin.domain import Float32Array
from plugin.faces import grouping
from plugin.faces.grouping import TYPICAL_QUALITY, group_faces
from plugin.faces.immich import NOBODY
from plugin.faces.linkage import Constraints, Groups, link
from plugin.faces.neighbours import similar_pairs
from tests.fakes.crowds import people, toward, unconstrained

ANNA, BEN = 7, 8


def together(groups: Groups) -> list[list[int]]:
    """Groups of several rows, each ascending, lowest first."""
    found = [np.flatnonzero(groups.label == label).tolist() for label in groups.labels()]
    return sorted(rows for rows in found if len(rows) > 1)


def who(groups: Groups) -> list[int]:
    """Who each face is."""
    return [groups.person_of(label) for label in groups.label.tolist()]


def grouped(
    faces: Float32Array,
    *,
    picture: Sequence[int] | None = None,
    person: Mapping[int, int] | None = None,
    barred: Mapping[int, set[int]] | None = None,
    trusted: Sequence[bool] | None = None,
    distance: float = 0.5,
    quality: Sequence[float] | None = None,
) -> Groups:
    constraints = unconstrained(len(faces))
    who = constraints.person
    for row, known in (person or {}).items():
        who[row] = known
    constraints = Constraints(
        constraints.picture if picture is None else np.array(picture, dtype=np.int64), who, barred or {}
    )
    return group_faces(
        faces,
        constraints,
        maximum_distance=distance,
        trusted=None if trusted is None else np.array(trusted),
        quality=None if quality is None else np.array(quality, dtype=np.float32),
    )


def test_people_are_found_and_strangers_left_alone() -> None:
    faces, who = people(np.random.default_rng(1), [40, 5, 3, 1, 1, 1])
    assert together(grouped(faces)) == [np.flatnonzero(who == number).tolist() for number in range(3)]


def test_one_bridge_face_does_not_chain_two_people() -> None:
    # Every neighbour is within 0.5, end to end is not: density or nearest-face methods make this one person.
    chain = toward(0, 2, 4, 6, 45, 84, 86, 88, 90)
    for group in together(grouped(chain)):
        assert not {0, 8} <= set(group)


def test_two_faces_in_one_picture_are_two_people() -> None:
    assert together(grouped(toward(0, 1, 2, 3), picture=[1, 1, 2, 3])) != [[0, 1, 2, 3]]
    twins = grouped(toward(0, 1), picture=[1, 1])
    assert together(twins) == []


def test_a_verdict_overrules_the_picture() -> None:
    mirror = grouped(toward(0, 1, 2), picture=[1, 1, 2], person={0: ANNA, 1: ANNA})
    assert who(mirror) == [ANNA, ANNA, ANNA]


def test_a_further_face_in_a_picture_of_a_known_person_is_somebody_else() -> None:
    # 20 looks like the confirmed profile at 22, which is a group of its own: its person is in picture 1 all the same.
    faces = toward(0, 1, 2, 90, 89)
    groups = grouped(faces, picture=[1, 2, 3, 4, 1], person={0: ANNA, 3: ANNA})
    assert who(groups) == [ANNA, ANNA, ANNA, ANNA, NOBODY]


def test_a_confirmed_profile_brings_along_what_looks_like_it_and_spoils_nothing() -> None:
    faces = toward(*range(10), 80, 81, 82)
    groups = grouped(faces, person={0: ANNA, 10: ANNA})
    assert who(groups) == [ANNA] * 13
    assert len(together(groups)) == 2


def test_two_known_people_never_become_one() -> None:
    faces = toward(*[0] * 10, *[1] * 10)
    groups = grouped(faces, person={0: ANNA, 19: BEN})
    assert groups.label[0] != groups.label[19]


def test_a_face_never_joins_a_person_it_is_not() -> None:
    groups = grouped(toward(0, 1, 2, 20), person={0: ANNA}, barred={3: {ANNA}})
    assert together(groups) == [[0, 1, 2]]


def test_who_joined_passes_on_what_they_are_not() -> None:
    # 1 and 2 are nearer to each other than to Anna; since 2 is not her, what they become together is not her either.
    groups = grouped(toward(0, 30, 31), person={0: ANNA}, barred={2: {ANNA}}, distance=0.5)
    assert groups.label[1] == groups.label[2] != groups.label[0]


def test_a_weak_face_joins_but_does_not_found_or_bridge() -> None:
    weak = [True, True, True, False]
    assert together(grouped(toward(0, 1, 2, 3), trusted=weak)) == [[0, 1, 2, 3]]
    assert together(grouped(toward(0, 1, 2), trusted=[False] * 3)) == []
    assert together(grouped(toward(0, 20, 40), trusted=[True, False, True], distance=0.2)) == []


@pytest.mark.parametrize("broken", [np.nan, np.inf, 0.0])
def test_a_broken_embedding_is_alone_and_harms_nobody(broken: float) -> None:
    faces, _ = people(np.random.default_rng(2), [6, 6])
    expected = together(grouped(faces))
    faces = np.concatenate([faces, np.full((2, faces.shape[1]), broken, dtype=np.float32)])
    assert together(grouped(faces)) == expected


def test_a_broken_embedding_that_a_user_assigned_stays_with_its_person() -> None:
    faces = np.concatenate([np.full((1, 2), np.nan, dtype=np.float32), toward(0, 1, 2)])
    assert who(grouped(faces, person={0: ANNA, 1: ANNA})) == [ANNA] * 4


def test_ten_thousand_copies_of_one_face_are_one_group() -> None:
    poster = np.repeat(toward(0), 10_000, axis=0)
    assert [len(rows) for rows in together(grouped(poster))] == [10_000]


def test_nothing_and_one_face_are_no_trouble() -> None:
    assert together(grouped(np.empty((0, 2), dtype=np.float32))) == []
    assert together(grouped(toward(5))) == []


def test_a_cap_on_neighbours_changes_nothing_for_a_crowd() -> None:
    faces, who = people(np.random.default_rng(3), [300, 200, 50])
    groups = Groups(faces, unconstrained(len(faces)))
    link(groups, similar_pairs(faces, 0.5, count=5), 0.5)
    assert together(groups) == [np.flatnonzero(who == number).tolist() for number in range(3)]


def test_an_odd_face_joins_the_only_person_it_resembles_but_not_one_of_two() -> None:
    random = np.random.default_rng(4)
    faces, _ = people(random, [8, 8])
    anna, ben = faces[:8].mean(axis=0), faces[8:].mean(axis=0)
    side = random.normal(size=(128,)).astype(np.float32)
    side -= (side @ anna) / (anna @ anna) * anna + (side @ ben) / (ben @ ben) * ben
    side /= np.linalg.norm(side)

    def last_face_with(likeness: float, to_ben: float) -> int:
        known: Float32Array = likeness * anna + to_ben * ben
        odd = np.asarray(known / np.linalg.norm(known) * 0.45 + side * np.sqrt(1 - 0.45**2), dtype=np.float32)
        groups = grouped(np.concatenate([faces, odd[None]]))
        return int(groups.size[groups.label[16]])

    assert last_face_with(1, 0) == 9
    assert last_face_with(1, 1) == 1


def test_known_but_unassigned_people_need_no_minimum_of_faces() -> None:
    groups = grouped(toward(0, 25), person={0: ANNA})
    assert groups.person_of(int(groups.label[1])) == ANNA
    assert grouped(toward(0, 25)).person_of(0) == NOBODY


def test_a_person_can_take_part_as_one_row() -> None:
    faces, _ = people(np.random.default_rng(3), [30, 30, 4])
    one_by_one = grouped(faces, person={0: ANNA, 1: ANNA})
    mean = faces[:28].mean(axis=0, keepdims=True)
    constraints = unconstrained(len(faces) - 27)
    constraints.person[0] = ANNA
    counts = np.array([28] + [1] * (len(faces) - 28))
    summed = group_faces(np.concatenate([mean, faces[28:]]), constraints, maximum_distance=0.5, faces=counts)
    of_one_by_one = one_by_one.label[28:] == one_by_one.label[0]
    assert (summed.label[1:] == summed.label[0]).tolist() == of_one_by_one.tolist() == [True] * 2 + [False] * 34
    assert summed.size[summed.label[0]] == 30


@pytest.mark.parametrize("variety", [0.2, 1.0])
def test_an_odd_face_joins_a_person_of_many_looks_and_one_of_few_under_the_same_condition(variety: float) -> None:
    """The mean of varied faces is short, so that everybody's mean cosine with it is low, the person's own included."""
    looks = np.zeros((6, 8), dtype=np.float32)
    looks[:, 0] = 1
    looks[np.arange(6), np.arange(1, 7)] = variety
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    direction = looks.mean(axis=0) / np.linalg.norm(looks.mean(axis=0))

    def joins(cosine: float) -> bool:
        odd = cosine * direction
        odd[7] = np.sqrt(1 - cosine**2)
        return int(grouped(np.concatenate([looks, odd[None]])).size.max()) == 7

    assert joins(0.45)
    assert not joins(0.37)


def test_a_face_in_doubt_joins_who_is_elsewhere_seen_with_those_in_its_picture() -> None:
    anna, ben, cara, nobody = np.eye(4, dtype=np.float32)
    odd = np.asarray(0.55 * anna + np.sqrt(1 - 0.55**2) * nobody, dtype=np.float32)
    faces = np.stack([*[anna] * 5, *[ben] * 5, *[cara] * 5, odd])

    def size_of_its_group(*, anna_is_seen_with_ben: bool) -> int:
        picture = list(range(16))
        picture[15] = picture[5]  # the odd face is beside Ben
        if anna_is_seen_with_ben:
            picture[0] = picture[6]
        groups = grouped(faces, picture=picture, distance=0.3)
        return int(groups.size[groups.label[15]])

    assert size_of_its_group(anna_is_seen_with_ben=False) == 1
    assert size_of_its_group(anna_is_seen_with_ben=True) == 6


def spread_album(seed: int) -> Float32Array:
    """People whose faces vary so much that, with those seeds, some are near to one only once others have joined."""
    faces, _ = people(np.random.default_rng(seed), [12, 9, 7, 5, 4, 3, 3, 1, 1, 1], spread=1.2)
    return faces


@pytest.mark.parametrize("seed", [12, 38, 69, 88, 94, 141])
def test_looking_only_at_people_who_changed_finds_the_groups_of_looking_at_everybody(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = spread_album(seed)
    quick = grouped(faces)
    monkeypatch.setattr(grouping._Rest, "to_compare", lambda _self, rest, *_: rest)
    assert grouped(faces).label.tolist() == quick.label.tolist()


@pytest.mark.parametrize(
    ("degrees", "quality", "joins"),
    [
        (64, TYPICAL_QUALITY, True),
        (64, 1.0, False),
        (68, TYPICAL_QUALITY, False),
        (68, 0.3, True),
    ],
)
def test_the_worse_a_picture_the_less_alike_it_may_be(degrees: float, quality: float, joins: bool) -> None:
    # Too far to link, at 62.6 degrees; whether it joins is in doubt from there on.
    groups = grouped(toward(*[0] * 10, degrees), quality=[0.9] * 10 + [quality])
    assert (groups.label[10] == groups.label[0]) == joins


def test_without_qualities_all_faces_are_typical() -> None:
    for degrees in (64, 68):
        faces = toward(*[0] * 10, degrees)
        told = grouped(faces, quality=[TYPICAL_QUALITY] * 11)
        assert grouped(faces).label.tolist() == told.label.tolist()


def test_the_worst_pictures_get_no_more_lenience_than_the_worst_measured() -> None:
    faces = toward(*[0] * 10, 71)
    assert together(grouped(faces, quality=[0.9] * 10 + [0.0])) == [list(range(10))]


def test_a_small_group_is_judged_by_its_mean_quality() -> None:
    faces = toward(*[0] * 10, 64, 64)
    assert len(together(grouped(faces, quality=[0.9] * 10 + [1.0, 0.3]))) == 1
    assert len(together(grouped(faces, quality=[0.9] * 10 + [1.0, 0.9]))) == 2
