# pyright: basic
"""Forwarding rows as RFC 5424 messages over TLS (RFC 5425). At least once: receivers know doubles by (log_id, seq)."""

import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from facefusion_live.domain.audit.errors import ForwardError
from facefusion_live.domain.audit.event import Row

FACILITY = 13
"""Log audit."""
_SEVERITY = {"success": 6, "failure": 4, "denied": 4}
TIMEOUT_S = 10.0
SETTLE_S = 2.0
"""So long a connection is watched once all is sent: a server that goes down in this time says so before we close."""
_ENTERPRISE = "row@32473"
"""RFC 5424 lets a name of one's own have the form name@number only, the number being one's registered enterprise. This
project has none; 32473 is the one that RFC 5612 sets aside for examples."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A syslog server that speaks TLS.

    Attributes:
        host: Name, as in its certificate.
        port: Usually 6514.
        ca_file: Who signed its certificate; None for those that the system trusts.
        client_file: Certificate and key of ours in one PEM, where the server asks for one.
        settle_s: How long a connection is watched before we close it.
    """

    host: str
    port: int = 6514
    ca_file: Path | None = None
    client_file: Path | None = None
    settle_s: float = SETTLE_S

    @property
    def sink(self) -> str:
        """Name in the outbox."""
        return f"syslog:{self.host}:{self.port}"


def message(row: Row, hostname: str) -> bytes:
    """One row as an RFC 5424 message: the body is the text, log and seq stand as structured data as well."""
    event = orjson.loads(row.body)
    priority = FACILITY * 8 + _SEVERITY[event["status"]]
    data = f'[{_ENTERPRISE} log_id="{event["log_id"]}" seq="{row.seq}" hash="{row.hash.hex()}"]'
    head = f"<{priority}>1 {event['timestamp']} {hostname} facefusion-live - {event['action']} {data} "
    # The byte order mark says that what follows is UTF-8.
    return head.encode() + b"\xef\xbb\xbf" + row.body


def framed(text: bytes) -> bytes:
    """Octet counting, as RFC 5425 wants it."""
    return b"%d %b" % (len(text), text)


class SyslogForwarder:
    """Sends what one receiver has not taken yet. Thread: one.

    Args:
        receiver: Where to.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._hostname = "".join(each for each in socket.gethostname() if each.isalnum() or each in "-.") or "-"

    def send(self, rows: Sequence[Row]) -> int:
        """Send rows over a connection of their own, and close it in order.

        Syslog has no receipt. But TLS closes in order: a server answers our closing message with its own once it has
        read all that came before. So an answer counts, and a connection that merely ends does not: that server may have
        died with the rows in its memory.

        A server that closes first has not answered anything, and its closing message looks like an answer when both
        cross on the way. So the connection is watched before we close it. That leaves a server which stands still for
        longer than that, and then goes down in order: what it seemed to take is sure only when it answers again
        (`knock`).

        Args:
            rows: In order; none to see whether the server is there.

        Returns:
            The seq of the last row; 0 for none.

        Raises:
            ForwardError: The receiver cannot be reached, is not who it should be, or broke off.
        """
        receiver = self._receiver
        try:
            context = ssl.create_default_context(cafile=receiver.ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if receiver.client_file is not None:
                context.load_cert_chain(receiver.client_file)
            with (
                socket.create_connection((receiver.host, receiver.port), TIMEOUT_S) as plain,
                context.wrap_socket(plain, server_hostname=receiver.host) as connection,
            ):
                if rows:
                    connection.sendall(b"".join(framed(message(row, self._hostname)) for row in rows))
                    _settle(connection, receiver.settle_s)
                _close_in_order(connection)
        except OSError as error:
            advice = "Nothing is lost: the rows are sent when the receiver is back."
            raise ForwardError(f"{receiver.sink} did not take the rows: {error}", advice=advice) from error
        return rows[-1].seq if rows else 0

    def knock(self) -> None:
        """Is the server still there? Then it did not go down over what it answered last. Raises ForwardError."""
        self.send([])


def _settle(connection: ssl.SSLSocket, seconds: float) -> None:
    """Watch for a closing message that comes before ours: the server goes down, whatever it has read."""
    until_s = time.monotonic() + seconds
    while (left_s := until_s - time.monotonic()) > 0:
        connection.settimeout(left_s)
        with suppress(TimeoutError):
            if not connection.recv(4096):
                raise ConnectionError("the server closed the connection by itself")
    connection.settimeout(TIMEOUT_S)


def _close_in_order(connection: ssl.SSLSocket) -> None:
    """Say that we are done and wait until the other side has read it; all but an answer in order raises OSError."""
    try:
        plain = connection.unwrap()
    except ssl.SSLEOFError as error:
        raise ConnectionError("the connection ended without the closing message that tells what was read") from error
    plain.shutdown(socket.SHUT_WR)
    while plain.recv(4096):
        pass
