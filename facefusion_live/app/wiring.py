"""The one module that names concrete adapters: it puts the program together from them."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facefusion_live.adapters.capture import list_cameras, open_source
from facefusion_live.adapters.capture.still import read_still as read_picture
from facefusion_live.adapters.mesh_swap import MeshSwapper
from facefusion_live.adapters.mesh_swap.warp import Warper
from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.render_cpu import CpuCompute
from facefusion_live.adapters.render_cpu.patch import PatchPainter
from facefusion_live.adapters.render_cpu.plain import float_paste
from facefusion_live.adapters.sinks import Recorder, StatesSink
from facefusion_live.app import portraits
from facefusion_live.app.environment import Home, resource, user_path
from facefusion_live.app.feed import Feed
from facefusion_live.app.frame_swapper import FrameSwapper
from facefusion_live.app.outputs import check_outputs
from facefusion_live.domain.errors import BadInputError
from facefusion_live.domain.face import Face
from facefusion_live.domain.image import RgbImage
from facefusion_live.domain.ports import (
    Buffers,
    Clock,
    Compute,
    EventLog,
    FaceSwapper,
    FrameSource,
    PreparedSource,
    Sink,
)
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.pipeline import Stage
from facefusion_live.engine.session import Aside, LiveSession, SessionParts
from facefusion_live.engine.stages import ChooseStage, DetectStage, IdentifyStage, LandmarkFinder, SwapStage, TrackStage
from facefusion_live.engine.store import SettingsStore
from facefusion_live.engine.tracks import FaceTracks

__all__ = [
    "BUILT_IN_ENGINE",
    "Request",
    "SystemClock",
    "engines",
    "find_faces",
    "float_paste",
    "list_cameras",
    "open_feed",
    "open_frame_swapper",
    "open_session",
    "patch_painter",
    "read_picture",
]

BUILT_IN_ENGINE = "mesh"
"""The engine that needs no model of the user's."""

_LANDMARKER = "face_mesh_attention"
_RECOGNISER = "sface_2021dec_int8bq"
_DETECTORS = ("blazeface_full", "blazeface_short", "yunet_2023mar")
"""What `detect.model = auto` asks in turn."""
_PORTRAIT_DETECTORS = ("blazeface_short", "blazeface_full", "yunet_2023mar")
"""What source pictures are searched with: nearest faces first, and every net, lest a second face is missed."""


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
        sources: Pictures of one person: files, pixels (RGB), or names of avatars.
        consent: Why those faces may be used; avatars bring their own.
        input: `camera:N`, a file, a URL or `synthetic`.
        output: Recording, or None.
        states: Where the list of emitted frames goes, or None.
        engine: One of `engines()`.
        settings: Parameters at the start.
        offline: Every frame, in order.
        frame_limit: End after so many frames.
    """

    sources: tuple[str | Path | RgbImage, ...]
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
        models: Tells which models were opened so far, with their files.
    """

    session: LiveSession
    store: SettingsStore
    swapper: FaceSwapper
    sources: tuple[portraits.Source, ...]
    models: Callable[[], dict[str, Path]]


def open_session(request: Request, events: EventLog | None = None, more_sinks: Sequence[Sink] = ()) -> OpenSession:
    """Load the nets, prepare the source faces and put a session together.

    Args:
        request: What it is to do.
        events: The record; None keeps none.
        more_sinks: Outputs beside those of the request.

    Raises:
        BadInputError: The engine, a source or the slate picture cannot be used.
        InferenceError: A net cannot be loaded.
    """
    sources = tuple(portraits.source(name, request.consent) for name in request.sources)
    check_outputs(*_files(request, sources))
    inference = _inference(sources, request.engine, request.settings)
    clock, store = SystemClock(), SettingsStore(request.settings)
    parts = SessionParts(
        open_source=_source_opener(request.input, request.settings, clock, offline=request.offline),
        make_stages=inference.stages,
        compute=inference.compute,
        sinks=(*_sinks(request), *more_sinks),
        store=store,
        clock=clock,
        events=events or NoEvents(),
    )
    session = LiveSession(parts, offline=request.offline, frame_limit=request.frame_limit)
    return OpenSession(session, store, inference.swapper, sources, lambda: inference.catalog.opened)


def open_frame_swapper(
    sources: Sequence[portraits.Source], settings: Settings, *, engine: str = "mesh", tensorrt: bool = False
) -> FrameSwapper:
    """What swaps one picture after the other on the caller's thread.

    Args:
        sources: Pictures of one person.
        settings: Parameters at the start.
        engine: One of `engines()`.
        tensorrt: Every net must run on TensorRT.

    Raises:
        BadInputError: As `open_session`.
        InferenceError: A net cannot be loaded, or not on TensorRT.
    """
    inference = _inference(sources, engine, settings, tensorrt=tensorrt)
    return FrameSwapper(inference.stages, inference.compute, SettingsStore(settings), SystemClock())


def open_feed(spec: str, settings: Settings, *, fps_limit: float) -> Feed:
    """The newest picture of an input whenever it is asked for.

    Raises:
        BadInputError: The input cannot be opened, or the limit is not above 0.
    """
    clock = SystemClock()
    opener = _source_opener(spec, settings, clock, offline=False)
    return Feed(opener, clock, fps_limit=fps_limit, patience_s=settings.capture.read_timeout_s)


