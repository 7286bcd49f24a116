"""Faces of nobody, in groups that look alike."""

from pydantic import Field

from plugin.domain import TokenScope
from plugin.web.api.faces import Face, WhoItIs, own_faces, say_who
from plugin.web.api.people import Person, person_of
from plugin.web.api.resource import Resource, listed_at
from plugin.web.api.values import Body, Ids, Listed, Page
from plugin.web.request_context import account, services

api = Resource("unassigned", "Unassigned faces")


class GroupsPage(Listed):
    """Groups of faces that look alike, the largest first, single faces (groups of one) last."""

    groups: list[list[int]]
    faces: int = Field(description="How many faces of nobody there are in all")
    singles: int = Field(description="How many of these are like no other")


class IgnoredPage(Listed):
    """Faces that were said to be nobody, the last one first."""

    faces: list[Face]


class FacesAre(WhoItIs):
    """Faces, and who they are: `person_id` or `name`."""

    face_ids: Ids


class FacesAreNobody(Body):
    """Faces of strangers, statues, posters."""

    face_ids: Ids


class FacesAreSomebody(Body):
    """Faces that were taken away."""

    face_ids: Ids


@api.operation("get", "/unassigned", TokenScope.READ, GroupsPage)
def listed(query: Page) -> GroupsPage:
    """Groups of faces of nobody, the largest first."""
    owner, pack = account().id, services().preferences.current().pack
    counts = services().catalogue.galleries.nobody_counts(owner, pack)
    groups = services().suggestions.unassigned_groups(owner, query.offset, query.limit)
    return GroupsPage(
        total=counts.groups + counts.singles,
        **listed_at(query),
        groups=[list(group) for group in groups],
        faces=counts.faces,
        singles=counts.singles,
    )


@api.operation("get", "/unassigned/ignored", TokenScope.READ, IgnoredPage)
def ignored(query: Page) -> IgnoredPage:
    """Faces that were said to be nobody, the last one first."""
    galleries, owner = services().catalogue.galleries, account().id
    face_ids = galleries.ignored(owner, query.offset, query.limit)
    faces = {face.id: face for face in services().catalogue.faces.many(face_ids)}
    shown = [Face.model_validate(faces[face_id]) for face_id in face_ids if face_id in faces]
    return IgnoredPage(total=galleries.ignored_count(owner), **listed_at(query), faces=shown)


@api.operation("post", "/unassigned/assign", TokenScope.VERDICTS, Person)
def assign(body: FacesAre) -> Person:
    """Say who several faces are; answers who that is."""
    return person_of(say_who(body.face_ids, body))


@api.operation("post", "/unassigned/ignore", TokenScope.VERDICTS, status=204)
def ignore(body: FacesAreNobody) -> None:
    """Say that several faces are nobody."""
    services().people.ignore_all(account().id, own_faces(body.face_ids))


@api.operation("post", "/unassigned/restore", TokenScope.VERDICTS, status=204)
def restore(body: FacesAreSomebody) -> None:
    """Take back that several faces are nobody; all of them, or none."""
    services().people.restore_all(account().id, own_faces(body.face_ids))
