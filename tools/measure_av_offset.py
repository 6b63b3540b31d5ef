"""How far sound and picture are apart in a recording: beeps played into a sound server, flashes at the same moments.

Usage: python -m tools.measure_av_offset [--minutes 0.5] [--late-ms 45]

A private PipeWire session is started; the recorder hears its cable as a microphone. Pictures reach the recorder as late
as those of a live session do (--late-ms). Prints the offset of every beep against its flash: above 0 the sound is late.
Returns 1 where one is 40 ms or more off. When a beep is heard is the sound server's word, which errs on a busy machine:
beeps of which it told what their neighbours contradict are left out (`sure`); with more than one in twenty of them
nothing is proved.
"""

import argparse
import ctypes
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.microphone import open_microphone
from facefusion_live.adapters.sinks import Recorder, SoundSources, make_recorder
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.ports import GateState
from facefusion_live.domain.settings import Settings

FPS = 30
SIZE_WH = (320, 240)
RATE_HZ = 48_000
EVERY_S = 1.0
BEEP_S = 0.1
WANTED_MS = 40.0
DOUBTFUL_AT_MOST = 0.05
_PLAYBACK, _S16LE, _UNSET = 1, 3, 2**32 - 1
_BLOCK = RATE_HZ // 100
_SURE_S = 0.01
_NEIGHBOURS = 10


@dataclass(frozen=True)
class _Shown:
    """A picture as the gate would release it."""

    index: int
    image: HostImage
    media_s: float
    captured_ns: int
    job_index: int
    state: GateState = GateState.LIVE


