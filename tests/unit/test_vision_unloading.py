"""The real pack: an accelerator's process computes the same, and what is not used leaves memory."""

import gc
import os
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from plugin.assemble.kinfolk import open_kinfolk
from plugin.domain import Asset, Float32Array, Picture
from plugin.ports.vision import FaceModel
from plugin.settings import load_settings
from plugin.vision import trial
from plugin.vision.accelerator.keeper import COMPILING, AcceleratorState, load
from plugin.vision.accelerator.process import AcceleratorProcess
from plugin.vision.devices import processor
from plugin.vision.idle import IdleWatch
from plugin.vision.models import CHILD, OnnxFaceModels, RuntimeChoice
from plugin.vision.runtime import CPU, CpuNetwork, Network, Shape, noise, session
from tests.fakes.accelerator import FAKE, TRIGGER, command

SHAPES: dict[str, list[Shape]] = {
    "face_detection_yunet": [(1, 3, 640, 640), (1, 3, 320, 320)],
    "face_recognition_sface": [(1, 3, 112, 112), (8, 3, 112, 112)],
    "face_landmark": [(1, 3, 192, 192)],
}


def eventually(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def open_cpu(path: Path) -> CpuNetwork:
    return CpuNetwork(session(path, [CPU]))


def read(path: Path) -> Picture:
    pixels = cv2.imread(str(path))
    assert pixels is not None
    return np.ascontiguousarray(pixels[..., ::-1], dtype=np.uint8)


def embeddings(model: FaceModel, picture: Picture) -> Float32Array:
    found = model.refine(picture, model.detect(picture, 640, 0.6))
    raw = model.embed([model.align(picture, one.landmarks_px) for one in found])
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), np.float32)


@pytest.mark.models
def test_every_network_of_the_pack_computes_exactly_the_same_through_the_process(model_folder: Path) -> None:
    process = AcceleratorProcess(CPU, [*CHILD, "normal"], os.environ)
    try:
        seen = 0
        for path in sorted(model_folder.glob("*.prepared-*.onnx")):
            shapes = next((shapes for name, shapes in SHAPES.items() if path.name.startswith(name)), [])
            network = Network(path, shapes, open_cpu=open_cpu)
            remote = load(process, network)
            for shape in shapes:
                for there, here in zip(remote.run(noise(shape)), network.run(noise(shape)), strict=True):
                    assert np.array_equal(there, here)
                    seen += 1
        assert seen >= 2 * 12 + 2 + 2
    finally:
        process.close()


