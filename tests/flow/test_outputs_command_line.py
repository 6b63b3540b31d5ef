"""Outputs on the command line: several at once, statuses in the report, secrets in none of it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import pytest

from facefusion_live.cli.main import run_command_line
from tests.adapters.sinks.servers import KEY, RtmpServer, free_port
from tests.sound_server import SoundServer
from tests.support import ROOT

SHORT = ("run", "--source", "ada", "--input", "synthetic", "--json")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RtmpServer]:
    (tmp_path / "server").mkdir()
    server = RtmpServer(tmp_path / "server")
    yield server
    server.close()


def summary(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_stream_a_recording_and_a_snapshot_at_once(
    server: RtmpServer, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, picture = tmp_path / "out.mp4", tmp_path / "last.png"
    words = (
        "--sink",
        server.url(),
        "--output",
        str(output),
        "--snapshot",
        str(picture),
        "--stream.preset",
        "ultrafast",
    )
    assert run_command_line([*SHORT, "--frames", "45", *words]) == 0
    told = summary(capsys)
    assert {name: status["state"] for name, status in told["outputs"].items()} == {
        "recording": "closed", "snapshot": "closed", "stream": "closed"
    }  # fmt: skip
    assert int(told["outputs"]["stream"]["bytes_out"]) > 10_000
    assert told["outputs"]["stream"]["words"].startswith(f"rtmp://127.0.0.1:{server.port}, ")
    assert "kbit/s" in str(told["outputs"]["stream"]["words"])
    assert told["outputs"]["stream"]["dropped"] == told["dropped"].get("stream", 0)
    assert told["leaks"] == 0
    assert KEY not in json.dumps(told)
    with av.open(str(output)) as film:
        assert sum(1 for _ in film.decode(video=0)) >= 10
    assert cv2.imread(str(picture)).shape == (720, 1280, 3)
    assert server.received
    for file in home.rglob("*"):
        assert file.is_dir() or KEY.encode() not in file.read_bytes(), file


def test_what_cannot_be_reached_is_told_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert run_command_line([*SHORT, "--frames", "2", "--sink", f"rtmp://127.0.0.1:{port}/live/{KEY}"]) == 2
    told = capsys.readouterr()
    words = f"rtmp://127.0.0.1:{port}: nobody listens there. Start the server, or check the port."
    assert told.err == f"facefusion-live: {words}\n"


def test_a_recording_that_is_there_survives_a_session_that_cannot_begin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, states, picture = tmp_path / "keep.mp4", tmp_path / "keep.csv", tmp_path / "keep.png"
    words = ("--output", str(output), "--frame-states", str(states), "--snapshot", str(picture))
    assert run_command_line([*SHORT, "--frames", "5", *words]) == 0
    before = output.read_bytes(), states.read_bytes(), picture.read_bytes()
    capsys.readouterr()
    assert run_command_line([*SHORT, "--frames", "2", *words, "--sink", f"rtmp://127.0.0.1:{free_port()}/live/k"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert (output.read_bytes(), states.read_bytes(), picture.read_bytes()) == before


def test_a_browser_is_told_where_to_look() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "facefusion_live", *SHORT, "--sink", "mjpeg"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    assert line.startswith("facefusion-live: watch at http://127.0.0.1:")
    with urllib.request.urlopen(line.split()[-1], timeout=10) as page:  # noqa: S310 (our own address)
        assert b"Content-Type: image/jpeg" in page.read(200)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    status = json.loads(out.splitlines()[-1])["outputs"]["mjpeg"]
    # Who still looked at the end was counted, and sent away.
    assert (status["state"], status["readers"]) == ("closed", 1)
    assert line.split()[-1].rpartition("/")[2] not in out


def test_one_output_that_ends_does_not_end_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from facefusion_live.adapters.sinks import Recorder

    reads = iter([float("inf")] * 2)
    monkeypatch.setattr(Recorder, "_free_mib", lambda _: next(reads, 1.0))
    output = tmp_path / "out.mp4"
    words = ("--output", str(output), "--sink", f"udp://127.0.0.1:{free_port()}", "--stream.preset", "ultrafast")
    code = run_command_line([*SHORT, "--frames", "60", *words])
    told = capsys.readouterr()
    assert code == 3
    assert told.err.count("the recording was ended, complete, because the disk has only 1 MiB left") == 2
    report = json.loads(told.out.splitlines()[-1])
    assert report["outputs"]["stream"]["bytes_out"] > 10_000
    assert report["outputs"]["recording"]["state"] == "failed"
    assert report["outputs"]["stream"]["state"] == "closed"
    with av.open(str(output)) as film:
        assert 0 < sum(1 for _ in film.decode(video=0)) < report["frames_out"]


def test_a_server_that_hangs_holds_up_no_ctrl_c(server: RtmpServer) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "facefusion_live", *SHORT, "--sink", server.url(), "--stream.preset", "ultrafast"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline_s = time.monotonic() + 30
    while not server.received and time.monotonic() < deadline_s:
        time.sleep(0.05)
    time.sleep(1.0)
    server.hang(on=True)
    time.sleep(3.0)
    begun_s = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    assert time.monotonic() - begun_s < 5.0  # two for the server, the rest for a busy machine
    assert json.loads(out.splitlines()[-1])["outputs"]["stream"]["state"] == "closed"


def test_a_server_that_dies_slows_nothing(server: RtmpServer, capsys: pytest.CaptureFixture[str]) -> None:
    def accident() -> None:
        deadline_s = time.monotonic() + 20
        while not server.received and time.monotonic() < deadline_s:
            time.sleep(0.05)
        time.sleep(0.7)
        server.kill()
        time.sleep(0.7)
        server.start()

    happening = threading.Thread(target=accident)
    happening.start()
    code = run_command_line([*SHORT, "--frames", "150", "--sink", server.url(), "--stream.preset", "ultrafast"])
    happening.join()
    said = capsys.readouterr()
    told = json.loads(said.out.splitlines()[-1])
    assert code == 0
    assert said.err.count("stream: lost; it is looked for again.") == said.err.count("stream: back.") == 1
    assert "leaks" in told
    assert len(server.received) == 2
    assert told["silences"] == 0
    assert int(told["frames_out"]) >= 20  # a busy machine swaps few


def test_a_microphone_that_is_not_there_ends_nothing_but_the_start(
    sound_server: SoundServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "keep.mp4"
    output.write_bytes(b"an older recording")
    words = ("--sound.source", "microphone", "--sound.microphone", "Kitchen", "--output", str(output))
    with sound_server.plugged_in("desk", "The-Desk"):
        assert run_command_line([*SHORT, "--frames", "2", *words]) == 2
    assert capsys.readouterr().err == "facefusion-live: there is no microphone 'Kitchen'. Microphones: The-Desk.\n"
    assert output.read_bytes() == b"an older recording"


def test_a_microphone_that_is_unplugged_is_told_and_the_recording_goes_on(
    sound_server: SoundServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, codes = tmp_path / "out.mp4", []
    words = ("--sound.source", "microphone", "--sound.microphone", "the-desk", "--output", str(output))
    running = threading.Thread(target=lambda: codes.append(run_command_line([*SHORT, "--frames", "150", *words])))
    with sound_server.plugged_in("desk", "The-Desk"):
        running.start()
        deadline_s = time.monotonic() + 20
        while (not output.exists() or output.stat().st_size < 50_000) and time.monotonic() < deadline_s:
            time.sleep(0.05)
    sound_server.beep(1.0)
    running.join()
    said = capsys.readouterr()
    assert codes == [0]
    assert said.err.count("recording: the microphone is gone: silence.") == 1
    with av.open(str(output)) as film:
        assert max(float(abs(frame.to_ndarray()).max()) for frame in film.decode(audio=0)) < 0.02
