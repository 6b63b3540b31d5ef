"""The tool that measures the governor: what it counts, and a session from end to end that cannot keep its budget."""

import time

import numpy as np
import pytest

from facefusion_live.engine.governing import Eased
from tests.support import RESOURCES
from tools import measure_governor as measuring

CLIP = RESOURCES / "demo" / "driver.mp4"


def test_only_pictures_of_the_second_half_count() -> None:
    now_s = time.monotonic()
    pictures = [
        measuring.Picture(now_s - 2, 900.0),
        *(measuring.Picture(now_s - 0.5, age) for age in (20.0, 30.0, 40.0)),
    ]
    part = measuring._told("loaded", pictures, now_s - 1, Eased(1, ("the enhancer rests",)))
    assert part.fps == pytest.approx(3, rel=0.2)
    assert (part.p50_ms, part.p95_ms) == pytest.approx((30, 39))
    assert str(part).endswith("| 30 / 39 | 1 | the enhancer rests |")


def test_without_pictures_there_are_no_ages() -> None:
    part = measuring._told("quiet", [], time.monotonic() - 1, Eased())
    assert (part.fps, np.isnan(part.p95_ms), part.left_out) == (0, True, ())


def test_on_and_off_are_measured_in_turn_and_rungs_told(capsys: pytest.CaptureFixture[str]) -> None:
    # No machine swaps within a hundredth of a second: the budget is missed whatever runs beside.
    measuring.main(["synthetic", "--set", "budget.late_ms=10", "--busy", "1", "--seconds", "2"])
    on, off = capsys.readouterr().out.split("governor off")
    assert on.lstrip().startswith("governor on")
    assert [line.split("|")[1].strip() for line in on.splitlines() if line.startswith("| ")][1:] == list(
        measuring.PARTS
    )
    assert "who the faces are is asked less often" in on
    assert on.rstrip().endswith("leaks 0")
    assert "rungs: never any; leaks 0" in off
