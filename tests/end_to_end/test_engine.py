"""The Face Recognition app against the real server and the real default models: same people are near, others far."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from waitress.server import TcpWSGIServer, create_server

from plugin.catalogue.store import open_catalogue
from plugin.detection import DetectionLimits
from plugin.engine import MAXIMUM_AREA, FaceEngine
from plugin.media import DecodeLimits, StandardMedia
from plugin.vision.models import OnnxFaceModels
from plugin.web.app import create_app
from tests.fakes.face_recognition_app import ExternalModel, Files
from tests.web.family import empty_family

pytestmark = pytest.mark.models

SENSITIVITY, CONFIDENCE = 0.4, 0.99
"""The app's defaults: nearer faces are joined; less sure ones are not grouped at all."""


@pytest.fixture
def app_model(tmp_path: Path, model_folder: Path) -> Iterator[ExternalModel]:
    family = empty_family(catalogue=open_catalogue(tmp_path / "catalogue.db"))
    media = StandardMedia(DecodeLimits(MAXIMUM_AREA))
    engine = FaceEngine(OnnxFaceModels(model_folder), media, family.services.preferences.current, DetectionLimits())
    server = create_server(create_app(replace(family.services, engine=engine)), host="127.0.0.1", port=0, threads=4)
    assert isinstance(server, TcpWSGIServer)
    assert server.socket is not None
    base = f"http://127.0.0.1:{server.socket.getsockname()[1]}/engine/facerecognition"
    threading.Thread(target=server.run, daemon=True).start()

    def send(method: str, path: str, headers: dict[str, str], fields: dict[str, str], files: Files) -> tuple[int, Any]:
        answer = requests.request(method, base + path, headers=headers, data=fields, files=files or None, timeout=60)
        return answer.status_code, answer.json()

    yield ExternalModel(send, family.services.engine_switch.switch_on())
    server.close()
    family.catalogue.close()


def test_the_apps_defaults_join_one_person_and_keep_two_apart(app_model: ExternalModel, sample_album: Path) -> None:
    app_model.open()
    found = {}
    for name in ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"):
        (face,) = app_model.detect_faces((sample_album / name).read_bytes())
        assert face["detection_confidence"] >= CONFIDENCE
        found[name] = face
    descriptors = {name: np.array(face["descriptor"]) for name, face in found.items()}
    biden = descriptors.pop("biden.jpg")
    for descriptor in descriptors.values():
        assert min(np.linalg.norm(descriptor - other) for other in descriptors.values() if other is not descriptor) < (
            SENSITIVITY
        )
        assert np.linalg.norm(descriptor - biden) > SENSITIVITY


def test_a_rectangle_the_app_kept_gives_the_same_person(app_model: ExternalModel, sample_album: Path) -> None:
    app_model.open()
    picture = (sample_album / "obama.jpg").read_bytes()
    (face,) = app_model.detect_faces(picture)
    kept = {side: face[side] for side in ("left", "top", "right", "bottom")} | {"detection_confidence": 1.0}
    computed = app_model.compute(picture, kept)
    assert np.linalg.norm(np.subtract(computed["descriptor"], face["descriptor"])) < 0.1
