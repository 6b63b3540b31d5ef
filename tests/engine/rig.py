"""A whole session made of fakes."""

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.ports import Buffers, Clock, EventLog, FrameSource, GateState, Sink
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.capturing import Capturing
from facefusion_live.engine.content import ContentCheck
from facefusion_live.engine.identify import IdentifyStage
from facefusion_live.engine.pipeline import Draft, Row
from facefusion_live.engine.session import Aside, LiveSession, SessionParts
from facefusion_live.engine.stages import (
    ChooseStage,
    DetectStage,
    LandmarkFinder,
    LookStage,
    Outfit,
    SwapStage,
    TrackStage,
)
from facefusion_live.engine.store import SettingsStore
from facefusion_live.engine.tracks import FaceTracks
from tests.fakes.clock import FakeClock
from tests.fakes.compute import FakeCompute
from tests.fakes.events import ListEvents
from tests.fakes.nets import FakeDetector, FakeJudge, FakeLandmarker, FakeRecogniser
from tests.fakes.pictures import Square, bare_share, room
from tests.fakes.sinks import CollectingSink, Seen
from tests.fakes.sources import Openings, ScriptedSource, Step
from tests.fakes.stages import Troubled, each_of
from tests.fakes.swapper import FakeSource, FakeSwapper

WAIT_S = 30.0
FACE = Square(0, 30, 20, 24)
Troubles = Mapping[int, Callable[[Draft], None]]


def pictures(count: int, face: Square | None = FACE) -> list[NDArray[np.uint8]]:
    """So many pictures of a face at rest; of an empty room without one."""
    return [room(face) if face is not None else room() for _ in range(count)]


def frame_of(picture: NDArray[np.uint8], index: int = 0, media_s: float | None = None) -> Frame:
    """A frame that nobody counts."""
    return Frame(index, index, index / 30 if media_s is None else media_s, HostImage(picture))


def until(there: Callable[[], bool], timeout_s: float = WAIT_S) -> None:
    """Wait for a counter that has no condition of its own."""
    deadline_s = time.monotonic() + timeout_s
    while not there():
        assert time.monotonic() < deadline_s, "never came"
        time.sleep(0.001)


def one_source(script: Iterable[Step], *, paced: bool = True, fps: float = 1.0) -> Openings:
    """A source that is opened once."""
    return Openings([ScriptedSource(script, paced=paced, fps=fps)])


@dataclass
class Rig:
    """Parts of a session, with room for trouble.

    At the default of one frame a second, the render timer steps in after 3 s: too late to be seen by a test that does
    not want it.
    """

    source: Callable[[], FrameSource]
    sinks: Sequence[Sink] = ()
    before: Mapping[str, Troubles] = field(default_factory=dict)
    after: Mapping[str, Troubles] = field(default_factory=dict)
    compute: FakeCompute = field(default_factory=FakeCompute)
    swapper: FakeSwapper = field(default_factory=FakeSwapper)
    detector: FakeDetector = field(default_factory=FakeDetector)
    landmarker: FakeLandmarker = field(default_factory=FakeLandmarker)
    recogniser: FakeRecogniser = field(default_factory=FakeRecogniser)
    settings: Settings = field(default_factory=lambda: Settings().with_values({"swap.max_crop_px": 128}))
    clock: Clock = field(default_factory=FakeClock)
    events: EventLog = field(default_factory=ListEvents)
    judge: FakeJudge | None = None
    offline: bool = False
    frame_limit: int | None = None
    stages_error: Exception | None = None

    def __post_init__(self) -> None:
        self.sink = CollectingSink()
        self.store = SettingsStore(self.settings)

    def session(self, capturing: Capturing | None = None) -> LiveSession:
        """The session; `sink` is its first output."""
        parts = SessionParts(
            open_source=self.source,
            make_stages=self._stages,
            compute=self.compute,
            sinks=(self.sink, *self.sinks),
            store=self.store,
            clock=self.clock,
            events=self.events,
            content=self._check(),
        )
        return LiveSession(parts, offline=self.offline, frame_limit=self.frame_limit, capturing=capturing)

    def _check(self) -> ContentCheck | None:
        judge = self.judge
        return None if judge is None else ContentCheck(lambda: judge, self.compute.crop)

    def run(self) -> LiveSession:
        """Run to the end of the input."""
        session = self.session()
        session.start()
        finish(session)
        return session

    def _stages(self, buffers: Buffers, aside: Aside) -> Sequence[Row]:
        if self.stages_error is not None:
            raise self.stages_error
        tracks = FaceTracks()
        finder = LandmarkFinder(self.landmarker, self.compute)
        look = LookStage(self.detector, self.compute)
        rows: tuple[Row, ...] = (
            (TrackStage(tracks, finder), look),
            DetectStage(tracks, look, (), self.compute),
            ChooseStage(tracks, finder, look.settled),
            IdentifyStage(tracks, self.recogniser, self.compute, aside),
            SwapStage(lambda: Outfit(self.swapper, FakeSource()), buffers),
        )
        return each_of(rows, lambda stage: Troubled(stage, self.before.get(stage.name), self.after.get(stage.name)))


def finish(session: LiveSession) -> None:
    """Wait for the end and see that nothing is left."""
    assert session.wait(WAIT_S), "the session never ended"
    assert_nothing_left(session)


def assert_nothing_left(session: LiveSession) -> None:
    assert session.leases == 0
    assert [thread.name for thread in threading.enumerate() if thread.name in SESSION_THREADS] == []


SESSION_THREADS = {"capture", "inference", "render", "inference beside", "side", "governor", "session end"}


def assert_never_bare(frames: Sequence[Seen]) -> None:
    """No frame but a PASS shows a face that should be covered."""
    for frame in frames:
        if frame.state is not GateState.PASS:
            assert bare_share(frame.pixels) == 0, f"a bare face went out in {frame.state} (frame {frame.index})"


def assert_in_order(frames: Sequence[Seen]) -> None:
    """Indices without gaps, media times rising strictly, jobs never going back."""
    assert [frame.index for frame in frames] == list(range(frames[0].index, frames[0].index + len(frames)))
    assert all(a.media_s < b.media_s for a, b in itertools.pairwise(frames))
    assert all(a.job_index <= b.job_index for a, b in itertools.pairwise(frames))
