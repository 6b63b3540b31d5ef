"""What every `Microphone` must do."""

import itertools
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from facefusion_live.adapters import microphone as adapters
from facefusion_live.adapters.microphone import PulseMicrophone, open_microphone
from facefusion_live.domain.errors import CaptureLostError, CaptureOpenError
from facefusion_live.domain.ports import Microphone, SoundChunk
from tests.contracts.discovery import classes_with
from tests.fakes import microphone as fakes
from tests.fakes.microphone import FakeMicrophone
from tests.sound_server import SoundServer


def _speaking() -> FakeMicrophone:
    fake = FakeMicrophone()
    for piece in range(30):
        fake.hear(np.full(480, 1000), time.monotonic_ns() - (30 - piece) * 10_000_000)
    return fake


KINDS: dict[type, Callable[[], Microphone]] = {FakeMicrophone: _speaking, PulseMicrophone: PulseMicrophone}


@pytest.fixture(params=list(KINDS), ids=lambda kind: kind.__name__)
def microphone(request: pytest.FixtureRequest) -> Iterator[Microphone]:
    if request.param is PulseMicrophone:
        request.getfixturevalue("sound_server")
    with KINDS[request.param]() as opened:
        yield opened


def heard(microphone: Microphone, seconds: float) -> list[SoundChunk]:
    chunks: list[SoundChunk] = []
    deadline_s = time.monotonic() + 10
    while sum(len(chunk.samples) for chunk in chunks) < seconds * microphone.rate_hz:
        assert time.monotonic() < deadline_s, "nothing was heard"
        chunks += microphone.take()
        time.sleep(0.02)
    return chunks


def test_no_microphone_is_forgotten() -> None:
    assert classes_with("take", adapters) | classes_with("take", fakes) == set(KINDS)


def test_it_tells_what_it_gives(microphone: Microphone) -> None:
    assert microphone.name
    assert microphone.rate_hz >= 8000
    assert microphone.channels in (1, 2)


def test_chunks_follow_each_other_on_the_clock_of_the_pictures(microphone: Microphone) -> None:
    chunks = heard(microphone, 0.25)
    for chunk in chunks:
        assert chunk.samples.dtype == np.int16
        assert chunk.samples.shape[1] == microphone.channels
        assert 0 < time.monotonic_ns() - chunk.captured_ns < 12e9
    for a, b in itertools.pairwise(chunks):
        assert b.captured_ns - a.captured_ns == pytest.approx(1e9 * len(a.samples) / microphone.rate_hz, abs=30e6)


def test_asking_never_waits(microphone: Microphone) -> None:
    begun_s = time.monotonic()
    for _ in range(20):
        microphone.take()
    assert time.monotonic() - begun_s < 0.5


def test_after_the_end_there_is_nothing(microphone: Microphone) -> None:
    microphone.__exit__(None, None, None)
    microphone.__exit__(None, None, None)
    with pytest.raises(CaptureLostError):
        microphone.take()


def test_what_is_played_is_heard_at_its_time(sound_server: SoundServer) -> None:
    with open_microphone() as microphone:
        heard(microphone, 0.3)
        played_ns = time.monotonic_ns()
        sound_server.beep()
        chunks = heard(microphone, 1.5)
    for chunk in chunks:
        loud = np.flatnonzero(np.abs(chunk.samples[:, 0]) > 3000)
        if len(loud):
            at_ns = chunk.captured_ns + 1e9 * loud[0] / microphone.rate_hz
            # The player starts, connects and fills its buffer first.
            assert 0 < at_ns - played_ns < 1e9
            return
    pytest.fail("the beep was not heard")


def test_a_server_that_dies_is_noticed(sound_server: SoundServer) -> None:
    with open_microphone() as microphone:
        heard(microphone, 0.1)
        sound_server.kill()
        deadline_s = time.monotonic() + 5
        with pytest.raises(CaptureLostError, match="the microphone is gone"):  # noqa: PT012 (until it is noticed)
            while time.monotonic() < deadline_s:
                microphone.take()
                time.sleep(0.02)


@pytest.mark.parametrize("asked", ["Kitchen", "desk.monitor", "cabl"])
def test_one_that_is_unknown_is_refused_and_those_that_are_there_are_named(
    sound_server: SoundServer, asked: str
) -> None:
    with (
        sound_server.plugged_in("desk", "The-Desk"),
        pytest.raises(CaptureOpenError, match=f"no microphone '{asked}'") as caught,
    ):
        open_microphone(asked)
    assert caught.value.advice == "Microphones: The-Desk."


@pytest.mark.parametrize("asked", ["desk", "DESK", "the-desk", "cable.monitor"])
def test_one_is_found_by_its_name_and_by_its_description(sound_server: SoundServer, asked: str) -> None:
    with sound_server.plugged_in("desk", "The-Desk"), open_microphone(asked) as microphone:
        assert microphone.name == ("cable.monitor" if "cable" in asked else "desk")


def test_one_that_is_unplugged_is_told_and_no_other_is_heard_in_its_place(sound_server: SoundServer) -> None:
    with ExitStack() as cleanup:
        with sound_server.plugged_in("desk", "The-Desk"):
            microphone = cleanup.enter_context(open_microphone("The-Desk"))
            heard(microphone, 0.2)
        sound_server.beep()
        with pytest.raises(CaptureLostError, match="the microphone is gone"):
            hear_nothing(microphone)
        with pytest.raises(CaptureOpenError, match="no microphone 'The-Desk'"):
            open_microphone("The-Desk")
    with sound_server.plugged_in("desk", "The-Desk"), open_microphone("The-Desk") as microphone:
        heard(microphone, 0.2)


def hear_nothing(microphone: Microphone) -> None:
    """For two seconds."""
    deadline_s = time.monotonic() + 2
    while time.monotonic() < deadline_s:
        assert all(np.abs(chunk.samples).max() < 1000 for chunk in microphone.take()), "another microphone is heard"
        time.sleep(0.02)


def test_without_a_server_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/none")
    with pytest.raises(CaptureOpenError, match=r"no sound server answers|libpulse is missing") as caught:
        open_microphone()
    assert caught.value.advice


def test_other_systems_are_told_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(CaptureOpenError, match="on Linux only") as caught:
        open_microphone()
    assert caught.value.advice


def test_the_fixture_is_a_server_of_its_own(sound_server: SoundServer) -> None:
    told = subprocess.run(["pactl", "info"], env=sound_server.env, capture_output=True, text=True, check=True).stdout
    assert "PipeWire" in told
