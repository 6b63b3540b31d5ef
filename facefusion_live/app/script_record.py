"""What a script's calls leave on record, by the same rules as a session: consent, loads, failures; no normal frame."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from facefusion_live.app.audit_wiring import audit_home
from facefusion_live.app.consents import ConsentBook
from facefusion_live.app.disclosure import Disclosure
from facefusion_live.app.environment import Home
from facefusion_live.app.on_record import tell_models, tell_sources
from facefusion_live.app.permits import Permits
from facefusion_live.app.portraits import Source
from facefusion_live.app.second_person import SecondPerson
from facefusion_live.app.taken_back import taken_back
from facefusion_live.domain.face import StageFailure
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.session import set_at_start
from facefusion_live.engine.store import Change
from facefusion_live.engine.trail import AuditTrail

_TARGET = "script"
_told: WeakKeyDictionary[AuditTrail, set[str]] = WeakKeyDictionary()
"""Models that are on record already: they stay loaded, and a script may call a thousand times."""


class ScriptRecord:
    """The record of one caller. Thread: any.

    Attributes:
        disclosure: What the caller's pictures say of themselves.

    Args:
        open_trail: The trail; None keeps no record.
    """

    def __init__(self, open_trail: Callable[[], AuditTrail] | None) -> None:
        self._trail = open_trail() if open_trail is not None else None
        self._prepared = False
        self._permits: Permits | None = None
        self.disclosure = Disclosure(self._trail)

    @contextmanager
    def prepares(self) -> Generator[None]:
        """A script is about to swap pictures one after the other: consents are found with that session.

        Within, the session is put together and begins; one that does not is on record as a start that failed.
        """
        self._prepared = True
        if self._trail is None:
            yield
            return
        self._trail.next_session()
        with self._trail.starting(_TARGET):
            yield

    def allows(self, given: Mapping[str, object] | None) -> None:
        """Settings that a caller gives do not switch the second person's approval off. Raises BadInputError."""
        SecondPerson(Home.from_environment(), self._trail).refuse_off(given or {})

    def permits(self, settings: Settings) -> Permits:
        """What is asked for every source face; the answer is on record before the face is used."""
        self._begin_if_single()
        book = ConsentBook(Home.from_environment().consent)
        second = SecondPerson(Home.from_environment(), self._trail)
        second.keep(settings)
        self._permits = Permits(
            book, self._trail, approval=lambda: second.asked(settings), taken_back=lambda: taken_back(audit_home())
        )
        return self._permits

    def loads(self, sources: Sequence[Source], models: Mapping[str, Path]) -> None:
        """Source faces and models that were loaded."""
        if self._trail is None:
            return
        self._begin_if_single()
        told = _told.setdefault(self._trail, set())
        new = {model: path for model, path in models.items() if model not in told}
        tell_sources(self._trail, self._permits.as_kept(sources) if self._permits is not None else sources)
        tell_models(self._trail, new)
        told.update(new)

    def failed(self, frame_index: int, failure: StageFailure) -> None:
        """A frame that a stage failed on."""
        what = {"frame_index": frame_index, "stage": failure.stage, "error_type": failure.error_type}
        self.record("frame.failed", _TARGET, "failure", what)

    def changed(self, change: Change) -> None:
        """Parameters that were changed."""
        self.record(
            "settings.change", "settings", "success", {"fields": dict(change.fields), "revision": change.revision}
        )

    def started(self, fps: float, settings: Settings) -> None:
        """A script began to swap pictures one after the other, with these settings."""
        self.record("session.start", _TARGET, "success", {"fps": round(fps), **set_at_start(settings)})

    def stopped(self, frames: int, leaks: int) -> None:
        """It ended."""
        counted = {"frames_in": frames, "frames_out": frames, "leaks": leaks}
        self.record("session.stop", _TARGET, "success", counted)

    def _begin_if_single(self) -> None:
        """Single pictures belong to a session, too, which lasts as long as the program."""
        if self._trail is not None and not self._prepared:
            self._trail.ensure_session(_TARGET)

    def record(self, action: str, target: str, status: str, metadata: dict[str, Any]) -> None:
        """One row, as an `EventLog` takes it."""
        if self._trail is not None:
            self._trail.record(action, target, status, metadata)
