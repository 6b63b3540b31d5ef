"""A studio without engine, camera, disk or threads: what the window's tests hold in their hands.

Orders take effect at once and are noted in `calls`. Tests change what it shows with `show`, give pictures with
`push_view` and notices with `tell`.
"""

import dataclasses
import itertools
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from facefusion_live.app.input_names import spoken
from facefusion_live.app.permits import Told
from facefusion_live.app.portraits import Consent
from facefusion_live.app.presets import Presets
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
from facefusion_live.domain import face_map
from facefusion_live.domain.audit.errors import OperatorCodeError
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.domain.audit.report import VERDICTS, LogReport
from facefusion_live.domain.consent import Grant
from facefusion_live.domain.disclosure import SWITCHES, unwanted
from facefusion_live.domain.errors import BadInputError
from facefusion_live.domain.face import Face
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.ports import GateState, SinkState, SinkStatus
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.gate import Block
from facefusion_live.engine.history import History
from facefusion_live.engine.latency import Percentiles
from facefusion_live.engine.preview import View
from facefusion_live.engine.store import SettingsStore

T = TypeVar("T")
AVATARS = ("ada", "bo", "cleo", "dan", "esi", "fay")


def done(value: T) -> "Future[T]":
    """A future that is there already."""
    future: Future[T] = Future()
    future.set_result(value)
    return future


def failed(error: Exception) -> "Future[Any]":
    """A future that raises."""
    future: Future[Any] = Future()
    future.set_exception(error)
    return future


def flat(colour: tuple[int, int, int], size_wh: tuple[int, int] = (320, 180)) -> NDArray[np.uint8]:
    """A picture of one colour."""
    return np.full((size_wh[1], size_wh[0], 3), colour, np.uint8)


class FakeLibrary:
    """Six avatars, and whoever is added. A file with "bad" in its name is refused."""

    def __init__(self) -> None:
        self._people = {
            name: Person(name, name.capitalize(), True, (f"{name}.jpg",), Consent.GENERATED, _thumbnail(index))
            for index, name in enumerate(AVATARS)
        }
        self._ids = itertools.count(1)
        self.revision = 0
        self.calls: list[tuple[Any, ...]] = []

    def people(self) -> tuple[Person, ...]:
        return tuple(self._people.values())

    def person(self, person_id: str) -> Person:
        if person_id not in self._people:
            raise BadInputError(f"there is no person {person_id!r}")
        return self._people[person_id]

    def add(
        self, paths: Sequence[Path], consent: Consent | Told, *, person_id: str | None = None, together: bool = False
    ) -> "Future[tuple[Added, ...]]":
        self.calls.append(("add", tuple(paths), consent, person_id, together))
        told: list[Added] = []
        for path in paths:
            if "bad" in path.name:
                told.append(Added(path.name, None, "no face was found", "Give a portrait, seen from the front."))
                continue
            kind = consent.kind if isinstance(consent, Told) else consent
            taken_by = self._take(path, kind, person_id)
            told.append(Added(path.name, taken_by))
            person_id = taken_by if together else person_id
        return done(tuple(told))

    def put(self, person_id: str, **changed: Any) -> None:
        """Change what is known of somebody."""
        self._people[person_id] = dataclasses.replace(self.person(person_id), **changed)
        self.revision += 1

    def rename(self, person_id: str, name: str) -> None:
        self._people[person_id] = dataclasses.replace(self.person(person_id), name=name)
        self.revision += 1

    def remove(self, person_id: str) -> "Future[None]":
        self.calls.append(("remove", person_id))
        self._people.pop(person_id)
        self.revision += 1
        return done(None)

    def remove_photo(self, person_id: str, index: int) -> "Future[None]":
        person = self.person(person_id)
        photos = (*person.photos[:index], *person.photos[index + 1 :])
        if not photos:
            return self.remove(person_id)
        self._people[person_id] = dataclasses.replace(person, photos=photos)
        self.revision += 1
        return done(None)

    def _take(self, path: Path, consent: Consent, person_id: str | None) -> str:
        if person_id is None:
            person_id = f"person-{next(self._ids)}"
            self._people[person_id] = Person(
                person_id, path.stem, False, (str(path),), consent, _thumbnail(len(self._people))
            )
        else:
            person = self._people[person_id]
            self._people[person_id] = dataclasses.replace(person, photos=(*person.photos, str(path)))
        self.revision += 1
        return person_id


