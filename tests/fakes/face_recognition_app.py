"""The Nextcloud app Face Recognition as a client, request by request as its `ExternalModel.php` sends them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Files = Mapping[str, tuple[str, bytes, str]]
Send = Callable[[str, str, dict[str, str], dict[str, str], Files], tuple[int, Any]]
"""(method, path, headers, fields, files) to (status, JSON)."""


class ExternalModelFailed(Exception):
    """The app throws this; the picture is never sent again."""


@dataclass
class ExternalModel:
    """`OCA\\FaceRecognition\\Model\\ExternalModel`."""

    send: Send
    key: str
    maximum_area: int = -1
    mimetype: str = ""

    def open(self) -> None:
        answer = self._ask("GET", "/open", {}, {})
        self.maximum_area, self.mimetype = int(answer["maximum_area"]), answer["preferred_mimetype"]

    def detect_faces(self, picture: bytes, name: str = "tmp123") -> list[dict[str, Any]]:
        answer = self._ask("POST", "/detect", {}, {"file": (name, picture, "application/octet-stream")})
        if answer["faces-count"] == 0:
            return []
        faces: list[dict[str, Any]] = answer["faces"]
        return faces

    def compute(self, picture: bytes, face: dict[str, Any], name: str = "tmp123") -> dict[str, Any]:
        files = {"file": (name, picture, self.mimetype)}
        found: dict[str, Any] = self._ask("POST", "/compute", {"face": json.dumps(face)}, files)["face"]
        return found

    def _ask(self, method: str, path: str, fields: dict[str, str], files: Files) -> Any:
        status, answer = self.send(method, path, {"x-api-key": self.key}, fields, files)
        if status != 200:
            raise ExternalModelFailed(f"External model response {path} with error. HTTP status code: {status}")
        return answer
