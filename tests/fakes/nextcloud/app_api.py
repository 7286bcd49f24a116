"""AppAPI in memory: what an app asks of Nextcloud, and the proxy through which browsers reach the app.

Written from `nextcloud/app_api` (2026): `AppAPIService`, `ExAppProxyController`, `TopMenuController`,
`TaskProcessingController`, and the core's `TaskProcessingApiController`.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
from werkzeug.wrappers import Request, Response

from tests.fakes.serving import OnLoopback

PAGE_CSP = (
    "default-src 'none';base-uri 'none';manifest-src 'self';script-src 'self' 'unsafe-eval' 'unsafe-inline';"
    "style-src 'self' 'unsafe-inline';img-src 'self' data: blob:;font-src 'self' data:;connect-src 'self';"
    "media-src 'self';frame-src 'self';frame-ancestors 'self';form-action 'self'"
)
"""Of the embedded page, measured on Nextcloud 27 (hosts.md A.3)."""

PROXIED_CSP = "default-src 'none';base-uri 'none';manifest-src 'self';frame-ancestors 'none'"
"""Nextcloud 27 puts this over whatever the app sent."""


HOOKED = {
    *(
        f"OCP\\Files\\Events\\Node\\Node{what}Event"
        for what in ("Created", "Written", "Touched", "Deleted", "Renamed", "Copied")
    ),
    "OCA\\Files_Trashbin\\Events\\NodeRestoredEvent",
}
"""Classes there are, as `WebhookListenerMapper` asks for them (read in Nextcloud 30 to 35)."""

HOP_BY_HOP = {"connection", "content-encoding", "content-length", "date", "server", "transfer-encoding"}


def reaches(pattern: str, path: str) -> bool:
    """Whether a route of `info.xml` lets this path through: it stands between slashes, and the path has none first.

    Read in 3.1 (and found out with it) and in 32; 35 puts a slash before the path.
    """
    broken = re.search(r"(?<!\\)/", pattern) is not None  # preg_match: Unknown modifier
    return not broken and re.search(pattern, path, re.IGNORECASE) is not None


@dataclass
class Task:
    """A TaskProcessing task."""

    id: int
    files: Any
    status: str = "scheduled"
    progress: list[float] = field(default_factory=list)
    output: Any = None
    problem: str | None = None


@dataclass
class AppCloud(OnLoopback):
    """A Nextcloud with one app; use it as a context manager.

    Attributes:
        users: uid to groups.
        registered: what the app put into menus: (path, JSON).
        seen: (method, path, user the app acted for) of everything the app asked.
        files: pictures by file id, for tasks.
        interfere: what it returns is the answer.
        app_url: where the app listens, for the proxy.
        routes: of `info.xml`: (regular expression, verbs, access level, headers to exclude).
        logged_in: who uses the browser, by the value of its cookie.
    """

    app_id: str = "kinfolk"
    secret: str = "a-long-shared-secret"
    version: str = "0.1.0"
    users: dict[str, list[str]] = field(default_factory=lambda: {"admin": ["admin"], "anna": [], "ben": []})
    registered: dict[str, Any] = field(default_factory=dict)
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    files: dict[int, bytes] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)
    hooks: dict[int, dict[str, Any]] = field(default_factory=dict)
    progress: list[int] = field(default_factory=list)
    interfere: Callable[[Request], Response | None] = lambda _request: None
    app_url: str = ""
    routes: list[tuple[str, str, str, list[str]]] = field(default_factory=list)
    passed_on: list[dict[str, str]] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """What AppAPI gives to the container."""
        return {
            "APP_ID": self.app_id, "APP_SECRET": self.secret, "APP_VERSION": self.version, "APP_HOST": "127.0.0.1",
            "APP_PORT": "23000", "NEXTCLOUD_URL": self.address,
        }  # fmt: skip

    def headers(self, user: str = "") -> dict[str, str]:
        """What AppAPI sends with every request to the app."""
        return {
            "AA-VERSION": "4.0.0", "EX-APP-ID": self.app_id, "EX-APP-VERSION": self.version,
            "AUTHORIZATION-APP-API": b64encode(f"{user}:{self.secret}".encode()).decode(), "AA-REQUEST-ID": "r1",
        }  # fmt: skip

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        answer = self.interfere(request) or self._answer(request)
        return answer(environ, start_response)

    def _answer(self, request: Request) -> Response:
        path = request.path.removeprefix("/index.php")
        if path.startswith("/apps/app_api/proxy/"):
            return self._proxy(request, path.removeprefix("/apps/app_api/proxy/"))
        if path.startswith("/apps/app_api/embedded/"):
            return self._embedded(request)
        user = self._acting(request)
        if user is None:
            return ocs([], 401, "AppAPI authentication failed")
        self.seen.append((request.method, request.path, user))
        return self._ocs(request, user)

    def _acting(self, request: Request) -> str | None:
        """Who the app acts for; None: it is not the app."""
        given = b64decode(request.headers.get("AUTHORIZATION-APP-API", "")).decode()
        user, _, secret = given.partition(":")
        right = secret == self.secret and request.headers.get("EX-APP-ID") == self.app_id
        return user if right and (not user or user in self.users) else None

    def _ocs(self, request: Request, user: str) -> Response:  # noqa: PLR0911 - one return per address
        path, said = request.path, request.get_json(silent=True) or {}
        if path == "/ocs/v2.php/cloud/user" and user:
            return ocs({"id": user, "display-name": user.title(), "groups": self.users[user]})
        if path == "/ocs/v1.php/apps/app_api/ex-app/status":
            self.progress.append(said["progress"])
            return ocs([])
        if path.startswith("/ocs/v2.php/taskprocessing/tasks_provider/"):
            return self._task(request, path.removeprefix("/ocs/v2.php/taskprocessing/tasks_provider/"), said)
        if path.startswith("/ocs/v2.php/apps/webhook_listeners/api/v1/webhooks"):
            return self._hook(request, path, said)
        if path.startswith("/ocs/v1.php/apps/app_api/api/"):
            name = path.removeprefix("/ocs/v1.php/apps/app_api/api/")
            if request.method == "DELETE":
                # One table for both versions, as in AppAPI.
                kind = name.partition("/")[2]
                key = next((key for key in self.registered if key.partition("/")[2].startswith(kind)), None)
                return ocs([], 404) if self.registered.pop(key or "", None) is None else ocs([])
            kind = said.get("type", "")
            self.registered[f"{name} {kind}".strip()] = said
            return ocs([])
        return ocs([], 404)

    def _task(self, request: Request, rest: str, said: dict[str, Any]) -> Response:
        if rest == "next":
            wanted = request.args.getlist("providerIds[]"), request.args.getlist("taskTypeIds[]")
            offered = self.registered.get("v1/ai_provider/task_processing", {}).get("provider", {})
            if ([offered.get("id")], [offered.get("task_type")]) != wanted:
                return ocs([], 404)
            waiting = next((task for task in self.tasks if task.status == "scheduled"), None)
            if waiting is None:
                return Response(status=204)
            waiting.status = "running"
            given = {
                "id": waiting.id,
                "type": offered["task_type"],
                "input": {"input": waiting.files},
                "userId": "anna",
            }
            return ocs({"task": given, "provider": {"name": offered["id"]}})
        number, _, action = rest.partition("/")
        task = next((task for task in self.tasks if str(task.id) == number), None)
        if task is None:
            return ocs({"message": "Not found"}, 404)
        if action == "progress":
            task.progress.append(said["progress"])
        elif action == "result":
            task.status = "failed" if said["errorMessage"] else "successful"
            task.output, task.problem = said["output"], said["errorMessage"]
        else:
            content = self.files.get(int(action.removeprefix("file/")))
            return Response(content, mimetype="image/jpeg") if content is not None else ocs([], 404)
        return ocs({"task": {"id": task.id}})

    def _hook(self, request: Request, path: str, said: dict[str, Any]) -> Response:
        number = path.rpartition("webhooks")[2].strip("/")
        if not number and request.method == "GET":
            uri = request.args.get("uri")
            return ocs([hook for hook in self.hooks.values() if uri is None or hook["uri"] == uri])
        if not number and said.get("event") not in HOOKED:
            return ocs([], 400, f"{said.get('event')} is not an event class compatible with webhooks")
        if not number:
            new = max(self.hooks, default=0) + 1
            self.hooks[new] = {"id": new, **said}
            return ocs(self.hooks[new])
        if int(number) not in self.hooks:
            return ocs([], 404)
        if request.method == "DELETE":
            del self.hooks[int(number)]
            return ocs(True)
        self.hooks[int(number)] |= said
        return ocs(self.hooks[int(number)])

    def _embedded(self, request: Request) -> Response:
        """`TopMenuController`: an empty content, our script and style."""
        scripts = "".join(
            f'<script defer src="{self._asset(entry["path"])}.js"></script>'
            for key, entry in self.registered.items() if key.startswith("v1/ui/script")
        )  # fmt: skip
        styles = "".join(
            f'<link rel="stylesheet" href="{self._asset(entry["path"])}.css">'
            for key, entry in self.registered.items() if key.startswith("v1/ui/style")
        )  # fmt: skip
        page = (
            f'<!DOCTYPE html><html class="ng-csp" lang="en"><head><meta charset="utf-8"><title>Nextcloud</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{styles}{scripts}</head>'
            f'<body id="body-user"><header id="header"><a href="/index.php/apps/files/">Files</a></header>'
            f'<div id="content" class="app-app_api"></div></body></html>'
        )
        return Response(page, mimetype="text/html", headers={"Content-Security-Policy": PAGE_CSP})

    def _asset(self, path: str) -> str:
        return f"/index.php/apps/app_api/proxy/{self.app_id}/{path}"

    def _proxy(self, request: Request, rest: str) -> Response:
        """`ExAppProxyController`: the verbs, the routes, the headers; the prefix is not passed on."""
        _, _, other = rest.partition("/")
        if request.method not in {"GET", "POST", "PUT", "DELETE"}:
            return Response("", 405)
        user = request.cookies.get("nc_user")
        route = next(
            (one for one in self.routes if reaches(one[0], other) and request.method in one[1]),
            None,
        )
        if route is None or (route[2] == "USER" and not user) or ".." in other.split("/"):
            return Response("", 404)
        excluded = {"content-length", "authorization-app-api", *(name.lower() for name in route[3])}
        kept = {name: value for name, value in request.headers.items() if name.lower() not in excluded | {"host"}}
        kept |= self.headers(user or "")
        self.passed_on.append(kept)
        query = f"?{request.query_string.decode()}" if request.query_string else ""
        said = requests.request(
            request.method, f"{self.app_url}/{other}{query}", headers=kept, data=request.get_data(), timeout=30
        )
        answer = Response(said.content, said.status_code)
        for name, value in said.headers.items():
            if name.lower() not in HOP_BY_HOP:
                answer.headers[name] = value
        if "Cache-Control" not in said.headers:
            answer.headers["Cache-Control"] = "private, max-age=3600"
        answer.headers["Content-Security-Policy"] = PROXIED_CSP
        return answer


def ocs(data: Any, status: int = 200, message: str = "OK") -> Response:
    """The envelope of every OCS answer."""
    meta = {"status": "ok" if status == 200 else "failure", "statuscode": status, "message": message}
    return Response(json.dumps({"ocs": {"meta": meta, "data": data}}), status, mimetype="application/json")
