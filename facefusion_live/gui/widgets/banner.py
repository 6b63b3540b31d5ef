"""Something to know, in the panel it belongs to: it blocks nothing, and goes when it is no longer true or wanted."""

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from facefusion_live.gui.icons import pixmap
from facefusion_live.gui.theme import Colours, colours_of
from facefusion_live.gui.widgets.buttons import IconButton
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.metrics import GAP, ICON, RADIUS, TIGHT, column, row

_DRAWINGS = {Role.GOOD: "check", Role.WARNING: "warning", Role.ERROR: "error"}
_STRIPE = 3.0


class Banner(QWidget):
    """A sentence, advice below it, and room for buttons. Hidden until it is told something.

    Args:
        closes: The user can send it away.
    """

    closed = Signal()
    """The user sent it away."""

    def __init__(self, parent: QWidget | None = None, *, closes: bool = True) -> None:
        super().__init__(parent)
        self._role = Role.TEXT
        self._sign = QLabel()
        self._sign.setFixedWidth(ICON)
        self._text, self._advice = words(wrap=True), words(Role.CAPTION, wrap=True)
        self._close = IconButton("close", side=22)
        self._close.setVisible(closes)
        self._close.clicked.connect(self._sent_away)
        self.more: QVBoxLayout = column(gap=TIGHT)
        self.setLayout(self._laid_out())
        self._retranslate()
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._text.text()

    @property
    def advice(self) -> str:
        """What can be done."""
        return self._advice.text()

    def tell(self, role: Role, text: str, advice: str = "") -> None:
        """Say something; an empty text hides it."""
        changed, self._role = role is not self._role or self._sign.pixmap().isNull(), role
        say(self._text, text)
        say(self._advice, advice)
        self._advice.setVisible(bool(advice))
        self.setAccessibleName(f"{text} {advice}".strip())
        if changed:
            self._draw_sign()
            self.update()
        self.setVisible(bool(text))

    def changeEvent(self, event: QEvent) -> None:
        """Follow language and theme."""
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        elif event.type() == QEvent.Type.PaletteChange:
            self._draw_sign()
        super().changeEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """A ground, and a stripe in the colour of what it is."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        colours, box = colours_of(self), QRectF(self.rect())
        painter.setBrush(QColor(colours.raised))
        painter.drawRoundedRect(box, RADIUS, RADIUS)
        painter.setBrush(QColor(_ink(colours, self._role)))
        painter.drawRoundedRect(QRectF(0, 0, _STRIPE, box.height()), _STRIPE / 2, _STRIPE / 2)

    def _laid_out(self) -> QHBoxLayout:
        layout = row(gap=GAP)
        layout.setContentsMargins(GAP + int(_STRIPE), GAP, TIGHT, GAP)
        said = column(gap=TIGHT)
        said.addWidget(self._text)
        said.addWidget(self._advice)
        said.addLayout(self.more)
        layout.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(said, 1)
        layout.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        return layout

    def _draw_sign(self) -> None:
        drawing, colour = _DRAWINGS.get(self._role, "info"), _ink(colours_of(self), self._role)
        self._sign.setPixmap(pixmap(drawing, colour, ICON, self.devicePixelRatioF()))

    def _retranslate(self) -> None:
        self._close.name(self.tr("Dismiss"))

    def _sent_away(self) -> None:
        self.hide()
        self.closed.emit()


def _ink(colours: Colours, role: Role) -> str:
    return {Role.GOOD: colours.good, Role.WARNING: colours.warning, Role.ERROR: colours.error}.get(role, colours.accent)
