"""One session of the studio, and what is watched and recorded beside it."""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

from facefusion_live.app.resources import ResourceWatch, memory_mib
from facefusion_live.app.studio_state import Level, Notice, RecordingState
from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.domain.ports import Clock, Sink, SinkStatus
from facefusion_live.engine.governing import Eased
from facefusion_live.engine.latency import Percentiles
from facefusion_live.engine.session import LiveSession
from facefusion_live.engine.worker import Worker

log = logging.getLogger("facefusion_live.studio")

WITHHELD_ADVICE = "The slate goes out; the scene is shown again by itself when it is judged harmless."
SHOWN_AGAIN = "the scene is shown again"
_LOOK_S = 0.25
_RATE_NS = 1_000_000_000
"""Frame rates are those of the last second."""
_NEWEST = 300
"""Latencies are those of the last frames: ten seconds at 30 frames/s."""


class Recorder(Sink, Protocol):
    """A sink that can rest and writes one file after the other."""

    @property
    def parts(self) -> tuple[Path, ...]:
        """The files begun so far. Thread: any."""
        ...

    def pause(self, *, on: bool) -> None:
        """Rest, or go on. Thread: any."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What was last read off a session; fields as in `StudioState`."""

    fps_in: float = 0.0
    fps_out: float = 0.0
    latency_ms: dict[str, Percentiles] = field(default_factory=dict[str, Percentiles])
    dropped: dict[str, int] = field(default_factory=dict[str, int])
    failed: dict[str, int] = field(default_factory=dict[str, int])
    leaks: int = 0
    warnings: tuple[str, ...] = ()
    memory_mib: float = 0.0
    eased: Eased = field(default_factory=Eased)


class Recording:
    """A recording that runs.

    Args:
        path: Of the file.
        name: Of its sink in the session.
        sink: The recorder.
        clock: Time.
    """

    def __init__(self, path: Path, name: str, sink: Recorder, clock: Clock) -> None:
        self.path, self.name = path, name
        self._sink, self._clock = sink, clock
        self._began_ns, self._rested_ns = clock.now_ns(), 0
        self._rests_since_ns: int | None = None

    def pause(self, *, on: bool) -> None:
        """Rest, or go on."""
        now_ns = self._clock.now_ns()
        if on and self._rests_since_ns is None:
            self._rests_since_ns = now_ns
        elif not on and self._rests_since_ns is not None:
            self._rested_ns += now_ns - self._rests_since_ns
            self._rests_since_ns = None
        self._sink.pause(on=on)

    @property
    def files(self) -> tuple[Path, ...]:
        """What was written so far."""
        return self._sink.parts

    def state(self) -> RecordingState:
        """For the window."""
        now_ns = self._clock.now_ns() if self._rests_since_ns is None else self._rests_since_ns
        seconds = (now_ns - self._began_ns - self._rested_ns) / 1e9
        written = self._sink.status().bytes_out or 0
        return RecordingState(self.path.name, round(seconds, 1), self._rests_since_ns is not None, written)


