"""What users did to people and faces, newest first, and taking it back."""

from contextlib import suppress
from urllib.parse import parse_qs

from flask import Blueprint, current_app, flash, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from plugin.errors import NotFound
from plugin.web.request_context import account, form_id, parse_id, see_other, services
from plugin.web.security import came_from

pages = Blueprint("history", __name__, url_prefix="/history")

SHOWN = 200


@pages.get("")
def show() -> str:
    """The list; only the newest thing that still stands can be taken back, the others follow one by one."""
    history, owner = services().history, account().id
    newest = history.standing(owner)
    standing = newest.id if newest else None
    return render_template("history.html", events=history.latest(owner, SHOWN), standing=standing, most=SHOWN)


@pages.post("/undo")
def undo() -> Response:
    """Take back the event the button stood for; a second click, or an older page, takes back nothing else."""
    (undone,) = services().history.undo(account().id, expected=form_id("event"))
    flash(f"Taken back: {undone.title}.", "good")
    return see_other(page_that_is_left())


def faces_are_there(query: str) -> bool:
    """Whether the face that an address names (`face=ID`) exists, if it names one."""
    try:
        for text in parse_qs(query).get("face", []):
            services().catalogue.faces.get(parse_id(text), account().id)
    except NotFound:
        return False
    return True


def page_that_is_left() -> str:
    """Where the button was, unless undoing took away the person, or the drawn face, that page was about."""
    page = came_from(url_for("history.show"))
    with suppress(HTTPException):
        _, values = current_app.url_map.bind("").match(
            page.partition("?")[0].removeprefix(request.script_root), method="GET"
        )
        if "person_id" in values:
            try:
                services().catalogue.people.get(values["person_id"], account().id)
            except NotFound:
                return url_for("people.index")
        if "asset_id" in values and not faces_are_there(page.partition("?")[2]):
            return page.partition("?")[0]
    return page
