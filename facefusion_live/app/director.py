"""What the studio orders, done on the loader thread: sessions begun, changed while live and ended."""

import logging
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from facefusion_live.app import heap, on_record, wiring
from facefusion_live.app.consents import InUse
from facefusion_live.app.disclosure import Disclosure
from facefusion_live.app.engines import BUILT_IN_ENGINE, try_on
from facefusion_live.app.input_names import spoken
from facefusion_live.app.on_air import OnAir, Recording
from facefusion_live.app.permits import Permits
from facefusion_live.app.portraits import Source
from facefusion_live.app.provenance_wiring import Provenance, stamp
from facefusion_live.app.remote_nets import tell_served
from facefusion_live.app.session_memory import SessionMemory, holds_key
from facefusion_live.app.studio_state import EngineState, InputState, Level, Notice, Phase, SourceState
from facefusion_live.app.wardrobe import Wardrobe
from facefusion_live.app.wiring import SystemClock
from facefusion_live.app.workshop import Workshop
from facefusion_live.domain import face_map
from facefusion_live.domain.consent import Grant
from facefusion_live.domain.errors import BadInputError, CaptureError, FaceFusionLiveError, SinkError
from facefusion_live.domain.ports import FaceSwapper, PreparedSource, Sink
from facefusion_live.engine.capturing import Capturing, Format
from facefusion_live.engine.gate import Block
from facefusion_live.engine.session import LiveSession
from facefusion_live.engine.store import SettingsStore
from facefusion_live.engine.trail import AuditTrail

log = logging.getLogger("facefusion_live.studio")

