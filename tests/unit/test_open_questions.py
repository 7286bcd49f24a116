"""Questions kept ready, and how fast somebody answers."""

import threading
from dataclasses import dataclass, field

import pytest

from plugin.domain import AccountId, Suggestion
from plugin.open_questions import USUAL_PACE, OpenQuestions, Pace

ME, NORA = 1, 2
SOON = 30.0
"""Seconds within which a thread certainly gets its turn."""


def question(key: str) -> Suggestion:
    return Suggestion(key, 1, (1,), None, 0.4, 0.1, 0.6, 1, (1,), (2,))


@dataclass
class Board:
    """What there is to ask, how often it was worked out, and a gate that makes that slow."""

    keys: list[str] = field(default_factory=lambda: ["a", "b"])
    state: int = 0
    worked: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    time: float = 0.0
    costs: float = 0.0
    broken: bool = False

    def __post_init__(self) -> None:
        self.gate.set()

    def work_out(self, account_id: AccountId) -> list[Suggestion]:
        keys = list(self.keys) if account_id == ME else []
        self.begun.set()
        assert self.gate.wait(SOON)
        if self.broken:
            raise RuntimeError("broken")
        self.time += self.costs
        self.worked += 1
        return [question(key) for key in keys]

    def marker(self, _account_id: AccountId) -> str:
        return str(self.state)

    def changed(self, *keys: str) -> None:
        self.keys, self.state = list(keys), self.state + 1

    def questions(self, patience: float = SOON) -> OpenQuestions:
        return OpenQuestions(self.work_out, self.marker, patience, lambda: self.time)


@pytest.fixture
def board() -> Board:
    return Board()


def keys(found: list[Suggestion] | None) -> list[str]:
    assert found is not None
    return [one.key for one in found]


def finished(questions: OpenQuestions, board: Board) -> None:
    """Wait until what is being worked out behind is done."""
    for thread in threading.enumerate():
        if thread.name.startswith("questions-"):
            thread.join(SOON)
    assert board.worked


def test_questions_are_worked_out_once_as_long_as_nothing_changes(board: Board) -> None:
    questions = board.questions()
    for _ in range(3):
        assert keys(questions.known(ME)) == ["a", "b"]
    assert keys(questions.now(ME)) == ["a", "b"]
    assert board.worked == 1


def test_a_small_library_is_asked_about_as_it_is_now(board: Board) -> None:
    questions = board.questions()
    questions.known(ME)
    board.changed("c")
    assert keys(questions.known(ME)) == ["c"]
    board.changed("d")
    assert keys(questions.now(ME)) == ["d"]


def test_accounts_have_their_own(board: Board) -> None:
    questions = board.questions()
    assert keys(questions.known(ME)) == ["a", "b"]
    assert keys(questions.known(NORA)) == []
    assert questions.find(ME, "a") is not None
    assert questions.find(NORA, "a") is None


def test_the_first_time_nobody_waits_for_a_large_library(board: Board) -> None:
    questions = board.questions(patience=0)
    board.gate.clear()
    assert questions.known(ME) is None
    board.gate.set()
    finished(questions, board)
    assert keys(questions.known(ME)) == ["a", "b"]


def test_a_large_library_goes_on_with_what_is_known_while_it_is_worked_out(board: Board) -> None:
    board.costs = 2.0
    questions = board.questions(patience=1.0)
    questions.now(ME)
    board.changed("c")
    board.time += 100
    board.gate.clear()
    assert keys(questions.known(ME)) == ["a", "b"]
    board.gate.set()
    finished(questions, board)
    assert keys(questions.known(ME)) == ["c"]


def test_a_large_library_is_not_worked_out_anew_after_every_answer(board: Board) -> None:
    board.costs = 2.0
    questions = board.questions(patience=1.0)
    questions.now(ME)
    board.changed("c")
    board.time += 3
    assert keys(questions.known(ME)) == ["a", "b"]
    assert board.worked == 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("questions-")]


def test_when_all_known_ones_are_answered_new_ones_are_waited_for(board: Board) -> None:
    board.costs = 2.0
    questions = board.questions(patience=SOON)
    questions.now(ME)
    board.changed("c")
    for key in ("a", "b"):
        questions.drop(ME, key)
    assert keys(questions.known(ME)) == ["c"]


def test_what_changed_while_questions_were_worked_out_is_not_missed(board: Board) -> None:
    questions = board.questions(patience=0)
    board.gate.clear()
    board.begun.clear()
    assert questions.known(ME) is None
    assert board.begun.wait(SOON)
    board.changed("c")
    board.gate.set()
    finished(questions, board)
    assert keys(questions.now(ME)) == ["c"]


def test_a_dropped_question_is_gone_and_dropping_it_twice_is_no_harm(board: Board) -> None:
    questions = board.questions()
    questions.drop(ME, "a")
    questions.now(ME)
    for _ in range(2):
        questions.drop(ME, "a")
    assert keys(questions.known(ME)) == ["b"]


def test_a_fault_behind_the_page_leaves_the_questions_known(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    questions = board.questions()
    questions.known(ME)
    board.broken = True
    board.changed("c")
    assert keys(questions.known(ME)) == ["a", "b"]
    assert "could not be worked out" in caplog.text
    with pytest.raises(RuntimeError):
        questions.now(ME)


def test_a_fault_at_the_first_time_shows_no_questions_rather_than_thinking_for_ever(board: Board) -> None:
    board.broken = True
    assert keys(board.questions().known(ME)) == []


@dataclass
class Watch:
    """A clock set by hand."""

    time: float = 0.0

    def __call__(self) -> float:
        return self.time


def test_the_pace_is_the_usual_one_until_some_answers_were_given() -> None:
    watch = Watch()
    pace = Pace(watch)
    for _ in range(3):
        assert pace.seconds(ME) == USUAL_PACE
        pace.answered(ME)
        watch.time += 2


def test_the_pace_follows_the_last_answers_and_leaves_breaks_out() -> None:
    watch = Watch()
    pace = Pace(watch)
    for gap in (2, 2, 3, 600, 2, 0):
        pace.answered(ME)
        watch.time += gap
    assert pace.seconds(ME) == 2
    assert pace.seconds(NORA) == USUAL_PACE
    for _ in range(30):
        pace.answered(ME)
        watch.time += 10
    assert pace.seconds(ME) == 10
