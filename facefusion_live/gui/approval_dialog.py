"""No second person any more? Asked when the settings want it; until the code is given one is asked for."""

from PySide6.QtWidgets import QWidget

from facefusion_live.app.studio import Studio, StudioState
from facefusion_live.gui.code_dialog import CodeDialog


class ApprovalOffDialog(CodeDialog):
    """Opens by itself, whoever switched: a hand, a preset, an undo. Closing it takes the switch back. Thread: GUI."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio, self._asked = studio, False

    def show_state(self, state: StudioState) -> None:
        """Ask, or stop asking."""
        if state.approval_off_asked == self._asked:
            return
        self._asked = state.approval_off_asked
        if self._asked:
            self.ask(
                self.tr("No second person any more"),
                self.tr("Should consents hold without a second person's approval?"),
                self._studio.consents.approval_off,
            )
        elif self.isVisible():
            self.hide()

    def reject(self) -> None:
        """A second person is asked for, as before."""
        super().reject()
        self._studio.consents.approval_off(None)
