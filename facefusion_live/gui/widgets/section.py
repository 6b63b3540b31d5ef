"""A part of a panel under a heading that folds."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from facefusion_live.gui.icons import pixmap
from facefusion_live.gui.theme import colours_of
from facefusion_live.gui.widgets.focus import draw_focus
from facefusion_live.gui.widgets.metrics import CONTROL, GAP, ICON, RADIUS, TIGHT, column, row


class Section(QWidget):
    """Heading, what belongs to it, and room for a button beside the heading.

    Args:
        folds: It can be folded; else the heading is only words.
        open: It is unfolded at first.
    """

    def __init__(self, *, folds: bool = False, open: bool = True) -> None:  # noqa: A002 (it reads best)
        super().__init__()
        self.heading = _Heading(folds=folds)
        self._head = row(gap=TIGHT)
        self._head.addWidget(self.heading, 1)
        self.body = QWidget()
        self._lines = column(gap=GAP)
        self.body.setLayout(self._lines)
        layout = column(gap=TIGHT)
        layout.addLayout(self._head)
        layout.addWidget(self.body)
        self.setLayout(layout)
        self.heading.toggled.connect(self.body.setVisible)
        self.heading.setChecked(open)
        self.body.setVisible(open)

    @property
    def lines(self) -> QVBoxLayout:
        """Where its content goes."""
        return self._lines

    def add_beside(self, widget: QWidget) -> None:
        """Put a button at the end of the heading."""
        self._head.addWidget(widget)

    def say(self, title: str) -> None:
        """Give it its heading."""
        self.heading.setText(title)
        self.heading.setAccessibleName(title)
        self.heading.updateGeometry()


class _Heading(QAbstractButton):
    """Words that fold what is below."""

    def __init__(self, *, folds: bool) -> None:
        super().__init__()
        self._folds = folds
        self.setCheckable(folds)
        self.setChecked(folds)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if folds else Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not folds)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """One line."""
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + ICON + GAP + 4, CONTROL)

    def minimumSizeHint(self) -> QSize:
        """One line."""
        return self.sizeHint()

    def changeEvent(self, e: QEvent) -> None:
        """Heavier words are wider."""
        super().changeEvent(e)
        if e.type() == QEvent.Type.StyleChange:
            self.updateGeometry()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Words, and where they fold the sign for it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours, box = colours_of(self), QRectF(self.rect())
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(colours.text))
        left = 0.0
        if self._folds:
            drawing = pixmap("down" if self.isChecked() else "right", colours.muted, ICON, self.devicePixelRatioF())
            painter.drawPixmap(0, (self.height() - ICON) // 2, drawing)
            left = ICON + TIGHT
        painter.drawText(box.adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.hasFocus():
            draw_focus(painter, colours.accent, box.adjusted(2, 3, -2, -3), RADIUS)
