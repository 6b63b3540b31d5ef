"""What the window shows of the program, as values: it polls them and keeps no truth of its own."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from facefusion_live.app.portraits import Consent
from facefusion_live.domain.consent import Grant
from facefusion_live.domain.ports import GateState, SinkStatus
from facefusion_live.engine.gate import Block
from facefusion_live.engine.governing import Eased
from facefusion_live.engine.latency import Percentiles


class Phase(StrEnum):
    """Where the session is. Each is also its word: `phase == "live"`."""

    IDLE = "idle"
    STARTING = "starting"
    LIVE = "live"
    STOPPING = "stopping"


class Level(StrEnum):
    """How grave a notice is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person is told once.

    Attributes:
        level: How grave.
        text: What happened, in plain words, one line.
        advice: What the user can do about it, one sentence; may be empty.
        details: For the developer: the class of the error, the place of the log; may be empty.
    """

    level: Level
    text: str
    advice: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True)
class InputState:
    """The input in use; while idle, the one chosen.

    Attributes:
        spec: As on the command line: "camera:0", a path, an address, "synthetic".
        name: For people: the camera's name, the file's, an address without its path.
        size_wh: Of its pictures, as really delivered; (0, 0) while unknown.
        fps: Nominal, as really delivered; 0 while unknown.
    """

    spec: str
    name: str
    size_wh: tuple[int, int] = (0, 0)
    fps: float = 0.0


@dataclass(frozen=True, slots=True)
class EngineState:
    """The engine in use.

    Attributes:
        name: "mesh", or the card of a swapper.
        provider: What really computes it: "cpu".
        loading: Another one that was chosen and is being loaded; empty while none is.
    """

    name: str = "mesh"
    provider: str = "cpu"
    loading: str = ""


@dataclass(frozen=True, slots=True)
class SourceState:
    """The source face in use; while idle, the one chosen.

    Attributes:
        person_id: As `Person.id`.
        name: As `Person.name`.
        loading: Another one was chosen and is being prepared.
    """

    person_id: str
    name: str
    loading: bool = False


@dataclass(frozen=True, slots=True)
class RecordingState:
    """A recording that runs.

    Attributes:
        name: Name of the file, without its folder.
        seconds: Length so far, pauses left out.
        paused: Pictures are not written just now.
        size_bytes: Of the file so far.
    """

    name: str
    seconds: float
    paused: bool
    size_bytes: int


@dataclass(frozen=True, slots=True)
class AuditState:
    """How the record is doing.

    Attributes:
        words: In plain words: "on record", "not on record: the disk is full".
        degraded: What is recorded is not being stored just now.
        stored: Rows on the disk.
        suppressed: Turned away by the flood limit, and told of.
        lost: Lost because the store could not take them, and told of.
    """

    words: str = "on record"
    degraded: bool = False
    stored: int = 0
    suppressed: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Somebody whose face the program knows.

    Attributes:
        name: What the user calls them.
        looks: How often their face was looked at for it.
        face: Id of the person whose face they get; empty for the one that all get.
    """

    name: str
    looks: int
    face: str = ""


