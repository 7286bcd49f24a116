"""What users did to people and faces, newest first, and taking it back."""

from flask import Blueprint, flash, render_template, url_for
from werkzeug.wrappers import Response

from plugin.errors import Refused
from plugin.web.request_context import account, form_id, see_other, services
from plugin.web.security import came_from

pages = Blueprint("history", __name__, url_prefix="/history")

SHOWN = 200


@pages.get("")
def show() -> str:
    """The list; only the newest thing that still stands can be taken back, the others follow one by one."""
    events = services().history.latest(account().id, SHOWN)
    standing = next((event.id for event in events if not event.undone), None)
    return render_template("history.html", events=events, standing=standing, most=SHOWN)


@pages.post("/undo")
def undo() -> Response:
    """Take back the event the button stood for; a second click, or an older page, takes back nothing else."""
    history, owner = services().history, account().id
    standing = history.standing(owner)
    if standing is None or standing.id != form_id("event"):
        raise Refused("Something newer has happened, or this was taken back already", "The history shows what stands")
    history.undo(owner)
    flash(f"Taken back: {standing.title}.", "good")
    return see_other(came_from(url_for("history.show")))
