"""The C library's heaps, where it has such calls; elsewhere nothing happens, and nothing breaks."""

import ctypes
import subprocess
import sys

import pytest

from facefusion_live.app import heap
from tests.support import ROOT

MANY_HEAPS = """
import ctypes, sys, threading
sys.path.insert(0, "{root}")
from facefusion_live.app.heap import give_back, keep_few
if sys.argv[1] == "few":
    keep_few()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier(8)
heaps = set()

def take():
    together.wait()
    heaps.add(libc.malloc(100_000) >> 26)  # a thread's heap begins at a multiple of 64 MiB
    together.wait()

threads = [threading.Thread(target=take) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
give_back()
print(len(heaps))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the GNU library's heaps")
def test_threads_share_few_heaps() -> None:
    counts = []
    for how in ("few", "many"):
        program = [sys.executable, "-c", MANY_HEAPS.format(root=ROOT), how]
        done = subprocess.run(program, capture_output=True, text=True, check=True)
        counts.append(int(done.stdout))
    assert counts[0] <= 2 < counts[1]


@pytest.mark.parametrize("error", [OSError("no library"), AttributeError("no such call")])
def test_a_library_without_such_calls_is_left_alone(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_name: object) -> object:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    heap.keep_few()
    heap.give_back()
