"""The governor of a live session: reads twice a second what it takes, and says what of the settings is in force."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from facefusion_live.domain.face import Job
from facefusion_live.domain.governor import (
    LADDER,
    RECOVERED,
    SETTLE_S,
    SWITCHED_OFF,
    Measured,
    State,
    effective,
    left_out,
    step,
)
from facefusion_live.domain.ports import Clock, EventLog
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.latency import CAPTURE_TO_PICTURE, LatencyRecorder
from facefusion_live.engine.store import SettingsStore
from facefusion_live.engine.worker import Worker

log = logging.getLogger("facefusion_live.governor")

ALL_MADE = "everything is computed again as it was chosen"
"""Said when nothing is left out any more."""
_LOOK_S = 0.5
_TARGET = "engine"


@dataclass(frozen=True, slots=True)
class Machine:
    """What the machine says of itself at one moment.

    Attributes:
        processor_s: Processor time that the program took so far, of all its threads.
        processors: How many there are for it.
        memory_free_mib: What the system can still give; None where nobody asks.
        gpu_free_mib: On the graphics card that has least; None where no card can be asked.
    """

    processor_s: float = 0.0
    processors: int = 1
    memory_free_mib: float | None = None
    gpu_free_mib: float | None = None


@dataclass(frozen=True, slots=True)
class Eased:
    """What the governor did.

    Attributes:
        rung: How many rungs of the ladder are in force.
        left_out: What the picture is made with instead of what was chosen, in words.
        why: Which part of the budget is missed, in words; empty while nothing is left out.
        lowest: The most rungs that were ever in force.
        steps: How often something was left out or came back.
    """

    rung: int = 0
    left_out: tuple[str, ...] = ()
    why: str = ""
    lowest: int = 0
    steps: int = 0


@dataclass(slots=True)
class _Made:
    """What inference did since the reading before."""

    frames: int = 0
    swapped: bool = False
    crop_px: int = 0


@dataclass(frozen=True, slots=True)
class _Before:
    """The counters of the reading before."""

    at_ns: int
    overtaken: int
    processor_s: float


class Governor:
    """Reads, decides (`domain.governor`), and lays what it left out over the settings, from one frame to the next.

    Thread: its own; `in_force` and `note` inference; `eased` any. Until `begin` it changes nothing.

    Args:
        store: What the user chose.
        clock: Time.
        latency: Where the session's durations are.
        events: The record: each step is put on it.
        overtaken: How many frames were left aside before inference so far.
        machine: Asks the machine; a few milliseconds.
    """

    def __init__(
        self,
        store: SettingsStore,
        clock: Clock,
        latency: LatencyRecorder,
        events: EventLog,
        overtaken: Callable[[], int],
        machine: Callable[[], Machine],
    ) -> None:
        self._store, self._clock, self._latency, self._events = store, clock, latency, events
        self._overtaken, self._machine = overtaken, machine
        self._lock = threading.Lock()
        self._state, self._made = State(), _Made()
        self._eased = Eased()
        self._in_force: tuple[Settings, int, Settings] | None = None
        self._inferred = self._judged = 0
        self._before: _Before | None = None
        self.worker = Worker("governor", self._step, on_error=_failed)

    def begin(self) -> None:
        """Start the thread."""
        self.worker.start()

    @property
    def eased(self) -> Eased:
        """What it did so far, in words of the settings as they are now."""
        eased, settings = self._eased, self._store.current
        if not settings.budget.govern:  # the row follows with the next reading
            return Eased(lowest=eased.lowest, steps=eased.steps)
        words = tuple(rung.words for rung in left_out(settings, eased.rung))
        return replace(eased, left_out=words, why=eased.why if words else "")

    def in_force(self, settings: Settings) -> Settings:
        """The settings with what is left out laid over them."""
        rung = self._state.rung if settings.budget.govern else 0
        known = self._in_force
        # Settings are exchanged as a whole, so the same object says the same.
        if known is None or known[0] is not settings or known[1] != rung:
            known = self._in_force = settings, rung, effective(settings, rung)
        return known[2]

    def note(self, job: Job) -> None:
        """One more frame went through inference."""
        with self._lock:
            self._made.frames += 1
            if job.patches:
                self._made.swapped = True
                self._made.crop_px = max(self._made.crop_px, *(patch.size_px for patch in job.patches))

    def look(self) -> None:
        """Read once, and decide."""
        measured, settings = self._measure(), self._store.current
        if measured is None:
            return
        before, after = self._state, step(self._state, measured, settings, self._clock.now_ns() / 1e9)
        self._state = after
        if after.rung == before.rung:
            return
        self._eased = Eased(
            rung=after.rung,
            why="" if after.shortage is None else after.shortage.words,
            lowest=max(self._eased.lowest, after.rung),
            steps=self._eased.steps + 1,
        )
        self._tell(before, after, settings)

    def _tell(self, before: State, after: State, settings: Settings) -> None:
        down = after.rung > before.rung
        if down and after.shortage is not None:
            reason = after.shortage.value
        else:
            reason = RECOVERED if settings.budget.govern else SWITCHED_OFF
        name = LADDER[max(before.rung, after.rung) - 1].name
        fields = effective(settings, after.rung).changes_from(effective(settings, before.rung))
        told = {"from_rung": before.rung, "to_rung": after.rung, "rung": name, "reason": reason, "fields": fields}
        self._events.record("governor.step", _TARGET, "success", told)
        log.info("governor: rung %d to %d (%s): %s", before.rung, after.rung, name, reason)

    def _measure(self) -> Measured | None:
        """What was taken since the reading before; None at the first, and while no frames come."""
        machine, now_ns = self._machine(), self._clock.now_ns()
        with self._lock:
            made, self._made = self._made, _Made()
        self._inferred, took_ns = self._latency.since("inference", self._inferred)
        self._judged, late_ns = self._latency.since(CAPTURE_TO_PICTURE, self._judged)
        now = _Before(now_ns, self._overtaken(), machine.processor_s)
        before, self._before = self._before, now
        if before is None:
            self._state = State(since_s=now_ns / 1e9 + SETTLE_S)
        if before is None or now_ns <= before.at_ns or not made.frames:
            return None
        seconds = (now_ns - before.at_ns) / 1e9
        return Measured(
            fps_in=(made.frames + now.overtaken - before.overtaken) / seconds,
            fps_done=made.frames / seconds,
            busy=min(float(took_ns.sum()) / 1e9 / seconds, 1.0),
            late_ms=float(np.percentile(late_ns, 95)) / 1e6 if late_ns.size else None,
            swapped=made.swapped,
            crop_px=made.crop_px,
            processor=(now.processor_s - before.processor_s) / seconds / machine.processors,
            memory_free_mib=machine.memory_free_mib,
            gpu_free_mib=machine.gpu_free_mib,
        )

    def _step(self) -> bool:
        self.look()
        self.worker.pause(_LOOK_S)
        return True


def _failed(error: Exception) -> None:
    log.error("the governor could not read the machine: %s: %s", type(error).__name__, error)
