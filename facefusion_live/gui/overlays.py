"""What is painted over the picture in the window, never in the output: boxes, mesh, mask, seam, figures, badges."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen, QPolygonF, QTransform

from facefusion_live.app.studio import PatchPlace, View
from facefusion_live.domain import blend, geometry, label, mesh
from facefusion_live.domain.face import Face
from facefusion_live.domain.mesh_topology import TRIANGLES
from facefusion_live.domain.settings import Settings
from facefusion_live.gui.framing import Framing, Point

_FINEST_PX = 256
"""Masks are drawn from at most so many samples a side: they are soft."""
_ACCENT, _OTHER, _MASK, _SEAM = QColor("#7ab4ff"), QColor("#b8bec8"), (64, 196, 180), (255, 170, 60)
_LETTER, _WIDE_LETTER, _FIRST_WIDE = 0.75, 1.3, 0x2E80
"""Widths of the label's letters over their height, plate and all, and from where on they are Chinese."""
PILL_PX = 24
"""Height of a pill."""
_PILL, _INK = QColor(10, 12, 15, 190), QColor("#f2f4f7")


class Overlay(StrEnum):
    """What can be shown over the picture."""

    BOXES = "boxes"
    MESH = "mesh"
    MASK = "mask"
    SEAM = "seam"


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Mask or seam of one patch, with its way onto the frame."""

    image: QImage
    frame_from_sheet: QTransform


class Overlays:
    """Keeps what overlays need of the newest view, and paints the ones chosen. Thread: GUI."""

    def __init__(self) -> None:
        self.chosen: frozenset[Overlay] = frozenset()
        self._faces: tuple[Face, ...] = ()
        self._targets: tuple[int, ...] = ()
        self._sheets: tuple[_Sheet, ...] = ()

    def take(self, view: View) -> None:
        """Take over what is needed of a view."""
        self._faces, self._targets = view.faces, view.targets
        sheets = self.chosen & {Overlay.MASK, Overlay.SEAM}
        self._sheets = tuple(_sheet(place, view.look, self.chosen) for place in view.patches) if sheets else ()

    @property
    def faces(self) -> tuple[Face, ...]:
        """Those of the newest view, in frame pixels."""
        return self._faces

    def face_at(self, point: Point) -> Face | None:
        """The smallest face of the newest view there; None where there is none.

        Args:
            point: In frame pixels.
        """
        there = [face for face in self._faces if _holds(face, point)]
        return min(there, key=lambda face: geometry.box_area(face.box_px), default=None)

    def clear(self) -> None:
        """Forget the last view."""
        self._faces, self._targets, self._sheets = (), (), ()

    def paint(self, painter: QPainter, framing: Framing) -> None:
        """Paint them over the picture."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_sheets(painter, framing)
        for index, face in enumerate(self._faces):
            colour = _ACCENT if index in self._targets else _OTHER
            if Overlay.MESH in self.chosen:
                _paint_mesh(painter, face, framing, colour)
            if Overlay.BOXES in self.chosen:
                _paint_box(painter, face, framing, colour, replaced=index in self._targets)

    def _paint_sheets(self, painter: QPainter, framing: Framing) -> None:
        x_scale, y_scale, x_off, y_off = framing.screen_from_picture()
        screen_from_frame = QTransform(x_scale, 0, 0, y_scale, x_off, y_off)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for sheet in self._sheets:
            painter.save()
            painter.setTransform(sheet.frame_from_sheet * screen_from_frame, combine=True)
            painter.drawImage(QPointF(0, 0), sheet.image)
            painter.restore()


def _holds(face: Face, point: Point) -> bool:
    left, top, right, bottom = face.box_px.tolist()
    return left <= point.x <= right and top <= point.y <= bottom


