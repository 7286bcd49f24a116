"""Every page sees one state of the catalogue from its first question to its last, by one connection."""

from contextlib import AbstractContextManager

from flask import Flask, g, request
from werkzeug.wrappers import Response

from plugin.web.request_context import services
from plugin.web.security import APP_HEADER

SLOW_BLUEPRINTS = frozenset({"pictures", "live"})
"""They wait for a host, or for something to happen; meanwhile the catalogue could not tidy up its log."""

NEVER_ASK = frozenset({"static", "health.healthz"})


def install_looking(app: Flask) -> None:
    """Begin before the guard asks who is there, and end with the answer, before it is sent."""
    app.before_request(begin)
    app.after_request(end_with)
    app.teardown_request(end)


def begin() -> None:
    """Look; forms write, so each of their questions is one of its own.

    So is each inside Nextcloud: a first visit makes an account, and has to see the one a second request made meanwhile.
    """
    slow = request.blueprint in SLOW_BLUEPRINTS or request.endpoint in NEVER_ASK
    if request.method in {"GET", "HEAD"} and not slow and APP_HEADER not in request.headers:
        g.looking = services().catalogue.looking()
        g.looking.__enter__()


def end_with(response: Response) -> Response:
    """The answer is made."""
    end()
    return response


def end(_error: BaseException | None = None) -> None:
    """Look away, if that did not happen yet."""
    looking: AbstractContextManager[None] | None = g.pop("looking", None)
    if looking is not None:
        looking.__exit__(None, None, None)
