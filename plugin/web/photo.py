"""One photo with its faces: who is who, and how to correct it."""

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, url_for
from werkzeug.wrappers import Response

from plugin.domain import Asset, AssetId, AssetKind, Face, FaceState, Library, Person
from plugin.errors import NotFound
from plugin.web.pictures import LARGE, face_url, preview_url
from plugin.web.request_context import account, form_id, form_text, query_id, query_search, see_other, services
from plugin.web.tiles import PersonTile, person_tiles

pages = Blueprint("photo", __name__)

CANDIDATES = 12


@dataclass(frozen=True, slots=True)
class ShownFace:
    """A face, its thumbnail and its place among the boxes."""

    face: Face
    picture: str
    selected: bool

    @property
    def label(self) -> str:
        """The name, or what there is instead of one."""
        if self.face.state is FaceState.IGNORED:
            return "Nobody"
        return self.face.person_name or "Unknown"

    @property
    def tone(self) -> str:
        """How the box is drawn: `named`, `unnamed` or `ignored`."""
        if self.face.state is FaceState.IGNORED:
            return "ignored"
        return "named" if self.face.person_name else "unnamed"


@dataclass(frozen=True, slots=True)
class PhotoPage:
    """What the page of a photo shows. `candidates` are people the selected face might be."""

    asset: Asset
    library: Library
    picture: str
    faces: list[ShownFace]
    selected: ShownFace | None
    candidates: list[PersonTile]
    search: str
    previous: AssetId | None
    next: AssetId | None

    @property
    def boxes(self) -> list[ShownFace]:
        """Faces to draw on the picture; faces of a video come from moments the preview does not show."""
        if self.asset.kind is AssetKind.VIDEO:
            return []
        return [shown for shown in self.faces if shown.face.state is not FaceState.IGNORED or shown.selected]

    @property
    def folder(self) -> str:
        """Where the file lies inside its library."""
        return self.asset.path.rpartition("/")[0]

    @property
    def file_name(self) -> str:
        """The file's own name."""
        return self.asset.path.rpartition("/")[2]


@pages.get("/photos/<int:asset_id>")
def show(asset_id: int) -> str:
    """The photo; `?face=ID` opens the panel of one face, `&q=` searches people for it."""
    catalogue, owner = services().catalogue, account().id
    asset = catalogue.assets.get(asset_id, owner)
    chosen = query_id("face")
    faces = [ShownFace(face, face_url(face), face.id == chosen) for face in catalogue.faces.of_asset(asset_id, owner)]
    selected = next((shown for shown in faces if shown.selected), None)
    if chosen is not None and selected is None:
        raise NotFound("This face is not on this photo (any more)")
    search = query_search()
    previous, following = catalogue.assets.neighbours_in_time(asset)
    page = PhotoPage(
        asset=asset,
        library=catalogue.libraries.get(asset.library_id, owner),
        picture=preview_url(asset, LARGE),
        faces=faces,
        selected=selected,
        candidates=person_tiles(candidates(search, selected.face)) if selected else [],
        search=search,
        previous=previous,
        next=following,
    )
    return render_template("photo.html", page=page)


def candidates(search: str, face: Face) -> list[Person]:
    """People the face might be: named ones first, the one it is now left out."""
    people = services().catalogue.people.all(account().id, minimum_faces=1, search=search, limit=5 * CANDIDATES)
    others = [person for person in people if person.id != face.person_id]
    return sorted(others, key=lambda person: not person.name)[:CANDIDATES]


def find_face(face_id: int) -> Face:
    """The face, when it belongs to this account; `NotFound` otherwise."""
    return services().catalogue.faces.get(face_id, account().id)


def back_to_photo(face: Face) -> Response:
    """After a correction: the photo again, ready for the next face."""
    return see_other(url_for("photo.show", asset_id=face.asset_id))


@pages.post("/faces/<int:face_id>/assign")
def assign(face_id: int) -> Response:
    """The face is a person that exists."""
    face = find_face(face_id)
    person = services().catalogue.people.get(form_id("person"), account().id)
    services().people.assign(account().id, face_id, person.id)
    flash(f"Got it: this is {person.name or 'the person you chose'}.", "undo")
    return back_to_photo(face)


@pages.post("/faces/<int:face_id>/new-person")
def new_person(face_id: int) -> Response:
    """The face is somebody new; a name that exactly one person has means that person."""
    face, name = find_face(face_id), form_text("name")
    known = services().catalogue.people.by_name(account().id, name) if name else []
    if len(known) == 1:
        services().people.assign(account().id, face_id, known[0].id)
        flash(f"Got it: this is {known[0].name}, whom you already have.", "undo")
        return back_to_photo(face)
    services().people.assign_new(account().id, face_id, name)
    flash(f"Hello {name}!" if name else "This is a person of their own now.", "undo")
    return back_to_photo(face)


@pages.post("/faces/<int:face_id>/reject")
def reject(face_id: int) -> Response:
    """The face is not the person it was given to."""
    face = find_face(face_id)
    services().people.reject(account().id, face_id)
    flash(f"Noted: this is not {face.person_name or 'that person'}, and will not be again.", "undo")
    return see_other(url_for("photo.show", asset_id=face.asset_id, face=face_id))


@pages.post("/faces/<int:face_id>/ignore")
def ignore(face_id: int) -> Response:
    """The face is nobody."""
    face = find_face(face_id)
    services().people.ignore(account().id, face_id)
    flash("The face was taken away. You can bring it back below the photo.", "undo")
    return back_to_photo(face)


@pages.post("/faces/<int:face_id>/restore")
def restore(face_id: int) -> Response:
    """The face is somebody after all."""
    face = find_face(face_id)
    services().people.restore(account().id, face_id)
    flash("The face is back.", "undo")
    return see_other(url_for("photo.show", asset_id=face.asset_id, face=face_id))
