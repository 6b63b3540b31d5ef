"""The tool that measures the governor: what it counts, and a session from end to end that cannot keep its budget."""

import numpy as np
import pytest

from facefusion_live.engine.governing import Eased
from tools import measure_governor as measuring

pytestmark = pytest.mark.governed


def test_only_pictures_of_the_second_half_count() -> None:
    ages = {8.0: 900.0, 9.2: 20.0, 9.5: 30.0, 9.8: 40.0, 10.1: 900.0}
    pictures = [measuring.Picture(at_s, age) for at_s, age in ages.items()]
    part = measuring.told("loaded", pictures, (9.0, 10.0), Eased(1, ("the enhancer rests",)))
    assert part.fps == 3
    assert (part.p50_ms, part.p95_ms) == pytest.approx((30, 39))
    assert str(part) == "| loaded | 3.0 | 30 / 39 | 1 | the enhancer rests |"


def test_without_pictures_there_are_no_ages() -> None:
    part = measuring.told("quiet", [], (9.0, 10.0), Eased())
    assert (part.fps, np.isnan(part.p95_ms), part.left_out) == (0, True, ())


def test_on_and_off_are_measured_in_turn_and_rungs_told(capsys: pytest.CaptureFixture[str]) -> None:
    # Full HD within a hundredth of a second: missed whatever runs beside.
    measuring.main(["synthetic:1920x1080:1x600", "--set", "budget.late_ms=10", "--busy", "1", "--seconds", "2"])
    on, off = capsys.readouterr().out.split("governor off")
    assert on.lstrip().startswith("governor on")
    assert [line.split("|")[1].strip() for line in on.splitlines() if line.startswith("| ")][1:] == list(
        measuring.PARTS
    )
    assert "who the faces are is asked less often" in on
    assert on.rstrip().endswith("leaks 0")
    assert "rungs: never any; leaks 0" in off
