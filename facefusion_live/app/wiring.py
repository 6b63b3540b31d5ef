"""The one module that names concrete adapters: it puts the program together from them."""

import atexit
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.capture import camera_formats, list_cameras, open_source
from facefusion_live.adapters.capture.still import read_still as read_picture
from facefusion_live.adapters.gpu import Device, GpuCompute, open_device
from facefusion_live.adapters.gpu.memory import cards as graphics_cards
from facefusion_live.adapters.microphone import open_microphone
from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.onnx.session import THREADS as THREADS_PER_NET
from facefusion_live.adapters.provenance.disclosing import DisclosingCompute
from facefusion_live.adapters.provenance.label import LabelPainter
from facefusion_live.adapters.provenance.mark import MarkPainter, MarkReader
from facefusion_live.adapters.remote.server import InferenceServer
from facefusion_live.adapters.render_cpu import CpuCompute
from facefusion_live.adapters.render_cpu.patch import PatchPainter
from facefusion_live.adapters.render_cpu.plain import float_paste
from facefusion_live.adapters.sinks import (
    FAMILIES,
    MjpegSink,
    Recorder,
    Snapshot,
    SoundSources,
    StatesSink,
    make_recorder,
    make_sink,
)
from facefusion_live.app import portraits
from facefusion_live.app.disclosure import Disclosure
from facefusion_live.app.engines import (
    BUILT_IN_ENGINE,
    JUDGE,
    RECOGNISER,
    STAND_IN,
    Inference,
    face_finding,
    make_engine,
    open_catalog,
    open_judges,
    own_face,
    recogniser_of,
    try_on,
)
from facefusion_live.app.enrolment import EnrolmentBook, Entry, check_known
from facefusion_live.app.environment import Home, resource, user_path
from facefusion_live.app.feed import Feed
from facefusion_live.app.frame_swapper import FrameSwapper, Looking
from facefusion_live.app.machine import reading as machine_reading
from facefusion_live.app.outputs import check_outputs
from facefusion_live.app.own_faces import Dresser
from facefusion_live.app.remote_nets import Served, open_server, tell_served
from facefusion_live.domain import geometry
from facefusion_live.domain.consent import identity_of
from facefusion_live.domain.disclosure import Part
from facefusion_live.domain.errors import BadInputError, ComputeError, ConsentError
from facefusion_live.domain.face import Face
from facefusion_live.domain.image import RgbImage
from facefusion_live.domain.ports import (
    Clock,
    Compute,
    EventLog,
    FaceRecogniser,
    FaceSwapper,
    FrameSource,
    Portrait,
    Sink,
)
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.backend import ChosenCompute, Trial
from facefusion_live.engine.content import ContentCheck
from facefusion_live.engine.governing import Machine
from facefusion_live.engine.pipeline import Stage
from facefusion_live.engine.session import LiveSession, SessionParts
from facefusion_live.engine.stages import Outfit
from facefusion_live.engine.store import SettingsStore

__all__ = [
    "THREADS_PER_NET",
    "Request",
    "SystemClock",
    "backends",
    "camera_formats",
    "chosen_compute",
    "content_check",
    "disclosing",
    "enrol",
    "find_faces",
    "float_paste",
    "graphics_cards",
    "host_compute",
    "identity",
    "list_cameras",
    "machine",
    "make_sink",
    "mark_reader",
    "open_feed",
    "open_frame_swapper",
    "open_session",
    "output",
    "output_forms",
    "page_of",
    "patch_painter",
    "read_picture",
    "read_source",
    "recording",
    "snapshot",
    "source_opener",
    "told_of",
    "waiting",
]

