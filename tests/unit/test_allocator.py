"""Freed memory goes back to the system."""

import subprocess
import sys

import psutil
import pytest

from plugin.assemble.allocator import give_memory_back

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
