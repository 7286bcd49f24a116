"""Serves a `FakeLibrary` on loopback: who asks, what is answered, and the knobs for what goes wrong."""

import re
import ssl
from collections.abc import Callable

from werkzeug.wrappers import Request, Response

from tests.fakes.photoprism.answers import (
    config,
    failed,
    icon,
    marker_row,
    merged,
    moment,
    picture,
    said,
    subject_row,
)
from tests.fakes.photoprism.library import FakeFile, FakeLibrary, FakePhoto, FakeSession
from tests.fakes.photoprism.people import Unable
from tests.fakes.serving import FakeServer

FILTER = re.compile(r'(\w+):(?:"([^"]*)"|(\S+))')


class FakePhotoPrism(FakeServer):
    """See `FakeServer`.

    Attributes:
        library: the state; change it as users would.
        wakeup: hours between two runs of PhotoPrism's background worker; names are refused above one.
        busy: so many changes of people are answered with "busy" first.
    """

    name = "photoprism"

    keeps_bodies = True

    def __init__(self, library: FakeLibrary | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls=tls)
        self.library = library or FakeLibrary()
        self.wakeup = 1
        self.busy = 0

    def answer(self, request: Request) -> Response:
        """By the route that fits."""
        way = request.path.removeprefix("/api/v1")
        routes: list[tuple[str, str, Callable[..., Response]]] = [
            ("GET", r"/config", self._config),
            ("GET", r"/photos", self._photos),
            ("GET", r"/t/([^/]+)/([^/]+)/fit_(\d+)", self._thumb),
            ("GET", r"/dl/([^/]+)", self._download),
            ("POST", r"/markers", self._add_marker),
            ("PUT", r"/markers/([^/]+)", self._change_marker),
            ("DELETE", r"/markers/([^/]+)/subject", self._clear_marker),
            ("GET", r"/files/([^/]+)", self._file),
            ("GET", r"/subjects", self._subjects),
            ("GET", r"/subjects/([^/]+)", self._subject),
            ("PUT", r"/subjects/([^/]+)", self._rename_subject),
            ("GET", r"/session", self._who),
            ("POST", r"/session", self._log_in),
            ("DELETE", r"/session", self._log_out),
            ("POST", r"/oauth/token", self._app_password),
            ("POST", r"/oauth/revoke", self._log_out),
        ]
        for method, pattern, handler in routes:
            if request.method == method and (found := re.fullmatch(pattern, way)):
                return handler(request, *found.groups())
        return Response("<!doctype html><title>PhotoPrism</title>", 404, content_type="text/html; charset=utf-8")

    def _session(self, request: Request) -> FakeSession | None:
        if self.library.public:
            return FakeSession("admin")
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return self.library.sessions.get(request.headers.get("X-Auth-Token", "") or bearer)

    def _config(self, request: Request) -> Response:
        session = self._session(request)
        return said(config(self.library, known=session is not None, scope=session.scope if session else "*"))

    def _photos(self, request: Request) -> Response:
        session = self._session(request)
        if session is None:
            return failed(401, "Please log in to your account")
        if session.is_app and not {"*", "photos"} & set(session.scope.split()):
            return failed(403, "Permission denied")
        count, offset = request.args.get("count", 0, type=int), request.args.get("offset", 0, type=int)
        if count < 1:
            return failed(400, "Unable to do that")
        rows = [row for photo in self._found(request) for row in self._rows(photo, request)][offset : offset + count]
        answer = said(merged(rows, self.library.people))
        answer.headers["X-Count"], answer.headers["X-Limit"] = str(len(rows)), str(count)
        answer.headers["X-Offset"] = str(offset)
        public = self.library.public
        answer.headers["X-Preview-Token"] = "public" if public else self.library.preview_token
        answer.headers["X-Download-Token"] = "public" if public else self.library.download_token
        return answer

    def _may(self, request: Request, scope: str, *, changes: bool = True) -> Response | None:
        """Why people may not be looked at or changed, None where they may."""
        session = self._session(request)
        if session is None:
            return failed(401, "Please log in to your account")
        if session.is_app and not {"*", scope} & set(session.scope.split()):
            return failed(403, "Permission denied")
        if changes and not self.library.features["people"]:
            return failed(403, "Feature disabled")
        if changes and self.busy:
            self.busy -= 1
            return failed(429, "Busy, please try again later")
        return None

    def _no_people(self, request: Request) -> Response | None:
        if self.wakeup > 1:
            return failed(403, f"The wakeup interval is {self.wakeup}h0m0s, but must be 1h or less")
        return self._may(request, "files")

    def _add_marker(self, request: Request) -> Response:
        refused, form = self._may(request, "files", changes=False), request.get_json()
        if refused is not None:
            return refused
        if not any(file.uid == form["FileUID"] for photo in self.library.photos.values() for file in photo.files):
            return failed(404, "Entity not found")
        try:
            return said(marker_row(self.library.people.create(form)), 201)
        except Unable:
            return failed(400, "Unable to do that")

    def _change_marker(self, request: Request, uid: str) -> Response:
        refused = self._no_people(request)
        if refused is not None:
            return refused
        if uid not in self.library.people.markers:
            return failed(404, "Entity not found")
        try:
            return said(marker_row(self.library.people.update(uid, request.get_json())))
        except Unable:
            return failed(400, "Unable to do that")

    def _clear_marker(self, request: Request, uid: str) -> Response:
        refused = self._no_people(request)
        if refused is not None:
            return refused
        if uid not in self.library.people.markers:
            return failed(404, "Entity not found")
        return said(marker_row(self.library.people.clear(uid)))

    def _file(self, request: Request, _hash: str) -> Response:
        return self._may(request, "files", changes=False) or failed(404, "Entity not found")

    def _subjects(self, request: Request) -> Response:
        refused, count = self._may(request, "people", changes=False), request.args.get("count", 0, type=int)
        if refused is not None or count < 1:
            return refused or failed(400, "Unable to do that")
        offset, people = request.args.get("offset", 0, type=int), self.library.people
        return said([subject_row(people, uid) for uid in list(people.subjects)[offset : offset + count]])

    def _subject(self, request: Request, uid: str) -> Response:
        refused, people = self._may(request, "people", changes=False), self.library.people
        if refused is not None:
            return refused
        return said(subject_row(people, uid)) if uid in people.subjects else failed(404, "Person not found")

    def _rename_subject(self, request: Request, uid: str) -> Response:
        refused, people = self._may(request, "people"), self.library.people
        if refused is not None:
            return refused
        if uid not in people.subjects:
            return failed(404, "Person not found")
        return said(subject_row(people, people.rename(uid, request.get_json()["Name"])))

    def _found(self, request: Request) -> list[FakePhoto]:
        """Newest first, as `order=added` gives them."""
        wanted = {name: first or second for name, first, second in FILTER.findall(request.args.get("q", ""))}
        assert wanted.keys() <= {"uid", "added", "updated"}, wanted
        quality = request.args.get("quality", 0, type=int)
        photos = sorted(self.library.photos.values(), key=lambda photo: -photo.number)
        return [
            photo
            for photo in photos
            if photo.deleted is None
            and (photo.quality >= quality or not quality)
            and not (photo.private and request.args.get("public") == "true")
            and wanted.get("uid", photo.uid) == photo.uid
            and wanted.get("added", "") <= moment(photo.created)
            and wanted.get("updated", "") <= moment(photo.updated)
        ]

    @staticmethod
    def _rows(photo: FakePhoto, request: Request) -> list[tuple[FakePhoto, FakeFile]]:
        only_primary = request.args.get("primary") == "true"
        return [(photo, file) for file in photo.files if (file.primary if only_primary else not file.sidecar)]

    def _thumb(self, _request: Request, file_hash: str, token: str, side: str) -> Response:
        if token != ("public" if self.library.public else self.library.preview_token):
            return icon(403)
        file = self.library.of_hash(file_hash)
        made = picture(file.data, int(side)) if file else None
        return icon() if made is None else Response(made, content_type="image/jpeg")

    def _download(self, request: Request, file_hash: str) -> Response:
        if request.args.get("t") != ("public" if self.library.public else self.library.download_token):
            return icon(403)
        file = self.library.of_hash(file_hash)
        if file is None:
            return said({"error": "record not found"}, 404)
        return Response(file.data, content_type="application/octet-stream")

    def _who(self, request: Request) -> Response:
        session = self._session(request)
        if session is None:
            return failed(401, "Please log in to your account")
        user = {"UID": f"u{session.user:0>15}", "Name": session.user}
        return said({"status": "success", "scope": session.scope, "user": user})

    def _log_in(self, request: Request) -> Response:
        given = request.get_json()
        if self.library.passwords.get(given.get("username", "")) != given.get("password"):
            return said({"error": "Invalid credentials"}, 401)
        token = f"session-{self.library.next_number():06}"
        self.library.sessions[token] = FakeSession(given["username"], is_app=False)
        return said({"status": "success", "access_token": token, "id": token, "user": {"Name": given["username"]}})

    def _log_out(self, request: Request) -> Response:
        gone = self.library.sessions.pop(request.headers.get("X-Auth-Token", ""), None)
        return said({"status": "deleted"}) if gone else failed(401, "Please log in to your account")

    def _app_password(self, request: Request) -> Response:
        session, given = self._session(request), request.get_json()
        if self.library.public:
            return failed(403, "Permission denied")
        complete = all(given.get(name) for name in ("username", "password", "client_name", "scope"))
        fits = session is not None and self.library.passwords.get(session.user) == given.get("password")
        if session is None or session.is_app or given.get("grant_type") != "password" or not complete or not fits:
            return failed(401, "Invalid credentials")
        token = self.library.token(session.user, given["scope"])
        return said({"status": "success", "access_token": token, "token_type": "Bearer", "scope": given["scope"]})
