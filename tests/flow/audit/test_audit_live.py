"""A store that fails while a picture flows: the picture goes on, and afterwards the record tells of the loss."""

import shutil
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from facefusion_live.adapters.storage import database
from facefusion_live.app import wiring
from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.app.on_record import started_session
from facefusion_live.domain.audit.errors import AuditStoreError
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.domain.audit.report import exit_code
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.trail import AuditTrail
from facefusion_live.engine.trail_writer import Notice

WAIT_S = 20.0
PICTURES = 20
"""So many pictures must go out while the store is broken."""


def until(there: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while not there():
        assert time.monotonic() < deadline_s, "never came"
        time.sleep(0.01)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=900k", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


class Live:
    """A session over the synthetic camera with a trail of its own."""

    def __init__(self, folder: Path) -> None:
        self.notices: list[Notice] = []
        self.home = AuditHome(folder, keyring=False, notify=self.notices.append)

    @contextmanager
    def running(self) -> Iterator[AuditTrail]:
        wanted = wiring.Request(
            sources=("ada",),
            consent=None,
            input="synthetic:640x360:1x160",
            output=None,
            states=None,
            engine="mesh",
            settings=Settings(),
            offline=False,
            frame_limit=None,
        )
        with self.home.open_trail() as trail, started_session(wanted, trail=trail) as opened:
            self.session, self.store = opened.session, opened.store
            self.pictures_flow()
            yield trail

    def pictures_flow(self) -> None:
        """So many more pictures go out swapped, now."""
        before = self.session.report().state_frames["LIVE"]
        until(lambda: self.session.report().state_frames["LIVE"] >= before + PICTURES)

    def change(self) -> None:
        """A slider is let go."""
        opacity = self.store.current.look.opacity
        self.store.commit({"look.opacity": 0.95 if opacity == 1.0 else 1.0})

    def breaks(self, trail: AuditTrail) -> None:
        """What the user sees while nothing can be written."""
        self.change()
        until(lambda: not trail.healthy)
        for act in ("label.off", "passthrough.on", "consent.grant"):
            with pytest.raises(AuditStoreError) as refused:
                trail.record_durably(act, "label", "success", {}).result(WAIT_S)
            assert refused.value.advice
        trail.record("consent.revoke", "source:abc", "success", {})
        self.pictures_flow()
        assert self.session.report().leaks == 0

    def recovers(self, trail: AuditTrail) -> None:
        until(lambda: trail.healthy)
        assert trail.record_durably("label.off", "label", "success", {}).result(WAIT_S) > 0
        self.pictures_flow()

    def gap(self) -> dict[str, int]:
        """What the record says was lost."""
        lost: Counter[str] = Counter()
        for row in self.home.reader().query(Filter(action="audit.gap")):
            lost.update(row["metadata"]["counts"])
        return dict(lost)

    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.notices if notice.kind in {"failed", "recovered"}]


LOST = {"label_off": 1, "passthrough_on": 1, "consent_grant": 1, "consent_revoke": 1}
"""Not the change that met the failure: it is stored when the store is back."""


def test_the_disk_is_full(small_disk: Path) -> None:
    live = Live(small_disk / "home")
    ballast = small_disk / "ballast"
    with live.running() as trail:
        with ballast.open("wb", buffering=0) as file:
            while True:
                try:
                    file.write(bytes(512))
                except OSError:
                    break
        for index in range(200):  # what the database file has room for
            trail.record("consent.revoke", f"source:{index}", "success", {"text": "x" * 3000})
        live.breaks(trail)
        ballast.unlink()
        live.recovers(trail)
        counts = trail.counts
    assert counts.offered == counts.stored + counts.suppressed + counts.gap
    assert sum(live.gap().values()) == counts.gap > 0
    assert live.kinds()[0] == "failed"  # a small row may find room where a large one did not, and then none again
    assert live.kinds()[-1] == "recovered"
    assert exit_code(live.home.verify()) == 0


def test_the_disk_turns_read_only(small_disk: Path) -> None:
    live = Live(small_disk / "home")
    with live.running() as trail:
        trail.flush()
        with small_disk_read_only(small_disk, trail):
            live.breaks(trail)
        live.recovers(trail)
    assert live.gap() == LOST
    assert "settings.change" in {row["action"] for row in live.home.reader().query(Filter())}
    assert live.kinds() == ["failed", "recovered"]
    assert exit_code(live.home.verify()) == 0


@contextmanager
def small_disk_read_only(folder: Path, trail: AuditTrail) -> Iterator[None]:
    """Let go of the files and mount anew without the right to write, as a disk does that reports errors."""
    trail.submit(lambda store: store.close()).result(WAIT_S)
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    yield
    subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)


def test_the_file_is_deleted(tmp_path: Path) -> None:
    live = Live(tmp_path)
    with live.running() as trail:
        trail.flush()
        for path in (tmp_path / "audit").glob("audit.sqlite3*"):
            if path.suffix != ".lock":
                path.unlink()
        live.change()
        until(lambda: "replaced" in {notice.rule for notice in live.notices})
        live.recovers(trail)
        counts = trail.counts
    assert counts.gap == 0  # the change that noticed it stands in the new log
    assert set(live.gap()) == {"rows"}  # of the old one
    assert live.home.reader().query(Filter())[2]["action"] == "settings.change"
    assert exit_code(live.home.verify()) == 11  # the old log is known and gone
    genesis = live.home.reader().query(Filter(action="log.genesis"))
    assert [row["metadata"]["reason"] for row in genesis] == ["replaced"]


def test_another_process_locks_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.2)
    live = Live(tmp_path)
    with live.running() as trail:
        trail.flush()
        with closing(sqlite3.connect(live.home.layout.main, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            live.breaks(trail)
            other.execute("ROLLBACK")
        live.recovers(trail)
        counts = trail.counts
    assert counts.offered == counts.stored + counts.suppressed + counts.gap
    assert sum(live.gap().values()) == counts.gap >= len(LOST) - 1  # the last one may have waited the lock out
    assert exit_code(live.home.verify()) == 0


def test_a_second_session_beside_the_first_has_a_log_of_its_own(tmp_path: Path) -> None:
    first, second = Live(tmp_path), Live(tmp_path)
    with first.running(), second.running():
        first.change()
        second.change()
        first.pictures_flow()
        second.pictures_flow()
    assert len(first.home.logs()) == 2
    assert exit_code(first.home.verify()) == 0
    changes = first.home.reader().query(Filter(action="settings.change"))
    assert len({row["log_id"] for row in changes}) == 2


def test_a_home_that_was_never_writable_costs_no_session(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    live = Live(small_disk / "home")
    with live.running() as trail:
        live.breaks(trail)
        assert live.kinds() == ["failed"]
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
        live.recovers(trail)
    assert live.gap().items() >= LOST.items()
    assert exit_code(live.home.verify()) == 0


def test_a_disk_that_hangs_holds_up_no_picture(tmp_path: Path) -> None:
    live, gate = Live(tmp_path), threading.Event()
    with live.running() as trail:
        hanging = trail.submit(lambda _store: gate.wait(WAIT_S))
        live.change()
        live.pictures_flow()
        gate.set()
        assert hanging.result(WAIT_S)
        trail.flush()
        assert trail.counts.gap == 0
    shutil.rmtree(tmp_path / "audit")
