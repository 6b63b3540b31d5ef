# pyright: basic
"""What went wrong on opening, in one line for people: no paths, no passwords, no chatter of the libraries."""

import errno
import re
import socket
from urllib.parse import urlsplit

from av.error import (
    ExitError,
    HTTPError,
    HTTPForbiddenError,
    HTTPNotFoundError,
    HTTPUnauthorizedError,
    InvalidDataError,
    ProtocolNotFoundError,
)

from facefusion_live.domain.errors import CaptureOpenError

_NOT_A_VIDEO = "Give a video file that plays in other programs; H.264 in .mp4 is always understood."
_CHECK_ADDRESS = "Check the address, and that the sender is running and reachable from this computer."

_REASONS: tuple[tuple[tuple[type[Exception], ...], str, str], ...] = (
    ((ConnectionRefusedError,), "the connection was refused", _CHECK_ADDRESS),
    (
        (HTTPUnauthorizedError, HTTPForbiddenError),
        "the server wants a user and a password",
        "Write them into the address: rtsp://USER:PASSWORD@HOST/…",
    ),
    ((HTTPNotFoundError,), "the server has nothing at this address", _CHECK_ADDRESS),
    ((HTTPError,), "the server refused", _CHECK_ADDRESS),
    (
        (ProtocolNotFoundError,),
        "this kind of address is not understood",
        "Use rtsp, rtmp, udp, http or https.",
    ),
    ((InvalidDataError,), "what is sent there is not a video", _CHECK_ADDRESS),
)
"""First match wins."""


def shown_url(url: str) -> str:
    """The address without user, password, query and fragment, which often carry secrets."""
    scheme, _, rest = url.partition("://")
    authority = re.split("[/?#]", rest)[0]
    path = rest.removeprefix(authority)
    if ":" in authority and "@" in path:
        # Most likely a password with one of /?# in it.
        return f"{scheme}://…"
    return f"{scheme}://{authority.rpartition('@')[2]}{re.split('[?#]', path)[0]}"


def file_failure(shown: str, error: Exception) -> CaptureOpenError:
    """Why a file could not be opened.

    Args:
        shown: The file's name, without its folder.
        error: What PyAV raised.
    """
    match error:
        case FileNotFoundError():
            return CaptureOpenError(f"{shown}: there is no such file", advice="Check the spelling of the path.")
        case PermissionError():
            return CaptureOpenError(f"{shown}: the file may not be read", advice="Give yourself the right to read it.")
        case _:
            return CaptureOpenError(f"{shown}: this is not a video", advice=_NOT_A_VIDEO)


def url_failure(url: str, error: Exception, *, waited_s: float, timeout_s: float) -> CaptureOpenError:
    """Why a stream could not be opened.

    Args:
        url: The address as given.
        error: What PyAV raised.
        waited_s: How long it took to fail.
        timeout_s: How long it was allowed to take.
    """
    shown = shown_url(url)
    if waited_s >= timeout_s or isinstance(error, ExitError | TimeoutError):
        return CaptureOpenError(f"{shown}: no picture arrived within {timeout_s:g} s", advice=_CHECK_ADDRESS)
    for kinds, reason, advice in _REASONS:
        if isinstance(error, kinds):
            return CaptureOpenError(f"{shown}: {reason}", advice=advice)
    if _unknown_host(url, error):
        return CaptureOpenError(f"{shown}: the host name is unknown", advice="Check the spelling of the address.")
    return CaptureOpenError(f"{shown}: the stream could not be opened", advice=_CHECK_ADDRESS)


def _unknown_host(url: str, error: Exception) -> bool:
    """Ask the resolver: FFmpeg says "Input/output error" for an unknown host and for a broken reply alike."""
    if not isinstance(error, OSError) or error.errno != errno.EIO:
        return False
    try:
        socket.getaddrinfo(urlsplit(url).hostname, None)
    except OSError:
        return True
    return False
