"""Which ONNX Runtime, which provider, and what happens when an accelerator does not keep its word."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from plugin.errors import RuntimeClash
from plugin.vision.installation import check_one_runtime, runtime_distributions
from plugin.vision.models import Accelerators, OnnxFaceModels, RuntimeChoice
from plugin.vision.runtime import CPU, Warnings, agree, provider_order, session

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
    repair = 'pip uninstall -y onnxruntime onnxruntime-rocm && pip install --no-deps "onnxruntime-rocm==1.22.2.post3"'
    assert repair in caught.value.advice


def test_no_runtime_at_all_says_what_to_install() -> None:
    with pytest.raises(RuntimeClash, match="No ONNX Runtime") as caught:
        check_one_runtime(list)
    assert "pip install onnxruntime" in caught.value.advice


def test_add_on_providers_are_not_runtimes(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["onnxruntime", "onnxruntime_ep_rocm", "onnxruntime-extensions", "onnx", "ONNXRuntime_GPU"]
    found = [SimpleNamespace(metadata={"Name": name}) for name in names]
    monkeypatch.setattr("plugin.vision.installation.metadata.distributions", lambda: found)
    assert runtime_distributions() == ["onnxruntime", "onnxruntime-gpu"]


@pytest.mark.parametrize(
    ("accelerator", "providers", "tried"),
    [
        ("auto", (), [MIGRAPHX, ROCM]),
        ("auto", (ROCM,), [ROCM]),
        ("cpu", (), []),
        ("rocm", (), [ROCM]),
        ("migraphx", (), [MIGRAPHX]),
    ],
)
def test_the_settings_choose_the_accelerator(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    accelerator: Accelerators,
    providers: tuple[str, ...],
    tried: list[str],
) -> None:
    monkeypatch.setattr("plugin.vision.models.available_providers", lambda: [ROCM, MIGRAPHX, CPU])
    models = OnnxFaceModels(tmp_path, choice=RuntimeChoice(accelerator=accelerator, providers=providers))
    assert models._providers() == tried
    assert models.warnings == ()


def test_a_chosen_accelerator_that_is_not_installed_is_a_warning_with_the_way_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugin.vision.models.available_providers", lambda: [CPU])
    models = OnnxFaceModels(tmp_path, choice=RuntimeChoice(accelerator="rocm"))
    assert models._providers() == []
    (warning,) = models.warnings
    assert "rocm" in warning or "AMD packages" in warning


def test_sessions_have_the_threads_asked_for_and_never_spin(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda path, options, providers: asked.append(options))
    session("x.onnx", [CPU], threads=3)
    (options,) = asked
    assert options.intra_op_num_threads == 3
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert options.graph_optimization_level == onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL


def test_a_warning_is_shown_once_and_goes_when_things_work_again() -> None:
    warnings = Warnings()
    warnings.note(ROCM, "It failed.")
    warnings.note(ROCM, "It failed.")
    warnings.note(MIGRAPHX, "It failed, too.")
    assert warnings.texts() == ("It failed.", "It failed, too.")
    warnings.over(ROCM)
    warnings.over(ROCM)
    assert warnings.texts() == ("It failed, too.",)


@pytest.mark.parametrize("off", [0.0, 1e-4])
def test_rounding_is_no_disagreement(off: float) -> None:
    truth = np.linspace(-1, 1, 128, dtype=np.float32)
    assert agree(truth + np.float32(off), truth)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, 0.0])
def test_other_numbers_are_a_disagreement(wrong: float) -> None:
    truth = np.linspace(0.5, 1, 128, dtype=np.float32)
    assert not agree(truth * np.float32(wrong), truth)
    assert not agree(truth[:64], truth)


def test_importing_the_packs_loads_neither_onnx_nor_its_runtime() -> None:
    code = "import sys, plugin.vision.models; print(sorted({'onnx', 'onnxruntime', 'tflite'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


SUPPRESSING = ("ORT_", "CI", "GITHUB_", "TF_BUILD", "BUILD_", "JENKINS", "TEAMCITY", "TRAVIS", "CIRCLECI")
"""Variables under which ONNX Runtime sends nothing anyway: users have none of them."""


@pytest.mark.parametrize(
    "code",
    [
        "from plugin.vision.runtime import available_providers; available_providers()",
        "from plugin.vision.accelerator.child import open_session; open_session(sys.argv[1], 'CPUExecutionProvider')",
    ],
)
def test_onnx_runtime_tells_its_makers_nothing(tmp_path: Path, code: str) -> None:
    """It would leave an id of the machine in the home folder, and a queue of what is to be sent."""
    model, home = tmp_path / "model.onnx", tmp_path / "home"
    home.mkdir()
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])], "same",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), model)
    given = {name: value for name, value in os.environ.items() if not name.startswith(SUPPRESSING)}
    given |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    subprocess.run([sys.executable, "-c", f"import sys; {code}", model], env=given, check=True)
    assert list(home.rglob("*")) == []


def test_onnx_runtime_is_imported_where_it_is_kept_quiet_and_nowhere_else() -> None:
    root = Path(__file__).parents[2]
    importing = re.compile(r"^\s*(?:import|from) onnxruntime\b", re.MULTILINE)
    found = [path for name in ("plugin", "benchmarks", "scripts") for path in (root / name).rglob("*.py")
             if importing.search(path.read_text(encoding="utf-8"))]  # fmt: skip
    assert found == [root / "plugin/vision/runtime.py"]
    assert "ORT_DISABLE_TELEMETRY=1" in (root / "Dockerfile").read_text(encoding="utf-8")
