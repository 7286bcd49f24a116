"""Kinfolk as the "external model" of the Nextcloud app Face Recognition, and its page in Settings."""

import io
import json
import math
import re
import threading
from typing import Any

import numpy as np
import pytest
from flask import Flask
from PIL import Image

from plugin import engine as engine_module
from plugin.detection import find_faces
from plugin.domain import Picture
from plugin.engine import KEY_PREFIX
from plugin.errors import Busy
from plugin.web import engine as engine_pages
from tests.fakes.face_models import blank_picture, paint_person
from tests.fakes.face_recognition_app import ExternalModel, ExternalModelFailed, Files
from tests.web.conftest import Visitor, logged_in
from tests.web.family import PACKS, Family

BASE = "/engine/facerecognition"


def jpeg(picture: Picture, kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, kind, quality=95)
    return out.getvalue()


def two_people() -> bytes:
    picture = blank_picture(800, 600)
    paint_person(picture, 4, 100, 150, 120)
    paint_person(picture, 9, 500, 200, 160)
    return jpeg(picture)


@pytest.fixture
def key(family: Family) -> str:
    return family.services.engine_switch.switch_on()


def model_of(app: Flask, key: str) -> ExternalModel:
    def send(method: str, path: str, headers: dict[str, str], fields: dict[str, str], files: Files) -> tuple[int, Any]:
        data: dict[str, Any] = dict(fields)
        data |= {name: (io.BytesIO(content), filename, kind) for name, (filename, content, kind) in files.items()}
        answer = app.test_client().open(
            BASE + path, method=method, headers=headers, data=data or None, content_type="multipart/form-data"
        )
        return answer.status_code, answer.json

    return ExternalModel(send, key)


@pytest.fixture
def model(app: Flask, key: str) -> ExternalModel:
    return model_of(app, key)


def test_the_app_opens_the_model_and_finds_faces_in_pixels(model: ExternalModel) -> None:
    model.open()
    assert (model.maximum_area, model.mimetype) == (3840 * 2160, "image/jpeg")
    faces = sorted(model.detect_faces(two_people()), key=lambda face: face["left"])
    assert [round(face["left"], -1) for face in faces] == [100, 500]
    for face, (left, top, size) in zip(faces, [(100, 150, 120), (500, 200, 160)], strict=True):
        assert abs(face["left"] - left) <= 2
        assert abs(face["top"] - top) <= 2
        assert abs(face["right"] - left - size) <= 2
        assert abs(face["bottom"] - top - size) <= 2
        assert len(face["landmarks"]) == 5
        assert all(left < point["x"] < left + size and top < point["y"] < top + size for point in face["landmarks"])
        assert len(face["descriptor"]) == 128
        assert 0.99 <= face["detection_confidence"] <= 1.1


def test_a_picture_without_faces_has_none(model: ExternalModel) -> None:
    assert model.detect_faces(jpeg(blank_picture(300, 200))) == []


def test_computing_a_known_rectangle_gives_the_descriptor_detection_gives(model: ExternalModel) -> None:
    picture = two_people()
    found = model.detect_faces(picture)[0]
    rectangle = {name: found[name] for name in ("left", "right", "top", "bottom")} | {"detection_confidence": 1.05}
    computed = model.compute(picture, rectangle)
    assert {name: computed[name] for name in rectangle} == rectangle
    assert np.linalg.norm(np.subtract(computed["descriptor"], found["descriptor"])) < 0.05


def test_the_packs_distance_becomes_the_apps_sensitivity() -> None:
    pack = PACKS[0]
    angle = math.acos(1 - pack.default_distance)
    scale = engine_pages.descriptor_scale(pack)
    apart = scale * np.linalg.norm(np.array([1, 0]) - np.array([math.cos(angle), math.sin(angle)]))
    assert apart == pytest.approx(0.4)


def test_confidence_rises_with_the_score_and_passes_the_apps_threshold_where_the_pack_does() -> None:
    pack = PACKS[0]
    scores = [0.0, 0.3, 0.69, 0.7, 0.8, 1.0]
    given = [engine_pages.confidence(score, pack) for score in scores]
    assert given == sorted(given)
    assert [each >= 0.99 for each in given] == [False, False, False, True, True, True]
    assert given[-1] == pytest.approx(1.1)


