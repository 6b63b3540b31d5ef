"""Sources: faces are chosen, photos come in by a drop, and nothing comes in without a consent."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QDate, QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from facefusion_live.app.permits import Told
from facefusion_live.app.portraits import Consent
from facefusion_live.app.studio import SourceState
from facefusion_live.domain.consent import Claim, Grant
from facefusion_live.gui.widgets.gallery import TileRole
from tests.fakes.studio import FakeStudio
from tests.gui.panels.hands import LEFT, drop


@pytest.fixture
def sources(panel: Any) -> Any:
    return panel("sources")


def click_tile(qtbot: Any, gallery: Any, at: int) -> None:
    qtbot.mouseClick(gallery.viewport(), LEFT, pos=gallery.visualRect(gallery.model().index(at, 0)).center())


def tiles(gallery: Any) -> list[Any]:
    model = gallery.model()
    return [model.index(at, 0).data(TileRole.TILE) for at in range(model.rowCount())]


def added(studio: FakeStudio) -> list[Any]:
    return [call for call in studio.library.calls if call[0] == "add"]


def test_a_click_uses_another_face_and_marks_it(sources: Any, studio: FakeStudio, qtbot: Any) -> None:
    assert [tile.name for tile in tiles(sources.avatars)] == ["Ada", "Bo", "Cleo", "Dan", "Esi", "Fay"]
    assert [tile.id for tile in tiles(sources.avatars) if tile.current] == ["ada"]
    click_tile(qtbot, sources.avatars, 2)
    assert studio.calls == [("choose_source", "cleo")]
    assert [tile.id for tile in tiles(sources.avatars) if tile.current] == ["cleo"]


def test_the_keyboard_goes_about_and_chooses(sources: Any, studio: FakeStudio, qtbot: Any) -> None:
    gallery = sources.avatars
    gallery.setFocus()
    gallery.point("ada")
    qtbot.keyClick(gallery, Qt.Key.Key_Right)
    qtbot.keyClick(gallery, Qt.Key.Key_Down)
    qtbot.keyClick(gallery, Qt.Key.Key_Return)
    assert studio.calls == [("choose_source", "esi")]


def test_while_another_face_is_prepared_its_tile_shows_it(sources: Any, studio: FakeStudio, bridge: Any) -> None:
    studio.show(source=SourceState("bo", "Bo", loading=True))
    bridge.refresh()
    assert [tile.id for tile in tiles(sources.avatars) if tile.loading] == ["bo"]


def test_a_dropped_photo_waits_for_the_consent(sources: Any, studio: FakeStudio, qtbot: Any, photo: Path) -> None:
    assert drop(sources, photo)
    assert sources.consent.isVisible()
    assert not sources.consent.add.isEnabled()
    assert not sources.consent.together.isVisible()
    qtbot.wait(50)
    assert added(studio) == []
    qtbot.mouseClick(sources.consent.choices[Consent.WRITTEN], LEFT)
    assert not sources.consent.add.isEnabled()
    written = sources.consent.written
    assert written.isVisible()
    written.name.setText("Maria")
    assert not sources.consent.add.isEnabled()
    written.take_document(photo)
    qtbot.mouseClick(sources.consent.add, LEFT)
    until = written.until.date().toString("yyyy-MM-dd")
    assert added(studio) == [("add", (photo,), Told(Consent.WRITTEN, "Maria", photo, until), None, False)]
    qtbot.waitUntil(sources.card.isVisible)
    assert [tile.name for tile in tiles(sources.people)] == ["maria"]
    assert "agreed in writing" in sources.card.consent.facts.text()


def test_without_an_answer_nothing_comes_in(sources: Any, studio: FakeStudio, qtbot: Any, photo: Path) -> None:
    drop(sources, photo)
    qtbot.mouseClick(sources.consent.cancel, LEFT)
    drop(sources, photo)
    assert not any(choice.isChecked() for choice in sources.consent.choices.values())
    qtbot.keyClick(sources.consent.choices[Consent.SELF], Qt.Key.Key_Escape)
    qtbot.keyClick(sources.consent, Qt.Key.Key_Return)
    assert not sources.consent.isVisible()
    assert added(studio) == []


def test_several_photos_may_show_one_person(sources: Any, studio: FakeStudio, qtbot: Any, tmp_path: Path) -> None:
    drop(sources, tmp_path / "a.jpg", tmp_path / "b.jpg")
    assert sources.consent.together.isVisible()
    qtbot.mouseClick(sources.consent.choices[Consent.SELF], LEFT)
    qtbot.keyClick(sources.consent, Qt.Key.Key_Return)
    assert added(studio)[0][-1] is True
    qtbot.waitUntil(lambda: len(tiles(sources.people)) == 1)
    qtbot.waitUntil(lambda: "photos: 2" in sources.card._about.text())


def test_photos_that_cannot_serve_are_told_one_by_one(
    sources: Any, studio: FakeStudio, qtbot: Any, tmp_path: Path
) -> None:
    drop(sources, tmp_path / "good.jpg", tmp_path / "bad.jpg", tmp_path / "bad2.jpg")
    qtbot.mouseClick(sources.consent.choices[Consent.GENERATED], LEFT)
    qtbot.mouseClick(sources.consent.add, LEFT)
    qtbot.waitUntil(lambda: sources.result.text == "2 of 3 photos were not added")
    assert sources.result.advice.splitlines() == [
        "bad.jpg: no face was found. Give a portrait, seen from the front.",
        "bad2.jpg: no face was found. Give a portrait, seen from the front.",
    ]
    assert len(studio.library.people()) == 7


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["bad.jpg"], "The photo was not added"),
        (["bad.jpg", "bad2.jpg"], "None of the 2 photos was added"),
        (["good.jpg", "bad.jpg"], "One of 2 photos was not added"),
    ],
)
def test_how_many_were_left_out_is_said_as_people_say_it(
    names: list[str], said: str, sources: Any, qtbot: Any, tmp_path: Path
) -> None:
    drop(sources, *(tmp_path / name for name in names))
    qtbot.mouseClick(sources.consent.choices[Consent.GENERATED], LEFT)
    qtbot.mouseClick(sources.consent.add, LEFT)
    qtbot.waitUntil(lambda: sources.result.text == said)


def test_a_person_gets_more_photos_another_name_and_is_forgotten_when_asked_twice(
    sources: Any, studio: FakeStudio, qtbot: Any, photo: Path
) -> None:
    studio.library.add([photo], Consent.SELF)
    sources.bridge.refresh()
    sources.people.setFocus()
    click_tile(qtbot, sources.people, 0)
    card = sources.card
    qtbot.mouseClick(card.photos, LEFT)
    dialog = sources.findChild(QFileDialog)
    dialog.filesSelected.emit([str(photo.with_name("second.jpg"))])
    dialog.close()
    qtbot.mouseClick(sources.consent.choices[Consent.SELF], LEFT)
    qtbot.mouseClick(sources.consent.add, LEFT)
    assert added(studio)[-1][3] == "person-1"
    card.name.selectAll()
    qtbot.keyClicks(card.name, "Maria B.")
    qtbot.keyClick(card.name, Qt.Key.Key_Return)
    assert studio.library.person("person-1").name == "Maria B."
    qtbot.mouseClick(card.forget, LEFT)
    qtbot.mouseClick(card.keep, LEFT)
    assert len(tiles(sources.people)) == 1
    qtbot.mouseClick(card.forget, LEFT)
    qtbot.mouseClick(card.really, LEFT)
    qtbot.waitUntil(lambda: tiles(sources.people) == [])
    assert not card.isVisible()


def test_a_person_with_a_problem_says_it_and_cannot_be_chosen(
    sources: Any, studio: FakeStudio, qtbot: Any, photo: Path
) -> None:
    studio.library.add([photo], Consent.SELF)
    hurt = dataclasses.replace(studio.library.person("person-1"), problem="maria.jpg is missing")
    studio.library._people["person-1"] = hurt
    sources.bridge.refresh()
    click_tile(qtbot, sources.people, 0)
    assert studio.calls == []
    assert sources.card._problem.text() == "maria.jpg is missing"


def test_the_question_and_the_answer_are_in_sight_below_many_people(
    sources: Any, studio: FakeStudio, qtbot: Any, photo: Path
) -> None:
    for number in range(30):
        studio.library.add([photo.with_name(f"{number}.jpg")], Consent.SELF)
    sources.bridge.refresh()
    sources.resize(300, 420)
    sources.add([photo])
    top = sources.consent._question
    QTest.qWait(150)
    assert sources.viewport().rect().contains(QRect(top.mapTo(sources.viewport(), QPoint(0, 0)), top.size()))
    qtbot.mouseClick(sources.consent.choices[Consent.SELF], LEFT)
    qtbot.mouseClick(sources.consent.add, LEFT)
    qtbot.waitUntil(lambda: sources.result.text == "Photos added: 1")
    qtbot.waitUntil(lambda: not sources.result.visibleRegion().isEmpty())


def test_what_is_no_file_is_not_taken(sources: Any) -> None:
    assert not drop(sources)
    assert not sources.consent.isVisible()


def test_thumbnails_are_drawn_as_they_are(sources: Any, studio: FakeStudio) -> None:
    gallery = sources.avatars
    middle = gallery.visualRect(gallery.model().index(1, 0)).center()
    seen = gallery.viewport().grab().toImage().pixelColor(middle)
    red, green, blue = np.asarray(studio.library.person("bo").thumbnail)[64, 64]
    assert (seen.red(), seen.green(), seen.blue()) == pytest.approx((red, green, blue), abs=2)


WRITTEN = Grant(
    "0" * 16,
    Claim(Consent.WRITTEN, "Maria B.", "3f2a" * 16, "2027-01-31", "signed.pdf"),
    "2026-11-26T10:00:00Z",
    photos=("a" * 64,),
    granted_by="anna",
)


def card_of(sources: Any, studio: FakeStudio, photo: Path, **changed: Any) -> Any:
    studio.library.add([photo], Consent.WRITTEN)
    studio.library.put("person-1", consent=Consent.WRITTEN, **({"grant": WRITTEN} | changed))
    sources.bridge.refresh()
    sources.people.point("person-1")
    return sources.card.consent


def test_a_persons_card_shows_the_whole_consent(sources: Any, studio: FakeStudio, photo: Path) -> None:
    card = card_of(sources, studio, photo)
    assert card.facts.text().splitlines() == [
        "The person agreed in writing: Maria B.",
        "Document: signed.pdf, SHA-256 3f2a3f2a3f2a…",
        "Holds until 2027-01-31",
        "Given on 2026-11-26, put down by anna",
        "Not approved by a second person",
    ]
    assert not card.state.isVisible()
    assert not card.approve.isVisible()


@pytest.mark.parametrize(
    "why",
    ["the consent ended on 2026-11-25", "the consent waits for a second person's approval",
     "the consent was taken back on 2026-11-25", "the consent was taken back, says the audit log"],
)  # fmt: skip
def test_a_consent_that_does_not_hold_says_why_and_its_face_cannot_be_chosen(
    sources: Any, studio: FakeStudio, qtbot: Any, photo: Path, why: str
) -> None:
    card = card_of(sources, studio, photo, withheld=why)
    assert card.state.isVisible()
    assert card.state.text() == f"{why[0].upper()}{why[1:]}."
    assert card.approve.isVisible() is ("approval" in why)
    sources.resize(280, 900)
    qtbot.wait(50)
    assert sources.horizontalScrollBar().maximum() == 0, "as narrow as the panel is at first, nothing is cut"
    click_tile(qtbot, sources.people, 0)
    assert studio.calls == []


def test_the_second_person_approves_with_the_code(sources: Any, studio: FakeStudio, qtbot: Any, photo: Path) -> None:
    card = card_of(sources, studio, photo, withheld="the consent waits for a second person's approval")
    qtbot.mouseClick(card.approve, LEFT)
    dialog = sources.code_dialog
    assert dialog.isVisible()
    assert not dialog.confirm.isEnabled()
    dialog.code.setText("000000")
    dialog.confirm.click()
    qtbot.waitUntil(dialog.problem.isVisible)
    assert "not the operator's code" in dialog.problem.text()
    assert not card.facts.text().endswith("2026-11-26")
    dialog.code.setText("123456")
    dialog.confirm.click()
    qtbot.waitUntil(lambda: not dialog.isVisible())
    sources.bridge.refresh()
    assert card.facts.text().endswith("Approved by the second person on 2026-11-26")
    assert not card.state.isVisible()


def test_a_consent_is_renewed_on_the_card(sources: Any, studio: FakeStudio, qtbot: Any, photo: Path) -> None:
    card = card_of(sources, studio, photo, withheld="the consent ended on 2026-11-25")
    qtbot.mouseClick(card.renew, LEFT)
    assert card.document.isVisible()
    card.until.setDate(QDate(2031, 5, 6))
    card.take_document(photo)
    card.give.click()
    assert studio.consents.calls == [("renew", "person-1", "2031-05-06", photo)]
    qtbot.waitUntil(lambda: "Holds until 2031-05-06" in card.facts.text())
    assert not card.form.isVisible()


def test_a_consent_is_taken_back_on_the_card_when_asked_twice(
    sources: Any, studio: FakeStudio, qtbot: Any, photo: Path
) -> None:
    card = card_of(sources, studio, photo)
    qtbot.mouseClick(card.revoke, LEFT)
    card.keep.click()
    assert studio.consents.calls == []
    qtbot.mouseClick(card.revoke, LEFT)
    card.really.click()
    assert studio.consents.calls == [("revoke", "person-1")]
    qtbot.waitUntil(lambda: card.state.text() == "The consent was taken back on 2026-11-26.")
    assert not card.revoke.isVisible()
