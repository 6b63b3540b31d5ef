"""The doctor on a full machine and on a bare one, and what it must never tell."""

import getpass
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from facefusion_live.app import doctor, probe_wiring
from facefusion_live.app.probe_wiring import PROBES
from facefusion_live.cli.main import run_command_line
from facefusion_live.domain.finding import Finding
from tests.peers import need
from tests.sound_server import SoundServer
from tests.support import ROOT
from tools.peers import webcam
from tools.peers.pipewire import wait_until

pytestmark = pytest.mark.timeout(300)
"""Whole examinations, on machines that do other work as well."""

BARE = """
import ctypes, sys
for name in ("OpenGL", "pyvirtualcam", "PySide6", "keyring.backends.SecretService"): sys.modules[name] = None
class NoLibrary(ctypes.CDLL):
    def __init__(self, name, *args, **kwargs):
        if name and ("pulse" in str(name) or "pipewire" in str(name)): raise OSError(f"{name}: cannot open")
        super().__init__(name, *args, **kwargs)
ctypes.CDLL = NoLibrary
"""
"""A machine without graphics, sound server, drivers."""


@pytest.mark.parametrize("frozen", [False, True])
def test_only_who_has_pip_is_sent_to_pip(frozen: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    monkeypatch.setattr(sys, "frozen", frozen, raising=False)
    monkeypatch.setattr(probe_wiring, "offered_providers", lambda: ("CUDAExecutionProvider",))
    monkeypatch.setattr(probe_wiring, "_NET", "LICENSE")  # no card runs that
    monkeypatch.setattr(probe_wiring, "works", lambda _encoder: False)
    (card,) = probe_wiring.inference()
    streams = probe_wiring.encoders()[-1]
    assert ("pip install" in card.advice) != frozen
    assert ("install PyAV" in streams.advice) != frozen
    assert all(finding.advice.endswith(".") for finding in (card, streams))


NEEDED = (
    *("swap/mesh engine", "inference/CPU", "outputs/H.264 (.mp4)", "outputs/lossless (.mkv)", "outputs/mjpeg"),
    *("outputs/snapshot", "outputs/stream"),
    *("encoders/x264", "protocols/rtmp", "protocols/rtsp", "protocols/udp"),
    *("record/audit trail", "disk/data", "machine/memory"),
)


FULL = (
    "outputs/virtual-camera",
    "outputs/virtual-microphone",
    "cameras/camera:0",
    "sound/microphone",
    "graphics/OpenGL",
)
"""What a machine with everything has besides."""


def examined(
    home: Path, *, bare: bool = False, session: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any], str]:
    """(exit code, what it told, all of it as text)."""
    env = {**(session or os.environ), "PYTHONPATH": str(ROOT), "FACEFUSION_LIVE_HOME": str(home)}
    if bare:
        (home / "bare").mkdir(parents=True)
        (home / "bare" / "sitecustomize.py").write_text(BARE)
        env = {"PATH": "", "PYTHONPATH": f"{home / 'bare'}:{ROOT}", "FACEFUSION_LIVE_HOME": str(home)}
    command = [*(["pw-v4l2"] if session else []), sys.executable, "-m", "facefusion_live", "doctor", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=110)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout), done.stdout


def state_of(told: dict[str, Any]) -> dict[str, bool | None]:
    return {f"{row['group']}/{row['part']}": row["works"] for row in told["findings"]}


@pytest.mark.timeout(180)
def test_a_full_machine(sound_server: SoundServer, tmp_path: Path) -> None:
    """A PipeWire session with a webcam and a microphone, and graphics."""
    need(["pw-v4l2"], "pipewire-v4l2")
    home = tmp_path / "annabel-smith"
    sound_server.programs.start(sys.executable, "-m", "tools.peers.webcam", str(tmp_path / "stamps.txt"))
    wait_until(lambda: f'"{webcam.NAME}"' in sound_server.run("pw-cli", "ls", "Node"), "the webcam")
    code, told, text = examined(home, session=sound_server.env)
    assert (code, told["main_job"]) == (0, True)
    states = state_of(told)
    for part in (*NEEDED, *FULL):
        assert states[part] is True, part
    assert states["protocols/srt"] is False  # PyAV's wheels have none
    secrets = ["annabel", webcam.NAME, str(tmp_path), str(Path.home()) + "/"]
    assert not [secret for secret in secrets if secret in text]
    assert not re.search(rf"\b{re.escape(platform.node())}\b", text)
    # A user called "root" shares a name with words that are no secret.
    assert getpass.getuser() == "root" or getpass.getuser() not in text
    for row in told["findings"]:
        assert "\n" not in row["words"]
        assert not row["words"].endswith(".")
        assert not row["advice"] or row["advice"].endswith(".")


def test_a_bare_machine_still_does_the_main_job(tmp_path: Path) -> None:
    code, told, _ = examined(tmp_path, bare=True)
    assert (code, told["main_job"]) == (0, True)
    states = state_of(told)
    assert states["graphics/OpenGL"] is False
    assert states["outputs/virtual-camera"] is False
    assert states["swap/mesh engine"] is True
    for row in told["findings"]:
        if row["works"] is False and row["group"] in (
            "graphics",
            "outputs",
            "cameras",
            "sound",
            "encoders",
            "protocols",
        ):
            assert row["advice"], row


def test_the_list_of_probes_is_whole() -> None:
    assert tuple(PROBES) == doctor.PROBES
    assert set(doctor.MAIN_JOB) <= set(doctor.PROBES)


def test_an_unknown_probe_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["doctor", "--probe", "horoscope"]) == 2
    assert "there is no probe 'horoscope'. Probes: engine, " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import os; os.abort()", "the trial ended with signal 6"),
        ("import sys; sys.exit(3)", "the trial ended with code 3"),
        ("import time; time.sleep(60)", "no answer within 0.5 s"),
    ],
)
def test_a_trial_that_crashes_or_hangs_is_a_finding(program: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PROBES", ("graphics",))
    monkeypatch.setattr(doctor, "_LIMIT_S", 0.5 if "sleep" in program else 20.0)
    monkeypatch.setattr(doctor, "this_program", lambda: [sys.executable, "-c", program])
    [[finding]] = list(doctor.examine())
    assert (finding.group, finding.works, finding.words) == ("graphics", False, words)
    slow = "Try again when the machine is less busy. If nothing changes, report it, with this list."
    assert finding.advice == (slow if "sleep" in program else "Report it, with this list.")


def test_the_main_job_is_what_counts() -> None:
    good = Finding(group="swap", part="mesh engine", works=True)
    bad = Finding(group="outputs", part="x", works=False)
    assert doctor.main_job_works({"engine": [good], "recording": [good], "graphics": [bad]})
    assert not doctor.main_job_works({"engine": [good], "recording": [bad]})
    assert not doctor.main_job_works({"engine": [good]})
