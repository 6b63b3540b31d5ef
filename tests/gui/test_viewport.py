"""The picture in the window, by both canvases, on a real screen: pixels are read back."""

import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from facefusion_live.domain.image import HostImage
from facefusion_live.engine.preview import PatchPlace
from facefusion_live.gui.bridge import Bridge
from facefusion_live.gui.framing import Point
from facefusion_live.gui.overlays import Overlay
from facefusion_live.gui.viewport import Viewport
from tests.faces import canonical_mesh_px, face_of
from tests.fakes.studio import FakeStudio

RED, BLUE, GREEN = (200, 30, 30), (30, 30, 200), (30, 160, 30)
LEFT, MIDDLE, RIGHT = (40, 100), (160, 60), (280, 100)


@pytest.fixture(params=["painted", "gl"])
def viewport(request: pytest.FixtureRequest, qapp: Any, qtbot: Any, studio: FakeStudio) -> Iterator[Viewport]:
    """A viewport of the size of the fake's pictures, with nothing over them."""
    bridge = Bridge(studio)
    shown = Viewport(bridge, gl=request.param == "gl")
    assert shown.uses_gl == (request.param == "gl")
    qtbot.addWidget(shown)
    shown.resize(320, 180)
    shown.show_figures(False)
    with qtbot.waitExposed(shown):
        shown.show()
    studio.start()
    bridge.start()
    qapp.processEvents()
    yield shown
    bridge.close()
    if shown.uses_gl:
        assert gl_errors(shown) == []
    shown.release()


def gl_errors(viewport: Viewport) -> list[int]:
    gl = importlib.import_module("OpenGL.GL")
    viewport._canvas.makeCurrent()
    errors = [int(error) for error in iter(gl.glGetError, 0)]
    viewport._canvas.doneCurrent()
    return errors


def show(qtbot: Any, studio: FakeStudio, viewport: Viewport, **view: Any) -> None:
    with qtbot.waitSignal(viewport._bridge.view_ready, timeout=2000):
        studio.push_view(**view)
    QTest.qWait(30)


def pixel(viewport: Viewport, at: tuple[int, int]) -> tuple[int, int, int]:
    """What the screen shows there."""
    QApplication.processEvents()
    QTest.qWait(30)
    image = viewport.screen().grabWindow(viewport.winId()).toImage().convertToFormat(QImage.Format.Format_RGB888)
    colour = image.pixelColor(*at)
    return colour.red(), colour.green(), colour.blue()


def near(colour: tuple[int, int, int], wanted: tuple[int, int, int]) -> bool:
    return max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) <= 3


def halves(left: tuple[int, int, int], right: tuple[int, int, int]) -> np.ndarray:
    picture = np.empty((180, 320, 3), np.uint8)
    picture[:, :160], picture[:, 160:] = left, right
    return picture


def test_what_goes_out_is_shown(viewport: Viewport, studio: FakeStudio, qtbot: Any) -> None:
    show(qtbot, studio, viewport)
    assert all(near(pixel(viewport, at), BLUE) for at in (LEFT, MIDDLE, RIGHT))


def test_the_newest_picture_wins(viewport: Viewport, studio: FakeStudio, qtbot: Any) -> None:
    show(qtbot, studio, viewport)
    show(qtbot, studio, viewport, after=np.full((90, 160, 3), GREEN, np.uint8))
    assert near(pixel(viewport, MIDDLE), GREEN)


def test_left_of_the_line_is_before(viewport: Viewport, studio: FakeStudio, qtbot: Any) -> None:
    viewport.compare(True)
    show(qtbot, studio, viewport)
    assert near(pixel(viewport, LEFT), RED)
    assert near(pixel(viewport, RIGHT), BLUE)


def test_the_line_is_dragged(viewport: Viewport, studio: FakeStudio, qtbot: Any) -> None:
    viewport.compare(True)
    show(qtbot, studio, viewport)
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=QPoint(160, 40))
    QTest.mouseMove(viewport, QPoint(240, 40))
    QTest.mouseMove(viewport, QPoint(300, 40))
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=QPoint(300, 40))
    assert viewport.framing.wipe == pytest.approx(300 / 320)
    assert near(pixel(viewport, (280, 60)), RED)


