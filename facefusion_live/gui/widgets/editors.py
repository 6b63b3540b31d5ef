"""One editor for each kind of parameter: a number, a choice, a switch, a text.

An editor knows no store. It tells what the user is trying (`previewed`) and what the user means (`committed`), and
shows what it is told. `beside` goes at the end of the line with the parameter's name, `below` under it.
"""

from pathlib import Path

from PySide6.QtCore import QObject, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

from facefusion_live.domain.parameter import Choice, Parameter, Range, Text, Value
from facefusion_live.gui.widgets import setting_words
from facefusion_live.gui.widgets.buttons import IconButton
from facefusion_live.gui.widgets.files import ask_file
from facefusion_live.gui.widgets.focus import WheelGuard
from facefusion_live.gui.widgets.metrics import TIGHT, VALUE, row
from facefusion_live.gui.widgets.segments import Segments
from facefusion_live.gui.widgets.slider import ValueSlider
from facefusion_live.gui.widgets.switch import Switch

_SETTLE_MS = 400
_SEGMENTS_AT_MOST = 4
_LONGEST_SEGMENT = 12
"""Letters, in English. Longer choices go into a list that unfolds."""


class Editor(QObject):
    """What all editors share.

    Attributes:
        parameter: What is edited.
        beside: Stands on the line of the name; None for nothing.
        below: Stands under the name; None for nothing.
    """

    previewed = Signal(object)
    """(Value) tried, and not yet meant."""
    committed = Signal(object)
    """(Value) meant."""
    reset_wanted = Signal()
    """The default is wanted."""

    def __init__(self, parameter: Parameter, parent: QObject) -> None:
        super().__init__(parent)
        self.parameter = parameter
        self.beside: QWidget | None = None
        self.below: QWidget | None = None

    def show_value(self, value: Value) -> None:
        """Show a value, without a signal."""
        raise NotImplementedError

    def retranslate(self) -> None:
        """Say everything in the language that is now in force."""
        label, help_words = setting_words.label(self.parameter), setting_words.help_of(self.parameter)
        for widget in (self.beside, self.below):
            if widget is not None:
                widget.setAccessibleName(label)
                widget.setAccessibleDescription(help_words)
                widget.setToolTip(help_words)

    def settle(self) -> None:
        """Commit what is tried just now: the panel goes out of sight."""