Permit: TypeAlias = Callable[[portraits.Source, bytes], None]
"""Asked for a source picture and the face in it. Raises ConsentError where it may not be used."""


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
        sources: Pictures of one person: files, pixels (RGB), or names of avatars; none where the engine brings a face.
        consent: Why that face may be used; avatars bring their own.
        input: `camera:N`, a file, a URL or `synthetic`.
        output: Recording, or None.
        states: Where the list of emitted frames goes, or None.
        engine: The name of an engine.
        settings: Parameters at the start.
        offline: Every frame, in order.
        frame_limit: End after so many frames.
        sinks: Further outputs, as `adapters.sinks.make_sink` reads them.
        snapshot: Where the last picture goes, or None.
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
    sinks: tuple[str, ...] = ()
    snapshot: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class OpenSession:
    """A session that is put together and not yet started.

    Attributes:
        session: To be started.
        store: Its settings.
        swapper: Its engine.
        sources: The source pictures with their consents.
        models: Tells which models were opened so far, with their files.
        sinks: Its outputs from the start.
        disclosure: What its pictures say of themselves.
        skipped: Tells which providers were tried for the nets and do not work here, and why.
        served: Tells who computes the nets that run on a server.
        consent_problem: Tells why the source face may not be used any more; "" while it may.
    """

    session: LiveSession
    store: SettingsStore
    swapper: FaceSwapper
    sources: tuple[portraits.Source, ...]
    models: Callable[[], dict[str, Path]]
    sinks: tuple[Sink, ...]
    disclosure: Disclosure
    skipped: Callable[[], dict[str, str]] = dict[str, str]
    served: Callable[[], tuple[Served, ...]] = tuple[Served, ...]
    consent_problem: Callable[[], str] = str

    @property
    def recordings(self) -> tuple[Path, ...]:
        """The files recorded so far."""
        return tuple(part for sink in self.sinks if isinstance(sink, Recorder) for part in sink.parts)

    @property
    def snapshots(self) -> tuple[Path, ...]:
        """The snapshots taken so far."""
        return tuple(sink.path for sink in self.sinks if isinstance(sink, Snapshot) and sink.taken.is_set())

    @property
    def pages(self) -> tuple[str, ...]:
        """Addresses at which a browser on this machine can watch. They are secrets."""
        return tuple(sink.url for sink in self.sinks if isinstance(sink, MjpegSink) and sink.url)


def open_session(
    request: Request,
    events: EventLog | None = None,
    more_sinks: Sequence[Sink] = (),
    around: Callable[[SessionParts], SessionParts] = lambda parts: parts,
    disclosure: Disclosure | None = None,
    permit: Permit | None = None,
    permitted: Callable[[], bool] = lambda: True,
) -> OpenSession:
    """Load the nets, prepare the source faces and put a session together.

    Args:
        request: What it is to do.
        events: The record; None keeps none.
        more_sinks: Outputs beside those of the request.
        around: Has the last word on the parts: benchmarks wrap what they measure.
        disclosure: What pictures may leave out; None for nothing.
        permit: Asked for every source picture before it is made ready; None lets in the built-in faces alone.
        permitted: Whether they may still be used, asked while the session runs.

    Raises:
        BadInputError: The engine, a source or the slate picture cannot be used.
        InferenceError: A net cannot be loaded.
    """
    if request.offline and request.settings.sound.source == "microphone":
        raise BadInputError(
            "a microphone is heard live only", advice="Leave out --offline, or set sound.source to auto."
        )
    pictures = tuple(portraits.source(name, request.consent) for name in request.sources)
    check_outputs(*_files(request, pictures))
    events = events or NoEvents()
    server = open_server(request.settings, partial(tell_served, events), offline=request.offline)
    catalog = open_catalog(request.settings.inference.provider, server)
    sources = _drawn(pictures, request.engine, catalog, request.consent)
    inference = _inference(
        sources, request.engine, request.settings, permit or _built_in_only, catalog, consent=request.consent
    )
    clock, store = SystemClock(), SettingsStore(request.settings)
    judges = open_judges(request.settings.inference.provider)
    disclosure = disclosure or Disclosure(None)
    sinks = (*_sinks(request), *more_sinks)
    parts = SessionParts(
        open_source=source_opener(request.input, request.settings, clock, offline=request.offline),
        make_stages=inference.stages,
        compute=disclosing(chosen_compute(inference.compute, request.settings), disclosure),
        sinks=sinks,
        store=store,
        clock=clock,
        events=events,
        facts=lambda: told_of(disclosure),
        permitted=permitted,
        content=content_check(judges, inference.compute, disclosure),
        waited_ns=waiting(server),
        warnings=lambda: () if server is None else server.problems,
        machine=machine,
    )
    session = LiveSession(around(parts), offline=request.offline, frame_limit=request.frame_limit)
    return OpenSession(
        session,
        store,
        inference.worn().swapper,
        (*sources, *inference.dress(request.settings)),
        lambda: inference.catalog.opened | judges.opened,
        sinks,
        disclosure,
        lambda: inference.catalog.skipped,
        lambda: () if server is None else tuple(server.served.values()),
    )