@pytest.mark.parametrize("path", ["/open", "/detect", "/compute"])
@pytest.mark.parametrize("wrong", ["", "wrong", "\x7f", "x" * 5000])
def test_nothing_is_answered_without_the_key(app: Flask, key: str, path: str, wrong: str) -> None:
    method = "GET" if path == "/open" else "POST"
    answer = app.test_client().open(BASE + path, method=method, headers={"x-api-key": wrong})
    assert answer.status_code == 401
    assert answer.json is not None
    assert answer.json["code"] == "unauthenticated"


def test_a_key_that_only_begins_right_opens_nothing(app: Flask, key: str) -> None:
    for wrong in (key[:-1], key + "x", key[len(KEY_PREFIX) :], key.upper()):
        assert app.test_client().get(BASE + "/open", headers={"x-api-key": wrong}).status_code == 401


def test_it_is_off_by_default_and_then_even_a_key_finds_nothing(app: Flask, maria: Visitor) -> None:
    for visitor in (app.test_client(), maria.client):
        answer = visitor.get(BASE + "/open", headers={"x-api-key": ""})
        assert answer.status_code == 404
        assert answer.mimetype == "application/problem+json"


def test_guessing_keys_is_slowed_down_even_for_the_right_one(app: Flask, key: str) -> None:
    for _ in range(10):
        assert app.test_client().get(BASE + "/open", headers={"x-api-key": "guess"}).status_code == 401
    assert app.test_client().get(BASE + "/open", headers={"x-api-key": key}).status_code == 429


def test_a_logged_in_browser_needs_the_key_too(maria: Visitor, key: str) -> None:
    assert maria.get(BASE + "/open").status_code == 401


@pytest.mark.parametrize(
    ("picture", "status"),
    [
        (b"", 400),
        (b"<html>login</html>", 400),
        (two_people()[:2000], 400),
        (jpeg(np.zeros((2200, 3900, 3), np.uint8)), 412),
    ],
    ids=["empty", "html", "truncated", "too many pixels"],
)
def test_bad_pictures_are_refused(app: Flask, model: ExternalModel, picture: bytes, status: int) -> None:
    with pytest.raises(ExternalModelFailed, match=f"HTTP status code: {status}"):
        model.detect_faces(picture)
    # The next one is looked at as ever.
    assert len(model.detect_faces(two_people())) == 2


def test_more_bytes_than_a_picture_can_have_are_412(model: ExternalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_pages, "LARGEST_PICTURE", 10_000)
    with pytest.raises(ExternalModelFailed, match="412"):
        model.detect_faces(b"x" * 20_000)


def test_a_picture_of_exactly_the_largest_area_is_looked_at(model: ExternalModel) -> None:
    picture = np.full((2160, 3840, 3), 127, np.uint8)
    paint_person(picture, 4, 1000, 800, 600)
    assert len(model.detect_faces(jpeg(picture))) == 1


@pytest.mark.parametrize(
    "face",
    [
        "", "null", "[]", "{", "{}", '{"left": 1}', '"x"',
        json.dumps({"left": 10, "right": 5, "top": 0, "bottom": 10}),
        json.dumps({"left": 5000, "right": 6000, "top": 0, "bottom": 10}),
        '{"left": NaN, "right": 5, "top": 0, "bottom": 10}',
        '{"left": 1e400, "right": 5, "top": 0, "bottom": 10}',
        '{"left": "<script>", "right": 5, "top": 0, "bottom": 10}',
        "[" * 50_000,
    ],
)  # fmt: skip
def test_bad_rectangles_are_refused(app: Flask, key: str, face: str) -> None:
    data = {"file": (io.BytesIO(two_people()), "a.jpg"), "face": face}
    answer = app.test_client().post(BASE + "/compute", headers={"x-api-key": key}, data=data)
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/detect", "/compute"])
def test_a_request_without_a_file_is_refused(app: Flask, key: str, path: str) -> None:
    answer = app.test_client().post(BASE + path, headers={"x-api-key": key}, data={"x": "y"})
    assert answer.status_code == 400
    assert "No picture was sent" in answer.text


def test_names_come_back_without_folders(app: Flask, key: str) -> None:
    data = {"file": (io.BytesIO(two_people()), "../../etc/passwd")}
    answer = app.test_client().post(BASE + "/detect", headers={"x-api-key": key}, data=data)
    assert answer.json is not None
    assert answer.json["filename"] == "passwd"


def test_a_model_that_is_not_here_is_said_and_not_fetched(app: Flask, family: Family, model: ExternalModel) -> None:
    family.catalogue.preferences.set(engine_module.PACK_ROW, "buffalo_s")
    with pytest.raises(ExternalModelFailed, match="503"):
        model.open()


