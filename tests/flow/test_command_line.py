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
BARE_PIXELS = ("--label.show", "off", "--label.mark", "off", "--label.reason", "comparing pixels")
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
    words = ("--source", "bo", "--input", str(DEMO_CLIP), "--output", str(output), "--offline", "--frames", "3")
    assert run(*words, *BARE_PIXELS) == 0
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


NO_FILES = {"device": "/dev/null", "unreadable": "/proc/self/mem", "long-name": "x" * 300, "nobodys": "~nosuch/x.jpg"}


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
    elif kind.startswith("third."):
        path = folder / kind
        assert cv2.imwrite(str(path), two_faces())
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    elif kind == "folder":
        path.mkdir()
    return path


SOURCES = {
    "missing": "no such file",
    "text": "not a picture",
    "no-face": "no face was found",
    "two-faces": "2 faces were found",
    "tiny": "10x10 pixels are too few",
    "huge": "100 megapixels are too many",
    "small-face": "only",
    "third.jpg": "third.jpg is damaged",
    "third.png": "third.png is damaged",
    "third.webp": "not a picture",
    "folder": "folder.png is not a picture file",
    "device": "null is not a picture file",
    "unreadable": "mem cannot be read",
    "long-name": "…: there is no such file",
    "nobodys": "there is no home folder of ~nosuch",
}


@pytest.mark.parametrize(("kind", "words"), SOURCES.items())
def test_a_bad_source_is_refused(kind: str, words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = NO_FILES.get(kind) or make_bad_source(kind, tmp_path)
    code = run("--source", str(path), "--input", "synthetic", "--consent", "generated", "--frames", "1")
    complained(capfd, code, words)


BAD_WORDS = {
    "an unknown engine": (("--engine", "magic"), "no engine 'magic'"),
    "a camera that is not there": (("--input", "camera:97"), "camera"),
    "a camera name that is not there": (("--input", "camera:Nothing Like It"), "camera"),
    "a missing clip": (("--input", "nowhere.mp4"), "nowhere.mp4"),
    "a name too long for the disk": (("--input", "x" * 300), "means no file"),
    "an unwritable output": (("--output", "/proc/out.mp4"), "out.mp4"),
    "an output of no known kind": (("--output", "out.gif"), "out.gif"),
    "an output of no known family": (("--sink", "carrier-pigeon"), "there is no output 'carrier-pigeon'"),
    "an output of an unknown scheme": (("--sink", "gopher://me:secret@host/key"), "there is no output 'gopher…'"),
    "a value out of range": (("--mask.feather", "7"), "mask.feather: 7.0 is not allowed"),
    "a value that is no number": (("--gate.hold_ms", "soon"), "gate.hold_ms"),
    "an unknown parameter": (("--mask.fether", "0.1"), "mask.fether"),
    "an unknown group": (("--masque.feather", "0.1"), "masque.feather"),
    "a parameter without a value": (("--mask.feather",), "needs a value"),
    "a slate that is no picture": (("--gate.slate_picture", "none.png"), "none.png"),
    "no frames": (("--frames", "0"), "--frames 0"),
    "an unknown flag": (("--frobnicate", "1"), "frobnicate"),
    "an unknown consent": (("--consent", "maybe"), "consent"),
    "an empty source": (("--source", " "), "the name of the source picture is empty"),
    "an input of nobody": (("--input", "~nosuch/x.mp4"), "there is no home folder of ~nosuch"),
    "a flag spelled wrongly": (("--ouput", "x.mp4"), "there is no flag --ouput. Did you mean --output?"),
}


@pytest.mark.parametrize("case", BAD_WORDS)
def test_bad_words_are_refused(case: str, capfd: pytest.CaptureFixture[str]) -> None:
    extra, words = BAD_WORDS[case]
    base = {"--source": "ada", "--input": "synthetic", "--frames": "1"}
    given = dict(zip(extra[::2], [*extra[1::2], ""], strict=False))
    flags = [word for pair in {**base, **given}.items() for word in pair if word]
    complained(capfd, run(*flags), words)


MISSPOKEN = {
    "run": "run needs --input with a value. Give camera:0",
    "run --input synthetic": "there is no source picture. Add --source and a portrait",
    "run --source ada": "run needs --input with a value. Give camera:0",
    "run --source ada --input synthetic --input synthetic": "Parameter --input specified multiple times. See",
    "run --source ada --input synthetic --frames soon": 'unable to convert "soon" into int. See',
    "frob": "there is no command 'frob'. Commands: ",
    "audit frob": "there is no command 'audit frob'. See facefusion-live audit --help",
    "--frob": "there is no flag --frob. See facefusion-live --help",
    "demo more": "demo takes no 'more'. See facefusion-live demo --help",
    "demo --source someone.jpg": "there is no avatar 'someone.jpg'. Avatars: ada, ",
    "audit show": "audit show needs --seq with a value. See facefusion-live audit show --help",
}


@pytest.mark.parametrize("line", MISSPOKEN)
def test_what_was_said_wrongly_is_told_in_our_words(line: str, capfd: pytest.CaptureFixture[str]) -> None:
    code = run_command_line(line.split())
    complained(capfd, code, MISSPOKEN[line])


def test_without_a_window_nothing_asked_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line([]) == 0
    assert "Usage: facefusion-live COMMAND" in capsys.readouterr().out


def complained(capfd: pytest.CaptureFixture[str], code: int, words: str) -> None:
    """Exit 2, exactly one line on stderr, with what is wrong and what to do, nothing on stdout."""
    out, err = capfd.readouterr()
    assert code == 2
    assert words in err
    assert err.count("\n") == 1, err
    assert len(err.split(". ")) >= 2, f"no advice: {err}"
    assert ".." not in err
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


def without_opengl(*words: str) -> subprocess.CompletedProcess[str]:
    """`run` on a machine that has no OpenGL."""
    script = (
        "import sys\n"
        "sys.modules['OpenGL'] = None\n"
        "from facefusion_live.cli.main import run_command_line\n"
        "sys.exit(run_command_line(sys.argv[1:]))\n"
    )
    line = [sys.executable, "-c", script, "run", "--source", "ada", "--input", str(DEMO_CLIP), "--offline", *words]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)


