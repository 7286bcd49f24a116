"""Freed memory goes back to the system."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from plugin.assemble.allocator import give_memory_back
from plugin.assemble.kinfolk import open_kinfolk
from plugin.settings import load_settings
from plugin.vision.models import Loaded

THREADS_THAT_ALLOCATE = """
import ctypes, threading
from plugin.assemble.allocator import give_memory_back
{prepare}
def allocate():
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc(100_000)
    barrier.wait()
barrier = threading.Barrier(9)
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
barrier.wait()
import psutil
# each arena reserves one mapping of 64 MB of address space
print(sum(1 for line in open("/proc/self/smaps") if line.startswith("Size:") and int(line.split()[1]) >= 60_000))
"""


def arenas(prepare: str) -> int:
    program = THREADS_THAT_ALLOCATE.format(prepare=prepare)
    return int(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not psutil.LINUX or not give_memory_back(), reason="only glibc has these limits")
def test_threads_share_few_pools_of_memory() -> None:
    assert arenas("give_memory_back()") < arenas("")


WITH_MODELS_AND_WITHOUT = """
import os, sys
from pathlib import Path
import psutil
from plugin.assemble.kinfolk import open_kinfolk
from plugin.settings import load_settings
with open_kinfolk(load_settings(Path(sys.argv[1])), exclusive=True) as kinfolk:
    import numpy as np
    model = kinfolk.models.load("opencv")
    picture = np.random.default_rng(0).integers(0, 256, (960, 1280, 3), np.uint8)
    for _ in range(3):
        model.detect(picture, 640, 0.9)
        model.embed([np.ascontiguousarray(picture[:112, :112])] * 8)
    with_models = psutil.Process().memory_info().rss
    del model
    kinfolk.models.unload()
    print((with_models - psutil.Process().memory_info().rss) // 2**20)
"""


@pytest.mark.models
@pytest.mark.skipif(not psutil.LINUX or not give_memory_back(), reason="only glibc gives memory back when asked")
def test_models_that_leave_memory_give_it_back_to_the_system(model_folder: Path, tmp_path: Path) -> None:
    """Not only the objects go: 43 to 50 MB were measured, and little of it comes without `malloc_trim`."""
    shutil.copytree(model_folder, tmp_path / "data/models", copy_function=os.link)
    program = [sys.executable, "-c", WITH_MODELS_AND_WITHOUT, str(tmp_path / "data")]
    given = {name: value for name, value in os.environ.items() if not name.startswith("KINFOLK_")}
    done = subprocess.run(program, env=given, capture_output=True, text=True, check=True)
    assert int(done.stdout) >= 25, "MB"


def test_the_models_of_a_running_kinfolk_are_followed_by_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trimmed = list[int]()
    monkeypatch.setattr("plugin.assemble.kinfolk.give_back_memory", lambda: trimmed.append(1))
    with open_kinfolk(load_settings(tmp_path), exclusive=True) as kinfolk:
        kinfolk.models._loaded["opencv"] = Loaded(None)  # type: ignore[arg-type]  # only that there is one
        kinfolk.models.unload()
        assert trimmed == [1]
        kinfolk.models.unload()
    assert trimmed == [1], "only where something left"
