"""One photo with its faces: who is who, and how to correct it."""

from dataclasses import dataclass, replace

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from plugin.domain import Asset, AssetId, AssetKind, Box, Face, FaceId, FaceState, Library
from plugin.errors import KinfolkError, NotFound, Refused
from plugin.web.candidates import Candidate, candidates
from plugin.web.language import explained
from plugin.web.person import known_names
from plugin.web.pictures import LARGE, face_url, preview_url
from plugin.web.request_context import (
    account,
    form_id,
    form_number,
    form_text,
    query_id,
    query_search,
    see_other,
    services,
)

pages = Blueprint("photo", __name__)


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
            return str(_("Nobody"))
        return self.face.person_name or str(_("Unknown"))

    @property
    def tone(self) -> str:
        """How the box is drawn: `named`, `unnamed` or `ignored`."""
        if self.face.state is FaceState.IGNORED:
            return "ignored"
        return "named" if self.face.person_name else "unnamed"


@dataclass(frozen=True, slots=True)
class BoxForm:
    """The form to draw a box, or to move one; the four numbers are texts in percent, given back when refused."""

    action: str
    face: Face | None
    x: str = ""
    y: str = ""
    w: str = ""
    h: str = ""
    name: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class PhotoPage:
    """What the page of a photo shows. `candidates` are people the selected face might be."""

    asset: Asset
    library: Library
    picture: str
    faces: list[ShownFace]
    selected: ShownFace | None
    candidates: list[Candidate]
    search: str
    names: list[str]
    box_form: BoxForm | None
    host_link: str | None
    previous: AssetId | None
    next: AssetId | None

    @property
    def may_correct(self) -> bool:
        """Everything on one's own photos."""
        return True

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
    """The photo; `?face=ID` opens the panel of a face (`&q=` searches people for it), `?draw=1` that for a new one."""
    asset = services().catalogue.assets.get(asset_id, account().id)
    chosen, box_form = query_id("face"), None
    if asset.kind is AssetKind.PHOTO:
        if "move" in request.args and chosen is not None:
            box_form = form_to_move(find_drawn(chosen))
        elif "draw" in request.args:
            box_form = form_to_draw(asset_id)
    return photo_page(asset, chosen, box_form)


def photo_page(asset: Asset, chosen: FaceId | None, box_form: BoxForm | None = None) -> str:
    """The whole page."""
    catalogue, owner = services().catalogue, account().id
    faces = [ShownFace(face, face_url(face), face.id == chosen) for face in catalogue.faces.of_asset(asset.id, owner)]
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
        candidates=candidates(search, selected.face) if selected and not box_form else [],
        search=search,
        names=known_names() if selected or box_form else [],
        box_form=box_form,
        host_link=host_link(asset),
        previous=previous,
        next=following,
    )
    return render_template("photo.html", page=page)


def host_link(asset: Asset) -> str | None:
    """Where the host shows the asset, when that is an address a browser may open."""
    link = services().host_link(asset)
    return link if link and link.startswith(("https://", "http://")) else None


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
    said = (
        _("Got it: this is %(name)s.", name=person.name) if person.name else _("Got it: this is the person you chose.")
    )
    flash(said, "undo")
    return back_to_photo(face)


@pages.post("/faces/<int:face_id>/new-person")
def new_person(face_id: int) -> Response:
    """The face is somebody new; a name that exactly one person has means that person."""
    face, name = find_face(face_id), form_text("name")
    known = services().catalogue.people.by_name(account().id, name) if name else []
    if len(known) > 1:
        raise Refused("Several people are called %(name)s", "Choose which of them it is from the list", name=name)
    if len(known) == 1:
        services().people.assign(account().id, face_id, known[0].id)
        flash(_("Got it: this is %(name)s, whom you already have.", name=known[0].name), "undo")
        return back_to_photo(face)
    services().people.assign_new(account().id, face_id, name)
    flash(_("Hello %(name)s!", name=name) if name else _("This is a person of their own now."), "undo")
    return back_to_photo(face)


@pages.post("/faces/<int:face_id>/reject")
def reject(face_id: int) -> Response:
    """The face is not the person it was given to."""
    face = find_face(face_id)
    if "was" in request.form and form_id("was") != face.person_id:
        # The page showed somebody else; a no to whoever it is now was not said.
        raise Refused("Meanwhile this face was given to somebody else, so nothing was changed", "Look who it is now")
    services().people.reject(account().id, face_id)
    name = face.person_name or _("that person")
    flash(_("Noted: this is not %(name)s, and will not be again.", name=name), "undo")
    return see_other(url_for("photo.show", asset_id=face.asset_id, face=face_id))


