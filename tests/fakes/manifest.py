"""A web server with a manifest of photos, on loopback."""

import json
from typing import Any
from urllib.parse import quote

from werkzeug.wrappers import Request, Response

from tests.fakes.serving import FakeServer

MANIFEST = "/shared/photos.json"


class FakeManifest(FakeServer):
    """See `FakeServer`.

    Attributes: photos, by id: (path, bytes). rows: put in addition into the manifest. body: instead of it.
    """

    name = "manifest"

    def __init__(self) -> None:
        super().__init__()
        self.photos: dict[str, tuple[str, bytes]] = {}
        self.rows: list[dict[str, Any]] = []
        self.body: str | None = None
        self.made = 0
        self.is_there = True

    @property
    def manifest(self) -> str:
        """Where the manifest is."""
        return self.address + MANIFEST

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

    def answer(self, request: Request) -> Response:
        """The manifest or a file of it."""
        if not self.is_there:
            return Response("", 502)
        if request.path == MANIFEST:
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
