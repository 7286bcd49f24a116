"""Files and the trash over DAV: PROPFIND, SEARCH, GET, PUT, DELETE, MOVE, MKCOL, REPORT."""

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import ParseError, fromstring
from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from tests.fakes.nextcloud import xml
from tests.fakes.nextcloud.answers import NO_STORE, Part, Serving
from tests.fakes.nextcloud.cloud import CloudError, Node
from tests.fakes.nextcloud.properties import DAV, NC, OC, oc_id, value
from tests.fakes.nextcloud.searching import search

FILES = "/remote.php/dav/files/"
TRASH = "/remote.php/dav/trashbin/"
COMPLIANCE = (
    "1, 3, extended-mkcol, access-control, calendarserver-principal-property-search, "
    "nextcloud-checksum-update, nc-calendar-search, nc-enable-birthday-calendar"
)
ALL_PROPS = [f"{DAV}{name}" for name in ("getlastmodified", "getcontentlength", "resourcetype", "getetag")]


def files(server: Serving, request: Request, user: str) -> Response:
    """Everything below `/remote.php/dav/files/<user>/`."""
    owner, _, path = request.path.removeprefix(FILES).partition("/")
    if owner != user:
        raise CloudError(404, "Principal with name not found")
    handler = {
        "PROPFIND": propfind,
        "GET": get,
        "HEAD": get,
        "PUT": put,
        "DELETE": delete,
        "MOVE": move,
        "MKCOL": mkcol,
        "REPORT": report,
    }.get(request.method)
    if handler is None:
        raise CloudError(501, f"There was no handler found for this {request.method} request", "NotImplemented")
    return handler(server, request, user, path)


def asked_props(request: Request) -> list[str]:
    """The names in the body; Nextcloud answers a fixed set when there is no body."""
    if not request.get_data():
        return ALL_PROPS
    try:
        found = fromstring(request.get_data()).find("{DAV:}prop")
    except ParseError:
        raise CloudError(400, "The XML could not be read") from None
    return [prop.tag for prop in found] if found is not None else ALL_PROPS


def propfind(server: Serving, request: Request, user: str, path: str) -> Response:
    """Depth 0, 1 or infinity (which not every server honours)."""
    node, names = server.cloud.find(user, path), asked_props(request)
    depth = {"0": 0, "1": 1}.get(request.headers.get("Depth", "1").lower(), 99 if server.infinite else 1)

    def responses() -> Iterator[str]:
        for place, found in below(server, user, node, path.strip("/"), depth):
            yield entry(server, user, found, place, names)

    return multistatus(responses(), dav=True)


def below(server: Serving, user: str, node: Node, path: str, depth: int) -> Iterator[tuple[str, Node]]:
    """The node and what is in it, as deep as asked."""
    yield path, node
    if depth:
        for name, child in list(server.cloud.children(user, node).items()):
            yield from below(server, user, child, f"{path}/{name}" if path else name, depth - 1)


def entry(server: Serving, user: str, node: Node, path: str, names: list[str]) -> str:
    """One `d:response`."""
    href = f"{FILES}{user}/{path}" + ("/" if node.is_folder and path else "")
    return xml.response(href, [(name, value(server.cloud, user, node, name)) for name in names])


def found_entry(server: Serving, user: str, node: Node, path: str, names: list[str]) -> str:
    """As `entry`, but a search does not know who owns a file (recorded)."""
    href = f"{FILES}{user}/{path}" + ("/" if node.is_folder else "")
    unknown = f"{OC}owner-id"
    props = [(name, None if name == unknown else value(server.cloud, user, node, name)) for name in names]
    return xml.response(href, props)


def multistatus(responses: Iterator[str], *, dav: bool = False) -> Response:
    """207, streamed."""
    answer = Response(xml.multistatus(responses), 207, content_type="application/xml; charset=utf-8")
    answer.headers["Cache-Control"] = NO_STORE
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    answer.headers["Content-Security-Policy"] = "default-src 'none';"
    if dav:
        answer.headers["DAV"] = COMPLIANCE
    return answer


def get(server: Serving, request: Request, user: str, path: str) -> Response:
    """The original; 304 when the client has it."""
    node = server.cloud.find(user, path)
    if node.is_folder:
        raise CloudError(501, "This is the WebDAV interface. It can only be accessed by WebDAV clients.")
    tag = f'"{node.etag}"'
    if request.headers.get("If-None-Match") == tag:
        answer = Response(status=304)
    else:
        answer = Response(node.data, content_type=node.mime)
        answer.headers["Last-Modified"] = http_date(node.mtime)
        answer.headers["OC-ETag"] = tag
    answer.headers.update({"ETag": tag, "Cache-Control": NO_STORE, "X-Frame-Options": "SAMEORIGIN"})
    return answer


