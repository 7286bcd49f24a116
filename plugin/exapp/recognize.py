"""Faces for the app Recognize (13 and later): a TaskProcessing provider for `recognize:image:facerecognition`.

Follows `nextcloud/recognize_backend` and `ImageFaceRecognitionTaskType.php`. Nextcloud gives a task (a list of file
ids) to whoever asks for the next one; each file becomes a text with one JSON object per face. A task that this process
did not finish is given out again by Nextcloud, and doing it twice gives the same result.
"""

import json
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import BinaryIO

from plugin.domain import FoundFace
from plugin.engine import EngineLook, FaceEngine
from plugin.errors import AssetGone, Busy, HostError, KinfolkError, PictureError
from plugin.exapp.nextcloud import AppNextcloud

log = logging.getLogger(__name__)

TASK_TYPE = "recognize:image:facerecognition"
DIMENSIONS = 512
"""Recognize stores vectors of exactly this many numbers."""

REGISTER = "/ocs/v1.php/apps/app_api/api/v1/ai_provider/task_processing"
TASKS = "/ocs/v2.php/taskprocessing/tasks_provider"

EXPECTED_SECONDS = 15

MOST_FILES = 1000
"""Of one task; Recognize sends at most a hundred."""

LARGEST_PICTURE = 100 * 2**20
"""Bytes of an original, which the server sends in full."""

IDLE_SECONDS = 5.0
"""Between two questions when there is nothing to do, as Recognize's own backend does."""

BUSY_SECONDS = 1.0
"""Until the engine is asked again, when others keep it busy."""

TROUBLE_SECONDS = 60.0
"""After Nextcloud did not answer or refused."""


