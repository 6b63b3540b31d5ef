"""Somebody who wears glasses, talks and turns: the frames stay, and nothing but the frames."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from facefusion_live.app.audit_wiring import close_shared_trail
from tests.support import shared_path
from tools import measure_glasses

PICTURES = 60


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    yield
    close_shared_trail()


def figures(style: str, tmp_path: Path, strength: float = 1.0) -> dict[str, Any]:
    """Of the clip of the team whose points are known, with glasses drawn before it."""
    clip, truth = (shared_path(f"media/clips/talk_turn{end}") for end in (".mp4", "_gt.npz"))
    settings = {"swap.keep_glasses": strength}
    return measure_glasses.measured("bo", clip, truth, style, tmp_path / "out.mkv", settings, PICTURES)


@pytest.mark.parametrize("style", ["wire", "black", "large"])
def test_frames_stay_sharp_from_the_third_picture_on(style: str, tmp_path: Path) -> None:
    told = figures(style, tmp_path)
    assert told["live"] == 1
    assert told["kept"] >= 0.95
    assert told["kept_min"] >= 0.85
    assert told["covered_min"] >= 0.95


def test_with_the_slider_at_zero_they_are_painted_over(tmp_path: Path) -> None:
    told = figures("black", tmp_path, strength=0.0)
    assert told["kept"] < 0.1
    assert told["covered_min"] >= 0.95
