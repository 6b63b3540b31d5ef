# pyright: basic
"""A process of its own that hands encoded pictures and sound on to a server. Imports nothing but PyAV.

Why apart: FFmpeg connects, greets and says good-bye while PyAV holds Python's lock. A server that takes a second to
answer would stop the whole program for a second, and one that never answers for ever. A process can be killed.

It reads one line of JSON, then NUT, from standard input; the address comes that way because others can read a command
line. The line tells `url`, `muxer`, `options` of that, `protocol` (options of what carries it), `timeout_s`, and
`queue_bytes`: how much the system may keep for a slow server. It writes one line when it is connected, "ok", or the
reason why not: the name of PyAV's error.

It ends with its input.
"""

import json
import os
import signal
import socket
import stat
import sys
import threading
import time
from contextlib import suppress
from typing import Any

import av
from av import logging as av_logging
from av.error import FFmpegError

_PATIENCE = {"flush_packets": "1", "max_interleave_delta": "500000"}
"""Half a second is how long pictures wait for their sound."""

_HANDLES = 64


class _Watch:
    """Ends the process when a packet takes too long: the server is there and reads no more."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self.begun_s: float | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(self._timeout_s / 20)
            begun_s = self.begun_s
            if begun_s is not None and time.monotonic() - begun_s > self._timeout_s:
                os._exit(1)


def main() -> int:
    """Serve one connection. Returns 0 when all was sent, else 1."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program, which then closes this input
    av_logging.set_level(None)
    wanted = json.loads(_line(sys.stdin.fileno()))
    try:
        # The first packet tells all that a muxer needs: it was made for that.
        quick = {"probesize": "32", "analyzeduration": "0"}
        source: Any = av.open(_Input(), format="nut", options=quick, buffer_size=4096)
        target = _opened(wanted)
        tracks = {stream.index: target.add_stream_from_template(stream, opaque=True) for stream in source.streams}
        target.start_encoding()
    except (OSError, FFmpegError, ValueError) as error:
        _tell(type(error).__name__)
        return 1
    _keep_little(wanted["queue_bytes"])
    _tell("ok")
    return _send(source, target, tracks, _Watch(wanted["timeout_s"]))


def _send(source: Any, target: Any, tracks: dict[int, Any], watch: _Watch) -> int:  # noqa: ANN401 (containers)
    try:
        for packet in source.demux():
            if not packet.size:
                continue
            if packet.dts is None:  # of the very first one FFmpeg is not sure; nothing is reordered here
                packet.dts = packet.pts
            packet.stream = tracks[packet.stream_index]
            watch.begun_s = time.monotonic()
            target.mux(packet)
            watch.begun_s = None
        target.close()
    except (OSError, FFmpegError):
        os._exit(1)  # at once: FFmpeg would say good-bye to nobody
    return 0


def _opened(wanted: dict[str, Any]) -> Any:  # noqa: ANN401 (a container)
    if not wanted["protocol"]:
        return av.open(wanted["url"], "w", format=wanted["muxer"], options=_PATIENCE | wanted["options"])
    # PyAV opens addresses without options; the muxer "tee", here with one branch, passes them on to protocols.
    options = {"f": wanted["muxer"], **_PATIENCE, **wanted["options"], **wanted["protocol"]}
    words = ":".join(f"{name}={_escaped(value, ':]')}" for name, value in options.items())
    return av.open(_escaped(f"[{words}]{wanted['url']}", "|"), "w", format="tee")


def _escaped(text: str, special: str) -> str:
    """Text in which nothing means anything to one of FFmpeg's parsers."""
    return "".join(f"\\{letter}" if letter in f"\\'{special} " else letter for letter in text)


def _keep_little(size: int) -> None:
    """Bound what the system keeps for the server. Else it is megabytes, and who hangs is noticed when they are full.

    FFmpeg makes the socket and shows it to nobody; so every one that is open here.
    """
    if os.name != "posix":
        return
    for handle in range(_HANDLES):
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(handle).st_mode):
                with socket.socket(fileno=os.dup(handle)) as line:
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size // 2)  # Linux takes twice


class _Input:
    """Standard input, as much as there is: no waiting for full blocks."""

    def read(self, size: int) -> bytes:
        """What is there; nothing at the end."""
        return os.read(sys.stdin.fileno(), size)


def _line(handle: int) -> bytes:
    """The first line, and not a byte more."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(handle, 1)
        if not byte:
            break
        line += byte
    return line


def _tell(word: str) -> None:
    print(word, flush=True)  # noqa: T201 (to the program)


if __name__ == "__main__":
    sys.exit(main())
