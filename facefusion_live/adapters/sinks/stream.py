# pyright: basic
"""Live streams: RTMP, RTSP, MPEG-TS over UDP, WHIP."""

import logging
import time
from contextlib import suppress
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av import logging as av_logging
from av.error import FFmpegError, ProtocolNotFoundError

from facefusion_live.adapters.sinks.addresses import PROTOCOLS, Address
from facefusion_live.adapters.sinks.encoders import Encoder, choose, options_for
from facefusion_live.adapters.sinks.live_sound import MicrophoneFeed
from facefusion_live.adapters.sinks.pictures import PictureTrack
from facefusion_live.adapters.sinks.recorder import OpenSound
from facefusion_live.adapters.sinks.relay import Relay
from facefusion_live.adapters.sinks.sound import SoundFeed
from facefusion_live.adapters.sinks.whip import WhipHelp
from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import OutputFrame, SinkState, SinkStatus
from facefusion_live.domain.settings import Stream

log = logging.getLogger("facefusion_live.stream")

_TICK = Fraction(1, 1000)
"""What FLV keeps; nothing else needs finer."""
_BACKOFF_S = (0.25, 0.5, 1.0)
"""After a loss. No longer than 1 s, so that a server that is back has its stream within 3."""
_BLACK = 2
"""FFmpeg hands the first picture on when the second one comes."""
_GOOD_BYE_S = 1.5
"""How long the server may take to hear the end: so long a session waits for a server that hangs."""
_AGAIN_TIMEOUT_S = 2.0
"""How long a lost server may take to answer, before it is asked anew."""
_ON_THE_WAY_S = 0.5
"""So much of the stream may wait for the line, in each of the places where it does."""
_LEAST_BYTES = 65_536
_BREATH_S = 0.1
"""A picture waits so long for a line that moves: where pictures come faster than in life, none is lost for that."""


def has_protocol(scheme: str) -> bool:
    """Whether this FFmpeg speaks one of `addresses.PROTOCOLS`: asked to reach a port where nobody is.

    For a process of its own: it holds Python's lock meanwhile.
    """
    muxer = PROTOCOLS[scheme].muxer
    url = f"{scheme.removeprefix('whip+')}://127.0.0.1:9/app/key"
    container: Any = None
    try:
        container = av.open(url, "w", format=muxer)
        video: Any = container.add_stream("libx264", rate=30)
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        if muxer == "whip":
            container.add_stream("libopus", rate=48_000, layout="stereo")
        container.start_encoding()
    except (ProtocolNotFoundError, ValueError):  # a container that FFmpeg was built without is a ValueError
        return False
    except (OSError, FFmpegError):
        return True  # refused, as it should be
    finally:
        if container is not None:
            with suppress(OSError, FFmpegError):
                container.close()
    return True


