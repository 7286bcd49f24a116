"""Which ONNX Runtime, which provider, and what happens when an accelerator does not keep its word."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import onnxruntime
import pytest

from plugin.domain import Float32Array
from plugin.errors import RuntimeClash
from plugin.vision.runtime import CPU, Runtime, check_one_runtime, provider_order, runtime_distributions

SHAPE = (1, 3, 4, 4)
ROCM, MIGRAPHX, CUDA = "ROCMExecutionProvider", "MIGraphXExecutionProvider", "CUDAExecutionProvider"


def test_amd_comes_first_then_any_other_accelerator_and_the_cpu_last() -> None:
    available = ["AzureExecutionProvider", CPU, CUDA, ROCM, MIGRAPHX]
    assert provider_order(available) == [MIGRAPHX, ROCM, CUDA, CPU]


def test_the_settings_can_choose_the_providers_but_the_cpu_stays_the_last_resort() -> None:
    assert provider_order([CPU, CUDA, ROCM], wanted=[CUDA]) == [CUDA, CPU]
    assert provider_order([CPU, ROCM], wanted=[CPU]) == [CPU]
    assert provider_order([CPU], wanted=[CUDA]) == [CPU]


def test_the_remote_provider_every_build_lists_is_never_used() -> None:
    assert provider_order(["AzureExecutionProvider", CPU], wanted=["AzureExecutionProvider"]) == [CPU]


def test_exactly_one_runtime_is_fine() -> None:
    check_one_runtime(lambda: ["onnxruntime-rocm"])


def test_two_runtimes_are_a_clash_with_the_line_that_repairs_it() -> None:
    with pytest.raises(RuntimeClash, match="onnxruntime, onnxruntime-rocm") as caught:
        check_one_runtime(lambda: ["onnxruntime-rocm", "onnxruntime"])
    repair = "pip uninstall -y onnxruntime onnxruntime-rocm && pip install --no-deps onnxruntime-rocm"
    assert repair in caught.value.advice


def test_no_runtime_at_all_says_what_to_install() -> None:
    with pytest.raises(RuntimeClash, match="No ONNX Runtime") as caught:
        check_one_runtime(list)
    assert "pip install onnxruntime" in caught.value.advice


def test_add_on_providers_are_not_runtimes(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["onnxruntime", "onnxruntime_ep_rocm", "onnxruntime-extensions", "onnx", "ONNXRuntime_GPU"]
    found = [SimpleNamespace(metadata={"Name": name}) for name in names]
    monkeypatch.setattr("plugin.vision.runtime.metadata.distributions", lambda: found)
    assert runtime_distributions() == ["onnxruntime", "onnxruntime-gpu"]


class Session:
    """A session on the first provider asked for, unless `behaviour` says how that provider fails."""

    behaviour: ClassVar[dict[str, str]] = {}

    def __init__(self, path: str, options: Any, providers: list[str]) -> None:
        self.options = options
        self.wanted = providers[0]
        if self.behaviour.get(self.wanted) == "does not load":
            raise RuntimeError("libmigraphx_c.so.3: cannot open shared object file\nmore")

    def get_providers(self) -> list[str]:
        return [CPU] if self.behaviour.get(self.wanted) == "falls back" else [self.wanted, CPU]

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="picture")]

    def get_outputs(self) -> list[Any]:
        return [SimpleNamespace(name="embedding")]

    def run(self, names: None, inputs: dict[str, Float32Array]) -> list[Float32Array]:
        how = self.behaviour.get(self.wanted)
        if how == "does not run":
            raise RuntimeError("hipErrorNoBinaryForGpu")
        return [-inputs["picture"] if how == "computes nonsense" else inputs["picture"] * 2]


@pytest.fixture
def rocm(monkeypatch: pytest.MonkeyPatch) -> type[Session]:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [ROCM, CPU])
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    monkeypatch.setattr(Session, "behaviour", {})
    return Session


def test_an_accelerator_that_works_is_used_without_a_warning(rocm: type[Session]) -> None:
    runtime = Runtime()
    network = runtime.network(Path("x.onnx"), SHAPE)
    assert (network.provider, network.accelerated) == (ROCM, True)
    assert runtime.warnings.texts() == ()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("does not load", "ROCMExecutionProvider failed (libmigraphx_c.so.3: cannot open shared object file)"),
        ("does not run", "ROCMExecutionProvider failed (hipErrorNoBinaryForGpu)"),
        ("falls back", "ROCMExecutionProvider is installed but cannot run here"),
        ("computes nonsense", "ROCMExecutionProvider computes other numbers than the CPU"),
    ],
)
def test_a_failing_accelerator_gives_way_to_the_cpu_and_is_mentioned_once(
    rocm: type[Session], how: str, said: str
) -> None:
    rocm.behaviour = {ROCM: how}
    runtime = Runtime()
    for _ in range(2):
        network = runtime.network(Path("x.onnx"), SHAPE)
        assert network.provider == CPU
        assert network.run(np.ones(SHAPE, np.float32))[0] == pytest.approx(2 * np.ones(SHAPE))
    (warning,) = runtime.warnings.texts()
    assert warning.startswith(said)
    assert "CPU is used instead" in warning


def test_sessions_have_the_threads_asked_for_and_never_spin(rocm: type[Session]) -> None:
    options = Runtime(threads=3).network(Path("x.onnx"), SHAPE)._session.options
    assert options.intra_op_num_threads == 3
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert options.graph_optimization_level == onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL


def test_importing_the_packs_loads_neither_onnx_nor_its_runtime() -> None:
    code = "import sys, plugin.vision.models; print(sorted({'onnx', 'onnxruntime', 'tflite'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
