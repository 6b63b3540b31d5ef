"""A PipeWire session with PulseAudio's interface, and a cable: what is played into it is what its microphone hears."""

import os
import shutil
import subprocess
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from tools.peers.pipewire import PROGRAMS, PipeWireSession

_NEEDED = (*PROGRAMS, "pipewire-pulse", "pactl", "paplay")
_RATE_HZ = 48_000
_WAIT_S = 15.0


class SoundServer(PipeWireSession):
    """A context manager, as `PipeWireSession`."""

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self.env["PULSE_SERVER"] = f"unix:{self.folder}/run/pulse/native"
            self._pulse = self.programs.start("pipewire-pulse")
            self._until("info")
            cable = ("load-module", "module-null-sink", "sink_name=cable", "rate=48000", "channels=1")
            self._pactl(*cable)
            self._pactl("set-default-source", "cable.monitor")
            self._until("get-source-volume", "cable.monitor")
        except BaseException:
            self.__exit__()
            raise
        return self

    def beep(self, seconds: float = 0.2) -> None:
        """Play a tone, and wait until it was played."""
        self.play(np.sin(2 * np.pi * 1000 * np.arange(round(seconds * _RATE_HZ)) / _RATE_HZ) * 20_000)

    def play(self, samples: np.ndarray) -> None:
        """Play (n,) samples into the cable."""
        path = self.folder / "played.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, _RATE_HZ, 0, "NONE", ""))
            file.writeframes(samples.astype(np.int16).tobytes())
        command = ["paplay", "--latency-msec=20", "-d", "cable", str(path)]
        subprocess.run(command, env=self.env, check=True, capture_output=True, timeout=60)

    @contextmanager
    def plugged_in(self, name: str, description: str) -> Iterator[None]:
        """Another microphone, which hears nothing, until the block ends."""
        words = ("module-null-sink", "media.class=Audio/Source/Virtual", f"sink_name={name}")
        module = self._pactl("load-module", *words, f"sink_properties=device.description={description}").stdout.strip()
        self._until("get-source-volume", name)
        try:
            yield
        finally:
            self._pactl("unload-module", module)

    def kill(self) -> None:
        """As a crash would."""
        self.programs.end(self._pulse)

    def _pactl(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["pactl", *words], env=self.env, capture_output=True, text=True, timeout=10, check=False)

    def _until(self, *words: str) -> None:
        deadline_s = time.monotonic() + _WAIT_S
        while (done := self._pactl(*words)).returncode:
            assert time.monotonic() < deadline_s, done.stderr
            time.sleep(0.05)


@pytest.fixture
def sound_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundServer]:
    """A sound server of the test's own, in which this process is at home, too."""
    missing = [program for program in _NEEDED if shutil.which(program) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)} (Debian: pipewire wireplumber pipewire-pulse pulseaudio-utils dbus)")
    with SoundServer() as server:
        for name in ("XDG_RUNTIME_DIR", "PIPEWIRE_RUNTIME_DIR", "PULSE_SERVER"):
            monkeypatch.setenv(name, server.env[name])
        # libpulse keeps its cookie in the home.
        monkeypatch.setenv("HOME", os.fspath(Path(server.env["HOME"])))
        yield server
