"""What the parts of the fake share: how a part is named, and the answers Nextcloud gives everywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from werkzeug.wrappers import Request, Response

from tests.fakes.nextcloud import xml
from tests.fakes.nextcloud.cloud import Cloud

PAGE_CSP = "default-src 'none';base-uri 'none';manifest-src 'self';frame-ancestors 'none'"
NO_STORE = "no-store, no-cache, must-revalidate"


class Serving(Protocol):
    """The server, as far as its parts need it (`FakeNextcloud`)."""

    cloud: Cloud
    version: int
    maintenance: bool
    infinite: bool


Handler = Callable[[Serving, Request, str], Response]
"""(server, request, user) -> answer; `user` is "" for who did not log in."""


@dataclass(frozen=True, slots=True)
class Part:
    """Paths below `prefix` are answered by `handler`; `public` ones need no login."""

    prefix: str
    handler: Handler
    public: bool = False


def sabre_name(status: int) -> str:
    """The class Sabre answers with."""
    names = {403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed", 409: "Conflict", 412: "PreconditionFailed"}
    names |= {423: "Locked", 507: "InsufficientStorage"}
    return f"Sabre\\DAV\\Exception\\{names.get(status, 'BadRequest')}"


def dav_error(status: int, exception: str, message: str) -> Response:
    """An error of the DAV server."""
    answer = Response(xml.error(exception, message), status, content_type="application/xml; charset=utf-8")
    answer.headers.update({"Cache-Control": NO_STORE, "X-Frame-Options": "SAMEORIGIN"})
    return answer


def unauthorised(path: str) -> Response:
    """401 as the DAV server or as the rest answers it."""
    if path.startswith("/remote.php"):
        message = "No public access to this resource., Username or password was incorrect"
        answer = dav_error(401, "Sabre\\DAV\\Exception\\NotAuthenticated", message)
        answer.headers["WWW-Authenticate"] = 'Basic realm="Nextcloud", charset="UTF-8"'
        return answer
    body = (
        '<?xml version="1.0"?>\n<ocs>\n <meta>\n  <status>failure</status>\n  <statuscode>997</statuscode>\n'
        "  <message>Unauthorised</message>\n </meta>\n <data/>\n</ocs>\n"
    )
    answer = Response(body, 401, content_type="text/xml; charset=UTF-8")
    answer.headers.update({"Cache-Control": NO_STORE, "WWW-Authenticate": 'Basic realm="Authorisation Required"'})
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


def json_answer(body: str, status: int = 200) -> Response:
    """JSON as Nextcloud's controllers send it."""
    answer = Response(body, status, content_type="application/json; charset=utf-8")
    answer.headers["Cache-Control"] = "no-cache, no-store, must-revalidate"
    answer.headers["Content-Security-Policy"] = PAGE_CSP
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer
