# pyright: basic
"""Forwarding rows as RFC 5424 messages over TLS (RFC 5425). At least once: receivers know doubles by (log_id, seq)."""

import socket
import ssl
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


@dataclass(frozen=True, slots=True)
class Receiver:
    """A syslog server that speaks TLS.

    Attributes:
        host: Name, as in its certificate.
        port: Usually 6514.
        ca_file: Who signed its certificate; None for those that the system trusts.
        client_file: Certificate and key of ours in one PEM, where the server asks for one.
    """

    host: str
    port: int = 6514
    ca_file: Path | None = None
    client_file: Path | None = None

    @property
    def sink(self) -> str:
        """Name in the outbox."""
        return f"syslog:{self.host}:{self.port}"


def message(row: Row, hostname: str) -> bytes:
    """One row as an RFC 5424 message: the body is the text, log and seq stand as structured data as well."""
    event = orjson.loads(row.body)
    priority = FACILITY * 8 + _SEVERITY[event["status"]]
    data = f'[row@32473 log_id="{event["log_id"]}" seq="{row.seq}" hash="{row.hash.hex()}"]'
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
        """Send rows and make sure that they were read.

        Syslog has no receipt. But TLS closes in order: a server answers our closing message with its own once it has
        read all that came before. So a batch is a connection, and counts when that answer came. A connection that
        merely ends may be a server that died with the rows in its memory: they are sent again.

        Returns:
            The seq of the last row.

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
                connection.sendall(b"".join(framed(message(row, self._hostname)) for row in rows))
                _close_in_order(connection)
        except OSError as error:
            advice = "Nothing is lost: the rows are sent when the receiver is back."
            raise ForwardError(f"{receiver.sink} did not take the rows: {error}", advice=advice) from error
        return rows[-1].seq


def _close_in_order(connection: ssl.SSLSocket) -> None:
    """Say that we are done and wait until the other side has read it; all but an answer in order raises OSError."""
    _check_open(connection)
    try:
        plain = connection.unwrap()
    except ssl.SSLEOFError as error:
        raise ConnectionError("the connection ended without the closing message that tells what was read") from error
    plain.shutdown(socket.SHUT_WR)
    while plain.recv(4096):
        pass


def _check_open(connection: ssl.SSLSocket) -> None:
    """A closing message that came before ours is no answer to it: the server goes down, whatever it has read."""
    connection.settimeout(0.0)
    with suppress(ssl.SSLWantReadError):
        if not connection.recv(1):
            raise ConnectionError("the server closed the connection before all was sent")
    connection.settimeout(TIMEOUT_S)
