"""What the program's log tells, and what it does not."""

import io
import logging
from pathlib import Path

import pytest

from facefusion_live.app.environment import Home, start_logging
from facefusion_live.app.log_masking import MaskedFormatter, masked
from facefusion_live.domain.errors import SinkOpenError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtmp://studio.anna.example/live/s3cr3t: nobody listens there", "<address>: nobody listens there"),
        ("rtsps://anna:pw@10.0.0.7:554/cam (timed out)", "<address> (timed out)"),
        (
            "[Errno 28] No space left on device: '/home/anna/.local/audit'",
            "[Errno 28] No space left on device: '<path>'",
        ),
        ("/home/anna/Videos/My Film.mp4: there is no such file", "<path>: there is no such file"),
        ("inswapper_128.onnx: the graph is damaged", "<path>: the graph is damaged"),
        ("udp://239.0.0.1:1234", "<address>"),
        ("no answer from 192.168.4.20", "no answer from <ip>"),
        ("write to anna@corp.example", "write to <mail>"),
        ("~anna/film", "<path>"),
        ("the render thread ended", "the render thread ended"),
        ("1280x720 at 30", "1280x720 at 30"),
        ("first\n/home/anna/second", "first\n<path>"),
    ],
)
def test_what_tells_of_people_becomes_its_kind_and_the_reason_stays(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert masked(shown) == shown


@pytest.fixture
def log() -> tuple[logging.Logger, io.StringIO]:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(MaskedFormatter("%(levelname)s %(message)s"))
    logger = logging.Logger("test")  # noqa: LOG001 (of nobody else's)
    logger.addHandler(handler)
    return logger, out


def test_only_what_was_handed_over_is_masked(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, out = log
    logger.error("input/output of %s at %d: %s", Path("/home/anna/x"), 30, SinkOpenError("rtmp://a.b/k: refused"))
    logger.info("%(where)s: %(count)d", {"where": "/home/anna/x", "count": 3})
    logger.info("plain")
    assert out.getvalue().splitlines() == [
        "ERROR input/output of <path> at 30: <address>: refused",
        "INFO <path>: 3",
        "INFO plain",
    ]


def test_a_traceback_tells_modules_and_no_folders(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, out = log
    try:
        Path("/home/anna/Secret Film.mp4").read_bytes()
    except OSError:
        logger.exception("unexpected")
    told = out.getvalue()
    assert "FileNotFoundError: [Errno 2] No such file or directory: '<path>'" in told
    assert "test_log_masking:" in told
    assert "in test_a_traceback_tells_modules_and_no_folders" in told
    assert str(Path(__file__).parent) not in told
    assert masked('  File "/home/anna/ffl/facefusion_live/engine/session.py", line 3, in start') == (
        "  facefusion_live.engine.session:3 in start"
    )
    assert masked('  File "/opt/x/lib/site-packages/cv2/gapi.py", line 3') == "  cv2.gapi:3"


def test_the_programs_own_log_is_written_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("facefusion_live")
    monkeypatch.setattr(logger, "handlers", [])
    home = Home(tmp_path, tmp_path, tmp_path / "logs")
    start_logging(home)
    logger.error("failed: %s", "rtmp://studio.anna.example/live/s3cr3t: nobody listens there")
    for handler in logger.handlers:
        handler.close()
    assert home.log_file.read_text().endswith("failed: <address>: nobody listens there\n")
