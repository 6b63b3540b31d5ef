# pyright: basic
"""What FFmpeg's WHIP needs beside itself: a certificate that others accept, a greeting that nobody reads on the way."""

import contextlib
import datetime as dt
import http.client
import secrets
import ssl
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from facefusion_live.adapters.sinks.addresses import Address

_HOST = "127.0.0.1"
_MOST_BYTES = 65_536
_YESTERDAY, _NEXT_MONTH = dt.timedelta(days=-1), dt.timedelta(days=30)


class WhipHelp:
    """Open from the beginning until `close`. Thread: any one.

    Two things that FFmpeg 8 with GnuTLS does not do well are done here. The certificate that it makes for a call is of
    a curve (P-224) that OpenSSL and with it most servers refuse. And over https it believes whoever answers: so it
    greets a door on this machine, and what it says is carried to the server over a connection that is checked.

    Args:
        address: Where the stream goes.
        timeout_s: How long the server may take to answer.
    """

    def __init__(self, address: Address, timeout_s: float) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="facefusion-live-")
        self._door = _Door(address, timeout_s) if address.trusted is not None else None
        certificate, key = _certificate()
        files = {"cert_file": certificate, "key_file": key}
        self.options = {"authorization": address.bearer} if address.bearer else {}
        """For FFmpeg."""
        for name, content in files.items():
            path = Path(self._folder.name) / name
            path.touch(0o600)
            path.write_bytes(content)
            self.options[name] = str(path)
        self.url = address.url if self._door is None else self._door.url
        """What FFmpeg is to greet."""

    def close(self) -> None:
        """Shut the door, throw the certificate away. Safe to call twice."""
        door, self._door = self._door, None
        if door is not None:
            door.close()
        self._folder.cleanup()


class _Door(HTTPServer):
    """Carries what is said on this machine to the server, and its answer back."""

    def __init__(self, address: Address, timeout_s: float) -> None:
        super().__init__((_HOST, 0), _Visitor)
        self._address, self._timeout_s = address, timeout_s
        self._context = ssl.create_default_context(cafile=address.trusted)
        self.path = f"/{secrets.token_urlsafe(24)}"
        self.url = f"http://{_HOST}:{self.server_port}{self.path}"
        # FFmpeg names the call that it ends by what is answered here.
        self.call_path, self._call_url = f"{self.path}/call", ""
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), name="whip door", daemon=True)
        self._thread.start()

    def carry(self, method: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        """(status, kind, content) of the server's answer.

        Raises:
            OSError: It cannot be reached, or not believed; HTTPException likewise.
        """
        url = urlsplit(self._address.url if method == "POST" else self._call_url)
        line = http.client.HTTPSConnection(
            url.hostname or "", url.port or self._address.port, timeout=self._timeout_s, context=self._context
        )
        with contextlib.closing(line):
            line.request(method, f"{url.path or '/'}{f'?{url.query}' if url.query else ''}", body, headers)
            answer = line.getresponse()
            if method == "POST":
                self._call_url = urljoin(self._address.url, answer.getheader("Location", ""))
            return answer.status, answer.getheader("Content-Type", ""), answer.read(_MOST_BYTES)

    def close(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Visitor(BaseHTTPRequestHandler):
    """FFmpeg, and nobody else: who does not know the way is sent away."""

    server: _Door
    timeout = 5.0

    def do_POST(self) -> None:
        self._carry(self.server.path)

    def do_DELETE(self) -> None:
        self._carry(self.server.call_path)

    def _carry(self, path: str) -> None:
        if not secrets.compare_digest(self.path.encode(), path.encode()):
            self.send_error(404)
            return
        body = self.rfile.read(min(int(self.headers["Content-Length"] or 0), _MOST_BYTES))
        passed = ("Content-Type", "Authorization")
        headers = {name: value for name in passed if (value := self.headers[name]) is not None}
        try:
            status, kind, content = self.server.carry(self.command, headers, body)
        except (OSError, http.client.HTTPException):
            status, kind, content = 502, "", b""
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Location", self.server.call_path)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's)
        """Nothing."""


def _certificate() -> tuple[bytes, bytes]:
    """A certificate for one call, and its key. Nobody vouches for it: the answer names it by its fingerprint."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "WebRTC")])
    now = dt.datetime.now(dt.UTC)
    draft = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    draft = draft.serial_number(x509.random_serial_number())
    draft = draft.not_valid_before(now + _YESTERDAY).not_valid_after(now + _NEXT_MONTH)
    certificate = draft.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    return certificate, key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