def test_without_opengl_the_processor_composes_and_says_so() -> None:
    done = without_opengl("--frames", "3", "--json")
    told = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, told["backend"]) == (0, "cpu")
    assert told["backend_reason"] == "no graphics device: OpenGL is not installed"


def test_opengl_asked_for_where_there_is_none_is_refused_with_advice() -> None:
    done = without_opengl("--frames", "3", "--render.backend", "gl")
    assert done.returncode == 2
    assert done.stderr.startswith("facefusion-live: render.backend gl: OpenGL is not installed. Install OpenGL")
    assert done.stderr.count("\n") == 1


@pytest.mark.usefixtures("graphics")
@pytest.mark.parametrize("wanted", ["gl", "auto", "cpu"])
def test_it_says_what_composed_and_why(wanted: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--source", "ada", "--input", str(DEMO_CLIP), "--offline", "--frames", "3", "--render.backend", wanted)
    assert run(*words, "--json") == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    reasons = {"gl": "asked for; ", "auto": "the faster one at 1280x720: ", "cpu": "asked for"}
    assert wanted in ("auto", told["backend"])
    assert told["backend_reason"].startswith(reasons[wanted])
    assert told["state_frames"]["LIVE"] == 3


@pytest.mark.usefixtures("graphics")
def test_a_graphics_context_lost_while_running_costs_no_picture(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from facefusion_live.adapters.gpu.context import EglContext

    asked = iter(range(1000))
    is_lost = EglContext.is_lost

    def gone_at_the_tenth_picture(context: EglContext) -> bool:
        if next(asked) == 10:
            context.release()
        return is_lost(context)

    monkeypatch.setattr(EglContext, "is_lost", gone_at_the_tenth_picture)
    output = tmp_path / "out.mkv"
    words = ("--source", "ada", "--input", str(DEMO_CLIP), "--offline", "--frames", "20", "--output", str(output))
    assert run(*words, "--render.backend", "gl", "--json") == 0
    captured = capsys.readouterr()
    told = json.loads(captured.out.splitlines()[-1])
    assert told["state_frames"] == {"LIVE": 20, "HOLD": 0, "SLATE": 0, "PASS": 0}
    assert (told["backend"], told["failed"], told["leaks"]) == ("cpu", {}, 0)
    lost = "gl cannot be used any more (the graphics context is gone): the processor composes"
    assert told["warnings"] == [lost]
    assert captured.err.count(lost) == 1
    assert frames_of(output) == 20


PROGRAM = f"{sys.executable} -m facefusion_live"
SHORT = "run --source ada --input synthetic --frames 3 --offline"


def in_shell(line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "", **variables}
    return subprocess.run(["bash", "-c", line], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_a_home_of_nobody_is_told() -> None:
    done = in_shell(f"{PROGRAM} {SHORT}", FACEFUSION_LIVE_HOME="~nosuch/x")
    assert done.returncode == 2
    words = "FACEFUSION_LIVE_HOME: there is no home folder of ~nosuch. Write the path in full."
    assert done.stderr == f"facefusion-live: {words}\n"


def test_a_log_that_cannot_be_opened_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "home" / "logs" / "facefusion-live.log").mkdir(parents=True)
    done = in_shell(f"{PROGRAM} {SHORT}")
    assert (done.returncode, done.stderr) == (0, "")


def test_closed_streams_change_nothing() -> None:
    done = in_shell(f"{PROGRAM} {SHORT} --json 2>&-")
    assert done.returncode == 0
    assert json.loads(done.stdout)["frames_out"] == 3
    silent = in_shell(f"{PROGRAM} {SHORT} --json 0<&- >&- 2>&-")
    assert (silent.returncode, silent.stdout, silent.stderr) == (0, "", "")


UNBUFFERED = pytest.mark.parametrize("unbuffered", ["", "1"])


@UNBUFFERED
def test_a_reader_who_leaves_is_no_error(unbuffered: str) -> None:
    # The reader is gone before the first word: it reads nothing, and the program takes a second to start.
    done = in_shell(f"{PROGRAM} {SHORT} --json | true; exit ${{PIPESTATUS[0]}}", PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (0, "")
    deaf = in_shell(f"{PROGRAM} frob 2>&1 | true; exit ${{PIPESTATUS[0]}}", PYTHONUNBUFFERED=unbuffered)
    assert (deaf.returncode, deaf.stderr) == (2, "")
    table = in_shell(f"{PROGRAM} settings | true; exit ${{PIPESTATUS[0]}}", PYTHONUNBUFFERED=unbuffered)
    assert (table.returncode, table.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@UNBUFFERED
def test_an_output_on_a_full_disk_is_told_in_one_line(unbuffered: str) -> None:
    done = in_shell(f"{PROGRAM} {SHORT} --json >/dev/full", PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1, done.stderr
    assert "space" in done.stderr
    assert "Make room" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_recording_on_a_full_disk_ends_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").symlink_to("/dev/full")
    done = in_shell(f"{PROGRAM} {SHORT} --output {tmp_path}/out.mp4")
    assert done.returncode in (2, 3)
    assert done.stderr.count("\n") == 1, done.stderr
    assert "the disk is full" in done.stderr


def start_recording(output: Path) -> subprocess.Popen[str]:
    return start("run", "--source", "ada", "--input", "synthetic", "--output", str(output))


def start(*words: str) -> subprocess.Popen[str]:
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


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_further_signals_while_stopping_change_nothing(how: signal.Signals, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    with start_recording(output) as process:
        wait_for_bytes(output, 100_000)
        for _ in range(4):
            process.send_signal(how)
            time.sleep(0.1)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    assert frames_of(output) >= 10


def test_a_signal_while_the_program_loads_leaves_no_trace() -> None:
    # From the moment on at which main() has begun: what Python does before it is Python's.
    script = (
        "import os, signal, sys\n"
        "from facefusion_live import __main__\n"
        "sys.argv = ['facefusion-live', 'run', '--source', 'ada', '--input', 'synthetic']\n"
        "signal.setitimer(signal.ITIMER_REAL, float(os.environ['AFTER_S']))\n"
        "signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))\n"
        "__main__.main()\n"
    )
    for after_s in (0.02, 0.1, 0.2, 0.3, 0.4, 0.6):
        done = in_shell(f'{sys.executable} -c "$SCRIPT"', SCRIPT=script, AFTER_S=str(after_s))
        assert (done.returncode, done.stderr) == (130, ""), after_s


def test_a_signal_while_an_object_dies_is_neither_lost_nor_shown() -> None:
    script = (
        "import os, signal, time, weakref\n"
        "from facefusion_live import __main__\n"
        "signal.signal(signal.SIGINT, __main__._interrupt)\n"
        "class Thing:\n"
        "    pass\n"
        "class Dying(Thing):\n"
        "    def __del__(self):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "for kind in (Dying, Thing):\n"
        "    try:\n"
        "        thing = kind()\n"
        "        if kind is Thing:\n"
        "            weakref.finalize(thing, os.kill, os.getpid(), signal.SIGINT)\n"
        "        del thing\n"
        "        time.sleep(5)\n"
        "    except KeyboardInterrupt:\n"
        "        print('stopped')\n"
    )
    done = in_shell(f'{sys.executable} -c "$SCRIPT"', SCRIPT=script)
    assert (done.returncode, done.stdout, done.stderr) == (0, "stopped\nstopped\n", "")


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