class Connection:
    """One stream, from its first picture to its loss or end. Nothing of it waits for the server. Thread: the sink's.

    It begins with two black pictures: the process that connects learns from them what it is to send.

    Args:
        address: Where it goes.
        encoder: What makes H.264.
        stream: Settings.
        size_wh: Of the pictures.
        fps: Nominal.
        sound: What is heard; stays open.
        timeout_s: How long the other side may take for one step.

    Raises:
        SinkOpenError: The other process ended at once.
        OSError: It cannot be started.
    """

    def __init__(
        self,
        address: Address,
        encoder: Encoder,
        stream: Stream,
        *,
        size_wh: tuple[int, int],
        fps: float,
        sound: SoundFeed | None,
        timeout_s: float,
    ) -> None:
        self._begin_s: float | None = None
        self._address, self._sound, self._frame_s, self._timeout_s = address, sound, 1 / fps, timeout_s
        self._begun_s = time.monotonic()
        self._most_bytes = max(_LEAST_BYTES, round(125 * stream.bitrate_kbit * _ON_THE_WAY_S))
        self.dropped = 0
        self._help = WhipHelp(address, timeout_s) if address.protocol.muxer == "whip" else None
        how = {"muxer": address.protocol.muxer, "timeout_s": timeout_s, "queue_bytes": self._most_bytes}
        if self._help is None:
            where = {"url": address.url, "options": dict(address.protocol.options), "protocol": address.tls}
        else:
            where = {"url": self._help.url, "options": self._help.options, "protocol": {}}
        self._relay = Relay({**where, **how})
        try:
            # The other process lays pictures and sound side by side; nothing waits here.
            options = {"flush_packets": "1", "max_interleave_delta": "1"}
            self._container: Any = av.open(self._relay, "w", format="nut", options=options)
            self._pictures = PictureTrack(
                self._container,
                encoder.codec,
                encoder.pixels,
                size_wh=size_wh,
                fps=fps,
                tick=_TICK,
                options=options_for(encoder, stream, fps),
                bit_rate=1000 * stream.bitrate_kbit,
                live=True,
            )
            if sound is not None:
                sound.add_to(self._container, address.protocol.muxer)
            for number in range(_BLACK):
                self._pictures.add(np.zeros((size_wh[1], size_wh[0], 3), np.uint8), number * self._frame_s)
        except (OSError, FFmpegError):
            answer = self._relay.wait_for_answer(_GOOD_BYE_S)
            self._end(0)
            raise address.refusal(answer or "BrokenPipeError", timeout_s) from None
        except BaseException:
            self._end(0)
            raise

    @property
    def bytes_out(self) -> int:
        """Encoded pictures handed to the line."""
        return self._pictures.bytes_out

    def is_taken(self, wait_s: float = 0.0) -> bool:
        """Whether the server took the stream; False while it has not answered.

        Raises:
            SinkOpenError: It did not take it, or did not answer in time.
        """
        answer = self._relay.wait_for_answer(wait_s) if wait_s else self._relay.answer
        if answer == "ok":
            return True
        if answer is None and time.monotonic() - self._begun_s < self._timeout_s:
            return False
        raise self._address.refusal(answer or "", self._timeout_s)

    def add(self, frame: OutputFrame) -> None:
        """Send one picture, and what was heard until then; leave it out where the line is too slow for it.

        Raises:
            OSError: The server is gone, or took nothing for too long; FFmpegError likewise.
        """
        if self._relay.stuck_s > self._timeout_s:
            raise TimeoutError
        if not self._relay.wait_for_room(self._most_bytes, _BREATH_S):
            self.dropped += 1
            return
        if self._begin_s is None:
            self._begin_s = frame.media_s - _BLACK * self._frame_s
        self._pictures.add(frame.image.host(), frame.media_s - self._begin_s)
        if self._sound is not None:
            self._sound.write_until(frame.media_s, self._begin_s)

    def finish(self, timeout_s: float) -> None:
        """Send what the encoders hold, and say good-bye."""
        with suppress(OSError, FFmpegError):
            self._pictures.finish()
            if self._sound is not None:
                self._sound.finish()
        self.abandon(timeout_s)

    def abandon(self, timeout_s: float = 0.0) -> None:
        """Let go."""
        with suppress(OSError, FFmpegError):
            self._container.close()
        self._end(timeout_s)

    def _end(self, timeout_s: float) -> None:
        self._relay.end(timeout_s)
        if self._help is not None:
            self._help.close()


