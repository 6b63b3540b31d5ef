"""The ten-minute soak counts what it says, and complains when it should."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.support import ROOT
from tools.soak_live import Left, Reading, judged, soak, table

STEADY = [Reading(minute, 1800, 1800, 20.0, 25.0, 300.0, 4, 12, 30, 0) for minute in range(1, 11)]
NOTHING = Left(0, 0, 0)


def test_a_steady_run_is_well() -> None:
    assert judged(STEADY, NOTHING) == []


def test_memory_that_grows_is_told() -> None:
    grown = [replace(one, memory_mib=300.0 + one.minute * 1.2) for one in STEADY]
    assert judged(grown, NOTHING) == ["Memory grew by 10.8 MiB after the first minute."]


def test_memory_that_grows_and_is_given_back_is_told() -> None:
    grown = [replace(one, memory_mib=312.0 if one.minute == 5 else 300.0) for one in STEADY]
    assert judged(grown, NOTHING) == ["Memory grew by 12.0 MiB after the first minute."]


def test_latency_that_grows_is_told() -> None:
    slower = [replace(one, p50_ms=20.0 + one.minute) for one in STEADY]
    assert judged(slower, NOTHING) == ["The last third was 1.26 times as late as the first (median)."]
    slower = [replace(one, p95_ms=20.0 + one.minute) for one in STEADY]
    assert judged(slower, NOTHING) == ["The last third was 1.26 times as late as the first (p95)."]


def test_a_minute_without_pictures_is_told() -> None:
    nan = float("nan")
    silent = [replace(one, frames=0, live=0, p50_ms=nan, p95_ms=nan) for one in STEADY]
    told = judged(silent, NOTHING)
    assert told[:10] == [f"Minute {minute}: not one picture came out." for minute in range(1, 11)]
    assert len(told) == 12, "and nothing is known of the latency"


def test_a_minute_of_slate_and_a_slow_one_are_told() -> None:
    short = [*STEADY]
    short[3], short[6] = replace(STEADY[3], live=1500), replace(STEADY[6], frames=1500, live=1500)
    assert judged(short, NOTHING) == [
        "Minute 4: only 1500 of 1800 pictures were LIVE.",
        "Minute 7: only 1500 pictures came out, 1800 as a rule.",
    ]


@pytest.mark.parametrize("name", ["leases", "threads", "files"])
def test_what_is_left_is_told(name: str) -> None:
    assert judged(STEADY, replace(NOTHING, **{name: 2})) == [f"2 {name} left after the end."]


def test_a_short_run_of_the_real_program() -> None:
    readings, left = soak("synthetic:640x360:1x120", minutes=2, minute_s=1.5)
    assert [one.minute for one in readings] == [1, 2]
    assert all(0 < one.live <= one.frames for one in readings)
    assert all(0 < one.p50_ms <= one.p95_ms < 10_000 for one in readings)
    assert all(one.leases > 0 and one.files > 0 and one.memory_mib > 0 for one in readings)
    assert max(asdict(left).values()) <= 0, "fewer are others' that closed meanwhile"
    assert len(table(readings).splitlines()) == 4


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_ten_minutes(tmp_path: Path) -> None:
    report = tmp_path / "soak.json"
    program = [sys.executable, "-m", "tools.soak_live", "--json", str(report)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(report.read_text("utf-8"))["complaints"] == []