@dataclass(frozen=True, slots=True)
class StudioState:
    """The program at one moment. Cheap to make and to compare.

    Attributes:
        phase: Where the session is.
        gate: What goes out; SLATE while idle.
        blocks: What keeps the gate shut: panic, revoked consent, content.
        pass_armed: The bare camera may go out.
        frozen: The viewport stands still; the outputs go on.
        fps_in: Frames captured in the last second.
        fps_out: Frames emitted in the last second.
        latency_ms: Of the last seconds, by stage; "capture_to_emit" is the whole way.
        dropped: Frames overtaken in this session, by where.
        failed: Frames that failed in this session, by stage.
        fault: Why the last frame was not good, in words: "no face"; empty when it was.
        input_problem: Why no pictures come from the input just now, in words; empty while they do.
        leaks: LIVE or HOLD frames that were not covered. Zero, or the gate is broken.
        input: In use, or chosen.
        source: In use, or chosen; None before one was.
        engine: What swaps.
        backend: What composes: "cpu", "gl"; empty while idle.
        backend_reason: Why that one, in words; may be empty.
        recording: The recording that runs, or None.
        outputs: How each output is doing, by name.
        audit: How the record is doing.
        warnings: What runs short, in words, each given once a session.
        session_s: How long the session has been live.
        people_revision: Rises when `Library.people` changes.
        guests: Whose faces are known, in the order enrolled.
        revision: Of the settings, as `SettingsStore.revision`.
        can_undo: There is a step to take back.
        can_redo: There is a step that was taken back.
        memory_mib: Resident memory of the program; 0 while idle.
        left_out: What pictures go out without: "label", "mark"; "content" where nobody looks at what they show.
        left_out_asked: What the settings ask to leave out; it is on until `Studio.leave_out` is told why.
        left_out_reason: Why something is left out.
        content_problem: Why the scene is withheld, in words; empty while it is not.
        eased: What is left out while the machine does not keep up.
        approval_off_asked: The settings ask for no second person any more; one is asked for until the code is given.
    """

    phase: Phase = Phase.IDLE
    gate: GateState = GateState.SLATE
    blocks: frozenset[Block] = frozenset()
    pass_armed: bool = False
    frozen: bool = False
    fps_in: float = 0.0
    fps_out: float = 0.0
    latency_ms: dict[str, Percentiles] = field(default_factory=dict[str, Percentiles])
    dropped: dict[str, int] = field(default_factory=dict[str, int])
    failed: dict[str, int] = field(default_factory=dict[str, int])
    fault: str = ""
    input_problem: str = ""
    leaks: int = 0
    input: InputState = InputState("synthetic", "synthetic")
    source: SourceState | None = None
    engine: EngineState = EngineState()
    backend: str = ""
    backend_reason: str = ""
    recording: RecordingState | None = None
    outputs: dict[str, SinkStatus] = field(default_factory=dict[str, SinkStatus])
    audit: AuditState = AuditState()
    warnings: tuple[str, ...] = ()
    session_s: float = 0.0
    people_revision: int = 0
    guests: tuple[KnownPerson, ...] = ()
    revision: int = 0
    can_undo: bool = False
    can_redo: bool = False
    memory_mib: float = 0.0
    left_out: tuple[str, ...] = ()
    left_out_asked: tuple[str, ...] = ()
    left_out_reason: str = ""
    content_problem: str = ""
    eased: Eased = field(default_factory=Eased)
    approval_off_asked: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Someone whose face can be used as source.

    Attributes:
        id: Stays with them: the avatar's id, or one made when they were added.
        name: For people.
        built_in: An avatar: nobody's likeness.
        photos: Files, in the order added.
        consent: Why the face may be used.
        thumbnail: (256, 256, 3) uint8 RGB, the face; None until it was made.
        problem: Why they cannot be used just now, in words: a photo is missing or was changed; None when they can.
        grant: The consent as it is kept; None for avatars, and where there is none.
        withheld: Why the consent does not hold just now, in words; "" when it does.
    """

    id: str
    name: str
    built_in: bool
    photos: tuple[str, ...]
    consent: Consent
    thumbnail: NDArray[np.uint8] | None = None
    problem: str | None = None
    grant: Grant | None = None
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of one file that was to be added.

    Attributes:
        name: The file's name, without its folder.
        person_id: Whom it was added to; None when it was not.
        problem: Why it was not, in words; None when it was.
        advice: What can be done about it.
    """

    name: str
    person_id: str | None
    problem: str | None = None
    advice: str = ""


@dataclass(frozen=True, slots=True)
class CameraChoice:
    """A camera that is there.

    Attributes:
        spec: What `choose_input` wants: "camera:0".
        name: As the system calls it.
        formats: What it really gives: (width, height, frames per second), best first; empty where the system does not
            tell.
    """

    spec: str
    name: str
    formats: tuple[tuple[int, int, float], ...] = ()