class StreamSink:
    """Sends pictures to a server, and finds it again when it was lost. A `Sink`.

    While the server is away pictures are dropped; nothing waits for it. The first time it must be there: a wrong
    address is told at once.

    Args:
        spec: The address, with its key.
        stream: Encoder, rate, timeout.
        open_sound: Opens what is heard, on the sink's thread.

    Raises:
        SinkOpenError: The address is not complete.
    """

    def __init__(self, spec: str, stream: Stream, open_sound: OpenSound = lambda: None) -> None:
        self._address = Address.parse(spec, stream.ca_file)
        self._stream = stream
        self._open_sound = open_sound
        self._sound: SoundFeed | None = None
        self._connection: Connection | None = None
        self._state, self._is_open = SinkState.OPENING, False
        self._losses = self._tries = self._bytes_before = self._dropped_before = 0
        self._again_s = 0.0

    @property
    def name(self) -> str:
        """Always "stream"."""
        return "stream"

    @property
    def queue_size(self) -> int:
        """Half a second: what is older is of no use to anyone who watches."""
        return 15

    def open(self, size_wh: tuple[int, int], fps: float) -> None:
        """Choose an encoder and connect.

        Raises:
            SinkOpenError: Nobody there, not let in, or the encoder asked for does not work.
        """
        av_logging.set_level(None)  # FFmpeg prints addresses with their keys
        self._format = size_wh, fps
        self._encoder = choose(self._stream.encoder)
        self._sound = self._open_sound()
        try:
            self._address.knock(self._stream.timeout_s)
            self._connection = self._connect(self._stream.timeout_s)
            self._connection.is_taken(self._stream.timeout_s)
        except BaseException:
            self._give_up()
            self._close_sound()
            raise
        self._state, self._is_open = SinkState.RUNNING, True
        log.info("streaming to %s with %s", self._address.shown, self._encoder.name)

    def send(self, frame: OutputFrame) -> None:
        """Send one picture, or try to find the server again.

        Raises:
            SinkError: Not open.
        """
        if not self._is_open:
            raise SinkError(f"{self.name} is not open")
        if self._sound is not None:
            self._sound.follow(frame)
        connection = self._connection if self._state is SinkState.RUNNING else self._found_again()
        if connection is None:
            return
        try:
            connection.add(frame)
        except (OSError, FFmpegError) as error:
            self._lose(connection, error)

    def close(self) -> None:
        """Send what is left and say good-bye. Safe to call twice. A server that is gone is no error any more."""
        connection, self._connection = self._connection, None
        self._state, self._is_open = SinkState.CLOSED, False
        try:
            if connection is not None:
                connection.finish(_GOOD_BYE_S)
                self._add_up(connection)
        finally:
            self._close_sound()

    def status(self) -> SinkStatus:
        """Where to, with which encoder, and how often it was lost."""
        connection = self._connection
        sent = self._bytes_before + (connection.bytes_out if connection is not None else 0)
        dropped = self._dropped_before + (connection.dropped if connection is not None else 0)
        words, missing, sound = f"{self._address.shown}", "", self._sound
        if self._state is SinkState.RUNNING:
            words += f", {self._encoder.name}, {self._stream.bitrate_kbit} kbit/s"
            if isinstance(sound, MicrophoneFeed):
                words += f", {sound.words}"
                missing = sound.missing
            if dropped:
                words += f", line too slow for {dropped} pictures"
            if self._losses:
                words += f", lost {self._losses}×"
        if self._state is SinkState.RECONNECTING:
            words += f": the server is away, tried {self._tries}×"
        return SinkStatus(self._state, words, bytes_out=sent, missing=missing, dropped=dropped)

    def _connect(self, timeout_s: float) -> Connection:
        size_wh, fps = self._format
        try:
            return Connection(
                self._address,
                self._encoder,
                self._stream,
                size_wh=size_wh,
                fps=fps,
                sound=self._sound,
                timeout_s=timeout_s,
            )
        except OSError:
            raise self._address.refusal("BrokenPipeError", timeout_s) from None

    def _found_again(self) -> Connection | None:
        """The new connection, as soon as the server has taken it. Never waits."""
        try:
            if self._connection is None:
                if time.monotonic() < self._again_s:
                    return None
                self._connection = self._connect(min(self._stream.timeout_s, _AGAIN_TIMEOUT_S))
            if not self._connection.is_taken():
                return None
        except SinkOpenError as error:
            self._give_up()
            self._wait()
            log.info("%s", error)
            return None
        self._state, self._tries = SinkState.RUNNING, 0
        log.info("streaming to %s again", self._address.shown)
        return self._connection

    def _lose(self, connection: Connection, error: Exception) -> None:
        log.warning("%s: the connection broke (%s)", self._address.shown, type(error).__name__)
        self._add_up(connection)
        self._give_up()
        self._losses += 1
        self._state = SinkState.RECONNECTING
        self._wait()

    def _give_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abandon()

    def _add_up(self, connection: Connection) -> None:
        self._bytes_before += connection.bytes_out
        self._dropped_before += connection.dropped

    def _wait(self) -> None:
        self._again_s = time.monotonic() + _BACKOFF_S[min(self._tries, len(_BACKOFF_S) - 1)]
        self._tries += 1

    def _close_sound(self) -> None:
        sound, self._sound = self._sound, None
        if sound is not None:
            sound.close()
