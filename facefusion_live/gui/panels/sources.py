"""Sources: whose face is drawn. Avatars, the user's own people, and how photos come in."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, QTimer
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from facefusion_live.app.portraits import Consent
from facefusion_live.app.studio import Added, Person, Phase, Studio, StudioState
from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.domain.face import Face
from facefusion_live.gui.bridge import Bridge
from facefusion_live.gui.code_dialog import CodeDialog
from facefusion_live.gui.panels.consent import ConsentCard
from facefusion_live.gui.panels.guests import GuestCard
from facefusion_live.gui.panels.page import Page
from facefusion_live.gui.panels.person import PersonCard
from facefusion_live.gui.widgets.banner import Banner
from facefusion_live.gui.widgets.buttons import WordButton
from facefusion_live.gui.widgets.drop_zone import DropZone
from facefusion_live.gui.widgets.files import PICTURES, ask_files, dropped_paths
from facefusion_live.gui.widgets.gallery import Gallery, Tile
from facefusion_live.gui.widgets.labels import Role
from facefusion_live.gui.widgets.metrics import MARGIN
from facefusion_live.gui.widgets.section import Section
from facefusion_live.gui.widgets.waiting import Waiting
from facefusion_live.gui.words import engine_words, sentence

_LONGEST_NAME = 24
_LAID_OUT_MS = 40
"""Sections lie in sections: what comes and goes has its place only after several rounds of layout."""


class SourcesPanel(Page):
    """Thumbnails to choose from, and a place to drop photos."""

    def __init__(self, bridge: Bridge, studio: Studio) -> None:
        super().__init__(bridge, studio)
        self.setAcceptDrops(True)
        self._shown: tuple[int, str, bool] | None = None
        self._waiting = Waiting(self)
        self._to_add: tuple[tuple[Path, ...], str | None] = ((), None)
        self.avatars, self.people = Gallery(), Gallery()
        self.result, self.consent, self.card = Banner(), ConsentCard(), PersonCard()
        self.code_dialog = CodeDialog(self)
        self.add_button = WordButton("plus")
        self._zone = DropZone(self.add_button)
        self._avatar_section, self._people_section, self._guest_section = Section(), Section(), Section()
        self.guests = GuestCard(studio, bridge.refresh)
        self._lay_out()
        self._connect()
        self.retranslate()

    def add(self, paths: Sequence[Path], person_id: str | None = None) -> None:
        """Ask for the consent, then add photos: to a person, or as new ones."""
        if paths:
            self._to_add = tuple(paths), person_id
            self.result.tell(Role.TEXT, "")
            self.consent.ask(paths, new_person=person_id is None)
            self._bring_into_sight_later(self.consent)

    def _bring_into_sight_later(self, part: QWidget) -> None:
        QTimer.singleShot(_LAID_OUT_MS, self, lambda: self._bring_into_sight(part))

    def _bring_into_sight(self, part: QWidget) -> None:
        """All of it, or as much from its beginning as there is room for."""
        self.ensureWidgetVisible(part, 0, MARGIN)
        if part.height() > self.viewport().height():
            bar, below = self.verticalScrollBar(), part.mapTo(self.viewport(), QPoint(0, 0)).y()
            bar.setValue(bar.value() + below)

    def look_for_photos(self, person_id: str | None) -> None:
        """Ask which photos to add: to a person, or as new ones."""
        ask_files(self, self.tr("Add photos"), PICTURES, lambda paths: self.add(paths, person_id))

    def ask_who(self, face: Face) -> None:
        """Somebody clicked on a face in the picture: ask for the name."""
        self.guests.ask(face)
        self._bring_into_sight_later(self._guest_section)

    def show_state(self, state: StudioState) -> None:
        """Mark the face in use, and show whoever came or went."""
        self.guests.show_people(state.guests, self.studio.library.people())
        source = state.source
        now = (state.people_revision, source.person_id if source else "", bool(source and source.loading))
        if now == self._shown:
            return
        self._shown = now
        people = self.studio.library.people()
        self.avatars.show_tiles([_tile(each, now[1], loading=now[2]) for each in people if each.built_in])
        own = [each for each in people if not each.built_in]
        self.people.show_tiles([_tile(each, now[1], loading=now[2]) for each in own])
        self.people.setVisible(bool(own))
        self.card.show_person(next((each for each in own if each.id == self.people.pointed_id), None))

    def retranslate(self) -> None:
        """Say everything in the language that is now in force."""
        self._avatar_section.say(self.tr("Built-in faces"))
        self.avatars.setAccessibleName(self.tr("Built-in faces"))
        self._people_section.say(self.tr("Your people"))
        self.people.setAccessibleName(self.tr("Your people"))
        self._guest_section.say(self.tr("Known faces in the picture"))
        self._zone.say(self.tr("Drop photos or a folder here"))
        self.add_button.setText(self.tr("Add photos…"))

    def dragEnterEvent(self, arg__1: QDragEnterEvent) -> None:
        """Say where it goes."""
        if dropped_paths(arg__1.mimeData()):
            arg__1.acceptProposedAction()
            self._zone.light(True)

    def dragLeaveEvent(self, arg__1: QDragLeaveEvent) -> None:
        """It went elsewhere."""
        self._zone.light(False)
        super().dragLeaveEvent(arg__1)

    def dropEvent(self, arg__1: QDropEvent) -> None:
        """Photos and folders."""
        self._zone.light(False)
        paths = dropped_paths(arg__1.mimeData())
        if paths:
            arg__1.acceptProposedAction()
            self.add(paths)

    def _lay_out(self) -> None:
        self._avatar_section.lines.addWidget(self.avatars)
        for widget in (self.people, self.card, self.consent, self.result, self._zone):
            self._people_section.lines.addWidget(widget)
        self.lines.addWidget(self._avatar_section)
        self.lines.addWidget(self._people_section)
        self._guest_section.lines.addWidget(self.guests)
        self.lines.addWidget(self._guest_section)
        self.lines.addStretch(1)

    def _connect(self) -> None:
        for gallery in (self.avatars, self.people):
            gallery.chosen.connect(self._choose)
        self.people.pointed.connect(self._point)
        self.add_button.clicked.connect(lambda: self.look_for_photos(None))
        self.consent.answered.connect(self._add)
        self.card.more_photos.connect(self.look_for_photos)
        self.card.renamed.connect(self._rename)
        self.card.forgotten.connect(self._forget)
        self.card.consent.renewed.connect(self._renew)
        self.card.consent.revoked.connect(self._revoke)
        self.card.consent.approving.connect(self._approve)

    def _choose(self, person_id: str) -> None:
        self.studio.choose_source(person_id)
        self.bridge.refresh()

    def _point(self, person_id: str) -> None:
        self.card.show_person(self.studio.library.person(person_id))

    def _add(self, consent: Consent, together: bool) -> None:  # noqa: FBT001 (a signal's argument)
        paths, person_id = self._to_add
        self.add_button.setEnabled(False)
        self.result.tell(Role.TEXT, self.tr("Looking at the photos…"))
        future = self.studio.library.add(paths, consent, person_id=person_id, together=together)
        self._waiting.wait(future, self._added, self._failed)

    def _added(self, results: tuple[Added, ...]) -> None:
        self.add_button.setEnabled(True)
        refused = [each for each in results if each.person_id is None]
        if refused:
            lines = (_why(each) for each in refused)
            self.result.tell(Role.WARNING, self._left_out(len(refused), len(results)), "\n".join(lines))
        else:
            self.result.tell(Role.GOOD, self.tr("Photos added: {count}").format(count=len(results)))
        self.bridge.refresh()
        self._bring_into_sight_later(self.result)
        if entered := next((each.person_id for each in results if each.person_id), None):
            # Whoever was forgotten meanwhile, or waits for a second person, is not worn.
            usable = any(each.id == entered and not each.withheld for each in self.studio.library.people())
            if usable and self._to_add[1] is None and self.bridge.state.phase is Phase.IDLE:
                # Whoever adds a face wants to wear it; while live that is for a click to say.
                self._choose(entered)
            self.people.point(entered)

    def _left_out(self, refused: int, count: int) -> str:
        if count == 1:
            return self.tr("The photo was not added")
        if refused == count:
            return self.tr("None of the {count} photos was added").format(count=count)
        if refused == 1:
            return self.tr("One of {count} photos was not added").format(count=count)
        return self.tr("{refused} of {count} photos were not added").format(refused=refused, count=count)

    def _failed(self, error: FaceFusionLiveError) -> None:
        self.add_button.setEnabled(True)
        self.result.tell(Role.ERROR, engine_words(str(error)), engine_words(error.advice))

    def _rename(self, person_id: str, name: str) -> None:
        try:
            self.studio.library.rename(person_id, name)
        except FaceFusionLiveError as error:
            self._failed(error)
        self.bridge.refresh()

    def _renew(self, person_id: str, until: str, document: Path | None) -> None:
        future = self.studio.consents.renew(person_id, until, document)
        self._waiting.wait(future, lambda _: self.bridge.refresh(), self._failed)

    def _revoke(self, person_id: str) -> None:
        future = self.studio.consents.revoke(person_id)
        self._waiting.wait(future, lambda _: self.bridge.refresh(), self._failed)

    def _approve(self, person_id: str) -> None:
        name = self.studio.library.person(person_id).name
        self.code_dialog.ask(
            self.tr("Approve a consent"),
            self.tr("May the face of {name} be used?").format(name=name),
            lambda code: self.studio.consents.approve(person_id, code),
        )

    def _forget(self, person_id: str) -> None:
        self._waiting.wait(self.studio.library.remove(person_id), lambda _: self.bridge.refresh(), self._failed)


def _tile(person: Person, in_use: str, *, loading: bool) -> Tile:
    current = person.id == in_use
    problem = engine_words(person.problem or person.withheld)
    return Tile(person.id, person.name, person.thumbnail, current, current and loading, problem)


def _why(refused: Added) -> str:
    said = engine_words(refused.problem or "")
    if refused.name not in said:
        said = f"{refused.name}: {said}"
    # Words are not broken within, and a name of one word would be cut off.
    name = refused.name if len(refused.name) <= _LONGEST_NAME else f"{refused.name[:_LONGEST_NAME]}…"
    return f"{sentence(said.replace(refused.name, name))} {engine_words(refused.advice)}".strip()
