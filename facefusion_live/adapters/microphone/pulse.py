# pyright: basic
"""A microphone of PulseAudio, or of PipeWire, which speaks the same language."""

import ctypes
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.microphone import libpulse
from facefusion_live.domain.errors import CaptureLostError, CaptureOpenError
from facefusion_live.domain.ports import SoundChunk

_RATE_HZ = 48_000
_CHANNELS = 1
_BYTES = 2 * _CHANNELS
_PIECE_BYTES = _RATE_HZ // 100 * _BYTES
"""The server hands over 10 ms at a time."""
_KEPT_BYTES = 5 * _RATE_HZ * _BYTES
"""As much is kept for someone who does not ask."""
_PATIENCE_S = 3.0
_POLL_S = 0.01
_MONITOR = ".monitor"
"""So ends the name of what hears a loudspeaker: it can be asked for, and is no microphone."""
_ADVICE = "Plug a microphone in and see that the system shows it, or record without (sound.source none)."


class PulseMicrophone:
    """A microphone, opened when made. A `Microphone`.

    The library's own thread collects the sound; `take` fetches what lies there, and never waits.

    Args:
        name: Of the source, or its description, as `pactl list sources` tells both; empty for the system's choice,
            which follows the system's settings. One that is named is the only one heard: never another in its place.

    Raises:
        CaptureOpenError: The library is missing, no sound server answers, or there is no such source.
    """

    rate_hz, channels = _RATE_HZ, _CHANNELS

    def __init__(self, name: str = "") -> None:
        self._pa = libpulse.load()
        self._loop: Any = self._pa.pa_threaded_mainloop_new()
        self._context: Any = None
        self._stream: Any = None
        self._wanted = ""
        try:
            self._connect()
            self._wanted = self._named(name) if name else ""
            self._record()
        except BaseException:
            self.__exit__()
            raise
        self.name = self._wanted or self._heard_from()

    def take(self) -> Sequence[SoundChunk]:
        """What was heard since the last call.

        Raises:
            CaptureLostError: The server or the source is gone.
        """
        if self._stream is None:
            raise CaptureLostError("the microphone is closed")
        with self._locked():
            if self._pa.pa_stream_get_state(self._stream) != libpulse.STREAM_READY or self._is_another():
                raise CaptureLostError("the microphone is gone")
            first_ns = time.monotonic_ns() - self._latency_ns()
            pieces = list(self._pieces())
        samples = np.concatenate(pieces) if pieces else np.empty(0, np.int16)
        return [SoundChunk(samples.reshape(-1, _CHANNELS), first_ns)] if samples.size else []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of everything, in the order that the library wants."""
        loop, self._loop = self._loop, None
        stream, self._stream = self._stream, None
        context, self._context = self._context, None
        if loop is None:
            return
        self._pa.pa_threaded_mainloop_stop(loop)
        if stream is not None:
            self._pa.pa_stream_disconnect(stream)
            self._pa.pa_stream_unref(stream)
        if context is not None:
            self._pa.pa_context_disconnect(context)
            self._pa.pa_context_unref(context)
        self._pa.pa_threaded_mainloop_free(loop)

    def _connect(self) -> None:
        self._context = self._pa.pa_context_new(self._pa.pa_threaded_mainloop_get_api(self._loop), b"FaceFusion Live")
        refused = self._pa.pa_context_connect(self._context, None, libpulse.NO_AUTOSPAWN, None) < 0
        self._pa.pa_threaded_mainloop_start(self._loop)
        states = self._pa.pa_context_get_state
        if refused or not self._becomes(lambda: states(self._context), libpulse.CONTEXT_READY, libpulse.CONTEXT_GONE):
            raise CaptureOpenError(
                "no sound server answers",
                advice="Start PipeWire (with pipewire-pulse) or PulseAudio, or record without sound.",
            )

    def _named(self, name: str) -> str:
        """The source that a name or a description means. Asked for, because a server takes its default for others."""
        there = self._sources()
        for words in (there, {each: each for each in there}):
            for source, said in words.items():
                if said.casefold() == name.casefold():
                    return source
        known = [said for source, said in there.items() if not source.endswith(_MONITOR)]
        raise CaptureOpenError(
            f"there is no microphone {name!r}", advice=f"Microphones: {', '.join(known)}." if known else _ADVICE
        )

    def _sources(self) -> dict[str, str]:
        """What can be heard: descriptions by name."""
        found: dict[str, str] = {}
        told: list[int] = []

        def on_source(_context: Any, source: Any, end: int, _data: Any) -> None:  # noqa: ANN401 (ctypes)
            if end:
                told.append(end)
            else:
                about = source.contents
                found[_text(about.name)] = _text(about.description) or _text(about.name)

        self._on_source = libpulse.OnSource(on_source)  # kept: a late answer must find it
        with self._locked():
            asked = self._pa.pa_context_get_source_info_list(self._context, self._on_source, None)
            if asked:
                self._pa.pa_operation_unref(asked)
        return dict(found) if self._becomes(lambda: len(told), 1, ()) else {}

    def _record(self) -> None:
        spec = libpulse.SampleSpec(libpulse.S16LE, _RATE_HZ, _CHANNELS)
        unset = libpulse.UNSET
        sizes = libpulse.BufferAttr(_KEPT_BYTES, unset, unset, unset, _PIECE_BYTES)
        device, flags = self._wanted.encode() or None, libpulse.RECORD_FLAGS
        if device is not None:
            flags |= libpulse.DONT_MOVE
        with self._locked():
            self._stream = self._pa.pa_stream_new(self._context, b"microphone", ctypes.byref(spec), None)
            self._pa.pa_stream_connect_record(self._stream, device, ctypes.byref(sizes), flags)
        states = self._pa.pa_stream_get_state
        if not self._becomes(lambda: states(self._stream), libpulse.STREAM_READY, libpulse.STREAM_GONE):
            raise CaptureOpenError("there is no microphone", advice=_ADVICE)
        with self._locked():
            if self._is_another():  # it went just now
                raise CaptureOpenError(f"there is no microphone {self._wanted!r}", advice=_ADVICE)

    def _is_another(self) -> bool:
        """Whether the server lets us hear another source than the one that was named. Locked."""
        return bool(self._wanted) and self._heard_from() != self._wanted

    def _heard_from(self) -> str:
        return _text(self._pa.pa_stream_get_device_name(self._stream))

    def _becomes(self, state: Callable[[], int], ready: int, gone: tuple[int, ...]) -> bool:
        """Wait for a state; False when it failed, or did not come."""
        deadline_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline_s:
            with self._locked():
                now = state()
            if now == ready:
                return True
            if now in gone:
                return False
            time.sleep(_POLL_S)
        return False

    def _latency_ns(self) -> int:
        """How old the next sample to be fetched is; that of one piece until the server has told."""
        latency_us, negative = ctypes.c_uint64(), ctypes.c_int()
        told = self._pa.pa_stream_get_latency(self._stream, ctypes.byref(latency_us), ctypes.byref(negative))
        if told < 0 or negative.value:
            return round(1e9 * _PIECE_BYTES / _BYTES / _RATE_HZ)
        return 1000 * latency_us.value

    def _pieces(self) -> Iterator[NDArray[np.int16]]:
        """What lies there, copied. A hole is silence."""
        data, size = ctypes.c_void_p(), ctypes.c_size_t()
        while True:
            self._pa.pa_stream_peek(self._stream, ctypes.byref(data), ctypes.byref(size))
            if not size.value:
                return
            if data.value:
                yield np.frombuffer(ctypes.string_at(data.value, size.value), np.int16)
            else:
                yield np.zeros(size.value // 2, np.int16)
            self._pa.pa_stream_drop(self._stream)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._pa.pa_threaded_mainloop_lock(self._loop)
        try:
            yield
        finally:
            self._pa.pa_threaded_mainloop_unlock(self._loop)


def _text(told: bytes | None) -> str:
    return told.decode("utf-8", "replace") if told else ""
