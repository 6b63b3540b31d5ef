"""What counts as a receipt of forwarded rows: TLS closed in order, and nothing less."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from facefusion_live.adapters.storage.outbox import unsent
from facefusion_live.adapters.storage.syslog import Receiver, SyslogForwarder
from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.domain.audit.errors import ForwardError
from tests.fakes.audit_attacks import genuine
from tests.support import program

Ends = Callable[[ssl.SSLSocket], None]
"""How a server ends a connection."""


def reads_all_and_answers(connection: ssl.SSLSocket) -> None:
    while connection.recv(4096):
        pass
    connection.unwrap()


def reads_all_and_dies(connection: ssl.SSLSocket) -> None:
    """What was read is in its memory only; the kernel closes the connection as if all was well."""
    with suppress(ssl.SSLError):
        while not connection.recv(65536).endswith(b"}"):
            pass
    socket.socket(fileno=connection.detach()).close()


def goes_down_without_reading(connection: ssl.SSLSocket) -> None:
    with suppress(OSError):
        connection.settimeout(0.2)
        connection.unwrap()


class Server:
    """A TLS server that ends each connection as it is told to."""

    def __init__(self, folder: Path) -> None:
        key, self.certificate = folder / "key.pem", folder / "cert.pem"
        subprocess.run(
            [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key),
             "-out", str(self.certificate)],
            check=True, capture_output=True,
        )  # fmt: skip
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(self.certificate, key)
        self.ends: Ends = reads_all_and_answers
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def receiver(self) -> Receiver:
        return Receiver("localhost", self._listening.getsockname()[1], self.certificate)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                plain, _ = self._listening.accept()
                with suppress(OSError), closing(self._context.wrap_socket(plain, server_side=True)) as connection:
                    self.ends(connection)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with closing(Server(tmp_path)) as server:
        yield server


def test_a_server_that_answers_our_close_has_taken_the_rows(server: Server) -> None:
    assert SyslogForwarder(server.receiver).send(genuine().rows) == 25


@pytest.mark.parametrize("ends", [reads_all_and_dies, goes_down_without_reading])
def test_a_connection_that_merely_ends_is_no_receipt(server: Server, ends: Ends, tmp_path: Path) -> None:
    home = AuditHome(tmp_path / "home", keyring=False)
    with home.open_trail() as trail:
        for _ in range(5):
            trail.record("consent.grant", "source:abc", "success", {})
    server.ends = ends
    for _ in range(5):
        with pytest.raises(ForwardError) as refused:
            home.forward(server.receiver)
        assert refused.value.advice
    assert len(unsent(home.layout, home.layout.main, server.receiver.sink)) == 6
    server.ends = reads_all_and_answers
    assert home.forward(server.receiver) == 6
    assert unsent(home.layout, home.layout.main, server.receiver.sink) == []
