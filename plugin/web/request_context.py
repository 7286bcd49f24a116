"""What a view asks first: the services, who is logged in, and the values of a form."""

from datetime import date
from typing import cast

from flask import abort, current_app, g, redirect, request
from werkzeug.wrappers import Response

from plugin.domain import Account
from plugin.errors import NotFound, Refused
from plugin.web.services import WebServices

EXTENSION = "kinfolk"
LARGEST_ID = 2**63 - 1


def services() -> WebServices:
    """The services `create_app` was given."""
    return cast("WebServices", current_app.extensions[EXTENSION])


def account() -> Account:
    """Who is logged in; the guard in `plugin.web.session` lets nobody else reach a view."""
    return cast("Account", g.account)


def asks_api() -> bool:
    """Whether the visitor is a program that wants JSON."""
    return request.path.startswith("/api/")


MACHINES = ("/engine/", "/hooks/")
"""Where other programs speak to Kinfolk with a secret of their own: no session, no cookie, no page."""


def is_machine() -> bool:
    """Whether the request is for a program with a secret of its own, checked by the blueprint."""
    return request.path.startswith(MACHINES)


def speaks_json() -> bool:
    """Whether errors are answered as JSON."""
    return asks_api() or is_machine()


def require_admin() -> None:
    """Answer 403 to members: only the admin changes libraries and settings."""
    if not account().is_admin:
        abort(403)


def form_text(name: str, limit: int = 1000) -> str:
    """A text field, stripped, at most `limit` characters; "" when missing."""
    return request.form.get(name, "").strip()[:limit]


def form_id(name: str) -> int:
    """A row id from a form.

    Raises:
        Refused: nothing was chosen.
        NotFound: not a number, so it names nothing.
    """
    text = form_text(name)
    if not text:
        raise Refused("Nothing was chosen", "Choose one and try again")
    return parse_id(text)


def form_ids(name: str) -> list[int]:
    """All row ids sent under this name, each once. Raises `NotFound` when one is not a number."""
    return list(dict.fromkeys(parse_id(text) for text in request.form.getlist(name)))


def query_search() -> str:
    """What is searched for (`?q=`), stripped and not endless; "" when nothing is."""
    return request.args.get("q", "").strip()[:200]


def query_id(name: str) -> int | None:
    """A row id from the address, or None when it is missing. Raises `NotFound` when it is not a number."""
    text = request.args.get(name, "")
    return parse_id(text) if text else None


def parse_id(text: str) -> int:
    """A positive row id that fits the catalogue. Raises `NotFound` for anything else."""
    if text.isascii() and text.isdecimal() and len(text) < 20 and 0 < int(text) <= LARGEST_ID:
        return int(text)
    raise NotFound("There is no such thing")


def form_number(name: str, title: str) -> float:
    """A decimal number; a comma is taken for a point. Raises `Refused`."""
    text = form_text(name).replace(",", ".")
    try:
        return float(text)
    except ValueError:
        raise Refused("%(title)s must be a number, not “%(text)s”", title=title, text=text[:40]) from None


def form_date(name: str, title: str) -> date | None:
    """A date as YYYY-MM-DD; None when the field is empty. Raises `Refused`."""
    text = form_text(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Refused("%(title)s must be a date like 1980-07-14, not “%(text)s”", title=title, text=text[:40]) from None


def see_other(location: str) -> Response:
    """POST-redirect-GET: 303 makes every browser fetch the next page with GET, so a reload repeats nothing."""
    return redirect(location, code=303)
