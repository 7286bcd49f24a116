"""One test per sentence of the description of Immich's recognition, named as the sentence."""

import math
from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import pytest

from plugin.domain import Float32Array
from plugin.faces.immich import (
    NOBODY,
    Action,
    Decision,
    IntArray,
    Recognised,
    Rules,
    barred_persons,
    decide,
    recognise_all,
    take_turns,
    within,
)

ANNA, BEN = 1, 2
RADIUS = 0.5


def _decide(neighbours: Sequence[tuple[float, int]], *, deferred: bool = False, may_found: bool = True) -> Decision:
    """Decide at minimum faces 3; `neighbours` are (distance, person), the face itself left out."""
    distances = np.array([0.0, *(distance for distance, _ in neighbours)], dtype=np.float32)
    persons = np.array([NOBODY, *(person for _, person in neighbours)], dtype=np.int64)
    return decide(distances, persons, minimum_faces=3, maximum_distance=RADIUS, deferred=deferred, may_found=may_found)


def _at(*degrees: float) -> Float32Array:
    """Faces on a circle: 60 degrees apart are 0.5 apart."""
    return np.array([[math.cos(math.radians(d)), math.sin(math.radians(d))] for d in degrees], dtype=np.float32)


def _run(
    embedding: Float32Array, person: Sequence[int] | None = None, rules: Rules | None = None, order: str = ""
) -> Recognised:
    before = np.array(person if person is not None else [NOBODY] * len(embedding), dtype=np.int64)
    queue = [int(row) for row in order] if order else [row for row in range(len(embedding)) if before[row] == NOBODY]
    return recognise_all(embedding, before, queue, rules or Rules(3, RADIUS))


# The sentences of the issue.


def test_the_nearest_faces_within_maximum_recognition_distance_are_searched() -> None:
    assert _decide([(0.5, ANNA), (0.5, NOBODY)]) == (Action.ASSIGN, ANNA)
    assert _decide([(0.51, ANNA), (0.51, ANNA)]).action is Action.LEAVE


def test_the_nearest_assigned_person_wins() -> None:
    assert _decide([(0.1, NOBODY), (0.2, BEN), (0.3, ANNA), (0.31, ANNA), (0.32, ANNA)]) == (Action.ASSIGN, BEN)


def test_else_a_core_face_founds_a_person() -> None:
    assert _decide([(0.3, NOBODY), (0.4, NOBODY)]).action is Action.FOUND


def test_minimum_recognized_faces_includes_the_face_itself() -> None:
    two_others = _run(_at(0, 10, 20))
    one_other = _run(_at(0, 10))
    assert two_others.person.tolist() == [1, 1, 1]
    assert one_other.person.tolist() == [NOBODY, NOBODY]


def test_else_the_face_is_deferred() -> None:
    assert _decide([(0.3, NOBODY)]).action is Action.DEFER


def test_a_deferred_face_is_retried_when_all_others_are_done() -> None:
    """Row 0 sees only row 1; row 1 is core. Row 0 comes first and still joins in the end."""
    assert _run(_at(0, 50, 100, 101), order="0123").person.tolist() == [1, 1, 1, 1]


def test_else_the_face_stays_unassigned() -> None:
    assert _decide([(0.3, NOBODY)], deferred=True).action is Action.LEAVE
    assert _run(_at(0, 50, 180, 230)).person.tolist() == [NOBODY] * 4


# The lines of section 1.4 of the research.


def test_a_face_that_has_a_person_is_skipped() -> None:
    run = _run(_at(0, 10, 20), person=[BEN, ANNA, ANNA], order="012")
    assert run.person.tolist() == [BEN, ANNA, ANNA]
    assert run.founders == {}


def test_the_search_includes_the_face_itself() -> None:
    near, distances = next(within(_at(0, 90), RADIUS)(np.array([1])))
    assert near.tolist() == [1]
    assert distances.tolist() == [0]


def test_a_face_alone_within_the_distance_is_not_even_deferred() -> None:
    assert _decide([]).action is Action.LEAVE
    assert _decide([(0.9, ANNA)]).action is Action.LEAVE


def test_at_minimum_one_a_face_alone_founds_a_person() -> None:
    run = _run(_at(0, 90), rules=Rules(1, RADIUS))
    assert run.person.tolist() == [1, 2]


def test_at_minimum_one_the_nearest_assigned_face_is_searched_beyond_the_face_itself() -> None:
    assert _run(_at(0, 10), person=[ANNA, NOBODY], rules=Rules(1, RADIUS)).person.tolist() == [ANNA, ANNA]


def test_a_core_face_has_at_least_minimum_faces_matches() -> None:
    assert _decide([(0.1, NOBODY)]).action is Action.DEFER
    assert _decide([(0.1, NOBODY), (0.1, NOBODY)]).action is Action.FOUND


