import dataclasses

import pytest

from facefusion_live.engine.report import SessionReport
from tests.engine.rig import Rig, one_source, pictures


def test_a_session_that_never_started_reports_zeros() -> None:
    report = Rig(one_source([])).session().report()
    assert (report.frames_in, report.frames_out, report.fps, report.losses) == (0, 0, 0.0, 0)
    assert report.state_frames == {"LIVE": 0, "HOLD": 0, "SLATE": 0, "PASS": 0}
    assert report.covered_min == 1.0
    assert report.latency_ms == {}


def test_every_counter_adds_up() -> None:
    session = Rig(one_source(pictures(5)), offline=True).run()
    report = session.report()
    assert (report.frames_in, report.frames_out) == (5, 5)
    assert sum(report.state_frames.values()) == report.frames_out
    assert report.dropped == {"inference": 0, "render": 0, "too old": 0, "collecting": 0}
    assert set(report.latency_ms) == {
        "wait", "track", "look", "detect", "choose", "identify", "swap", "inference", "compose",
        "capture_to_picture", "capture_to_emit"
    }  # fmt: skip
    assert (report.faults, report.failed, report.sink_errors) == ({}, {}, {})


def test_it_is_a_value() -> None:
    report = Rig(one_source([])).session().report()
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.frames_in = 1
    assert report == SessionReport(**{f.name: getattr(report, f.name) for f in dataclasses.fields(report)})
