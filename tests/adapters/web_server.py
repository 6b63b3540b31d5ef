"""A server on this machine that hands out one file, and fails in the ways that servers fail."""

import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server:
    """What a test turns the screws of.

    Attributes:
        body: The file.
        etag: Its version; empty sends none.
        requests: (path, Range) of every request so far.
        answers: Called for each request in turn; the last one stays. None is the honest answer.
        pause_s: Waits between pieces of 64 KiB.
    """

    def __init__(self, body: bytes) -> None:
        self.body, self.etag = body, '"one"'
        self.requests: list[tuple[str, str]] = []
        self.answers: list[Callable[[Any], None] | None] = [None]
        self.pause_s = 0.0
        self.url = ""

    def answer(self, handler: Any) -> None:
        self.requests.append((handler.path, handler.headers.get("Range", "")))
        act = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        honest(self)(handler) if act is None else act(handler)


def honest(server: Server, *, cut_at: int | None = None, kind: str = "application/octet-stream") -> Any:
    """The file, or the rest of it; cut short after so many bytes of it."""

    def act(handler: Any) -> None:
        start, asked = 0, handler.headers.get("Range")
        same = handler.headers.get("If-Range") in (None, server.etag)
        if asked and same:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        if start and start >= len(server.body):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(server.body)}")
            handler.end_headers()
            return
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(server.body) - start))
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(server.body) - 1}/{len(server.body)}")
        if server.etag:
            handler.send_header("ETag", server.etag)
        handler.end_headers()
        rest = server.body[start:cut_at]
        for at in range(0, len(rest), 65536):
            handler.wfile.write(rest[at : at + 65536])
            time.sleep(server.pause_s)

    return act


def status(code: int, **headers: str) -> Callable[[Any], None]:
    """Nothing but a status."""

    def act(handler: Any) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return act


def spoilt_record(server: Server, *, after: int) -> Callable[[Any], None]:
    """The file over TLS until so many bytes of it; then bytes that are no TLS record."""

    def act(handler: Any) -> None:
        honest(server, cut_at=after)(handler)
        handler.wfile.flush()
        os.write(handler.connection.fileno(), b"no record of TLS" * 8)
        handler.close_connection = True

    return act


@contextmanager
def serving(body: bytes, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server on a free port of the loopback, for `localhost` over TLS where there is a certificate for it."""
    server = Server(body)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                server.answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        server.url = f"http://127.0.0.1:{listening.server_address[1]}"
        if tls is not None:
            listening.socket = tls.wrap_socket(listening.socket, server_side=True)
            server.url = f"https://localhost:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
