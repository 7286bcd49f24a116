"""ONNX Runtime: sessions that stay small and quiet, on the CPU here or on an accelerator in a process of its own."""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from plugin.errors import AcceleratorFailed
from plugin.vision.installation import MIGRAPHX, ROCM

log = logging.getLogger(__name__)

CPU = "CPUExecutionProvider"
PREFERRED = (MIGRAPHX, ROCM)
NOT_FOR_FACES = ("AzureExecutionProvider",)
"""Listed by every build; sends the input to a remote service."""

MINIMUM_AGREEMENT = 0.999
"""Cosine between an accelerator's output and the CPU's; half precision reaches 0.9999, a wrong kernel does not."""

Tensor: TypeAlias = npt.NDArray[np.float32]
Shape: TypeAlias = tuple[int, int, int, int]


def provider_order(available: Sequence[str], wanted: Sequence[str] = ()) -> list[str]:
    """The providers to try, best first, the CPU last: MIGraphX, ROCm, then any other installed accelerator.

    Args:
        available: what this ONNX Runtime was built with.
        wanted: only these, in this order (still ending with the CPU); empty: all.
    """
    usable = [name for name in available if name not in NOT_FOR_FACES and name != CPU]
    if wanted:
        chosen = [name for name in wanted if name in usable]
    else:
        chosen = [n for n in PREFERRED if n in usable] + [n for n in usable if n not in PREFERRED]
    return [*chosen, CPU]


def available_providers() -> list[str]:
    """What this ONNX Runtime was built with; says nothing about what this machine has."""
    return list(quiet_runtime().get_available_providers())


def quiet_runtime() -> Any:  # noqa: ANN401 - onnxruntime has no types
    """The module `onnxruntime`, which tells its makers nothing. Nobody else may import it.

    Since 1.29 it sends names and fingerprints of models, and how long they run, to Microsoft, and keeps an id of the
    machine in ~/.cache/Microsoft. `ORT_DISABLE_TELEMETRY` must be set before the import, which decides for the whole
    process (https://github.com/microsoft/onnxruntime/pull/27379); `disable_telemetry_events()` comes too late.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime  # noqa: PLC0415 - 30 MB that a process without models need not carry

    return onnxruntime


def session(path: str | Path, providers: Sequence[str], threads: int = 1) -> Any:  # noqa: ANN401 - no types
    """An `onnxruntime.InferenceSession`.

    Args:
        path: the prepared ONNX file.
        providers: to try, in this order.
        threads: per call. One, because every worker thread runs its own pictures (two workers x 1 thread give 1.8 times
            one worker, one worker x 2 threads 1.15 times).
    """
    onnxruntime = quiet_runtime()
    options = onnxruntime.SessionOptions()
    # YuNet: 0.4-0.5 of the time
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads burnt half the CPU
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False  # pictures come in many shapes; an arena keeps the largest for ever
    options.log_severity_level = 3  # errors only; a provider that falls back is reported by us
    return onnxruntime.InferenceSession(str(path), options, providers=list(providers))


@dataclass(slots=True)
class Warnings:
    """What goes wrong without stopping anything, for the Status page, by topic. Thread-safe."""

    _texts: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, topic: str, text: str) -> None:
        """Remember a sentence, and log it when it is another one than before."""
        with self._lock:
            is_news = self._texts.get(topic) != text
            self._texts[topic] = text
        if is_news:
            log.warning("%s", text)

    def over(self, topic: str) -> None:
        """This works again."""
        with self._lock:
            self._texts.pop(topic, None)

    def texts(self) -> tuple[str, ...]:
        """All sentences, oldest first."""
        with self._lock:
            return tuple(self._texts.values())


class CpuNetwork:
    """One ONNX model in one session of this process.

    Args:
        made: an `onnxruntime.InferenceSession`.
    """

    def __init__(self, made: Any) -> None:  # noqa: ANN401 - onnxruntime has no types
        self._session = made
        self._input = made.get_inputs()[0].name
        self.output_names: list[str] = [output.name for output in made.get_outputs()]

    def run(self, batch: Tensor) -> list[Tensor]:
        """All outputs for an input float32 (n, channels, height, width). Thread-safe."""
        return list(self._session.run(None, {self._input: batch}))


class OnAccelerator(Protocol):
    """The same model on an accelerator."""

    def run(self, batch: Tensor) -> list[Tensor]:
        """As `CpuNetwork.run`. Raises AcceleratorFailed."""
        ...


class Network:
    """One ONNX model, on an accelerator while that works and on the CPU otherwise, from one call to the next.

    Args:
        path: the prepared ONNX file.
        shapes: of the inputs it usually gets. Accelerators compile a program for each shape, for minutes, so they get
            these and no others.
        open_cpu: opens the model on the CPU.
        used: called at every run.
        failed: told when the accelerator fails.

    Attributes:
        output_names: in the order of `run`'s result.
    """

    def __init__(
        self,
        path: Path,
        shapes: Sequence[Shape],
        *,
        open_cpu: Callable[[Path], CpuNetwork],
        used: Callable[[], None] = lambda: None,
        failed: Callable[[AcceleratorFailed], None] = lambda _: None,
    ) -> None:
        self.path = path
        self.shapes = tuple(shapes)
        self._open_cpu = open_cpu
        self._used = used
        self._failed = failed
        self._opening = threading.Lock()
        self._cpu: CpuNetwork | None = open_cpu(path)
        self._accelerator: OnAccelerator | None = None
        self.output_names = self._cpu.output_names

    @property
    def accelerated(self) -> bool:
        """Whether an accelerator runs it now, so that inputs should have one of `shapes`."""
        return self._accelerator is not None

    def run(self, batch: Tensor) -> list[Tensor]:
        """All outputs for an input float32 (n, channels, height, width). Thread-safe.

        What an accelerator fails at is computed again on the CPU, so nobody notices but for the time.
        """
        self._used()
        accelerator = self._accelerator
        if accelerator is not None and batch.shape in self.shapes:
            try:
                return accelerator.run(batch)
            except AcceleratorFailed as failure:
                self._failed(failure)
        return self.on_cpu().run(batch)

    def on_cpu(self) -> CpuNetwork:
        """The model on the CPU, opened when needed (0.05 to 0.25 s)."""
        with self._opening:
            if self._cpu is None:
                self._cpu = self._open_cpu(self.path)
            return self._cpu

    def hand_over(self, accelerator: OnAccelerator) -> None:
        """An accelerator runs it from now on; the memory for the CPU is given back."""
        self._accelerator = accelerator
        with self._opening:
            self._cpu = None

    def take_back(self) -> None:
        """The CPU runs it from now on."""
        self._accelerator = None


def agree(result: Tensor, truth: Tensor) -> bool:
    """Whether an accelerator computed the same as the CPU, up to rounding."""
    a, b = result.ravel().astype(np.float64), truth.ravel().astype(np.float64)
    if a.shape != b.shape or not np.isfinite(a).all():
        return False
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return bool(np.allclose(a, b, atol=1e-3)) or (size > 0 and float(a @ b) / size >= MINIMUM_AGREEMENT)


def noise(shape: Shape) -> Tensor:
    """An input to try a model with, always the same."""
    return np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
