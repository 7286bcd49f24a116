"""The "external model" service of Nextcloud's app Face Recognition: `/open`, `/detect` and `/compute`.

Follows `ExternalModel.php` of the app and its reference service (facerecognition-external-model 1.0), see
docs/nextcloud-engine.md. What differs is said there: descriptors and confidences are scaled so that the app's default
thresholds fit.
"""

import json
import math
from typing import IO, cast

from flask import Blueprint, current_app, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from plugin.domain import FoundFace
from plugin.engine import MAXIMUM_AREA, EngineLook
from plugin.errors import KinfolkError, PictureError, PictureTooLarge
from plugin.ports.vision import PackInfo
from plugin.web.api.access import FAILURES, FailedTokens
from plugin.web.api.problems import explained, problem
from plugin.web.request_context import services

pages = Blueprint("engine", __name__, url_prefix="/engine/facerecognition")

LARGEST_PICTURE = 40 * 2**20
"""Bytes: a PNG of `MAXIMUM_AREA` pixels has at most 33 MB."""

APP_SENSITIVITY = 0.4
"""The app joins faces whose descriptors are nearer than this (Euclidean; its default)."""

APP_CONFIDENCE, APP_HIGHEST_CONFIDENCE = 0.99, 1.1
"""The app groups only faces at least this sure (its default), and lets an administrator ask for up to 1.1."""

Row = dict[str, object]


class Rectangle(BaseModel):
    """What `/compute` is told of a face, in pixels; landmarks and descriptor of another model are left out."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    left: float = Field(ge=-1e6, le=1e6)
    top: float = Field(ge=-1e6, le=1e6)
    right: float = Field(ge=-1e6, le=1e6)
    bottom: float = Field(ge=-1e6, le=1e6)
    detection_confidence: float = 1.0


@pages.before_request
def admit() -> Response | None:
    """Nobody without the key; where the engine is off there is nothing."""
    failures = cast("FailedTokens", current_app.extensions[FAILURES])
    if not services().engine_switch.is_on:
        return problem(404, "The engine is switched off", "Switch it on in Settings, Other apps")
    if failures.too_many():
        return problem(429, "Too many wrong keys came from this address", "Wait a few minutes, then try again")
    if not services().engine_switch.opens(request.headers.get("X-Api-Key", "")):
        failures.note()
        current_app.logger.warning("A wrong engine key came from %s", request.remote_addr)
        return problem(401, "The key is not valid", "Make a new one in Settings, Other apps")
    request.max_content_length = LARGEST_PICTURE
    return None


@pages.errorhandler(KinfolkError)
def failed(error: KinfolkError) -> Response:
    """Pictures and models; the app expects 412 for what is too large."""
    current_app.logger.info("%s: %s", request.path, error)
    if isinstance(error, PictureError):
        return problem(412 if isinstance(error, PictureTooLarge) else 400, str(error), error.advice, code=error.code)
    return explained(error)


@pages.errorhandler(RequestEntityTooLarge)
def too_large(_error: RequestEntityTooLarge) -> Response:
    """More bytes than any picture has that would be taken."""
    return problem(412, "The picture is larger than 40 MB", "Set a smaller image area in the app", code="too_large")


@pages.get("/open")
def open_model() -> Response:
    """Asked before anything else: loads the model, and says what may be sent."""
    services().engine.model(services().engine_switch.pack)
    return jsonify({"preferred_mimetype": "image/jpeg", "maximum_area": MAXIMUM_AREA})


@pages.post("/detect")
def detect() -> Response:
    """Every face of a picture."""
    name, picture = uploaded()
    look = services().engine.faces(picture, services().engine_switch.pack)
    faces = [face_row(face, look) for face in look.faces]
    return jsonify({"filename": name, "faces-count": len(faces), "faces": faces})


@pages.post("/compute")
def compute() -> Response:
    """Landmarks and descriptor of one face whose rectangle is known; the rectangle stays as it is."""
    name, picture = uploaded()
    try:
        said = Rectangle.model_validate(json.loads(request.form.get("face", "")[:100_000]))
    except (ValueError, RecursionError, ValidationError) as error:
        raise PictureError("The field `face` is no rectangle", "Send left, top, right and bottom as JSON") from error
    corners = (said.left, said.top, said.right, said.bottom)
    look = services().engine.face_at(picture, corners, services().engine_switch.pack)
    return jsonify({"filename": name, "face": face_row(look.faces[0], look) | said.model_dump()})


def uploaded() -> tuple[str, IO[bytes]]:
    """The name without folders and the bytes of the field `file`. Raises `PictureError` where there is none."""
    upload = request.files.get("file")
    if upload is None:
        raise PictureError("No picture was sent", "Send it in the field `file` as multipart/form-data")
    return (upload.filename or "").replace("\\", "/").rpartition("/")[2][:255], upload.stream


def face_row(face: FoundFace, look: EngineLook) -> Row:
    """One face in the words of the app: whole pixels of the picture that was sent."""
    box, width, height = face.box, look.width, look.height
    return {
        "left": round(box.x * width),
        "top": round(box.y * height),
        "right": round((box.x + box.w) * width),
        "bottom": round((box.y + box.h) * height),
        "detection_confidence": confidence(face.score, look.pack),
        "landmarks": [{"x": round(float(x) * width), "y": round(float(y) * height)} for x, y in face.landmarks],
        "descriptor": [round(float(value), 7) for value in face.embedding * descriptor_scale(look.pack)],
    }


def descriptor_scale(pack: PackInfo) -> float:
    """What unit vectors are multiplied by, so that the pack's own distance is the app's default sensitivity.

    Two unit vectors at the cosine distance d are sqrt(2 d) apart. The pack's default is taken, not the value of the
    Settings page: the app keeps descriptors for years, and those of two scales cannot be compared.
    """
    return APP_SENSITIVITY / math.sqrt(2 * pack.default_distance)


def confidence(score: float, pack: PackInfo) -> float:
    """The score as the app's confidence: what the pack takes for a face by default is what the app groups."""
    if score < pack.default_score:
        return APP_CONFIDENCE * score / pack.default_score
    surer = (score - pack.default_score) / (1 - pack.default_score)
    return APP_CONFIDENCE + min(surer, 1.0) * (APP_HIGHEST_CONFIDENCE - APP_CONFIDENCE)
