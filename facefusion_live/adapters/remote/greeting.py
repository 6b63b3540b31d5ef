"""A first look at a server: who is there, and whether it can be believed.

gRPC tells every reason why a server cannot be had with the same word, and shows nobody its certificate.
"""

import hashlib
import socket
import ssl
from pathlib import Path

from facefusion_live.domain.errors import ServerOpenError
from facefusion_live.domain.remote import ServerAddress


def greet(address: ServerAddress, trusted: Path | None, timeout_s: float) -> str:
    """See whether a server is there, and believe it or not.

    Args:
        address: Where it is.
        trusted: Who vouches for servers (PEM); None where nobody must.
        timeout_s: How long it may take to answer.

    Returns:
        The SHA-256 of its certificate, in hex; empty where it has none.

    Raises:
        ServerOpenError: The host is unknown, nobody listens, nobody answers, or TLS is not spoken or not believed.
    """
    try:
        with socket.create_connection((address.host, address.port), timeout_s) as connection:
            return "" if trusted is None else _fingerprint(connection, address.host, trusted)
    except socket.gaierror:
        raise _failed(address, "there is no such host", "Check the address in inference.remote.") from None
    except ConnectionRefusedError:
        raise _failed(address, "nobody listens there", "Start the server, or check the port.") from None
    except TimeoutError:
        raise _failed(address, f"no answer within {timeout_s:g} s", "Check the address, and the firewall.") from None
    except ssl.SSLCertVerificationError as error:
        words = f"its certificate is not to be trusted ({error.verify_message.rstrip('.')})"
        advice = "Check the host's name; a server of your own needs its authority in inference.remote_ca."
        raise _failed(address, words, advice) from None
    except ssl.SSLError:
        raise _failed(address, "it does not speak TLS", "Put TLS before it, or use grpc:// on this machine.") from None
    except OSError as error:
        raise _failed(address, f"it cannot be reached ({error.strerror})", "Check your network.") from None


def _fingerprint(connection: socket.socket, host: str, trusted: Path) -> str:
    context = ssl.create_default_context(cafile=trusted)
    context.set_alpn_protocols(["h2"])
    with context.wrap_socket(connection, server_hostname=host) as believed:
        return hashlib.sha256(believed.getpeercert(binary_form=True) or b"").hexdigest()


def _failed(address: ServerAddress, words: str, advice: str) -> ServerOpenError:
    return ServerOpenError(f"the server {address}: {words}", advice=advice)
