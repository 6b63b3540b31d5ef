"""A microphone that says what it is told, and a recorder that hears two microphones at once."""

import json
import signal
import subprocess
import wave
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tools.peers.pipewire import PipeWireSession, wait_until

RATE_HZ = 48_000
PROGRAMS = ("pw-cat", "pw-record", "pw-link", "pw-cli")
_MICROPHONE = "fake-microphone"


class FakeMicrophone:
    """A microphone of PipeWire's that plays noise in bursts until the block ends.

    Args:
        session: Where it appears.
        name: What programs list.
        node: Its name for programs.
        speaks: Whether there is noise.
    """

    def __init__(
        self, session: PipeWireSession, name: str = "Fake Microphone", node: str = _MICROPHONE, *, speaks: bool = True
    ) -> None:
        self._session, self._name, self._node, self._speaks = session, name, node, speaks
        self._player: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        session = self._session
        words = {
            "factory.name": "support.null-audio-sink",
            "node.name": self._node,
            "node.description": self._name,
            "media.class": "Audio/Source/Virtual",
            "object.linger": True,
            "audio.position": ["FL", "FR"],
        }
        session.run("pw-cli", "create-node", "adapter", json.dumps(words))
        wait_until(self._there, self._name)
        if self._speaks:
            self._player = session.programs.start("pw-cat", "-p", "--target", "0", str(self._noise()))
            for channel in ("FL", "FR"):
                link(session, "pw-cat:output_MONO", f"{self._node}:input_{channel}")
        return self

    def __exit__(self, *_: object) -> None:
        if self._player is not None:
            self._session.programs.end(self._player)
        self._session.run("pw-cli", "destroy", self._node)
        wait_until(lambda: not self._there(), f"the end of {self._name}")

    def _there(self) -> bool:
        return f'"{self._node}"' in self._session.run("pw-cli", "ls", "Node")

    def _noise(self) -> Path:
        """A minute of noise; at random it is on or off for a twentieth of a second at a time."""
        random, path = np.random.default_rng(1), self._session.folder / "noise.wav"
        on = np.repeat(random.random(20 * 60) > 0.5, RATE_HZ // 20)
        samples = (random.normal(0, 0.2, len(on)).clip(-1, 1) * on * 32767).astype("<i2")
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(samples.tobytes())
        return path


class Recorder:
    """Records the fake microphone on the left and another one on the right until the block ends.

    Args:
        session: Where both are.
        other: The other one's node.
    """

    def __init__(self, session: PipeWireSession, other: str) -> None:
        self._session, self._other = session, other
        self._path = session.folder / "recorded.wav"

    def __enter__(self) -> Self:
        words = ("pw-record", "--target", "0", "--channels", "2", "--format", "f32", str(self._path))
        self._program = self._session.programs.start(*words)
        link(self._session, f"{_MICROPHONE}:capture_FL", "pw-record:input_FL")
        link(self._session, f"{self._other}:capture_FL", "pw-record:input_FR")
        return self

    def __exit__(self, *_: object) -> None:
        self._session.programs.end(self._program, signal.SIGINT)

    def recorded(self) -> NDArray[np.float32]:
        """(n, 2), after the end."""
        content = self._path.read_bytes()
        samples = np.frombuffer(content[content.index(b"data") + 8 :], np.uint8)
        return samples[: len(samples) // 8 * 8].view(np.float32).reshape(-1, 2)


def lag_s(stereo: NDArray[np.float32]) -> float:
    """By how much the right channel comes after the left one, by cross-correlation."""
    length = 1 << int(np.ceil(np.log2(2 * len(stereo))))
    left, right = np.fft.rfft(stereo[:, 0], length), np.fft.rfft(stereo[:, 1], length)
    peak = int(np.argmax(np.fft.irfft(right * left.conj())))
    return (peak if peak < length // 2 else peak - length) / RATE_HZ


def link(session: PipeWireSession, output: str, into: str) -> None:
    """Connect two ports as soon as both are there."""

    def linked() -> bool:
        words = ("pw-link", output, into)
        return subprocess.run(words, env=session.env, capture_output=True, check=False).returncode == 0

    wait_until(linked, f"{output} and {into}")
