"""Letting the bare camera out: asked for, then confirmed by holding a button, then shown as long as it lasts."""

from PySide6.QtCore import QElapsedTimer, QEvent, QTimer, Signal
from PySide6.QtWidgets import QWidget

from facefusion_live.gui.widgets.banner import Banner
from facefusion_live.gui.widgets.buttons import WordButton
from facefusion_live.gui.widgets.hold_button import HoldButton
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.metrics import GAP, column, row

OFFER_MS = 10_000
"""A confirmation that nobody gives is taken back."""


class PassThrough(QWidget):
    """Off, offered or armed. It says what it is told; only the program knows what is armed."""

    wanted = Signal(bool)
    """The user confirmed it, or takes it back."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._live = self._armed = False
        self._since = QElapsedTimer()
        self._about = words(Role.CAPTION, wrap=True)
        self.offer, self.cancel = WordButton(), WordButton()
        self.hold = HoldButton()
        self.banner, self.disarm = Banner(closes=False), WordButton()
        self._offered = QWidget()
        self._lay_out()
        self._takes_back = QTimer(self, singleShot=True, interval=OFFER_MS)
        self._takes_back.timeout.connect(self._withdraw)
        self.offer.clicked.connect(self._ask)
        self.cancel.clicked.connect(self._withdraw)
        self.hold.confirmed.connect(self._confirm)
        self.disarm.clicked.connect(lambda: self.wanted.emit(False))
        self._retranslate()
        self.show_state(live=False, armed=False, out=False)

    def show_state(self, *, live: bool, armed: bool, out: bool) -> None:
        """Show what is so.

        Args:
            live: A session runs.
            armed: The bare camera may go out.
            out: It does, just now.
        """
        if armed and not self._armed:
            self._since.start()
        if armed or not live:
            self._takes_back.stop()
            self._offered.hide()
        self._live, self._armed = live, armed
        self.offer.setEnabled(live)
        self.offer.setVisible(not armed and self._offered.isHidden())
        self.disarm.setVisible(armed)
        text = self._armed_words(out=out) if armed else ""
        self.banner.tell(Role.ERROR, text, self.tr("Whenever no face is covered, your own can be seen."))
        say(self._about, self._about_words())

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _lay_out(self) -> None:
        lines, offered, undo = column(gap=GAP), row(gap=GAP), row()
        offered.addWidget(self.hold, 1)
        offered.addWidget(self.cancel)
        self._offered.setLayout(offered)
        self._offered.hide()
        undo.addWidget(self.disarm)
        undo.addStretch(1)
        self.banner.more.addLayout(undo)
        for widget in (self.banner, self._about, self.offer, self._offered):
            lines.addWidget(widget)
        self.setLayout(lines)

    def _retranslate(self) -> None:
        self.offer.setText(self.tr("Arm pass-through…"))
        self.cancel.setText(self.tr("Cancel"))
        hold = self.tr("Hold to arm")
        self.hold.setText(hold)
        self.hold.setAccessibleName(hold)
        self.hold.setAccessibleDescription(self.tr("Hold for one second: the bare camera may go out."))
        self.disarm.setText(self.tr("Disarm"))
        say(self._about, self._about_words())

    def _about_words(self) -> str:
        if not self._live:
            return self.tr("Can be armed while live. Each session begins without it.")
        return self.tr("Sends the bare camera when no face is covered, instead of the slate. It is put on record.")

    def _armed_words(self, *, out: bool) -> str:
        minutes, seconds = divmod(self._since.elapsed() // 1000, 60)
        text = self.tr("The bare camera is going out") if out else self.tr("Pass-through is armed")
        return f"{text} · {minutes}:{seconds:02d}"

    def _ask(self) -> None:
        self.offer.hide()
        self._offered.show()
        self.hold.setFocus()
        self._takes_back.start()

    def _withdraw(self) -> None:
        self._takes_back.stop()
        self._offered.hide()
        self.offer.setVisible(not self._armed)

    def _confirm(self) -> None:
        self._withdraw()
        self.wanted.emit(True)