class OnAir:
    """Starts a session, watches it and ends it. Thread: loader, save `reading`, `outputs` and the properties.

    Args:
        session: Not started yet.
        spec: Its input, as asked for.
        clock: Time.
        tell: Takes notices. Thread: any.
        ended: Told, on the watching thread, that the input of this session came to its end.
        broke: Told, on the watching thread, that the recording broke.
    """

    def __init__(
        self,
        session: LiveSession,
        spec: str,
        clock: Clock,
        tell: Callable[[Notice], None],
        ended: Callable[["OnAir"], None],
        broke: Callable[["OnAir"], None],
    ) -> None:
        self.session, self.spec = session, spec
        self.reading = Reading()
        self._clock, self._tell, self._ended, self._broke = clock, tell, ended, broke
        self._recording: Recording | None = None
        self._recordings: set[str] = set()
        self._began_ns = clock.now_ns()
        self._resources = ResourceWatch(clock, None, realtime=True)
        self._marks: deque[tuple[int, int, int]] = deque()
        self._told: set[str] = set()
        self._missing: dict[str, str] = {}
        self._missed = self._withheld = ""
        self._monitor = Worker("monitor", self._look, on_error=_look_failed)

    def begin(self) -> None:
        """Open everything.

        Raises:
            CaptureOpenError: The input cannot be opened; InferenceError likewise.
        """
        self.session.start()
        self._began_ns = self._clock.now_ns()
        self._monitor.start()

    def end(self) -> None:
        """End the session and the watching."""
        self._monitor.ask_to_stop()
        self.session.stop()
        self._monitor.join(1.0)

    @property
    def recording(self) -> Recording | None:
        """The one that runs."""
        return self._recording

    @recording.setter
    def recording(self, recording: Recording | None) -> None:
        self._recording = recording
        if recording is not None:
            self._recordings.add(recording.name)

    @property
    def seconds(self) -> float:
        """How long it has been live."""
        return (self._clock.now_ns() - self._began_ns) / 1e9

    def outputs(self) -> dict[str, SinkStatus]:
        """How each output is doing, recordings left out: also those that broke."""
        return {name: status for name, status in self.session.outputs.items() if name not in self._recordings}

    def _look(self) -> bool:
        report = self.session.report(_NEWEST)
        now_ns = self._clock.now_ns()
        self._marks.append((now_ns, report.frames_in, report.frames_out))
        while now_ns - self._marks[0][0] > _RATE_NS and len(self._marks) > 2:
            self._marks.popleft()
        then_ns, frames_in, frames_out = self._marks[0]
        seconds = max(now_ns - then_ns, 1) / 1e9
        self._resources.poll(report)
        self.reading = Reading(
            fps_in=round((report.frames_in - frames_in) / seconds, 1),
            fps_out=round((report.frames_out - frames_out) / seconds, 1),
            latency_ms=report.latency_ms,
            dropped=report.dropped,
            failed=report.failed,
            leaks=report.leaks,
            warnings=tuple(self._resources.warnings),
            memory_mib=round(memory_mib()),
            eased=report.governor,
        )
        self._tell_failures()
        self._tell_missing()
        self._tell_input()
        self._tell_content()
        if self.session.wait(0.0):
            self._ended(self)
            return False
        self._monitor.pause(_LOOK_S)
        return True

    def _tell_input(self) -> None:
        """That no pictures come is told once, and that they come again."""
        before, self._missed = self._missed, self.session.input_problem
        if self._missed and not before:
            advice = "Check the camera or the address. It is opened again by itself; until then nothing new goes out."
            self._tell(Notice(Level.WARNING, self._missed, advice))
        elif before and not self._missed:
            self._tell(Notice(Level.INFO, "pictures come again"))

    def _tell_content(self) -> None:
        """That the scene is withheld is told each time, and that it is shown again."""
        before, self._withheld = self._withheld, self.session.content.problem
        if self._withheld and self._withheld != before:
            self._tell(Notice(Level.WARNING, self._withheld, WITHHELD_ADVICE))
        elif before and not self._withheld:
            self._tell(Notice(Level.INFO, SHOWN_AGAIN))

    def _tell_failures(self) -> None:
        """An output that breaks is told once; the others and the picture go on."""
        for name, error in self.session.failed_sinks.items():
            if name not in self._told:
                self._told.add(name)
                advice = cast("str", getattr(error, "advice", "")) if isinstance(error, FaceFusionLiveError) else ""
                self._tell(Notice(Level.ERROR, f"the output {name} failed: {error}", advice, type(error).__name__))
                if name in self._recordings:
                    self._broke(self)

    def _tell_missing(self) -> None:
        """An output that goes on without something, each time that it begins to."""
        before = self._missing
        self._missing = {name: status.missing for name, status in self.session.outputs.items()}
        for name, missing in self._missing.items():
            if missing and missing != before.get(name, ""):
                self._tell(Notice(Level.WARNING, f"the output {name}: {missing}"))


def _look_failed(error: Exception) -> None:
    log.error("the session could not be looked at: %s: %s", type(error).__name__, error)
