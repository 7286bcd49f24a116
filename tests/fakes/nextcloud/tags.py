"""System tags: create, list, assign, take off. They belong to the whole instance."""

import json
from collections.abc import Callable

from werkzeug.wrappers import Request, Response

from tests.fakes.nextcloud import xml
from tests.fakes.nextcloud.answers import Part, Serving
from tests.fakes.nextcloud.cloud import CloudError, Tag
from tests.fakes.nextcloud.dav import asked_props, empty, multistatus
from tests.fakes.nextcloud.properties import OC

TAGS = "/remote.php/dav/systemtags/"
RELATIONS = "/remote.php/dav/systemtags-relations/files/"


def tags(server: Serving, request: Request, user: str) -> Response:
    """All tags, or one."""
    cloud, rest = server.cloud, request.path.removeprefix(TAGS).strip("/")
    if request.method == "POST" and not rest:
        return create(server, request)
    tag_id, _, files = rest.partition("/")
    if files == "files" and server.version >= 31 and tag_id.isdecimal() and int(tag_id) in cloud.tags:
        ids = "".join(f"<nc:object-id>{file}</nc:object-id>" for file, tag in cloud.assigned if tag == int(tag_id))
        name = "{http://nextcloud.org/ns}object-ids"
        return multistatus(iter([xml.response(f"{TAGS}{rest}", [(name, ids)])]), dav=True)
    if rest and (not rest.isdecimal() or int(rest) not in cloud.tags):
        raise CloudError(404, f"Tag with id {rest} not found")
    if request.method == "DELETE" and rest:
        if not cloud.users[user].is_admin:
            raise CloudError(403, f"No permission to delete tag {rest}")
        del cloud.tags[int(rest)]
        cloud.assigned = {pair for pair in cloud.assigned if pair[1] != int(rest)}
        return empty(204)
    shown = [cloud.tags[int(rest)]] if rest else sorted(cloud.tags.values(), key=lambda tag: tag.name)
    return listing(request, TAGS, shown, lambda tag: f"{TAGS}{tag.id}", itself=not rest)


def create(server: Serving, request: Request) -> Response:
    """409 when there is one of that name."""
    body = json.loads(request.get_data())
    if any(tag.name == body["name"] for tag in server.cloud.tags.values()):
        raise CloudError(409, "Tag already exists")
    tag = Tag(next(server.cloud.tag_ids), body["name"], body.get("userVisible", True), body.get("userAssignable", True))
    server.cloud.tags[tag.id] = tag
    answer = empty(201)
    answer.headers["Content-Location"] = f"{TAGS}{tag.id}"
    return answer


def relations(server: Serving, request: Request, user: str) -> Response:
    """The tags of one file: PROPFIND, PUT, DELETE."""
    cloud = server.cloud
    file_id, _, tag_id = request.path.removeprefix(RELATIONS).strip("/").partition("/")
    if not file_id.isdecimal() or cloud.sees(user, int(file_id)) is None:
        raise CloudError(404, "Entity does not exist or is not available")
    if not tag_id:
        mine = [cloud.tags[tag] for file, tag in sorted(cloud.assigned) if file == int(file_id)]
        place = f"{RELATIONS}{file_id}/"
        return listing(request, place, mine, lambda tag: f"{place}{tag.id}", itself=True)
    pair = (int(file_id), int(tag_id))
    if request.method == "PUT":
        if pair in cloud.assigned:
            raise CloudError(409, "PUT is not allowed on non-files.")
        if pair[1] not in cloud.tags:
            raise CloudError(404, f"Tag with id {tag_id} does not exist, cannot assign")
        cloud.assigned.add(pair)
        return empty(201)
    if request.method == "DELETE":
        if pair not in cloud.assigned:
            raise CloudError(404, f"Tag with id {tag_id} not present for object {file_id}")
        cloud.assigned.discard(pair)
        return empty(204)
    raise CloudError(405, f"{request.method} is not allowed")


def listing(request: Request, place: str, shown: list[Tag], address: Callable[[Tag], str], *, itself: bool) -> Response:
    """A multistatus of tags."""
    names = asked_props(request)
    responses = [xml.response(place, [(name, None) for name in names])] if itself else []
    for tag in shown:
        known = {
            f"{OC}id": str(tag.id),
            f"{OC}display-name": tag.name,
            f"{OC}user-visible": str(tag.visible).lower(),
            f"{OC}user-assignable": str(tag.assignable).lower(),
            f"{OC}can-assign": str(tag.assignable).lower(),
        }
        responses.append(xml.response(address(tag), [(name, known.get(name)) for name in names]))
    return multistatus(iter(responses), dav=True)


PARTS = [Part(TAGS, tags), Part(RELATIONS, relations)]
