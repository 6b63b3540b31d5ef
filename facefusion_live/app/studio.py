"""The program under the window: one studio lives as long as the window, sessions come and go in it."""

from concurrent.futures import Future
from pathlib import Path

from facefusion_live.app.audit_desk import AuditDesk
from facefusion_live.app.library import Library
from facefusion_live.app.presets import Presets
from facefusion_live.app.studio_state import (
    Added,
    AuditState,
    CameraChoice,
    InputState,
    Level,
    Notice,
    Person,
    Phase,
    RecordingState,
    SourceState,
    StudioState,
)
from facefusion_live.engine.history import History, Step
from facefusion_live.engine.preview import PatchPlace, View
from facefusion_live.engine.store import SettingsStore

__all__ = [
    "Added",
    "AuditState",
    "CameraChoice",
    "InputState",
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
]


class Studio:
    """Everything that the window can do, without Qt.

    Thread: GUI. Every method returns within a few milliseconds: slow work runs on the loader thread and shows in
    `state()`, and what goes wrong there comes as a `Notice`.

    Attributes:
        store: The settings in force; sliders preview and commit here.
        history: Undo and redo.
        presets: Saved looks.
        library: Whose faces can be used.
        audit: The record.
    """

    store: SettingsStore
    history: History
    presets: Presets
    library: Library
    audit: AuditDesk

    def state(self) -> StudioState:
        """The program at this moment. Cheap."""
        raise NotImplementedError

    def take_view(self) -> View | None:
        """The newest picture for the viewport, or None when there is no new one. The caller releases it.

        Whoever takes none for a second looks away: then views cost nothing.
        """
        raise NotImplementedError

    def take_notices(self) -> tuple[Notice, ...]:
        """What a person is to be told; each is given once."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin a session with the source, input and outputs chosen. Nothing while there is one."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the session, or its start."""
        raise NotImplementedError

    def choose_source(self, person_id: str) -> None:
        """Use another face. While live it is prepared beside the picture and put in between two frames."""
        raise NotImplementedError

    def choose_input(self, spec: str) -> None:
        """Use another input. While live it is opened beside the old one, which goes on if the new one fails."""
        raise NotImplementedError

    def recent_inputs(self) -> tuple[str, ...]:
        """Inputs that worked, the last one first."""
        raise NotImplementedError

    def cameras(self) -> "Future[tuple[CameraChoice, ...]]":
        """The cameras that are there now."""
        raise NotImplementedError

    def panic(self) -> None:
        """Cut to the slate at once, until `resume`."""
        raise NotImplementedError

    def resume(self) -> None:
        """Take the panic back: the next good frame goes out."""
        raise NotImplementedError

    def arm(self, *, pass_through: bool) -> None:
        """Allow, or forbid again, that the bare camera goes out. It is on record; each session begins forbidden."""
        raise NotImplementedError

    def freeze(self, on: bool) -> None:  # noqa: FBT001 (a switch, connected to a button)
        """Let the viewport stand still, or go on. The frozen picture follows every slider; the outputs go on."""
        raise NotImplementedError

    def start_recording(self, path: Path) -> None:
        """Record from now on. It is on record first."""
        raise NotImplementedError

    def pause_recording(self, on: bool) -> None:  # noqa: FBT001 (as freeze)
        """Leave pictures out of the recording, or take them in again."""
        raise NotImplementedError

    def stop_recording(self) -> None:
        """Finish the recording."""
        raise NotImplementedError

    def snapshot(self, path: Path) -> "Future[Path]":
        """Write the next picture that goes out as PNG or JPEG, by the name's ending; gives the file."""
        raise NotImplementedError

    def add_output(self, spec: str) -> None:
        """Send the pictures somewhere else, too: "virtual-camera", an address … It is remembered."""
        raise NotImplementedError

    def remove_output(self, name: str) -> None:
        """End an output, by its name in `state().outputs`."""
        raise NotImplementedError

    def close(self) -> None:
        """End everything, the record last. Waits up to two seconds; a second call does nothing."""
        raise NotImplementedError
