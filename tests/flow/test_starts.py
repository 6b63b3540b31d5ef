"""Many sessions in one process: nothing of a session is left when it is over."""

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT

WARM = 8
"""So many starts until every library has what it keeps, and each heap of the C library has been used once."""


def readings(starts: int) -> list[dict[str, Any]]:
    program = [sys.executable, str(Path(__file__).with_name("starts_run.py")), str(starts)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def assert_nothing_left(taken: list[dict[str, Any]]) -> None:
    assert {row["leases"] for row in taken} == {0}
    assert {row["threads"] for row in taken} == {1}
    assert len({row["files"] for row in taken[WARM:]}) == 1, taken


def growth_mib(taken: list[dict[str, Any]], some: int) -> float:
    """From the first warm starts to the last ones."""
    memory = [row["memory_mib"] for row in taken]
    return statistics.median(memory[-some:]) - statistics.median(memory[WARM : WARM + some])


def test_a_few_starts_and_stops() -> None:
    taken = readings(16)
    assert_nothing_left(taken)
    # Before the memory went back to the system, it was a hundred for each start.
    assert growth_mib(taken, 4) < 60, taken


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_two_hundred_starts_and_stops() -> None:
    taken = readings(200)
    assert_nothing_left(taken)
    assert growth_mib(taken, 40) < 30, taken