def test_the_mirror_turns_the_view(viewport: Viewport, studio: FakeStudio, qtbot: Any) -> None:
    viewport.mirror(True)
    picture = halves(RED, GREEN)
    show(qtbot, studio, viewport, after=picture)
    assert near(pixel(viewport, LEFT), GREEN)
    assert near(pixel(viewport, RIGHT), RED)
    assert (picture[0, 0] == RED).all()


def test_the_wheel_zooms_where_it_points_and_a_double_click_shows_all(
    viewport: Viewport, studio: FakeStudio, qtbot: Any
) -> None:
    show(qtbot, studio, viewport, after=halves(RED, GREEN))
    before = viewport.framing.to_picture(Point(40, 100))
    turn(viewport, QPoint(40, 100), 3)
    assert viewport.framing.zoom > 1.4
    assert viewport.framing.to_picture(Point(40, 100)) == pytest.approx(before)
    assert near(pixel(viewport, (200, 100)), RED)
    QTest.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=QPoint(40, 100))
    assert viewport.framing.zoom == 1


def turn(viewport: Viewport, at: QPoint, notches: int) -> None:
    event = QWheelEvent(
        QPointF(at), QPointF(viewport.mapToGlobal(at)), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(viewport, event)


def test_all_of_it_works_by_keys(viewport: Viewport, studio: FakeStudio, qtbot: Any) -> None:
    viewport.compare(True)
    show(qtbot, studio, viewport)
    QTest.keyClick(viewport, Qt.Key.Key_Plus)
    QTest.keyClick(viewport, Qt.Key.Key_Left)
    assert viewport.framing.zoom > 1
    assert viewport.framing.pan.x == 40
    QTest.keyClick(viewport, Qt.Key.Key_Home)
    assert viewport.framing.zoom == 1
    QTest.keyClick(viewport, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert viewport.framing.wipe == pytest.approx(0.5 + 20 / 320)


def test_boxes_and_mesh_are_painted_over_the_picture(viewport: Viewport, studio: FakeStudio, qtbot: Any) -> None:
    face = face_of(canonical_mesh_px(100, (160, 90)))
    left, top = (round(float(value)) for value in face.box_px[:2])
    viewport.choose_overlay(Overlay.BOXES, True)
    show(qtbot, studio, viewport, faces=(face,))
    assert not near(pixel(viewport, (left, top + 40)), BLUE)
    viewport.choose_overlay(Overlay.BOXES, False)
    assert near(pixel(viewport, (left, top + 40)), BLUE)


def test_a_click_on_a_face_tells_whose_and_a_drag_does_not(viewport: Viewport, studio: FakeStudio, qtbot: Any) -> None:
    face = face_of(canonical_mesh_px(80, MIDDLE))
    show(qtbot, studio, viewport, faces=(face,))
    clicked: list[Any] = []
    viewport.face_clicked.connect(clicked.append)
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=QPoint(*LEFT))
    QTest.mouseClick(viewport, Qt.MouseButton.MiddleButton, pos=QPoint(*MIDDLE))
    assert clicked == []
    QTest.mouseMove(viewport, QPoint(*MIDDLE))
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=QPoint(*MIDDLE))
    assert clicked == [face]
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=QPoint(*MIDDLE))
    QTest.mouseMove(viewport, QPoint(*RIGHT))
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=QPoint(*RIGHT))
    assert clicked == [face]


def test_the_mask_is_a_veil_where_the_swap_lies(viewport: Viewport, studio: FakeStudio) -> None:
    regions = np.zeros((64, 64, 4), np.uint8)
    regions[16:48, 16:48, 0] = 255
    viewport.choose_overlay(Overlay.MASK, True)
    push_with_patch(studio, PatchPlace(HostImage(regions), np.array([[1.0, 0, -128], [0, 1.0, -58]]), 0))
    QTest.qWait(80)
    assert not near(pixel(viewport, (160, 90)), BLUE)
    assert near(pixel(viewport, (135, 65)), BLUE)


def push_with_patch(studio: FakeStudio, place: PatchPlace) -> None:
    import dataclasses

    view = studio.push_view()
    studio._views = [dataclasses.replace(view, patches=(place,))]


ABOVE, BELOW = (16, 24), (16, 180 - 24)
"""Where the figures stand."""


