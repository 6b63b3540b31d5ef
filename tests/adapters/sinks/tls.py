"""TLS before a server that speaks none, and its certificates: vouched for by an authority of the test's, or by none."""

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.adapters.sinks.servers import HOST

_DAY = dt.timedelta(days=1)


class Authority:
    """Vouches for servers.

    Args:
        folder: Where its certificates go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = _named("Authority of a test")
        own = _drafted(self._name, self._name, self._key.public_key())
        certificate = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.file = folder / "authority.pem"
        """Its own certificate."""
        self.file.write_bytes(certificate.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def vouched(self, host: str, *, by_itself: bool = False) -> Path:
        """A server's certificate, with its key, for a name or a number."""
        key = ec.generate_private_key(ec.SECP256R1())
        draft = _drafted(_named(host), _named(host) if by_itself else self._name, key.public_key())
        draft = draft.add_extension(x509.SubjectAlternativeName([_alternative(host)]), critical=False)
        signed = draft.sign(key if by_itself else self._key, hashes.SHA256())
        file = self._folder / f"{host}{'-self' if by_itself else ''}.pem"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(signed.public_bytes(Encoding.PEM) + secret)
        return file


class TlsFront:
    """Takes TLS and hands on what is said, both ways; a context manager.

    Args:
        certificate: With its key.
        behind: The port of the server that speaks no TLS.
        speaks: What is spoken inside, as ALPN names it; nothing where nobody asks.
    """

    def __init__(self, certificate: Path, behind: int, speaks: Sequence[str] = ()) -> None:
        self._behind = behind
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if speaks:
            self._context.set_alpn_protocols([*speaks])
        self._context.load_cert_chain(certificate)
        self._listening = socket.create_server((HOST, 0))
        self.port = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listening, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            try:
                taken = self._context.wrap_socket(plain, server_side=True)
                onwards = socket.create_connection((HOST, self._behind))
            except OSError:  # a client that does not trust us
                continue
            self._open += taken, onwards
            for source, target in ((taken, onwards), (onwards, taken)):
                self._threads.append(threading.Thread(target=_hand_on, args=(source, target)))
                self._threads[-1].start()


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _drafted(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    draft = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return draft.serial_number(x509.random_serial_number()).not_valid_before(now - _DAY).not_valid_after(now + _DAY)
