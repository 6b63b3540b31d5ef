"""What every `Sink` must do, asked of all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from socket import SOCK_DGRAM

import numpy as np
import pytest

from facefusion_live.adapters import sinks
from facefusion_live.adapters.sinks import (
    DriverCamera,
    FirstThatOpens,
    MjpegSink,
    Recorder,
    Snapshot,
    StatesSink,
    StreamSink,
)
from facefusion_live.adapters.sinks.pipewire import PipeWireCamera, PipeWireMicrophone
from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import Sink, SinkState
from facefusion_live.domain.settings import Record, Sound, Stream, VirtualCamera
from tests.adapters.clips import FPS, SIZE_WH, picture
from tests.adapters.frames import CountedLease, shown
from tests.adapters.sinks.servers import HOST, free_port
from tests.contracts.discovery import classes_with
from tests.fakes import sinks as fakes
from tests.fakes.driver import FakeDriver, no_driver
from tests.fakes.sinks import BreakingSink, CollectingSink, SlowSink


@dataclass(frozen=True)
class Kind:
    """One kind of sink.

    Attributes:
        sink: The class.
        suffix: Of the file that it writes.
        make: Makes it for a file.
    """

    sink: type
    suffix: str
    make: Callable[[Path], Sink]


def _hurried(_: Path) -> Sink:
    sink = SlowSink()
    sink.hurry()
    return sink


RECORDS = [
    Kind(Recorder, ".mp4", lambda path: Recorder(path, Record())),
    Kind(Recorder, ".mov", lambda path: Recorder(path, Record())),
    Kind(Recorder, ".mkv", lambda path: Recorder(path, Record())),
    Kind(StatesSink, ".csv", StatesSink),
]
"""Those that write a file."""
SERVED = [
    Kind(Snapshot, ".png", lambda path: Snapshot(path, last=True)),
    Kind(DriverCamera, "", lambda _: DriverCamera(FakeDriver)),
    Kind(FirstThatOpens, "", lambda _: FirstThatOpens([DriverCamera(no_driver), DriverCamera(FakeDriver)])),
    Kind(MjpegSink, "", lambda _: MjpegSink(0, "the-secret-token")),
    Kind(
        StreamSink, "", lambda _: StreamSink(f"udp://{HOST}:{free_port(SOCK_DGRAM)}?secret=1", Stream(encoder="x264"))
    ),
]
"""Those that show or send what they get."""
FAKES = [
    Kind(CollectingSink, "", lambda _: CollectingSink()),
    Kind(SlowSink, "", _hurried),
    Kind(BreakingSink, "", lambda _: BreakingSink(SinkError("never raised here"))),
]
NODES = [
    Kind(PipeWireCamera, "", lambda _: PipeWireCamera(VirtualCamera())),
    Kind(PipeWireMicrophone, "", lambda _: PipeWireMicrophone(Sound())),
]
"""Those that appear in a PipeWire session."""
KINDS = [*RECORDS, *SERVED, *NODES, *FAKES]


def _name_of(kind: Kind) -> str:
    return kind.sink.__name__ + kind.suffix


@pytest.fixture(params=KINDS, ids=_name_of)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture
def sink(kind: Kind, tmp_path: Path, request: pytest.FixtureRequest) -> Sink:
    if kind in NODES:
        request.getfixturevalue("pipewire")
    return kind.make(tmp_path / f"secret{kind.suffix}")


def test_no_sink_is_forgotten() -> None:
    known = {kind.sink for kind in KINDS}
    assert classes_with("send", sinks) | classes_with("send", fakes) == known


def test_it_tells_what_it_is(sink: Sink) -> None:
    assert sink.name
    assert "secret" not in sink.name
    assert sink.queue_size >= 1


def test_it_tells_how_it_is_doing(sink: Sink) -> None:
    assert sink.status().state is SinkState.OPENING
    sink.open(SIZE_WH, FPS)
    assert sink.status().state in (SinkState.RUNNING, SinkState.PAUSED)
    sink.send(shown(0))
    status = sink.status()
    assert status.state in (SinkState.RUNNING, SinkState.PAUSED)
    assert "secret" not in status.words
    assert not status.words.endswith(".")
    sink.close()
    assert sink.status().state is SinkState.CLOSED


def test_it_takes_pictures_from_opening_to_closing(sink: Sink, kind: Kind, tmp_path: Path) -> None:
    sink.open(SIZE_WH, FPS)
    for number in range(40):
        sink.send(shown(number))
    sink.close()
    assert not kind.suffix or (tmp_path / f"secret{kind.suffix}").stat().st_size > 100


def test_it_neither_keeps_nor_changes_a_picture(sink: Sink) -> None:
    sink.open(SIZE_WH, FPS)
    pixels, lease = picture(3), CountedLease()
    frame = shown(3, pixels=pixels, lease=lease)
    sink.send(frame)
    assert lease.shares == 1
    np.testing.assert_array_equal(pixels, picture(3))
    # Once it has the picture, the memory is used for another one: nothing may break.
    pixels.flags.writeable = True
    pixels[:] = 0
    sink.close()


@pytest.mark.parametrize("sent", [0, 1])
def test_closing_twice_is_fine(sink: Sink, sent: int) -> None:
    sink.open(SIZE_WH, FPS)
    for number in range(sent):
        sink.send(shown(number))
    sink.close()
    sink.close()


def test_closing_what_was_never_opened_is_fine(sink: Sink) -> None:
    sink.close()


@pytest.mark.parametrize("kind", [*RECORDS, *SERVED, *NODES], ids=_name_of)
def test_sending_outside_is_an_error(sink: Sink) -> None:
    with pytest.raises(SinkError):
        sink.send(shown(0))
    sink.open(SIZE_WH, FPS)
    sink.close()
    with pytest.raises(SinkError):
        sink.send(shown(0))


def test_it_can_be_opened_again(sink: Sink) -> None:
    for _ in range(2):
        sink.open(SIZE_WH, FPS)
        sink.send(shown(0))
        sink.close()


@pytest.mark.parametrize("kind", RECORDS, ids=_name_of)
def test_a_place_that_is_not_there_is_refused_in_one_line(kind: Kind, tmp_path: Path) -> None:
    sink = kind.make(tmp_path / "missing" / f"secret{kind.suffix}")
    with pytest.raises(SinkOpenError) as caught:
        sink.open(SIZE_WH, FPS)
    assert str(tmp_path) not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.advice
    sink.close()
