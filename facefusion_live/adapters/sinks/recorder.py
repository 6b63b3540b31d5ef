# pyright: basic
"""Recordings: H.264 that survives a crash, or lossless FFV1."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from av.codec.codec import UnknownCodecError
from av.error import FFmpegError

from facefusion_live.adapters.sinks.movie import FORMATS, Movie
from facefusion_live.adapters.sinks.sound import Sound
from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import OutputFrame, SinkState, SinkStatus
from facefusion_live.domain.settings import Record


class Recorder:
    """Writes pictures, with their times, and the input's sound into a file. A `Sink`.

    The suffix decides: `.mp4` and `.mov` are H.264 in fragments, playable up to the last two seconds after a kill -9;
    `.mkv` is FFV1, whose pictures decode to exactly the pixels sent. H.264 leaves out the last row or column of a
    picture of odd height or width: its colours come in twos.

    Args:
        path: The file; an older one is replaced.
        record: Quality and encoder preset; both without meaning for `.mkv`.
        audio_from: The input file, whose sound is copied, if it has any.

    Raises:
        SinkOpenError: The suffix is not one of the three, or the recording would overwrite the input.
    """

    def __init__(self, path: Path, record: Record, *, audio_from: Path | None = None) -> None:
        if path.suffix.lower() not in FORMATS:
            raise SinkOpenError(
                f"{path.name}: recordings of this kind are not made",
                advice="Name it .mp4 (small) or .mkv (lossless).",
            )
        if audio_from is not None and _same_file(path, audio_from):
            raise SinkOpenError(
                f"{path.name}: the recording would overwrite the input", advice="Give the output another name."
            )
        self._path = path
        self._record = record
        self._audio_from = audio_from
        self._movie: Movie | None = None
        self._state = SinkState.OPENING
        self._bytes = 0

    @property
    def name(self) -> str:
        """Always "recording"."""
        return "recording"

    @property
    def queue_size(self) -> int:
        """Two seconds: a recording must be whole, and a disk may pause."""
        return 60

    def open(self, size_wh: tuple[int, int], fps: float) -> None:
        """Make the file and write its header.

        Raises:
            SinkOpenError: The folder is missing or may not be written, or the disk is full.
        """
        sound = None if self._audio_from is None else Sound(self._audio_from)
        try:
            self._movie = Movie(self._path, self._record, size_wh, fps, sound)
        except (OSError, FFmpegError, UnknownCodecError) as error:
            if sound is not None:
                sound.close()
            raise SinkOpenError(
                f"{self._path.name}: the recording cannot be started: {_reason(error)}",
                advice="Give a path in a folder that exists, that you may write to, on a disk with free space.",
            ) from error
        self._state = SinkState.RUNNING

    def send(self, frame: OutputFrame) -> None:
        """Encode one picture.

        Raises:
            SinkError: Not open, or the file cannot be written any more. It is closed; what was recorded is kept.
        """
        if self._movie is None:
            raise SinkError(f"{self.name} is not open")
        with self._worded(self._movie):
            self._movie.add(frame.image.host(), frame.media_s)
        self._bytes = self._movie.bytes_written

    def close(self) -> None:
        """Write what the encoders still hold, and the end of the file. Safe to call twice, and after an error.

        Raises:
            SinkError: The end could not be written. The file is closed nevertheless.
        """
        movie, self._movie = self._movie, None
        self._state = SinkState.CLOSED
        if movie is not None:
            with self._worded(movie):
                movie.finish()
            self._bytes = movie.bytes_written

    def status(self) -> SinkStatus:
        """State and size of the file."""
        return SinkStatus(self._state, bytes_out=self._bytes)

    @contextmanager
    def _worded(self, movie: Movie) -> Iterator[None]:
        try:
            yield
        except (OSError, FFmpegError) as error:
            self._movie = None
            movie.abandon()
            raise SinkError(
                f"{self._path.name}: the recording ended early: {_reason(error)}",
                advice="Make room on the disk and record again; what was recorded until then is kept.",
            ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full"
    return getattr(error, "strerror", None) or "the encoder refused"


def _same_file(path: Path, other: Path) -> bool:
    return path.resolve() == other.resolve() or (path.exists() and other.exists() and path.samefile(other))
