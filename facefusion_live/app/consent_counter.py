"""Consents of the user's people, as the window renews, confirms and takes them back: beside the picture."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from facefusion_live.app.consent_desk import ConsentDesk
from facefusion_live.app.library import Library
from facefusion_live.app.second_person import SWITCH
from facefusion_live.domain.errors import ConsentError
from facefusion_live.engine.store import SettingsStore
from facefusion_live.engine.tasks import TaskRunner


class ConsentCounter:
    """Thread: any; the work runs on the loader thread, and its futures raise what the desk does.

    Args:
        desk: Keeps consents, each act with its row.
        library: Whose they are; shows what became of them.
        store: The settings in force.
        runner: The loader thread.
        leaving: Told at once whose face is not to be used any more; on the caller's thread.
    """

    def __init__(
        self,
        desk: ConsentDesk,
        library: Library,
        store: SettingsStore,
        runner: TaskRunner,
        leaving: Callable[[str], None],
    ) -> None:
        self._desk, self._library, self._store, self._runner = desk, library, store, runner
        self._leaving = leaving
        self._stamp = desk.book.stamp, desk.book.today()

    @property
    def approval_off_asked(self) -> bool:
        """The settings want no second person any more, and nobody gave the code yet. Cheap."""
        try:
            return not self._store.current.consent.approval and self._desk.second.kept
        except ConsentError:  # nobody is let in, and whoever is asked for says why
            return False

    def renew(self, person_id: str, until: str, document: Path | None) -> "Future[None]":
        """The person gave it anew: until a last day, in the document of before or in a new one."""
        return self._act(person_id, lambda start: self._desk.renew(start, until=until, document=document))

    def revoke(self, person_id: str) -> "Future[None]":
        """Take it back; the person stays. While the face is in use the gate shuts, at once."""
        self._leaving(person_id)
        return self._act(person_id, self._desk.revoke)

    def approve(self, person_id: str, code: str) -> "Future[None]":
        """Confirm it as the second person, with the operator's code."""
        return self._act(person_id, lambda start: self._desk.approve(start, code))

    def approval_off(self, code: str | None) -> "Future[None]":
        """Ask for no second person any more, with the operator's code; None takes the wish back."""

        def switch() -> None:
            if code is None:
                self._store.commit({SWITCH: True})
            else:
                self._desk.second.switch_off(code)
                self._look()

        return self._runner.submit(switch)

    def settings_changed(self) -> None:
        """A second person may be asked for from now on. Thread: loader."""
        self._desk.second.keep(self._store.current)
        self._look()

    def look_again(self) -> None:
        """Look whether consents were changed, by whichever process, or ended with the day. Cheap."""
        stamp = self._desk.book.stamp, self._desk.book.today()
        if stamp != self._stamp:
            self._stamp = stamp
            self._library.look_at_consents()

    def _act(self, person_id: str, act: Callable[[str], object]) -> "Future[None]":
        def change() -> None:
            grant = self._library.person(person_id).grant
            if grant is None:
                raise ConsentError("the consent is gone", advice="Remove the person, and add the photos again.")
            act(grant.id)
            self._look()

        return self._runner.submit(change)

    def _look(self) -> None:
        """Thread: loader. Whoever waits for an act sees what became of it."""
        self._library.show_consents()
