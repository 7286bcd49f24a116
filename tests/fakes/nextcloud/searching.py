"""SEARCH as SearchDAV answers it for Nextcloud 27, with what it refuses."""

import fnmatch
from collections.abc import Callable, Iterator
from datetime import datetime
from xml.etree.ElementTree import Element

from werkzeug.wrappers import Response

from tests.fakes.nextcloud.answers import NO_STORE, Serving, dav_error
from tests.fakes.nextcloud.cloud import Node
from tests.fakes.nextcloud.properties import DAV, OC

SORTABLE = {f"{DAV}{name}" for name in ("displayname", "getcontenttype", "getlastmodified")} | {f"{OC}size"}
FIRST = "{https://github.com/icewind1991/SearchDAV/ns}firstresult"
"""Only this namespace pages; `nc:firstresult` is ignored silently, as recorded."""

REFUSED = {"Cache-Control": NO_STORE, "X-Frame-Options": "SAMEORIGIN"}

Below = Callable[[Serving, str, Node, str, int], Iterator[tuple[str, Node]]]
Entry = Callable[[Serving, str, Node, str, list[str]], str]


class Unsupported(Exception):
    """A comparison the server cannot do."""


def search(
    server: Serving, root: Element, user: str, below: Below, entry: Entry, multistatus: Callable[..., Response]
) -> Response:
    """Filter, order, cut."""
    order = root.find(f".//{DAV}orderby/{DAV}order")
    ordered_by = order.find(f"{DAV}prop") if order is not None else None
    by = ordered_by[0].tag if ordered_by is not None else None
    if by is not None and by not in SORTABLE:
        text = "requested order by property is not sortable"
        return Response(text, 400, content_type='application/xml; charset="utf-8"', headers=REFUSED)
    scope = (root.findtext(f".//{DAV}scope/{DAV}href") or "").strip("/").removeprefix(f"files/{user}").strip("/")
    where = root.find(f".//{DAV}where")
    try:
        found = [
            (path, node)
            for path, node in below(server, user, server.cloud.find(user, scope), scope, 99)
            if path != scope and (where is None or all(_holds(node, test) for test in where))
        ]
    except Unsupported as problem:
        return dav_error(500, "InvalidArgumentException", str(problem))
    if by is not None and order is not None:
        found.sort(key=lambda pair: _key(pair[1], by), reverse=order.find(f"{DAV}descending") is not None)
    limit = root.find(f".//{DAV}limit")
    count = int((limit.findtext(f"{DAV}nresults") if limit is not None else None) or 100)
    first = int((limit.findtext(FIRST) if limit is not None else None) or 0)
    select = root.find(f".//{DAV}select/{DAV}prop")
    names = [prop.tag for prop in select] if select is not None else []
    page = found[first : first + count]
    answer = multistatus(entry(server, user, node, path, names) for path, node in page)
    answer.headers["Content-Type"] = 'application/xml; charset="utf-8"'
    return answer


def _holds(node: Node, test: Element) -> bool:
    kind = test.tag.removeprefix(DAV)
    if kind in ("and", "or"):
        results = [_holds(node, part) for part in test]
        return all(results) if kind == "and" else any(results)
    if kind == "not":
        return not _holds(node, test[0])
    prop = test.find(f"{DAV}prop")
    name = prop[0].tag if prop is not None else ""
    literal = test.findtext(f"{DAV}literal") or ""
    return _compare(node, kind, name, literal)


def _compare(node: Node, kind: str, name: str, literal: str) -> bool:
    if name == f"{OC}fileid":
        if kind != "eq":
            raise Unsupported(f"Unsupported comparison for field  fileid: {kind}")
        return str(node.id) == literal
    if name == f"{DAV}getlastmodified":
        than = datetime.fromisoformat(literal).timestamp()
        return {"gt": node.mtime > than, "gte": node.mtime >= than, "lt": node.mtime < than}.get(kind, False)
    text = {f"{DAV}getcontenttype": node.mime, f"{DAV}displayname": node.name}.get(name, "")
    if kind == "like":
        return fnmatch.fnmatchcase(text, literal.replace("%", "*"))
    return kind == "eq" and text == literal


def _key(node: Node, by: str) -> str | int:
    if by == f"{DAV}getlastmodified":
        return node.mtime
    return len(node.data) if by == f"{OC}size" else node.mime if by.endswith("contenttype") else node.name
