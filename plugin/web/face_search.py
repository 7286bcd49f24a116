"""Search by face: with a face of the album, or with a picture that is looked at and forgotten."""

from dataclasses import dataclass
from io import BytesIO
from typing import IO

from flask import Request, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from plugin.domain import FoundFace, PersonId
from plugin.errors import PictureError, SearchIndexError
from plugin.face_search import AlikeFace, people_of
from plugin.web.api.search import LARGEST_BASE64
from plugin.web.explore import pages
from plugin.web.language import explained
from plugin.web.pictures import face_url
from plugin.web.request_context import account, see_other, services
from plugin.web.tiles import FaceTile, PersonTile, face_tiles, person_tiles

LARGEST_PICTURE = 25 * 2**20
"""Bytes of an uploaded picture: a photo of any phone, in any format."""

UPLOADS = {"explore.by_picture": LARGEST_PICTURE, "api_search.by_picture": LARGEST_BASE64 + 1000}
"""Who takes a picture, and bytes of the largest request."""

NEAREST = 48
PEOPLE = 6


@dataclass(frozen=True, slots=True)
class Alike:
    """Something that resembles the face, and its distance (0 the same, about 1 a stranger)."""

    tile: FaceTile
    distance: float


@dataclass(frozen=True, slots=True)
class AlikePerson:
    """Somebody the face may be."""

    tile: PersonTile
    distance: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What is like one face: people, then faces. Up to the distance `same` Kinfolk takes two for one person."""

    people: list[AlikePerson]
    faces: list[Alike]
    same: float


@dataclass(frozen=True, slots=True)
class UploadPage:
    """The faces of a picture that was brought along, left to right, each with its answer."""

    found: list[tuple[FoundFace, Answer]]


def allow_pictures() -> None:
    """Before a request is read: only these take something large."""
    if request.endpoint in UPLOADS:
        request.max_content_length = UPLOADS[request.endpoint]


class RequestInMemory(Request):
    """A request whose files are never written to disk: what is uploaded here is looked at and forgotten."""

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002, the signature is Werkzeug's
        content_type: str | None,  # noqa: ARG002, as above
        filename: str | None = None,  # noqa: ARG002, as above
        content_length: int | None = None,  # noqa: ARG002, as above
    ) -> IO[bytes]:
        return BytesIO()


@pages.get("/similar/<int:face_id>")
def similar(face_id: int) -> str:
    """Faces like one of the album."""
    owner = account().id
    face = services().catalogue.faces.get(face_id, owner)
    (tiles,) = face_tiles([[face_id]])
    answer = answer_from(services().face_search.like_face(owner, face_id, NEAREST))
    return render_template("similar.html", tile=tiles[0] if tiles else FaceTile(face, face_url(face)), answer=answer)


@pages.get("/face")
def ask_picture() -> str:
    """The form for a picture."""
    return render_template("face_search.html", page=None, limit=LARGEST_PICTURE)


@pages.post("/face")
def by_picture() -> Response | str:
    """Who is like the faces on a picture; nothing of it is kept, so the answer has no address."""
    upload = request.files.get("picture")
    if upload is None or not upload.filename:
        flash(_("Choose a picture first."), "bad")
        return see_other(url_for("explore.ask_picture"))
    owner, search = account().id, services().face_search
    try:
        found = search.faces_in(upload.stream)
        answers = [(face, answer_from(search.like(owner, face.embedding, NEAREST))) for face in found]
    except (PictureError, SearchIndexError) as error:
        flash(explained(error), "bad")
        return see_other(url_for("explore.ask_picture"))
    return render_template("face_search.html", page=UploadPage(answers), limit=LARGEST_PICTURE)


def answer_from(near: list[AlikeFace]) -> Answer:
    """Tiles for the nearest faces and the people they belong to."""
    likely = people_of(near)[:PEOPLE]
    rows: list[PersonId] = [person.person_id for person in likely]
    tiles = {tile.person.id: tile for tile in person_tiles(services().catalogue.people.many(rows, account().id))}
    return Answer(
        [AlikePerson(tiles[p.person_id], p.distance) for p in likely if p.person_id in tiles],
        [Alike(FaceTile(alike.face, face_url(alike.face)), alike.distance) for alike in near],
        services().preferences.current().maximum_distance,
    )
