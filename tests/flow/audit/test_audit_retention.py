"""Old rows are archived when a session starts, while rows come: nothing is deleted before its archive was read back."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from facefusion_live.adapters.storage import pruning
from facefusion_live.adapters.storage.archive import Archive
from facefusion_live.adapters.storage.store import SqliteStore
from facefusion_live.app import audit_retention, audit_wiring
from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.domain.audit.errors import AuditStoreError
from facefusion_live.domain.audit.event import Row
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.domain.audit.report import exit_code
from facefusion_live.engine.trail import AuditTrail
from facefusion_live.engine.trail_writer import Notice
from tests.fakes.audit_disk import verifier_says

DAYS = 180
HALF_A_YEAR_NS = 200 * 86_400_000_000_000


@pytest.fixture
def told() -> list[Notice]:
    return []


@pytest.fixture
def home(tmp_path: Path, told: list[Notice], monkeypatch: pytest.MonkeyPatch) -> AuditHome:
    """A home whose rows are 200 days old, all but what is written from now on."""
    home = AuditHome(tmp_path, keyring=False, notify=told.append)
    written(home, monkeypatch, -HALF_A_YEAR_NS, 50)
    return home


def written(home: AuditHome, monkeypatch: pytest.MonkeyPatch, off_ns: int, rows: int = 1) -> None:
    """Rows of a start whose clock is off."""
    now = audit_wiring.SystemClock

    class Off(now):
        def __init__(self) -> None:
            super().__init__()
            real = self.utc_ns
            self.utc_ns = lambda: real() + off_ns
            self.boot_id = "0" * 32

    with monkeypatch.context() as patch:
        patch.setattr(audit_wiring, "SystemClock", Off)
        with home.open_trail() as trail:
            for _ in range(rows):
                trail.record("consent.grant", "source:abc", "success", {})


@pytest.fixture
def trail(home: AuditHome) -> Iterator[AuditTrail]:
    with home.open_trail() as trail:
        trail.record("session.start", "synthetic", "success", {})
        yield trail


def settle(trail: AuditTrail) -> None:
    """What the first flush waits for may have told the writer of a failure: that is waited for, too."""
    trail.flush()
    trail.flush()


def pruned(home: AuditHome) -> list[int]:
    """Up to which row each pruning went."""
    return [row["metadata"]["pruned_to"] for row in home.reader().query(Filter(action="audit.prune"))]


def verdict(home: AuditHome) -> tuple[int, int]:
    return exit_code(home.verify()), verifier_says(home.layout.folder)


def test_old_rows_go_into_an_archive_and_the_log_stays_intact(home: AuditHome, trail: AuditTrail) -> None:
    home.retain(trail, DAYS)
    settle(trail)
    (last,) = pruned(home)
    assert last == 51
    assert home.reader().query(Filter())[0]["seq"] == 52
    trail.close()
    assert verdict(home) == (0, 0)
    assert home.verify()[0].first_seq == 1


def test_a_second_start_of_the_day_finds_nothing_to_do(home: AuditHome, trail: AuditTrail) -> None:
    for _ in range(2):
        home.retain(trail, DAYS)
        settle(trail)
        settle(trail)
    assert len(pruned(home)) == 1


@pytest.mark.parametrize("days", [0, 201])
def test_what_is_young_enough_stays(home: AuditHome, trail: AuditTrail, days: int) -> None:
    home.retain(trail, days)
    settle(trail)
    assert pruned(home) == []


def test_a_backlog_goes_in_portions_with_rows_in_between(
    home: AuditHome, trail: AuditTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_retention, "PORTION_ROWS", 20)
    home.retain(trail, DAYS)
    trail.record("label.on", "label", "success", {})
    for _ in range(4):
        settle(trail)
    assert pruned(home) == [20, 40, 51]
    actions = [row["action"] for row in home.reader().query(Filter())]
    assert actions.index("label.on") < len(actions) - 1 - actions[::-1].index("audit.prune")
    trail.close()
    assert verdict(home) == (0, 0)


def faults(home: AuditHome) -> list[tuple[str, dict[str, object]]]:
    return [(row["status"], row["metadata"]) for row in home.reader().query(Filter(action="audit.fault"))]


def test_an_archive_that_cannot_be_written_is_told_and_nothing_is_deleted(
    home: AuditHome, trail: AuditTrail, told: list[Notice], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Archive:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pruning, "write_archive", full)
    home.retain(trail, DAYS)
    trail.record("label.on", "label", "success", {})
    settle(trail)
    (notice,) = [each for each in told if each.rule == "not_archived"]
    assert "none was deleted" in notice.message
    assert (pruned(home), trail.healthy, home.reader().query(Filter())[0]["seq"]) == ([], True, 1)
    assert faults(home) == [("failure", {"what": "archive", "phase": "start", "error_type": "OSError"})]
    with pytest.raises(AuditStoreError, match="No space left"):
        home.prune(DAYS, trail)
    settle(trail)
    assert len(faults(home)) == 1  # still the same one
    monkeypatch.undo()
    home.retain(trail, DAYS)
    settle(trail)
    trail.close()
    assert faults(home)[1:] == [("success", {"what": "archive", "phase": "end"})]
    assert pruned(home)
    assert verdict(home) == (0, 0)


def test_an_archive_that_reads_back_otherwise_is_told_and_nothing_is_deleted(
    home: AuditHome, trail: AuditTrail, told: list[Notice], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Archive.rows

    def without_row_7(self: Archive) -> Iterator[Row]:
        return (row for row in real(self) if row.seq != 7)

    monkeypatch.setattr(Archive, "rows", without_row_7)
    home.retain(trail, DAYS)
    settle(trail)
    assert [each.rule for each in told if each.rule == "not_archived"] == ["not_archived"]
    assert pruned(home) == []


def test_a_crash_between_the_row_and_the_deletion_is_made_up_for(
    home: AuditHome, trail: AuditTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crash:
        crash.setattr(SqliteStore, "drop_pruned", lambda *_: None)
        home.retain(trail, DAYS)
        settle(trail)
        trail.close()
    assert verdict(home) == (0, 0)  # put on record, not deleted: nothing is missing
    (named,) = home.layout.archive.iterdir()
    with home.open_trail() as again:
        home.retain(again, DAYS)
        settle(again)
    assert verdict(home) == (0, 0)
    assert list(home.layout.archive.iterdir()) == [named]
    assert home.reader().query(Filter())[0]["seq"] == pruned(home)[0] + 1


def test_an_archive_that_a_crash_left_behind_misleads_nobody(home: AuditHome, trail: AuditTrail) -> None:
    home.retain(trail, DAYS)
    settle(trail)
    (good,) = home.layout.archive.iterdir()
    first = good.name.partition(".")[0]
    orphan = home.layout.archive / f"{first}.{52:012d}-{54:012d}.ndjson.zst"
    orphan.write_bytes(b"begun, and never put on record")
    trail.close()
    assert verdict(home) == (0, 0)
    with home.open_trail() as again:
        settle(again)
        plan = pruning.prepare(home.layout, home.layout.main, "2999-01-01", most=2)
    assert plan is not None
    assert sorted(home.layout.archive.iterdir()) == [good, plan.archive]


def test_a_daily_file_stays_while_one_of_its_rows_does(home: AuditHome, monkeypatch: pytest.MonkeyPatch) -> None:
    written(home, monkeypatch, 0)
    written(home, monkeypatch, -HALF_A_YEAR_NS)  # the clock went back
    written(home, monkeypatch, 0)
    assert home.prune(DAYS)["pruned"] > 0
    home.prune(DAYS)
    in_files = {
        orjson.loads(line)["seq"] for file in home.layout.ndjson.iterdir() for line in file.read_bytes().splitlines()
    }
    assert {row["seq"] for row in home.reader().query(Filter())} <= in_files
    assert verdict(home) == (0, 0)


def test_a_row_of_a_clock_far_ahead_holds_back_no_old_rows(home: AuditHome, monkeypatch: pytest.MonkeyPatch) -> None:
    written(home, monkeypatch, 20 * HALF_A_YEAR_NS)
    written(home, monkeypatch, -HALF_A_YEAR_NS)
    written(home, monkeypatch, 0)
    home.prune(DAYS)
    left = [row["timestamp"] for row in home.reader().query(Filter())]
    assert left
    assert min(left) > home.prune(DAYS)["before"]
    assert verdict(home) == (0, 0)


def test_rows_of_a_clock_ahead_are_not_given_up_as_old(home: AuditHome, monkeypatch: pytest.MonkeyPatch) -> None:
    written(home, monkeypatch, HALF_A_YEAR_NS, 7)
    home.prune(DAYS)
    assert len(home.reader().query(Filter(action="consent.grant"))) == 7