def open_frame_swapper(  # noqa: PLR0913 (what a caller's choice brings, each with a default)
    sources: Sequence[portraits.Source],
    settings: Settings,
    disclosure: Disclosure,
    permit: Permit | None = None,
    *,
    engine: str = "mesh",
    tensorrt: bool = False,
    events: EventLog | None = None,
    consent: portraits.Consent | None = None,
) -> FrameSwapper:
    """What swaps one picture after the other on the caller's thread.

    Args:
        sources: Pictures of one person.
        settings: Parameters at the start.
        disclosure: What pictures may leave out.
        permit: As `open_session`.
        engine: The name of an engine.
        tensorrt: Every net must run on TensorRT.
        events: Where scenes that were withheld are put on record; None keeps none.
        consent: Why pictures may be used that the settings map to people enrolled.

    Raises:
        BadInputError: As `open_session`.
        InferenceError: A net cannot be loaded, or not on TensorRT.
    """
    events = events or NoEvents()
    server = None if tensorrt else open_server(settings, partial(tell_served, events))
    catalog = open_catalog("tensorrt" if tensorrt else settings.inference.provider, server)
    inference = _inference(sources, engine, settings, permit or _built_in_only, catalog, consent=consent)
    store, compute = SettingsStore(settings), disclosing(chosen_compute(inference.compute, settings), disclosure)
    judges = open_judges("tensorrt" if tensorrt else settings.inference.provider)
    judges.content_judge(JUDGE)  # now: what is not there, or not on TensorRT, is told here
    looking = Looking(content_check(judges, inference.compute, disclosure), events)
    models = inference.catalog.opened | judges.opened
    swapper = FrameSwapper(inference.stages, compute, store, SystemClock(), models, looking)
    swapper.dress = inference.dress
    return swapper


def open_feed(spec: str, settings: Settings, *, fps_limit: float) -> Feed:
    """The newest picture of an input whenever it is asked for.

    Raises:
        BadInputError: The input cannot be opened, or the limit is not above 0.
    """
    clock = SystemClock()
    opener = source_opener(spec, settings, clock, offline=False)
    return Feed(opener, clock, fps_limit=fps_limit, patience_s=settings.capture.read_timeout_s)


def find_faces(picture: RgbImage) -> tuple[tuple[Face, ...], dict[str, Path]]:
    """Every face in a picture, the largest first; and the models that found them, with their files.

    Args:
        picture: (h, w, 3) RGB, given away.

    Raises:
        InferenceError: A net cannot be loaded.
    """
    catalog = open_catalog()
    faces = portraits.faces_in(picture, face_finding(catalog, host_compute(Settings())))
    return faces, catalog.opened


def enrol(
    name: str, pictures: Sequence[str | Path | RgbImage], settings: Settings, events: EventLog | None = None
) -> Entry:
    """Know the person in some pictures from now on.

    Args:
        name: What to call them.
        pictures: Each with that one face.
        settings: Which recogniser looks.
        events: The record; None keeps none.

    Raises:
        BadInputError: It is no name, no such picture, or the face is somebody else's.
        InferenceError: A net cannot be loaded.
        SettingsError: It cannot be kept.
    """
    catalog, compute = open_catalog(settings.inference.provider), host_compute(settings)
    finding, which = face_finding(catalog, compute), recogniser_of(settings, catalog)
    net = catalog.recogniser(which)
    sources = [portraits.source(picture, None) for picture in pictures]
    faces = (portraits.portrait(read_source(source), source.name, finding) for source in sources)
    looks = [_embedded(face, net, compute) for face in faces]
    return EnrolmentBook(Home.from_environment().enrolled, events).enrol(name, which, looks)


def backends(settings: Settings) -> tuple[Compute, Compute]:
    """Processor and graphics device: for the benchmark, which compares them.

    Raises:
        ComputeError: There is no graphics device.
    """
    host = host_compute(settings)
    return host, GpuCompute(_graphics.device(), host)


def patch_painter() -> PatchPainter:
    """What draws patches: for the benchmark, which compares it with `float_paste`."""
    return PatchPainter()


