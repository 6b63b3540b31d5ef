"""The built-in engine's pictures, judged as the team's reference judges them, over the demo clip."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import RESOURCES, ROOT, shared_path

IDENTITY_FLOOR = {"ada": 0.55, "bo": 0.65, "cleo": 0.61, "esi": 0.63, "fay": 0.55}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("avatar", IDENTITY_FLOOR)
def test_the_swap_is_good_enough(avatar: str, tmp_path: Path) -> None:
    judge = shared_path("lab/quality_reference.py")
    clip, output = RESOURCES / "demo" / "driver.mp4", tmp_path / "out.mkv"
    words = ["run", "--source", avatar, "--input", str(clip), "--output", str(output), "--offline"]
    words += ["--label.show", "off", "--label.mark", "off", "--label.reason", "measuring the swap"]
    subprocess.run([sys.executable, "-m", "facefusion_live", *words], cwd=ROOT, check=True, capture_output=True)
    source = RESOURCES / "avatars" / f"{avatar}.jpg"
    judged = subprocess.run(
        [sys.executable, str(judge), str(source), str(clip), str(output)], check=True, capture_output=True, text=True
    )
    result = json.loads(judged.stdout.splitlines()[-1])
    assert result["frames"] == result["frames_out"] == 240
    assert result["found"] == 1
    assert result["fidelity"] <= 0.018
    assert result["id_source"] >= IDENTITY_FLOOR[avatar]
    assert result["id_source"] > result["id_target"]
    assert result["leaks"] == 0
    assert result["outside"] >= 60