def _sheet(place: PatchPlace, look: Settings, chosen: frozenset[Overlay]) -> _Sheet:
    regions = place.regions.host()
    size_px = regions.shape[0]
    step = max(1, size_px // _FINEST_PX)
    share = blend.alpha(np.ascontiguousarray(regions[::step, ::step]), None, look.mask)
    inverse = np.linalg.inv(np.vstack([place.crop_from_frame, (0, 0, 1)]))
    centre, scale = size_px / 2, look.look.face_scale
    crop_from_sheet = QTransform(scale * step, 0, 0, scale * step, centre - centre * scale, centre - centre * scale)
    frame_from_crop = QTransform(*(float(inverse[row, column]) for column in range(3) for row in range(2)))
    return _Sheet(_tinted(share, chosen), crop_from_sheet * frame_from_crop)


def _tinted(share: NDArray[np.float32], chosen: frozenset[Overlay]) -> QImage:
    """The mask as a veil, its soft edge as a glow."""
    h, w = share.shape
    rgba = np.zeros((h, w, 4), np.float32)
    if Overlay.MASK in chosen:
        rgba[...] = np.array((*_MASK, 255), np.float32) * (share * 0.42)[..., None]
    if Overlay.SEAM in chosen:
        edge = (4 * share * (1 - share))[..., None]
        rgba = rgba * (1 - edge) + np.array((*_SEAM, 255), np.float32) * edge
    pixels = np.ascontiguousarray(rgba.astype(np.uint8))
    return QImage(pixels.data, w, h, 4 * w, QImage.Format.Format_RGBA8888_Premultiplied).copy()


@cache
def _edges() -> NDArray[np.integer[Any]]:
    """(n, 2) every edge of the mesh, once."""
    pairs = np.concatenate([TRIANGLES[:, (0, 1)], TRIANGLES[:, (1, 2)], TRIANGLES[:, (2, 0)]])
    return np.unique(np.sort(pairs, 1), axis=0)


def _paint_mesh(painter: QPainter, face: Face, framing: Framing, colour: QColor) -> None:
    x_scale, y_scale, x_off, y_off = framing.screen_from_picture()
    points = face.mesh_px[:, :2] * (x_scale, y_scale) + (x_off, y_off)
    ends = np.concatenate([points[_edges()[:, 0]], points[_edges()[:, 1]]], 1).tolist()
    painter.setPen(QPen(QColor(colour.red(), colour.green(), colour.blue(), 120), 0))
    painter.drawLines([QLineF(*end) for end in ends])
    painter.setPen(QPen(colour, 1.5))
    painter.drawPolygon(QPolygonF([QPointF(*points[index].tolist()) for index in mesh.OVAL]))


def _paint_box(painter: QPainter, face: Face, framing: Framing, colour: QColor, *, replaced: bool) -> None:
    x_scale, y_scale, x_off, y_off = framing.screen_from_picture()
    left, top, right, bottom = (float(value) for value in face.box_px)
    corners = (
        QPointF(left * x_scale + x_off, top * y_scale + y_off),
        QPointF(right * x_scale + x_off, bottom * y_scale + y_off),
    )
    box = QRectF(*corners).normalized()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, 1.5, Qt.PenStyle.SolidLine if replaced else Qt.PenStyle.DashLine))
    painter.drawRoundedRect(box, 4, 4)
    pill(painter, QPointF(box.left(), box.top() - 26), f"{face.person or face.track_id}  {face.score:.2f}", colour)


def pill_width(font: QFont, words: str) -> float:
    """How wide a pill with these words is."""
    return QFontMetricsF(_pill_font(font)).horizontalAdvance(words) + 20


def _pill_font(font: QFont) -> QFont:
    small = QFont(font)
    small.setPixelSize(13)
    small.setWeight(QFont.Weight.DemiBold)
    return small


def pill(painter: QPainter, at: QPointF, words: str, ink: QColor = _INK, *, centred: bool = False) -> QRectF:
    """A few words on a dark pill, legible over any picture.

    Args:
        painter: Paints it.
        at: Its upper left corner; with `centred`, the middle of its upper edge.
        words: One line.
        ink: Their colour.
        centred: As above.

    Returns:
        Where it lies.
    """
    font = _pill_font(painter.font())
    painter.setFont(font)
    width = pill_width(font, words)
    box = QRectF(at.x() - (width / 2 if centred else 0), at.y(), width, PILL_PX)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PILL)
    painter.drawRoundedRect(box, 6, 6)
    painter.setPen(ink)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
    return box


def label_box(look: Settings, framing: Framing) -> QRectF:
    """About where the visible label stands on the screen: rather too wide than too narrow."""
    letter_px = label.letter_height_px(framing.picture_wh, look.label.height)
    told = label.words(cast("label.Language", look.label.language), look.label.text)
    width = letter_px * sum(_WIDE_LETTER if ord(each) >= _FIRST_WIDE else _LETTER for each in told)
    corner = cast("label.Corner", look.label.corner)
    plate = label.place(framing.picture_wh, (round(width), round(2.2 * letter_px)), corner)
    x_scale, y_scale, x_off, y_off = framing.screen_from_picture()
    corners = ((plate.left, plate.top), (plate.left + plate.width, plate.top + plate.height))
    return QRectF(*(QPointF(x * x_scale + x_off, y * y_scale + y_off) for x, y in corners)).normalized()


def wipe_line(painter: QPainter, framing: Framing, before: str, after: str, *, above_px: float = 0) -> None:
    """The line between before and after, with its grip and its words, which stand a little above the lower edge."""
    x = framing.wipe_x
    if x is None:
        return
    box = framing.box
    top, bottom = max(box.top, 0.0), min(box.top + box.height, framing.view_wh[1])
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(10, 12, 15, 130), 4))
    painter.drawLine(QPointF(x, top), QPointF(x, bottom))
    painter.setPen(QPen(_INK, 2))
    painter.drawLine(QPointF(x, top), QPointF(x, bottom))
    middle = QPointF(x, (top + bottom) / 2)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_INK)
    painter.drawEllipse(middle, 11, 11)
    painter.setPen(QPen(QColor("#1b1f25"), 2))
    for side in (-1, 1):
        tip = middle + QPointF(side * 6, 0)
        painter.drawPolyline([tip + QPointF(-side * 3, -3.5), tip, tip + QPointF(-side * 3, 3.5)])
    metrics = QFontMetricsF(painter.font())
    width = metrics.horizontalAdvance(before) * 1.1 + 20
    pill(painter, QPointF(x - 12 - width, bottom - 36 - above_px), before)
    pill(painter, QPointF(x + 12, bottom - 36 - above_px), after)