def test_figures_are_told_and_can_be_hidden(viewport: Viewport, studio: FakeStudio, qtbot: Any) -> None:
    studio.store.commit({"label.show": False})
    studio.leave_out("the broadcaster adds its own")
    viewport._bridge.refresh()
    show(qtbot, studio, viewport)
    viewport.show_figures(True)
    assert not near(pixel(viewport, ABOVE), BLUE)
    assert viewport._figure_words() == "30.0 frames/s   25 ms   2 dropped"
    viewport.show_figures(False)
    assert near(pixel(viewport, ABOVE), BLUE)


def test_figures_never_hide_the_label(viewport: Viewport, studio: FakeStudio, qtbot: Any) -> None:
    show(qtbot, studio, viewport)
    viewport.show_figures(True)
    assert near(pixel(viewport, ABOVE), BLUE), "so narrow a picture has no room for both above"
    assert not near(pixel(viewport, BELOW), BLUE)
    viewport.resize(1280, 720)
    assert not near(pixel(viewport, ABOVE), BLUE), "beside each other"
    viewport.mirror(True)
    assert near(pixel(viewport, ABOVE), BLUE), "there the mirrored label stands"


def test_when_the_session_ends_no_picture_stays(viewport: Viewport, studio: FakeStudio, qtbot: Any) -> None:
    show(qtbot, studio, viewport)
    studio.stop()
    viewport._bridge.refresh()
    assert viewport.framing.picture_wh == (0, 0)
    assert not near(pixel(viewport, LEFT), BLUE)


def test_every_share_of_a_view_is_given_back_at_once(viewport: Viewport, studio: FakeStudio, qtbot: Any) -> None:
    class Counted(HostImage):
        released = 0

        def release(self) -> None:
            type(self).released += 1

    view = studio.push_view()
    object.__setattr__(view, "after", Counted(np.zeros((180, 320, 3), np.uint8)))
    with qtbot.waitSignal(viewport._bridge.view_ready, timeout=2000):
        pass
    assert Counted.released == 1


def test_gl_objects_are_deleted(qtbot: Any, studio: FakeStudio) -> None:
    gl = importlib.import_module("OpenGL.GL")
    bridge = Bridge(studio)
    shown = Viewport(bridge, gl=True)
    qtbot.addWidget(shown)
    with qtbot.waitExposed(shown):
        shown.show()
    canvas: Any = shown._canvas
    textures, program = [canvas._before.name, canvas._after.name], canvas._program
    shown.release()
    canvas.makeCurrent()
    left = [name for name in textures if gl.glIsTexture(name)]
    assert left == []
    assert not gl.glIsProgram(program)
    canvas.doneCurrent()


@pytest.mark.parametrize("call", ["glTexSubImage2D", "glDrawArrays"])
def test_gl_that_breaks_while_it_runs_is_painted_instead(
    qtbot: Any, studio: FakeStudio, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    from OpenGL import GL

    bridge = Bridge(studio)
    shown = Viewport(bridge, gl=True)
    qtbot.addWidget(shown)
    with qtbot.waitExposed(shown):
        shown.show()
    studio.start()
    bridge.start()
    show(qtbot, studio, shown)
    assert shown.uses_gl

    def lost(*_: object) -> None:
        raise GL.GLError(err=1287, baseOperation=call)

    monkeypatch.setattr(GL, call, lost)
    with qtbot.captureExceptions() as raised:
        show(qtbot, studio, shown)
        qtbot.waitUntil(lambda: not shown.uses_gl, timeout=2000)
        show(qtbot, studio, shown)
    assert raised == []
    assert not shown._canvas._after.isNull()  # type: ignore[attr-defined]
    bridge.close()
    shown.release()


def test_broken_gl_is_painted_instead(qtbot: Any, studio: FakeStudio) -> None:
    bridge = Bridge(studio)
    shown = Viewport(bridge, gl=True)
    qtbot.addWidget(shown)
    with qtbot.waitExposed(shown):
        shown.show()
    shown._canvas.release()  # type: ignore[attr-defined]
    shown._canvas.failed.emit("the shader does not compile")  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: not shown.uses_gl, timeout=2000)
    studio.start()
    bridge.start()
    show(qtbot, studio, shown)
    assert shown.framing.picture_wh == (320, 180)
    bridge.close()
    shown.release()
