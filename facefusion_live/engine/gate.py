"""The gate: what may go out. It fails closed: without a proof that every face is covered, the bare picture stays in.

    SLATE ── good ──> LIVE ── not good ──> HOLD ── hold_ms over ──> SLATE
    any state ── panic, revoked consent, content ──> SLATE at once
    not good, and pass-through armed by hand ──> PASS

A frame is good when nothing failed on the way, every face that must be covered is there and has a patch of finite
numbers that covers at least `FLOOR` of it and shows another face, the last re-detection agrees with the track, and the
mesh has not slipped from the face.
What mask nets take for a hand or hair before the face need not be covered, as far as `covering` lets them.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from facefusion_live.domain.change import CHANGED_FROM
from facefusion_live.domain.face import Job
from facefusion_live.domain.image import Frame, Image
from facefusion_live.domain.ports import Composition, GateState, OutputFrame
from facefusion_live.domain.settings import Settings

FLOOR = 0.9
"""Share of a face that must be covered."""


class Block(Enum):
    """What shuts the gate whatever the picture shows."""

    PANIC = "panic"
    CONSENT = "consent"
    CONTENT = "content"


class Fault(Enum):
    """Why a frame is not good."""

    STAGE_FAILED = "stage failed"
    NOT_COMPOSED = "not composed"
    NO_FACE = "no face"
    NOT_ENROLLED = "nobody who is enrolled"
    FACE_LOST = "face lost"
    NO_PATCH = "no patch"
    NOT_FINITE = "not finite"
    DISAGREED = "track and detection disagree"
    SLIPPED = "mesh off the face"
    NOT_COVERED = "not covered"
    NOT_CHANGED = "face not changed"
    GIVEN_AWAY = "masks leave too much bare"


@dataclass(frozen=True, slots=True, eq=False)
class _Released:
    """The one kind of `OutputFrame`. Made here and nowhere else (a test reads the source for it)."""

    index: int
    state: GateState
    image: Image
    job_index: int
    captured_ns: int
    media_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A picture that asks to go out.

    Attributes:
        job: What inference knows about it.
        composition: The finished picture; None when composing failed.
    """

    job: Job
    composition: Composition | None

    def fault(self) -> Fault | None:
        """Why the picture is not good; None when it is."""
        return next(self.faults(), None)

    def faults(self) -> Iterator[Fault]:
        """What speaks against the picture, the plainest first."""
        job, targets = self.job, self.job.targets
        if job.failure is not None:
            yield Fault.STAGE_FAILED
        if self.composition is None:
            yield Fault.NOT_COMPOSED
        if job.missing:
            yield Fault.FACE_LOST
        if not targets:
            yield Fault.NOT_ENROLLED if job.faces else Fault.NO_FACE
        if set(targets) - {patch.face_index for patch in job.patches}:
            yield Fault.NO_PATCH
        if not self._finite():
            yield Fault.NOT_FINITE
        if not all(job.faces[index].agreed for index in targets):
            yield Fault.DISAGREED
        if not all(job.faces[index].anchored for index in targets):
            yield Fault.SLIPPED
        yield from self._nets_not_believed()
        # Not `any(share < FLOOR)`: a share that is not a number, or is not told, must count as uncovered.
        shares = self.composition.covered if self.composition is not None else ()
        if len(shares) != len(targets) or not all(share >= FLOOR for share in shares):
            yield Fault.NOT_COVERED

    def _nets_not_believed(self) -> Iterator[Fault]:
        # A hand may hide a part of a face. A mask net that sees hands everywhere would give the bare face away.
        if not all(patch.given <= 1 for patch in self.job.patches):
            yield Fault.GIVEN_AWAY
        # A net that gives back what it was fed covers the whole face, with the bare face.
        changes = (patch.change for patch in self.job.patches if patch.change is not None)
        if not all(change >= CHANGED_FROM for change in changes):
            yield Fault.NOT_CHANGED

    @property
    def covered(self) -> float:
        """The least covered of the faces that must be."""
        return min(self.composition.covered, default=0.0) if self.composition else 0.0

    def _finite(self) -> bool:
        meshes = (self.job.faces[index].mesh_px for index in self.job.targets)
        maps = (patch.crop_from_frame for patch in self.job.patches)
        return all(bool(np.isfinite(numbers).all()) for numbers in (*meshes, *maps))


@dataclass(slots=True)
class GateCounts:
    """What went through the gate.

    Attributes:
        states: Emitted frames by state.
        faults: Frames that were not good, by reason.
        covered_min: Least covered face in a LIVE or HOLD frame; 1 before the first.
        leaks: LIVE or HOLD frames in which a face was covered less than `FLOOR`. Zero, or the gate is broken.
    """

    states: dict[GateState, int]
    faults: dict[Fault, int]
    covered_min: float = 1.0
    leaks: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    image: Image
    covered: float
    good_ns: int


