"""Forwarding to a real TLS syslog server from Debian: syslog-ng or rsyslog, which cannot both be installed."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from facefusion_live.adapters.storage.outbox import unsent
from facefusion_live.adapters.storage.syslog import Receiver, SyslogForwarder, framed, message
from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.domain.audit.errors import ForwardError
from facefusion_live.domain.audit.event import Row
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
        return Receiver("localhost", self.port, self.folder / "cert.pem")

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
        assert unsent(home.layout, home.layout.main, server.receiver.sink) == []
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
