"""Home Assistant's way into an add-on: the page with the sidebar, and both proxies of ingress, as one.

Written from `homeassistant/components/hassio/ingress.py` (Core, 2026) and `supervisor/api/ingress.py` (2026): what each
takes off a request, puts on it, and leaves of an answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from werkzeug.wrappers import Request, Response

from tests.fakes.serving import OnLoopback

NOT_ASKED_ON = {
    "content-length", "content-encoding", "transfer-encoding", "accept-encoding", "sec-websocket-extensions",
    "sec-websocket-protocol", "sec-websocket-version", "sec-websocket-key", "x-hassio-key", "x-supervisor-token",
    "x-remote-user-id", "x-remote-user-name", "x-remote-user-display-name",
}  # fmt: skip
"""Core's and the Supervisor's filters together."""

NOT_ANSWERED_ON = {"transfer-encoding", "content-length", "content-type", "content-encoding"}

LARGEST_WHOLE = 4_194_000
"""What is larger, or of unknown length, is passed on piece by piece."""

SIDEBAR = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Home Assistant</title>
<link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body {{ margin: 0; display: flex; height: 100vh; font-family: sans-serif; background: #fafafa }}
nav {{ width: 200px; background: #fff; border-right: 1px solid #ddd; padding: 16px; box-sizing: border-box }}
nav a {{ display: block; padding: 10px; color: #212121; text-decoration: none }}
nav a[aria-current] {{ background: #d9f2fb; color: #03a9f4; border-radius: 4px }}
iframe {{ flex: 1; border: 0; height: 100% }}
@media (max-width: 870px) {{ nav {{ display: none }} }}
</style></head><body><nav><a href="/">Overview</a><a href="/kinfolk" aria-current="page">People</a></nav>
<iframe title="People" src="{source}"></iframe></body></html>"""


class FromAddress(HTTPAdapter):
    """Connections that leave from one address of this machine, as the Supervisor has one of its own."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options, source_address=(self._address, 0))


@dataclass(frozen=True)
class HomeUser:
    """As the Supervisor knows one; `login` is None for users of other login providers."""

    id: str
    login: str | None
    called: str | None


MARIA = HomeUser("6f1d7c02aa5b4e0f9d1be1b5f3c3a001", "maria", "María Müller")
BEN = HomeUser("6f1d7c02aa5b4e0f9d1be1b5f3c3a002", "ben", "Ben")


@dataclass
class HomeAssistant(OnLoopback):
    """Home Assistant with one add-on; use it as a context manager.

    Attributes:
        addon: where the add-on listens.
        address_of_supervisor: from where the add-on is asked.
        sessions: users by ingress session.
        holds_back: whether event streams are compressed, and so held back, as by Core before 2026.1.
        asked: headers of each request as the add-on gets them.
    """

    addon: str = ""
    token: str = "q1Ux-Rd_7vCw0sYk3B"
    address_of_supervisor: str = "127.0.0.2"
    sessions: dict[str, HomeUser | None] = field(default_factory=lambda: {"maria": MARIA, "ben": BEN, "old": None})
    holds_back: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        """The beginning of every path of the add-on."""
        return f"/api/hassio_ingress/{self.token}"

    def cookie(self, user: str) -> dict[str, str]:
        """What the frontend sets before it shows the panel."""
        path = "/api/hassio_ingress/"
        return {"name": "ingress_session", "value": user, "domain": "127.0.0.1", "path": path, "sameSite": "Strict"}

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if request.path == "/kinfolk":
            answer = Response(SIDEBAR.format(source=f"{self.prefix}/"), mimetype="text/html")
        elif request.path.startswith(f"{self.prefix}/"):
            answer = self._through(request)
        else:
            answer = Response("", 404)
        return answer(environ, start_response)

    def _through(self, request: Request) -> Response:
        session = request.cookies.get("ingress_session", "")
        if session not in self.sessions:
            return Response("401: Unauthorized", 401)
        path = quote(request.path.removeprefix(self.prefix))
        query = f"?{request.query_string.decode()}" if request.query_string else ""
        asking = requests.Session()
        asking.headers.clear()
        asking.mount("http://", FromAddress(self.address_of_supervisor))
        headers = self._headers(request, self.sessions[session])
        self.asked.append({name: str(value) for name, value in headers.items()})
        said = asking.request(
            request.method, f"{self.addon}{path}{query}", headers=headers, data=request.get_data(),
            allow_redirects=False, stream=True, timeout=60,
        )  # fmt: skip
        return self._answer(said)

    def _headers(self, request: Request, user: HomeUser | None) -> dict[str, str | bytes]:
        kept: dict[str, str | bytes] = {
            name: value for name, value in request.headers.items() if name.lower() not in NOT_ASKED_ON
        }
        if user is not None:
            kept["X-Remote-User-Id"] = user.id
            # aiohttp sends headers in UTF-8.
            kept |= {"X-Remote-User-Name": user.login.encode()} if user.login else {}
            kept |= {"X-Remote-User-Display-Name": user.called.encode()} if user.called else {}
        browser = request.remote_addr or ""
        sent = request.headers.get("X-Forwarded-For")
        kept |= {
            "X-Hass-Source": "core.ingress",
            "X-Ingress-Path": self.prefix,
            "X-Forwarded-For": f"{sent}, {browser}, 172.30.32.1" if sent else f"{browser}, 172.30.32.1",
            "X-Forwarded-Host": request.headers.get("X-Forwarded-Host") or request.host,
            "X-Forwarded-Proto": request.headers.get("X-Forwarded-Proto") or request.scheme,
        }
        return kept

    def _answer(self, said: requests.Response) -> Response:
        # The character set is lost on the way; pages have to name it themselves.
        kind = said.headers.get("Content-Type", "application/octet-stream").partition(";")[0].strip()
        whole = int(said.headers.get("Content-Length", LARGEST_WHOLE + 1)) <= LARGEST_WHOLE
        if said.status_code in {204, 304} or whole:
            answer = Response(said.content, said.status_code)
        else:
            answer = Response(self._pieces(said, kind), said.status_code)
        answer.headers.remove("Content-Type")
        for name, value in said.raw.headers.items():
            if name.lower() not in NOT_ANSWERED_ON:
                answer.headers.add(name, value)
        answer.headers["Content-Type"] = kind
        return answer

    def _pieces(self, said: requests.Response, kind: str) -> Iterator[bytes]:
        if self.holds_back and kind == "text/event-stream":
            # The answer begins at once; its content waits in the compressor.
            yield b""
            yield said.content
            return
        try:
            yield from said.iter_content(None)
        finally:
            said.close()
