"""Rules that hold for every test: no thread stays behind, the governor rests, and in CI a skip is a failure."""

import os
import threading
import time
from collections.abc import Iterator
from typing import Final

import pytest

from facefusion_live.engine import governing
from tests.graphics import graphics, graphics_clean
from tests.peers import _pipewire_session, _portal, conference, pipewire
from tests.sound_server import sound_server
from tests.support import qt_problem

__all__ = ["_pipewire_session", "_portal", "conference", "graphics", "graphics_clean", "pipewire", "sound_server"]

# The keyring of whoever runs the tests is none of their business; and a keyring that a test defines would be taken for
# the system's own by every test after it.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
os.environ.setdefault("FACEFUSION_LIVE_GL_DEBUG", "1")  # every call of OpenGL asks for errors, and raises them

REQUIRE_ALL: Final = "FFL_REQUIRE_ALL"
"""Set to 1 where everything that a test may need is there: nothing may be skipped then."""
PROJECT_THREADS: Final = (
    "capture",
    "inference",
    "render",
    "side",
    "audit",
    "governor",
    "session end",
    "sink ",
    "loader",
    "monitor",
    "morph",
    "warm",
    "mjpeg",
    "sound ",
)
"""How the names of the program's own threads begin. They are daemons, so their end must be checked by name."""
GRACE_S: Final = 2.0
"""How long a thread that was told to stop may take to be gone."""

pytest_plugins = [] if qt_problem() else ["pytestqt.plugin"]


def pytest_addoption(parser: pytest.Parser) -> None:
    if qt_problem():
        for name in ("qt_api", "qt_log_level_fail"):
            parser.addini(name, "known without the plugin, too")


def _skip_becomes_failure(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get(REQUIRE_ALL) == "1" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{REQUIRE_ALL}=1 allows no skip. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    report = yield
    _skip_becomes_failure(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    report = yield
    _skip_becomes_failure(report)
    return report


def _is_ours(thread: threading.Thread) -> bool:
    return not thread.daemon or thread.name.startswith(PROJECT_THREADS)


def threads_left_behind(before: set[threading.Thread], grace_s: float = GRACE_S) -> list[str]:
    """Names of threads that began after `before`, should have ended by now and have not."""
    deadline = time.monotonic() + grace_s
    begun = [thread for thread in threading.enumerate() if thread not in before and _is_ours(thread)]
    for thread in begun:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [thread.name for thread in begun if thread.is_alive()]


@pytest.fixture(autouse=True)
def _no_thread_is_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = threads_left_behind(before)
    assert not left, f"threads left behind: {', '.join(left)}"


@pytest.fixture(autouse=True)
def _busy_machines_show_the_same_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.node.get_closest_marker("governed"):
        monkeypatch.setattr(governing, "SETTLE_S", float("inf"))
