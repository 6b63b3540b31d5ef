"""Once it is warm, the loop takes its pictures from its pools and scratch memory, and allocates none."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT

FRAME_BYTES = 1280 * 720 * 3


@pytest.fixture(scope="module", params=["cpu", "gl"])
def allocated(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the threads allocated for frames 20 to 60 of the demo clip: every piece of a quarter of a frame or more."""
    if request.param == "gl":
        request.getfixturevalue("graphics")  # skips where there is none
    program = [sys.executable, str(Path(__file__).with_name("allocation_run.py")), str(FRAME_BYTES // 4), request.param]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=110, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["backend"] == request.param
    return told


def _told(pieces: list[dict[str, Any]]) -> str:
    return "\n".join(f"{piece['size_bytes']} bytes on {piece['thread']}:\n{piece['stack']}" for piece in pieces[:5])


def test_the_counter_counts(allocated: dict[str, Any]) -> None:
    assert allocated["live"] == 60
    assert allocated["leases"] == 0
    assert allocated["count"] > 1000, "the small arrays of 40 frames were not seen"


def test_no_picture_is_allocated(allocated: dict[str, Any]) -> None:
    large = [piece for piece in allocated["large"] if piece["size_bytes"] >= FRAME_BYTES]
    assert not large, _told(large)


def test_not_even_a_quarter_of_one(allocated: dict[str, Any]) -> None:
    assert not allocated["large"], _told(allocated["large"])
