"""The bar that is read from two metres: what goes out, why, and the button that stops it."""

from typing import NamedTuple

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from facefusion_live.app.studio import Phase, StudioState
from facefusion_live.domain.ports import GateState
from facefusion_live.engine.gate import Block
from facefusion_live.gui.icons import pixmap
from facefusion_live.gui.theme import colours_of
from facefusion_live.gui.widgets.labels import OneLine, Role
from facefusion_live.gui.words import block_words, capitalised, eased_words, engine_words

_PLATE_H, _WORD_PX, _MARK_PX = 60, 32, 24
_CHIP_PX, _CHIP_GAP_PX = 18, 6
_SIDE_PX = 12


class _Room(NamedTuple):
    """How the bar is laid out: between its parts, and for why and what."""

    gap_px: int
    words_px: int


_LONG, _SHORT = _Room(18, 150), _Room(10, 40)
_OFF = "OFF"


class StatePlate(QWidget):
    """A big word, a shape and a colour for what goes out: each of the three tells it alone."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key = _OFF
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def key(self) -> str:
        """LIVE, HOLD, SLATE, PASS, OFF, STARTING or STOPPING."""
        return self._key

    @property
    def word(self) -> str:
        """The word shown."""
        return self._words()[self._key]

    def show_state(self, state: StudioState) -> None:
        """Show what goes out."""
        key = {Phase.IDLE: _OFF, Phase.LIVE: state.gate.value}.get(state.phase, state.phase.value.upper())
        if key != self._key:
            self._key = key
            self.setAccessibleName(self.word)
            self.update()

    def sizeHint(self) -> QSize:
        """As wide as the longest word: the plate keeps its place."""
        widest = max(QFontMetricsF(self._font()).horizontalAdvance(word) for word in self._words().values())
        return QSize(round(widest) + _MARK_PX + 62, _PLATE_H)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self.setAccessibleName(self.word)
            self.updateGeometry()
        super().changeEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the plate."""
        colours = colours_of(self)
        fills = {"LIVE": colours.live, "HOLD": colours.hold, "SLATE": colours.slate, "PASS": colours.bare}
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(fills.get(self._key, colours.idle)))
        painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        ink = QColor(colours.on_state)
        painter.setBrush(ink)
        painter.setPen(QPen(ink, 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        font = self._font()
        painter.setFont(font)
        width = _MARK_PX + 14 + QFontMetricsF(font).horizontalAdvance(self.word)
        left = (self.width() - width) / 2
        self._paint_mark(painter, QRectF(left, (self.height() - _MARK_PX) / 2, _MARK_PX, _MARK_PX))
        box = QRectF(left + _MARK_PX + 14, 0, self.width(), self.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.word)
        painter.end()

    def _paint_mark(self, painter: QPainter, box: QRectF) -> None:
        match self._key:
            case "LIVE":
                painter.drawEllipse(box.adjusted(3, 3, -3, -3))
            case "HOLD":
                for x in (box.left() + 7, box.right() - 7):
                    painter.drawRoundedRect(QRectF(x - 2.5, box.top() + 3, 5, box.height() - 6), 1, 1)
            case "SLATE":
                painter.drawRoundedRect(box.adjusted(2, 4, -2, -4), 2, 2)
            case "PASS":
                top = QPointF(box.center().x(), box.top() + 3)
                corners = [top, box.bottomRight() + QPointF(-1, -3), box.bottomLeft() + QPointF(1, -3)]
                painter.drawPolygon(QPolygonF(corners))
            case _:
                path = QPainterPath()
                path.addEllipse(box.adjusted(4, 4, -4, -4))
                painter.strokePath(path, painter.pen())

    def _font(self) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(_WORD_PX)
        font.setWeight(QFont.Weight.Bold)
        font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 1)
        return font

    def _words(self) -> dict[str, str]:
        return {
            "LIVE": self.tr("LIVE"),
            "HOLD": self.tr("HOLD"),
            "SLATE": self.tr("SLATE"),
            "PASS": self.tr("PASS"),
            _OFF: self.tr("OFF AIR"),
            "STARTING": self.tr("STARTING"),
            "STOPPING": self.tr("STOPPING"),
        }


class Chip(QWidget):
    """An icon and a few words; it is not there while it has nothing to say."""

    def __init__(self, drawing: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drawing, self._role = drawing, "muted"
        self._all, self._few, self._short = "", "", False
        self._icon, self._words = QLabel(), QLabel()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(_CHIP_GAP_PX)
        row.addWidget(self._icon)
        row.addWidget(self._words)
        self.hide()

    @property
    def words(self) -> str:
        """What it says."""
        return self._all

    def say(self, words: str, role: str = "muted", tip: str = "", few: str = "") -> None:
        """Say something; nothing hides it.

        Args:
            words: All of it.
            role: Its colour.
            tip: What else there is to know.
            few: What stays of the words where there is little room; nothing but the icon when not given.
        """
        self.setVisible(bool(words))
        if (words, few) != (self._all, self._few):
            self._all, self._few = words, few
            self._put_words()
        tip = "\n".join(part for part in (words, tip) if part)
        if tip != self.toolTip():
            self.setToolTip(tip)
            self.setAccessibleName(words)
        if role != self._role or self._icon.pixmap().isNull():
            self._role = role
            self._words.setProperty("role", role)
            self._words.style().polish(self._words)
            self._draw()

    def shorten(self, short: bool) -> None:  # noqa: FBT001 (a switch)
        """Show few words; all of them are the tip."""
        if short != self._short:
            self._short = short
            self._put_words()

    def width_px(self, *, short: bool) -> int:
        """How wide it is, with all words or with few."""
        words = self._few if short else self._all
        return _CHIP_PX + (_CHIP_GAP_PX + self._words.fontMetrics().horizontalAdvance(words) + 2 if words else 0)

    def _put_words(self) -> None:
        words = self._few if self._short else self._all
        self._words.setText(words)
        self._words.setVisible(bool(words))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        if event.type() is QEvent.Type.PaletteChange:
            self._draw()
        super().changeEvent(event)

    def _draw(self) -> None:
        colours = colours_of(self)
        named = {"warning": colours.warning, "error": colours.error, "good": colours.good}
        colour = named.get(self._role, colours.muted)
        self._icon.setPixmap(pixmap(self._drawing, colour, _CHIP_PX, self.devicePixelRatioF()))


class OnAirBar(QWidget):
    """What goes out and why, what is being kept of it, and PANIC. Thread: GUI."""

    panicked = Signal()
    resumed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = StudioState()
        self.plate = StatePlate()
        self.why, self._what = OneLine(Role.HEADING), OneLine(Role.MUTED)
        self.recording, self.readers, self.audit = Chip("record"), Chip("readers"), Chip("audit")
        self.left_out, self.label = Chip("warning"), Chip("check")
        self.eased = Chip("gauge")
        self.panic_button, self.resume_button = QPushButton(), QPushButton()
        self.panic_button.setProperty("role", "danger")
        self.resume_button.setProperty("role", "primary")
        self.panic_button.pressed.connect(self.panicked)  # not when it is let go: a hand takes a tenth of a second
        self.resume_button.clicked.connect(self.resumed)
        self._lay_out()
        self._retranslate()

    def show_state(self, state: StudioState) -> None:
        """Show the program's state."""
        self._state = state
        self.plate.show_state(state)
        self.why.say(self._why(state))
        self._what.say(self._what_goes(state))
        self.resume_button.setVisible(Block.PANIC in state.blocks)
        self.panic_button.setEnabled(Block.PANIC not in state.blocks)
        self._show_recording(state)
        self._show_readers(state)
        self._show_left_out(state)
        self._show_eased(state)
        role = "warning" if state.audit.degraded else "muted"
        turned_away = self.tr("{0} events stored, {1} turned away by the flood limit, {2} lost")
        tip = turned_away.format(state.audit.stored, state.audit.suppressed, state.audit.lost)
        self.audit.say(capitalised(engine_words(state.audit.words)), role, tip)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, chips are icons."""
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Next to nothing: a tool bar hides whatever it has no room for, and PANIC must never be hidden."""
        return QSize(1, super().minimumSizeHint().height())

    @property
    def chips(self) -> tuple[Chip, ...]:
        """From left to right."""
        return (self.left_out, self.eased, self.recording, self.readers, self.label, self.audit)

    @property
    def least_width(self) -> int:
        """Where everything that is shown just now still stands side by side."""
        return self._width(short=True)

    def _fit(self) -> None:
        short = self._width(short=False) > self.width()
        for chip in self.chips:
            chip.shorten(short)
        for row in self._rows:
            row.setSpacing(_SHORT.gap_px if short else _LONG.gap_px)

    def _width(self, *, short: bool) -> int:
        """What is needed, with all words on the chips or without."""
        room = _SHORT if short else _LONG
        parts = [self.plate.sizeHint().width(), room.words_px]
        parts += [chip.width_px(short=short) for chip in self.chips if chip.words]
        parts += [each.sizeHint().width() for each in (self.resume_button, self.panic_button) if not each.isHidden()]
        return sum(parts) + room.gap_px * (len(parts) - 1) + 2 * _SIDE_PX

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addStretch()
        for label in (self.why, self._what):
            words.addWidget(label)
        words.addStretch()
        chips = QHBoxLayout()
        for chip in self.chips:
            chips.addWidget(chip)
        row = QHBoxLayout(self)
        row.setContentsMargins(_SIDE_PX, 8, _SIDE_PX, 10)
        self._rows = (row, chips)
        row.addWidget(self.plate)
        row.addLayout(words, 1)
        row.addLayout(chips)
        row.addWidget(self.resume_button)
        row.addWidget(self.panic_button)

    def _why(self, state: StudioState) -> str:
        fault = engine_words(state.input_problem or state.fault)
        if state.phase is not Phase.LIVE:
            return {
                Phase.STARTING: self.tr("Getting ready …"),
                Phase.STOPPING: self.tr("Finishing …"),
            }.get(state.phase, self.tr("Nothing goes out"))
        if Block.PANIC in state.blocks:
            return self.tr("Panic: the slate is shown until you resume")
        if state.blocks:
            return self.tr("The slate is shown: {}").format(", ".join(block_words(state)))
        words = {
            GateState.LIVE: self.tr("Every face is covered"),
            GateState.HOLD: self.tr("The last good picture is held"),
            GateState.SLATE: self.tr("The slate is shown"),
            GateState.PASS: self.tr("A bare face may be on air: pass-through"),
        }[state.gate]
        if state.gate is GateState.LIVE:
            armed = self.tr("pass-through is armed")
            return f"{words} · {armed}" if state.pass_armed else words
        return f"{words}: {fault}" if fault else words

    def _what_goes(self, state: StudioState) -> str:
        parts = [state.source.name] if state.source is not None else []
        parts.append(self.tr("demo clip") if state.input.spec == "synthetic" else state.input.name)
        width, height = state.input.size_wh
        if state.phase is Phase.LIVE and width:
            parts.append(f"{width} × {height}")
        return "  ·  ".join(parts)

    def _show_recording(self, state: StudioState) -> None:
        recording = state.recording
        if recording is None:
            self.recording.say("")
            return
        minutes, seconds = divmod(int(recording.seconds), 60)
        hours, minutes = divmod(minutes, 60)
        length = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
        paused = self.tr("{} paused").format(length)
        size = self.tr("{0}, {1} MB").format(recording.name, f"{recording.size_bytes / 1e6:.1f}")
        role = "warning" if recording.paused else "error"
        self.recording.say(paused if recording.paused else length, role, size, few=length)

    def _show_readers(self, state: StudioState) -> None:
        counts = [output.readers for output in state.outputs.values() if output.readers is not None]
        words = self.tr("%n watching", "", sum(counts)) if counts else ""
        self.readers.say(words, "good" if sum(counts) else "muted", self.tr("Programs that read the virtual camera"))

    def _show_left_out(self, state: StudioState) -> None:
        """For as long as it lasts, whether anything goes out or not."""
        said: dict[tuple[str, ...], str] = {
            ("label",): self.tr("No label"),
            ("mark",): self.tr("No mark"),
            ("label", "mark"): self.tr("No label, no mark"),
        }
        drawn = tuple(part for part in state.left_out if part != "content")
        unseen = self.tr("No nudity check") if "content" in state.left_out else ""
        words = " · ".join(filter(None, (said.get(drawn, ""), unseen)))
        tip = self.tr("Left out, and on record: {}").format(state.left_out_reason)
        self.left_out.say(words, "warning", tip if words else "")
        drawn = state.phase is Phase.LIVE and "label" not in state.left_out
        self.label.say(self.tr("Label on") if drawn else "", tip=self.tr("Every picture says that it is synthesised."))

    def _show_eased(self, state: StudioState) -> None:
        """What the governor leaves out, and why, for as long as it does."""
        eased = state.eased
        words = self.tr("Lighter") if eased.left_out else ""
        self.eased.say(words, "warning", eased_words(eased))

    def _retranslate(self) -> None:
        self.setAccessibleName(self.tr("On air"))
        self.panic_button.setText(self.tr("PANIC"))
        self.panic_button.setToolTip(self.tr("Shows the slate at once. Esc struck twice does the same."))
        self.panic_button.setAccessibleName(self.tr("Panic"))
        self.resume_button.setText(self.tr("Resume"))
        self.show_state(self._state)
