"""People as thumbnails in a grid that fills the width and is as high as it must be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPainterPath, QPen, QResizeEvent
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from facefusion_live.domain.image import RgbImage
from facefusion_live.gui.icons import pixmap
from facefusion_live.gui.theme import Colours, colours_of
from facefusion_live.gui.widgets.focus import draw_focus
from facefusion_live.gui.widgets.metrics import ICON, RADIUS, TIGHT, TILE

_Index = QModelIndex | QPersistentModelIndex
_RING = 2.0
_SLACK = 4
"""Qt begins a new row a little before the edge."""


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One thumbnail.

    Attributes:
        id: Whom it stands for.
        name: Below the picture.
        picture: (h, w, 3) uint8 RGB, square; None for a placeholder.
        current: In use now.
        loading: Chosen, and being prepared.
        problem: Why it cannot be chosen, in words; empty where it can.
    """

    id: str
    name: str
    picture: RgbImage | None = None
    current: bool = False
    loading: bool = False
    problem: str = ""


class TileRole(IntEnum):
    """What delegates ask of the model."""

    TILE = Qt.ItemDataRole.UserRole
    IMAGE = Qt.ItemDataRole.UserRole + 1


class Gallery(QListView):
    """A list of tiles in rows. Arrow keys go about, Enter, Space or a click chooses."""

    chosen = Signal(str)
    """(id) the user wants this one."""
    pointed = Signal(str)
    """(id) the keyboard or the pointer went to this one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tiles = _Tiles(self)
        self.setModel(self._tiles)
        self.setItemDelegate(_Painter(self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        # The theme frames lists; here the tiles are the frame.
        self.setStyleSheet("QListView, QListView:focus { background: transparent; border: none; }")
        self.clicked.connect(self._choose)

    def show_tiles(self, tiles: Sequence[Tile]) -> None:
        """Show these; the keyboard stays where it was."""
        at = self.pointed_id
        self._tiles.replace(tiles)
        if at:
            self.point(at)
        self._fit()

    @property
    def colours(self) -> Colours:
        """The colours in force; asked of what lies behind, for its own ground is transparent."""
        return colours_of(self.parentWidget() or self)

    @property
    def pointed_id(self) -> str:
        """Where the keyboard is; empty for nowhere."""
        tile = self.currentIndex().data(TileRole.TILE)
        return tile.id if tile else ""

    def point(self, tile_id: str) -> None:
        """Put the keyboard on a tile."""
        row = self._tiles.row_of(tile_id)
        if row is not None:
            self.setCurrentIndex(self._tiles.index(row))

    def currentChanged(self, current: _Index, previous: _Index) -> None:
        """Tell where the keyboard went."""
        super().currentChanged(current, previous)
        tile = current.data(TileRole.TILE)
        if tile is not None:
            self.pointed.emit(tile.id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose, or go on."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.currentIndex().isValid():
            self._choose(self.currentIndex())
            return
        super().keyPressEvent(event)

    def resizeEvent(self, e: QResizeEvent) -> None:
        """More or fewer to a row."""
        super().resizeEvent(e)
        self._fit()

    def changeEvent(self, e: QEvent) -> None:
        """Larger letters need more room."""
        super().changeEvent(e)
        if e.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def minimumSizeHint(self) -> QSize:
        """One tile."""
        return QSize(TILE, TILE)

    def _choose(self, index: QModelIndex) -> None:
        tile = index.data(TileRole.TILE)
        if tile is not None and not tile.problem:
            self.chosen.emit(tile.id)

    def _fit(self) -> None:
        width = max(self.width(), TILE)
        columns = width // TILE
        cell = (width - _SLACK) // columns
        height = cell + self.fontMetrics().height() + 2 * TIGHT
        self.setGridSize(QSize(cell, height))
        rows = -(-self._tiles.rowCount() // columns)
        self.setFixedHeight(max(rows, 1) * height + 2)


class _Tiles(QAbstractListModel):
    """The tiles, and their pictures as Qt wants them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._tiles: list[Tile] = []
        self._images: dict[str, tuple[RgbImage, QImage]] = {}

    def rowCount(self, parent: _Index | None = None) -> int:
        """How many."""
        return 0 if parent is not None and parent.isValid() else len(self._tiles)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401 (Qt's signature)
        """A tile under a role."""
        if not index.isValid() or index.row() >= len(self._tiles):
            return None
        tile = self._tiles[index.row()]
        answers: dict[int, Callable[[], Any]] = {
            Qt.ItemDataRole.DisplayRole: lambda: tile.name,
            Qt.ItemDataRole.AccessibleTextRole: lambda: tile.name,
            Qt.ItemDataRole.ToolTipRole: lambda: tile.problem or tile.name,
            TileRole.TILE: lambda: tile,
            TileRole.IMAGE: lambda: self._image(tile),
        }
        answer = answers.get(role)
        return answer() if answer else None

    def replace(self, tiles: Sequence[Tile]) -> None:
        """Show others. Where the same people are shown, only what changed is redrawn."""
        same = [tile.id for tile in tiles] == [tile.id for tile in self._tiles]
        if same:
            self._tiles = list(tiles)
            if tiles:
                self.dataChanged.emit(self.index(0), self.index(len(tiles) - 1))
            return
        self.beginResetModel()
        self._tiles = list(tiles)
        there = {tile.id for tile in tiles}
        self._images = {tile_id: kept for tile_id, kept in self._images.items() if tile_id in there}
        self.endResetModel()

    def row_of(self, tile_id: str) -> int | None:
        """Where a tile is."""
        return next((row for row, tile in enumerate(self._tiles) if tile.id == tile_id), None)

    def _image(self, tile: Tile) -> QImage | None:
        picture = tile.picture
        if picture is None:
            return None
        kept = self._images.get(tile.id)
        if kept is None or kept[0] is not picture:
            height, width = picture.shape[:2]
            image = QImage(picture.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
            kept = self._images[tile.id] = picture, image.copy()
        return kept[1]


class _Painter(QStyledItemDelegate):
    """Draws a tile: the face with round corners, a ring around the one in use, the name below."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one."""
        tile, view = index.data(TileRole.TILE), self.parent()
        if not isinstance(view, Gallery) or tile is None:
            return
        colours = view.colours
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        cell: QRect = option.rect  # pyright: ignore[reportAttributeAccessIssue] (missing in Qt's stubs)
        side = cell.width() - 2 * TIGHT - 2
        face = QRectF(cell.left() + (cell.width() - side) / 2, cell.top() + TIGHT, side, side)
        self._face(painter, face, index.data(TileRole.IMAGE), tile, colours)
        state = option.state  # pyright: ignore[reportAttributeAccessIssue] (as above)
        if tile.current:
            painter.setPen(QPen(QColor(colours.accent), _RING))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(face, RADIUS, RADIUS)
            self._badge(painter, face, "check", colours.on_accent, colours.accent)
        elif tile.problem:
            self._badge(painter, face, "warning", colours.window, colours.warning)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(QPen(QColor(colours.edge), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(face, RADIUS, RADIUS)
        if state & QStyle.StateFlag.State_HasFocus and view.hasFocus():
            draw_focus(painter, colours.accent, face.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS)
        self._name(painter, QRectF(cell.left(), face.bottom(), cell.width(), cell.bottom() - face.bottom()), tile, view)
        painter.restore()

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        """A cell of the grid."""
        view = self.parent()
        return view.gridSize() if isinstance(view, Gallery) else QSize(TILE, TILE)

    @staticmethod
    def _face(painter: QPainter, box: QRectF, image: QImage | None, tile: Tile, colours: Colours) -> None:
        shape = QPainterPath()
        shape.addRoundedRect(box, RADIUS, RADIUS)
        painter.fillPath(shape, QColor(colours.raised))
        if image is not None:
            painter.save()
            painter.setOpacity(0.4 if tile.problem or tile.loading else 1.0)
            painter.setClipPath(shape)
            painter.drawImage(box, image)
            painter.restore()

    @staticmethod
    def _badge(painter: QPainter, face: QRectF, drawing: str, ink: str, ground: str) -> None:
        circle = QRectF(face.right() - ICON - TIGHT, face.top() + TIGHT, ICON, ICON)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ground))
        painter.drawEllipse(circle)
        sign = circle.adjusted(2, 2, -2, -2)
        ratio = painter.device().devicePixelRatio() if painter.device() else 1.0
        painter.drawPixmap(sign.topLeft(), pixmap(drawing, ink, int(sign.width()), ratio))

    @staticmethod
    def _name(painter: QPainter, box: QRectF, tile: Tile, view: Gallery) -> None:
        colours = view.colours
        painter.setPen(QColor(colours.text if tile.current else colours.muted))
        shown = view.fontMetrics().elidedText(tile.name, Qt.TextElideMode.ElideRight, int(box.width()) - 2)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, shown)
