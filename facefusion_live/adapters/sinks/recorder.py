# pyright: basic
"""Recordings: H.264 that survives a crash, or lossless FFV1; with pause, in parts, ended before the disk is full."""

import errno
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from av.codec.codec import UnknownCodecError
from av.error import FFmpegError

from facefusion_live.adapters.sinks.live_sound import MicrophoneFeed
from facefusion_live.adapters.sinks.movie import FORMATS, Movie
from facefusion_live.adapters.sinks.sound import Sound, SoundFeed
from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import OutputFrame, SinkState, SinkStatus
from facefusion_live.domain.settings import Record

_MIB = 1024 * 1024
_LOOK_S = 0.5
"""How often the free space is looked at, in recorded time."""

OpenSound = Callable[[], SoundFeed | None]


class Recorder:
    """Writes pictures, with their times, and sound into a file, or into one file after the other. A `Sink`.

    The suffix decides: `.mp4` and `.mov` are H.264 in fragments, playable up to the last two seconds after a kill -9;
    `.mkv` is FFV1, whose pictures decode to exactly the pixels sent. H.264 leaves out the last row or column of a
    picture of odd height or width: its colours come in twos.

    Args:
        path: The file; an older one is replaced. Further parts are called `name-2.mp4` … and replace none.
        record: How it is encoded, when a new part begins, how much of the disk is left alone.
        audio_from: The input file, whose sound is copied, if it has any.
        open_sound: Opens another sound, on the sink's thread; the recorder closes it.

    Raises:
        SinkOpenError: The suffix is not one of the three, or the recording would overwrite the input.
    """

    def __init__(
        self, path: Path, record: Record, *, audio_from: Path | None = None, open_sound: OpenSound | None = None
    ) -> None:
        if path.suffix.lower() not in FORMATS:
            raise SinkOpenError(
                f"{path.name}: recordings of this kind are not made",
                advice="Name it .mp4 (small) or .mkv (lossless).",
            )
        if audio_from is not None and _same_file(path, audio_from):
            raise SinkOpenError(
                f"{path.name}: the recording would overwrite the input", advice="Give the output another name."
            )
        self._path, self._record = path, record
        self._open_sound = open_sound or (lambda: None if audio_from is None else Sound(audio_from))
        self._sound: SoundFeed | None = None
        self._movie: Movie | None = None
        self._resting = threading.Event()
        self._rest_began_s: float | None = None
        self._looked_s = 0.0
        self._state = SinkState.OPENING
        self._bytes_before = 0
        self._parts: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """Always "recording"."""
        return "recording"

    @property
    def queue_size(self) -> int:
        """Two seconds: a recording must be whole, and a disk may pause."""
        return 60

    @property
    def parts(self) -> tuple[Path, ...]:
        """The files begun so far, in order. Thread: any."""
        return self._parts

    def pause(self, *, on: bool) -> None:
        """Rest, or go on: what comes in between is left out, and no gap is seen or heard. Thread: any."""
        if on:
            self._resting.set()
        else:
            self._resting.clear()

    def open(self, size_wh: tuple[int, int], fps: float) -> None:
        """Make the file and write its header.

        Raises:
            SinkOpenError: The folder is missing or may not be written, the disk is full or nearly so, or the sound
                cannot be had.
        """
        self._format = size_wh, fps
        self._parts, self._bytes_before, self._rest_began_s = (), 0, None
        free_mib = self._free_mib()
        if free_mib <= self._record.keep_free_mib:
            raise SinkOpenError(
                f"{self._path.name}: the disk has only {free_mib:.0f} MiB left",
                advice=f"Make room: {self._record.keep_free_mib} MiB are to be kept free (record.keep_free_mib).",
            )
        self._sound = self._open_sound()
        try:
            self._movie = self._begin(self._path)
        except (OSError, FFmpegError, UnknownCodecError) as error:
            self._close_sound()
            raise SinkOpenError(
                f"{self._path.name}: the recording cannot be started: {_reason(error)}",
                advice="Give a path in a folder that exists, that you may write to, on a disk with free space.",
            ) from error
        self._state = SinkState.RUNNING

    def send(self, frame: OutputFrame) -> None:
        """Encode one picture, unless the recording rests.

        Raises:
            SinkError: Not open; the file cannot be written any more, or the disk is nearly full. It is closed; what
                was recorded is kept.
        """
        if self._movie is None:
            raise SinkError(f"{self.name} is not open")
        if self._sound is not None:
            self._sound.follow(frame)
        if self._rests(frame.media_s, self._movie):
            return
        with self._worded(self._movie):
            self._movie.add(frame)
            self._guard_space(frame.media_s)
            if self._part_is_full(self._movie):
                self._next_part()

    def close(self) -> None:
        """Write what the encoders still hold, and the end of the file. Safe to call twice, and after an error.

        Raises:
            SinkError: The end could not be written. The file is closed nevertheless.
        """
        movie, self._movie = self._movie, None
        self._state = SinkState.CLOSED
        try:
            if movie is not None:
                with self._worded(movie):
                    movie.finish()
                self._bytes_before += movie.bytes_written
        finally:
            self._close_sound()

    def status(self) -> SinkStatus:
        """State, size so far of all parts, and how the microphone is doing."""
        movie = self._movie
        written = self._bytes_before + (movie.bytes_written if movie is not None else 0)
        words = [f"part {len(self._parts)}"] if len(self._parts) > 1 else []
        missing, sound = "", self._sound
        if movie is not None and isinstance(sound, MicrophoneFeed):
            words.append(sound.words)
            missing = sound.missing
        return SinkStatus(self._state, ", ".join(words), bytes_out=written, missing=missing)

    def _begin(self, path: Path) -> Movie:
        movie = Movie(path, self._record, *self._format, self._sound)
        self._parts = (*self._parts, path)
        return movie

    def _rests(self, media_s: float, movie: Movie) -> bool:
        if self._resting.is_set():
            if self._rest_began_s is None:
                self._rest_began_s, self._state = media_s, SinkState.PAUSED
            return True
        if self._rest_began_s is not None:
            if movie.begin_s is not None:
                movie.begin_s += media_s - self._rest_began_s
            if self._sound is not None:
                self._sound.skip_to(media_s)
            self._rest_began_s, self._state = None, SinkState.RUNNING
        return False

    def _part_is_full(self, movie: Movie) -> bool:
        minutes, mib = self._record.split_min, self._record.split_mib
        return bool(minutes and movie.seconds >= 60 * minutes) or bool(mib and movie.bytes_written >= mib * _MIB)

    def _next_part(self) -> None:
        movie = self._movie
        if movie is not None:
            movie.finish()
            self._bytes_before += movie.bytes_written
            self._movie = self._begin(self._free_name())

    def _free_name(self) -> Path:
        number = len(self._parts) + 1
        while (path := self._path.with_stem(f"{self._path.stem}-{number}")).exists():
            number += 1
        return path

    def _guard_space(self, media_s: float) -> None:
        """End in good order while there is still room for the end.

        Raises:
            SinkError: The disk is nearly full.
        """
        if 0 <= media_s - self._looked_s < _LOOK_S:
            return
        self._looked_s = media_s
        free_mib = self._free_mib()
        if free_mib <= self._record.keep_free_mib:
            self.close()
            raise SinkError(
                f"{self._path.name}: the recording was ended, complete, because the disk has only "
                f"{free_mib:.0f} MiB left",
                advice="Make room and record again; record.keep_free_mib says how much is kept free.",
            )

    def _free_mib(self) -> float:
        """Room where the recording lies; without end where nobody can tell, as opening will."""
        try:
            return shutil.disk_usage(self._path.absolute().parent).free / _MIB
        except OSError:
            return float("inf")

    def _close_sound(self) -> None:
        sound, self._sound = self._sound, None
        if sound is not None:
            sound.close()

    @contextmanager
    def _worded(self, movie: Movie) -> Iterator[None]:
        try:
            yield
        except (OSError, FFmpegError) as error:
            self._movie = None
            movie.abandon()
            self._close_sound()
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
