# pyright: basic
"""Pictures for a browser on this machine: JPEG after JPEG over loopback HTTP, as OBS's browser source takes them."""

import hmac
import secrets
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import cv2

from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import OutputFrame, SinkState, SinkStatus

FORMS = ("mjpeg", "http://127.0.0.1:PORT")
_HOST = "127.0.0.1"
_QUALITY = 85
_MOST_READERS = 8
_SLOW_S = 5.0
"""A reader who takes nothing for so long is let go."""
_LEAST_TOKEN = 16
_BOUNDARY = "frame"


def is_mjpeg(spec: str) -> bool:
    """Whether a spec asks for pictures over HTTP."""
    return spec == "mjpeg" or spec.startswith("http://")


def _read(spec: str) -> tuple[str | None, int | None, str]:
    """Host, port (below 0 where it is none) and token of an address."""
    try:
        parts = urlsplit(spec)
        host, token = parts.hostname, parts.path.strip("/")
    except ValueError:
        return None, None, ""
    try:
        return host, parts.port, token
    except ValueError:
        return host, -1, token


class MjpegSink:
    """Serves the newest picture to whoever knows the address, on this machine only. A `Sink`.

    Every reader has a thread of its own and gets the newest picture whenever it is ready for one: a slow one misses
    pictures, the others do not notice. While nobody reads nothing is encoded.

    Args:
        port: Where it listens; 0 lets the system choose.
        token: Last part of the address; made anew where it is empty.
    """

    def __init__(self, port: int = 0, token: str = "") -> None:
        self._port = port
        self._token = token or secrets.token_urlsafe(24)
        self._server: _Server | None = None
        self._state, self._bytes = SinkState.OPENING, 0

    @classmethod
    def parse(cls, spec: str) -> "MjpegSink":
        """From `mjpeg`, `http://127.0.0.1:PORT` or `http://127.0.0.1:PORT/TOKEN`.

        Raises:
            SinkOpenError: Another host, no port, or a token that can be guessed.
        """
        if spec == "mjpeg":
            return cls()
        host, port, token = _read(spec)
        if host not in (_HOST, "localhost"):
            raise SinkOpenError(
                "pictures over HTTP are served on this computer only",
                advice=f"Give http://{_HOST}:PORT; for other computers stream with rtmp:// or udp://.",
            )
        if port is not None and port < 0:
            raise SinkOpenError(f"http://{_HOST}: the port is none", advice="Give a number from 1 to 65535.")
        if not port:
            raise SinkOpenError(f"http://{_HOST}: the port is missing", advice=f"Give http://{_HOST}:PORT, or mjpeg.")
        if token and len(token) < _LEAST_TOKEN:
            raise SinkOpenError(
                "the token in the address can be guessed", advice=f"Give {_LEAST_TOKEN} characters, or none at all."
            )
        return cls(port, token)

    @property
    def name(self) -> str:
        """Always "mjpeg"."""
        return "mjpeg"

    @property
    def queue_size(self) -> int:
        """Only the newest is of use."""
        return 1

    @property
    def url(self) -> str:
        """Where to look; a secret. Empty while it is not open. Thread: any."""
        server = self._server
        return f"http://{_HOST}:{server.server_port}/{self._token}" if server is not None else ""

    def open(self, size_wh: tuple[int, int], fps: float) -> None:  # noqa: ARG002 (a sink may need them)
        """Listen.

        Raises:
            SinkOpenError: The port is taken.
        """
        try:
            self._server = _Server(self._port, self._token)
        except OSError as error:
            raise SinkOpenError(
                f"http://{_HOST}:{self._port}: the port cannot be had: {error.strerror}",
                advice="Give another port, or --sink mjpeg for any that is free.",
            ) from error
        self._state = SinkState.RUNNING

    def send(self, frame: OutputFrame) -> None:
        """Encode one picture, if anyone looks.

        Raises:
            SinkError: Not open.
        """
        server = self._server
        if server is None:
            raise SinkError(f"{self.name} is not open")
        if server.readers:
            options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
            server.show(cv2.imencode(".jpg", frame.image.host()[..., ::-1], options)[1].tobytes())

    def close(self) -> None:
        """Send everybody away. Safe to call twice."""
        server, self._server = self._server, None
        self._state = SinkState.CLOSED
        if server is not None:
            self._bytes = server.bytes_out
            server.end()

    def status(self) -> SinkStatus:
        """Port, and how many look."""
        server = self._server
        if server is None:
            return SinkStatus(self._state, readers=0, bytes_out=self._bytes)
        readers = server.readers
        words = f"port {server.server_port}, " + (f"in use by {readers}" if readers else "nobody looks")
        state = SinkState.RUNNING if readers else SinkState.PAUSED
        return SinkStatus(state, words, readers=readers, bytes_out=server.bytes_out)


