"""People: who was found, and what is said about them."""

from datetime import date
from typing import Literal

from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.http import generate_etag

from plugin.domain import PersonId, PersonOrder, TokenScope
from plugin.people import PersonChanges
from plugin.web.api.assets import Asset
from plugin.web.api.faces import Face
from plugin.web.api.problems import problem
from plugin.web.api.resource import Resource, listed_at
from plugin.web.api.values import Answer, Body, Day, Flag, Id, Ids, Listed, Page, Parameters, PathId
from plugin.web.request_context import account, services

api = Resource("people", "People")


class Person(Answer):
    """Somebody; `name` is "" until one was given."""

    id: int
    name: str
    birth_date: date | None
    hidden: bool
    favourite: bool
    feature_face_id: int | None = Field(description="The face that stands for the person")
    face_count: int
    photo_count: int


class PeoplePage(Listed):
    """Named people and unnamed ones with enough faces, in the order asked for."""

    people: list[Person]


class PhotosPage(Listed):
    """Photos and videos with this person, newest first."""

    assets: list[Asset]


class FacesPage(Listed):
    """Faces of this person, best quality first."""

    faces: list[Face]


class Split(Answer):
    """The faces of each person this one looks like, most faces first; fewer than two parts: nothing to split."""

    parts: list[list[int]]


class PeopleQuery(Page):
    """Whom to list."""

    q: str = Field("", max_length=200, description="Every word must begin a word of the name; accents do not matter")
    hidden: Flag = Field(default=False, description="Hidden people, too")
    small: Flag = Field(default=False, description="Unnamed people with few faces, too")
    favourites: Flag = Field(default=False, description="Favourites only")
    sort: Literal["named", "name", "faces", "recent"] = Field(
        "faces",
        description="named: favourites, then the named, then most faces; name: by alphabet, the unnamed last; "
        "faces: most faces first; recent: who was seen last",
    )


class PersonPath(Parameters):
    """Which person."""

    person_id: PathId


class IfMatch(BaseModel):
    """Only change what was read."""

    model_config = ConfigDict(extra="ignore")

    if_match: str = Field("", alias="If-Match", description="The `ETag` of the person that was read; else 412")


class Changes(Body):
    """What shall be different; what is not sent stays. All of it is done, or nothing."""

    name: str = Field("", min_length=1, max_length=10_000)
    birth_date: Day = Field(None, description="null forgets it")
    hidden: bool = False
    favourite: bool = False
    feature_face_id: Id = Field(1, description="One of the person's faces")


class Others(Body):
    """People to be merged."""

    person_ids: Ids


class ManyPeople(Body):
    """What to do, and to whom."""

    action: Literal["hide", "unhide", "favourite", "unfavourite", "strangers"] = Field(
        description="strangers: nobody you know; all their faces are taken away and they go"
    )
    person_ids: Ids


class Changed(Answer):
    """To how many it was done; those that were gone already are left out."""

    count: int


class FacesChosen(Body):
    """Faces of one person."""

    face_ids: Ids


def person_of(person_id: PersonId) -> Person:
    """The person as they are now."""
    return Person.model_validate(services().catalogue.people.get(person_id, account().id))


@api.operation("get", "/people", TokenScope.READ, PeoplePage)
def listed(query: PeopleQuery) -> PeoplePage:
    """People, most faces first unless another order is asked for."""
    people, owner = services().catalogue.people, account().id
    minimum = 1 if query.small else services().preferences.current().minimum_faces
    total = people.count(
        owner, minimum_faces=minimum, include_hidden=query.hidden, favourites=query.favourites, search=query.q
    )
    shown = people.all(
        owner,
        minimum_faces=minimum,
        include_hidden=query.hidden,
        favourites=query.favourites,
        search=query.q,
        order=PersonOrder(query.sort),
        offset=query.offset,
        limit=query.limit,
    )
    return PeoplePage(total=total, **listed_at(query), people=[Person.model_validate(person) for person in shown])


@api.operation("post", "/people/bulk", TokenScope.VERDICTS, Changed)
def bulk(body: ManyPeople) -> Changed:
    """Do the same to several people, as one event."""
    many, owner, ids = services().bulk, account().id, body.person_ids
    if body.action in {"hide", "unhide"}:
        return Changed(count=many.set_hidden(owner, ids, hidden=body.action == "hide"))
    if body.action in {"favourite", "unfavourite"}:
        return Changed(count=many.set_favourite(owner, ids, favourite=body.action == "favourite"))
    return Changed(count=many.make_strangers(owner, ids))


@api.operation("get", "/people/<int:person_id>", TokenScope.READ, Person)
def get(path: PersonPath) -> Person:
    """One person."""
    return person_of(path.person_id)


@api.operation(
    "patch",
    "/people/<int:person_id>",
    TokenScope.VERDICTS,
    Person,
    problems={412: "Somebody changed the person since it was read; nothing was changed now"},
)
def change(path: PersonPath, header: IfMatch, body: Changes) -> Person | Response:
    """Name a person, set the date of birth, hide, make a favourite, choose the feature photo."""
    present = person_of(path.person_id)
    tag = generate_etag(present.model_dump_json().encode())
    if header.if_match and not request.if_match.contains_weak(tag):
        return problem(412, "The person was changed since you read it", "Read it again and repeat what is still right")
    changes: PersonChanges = body.model_dump(exclude_unset=True)  # type: ignore[assignment]  # the same fields
    services().people.change(account().id, path.person_id, changes)
    return person_of(path.person_id)


@api.operation("delete", "/people/<int:person_id>", TokenScope.VERDICTS, status=204)
def delete(path: PersonPath) -> None:
    """Forget a person; photos and faces stay."""
    services().people.delete(account().id, path.person_id)


@api.operation("post", "/people/<int:person_id>/merge", TokenScope.VERDICTS, Person)
def merge(path: PersonPath, body: Others) -> Person:
    """Make other people one with this one, who keeps name and date of birth."""
    services().people.merge(account().id, path.person_id, body.person_ids)
    return person_of(path.person_id)


@api.operation("get", "/people/<int:person_id>/split", TokenScope.READ, Split)
def split_proposal(path: PersonPath) -> Split:
    """Whether a person looks like several."""
    person = person_of(path.person_id)
    return Split.model_validate(services().suggestions.split(account().id, person.id))


@api.operation("post", "/people/<int:person_id>/split", TokenScope.VERDICTS, Person, status=201)
def split(path: PersonPath, body: FacesChosen) -> Person:
    """Make some faces somebody else, for good; answers who that is."""
    person = person_of(path.person_id)
    return person_of(services().people.split(account().id, person.id, body.face_ids))


@api.operation("get", "/people/<int:person_id>/photos", TokenScope.READ, PhotosPage)
def photos(path: PersonPath, query: Page) -> PhotosPage:
    """Photos and videos with a person, newest first."""
    person = person_of(path.person_id)
    shown = services().catalogue.assets.of_person(person.id, account().id, query.offset, query.limit)
    assets = [Asset.model_validate(asset) for asset in shown]
    return PhotosPage(total=person.photo_count, **listed_at(query), assets=assets)


@api.operation("get", "/people/<int:person_id>/faces", TokenScope.READ, FacesPage)
def faces(path: PersonPath, query: Page) -> FacesPage:
    """Faces of a person, best quality first."""
    person = person_of(path.person_id)
    shown = services().catalogue.faces.of_person(person.id, account().id, query.limit, query.offset)
    return FacesPage(total=person.face_count, **listed_at(query), faces=[Face.model_validate(face) for face in shown])
