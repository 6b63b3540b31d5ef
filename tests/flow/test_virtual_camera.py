"""The whole way: a camera, the swap, the virtual camera, a program that reads it."""

import pytest

from tests.peers import need
from tools.measure_virtual_camera import PAGE, SIZE_WH, Seen, conference_call, full_loop
from tools.peers.chromium import Conference
from tools.peers.pipewire import PipeWireSession


@pytest.mark.timeout(180)
def test_from_camera_to_camera_nothing_is_lost_on_the_way(pipewire: PipeWireSession) -> None:
    need(["pw-v4l2"], "pipewire-v4l2")
    seen, report = full_loop(pipewire, 3.0)
    assert seen.ordered
    # A busy machine may be slow; what comes must come from the camera, and be told in the report.
    assert len(seen.latency_ms) >= 10  # a busy machine swaps few
    assert 0 < min(seen.latency_ms) < 1000
    outputs = report["outputs"]
    assert isinstance(outputs, dict)
    assert outputs["virtual-camera"]["bytes_out"] > 30 * 2 * SIZE_WH[0] * SIZE_WH[1]
    assert report["leaks"] == 0


@pytest.mark.timeout(180)
def test_a_swap_is_seen_in_a_video_call(conference: Conference) -> None:
    seen, showing = conference_call(conference, 2.0)
    assert showing.size_wh == SIZE_WH
    assert seen.ordered
    assert len(seen.latency_ms) >= 10  # a busy machine swaps few
    assert 0 < min(seen.latency_ms) < 1000


@pytest.mark.parametrize(
    ("seen", "missed"),
    [
        (Seen(30.0, (30.0,) * 99 + (500.0,), ordered=True), ""),
        (Seen(28.9, (30.0,), ordered=True), "28.90 frames/s instead of 29"),
        (Seen(30.0, (30.0,) * 8 + (90.0,) * 2, ordered=True), "p95 90.0 ms instead of 80"),
        (Seen(30.0, (30.0,), ordered=False), "out of order"),
        (Seen(30.0, (), ordered=True), "p95 inf ms instead of 80"),
    ],
)
def test_the_measuring_program_judges_what_it_saw(seen: Seen, missed: str) -> None:
    assert PAGE.missed_by(seen) == missed
    assert seen.words()
