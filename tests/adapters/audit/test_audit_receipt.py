"""What counts as a receipt of forwarded rows: TLS closed in order, and nothing less."""

import socket
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from facefusion_live.adapters.storage.outbox import cursor_of, unsent
from facefusion_live.adapters.storage.syslog import Receiver, SyslogForwarder
from facefusion_live.app import audit_forwarding
from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.domain.audit.errors import ForwardError
from facefusion_live.domain.audit.report import exit_code
from facefusion_live.engine.trail_writer import Notice
from tests.fakes.audit_attacks import genuine
from tests.fakes.tls import certified

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


def stands_still_and_goes_down_in_order(connection: ssl.SSLSocket) -> None:
    """Reads a part, is busy, and closes by itself: what it did not read is drained and lost."""
    connection.recv(512)
    time.sleep(0.2)
    connection.settimeout(2)
    with suppress(OSError):
        connection.unwrap()
    with suppress(OSError):
        while socket.socket.recv(connection, 65536):  # past TLS, so that no reset tells of it
            pass


class Server:
    """A TLS server that ends each connection as it is told to."""

    def __init__(self, folder: Path) -> None:
        self._context, self.certificate = certified(folder)
        self.ends: Ends = reads_all_and_answers
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def receiver(self) -> Receiver:
        return Receiver("localhost", self._listening.getsockname()[1], self.certificate, settle_s=0.5)

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


@pytest.fixture
def home(tmp_path: Path) -> AuditHome:
    """Six rows."""
    home = AuditHome(tmp_path / "home", keyring=False)
    with home.open_trail() as trail:
        for _ in range(5):
            trail.record("consent.grant", "source:abc", "success", {})
    return home


def left(home: AuditHome, server: Server) -> int:
    """How many rows the server has not surely taken."""
    cursor = cursor_of(home.layout, home.layout.main, server.receiver.sink)
    return len(unsent(home.layout, home.layout.main, cursor.taken))


@pytest.mark.parametrize("ends", [reads_all_and_dies, goes_down_without_reading, stands_still_and_goes_down_in_order])
def test_a_connection_that_the_server_ends_is_no_receipt(server: Server, ends: Ends, home: AuditHome) -> None:
    server.ends = ends
    for _ in range(3):
        with pytest.raises(ForwardError) as refused:
            home.forward(server.receiver)
        assert refused.value.advice
    assert left(home, server) == 6
    server.ends = reads_all_and_answers
    assert home.forward(server.receiver) == 6
    assert left(home, server) == 0


def test_what_was_answered_last_is_sent_again_when_the_server_is_gone_then(server: Server, home: AuditHome) -> None:
    """It stood still for longer than we watch, and its own closing message crossed ours: it looks like an answer."""
    connections: list[int] = []

    def answers_once(connection: ssl.SSLSocket) -> None:
        connections.append(len(connections))
        if len(connections) == 1:
            stands_still_and_goes_down_in_order(connection)
        # What comes next finds nobody.

    server.ends = answers_once
    with pytest.raises(ForwardError):
        home.forward(replace(server.receiver, settle_s=0.01))
    assert len(connections) == 2
    assert left(home, server) == 6


def test_of_several_connections_the_last_is_not_sure_until_the_next_one(
    server: Server, home: AuditHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_forwarding, "unsent", partial(unsent, limit=2))
    connections: list[int] = []

    def dies_on_the_third(connection: ssl.SSLSocket) -> None:
        connections.append(len(connections))
        (reads_all_and_dies if len(connections) == 3 else reads_all_and_answers)(connection)

    server.ends = dies_on_the_third
    with pytest.raises(ForwardError):
        home.forward(replace(server.receiver, settle_s=0.01))
    assert left(home, server) == 4
    assert home.forward(replace(server.receiver, settle_s=0.01)) == 4
    assert left(home, server) == 0


def outbox(home: AuditHome, server: Server, seq: int) -> None:
    """Somebody writes into the outbox that the server has taken rows up to `seq`."""
    with closing(sqlite3.connect(home.layout.main)) as connection, connection:
        connection.execute("INSERT OR REPLACE INTO outbox VALUES (?, ?)", (server.receiver.sink, seq))


@pytest.mark.parametrize("seq", [7, 2**53, -1])
def test_an_outbox_that_tells_of_rows_that_are_not_there_is_said_and_not_believed(
    server: Server, home: AuditHome, seq: int
) -> None:
    outbox(home, server, seq)
    notes = [note for report in home.verify() for note in report.notices]
    assert any("outbox" in note for note in notes) == (seq > 0)
    told: list[Notice] = []
    assert replace(home, notify=told.append).forward(server.receiver) == 6
    assert [(each.rule, str(seq) in each.message) for each in told] == [("outbox", True)]
    assert left(home, server) == 0
    assert not any("outbox" in note for report in home.verify() for note in report.notices)
    assert exit_code(home.verify()) == 0


def test_a_receiver_that_misses_rows_gets_all_again(server: Server, home: AuditHome) -> None:
    outbox(home, server, 5)
    assert home.forward(server.receiver) == 1
    assert home.forward(server.receiver, again=True) == 6
    assert home.forward(server.receiver) == 0
