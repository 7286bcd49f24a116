"""Which questions are worth a user's time: who may this group of faces be, and who may be there twice?

Grouping decides what is sure; this ranks what is not. The likelihood of a yes comes from how alike the two are and how
much less alike the next best is, fitted by logistic regression on what grouping left open in six albums of labelled
faces (4,097 groups of nobody, 90 of them somebody's; 1,554 pairs of people, 30 the same): of the questions expected to
be answered with yes at 5-10 % / 10-20 % / 20-30 % / more, 8 / 11 / 29 / 20 % of groups and 6 / 17 / 29 / 43 % of pairs
were. After people were kept apart by hand or by their size much likelier ones come up.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import exp

import numpy as np

from plugin.domain import Float32Array
from plugin.faces.grouping import STRANGER, TYPICAL_LENGTH
from plugin.faces.neighbours import IntArray

GROUP_WEIGHTS = (-10.6, 9.9, 13.4)
PAIR_WEIGHTS = (-11.6, 10.9, 16.1)
"""Intercept, weight of the mean cosine and of the gap to the runner-up, both as shares of (1 - maximum distance)."""

LEAST_LIKELY = 0.05
"""Less likely questions are not asked: nineteen of twenty answers would be no."""

RUNNERS_UP = 8
"""Of the most alike people this many are looked at; some cannot be meant."""

NEW_EVIDENCE = 0.1
"""A skipped question comes back when a yes has become this much likelier."""

BLOCK = 1024

Allowed = Callable[[int, int], bool]


@dataclass(frozen=True, slots=True)
class Question:
    """Is this the same person?

    Attributes:
        asked: number of the group, or of the person, that is asked about.
        person: number of the person it may be.
        distance: mean cosine distance between the two, 0..2.
        gap: how much farther away the next likely person is, >= 0.
        likelihood: of a yes, 0..1.
        decides: how many faces an answer decides.
    """

    asked: int
    person: int
    distance: float
    gap: float
    likelihood: float
    decides: int

    @property
    def worth(self) -> float:
        """Faces this question is expected to bring to their person."""
        return self.likelihood * self.decides


def who_may_it_be(
    groups: Float32Array, group_faces: IntArray, people: Float32Array, allowed: Allowed, maximum_distance: float
) -> list[Question]:
    """Questions whether groups of nobody are one of the people, one for each group at most, the worthiest first.

    Args:
        groups: float32 (m, d), mean vectors.
        group_faces: int64 (m,), how many faces each has.
        people: float32 (k, d), mean vectors.
        allowed: whether nothing speaks against (group, person).
        maximum_distance: *maximum recognition distance*.
    """
    directions = people * (TYPICAL_LENGTH / np.maximum(np.linalg.norm(people, axis=1, keepdims=True), 1e-6))
    questions = [
        _question(group, found, int(group_faces[group]), GROUP_WEIGHTS, maximum_distance)
        for group, found in _best(groups, directions, allowed, maximum_distance, same=False)
    ]
    apart = [replace(one, distance=1 - float(groups[one.asked] @ people[one.person])) for one in questions]
    return _ranked(apart)


def who_is_there_twice(
    people: Float32Array, faces: IntArray, allowed: Allowed, maximum_distance: float
) -> list[Question]:
    """Questions whether two people are one, each pair once, the worthiest first; arguments as in `who_may_it_be`."""
    best = dict(_best(people, people, allowed, maximum_distance, same=True))
    questions: dict[tuple[int, int], Question] = {}
    for one, (other, alike, runner_up) in best.items():
        back = best.get(other)
        if back is not None and back[0] == one:
            runner_up = max(runner_up, back[2])  # noqa: PLW2901  asked from both sides the gap is the smaller one
        smaller, larger = sorted((one, other), key=lambda number: (int(faces[number]), number))
        question = _question(smaller, (larger, alike, runner_up), int(faces[smaller]), PAIR_WEIGHTS, maximum_distance)
        known = questions.get((smaller, larger))
        if known is None or question.likelihood < known.likelihood:
            questions[smaller, larger] = question
    return _ranked(list(questions.values()))


def worth_asking_again(then: float, now: float) -> bool:
    """Whether a question that was skipped at likelihood `then` has become another one."""
    return now >= then + NEW_EVIDENCE


Best = tuple[int, float, float]
"""(who is most alike, how alike, how alike the runner-up is)"""


def _best(
    asked: Float32Array, people: Float32Array, allowed: Allowed, maximum_distance: float, *, same: bool
) -> Iterator[tuple[int, Best]]:
    stranger = STRANGER * (1 - maximum_distance)
    width = min(RUNNERS_UP + 1, len(people))
    for start in range(0, len(asked) if width else 0, BLOCK):
        alike = asked[start : start + BLOCK] @ people.T
        if same:
            alike[np.arange(len(alike)), start + np.arange(len(alike))] = -np.inf
        top = np.argpartition(-alike, width - 1, axis=1)[:, :width]
        for number, columns, row in zip(range(start, start + len(alike)), top, alike, strict=True):
            order = columns[np.lexsort((columns, -row[columns]))].tolist()
            found = [who for who in order if np.isfinite(row[who]) and allowed(number, who)]
            if found:
                runner_up = float(row[found[1]]) if len(found) > 1 else stranger
                yield number, (found[0], float(row[found[0]]), max(stranger, runner_up))


def _question(asked: int, found: Best, decides: int, weights: tuple[float, float, float], distance: float) -> Question:
    person, alike, runner_up = found
    gap = max(0.0, alike - runner_up)
    constant, of_alike, of_gap = weights
    # Not divided by less than .1: at the largest distances everything would be sure.
    scale = max(1 - distance, 0.1)
    likelihood = 1 / (1 + exp(-(constant + of_alike * alike / scale + of_gap * gap / scale)))
    return Question(asked, person, 1 - alike, gap, likelihood, decides)


def _ranked(questions: list[Question]) -> list[Question]:
    likely = [question for question in questions if question.likelihood >= LEAST_LIKELY]
    return sorted(likely, key=lambda question: (-question.worth, question.asked, question.person))
