"""Words on a panel, in the roles that the theme knows."""

from enum import StrEnum

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from facefusion_live.gui.theme import Colours, colours_of


class Role(StrEnum):
    """What words are for. Colour is never the only sign: the words say the same."""

    TEXT = ""
    CAPTION = "caption"
    MUTED = "muted"
    HEADING = "heading"
    GOOD = "good"
    WARNING = "warning"
    ERROR = "error"


class _Wrapped(QLabel):
    """Words that go on below. Qt's own label asks for the height that it would have at its narrowest."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        """One line; the layout asks `heightForWidth` for the rest."""
        return QSize(1, self.fontMetrics().height())


def words(role: Role = Role.TEXT, *, wrap: bool = False) -> QLabel:
    """A label.

    Args:
        role: What its words are for.
        wrap: Long words go on below; else the label is as wide as they are.
    """
    label = _Wrapped() if wrap else QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("role", str(role))
    return label


def say(label: QLabel, text: str, role: Role | None = None) -> None:
    """Show other words, and only then work; in another role where one is given."""
    if text != label.text():
        label.setText(text)
    if role is not None and label.property("role") != str(role):
        label.setProperty("role", str(role))
        # A style sheet looks at properties only when the widget is polished.
        label.style().unpolish(label)
        label.style().polish(label)


class OneLine(QWidget):
    """Words of unknown length on one line: what does not fit is cut with "…", and is the tooltip."""

    def __init__(self, role: Role = Role.TEXT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._role, self._text = role, ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def text(self) -> str:
        """All of them."""
        return self._text

    def say(self, text: str, role: Role | None = None) -> None:
        """Show other words."""
        role = self._role if role is None else role
        if (text, role) == (self._text, self._role):
            return
        self._text, self._role = text, role
        self.setAccessibleName(text)
        self.setToolTip(text)
        self.update()

    def sizeHint(self) -> QSize:
        """One line."""
        metrics = QFontMetrics(self._font())
        return QSize(metrics.horizontalAdvance(self._text), metrics.height())

    def minimumSizeHint(self) -> QSize:
        """A few letters."""
        metrics = self.fontMetrics()
        return QSize(metrics.averageCharWidth() * 4, metrics.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """As much as fits."""
        painter = QPainter(self)
        font = self._font()
        painter.setFont(font)
        painter.setPen(QColor(_ink(colours_of(self), self._role)))
        shown = QFontMetrics(font).elidedText(self._text, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)

    def _font(self) -> QFont:
        font = QFont(self.font())
        if self._role is Role.HEADING:
            font.setWeight(QFont.Weight.DemiBold)
        return font


def _ink(colours: Colours, role: Role) -> str:
    match role:
        case Role.GOOD:
            return colours.good
        case Role.WARNING:
            return colours.warning
        case Role.ERROR:
            return colours.error
        case Role.CAPTION | Role.MUTED:
            return colours.muted
        case _:
            return colours.text
