"""The program under the window: one studio lives as long as the window, sessions come and go in it."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from facefusion_live.app.audit_desk import AuditDesk
from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.app.consent_counter import ConsentCounter
from facefusion_live.app.consent_desk import ConsentDesk
from facefusion_live.app.director import Crew, Director
from facefusion_live.app.disclosure import Disclosure
from facefusion_live.app.environment import Home, load_settings, save_settings
from facefusion_live.app.guest_list import GuestList
from facefusion_live.app.input_names import spoken
from facefusion_live.app.library import Library
from facefusion_live.app.newer_files import refuse_newer
from facefusion_live.app.on_air import Reading
from facefusion_live.app.permits import Permits
from facefusion_live.app.portraits import Source
from facefusion_live.app.presets import Presets
from facefusion_live.app.remote_nets import Served, in_words, is_exposed, open_server, tell_served
from facefusion_live.app.second_person import SWITCH, SecondPerson
from facefusion_live.app.session_memory import SessionMemory
from facefusion_live.app.studio_state import (
    Added,
    AuditState,
    CameraChoice,
    EngineState,
    InputState,
    KnownPerson,
    Level,
    Notice,
    Person,
    Phase,
    RecordingState,
    SourceState,
    StudioState,
)
from facefusion_live.app.taken_back import taken_back
from facefusion_live.app.wardrobe import Wardrobe
from facefusion_live.app.wiring import camera_formats, list_cameras, output_forms, read_picture
from facefusion_live.app.workshop import Workshop
from facefusion_live.domain.consent import Consent
from facefusion_live.domain.disclosure import REASONS, SWITCHES, Part
from facefusion_live.domain.errors import (
    BadInputError,
    ConsentError,
    FaceFusionLiveError,
    SettingsError,
)
from facefusion_live.domain.parameter import Value
from facefusion_live.domain.ports import GateState, Portrait
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.gate import Block
from facefusion_live.engine.history import History, Step
from facefusion_live.engine.preview import PatchPlace, View
from facefusion_live.engine.store import Change, SettingsStore
from facefusion_live.engine.tasks import TaskRunner
from facefusion_live.engine.trail_writer import Notice as TrailNotice

__all__ = [
    "Added",
    "AuditState",
    "CameraChoice",
    "EngineState",
    "InputState",
    "KnownPerson",
    "Level",
    "Notice",
    "PatchPlace",
    "Person",
    "Phase",
    "RecordingState",
    "SourceState",
    "Step",
    "Studio",
    "StudioState",
    "View",
    "open_studio",
]

log = logging.getLogger("facefusion_live.studio")

T = TypeVar("T")
_FIRST_FACE = "ada"
"""Whose face is chosen at the very first start."""
_CLOSE_S = 2.0
_NOTICES = 50
_IDLE = Reading()
_BY_HAND = "many_actions"
_TRAIL_LEVELS = {"alert": Level.WARNING, "suppressed": Level.INFO, "failed": Level.ERROR, "recovered": Level.INFO}


class Studio:
    """Everything that the window can do, without Qt.

    Thread: GUI. Every method returns within a few milliseconds: slow work runs on the loader thread and shows in
    `state()`, and what goes wrong there comes as a `Notice`.

    Attributes:
        store: The settings in force; sliders preview and commit here.
        history: Undo and redo.
        presets: Saved looks.
        library: Whose faces can be used.
        consents: Their consents: renewed, confirmed, taken back.
        guests: Whose faces are known.
        audit: The record.

    Args:
        home: The user's files.
        settings: At the start.
        remember: The next start begins with what this one worked with.
        told: What a person is to be told first.
    """

    def __init__(
        self,
        home: Home,
        settings: Settings,
        *,
        remember: bool = True,
        told: Sequence[Notice] = (),
    ) -> None:
        self._home, self._remembers = home, remember
        self._notices: deque[Notice] = deque(told, maxlen=_NOTICES)
        self._lock = threading.Lock()
        self._closed = self._saving = False
        self._camera_names: Mapping[str, str] = {}
        self._whither: set[str] = set()
        self._loader = TaskRunner("loader", give_way=lambda: self._director.phase is Phase.LIVE)
        self._workshop = Workshop(
            settings.inference.provider,
            open_server(settings, self._served, self._server_told),
            known=lambda recogniser: self.guests.roster(recogniser),  # noqa: PLW0108 (made later)
        )
        self.store = SettingsStore(settings)
        self.history = History(self.store)
        self.presets = Presets(home.presets, self.store, self.history)
        self._memory = self._or_anew(home.config / "session.toml", SessionMemory.load)
        self.library = self._or_anew(home.consent / "people.toml", self._open_library)
        audit_home = AuditHome(home.data, notify=self._trail_told)
        self._trail = audit_home.open_trail()
        audit_home.retain(self._trail, settings.audit.keep_days)
        self.audit = AuditDesk(audit_home, self._trail)
        self.guests = GuestList(
            home.enrolled,
            self._loader,
            self.store,
            recogniser=lambda: self._workshop.recogniser(self.store.current),
            events=self._trail,
        )
        self._disclosure = Disclosure(self._trail)
        desk = ConsentDesk(home, self._trail)
        self._permits = Permits(
            desk.book,
            self._trail,
            approval=lambda: desk.second.asked(self.store.current),
            taken_back=lambda: taken_back(audit_home),
        )
        self._director = Director(self._crew())
        self.consents = ConsentCounter(desk, self.library, self.store, self._loader, self._director.leaving)
        self._forget = self.store.on_commit(self._committed)
        self._unwatch = self.store.on_change(lambda: self._disclosure.follow(self.store.current))
        self._prepare()

    def state(self) -> StudioState:
        """The program at this moment. Cheap."""
        self.consents.look_again()
        director = self._director
        live = director.on_air
        session = None if live is None else live.session
        reading = _IDLE if live is None else live.reading
        shown = GateState.SLATE if session is None else session.gate.state
        fault = None if session is None or shown is GateState.LIVE else session.gate.fault
        recording = None if live is None else live.recording
        return StudioState(
            phase=director.phase,
            gate=shown,
            blocks=director.blocks if session is None else director.blocks | session.gate.blocks,
            pass_armed=session is not None and session.gate.armed,
            frozen=session is not None and session.freezer.frozen,
            fps_in=reading.fps_in,
            fps_out=reading.fps_out,
            latency_ms=reading.latency_ms,
            dropped=reading.dropped,
            failed=reading.failed,
            fault="" if fault is None else fault.value,
            input_problem="" if session is None else session.input_problem,
            leaks=reading.leaks,
            input=self._named(director.input),
            source=director.source,
            engine=director.engine,
            backend="" if session is None else session.backend.name,
            backend_reason="" if session is None else session.backend.reason,
            recording=None if recording is None else recording.state(),
            outputs={} if live is None else live.outputs(),
            audit=self.audit.state(),
            warnings=reading.warnings,
            session_s=0.0 if live is None else round(live.seconds, 1),
            people_revision=self.library.revision,
            guests=self.guests.people(),
            revision=self.store.revision,
            can_undo=self.history.can_undo,
            can_redo=self.history.can_redo,
            memory_mib=reading.memory_mib,
            left_out=_parts(self._disclosure.left_out),
            left_out_asked=_parts(self._disclosure.asked),
            left_out_reason=self._disclosure.reason,
            content_problem="" if session is None else session.content.problem,
            eased=reading.eased,
            approval_off_asked=self.consents.approval_off_asked,
        )

    def take_view(self) -> View | None:
        """The newest picture for the viewport, or None when there is no new one. The caller releases it.

        Whoever takes none for a second looks away: then views cost nothing.
        """
        live = self._director.on_air
        return None if live is None else live.session.preview.take()

    def take_notices(self) -> tuple[Notice, ...]:
        """What a person is to be told; each is given once."""
        taken: list[Notice] = []
        while self._notices:
            taken.append(self._notices.popleft())
        return tuple(taken)

    def start(self) -> None:
        """Begin a session with the source, input and outputs chosen. Nothing while there is one."""
        if self._director.phase is Phase.IDLE and not self._closed:
            self._director.phase = Phase.STARTING
            self._order(self._director.begin)

    def stop(self) -> None:
        """End the session, or its start."""
        if self._director.phase in (Phase.STARTING, Phase.LIVE):
            self._director.phase = Phase.STOPPING
            self._director.call_off()
            self._order(self._director.end)

    def choose_source(self, person_id: str) -> None:
        """Use another face. While live it is prepared beside the picture and put in between two frames."""
        try:
            chosen = SourceState(person_id, self.library.person(person_id).name)
        except BadInputError as error:
            self._tell_error(error)
            return
        self._order(lambda: self._director.change_source(chosen), then=self._remember)

    def engines(self) -> "Future[tuple[str, ...]]":
        """Every engine that could run now: the built-in one first, and the swappers that are here or on the server."""
        return self._loader.submit(self._workshop.engines)

    def choose_engine(self, name: str) -> None:
        """Use another engine. While live it is loaded beside the picture, tried, and put in between two frames."""
        self._order(lambda: self._director.change_engine(name), then=self._remember)

    def choose_input(self, spec: str) -> None:
        """Use another input. While live it is opened beside the old one, which goes on if the new one fails."""
        self._order(lambda: self._director.change_input(spec), then=self._remember)

    def recent_inputs(self) -> tuple[str, ...]:
        """Inputs that worked, the last one first."""
        return self._memory.recent_inputs

    def input_name(self, spec: str) -> str:
        """An input for people: a camera by its name once it was seen, an address without what may be secret in it."""
        return self._camera_names.get(spec) or spoken(spec)

    def cameras(self) -> "Future[tuple[CameraChoice, ...]]":
        """The cameras that are there now."""
        return self._loader.submit(self._look_for_cameras)

    def panic(self) -> None:
        """Cut to the slate at once, until `resume`."""
        self._director.block(Block.PANIC)

    def resume(self) -> None:
        """Take the panic back: the next good frame goes out."""
        self._director.unblock(Block.PANIC)

    def arm(self, *, pass_through: bool) -> None:
        """Allow, or forbid again, that the bare camera goes out. It is on record; each session begins forbidden."""
        live = self._director.on_air
        if live is None:
            self._tell(Notice(Level.INFO, "nothing is live: there is nothing to pass through", "Start first."))
        elif live.session.gate.armed != pass_through:
            self._trail.record("passthrough.on" if pass_through else "passthrough.off", "gate", "success", {})
            live.session.gate.arm(pass_through=pass_through)

    def leave_out(self, reason: str | None) -> None:
        """Say why label, mark or nudity check are left out, as `state().left_out_asked` tells; None takes it back.

        They are on until the reason is on record, and stay when it cannot be.
        """
        asked = self._disclosure.asked
        if reason is None:
            self.store.commit({SWITCHES[part]: True for part in asked})
            return
        self._leave_out(reason, None)

    def freeze(self, on: bool) -> None:  # noqa: FBT001 (a switch, connected to a button)
        """Let the viewport stand still, or go on. The frozen picture follows every slider; the outputs go on."""
        live = self._director.on_air
        if live is not None:
            live.session.freezer.freeze(on)

    def start_recording(self, path: Path) -> None:
        """Record from now on. It is on record first."""
        self._order(lambda: self._director.record(path))

    def pause_recording(self, on: bool) -> None:  # noqa: FBT001 (as freeze)
        """Leave pictures out of the recording, or take them in again."""
        live = self._director.on_air
        if live is not None and live.recording is not None:
            live.recording.pause(on=on)

    def stop_recording(self) -> None:
        """Finish the recording."""
        self._order(self._director.stop_recording)

    def snapshot(self, path: Path) -> "Future[Path]":
        """Write the next picture that goes out as PNG or JPEG, by the name's ending; gives the file."""
        return self._loader.submit(lambda: self._director.snapshot(path))

    def output_forms(self) -> tuple[str, ...]:
        """How outputs are asked for: "virtual-camera", and the like."""
        return output_forms()

    def add_output(self, spec: str) -> None:
        """Send the pictures somewhere else, too. It is remembered."""
        self._order(lambda: self._director.add_output(spec), then=self._remember)

    def output_page(self, name: str) -> str:
        """Where a browser on this machine can watch an output; empty where it cannot. A secret: never on record."""
        return self._director.page(name)

    def remove_output(self, name: str) -> None:
        """End an output, by its name in `state().outputs`."""
        self._order(lambda: self._director.remove_output(name), then=self._remember)

    def close(self) -> None:
        """End everything, the record last. Waits up to two seconds; a second call looks after the record only.

        Raises:
            StoreHangsError: The record's disk does not answer. All else has ended.
        """
        if not self._closed:
            self._closed = True
            self._end_all_but_the_record()
        self._trail.close(_CLOSE_S)

    def _end_all_but_the_record(self) -> None:
        self.presets.stop_morph()
        self._director.call_off()
        self._loader.submit(self._director.end)
        self._loader.submit(self._remember)
        self._loader.finish(_CLOSE_S)
        self.audit.close(_CLOSE_S)
        self.history.close()
        self._forget()
        self._unwatch()

    def _look_for_cameras(self) -> tuple[CameraChoice, ...]:
        found = _cameras()
        self._camera_names = {camera.spec: camera.name for camera in found}
        return found

    def _named(self, used: InputState) -> InputState:
        name = self._camera_names.get(used.spec)
        return used if name is None else replace(used, name=name)

    def _crew(self) -> Crew:
        return Crew(
            workshop=self._workshop,
            wardrobe=Wardrobe(self._workshop.portrait),
            sources=self.library.sources,
            store=self.store,
            trail=self._trail,
            disclosure=self._disclosure,
            permits=self._permits,
            memory=self._memory,
            tell=self._tell,
            ended=lambda live: self._order(lambda: self._director.input_ended(live)),
            broke=lambda live: self._order(lambda: self._director.recording_broke(live)),
        )

    def _open_library(self, file: Path) -> Library:
        return Library(
            file,
            self._loader,
            look=self._workshop.portrait,
            read=read_picture,
            allow=self._allow,
            kept=lambda photos: self._permits.kept(photos),  # noqa: PLW0108 (made later)
            leaving=lambda person_id: self._director.leaving(person_id),  # noqa: PLW0108 (made later)
            revoked=lambda person_id, photos: self._director.revoked(person_id, photos),  # noqa: PLW0108 (as above)
        )

    def _allow(self, source: Source, portrait: Portrait) -> Consent:
        self._permits(source, self._workshop.identity(portrait), may_wait=True)
        (kept,) = self._permits.as_kept((source,))
        return kept.consent or Consent.GENERATED  # only the built-in faces come without one, and they never come here

    def _leave_out(self, reason: str, parts: frozenset[Part] | None) -> None:
        try:
            self._disclosure.grant(reason, parts).add_done_callback(self._done)
        except SettingsError as error:
            self._tell_error(error)

    def _disclose(self) -> None:
        """Begin with what the settings ask to leave out, if they say why; else somebody will be asked."""
        settings = self.store.current
        self._disclosure.follow(settings)
        for where in dict.fromkeys(REASONS[part] for part in sorted(self._disclosure.asked, key=SWITCHES.__getitem__)):
            if reason := str(settings.value(where)):
                self._leave_out(reason, frozenset(part for part in Part if REASONS[part] == where))

    def _prepare(self) -> None:
        """Load what the first session needs before anybody asks for it."""
        known = {person.id: person for person in self.library.people()}
        first = known.get(self._memory.source) or known[_FIRST_FACE]
        self._director.source = SourceState(first.id, first.name)
        self._disclose()
        self._order(self._workshop.warm)
        if self._memory.engine:
            self._order(lambda: self._director.use_engine(self._memory.engine))  # chosen, and on record, before
        self.choose_source(first.id)
        # Behind whatever is ordered meanwhile: a session that is wanted at once does not wait for thumbnails.
        self._order(lambda: self.library.refresh().add_done_callback(self._done))

    def _or_anew(self, file: Path, load: Callable[[Path], T]) -> T:
        """What a file holds; one that is damaged is put aside, and told of."""
        try:
            return load(file)
        except SettingsError as error:
            aside = _put_aside(file, error)
            self._tell(Notice(Level.WARNING, str(error), f"It was put aside as {aside}.", type(error).__name__))
            return load(file)

    def _order(self, do: Callable[[], object], then: Callable[[], None] | None = None) -> None:
        """Have something done on the loader thread, and tell what goes wrong."""
        self._loader.submit(do).add_done_callback(self._done)
        if then is not None:
            self._loader.submit(then).add_done_callback(self._done)

    def _done(self, future: "Future[Any]") -> None:
        error = CancelledError() if future.cancelled() else future.exception()
        if error is not None and not isinstance(error, CancelledError):
            self._tell_error(error)

    def _tell_error(self, error: BaseException) -> None:
        if isinstance(error, FaceFusionLiveError):
            self._tell(Notice(Level.ERROR, str(error), error.advice, type(error).__name__))
            return
        log.error("unexpected", exc_info=error)
        text = f"something went wrong that should not ({type(error).__name__})"
        self._tell(Notice(Level.ERROR, text, f"Please report it, with {self._home.log_file.name}.", repr(error)))

    def _tell(self, notice: Notice) -> None:
        self._notices.append(notice)

    def _served(self, served: Served) -> None:
        tell_served(self._trail, served)
        words = in_words(served)
        if words not in self._whither:  # another version of the net is for the record
            self._whither.add(words)
            level = Level.WARNING if is_exposed(served) else Level.INFO
            self._tell(Notice(level, words, "inference.remote names the server."))

    def _server_told(self, words: str) -> None:
        lost = bool(self._workshop.problems())
        advice = "It is asked again by itself; until then the slate goes out." if lost else ""
        self._tell(Notice(Level.WARNING if lost else Level.INFO, words, advice))

    def _trail_told(self, notice: TrailNotice) -> None:
        if notice.rule == _BY_HAND:
            return  # whoever moves eleven sliders in a minute knows; the log and what watches it are told
        self._tell(Notice(_TRAIL_LEVELS[notice.kind], notice.message, "", notice.rule))

    def _committed(self, change: Change) -> None:
        fields = {"fields": dict(change.fields), "revision": change.revision}
        self._trail.record("settings.change", "settings", "success", fields)
        if SWITCH in change.fields:
            self._order(self.consents.settings_changed)
        if "swap.map" in change.fields:
            self._order(self._director.map_faces)
        with self._lock:
            due, self._saving = not self._saving, True
        if due:
            self._order(self._save_settings)

    def _save_settings(self) -> None:
        with self._lock:
            self._saving = False
        save_settings(self.store.current, self._home.settings_file)

    def _remember(self) -> None:
        if self._remembers:
            self._memory.save(self._home.config / "session.toml")


