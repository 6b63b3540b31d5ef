"""Forwarding to a real TLS syslog server from Debian: syslog-ng or rsyslog, which cannot both be installed."""

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO

import orjson
import pytest

from facefusion_live.adapters.storage.outbox import cursor_of
from facefusion_live.adapters.storage.syslog import Receiver, SyslogForwarder, framed, message
from facefusion_live.app import audit_retention
from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.domain.audit.errors import ForwardError, UnreadableError
from facefusion_live.domain.audit.event import Row
from facefusion_live.domain.audit.report import exit_code
from facefusion_live.engine.trail import AuditTrail
from tests.fakes.audit_attacks import genuine

_PATH = os.environ.get("PATH", "") + ":/usr/sbin"
SYSLOG_NG, RSYSLOGD = shutil.which("syslog-ng", path=_PATH), shutil.which("rsyslogd", path=_PATH)
OSSL = list(Path("/usr/lib").glob("*/rsyslog/lmnsd_ossl.so"))
PROGRAM = SYSLOG_NG or (RSYSLOGD if OSSL else None)

pytestmark = pytest.mark.skipif(
    PROGRAM is None and not os.environ.get("FFL_REQUIRE_ALL"),
    reason="needs a TLS syslog server: Debian's syslog-ng-core, or rsyslog with rsyslog-openssl",
)

SYSLOG_NG_CONFIG = """@version: 3.38
options {{ log-msg-size(65536); keep-hostname(yes); stats-freq(0); }};
source rows {{ syslog(ip("127.0.0.1") port({port}) transport("tls") max-connections(50)
  tls(key-file("{folder}/key.pem") cert-file("{folder}/cert.pem") peer-verify(optional-untrusted))); }};
destination got {{ file("{folder}/got.log" template("$MSG\n")); }};
log {{ source(rows); destination(got); flags(flow-control); }};
"""
RSYSLOG_CONFIG = """
global(workDirectory="{folder}" maxMessageSize="32k"
  defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="{folder}/cert.pem"
  defaultNetstreamDriverCertFile="{folder}/cert.pem" defaultNetstreamDriverKeyFile="{folder}/key.pem")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" port="{port}" address="127.0.0.1")
template(name="bare" type="string" string="%msg%\n")
action(type="omfile" file="{folder}/got.log" template="bare" asyncWriting="off" flushOnTXEnd="on")
"""


