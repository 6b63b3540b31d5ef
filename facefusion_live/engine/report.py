"""What a session did, as one value."""

from dataclasses import dataclass, field

from facefusion_live.domain.ports import Backend, SinkStatus
from facefusion_live.engine.content import ContentReading
from facefusion_live.engine.governing import Eased
from facefusion_live.engine.latency import Percentiles


@dataclass(frozen=True, slots=True)
class SessionReport:
    """Counters and latencies of a session, while it runs or after.

    Attributes:
        frames_in: Captured.
        frames_out: Emitted by the gate.
        dropped: Frames that were left out, by where: overtaken before "inference" or "render", "too old" to go out as
            new, or at the name of a sink.
        state_frames: Emitted frames by gate state.
        faults: Frames that were not good, by reason.
        failed: Frames that failed, by stage.
        covered_min: Least covered face in a LIVE or HOLD frame.
        leaks: LIVE or HOLD frames with a face covered less than the floor.
        latency_ms: By stage, in milliseconds, "capture_to_emit" among them.
        fps: Emitted frames per second.
        losses: Times that the source was lost.
        silences: Times that nothing came for longer than a source may be silent.
        sink_errors: What broke, by sink.
        outputs: How each sink is doing.
        backend: What composes, why, and what was lost.
        warnings: In plain words, what the user should know though nothing failed.
        content: How scenes were judged.
        governor: What is left out while the machine does not keep up.
    """

    frames_in: int
    frames_out: int
    dropped: dict[str, int]
    state_frames: dict[str, int]
    faults: dict[str, int]
    failed: dict[str, int]
    covered_min: float
    leaks: int
    latency_ms: dict[str, Percentiles]
    fps: float
    losses: int
    silences: int
    sink_errors: dict[str, str]
    outputs: dict[str, SinkStatus]
    backend: Backend
    warnings: tuple[str, ...] = ()
    content: ContentReading = field(default_factory=ContentReading)
    governor: Eased = field(default_factory=Eased)
