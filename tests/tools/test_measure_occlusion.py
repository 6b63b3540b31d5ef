"""A hand before the face stays the camera's, the face beside it is covered; and the measure tells when it is not so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from facefusion_live.app.audit_wiring import close_shared_trail
from tests.support import shared_path
from tools import measure_occlusion


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    yield
    close_shared_trail()


def figures(tmp_path: Path, occlusion: float) -> dict:
    clip = shared_path("media/clips/hand_occlusion.mp4")
    truth = shared_path("media/clips/hand_occlusion_gt.npz")
    return measure_occlusion.measured("ada", clip, truth, tmp_path / "out.mkv", {"swap.occlusion": occlusion})


@pytest.mark.timeout(300)
def test_a_hand_is_kept_and_the_face_beside_it_covered(tmp_path: Path) -> None:
    told = figures(tmp_path, 1.0)
    # The rest is that of the few frames that are held, because too little of the face is seen to find it again.
    assert told["hand_kept"] >= 0.85
    assert told["whole_kept"] >= 0.9
    assert told["face_covered"] >= 0.9
    assert told["live"] >= 0.9
    assert told["covered_min"] >= 0.85
    assert set(told["faults"]) <= {"mesh off the face"}
    assert measure_occlusion.sheet(tmp_path / "out.mkv").shape == (3 * 480, 5 * 480, 3)


@pytest.mark.timeout(300)
def test_without_strength_it_is_painted_over(tmp_path: Path) -> None:
    told = figures(tmp_path, 0.0)
    assert told["hand_kept"] < 0.7
    assert told["face_covered"] >= 0.9