class RecognizeProvider:
    """Takes tasks and reports what it found.

    Args:
        nextcloud: where tasks come from.
        engine: looks at pictures, after everybody who waits already.
        pack: the model pack; one with 512 numbers.
        app_id: part of the name of the provider.
    """

    def __init__(self, nextcloud: AppNextcloud, engine: FaceEngine, pack: Callable[[], str], app_id: str) -> None:
        self._nextcloud = nextcloud
        self._engine = engine
        self._pack = pack
        self._name = f"{app_id}:image:facerecognition"
        self.tasks = 0
        self.trouble = ""

    def register(self) -> None:
        """Offer the service; registering twice is the same as once. Raises `HostError`."""
        provider = {
            "id": self._name,
            "name": "Kinfolk",
            "task_type": TASK_TYPE,
            "expected_runtime": EXPECTED_SECONDS,
            "optional_input_shape": [],
            "optional_output_shape": [],
            "input_shape_enum_values": {},
            "input_shape_defaults": {},
            "optional_input_shape_enum_values": {},
            "optional_input_shape_defaults": {},
            "output_shape_enum_values": {},
            "optional_output_shape_enum_values": {},
        }
        self._nextcloud.ocs("POST", REGISTER, {"provider": provider, "customTaskType": None})

    def unregister(self) -> None:
        """Take the offer back; nothing happens where there is none. Raises `HostError`."""
        try:
            self._nextcloud.ocs("DELETE", REGISTER, query={"name": self._name})
        except AssetGone:
            return

    def run(self, stop: threading.Event, enabled: Callable[[], bool]) -> None:
        """Work until `stop` is set; rests while it is not enabled."""
        while not stop.is_set():
            wait = IDLE_SECONDS
            if enabled():
                try:
                    wait = 0.0 if self.work_once(stop) else IDLE_SECONDS
                    self.trouble = ""
                except KinfolkError as error:
                    self.trouble, wait = str(error), TROUBLE_SECONDS
                    log.warning("Recognize: %s", error)
                except Exception:
                    wait = TROUBLE_SECONDS
                    log.exception("Recognize: a task could not be done")
            stop.wait(wait)

    def work_once(self, stop: threading.Event | None = None) -> bool:
        """Ask for a task and do it; whether there was one. Raises `HostError`, `ModelError`."""
        # Without a model no task may be taken: it would be reported as failed.
        self._engine.model(self._pack())
        query = {"providerIds[]": [self._name], "taskTypeIds[]": [TASK_TYPE]}
        try:
            said = self._nextcloud.ocs("GET", f"{TASKS}/next", query=query)
        except AssetGone:
            return False
        if not isinstance(said, Mapping) or not said.get("task"):
            return False
        task_id, files = parsed_task(said["task"])
        if files is None:
            self._report(task_id, None, "The task has no list of files")
            return True
        output = self._look_at(task_id, files, stop)
        if output is not None:
            self._report(task_id, {"output": output}, None)
            self.tasks += 1
        return True

    def _look_at(self, task_id: int, files: list[int], stop: threading.Event | None) -> list[str] | None:
        """One text per file, in their order; None when Kinfolk stops, so that the task is given out again."""
        texts: list[str] = []
        for number, file_id in enumerate(files, 1):
            if stop is not None and stop.is_set():
                return None
            texts.append(self._text_of(task_id, file_id))
            self._progress(task_id, number / len(files))
        return texts

    def _text_of(self, task_id: int, file_id: int) -> str:
        """The faces of one file; nothing for one that cannot be looked at, so that the others of the task count."""
        try:
            picture = self._nextcloud.file(f"{TASKS}/{task_id}/file/{file_id}", LARGEST_PICTURE)
            look = self._patiently(picture)
        except (PictureError, AssetGone) as error:
            log.info("Recognize: file %s: %s", file_id, error)
            return ""
        return "\n".join(json.dumps(face_row(face, look)) for face in look.faces)

    def _patiently(self, picture: BinaryIO) -> EngineLook:
        while True:
            try:
                return self._engine.faces(picture, self._pack())
            except Busy:
                time.sleep(BUSY_SECONDS)

    def _progress(self, task_id: int, done: float) -> None:
        try:
            self._nextcloud.ocs("POST", f"{TASKS}/{task_id}/progress", {"taskId": task_id, "progress": done})
        except HostError as error:
            # A task that was cancelled has no progress; its result is refused, too.
            log.info("Recognize: progress of task %s: %s", task_id, error)

    def _report(self, task_id: int, output: Mapping[str, object] | None, problem: str | None) -> None:
        body = {"taskId": task_id, "output": output, "errorMessage": problem}
        try:
            self._nextcloud.ocs("POST", f"{TASKS}/{task_id}/result", body)
        except AssetGone:
            log.info("Recognize: task %s was taken back", task_id)


def parsed_task(task: object) -> tuple[int, list[int] | None]:
    """The id of a task and its files; None for files that make no sense.

    Raises:
        HostError: not even an id.
    """
    if not isinstance(task, Mapping) or type(task.get("id")) is not int:
        raise HostError("Nextcloud gave a task without an id")
    asked = task.get("input")
    files = asked.get("input") if isinstance(asked, Mapping) else None
    if not isinstance(files, list) or len(files) > MOST_FILES:
        return task["id"], None
    numbers = [int(one) for one in files if str(one).isdecimal() and len(str(one)) < 20]
    return task["id"], numbers if len(numbers) == len(files) else None


def face_row(face: FoundFace, look: EngineLook) -> dict[str, object]:
    """One face in the words of Recognize: 0..1 of the upright picture, the roll in degrees."""
    (left_x, left_y), (right_x, right_y) = face.landmarks[0], face.landmarks[1]
    across, down = (right_x - left_x) * look.width, (right_y - left_y) * look.height
    return {
        "x": face.box.x,
        "y": face.box.y,
        "width": face.box.w,
        "height": face.box.h,
        "score": float(face.score),
        "angle": math.degrees(math.atan2(float(down), float(across))),
        "vector": [float(value) for value in face.embedding],
    }
