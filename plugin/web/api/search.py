"""Search by face with a picture that somebody brings along: it is looked at and forgotten."""

from base64 import b64decode
from io import BytesIO
from typing import Annotated

from pydantic import BeforeValidator, Field

from plugin.domain import FoundFace, TokenScope
from plugin.errors import PictureError, Refused
from plugin.face_search import people_of
from plugin.web.api.faces import AlikeFace, Box
from plugin.web.api.resource import Resource
from plugin.web.api.values import Answer, Body, integral
from plugin.web.request_context import account, services

api = Resource("search", "Search by face")

LARGEST_BASE64 = 4 * 25 * 2**20 // 3 + 4
"""Characters: a picture of 25 MB, as on the page."""

MOST_ALIKE, PEOPLE = 100, 6


class Picture(Body):
    """A picture in any format that Kinfolk reads."""

    picture: str = Field(min_length=1, max_length=LARGEST_BASE64, description="The file in base64, at most 25 MB")
    limit: Annotated[int, Field(ge=1, le=MOST_ALIKE), BeforeValidator(integral)] = Field(
        48, description="So many faces of the album at most for each face"
    )


class AlikePerson(Answer):
    """Somebody the face may be."""

    person_id: int
    distance: float = Field(description="Of their nearest face, 0..2")


class SearchedFace(Answer):
    """One face of the picture, and who is like it, nearest first."""

    box: Box
    score: float = Field(description="Of the detector, 0..1")
    quality: float = Field(description="0..1")
    people: list[AlikePerson]
    faces: list[AlikeFace]


class SearchedPicture(Answer):
    """The faces of the picture from left to right; nothing of it is kept."""

    found: list[SearchedFace]


@api.operation(
    "post",
    "/search/by-picture",
    TokenScope.READ,
    SearchedPicture,
    problems={
        429: "Too many wrong tokens, or pictures",
        503: "The model pack or the search index is not ready",
    },
)
def by_picture(body: Picture) -> SearchedPicture:
    """Who is like the faces on a picture. At most 20 pictures a minute."""
    try:
        found = services().face_search.faces_in(BytesIO(b64decode(body.picture, validate=True)))
    except ValueError:
        raise Refused("The picture is not base64", "Encode the bytes of the file") from None
    except PictureError as error:
        raise Refused(str(error), error.advice) from error
    return SearchedPicture(found=[searched(face, body.limit) for face in found])


def searched(face: FoundFace, limit: int) -> SearchedFace:
    """One face and who is like it."""
    near = services().face_search.like(account().id, face.embedding, limit)
    return SearchedFace(
        box=Box.model_validate(face.box),
        score=face.score,
        quality=face.quality,
        people=[AlikePerson.model_validate(person) for person in people_of(near)[:PEOPLE]],
        faces=[AlikeFace.model_validate(alike) for alike in near],
    )
