"""A web server with a manifest of photos, on loopback."""

import json
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Request, Response

from tests.fakes.nextcloud.server import QuietHandler

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse


class FakeManifest:
    """Attributes: photos, by id: (path, bytes). rows: put in addition into the manifest. body: instead of it."""

    def __init__(self) -> None:
        self.photos: dict[str, tuple[str, bytes]] = {}
        self.rows: list[dict[str, Any]] = []
        self.body: str | None = None
        self.made = 0
        self.is_there = True
        self.asked: list[str] = []
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._server = make_server("127.0.0.1", 0, self, threaded=True, request_handler=QuietHandler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/shared/photos.json"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def key_of(self, path: str) -> str | None:
        return next((key for key, (known, _) in self.photos.items() if known == path), None)

    def put(self, path: str, data: bytes) -> None:
        key = self.key_of(path)
        if key is None:
            self.made += 1
            key = f"id {self.made}"
        self.photos[key] = (path, data)

    def move(self, old: str, new: str) -> None:
        key = self.key_of(old) or ""
        self.photos[key] = (new, self.photos[key][1])

    def remove(self, path: str) -> None:
        del self.photos[self.key_of(path) or ""]

    def vanish(self) -> None:
        self.is_there = False

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        self.asked.append(request.path)
        if not self.is_there:
            return Response("", 502)
        if request.path == "/shared/photos.json":
            return Response(self.body or json.dumps({"photos": [*self._rows(), *self.rows]}))
        key = request.path.removeprefix("/shared/files/")
        return Response(self.photos[key][1]) if key in self.photos else Response("", 404)

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "id": key,
                "path": path,
                "url": f"files/{quote(key)}",
                "hash": f"{len(data)}-{data.hex()}",
                "type": "video" if path.endswith(".mp4") else "photo",
            }
            for key, (path, data) in self.photos.items()
        ]
