"""Faces of nobody, grouped by likeness, to be named in one go."""

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, url_for
from werkzeug.wrappers import Response

from plugin.domain import FaceId
from plugin.errors import Refused
from plugin.web.paging import Paging, asked_page
from plugin.web.person import known_names
from plugin.web.request_context import account, form_ids, form_text, see_other, services
from plugin.web.tiles import FaceTile, face_tiles
from plugin.web.wording import counted

pages = Blueprint("unassigned", __name__, url_prefix="/unassigned")

PAGE_SIZE = 24
SHOWN = 12
"""Faces shown of one group."""


@dataclass(frozen=True, slots=True)
class FaceGroup:
    """Faces that look alike, and the first of them to look at."""

    face_ids: tuple[FaceId, ...]
    tiles: list[FaceTile]


@dataclass(frozen=True, slots=True)
class UnassignedPage:
    """One page of groups, the largest first."""

    groups: list[FaceGroup]
    paging: Paging
    faces: int
    names: list[str]


@pages.get("")
def show() -> str:
    """The largest groups first, single faces last."""
    everything = services().suggestions.unassigned_groups(account().id, 0, limit=1_000_000)
    paging = asked_page(len(everything), PAGE_SIZE)
    groups = everything[paging.offset : paging.offset + PAGE_SIZE]
    tiles = face_tiles([group[:SHOWN] for group in groups])
    page = UnassignedPage(
        [FaceGroup(group, shown) for group, shown in zip(groups, tiles, strict=True)],
        paging,
        sum(len(group) for group in everything),
        known_names(),
    )
    return render_template("unassigned.html", page=page)


@pages.post("")
def name() -> Response:
    """All faces of the group are the person with this name (the one who has it already, or somebody new)."""
    people, owner, given = services().people, account().id, form_text("name")
    face_ids = form_ids("face")
    if not face_ids:
        raise Refused("No faces were chosen", "Choose at least one")
    if form_text("action") == "ignore":
        people.ignore_all(owner, face_ids)
        flash(f"{counted(len(face_ids), 'face', 'faces')} taken away.", "undo")
        return see_other(url_for("unassigned.show"))
    namesakes = people.same_name(owner, given)
    if len(namesakes) > 1:
        raise Refused(f"Several people are called {given}", "Open one of the faces and choose which of them it is")
    if namesakes:
        people.assign_all(owner, face_ids, namesakes[0].id)
    else:
        people.assign_all_new(owner, face_ids, given)
    flash(f"{counted(len(face_ids), 'face', 'faces')} of {given}, noted.", "undo")
    return see_other(url_for("unassigned.show"))
