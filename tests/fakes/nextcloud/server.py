"""Serves a `Cloud` on loopback: who asks, which part answers, and the knobs for what goes wrong."""

import ssl
from base64 import b64decode

from werkzeug.wrappers import Request, Response

from tests.fakes.nextcloud import dav, login_flow, ocs, previews, tags
from tests.fakes.nextcloud.answers import Part, dav_error, sabre_name, unauthorised
from tests.fakes.nextcloud.cloud import Cloud, CloudError
from tests.fakes.serving import FakeServer


class FakeNextcloud(FakeServer):
    """See `FakeServer`.

    Attributes:
        cloud: the state; change it as users would.
        parts: who answers what, longest prefix first; add to it to extend the fake.
        maintenance: answer everything with 503, as `occ maintenance:mode --on` does; its header is missing over DAV.
        version: major version.
        infinite: whether `Depth: infinity` is honoured; else Sabre answers as if it were 1.
        throttle_after: so many wrong passwords, and every answer is 429.
        app_secret: an app with this secret may act for every user (AppAPI); "" for no app.
    """

    name = "nextcloud"

    def __init__(self, cloud: Cloud | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls=tls)
        self.cloud = cloud or Cloud()
        self.maintenance = False
        self.version = 27
        self.infinite = True
        self.throttle_after = 10
        self.wrong_passwords = 0
        self.app_secret = ""
        self.parts: list[Part] = [*dav.PARTS, *tags.PARTS, *ocs.PARTS, *previews.PARTS, *login_flow.make_parts()]

    def answer(self, request: Request) -> Response:
        """By the part whose prefix fits."""
        if self.maintenance and not request.path.startswith("/status.php"):
            return self._maintenance(request)
        part = self._part(request.path)
        if part is None:
            return Response("Not found", 404, content_type="text/html; charset=UTF-8")
        user, refused = self._who(request, part)
        if refused is not None:
            return refused
        try:
            return part.handler(self, request, user)
        except CloudError as error:
            return dav_error(error.status, error.kind or sabre_name(error.status), str(error))

    def _part(self, path: str) -> Part | None:
        fitting = [part for part in self.parts if path.startswith(part.prefix)]
        return max(fitting, key=lambda part: len(part.prefix), default=None)

    def _who(self, request: Request, part: Part) -> tuple[str, Response | None]:
        said, _, secret = b64decode(request.headers.get("AUTHORIZATION-APP-API", "")).decode().partition(":")
        if self.app_secret and said in self.cloud.users and secret == self.app_secret:
            return said, None
        login = request.authorization
        user, password = (login.username or "", login.password or "") if login else ("", "")
        if login is not None and self.wrong_passwords >= self.throttle_after:
            return "", Response("Reached maximum delay", 429, content_type="text/html; charset=UTF-8")
        if login is not None and self.cloud.accepts(user, password):
            return user, None
        if part.public:
            return "", None
        if login is not None:
            self.wrong_passwords += 1
        return "", unauthorised(request.path)

    def _maintenance(self, request: Request) -> Response:
        if request.path.startswith("/remote.php"):
            kind = "OCA\\DAV\\Exception\\ServerMaintenanceMode"
            return dav_error(503, kind, "System is in maintenance mode.")  # in the language of the user
        answer = Response("<html>Maintenance mode</html>", 503, content_type="text/html; charset=UTF-8")
        answer.headers["X-Nextcloud-Maintenance-Mode"] = "1"
        answer.headers["Retry-After"] = "120"
        return answer
