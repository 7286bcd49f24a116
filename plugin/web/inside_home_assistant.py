"""Kinfolk in the sidebar of Home Assistant: the way of a page through ingress, and who is looking.

A browser asks Home Assistant, which asks the Supervisor, which asks the add-on; both take the beginning of the path off
and put headers on (`plugin.ingress`). The panel is a frame of Home Assistant's own origin, so the session travels in a
cookie bound to the path of the panel, and every form keeps its token.
"""

import json
from collections.abc import Iterable
from typing import cast
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import current_app, flash, g, request, session, url_for
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from plugin.domain import Account
from plugin.errors import HostError
from plugin.ingress import (
    LONGEST_NAME,
    NOT_THE_SUPERVISOR,
    ONLY_HOOKS,
    ORIGIN,
    SOMEBODY,
    HomeAssistantUser,
    Ingress,
)
from plugin.sentences import Sentence
from plugin.web import first_run
from plugin.web.error_pages import page
from plugin.web.language import explained
from plugin.web.request_context import asks_api, see_other, services
from plugin.web.security import clean_prefix, strip_prefix

VISITOR = "kinfolk.home_assistant_user"
"""In the WSGI environment, where no header can put anything."""

PATH, USER_ID, LOGIN, CALLED = (
    "HTTP_X_INGRESS_PATH", "HTTP_X_REMOTE_USER_ID", "HTTP_X_REMOTE_USER_NAME", "HTTP_X_REMOTE_USER_DISPLAY_NAME",
)  # fmt: skip

PREFIXES = (PATH, "HTTP_X_FORWARDED_PREFIX", "HTTP_X_KINFOLK_BASE", "HTTP_AUTHORIZATION_APP_API")
"""What moves the beginning of a path, or has one believed that does."""

ONLY_INSIDE = (
    Sentence("Open Kinfolk in Home Assistant"),
    Sentence("Its pages are shown in the sidebar of Home Assistant, and nowhere else."),
)
WHO = (
    Sentence("Home Assistant did not say who you are"),
    Sentence("Update Home Assistant, then open the panel again."),
)

OF_OTHER_VISITORS = frozenset({"session.log_in", "session.log_out", "session.welcome"})


class IngressDoor:
    """WSGI middleware, the outermost: believes the headers of ingress from the Supervisor and from nobody else.

    Args:
        app: the application.
        ingress: whom to believe; None: nobody, so that the headers mean nothing.
    """

    def __init__(self, app: WSGIApplication, ingress: Ingress | None) -> None:
        self._app = app
        self._ingress = ingress
        # Home Assistant adds the browser, the Supervisor adds Home Assistant.
        self._from_supervisor = ProxyFix(app, x_for=2, x_proto=1, x_host=1)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        said = {name: environ.pop(name, "") for name in (PATH, USER_ID, LOGIN, CALLED)}
        if self._ingress is None:
            return self._app(environ, start_response)
        if environ.get("REMOTE_ADDR") != self._ingress.supervisor:
            if any(said.values()):
                return refuse(start_response)
            return self._app(environ, start_response)
        environ[VISITOR] = HomeAssistantUser(*(decoded(said[name]) for name in (USER_ID, LOGIN, CALLED)))
        environ.pop("HTTP_X_FORWARDED_PREFIX", None)
        if prefix := clean_prefix(said[PATH]):
            environ["SCRIPT_NAME"] = prefix
            strip_prefix(environ, prefix)
        return self._from_supervisor(environ, start_response)


class HooksOnly:
    """WSGI middleware: on one port nothing is answered but hooks and the sign of life.

    Args:
        app: the application.
        port: the port.
    """

    def __init__(self, app: WSGIApplication, port: int) -> None:
        self._app = app
        self._port = str(port)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        if environ.get("SERVER_PORT") == self._port:
            path = environ.get("PATH_INFO", "")
            if not path.startswith("/hooks/") and path != "/healthz":
                return answer(start_response, "404 Not Found", 404, ONLY_HOOKS)
            # Further inside the path must stay the one that was looked at.
            for name in PREFIXES:
                environ.pop(name, None)
        return self._app(environ, start_response)