class FakeConsents:
    """Consents of the fake people. The operator's code is 123456."""

    def __init__(self, library: FakeLibrary, store: SettingsStore) -> None:
        self._library, self._store = library, store
        self.kept = False
        self.calls: list[tuple[Any, ...]] = []

    @property
    def approval_off_asked(self) -> bool:
        return self.kept and not self._store.current.consent.approval

    def renew(self, person_id: str, until: str, document: Path | None) -> "Future[None]":
        self.calls.append(("renew", person_id, until, document))
        grant = self._grant(person_id)
        return self._put(person_id, dataclasses.replace(grant, claim=dataclasses.replace(grant.claim, until=until)), "")

    def revoke(self, person_id: str) -> "Future[None]":
        self.calls.append(("revoke", person_id))
        grant = dataclasses.replace(self._grant(person_id), revoked="2026-11-26T12:00:00Z")
        return self._put(person_id, grant, "the consent was taken back on 2026-11-26")

    def approve(self, person_id: str, code: str) -> "Future[None]":
        self.calls.append(("approve", person_id))
        if code != "123456":
            return failed(OperatorCodeError("that is not the operator's code, or it was used before"))
        return self._put(person_id, dataclasses.replace(self._grant(person_id), approved="2026-11-26T12:00:00Z"), "")

    def approval_off(self, code: str | None) -> "Future[None]":
        self.calls.append(("approval_off", code is None))
        if code is None:
            self._store.commit({"consent.approval": True})
        elif code != "123456":
            return failed(OperatorCodeError("that is not the operator's code, or it was used before"))
        else:
            self.kept = False
        return done(None)

    def _grant(self, person_id: str) -> Grant:
        grant = self._library.person(person_id).grant
        assert grant is not None
        return grant

    def _put(self, person_id: str, grant: Grant, withheld: str) -> "Future[None]":
        self._library.put(person_id, grant=grant, withheld=withheld)
        return done(None)


class FakeGuests:
    """Whoever was enrolled. A name with "bad" in it is refused."""

    def __init__(self, store: SettingsStore) -> None:
        self._store = store
        self.looks: dict[str, int] = {}
        self.calls: list[tuple[Any, ...]] = []

    def people(self) -> tuple[KnownPerson, ...]:
        faces = face_map.parse(self._store.current.swap.map)
        return tuple(KnownPerson(name, looks, faces.get(name, "")) for name, looks in self.looks.items())

    def enrol(self, name: str, face: Face) -> "Future[None]":
        self.calls.append(("enrol", name, face))
        if "bad" in name:
            return failed(BadInputError("nobody has looked at that face yet", advice="Wait a moment, and try again."))
        self.looks[name] = self.looks.get(name, 0) + len(face.looks)
        return done(None)

    def give_face(self, name: str, person_id: str) -> None:
        faces = face_map.parse(self._store.current.swap.map) | {name: person_id}
        kept = {each: face for each, face in faces.items() if face}
        self._store.commit({"swap.map": face_map.written(kept)})

    def forget(self, name: str) -> "Future[None]":
        self.calls.append(("forget", name))
        del self.looks[name]
        self.give_face(name, "")
        return done(None)


def _thumbnail(index: int) -> NDArray[np.uint8]:
    return flat((40 * index % 256, 90, 200 - 20 * index), (256, 256))


class FakeAuditDesk:
    """A record of a few rows, all in order. The operator's code is 123456, where one is wanted."""

    def __init__(self) -> None:
        self.code_wanted, self.unlocked = False, True
        self.shown = AuditState(stored=3)
        self.kept = [_row(seq) for seq in (1, 2, 3)]
        self.calls: list[tuple[Any, ...]] = []

    def state(self) -> AuditState:
        return self.shown

    def rows(self, wanted: Filter | None = None) -> "Future[list[dict[str, Any]]]":
        self.calls.append(("rows", wanted))
        wanted = wanted or Filter()
        rows = [
            row
            for row in reversed(self.kept)
            if _acts(row["action"], wanted.action) and wanted.status in {"", row["status"]}
        ]
        return done(rows[: wanted.limit] if wanted.limit else rows)

    def verify(self) -> "Future[list[LogReport]]":
        self.calls.append(("verify",))
        report = LogReport(log_id="0" * 32, rows=len(self.kept), first_seq=1, last_seq=len(self.kept), sealed=3)
        for verdict in VERDICTS[:3]:
            report.checked(verdict)
        return done([report])

    def export(self, path: Path, wanted: Filter | None = None) -> "Future[dict[str, Any]]":
        self.calls.append(("export", path, wanted))
        return done({"logs": [{"rows": len(self.kept), "log_id": "0" * 32}]})

    def unlock(self, code: str) -> "Future[bool]":
        self.calls.append(("unlock",))
        if code != "123456":
            return failed(OperatorCodeError("that is not the operator's code", advice="Wait for the next code."))
        self.unlocked = True
        return done(True)


