"""One person: the page, and everything a user may do to the person."""

from datetime import date

from flask import Blueprint, flash, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from plugin.domain import Person
from plugin.errors import NotFound, Refused
from plugin.web.language import gettext as _
from plugin.web.language import ngettext
from plugin.web.person_page import person_page
from plugin.web.pictures import face_url
from plugin.web.request_context import (
    account,
    form_date,
    form_id,
    form_ids,
    form_text,
    query_id,
    query_search,
    see_other,
    services,
)
from plugin.web.security import wants_fragment
from plugin.web.tiles import face_tiles, person_tiles

pages = Blueprint("person", __name__, url_prefix="/people/<int:person_id>")

SPLIT_SHOWN = 24
"""Faces shown of each group a person may be split into."""

NAMES = 500
"""Names offered for completion."""

CHOICES = 60
"""Faces or people offered to choose from; more are reached by searching."""

LONGEST_SHOWN = 200
"""Characters of a name that is given back because its person is gone."""

Answer = Response | str | tuple[str, int]


def find_person(person_id: int) -> Person:
    """The person, when they belong to this account; `NotFound` otherwise."""
    return services().catalogue.people.get(person_id, account().id)


def called(person: Person) -> str:
    """How messages speak of a person."""
    return person.name or _("this person")


def page_of(person_id: int) -> str:
    """The address of a person."""
    return url_for("person.show", person_id=person_id)


@pages.get("")
def show(person_id: int) -> Response:
    """Photos, newest first; htmx asks for more of them at the end of the page."""
    person = find_person(person_id)
    more = wants_fragment() and request.headers.get("HX-Target") == "more"
    names = known_names() if not person.name and not more else []
    template = "_person_photos.html" if more else "person.html"
    response = make_response(render_template(template, page=person_page(person, names, everything=not more)))
    response.headers["Vary"] = "HX-Request, HX-Target"
    return response


def known_names() -> list[str]:
    """Names already given, for completion while typing."""
    return sorted(services().catalogue.people.names(account().id, limit=NAMES), key=str.casefold)


@pages.route("/rename", methods=["GET", "POST"])
def rename(person_id: int) -> Answer:
    """Name a person; asks when somebody has that name already, or when another name was given meanwhile."""
    try:
        person = find_person(person_id)
    except NotFound:
        return gone(form_text("name", LONGEST_SHOWN))
    if request.method == "GET":
        return render_template("person_rename.html", tile=person_tiles([person])[0], names=known_names())
    name = form_text("name")
    namesakes = services().people.same_name(account().id, name, person_id) if name else []
    if "keep_both" not in request.form:
        if person.name not in {request.form.get("was", person.name), name}:
            return render_template("person_renamed_meanwhile.html", tile=person_tiles([person])[0], name=name)
        if namesakes:
            shown = person_tiles([person])[0]
            return render_template("person_same_name.html", tile=shown, name=name, namesakes=person_tiles(namesakes))
    services().people.rename(account().id, person_id, name)
    now = find_person(person_id).name
    text = _("%(old)s is now called %(name)s.", old=person.name, name=now)
    flash(text if person.name else _("Hello %(name)s!", name=now), "undo")
    return see_other(page_of(person_id))


def gone(entered: str = "", into: Person | None = None) -> tuple[str, int]:
    """The person is not there (any more): where to go, and what was typed, so that it is not lost."""
    tile = person_tiles([into])[0] if into else None
    return render_template("person_gone.html", entered=entered, tile=tile), 404


@pages.route("/merge", methods=["GET", "POST"])
def merge(person_id: int) -> Answer:
    """Everything of this person moves to another one: chosen among those who look alike, then shown once more."""
    if request.method == "POST":
        return do_merge(person_id)
    person, chosen = find_person(person_id), query_id("into")
    tile = person_tiles([person])[0]
    if chosen is not None and chosen != person_id:
        return render_template("person_merge_into.html", tile=tile, into=person_tiles([find_person(chosen)])[0])
    search = query_search()
    alike = services().likeness.people(account().id, person_id, search, CHOICES)
    others = list(zip(person_tiles([one.person for one in alike]), alike, strict=True))
    return render_template("person_merge.html", tile=tile, others=others, search=search)


def do_merge(person_id: int) -> Answer:
    """A second click finds the person gone, and is told where the photos are."""
    try:
        person = find_person(person_id)
    except NotFound:
        chosen = services().catalogue.people.existing(account().id, form_ids("into"))
        return gone(into=next(iter(chosen), None))
    into = find_person(form_id("into"))
    if into.id == person_id:
        raise Refused(_("A person cannot be merged with themselves"), _("Choose somebody else"))
    services().people.merge(account().id, into.id, [person_id])
    one, other = person.name or _("these photos"), into.name or _("the other person")
    flash(_("Merged: %(one)s and %(other)s are one person now.", one=one, other=other), "undo")
    return see_other(page_of(into.id))


