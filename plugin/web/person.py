"""One person: their photos by month, and everything a user may do to them."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from flask import Blueprint, flash, render_template, request, url_for
from werkzeug.wrappers import Response

from plugin.domain import Person
from plugin.errors import Refused
from plugin.web.paging import Paging, asked_page
from plugin.web.pictures import face_url
from plugin.web.request_context import (
    account,
    form_date,
    form_id,
    form_ids,
    form_text,
    query_search,
    see_other,
    services,
)
from plugin.web.tiles import PersonTile, PhotoTile, face_tiles, person_tiles, photo_tiles

pages = Blueprint("person", __name__, url_prefix="/people/<int:person_id>")

PAGE_SIZE = 120
SPLIT_SHOWN = 24
"""Faces shown of each group a person may be split into."""

NAMES = 500
"""Names offered for completion."""

CHOICES = 60
"""Faces or people offered to choose from; more are reached by searching."""


@dataclass(frozen=True, slots=True)
class Month:
    """The photos of one month; `start` is the first moment of it that is shown, None for unknown dates."""

    start: datetime | None
    photos: list[PhotoTile]


@dataclass(frozen=True, slots=True)
class PersonPage:
    """What the page of a person shows."""

    tile: PersonTile
    months: list[Month]
    paging: Paging
    names: list[str]


def find_person(person_id: int) -> Person:
    """The person, when they belong to this account; `NotFound` otherwise."""
    return services().catalogue.people.get(person_id, account().id)


def called(person: Person) -> str:
    """How messages speak of a person."""
    return person.name or "this person"


def page_of(person_id: int) -> str:
    """The address of a person."""
    return url_for("person.show", person_id=person_id)


@pages.get("")
def show(person_id: int) -> str:
    """Photos, newest first."""
    person = find_person(person_id)
    paging = asked_page(person.photo_count, PAGE_SIZE)
    assets = services().catalogue.assets.of_person(person_id, account().id, paging.offset, PAGE_SIZE)
    names = known_names() if not person.name else []
    page = PersonPage(person_tiles([person])[0], by_month(photo_tiles(assets)), paging, names)
    return render_template("person.html", page=page)


def by_month(photos: list[PhotoTile]) -> list[Month]:
    """Group photos that are already sorted by date."""

    def month(tile: PhotoTile) -> tuple[int, int]:
        taken = tile.asset.taken_at
        return (taken.year, taken.month) if taken else (0, 0)

    groups = (list(group) for _, group in groupby(photos, key=month))
    return [Month(group[0].asset.taken_at, group) for group in groups]


def known_names() -> list[str]:
    """Names already given, for completion while typing."""
    return sorted(services().catalogue.people.names(account().id, limit=NAMES), key=str.casefold)


@pages.route("/rename", methods=["GET", "POST"])
def rename(person_id: int) -> Response | str:
    """Name a person; when somebody has that name already, ask whether it is the same person."""
    person = find_person(person_id)
    if request.method == "GET":
        return render_template("person_rename.html", tile=person_tiles([person])[0], names=known_names())
    name = form_text("name")
    namesakes = services().people.same_name(account().id, name, person_id) if name else []
    if namesakes and "keep_both" not in request.form:
        shown = person_tiles([person])[0]
        return render_template("person_same_name.html", tile=shown, name=name, namesakes=person_tiles(namesakes))
    services().people.rename(account().id, person_id, name)
    flash(f"Hello {name}!" if not person.name else f"{person.name} is now called {name}.", "undo")
    return see_other(page_of(person_id))


@pages.route("/merge", methods=["GET", "POST"])
def merge(person_id: int) -> Response | str:
    """Everything of this person moves to the one chosen."""
    person = find_person(person_id)
    if request.method == "GET":
        search = query_search()
        others = [tile for tile in person_tiles(choices(search)) if tile.person.id != person_id]
        return render_template("person_merge.html", tile=person_tiles([person])[0], others=others, search=search)
    into = find_person(form_id("into"))
    if into.id == person_id:
        raise Refused("A person cannot be merged with themselves", "Choose somebody else")
    services().people.merge(account().id, into.id, [person_id])
    flash(f"Merged: {person.name or 'these photos'} and {into.name or 'the other person'} are one person now.", "undo")
    return see_other(page_of(into.id))


@pages.route("/split", methods=["GET", "POST"])
def split(person_id: int) -> Response | str:
    """Whom a person may be, too: one group of the proposal, or single faces, become somebody else for good."""
    person = find_person(person_id)
    if request.method == "POST":
        new = services().people.split(account().id, person_id, form_ids("face"))
        flash(f"Split: these faces are not {called(person)} any more. Who are they?", "undo")
        return see_other(page_of(new))
    parts = services().suggestions.split(account().id, person_id).parts
    groups = list(zip(parts, face_tiles([part[:SPLIT_SHOWN] for part in parts]), strict=True))
    return render_template("person_split.html", tile=person_tiles([person])[0], groups=groups)


def choices(search: str) -> list[Person]:
    """People to choose from: by name when something is searched, else those with most faces."""
    return services().catalogue.people.all(
        account().id, minimum_faces=1, include_hidden=True, search=search, limit=CHOICES
    )


@pages.post("/hide")
def hide(person_id: int) -> Response:
    """Off the People page."""
    person = find_person(person_id)
    services().people.set_hidden(account().id, person_id, hidden=True)
    flash(f"{person.name or 'This person'} is hidden from the People page.", "undo")
    return see_other(page_of(person_id))


@pages.post("/unhide")
def unhide(person_id: int) -> Response:
    """Back on the People page."""
    person = find_person(person_id)
    services().people.set_hidden(account().id, person_id, hidden=False)
    flash(f"{person.name or 'This person'} is back on the People page.", "undo")
    return see_other(page_of(person_id))


@pages.route("/birth-date", methods=["GET", "POST"])
def birth_date(person_id: int) -> Response | str:
    """Set or clear the date of birth."""
    person = find_person(person_id)
    if request.method == "GET":
        # The server's clock says what "today" is for the calendar; the step refuses a future date itself.
        today = datetime.now().astimezone().date()
        return render_template("person_birth_date.html", tile=person_tiles([person])[0], today=today)
    born = form_date("birth_date", "Date of birth")
    services().people.set_birth_date(account().id, person_id, born)
    flash(f"Date of birth of {called(person)} {'saved' if born else 'removed'}.", "undo")
    return see_other(page_of(person_id))


@pages.route("/feature", methods=["GET", "POST"])
def feature(person_id: int) -> Response | str:
    """Choose the face that stands for the person."""
    person = find_person(person_id)
    if request.method == "POST":
        services().people.set_feature_face(account().id, person_id, form_id("face"))
        flash(f"New picture for {called(person)}.", "undo")
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
    flash(f"{person.name or 'The person'} was deleted. The photos are untouched.", "undo")
    return see_other(url_for("people.index"))
