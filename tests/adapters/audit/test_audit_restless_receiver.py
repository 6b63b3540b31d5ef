"""Rows come in while their receiver closes in order, dies, forgets what it answered and comes back, again and again."""

import logging
import random
import re
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from facefusion_live.adapters.storage.outbox import cursor_of
from facefusion_live.adapters.storage.syslog import Receiver
from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.domain.audit.errors import ForwardError
from facefusion_live.domain.audit.report import exit_code
from facefusion_live.engine.trail import AuditTrail
from tests.fakes.tls import certified

SETTLE_S = 0.5
_SEQ = re.compile(rb' seq="([0-9]+)" ')


@dataclass
class Kept:
    """What a receiver has. What it read last is in its memory only, until a later connection has ended well."""

    disk: Counter[int] = field(default_factory=Counter[int])
    memory: Counter[int] = field(default_factory=Counter[int])
    lost: int = 0
    ends: Counter[str] = field(default_factory=Counter[str])

    def write(self) -> None:
        self.disk += self.memory
        self.memory = Counter()

    def forget(self, read: Counter[int]) -> None:
        self.lost += self.memory.total() + read.total()
        self.memory = Counter()


class RestlessReceiver:
    """A TLS server that ends each connection in a way that chance picks, and is away for a while after most."""

    WAYS = ("answers", "answers", "closes_first", "restarts_at_once", "dies", "stands_still", "resets")

    def __init__(self, folder: Path) -> None:
        self._context, self.certificate = certified(folder)
        self.kept, self.calm = Kept(), threading.Event()
        self._chance, self._closed = random.Random(4), threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listening.close()

    def _serve(self) -> None:
        while not self._closed.is_set():
            way = "answers" if self.calm.is_set() else self._chance.choice(self.WAYS)
            with suppress(OSError):
                plain, _ = self._listening.accept()
                with closing(self._context.wrap_socket(plain, server_side=True)) as connection:
                    connection.settimeout(5)
                    self.kept.ends[way] += 1
                    getattr(self, f"_{way}")(connection)
            if way not in {"answers", "restarts_at_once"} and not self._closed.is_set():
                self._go_away()
                time.sleep(self._chance.uniform(0.05, 0.4))
                self._listening = socket.create_server(("127.0.0.1", self.port))

    def _answers(self, connection: ssl.SSLSocket) -> None:
        read = _rows(_all_of(connection))
        self.kept.write()
        self.kept.memory = read
        connection.unwrap()

    def _closes_first(self, connection: ssl.SSLSocket) -> None:
        """As a server that is told to stop: it keeps what it has read, and takes no more."""
        self.kept.memory += _rows(_part_of(connection, self._chance.randrange(1, 40_000)))
        self.kept.write()
        self._go_away()
        _close_first(connection)

    def _restarts_at_once(self, connection: ssl.SSLSocket) -> None:
        """As before, and whoever knocks finds it: only what it said before we closed tells."""
        self.kept.memory += _rows(_part_of(connection, self._chance.randrange(1, 10_000)))
        self.kept.write()
        _close_first(connection)

    def _stands_still(self, connection: ssl.SSLSocket) -> None:
        """As before, but so late that its closing message crosses ours and looks like an answer."""
        self.kept.memory += _rows(_part_of(connection, self._chance.randrange(1, 40_000)))
        time.sleep(2 * SETTLE_S)
        self.kept.write()
        self._go_away()
        _close_first(connection)

    def _dies(self, connection: ssl.SSLSocket) -> None:
        """It forgets what it read, and what it has answered last."""
        self.kept.forget(_rows(_part_of(connection, self._chance.randrange(1, 80_000))))
        self._go_away()
        socket.socket(fileno=connection.detach()).close()

    def _resets(self, connection: ssl.SSLSocket) -> None:
        self.kept.forget(Counter())
        self._go_away()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        socket.socket(fileno=connection.detach()).close()

    def _go_away(self) -> None:
        """Whoever knocks finds nobody."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


def _all_of(connection: ssl.SSLSocket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def _part_of(connection: ssl.SSLSocket, size: int) -> bytes:
    read = b""
    connection.settimeout(SETTLE_S / 5)
    with suppress(TimeoutError):
        while len(read) < size and (more := connection.recv(min(size - len(read), 4096))):
            read += more
    return read


def _rows(read: bytes) -> Counter[int]:
    """The rows that were read whole, as RFC 5425 counts them."""
    rows: Counter[int] = Counter()
    while (head := re.match(rb"([0-9]+) ", read)) and len(read) >= head.end() + int(head[1]):
        text = read[head.end() : head.end() + int(head[1])]
        found = _SEQ.search(text)
        assert found is not None
        rows[int(found[1])] += 1
        read = read[head.end() + len(text) :]
    return rows


def _close_first(connection: ssl.SSLSocket) -> None:
    """A closing message of our own; what comes meanwhile is taken off the wire, so that no reset tells of it."""
    connection.settimeout(1)
    with suppress(OSError):
        connection.unwrap()
    with suppress(OSError):
        while socket.socket.recv(connection, 65536):
            pass


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[RestlessReceiver]:
    with closing(RestlessReceiver(tmp_path)) as receiver:
        yield receiver


class Writing:
    """A hundred rows a second, until it is left."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail, self._over = trail, threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _write(self) -> None:
        while not self._over.wait(0.01):
            self._trail.record("consent.grant", "source:abc", "success", {})


@pytest.mark.parametrize(
    "seconds", [6, pytest.param(60, marks=[pytest.mark.soak, pytest.mark.timeout(300)])], ids=["seconds", "a minute"]
)
def test_a_restless_receiver_misses_nothing(receiver: RestlessReceiver, tmp_path: Path, seconds: int) -> None:
    home = AuditHome(tmp_path / "home", keyring=False)
    there = Receiver("localhost", receiver.port, receiver.certificate, settle_s=SETTLE_S)
    kept, failed, calls = receiver.kept, 0, 0

    def taken() -> int:
        """What the outbox says that the receiver has, it has, and on its disk."""
        seq = cursor_of(home.layout, home.layout.main, there.sink).taken
        assert set(range(1, seq + 1)) <= kept.disk.keys()
        return seq

    with home.open_trail() as trail:
        trail.flush()
        with Writing(trail):
            until_s = time.monotonic() + seconds
            while time.monotonic() < until_s:
                calls += 1
                try:
                    home.forward(there)
                except ForwardError:
                    failed += 1
                    time.sleep(0.05)
                taken()
        receiver.calm.set()
        trail.flush()
        total = trail.counts.stored + 1
        assert trail.counts.gap == trail.counts.suppressed == 0
        for _ in range(20):  # it may be away, or amid an end that was picked before
            with suppress(ForwardError):
                home.forward(there)
            time.sleep(0.1)
            if taken() == total:
                break
    assert taken() == total
    have = kept.disk + kept.memory
    assert have.keys() == set(range(1, total + 1))
    assert exit_code(home.verify()) == 0
    assert failed > 0
    assert len(kept.ends) == len(set(RestlessReceiver.WAYS)) or seconds < 60
    doubled = have.total() - len(have)
    said = f"{total} rows, {kept.ends.total()} connections {dict(kept.ends)}, {failed} of {calls} calls failed"
    said += f"; {kept.lost} forgotten, {doubled} doubles, none missing"
    logging.getLogger("facefusion_live.tests").info(said)
