"""The virtual microphone in a real PipeWire session: what goes in comes out as much later as it should."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest

from facefusion_live.adapters.sinks.pipewire import PipeWireMicrophone
from facefusion_live.adapters.sinks.pipewire.microphone import DESCRIPTION, NODE
from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import GateState, SinkState
from facefusion_live.domain.settings import Sound
from tests.adapters.frames import Shown, shown
from tests.peers import eventually, need
from tools.peers import sound
from tools.peers.pipewire import PipeWireSession
from tools.peers.sound import RATE_HZ, FakeMicrophone, Recorder, lag_s


@pytest.fixture(autouse=True)
def _sound_programs() -> None:
    need(sound.PROGRAMS, "pipewire-bin")


@contextmanager
def _opened(**wishes: object) -> Iterator[PipeWireMicrophone]:
    microphone = PipeWireMicrophone(Sound(**wishes))  # type: ignore[arg-type]
    microphone.open((320, 240), 30)
    try:
        yield microphone
    finally:
        microphone.close()


def _aged(age_s: float, state: GateState = GateState.LIVE) -> Shown:
    image = shown(0).image
    return Shown(0, image, 0.0, state, captured_ns=time.monotonic_ns() - round(age_s * 1e9))


def test_sound_comes_out_later_by_the_latency_of_the_picture(pipewire: PipeWireSession) -> None:
    with FakeMicrophone(pipewire), _opened() as microphone:
        for _ in range(30):
            microphone.send(_aged(0.060))
        node = microphone._node.thing if microphone._node is not None else None
        assert node is not None
        with Recorder(pipewire, NODE) as recorder:
            time.sleep(1.5)
            gaps = node.gaps
            assert microphone.status().state is SinkState.RUNNING
            assert microphone.status().readers == 1
            for _ in range(300):
                microphone.send(_aged(0.140))
            time.sleep(1.5)
            assert node.gaps == gaps
    heard = recorder.recorded()
    assert len(heard) > 2.5 * RATE_HZ
    # 4 ms: the way from the camera to its readers. What is wanted within 8 ms of what is costs no splice.
    assert lag_s(heard[: round(1.2 * RATE_HZ)]) == pytest.approx(0.064, abs=0.010)
    assert lag_s(heard[-RATE_HZ:]) == pytest.approx(0.144, abs=0.010)


def test_the_offset_of_the_user_is_added(pipewire: PipeWireSession) -> None:
    with FakeMicrophone(pipewire, "Desk"), _opened(microphone="desk", offset_ms=120) as microphone:
        assert microphone.status().words == "delayed by 120 ms"
        with Recorder(pipewire, NODE) as recorder:
            time.sleep(1.2)
    assert lag_s(recorder.recorded()) == pytest.approx(0.120, abs=0.002)


def test_the_users_microphone_is_open_only_while_someone_listens(pipewire: PipeWireSession) -> None:
    with FakeMicrophone(pipewire), _opened() as microphone:
        node = microphone._node.thing if microphone._node is not None else None
        assert node is not None
        assert microphone.status().state is SinkState.PAUSED
        time.sleep(0.3)
        assert not node.hears
        with Recorder(pipewire, NODE):
            assert eventually(lambda: node.hears)
        assert eventually(lambda: not node.hears)
        assert microphone.status().readers == 0


def test_only_live_pictures_tell_the_latency(pipewire: PipeWireSession) -> None:
    assert pipewire.env
    with _opened() as microphone:
        for _ in range(20):
            microphone.send(_aged(0.050))
        for _ in range(200):
            microphone.send(_aged(0.9, GateState.HOLD))
            microphone.send(_aged(5.0, GateState.SLATE))
        assert microphone.delay_s == pytest.approx(0.054, abs=0.005)


def test_a_microphone_that_comes_later_is_taken(pipewire: PipeWireSession) -> None:
    with _opened(offset_ms=80) as microphone:
        assert eventually(lambda: microphone.status().words == "there is no microphone")
        assert microphone.status().state is SinkState.PAUSED
        with FakeMicrophone(pipewire):

            def hears() -> bool:
                microphone.send(_aged(0.05, GateState.SLATE))
                return microphone.status().words == "delayed by 80 ms"

            assert eventually(hears)
            with Recorder(pipewire, NODE) as recorder:
                time.sleep(1.2)
    # A block more or less (21 ms): which of two streams a late one gets ahead of is the daemon's choice.
    assert lag_s(recorder.recorded()) == pytest.approx(0.080, abs=0.025)


def test_conference_programs_list_it(pipewire: PipeWireSession) -> None:
    with _opened():
        assert f'"node.description": "{DESCRIPTION}"' in pipewire.run("pw-dump")


def test_a_microphone_that_is_not_there_is_refused_and_those_that_are_named(pipewire: PipeWireSession) -> None:
    microphone = PipeWireMicrophone(Sound(microphone="Kitchen"))
    with FakeMicrophone(pipewire, "Desk"), pytest.raises(SinkOpenError, match="no microphone 'Kitchen'") as caught:
        microphone.open((320, 240), 30)
    microphone.close()
    assert "Desk" in caught.value.advice


def test_when_the_one_that_was_named_goes_no_other_is_heard_until_it_returns(pipewire: PipeWireSession) -> None:
    desk = FakeMicrophone(pipewire, "Desk", "desk", speaks=False)

    def says(words: str) -> Callable[[], bool]:
        def told() -> bool:
            microphone.send(_aged(0.05, GateState.SLATE))
            return microphone.status().words == words

        return told

    with FakeMicrophone(pipewire), ExitStack() as cleanup:
        with desk:
            microphone = cleanup.enter_context(_opened(microphone="Desk", offset_ms=50))
            with Recorder(pipewire, NODE):
                time.sleep(0.5)
        assert eventually(says("the microphone is gone: silence"))
        for _ in range(5):  # on a busy machine the other one may take seconds to be heard by anybody
            with Recorder(pipewire, NODE) as recorder:
                for _ in range(60):
                    microphone.send(_aged(0.05, GateState.SLATE))
                    time.sleep(0.03)
            left, right = recorder.recorded().T
            assert np.abs(right).max() == 0
            if np.abs(left).max() > 0.1:
                break
        else:
            pytest.fail("the other microphone was never heard: the silence says nothing")
        with desk:
            assert eventually(says("delayed by 50 ms"))
            assert eventually(lambda: microphone.status().state is SinkState.PAUSED)


def test_it_comes_back_with_the_daemon(pipewire: PipeWireSession) -> None:
    with _opened() as microphone:
        pipewire.kill_daemon()
        assert eventually(lambda: microphone.status().state is SinkState.RECONNECTING)
        pipewire.start_daemon()

        def back() -> bool:
            microphone.send(_aged(0.05))
            return microphone.status().state is SinkState.PAUSED

        assert eventually(back)


def test_sending_outside_is_an_error() -> None:
    with pytest.raises(SinkError, match="not open"):
        PipeWireMicrophone(Sound()).send(shown(0))
