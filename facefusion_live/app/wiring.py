"""The one module that names concrete adapters: it puts the program together from them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facefusion_live.adapters.capture import list_cameras, open_source
from facefusion_live.adapters.capture.still import read_still
from facefusion_live.adapters.mesh_swap import MeshSwapper
from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.render_cpu import CpuCompute
from facefusion_live.adapters.sinks import Recorder, StatesSink
from facefusion_live.app import portraits
from facefusion_live.app.environment import resource
from facefusion_live.domain.errors import BadInputError
from facefusion_live.domain.ports import Buffers, Compute, EventLog, FaceSwapper, PreparedSource, Sink
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.pipeline import Stage
from facefusion_live.engine.session import Aside, LiveSession, SessionParts
from facefusion_live.engine.stages import ChooseStage, DetectStage, IdentifyStage, LandmarkFinder, SwapStage, TrackStage
from facefusion_live.engine.store import SettingsStore
from facefusion_live.engine.tracks import FaceTracks

__all__ = ["ENGINES", "Request", "SystemClock", "list_cameras", "open_session"]

ENGINES = {"mesh": MeshSwapper}
"""Engines by the name used on the command line."""

_LANDMARKER = "face_mesh_attention"
_RECOGNISER = "sface_2021dec_int8bq"
_PORTRAIT_DETECTORS = ("blazeface_short", "blazeface_full")
"""For source pictures, in turn: the second finds small faces, and second ones."""


class SystemClock:
    """The machine's monotonic clock."""

    def now_ns(self) -> int:
        """Monotonic nanoseconds."""
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class NoEvents:
    """An event log that keeps nothing."""

    def record(self, action: str, target: str, status: str, metadata: dict[str, Any]) -> None:
        """Drop the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a session is to do.

    Attributes:
        sources: Pictures of one person, or names of avatars.
        consent: Why those faces may be used; avatars bring their own.
        input: `camera:N`, a file, a URL or `synthetic`.
        output: Recording, or None.
        states: Where the list of emitted frames goes, or None.
        engine: One of `ENGINES`.
        settings: Parameters at the start.
        offline: Every frame, in order.
        frame_limit: End after so many frames.
    """

    sources: tuple[str, ...]
    consent: portraits.Consent | None
    input: str
    output: Path | None
    states: Path | None
    engine: str
    settings: Settings
    offline: bool
    frame_limit: int | None


@dataclass(frozen=True, slots=True, eq=False)
class OpenSession:
    """A session that is put together and not yet started.

    Attributes:
        session: To be started.
        store: Its settings.
        swapper: Its engine.
        sources: The source pictures with their consents.
    """

    session: LiveSession
    store: SettingsStore
    swapper: FaceSwapper
    sources: tuple[portraits.Source, ...]


def open_session(request: Request, events: EventLog | None = None) -> OpenSession:
    """Load the nets, prepare the source faces and put a session together.

    Raises:
        BadInputError: The engine, a source or the slate picture cannot be used.
        InferenceError: A net cannot be loaded.
    """
    swapper = _engine(request.engine)
    sources = tuple(portraits.source(name, request.consent) for name in request.sources)
    catalog = Catalog(resource("resources/models"))
    compute = CpuCompute(_slate_card(request.settings))
    prepared = swapper.prepare(_portraits(sources, catalog, compute))
    clock, store = SystemClock(), SettingsStore(request.settings)
    demo_clip = resource("resources/demo/driver.mp4")
    parts = SessionParts(
        open_source=lambda: open_source(
            request.input, request.settings.capture, demo_clip=demo_clip, clock=clock, offline=request.offline
        ),
        make_stages=_Stages(catalog, compute, swapper, prepared, request.settings),
        compute=compute,
        sinks=_sinks(request),
        store=store,
        clock=clock,
        events=events or NoEvents(),
    )
    session = LiveSession(parts, offline=request.offline, frame_limit=request.frame_limit)
    return OpenSession(session, store, swapper, sources)


def _engine(name: str) -> FaceSwapper:
    if name not in ENGINES:
        raise BadInputError(f"there is no engine {name!r}", advice=f"Engines: {', '.join(ENGINES)}.")
    return ENGINES[name]()


def _slate_card(settings: Settings) -> Path:
    chosen = settings.gate.slate_picture
    return Path(chosen).expanduser() if chosen else resource("resources/slate.png")


def _portraits(sources: Sequence[portraits.Source], catalog: Catalog, compute: Compute) -> list[portraits.Portrait]:
    landmarker = catalog.landmarker(_LANDMARKER)
    detectors = [catalog.detector(model) for model in _PORTRAIT_DETECTORS]

    def finding() -> list[Stage]:
        tracks, finder = FaceTracks(), LandmarkFinder(landmarker, compute)
        looks = [DetectStage(tracks, detector, compute) for detector in detectors]
        return [stage for look in looks for stage in (look, ChooseStage(tracks, finder))]

    return [portraits.portrait(read_still(source.path), source.path.name, finding) for source in sources]


def _sinks(request: Request) -> tuple[Sink, ...]:
    sinks: list[Sink] = []
    if request.output is not None:
        given = Path(request.input).expanduser()
        sound = given if given.is_file() else None
        sinks.append(Recorder(request.output, request.settings.record, audio_from=sound))
    if request.states is not None:
        sinks.append(StatesSink(request.states))
    return tuple(sinks)


@dataclass(frozen=True, slots=True, eq=False)
class _Stages:
    """Makes the stages of inference."""

    catalog: Catalog
    compute: Compute
    swapper: FaceSwapper
    source: PreparedSource
    settings: Settings

    def __call__(self, buffers: Buffers, aside: Aside) -> Sequence[Stage]:
        tracks = FaceTracks()
        finder = LandmarkFinder(self.catalog.landmarker(_LANDMARKER), self.compute)
        recogniser = self.catalog.recogniser(_RECOGNISER)
        return (
            TrackStage(tracks, finder),
            DetectStage(tracks, self.catalog.detector(self.settings.detect.model), self.compute),
            ChooseStage(tracks, finder),
            IdentifyStage(tracks, recogniser, self.compute, aside),
            SwapStage(self.swapper, lambda: self.source, buffers),
        )
