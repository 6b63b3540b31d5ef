"""Switches engine and face while live, again and again, and prints, as JSON, how late pictures were and what was held.

A program of its own, as the real one begins: what other tests left in the process must not be counted.
"""

import json
import os
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np
import psutil

from facefusion_live.app.heap import keep_few
from facefusion_live.domain.ports import GateState
from tests.flow.studio.conftest import Stage
from tests.flow.studio.test_studio_engines import bring
from tools.soak_live import Delays

FACES = ("ada", "bo", "cleo", "dan", "esi")
MIB = 1024 * 1024
SETTLED_S, STILL_S = 5.0, 15.0
OLD_MS = 100


def told(delays: Delays) -> dict[str, float]:
    """How late the pictures were that went out as new ones."""
    ages = [age for age, state in delays.take() if state == GateState.LIVE.value]
    p50, p95, p99 = np.percentile(ages, (50, 95, 99))
    old = sum(age > OLD_MS for age in ages)
    numbers = {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "oldest_ms": max(ages)}
    return {name: round(float(number), 1) for name, number in numbers.items()} | {"new": len(ages), "old": old}


def switch(stage: Stage, times: int) -> list[float]:
    """Another face and another engine, so many times; the memory after each. No `gc.collect`: it stops all threads."""
    process, faces, memory_mib = psutil.Process(), cycle(FACES), list[float]()
    for number in range(times):
        stage.studio.choose_source(next(faces))
        stage.studio.choose_engine(("uniface_256", "mesh")[number % 2])
        stage.loaded()
        emitted = stage.session.report().frames_out
        stage.until(lambda emitted=emitted: stage.session.report().frames_out > emitted + 5, "five more frames")
        memory_mib.append(round(process.memory_info().rss / MIB, 1))
    return memory_mib


def main() -> None:
    """Live, first still, then switching."""
    keep_few()
    with tempfile.TemporaryDirectory() as folder:
        home, delays = Path(folder) / "home", Delays()
        os.environ["FACEFUSION_LIVE_HOME"] = str(home)
        bring(home / "models")
        stage = Stage(home)
        stage.live()
        stage.session.add_sink(delays)
        time.sleep(SETTLED_S)
        delays.take()
        time.sleep(STILL_S)
        still = told(delays)
        memory_mib = switch(stage, int(sys.argv[1]))
        report, gate = stage.session.report(), stage.studio.state().gate.value
        facts = {"still": still, "switching": told(delays), "memory_mib": memory_mib, "gate": gate}
        facts |= {"leaks": report.leaks, "failed": report.failed, "states": report.state_frames}
        facts |= {"dropped": report.dropped}
        stage.studio.close()
    print(json.dumps(facts))  # noqa: T201 (what it is for)


if __name__ == "__main__":
    main()
