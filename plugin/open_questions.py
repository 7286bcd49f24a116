"""Questions kept ready: what to ask next is there at once, and is worked out anew behind it.

Working all questions out takes seconds in a large library. They are kept for each account, with a marker of the state
they were worked out from. A small library's are worked out anew whenever something changed; a large one's in the
background, while those that are known go on being asked. Whoever takes one looks by `still_open` whether it is true.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from plugin.domain import AccountId, Suggestion

log = logging.getLogger(__name__)

PATIENCE = 0.08
"""Seconds a page waits for questions to be worked out."""

REST = 5.0
"""Times as long as working them out took, nothing is worked out again: answers come faster than that."""

LONGEST_PAUSE = 60.0
"""Seconds; who took longer for an answer was away."""

USUAL_PACE = 6.0
"""Seconds for an answer, as long as nothing was measured."""

ANSWERS_MEASURED = 20

WorkOut = Callable[[AccountId], list[Suggestion]]
Marker = Callable[[AccountId], str]
Clock = Callable[[], float]


class Pace:
    """How fast somebody answers.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._answered: dict[AccountId, deque[float]] = {}

    def answered(self, account_id: AccountId) -> None:
        """Somebody answered just now."""
        self._answered.setdefault(account_id, deque(maxlen=ANSWERS_MEASURED)).append(self._clock())

    def seconds(self, account_id: AccountId) -> float:
        """For one answer, from the last ones; without breaks."""
        moments = list(self._answered.get(account_id, ()))
        gaps = [later - earlier for earlier, later in pairwise(moments)]
        worked = [gap for gap in gaps if gap <= LONGEST_PAUSE]
        return median(worked) if len(worked) >= 3 else USUAL_PACE


@dataclass(eq=False)
class _Kept:
    """The questions of one account, and from when they are."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)
    questions: dict[str, Suggestion] | None = None
    dropped: Suggestion | None = None
    marker: str = ""
    took: float = 0.0
    finished: float = 0.0
    worker: threading.Thread | None = None


class OpenQuestions:
    """The questions of every account, kept ready.

    Args:
        work_out: all questions of an account, best first; slow.
        marker: `LiveRows.marker`, and whatever else questions depend on.
        patience: seconds a caller waits for `work_out` before it gets what is known.
        clock: seconds, monotonic.
    """

    def __init__(
        self, work_out: WorkOut, marker: Marker, patience: float = PATIENCE, clock: Clock = time.monotonic
    ) -> None:
        self._work_out = work_out
        self._marker = marker
        self._patience = patience
        self._clock = clock
        self._accounts: dict[AccountId, _Kept] = {}
        self._lock = threading.Lock()

    def now(self, account_id: AccountId) -> list[Suggestion]:
        """The questions as things are now, worked out first if anything changed, however long that takes."""
        kept = self._of(account_id)
        with kept.one_at_a_time:
            if self._stale(account_id, kept):
                self._renew(account_id, kept)
        return self._questions(kept)

    def known(self, account_id: AccountId) -> list[Suggestion] | None:
        """The questions that are known, soon: worked out anew behind them if need be. None: not known yet."""
        kept = self._of(account_id)
        if self._stale(account_id, kept) and (self._quick(kept) or self._rested(kept)):
            # A large library's are not waited for, so that the answers do not wait either.
            worker = self._worker(account_id, kept)
            if kept.questions is None or not kept.questions or self._quick(kept):
                worker.join(self._patience)
        return None if kept.questions is None else self._questions(kept)

    def find(self, account_id: AccountId, key: str) -> Suggestion | None:
        """The question with this key among those that are known."""
        kept = self._of(account_id)
        with kept.lock:
            return (kept.questions or {}).get(key)

    def drop(self, account_id: AccountId, key: str) -> None:
        """This question was answered, or is not open any more."""
        kept = self._of(account_id)
        with kept.lock:
            if kept.questions is not None:
                kept.dropped = kept.questions.pop(key, kept.dropped)

    def bring_back(self, account_id: AccountId, key: str) -> None:
        """The answer to this question was taken back: it comes next, or, when long forgotten, in its turn."""
        kept = self._of(account_id)
        with kept.lock:
            if kept.questions is None or kept.dropped is None or kept.dropped.key != key:
                kept.marker = ""
            else:
                kept.questions = {key: kept.dropped, **kept.questions}

    def close(self) -> None:
        """Wait until nothing is being worked out any more: the catalogue is about to be closed."""
        with self._lock:
            workers = [kept.worker for kept in self._accounts.values()]
        for worker in workers:
            if worker is not None:
                worker.join()

    def _of(self, account_id: AccountId) -> _Kept:
        with self._lock:
            return self._accounts.setdefault(account_id, _Kept())

    def _questions(self, kept: _Kept) -> list[Suggestion]:
        with kept.lock:
            return list((kept.questions or {}).values())

    def _stale(self, account_id: AccountId, kept: _Kept) -> bool:
        return kept.questions is None or kept.marker != self._marker(account_id)

    def _quick(self, kept: _Kept) -> bool:
        return kept.questions is not None and kept.took <= self._patience

    def _rested(self, kept: _Kept) -> bool:
        return not kept.questions or self._clock() - kept.finished >= REST * kept.took

    def _worker(self, account_id: AccountId, kept: _Kept) -> threading.Thread:
        """The thread that works them out; one for each account."""
        with kept.lock:
            if kept.worker is None or not kept.worker.is_alive():
                name = f"questions-{account_id}"
                kept.worker = threading.Thread(target=self._behind, args=(account_id, kept), name=name, daemon=True)
                kept.worker.start()
            return kept.worker

    def _behind(self, account_id: AccountId, kept: _Kept) -> None:
        with kept.one_at_a_time:
            try:
                self._renew(account_id, kept)
            except Exception:
                # Nobody waits for this thread's errors, and a page that asks for ever is worse than an old question.
                log.exception("The questions could not be worked out")
                with kept.lock:
                    kept.questions, kept.finished = kept.questions or {}, self._clock()

    def _renew(self, account_id: AccountId, kept: _Kept) -> None:
        # The marker first: what changes while they are worked out makes them stale again.
        started, marker = self._clock(), self._marker(account_id)
        found = {question.key: question for question in self._work_out(account_id)}
        with kept.lock:
            kept.questions, kept.marker = found, marker
            kept.finished = self._clock()
            kept.took = kept.finished - started
