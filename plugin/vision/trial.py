"""Trying an accelerator while somebody waits, and comparing its speed with the processor's."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from plugin.faces.alignment import CROP_SIZE
from plugin.ports.vision import FaceModel
from plugin.vision.accelerator.amd import cards
from plugin.vision.accelerator.keeper import AcceleratorState
from plugin.vision.devices import device_of
from plugin.vision.installation import Machine, runtime_version, why_no_package
from plugin.vision.models import OnnxFaceModels
from plugin.vision.runtime import CPU

FACES = 4
"""Embedded per picture: a little more than a usual photo has."""

SECONDS = 2.0
"""How long each is measured."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it.

    Attributes:
        runtime: package and version.
        no_package: why no AMD package fits this machine; "" where they do.
        cards: architectures of the AMD cards that can compute.
        device: what runs the models.
        provider: ONNX Runtime's name of it.
        pace: pictures per second there.
        cpu_pace: pictures per second on the processor, in one thread.
        warnings: what is in the way of an accelerator.
    """

    runtime: str
    no_package: str
    cards: tuple[str, ...]
    device: str | None
    provider: str
    pace: float
    cpu_pace: float
    warnings: tuple[str, ...]


def try_accelerator(models: OnnxFaceModels, on_cpu: OnnxFaceModels, pack: str, told: Callable[[str], None]) -> Trial:
    """Load the pack, wait until its accelerator runs or failed, and measure.

    Args:
        models: as configured.
        on_cpu: the same, on the processor.
        pack: to try.
        told: called with what is going on, while it takes long.

    Raises:
        ModelError: the pack cannot be loaded at all.
    """
    cpu_pace = pace(on_cpu.load(pack))
    model, accelerator = models.load(pack), models.accelerator(pack)
    said = None
    while accelerator is not None and accelerator.state is AcceleratorState.STARTING:
        if accelerator.sentence != said and (said := accelerator.sentence):
            told(said)
        time.sleep(0.05)
    provider = model.provider
    return Trial(
        runtime=runtime_version(),
        no_package=why_no_package(Machine.here()),
        cards=tuple(cards()),
        device=device_of(provider),
        provider=provider,
        pace=cpu_pace if provider == CPU else pace(model),
        cpu_pace=cpu_pace,
        warnings=models.warnings,
    )


def pace(model: FaceModel) -> float:
    """Pictures per second of the models alone, in one thread, without reading and decoding files."""
    noise = np.random.default_rng(0)
    picture = noise.integers(0, 256, (640, 640, 3), np.uint8)
    crops = [noise.integers(0, 256, (CROP_SIZE, CROP_SIZE, 3), np.uint8) for _ in range(FACES)]
    done, began = 0, time.monotonic()
    while (took := time.monotonic() - began) < SECONDS or not done:
        model.detect(picture, 640, 0.9)
        model.embed(crops)
        done += 1
    return done / max(took, 1e-6)
