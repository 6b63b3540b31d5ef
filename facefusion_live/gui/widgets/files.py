"""Asking for files without holding up the window: the dialogs open beside it and tell later."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

PICTURES = ("*.jpg", "*.jpeg", "*.png", "*.webp", "*.bmp")
MOVIES = ("*.mp4", "*.mov", "*.mkv", "*.avi", "*.webm")


def ask_files(parent: QWidget, title: str, kinds: Sequence[str], chosen: Callable[[list[Path]], None]) -> None:
    """Ask for one or more files that are there."""
    dialog = _dialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.setNameFilter(" ".join(kinds))
    _open(dialog, chosen)


def ask_file(parent: QWidget, title: str, kinds: Sequence[str], chosen: Callable[[Path], None]) -> None:
    """Ask for a file that is there; without kinds any will do."""
    dialog = _dialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    if kinds:
        dialog.setNameFilter(" ".join(kinds))
    _open(dialog, lambda paths: chosen(paths[0]))


def ask_folder(parent: QWidget, title: str, start: Path, chosen: Callable[[Path], None]) -> None:
    """Ask for a folder that is there."""
    dialog = _dialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setDirectory(str(start))
    _open(dialog, lambda paths: chosen(paths[0]))


def ask_new_file(parent: QWidget, title: str, name: str, kind: str, chosen: Callable[[Path], None]) -> None:
    """Ask where something is to be written. The dialog itself asks before a file is replaced.

    Args:
        parent: Whom it is for.
        title: Of the dialog.
        name: Suggested.
        kind: Ending without a dot.
        chosen: Told the file.
    """
    dialog = _dialog(parent, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(kind)
    dialog.setNameFilter(f"*.{kind}")
    dialog.selectFile(name)
    _open(dialog, lambda paths: chosen(paths[0]))


def dropped_paths(data: QMimeData) -> list[Path]:
    """The files and folders of this computer that are dragged or dropped."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def _dialog(parent: QWidget, title: str) -> QFileDialog:
    dialog = QFileDialog(parent, title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog


def _open(dialog: QFileDialog, chosen: Callable[[list[Path]], None]) -> None:
    def tell(names: list[str]) -> None:
        chosen([Path(name) for name in names])

    dialog.filesSelected.connect(tell)
    dialog.open()