class NumberEditor(Editor):
    """A slider for the eye and a box for the exact number."""

    def __init__(self, parameter: Parameter, parent: QObject) -> None:
        super().__init__(parameter, parent)
        limits = parameter.limits
        if not isinstance(limits, Range):
            raise TypeError(f"{parameter.path} has no range")
        self._limits = limits
        self._tried: Value | None = None
        self._rest = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._rest.timeout.connect(self.settle)
        self.slider = self._make_slider()
        self.box = self._make_box()
        self.below, self.beside = self.slider, self.box

    def show_value(self, value: Value) -> None:
        """Move both, unless the user is moving them."""
        if not isinstance(value, int | float):
            raise TypeError(f"{self.parameter.path} is a number")
        if not self.slider.busy:
            with QSignalBlocker(self.slider):
                self.slider.setValue(self._notch(value))
        with QSignalBlocker(self.box):
            if isinstance(self.box, QSpinBox):
                self.box.setValue(int(value))
            else:
                self.box.setValue(value)

    def settle(self) -> None:
        """Commit what was tried."""
        self._rest.stop()
        tried, self._tried = self._tried, None
        if tried is not None:
            self.committed.emit(tried)

    def _make_slider(self) -> ValueSlider:
        slider = ValueSlider()
        slider.setRange(0, self._notch(self._limits.high))
        slider.setPageStep(max(1, slider.maximum() // 10))
        default, zero = float(self.parameter.default), min(max(0.0, self._limits.low), self._limits.high)
        slider.mark(default=self._notch(default), origin=self._notch(zero))
        slider.moved.connect(lambda: self._try(self._value(slider.value())))
        slider.settled.connect(self.settle)
        slider.reset_wanted.connect(self._reset)
        return slider

    def _make_box(self) -> QSpinBox | QDoubleSpinBox:
        limits = self._limits
        if self.parameter.type is int:
            box: QSpinBox | QDoubleSpinBox = QSpinBox()
            box.setRange(int(limits.low), int(limits.high))
            box.setSingleStep(int(limits.step))
        else:
            box = QDoubleSpinBox()
            box.setDecimals(_decimals(limits.step))
            box.setRange(limits.low, limits.high)
            box.setSingleStep(limits.step)
        box.setKeyboardTracking(False)
        box.setAlignment(Qt.AlignmentFlag.AlignRight)
        box.setFixedWidth(VALUE)
        box.valueChanged.connect(self._box_moved)
        box.editingFinished.connect(self.settle)
        WheelGuard(box)
        return box

    def _box_moved(self, value: float) -> None:
        self._try(self.parameter.type(value))
        self._rest.start()

    def _try(self, value: Value) -> None:
        self._tried = value
        self.previewed.emit(value)

    def _reset(self) -> None:
        self._tried = None
        self._rest.stop()
        self.reset_wanted.emit()

    def _notch(self, value: float) -> int:
        return round((value - self._limits.low) / self._limits.step)

    def _value(self, notch: int) -> Value:
        value = min(self._limits.low + notch * self._limits.step, self._limits.high)
        return round(value) if self.parameter.type is int else round(value, _decimals(self._limits.step))


class ChoiceEditor(Editor):
    """A few choices side by side, more of them in a list."""

    def __init__(self, parameter: Parameter, parent: QObject) -> None:
        super().__init__(parameter, parent)
        if not isinstance(parameter.limits, Choice):
            raise TypeError(f"{parameter.path} has no choices")
        self._options = parameter.limits.options
        short = all(len(setting_words.english_option(option)) <= _LONGEST_SEGMENT for option in self._options)
        self._segments = Segments(self._options) if short and len(self._options) <= _SEGMENTS_AT_MOST else None
        self._list = QComboBox() if self._segments is None else None
        if self._segments is not None:
            self._segments.chosen.connect(self.committed.emit)
        if self._list is not None:
            self._list.addItems(["" for _ in self._options])
            self._list.setMinimumContentsLength(8)
            self._list.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            self._list.activated.connect(self._unfolded)
            WheelGuard(self._list)
        self.below = self._segments or self._list

    def show_value(self, value: Value) -> None:
        """Mark a choice."""
        if self._segments is not None:
            self._segments.show_choice(str(value))
        if self._list is not None:
            if value not in self._options:  # what the user brought stands in the list from now on
                self._options = (*self._options, str(value))
                self._list.addItem(setting_words.option(str(value)))
            self._list.setCurrentIndex(self._options.index(str(value)))

    def retranslate(self) -> None:
        """The choices have words, too."""
        super().retranslate()
        words = [setting_words.option(option) for option in self._options]
        if self._segments is not None:
            self._segments.set_words(words)
        if self._list is not None:
            for index, word in enumerate(words):
                self._list.setItemText(index, word)

    def _unfolded(self, index: int) -> None:
        self.committed.emit(self._options[index])


class SwitchEditor(Editor):
    """On or off."""

    def __init__(self, parameter: Parameter, parent: QObject) -> None:
        super().__init__(parameter, parent)
        self.switch = Switch()
        self.switch.clicked.connect(lambda: self.committed.emit(self.switch.isChecked()))
        self.beside = self.switch

    def show_value(self, value: Value) -> None:
        """Stand on or off."""
        self.switch.setChecked(bool(value))


class TextEditor(Editor):
    """A line of text; a button to look for a file where a path is wanted."""

    def __init__(self, parameter: Parameter, parent: QObject) -> None:
        super().__init__(parameter, parent)
        if not isinstance(parameter.limits, Text):
            raise TypeError(f"{parameter.path} is no text")
        self.line = QLineEdit()
        self.line.editingFinished.connect(self._meant)
        self.below = QWidget()
        self.below.setFocusProxy(self.line)
        layout = row(gap=TIGHT)
        layout.addWidget(self.line)
        self._browse = IconButton("folder") if "path" in parameter.limits.what else None
        if self._browse is not None:
            self._browse.clicked.connect(self._look_for_file)
            layout.addWidget(self._browse)
        self.below.setLayout(layout)

    def show_value(self, value: Value) -> None:
        """Show the text, unless the user is writing."""
        if not (self.line.hasFocus() and self.line.isModified()):
            self.line.setText(str(value))
            self.line.setCursorPosition(0)

    def retranslate(self) -> None:
        """The button has words, too."""
        super().retranslate()
        self.line.setAccessibleName(setting_words.label(self.parameter))
        self.line.setPlaceholderText(self.tr("none") if not self.parameter.default else "")
        if self._browse is not None:
            self._browse.name(self.tr("Choose a file…"))

    def _meant(self) -> None:
        if self.line.isModified():
            self.line.setModified(False)
            self.committed.emit(self.line.text())

    def _look_for_file(self) -> None:
        ask_file(self.line, setting_words.label(self.parameter), (), self._chosen)

    def _chosen(self, path: Path) -> None:
        self.committed.emit(str(path))


def editor_for(parameter: Parameter, parent: QObject) -> Editor:
    """The editor that fits a parameter."""
    match parameter.limits:
        case Range():
            return NumberEditor(parameter, parent)
        case Choice():
            return ChoiceEditor(parameter, parent)
        case Text():
            return TextEditor(parameter, parent)
        case _:
            return SwitchEditor(parameter, parent)


def _decimals(step: float) -> int:
    return next((digits for digits in range(6) if abs(round(step, digits) - step) < 1e-9), 6)
