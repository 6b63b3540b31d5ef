"""Whether a second person must confirm each consent, and what it takes to stop asking for one.

Asking for one needs nobody. Once it was asked for, and an operator's code is set up, the consent records keep it: then
settings alone, from whichever side they come, do not switch it off any more. That takes the operator's code.
"""

from collections.abc import Mapping

from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.app.consents import ConsentBook
from facefusion_live.app.environment import Home, load_settings, save_settings
from facefusion_live.domain.audit.errors import OperatorCodeError
from facefusion_live.domain.audit.event import SETTINGS_CHANGE
from facefusion_live.domain.errors import BadInputError
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.trail import AuditTrail, settled

SWITCH = "consent.approval"
"""The parameter that asks for a second person."""


class SecondPerson:
    """Thread: any.

    Args:
        home: The user's files.
        trail: That of the running program; None opens one for each row.
    """

    def __init__(self, home: Home, trail: AuditTrail | None = None) -> None:
        self._settings_file, self._trail = home.settings_file, trail
        self._book, self._audit = ConsentBook(home.consent), AuditHome(home.data)

    @property
    def kept(self) -> bool:
        """One was asked for, and only the operator's code ends it. Cheap. Raises ConsentError."""
        return self._book.approval

    def asked(self, settings: Settings) -> bool:
        """Whether one must have confirmed a consent. Cheap. Raises ConsentError."""
        return settings.consent.approval or self.kept

    def keep(self, settings: Settings) -> None:
        """Settings come into force, or a code was set up: where they ask for a second person who has one, that is kept.

        Raises:
            ConsentError: It cannot be kept.
        """
        if settings.consent.approval and not self.kept and self._audit.operator.is_set_up:
            self._book.ask_for_approval(on=True)

    def refuse_off(self, given: Mapping[str, object]) -> None:
        """Settings that somebody gives by hand do not switch it off; that they tried is a row.

        Where nobody set a code up they may, and that is a row, too.

        Args:
            given: Values by name, as on the command line.

        Raises:
            BadInputError: It takes the operator's code.
            AuditStoreError: It cannot be put on record.
        """
        if given.get(SWITCH, True):
            return
        kept = self.kept
        if not kept and not load_settings(self._settings_file).consent.approval:
            return
        refused = kept or self._audit.operator.is_set_up
        self._tell("denied" if refused else "success")
        if refused:
            raise _wants_code()

    def switch_on(self) -> None:
        """Ask for one from now on. Raises SettingsError, ConsentError and AuditStoreError where that cannot be kept."""
        settings = load_settings(self._settings_file)
        if not self.asked(settings):
            self._tell("success", on=True)
        asking = settings.with_values({SWITCH: True})
        save_settings(asking, self._settings_file)
        self.keep(asking)

    def switch_off(self, code: str) -> None:
        """Ask for no second person any more, with the operator's code. Each try is a row.

        Raises:
            BadInputError: The code is missing, or none is set up while it takes one.
            OperatorCodeError: The code is wrong, or was used before.
            AuditStoreError: It cannot be put on record.
            ConsentError: It cannot be kept.
            SettingsError: The settings file cannot be read or written.
        """
        if not self._audit.operator.is_set_up and self.kept:
            self._tell("denied")
            advice = "The second person sets one up: facefusion-live audit key."
            raise BadInputError("there is no operator's code", advice=advice)
        if self._audit.operator.is_set_up and not code:
            self._tell("denied")
            raise _wants_code()
        with self._audit.writing(self._trail) as trail:
            try:
                self._audit.unlock(code, trail)
            except OperatorCodeError:
                _record(trail, "denied")
                raise
            _record(trail, "success")
        if self.kept:
            self._book.ask_for_approval(on=False)
        settings = load_settings(self._settings_file)
        if settings.consent.approval:
            save_settings(settings.with_values({SWITCH: False}), self._settings_file)

    def _tell(self, status: str, *, on: bool = False) -> None:
        with self._audit.writing(self._trail) as trail:
            _record(trail, status, on=on)


def _record(trail: AuditTrail, status: str, *, on: bool = False) -> None:
    fields = [{"field": SWITCH, "old": not on, "new": on}]
    settled(trail.record_durably(SETTINGS_CHANGE, "consent", status, {"fields": fields}))


def _wants_code() -> BadInputError:
    return BadInputError(
        "the second person's approval is switched off with the operator's code only",
        advice="The second person does it: facefusion-live consent approval off --code CODE.",
    )