_SNAPSHOT_S = 2.0
"""How long a snapshot waits for a picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Crew:
    """Whom the director works with.

    Attributes:
        workshop: Nets and engines.
        wardrobe: Source faces made ready.
        sources: Somebody's photos with their consent, by the person's id.
        store: The settings in force.
        trail: The record.
        disclosure: What pictures may leave out.
        permits: Who knows whose face may be used.
        memory: What the next start begins with.
        tell: Takes notices. Thread: any.
        ended: Told, on another thread, that the input of a session came to its end.
        broke: Told, on another thread, that the recording of a session broke.
    """

    workshop: Workshop
    wardrobe: Wardrobe
    sources: Callable[[str], tuple[Source, ...]]
    store: SettingsStore
    trail: AuditTrail
    disclosure: Disclosure
    permits: Permits
    memory: SessionMemory
    tell: Callable[[Notice], None]
    ended: Callable[[OnAir], None]
    broke: Callable[[OnAir], None]


class Director:
    """Thread: loader for everything without another note; the attributes may be read from any.

    Attributes:
        phase: Where the session is.
        input: In use, or chosen.
        source: In use, or chosen.
        engine: In use.
        on_air: The session that runs; None while idle.
    """

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._clock = SystemClock()
        self._lock = threading.Lock()
        self._blocks: set[Block] = set()
        self._session: LiveSession | None = None
        self._incoming: Capturing | None = None
        self._outputs: dict[str, tuple[str, Sink]] = {}
        self._in_use: InUse | None = None
        self._drawn: tuple[Source, ...] = ()  # whose face is in force: photos, or what the engine brings along
        self._mapped_sources: tuple[Source, ...] = ()
        self._called_off = False
        self.phase = Phase.IDLE
        self.input = InputState(crew.memory.input, spoken(crew.memory.input))
        self.source: SourceState | None = None
        self._swapper = crew.workshop.engine(BUILT_IN_ENGINE)
        self.engine = _told(self._swapper)
        self.on_air: OnAir | None = None

    @property
    def blocks(self) -> frozenset[Block]:
        """What keeps the gate shut, in this session and the next. Thread: any."""
        with self._lock:
            return frozenset(self._blocks)

    def block(self, reason: Block) -> None:
        """Shut the gate at once. Thread: any."""
        with self._lock:
            self._blocks.add(reason)
            if self._session is not None:
                self._session.gate.block(reason)

    def unblock(self, reason: Block) -> None:
        """Take the reason back. Thread: any."""
        with self._lock:
            self._blocks.discard(reason)
            if self._session is not None:
                self._session.gate.unblock(reason)

    def call_off(self) -> None:
        """The session, or its start, is not wanted any more: wait for no input that does not open. Thread: any."""
        with self._lock:
            self._called_off = True
            session, incoming = self._session, self._incoming
        if session is not None and self.on_air is None:
            session.give_up()
        if incoming is not None:
            incoming.ask_to_stop()

    def begin(self) -> None:
        """Start a session.

        Raises:
            FaceFusionLiveError: It cannot be started; nothing is left running.
        """
        try:
            source = self.source
            if source is None:
                raise BadInputError("no face was chosen", advice="Choose a face, then start.")
            with self._starting(self.input.spec):
                dressed = self._dress(source.person_id, self._swapper)
            if dressed:
                self._go_live(None)
        except CaptureError:
            if not self._called_off:
                raise
        finally:
            self.phase = Phase.IDLE if self.on_air is None else Phase.LIVE
            if self.on_air is None:
                self._drop_session()

    def input_ended(self, live: OnAir) -> None:
        """The input of a session came to its end; nothing when another session has begun since."""
        if self.on_air is live:
            self._crew.tell(Notice(Level.INFO, "the input has ended"))
            self.phase = Phase.STOPPING
            self.end()

    def end(self) -> None:
        """End the session, if there is one."""
        try:
            self._end()
        finally:
            self.phase = Phase.IDLE

    def change_source(self, source: SourceState) -> None:
        """Use another face; the one in force stays until it is ready, or where the session is called off meanwhile.

        Raises:
            FaceFusionLiveError: It cannot be used; the face of before stays chosen.
        """
        before = self.source
        self.source = SourceState(source.person_id, source.name, loading=True)
        try:
            sources = self._dress(source.person_id, self._swapper)
        except FaceFusionLiveError:
            self.source = before
            raise
        self._crew.memory.source = source.person_id  # the next start begins with it, ready or not
        if not sources:
            self.source = before
            return
        self.source = source
        heap.give_back()
        self.unblock(Block.CONSENT)
        if self.on_air is not None:
            on_record.tell_sources(self._crew.trail, self._crew.permits.as_kept(sources))

    def change_engine(self, name: str) -> None:
        """Use another engine, from one frame to the next, and put the switch on record.

        Raises:
            FaceFusionLiveError: As `use_engine`.
        """
        before, opened, drawn = self.engine.name, self._crew.workshop.models, self._drawn
        self.use_engine(name)
        if self.engine.name == before:
            return
        self._crew.memory.engine = name
        on_record.tell_engine(self._crew.trail, before, name, self._crew.store.revision)
        if self.on_air is not None:
            new = {model: path for model, path in self._crew.workshop.models.items() if model not in opened}
            on_record.tell_models(self._crew.trail, new)
            if [each.sha256 for each in drawn] != [each.sha256 for each in self._drawn]:
                on_record.tell_sources(self._crew.trail, self._crew.permits.as_kept(self._drawn))

    def use_engine(self, name: str) -> None:
        """Have another engine swap; the one in force stays until the new one is ready.

        It is ready when it has swapped a picture with the face in use, which nobody saw.

        Raises:
            FaceFusionLiveError: It cannot be used; the engine of before goes on.
        """
        if name == self.engine.name:
            return
        self.engine = replace(self.engine, loading=name)
        ended = self._in_use is not None and bool(self._in_use.problem())
        try:
            with on_record.telling_refusals(self._crew.trail):
                swapper = self._crew.workshop.engine(name)
                if self.source is not None and not self._dress(self.source.person_id, swapper):
                    return
            self._swapper = swapper
        finally:
            self.engine = _told(self._swapper)
            heap.give_back()
        if ended and self.source is not None:
            self.unblock(Block.CONSENT)  # the face whose consent ended went with its engine
        if any(source.in_model for source in self._drawn):
            self._crew.tell(Notice(Level.INFO, "this engine draws the one person that it was trained on"))

    def map_faces(self) -> None:
        """Give people enrolled the faces that the settings map to them, from one frame to the next.

        Raises:
            FaceFusionLiveError: The face in use cannot be used any more.
        """
        if self.source is not None and self._dress(self.source.person_id, self._swapper) and self.on_air is not None:
            on_record.tell_sources(self._crew.trail, self._crew.permits.as_kept(self._mapped_sources))

    def leaving(self, person_id: str) -> None:
        """Somebody is about to be removed: shut the gate at once where that face is in use. Thread: any."""
        source = self.source
        if (source is not None and source.person_id == person_id) or person_id in self._mapped().values():
            self.block(Block.CONSENT)

    def revoked(self, person_id: str, photos: tuple[str, ...]) -> None:
        """Somebody's face may not be used any more."""
        self.leaving(person_id)  # first of all: pictures go out meanwhile
        for grant in {each.id: each for each in map(self._grant, photos) if each is not None}.values():
            self._crew.permits.revoke(grant)
        self._crew.wardrobe.forget(photos)
        if self.source is not None and self.source.person_id == person_id:
            self.source = None
            self._crew.tell(Notice(Level.WARNING, "the face in use was removed", "Choose another face to go on."))
        kept = {name: face for name, face in self._mapped().items() if face != person_id}
        if kept != self._mapped():
            self._crew.store.commit({"swap.map": face_map.written(kept)})
            self.map_faces()
            if self.source is not None:
                self.unblock(Block.CONSENT)  # it shut for the mapped face, which nobody wears any more

    def _mapped(self) -> dict[str, str]:
        return face_map.parse(self._crew.store.current.swap.map)

    def _grant(self, sha256: str) -> Grant | None:
        return self._crew.permits.book.find(sha256, b"")

    def change_input(self, spec: str) -> None:
        """Use another input.

        While live it is opened beside the old one, which goes on if that fails. Where the pictures are as large as
        before, the session goes on without a gap; else it is begun anew, and the outputs with it.

        Raises:
            CaptureError: It cannot be opened.
        """
        live = self.on_air
        if live is None:
            self._choose(InputState(spec, spoken(spec)))
            return
        if spec == live.spec:  # one device cannot be opened twice: the camera's settings were changed
            self._begin_anew(spec, None)
            return
        with ExitStack() as on_failure:
            incoming = live.session.incoming(self._crew.workshop.opener(spec, self._crew.store.current))
            on_failure.callback(incoming.detach)
            form = self._opened(incoming)
            if form is None:
                return
            if form.size_wh == live.session.format.size_wh:
                live.session.switch_input(incoming)
                live.spec = spec
                self._choose(InputState(spec, _called(spec, form.name), form.size_wh, form.fps))
            else:
                self._begin_anew(spec, incoming)
            on_failure.pop_all()

    def _opened(self, incoming: Capturing) -> Format | None:
        """Open an input beside the one in use; None where the session was called off meanwhile."""
        with self._lock:
            self._incoming = incoming
            called_off = self._called_off
        try:
            return None if called_off else incoming.open()
        except CaptureError:
            if not self._called_off:
                raise
            return None
        finally:
            with self._lock:
                self._incoming = None

    def record(self, path: Path) -> None:
        """Begin a recording.

        Raises:
            SinkError: It cannot be written, nothing is live, or a recording runs already.
            AuditStoreError: It cannot be put on record.
        """
        live = self._live()
        if live.recording is not None:
            raise SinkError("a recording is running already", advice="Stop it first.")
        _make_folder(path)
        sink = wiring.recording(path, live.spec, self._crew.store.current)
        on_record.announce_recording(self._crew.trail, live.session.format.name)
        live.recording = Recording(path, live.session.add_sink(sink), sink, self._clock)

    def stop_recording(self) -> None:
        """Finish the recording, if there is one.

        Raises:
            SinkError: Its end could not be written.
        """
        live = self._live()
        recording, live.recording = live.recording, None
        if recording is None:
            return
        try:
            live.session.remove_sink(recording.name)
        finally:
            self._tell_recorded(recording, live)

    def recording_broke(self, live: OnAir) -> None:
        """The recording of a session ended by itself, say on a full disk: it is put on record as far as it came."""
        recording = live.recording
        if recording is not None and recording.name in live.session.failed_sinks:
            live.recording = None
            self._tell_recorded(recording, live)

    def snapshot(self, path: Path) -> Path:
        """Write the next picture that goes out.

        Raises:
            SinkError: Nothing is live, it cannot be written, or no picture came.
        """
        live = self._live()
        _make_folder(path)
        sink = wiring.snapshot(path)
        name = live.session.add_sink(sink)
        there = sink.taken.wait(_SNAPSHOT_S)
        live.session.remove_sink(name)
        if not there:
            raise SinkError(f"{path.name}: no picture came", advice="Try again once pictures go out.")
        self._tell_problem(stamp(path, self._crew.trail))
        return path

    def add_output(self, spec: str) -> None:
        """Send the pictures somewhere else, too.

        Raises:
            SinkOpenError: It cannot be opened.
        """
        sink = wiring.output(spec, self.input.spec, self._crew.store.current)
        if self.on_air is not None:
            self._outputs[self.on_air.session.add_sink(sink)] = (spec, sink)
        self._remember_output(spec)

    def remove_output(self, name: str) -> None:
        """End an output.

        Raises:
            SinkError: There is none of that name, or its end could not be written.
        """
        spec, _ = self._outputs.pop(name, (name, None))
        self._crew.memory.outputs = tuple(each for each in self._crew.memory.outputs if each != spec)
        if self.on_air is not None:
            self.on_air.session.remove_sink(name)

    def page(self, name: str) -> str:
        """Where a browser on this machine can watch an output; empty where it cannot. Thread: any."""
        sink = self._outputs.get(name, ("", None))[1]
        return "" if sink is None else wiring.page_of(sink)

    def _live(self) -> OnAir:
        if self.on_air is None:
            raise SinkError("nothing is live", advice="Start first.")
        return self.on_air

    def _dress(self, person_id: str, swapper: FaceSwapper) -> tuple[Source, ...]:
        """Put on a face; returns its pictures, none where the session was called off meanwhile."""
        own = self._crew.workshop.own_face(swapper.name)
        sources = self._crew.sources(person_id) if own is None else (own,)
        for source in sources:
            self._crew.permits.check(source)
        outfit = self._crew.wardrobe.prepare(sources, swapper, lambda: not self._called_off)
        if outfit is None:
            return ()
        if swapper is not self._swapper:
            shown = self._crew.workshop.stand_in() if own else self._crew.workshop.portrait(sources[0])
            try_on(outfit, shown, self._crew.store.current)
        # An engine that draws the one person it was trained on draws them on everybody.
        mapped = {} if own else self._mapped_faces(swapper)
        self._mapped_sources = tuple(source for worn, _ in mapped.values() for source in worn)
        self._crew.wardrobe.wear(replace(outfit, own={name: prepared for name, (_, prepared) in mapped.items()}))
        self._in_use, self._drawn = self._crew.permits.in_use((*sources, *self._mapped_sources)), sources
        return sources

    def _mapped_faces(self, swapper: FaceSwapper) -> dict[str, tuple[tuple[Source, ...], PreparedSource]]:
        """The faces of people enrolled; one that cannot be used is told of, and they get the one of everybody."""
        made: dict[str, tuple[tuple[Source, ...], PreparedSource]] = {}
        for name, person_id in self._mapped().items():
            try:
                sources = self._crew.sources(person_id)
                for source in sources:
                    self._crew.permits.check(source)
                outfit = self._crew.wardrobe.prepare(sources, swapper, lambda: not self._called_off)
            except FaceFusionLiveError as error:
                words = f"{name} gets the face that was chosen for all: {error}"
                self._crew.tell(Notice(Level.WARNING, words, error.advice, type(error).__name__))
                continue
            if outfit is not None:
                made[name] = sources, outfit.source
        return made

    def _permitted(self) -> bool:
        return self._in_use is None or not self._in_use.problem()

    def _go_live(self, capturing: Capturing | None, spec: str | None = None) -> None:
        """Put a session together and start it; the outputs are added once pictures flow."""
        crew, spec = self._crew, spec or self.input.spec
        session = crew.workshop.session(
            spec, crew.wardrobe.worn, crew.store, crew.trail, crew.disclosure, capturing, self._permitted
        )
        with self._lock:
            for reason in self._blocks:
                session.gate.block(reason)
            self._session = session
            called_off = self._called_off
        if called_off:
            return
        live = OnAir(session, spec, self._clock, crew.tell, crew.ended, crew.broke)
        with self._starting(spec):
            live.begin()
        self.on_air = live
        form = session.format
        self._choose(InputState(spec, _called(spec, form.name), form.size_wh, form.fps))
        on_record.tell_sources(crew.trail, crew.permits.as_kept((*self._drawn, *self._mapped_sources)))
        on_record.tell_models(crew.trail, crew.workshop.models)
        for served in crew.workshop.served:
            tell_served(crew.trail, served)
        self._outputs = {}
        for wanted in crew.memory.outputs:
            self._try_output(live, wanted)

    @contextmanager
    def _starting(self, spec: str) -> Generator[None]:
        """A step on the way to a session. Where it fails, that is on record, and what comes belongs to the next one."""
        trail = self._crew.trail
        with ExitStack() as on_failure:
            on_failure.callback(trail.next_session)
            with trail.starting(on_record.input_target(spec)), on_record.telling_refusals(trail):
                yield
            on_failure.pop_all()

    def _try_output(self, live: OnAir, spec: str) -> None:
        try:
            sink = wiring.output(spec, live.spec, self._crew.store.current)
            self._outputs[live.session.add_sink(sink)] = (spec, sink)
        except SinkError as error:
            self._crew.tell(Notice(Level.ERROR, str(error), error.advice, type(error).__name__))

    def _begin_anew(self, spec: str, incoming: Capturing | None) -> None:
        """The same session with another input: outputs and recording are begun again."""
        recording = None if self.on_air is None else self.on_air.recording
        self._end()
        try:
            self._go_live(incoming, spec)
        finally:
            if self.on_air is None:
                self.phase = Phase.IDLE
                self._drop_session()
        if recording is not None:
            path = _free_name(recording.path)
            self._crew.tell(Notice(Level.INFO, f"the input was opened anew: the recording goes on as {path.name}"))
            self.record(path)

    def _end(self) -> None:
        live, self.on_air = self.on_air, None
        if live is None:
            return
        live.end()
        if live.recording is not None:
            self._tell_recorded(live.recording, live)
        if live.session.gate.armed:
            self._crew.trail.record("passthrough.off", "gate", "success", {"reason": "session ended"})
        self._crew.trail.next_session()  # what comes now, say a consent, belongs to what will be started
        error = live.session.input_error
        if error is not None:
            self._crew.tell(Notice(Level.WARNING, f"the input broke off: {error}", "", type(error).__name__))
        self._drop_session()

    def _tell_recorded(self, recording: Recording, live: OnAir) -> None:
        for path in recording.files or (None,):
            self._tell_problem(on_record.tell_recording(self._crew.trail, path, live.session.format.name))

    def _tell_problem(self, signed: Provenance | None) -> None:
        if signed is not None and signed.problem:
            self._crew.tell(Notice(Level.WARNING, signed.problem))

    def _drop_session(self) -> None:
        with self._lock:
            self._session, self._called_off = None, False

    def _choose(self, chosen: InputState) -> None:
        self.input = chosen
        self._crew.memory.worked(chosen.spec)

    def _remember_output(self, spec: str) -> None:
        if holds_key(spec):
            self._crew.tell(Notice(Level.INFO, "an address with a key is not remembered: give it again next time"))
        if spec not in self._crew.memory.outputs:
            self._crew.memory.outputs = (*self._crew.memory.outputs, spec)


def _told(swapper: FaceSwapper) -> EngineState:
    return EngineState(swapper.name, swapper.provider)


def _called(spec: str, device: str) -> str:
    """An input that is open, for people: a camera by the name that it has, everything else as it was asked for."""
    return device if spec.startswith("camera:") else spoken(spec)


def _make_folder(path: Path) -> None:
    """Make the folder that a file is to lie in, so that the first recording finds its place."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(
            f"the folder {path.parent.name} cannot be made", advice="Give a folder that you may write to."
        ) from error


def _free_name(path: Path) -> Path:
    number = 2
    while (free := path.with_stem(f"{path.stem} {number}")).exists():
        number += 1
    return free
