"""Whether pictures may go out without label, mark or nudity check: never before the reason is on record."""

import threading
from concurrent.futures import Future

from facefusion_live.domain import mark
from facefusion_live.domain.disclosure import Part, checked, reason_of, unwanted
from facefusion_live.domain.errors import BadInputError
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.trail import AuditTrail, settled


class Disclosure:
    """Follows the settings, asks for reasons, and tells the render thread what it may leave out. Thread: any.

    Settings alone leave nothing out: a preset, an undo or a file that switches the label off only asks. What is asked
    for is granted by `grant`, once the row with its reason is on the disk. Switching on needs nobody. The nudity check
    is bound by the same rule.

    Args:
        trail: The record; None keeps none, and then nothing can be left out.
    """

    def __init__(self, trail: AuditTrail | None) -> None:
        self._trail = trail
        self._lock = threading.Lock()
        self._asked: frozenset[Part] = frozenset()
        self._granted: frozenset[Part] = frozenset()
        self._reasons: dict[Part, str] = {}

    @property
    def left_out(self) -> frozenset[Part]:
        """What pictures go out without just now, or unseen by the judge of scenes."""
        return self._granted

    @property
    def asked(self) -> frozenset[Part]:
        """What the settings ask to leave out, and is done all the same until somebody says why."""
        return self._asked

    @property
    def reason(self) -> str:
        """Why something is left out; empty while nothing is."""
        with self._lock:
            return "; ".join(dict.fromkeys(self._reasons.values()))

    @property
    def payload(self) -> int:
        """The 24 bits of the mark: they lead to the session's rows; 0 where there is no record."""
        return 0 if self._trail is None else mark.payload_of(self._trail.session_id)

    def follow(self, settings: Settings) -> None:
        """The settings have changed: what they want again is done from the next picture on."""
        wanted_out = unwanted(settings)
        with self._lock:
            back = self._granted - wanted_out
            self._granted &= wanted_out
            self._asked = wanted_out - self._granted
            self._reasons = {part: why for part, why in self._reasons.items() if part in self._granted}
        if self._trail is not None:
            for part in sorted(back, key=lambda each: each.value):
                self._trail.record(f"{_act(part)}.on", part.value, "success", {})

    def grant(self, text: str, parts: frozenset[Part] | None = None) -> "Future[None]":
        """Leave out what is asked for, from the moment on at which the reason is on the disk.

        Args:
            text: The reason.
            parts: Only these; None for all that is asked for.

        Returns:
            A future that is set then. It raises AuditStoreError when it cannot be put on record: all is drawn.

        Raises:
            SettingsError: The reason says nothing.
            BadInputError: There is no record.
        """
        reason, done = reason_of(text), Future[None]()
        asked = sorted(self._asked if parts is None else self._asked & parts, key=lambda each: each.value)
        if self._trail is None:
            raise BadInputError(
                "label, mark and nudity check are left out on record only",
                advice="Leave audit switched on, or all three of them.",
            )
        if not asked:
            done.set_result(None)
            return done
        rows = [
            self._trail.record_durably(f"{_act(part)}.off", part.value, "success", {"reason": reason}) for part in asked
        ]

        def stored(last: "Future[int]") -> None:
            # Rows are stored in order: with the last one all are.
            error = last.exception()
            if error is not None:
                done.set_exception(error)
                return
            with self._lock:
                granted = self._asked & frozenset(asked)
                self._granted |= granted
                self._asked -= granted
                self._reasons |= dict.fromkeys(granted, reason)
            done.set_result(None)

        rows[-1].add_done_callback(stored)
        return done

    def begin(self, settings: Settings) -> None:
        """As settings of a session ask for it at its start, and only with a reason. Waits for the disk.

        Raises:
            SettingsError: Something is to be left out, and nobody says why.
            AuditStoreError: It cannot be put on record.
            BadInputError: There is no record.
        """
        reasons = checked(settings)
        self.follow(settings)
        for reason in dict.fromkeys(reasons.values()):
            settled(self.grant(reason, frozenset(part for part, why in reasons.items() if why == reason)))


def _act(part: Part) -> str:
    """How rows call the act: "label.off" stands for the mark, too."""
    return "content" if part is Part.CONTENT else "label"