def test_a_face_that_may_not_found_is_never_core() -> None:
    """Immich: archived and locked photos never seed."""
    near = [(0.1, NOBODY), (0.1, NOBODY)]
    assert _decide(near, may_found=False).action is Action.DEFER
    assert _decide(near, may_found=False, deferred=True).action is Action.LEAVE


def test_a_face_that_may_not_found_can_join_in_the_deferred_pass() -> None:
    assert _decide([(0.1, ANNA), (0.1, ANNA)], may_found=False, deferred=True) == (Action.ASSIGN, ANNA)


def test_a_face_that_is_not_core_is_deferred_even_beside_an_assigned_one() -> None:
    assert _decide([(0.1, ANNA)]).action is Action.DEFER


def test_the_nearest_assigned_among_the_k_wins_over_a_nearer_unassigned_one() -> None:
    assert _decide([(0.1, NOBODY), (0.2, ANNA)]) == (Action.ASSIGN, ANNA)


def test_without_one_among_the_k_the_nearest_assigned_in_the_same_radius_wins() -> None:
    crowd = [(0.1, NOBODY), (0.1, NOBODY), (0.1, NOBODY)]
    assert _decide([*crowd, (0.49, ANNA)]) == (Action.ASSIGN, ANNA)
    assert _decide([*crowd, (0.51, ANNA)]).action is Action.FOUND


def test_a_core_face_without_an_assigned_neighbour_creates_a_person() -> None:
    run = _run(_at(0, 10, 20), order="1")
    assert run.founders == {1: 1}


def test_creating_the_person_assigns_only_the_founding_face() -> None:
    assert _run(_at(0, 10, 20), order="1").person.tolist() == [NOBODY, 1, NOBODY]


def test_a_deferred_face_that_is_not_core_can_join_but_never_create() -> None:
    assert _decide([(0.1, ANNA)], deferred=True) == (Action.ASSIGN, ANNA)
    assert _decide([(0.1, NOBODY)], deferred=True).action is Action.LEAVE


def test_a_deferred_face_that_has_become_core_creates_a_person() -> None:
    assert _decide([(0.1, NOBODY), (0.2, NOBODY)], deferred=True).action is Action.FOUND


def test_the_top_k_is_taken_before_the_distance_filter() -> None:
    """Only the three nearest count: a fourth and fifth face within the radius make no difference."""
    assert _decide([(0.1, NOBODY), (0.6, NOBODY)]).action is Action.DEFER
    counted = decide(
        np.array([0, 0.1, 0.2, 0.3, 0.4], dtype=np.float32),
        np.full(5, NOBODY),
        minimum_faces=2,
        maximum_distance=RADIUS,
        deferred=False,
    )
    assert counted.action is Action.FOUND


def test_a_distance_equal_to_the_maximum_is_within() -> None:
    assert _decide([(RADIUS, NOBODY), (RADIUS, NOBODY)]).action is Action.FOUND


def test_one_face_within_the_distance_is_enough_to_chain() -> None:
    """Single linkage: a row of faces, each near the next, becomes one person."""
    assert set(_run(_at(0, 40, 80, 120, 160, 200)).person.tolist()) == {1}


def test_faces_come_in_the_order_of_the_queue() -> None:
    """The middle one first makes one person of all three; the outer ones first do not see each other."""
    faces = _at(0, 50, 100)
    assert _run(faces, rules=Rules(2, RADIUS), order="102").person.tolist() == [1, 1, 1]
    assert _run(faces, rules=Rules(2, RADIUS), order="021").person.tolist() == [1, 1, 2]


def test_earlier_deferred_faces_come_before_newly_deferred_ones() -> None:
    turns: list[int] = []
    search = within(_at(0, 30, 90, 120), RADIUS)

    def listening(rows: IntArray) -> Iterator[tuple[IntArray, Float32Array]]:
        turns.extend(rows.tolist())
        return search(rows)

    recognise_all(_at(0, 30, 90, 120), np.full(4, NOBODY), [1, 0], Rules(4, RADIUS), deferred=[3, 2], search=listening)
    assert turns == [1, 0, 3, 2, 1, 0]


# The birth date rule.


@pytest.mark.parametrize(("day", "person"), [("2015-05-31", NOBODY), ("2015-06-01", ANNA), ("2021-01-01", ANNA)])
def test_a_person_with_a_birth_date_matches_only_faces_taken_on_that_day_or_later(day: str, person: int) -> None:
    taken = np.array(["2020-01-01", day], dtype="datetime64[s]")
    rules = Rules(2, RADIUS, birth_dates={ANNA: date(2015, 6, 1)}, taken_at=taken)
    assert _run(_at(0, 10), person=[ANNA, NOBODY], rules=rules).person.tolist() == [ANNA, person]