@pytest.fixture
def accelerated(model_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OnnxFaceModels:
    """The real pack on an accelerator that is killed once the file `now` is there."""
    monkeypatch.setenv(TRIGGER, str(tmp_path / "now"))
    monkeypatch.setattr("plugin.vision.models.available_providers", lambda: [FAKE, CPU])
    choice = RuntimeChoice(child=command("is killed"), compiled=tmp_path / "compiled")
    return OnnxFaceModels(model_folder, choice=choice)


@pytest.mark.models
def test_faces_are_the_same_before_during_and_after_an_accelerator(
    accelerated: OnnxFaceModels, model_folder: Path, sample_album: Path, tmp_path: Path
) -> None:
    picture = read(sample_album / "obama.jpg")
    on_cpu = OnnxFaceModels(model_folder, choice=RuntimeChoice(accelerator="cpu"))
    truth = embeddings(on_cpu.load("opencv"), picture)
    model = accelerated.load("opencv")
    before, accelerator = embeddings(model, picture), accelerated.accelerator("opencv")
    assert accelerator is not None
    eventually(lambda: accelerator.provider == FAKE)
    assert model.provider == FAKE
    during = embeddings(model, picture)
    assert accelerator.provider == FAKE
    (tmp_path / "now").touch()
    after = embeddings(model, picture)
    assert model.provider == CPU
    for found in (before, during, after):
        assert np.sum(found * truth, axis=1) == pytest.approx(np.ones(len(truth)), abs=1e-4)
    assert accelerated.warnings
    accelerated.close()


@pytest.mark.models
def test_models_that_are_not_used_leave_memory_and_come_back_when_needed(
    model_folder: Path, sample_album: Path
) -> None:
    gone = threading.Event()
    models = OnnxFaceModels(model_folder, choice=RuntimeChoice(unload_after=0.3), unloaded=gone.set)
    picture = read(sample_album / "obama.jpg")
    first = models.load("opencv")
    truth, left = embeddings(first, picture), weakref.ref(first)
    del first
    assert gone.wait(30)
    gc.collect()
    assert left() is None
    assert models.loaded("opencv") is None
    again = models.load("opencv")
    assert np.array_equal(embeddings(again, picture), truth)
    models.close()
    assert np.array_equal(embeddings(again, picture), truth)  # whoever still works with it is not disturbed


@pytest.mark.models
def test_models_that_are_compiled_for_an_accelerator_stay_until_that_is_over(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("plugin.vision.models.available_providers", lambda: [FAKE, CPU])
    looks, look = list[bool](), OnnxFaceModels._unload_unused

    def watched(self: OnnxFaceModels) -> None:
        looks.append(self._idle.is_over())
        look(self)

    monkeypatch.setattr(OnnxFaceModels, "_unload_unused", watched)
    monkeypatch.setattr(trial, "SECONDS", 0.01)
    choice = RuntimeChoice(child=command("hangs"), compiled=tmp_path / "compiled", unload_after=0.2)
    models, found = OnnxFaceModels(model_folder, choice=choice), list[trial.Trial]()
    on_cpu = OnnxFaceModels(model_folder, choice=RuntimeChoice(accelerator="cpu"))
    trying = threading.Thread(
        target=lambda: found.append(trial.try_accelerator(models, on_cpu, "opencv", lambda _: None))
    )
    trying.start()
    eventually(lambda: looks.count(True) >= 2)
    accelerator = models.accelerator("opencv")
    assert accelerator is not None
    assert accelerator.state is AcceleratorState.STARTING
    models.close()
    trying.join(30)
    assert [one.provider for one in found] == [CPU], "it waits for nothing that does not come"


@pytest.mark.models
def test_unloading_ends_the_accelerator_and_who_still_works_goes_on(
    accelerated: OnnxFaceModels, sample_album: Path
) -> None:
    picture, model = read(sample_album / "obama.jpg"), accelerated.load("opencv")
    accelerator = accelerated.accelerator("opencv")
    assert accelerator is not None
    eventually(lambda: accelerator.provider == FAKE)
    accelerated.unload()
    assert accelerated.accelerator("opencv") is None
    assert len(embeddings(model, picture)) == 1
    assert accelerated.warnings == ()
    accelerated.close()


def scanned(data: Path, album: Path, models: OnnxFaceModels, monkeypatch: pytest.MonkeyPatch, at_two: Path) -> Any:
    """What a scan with these models finds: faces per photo. The file `at_two` is made after two photos."""
    with open_kinfolk(load_settings(data), exclusive=True) as kinfolk:
        monkeypatch.setattr(kinfolk.pipeline, "_models", models)
        account = kinfolk.catalogue.accounts.all()[0]
        kinfolk.pipeline.sync(kinfolk.add_folder(account.id, str(album)).id)
        seen: list[str] = []

        def looked_at(asset: Asset, _faces: int) -> None:
            seen.append(asset.path)
            if len(seen) == 2:
                at_two.touch()

        kinfolk.pipeline.detect(120, looked_at)
        assert sorted(seen) == sorted(set(seen))
        faces = Counter(row.path for row in kinfolk.catalogue.faces.export(account.id))
        return len(seen), faces, kinfolk.catalogue.detection.status(account.id)


@pytest.mark.models
def test_a_scan_whose_accelerator_is_killed_in_the_middle_finds_what_it_would_have_found(
    accelerated: OnnxFaceModels, model_folder: Path, sample_album: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    on_cpu = OnnxFaceModels(model_folder, choice=RuntimeChoice(accelerator="cpu"))
    truth = scanned(tmp_path / "one", sample_album, on_cpu, monkeypatch, tmp_path / "nothing")
    accelerated.load("opencv")
    accelerator = accelerated.accelerator("opencv")
    assert accelerator is not None
    eventually(lambda: accelerator.provider == FAKE)
    found = scanned(tmp_path / "two", sample_album, accelerated, monkeypatch, tmp_path / "now")
    assert found[:2] == truth[:2]
    assert (found[2].failed, found[2].waiting) == (truth[2].failed, truth[2].waiting)
    assert accelerator.provider is None
    assert "was killed" in accelerated.warnings[0]
    accelerated.close()


@pytest.mark.models
def test_trying_an_accelerator_tells_how_fast_both_are_and_what_is_going_on(
    accelerated: OnnxFaceModels, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "SECONDS", 0.01)
    on_cpu, told = OnnxFaceModels(model_folder, choice=RuntimeChoice(accelerator="cpu")), list[str]()
    found = trial.try_accelerator(accelerated, on_cpu, "opencv", told.append)
    assert (found.provider, found.warnings) == (FAKE, ())
    assert found.pace > 0
    assert found.cpu_pace > 0
    assert found.runtime.startswith("onnxruntime ")
    assert COMPILING in told
    accelerated.close()
    alone = trial.try_accelerator(on_cpu, on_cpu, "opencv", told.append)
    assert (alone.provider, alone.device) == (CPU, processor())
    assert alone.pace == alone.cpu_pace


def test_a_watch_calls_once_after_the_last_use_and_again_after_another() -> None:
    told, clock = list[float](), [0.0]
    watch = IdleWatch(0.05, lambda: told.append(clock[0]), lambda: clock[0])
    clock[0] = 1.0
    time.sleep(0.1)
    assert told == []  # nothing was used yet
    watch.used()
    clock[0] = 1.04
    watch.used()
    clock[0] = 1.06
    time.sleep(0.1)
    assert told == []
    clock[0] = 2.0
    eventually(lambda: told == [2.0])
    watch.used()
    clock[0] = 3.0
    eventually(lambda: told == [2.0, 3.0])
    watch.close()


def test_a_watch_that_never_ends_starts_nothing() -> None:
    before = threading.active_count()
    watch = IdleWatch(None, lambda: None)
    watch.used()
    assert threading.active_count() == before
    assert not watch.is_over()


def test_a_closed_watch_tells_nothing() -> None:
    told: list[int] = []
    watch = IdleWatch(0.05, lambda: told.append(1))
    watch.used()
    watch.close()
    watch.used()
    time.sleep(0.2)
    assert told == []