def test_pictures_wait_for_their_turn_and_no_more_than_a_few(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = family.services.engine
    inside, leave = threading.Event(), threading.Event()
    real = find_faces
    running = {"now": 0, "most": 0}

    def slow(*arguments: Any) -> Any:
        running["now"] += 1
        running["most"] = max(running["most"], running["now"])
        inside.set()
        assert leave.wait(20)
        running["now"] -= 1
        return real(*arguments)

    monkeypatch.setattr("plugin.engine.find_faces", slow)
    found: list[int] = []
    busy: list[Busy] = []

    def ask() -> None:
        try:
            found.append(len(engine.faces(io.BytesIO(two_people()), "opencv").faces))
        except Busy as error:
            busy.append(error)

    allowed = engine_module.AT_ONCE + engine_module.MOST_WAITING
    threads = [threading.Thread(target=ask) for _ in range(allowed + 3)]
    for thread in threads:
        thread.start()
    assert inside.wait(20)
    # Those that find no room come back at once, while the others wait.
    while len(busy) < 3:
        threading.Event().wait(0.01)
    leave.set()
    for thread in threads:
        thread.join(20)
    assert found == [2] * allowed
    assert len(busy) == 3
    assert running["most"] == engine_module.AT_ONCE
    assert engine.pictures == allowed


def test_nothing_of_the_pictures_is_kept(family: Family, model: ExternalModel) -> None:
    def held() -> tuple[int, int]:
        faces = sum(1 for _ in family.catalogue.faces.export(family.account.id))
        return faces, len(family.catalogue.index_state.face_ids("opencv"))

    before = held()
    model.detect_faces(two_people())
    assert held() == before


def made_key(page: str) -> str:
    (key,) = re.findall(r">(kinfolk-engine-[\w-]+)</textarea>", page)
    return str(key)


def test_settings_switch_it_on_and_show_address_and_key_once(app: Flask, maria: Visitor, family: Family) -> None:
    page = maria.post("/settings/other-apps/face-recognition/key", page="/settings/other-apps")
    key = made_key(page.text)
    assert "http://localhost/engine/facerecognition" in page.text
    assert f"external_model_api_key --value {key}" in page.text
    assert "Set-Cookie" not in page.headers
    assert page.headers["Cache-Control"] == "no-store"
    assert family.applied == ["pull_pack"]
    model_of(app, key).open()
    assert key not in maria.text("/settings/other-apps")
    stored = family.catalogue.preferences.get(engine_module.DIGEST_ROW)
    assert stored is not None
    assert key not in stored


def test_a_new_key_ends_the_old_one_and_keeps_the_pack(app: Flask, maria: Visitor, family: Family) -> None:
    old = made_key(maria.post("/settings/other-apps/face-recognition/key", page="/settings/other-apps").text)
    family.catalogue.preferences.set("pack", "buffalo_s")
    new = made_key(maria.post("/settings/other-apps/face-recognition/key", page="/settings/other-apps").text)
    model_of(app, new).open()
    with pytest.raises(ExternalModelFailed, match="401"):
        model_of(app, old).open()
    assert family.services.engine_switch.pack == "opencv"


def test_switched_off_the_key_opens_nothing(app: Flask, maria: Visitor, model: ExternalModel) -> None:
    page = maria.post("/settings/other-apps/face-recognition/off", page="/settings/other-apps")
    assert "The engine is off" in page.text
    with pytest.raises(ExternalModelFailed, match="404"):
        model.open()


def test_the_page_says_what_was_asked(maria: Visitor, model: ExternalModel) -> None:
    model.detect_faces(two_people())
    assert "the last one just now" in maria.text("/settings/other-apps")


def test_members_cannot_look_or_switch(app: Flask, family: Family) -> None:
    member = logged_in(app, "neighbour")
    assert member.get("/settings/other-apps").status_code == 403
    for action in ("key", "off"):
        answer = member.post(f"/settings/other-apps/face-recognition/{action}", page="/settings/account")
        assert answer.status_code == 403
    assert not family.services.engine_switch.is_on


def test_forms_without_their_token_switch_nothing(maria: Visitor, family: Family) -> None:
    answer = maria.client.post("/settings/other-apps/face-recognition/key")
    assert answer.status_code == 400
    assert not family.services.engine_switch.is_on


def test_addresses_that_do_not_exist_are_json_and_ask_for_no_login(stranger: Visitor) -> None:
    for path in ("/engine/", "/engine/facerecognition/other", "/hooks/other"):
        answer = stranger.get(path)
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
