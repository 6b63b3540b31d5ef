"""Servers that streams are sent to, on ports of their own; started, killed and started again by the tests."""

import http.server
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HOST = "127.0.0.1"
KEY = "s3cr3t-k3y"
_MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
_WAIT_S = 20.0


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody has at the moment."""
    with socket.socket(type=kind) as lent:
        lent.bind((HOST, 0))
        return lent.getsockname()[1]


def wait_for_port(port: int) -> None:
    deadline_s = time.monotonic() + _WAIT_S
    while True:
        try:
            socket.create_connection((HOST, port), 1).close()
        except OSError:
            assert time.monotonic() < deadline_s, "the server did not come up"
            time.sleep(0.02)
        else:
            return


class RtmpServer:
    """nginx with its RTMP module. It takes streams with the right key only, and writes each into a file."""

    def __init__(self, folder: Path) -> None:
        self._nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        if not (Path(self._nginx).exists() and _MODULE.exists()):
            pytest.skip("needs an RTMP server: apt-get install nginx-light libnginx-mod-rtmp")
        self.folder, self.port = folder, free_port()
        self._guard = _Guard()
        (folder / "received").mkdir()
        (folder / "received").chmod(0o777)
        self._settings = folder / "nginx.conf"
        self._settings.write_text(
            f"load_module {_MODULE};\ndaemon off; worker_processes 1; pid nginx.pid; error_log error.log info;\n"
            f"{'user root;' if os.getuid() == 0 else ''} events {{ worker_connections 64; }}\n"
            f"rtmp {{ server {{ listen {HOST}:{self.port}; application live {{ live on;\n"
            f"  on_publish http://{HOST}:{self._guard.port}/; record all; record_unique on;\n"
            f"  record_path {folder / 'received'}; }} }} }}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def url(self, app: str = "live", key: str = KEY) -> str:
        return f"rtmp://{HOST}:{self.port}/{app}/{key}"

    def start(self) -> None:
        command = [self._nginx, "-c", str(self._settings), "-p", str(self.folder)]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_for_port(self.port)

    def kill(self) -> None:
        """As a crash would: master and worker at once."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def hang(self, *, on: bool) -> None:
        """As a server does whose disk stands still: connected, and deaf."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGSTOP if on else signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        self._guard.close()

    @property
    def received(self) -> list[Path]:
        """What it got, a file for each stream, in order."""
        return sorted((self.folder / "received").iterdir(), key=lambda path: path.stat().st_mtime_ns)


class _Guard:
    """Tells nginx which keys are right."""

    def __init__(self) -> None:
        class Asked(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
                self.send_response(200 if f"name={KEY}" in said else 403)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = http.server.HTTPServer((HOST, 0), Asked)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def receiver(url: str, path: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """The ffmpeg program as a receiver that writes what it gets into a file, until it is told to end."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs another receiver: apt-get install ffmpeg")
    command = ["ffmpeg", "-v", "error", "-y", *options, "-i", url, "-c", "copy", str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
