"""Login flow v2: start, the page the user opens, and the poll."""

import html
import json
import secrets

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from tests.fakes.nextcloud.answers import Part, Serving, json_answer


class LoginFlow:
    """Flows that were started: poll token -> (token of the page, what was granted)."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.granted: dict[str, tuple[str, str]] = {}

    def start(self, server: Serving, request: Request, user: str) -> Response:
        """POST: a token to poll with and the address of the page."""
        poll, page = secrets.token_hex(64), secrets.token_hex(64)
        self.pages[page] = poll
        base = request.host_url.rstrip("/")
        body = {
            "poll": {"token": poll, "endpoint": f"{base}/index.php/login/v2/poll"},
            "login": f"{base}/index.php/login/v2/flow/{page}",
        }
        return json_answer(json.dumps(body))

    def poll(self, server: Serving, request: Request, user: str) -> Response:
        """POST token: 404 until it was granted, then the credentials, once."""
        granted = self.granted.pop(request.form.get("token", ""), None)
        if granted is None:
            return json_answer("[]", 404)
        name, password = granted
        base = request.host_url.rstrip("/")
        return json_answer(json.dumps({"server": base, "loginName": name, "appPassword": password}))

    def page(self, server: Serving, request: Request, user: str) -> Response:
        """What the user sees: log in and grant, in one form here."""
        page = request.path.rpartition("/")[2]
        if page not in self.pages:
            return Response("Access forbidden", 403, content_type="text/html; charset=UTF-8")
        if request.method == "POST":
            self.grant(server, page, request.form["user"])
            return redirect("/index.php/login/v2/granted")
        users = "".join(f'<option value="{html.escape(name)}">' for name in server.cloud.users)
        form = (
            '<!doctype html><html lang="en"><title>Connect to your account</title><main><h1>Account access</h1>'
            f'<form method="post"><label>User <input name="user" list="users"></label><datalist id="users">{users}'
            "</datalist><button>Grant access</button></form></main></html>"
        )
        return Response(form, content_type="text/html; charset=UTF-8")

    def done(self, server: Serving, request: Request, user: str) -> Response:
        return Response(
            '<!doctype html><html lang="en"><title>Connected</title><h1>Account connected</h1></html>',
            content_type="text/html; charset=UTF-8",
        )

    def grant(self, server: Serving, page: str, user: str) -> None:
        """The user allows it."""
        self.granted[self.pages.pop(page)] = (user, server.cloud.app_password(user))


def make_parts() -> list[Part]:
    """The parts of one server."""
    flow = LoginFlow()
    return [
        Part("/index.php/login/v2", flow.start, public=True),
        Part("/index.php/login/v2/poll", flow.poll, public=True),
        Part("/index.php/login/v2/flow/", flow.page, public=True),
        Part("/index.php/login/v2/granted", flow.done, public=True),
    ]
