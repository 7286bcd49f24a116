"""Server-sent events: how the scan goes and who was found, told to the browser while a scan runs.

The events are small and only say that something changed; the page fetches the parts it shows. Without them it polls.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, stream_with_context
from werkzeug.wrappers import Response

from plugin.domain import Account
from plugin.web.request_context import account, services
from plugin.web.scan_state import ScanState, read_scan_state
from plugin.web.streams import Stream, leaving

pages = Blueprint("live", __name__)

RETRY_MILLISECONDS = 5000


@dataclass(frozen=True, slots=True)
class Seen:
    """What was told last."""

    scan: dict[str, object]
    newest_person: int


@pages.get("/events")
def stream() -> Response:
    """The stream of this account; 503 when there are enough of them, which lets the browser poll."""
    owner = account()
    entered = services().live_streams.enter(owner.id)
    if entered is None:
        return Response(status=503, mimetype="text/plain")
    response = Response(stream_with_context(events(owner, entered)), mimetype="text/event-stream")
    # Left also when the browser went away before the first line was asked for.
    streams = services().live_streams
    response.call_on_close(lambda: streams.leave(entered))
    response.headers["X-Accel-Buffering"] = "no"
    return response


def events(owner: Account, entered: Stream) -> Iterator[str]:
    """The lines of one stream, until the scan is done, the session is over, or it is told to end."""
    streams = services().live_streams
    ends = time.monotonic() + streams.longest
    with leaving(streams, entered) as told_to_end:
        seen: Seen | None = None
        told_at = time.monotonic()
        yield f"retry: {RETRY_MILLISECONDS}\n\n"
        while time.monotonic() < ends:
            looked_at = time.monotonic()
            now, active = look(owner)
            cost = time.monotonic() - looked_at
            told = "".join(changes(seen, now))
            if told or time.monotonic() - told_at >= streams.heartbeat:
                told_at = time.monotonic()
                yield told or ": still here\n\n"
            seen = now
            if not active:
                yield event("done", {})
                return
            # In a large library a look costs something: never more than a tenth of one processor.
            if told_to_end(max(streams.look_every, 9 * cost)) or session_is_over(owner):
                yield event("poll", {})
                return


def look(owner: Account) -> tuple[Seen, bool]:
    """What is to be told now, and whether the scan still runs."""
    scan = read_scan_state(owner.id)
    return Seen(summary(scan), services().catalogue.live.newest_person(owner.id)), scan.active


def summary(scan: ScanState) -> dict[str, object]:
    """A scan in a few values."""
    return {"active": scan.active, "percent": scan.percent, "headline": scan.headline, "done": scan.queue.done}


def changes(before: Seen | None, now: Seen) -> Iterator[str]:
    """One event for each thing that changed."""
    if before is None or before.scan != now.scan:
        yield event("scan", now.scan)
    if before is not None and before.newest_person != now.newest_person:
        yield event("people", {"newest": now.newest_person})


def event(name: str, data: dict[str, object]) -> str:
    """As a browser reads it; JSON has no line break of its own."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def session_is_over(owner: Account) -> bool:
    """Whether the account is gone, or its password was changed since."""
    now = services().catalogue.accounts.get(owner.id)
    return now is None or now.session_epoch != owner.session_epoch