def _inference(
    sources: Sequence[portraits.Source],
    engine: str,
    settings: Settings,
    permit: Permit,
    catalog: Catalog,
    *,
    consent: portraits.Consent | None = None,
) -> "Inference":
    known = EnrolmentBook(Home.from_environment().enrolled).roster
    check_known(settings, known(recogniser_of(settings, catalog)))
    compute = host_compute(settings)
    for source in sources:
        if source.in_model:
            permit(source, b"")  # before it is loaded
    swapper = make_engine(engine, catalog, compute)
    finding = face_finding(catalog, compute)

    def permitted(source: portraits.Source) -> Portrait:
        face = portraits.portrait(read_source(source), source.name, finding)
        permit(source, b"" if source.built_in else identity(catalog, compute, face))
        return face

    faces = [permitted(source) for source in sources if not source.in_model]
    outfit = Outfit(swapper, swapper.prepare(faces))
    if engine != BUILT_IN_ENGINE:
        try_on(outfit, faces[0] if faces else _stand_in(finding), settings)
    dresser = Dresser(outfit, consent, lambda source: swapper.prepare([permitted(source)]))
    dresser.follow(settings)
    return Inference(catalog, compute, dresser.worn, settings, known, dresser.follow)


def _drawn(
    pictures: tuple[portraits.Source, ...], engine: str, catalog: Catalog, consent: portraits.Consent | None
) -> tuple[portraits.Source, ...]:
    """Whose face a session draws: that of the source pictures, or the one that the engine brings along.

    Raises:
        BadInputError: There is neither, or both.
    """
    own = own_face(engine, catalog, consent)
    if own is None and not pictures:
        raise BadInputError("there is no source picture", advice="Add --source and a portrait, or an avatar's name.")
    if own is not None and pictures:
        raise BadInputError(
            f"{engine} draws the one person that it was trained on, and no other", advice="Leave out --source."
        )
    return pictures if own is None else (own,)


def _stand_in(finding: Callable[[], list[Stage]]) -> Portrait:
    source = portraits.source(STAND_IN, None)
    return portraits.portrait(read_source(source), source.name, finding)


def _built_in_only(source: portraits.Source, _identity: bytes) -> None:
    if not source.built_in:
        raise ConsentError(f"{source.name}: nobody has said why this face may be used")


def identity(catalog: Catalog, compute: Compute, portrait: Portrait) -> bytes:
    """Whose face it is, as consent records keep it.

    Raises:
        InferenceError: The net cannot be loaded.
    """
    return identity_of(_embedded(portrait, catalog.recogniser(RECOGNISER), compute))


def _embedded(portrait: Portrait, recogniser: FaceRecogniser, compute: Compute) -> NDArray[np.float32]:
    edge = recogniser.input_px
    crop = np.empty((edge, edge, 3), np.uint8)
    compute.crop(portrait.image, geometry.align(portrait.face.landmarks5_px, recogniser.template, edge), crop)
    return recogniser.embed(crop)


class _Graphics:
    """What is kept for the whole program: the graphics device, opened when first wanted, and what was measured."""

    def __init__(self) -> None:
        self.trial = Trial(SystemClock())
        self._device: Device | None = None

    def device(self) -> Device:
        """The device.

        Raises:
            ComputeError: There is none.
            ResourceError: The shaders are not as they must be.
        """
        if self._device is None or self._device.is_lost:
            self._device = open_device(resource("shaders"))
            atexit.register(self.close)
        return self._device

    def close(self) -> None:
        """Let go of the device, at the end of the program. What a session still holds ends with the process."""
        if self._device is not None:
            with suppress(ComputeError):
                self._device.close()
            self._device = None


_graphics = _Graphics()


def chosen_compute(host: CpuCompute, settings: Settings) -> ChosenCompute:
    """What composes a session's pictures, as `render.backend` asks for."""

    def on_device() -> GpuCompute:
        return GpuCompute(_graphics.device(), host)

    return ChosenCompute(host, on_device, settings.render.backend, _graphics.trial)


class _SessionMark:
    """The mark of the session that draws first: its id is not yet known when the session is put together."""

    def __init__(self, disclosure: Disclosure) -> None:
        self._disclosure = disclosure
        self._painter: MarkPainter | None = None

    def draw(self, pixels: RgbImage) -> None:
        """In place. Thread: render."""
        if self._painter is None:
            self._painter = MarkPainter(self._disclosure.payload)
        self._painter.draw(pixels)


def disclosing(compute: Compute, disclosure: Disclosure) -> DisclosingCompute:
    """A compute whose every picture says that it is synthesised."""
    label = LabelPainter(resource("resources/fonts/label.otf"))
    return DisclosingCompute(compute, label, _SessionMark(disclosure), lambda: disclosure.left_out)


