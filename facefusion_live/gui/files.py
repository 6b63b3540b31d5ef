"""Where the window puts what it keeps: recordings beside the user's films, snapshots beside the pictures."""

import time
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QStandardPaths

_FOLDER = "FaceFusion Live"
_PLACES = {
    "recording": QStandardPaths.StandardLocation.MoviesLocation,
    "snapshot": QStandardPaths.StandardLocation.PicturesLocation,
}


def new_file(kind: Literal["recording", "snapshot"], ending: str, folder: Path | None = None) -> Path:
    """A file that is not there yet, named by the time of day. Its folder is not made.

    Args:
        kind: What will be written.
        ending: With the dot: ".mp4".
        folder: Where; the system's place for such files when not given.
    """
    folder = folder or Path(QStandardPaths.writableLocation(_PLACES[kind])) / _FOLDER
    name = time.strftime("%Y-%m-%d %H-%M-%S")
    names = (name, *(f"{name} ({number})" for number in range(2, 1000)))
    return next(folder / (name + ending) for name in names if not (folder / (name + ending)).exists())
