"""One photo of somebody else, as far as it is shared: who is on it, and, where allowed, who it really is."""

from dataclasses import dataclass

from flask import Blueprint, abort, flash, render_template, url_for
from werkzeug.wrappers import Response

from plugin.domain import Asset, AssetId, AssetKind, FaceId
from plugin.errors import HostError, NotFound, PictureError
from plugin.web.candidates import Candidate
from plugin.web.language import gettext as _
from plugin.web.looking import PREFIX, face_url, known_names, over_a_shoulder, person_tiles, preview_url, view
from plugin.web.photo import ShownFace
from plugin.web.pictures import LARGE, TILE, no_picture, picture
from plugin.web.request_context import form_id, form_text, query_id, query_search, see_other, services

pages = over_a_shoulder(Blueprint("shared_photo", __name__, url_prefix=PREFIX))

CANDIDATES = 12
SHORT = "private, max-age=300"
"""How long a browser keeps pictures: so long somebody may see again what they saw before the share ended."""


@dataclass(frozen=True, slots=True)
class SharedPhotoPage:
    """What the page shows. `may_correct` and what follows from it are for visitors who may."""

    asset: Asset
    library: str
    picture: str
    faces: list[ShownFace]
    selected: ShownFace | None
    may_correct: bool
    candidates: list[Candidate]
    search: str
    names: list[str]
    previous: AssetId | None
    next: AssetId | None

    @property
    def boxes(self) -> list[ShownFace]:
        """Faces to draw on the picture; faces of a video come from moments the preview does not show."""
        return [] if self.asset.kind is AssetKind.VIDEO else self.faces

    @property
    def file_name(self) -> str:
        """The file's own name."""
        return self.asset.path.rpartition("/")[2]


@pages.get("/photos/<int:asset_id>")
def show(asset_id: int) -> str:
    """The photo; `?face=ID` opens the panel of a face."""
    asset, chosen = services().catalogue.shared.photo(view(), asset_id), query_id("face")
    found = services().catalogue.shared.faces_on(view(), asset_id)
    faces = [ShownFace(face, face_url(face), face.id == chosen) for face in found]
    selected = next((shown for shown in faces if shown.selected), None)
    if chosen is not None and selected is None:
        raise NotFound("This face is not on this photo (any more)")
    may_correct = asset.library_id in view().correctable
    previous, following = services().catalogue.shared.neighbours_in_time(view(), asset)
    page = SharedPhotoPage(
        asset=asset,
        library=next(library.name for library in view().libraries if library.id == asset.library_id),
        picture=preview_url(asset, LARGE),
        faces=faces,
        selected=selected,
        may_correct=may_correct,
        candidates=candidates(selected) if selected and may_correct else [],
        search=query_search(),
        names=known_names() if selected and may_correct else [],
        previous=previous,
        next=following,
    )
    return render_template("shared_photo.html", page=page)


def candidates(selected: ShownFace) -> list[Candidate]:
    """Whom the face may be given to: people on shared photos, named ones and those seen most first."""
    rows = services().catalogue.shared
    ids = [who for who in rows.people_ids(view(), search=query_search()) if who != selected.face.person_id]
    return [Candidate(tile) for tile in person_tiles(rows.people_among(view(), ids[:CANDIDATES]))]


@pages.get("/faces/<int:face_id>.webp")
def face(face_id: int) -> Response:
    """The square thumbnail of a face on a shared photo."""
    services().catalogue.shared.face(view(), face_id)
    try:
        return kept_shortly(services().pictures.face_thumbnail(view().owner_id, face_id))
    except (HostError, PictureError) as error:
        return no_picture(str(error))


@pages.get("/photos/<int:asset_id>/<int:long_side>.webp")
def preview(asset_id: int, long_side: int) -> Response:
    """A shared photo at one of the sizes offered."""
    services().catalogue.shared.photo(view(), asset_id)
    if long_side not in {TILE, LARGE}:
        abort(404)
    try:
        return kept_shortly(services().pictures.preview(view().owner_id, asset_id, long_side))
    except (HostError, PictureError) as error:
        return no_picture(str(error))


def kept_shortly(webp: bytes) -> Response:
    """A picture for this visitor's browser, for some minutes."""
    response = picture(webp)
    response.headers["Cache-Control"] = SHORT
    return response


@pages.post("/faces/<int:face_id>/assign")
def assign(face_id: int) -> Response:
    """The face is somebody on shared photos."""
    person = services().sharing.assign(view(), face_id, form_id("person"))
    name = person.name
    flash(_("Got it: this is %(name)s.", name=name) if name else _("Got it: this is the person you chose."), "good")
    return back_to_photo(face_id)


@pages.post("/faces/<int:face_id>/new-person")
def new_person(face_id: int) -> Response:
    """The face is whoever has this name, or somebody new."""
    name = form_text("name")
    services().sharing.assign_name(view(), face_id, name)
    flash(_("Got it: this is %(name)s.", name=name), "good")
    return back_to_photo(face_id)


@pages.post("/faces/<int:face_id>/reject")
def reject(face_id: int) -> Response:
    """The face is not the person it was given to."""
    rejected = services().sharing.reject(view(), face_id, form_id("was"))
    name = rejected.person_name or _("that person")
    flash(_("Noted: this is not %(name)s, and will not be again.", name=name), "good")
    return back_to_photo(face_id)


def back_to_photo(face_id: FaceId) -> Response:
    """The photo again, ready for the next face."""
    asset_id = services().catalogue.faces.get(face_id, view().owner_id).asset_id
    return see_other(url_for("shared_photo.show", asset_id=asset_id))
