"""Runs the demo clip through the real program and prints, as JSON, what its threads allocated once it was warm.

A program of its own: see `tests.fakes.allocations`.
"""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from facefusion_live.app.wiring import Request, open_session
from facefusion_live.domain.ports import OutputFrame, SinkState, SinkStatus
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.worker import Worker
from tests.fakes.allocations import AllocationCounter

FRAMES, WARM = 60, 20
RESOURCES = Path(__file__).resolve().parents[2] / "resources"


class Watch:
    """A sink that forgets what was allocated while the program was warming up."""

    name, queue_size = "watch", 1

    def __init__(self, counter: AllocationCounter) -> None:
        self._counter = counter

    def open(self, size_wh: tuple[int, int], fps: float) -> None:
        pass

    def send(self, frame: OutputFrame) -> None:
        if frame.index == WARM:
            self._counter.large.clear()
            self._counter.count = 0

    def close(self) -> None:
        pass

    def status(self) -> SinkStatus:
        return SinkStatus(SinkState.RUNNING)


def main() -> None:
    counter = AllocationCounter(int(sys.argv[1]))
    work = Worker._work

    def counted(worker: Worker) -> None:
        counter.install()
        work(worker)

    Worker._work = counted
    request = Request(
        sources=(str(RESOURCES / "avatars" / "ada.jpg"),),
        consent=None,
        input=str(RESOURCES / "demo" / "driver.mp4"),
        output=None,
        states=None,
        engine="mesh",
        settings=Settings().with_values({"render.backend": sys.argv[2]}),
        offline=True,
        frame_limit=FRAMES,
    )
    session = open_session(request, more_sinks=(Watch(counter),)).session
    session.start()
    session.wait(100)
    result = {
        "backend": session.report().backend.name,
        "live": session.report().state_frames["LIVE"],
        "leases": session.leases,
        "count": counter.count,
        "large": [allocation._asdict() for allocation in counter.large],
    }
    print(json.dumps(result), flush=True)  # noqa: T201 (what it is for)
    os._exit(0)


main()
