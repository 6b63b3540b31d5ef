"""Two people before one camera, in the real window: enrolled by a click each, and each given a face of their own."""

from pathlib import Path
from typing import Any

import cv2
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from facefusion_live.domain.ports import GateState
from facefusion_live.gui.framing import Point
from tests.flow.test_crowd import film, frames
from tests.gui.live.conftest import Evening
from tests.support import shared_path

EDGE = 320


def two_people(folder: Path) -> Path:
    """Half a minute of two people who talk, 960 x 480."""
    once = [picture[:, : 2 * EDGE] for picture in frames(shared_path("media/clips/three_faces.mp4"))]
    rounds = [*once, *once[::-1]] * 6
    return film(folder / "two.mkv", [cv2.resize(each, (3 * EDGE, 3 * EDGE // 2)) for each in rounds[:900]])


def click_on(evening: Evening, face: Any) -> None:
    viewport = evening.window.viewport
    left, top, right, bottom = face.box_px.tolist()
    at = viewport.framing.to_screen(Point((left + right) / 2, (top + bottom) / 2))
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=QPoint(round(at.x), round(at.y)))


def in_order(evening: Evening) -> list[Any]:
    return sorted(evening.window.viewport.faces, key=lambda face: face.box_px[0])


def sources_on_record(evening: Evening) -> set[str]:
    return {row["target"] for row in evening.rows() if row["action"] == "source.load"}


def test_two_people_are_clicked_on_and_mapped_to_two_faces(evening: Evening, tmp_path: Path) -> None:
    evening.live(str(two_people(tmp_path)))
    card = evening.panel("sources").guests
    for place, name in enumerate(("Bob", "Alice")):
        evening.until(lambda: len(in_order(evening)) == 2 and all(each.looks for each in in_order(evening)), "looks")
        click_on(evening, in_order(evening)[place])
        evening.until(card.name.isVisible, "the question for the name")
        card.name.setText(name)
        QTest.keyClick(card.name, Qt.Key.Key_Return)
        evening.until(lambda name=name: name in card.faces, f"{name} in the list")
    for name, face in (("Bob", "bo"), ("Alice", "esi")):
        box = card.faces[name]
        box.setCurrentIndex(box.findData(face))
        box.activated.emit(box.currentIndex())
        evening.until(lambda name=name, face=face: card.faces[name].currentData() == face, "the face of their own")
    evening.studio.store.commit({"swap.targets": "enrolled"})
    evening.until(lambda: [each.person for each in in_order(evening)] == ["Bob", "Alice"], "both known")
    evening.until(lambda: evening.state.gate is GateState.LIVE, "both covered")
    evening.until(lambda: len(sources_on_record(evening)) == 3, "all three faces on record")
    evening.emitted(8)
    evening.window.grab().save(str(tmp_path / "window.png"))
    rows = evening.rows()
    assert sum(row["action"] == "person.enrol" for row in rows) == 2
    changed = [row["metadata"]["fields"] for row in rows if row["action"] == "settings.change"]
    assert [[field["field"] for field in fields] for fields in changed] == [["swap.map"]] * 2 + [["swap.targets"]]
    assert evening.session.report().leaks == 0
    card.forget["Alice"].click()
    evening.until(lambda: "Alice" not in card.faces, "Alice forgotten")
    evening.until(lambda: [each.person for each in in_order(evening)] == ["Bob", None], "a stranger")
    assert "Alice" not in (evening.home.enrolled).read_text()
    assert evening.studio.store.current.swap.map == "Bob = bo"