class Gate:
    """Decides what each emitted frame shows. Thread: render; `block`, `unblock` and `arm` from any.

    Args:
        permitted: Whether the source face may still be used; asked before each frame. Once it may not, `Block.CONSENT`
            stays until somebody takes it back.
    """

    def __init__(self, permitted: Callable[[], bool] = lambda: True) -> None:
        self._permitted = permitted
        self.counts = GateCounts(dict.fromkeys(GateState, 0), {})
        self._lock = threading.Lock()
        self._blocks: set[Block] = set()
        self._armed = False
        self._held: _Held | None = None
        self._next_index = 0
        self._state = GateState.SLATE
        self._fault: Fault | None = None
        self._job_index = -1
        self._captured_ns = 0

    @property
    def state(self) -> GateState:
        """State of the last emitted frame."""
        return self._state

    @property
    def fault(self) -> Fault | None:
        """Why the last picture offered was not good; None when it was, and before the first."""
        return self._fault

    @property
    def armed(self) -> bool:
        """Whether the bare camera may go out."""
        with self._lock:
            return self._armed

    @property
    def blocks(self) -> frozenset[Block]:
        """What keeps the gate shut just now."""
        with self._lock:
            return frozenset(self._blocks)

    def block(self, reason: Block) -> None:
        """Shut the gate: SLATE from the next emitted frame on, and nothing old is shown again."""
        with self._lock:
            self._blocks.add(reason)

    def unblock(self, reason: Block) -> None:
        """Take the reason back; the next good frame goes out."""
        with self._lock:
            self._blocks.discard(reason)

    def arm(self, *, pass_through: bool) -> None:
        """Allow, or forbid again, that the bare camera goes out when a frame is not good."""
        with self._lock:
            self._armed = pass_through

    def lets(self, candidate: Candidate) -> bool:
        """Whether a picture would go out as it is, LIVE or PASS; nothing moves. Thread: any."""
        blocked, armed = self._orders()
        return not blocked and candidate.composition is not None and (armed or candidate.fault() is None)

    def offer(self, candidate: Candidate, now_ns: int, settings: Settings) -> GateState:
        """Judge a new picture and move on to the state it leads to.

        Args:
            candidate: The picture; the gate takes its own share of what it wants to hold.
            now_ns: The session's time.
            settings: For the hold time.
        """
        fault = self._fault = candidate.fault()
        if fault is not None:
            self.counts.faults[fault] = self.counts.faults.get(fault, 0) + 1
        self._job_index = candidate.job.frame.index
        self._captured_ns = candidate.job.frame.captured_ns
        blocked, armed = self._orders()
        if blocked:
            return self._enter(GateState.SLATE)
        if fault is None and candidate.composition is not None:
            self._hold(_Held(candidate.composition.image, candidate.covered, now_ns))
            return self._enter(GateState.LIVE)
        if armed and candidate.composition is not None:
            return self._enter(GateState.PASS)
        return self.expire(now_ns, settings)

    def expire(self, now_ns: int, settings: Settings) -> GateState:
        """No new good picture: hold the last one while it may be held. The timer calls this too."""
        blocked, _ = self._orders()
        held = self._held
        if not blocked and held is not None and now_ns - held.good_ns <= settings.gate.hold_ms * 1_000_000:
            return self._enter(GateState.HOLD)
        return self._enter(GateState.SLATE)

    def release(self, picture: Image | None, slate: Callable[[], Image], media_s: float) -> OutputFrame:
        """Emit a frame in the present state; an order to shut that came in the meantime is obeyed.

        Args:
            picture: The new picture, shown in LIVE and PASS.
            slate: Makes what is shown in SLATE; the gate takes over its share.
            media_s: Time of the frame in the source's clock.

        Returns:
            The frame. One share of its image belongs to the caller.
        """
        if not self._permitted():
            self.block(Block.CONSENT)
        blocked, armed = self._orders()
        if blocked or (self._state is GateState.PASS and not armed):
            self._enter(GateState.SLATE)
        held = self._held
        shown = held.image if self._state is GateState.HOLD and held is not None else picture
        if self._state is GateState.SLATE or shown is None:
            self._enter(GateState.SLATE)
            shown = slate()
        else:
            shown.retain()
        self._count(held)
        frame = _Released(self._next_index, self._state, shown, self._job_index, self._captured_ns, media_s)
        self._next_index += 1
        return frame

    def close(self) -> None:
        """Let go of the held picture."""
        self._hold(None)

    def _orders(self) -> tuple[bool, bool]:
        with self._lock:
            return bool(self._blocks), self._armed

    def _enter(self, state: GateState) -> GateState:
        if state in (GateState.SLATE, GateState.PASS):
            self._hold(None)
        self._state = state
        return state

    def _hold(self, held: _Held | None) -> None:
        if held is not None:
            held.image.retain()
        old, self._held = self._held, held
        if old is not None:
            old.image.release()

    def _count(self, held: _Held | None) -> None:
        counts = self.counts
        counts.states[self._state] += 1
        if self._state in (GateState.LIVE, GateState.HOLD) and held is not None:
            counts.covered_min = min(counts.covered_min, held.covered)
            counts.leaks += held.covered < FLOOR


def is_hopeless(job: Job) -> bool:
    """Whether no picture of this job can be good, however it is composed."""
    return any(fault not in (Fault.NOT_COMPOSED, Fault.NOT_COVERED) for fault in Candidate(job, None).faults())


def frame_for_slate(job: Job | None, settings: Settings, blocks: frozenset[Block] = frozenset()) -> Frame | None:
    """The frame that a pixelated slate shows; None for the card.

    A scene that must not be shown is not shown in squares either.
    """
    pixelated = settings.gate.slate == "pixelate" and Block.CONTENT not in blocks
    return job.frame if job is not None and pixelated else None