class Server:
    """A syslog server of our own that can be taken down and up again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost", "-keyout", str(folder / "key.pem"), "-out",
             str(folder / "cert.pem")],
            check=True, capture_output=True,
        )  # fmt: skip
        config = SYSLOG_NG_CONFIG if SYSLOG_NG else RSYSLOG_CONFIG
        self.config = folder / "server.conf"
        self.config.write_text(config.format(folder=folder, port=self.port))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def receiver(self) -> Receiver:
        return Receiver("localhost", self.port, self.folder / "cert.pem", settle_s=0.1)

    def up(self) -> None:
        assert PROGRAM is not None
        own = [str(self.folder / name) for name in ("persist", "pid", "control")]
        words = ["-F", "--no-caps", "-f", str(self.config), "-R", own[0], "-p", own[1], "-c", own[2]]
        if not SYSLOG_NG:
            words = ["-n", "-f", str(self.config), "-i", own[1]]
        self.process = subprocess.Popen([PROGRAM, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("the syslog server did not come up")

    def down(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(15)
            self.process = None

    def rows(self, count: int) -> list[dict[str, object]]:
        deadline = time.monotonic() + 15
        path = self.folder / "got.log"
        while time.monotonic() < deadline:
            lines = path.read_bytes().splitlines() if path.exists() else []
            if len(lines) >= count:
                return [orjson.loads(line[line.index(b"{") :]) for line in lines if b"{" in line]
            time.sleep(0.05)
        raise AssertionError("the rows did not arrive")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.up()
    yield server
    server.down()


def test_rows_arrive_whole_and_in_order(server: Server) -> None:
    rows = genuine().rows
    assert SyslogForwarder(server.receiver).send(rows) == 25
    got = server.rows(25)
    assert [each["seq"] for each in got] == list(range(1, 26))
    assert [orjson.dumps(each, option=orjson.OPT_SORT_KEYS) for each in got] == [row.body for row in rows]


def test_a_receiver_that_is_down_for_a_while_gets_everything(server: Server, tmp_path: Path) -> None:
    home = AuditHome(tmp_path / "home", keyring=False)
    with home.open_trail() as trail:
        for _ in range(700):
            trail.record("consent.grant", "source:abc", "success", {})
        trail.flush()
        assert home.forward(server.receiver) == trail.counts.stored + 1
        server.down()
        for _ in range(30):
            trail.record("consent.deny", "source:abc", "denied", {})
        trail.flush()
        with pytest.raises(ForwardError) as refused:
            home.forward(server.receiver)
        assert refused.value.advice
        server.up()
        assert home.forward(server.receiver) == 30
        assert home.forward(server.receiver) == 0
        total = trail.counts.stored + 1
        assert cursor_of(home.layout, home.layout.main, server.receiver.sink).taken == total
    got = server.rows(total)
    keys = {(each["log_id"], each["seq"]) for each in got}
    assert len(keys) == total
    assert {seq for _, seq in keys} == set(range(1, total + 1))


def test_a_receiver_that_is_not_who_it_should_be_gets_nothing(server: Server) -> None:
    stranger = Receiver("localhost", server.port)
    with pytest.raises(ForwardError, match="certificate"):
        SyslogForwarder(stranger).send(genuine().rows)


def test_a_message_is_rfc_5424_and_counted(server: Server) -> None:
    del server
    row: Row = genuine().rows[4]
    text = message(row, "host")
    pattern = (
        rb"<10[0-9]>1 2025-10-09T08:53:21\.[0-9]{6}Z host facefusion-live - [a-z.]+ "
        rb'\[row@32473 log_id="[0-9a-f]{32}" seq="5" hash="[0-9a-f]{64}"\] \xef\xbb\xbf\{.*\}'
    )
    assert re.fullmatch(pattern, text)
    assert framed(b"abc") == b"3 abc"


def test_rows_of_every_log_are_forwarded_beside_a_running_program(server: Server, tmp_path: Path) -> None:
    home = AuditHome(tmp_path / "home", keyring=False)
    with home.open_trail() as first, ExitStack() as stack:
        first.record_durably("label.off", "label", "success", {}).result(10)
        second = stack.enter_context(home.open_trail())
        second.record_durably("label.on", "label", "success", {}).result(10)
        assert home.forward(server.receiver) == 4
        first.record("label.on", "label", "success", {})
        first.flush()
        assert home.forward(server.receiver) == 1
        assert first.record_durably("label.off", "label", "success", {}).result(10) == 4
    assert exit_code(home.verify()) == 0
    assert len({(row["log_id"], row["seq"]) for row in server.rows(5)}) == 5


def test_rows_that_were_pruned_before_they_were_taken_come_from_the_archive(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = AuditHome(tmp_path / "home", keyring=False)
    with home.open_trail() as trail:
        for _ in range(600):
            trail.record("consent.grant", "source:abc", "success", {})
    monkeypatch.setattr(audit_retention, "DAY_NS", 0)
    assert home.prune(1)["pruned"] == 600
    assert home.forward(server.receiver) == 602
    assert {row["seq"] for row in server.rows(602)} == set(range(1, 603))


def test_rows_whose_receipt_is_lost_arrive_twice_and_are_known_by_log_and_seq(server: Server, tmp_path: Path) -> None:
    """The server has the rows, and that it took them cannot be put down: the log is held by another program."""
    home = AuditHome(tmp_path / "home", keyring=False)
    with home.open_trail() as trail:
        for _ in range(20):
            trail.record("consent.grant", "source:abc", "success", {})
    with closing(sqlite3.connect(home.layout.main, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(ForwardError, match="cannot be noted"):
            home.forward(server.receiver)
    assert home.forward(server.receiver) == 21
    got = server.rows(42)
    assert len(got) == 42
    assert {(row["log_id"], row["seq"]) for row in got} == {(got[0]["log_id"], seq) for seq in range(1, 22)}
    assert got[:21] == got[21:]


def test_an_archive_that_is_gone_is_told_and_nothing_is_skipped(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = AuditHome(tmp_path / "home", keyring=False)
    with home.open_trail() as trail:
        trail.record("consent.grant", "source:abc", "success", {})
    monkeypatch.setattr(audit_retention, "DAY_NS", 0)
    home.prune(1)
    for archive in home.layout.archive.iterdir():
        archive.unlink()
    with pytest.raises(UnreadableError, match="rows from 1 on"):
        home.forward(server.receiver)


@pytest.mark.parametrize(
    "down_s", [3, pytest.param(60, marks=[pytest.mark.soak, pytest.mark.timeout(300)])], ids=["seconds", "a minute"]
)
def test_a_server_that_is_taken_down_and_up_again_misses_nothing(server: Server, tmp_path: Path, down_s: int) -> None:
    """Rows are written all the while, `audit forward --follow` sends them, the server is gone for a time."""
    home = AuditHome(tmp_path / "home", keyring=False)
    receiver = server.receiver
    words = ["forward", receiver.host, "--port", str(receiver.port), "--ca", str(receiver.ca_file), "--follow"]
    command = [sys.executable, "-m", "facefusion_live", "audit", *words, "--home", str(home.folder)]
    with home.open_trail() as trail:
        trail.flush()
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as follower:
            assert follower.stderr is not None
            written = _write(trail, 1.0)
            server.down()
            assert "did not take the rows" in _told(follower.stderr, while_doing=lambda: _write(trail, 0.2))
            written += _write(trail, down_s)
            server.up()
            assert "is back" in _told(follower.stderr, while_doing=lambda: _write(trail, 0.2))
            written += _write(trail, 1.0)
            follower.send_signal(signal.SIGINT)
            assert follower.wait(30) == 130
        trail.flush()
        home.forward(receiver)  # what came after the last round
        total = trail.counts.stored + 1
    assert trail.counts.gap == trail.counts.suppressed == 0
    assert written > 10
    keys = [(row["log_id"], row["seq"]) for row in server.rows(total)]
    assert set(keys) == {(keys[0][0], seq) for seq in range(1, total + 1)}


def _write(trail: AuditTrail, seconds: float) -> int:
    """Ten rows a second."""
    count = max(round(seconds * 10), 1)
    for _ in range(count):
        trail.record("consent.grant", "source:abc", "success", {})
        time.sleep(0.1)
    return count


def _told(lines: IO[str], while_doing: Callable[[], object]) -> str:
    """The next line of a program's words, while something else goes on."""
    found: list[str] = []
    reading = threading.Thread(target=lambda: found.append(lines.readline()))
    reading.start()
    deadline = time.monotonic() + 90
    while reading.is_alive() and time.monotonic() < deadline:
        while_doing()
    reading.join(1)
    return found[0]
