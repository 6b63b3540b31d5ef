"""The command line as people use it: exit codes, one clear line, files closed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from facefusion_live.cli.main import run_command_line

ROOT = Path(__file__).resolve().parents[2]
AVATARS = ROOT / "resources" / "avatars"
DEMO_CLIP = ROOT / "resources" / "demo" / "driver.mp4"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))


def run(*words: str) -> int:
    return run_command_line(["run", *words])


def picture(path: Path, pixels: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), pixels)
    return path


def frames_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_a_clip_is_swapped_whole_and_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, states = tmp_path / "out.mkv", tmp_path / "states.csv"
    code = run(
        *("--source", "ada", "--input", str(DEMO_CLIP), "--output", str(output), "--offline", "--json"),
        *("--frames", "30", "--frame-states", str(states)),
    )
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert code == 0
    assert told["frames_in"] == told["frames_out"] == frames_of(output) == 30
    assert told["state_frames"] == {"LIVE": 30, "HOLD": 0, "SLATE": 0, "PASS": 0}
    assert told["leaks"] == 0
    assert told["covered_min"] >= 0.9
    assert sum(told["dropped"].values()) == 0
    assert {"track", "swap", "compose", "capture_to_emit"} <= set(told["latency_ms"])
    assert set(told["latency_ms"]["swap"]) == {"p50", "p95", "p99"}
    assert (told["engine"], told["provider"]) == ("mesh", "cpu")
    assert states.read_text().split() == [f"{index},LIVE,{index}" for index in range(30)]


def test_the_swap_changes_the_face_and_nothing_else(tmp_path: Path) -> None:
    output = tmp_path / "out.mkv"
    assert run("--source", "bo", "--input", str(DEMO_CLIP), "--output", str(output), "--offline", "--frames", "3") == 0
    before, after = cv2.VideoCapture(str(DEMO_CLIP)), cv2.VideoCapture(str(output))
    for _ in range(3):
        a, b = before.read()[1].astype(int), after.read()[1].astype(int)
        changed = np.abs(a - b).max(2)
        assert changed[300:450, 560:720].mean() > 5  # the middle of the face
        assert changed[:, :300].max() == changed[:, 980:].max() == 0


def test_the_demo_runs_live_and_says_where_the_film_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "demo.mp4"
    assert run_command_line(["demo", "--output", str(output), "--seconds", "1"]) == 0
    assert str(output) in capsys.readouterr().out
    assert frames_of(output) > 0


def test_several_pictures_of_one_person_are_taken() -> None:
    words = ("--source", "ada", "--source", str(AVATARS / "ada.jpg"), "--input", str(DEMO_CLIP))
    assert run(*words, "--offline", "--frames", "2") == 0


def test_a_face_of_ones_own_works_with_consent(tmp_path: Path) -> None:
    own = picture(tmp_path / "own.png", cv2.flip(cv2.imread(str(AVATARS / "ada.jpg")), 1))
    words = ("--source", str(own), "--input", str(DEMO_CLIP), "--offline", "--frames", "2")
    assert run(*words) == 2
    assert run(*words, "--consent", "generated") == 0


def two_faces() -> np.ndarray:
    return np.hstack([cv2.imread(str(AVATARS / f"{name}.jpg")) for name in ("ada", "bo")])


def make_bad_source(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.png"
    if kind == "text":
        path = folder / "text.jpg"
        path.write_text("not a picture")
    elif kind == "no-face":
        picture(path, np.full((300, 300, 3), 90, np.uint8))
    elif kind == "two-faces":
        picture(path, two_faces())
    elif kind == "tiny":
        picture(path, np.zeros((10, 10, 3), np.uint8))
    elif kind == "huge":
        picture(path, np.zeros((10_000, 10_000), np.uint8))
    elif kind == "small-face":
        picture(path, cv2.copyMakeBorder(cv2.resize(two_faces()[:, :512], (64, 64)), *[40] * 4, cv2.BORDER_REPLICATE))
    return path


SOURCES = {
    "missing": "no such file",
    "text": "not a picture",
    "no-face": "no face was found",
    "two-faces": "2 faces were found",
    "tiny": "10x10 pixels are too few",
    "huge": "100 megapixels are too many",
    "small-face": "only",
}


@pytest.mark.parametrize(("kind", "words"), SOURCES.items())
def test_a_bad_source_is_refused(kind: str, words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = make_bad_source(kind, tmp_path)
    code = run("--source", str(path), "--input", "synthetic", "--consent", "generated", "--frames", "1")
    complained(capfd, code, words)


BAD_WORDS = {
    "an unknown engine": (("--engine", "magic"), "no engine 'magic'"),
    "a camera that is not there": (("--input", "camera:97"), "camera"),
    "a camera name that is not there": (("--input", "camera:Nothing Like It"), "camera"),
    "a missing clip": (("--input", "nowhere.mp4"), "nowhere.mp4"),
    "an unwritable output": (("--output", "/proc/out.mp4"), "out.mp4"),
    "an output of no known kind": (("--output", "out.gif"), "out.gif"),
    "a value out of range": (("--mask.feather", "7"), "mask.feather: 7.0 is not allowed"),
    "a value that is no number": (("--gate.hold_ms", "soon"), "gate.hold_ms"),
    "an unknown parameter": (("--mask.fether", "0.1"), "mask.fether"),
    "an unknown group": (("--masque.feather", "0.1"), "masque.feather"),
    "a parameter without a value": (("--mask.feather",), "needs a value"),
    "a slate that is no picture": (("--gate.slate_picture", "none.png"), "none.png"),
    "no frames": (("--frames", "0"), "--frames 0"),
    "an unknown flag": (("--frobnicate", "1"), "frobnicate"),
    "an unknown consent": (("--consent", "maybe"), "consent"),
}


@pytest.mark.parametrize("case", BAD_WORDS)
def test_bad_words_are_refused(case: str, capfd: pytest.CaptureFixture[str]) -> None:
    extra, words = BAD_WORDS[case]
    base = {"--source": "ada", "--input": "synthetic", "--frames": "1"}
    given = dict(zip(extra[::2], [*extra[1::2], ""], strict=False))
    flags = [word for pair in {**base, **given}.items() for word in pair if word]
    complained(capfd, run(*flags), words)


def complained(capfd: pytest.CaptureFixture[str], code: int, words: str) -> None:
    """Exit 2, exactly one line on stderr, with what is wrong and what to do, nothing on stdout."""
    out, err = capfd.readouterr()
    assert code == 2
    assert words in err
    assert err.count("\n") == 1, err
    assert len(err.split(". ")) >= 2, f"no advice: {err}"
    assert "Traceback" not in err
    assert not out


def test_a_broken_settings_file_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "settings.toml").write_text("[mask]\nfeather = 9\n")
    complained(capfd, run("--source", "ada", "--input", "synthetic"), "settings.toml: mask.feather")


def test_settings_lists_every_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["settings"]) == 0
    assert "--mask.feather" in capsys.readouterr().out


def test_cameras_answers_without_a_camera(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["cameras", "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out)["cameras"], list)


def test_nothing_of_qt_or_gl_is_loaded() -> None:
    script = (
        "import sys\n"
        "for name in ('PySide6', 'OpenGL', 'shiboken6'): sys.modules[name] = None\n"
        "from facefusion_live.cli.main import run_command_line\n"
        "sys.exit(run_command_line(['run', '--source', 'ada', '--input', 'synthetic', '--frames', '2']))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def start_recording(output: Path) -> subprocess.Popen[str]:
    words = ["run", "--source", "ada", "--input", "synthetic", "--output", str(output)]
    return subprocess.Popen(
        [sys.executable, "-m", "facefusion_live", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_bytes(path: Path, size: int) -> None:
    deadline = time.monotonic() + 60
    while not path.exists() or path.stat().st_size < size:
        assert time.monotonic() < deadline, "the recording did not grow"
        time.sleep(0.05)


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_stopping_closes_the_recording(how: signal.Signals, code: int, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    with start_recording(output) as process:
        wait_for_bytes(output, 100_000)
        process.send_signal(how)
        _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in err
    assert frames_of(output) >= 10


def test_a_killed_recording_can_be_played(tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    with start_recording(output) as process:
        wait_for_bytes(output, 400_000)
        process.kill()
    # OpenCV plays like a player does: up to where the file breaks off.
    film, frames = cv2.VideoCapture(str(output)), 0
    while film.read()[0]:
        frames += 1
    assert frames >= 10
