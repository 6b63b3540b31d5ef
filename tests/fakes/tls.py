"""A certificate for `localhost`, and a server's TLS with it."""

import ssl
import subprocess
from pathlib import Path

from tests.support import program


def certified(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """The context of a server, and the certificate that whoever calls it must trust."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key),
         "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context, certificate
