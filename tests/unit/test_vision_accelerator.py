"""An accelerator runs in a process of its own, and whatever happens to it the CPU takes over and nothing is lost."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper

from plugin.domain import Float32Array
from plugin.errors import AcceleratorFailed
from plugin.restraint import NICENESS
from plugin.vision.accelerator import keeper
from plugin.vision.accelerator.compiled import CompiledModels, environment_of
from plugin.vision.accelerator.keeper import COMPILING, LOADING, RESTING, Accelerator, AcceleratorState, Patience
from plugin.vision.accelerator.process import AcceleratorProcess
from plugin.vision.models import OnnxFaceModels
from plugin.vision.runtime import CPU, CpuNetwork, Network, Shape, Warnings, session
from tests.fakes.accelerator import FAKE, TRIGGER, command

SHAPE: Shape = (1, 3, 8, 8)
LARGER: Shape = (1, 3, 16, 16)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that computes 2 x + 1, for pictures of any size."""
    path = tmp_path_factory.mktemp("model") / "double.onnx"
    shape = ["n", 3, "h", "w"]
    two = helper.make_tensor("two", TensorProto.FLOAT, [], [2.0])
    one = helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])
    nodes = [helper.make_node("Mul", ["x", "two"], ["y"]), helper.make_node("Add", ["y", "one"], ["z"])]
    graph = helper.make_graph(
        nodes,
        "double",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, shape)],
        [two, one],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


class Bench:
    """One network, and the accelerator that may take it over."""

    def __init__(self, model: Path, how: str, patience: float = 600.0, compiled: CompiledModels | None = None) -> None:
        self.warnings = Warnings()
        self.started: list[AcceleratorProcess] = []
        self.how = how
        self.network = Network(
            model,
            [SHAPE],
            open_cpu=lambda path: CpuNetwork(session(path, [CPU])),
            failed=self.failed,
        )
        self.accelerator = Accelerator(
            [self.network], [FAKE], self.start, lambda _: compiled, self.warnings, Patience(patience)
        )

    def failed(self, failure: AcceleratorFailed) -> None:
        self.accelerator.failed(failure)

    def start(self, provider: str, compiled: CompiledModels | None) -> AcceleratorProcess:
        self.started.append(AcceleratorProcess(provider, [*command(self.how), "low"], environment_of(compiled)))
        return self.started[-1]

    def until(self, state: AcceleratorState) -> None:
        eventually(lambda: self.accelerator.state is state)

    def computes(self, shape: Shape = SHAPE) -> bool:
        picture = np.full(shape, 3, np.float32)
        return np.array_equal(self.network.run(picture)[0], 2 * picture + 1)


Making = Callable[..., Bench]


@pytest.fixture
def bench(model: Path) -> Iterator[Making]:
    made: list[Bench] = []

    def make(how: str, **more: object) -> Bench:
        made.append(Bench(model, how, **more))  # type: ignore[arg-type]  # passed on
        return made[-1]

    yield make
    for one in made:
        one.accelerator.close()


def eventually(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_models_are_handed_over_once_they_are_compiled_and_give_the_same_numbers(bench: Making) -> None:
    one = bench("works")
    assert one.computes()  # on the CPU, which waits for nothing
    one.until(AcceleratorState.READY)
    assert (one.network.accelerated, one.accelerator.provider) == (True, FAKE)
    assert one.computes()
    assert one.accelerator.sentence is None
    assert one.warnings.texts() == ()


def test_pictures_of_another_shape_stay_on_the_cpu_since_they_would_be_compiled_first(
    bench: Making, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TRIGGER, str(tmp_path / "now"))
    one = bench("crashes")
    one.until(AcceleratorState.READY)
    (tmp_path / "now").touch()
    assert one.computes(LARGER)
    assert one.network.accelerated


WAYS = {
    "no device": ("found no card", "/dev/kfd and /dev/dri"),
    "no kernels": ("has no kernels for this card", "runtime.gfx_override"),
    "no library": ("has no kernels for this card", "runtime.gfx_override"),
    "no memory": ("ran out of memory on the card", "Close what else uses the card"),
    "crashes": ("crashed (SIGSEGV)", "The CPU is used instead"),
    "is killed": ("was killed", "The CPU is used instead"),
    "ends": ("failed (exit code 3)", "The CPU is used instead"),
    "hangs": ("did not answer for 1 seconds", "The CPU is used instead"),
}


@pytest.mark.parametrize("how", WAYS)
def test_an_accelerator_that_fails_at_work_gives_way_to_the_cpu_and_nothing_is_lost(
    bench: Making, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setenv(TRIGGER, str(tmp_path / "now"))
    one = bench(how)
    one.until(AcceleratorState.READY)
    assert one.computes()
    if how == "hangs":
        monkeypatch.setattr(keeper, "RUN_SECONDS", 0.6)
    (tmp_path / "now").touch()
    assert one.computes()  # the very picture it failed at
    assert not one.network.accelerated
    assert one.accelerator.provider is None
    assert one.accelerator.sentence == RESTING
    (said,) = one.warnings.texts()
    assert said.startswith("Fake ")
    assert all(part in said for part in WAYS[how])
    assert is_gone(one.started[0].pid)
    assert one.computes()
    assert len(one.started) == 1


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("no device", "found no card"),
        ("no kernels", "has no kernels for this card"),
        ("no memory", "ran out of memory"),
        ("crashes", "crashed (SIGSEGV)"),
        ("does not load", "failed (RuntimeError: something broke)"),
        ("falls back", "needs libamdhip64.so.7, which is not installed"),
        ("computes nonsense", "computes other numbers than the CPU"),
    ],
)
def test_an_accelerator_that_does_not_come_up_is_never_trusted(bench: Making, how: str, said: str) -> None:
    one = bench(how)
    one.until(AcceleratorState.FAILED)
    assert not one.network.accelerated
    assert one.computes()
    (warning,) = one.warnings.texts()
    assert said in warning
    eventually(lambda: is_gone(one.started[0].pid))


