"""Faces of nobody: groups that are alike, to be named in one go, and single ones; and what was taken away."""

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, request, url_for
from werkzeug.wrappers import Response

from plugin.domain import FaceId
from plugin.errors import NotFound, Refused
from plugin.ports.galleries import NobodyCounts
from plugin.web.face_groups import FaceGroup, chosen_faces, group_members, page_of_groups
from plugin.web.language import ngettext
from plugin.web.paging import Paging, asked_page
from plugin.web.request_context import account, form_ids, form_text, query_search, see_other, services
from plugin.web.security import came_from
from plugin.web.tiles import FaceTile, face_tiles

pages = Blueprint("unassigned", __name__, url_prefix="/unassigned")

PAGE_SIZE = 16
FACES_PER_PAGE = 96


@dataclass(frozen=True, slots=True)
class UnassignedPage:
    """One page of groups, the largest first."""

    groups: list[FaceGroup]
    paging: Paging
    counts: NobodyCounts
    ignored: int
    names: list[str]


@dataclass(frozen=True, slots=True)
class FacesPage:
    """One page of single faces, of the faces of one group, or of faces that were taken away."""

    tiles: list[FaceTile]
    paging: Paging
    counts: NobodyCounts
    ignored: int
    names: list[str]
    group: FaceId | None = None


@pages.get("")
def show() -> str:
    """The largest groups first."""
    groups, paging, counts = page_of_groups(PAGE_SIZE)
    return render_template("unassigned.html", page=UnassignedPage(groups, paging, counts, ignored_count(), names()))


@pages.get("/singles")
def singles() -> str:
    """Faces alike to no other, the best pictures first."""
    counts, galleries = nobody_counts(), services().catalogue.galleries
    paging = asked_page(counts.singles, FACES_PER_PAGE)
    pack = services().preferences.current().pack
    (tiles,) = face_tiles([galleries.singles(account().id, pack, paging.offset, FACES_PER_PAGE)])
    page = FacesPage(tiles, paging, counts, ignored_count(), names())
    return render_template("unassigned_singles.html", page=page)


@pages.get("/<int:group_id>")
def group(group_id: FaceId) -> str:
    """All faces of one group, to look closely and choose."""
    members = group_members(group_id, 100_000)
    if len(members) < 1:
        raise NotFound("There is no such group")
    paging = asked_page(len(members), FACES_PER_PAGE)
    (tiles,) = face_tiles([members[paging.offset : paging.offset + FACES_PER_PAGE]])
    page = FacesPage(tiles, paging, nobody_counts(), ignored_count(), names(), group_id)
    return render_template("unassigned_group.html", page=page)


@pages.get("/ignored")
def ignored() -> str:
    """Faces that were said to be nobody, the last one first."""
    count = ignored_count()
    paging = asked_page(count, FACES_PER_PAGE)
    (tiles,) = face_tiles([services().catalogue.galleries.ignored(account().id, paging.offset, FACES_PER_PAGE)])
    return render_template("ignored.html", page=FacesPage(tiles, paging, nobody_counts(), count, []))


@pages.post("/ignored")
def restore() -> Response:
    """Bring the faces chosen back, as one thing that can be undone."""
    face_ids = form_ids("face")
    if not face_ids:
        raise Refused("No faces were chosen", "Choose at least one")
    services().people.restore_all(account().id, face_ids)
    flash(ngettext("%(num)s face is back.", "%(num)s faces are back.", len(face_ids)), "undo")
    return see_other(came_from(url_for("unassigned.ignored")))


@pages.get("/names")
def known_names() -> str:
    """Names that begin as typed, for completion where there are too many to send along."""
    return render_template("_names.html", names=services().catalogue.people.names(account().id, query_name(), 20))


@pages.post("")
def name() -> Response:
    """The faces chosen are the person with this name (who has it already, or somebody new), or nobody."""
    owner, face_ids, given = account().id, chosen_faces(), form_text("name")
    if form_text("action") == "ignore":
        services().people.ignore_all(owner, face_ids)
        flash(ngettext("%(num)s face taken away.", "%(num)s faces taken away.", len(face_ids)), "undo")
    else:
        name_faces(face_ids, given)
        said = ngettext(
            "%(num)s face of %(name)s, noted.", "%(num)s faces of %(name)s, noted.", len(face_ids), name=given
        )
        flash(said, "undo")
    return see_other(page_that_is_left())


def name_faces(face_ids: list[FaceId], given: str) -> None:
    """Give faces to the one person who has this name, or to somebody new."""
    people, owner = services().people, account().id
    namesakes = people.same_name(owner, given)
    if len(namesakes) > 1:
        raise Refused(
            "Several people are called %(name)s", "Open one of the faces and choose which of them it is", name=given
        )
    if namesakes:
        people.assign_all(owner, face_ids, namesakes[0].id)
    else:
        people.assign_all_new(owner, face_ids, given)


def page_that_is_left() -> str:
    """Where the form was; the list, when that was the page of a group that is gone now."""
    key = request.args.get("of", type=int)
    gone = key is not None and not group_members(key, 1)
    return url_for("unassigned.show") if gone else came_from(url_for("unassigned.show"))


def nobody_counts() -> NobodyCounts:
    """How many groups and faces of nobody there are."""
    return services().catalogue.galleries.nobody_counts(account().id, services().preferences.current().pack)


def ignored_count() -> int:
    """How many faces were taken away."""
    return services().catalogue.galleries.ignored_count(account().id)


def names() -> list[str]:
    """The first names by alphabet, for completion without JavaScript."""
    return services().catalogue.people.names(account().id)


def query_name() -> str:
    """What was typed so far: the field is called `name`, as the form sends it."""
    return request.args.get("name", "").strip()[:200] or query_search()