def content_check(judges: Catalog, compute: Compute, disclosure: Disclosure) -> ContentCheck:
    """What looks at scenes, unless that is left out on record."""
    return ContentCheck(lambda: judges.content_judge(JUDGE), compute.crop, lambda: Part.CONTENT in disclosure.left_out)


def mark_reader() -> MarkReader:
    """What reads the mark from a film."""
    return MarkReader()


def told_of(disclosure: Disclosure) -> dict[str, Any]:
    """What `session.start` tells of a session's pictures: what they go without."""
    left_out = sorted(part.value for part in disclosure.left_out)
    return {"left_out": left_out} if left_out else {}


def machine() -> Machine:
    """How the machine is doing, for the governor."""
    return machine_reading(graphics_cards)


def waiting(server: InferenceServer | None) -> Callable[[], int]:
    """What tells how long the calling thread has waited for a server so far, in nanoseconds."""
    return (lambda: 0) if server is None else server.waited_ns


def read_source(source: portraits.Source) -> RgbImage:
    """The pixels of a source picture. Raises SourceFaceError."""
    return read_picture(source.picture) if isinstance(source.picture, Path) else source.picture


def source_opener(spec: str, settings: Settings, clock: Clock, *, offline: bool) -> Callable[[], FrameSource]:
    """What opens an input, and opens it again after a loss."""
    demo_clip = resource("resources/demo/driver.mp4")
    return lambda: open_source(spec, settings.capture, demo_clip=demo_clip, clock=clock, offline=offline)


def slate_card(settings: Settings) -> Path:
    chosen = settings.gate.slate_picture
    return user_path(chosen) if chosen else resource("resources/slate.png")


def host_compute(settings: Settings) -> CpuCompute:
    """What composes on the processor.

    Raises:
        BadInputError: The slate picture cannot be used.
    """
    return CpuCompute(slate_card(settings))


def _files(request: Request, sources: Sequence[portraits.Source]) -> tuple[list[Path], list[Path]]:
    """(written, read)."""
    written = [path for path in (request.output, request.states, request.snapshot) if path is not None]
    pictures = [source.picture for source in sources if isinstance(source.picture, Path)]
    return written, [*pictures, *_input_file(request.input), slate_card(request.settings)]


def _input_file(spec: str) -> list[Path]:
    """The input, if it is one file."""
    path = user_path(spec)
    # Not `path.is_file()`: that raises for a name too long for the disk, and an address may be one.
    return [path] if os.path.isfile(path) else []  # noqa: PTH113


def recording(path: Path, input_spec: str, settings: Settings) -> Recorder:
    """A recording of a live session, with the sound that the settings ask for.

    Raises:
        BadInputError: It would overwrite the input, or cannot be written.
    """
    check_outputs([path], [*_input_file(input_spec), slate_card(settings)])
    return make_recorder(path, settings, sound_sources(input_spec, settings))


def snapshot(path: Path) -> Snapshot:
    """The next picture that goes out, as a file.

    Raises:
        BadInputError: It cannot be written, or is neither PNG nor JPEG.
    """
    check_outputs([path], [])
    return Snapshot(path)


def output(spec: str, input_spec: str, settings: Settings) -> Sink:
    """What `--sink` asks for, with the sound that the settings ask for.

    Raises:
        SinkOpenError: There is no such output.
    """
    return make_sink(spec, settings, sound_sources(input_spec, settings))


def page_of(sink: Sink) -> str:
    """Where a browser on this machine can watch an output; empty where it cannot. It is a secret."""
    return sink.url if isinstance(sink, MjpegSink) else ""


def output_forms() -> tuple[str, ...]:
    """How outputs are asked for, in words for people."""
    return tuple(form for family in FAMILIES for form in family.forms)


def sound_sources(spec: str, settings: Settings) -> SoundSources:
    """What can be heard in a session with this input."""
    file = next(iter(_input_file(spec)), None)
    return SoundSources(file, lambda: open_microphone(settings.sound.microphone))


def _sinks(request: Request) -> tuple[Sink, ...]:
    # Files come last: one that is there already must not be emptied for a session that another output refuses.
    sounds = sound_sources(request.input, request.settings)
    sinks = [make_sink(spec, request.settings, sounds) for spec in request.sinks]
    if request.snapshot is not None:
        sinks.append(Snapshot(request.snapshot, last=True))
    if request.states is not None:
        sinks.append(StatesSink(request.states))
    if request.output is not None:
        sinks.append(make_recorder(request.output, request.settings, sounds))
    return tuple(sinks)