def _parts(parts: frozenset[Part]) -> tuple[str, ...]:
    return tuple(sorted(part.value for part in parts))


def _cameras() -> tuple[CameraChoice, ...]:
    return tuple(
        CameraChoice(f"camera:{camera.index}", camera.name, camera_formats(Path(camera.path)) if camera.path else ())
        for camera in list_cameras()
    )


def _put_aside(file: Path, error: SettingsError) -> str:
    """Rename a damaged file; returns its new name.

    Raises:
        SettingsError: The one given: it cannot be renamed.
    """
    aside = file.with_suffix(".damaged")
    number = 1
    while aside.exists():
        number += 1
        aside = file.with_suffix(f".damaged-{number}")
    try:
        file.replace(aside)
    except OSError:
        raise error from None
    return aside.name


def open_studio(home: Home, overrides: Mapping[str, Value], *, remember: bool = True) -> Studio:
    """A studio with the settings that were in force last, and some others on top.

    Whoever opens a window has no terminal to be told in: damaged settings are put aside, and the usual ones are taken.

    Args:
        home: The user's files.
        overrides: Values by `group.name`, from the command line.
        remember: As for `Studio`.

    Raises:
        NewerFileError: A newer version of this program wrote settings, people, consents or the last session.
        SettingsError: There is no such parameter or value among the overrides.
    """
    refuse_newer(home)
    told: list[Notice] = []
    try:
        settings = load_settings(home.settings_file)
    except SettingsError as error:
        settings, aside = Settings(), _put_aside(home.settings_file, error)
        advice = f"It was put aside as {aside}; the usual settings are in force."
        told.append(Notice(Level.WARNING, str(error), advice, type(error).__name__))
    with suppress(ConsentError):  # damaged records let in nobody, and say so when they are asked
        if SecondPerson(home).kept:
            settings = settings.with_values({SWITCH: True})
    return Studio(home, settings.with_values(overrides), remember=remember, told=told)
