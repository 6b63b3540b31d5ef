# pyright: basic
"""One picture that went out, as a file."""

import threading
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import OutputFrame, SinkState, SinkStatus

_OPTIONS = {
    ".png": [cv2.IMWRITE_PNG_COMPRESSION, 3],
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
}


class Snapshot:
    """Writes one emitted picture into a PNG or JPEG file, whole or not at all. A `Sink`.

    Args:
        path: The file; an older one is replaced.
        last: The last picture before the end, instead of the next one.

    Raises:
        SinkOpenError: The suffix is neither .png nor .jpg.
    """

    def __init__(self, path: Path, *, last: bool = False) -> None:
        if path.suffix.lower() not in _OPTIONS:
            raise SinkOpenError(f"{path.name}: snapshots of this kind are not made", advice="Name it .png or .jpg.")
        self._path, self._last = path, last
        self._state, self._bytes = SinkState.OPENING, 0
        self._kept: NDArray[np.uint8] | None = None
        self._taken = threading.Event()

    @property
    def name(self) -> str:
        """Always "snapshot"."""
        return "snapshot"

    @property
    def queue_size(self) -> int:
        """The newest is wanted."""
        return 1

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def taken(self) -> threading.Event:
        """Set when the file is there. Thread: any."""
        return self._taken

    def open(self, size_wh: tuple[int, int], fps: float) -> None:  # noqa: ARG002 (a sink may need them)
        """Look whether the folder is there.

        Raises:
            SinkOpenError: It is not.
        """
        if not self._path.absolute().parent.is_dir():
            raise SinkOpenError(
                f"{self._path.name}: the folder does not exist", advice="Give a path in a folder that exists."
            )
        self._kept = None
        self._taken.clear()
        self._state = SinkState.RUNNING

    def send(self, frame: OutputFrame) -> None:
        """Write the picture, or keep it in mind.

        Raises:
            SinkError: Not open, or the file cannot be written.
        """
        if self._state is not SinkState.RUNNING:
            raise SinkError(f"{self.name} is not open")
        pixels = frame.image.host()
        if not self._last:
            if not self._taken.is_set():
                self._write(pixels)
        elif self._kept is None or self._kept.shape != pixels.shape:
            self._kept = pixels.copy()
        else:
            np.copyto(self._kept, pixels)

    def close(self) -> None:
        """Write the last picture, where that one is wanted. Safe to call twice.

        Raises:
            SinkError: The file cannot be written.
        """
        kept, self._kept = self._kept, None
        self._state = SinkState.CLOSED
        if kept is not None:
            self._write(kept)

    def status(self) -> SinkStatus:
        """Whether it is taken."""
        return SinkStatus(self._state, "taken" if self._taken.is_set() else "", bytes_out=self._bytes)

    def _write(self, pixels: NDArray[np.uint8]) -> None:
        suffix = self._path.suffix.lower()
        part = self._path.with_name(self._path.name + ".part")
        try:
            content = cv2.imencode(suffix, pixels[..., ::-1], _OPTIONS[suffix])[1]
            part.write_bytes(content.tobytes())
            part.replace(self._path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise SinkError(
                f"{self._path.name}: the snapshot cannot be written: {error.strerror}",
                advice="Give a path that you may write to, on a disk with free space.",
            ) from error
        self._bytes = len(content)
        self._taken.set()