def find_faces(picture: RgbImage) -> tuple[Face, ...]:
    """Every face in a picture, the largest first.

    Args:
        picture: (h, w, 3) RGB, given away.

    Raises:
        InferenceError: A net cannot be loaded.
    """
    settings = Settings()
    return portraits.faces_in(picture, _finding(_catalog(), CpuCompute(_slate_card(settings))))


def patch_painter() -> PatchPainter:
    """What draws patches: for the benchmark, which compares it with `float_paste`."""
    return PatchPainter()


def _inference(
    sources: Sequence[portraits.Source], engine: str, settings: Settings, *, tensorrt: bool = False
) -> "_Inference":
    catalog, compute = _catalog(tensorrt=tensorrt), CpuCompute(_slate_card(settings))
    swapper = _engine(engine, catalog, compute)
    finding = _finding(catalog, compute)
    prepared = swapper.prepare([portraits.portrait(_read(source), source.name, finding) for source in sources])
    return _Inference(catalog, compute, swapper, prepared, settings)


def _catalog(*, tensorrt: bool = False) -> Catalog:
    """The user's models and cards first, so that a card of theirs may replace one of ours."""
    user = Home.from_environment().models
    return Catalog(user, resource("resources/models"), resource("resources/cards"), tensorrt=tensorrt)


def _read(source: portraits.Source) -> RgbImage:
    return read_picture(source.picture) if isinstance(source.picture, Path) else source.picture


def _source_opener(spec: str, settings: Settings, clock: Clock, *, offline: bool) -> Callable[[], FrameSource]:
    demo_clip = resource("resources/demo/driver.mp4")
    return lambda: open_source(spec, settings.capture, demo_clip=demo_clip, clock=clock, offline=offline)


def engines() -> tuple[str, ...]:
    """Every engine that could run here and now: the built-in one, and the swappers whose files are there."""
    return (BUILT_IN_ENGINE, *_catalog().ready("swapper"))


def _engine(name: str, catalog: Catalog, compute: Compute) -> FaceSwapper:
    if name == BUILT_IN_ENGINE:
        return MeshSwapper()
    if name not in catalog.known("swapper"):
        there = (BUILT_IN_ENGINE, *catalog.ready("swapper"))
        raise BadInputError(f"there is no engine {name!r}", advice=f"Engines: {', '.join(there)}.")
    return catalog.swapper(name, compute.crop, Warper())


def _slate_card(settings: Settings) -> Path:
    chosen = settings.gate.slate_picture
    return user_path(chosen) if chosen else resource("resources/slate.png")


def _finding(catalog: Catalog, compute: Compute) -> Callable[[], list[Stage]]:
    """What makes fresh stages that find the faces in a picture."""
    landmarker = catalog.landmarker(_LANDMARKER)
    detectors = [catalog.detector(model) for model in _PORTRAIT_DETECTORS]

    def stages() -> list[Stage]:
        tracks, finder = FaceTracks(), LandmarkFinder(landmarker, compute)
        looks = [DetectStage(tracks, [detector], compute) for detector in detectors]
        return [stage for look in looks for stage in (look, ChooseStage(tracks, finder))]

    return stages


def _files(request: Request, sources: Sequence[portraits.Source]) -> tuple[list[Path], list[Path]]:
    """(written, read)."""
    written = [path for path in (request.output, request.states) if path is not None]
    pictures = [source.picture for source in sources if isinstance(source.picture, Path)]
    return written, [*pictures, *_input_file(request.input), _slate_card(request.settings)]


def _input_file(spec: str) -> list[Path]:
    """The input, if it is one file."""
    path = user_path(spec)
    # Not `path.is_file()`: that raises for a name too long for the disk, and an address may be one.
    return [path] if os.path.isfile(path) else []  # noqa: PTH113


def _sinks(request: Request) -> tuple[Sink, ...]:
    sinks: list[Sink] = []
    if request.output is not None:
        sound = next(iter(_input_file(request.input)), None)
        sinks.append(Recorder(request.output, request.settings.record, audio_from=sound))
    if request.states is not None:
        sinks.append(StatesSink(request.states))
    return tuple(sinks)


@dataclass(frozen=True, slots=True, eq=False)
class _Inference:
    """The nets and the engine, ready to make stages."""

    catalog: Catalog
    compute: Compute
    swapper: FaceSwapper
    source: PreparedSource
    settings: Settings

    def stages(self, buffers: Buffers, aside: Aside | None = None) -> Sequence[Stage]:
        """The stages of inference; who the faces are is asked only where there is someone to do it aside."""
        tracks = FaceTracks()
        finder = LandmarkFinder(self.catalog.landmarker(_LANDMARKER), self.compute)
        chosen = self.settings.detect.model
        detectors = [self.catalog.detector(model) for model in (_DETECTORS if chosen == "auto" else (chosen,))]
        found = (TrackStage(tracks, finder), DetectStage(tracks, detectors, self.compute), ChooseStage(tracks, finder))
        swap = SwapStage(self.swapper, lambda: self.source, buffers)
        if aside is None:
            return (*found, swap)
        return (*found, IdentifyStage(tracks, self.catalog.recogniser(_RECOGNISER), self.compute, aside), swap)
