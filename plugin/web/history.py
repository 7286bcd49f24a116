"""What users did to people and faces, newest first, and taking it back."""

from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import parse_qs

from flask import Blueprint, current_app, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from plugin.domain import Event
from plugin.errors import NotFound
from plugin.web.language import ngettext, translated
from plugin.web.paging import Paging, asked_page
from plugin.web.request_context import account, form_id, parse_id, see_other, services
from plugin.web.security import came_from
from plugin.web.tiles import FaceTile, face_tiles

pages = Blueprint("history", __name__, url_prefix="/history")

PAGE_SIZE = 50
FACES_SHOWN = 4
TITLES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """An event and a few faces it was about."""

    event: Event
    faces: list[FaceTile]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """One page of events; `standing` is the id of the newest that was not taken back."""

    events: list[ShownEvent]
    standing: int | None
    paging: Paging


@pages.get("")
def show() -> str:
    """The list; the newest thing that still stands can be taken back, or everything back to one further down."""
    history, owner = services().history, account().id
    paging = asked_page(services().catalogue.events.count(owner), PAGE_SIZE)
    newest = history.standing(owner)
    events = with_faces(history.latest(owner, PAGE_SIZE, paging.offset))
    return render_template("history.html", page=HistoryPage(events, newest.id if newest else None, paging))


def with_faces(events: list[Event]) -> list[ShownEvent]:
    """The events with a few faces each: those that are still there."""
    touched: dict[int, list[int]] = {event.id: [] for event in events}
    for each in services().catalogue.events.touched(list(touched), FACES_SHOWN):
        touched[each.event_id].append(each.face_id)
    return [ShownEvent(event, tiles) for event, tiles in zip(events, face_tiles(list(touched.values())), strict=True)]


@pages.post("/undo")
def undo() -> Response:
    """Take back the event the button stood for; a second click, or an older page, takes back nothing else."""
    (undone,) = services().history.undo(account().id, expected=form_id("event"))
    flash(_("Taken back: %(title)s.", title=translated(undone.title)), "good")
    return see_other(page_that_is_left())


@pages.get("/<int:event_id>/undo")
def ask_undo_back_to(event_id: int) -> str:
    """The question before everything back to this event is taken back."""
    standing = services().history.standing_since(account().id, event_id)
    return render_template("history_undo.html", standing=standing, shown=with_faces(standing[:TITLES_SHOWN]))


@pages.post("/<int:event_id>/undo")
def undo_back_to(event_id: int) -> Response:
    """Take back everything since this event and the event itself, if it is still what the question was about."""
    undone = services().history.undo_back_to(account().id, event_id, form_id("event"))
    flash(ngettext("%(num)s step taken back.", "%(num)s steps taken back.", len(undone)), "good")
    return see_other(url_for("history.show"))


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
        _endpoint, values = current_app.url_map.bind("").match(
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
