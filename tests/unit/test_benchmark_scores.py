"""The yardstick of benchmarks/recognition, by hand and against the reference where it is at hand."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from benchmarks.scores import score

REFERENCE = Path(__file__).parents[3] / "shared" / "faces" / "score_groups.py"


def test_a_perfect_album_needs_no_action() -> None:
    person = np.array([1, 1, 1, 2, 2, 2, 3, -1])
    got = score(person, np.array([5, 5, 5, 6, 6, 6, -1, -1]))
    assert (got["P"], got["R"], got["bF"], got["found"], got["frag"], got["actions"]) == (1, 1, 1, 1, 1, 0)


def test_moves_merges_and_assignments_are_counted() -> None:
    person = np.array([1] * 6 + [2] * 4)
    group = np.array([0, 0, 0, 1, 1, -1, 0, 2, 2, 2])  # 1 in two groups and one left out, one face of 2 among the first
    assert score(person, group)["actions"] == pytest.approx(1000 * 3 / 10)


def test_strangers_in_a_group_are_seen() -> None:
    person = np.array([1, 1, 1, 2, 3])
    assert score(person, np.array([0, 0, 0, 0, -1]))["stranger"] == 0.5


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference lies beside the repository, on some machines only")
@pytest.mark.parametrize("seed", range(5))
def test_the_scores_are_those_of_the_reference(seed: int) -> None:
    spec = importlib.util.spec_from_file_location("score_groups", REFERENCE)
    assert spec is not None
    assert spec.loader is not None
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    random = np.random.default_rng(seed)
    person = random.integers(-1, 30, 300)
    group = np.where(random.random(300) < 0.7, person, random.integers(-1, 40, 300))
    expected = reference.score(person, group)
    got = score(person, group)
    assert {name: got[name] for name in expected} == pytest.approx(expected)
