"""The process of an accelerator that fails as drivers do; otherwise it computes, on the CPU.

    python -m tests.fakes.accelerator HOW PRIORITY FD

`HOW` is how it fails, at once; with KINFOLK_FAKE_TRIGGER it works until the file named there exists.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from plugin.vision.accelerator.child import run
from plugin.vision.runtime import CPU, session

TRIGGER = "KINFOLK_FAKE_TRIGGER"
FAKE = "FakeExecutionProvider"


def command(how: str) -> tuple[str, ...]:
    """What starts it."""
    return (sys.executable, "-m", "tests.fakes.accelerator", how)


def says(words: str) -> Callable[[], None]:
    def fail() -> None:
        raise RuntimeError(words)

    return fail


def dies_saying(words: str) -> Callable[[], None]:
    def fail() -> None:
        sys.stderr.write(words + "\n")
        os.abort()

    return fail


FAILURES: dict[str, Callable[[], None]] = {
    "works": lambda: None,
    "no device": says("[ROCm error] hipErrorNoDevice: no ROCm-capable device is detected"),
    "no kernels": says("hipErrorNoBinaryForGpu: Unable to find code object for all current devices!"),
    "no library": dies_saying(
        "\nrocBLAS error: Cannot read /opt/rocm/lib/rocblas/library/TensileLibrary.dat: Illegal seek for gfx1032"
    ),
    "no memory": says("Failed to allocate memory for requested buffer of size 4915200"),
    "crashes": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "is killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "ends": lambda: os._exit(3),
    "hangs": lambda: time.sleep(600),
}


class Doubling:
    """What the model `double.onnx` computes, without the runtime, which takes half a second to start."""

    def get_inputs(self) -> Any:
        return [SimpleNamespace(name="x")]

    def run(self, names: None, inputs: dict[str, Any]) -> list[Any]:
        return [2 * inputs["x"] + 1]


class Session:
    """A session on the CPU that says it is on an accelerator."""

    def __init__(self, path: str, provider: str, how: str) -> None:
        self._made = Doubling() if Path(path).name == "double.onnx" else session(path, [CPU])
        self._provider = provider
        self._how = how

    def get_providers(self) -> list[str]:
        if self._how == "falls back":
            return [CPU]
        return [self._provider, CPU]

    def get_inputs(self) -> Any:
        return self._made.get_inputs()

    def run(self, names: None, inputs: dict[str, Any]) -> list[Any]:
        trigger = os.environ.get(TRIGGER)
        is_time = trigger is None or Path(trigger).exists()
        if is_time and self._how in FAILURES:
            FAILURES[self._how]()
        results: list[Any] = self._made.run(None, inputs)
        return [-result for result in results] if is_time and self._how == "computes nonsense" else results


def main() -> None:
    how, priority, descriptor = sys.argv[1:]

    def open_session(path: str, provider: str) -> Any:
        if how == "does not load":
            raise RuntimeError("something broke\nsecond line")
        if how == "falls back":
            sys.stderr.write("Failed to load " + 600 * "x" + " libamdhip64.so.7: cannot open shared object file\n")
        return Session(path, provider, how)

    run(priority, int(descriptor), open_session)


if __name__ == "__main__":
    main()
