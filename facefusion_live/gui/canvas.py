"""What the two ways of showing a picture share, and the plain one: painted by Qt where there is no GL."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QSurfaceFormat
from PySide6.QtWidgets import QWidget

from facefusion_live.gui.framing import Framing

Over: TypeAlias = Callable[[QPainter], None]
"""Draws overlays and figures over the picture, in screen pixels."""

SHRUNK_BELOW = 0.75
"""Screen pixels per picture pixel below which one sample a pixel is too few."""
BLOCKS_FROM = 3.0
"""Where single pixels are looked at, they are shown as blocks."""


class Canvas(Protocol):
    """A widget that shows one picture, or two with a line between them. Thread: GUI."""

    def take(self, before: NDArray[np.uint8] | None, after: NDArray[np.uint8]) -> None:
        """Take over new pixels (h, w, 3) RGB; they may be reused right after. The old `before` stands if it is None."""
        ...

    def frame(self, framing: Framing, stage: str) -> None:
        """Show it like this, on a stage of that colour (#rrggbb)."""
        ...

    def clear(self) -> None:
        """Show no picture."""
        ...

    def release(self) -> None:
        """Let go of everything that Qt does not know. Safe to call twice."""
        ...


class PaintedCanvas(QWidget):
    """The picture painted by Qt, without GL: slower, and it looks the same."""

    def __init__(self, over: Over, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._over = over
        self._framing, self._stage = Framing(), "#000000"
        self._before: QImage | None = None
        self._after: QImage | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def take(self, before: NDArray[np.uint8] | None, after: NDArray[np.uint8]) -> None:
        """As `Canvas.take`."""
        if before is not None:
            self._before = rgb_image(before)
        self._after = rgb_image(after)

    def frame(self, framing: Framing, stage: str) -> None:
        """As `Canvas.frame`."""
        self._framing, self._stage = framing, stage

    def clear(self) -> None:
        """As `Canvas.clear`."""
        self._before = self._after = None

    def release(self) -> None:
        """As `Canvas.release`."""
        self.clear()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the picture and what lies over it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._stage))
        if self._after is not None:
            self._paint(painter, self._after)
            wipe_x = self._framing.wipe_x
            if self._before is not None and wipe_x is not None:
                painter.setClipRect(QRectF(0, 0, wipe_x, self.height()))
                self._paint(painter, self._before)
                painter.setClipping(False)
        self._over(painter)
        painter.end()

    def _paint(self, painter: QPainter, image: QImage) -> None:
        smooth = self._framing.scale < BLOCKS_FROM
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        box = QRectF(*self._framing.box)
        if not self._framing.mirrored:
            painter.drawImage(box, image)
            return
        painter.save()
        painter.translate(box.left() + box.right(), 0)
        painter.scale(-1, 1)
        painter.drawImage(box, image)
        painter.restore()


def surface_format() -> QSurfaceFormat:
    """What the window asks of GL: 3.3 core, and no waiting for the screen on the GUI thread."""
    wanted = QSurfaceFormat()
    wanted.setVersion(3, 3)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    wanted.setSwapInterval(0)
    return wanted


def rgb_image(pixels: NDArray[np.uint8]) -> QImage:
    """A picture of Qt's own from (h, w, 3) RGB; it keeps nothing of the array."""
    h, w = pixels.shape[:2]
    whole = np.ascontiguousarray(pixels)
    return QImage(whole.data, w, h, 3 * w, QImage.Format.Format_RGB888).copy()
