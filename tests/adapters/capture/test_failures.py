"""What is said when something cannot be opened; the common cases are met with real files and servers elsewhere."""

import errno

import pytest
from av.error import ExitError, ProtocolNotFoundError

from facefusion_live.adapters.capture.failures import file_failure, shown_url, url_failure


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://camera/live", "rtsp://camera/live"),
        ("rtsp://me:secret@camera:554/live?token=secret#secret", "rtsp://camera:554/live"),
        ("http://a@b:c@camera", "http://camera"),
        ("http://camera?secret", "http://camera"),
        ("http://camera#secret", "http://camera"),
        ("http://camera/a@b", "http://camera/a@b"),
        ("http://me:sec/ret@camera/x", "http://…"),
        ("http://me:sec#ret@camera/x", "http://…"),
        ("http://me:sec@re?t@camera/x", "http://…"),
        ("udp://@239.0.0.1:5000", "udp://239.0.0.1:5000"),
    ],
)
def test_addresses_lose_their_secrets(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_a_file_that_may_not_be_read() -> None:
    failure = file_failure("clip.mp4", PermissionError())
    assert str(failure) == "clip.mp4: the file may not be read"
    assert failure.advice


@pytest.mark.parametrize(
    ("error", "waited_s", "reason"),
    [
        (ExitError(1, "Immediate exit requested"), 0.1, "no picture arrived within 5 s"),
        (TimeoutError(), 0.1, "no picture arrived within 5 s"),
        (OSError(errno.EIO, "Input/output error"), 5.1, "no picture arrived within 5 s"),
        (ProtocolNotFoundError(1, "Protocol not found"), 0.1, "this kind of address is not understood"),
        (OSError(errno.EIO, "Input/output error"), 0.1, "the stream could not be opened"),
        (OSError(errno.EINVAL, "Invalid argument"), 0.1, "the stream could not be opened"),
    ],
)
def test_reasons(error: Exception, waited_s: float, reason: str) -> None:
    failure = url_failure("http://127.0.0.1:1/x", error, waited_s=waited_s, timeout_s=5)
    assert str(failure) == f"http://127.0.0.1:1/x: {reason}"
    assert failure.advice
