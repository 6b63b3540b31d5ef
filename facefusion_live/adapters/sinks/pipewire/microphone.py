# pyright: basic
"""The virtual microphone: the user's own, delayed as much as the picture is, so that lips fit."""

import ctypes as c
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from statistics import median

import numpy as np

from facefusion_live.adapters.sinks.pipewire import library as pw
from facefusion_live.adapters.sinks.pipewire import pod
from facefusion_live.adapters.sinks.pipewire.connection import Connection
from facefusion_live.adapters.sinks.pipewire.delay_line import DelayLine, Samples
from facefusion_live.adapters.sinks.pipewire.revival import Revival
from facefusion_live.adapters.sinks.pipewire.stream import Stream
from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import GateState, OutputFrame, SinkState, SinkStatus
from facefusion_live.domain.settings import Sound

NODE = "facefusion-live-microphone"
"""The node's name, for programs."""
DESCRIPTION = "FaceFusion Live Microphone"
"""What conference programs list."""

_RATE_HZ, _CHANNELS, _BLOCK = 48_000, 2, 1024
_FRAME_BYTES = 4 * _CHANNELS
_LONGEST_S = 3.0
_TRY_NS = 1_000_000_000
_PAUSE_NS = 250_000_000
"""Nobody listened for so long: what a new listener hears begins now."""
_REMEMBERED = 300
"""Pictures whose latency is remembered: ten seconds."""
_AT_LEAST = 15
_OUTPUT_S = 0.004
"""From a picture's hand-over to the readers of the virtual camera (measured: docs/outputs.md)."""
_OBJECT_FORMAT, _PARAM_ENUM_FORMAT, _OBJECT_BUFFERS, _PARAM_BUFFERS = 0x40003, 3, 0x40004, 5
_AUDIO, _RAW, _F32, _FRONT_LEFT, _FRONT_RIGHT = 1, 1, 0x11B, 3, 4


class PipeWireMicrophone:
    """A virtual microphone in the user's PipeWire session. A `Sink`.

    Pictures are not looked at: their age on arrival is the latency, and its median over ten seconds is the delay of
    the sound. The user's microphone is heard only while someone listens.

    Args:
        sound: Which microphone, and how much to add to the delay measured.
    """

    def __init__(self, sound: Sound) -> None:
        self._sound = sound
        self._ages_s: deque[float] = deque(maxlen=_REMEMBERED)
        self._delay_s = 0.0
        self._node: Revival[_MicrophoneNode] | None = None
        self._opened = False

    @property
    def name(self) -> str:
        """Always "virtual-microphone"."""
        return "virtual-microphone"

    @property
    def queue_size(self) -> int:
        """One: only the newest picture's age counts."""
        return 1

    @property
    def delay_s(self) -> float:
        """By how much sound is delayed: the latency of the picture, and the user's offset. Thread: any."""
        return max(self._delay_s + self._sound.offset_ms / 1000, 0.0)

    def open(self, size_wh: tuple[int, int], fps: float) -> None:  # noqa: ARG002 (a sink may need them)
        """Show the microphone to the others.

        Raises:
            SinkOpenError: The library is missing, no daemon answers, or there is no such microphone.
        """
        self._ages_s.clear()
        self._node = Revival(lambda: _MicrophoneNode(self._sound.microphone, lambda: self.delay_s), self.name)
        node = self._node.thing
        if node is not None and self._sound.microphone and node.deaf:
            known = ", ".join(node.known) or "none"
            self.close()
            raise SinkOpenError(f"there is no microphone {self._sound.microphone!r}", advice=f"Microphones: {known}.")
        self._opened = True

    def send(self, frame: OutputFrame) -> None:
        """Note how old a picture is.

        Raises:
            SinkError: Not open.
        """
        if self._node is None:
            raise SinkError(f"{self.name} is not open")
        node = self._node.current()
        if node is not None:
            node.attend()
        # What is held or stands for another picture tells nothing about the way of a new one.
        if frame.state in (GateState.LIVE, GateState.PASS):
            self._ages_s.append((time.monotonic_ns() - frame.captured_ns) / 1e9 + _OUTPUT_S)
            if len(self._ages_s) >= _AT_LEAST:
                self._delay_s = min(median(self._ages_s), _LONGEST_S)

    def close(self) -> None:
        """Take the microphone away. Safe to call twice."""
        node, self._node = self._node, None
        if node is not None:
            node.close()

    def status(self) -> SinkStatus:
        """How many programs listen, and the delay. Thread: any."""
        revival = self._node
        if revival is None:
            return SinkStatus(SinkState.CLOSED if self._opened else SinkState.OPENING)
        node = revival.thing
        if node is None or node.lost is not None:
            return SinkStatus(SinkState.RECONNECTING, "PipeWire is gone", 0)
        missing = node.missing if node.deaf else ""
        words = missing or f"delayed by {1000 * self.delay_s:.0f} ms"
        state = SinkState.RUNNING if node.heard else SinkState.PAUSED
        return SinkStatus(state, words, node.listeners, missing=missing)


