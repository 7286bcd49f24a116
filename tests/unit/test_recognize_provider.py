"""Kinfolk as TaskProcessing provider of the app Recognize, against AppAPI in memory."""

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from werkzeug.wrappers import Request, Response

from plugin.app_identity import app_identity
from plugin.detection import DetectionLimits
from plugin.domain import Preferences
from plugin.engine import FaceEngine
from plugin.errors import HostRefused, HostUnreachable, PackUnavailable
from plugin.exapp.nextcloud import AppNextcloud
from plugin.exapp.recognize import TASK_TYPE, RecognizeProvider
from plugin.media import StandardMedia
from tests.fakes.face_models import FakeFaceModels, blank_picture, paint_person
from tests.fakes.nextcloud.app_api import AppCloud, Task


def two_people() -> bytes:
    picture = blank_picture(800, 600)
    paint_person(picture, 4, 100, 150, 120)
    paint_person(picture, 9, 500, 200, 160)
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=95)
    return out.getvalue()


@pytest.fixture
def cloud() -> Iterator[AppCloud]:
    with AppCloud() as running:
        running.files = {7: two_people(), 8: b"<html>not a picture</html>"}
        yield running


@pytest.fixture
def provider(cloud: AppCloud) -> RecognizeProvider:
    identity = app_identity(cloud.environment())
    assert identity is not None
    models = FakeFaceModels(accepted=lambda _name: True)
    models.load("buffalo_s")
    values = Preferences(pack="buffalo_s", minimum_score=0.5, maximum_distance=0.6, minimum_faces=3, linking=1.08)
    engine = FaceEngine(models, StandardMedia(), lambda: values, DetectionLimits())
    made = RecognizeProvider(AppNextcloud(identity), engine, lambda: "buffalo_s", identity.app_id)
    made.register()
    return made


def test_a_task_is_fetched_looked_at_and_reported(cloud: AppCloud, provider: RecognizeProvider) -> None:
    cloud.tasks = [Task(3, [7, 8, 99])]
    assert provider.work_once()
    (task,) = cloud.tasks
    assert task.status == "successful"
    assert task.progress == pytest.approx([1 / 3, 2 / 3, 1])
    first, broken, missing = task.output["output"]
    assert (broken, missing) == ("", "")
    faces = sorted((json.loads(line) for line in first.splitlines()), key=lambda face: face["x"])
    assert [set(face) for face in faces] == [{"x", "y", "width", "height", "score", "angle", "vector"}] * 2
    assert faces[0]["x"] == pytest.approx(100 / 800, abs=0.01)
    assert faces[0]["height"] == pytest.approx(120 / 600, abs=0.01)
    assert abs(faces[0]["angle"]) < 1
    assert len(faces[0]["vector"]) == 512
    assert np.linalg.norm(faces[0]["vector"]) == pytest.approx(1, abs=1e-4)
    assert faces[0]["score"] >= 0.5


def test_without_a_task_nothing_happens(cloud: AppCloud, provider: RecognizeProvider) -> None:
    assert not provider.work_once()
    assert cloud.seen[-1][1].endswith("/next")


def test_another_provider_that_is_preferred_is_no_error(cloud: AppCloud, provider: RecognizeProvider) -> None:
    cloud.registered.clear()
    assert not provider.work_once()


def test_registering_twice_is_once_and_unregistering_twice_is_no_error(
    cloud: AppCloud, provider: RecognizeProvider
) -> None:
    provider.register()
    (offer,) = cloud.registered.values()
    assert offer["provider"]["task_type"] == TASK_TYPE
    assert offer["provider"]["expected_runtime"] == 15
    provider.unregister()
    assert cloud.registered == {}
    provider.unregister()


@pytest.mark.parametrize("files", [None, "7", [None], ["../../etc"], [-1], [7.5], {"a": 1}, list(range(2000)), [[7]]])
def test_a_task_that_makes_no_sense_is_reported_as_failed(
    cloud: AppCloud, provider: RecognizeProvider, files: object
) -> None:
    cloud.tasks = [Task(3, files)]
    assert provider.work_once()
    assert cloud.tasks[0].status == "failed"
    assert cloud.tasks[0].problem == "The task has no list of files"


def test_a_task_that_was_cancelled_meanwhile_is_left_alone(cloud: AppCloud, provider: RecognizeProvider) -> None:
    cloud.tasks = [Task(3, [7])]

    def cancel(request: Request) -> Response | None:
        if "/file/" in request.path:
            content = cloud.files[7]
            cloud.tasks.clear()
            return Response(content, mimetype="image/jpeg")
        return None

    cloud.interfere = cancel
    assert provider.work_once()
    assert provider.tasks == 1


def test_when_kinfolk_stops_the_task_is_not_reported(cloud: AppCloud, provider: RecognizeProvider) -> None:
    cloud.tasks = [Task(3, [7])]
    stop = threading.Event()
    stop.set()
    provider.work_once(stop)
    assert cloud.tasks[0].status == "running"
    assert cloud.tasks[0].output is None


def test_without_the_model_no_task_is_taken(cloud: AppCloud, provider: RecognizeProvider) -> None:
    cloud.tasks = [Task(3, [7])]
    provider._pack = lambda: "opencv"
    with pytest.raises(PackUnavailable):
        provider.work_once()
    assert cloud.tasks[0].status == "scheduled"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response("<html>Maintenance</html>", 503), HostUnreachable),
        (Response("<html>hello</html>", 200), HostUnreachable),
        (Response("[" * 100_000, 200), HostUnreachable),
        (Response("", 429), HostUnreachable),
        (Response("", 401), HostRefused),
        (Response("", 302, {"Location": "http://169.254.169.254/"}), HostRefused),
    ],
    ids=["maintenance", "html", "nested", "busy", "refused", "redirect"],
)
def test_what_nextcloud_does_wrong_is_said(
    cloud: AppCloud, provider: RecognizeProvider, answer: Response, error: type[Exception]
) -> None:
    cloud.interfere = lambda _request: answer
    with pytest.raises(error) as raised:
        provider.work_once()
    assert cloud.secret not in str(raised.value)


def test_the_loop_goes_on_after_trouble_and_rests_while_it_is_off(
    cloud: AppCloud, provider: RecognizeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugin.exapp.recognize.TROUBLE_SECONDS", 0.01)
    monkeypatch.setattr("plugin.exapp.recognize.IDLE_SECONDS", 0.01)
    cloud.tasks = [Task(3, [7])]
    stop, on, asked = threading.Event(), threading.Event(), threading.Event()
    cloud.interfere = lambda _request: asked.set() or Response("", 503)  # type: ignore[func-returns-value]
    thread = threading.Thread(target=provider.run, args=(stop, on.is_set))
    thread.start()
    assert not asked.wait(0.2)
    on.set()
    assert asked.wait(20)
    cloud.interfere = lambda _request: None
    while cloud.tasks[0].status != "successful":
        threading.Event().wait(0.01)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def test_the_wrong_secret_is_refused_and_an_absent_server_unreachable(cloud: AppCloud) -> None:
    identity = app_identity(cloud.environment())
    assert identity is not None
    with pytest.raises(HostRefused):
        AppNextcloud(replace(identity, secret="wrong-secret")).ocs("GET", "/ocs/v2.php/cloud/user")
    with pytest.raises(HostUnreachable):
        AppNextcloud(replace(identity, nextcloud_url="http://127.0.0.1:9")).ocs("GET", "/ocs/v2.php/cloud/user")
