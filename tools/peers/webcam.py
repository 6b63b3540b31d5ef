"""A webcam of PipeWire's that plays the demo clip; a program of its own: `python -m tools.peers.webcam STAMPS`.

Each picture carries its number, and STAMPS gets a line for each: the number, and when it was shown to readers
(monotonic nanoseconds, the same clock in all processes).
"""

import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facefusion_live.adapters.capture import SyntheticSource
from facefusion_live.adapters.sinks.pipewire import PipeWireCamera
from facefusion_live.app.environment import resource
from facefusion_live.app.wiring import SystemClock
from facefusion_live.domain.image import HostImage, Image
from facefusion_live.domain.ports import GateState
from facefusion_live.domain.settings import Capture, VirtualCamera

NAME = "Webcam"


@dataclass(frozen=True, slots=True)
class Picture:
    """A camera's picture, in the shape of an `OutputFrame`."""

    index: int
    image: Image
    media_s: float
    captured_ns: int
    state: GateState = GateState.PASS
    job_index: int = 0


def main(stamps: Path) -> None:
    """Play until told to stop."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    clip = resource("resources/demo/driver.mp4")
    camera = PipeWireCamera(VirtualCamera(name=NAME))
    with SyntheticSource(clip, Capture(), SystemClock(), realtime=True) as source, stamps.open("w", 1) as file:
        width, height = source.size_wh
        camera.open(source.size_wh, source.fps)
        while not stopped.is_set():
            pixels = np.empty((height, width, 3), np.uint8)
            info = source.read_into(pixels)
            if info is None:
                break
            now_ns = time.monotonic_ns()
            camera.send(Picture(info.source_index, HostImage(pixels), info.media_s, now_ns))
            file.write(f"{info.source_index} {now_ns}\n")
        camera.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