class _MicrophoneNode:
    """Two streams in one daemon's graph: the user's microphone comes in, ours goes out."""

    def __init__(self, wanted: str, delay_s: Callable[[], float]) -> None:
        self._wanted, self._delay_s = wanted, delay_s
        self._spoke_ns = 0
        self._listening = False
        self._next_try_ns = 0
        self._ear: Stream | None = None
        self._mouth: Stream | None = None
        self._target = ""
        self._line = DelayLine(_CHANNELS, _RATE_HZ, _LONGEST_S)
        self._connection = Connection(self._listen)
        try:
            self._open_ear()
            mouth = self._stream(NODE, _mouth_properties(), self._speak)
            mouth.connect(pw.OUTPUT, pw.MAP_BUFFERS, [_format()])
            self._mouth = mouth
        except SinkOpenError:
            self.close()
            raise

    @property
    def lost(self) -> str | None:
        return self._connection.lost or (self._mouth.broken if self._mouth is not None else None)

    @property
    def deaf(self) -> bool:
        """There is no microphone, or not the one that is meant. Thread: any."""
        ear = self._ear
        return ear is None or ear.broken is not None or (bool(self._target) and self._target not in self._microphones())

    @property
    def missing(self) -> str:
        """What a deaf one lacks, in words."""
        return "the microphone is gone: silence" if self._wanted else "there is no microphone"

    @property
    def known(self) -> tuple[str, ...]:
        """The microphones that are there, as people know them."""
        return tuple(self._microphones().values())

    @property
    def heard(self) -> bool:
        return self.listeners > 0

    @property
    def hears(self) -> bool:
        return self._ear is not None and self._ear.streaming

    @property
    def gaps(self) -> int:
        return self._line.gaps

    @property
    def listeners(self) -> int:
        return self._mouth.readers if self._mouth is not None else 0

    def attend(self) -> None:
        """Take a microphone that came after us, or came back. The session manager gives up on streams without one."""
        now_ns = time.monotonic_ns()
        if not self.deaf or now_ns < self._next_try_ns:
            return
        self._next_try_ns = now_ns + _TRY_NS
        ear, self._ear = self._ear, None
        if ear is not None:
            ear.close()
        if self._microphones():
            self._open_ear()
        with self._connection.locked():
            if self._ear is not None:
                self._ear.set_active(active=self._listening)

    def close(self) -> None:
        for stream in (self._ear, self._mouth):
            if stream is not None:
                stream.close()
        self._connection.close()

    def _stream(
        self,
        name: str,
        properties: Mapping[str, str],
        process: Callable[[], None],
    ) -> Stream:
        words = {**properties, "node.name": name}
        return Stream(self._connection, name, words, lambda _: (_buffers(),), process)

    def _listen(self) -> None:
        """Open the user's microphone for as long as someone listens. Thread: the library's."""
        # Not while ours only runs: both streams run when one of them does.
        if self._listening != self.heard:
            self._listening = self.heard
            if self._ear is not None:
                self._ear.set_active(active=self._listening)

    def _open_ear(self) -> None:
        """Hear the microphone that is meant; where it is not there, none."""
        target = self._chosen()
        if target is None:
            return
        ear = self._stream(f"{NODE}.capture", _ear_properties(target), self._hear)
        ear.connect(pw.INPUT, pw.MAP_BUFFERS | pw.AUTOCONNECT | pw.INACTIVE, [_format()])
        self._target, self._ear = target, ear

    def _microphones(self) -> dict[str, str]:
        """Those that are there: descriptions by node."""
        there = self._connection.nodes("Audio/Source")
        names = {one["node.name"]: one.get("node.description", one["node.name"]) for one in there}
        names.pop(NODE, None)
        return names

    def _chosen(self) -> str | None:
        """The node of the microphone that is meant; empty for the system's choice, None where it is not there."""
        if not self._wanted:
            return ""
        there, wanted = self._microphones(), self._wanted.casefold()
        said = [*((node, node) for node in there), *((words, node) for node, words in there.items())]
        return next((node for words, node in said if words.casefold() == wanted), None)

    def _hear(self) -> None:
        """Thread: the library's."""
        ear = self._ear
        if ear is None:
            return
        with ear.buffer() as buffer:
            if buffer is None:
                return
            block = buffer.buffer.contents.datas[0]
            chunk = block.chunk.contents
            if block.data and chunk.size:
                samples = _samples(block.data + chunk.offset, chunk.size // _FRAME_BYTES)
                self._line.write(samples, ear.cycle_s())

    def _speak(self) -> None:
        """Thread: the library's."""
        before_ns, self._spoke_ns = self._spoke_ns, time.monotonic_ns()
        if self._spoke_ns - before_ns > _PAUSE_NS:
            self._line.forget()
        mouth = self._mouth
        if mouth is None:
            return
        with mouth.buffer() as buffer:
            if buffer is None:
                return
            block = buffer.buffer.contents.datas[0]
            if not block.data:
                return
            room = block.maxsize // _FRAME_BYTES
            count = min(buffer.requested or _BLOCK, room)
            self._line.read(_samples(block.data, count), mouth.cycle_s(), self._delay_s())
            chunk = block.chunk.contents
            chunk.offset, chunk.size, chunk.stride, chunk.flags = 0, count * _FRAME_BYTES, _FRAME_BYTES, 0


def _samples(address: int, count: int) -> Samples:
    """Memory of PipeWire's as (count, channels)."""
    memory = (c.c_float * (count * _CHANNELS)).from_address(address)
    return np.ctypeslib.as_array(memory).reshape(count, _CHANNELS)


def _together() -> dict[str, str]:
    """What makes both streams run in the same cycle, by the same clock, and never be linked with each other."""
    group = f"{NODE}-{os.getpid()}"
    return {"node.group": group, "node.link-group": group, "node.latency": f"{_BLOCK}/{_RATE_HZ}"}


def _ear_properties(target: str) -> dict[str, str]:
    properties = _together() | {
        "media.type": "Audio",
        "media.category": "Capture",
        "media.role": "Communication",
        "node.description": DESCRIPTION,
        # Ours alone is no reason for the user's microphone to run.
        "node.passive": "true",
    }
    if target:
        # It, or none: when it goes, nobody is to be heard in its place.
        properties |= {"target.object": target, "node.dont-reconnect": "true"}
    return properties


def _mouth_properties() -> dict[str, str]:
    return _together() | {
        "media.type": "Audio",
        "media.class": "Audio/Source",
        "node.description": DESCRIPTION,
        "node.nick": DESCRIPTION,
        "node.virtual": "true",
    }


def _format() -> pod.Pod:
    media, kind, sample, rate, channels, position = 1, 2, 0x10001, 0x10003, 0x10004, 0x10005
    return pod.thing(
        _OBJECT_FORMAT,
        _PARAM_ENUM_FORMAT,
        {
            media: pod.ident(_AUDIO),
            kind: pod.ident(_RAW),
            sample: pod.ident(_F32),
            rate: pod.whole(_RATE_HZ),
            channels: pod.whole(_CHANNELS),
            position: pod.idents((_FRONT_LEFT, _FRONT_RIGHT)),
        },
    )


def _buffers() -> pod.Pod:
    count, blocks, size, stride = 1, 2, 3, 4
    return pod.thing(
        _OBJECT_BUFFERS,
        _PARAM_BUFFERS,
        {
            count: pod.whole_range(4, 2, 8),
            blocks: pod.whole(1),
            size: pod.whole_range(8192 * _FRAME_BYTES, 64 * _FRAME_BYTES, 16384 * _FRAME_BYTES),
            stride: pod.whole(_FRAME_BYTES),
        },
    )