class Beeper:
    """Plays a beep every second; asks the sound server when each is heard.

    Attributes:
        heard_ns: When each is heard, as it was told.
        begun: At which of the samples written each begins; None where it was written too late for what was told.
    """

    def __init__(self) -> None:
        self.heard_ns: list[int] = []
        self.begun: list[int | None] = []
        self._written = 0
        self._pulse = ctypes.CDLL("libpulse-simple.so.0")
        self._pulse.pa_simple_new.restype = ctypes.c_void_p
        self._pulse.pa_simple_get_latency.restype = ctypes.c_uint64
        for name in ("write", "get_latency", "free"):
            getattr(self._pulse, f"pa_simple_{name}").argtypes = {
                "write": (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p),
                "get_latency": (ctypes.c_void_p, ctypes.c_void_p),
                "free": (ctypes.c_void_p,),
            }[name]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        """Stop playing."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        spec = (ctypes.c_uint32 * 3)(_S16LE, RATE_HZ, 1)
        sizes = (ctypes.c_uint32 * 5)(_UNSET, _BLOCK * 2 * 6, 0, _UNSET, _UNSET)
        stream = self._pulse.pa_simple_new(None, b"beeper", _PLAYBACK, b"cable", b"beeps", spec, None, sizes, None)
        if not stream:
            raise OSError("the sound server takes no sound")
        silence = np.zeros(_BLOCK, np.int16)
        tone = (np.sin(2 * np.pi * 1000 * np.arange(round(BEEP_S * RATE_HZ)) / RATE_HZ) * 20_000).astype(np.int16)
        next_s = time.monotonic() + 2.0
        while not self._stop.is_set():
            due = time.monotonic() >= next_s
            if not due:
                self._write(stream, silence)
                continue
            late_us = self._pulse.pa_simple_get_latency(stream, None)
            heard_ns = time.monotonic_ns() + 1000 * late_us
            next_s += EVERY_S
            begun = self._written
            for block in tone.reshape(-1, _BLOCK):
                self._write(stream, block)
                if self._written == begun + _BLOCK:
                    self.begun.append(begun if time.monotonic_ns() < heard_ns else None)
                    self.heard_ns.append(heard_ns)
        self._pulse.pa_simple_free(stream)

    def _write(self, stream: int, block: NDArray[np.int16]) -> None:
        self._pulse.pa_simple_write(stream, block.ctypes.data, block.nbytes, None)
        self._written += len(block)


def sure(heard_ns: Sequence[int], begun: Sequence[int | None]) -> list[bool]:
    """Whether what was told of each beep agrees with its neighbours.

    Sound is played sample by sample: a beep may come later than counted (the buffer ran dry), and then all that follow
    do. One that was told later than those behind it, or earlier than those before, by more than 10 ms, was told wrong:
    this program, or the server, was held up between looking at the sound and at the clock.

    Args:
        heard_ns: As told.
        begun: At which sample of all each begins; None where that does not fit what was told.
    """
    pairs = zip(heard_ns, begun, strict=False)
    late_s = [None if at is None else heard / 1e9 - at / RATE_HZ for heard, at in pairs]
    found: list[bool] = []
    for number, each in enumerate(late_s):
        before = [other for other in late_s[max(0, number - _NEIGHBOURS) : number] if other is not None]
        behind = [other for other in late_s[number + 1 : number + 1 + _NEIGHBOURS] if other is not None]
        found.append(
            each is not None
            and (not before or each > statistics.median(before) - _SURE_S)
            and (not behind or each < statistics.median(behind) + _SURE_S)
        )
    return found


@dataclass(frozen=True)
class Measured:
    """What a recording shows.

    Attributes:
        offsets_ms: Of the beeps, in order; above 0 the sound is late.
        doubtful_ms: The same of beeps of which it was not known when they were heard: they prove nothing.
    """

    offsets_ms: tuple[float, ...]
    doubtful_ms: tuple[float, ...] = ()

    @property
    def good(self) -> bool:
        """Whether sound and picture fit, and enough is known to say so."""
        doubtful = len(self.doubtful_ms)
        known = bool(self.offsets_ms) and doubtful <= DOUBTFUL_AT_MOST * (len(self.offsets_ms) + doubtful)
        return known and max(map(abs, self.offsets_ms)) < WANTED_MS


def record(path: Path, seconds: float, late_ms: float) -> list[tuple[float, bool]]:
    """Record so long.

    Returns:
        For each flash how much later it was seen than the beep was heard, in seconds, and whether that is sure.
    """
    settings = Settings().with_values({"sound.source": "microphone", "record.preset": "ultrafast"})
    recorder: Recorder = make_recorder(path, settings, SoundSources(open_microphone=open_microphone))
    recorder.open(SIZE_WH, FPS)
    beeper, seen = Beeper(), list[float]()
    try:
        for frame in _pictures(beeper, seconds, seen):
            time.sleep(max(0.0, frame.captured_ns / 1e9 + late_ms / 1000 - time.monotonic()))
            recorder.send(frame)
    finally:
        beeper.close()
        recorder.close()
    return list(zip(seen, sure(beeper.heard_ns, beeper.begun), strict=False))


def _pictures(beeper: Beeper, seconds: float, seen: list[float]) -> Iterator[Any]:
    dark = np.full((SIZE_WH[1], SIZE_WH[0], 3), 16, np.uint8)
    bright = np.full_like(dark, 235)
    begun_ns = time.monotonic_ns()
    for number in range(round(seconds * FPS)):
        captured_ns = begun_ns + round(number / FPS * 1e9)
        # What is asked below is known only then.
        time.sleep(max(0.0, (captured_ns - time.monotonic_ns()) / 1e9))
        flash = len(beeper.heard_ns) > len(seen) and captured_ns >= beeper.heard_ns[len(seen)]
        if flash:
            seen.append((captured_ns - beeper.heard_ns[len(seen)]) / 1e9)
        yield _Shown(number, HostImage(bright if flash else dark), number / FPS, captured_ns, number)


def compared(path: Path, seen: list[tuple[float, bool]]) -> Measured:
    """Each beep against its flash, as the file has them."""
    with av.open(str(path)) as film:
        lit = (frame for frame in film.decode(video=0) if frame.to_ndarray(format="gray").mean() > 128)
        flashes = [float(frame.time or 0) for frame in lit]
    beeps = list(_onsets(path))
    found: dict[bool, list[float]] = {True: [], False: []}
    for flash_s, (late_s, is_sure) in zip(flashes, seen, strict=False):
        beep_s = min(beeps, key=lambda beep_s: abs(beep_s - flash_s), default=float("inf"))
        if abs(beep_s - flash_s) < EVERY_S / 2:
            found[is_sure].append(1000 * (beep_s - (flash_s - late_s)))
    return Measured(tuple(found[True]), tuple(found[False]))


def _onsets(path: Path) -> Iterator[float]:
    """When each beep begins."""
    quiet_until = -1.0
    with av.open(str(path)) as film:
        for frame in film.decode(audio=0):
            wave: NDArray[Any] = np.abs(frame.to_ndarray()[0])
            begin_s = float(frame.time or 0)
            loud = np.flatnonzero(wave > 0.15)
            if len(loud) and begin_s > quiet_until:
                yield begin_s + loud[0] / frame.sample_rate
                quiet_until = begin_s + EVERY_S / 2


def measure(folder: Path, minutes: float, late_ms: float) -> Measured:
    """Record and look; needs a sound server with a sink called "cable", whose monitor is the default source."""
    path = folder / "av.mp4"
    return compared(path, record(path, 60 * minutes, late_ms))


def main() -> int:
    """Measure in a session of its own; print."""
    from tests.sound_server import SoundServer  # noqa: PLC0415 (only where it is run by hand)

    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--late-ms", type=float, default=45.0)
    wanted = parser.parse_args()
    with SoundServer() as server, tempfile.TemporaryDirectory() as folder:
        os.environ.update(server.env)
        measured = measure(Path(folder), wanted.minutes, wanted.late_ms)
    found = measured.offsets_ms
    for number, begin in enumerate(range(0, len(found), 60)):
        part = found[begin : begin + 60]
        print(f"minute {number + 1:3}: {statistics.median(part):+6.1f} ms (from {min(part):+.1f} to {max(part):+.1f})")
    summary = f": median {statistics.median(found):+.1f} ms, worst {max(map(abs, found)):.1f} ms" if found else ""
    print(f"{len(found)} beeps{summary}")
    if measured.doubtful_ms:
        told = ", ".join(f"{offset_ms:+.1f}" for offset_ms in measured.doubtful_ms)
        print(f"left out, because it is not known when they were heard: {told} ms")
    return 0 if measured.good else 1


if __name__ == "__main__":
    sys.exit(main())
