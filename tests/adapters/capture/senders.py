"""Real senders on loopback: UDP, HTTP, RTSP. Each is a context manager that leaves no thread behind."""

import contextlib
import http.server
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import av

HOST = "127.0.0.1"
_TS_PACKET = 188
_BOUNDARY = "frame"


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that was free a moment ago."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


class _Threads:
    """Threads that are asked to stop, and waited for."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, work: Callable[..., Any], *args: Any) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        self.stopped.set()
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()


class UdpSender:
    """A transport stream, sent again and again, at about its own pace, until told to stop."""

    def __init__(self, clip: Path) -> None:
        self._content = clip.read_bytes()
        self._port = free_port(socket.SOCK_DGRAM)
        self._threads = _Threads()
        self.url = f"udp://{HOST}:{self._port}"

    def __enter__(self) -> Self:
        self._threads.start(self._send)
        return self

    def __exit__(self, *_: object) -> None:
        self.fall_silent()

    def fall_silent(self) -> None:
        self._threads.stop()

    def _send(self) -> None:
        chunk = 7 * _TS_PACKET
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            while True:
                for start in range(0, len(self._content), chunk):
                    line.sendto(self._content[start : start + chunk], (HOST, self._port))
                    if self._threads.stopped.wait(0.002):
                        return


class SilentServer:
    """Takes TCP connections and says nothing, for ever."""

    def __init__(self) -> None:
        self._listener = socket.create_server((HOST, 0))
        self._taken: list[socket.socket] = []
        self._threads = _Threads()
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._listener.settimeout(0.05)
        self._threads.start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.stop()
        for line in (*self._taken, self._listener):
            line.close()

    def _accept(self) -> None:
        while not self._threads.stopped.is_set():
            try:
                self._taken.append(self._listener.accept()[0])
            except TimeoutError:
                continue


class WebServer:
    """Serves a folder over HTTP, and a few ways in which servers misbehave.

    /NAME the file (with ranges) · /status/CODE · /stall/NAME half the file, then silence · /endless/NAME the file again
    and again · /mjpeg a camera's stream of JPEG pictures.
    """

    def __init__(self, folder: Path, jpegs: list[bytes] | None = None) -> None:
        owner = self
        self.folder, self.jpegs = folder, jpegs or []
        self.stopped = threading.Event()

        class Handler(_Handler):
            server_of = owner

        self._server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://{HOST}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(20)


class NetworkCamera:
    """One picture again and again, as MJPEG over HTTP, until it is pulled; plugged in, it is there again."""

    def __init__(self, picture: Path) -> None:
        self._picture = picture.read_bytes()
        self._plugged = threading.Event()
        self._threads = _Threads()
        self._server = http.server.ThreadingHTTPServer((HOST, 0), self._handler())
        self.url = f"http://{HOST}:{self._server.server_port}/camera.mjpg"

    def __enter__(self) -> Self:
        self.plug_in()
        self._threads.start(self._server.serve_forever, 0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self.pull()
        self._server.shutdown()
        self._server.server_close()
        self._threads.stop()

    def plug_in(self) -> None:
        self._plugged.set()

    def pull(self) -> None:
        self._plugged.clear()

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        part = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(self._picture)}\r\n\r\n".encode()
        part += self._picture + b"\r\n"
        plugged = self._plugged

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                if not plugged.is_set():
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
                self.end_headers()
                with contextlib.suppress(OSError):
                    while plugged.is_set():
                        self.wfile.write(part)
                        time.sleep(0.04)

        return Handler


class _Handler(http.server.BaseHTTPRequestHandler):
    server_of: WebServer
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        kind, _, name = self.path.lstrip("/").partition("/")
        try:
            match kind:
                case "status":
                    self.send_error(int(name))
                case "stall":
                    self._stall((self.server_of.folder / name).read_bytes())
                case "endless":
                    self._endless((self.server_of.folder / name).read_bytes())
                case "mjpeg":
                    self._mjpeg()
                case _:
                    self._file((self.server_of.folder / kind).read_bytes())
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass

    def _begin(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()

    def _file(self, content: bytes) -> None:
        first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        start, stop = int(first), int(last) + 1 if last else len(content)
        span = f"bytes {start}-{stop - 1}/{len(content)}"
        self._begin(206, {"Content-Range": span, "Content-Length": str(stop - start), "Accept-Ranges": "bytes"})
        self.wfile.write(content[start:stop])

    def _stall(self, content: bytes) -> None:
        self._begin(200, {"Content-Length": str(len(content))})
        self.wfile.write(content[: len(content) // 2])
        self.wfile.flush()
        self.server_of.stopped.wait()

    def _endless(self, content: bytes) -> None:
        self._begin(200, {"Content-Type": "video/mp2t"})
        while not self.server_of.stopped.wait(0.01):
            self.wfile.write(content)

    def _mjpeg(self) -> None:
        self._begin(200, {"Content-Type": f"multipart/x-mixed-replace; boundary={_BOUNDARY}"})
        while True:
            for jpeg in self.server_of.jpegs:
                head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
                if self.server_of.stopped.wait(0.01):
                    return


class RtspServer:
    """One camera over RTSP, its transport stream interleaved in the TCP connection. Serves one viewer after another."""

    def __init__(self, clip: Path, *, password: str | None = None) -> None:
        self._content = clip.read_bytes()
        self._password = password
        self._listener = socket.create_server((HOST, 0))
        self._threads = _Threads()
        self.silent = threading.Event()
        self.hang_up = threading.Event()
        self.url = f"rtsp://{HOST}:{self._listener.getsockname()[1]}/camera"

    def __enter__(self) -> Self:
        self._listener.settimeout(0.05)
        self._threads.start(self._serve)
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.stop()
        self._listener.close()

    def _serve(self) -> None:
        while not self._threads.stopped.is_set():
            try:
                line, _ = self._listener.accept()
            except TimeoutError:
                continue
            with line:
                line.settimeout(0.05)
                self._talk(line)

    def _talk(self, line: socket.socket) -> None:
        received = b""
        while not self._threads.stopped.is_set():
            try:
                more = line.recv(4096)
            except TimeoutError:
                continue
            if not more:
                return
            received += more
            while b"\r\n\r\n" in received:
                request, _, received = received.partition(b"\r\n\r\n")
                self._answer(line, request.decode())
                if request.startswith(b"PLAY"):
                    self._play(line)
                    return

    def _answer(self, line: socket.socket, request: str) -> None:
        method = request.split(" ", 1)[0]
        number = request.lower().partition("cseq:")[2].split()[0]
        head, body = [f"CSeq: {number}", "Session: 1"], ""
        if method == "OPTIONS":
            head.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        elif self._password is not None and "authorization:" not in request.lower():
            line.sendall(
                f'RTSP/1.0 401 Unauthorized\r\nCSeq: {number}\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n'.encode()
            )
            return
        elif method == "DESCRIBE":
            body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:track\r\n"
            head += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        elif method == "SETUP":
            head.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        line.sendall(("RTSP/1.0 200 OK\r\n" + "\r\n".join(head) + "\r\n\r\n" + body).encode())

    def _play(self, line: socket.socket) -> None:
        number, chunk = 0, 7 * _TS_PACKET
        try:
            while True:
                for start in range(0, len(self._content), chunk):
                    if self._threads.stopped.wait(0.002):
                        return
                    if self.hang_up.is_set():
                        # Zero seconds of grace: the viewer gets a reset, as from a camera that lost its power.
                        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return
                    if self.silent.is_set():
                        self._threads.stopped.wait()
                        return
                    payload = self._content[start : start + chunk]
                    packet = struct.pack(">BBHII", 0x80, 33, number & 0xFFFF, number * 3000 & 0xFFFFFFFF, 7) + payload
                    line.sendall(struct.pack(">BBH", 0x24, 0, len(packet)) + packet)
                    number += 1
        except (TimeoutError, OSError):
            return


def publish_rtmp(url: str, clip: Path, stopped: threading.Event) -> None:
    """Send a film to an RTMP server at its own pace, again and again, until told to stop."""
    step_s, shift_s = 1 / 30, 0.0
    with av.open(url, "w", format="flv") as output:
        target: Any = None
        while not stopped.is_set():
            with av.open(str(clip)) as film:
                source = film.streams.video[0]
                target = target or output.add_stream_from_template(source)
                for packet in film.demux(source):
                    if packet.pts is None or stopped.wait(step_s):
                        continue
                    packet.pts += round(shift_s / packet.time_base)
                    packet.dts += round(shift_s / packet.time_base)
                    packet.stream = target
                    output.mux(packet)
            shift_s += 1.0
