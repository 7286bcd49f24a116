"""Faces: who they are, and correcting it."""

from typing import Literal

from flask import Response
from pydantic import Field

from plugin import domain
from plugin.domain import FaceId, TokenScope
from plugin.errors import NotFound, Refused
from plugin.web.api.resource import LATER, PICTURE, Resource
from plugin.web.api.values import Answer, Body, Id, LocalTime, Most, Parameters, PathId
from plugin.web.pictures import picture
from plugin.web.request_context import account, services

api = Resource("faces", "Faces")


class Box(Answer):
    """A rectangle in fractions (0..1) of the upright picture; `x`, `y` is the top-left corner."""

    x: float
    y: float
    w: float
    h: float


class Face(Answer):
    """One face on one photo."""

    id: int
    asset_id: int
    box: Box
    score: float = Field(description="Of the detector, 0..1")
    quality: float = Field(description="0..1")
    pack: str
    drawn: bool = Field(description="Drawn by a user, not found by detection")
    state: Literal["pending", "deferred", "assigned", "unassigned", "ignored"]
    person_id: int | None
    person_name: str | None
    assigned_by: Literal["machine", "user"] | None
    frame_ms: int | None = Field(description="Position of the frame in a video")
    taken_at: LocalTime


class AlikeFace(Answer):
    """A face that is like another one."""

    face: Face
    distance: float = Field(description="Cosine distance, 0..2; 0 is the same, about 1 a stranger")


class AlikeFaces(Answer):
    """The faces most like one, nearest first."""

    faces: list[AlikeFace]


class DrawnBox(Body):
    """A rectangle in fractions (0..1) of the upright picture, around the whole face; `x`, `y`: the top-left corner."""

    x: float = Field(ge=0, le=1)
    y: float = Field(ge=0, le=1)
    w: float = Field(gt=0, le=1)
    h: float = Field(gt=0, le=1)

    @property
    def box(self) -> domain.Box:
        """As the steps take it."""
        return domain.Box(self.x, self.y, self.w, self.h)


class FacePath(Parameters):
    """Which face."""

    face_id: PathId


class WhoItIs(Body):
    """A person that exists, or a name: of the one person who has it already, or of somebody new."""

    person_id: Id | None = None
    name: str | None = Field(None, min_length=1, max_length=10_000)


def face_of(face_id: FaceId) -> Face:
    """The face as it is now."""
    return Face.model_validate(services().catalogue.faces.get(face_id, account().id))


def own_faces(face_ids: list[FaceId]) -> list[FaceId]:
    """Each once. Raises `NotFound` unless all of them are this account's: nothing is done by halves."""
    wanted = list(dict.fromkeys(face_ids))
    found = services().catalogue.faces.many(wanted)
    if len(found) != len(wanted) or any(face.account_id != account().id for face in found):
        raise NotFound("There is no such face")
    return wanted


def say_who(face_ids: list[FaceId], who: WhoItIs) -> domain.PersonId:
    """The faces are this person; returns whom they were given to.

    Raises:
        Refused: neither a person nor a name was given, or both.
    """
    if (who.person_id is None) == (who.name is None):
        raise Refused("Either person_id or name is needed", "Send one of them")
    mine, owner, people = own_faces(face_ids), account().id, services().people
    if who.person_id is None:
        return people.assign_all_named(owner, mine, who.name or "")
    people.assign_all(owner, mine, services().catalogue.people.get(who.person_id, owner).id)
    return who.person_id


@api.operation("get", "/faces/<int:face_id>", TokenScope.READ, Face)
def get(path: FacePath) -> Face:
    """One face."""
    return face_of(path.face_id)


@api.operation(
    "get", "/faces/<int:face_id>/similar", TokenScope.READ, AlikeFaces, problems={503: "The search index is not ready"}
)
def similar(path: FacePath, query: Most) -> AlikeFaces:
    """Search by face: the other faces of the album that are most like this one."""
    near = services().face_search.like_face(account().id, path.face_id, query.limit)
    return AlikeFaces(faces=[AlikeFace.model_validate(alike) for alike in near])


@api.operation("put", "/faces/<int:face_id>/box", TokenScope.VERDICTS, Face, problems=LATER)
def move(path: FacePath, body: DrawnBox) -> Face:
    """Move or resize a box that was drawn; who the face is stays. A face that detection found stays where it is."""
    services().drawing.redraw(account().id, path.face_id, body.box)
    return face_of(path.face_id)


@api.operation("delete", "/faces/<int:face_id>", TokenScope.VERDICTS, status=204)
def erase(path: FacePath) -> None:
    """Delete a face that was drawn; one that detection found can only be taken away (`ignore`)."""
    services().drawing.erase(account().id, path.face_id)


@api.operation("get", "/faces/<int:face_id>/thumbnail", TokenScope.READ, PICTURE, problems=LATER)
def thumbnail(path: FacePath) -> Response:
    """The square picture of a face, WebP."""
    return picture(services().pictures.face_thumbnail(account().id, path.face_id))


@api.operation("post", "/faces/<int:face_id>/assign", TokenScope.VERDICTS, Face)
def assign(path: FacePath, body: WhoItIs) -> Face:
    """Say who a face is; recognition never moves it again."""
    say_who([path.face_id], body)
    return face_of(path.face_id)


@api.operation("post", "/faces/<int:face_id>/reject", TokenScope.VERDICTS, Face)
def reject(path: FacePath) -> Face:
    """Say that a face is not the person it was given to."""
    services().people.reject(account().id, path.face_id)
    return face_of(path.face_id)


@api.operation("post", "/faces/<int:face_id>/ignore", TokenScope.VERDICTS, Face)
def ignore(path: FacePath) -> Face:
    """Say that a face is nobody."""
    services().people.ignore(account().id, path.face_id)
    return face_of(path.face_id)


@api.operation("post", "/faces/<int:face_id>/restore", TokenScope.VERDICTS, Face)
def restore(path: FacePath) -> Face:
    """Take back that a face is nobody."""
    services().people.restore(account().id, path.face_id)
    return face_of(path.face_id)