def test_a_hanging_compilation_holds_nobody_up(bench: Making, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "COMPILE_SECONDS", 1.6)
    one = bench("hangs")
    eventually(lambda: bool(one.started))
    assert one.computes()
    assert one.accelerator.sentence in {LOADING, COMPILING}
    one.until(AcceleratorState.FAILED)
    assert "did not answer for 2 seconds" in one.warnings.texts()[0]


def test_a_process_that_is_killed_from_outside_is_noticed_at_the_next_picture(bench: Making) -> None:
    one = bench("works")
    one.until(AcceleratorState.READY)
    os.kill(one.started[0].pid, signal.SIGKILL)
    assert one.computes()
    assert "was killed" in one.warnings.texts()[0]


def test_several_threads_lose_nothing_when_it_dies_under_them(
    bench: Making, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TRIGGER, str(tmp_path / "now"))
    one = bench("is killed")
    one.until(AcceleratorState.READY)
    right: list[bool] = []
    threads = [threading.Thread(target=lambda: right.extend(one.computes() for _ in range(50))) for _ in range(4)]
    for thread in threads:
        thread.start()
    (tmp_path / "now").touch()
    for thread in threads:
        thread.join()
    assert right == [True] * 200
    assert len(one.warnings.texts()) == 1


def test_a_failed_accelerator_is_tried_again_after_a_while_and_the_warning_goes(
    bench: Making, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = tmp_path / "now"
    monkeypatch.setenv(TRIGGER, str(now))
    one = bench("is killed", patience=0.2)
    one.until(AcceleratorState.READY)
    now.touch()
    assert one.computes()
    now.unlink()
    eventually(lambda: one.network.accelerated)
    assert one.computes()
    assert one.warnings.texts() == ()


def test_each_failure_makes_it_wait_twice_as_long_up_to_six_hours() -> None:
    clock = [0.0]
    patience = Patience(600, now=lambda: clock[0])
    assert patience.left() == 0
    waits = []
    for _ in range(8):
        patience.failed()
        waits.append(patience.left())
        clock[0] += waits[-1]
        assert patience.left() == 0
    assert waits == [600, 1200, 2400, 4800, 9600, 19200, 21600, 21600]
    patience.failed()
    patience.worked()
    assert patience.left() == 0


def test_the_process_ends_with_its_owner_even_when_that_is_killed(tmp_path: Path, model: Path) -> None:
    code = (
        "import os, sys\n"
        "from plugin.vision.accelerator.process import AcceleratorProcess\n"
        "from tests.fakes.accelerator import command\n"
        "one = AcceleratorProcess('F', [*command('hangs'), 'low'], os.environ)\n"
        f"one.ask({{'do': 'load', 'path': {str(model)!r}, 'provider': 'F'}}, seconds=60)\n"
        "print(one.pid, flush=True)\n"
        "import numpy\n"
        "one.ask({'do': 'run', 'session': 0}, [numpy.zeros((1, 3, 4, 4), 'float32')], seconds=60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        child = int(owner.stdout.readline())
        assert not is_gone(child)
        owner.kill()
    eventually(lambda: is_gone(child))


def test_closing_ends_the_process_and_the_cpu_goes_on(bench: Making) -> None:
    one = bench("works")
    one.until(AcceleratorState.READY)
    one.accelerator.close()
    one.accelerator.close()
    assert is_gone(one.started[0].pid)
    assert one.computes()
    assert one.warnings.texts() == ()


def test_closing_while_it_compiles_ends_that_too(bench: Making) -> None:
    one = bench("hangs")
    eventually(lambda: bool(one.started))
    one.accelerator.close()
    eventually(lambda: is_gone(one.started[0].pid))
    assert one.warnings.texts() == ()
    assert one.accelerator.state is AcceleratorState.FAILED, "who waits for it would wait for ever"


def test_one_that_failed_a_moment_ago_rests_when_its_models_come_back(model: Path) -> None:
    patience = Patience(600)
    patience.failed()
    network = Network(model, [SHAPE], open_cpu=lambda path: CpuNetwork(session(path, [CPU])))

    def start(provider: str, compiled: CompiledModels | None) -> AcceleratorProcess:
        raise AssertionError("it rests")

    accelerator = Accelerator([network], [FAKE], start, lambda _: None, Warnings(), patience)
    assert accelerator.state is AcceleratorState.FAILED
    accelerator.close()


def test_it_runs_below_everything_else(bench: Making) -> None:
    one = bench("works")
    one.until(AcceleratorState.READY)
    assert psutil.Process(one.started[0].pid).nice() >= NICENESS


def test_only_the_first_compilation_is_announced_as_one(bench: Making, tmp_path: Path) -> None:
    compiled = CompiledModels(tmp_path, FAKE, "gfx1030")
    first = bench("works", compiled=compiled)
    first.until(AcceleratorState.READY)
    assert first.accelerator.is_first_time
    again = bench("works", compiled=compiled)
    again.until(AcceleratorState.READY)
    assert not again.accelerator.is_first_time


def test_what_was_compiled_for_others_is_no_first_time_of_these(tmp_path: Path) -> None:
    """A second pack, or other shapes after a changed `detection.long_side`."""
    compiled = CompiledModels(tmp_path, FAKE, "gfx1030")
    compiled.prepare()
    compiled.completed(["one.onnx (1, 3, 640, 640)", "two.onnx (1, 3, 112, 112)"])
    assert compiled.has(["two.onnx (1, 3, 112, 112)", "one.onnx (1, 3, 640, 640)"])
    assert not compiled.has(["one.onnx (1, 3, 960, 960)", "two.onnx (1, 3, 112, 112)"])
    assert not compiled.has(["three.onnx (1, 3, 640, 640)"])


def test_an_accelerator_with_another_shape_compiles_for_the_first_time(
    bench: Making, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = CompiledModels(tmp_path, FAKE, "gfx1030")
    bench("works", compiled=compiled).until(AcceleratorState.READY)
    monkeypatch.setattr(f"{__name__}.SHAPE", (2, 3, 8, 8))
    other = bench("works", compiled=compiled)
    other.until(AcceleratorState.READY)
    assert other.accelerator.is_first_time


def test_compiled_models_of_another_card_or_version_go(tmp_path: Path) -> None:
    old, new = CompiledModels(tmp_path, FAKE, "gfx1030-1.22"), CompiledModels(tmp_path, FAKE, "gfx1030-1.23")
    old.prepare()
    variables = new.prepare()
    assert Path(variables["ORT_MIGRAPHX_MODEL_CACHE_PATH"]).is_relative_to(new.folder)
    new.completed(["a"])
    assert [path.name for path in tmp_path.iterdir()] == [new.folder.name]


def test_the_card_passes_for_another_one_where_that_is_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HSA_OVERRIDE_GFX_VERSION", "9.0.0")
    assert environment_of(None)["HSA_OVERRIDE_GFX_VERSION"] == "9.0.0"
    assert environment_of(None, "10.3.0")["HSA_OVERRIDE_GFX_VERSION"] == "10.3.0"
    folders = {CompiledModels.here(tmp_path, FAKE, override).folder for override in (None, "10.3.0", "11.0.0")}
    assert len(folders) == 3


def test_what_somebody_set_outside_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ORT_MIGRAPHX_MODEL_CACHE_PATH", "/elsewhere")
    environment = environment_of(CompiledModels(tmp_path, FAKE, "gfx1030"))
    assert environment["ORT_MIGRAPHX_MODEL_CACHE_PATH"] == "/elsewhere"
    assert environment["MIOPEN_USER_DB_PATH"].startswith(str(tmp_path))


def test_a_folder_that_cannot_be_made_costs_the_cache_only(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    compiled = CompiledModels(tmp_path / "file", FAKE, "gfx1030")
    assert compiled.prepare() == {}
    assert not compiled.has(["a"])
    compiled.completed(["a"])


def test_what_is_forgotten_leaves_memory(model: Path) -> None:
    one = Bench(model, "works")
    one.until(AcceleratorState.READY)
    one.accelerator.close()
    pictures: Float32Array = np.zeros(SHAPE, np.float32)
    one.network.run(pictures)
    del one
    gc.collect()
    assert not [thing for thing in gc.get_objects() if isinstance(thing, Bench)]


def test_a_second_provider_that_compiles_is_starting_although_the_first_failed(model: Path) -> None:
    tried, goes_on = list[str](), threading.Event()

    def start(provider: str, _compiled: CompiledModels | None) -> AcceleratorProcess:
        tried.append(provider)
        if len(tried) == 2:
            goes_on.wait(30)
        raise AcceleratorFailed("none here", "use the CPU")

    network = Network(model, [SHAPE], open_cpu=lambda path: CpuNetwork(session(path, [CPU])))
    accelerator = Accelerator([network], [FAKE, "Other" + FAKE], start, lambda _: None, Warnings(), Patience(600))
    eventually(lambda: len(tried) == 2)
    loaded = SimpleNamespace(accelerator=accelerator)
    models = OnnxFaceModels(model.parent)
    models._loaded = {"pack": loaded}  # type: ignore[dict-item]  # as much of it as is asked
    try:
        assert accelerator.state is AcceleratorState.STARTING
        assert models._compiles(), "what is not used does not leave memory now"
    finally:
        goes_on.set()
        accelerator.close()
