"""What belongs to the photos of a person: taking them away, similar faces, splitting, slideshow, download."""

from dataclasses import dataclass

from flask import Blueprint, Response, flash, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from plugin.domain import Asset, FaceId, Person, PersonId
from plugin.errors import Refused
from plugin.originals import MOST_PHOTOS, file_name
from plugin.web.ages import age_on
from plugin.web.language import gettext as _
from plugin.web.language import ngettext
from plugin.web.paging import Paging, asked_page
from plugin.web.person import CHOICES, called, find_person, known_names, page_of
from plugin.web.pictures import LARGE, preview_url
from plugin.web.request_context import account, form_id, form_ids, form_text, parse_id, see_other, services
from plugin.web.security import came_from, wants_fragment
from plugin.web.tiles import PersonTile, face_tiles, person_tiles

pages = Blueprint("person_photos", __name__, url_prefix="/people/<int:person_id>")

SIMILAR, SIMILAR_ON_PAGE = 24, 12


@pages.post("/not")
def not_them(person_id: int) -> AnyResponse:
    """The person is not on these photos: every one ticked, or the one whose own button was pressed."""
    person = find_person(person_id)
    only = form_text("only")
    assets = [parse_id(only)] if only else form_ids("photo")
    if not assets:
        raise Refused(_("No photos were chosen"), _("Tick at least one"))
    faces = services().catalogue.person_photos.faces_on(person_id, account().id, assets)
    if faces:
        services().people.reject_all(account().id, faces, person_id)
        flash(taken_away(person, len(faces)), "undo")
    else:
        flash(_("These photos were taken away already."), "good")
    return see_other(came_from(page_of(person_id)))


@pages.post("/move")
def move(person_id: int) -> AnyResponse | str:
    """Somebody else is on these photos in place of the person: who it is, is asked on a page of its own."""
    person, assets = find_person(person_id), form_ids("photo")
    if not assets:
        raise Refused(_("No photos were chosen"), _("Tick at least one"))
    if not (form_text("into") or form_text("name")):
        alike = services().likeness.people(account().id, person_id, limit=CHOICES)
        tiles = person_tiles([one.person for one in alike])
        shown = person_tiles([person])[0]
        return render_template("person_move.html", tile=shown, assets=assets, others=tiles, names=known_names())
    faces = services().catalogue.person_photos.faces_on(person_id, account().id, assets)
    if not faces:
        flash(_("These photos were taken away already."), "good")
        return see_other(page_of(person_id))
    into = find_person(move_faces(faces))
    text = ngettext("%(num)s face is %(name)s now.", "%(num)s faces are %(name)s now.", len(faces), name=called(into))
    flash(text, "undo")
    return see_other(page_of(into.id))


def move_faces(faces: list[FaceId]) -> PersonId:
    """Give the faces to the person chosen, the one with the name typed, or somebody new of that name."""
    people, owner, name = services().people, account().id, form_text("name")
    namesakes = people.same_name(owner, name) if name else [find_person(form_id("into"))]
    if len(namesakes) > 1:
        raise Refused("Several people are called %(name)s", "Choose the right one by the picture", name=name)
    if not namesakes:
        return people.assign_all_new(owner, faces, name)
    people.assign_all(owner, faces, namesakes[0].id)
    return namesakes[0].id


def taken_away(person: Person, count: int) -> str:
    """What was said about so many faces."""
    if not person.name:
        return ngettext("%(num)s face is not this person.", "%(num)s faces are not this person.", count)
    return ngettext("%(num)s face is not %(name)s.", "%(num)s faces are not %(name)s.", count, name=person.name)


@pages.route("/similar", methods=["GET", "POST"])
def similar(person_id: int) -> AnyResponse | str:
    """Faces of nobody that look like the person: who is, who is not."""
    person = find_person(person_id)
    if request.method == "POST":
        return answer_similar(person)
    limit = SIMILAR_ON_PAGE if wants_fragment() else SIMILAR
    found = services().likeness.faces(account().id, person_id, limit)
    tiles = face_tiles([[one.face_id for one in found]])[0]
    template = "_person_similar.html" if wants_fragment() else "person_similar.html"
    return render_template(template, tile=person_tiles([person])[0], faces=tiles)


def answer_similar(person: Person) -> AnyResponse:
    """Yes or no to the faces ticked; a face that got somebody meanwhile is left alone."""
    chosen = form_ids("face")
    faces = [face for face in services().catalogue.faces.many(chosen) if face.account_id == account().id]
    nobodys = [face.id for face in faces if face.person_id is None]
    if not chosen:
        raise Refused(_("No faces were chosen"), _("Tick at least one"))
    if not nobodys:
        flash(_("These faces belong to somebody by now."), "good")
    elif form_text("answer") == "yes":
        services().people.assign_all(account().id, nobodys, person.id)
        flash(ngettext("%(num)s more face of %(name)s.", "%(num)s more faces of %(name)s.", len(nobodys),
                       name=called(person)), "undo")  # fmt: skip
    else:
        services().people.reject_all(account().id, nobodys, person.id)
        flash(taken_away(person, len(nobodys)), "undo")
    return see_other(came_from(page_of(person.id)))


@pages.get("/split-hint")
def split_hint(person_id: int) -> str:
    """One sentence when the person looks like several; nothing else. Loaded after the page, since it takes a while."""
    parts = services().suggestions.split(account().id, person_id).parts
    person = find_person(person_id)
    return render_template("_person_split_hint.html", person=person, groups=face_tiles([part[:3] for part in parts]))


@dataclass(frozen=True, slots=True)
class Slide:
    """One photo of the slideshow."""

    tile: PersonTile
    asset: Asset
    picture: str
    age: str
    paging: Paging


@pages.get("/slideshow")
def slideshow(person_id: int) -> AnyResponse | str:
    """One photo, the newest first; a script goes on by itself, the links do without."""
    person = find_person(person_id)
    paging = asked_page(person.photo_count, 1)
    assets = services().catalogue.assets.of_person(person_id, account().id, paging.offset, 1)
    if not assets:
        flash(_("There are no photos to show."), "good")
        return see_other(page_of(person_id))
    (asset,) = assets
    age = age_on(person.birth_date, asset.taken_at)
    slide = Slide(person_tiles([person])[0], asset, preview_url(asset, LARGE), age, paging)
    return render_template("person_slideshow.html", slide=slide, here="person_photos.slideshow", home="person.show")


@pages.get("/download")
def download(person_id: int) -> str:
    """How large the download is, in parts when there are many photos."""
    person = find_person(person_id)
    parts = Paging(1, MOST_PHOTOS, person.photo_count).pages
    return render_template("person_download.html", tile=person_tiles([person])[0], count=parts, most=MOST_PHOTOS)


@pages.get("/photos-<int:part>.zip")
def photos_zip(person_id: int, part: int) -> Response:
    """The originals as they lie on the host, streamed: nothing is written to this machine's disk."""
    person = find_person(person_id)
    archive = services().originals.zip_of_person(account().id, person_id, part)
    response = Response(iter(archive), mimetype="application/zip", direct_passthrough=True)
    response.call_on_close(archive.close)
    name = file_name(f"{person.name or 'photos'} {part}.zip")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