@pytest.mark.parametrize(
    ("taken_on", "barred"),
    [(date(2015, 5, 31), {ANNA}), (date(2015, 6, 1), set()), (date(2030, 1, 1), set()), (None, set())],
    ids=["the day before", "on the day of birth", "years later", "without a date nothing is ruled out"],
)
def test_the_birth_date_is_a_lower_bound(taken_on: date | None, barred: set[int]) -> None:
    assert barred_persons(taken_on, {ANNA: date(2015, 6, 1)}) == barred


def test_an_unknown_time_is_no_time_before_birth() -> None:
    rules = Rules(2, RADIUS, birth_dates={ANNA: date(2015, 6, 1)}, taken_at=np.array(["NaT", "NaT"], "datetime64[s]"))
    assert _run(_at(0, 10), person=[ANNA, NOBODY], rules=rules).person.tolist() == [ANNA, ANNA]


def test_faces_of_a_person_not_yet_born_do_not_count_towards_a_core_face() -> None:
    taken = np.array(["2020-01-01", "2020-01-01", "2010-01-01"], dtype="datetime64[s]")
    rules = Rules(2, RADIUS, birth_dates={ANNA: date(2015, 6, 1)}, taken_at=taken)
    run = _run(_at(0, 5, 10), person=[ANNA, ANNA, NOBODY], rules=rules)
    assert run.person.tolist() == [ANNA, ANNA, NOBODY]


# Verdicts.


def test_a_face_never_joins_a_person_it_was_rejected_from() -> None:
    rules = Rules(2, RADIUS, rejected={2: {ANNA}})
    assert _run(_at(0, 5, 10), person=[ANNA, ANNA, NOBODY], rules=rules).person.tolist() == [ANNA, ANNA, NOBODY]


def test_a_rejected_face_joins_the_next_nearest_person() -> None:
    rules = Rules(2, RADIUS, rejected={0: {ANNA}})
    assert _run(_at(0, 5, 30), person=[NOBODY, ANNA, BEN], rules=rules).person.tolist() == [BEN, ANNA, BEN]


def test_a_rejection_concerns_only_that_face() -> None:
    rules = Rules(2, RADIUS, rejected={0: {ANNA}})
    assert _run(_at(0, 5, 10), person=[NOBODY, ANNA, NOBODY], rules=rules).person[2] == ANNA


# Around it.


def test_what_was_given_is_not_changed() -> None:
    before = np.full(3, NOBODY)
    recognise_all(_at(0, 10, 20), before, [0, 1, 2], Rules(3, RADIUS))
    assert before.tolist() == [NOBODY] * 3


def test_nothing_in_gives_nothing_out() -> None:
    run = recognise_all(np.empty((0, 4), dtype=np.float32), np.empty(0, dtype=np.int64), [], Rules(3, RADIUS))
    assert run.person.tolist() == []


def test_new_persons_are_numbered_after_the_highest_known() -> None:
    assert _run(_at(0, 180, 181, 182), person=[7, NOBODY, NOBODY, NOBODY]).founders == {8: 1}


def test_copies_of_one_photo_tie_and_the_lower_row_comes_first() -> None:
    rng = np.random.default_rng(5)
    face = rng.normal(size=512).astype(np.float32)
    face /= np.linalg.norm(face)
    near, distances = next(within(np.tile(face, (40, 1)), RADIUS)(np.array([17])))
    assert near.tolist() == list(range(40))
    assert not distances.any()


def test_the_search_agrees_with_every_distance_computed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugin.faces.immich.BLOCK_NUMBERS", 150)  # so that 60 rows take several blocks
    rng = np.random.default_rng(3)
    faces = rng.normal(size=(60, 4)).astype(np.float32)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    rows = np.array([5, 59, 0, 30, 5])
    for row, (near, distances) in zip(rows, within(faces, RADIUS)(rows), strict=True):
        exact = 1 - faces.astype(np.float64) @ faces[row].astype(np.float64)
        assert set(near.tolist()) == set(np.flatnonzero(exact <= RADIUS).tolist())
        assert distances == pytest.approx(np.sort(exact[near]), abs=1e-5)
        assert near[0] == row


def test_decisions_come_one_at_a_time_so_that_a_run_can_stop_anywhere() -> None:
    person = np.full(3, NOBODY)
    faces = _at(0, 10, 20)
    turns = take_turns([0, 1, 2], person, within(faces, RADIUS), Rules(3, RADIUS), lambda _: 9, deferred=False)
    assert next(turns) == (0, Decision(Action.FOUND, 9))
    assert person.tolist() == [9, NOBODY, NOBODY]
