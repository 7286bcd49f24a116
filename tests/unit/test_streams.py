"""How many browsers are told live at once."""

import threading

from plugin.web.streams import Streams, leaving

ME, NORA = 1, 2


def leave_when_told(streams: Streams, account_id: int) -> threading.Thread:
    """A stream on a thread of its own, as in the server."""
    entered = streams.enter(account_id)
    assert entered is not None

    def run() -> None:
        with leaving(streams, entered) as told_to_end:
            told_to_end(30)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_the_oldest_of_the_same_account_makes_room() -> None:
    streams = Streams(at_most=2)
    noras, mine = leave_when_told(streams, NORA), leave_when_told(streams, ME)
    assert streams.enter(ME) is not None
    mine.join(30)
    assert not mine.is_alive()
    assert noras.is_alive()
    assert streams.count == 2
    streams.close()
    noras.join(30)


def test_the_oldest_of_all_makes_room_for_another_account() -> None:
    streams = Streams(at_most=1)
    mine = leave_when_told(streams, ME)
    assert streams.enter(NORA) is not None
    mine.join(30)
    assert not mine.is_alive()
    assert streams.count == 1


def test_without_room_a_newcomer_polls() -> None:
    streams = Streams(at_most=1)
    stuck = streams.enter(ME)
    assert stuck is not None
    assert streams.enter(ME) is None
    assert stuck.told_to_end.is_set()
    for _ in range(2):
        streams.leave(stuck)
    assert streams.enter(ME) is not None


def test_closing_ends_all_and_lets_none_begin() -> None:
    streams = Streams()
    threads = [leave_when_told(streams, ME) for _ in range(3)]
    streams.close()
    for thread in threads:
        thread.join(30)
    assert streams.count == 0
    assert streams.enter(ME) is None
