"""Who vouches for servers that speak TLS: one list, for Python's connections and for FFmpeg's."""

import ssl
from pathlib import Path

import certifi

from facefusion_live.domain.errors import SinkOpenError

_SYSTEMS = (
    Path("/etc/ssl/certs/ca-certificates.crt"),  # Debian, Ubuntu, Arch
    Path("/etc/pki/tls/certs/ca-bundle.crt"),  # Fedora
    Path("/etc/ssl/ca-bundle.pem"),  # openSUSE
    Path("/etc/ssl/cert.pem"),  # Alpine, macOS
)


def authorities(own: str = "") -> Path:
    """The list to trust: the user's, else the system's, else the one that comes with certifi.

    FFmpeg trusts nobody that it was not told of, and knows no list of the system's.

    Args:
        own: The path of a PEM file; empty for none.

    Raises:
        SinkOpenError: The file is missing, or is no such list.
    """
    if not own:
        told = ssl.get_default_verify_paths().cafile
        found = (Path(told) if told else None, *_SYSTEMS, Path(certifi.where()))
        return next(path for path in found if path is not None and path.is_file())
    path = Path(own).expanduser()
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError):
        raise SinkOpenError(
            f"{path.name} holds no certificates", advice="Give stream.ca_file a list of certificates (PEM), or nothing."
        ) from None
    return path
