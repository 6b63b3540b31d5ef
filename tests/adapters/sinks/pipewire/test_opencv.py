"""Programs that know only V4L2 read the virtual camera through pw-v4l2."""

import subprocess
import sys
from itertools import pairwise

from facefusion_live.adapters.sinks.pipewire import PipeWireCamera
from facefusion_live.domain.settings import VirtualCamera
from tests.adapters.sinks.pipewire.feeding import Feed
from tests.peers import need
from tests.support import ROOT
from tools.peers.pipewire import PipeWireSession

_READER = """
import cv2
from facefusion_live.domain import frame_counter
camera = cv2.VideoCapture(0, cv2.CAP_V4L2)
assert camera.isOpened()
for _ in range(30):
    there, bgr = camera.read()
    assert there and bgr.shape == (360, 640, 3), bgr
    print(frame_counter.read(bgr), *bgr[100, 320])
camera.release()
"""


def test_opencv_reads_it_in_order_and_in_its_colours(pipewire: PipeWireSession) -> None:
    need(["pw-v4l2"], "pipewire-v4l2")
    with Feed(PipeWireCamera(VirtualCamera()), (640, 360)):
        words = ("pw-v4l2", sys.executable, "-c", _READER)
        done = subprocess.run(
            words, env=pipewire.env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 0, done.stderr
    seen = [list(map(int, line.split())) for line in done.stdout.splitlines()]
    numbers = [number for number, *_ in seen]
    assert all(later > earlier for earlier, later in pairwise(numbers))
    number, blue, green, red = seen[-1]
    assert abs(red - 100) <= 4
    assert abs(green - 56) <= 4
    assert abs(blue - (40 + number * 7 % 160)) <= 4
