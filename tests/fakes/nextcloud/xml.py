"""DAV's XML, written as Sabre writes it."""

import re
from collections.abc import Iterable
from urllib.parse import quote
from xml.sax.saxutils import escape

NAMESPACES = {
    "DAV:": "d",
    "http://sabredav.org/ns": "s",
    "http://owncloud.org/ns": "oc",
    "http://nextcloud.org/ns": "nc",
}
DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for uri, prefix in NAMESPACES.items())
STATUS = {200: "HTTP/1.1 200 OK", 404: "HTTP/1.1 404 Not Found"}


def href(path: str) -> str:
    """Percent-encoded as Sabre does: lower-case hex digits, round brackets stay."""
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quote(path, safe="/()~"))


def tag(name: str) -> str:
    """`{DAV:}getetag` as `d:getetag`; an unknown namespace is declared in place."""
    uri, _, local = name[1:].partition("}")
    return f"{NAMESPACES[uri]}:{local}" if uri in NAMESPACES else f'x:{local} xmlns:x="{uri}"'


def element(name: str, value: str) -> str:
    """`value` is text, or markup when it begins with "<"."""
    inner = value if value.startswith(("<d:", "<oc:", "<nc:")) else escape(value, {'"': "&quot;"})
    opened = tag(name)
    return f"<{opened}>{inner}</{opened.split(' ')[0]}>" if inner else f"<{opened}/>"


def response(path: str, props: Iterable[tuple[str, str | None]]) -> str:
    """One `d:response` with a propstat for what is there and one for what is not."""
    found: list[tuple[str, str | None]] = []
    missing: list[tuple[str, str | None]] = []
    for name, value in props:
        (missing if value is None else found).append((name, value))
    parts = [f"<d:response><d:href>{href(path)}</d:href>"]
    for status, entries in ((200, found), (404, missing)):
        if entries:
            inner = "".join(element(name, value or "") for name, value in entries)
            parts.append(f"<d:propstat><d:prop>{inner}</d:prop><d:status>{STATUS[status]}</d:status></d:propstat>")
    return "".join([*parts, "</d:response>"])


def multistatus(responses: Iterable[str]) -> Iterable[str]:
    """The document, piece by piece."""
    yield f'<?xml version="1.0"?>\n<d:multistatus {DECLARED}>'
    yield from responses
    yield "</d:multistatus>\n"


def error(exception: str, message: str) -> str:
    """What Sabre says when something fails."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">\n'
        f"  <s:exception>{escape(exception)}</s:exception>\n  <s:message>{escape(message)}</s:message>\n</d:error>\n"
    )
