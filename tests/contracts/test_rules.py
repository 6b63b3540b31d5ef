"""The rules of tests/conftest.py hold: a skip can be forbidden, and no thread stays behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import support
from tests.conftest import REQUIRE_ALL
from tests.support import ROOT, shared_path

SCENES = {
    "test_skipping.py": """
import pytest

def test_skips():
    pytest.skip("no such camera")

@pytest.mark.xfail(strict=True)
def test_is_known_to_fail():
    assert False

def test_passes():
    pass
""",
    "test_whole_module.py": """
import pytest

pytest.skip("no such driver", allow_module_level=True)
""",
    "test_threads.py": """
import threading

stop = threading.Event()

def test_leaves_a_daemon_of_the_program():
    threading.Thread(target=stop.wait, name="render", daemon=True).start()

def test_leaves_a_foreign_daemon():
    threading.Thread(target=stop.wait, name="someone else", daemon=True).start()

def test_waits_for_its_thread():
    thread = threading.Thread(target=lambda: None, name="sink recording")
    thread.start()
    thread.join()
""",
}


def outcomes(folder: Path, names: list[str], *, require_all: bool) -> str:
    """What pytest says of some scenes under the rules."""
    for name in names:
        (folder / name).write_text(SCENES[name], "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:pytest-qt", "-p", "tests.conftest", *names]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), REQUIRE_ALL: "1" if require_all else "0"}
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return run.stdout


def test_a_skip_is_a_skip_on_a_bare_machine(tmp_path: Path) -> None:
    told = outcomes(tmp_path, ["test_skipping.py", "test_whole_module.py"], require_all=False)
    assert "1 passed, 2 skipped, 1 xfailed" in told


def test_a_skip_is_a_failure_where_everything_must_be_there(tmp_path: Path) -> None:
    told = outcomes(tmp_path, ["test_skipping.py"], require_all=True)
    assert "1 failed, 1 passed, 1 xfailed" in told
    assert "no such camera" in told


def test_a_skipped_module_is_an_error_where_everything_must_be_there(tmp_path: Path) -> None:
    told = outcomes(tmp_path, ["test_whole_module.py"], require_all=True)
    assert "1 error" in told
    assert "no such driver" in told


def test_a_thread_left_behind_is_named(tmp_path: Path) -> None:
    told = outcomes(tmp_path, ["test_threads.py"], require_all=False)
    assert "3 passed, 1 error" in told
    assert "threads left behind: render" in told
    assert "someone else" not in told


def test_what_is_not_shared_is_skipped_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(support, "_SHARED", tmp_path)
    with pytest.raises(pytest.skip.Exception, match=r"needs \.\./shared/media"):
        shared_path("media")
    (tmp_path / "media").mkdir()
    assert shared_path("media") == tmp_path / "media"