def _acts(action: str, wanted: str) -> bool:
    """As `Filter.action`: one action, or a family that ends with a dot; empty for all."""
    return action.startswith(wanted) if wanted.endswith(".") else wanted in {"", action}


def _row(seq: int) -> dict[str, Any]:
    changed = {"fields": [{"field": "look.opacity", "old_milli": 1000, "new_milli": 900}], "revision": seq}
    action, metadata = [("session.start", {"fps": 30}), ("settings.change", changed), ("frame.failed", {})][seq - 1]
    return {
        "seq": seq,
        "timestamp": f"2026-11-22T10:00:0{seq}.000000Z",
        "action": action,
        "target": "camera:0",
        "status": "failure" if action == "frame.failed" else "success",
        "user_id": "hmac:0123456789abcdef",
        "session_id": "sess_01K70000000000000000000000",
        "log_id": "0" * 32,
        "metadata": metadata,
    }


class FakeStudio:
    """The surface of `app.studio.Studio`.

    Args:
        home: Folder for presets.
        settings: At the start.
    """

    def __init__(self, home: Path, settings: Settings | None = None) -> None:
        self.store = SettingsStore(settings or Settings())
        self.history = History(self.store)
        self.presets = Presets(home / "presets", self.store, self.history)
        self.library = FakeLibrary()
        self.consents = FakeConsents(self.library, self.store)
        self.guests = FakeGuests(self.store)
        self.audit = FakeAuditDesk()
        self.calls: list[tuple[Any, ...]] = []
        self.closed = False
        self.engine_list: tuple[str, ...] = ("mesh",)
        self.camera_list: tuple[CameraChoice, ...] = (
            CameraChoice("camera:0", "Desk camera", ((1280, 720, 30.0), (640, 480, 30.0))),
        )
        self._state = StudioState(source=SourceState("ada", "Ada"), input=InputState("synthetic", "synthetic"))
        self._notices: list[Notice] = []
        self._left_out_reason = ""
        self._views: list[View] = []
        self._recent: list[str] = []
        self._next = itertools.count()

    # What tests do to it

    def show(self, **changed: Any) -> None:
        """Change fields of the state."""
        self._state = dataclasses.replace(self._state, **changed)

    def tell(self, text: str, level: Level = Level.ERROR, advice: str = "", details: str = "") -> None:
        """Have a notice told."""
        self._notices.append(Notice(level, text, advice, details))

    def push_view(
        self,
        before: NDArray[np.uint8] | None = None,
        after: NDArray[np.uint8] | None = None,
        *,
        faces: tuple[Face, ...] = (),
        state: GateState = GateState.LIVE,
        frozen: bool = False,
    ) -> View:
        """Have a new picture ready; red before, blue after."""
        view = View(
            before=HostImage(flat((200, 30, 30)) if before is None else before),
            after=HostImage(flat((30, 30, 200)) if after is None else after),
            state=state,
            faces=faces,
            targets=tuple(range(len(faces))),
            patches=(),
            look=self.store.current,
            index=next(self._next),
            captured_ns=0,
            frozen=frozen,
        )
        self._views = [view]
        return view

    # The surface

    def state(self) -> StudioState:
        return dataclasses.replace(
            self._state,
            audit=self.audit.state(),
            people_revision=self.library.revision,
            guests=self.guests.people(),
            revision=self.store.revision,
            can_undo=self.history.can_undo,
            can_redo=self.history.can_redo,
            left_out=self._parts() if self._left_out_reason else (),
            left_out_asked=() if self._left_out_reason else self._parts(),
            left_out_reason=self._left_out_reason if self._parts() else "",
            approval_off_asked=self.consents.approval_off_asked,
        )

    def _parts(self) -> tuple[str, ...]:
        return tuple(sorted(part.value for part in unwanted(self.store.current)))

    def leave_out(self, reason: str | None) -> None:
        self.calls.append(("leave_out", reason))
        if reason is None:
            self.store.commit(dict.fromkeys(SWITCHES.values(), True))
        self._left_out_reason = reason or ""

    def take_view(self) -> View | None:
        return self._views.pop() if self._views else None

    def take_notices(self) -> tuple[Notice, ...]:
        notices, self._notices = tuple(self._notices), []
        return notices

    def start(self) -> None:
        self.calls.append(("start",))
        self.show(
            phase=Phase.LIVE,
            gate=GateState.LIVE,
            fps_in=30.0,
            fps_out=30.0,
            latency_ms={
                "wait": Percentiles(1.0, 2.0, 3.0),
                "detect": Percentiles(4.0, 5.0, 6.0),
                "swap": Percentiles(9.0, 11.0, 14.0),
                "compose": Percentiles(2.0, 3.0, 4.0),
                "capture_to_emit": Percentiles(25.0, 31.0, 38.0),
            },
            dropped={"inference": 2, "render": 0},
            input=dataclasses.replace(self._state.input, size_wh=(1280, 720), fps=30.0),
        )

    def stop(self) -> None:
        self.calls.append(("stop",))
        self.show(
            phase=Phase.IDLE, gate=GateState.SLATE, fps_in=0.0, fps_out=0.0, recording=None, pass_armed=False,
            frozen=False, blocks=frozenset(), outputs={},
        )  # fmt: skip

    def choose_source(self, person_id: str) -> None:
        self.calls.append(("choose_source", person_id))
        self.show(source=SourceState(person_id, self.library.person(person_id).name))

    def engines(self) -> "Future[tuple[str, ...]]":
        return done(self.engine_list)

    def choose_engine(self, name: str) -> None:
        self.calls.append(("choose_engine", name))
        self.show(engine=EngineState(name, "CPUExecutionProvider"))

    def choose_input(self, spec: str) -> None:
        self.calls.append(("choose_input", spec))
        self._recent = [spec, *(each for each in self._recent if each != spec)]
        self.show(input=InputState(spec, self.input_name(spec)))

    def recent_inputs(self) -> tuple[str, ...]:
        return tuple(self._recent)

    def input_name(self, spec: str) -> str:
        names = {camera.spec: camera.name for camera in self.camera_list}
        return names.get(spec) or spoken(spec)

    def cameras(self) -> "Future[tuple[CameraChoice, ...]]":
        return done(self.camera_list)

    def panic(self) -> None:
        self.calls.append(("panic",))
        self.show(blocks=self._state.blocks | {Block.PANIC}, gate=GateState.SLATE)

    def resume(self) -> None:
        self.calls.append(("resume",))
        live = self._state.phase == Phase.LIVE
        self.show(blocks=self._state.blocks - {Block.PANIC}, gate=GateState.LIVE if live else GateState.SLATE)

    def arm(self, *, pass_through: bool) -> None:
        self.calls.append(("arm", pass_through))
        self.show(pass_armed=pass_through)

    def freeze(self, on: bool) -> None:  # noqa: FBT001
        self.calls.append(("freeze", on))
        self.show(frozen=on)

    def start_recording(self, path: Path) -> None:
        self.calls.append(("start_recording", path))
        self.show(recording=RecordingState(path.name, 0.0, False, 0))

    def pause_recording(self, on: bool) -> None:  # noqa: FBT001
        self.calls.append(("pause_recording", on))
        if self._state.recording is not None:
            self.show(recording=dataclasses.replace(self._state.recording, paused=on))

    def stop_recording(self) -> None:
        self.calls.append(("stop_recording",))
        self.show(recording=None)

    def snapshot(self, path: Path) -> "Future[Path]":
        self.calls.append(("snapshot", path))
        return done(path)

    def output_forms(self) -> tuple[str, ...]:
        return ("virtual-camera", "rtmp://HOST/APP/KEY")

    def add_output(self, spec: str) -> None:
        self.calls.append(("add_output", spec))
        self.show(outputs={**self._state.outputs, spec: SinkStatus(SinkState.RUNNING, "", 0, 0)})

    def output_page(self, name: str) -> str:
        return f"http://127.0.0.1:1/{name}" if name == "mjpeg" else ""

    def remove_output(self, name: str) -> None:
        self.calls.append(("remove_output", name))
        self.show(outputs={each: state for each, state in self._state.outputs.items() if each != name})

    def close(self) -> None:
        self.calls.append(("close",))
        self.closed = True
        self.presets.stop_morph()
        for view in self._views:
            view.release()
        self._views = []
