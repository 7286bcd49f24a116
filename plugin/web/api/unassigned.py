"""Faces of nobody, in groups that look alike."""

from pydantic import Field

from plugin.domain import TokenScope
from plugin.web.api.faces import WhoItIs, own_faces, say_who
from plugin.web.api.people import Person, person_of
from plugin.web.api.resource import Resource, listed_at
from plugin.web.api.values import Body, Ids, Listed, Page
from plugin.web.request_context import account, services

api = Resource("unassigned", "Unassigned faces")

EVERYTHING = 1_000_000


class GroupsPage(Listed):
    """Groups of faces that look alike, the largest first, single faces last."""

    groups: list[list[int]]
    faces: int = Field(description="How many faces of nobody there are in all")


class FacesAre(WhoItIs):
    """Faces, and who they are: `person_id` or `name`."""

    face_ids: Ids


class FacesAreNobody(Body):
    """Faces of strangers, statues, posters."""

    face_ids: Ids


@api.operation("get", "/unassigned", TokenScope.READ, GroupsPage)
def listed(query: Page) -> GroupsPage:
    """Groups of faces of nobody, the largest first."""
    groups = services().suggestions.unassigned_groups(account().id, 0, EVERYTHING)
    shown = [list(group) for group in groups[query.offset : query.offset + query.limit]]
    return GroupsPage(total=len(groups), **listed_at(query), groups=shown, faces=sum(len(group) for group in groups))


@api.operation("post", "/unassigned/assign", TokenScope.VERDICTS, Person)
def assign(body: FacesAre) -> Person:
    """Say who several faces are; answers who that is."""
    return person_of(say_who(body.face_ids, body))


@api.operation("post", "/unassigned/ignore", TokenScope.VERDICTS, status=204)
def ignore(body: FacesAreNobody) -> None:
    """Say that several faces are nobody."""
    services().people.ignore_all(account().id, own_faces(body.face_ids))