@pages.route("/split", methods=["GET", "POST"])
def split(person_id: int) -> Response | str:
    """Whom a person may be, too: one group of the proposal, or single faces, become somebody else for good."""
    person = find_person(person_id)
    if request.method == "POST":
        new = services().people.split(account().id, person_id, form_ids("face"))
        text = _("Split: these faces are not %(name)s any more. Who are they?", name=called(person))
        flash(text, "undo")
        return see_other(page_of(new))
    parts = services().suggestions.split(account().id, person_id).parts
    groups = list(zip(parts, face_tiles([part[:SPLIT_SHOWN] for part in parts]), strict=True))
    return render_template("person_split.html", tile=person_tiles([person])[0], groups=groups)


@pages.post("/hide")
def hide(person_id: int) -> Response:
    """Off the People page."""
    person = find_person(person_id)
    services().people.set_hidden(account().id, person_id, hidden=True)
    flash(_("%(name)s is hidden from the People page.", name=person.name or _("This person")), "undo")
    return see_other(page_of(person_id))


@pages.post("/unhide")
def unhide(person_id: int) -> Response:
    """Back on the People page."""
    person = find_person(person_id)
    services().people.set_hidden(account().id, person_id, hidden=False)
    flash(_("%(name)s is back on the People page.", name=person.name or _("This person")), "undo")
    return see_other(page_of(person_id))


@pages.post("/favourite")
def favourite(person_id: int) -> Response:
    """To the top of the People page, or down again."""
    person, wanted = find_person(person_id), form_text("favourite") == "yes"
    services().people.set_favourite(account().id, person_id, favourite=wanted)
    yes = _("%(name)s is a favourite now.", name=called(person))
    flash(yes if wanted else _("%(name)s is no favourite any more.", name=called(person)), "undo")
    return see_other(page_of(person_id))


@pages.route("/birth-date", methods=["GET", "POST"])
def birth_date(person_id: int) -> Answer:
    """Set or clear the date of birth; asks when it cannot be right as it stands."""
    person = find_person(person_id)
    if request.method == "GET":
        return render_template("person_birth_date.html", tile=person_tiles([person])[0])
    born = form_date("birth_date", _("Date of birth"))
    doubts = services().people.birth_date_doubts(account().id, person_id, born) if born else None
    sure = form_text("sure")
    if doubts and not sure:
        shown = person_tiles([person])[0]
        return render_template("person_birth_date_sure.html", tile=shown, born=born, doubts=doubts)
    without = doubts.faces_before if doubts and sure == "without" else ()
    services().people.set_birth_date(account().id, person_id, born, sure=bool(sure), without=without)
    flash(birth_date_said(person, born, len(without)), "undo")
    return see_other(page_of(person_id))


def birth_date_said(person: Person, born: date | None, without: int) -> str:
    """What was done."""
    if born is None:
        return _("Date of birth of %(name)s removed.", name=called(person))
    if without:
        return ngettext("Date of birth of %(name)s saved; %(num)s face was taken away.",
                        "Date of birth of %(name)s saved; %(num)s faces were taken away.",
                        without, name=called(person))  # fmt: skip
    return _("Date of birth of %(name)s saved.", name=called(person))


@pages.route("/feature", methods=["GET", "POST"])
def feature(person_id: int) -> Response | str:
    """Choose the face that stands for the person."""
    person = find_person(person_id)
    if request.method == "POST":
        services().people.set_feature_face(account().id, person_id, form_id("face"))
        flash(_("New picture for %(name)s.", name=called(person)), "undo")
        return see_other(page_of(person_id))
    faces = services().catalogue.faces.of_person(person_id, account().id, CHOICES)
    pictures = [(face, face_url(face)) for face in faces]
    return render_template("person_feature.html", tile=person_tiles([person])[0], faces=pictures)


@pages.route("/delete", methods=["GET", "POST"])
def delete(person_id: int) -> Response | str:
    """Delete after a question; photos and faces stay."""
    person = find_person(person_id)
    if request.method == "GET":
        return render_template("person_delete.html", tile=person_tiles([person])[0])
    services().people.delete(account().id, person_id)
    flash(_("%(name)s was deleted. The photos are untouched.", name=person.name or _("The person")), "undo")
    return see_other(url_for("people.index"))
