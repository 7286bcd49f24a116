"""ONNX Runtime: which one is installed, which provider runs a model, and a session that stays small and quiet."""

import logging
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from plugin.errors import AcceleratorFailed, RuntimeClash
from plugin.sentences import Sentence

log = logging.getLogger(__name__)

CPU = "CPUExecutionProvider"
PREFERRED = ("MIGraphXExecutionProvider", "ROCMExecutionProvider")
NOT_FOR_FACES = ("AzureExecutionProvider",)
"""Listed by every build; sends the input to a remote service."""

CPU_INSTEAD = Sentence("The CPU is used instead; check the driver and that this user may use the device")

MINIMUM_AGREEMENT = 0.999
"""Cosine between an accelerator's output and the CPU's; half precision reaches 0.9999, a wrong kernel does not."""

Tensor: TypeAlias = npt.NDArray[np.float32]
Shape: TypeAlias = tuple[int, int, int, int]


def check_one_runtime(installed: Callable[[], Sequence[str]] | None = None) -> None:
    """Make sure exactly one ONNX Runtime distribution is installed: two share one folder and silently break each other.

    Raises:
        RuntimeClash: none or several; the advice holds the line that repairs it.
    """
    found = sorted(set((installed or runtime_distributions)()))
    if len(found) == 1:
        return
    if not found:
        raise RuntimeClash("No ONNX Runtime is installed", "Run: pip install onnxruntime")
    keep = next((name for name in found if name != "onnxruntime"), found[0])
    raise RuntimeClash(
        f"{len(found)} ONNX Runtimes are installed and disable each other: {', '.join(found)}",
        f"Run: pip uninstall -y {' '.join(found)} && pip install --no-deps {keep}",
    )


def runtime_distributions() -> list[str]:
    """Names of the installed distributions that bring an `onnxruntime` module (not the add-on providers `-ep-`)."""
    names = (
        str(distribution.metadata["Name"] or "").lower().replace("_", "-") for distribution in metadata.distributions()
    )
    beside = ("onnxruntime-ep-", "onnxruntime-extensions", "onnxruntime-genai", "onnxruntime-tools")
    return [name for name in names if re.match(r"onnxruntime(-|$)", name) and not name.startswith(beside)]


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


@dataclass(slots=True)
class Warnings:
    """What went wrong without stopping anything, for the Status page; each sentence once. Thread-safe."""

    _texts: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, text: str) -> None:
        """Remember a sentence and log it."""
        with self._lock:
            if text in self._texts:
                return
            self._texts.append(text)
        log.warning("%s", text)

    def texts(self) -> tuple[str, ...]:
        """All sentences, oldest first."""
        with self._lock:
            return tuple(self._texts)


class Network:
    """One ONNX model in one session, on the CPU or one accelerator.

    Args:
        session: an `onnxruntime.InferenceSession`.

    Attributes:
        provider: what really runs it; what was asked for says nothing.
        accelerated: whether that is not the CPU.
        output_names: in the order of `run`'s result.
    """

    def __init__(self, session: Any) -> None:  # noqa: ANN401 - onnxruntime has no types
        self._session = session
        self._input = session.get_inputs()[0].name
        self.provider: str = session.get_providers()[0]
        self.accelerated = self.provider != CPU
        # Accelerators crash when a lazy compilation overlaps another run (seen with MIGraphX).
        self._lock = threading.Lock() if self.accelerated else None
        self.output_names: list[str] = [output.name for output in session.get_outputs()]

    def run(self, batch: Tensor) -> list[Tensor]:
        """All outputs for an input float32 (n, channels, height, width). Thread-safe."""
        if self._lock is None:
            return list(self._session.run(None, {self._input: batch}))
        with self._lock:
            return list(self._session.run(None, {self._input: batch}))


@dataclass(frozen=True, slots=True)
class Runtime:
    """How sessions are made.

    Attributes:
        providers: only these, in this order; empty: every installed one.
        threads: per call. One, because every worker thread runs its own pictures (two workers x 1 thread give 1.8 times
            one worker, one worker x 2 threads 1.15 times).
        warnings: where failing accelerators are noted.
    """

    providers: tuple[str, ...] = ()
    threads: int = 1
    warnings: Warnings = field(default_factory=Warnings)

    def network(self, path: Path, usual_shape: Shape) -> Network:
        """Load a model on the best provider that really runs it, and run it once.

        Args:
            path: the prepared ONNX file.
            usual_shape: of the input, so that what is compiled lazily is compiled now.
        """
        import onnxruntime  # noqa: PLC0415 - 30 MB that a process without models need not carry

        noise = np.random.default_rng(0).uniform(0, 255, usual_shape).astype(np.float32)
        cpu = Network(self._session(path, [CPU]))
        expected = cpu.run(noise)
        for provider in provider_order(onnxruntime.get_available_providers(), self.providers)[:-1]:
            try:
                return self._on_accelerator(path, provider, noise, expected)
            except AcceleratorFailed as failure:
                self.warnings.add(failure.explanation)
        return cpu

    def _on_accelerator(self, path: Path, provider: str, noise: Tensor, expected: list[Tensor]) -> Network:
        """Raises AcceleratorFailed when it does not load or run, leaves the work to the CPU, or computes wrongly."""
        try:
            network = Network(self._session(path, [provider, CPU]))
            results = network.run(noise) if network.provider == provider else []
        except Exception as error:  # whatever a driver throws
            reason = next(iter(str(error).splitlines()), type(error).__name__)[:200]
            raise AcceleratorFailed(
                "%(provider)s failed (%(reason)s)", CPU_INSTEAD, provider=provider, reason=reason
            ) from error
        if network.provider != provider:
            raise AcceleratorFailed("%(provider)s is installed but cannot run here", CPU_INSTEAD, provider=provider)
        if not all(_agree(result, truth) for result, truth in zip(results, expected, strict=True)):
            raise AcceleratorFailed("%(provider)s computes other numbers than the CPU", CPU_INSTEAD, provider=provider)
        return network

    def _session(self, path: Path, providers: list[str]) -> Any:  # noqa: ANN401 - onnxruntime has no types
        import onnxruntime  # noqa: PLC0415 - see `network`

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = (
            onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        )  # YuNet: 0.4-0.5 of the time
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads burnt half the CPU
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False  # pictures come in many shapes; an arena keeps the largest for ever
        options.log_severity_level = 3  # errors only; a provider that falls back is reported by us
        return onnxruntime.InferenceSession(str(path), options, providers=providers)


def _agree(result: Tensor, truth: Tensor) -> bool:
    a, b = result.ravel().astype(np.float64), truth.ravel().astype(np.float64)
    if a.shape != b.shape or not np.isfinite(a).all():
        return False
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return bool(np.allclose(a, b, atol=1e-3)) or (size > 0 and float(a @ b) / size >= MINIMUM_AGREEMENT)
