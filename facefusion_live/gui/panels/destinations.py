"""Where else the pictures go: virtual camera, streams, and how each is doing."""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QCoreApplication, QEvent, Signal
from PySide6.QtWidgets import QCompleter, QLineEdit, QWidget

from facefusion_live.domain.ports import SinkState, SinkStatus
from facefusion_live.gui.widgets import numbers
from facefusion_live.gui.widgets.address_line import AddressLine
from facefusion_live.gui.widgets.buttons import IconButton, WordButton
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.metrics import GAP, column, row
from facefusion_live.gui.words import engine_words

_ROLES = {SinkState.FAILED: Role.ERROR, SinkState.RECONNECTING: Role.WARNING, SinkState.RUNNING: Role.GOOD}


class Destinations(QWidget):
    """One row for each output, and a line to ask for another.

    Args:
        forms: How outputs are asked for: "virtual-camera", "rtmp://HOST/APP/KEY".
    """

    add = Signal(str)
    """(spec) asked for."""
    remove = Signal(str)
    """(name) no longer wanted."""

    def __init__(self, forms: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: dict[str, _Destination] = {}
        self._none = words(Role.CAPTION, wrap=True)
        self.line, self.add_button = QLineEdit(), WordButton("plus")
        self._forms = tuple(forms)
        # Those that ask for one way of doing it ("virtual-camera:driver") are typed by whoever needs them.
        self.plain = {form: WordButton("plus") for form in forms if form.islower() and ":" not in form}
        self.line.setCompleter(QCompleter([form for form in forms if form not in self.plain], self))
        self._list = column(gap=GAP)
        lines, asks, quick = column(gap=GAP), row(gap=GAP), column(gap=GAP)
        for button in self.plain.values():
            quick.addWidget(button)
        asks.addWidget(self.line, 1)
        asks.addWidget(self.add_button)
        lines.addWidget(self._none)
        lines.addLayout(self._list)
        lines.addLayout(quick)
        lines.addLayout(asks)
        self.setLayout(lines)
        for form, button in self.plain.items():
            button.clicked.connect(lambda _checked=False, form=form: self.add.emit(form))
        self.add_button.clicked.connect(self._ask)
        self.line.returnPressed.connect(self._ask)
        self._retranslate()

    def show_outputs(self, outputs: Mapping[str, SinkStatus], page_of: Callable[[str], str]) -> None:
        """Show how each is doing.

        Args:
            outputs: By name.
            page_of: Where a browser can watch one; empty where it cannot.
        """
        for name in self._rows.keys() - outputs.keys():
            self._rows.pop(name).deleteLater()
        for name, status in outputs.items():
            if name not in self._rows:
                self._rows[name] = destination = _Destination(name)
                destination.removed.connect(self.remove)
                self._list.addWidget(destination)
            self._rows[name].show_status(status)
            self._rows[name].page.show_address(page_of(name))
        self._none.setVisible(not outputs)
        for form, button in self.plain.items():
            button.setVisible(form not in outputs)

    def rows(self) -> Mapping[str, "_Destination"]:
        """What is shown, by name."""
        return self._rows

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _ask(self) -> None:
        spec = self.line.text().strip()
        if spec:
            # An address may hold a key: it does not stay in sight.
            self.line.clear()
            self.add.emit(spec)

    def _retranslate(self) -> None:
        say(self._none, self.tr("The pictures go to this window only."))
        self.add_button.setText(self.tr("Add"))
        self.line.setAccessibleName(self.tr("Address of an output"))
        addresses = [form for form in self._forms if form not in self.plain]
        self.line.setPlaceholderText(addresses[0] if addresses else "rtmp://…")
        self.line.setToolTip("\n".join(addresses))
        for form, button in self.plain.items():
            button.setText(_output_name(form))


class _Destination(QWidget):
    """An output: name, state, readers, bytes, where a browser can watch it, and a button to end it."""

    removed = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self._status = name, SinkStatus(SinkState.OPENING)
        self.title, self.about = words(), words(Role.CAPTION, wrap=True)
        self.end, self.page = IconButton("close"), AddressLine()
        said, layout = column(gap=0), row(gap=GAP)
        said.addWidget(self.title)
        said.addWidget(self.about)
        layout.addLayout(said, 1)
        layout.addWidget(self.end)
        lines = column(gap=GAP)
        lines.addLayout(layout)
        lines.addWidget(self.page)
        self.setLayout(lines)
        self.end.clicked.connect(lambda: self.removed.emit(self._name))
        self._retranslate()

    def show_status(self, status: SinkStatus) -> None:
        self._status = status
        parts = [self._state_word(status)]
        if status.readers is not None:
            parts.append(self.tr("readers: {count}").format(count=status.readers))
        if status.bytes_out:
            parts.append(numbers.size(status.bytes_out))
        say(self.about, " · ".join(parts), _ROLES.get(status.state, Role.CAPTION))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _state_word(self, status: SinkStatus) -> str:
        word = {
            SinkState.OPENING: self.tr("Opening"),
            SinkState.RUNNING: self.tr("Running"),
            SinkState.RECONNECTING: self.tr("Connecting again"),
            SinkState.PAUSED: self.tr("Resting"),
            SinkState.FAILED: self.tr("Failed"),
            SinkState.CLOSED: self.tr("Closed"),
        }[status.state]
        return f"{word}: {engine_words(status.words)}" if status.words and status.words != status.state.value else word

    def _retranslate(self) -> None:
        name = _output_name(self._name)
        say(self.title, name)
        self.end.name(self.tr("End {output}").format(output=name))
        self.show_status(self._status)


def _output_name(name: str) -> str:
    known = {
        "virtual-camera": QCoreApplication.translate("Destinations", "Virtual camera"),
        "virtual-microphone": QCoreApplication.translate("Destinations", "Virtual microphone"),
        "mjpeg": QCoreApplication.translate("Destinations", "Browser source"),
        "stream": QCoreApplication.translate("Destinations", "Stream"),
    }
    return known.get(name, name)