def refuse(start_response: StartResponse) -> list[bytes]:
    """For who pretends to be the Supervisor."""
    return answer(start_response, "403 Forbidden", 403, NOT_THE_SUPERVISOR)


def answer(start_response: StartResponse, line: str, status: int, title: str) -> list[bytes]:
    """A problem (RFC 9457) from outside of Flask."""
    body = json.dumps({"status": status, "title": title}).encode()
    start_response(
        line,
        [
            ("Content-Type", "application/problem+json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ],
    )
    return [body]


def decoded(value: str) -> str:
    """A header as it was meant: WSGI hands bytes over as Latin-1, Home Assistant sends UTF-8."""
    return value[: 4 * LONGEST_NAME].encode("latin-1", "replace").decode("utf-8", "replace").strip()[:LONGEST_NAME]


def visitor() -> HomeAssistantUser | None:
    """Who is looking by the Supervisor's word; None: the request does not come through ingress."""
    return cast("HomeAssistantUser | None", request.environ.get(VISITOR))


def at_home_assistant() -> bool:
    """Whether Kinfolk lives in a Home Assistant, and shows its pages nowhere else."""
    return services().ingress is not None


def admit_home_assistant() -> Response | None:
    """Let users of Home Assistant in, and nobody else; None lets the request pass."""
    user, ingress = visitor(), services().ingress
    if user is None or ingress is None:
        return refused(*ONLY_INSIDE)
    if not user.id:
        return refused(*WHO)
    g.account = account_of(ingress, user)
    g.inside_home_assistant = user
    if asks_api():
        g.api_token = None
        cast("CSRFProtect", current_app.extensions["csrf"]).protect()
        return None
    return begin(user) or (see_other(url_for("people.index")) if request.endpoint in OF_OTHER_VISITORS else None)


def begin(user: HomeAssistantUser) -> Response | None:
    """At the first page: nothing of somebody else in the same browser is left; who looks after Kinfolk sets it up."""
    if session.get("home_assistant_user") == user.id:
        return None
    session.clear()
    session["home_assistant_user"] = user.id
    starts = request.endpoint == "people.index" and first_run.unfinished(g.account)
    return see_other(url_for("first_run.show")) if starts else None


def refused(title: str, text: str) -> Response:
    """403 as a page, or as JSON for programs."""
    current_app.logger.info("A page was asked for past Home Assistant, from %s", request.remote_addr)
    return current_app.make_response(page(403, title, text))


def account_of(ingress: Ingress, user: HomeAssistantUser) -> Account:
    """The account of a user of Home Assistant; the option may make it an administrator at any visit."""
    named = ingress.names_as_administrator(user)
    found = services().outside_accounts.find(
        ORIGIN,
        user.id,
        lambda: named,
        called=user.called or user.login or SOMEBODY,
        first_looks_after=not ingress.administrators,
    )
    if named and not found.is_admin:
        services().accounts.set_admin(found.id, is_admin=True)
        return services().accounts.get(found.id)
    return found


def address_for_hooks(endpoint: str, library_id: int) -> str:
    """Where programs reach the hook of a library; "" where nobody can say that."""
    return address_outside(endpoint, library_id)


def address_for_programs(endpoint: str) -> str:
    """Where programs reach anything else."""
    return address_outside(endpoint)


def address_outside(endpoint: str, library_id: int | None = None) -> str:
    """As the page's own address, except inside another program, whose addresses open only for its users.

    Inside Nextcloud that is unknown; while the Supervisor is away the page says so and shows none.
    """
    if g.get("inside_nextcloud"):
        return ""
    addresses = services().addon_addresses
    if visitor() is None or addresses is None:
        return url_for(endpoint, library_id=library_id, _external=True)
    try:
        base = addresses.for_addons() if library_id is None else addresses.for_hooks(host_name())
    except HostError as error:
        flash(explained(error), "bad")
        return ""
    return base + url_for(endpoint, library_id=library_id).removeprefix(request.script_root)


def host_name() -> str:
    """The name under which the visitor reached Home Assistant, without its port; "" for nonsense."""
    try:
        name = urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return ""
    return f"[{name}]" if ":" in name else name