@pages.post("/faces/<int:face_id>/ignore")
def ignore(face_id: int) -> Response:
    """The face is nobody."""
    face = find_face(face_id)
    services().people.ignore(account().id, face_id)
    flash(_("The face was taken away. You can bring it back below the photo."), "undo")
    return back_to_photo(face)


@pages.post("/faces/<int:face_id>/restore")
def restore(face_id: int) -> Response:
    """The face is somebody after all."""
    face = find_face(face_id)
    services().people.restore(account().id, face_id)
    flash(_("The face is back."), "undo")
    return see_other(url_for("photo.show", asset_id=face.asset_id, face=face_id))


def find_drawn(face_id: FaceId) -> Face:
    """The face, when it is one that was drawn; `NotFound` otherwise, since only those have a box to move."""
    face = find_face(face_id)
    if not face.drawn:
        raise NotFound("Nobody drew this face")
    return face


def form_to_draw(asset_id: AssetId) -> BoxForm:
    """What was sent, or empty."""
    x, y, w, h = sent_numbers()
    return BoxForm(url_for("photo.draw", asset_id=asset_id), None, x, y, w, h, form_text("name"))


def form_to_move(face: Face) -> BoxForm:
    """What was sent, or where the box is now."""
    box = face.box
    now = tuple(f"{100 * number:.4f}".rstrip("0").rstrip(".") for number in (box.x, box.y, box.w, box.h))
    numbers = sent_numbers() if request.method == "POST" else now
    return BoxForm(url_for("photo.move", face_id=face.id), face, *numbers)


def sent_numbers() -> tuple[str, ...]:
    """The four fields as they were sent, cut."""
    return tuple(form_text(name, 20) for name in ("x", "y", "w", "h"))


def form_box() -> Box:
    """The box of the form, which counts in percent. Raises `Refused` for what is no number."""
    titles = {"x": _("Left"), "y": _("Top"), "w": _("Width"), "h": _("Height")}
    return Box(*(form_number(name, title) / 100 for name, title in titles.items()))


@pages.post("/photos/<int:asset_id>/draw")
def draw(asset_id: int) -> Response | tuple[str, int]:
    """A face that detection missed; the form comes back with the reason when it cannot be."""
    asset, name = services().catalogue.assets.get(asset_id, account().id), form_text("name")
    try:
        face_id = services().drawing.draw(account().id, asset_id, form_box(), name)
    except NotFound:
        raise
    except KinfolkError as error:
        return photo_page(asset, None, replace(form_to_draw(asset_id), error=explained(error))), 422
    if name:
        flash(_("Got it: this is %(name)s.", name=find_face(face_id).person_name or name), "undo")
        return see_other(url_for("photo.show", asset_id=asset_id))
    flash(_("The face was added. Say who it is, or let Kinfolk find out."), "undo")
    return see_other(url_for("photo.show", asset_id=asset_id, face=face_id, _anchor="panel"))


@pages.post("/faces/<int:face_id>/move")
def move(face_id: int) -> Response | tuple[str, int]:
    """Another place for a box that was drawn."""
    face = find_drawn(face_id)
    try:
        services().drawing.redraw(account().id, face_id, form_box())
    except NotFound:
        raise
    except KinfolkError as error:
        asset = services().catalogue.assets.get(face.asset_id, account().id)
        return photo_page(asset, face_id, replace(form_to_move(face), error=explained(error))), 422
    flash(_("The box was moved."), "undo")
    return see_other(url_for("photo.show", asset_id=face.asset_id, face=face_id, _anchor="panel"))


@pages.post("/faces/<int:face_id>/erase")
def erase(face_id: int) -> Response:
    """Delete a box that was drawn."""
    face = find_face(face_id)
    services().drawing.erase(account().id, face_id)
    flash(_("The face you had drawn was deleted."), "undo")
    return back_to_photo(face)


@pages.post("/photos/<int:asset_id>/refresh")
def refresh(asset_id: int) -> Response:
    """Look for faces on this photo again; what was said about them stays."""
    asset = services().catalogue.assets.get(asset_id, account().id)
    services().catalogue.detection.request("refresh", services().preferences.current().pack, [asset.id])
    services().nudge.detection()
    flash(_("Kinfolk looks at this photo again. What you said stays."), "good")
    return see_other(url_for("photo.show", asset_id=asset_id))
