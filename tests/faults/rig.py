"""A session of real parts (nets, engine, renderer, films) with room for trouble at every seam."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.capture import open_source
from facefusion_live.app import portraits, wiring
from facefusion_live.domain.errors import CaptureLostError
from facefusion_live.domain.face import Job
from facefusion_live.domain.image import RgbImage
from facefusion_live.domain.ports import (
    Buffers,
    Composition,
    Compute,
    FaceLandmarker,
    FrameInfo,
    FrameSource,
    Landmarks,
    Sink,
)
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BufferPool
from facefusion_live.engine.pipeline import Draft, Row, Stage, one_by_one
from facefusion_live.engine.session import Aside, LiveSession, SessionParts
from facefusion_live.engine.stages import Outfit, SwapStage, TrackStage
from facefusion_live.engine.store import SettingsStore
from tests.fakes.events import ListEvents
from tests.fakes.sinks import CollectingSink
from tests.fakes.stages import Troubled, each_of
from tests.faults.films import film
from tests.faults.witness import Faces, Shot, Verdict, verdict
from tests.support import RESOURCES

WAIT_S = 60.0
Trouble = Callable[[Draft], None]


@lru_cache(maxsize=4)
def inference(source: str) -> wiring.Inference:
    """The real nets and the real engine with one source face, made once."""
    catalog = wiring.open_catalog("cpu", None)
    return wiring._inference((portraits.source(source, None),), "mesh", Settings(), lambda *_: None, catalog)


class Taped:
    """A real source that keeps a copy of every picture it gave, and has things happen on the way.

    Args:
        source: The real one.
        name: Of the film.
        tape: Where copies go, by index of the captured frame.
        skip: So many pictures are passed over first.
        before: Called before the picture of that index is read; may raise.
        paced: Claims to come at its own pace, as a camera does: a loss is no end then.
    """

    def __init__(
        self,
        source: FrameSource,
        name: str,
        tape: dict[int, tuple[Shot, RgbImage]],
        skip: int,
        before: dict[int, Callable[[], None]],
        *,
        paced: bool,
    ) -> None:
        self._source, self._film, self._tape, self._before = source, name, tape, before
        self._skip, self._at = skip, 0
        self.name, self.size_wh, self.fps = source.name, source.size_wh, source.fps
        self.paced, self.frame_count = paced, None

    def read_into(self, pixels: NDArray[np.uint8]) -> FrameInfo | None:
        while self._at < self._skip:
            self._source.read_into(pixels)
            self._at += 1
        index = len(self._tape)
        self._before.pop(index, _nothing)()
        if self.paced and not self._source.paced:
            time.sleep(1 / self.fps)
        info = self._source.read_into(pixels)
        if info is not None:
            self._tape[index] = (self._film, self._at), pixels.copy()
            self._at += 1
        return info

    def __enter__(self) -> Self:
        self._source.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._source.__exit__(None, None, None)


class SpoiledLandmarker:
    """A real landmarker that says something else now and then."""

    def __init__(self, net: FaceLandmarker, spoil: Callable[[Landmarks], Landmarks]) -> None:
        self.input_px, self._net, self._spoil = net.input_px, net, spoil

    def landmarks(self, crop: NDArray[np.uint8]) -> Landmarks:
        return self._spoil(self._net.landmarks(crop))


class TroubledCompute:
    """A real `Compute` in which something happens before a picture is composed."""

    def __init__(self, compute: Compute, before: Mapping[int, Callable[[Job], None]]) -> None:
        self._compute, self._before = compute, before
        self.name, self.backend = compute.name, compute.backend
        self.prepare, self.begin, self.end = compute.prepare, compute.begin, compute.end
        self.crop, self.slate = compute.crop, compute.slate

    def compose(self, job: Job, settings: Settings, buffers: Buffers) -> Composition:
        self._before.get(job.frame.index, _nothing_of)(job)
        return self._compute.compose(job, settings, buffers)


@dataclass
class Rig:
    """What to run, and what goes wrong in it.

    Attributes:
        clip: Name of a film.
        folder: Where films are made.
        source: Who is drawn.
        offline: Every frame in order.
        frames: How many.
        skip: So many pictures of the film are passed over.
        before: By stage and frame index: what happens before it.
        after: The same, when it has run.
        composing: By frame index: what happens before it is composed.
        reading: By frame index: what happens before it is read.
        spoil: Changes what the landmarks say.
        more_sinks: Outputs beside the one that keeps everything.
        url: Where the pictures come from, instead of the film.
    """

    clip: str
    folder: Path
    source: str = "bo"
    offline: bool = True
    frames: int = 24
    skip: int = 0
    settings: Settings = field(default_factory=Settings)
    before: dict[str, dict[int, Trouble]] = field(default_factory=dict[str, dict[int, Trouble]])
    after: dict[str, dict[int, Trouble]] = field(default_factory=dict[str, dict[int, Trouble]])
    composing: dict[int, Callable[[Job], None]] = field(default_factory=dict[int, Callable[[Job], None]])
    reading: dict[int, Callable[[], None]] = field(default_factory=dict[int, Callable[[], None]])
    spoil: Callable[[Landmarks], Landmarks] | None = None
    more_sinks: tuple[Sink, ...] = ()
    url: str | None = None

    def __post_init__(self) -> None:
        self.sink, self.events = CollectingSink(), ListEvents()
        self.store = SettingsStore(self.settings)
        self.tape: dict[int, tuple[Shot, RgbImage]] = {}
        self.parts = inference(self.source)
        self.drawn: Outfit = self.parts.worn()
        self.avatars = [self.source]
        self.frame_index = -1
        self.openings = 0
        self.running: list[LiveSession] = []

    def session(self) -> LiveSession:
        parts = SessionParts(
            open_source=self._open,
            make_stages=self._stages,
            compute=TroubledCompute(self.parts.compute, self.composing),
            sinks=(self.sink, *self.more_sinks),
            store=self.store,
            clock=wiring.SystemClock(),
            events=self.events,
        )
        session = LiveSession(parts, offline=self.offline, frame_limit=self.frames)
        self.running.append(session)
        return session

    def run(self) -> LiveSession:
        """Run to the end; nothing may be left."""
        session = self.session()
        with session:
            assert session.wait(WAIT_S), "the session never ended"
        assert session.leases == 0
        assert not [t.name for t in threading.enumerate() if t.name in ("capture", "inference", "render", "side")]
        return session

    def switch_source(self, name: str) -> None:
        """Draw somebody else from the next frame on."""
        self.drawn = inference(name).worn()
        self.avatars.append(name)

    def verdict(self, faces: Faces) -> Verdict:
        """Whether anyone was bare."""
        slate = BufferPool(1, 1, "no")
        cards = [
            self.parts.compute.slate(None, size_wh, self.settings, slate).host()
            for size_wh in {(shot.shape[1], shot.shape[0]) for _, shot in self.tape.values()}
        ]
        return verdict(self.sink.frames, self.tape, faces, cards, set(self.avatars))

    def _open(self) -> FrameSource:
        spec = self.url or str(film(self.clip, self.folder))
        demo = RESOURCES / "demo" / "driver.mp4"
        source = open_source(
            spec, self.settings.capture, demo_clip=demo, clock=wiring.SystemClock(), offline=self.offline
        )
        # Opened again, a camera goes on; a film would begin anew.
        skip = 0 if self.url else self.skip + len(self.tape)
        self.openings += 1
        name = f"{self.url} {self.openings}" if self.url else self.clip
        return Taped(source, name, self.tape, skip, self.reading, paced=not self.offline)

    def _stages(self, buffers: Buffers, aside: Aside) -> Sequence[Row]:
        swap = SwapStage(lambda: self.drawn, buffers)
        rows = [swap if isinstance(each, SwapStage) else each for each in self.parts.stages(buffers, aside)]
        follow = next(stage for stage in one_by_one(rows) if isinstance(stage, TrackStage))
        if self.spoil is not None:
            follow.finder._landmarker = SpoiledLandmarker(follow.finder._landmarker, self.spoil)
        return each_of(
            rows,
            lambda stage: Troubled(_Noted(stage, self), self.before.get(stage.name), self.after.get(stage.name)),
        )


class _Noted:
    """Notes which frame is being inferred."""

    def __init__(self, stage: Stage, rig: Rig) -> None:
        self._stage, self._rig = stage, rig
        self.name, self.needs, self.gives = stage.name, stage.needs, stage.gives

    def run(self, draft: Draft) -> None:
        self._rig.frame_index = draft.frame.index
        self._stage.run(draft)


def lost() -> None:
    """The cable is pulled."""
    raise CaptureLostError("the camera was pulled")


def _nothing() -> None:
    pass


def _nothing_of(_: Job) -> None:
    pass
