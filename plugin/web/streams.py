"""How many browsers are told live: each stream keeps one of the few threads of the server busy."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from plugin.domain import AccountId

ROOM_SECONDS = 2.0
"""How long a newcomer waits until the oldest stream has made room."""


@dataclass(eq=False)
class Stream:
    """One browser that is told. It ends when `told_to_end` is set: it then polls instead."""

    account_id: AccountId
    told_to_end: threading.Event = field(default_factory=threading.Event)


class Streams:
    """Bounds the streams that are open at once.

    Args:
        at_most: how many; the others poll.
        look_every: seconds between two looks at what is going on.
        heartbeat: seconds after which an empty line shows that the connection still stands.
        longest: seconds after which a stream ends; the browser connects anew.
    """

    def __init__(
        self, at_most: int = 4, look_every: float = 2.0, heartbeat: float = 15.0, longest: float = 300.0
    ) -> None:
        self.at_most = at_most
        self.look_every = look_every
        self.heartbeat = heartbeat
        self.longest = longest
        self._open: list[Stream] = []
        self._changed = threading.Condition()
        self._closed = False

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._open)

    def enter(self, account_id: AccountId) -> Stream | None:
        """Begin a stream; the oldest one makes room, of the same account if there is one. None: poll instead."""
        with self._changed:
            if len(self._open) >= self.at_most:
                mine = [stream for stream in self._open if stream.account_id == account_id]
                for oldest in (mine or self._open)[:1]:
                    oldest.told_to_end.set()
                self._changed.wait_for(lambda: len(self._open) < self.at_most or self._closed, ROOM_SECONDS)
            if self._closed or len(self._open) >= self.at_most:
                return None
            stream = Stream(account_id)
            self._open.append(stream)
            return stream

    def leave(self, stream: Stream) -> None:
        """The stream has ended. Safe to call twice."""
        with self._changed:
            if stream in self._open:
                self._open.remove(stream)
            self._changed.notify_all()

    def close(self) -> None:
        """Kinfolk stops: every stream ends, none begins. Takes no lock that a stream holds, so a signal may call it."""
        self._closed = True
        for stream in list(self._open):
            stream.told_to_end.set()


@contextmanager
def leaving(streams: Streams, stream: Stream) -> Iterator[Callable[[float], bool]]:
    """Leave at the end, whatever happens; yields a wait that says whether the stream has to end."""
    try:
        yield stream.told_to_end.wait
    finally:
        streams.leave(stream)
