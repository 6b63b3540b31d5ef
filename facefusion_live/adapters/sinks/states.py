"""What the gate did, frame by frame, as text."""

from contextlib import suppress
from pathlib import Path
from typing import TextIO

from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import OutputFrame, SinkState, SinkStatus


class StatesSink:
    """One line per emitted frame: `index,STATE,job_index`. A `Sink`.

    Args:
        path: The file; an older one is replaced.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._state = SinkState.OPENING

    @property
    def name(self) -> str:
        """Always "frame-states"."""
        return "frame-states"

    @property
    def queue_size(self) -> int:
        """Lines are cheap and every one counts."""
        return 256

    def open(self, size_wh: tuple[int, int], fps: float) -> None:  # noqa: ARG002 (a sink may need them)
        """Make the file.

        Raises:
            SinkOpenError: The folder is missing, or may not be written.
        """
        try:
            # Line-buffered: what was emitted before a crash stands in the file.
            self._file = self._path.open("w", buffering=1, encoding="ascii", newline="\n")
        except OSError as error:
            raise SinkOpenError(
                f"{self._path.name}: the file cannot be made: {error.strerror}",
                advice="Give a path in a folder that exists and that you may write to.",
            ) from error
        self._state = SinkState.RUNNING

    def send(self, frame: OutputFrame) -> None:
        """Write one line.

        Raises:
            SinkError: Not open, or the disk is full.
        """
        if self._file is None:
            raise SinkError(f"{self.name} is not open")
        try:
            self._file.write(f"{frame.index},{frame.state.name},{frame.job_index}\n")
        except OSError as error:
            raise SinkError(
                f"{self._path.name}: writing failed: {error.strerror}", advice="Free some space on the disk."
            ) from error

    def close(self) -> None:
        """Finish the file. Safe to call twice."""
        file, self._file = self._file, None
        self._state = SinkState.CLOSED
        if file is not None:
            # Every line was flushed when it was sent: a full disk has been told already, and is told again here.
            with suppress(OSError):
                file.close()

    def status(self) -> SinkStatus:
        """Open or not."""
        return SinkStatus(self._state)
