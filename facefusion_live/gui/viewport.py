"""The picture in the window: framed by hand, compared by a line, with overlays and figures that never go out."""

import logging
from dataclasses import replace

from PySide6.QtCore import QCoreApplication, QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent, QPainter, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from facefusion_live.app.studio import StudioState
from facefusion_live.domain.face import Face
from facefusion_live.domain.settings import Settings
from facefusion_live.gui.bridge import Bridge
from facefusion_live.gui.canvas import Canvas, PaintedCanvas
from facefusion_live.gui.framing import Framing, Mode, Point
from facefusion_live.gui.overlays import PILL_PX, Overlay, Overlays, label_box, pill, pill_width, wipe_line
from facefusion_live.gui.theme import colours_of

log = logging.getLogger("facefusion_live.gui")

_NOTCH = 120.0
"""Qt's measure of one notch of the wheel."""
_PAN_PX = 40.0
_WIPE_STEP_PX = 20.0
_MARGIN_PX, _GAP_PX = 12.0, 8.0
_NO_SCREEN = ("offscreen", "minimal", "linuxfb", "vnc")
"""Platforms of Qt that give no GL."""


class Viewport(QWidget):
    """Shows the newest view. Thread: GUI.

    A click on a face tells whose it was. Drag pans, the wheel zooms where it points, a double click shows all again; a
    drag that begins on the line between before and after moves it. With the keyboard: arrows pan, + and - zoom, Home
    shows all, Ctrl and arrows move the line.
    """

    framed = Signal()
    """Mode, mirror or wipe changed."""
    face_clicked = Signal(object)
    """(Face) the pointer went down and up again on it."""

    def __init__(self, bridge: Bridge, *, gl: bool | None = None, parent: QWidget | None = None) -> None:
        """Make it.

        Args:
            bridge: Where views come from.
            gl: Draw by GL, or paint; when not given, GL where a graphics card does it.
            parent: As in Qt.
        """
        super().__init__(parent)
        self._bridge = bridge
        self._framing = Framing()
        self._overlays = Overlays()
        self._figures = True
        self._dragged: QPointF | None = None
        self._pressed: QPointF | None = None
        self._wiping = False
        self._frozen = False
        self._look: Settings | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(320, 180)
        self._canvas: QWidget = self._make_canvas(gl=gl)
        bridge.view_ready.connect(self._take)
        bridge.state_changed.connect(self._on_state)
        self._retranslate()

    @property
    def uses_gl(self) -> bool:
        """Whether GL draws the picture."""
        return not isinstance(self._canvas, PaintedCanvas)

    @property
    def framing(self) -> Framing:
        """How the picture lies."""
        return self._framing

    @property
    def faces(self) -> tuple[Face, ...]:
        """Those in the picture shown, in its pixels."""
        return self._overlays.faces

    @property
    def overlays(self) -> frozenset[Overlay]:
        """What is shown over the picture."""
        return self._overlays.chosen

    @property
    def figures(self) -> bool:
        """Whether frame rate, delay and drops are shown."""
        return self._figures

    def choose_mode(self, mode: Mode) -> None:
        """Fit, fill or 1:1."""
        self._show(self._framing.in_mode(mode))

    def mirror(self, on: bool) -> None:  # noqa: FBT001 (a switch, connected to an action)
        """Show it as a mirror does. What goes out is not mirrored."""
        self._show(replace(self._framing, mirrored=on))

    def compare(self, on: bool) -> None:  # noqa: FBT001 (as mirror)
        """Show the line between before and after."""
        self._show(replace(self._framing, wipe=0.5 if on else None))

    def choose_overlay(self, overlay: Overlay, on: bool) -> None:  # noqa: FBT001 (as mirror)
        """Show an overlay, or hide it."""
        chosen = self._overlays.chosen
        self._overlays.chosen = chosen | {overlay} if on else chosen - {overlay}
        self._canvas.update()

    def show_figures(self, on: bool) -> None:  # noqa: FBT001 (as mirror)
        """Show frame rate, delay and drops, or hide them."""
        self._figures = on
        self._canvas.update()

    def clear(self) -> None:
        """Show no picture."""
        self._overlays.clear()
        self._as_canvas().clear()
        self._framing = replace(self._framing, picture_wh=(0, 0))
        self._redraw()

    def release(self) -> None:
        """Let go of textures and buffers; nothing is shown afterwards."""
        self._bridge.view_ready.disconnect(self._take)
        self._as_canvas().release()

    def sizeHint(self) -> QSize:
        """Room for a picture of 16:9."""
        return QSize(960, 540)

    # --- pictures -------------------------------------------------------------------------------------------------

    def _take(self) -> None:
        view = self._bridge.view
        if view is None:
            return
        self._frozen, self._look = view.frozen, view.look
        self._overlays.take(view)
        self._framing = self._framing.showing(view.after.size_wh)
        self._as_canvas().take(None if view.before is None else view.before.host(), view.after.host())
        self._redraw()

    def _on_state(self, state: StudioState) -> None:
        if state.phase == "idle" and self._framing.picture_wh != (0, 0):
            self.clear()

    def _show(self, framing: Framing) -> None:
        self._framing = framing
        self._redraw()
        self.framed.emit()

    def _redraw(self) -> None:
        self._as_canvas().frame(self._framing, colours_of(self).stage)
        self._canvas.update()

    def _as_canvas(self) -> Canvas:
        return self._canvas  # type: ignore[return-value]  # both kinds of canvas are widgets, which no protocol can say

    def _make_canvas(self, *, gl: bool | None) -> QWidget:
        if gl is False or QGuiApplication.platformName() in _NO_SCREEN:
            return PaintedCanvas(self._paint_over, self)
        # Here, so that the window opens where there is no GL library.
        from facefusion_live.gui.gl_canvas import GlCanvas, gl_renderer, is_software  # noqa: PLC0415

        renderer = gl_renderer()
        # Measured at 720p with a viewport of 1280 x 638: llvmpipe takes 35 ms of processor time a picture, Qt's own
        # painter 7 ms; and the engine wants those processors.
        if renderer and (gl or not is_software(renderer)):
            canvas = GlCanvas(self._paint_over, self)
            canvas.failed.connect(self._paint_instead, Qt.ConnectionType.QueuedConnection)
            return canvas
        log.info("the picture is painted: %s", f"GL is software ({renderer})" if renderer else "no OpenGL 3.3 here")
        return PaintedCanvas(self._paint_over, self)

    def _paint_instead(self) -> None:
        """GL was there and does not work."""
        broken = self._canvas
        self._canvas = PaintedCanvas(self._paint_over, self)
        self._canvas.resize(self.size())
        self._canvas.show()
        broken.deleteLater()
        self._redraw()

    def _paint_over(self, painter: QPainter) -> None:
        if self._framing.picture_wh == (0, 0):
            words = QCoreApplication.translate("Viewport", "No picture yet")
            painter.setPen(colours_of(self).muted)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, words)
            return
        self._overlays.paint(painter, self._framing)
        pills = self._pills()
        at = self._pills_at(painter, pills)
        below = bool(pills) and at.y() > self._framing.view_wh[1] / 2
        above_px = PILL_PX + _MARGIN_PX if below else 0
        wipe_line(painter, self._framing, self.tr("Before"), self.tr("After"), above_px=above_px)
        for words in pills:
            at.setX(pill(painter, at, words).right() + _GAP_PX)

    def _pills(self) -> list[str]:
        return [*([self._figure_words()] if self._figures else []), *([self.tr("Frozen")] if self._frozen else [])]

    def _pills_at(self, painter: QPainter, pills: list[str]) -> QPointF:
        """The upper left corner of the picture; the lower one where they would hide the label, which must be seen."""
        box, view_h = self._framing.box, self._framing.view_wh[1]
        at = QPointF(max(box.left, 0.0) + _MARGIN_PX, max(box.top, 0.0) + _MARGIN_PX)
        width = sum(pill_width(painter.font(), words) + _GAP_PX for words in pills)
        look = None if "label" in self._bridge.state.left_out else self._look
        if look is not None and label_box(look, self._framing).intersects(QRectF(at.x(), at.y(), width, PILL_PX)):
            at.setY(min(box.top + box.height, view_h) - _MARGIN_PX - PILL_PX)
        return at

    def _figure_words(self) -> str:
        state = self._bridge.state
        delay = state.latency_ms.get("capture_to_emit")
        words = [self.tr("{} frames/s").format(f"{state.fps_out:.1f}")]
        if delay is not None:
            words.append(self.tr("{} ms").format(f"{delay.p50:.0f}"))
        words.append(self.tr("{} dropped").format(sum(state.dropped.values())))
        return "   ".join(words)

    # --- hands ----------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Frame the picture anew."""
        self._canvas.resize(event.size())
        self._framing = self._framing.resized((float(event.size().width()), float(event.size().height())))
        self._redraw()

    def changeEvent(self, event: QEvent) -> None:
        """Follow language and theme."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        if event.type() in (QEvent.Type.LanguageChange, QEvent.Type.PaletteChange):
            self._redraw()
        super().changeEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Grip the line, or the picture."""
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            at = event.position()
            self._dragged = self._pressed = at
            self._wiping = self._framing.grips_wipe(Point(at.x(), at.y()))
            self._point_out(at)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move what is gripped."""
        at = event.position()
        if self._dragged is None:
            self._point_out(at)
        elif self._wiping:
            self._show(self._framing.wiped_to(at.x()))
        else:
            self._show(self._framing.panned(at.x() - self._dragged.x(), at.y() - self._dragged.y()))
            self._dragged = at

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        at, pressed = event.position(), self._pressed
        wiped, self._dragged, self._pressed, self._wiping = self._wiping, None, None, False
        self._point_out(at)
        if pressed is not None and not wiped and (at - pressed).manhattanLength() < QApplication.startDragDistance():
            face = self._face_at(at) if event.button() is Qt.MouseButton.LeftButton else None
            if face is not None:
                self.face_clicked.emit(face)

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        """Show all again."""
        self._show(self._framing.in_mode(self._framing.mode))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom where the pointer is."""
        at = event.position()
        self._show(self._framing.zoomed(event.angleDelta().y() / _NOTCH, Point(at.x(), at.y())))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pan, zoom and move the line without a mouse."""
        framing = self._framing
        centre = Point(framing.view_wh[0] / 2, framing.view_wh[1] / 2)
        ways = {Qt.Key.Key_Left: (1, 0), Qt.Key.Key_Right: (-1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
        key = Qt.Key(event.key())
        if key in ways:
            dx, dy = ways[key]
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier and framing.wipe_x is not None:
                self._show(framing.wiped_to(framing.wipe_x - dx * _WIPE_STEP_PX))
            else:
                self._show(framing.panned(dx * _PAN_PX, dy * _PAN_PX))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self._show(framing.zoomed(-1 if key is Qt.Key.Key_Minus else 1, centre))
        elif key is Qt.Key.Key_Home:
            self._show(framing.in_mode(framing.mode))
        else:
            super().keyPressEvent(event)

    def _point_out(self, at: QPointF) -> None:
        """The pointer tells what a drag would do."""
        if self._framing.grips_wipe(Point(at.x(), at.y())):
            self.setCursor(Qt.CursorShape.SplitHCursor)
        elif self._dragged is not None:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self._face_at(at) is not None:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            self.unsetCursor()

    def _face_at(self, at: QPointF) -> Face | None:
        if self._framing.picture_wh == (0, 0):
            return None
        return self._overlays.face_at(self._framing.to_picture(Point(at.x(), at.y())))

    def _retranslate(self) -> None:
        self.setAccessibleName(self.tr("Picture"))
        self.setAccessibleDescription(self.tr("What goes out. Arrows pan, plus and minus zoom, Home shows all."))