class _Server(ThreadingHTTPServer):
    """Hands the newest picture to every reader's thread."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, port: int, token: str) -> None:
        super().__init__((_HOST, port), _Reader)
        self._token = token
        self._picture = b""
        self._number = 0
        self._ending = False
        self._changed = threading.Condition()
        self._connections: set[Any] = set()
        self.readers = self.bytes_out = 0
        self._accepting = threading.Thread(target=self.serve_forever, args=(0.1,), name="mjpeg")
        self._accepting.start()

    def allows(self, path: str) -> bool:
        """Whether a reader knows the address."""
        return hmac.compare_digest(path.partition("?")[0].encode(), f"/{self._token}".encode())

    def show(self, picture: bytes) -> None:
        """A new picture."""
        with self._changed:
            self._picture, self._number = picture, self._number + 1
            self._changed.notify_all()

    def newer(self, number: int) -> tuple[bytes, int] | None:
        """Wait for a picture after `number`; None at the end, or when none came for a while (then ask again)."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > number or self._ending, 0.5)
            return None if self._number <= number else (self._picture, self._number)

    @property
    def number(self) -> int:
        """Pictures so far."""
        return self._number

    @property
    def ending(self) -> bool:
        """No more pictures."""
        return self._ending

    def come(self) -> bool:
        """One more reader, if there is room."""
        with self._changed:
            if self.readers >= _MOST_READERS:
                return False
            self.readers += 1
            return True

    def go(self) -> None:
        """One reader less."""
        with self._changed:
            self.readers -= 1

    def took(self, count: int) -> None:
        """Bytes that a reader took."""
        with self._changed:
            self.bytes_out += count

    def end(self) -> None:
        """Stop listening, and wait for the readers' threads."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        self.shutdown()
        for connection in tuple(self._connections):
            # Whoever reads no more holds a thread in the middle of a picture.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (socketserver's)
        """Remember the connection."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 (socketserver's)
        """Forget it."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (socketserver's)
        """A reader who goes in mid-picture is no error."""


class _Reader(BaseHTTPRequestHandler):
    """One reader, on a thread of its own."""

    server: _Server
    timeout = _SLOW_S

    def do_GET(self) -> None:
        """Picture after picture, until somebody goes."""
        if not self.server.allows(self.path):
            self.send_error(404)
            return
        if not self.server.come():
            self.send_error(503)
            return
        try:
            # No more in the system's hands than about a picture: else a slow reader sees what is long past.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 128 * 1024)
            self.send_response(200)
            self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            with suppress(OSError):
                self._send_pictures()
        finally:
            self.server.go()
            self.close_connection = True

    def _send_pictures(self) -> None:
        # What was shown before is past, maybe long: nothing is encoded while nobody looks.
        number = self.server.number
        while not self.server.ending:
            newer = self.server.newer(number)
            if newer is None:
                continue
            picture, number = newer
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
            self.wfile.write(head.encode() + picture + b"\r\n")
            self.server.took(len(picture))

    def version_string(self) -> str:
        """Nothing about what this is."""
        return "facefusion-live"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's)
        """Nothing: addresses carry the token."""