def put(server: Serving, request: Request, user: str, path: str) -> Response:
    """Create or overwrite. `If-Match`, `If-None-Match: *` and locks are respected."""
    cloud = server.cloud
    existing = _existing(server, user, path)
    if existing is not None and existing.is_folder:
        raise CloudError(409, "PUT is not allowed on non-files.")
    if existing is not None and request.headers.get("If-None-Match") == "*":
        raise CloudError(412, "An If-None-Match header was specified, but the ETag matched (or * was specified).")
    wanted = request.headers.get("If-Match")
    if wanted is not None and (existing is None or wanted not in ("*", f'"{existing.etag}"')):
        raise CloudError(412, "An If-Match header was specified, but none of the specified the ETags matched.")
    if existing is not None and existing.locked:
        raise CloudError(423, f'"{path}" is locked')
    if cloud.free_bytes < len(request.get_data()):
        raise CloudError(507, "Insufficient space in the target folder")
    mtime = request.headers.get("X-OC-MTime")
    node = cloud.put(user, path, request.get_data(), int(mtime) if mtime else None)
    answer = empty(204 if existing is not None else 201)
    answer.headers.update({"ETag": f'"{node.etag}"', "OC-ETag": f'"{node.etag}"', "OC-FileId": oc_id(node)})
    if mtime:
        answer.headers["X-OC-MTime"] = "accepted"
    return answer


def delete(server: Serving, request: Request, user: str, path: str) -> Response:
    """Into the trash."""
    node = server.cloud.find(user, path)
    if request.headers.get("If-Match", f'"{node.etag}"') != f'"{node.etag}"':
        raise CloudError(412, "An If-Match header was specified, but none of the specified the ETags matched.")
    if node.locked:
        raise CloudError(423, f'"{path}" is locked')
    server.cloud.delete(user, path)
    return empty(204)


def move(server: Serving, request: Request, user: str, path: str) -> Response:
    """`Destination`, `Overwrite: F`."""
    target = unquote(urlsplit(request.headers.get("Destination", "")).path)
    prefix = f"{FILES}{user}/"
    if not target.startswith(prefix):
        raise CloudError(502, "The destination is not on this server", "BadGateway")
    new = target.removeprefix(prefix)
    server.cloud.find(user, path)
    existing = _existing(server, user, new)
    if existing is not None and request.headers.get("Overwrite", "T") == "F":
        raise CloudError(412, "The destination node already exists, and the overwrite header is set to false")
    node = server.cloud.move(user, path, new)
    answer = empty(204 if existing is not None else 201)
    answer.headers.update({"ETag": f'"{node.etag}"', "OC-ETag": f'"{node.etag}"', "OC-FileId": oc_id(node)})
    return answer


def mkcol(server: Serving, request: Request, user: str, path: str) -> Response:
    """A new folder."""
    node = server.cloud.mkdir(user, path)
    answer = empty(201)
    answer.headers["OC-FileId"] = oc_id(node)
    return answer


def report(server: Serving, request: Request, user: str, path: str) -> Response:
    """`oc:filter-files` by system tag."""
    root = fromstring(request.get_data())
    wanted = {int(rule.text or 0) for rule in root.iter(f"{OC}systemtag")}
    names = asked_props(request)
    found = [
        (place, node)
        for place, node in below(server, user, server.cloud.find(user, path), path.strip("/"), 99)
        if wanted and all((node.id, tag) in server.cloud.assigned for tag in wanted)
    ]
    return multistatus(entry(server, user, node, place, names) for place, node in found)


def empty(status: int) -> Response:
    """An answer without a body."""
    answer = Response("", status, content_type="text/html; charset=UTF-8")
    answer.headers.update({"Cache-Control": NO_STORE, "X-Frame-Options": "SAMEORIGIN"})
    return answer


def trash(server: Serving, request: Request, user: str) -> Response:
    """What the user deleted; `MOVE .../trash/<name>` to `.../restore/<name>` brings it back."""
    owner, _, path = request.path.removeprefix(TRASH).partition("/")
    if owner != user or not path.startswith("trash"):
        raise CloudError(404, "Principal with name not found")
    name = path.removeprefix("trash").strip("/")
    if request.method == "MOVE":
        server.cloud.restore(user, name)
        return empty(201)
    if request.method == "DELETE":
        server.cloud.empty_trash(user)
        return empty(204)
    names = asked_props(request)

    def responses() -> Iterator[str]:
        yield xml.response(f"{TRASH}{user}/trash/", [(prop, None) for prop in names])
        for key, item in server.cloud.users[user].trash.items():
            known = {
                f"{OC}fileid": str(item.node.id),
                f"{NC}trashbin-filename": item.name,
                f"{NC}trashbin-original-location": item.location,
                f"{NC}trashbin-deletion-time": str(item.deleted),
            }
            yield xml.response(f"{TRASH}{user}/trash/{key}", [(prop, known.get(prop)) for prop in names])

    return multistatus(responses(), dav=True)


def searching(server: Serving, request: Request, user: str) -> Response:
    """`SEARCH /remote.php/dav/`."""
    if request.method != "SEARCH":
        raise CloudError(404, "Not found")
    try:
        root: Element = fromstring(request.get_data())
    except ParseError as error:
        return Response(str(error), 400, content_type="text/html; charset=UTF-8")
    if root.tag != "{DAV:}searchrequest":
        name = root.tag if root.tag.startswith("{") else f"{{}}{root.tag}"
        message = (
            f"Unexpected document type: {name} for this Content-Type, "
            "expected {DAV:}searchrequest or {DAV:}query-schema-discovery"
        )
        return Response(
            message, 400, content_type="text/html; charset=UTF-8", headers={"X-Frame-Options": "SAMEORIGIN"}
        )
    return search(server, root, user, below, found_entry, multistatus)


def _existing(server: Serving, user: str, path: str) -> Node | None:
    try:
        return server.cloud.find(user, path)
    except CloudError:
        return None


PARTS = [
    Part("/remote.php/dav/", searching),
    Part(FILES, files),
    Part(TRASH, trash),
]
