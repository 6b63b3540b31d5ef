import threading
import time
from collections.abc import Callable, Iterator

import pytest

from facefusion_live.domain.audit.canonical import STANDARD
from facefusion_live.domain.audit.errors import AuditStoreError, EventError, StoreHangsError
from facefusion_live.domain.audit.flood import Loss, LossAccount
from facefusion_live.domain.audit.report import exit_code
from facefusion_live.engine import trail_intake, trail_log
from facefusion_live.engine.trail import AuditTrail
from facefusion_live.engine.trail_writer import Notice
from tests.fakes.audit import FakeAuditClock, MemoryDisk, MemoryLossBook

WAIT_S = 5.0


class Bench:
    """A trail over a fake disk."""

    def __init__(self) -> None:
        self.disk, self.clock, self.notices = MemoryDisk(), FakeAuditClock(), list[Notice]()
        self.losses = MemoryLossBook()
        self.trail = self.start()

    def start(self, linger_s: float = 0.005) -> AuditTrail:
        self.trail = AuditTrail(
            self.disk.open,
            clock=self.clock,
            codec=STANDARD,
            user="anna",
            notify=self.notices.append,
            linger_s=linger_s,
            retry_s=0.5,
            losses=self.losses,
        )
        return self.trail

    def change(self, value: float = 0.5) -> None:
        self.trail.record("settings.change", "settings", "success", {"fields": {"look.opacity": (1.0, value)}})

    def fail_frame(self, index: int, stage: str = "swap") -> None:
        metadata = {"frame_index": index, "stage": stage, "error_type": "InferenceError"}
        self.trail.record("frame.failed", "camera:0", "failure", metadata)

    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.notices]

    def balanced(self) -> bool:
        counts = self.trail.counts
        return counts.offered == counts.stored + counts.suppressed + counts.gap


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def bench() -> Iterator[Bench]:
    before = threading.active_count()
    bench = Bench()
    yield bench
    bench.disk.broken = False
    bench.trail.close()
    assert threading.active_count() == before
    assert bench.disk.opened == bench.disk.closed
    assert bench.balanced()
    if bench.disk.rows:
        assert exit_code([bench.disk.report()]) == 0, bench.disk.report().findings


def test_a_new_log_begins_with_its_genesis_and_is_sealed_at_once(bench: Bench) -> None:
    bench.trail.flush()
    assert bench.disk.actions() == ["log.genesis"]
    assert [size for size, _ in bench.disk.notes] == [1]
    assert bench.disk.events()[0]["metadata"] == {
        "public_key": bench.disk.tip.public_key.hex(),
        "reason": "first",
    }


def test_settings_in_force_at_the_start_are_told_as_changes_are(bench: Bench) -> None:
    bench.trail.record("session.start", "camera:0", "success", {"fps": 30, "fields": {"look.opacity": (1.0, 0.85)}})
    bench.trail.flush()
    fields = [{"field": "look.opacity", "old_milli": 1000, "new_milli": 850}]
    assert bench.disk.events()[-1]["metadata"] == {"fps": 30, "fields": fields}


def test_rows_carry_masked_people_and_tidy_metadata(bench: Bench) -> None:
    bench.trail.record(
        "export.video",
        "/home/anna/secret.mp4",
        "success",
        {"Blend": 0.85, "file": "/home/anna/out.mp4", "list": [0.5, 1], "nan": float("nan"), "big": 2**60},
        user="team-a-anna",
        client_ip="10.0.0.7",
    )
    bench.trail.flush()
    event = bench.disk.events()[-1]
    assert event["user_id"] == "team-a-"
    assert event["client_ip"].startswith("hmac:")
    assert event["target"].startswith("other:hmac:")
    assert event["metadata"]["blend_milli"] == 850
    assert event["metadata"]["list_milli"] == [500, 1000]
    assert event["metadata"]["file"].startswith("path:hmac:")
    assert (event["metadata"]["nan"], event["metadata"]["big"]) == ("nan", str(2**60))
    assert b"anna" not in bench.disk.rows[-1].body


def test_a_commit_of_several_settings_is_one_row_with_old_and_new_values(bench: Bench) -> None:
    fields = {"look.opacity": (1.0, 0.85), "gate.hold_ms": (500, 250), "gate.slate": ("card", "pixelate")}
    bench.trail.record("settings.change", "settings", "success", {"fields": fields, "revision": 3})
    bench.trail.flush()
    assert bench.disk.events()[-1]["metadata"] == {
        "fields": [
            {"field": "look.opacity", "old_milli": 1000, "new_milli": 850},
            {"field": "gate.hold_ms", "old": 500, "new": 250},
            {"field": "gate.slate", "old": "card", "new": "pixelate"},
        ],
        "revision": 3,
    }


def test_metadata_over_4_kib_are_told_by_size_and_digest(bench: Bench) -> None:
    bench.trail.record("model.load", "model:x", "success", {"text": ["x y"] * 1500})
    bench.trail.flush()
    assert set(bench.disk.events()[-1]["metadata"]) == {"oversize_bytes", "sha256"}


def test_a_session_has_its_own_id_and_key_and_is_sealed_at_both_ends(bench: Bench) -> None:
    before = bench.trail.session_id
    bench.trail.record("session.start", "camera:0", "success", {})
    first = bench.trail.session_id
    bench.change()
    bench.trail.record("session.stop", "camera:0", "success", {"frames": 7})
    bench.trail.record("session.start", "camera:0", "success", {})
    bench.trail.flush()
    assert before == first != bench.trail.session_id
    actions = bench.disk.actions()
    assert actions == [
        "log.genesis",
        "key.rotate",
        "session.start",
        "settings.change",
        "session.stop",
        "key.rotate",
        "session.start",
    ]
    assert [size for size, _ in bench.disk.notes] == [1, 2, 3, 5, 6, 7]
    assert [event["metadata"]["epoch"] for event in bench.disk.events() if event["action"] == "key.rotate"] == [1, 2]
    assert bench.disk.report().epochs == 3


def test_record_does_not_wait_for_a_disk_that_hangs(bench: Bench) -> None:
    bench.trail.flush()
    bench.disk.gate = threading.Event()
    started = time.monotonic()
    for _ in range(200):
        bench.trail.record("label.on", "label", "success", {})
    assert time.monotonic() - started < 0.5
    bench.disk.gate.set()
    bench.trail.flush()
    assert bench.trail.counts.stored == 200


def test_waiting_rows_are_stored_in_groups(bench: Bench) -> None:
    bench.trail.close()
    bench.start(linger_s=5.0)
    bench.trail.flush()
    bench.disk.batches.clear()
    for _ in range(trail_intake.BATCH_ROWS):
        bench.trail.record("label.on", "label", "success", {})
    deadline = time.monotonic() + WAIT_S
    while bench.trail.counts.stored < trail_intake.BATCH_ROWS and time.monotonic() < deadline:
        time.sleep(0.005)
    assert bench.disk.batches[0] > 1
    assert sum(bench.disk.batches) == trail_intake.BATCH_ROWS


def test_a_queue_that_is_full_counts_what_it_cannot_take(bench: Bench) -> None:
    bench.trail.flush()
    bench.disk.gate = threading.Event()
    bench.trail.record("label.on", "label", "success", {})
    time.sleep(0.1)  # the writer hangs on that one
    for _ in range(9000):
        bench.trail.record("label.on", "label", "success", {})
    bench.disk.gate.set()
    bench.trail.flush()
    bench.clock.pass_s(2.0)
    bench.trail.flush()
    bench.trail.flush()
    gap = next(event for event in bench.disk.events() if event["action"] == "audit.gap")
    assert gap["metadata"]["counts"] == {"label_on": bench.trail.counts.gap}
    assert bench.trail.counts.gap > 0


def test_a_durable_row_is_on_the_disk_when_its_future_is_set(bench: Bench) -> None:
    seq = bench.trail.record_durably("export.audit", "export", "success", {}).result(WAIT_S)
    assert bench.disk.rows[seq - 1].seq == seq
    assert bench.disk.events()[seq - 1]["action"] == "export.audit"


def test_the_flood_limit_counts_what_it_turns_away_and_says_so_at_once(bench: Bench) -> None:
    for _ in range(50):
        bench.change()
    bench.trail.record("consent.revoke", "source:abc", "success", {})
    bench.trail.flush()
    assert bench.trail.counts.suppressed == 30
    bench.clock.pass_s(0.01)
    bench.trail.close()
    told = [event["metadata"] for event in bench.disk.events() if event["action"] == "audit.suppressed"]
    assert sum(each["counts"]["settings_change"] for each in told) == sum(each["total"] for each in told) == 30
    assert len(told) <= 2
    assert "consent.revoke" in bench.disk.actions()
    assert "suppressed" in bench.kinds()


def test_tokens_come_back(bench: Bench) -> None:
    for _ in range(20):
        bench.change()
    bench.clock.pass_s(1.0)
    for _ in range(11):
        bench.change()
    bench.trail.flush()
    assert bench.trail.counts.suppressed == 1


def test_a_new_session_has_a_burst_of_its_own(bench: Bench) -> None:
    for _ in range(20):
        bench.change()
    bench.trail.record("session.start", "camera:0", "success", {})
    for _ in range(20):
        bench.change()
    bench.trail.flush()
    assert bench.trail.counts.suppressed == 0


def test_a_run_of_failed_frames_is_one_row_at_its_start_and_one_at_its_end(bench: Bench) -> None:
    for index in range(100, 190):
        bench.fail_frame(index)
        bench.clock.pass_s(1 / 30)
    bench.fail_frame(500, stage="detect")
    bench.clock.pass_s(1.5)
    deadline = time.monotonic() + WAIT_S
    while bench.disk.actions().count("frame.failed") < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    rows = [event["metadata"] for event in bench.disk.events() if event["action"] == "frame.failed"]
    assert [(row["phase"], row["stage"], row["streak"]) for row in rows] == [
        ("start", "swap", 1),
        ("start", "detect", 1),
        ("end", "swap", 90),
    ]
    assert (rows[2]["first_frame_index"], rows[2]["frame_index"]) == (100, 189)
    assert bench.trail.counts.failed_frames == 91
    assert bench.trail.counts.offered == 3


def test_rows_that_end_runs_pay_as_others_do(bench: Bench) -> None:
    for kind in range(30):
        for index in range(2):
            bench.fail_frame(index, stage=f"s{kind}")
    bench.trail.flush()
    bench.clock.pass_s(1.5)
    bench.trail.flush()
    bench.trail.close()
    actions = bench.disk.actions()
    assert actions.count("frame.failed") == 20 + 15, "a burst, and what came back in 1.5 s"
    assert bench.trail.counts.suppressed == 60 - 35
    told = [event["metadata"]["total"] for event in bench.disk.events() if event["action"] == "audit.suppressed"]
    assert sum(told) == 25


def test_the_end_of_a_session_ends_its_runs(bench: Bench) -> None:
    bench.trail.record("session.start", "camera:0", "success", {})
    bench.fail_frame(1)
    bench.fail_frame(2)
    bench.trail.record("session.stop", "camera:0", "success", {})
    bench.trail.flush()
    assert bench.disk.actions()[-3:] == ["frame.failed", "frame.failed", "session.stop"]


def test_a_failing_store_refuses_durable_acts_and_tells_of_the_gap_when_it_is_back(bench: Bench) -> None:
    bench.trail.flush()
    bench.disk.broken = True
    bench.change()
    with pytest.raises(AuditStoreError):
        bench.trail.record_durably("label.off", "label", "success", {}).result(WAIT_S)
    assert not bench.trail.healthy
    bench.trail.record("consent.revoke", "source:abc", "success", {})
    bench.trail.flush()
    with pytest.raises(AuditStoreError):
        bench.trail.checkpoint().result(WAIT_S)
    with pytest.raises(AuditStoreError):
        bench.trail.submit(lambda store: store.publish([])).result(WAIT_S)
    bench.disk.broken = False
    bench.clock.pass_s(1.0)
    bench.trail.flush()
    assert bench.trail.healthy
    kept, gap = bench.disk.events()[-2:]
    assert kept["action"] == "settings.change"  # the row that met the failure; nobody was refused for it
    assert gap["action"] == "audit.gap"
    assert gap["metadata"]["counts"] == {"label_off": 1, "consent_revoke": 1}
    assert bench.kinds() == ["failed", "recovered"]
    assert bench.trail.counts.gap == 2


def test_a_store_that_fails_after_its_commit_loses_nothing_and_counts_right(bench: Bench) -> None:
    bench.trail.flush()
    bench.disk.breaks_after_commit = True
    with pytest.raises(AuditStoreError):
        bench.trail.record_durably("label.off", "label", "success", {}).result(WAIT_S)
    bench.clock.pass_s(1.0)
    bench.trail.flush()
    assert bench.disk.actions() == ["log.genesis", "label.off"]
    assert (bench.trail.counts.stored, bench.trail.counts.gap) == (1, 0)


def test_an_account_that_was_stored_in_doubt_is_not_told_twice(bench: Bench) -> None:
    bench.trail.flush()
    bench.disk.broken = True
    with pytest.raises(AuditStoreError):
        bench.trail.record_durably("label.off", "label", "success", {}).result(WAIT_S)
    bench.trail.flush()
    bench.disk.broken, bench.disk.breaks_after_commit = False, True
    bench.clock.pass_s(1.0)
    bench.trail.flush()
    bench.clock.pass_s(1.0)
    bench.trail.flush()
    assert bench.disk.actions() == ["log.genesis", "audit.gap"]


def test_an_error_that_nobody_foresaw_counts_as_a_failing_store(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.trail.flush()

    def bug(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(trail_log, "seal", bug)
        with pytest.raises(AuditStoreError):
            bench.trail.record_durably("label.off", "label", "success", {}).result(WAIT_S)
    bench.clock.pass_s(2.0)
    with pytest.raises(ZeroDivisionError):
        bench.trail.submit(lambda _store: 1 // 0).result(WAIT_S)
    bench.clock.pass_s(2.0)
    bench.trail.flush()
    assert bench.trail.record_durably("label.off", "label", "success", {}).result(WAIT_S) == 3


def test_seals_fall_due_by_count_and_by_age(bench: Bench) -> None:
    for _ in range(250):
        bench.trail.record("label.on", "label", "success", {})
    bench.trail.flush()
    assert bench.disk.report().last_seq - bench.disk.notes[-1][0] < 100
    bench.change()
    bench.trail.flush()
    bench.clock.pass_s(61)
    deadline = time.monotonic() + WAIT_S
    while bench.disk.notes[-1][0] != len(bench.disk.rows) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert bench.disk.notes[-1][0] == len(bench.disk.rows)


def test_what_falls_due_by_the_clock_is_done_while_nothing_comes(bench: Bench) -> None:
    """The writer dozes then: the end of a run of failures, and a checkpoint before a row has waited for a minute."""
    bench.fail_frame(1)
    bench.fail_frame(2)
    bench.trail.flush()
    time.sleep(0.3)
    bench.clock.pass_s(1.1)
    _until(lambda: bench.disk.actions()[-1:] == ["frame.failed"] and len(bench.disk.rows) == 3)
    assert bench.disk.events()[-1]["metadata"]["phase"] == "end"
    assert [size for size, _ in bench.disk.notes] == [1]
    time.sleep(0.3)
    bench.clock.pass_s(59.95)
    _until(lambda: [size for size, _ in bench.disk.notes] == [1, 3])


def test_a_checkpoint_on_demand_covers_everything_and_is_not_repeated(bench: Bench) -> None:
    bench.change()
    first = bench.trail.checkpoint().result(WAIT_S)
    assert (first.size, bench.trail.checkpoint().result(WAIT_S)) == (2, first)
    assert [size for size, _ in bench.disk.notes] == [1, 2]


def test_alerts_reach_the_person_in_front_of_it(bench: Bench) -> None:
    bench.trail.record("label.off", "label", "success", {})
    for _ in range(11):
        bench.trail.record("export.video", "export", "success", {})
        bench.trail.record("consent.deny", "source:abc", "denied", {})
    for _ in range(3):
        bench.trail.record("auth.unlock", "operator", "denied", {})
    bench.trail.flush()
    assert {notice.rule for notice in bench.notices} == {
        "label_off",
        "many_exports",
        "many_denials",
        "many_actions",
        "failed_unlocks",
    }


def test_what_a_store_finds_on_opening_is_an_alert(bench: Bench) -> None:
    bench.trail.close()
    bench.disk.news = ("rolled_back",)
    bench.start()
    bench.trail.flush()
    assert [notice.rule for notice in bench.notices] == ["rolled_back"]


def test_callers_cannot_record_what_only_the_trail_may_say(bench: Bench) -> None:
    for action in ("audit.suppressed", "audit.prune", "log.genesis", "key.rotate", "no.such"):
        with pytest.raises(EventError):
            bench.trail.record(action, "log", "success", {})
    with pytest.raises(EventError):
        bench.trail.record("label.on", "label", "fine", {})


def test_a_closed_trail_counts_and_refuses(bench: Bench) -> None:
    with bench.trail as trail:
        trail.flush()
    trail.record("label.on", "label", "success", {})
    with pytest.raises(AuditStoreError):
        trail.record_durably("label.off", "label", "success", {}).result(WAIT_S)
    with pytest.raises(AuditStoreError):
        trail.checkpoint().result(WAIT_S)
    assert trail.counts.gap == 2


def test_closing_stores_and_seals_what_waits(bench: Bench) -> None:
    bench.fail_frame(1)
    bench.fail_frame(2)
    for _ in range(30):
        bench.change()
    bench.trail.close()
    assert bench.disk.actions().count("frame.failed") == 1, "the flood limit turned the end of the run away"
    suppressed = next(event for event in bench.disk.events() if event["action"] == "audit.suppressed")
    assert suppressed["metadata"]["counts"] == {"frame_failed": 1, "settings_change": 11}
    assert bench.disk.notes[-1][0] == len(bench.disk.rows)


def test_a_writer_that_hangs_is_told(bench: Bench) -> None:
    bench.trail.flush()
    bench.disk.gate = threading.Event()
    bench.change()
    with pytest.raises(StoreHangsError):
        bench.trail.flush(0.05)
    with pytest.raises(StoreHangsError):
        bench.trail.close(0.05)
    bench.disk.gate.set()
    bench.trail._worker.join(WAIT_S)


def test_a_moved_clock_is_on_record(bench: Bench) -> None:
    bench.change()
    bench.trail.flush()
    bench.clock.utc -= 3600 * 10**9
    assert bench.trail.record_durably("label.off", "label", "success", {}).result(WAIT_S) == 4
    assert bench.disk.actions()[-2:] == ["clock.jump", "label.off"]
    assert bench.disk.events()[-2]["metadata"] == {"moved_ms": -3_600_000}
    assert any("-3600000 ms" in notice for notice in bench.disk.report().notices)


def test_a_store_that_cannot_be_opened_at_first(bench: Bench) -> None:
    bench.trail.close()
    bench.disk.broken = True
    bench.start()
    bench.change()
    bench.trail.flush()
    assert not bench.trail.healthy
    bench.disk.broken = False
    bench.clock.pass_s(1.0)
    bench.trail.flush()
    assert bench.disk.actions()[-1] == "audit.gap"


def test_a_row_that_breaks_the_writer_is_counted_and_not_tried_for_ever(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.trail.flush()

    def bug(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(trail_log, "tidy_metadata", bug)
        bench.change()
        for _ in range(3):
            bench.trail.flush()
            bench.clock.pass_s(1.0)
    bench.trail.flush()
    assert bench.trail.healthy
    assert bench.trail.counts.gap == 1
    assert bench.trail.record_durably("label.off", "label", "success", {}).result(WAIT_S) == 3


def gaps(bench: Bench) -> list[dict[str, object]]:
    return [event["metadata"] for event in bench.disk.events() if event["action"] == "audit.gap"]


def test_what_was_lost_when_the_program_ended_is_told_at_the_next_start(bench: Bench) -> None:
    bench.trail.flush()
    bench.disk.broken = True
    for _ in range(30):
        bench.change()
    with pytest.raises(AuditStoreError):
        bench.trail.record_durably("label.off", "label", "success", {}).result(WAIT_S)
    bench.trail.close()
    bench.trail.record("label.on", "label", "success", {})  # too late for the writer, and counted all the same
    lost = bench.trail.counts.gap
    bench.disk.broken = False
    bench.start()
    bench.trail.flush()
    told = [event for event in bench.disk.events() if event["metadata"].get("earlier_start")]
    assert {event["action"]: event["metadata"]["total"] for event in told} == {
        "audit.gap": lost,
        "audit.suppressed": 10,
    }
    bench.trail.close()
    bench.start()
    bench.trail.flush()
    assert len([event for event in bench.disk.events() if event["metadata"].get("earlier_start")]) == 2


def test_a_session_that_was_killed_is_told_of_once_at_the_next_start(bench: Bench) -> None:
    bench.trail.record("session.start", "camera:0", "success", {})
    killed = bench.trail.session_id
    bench.trail.close()  # its row is there, and no session.stop: as a kill leaves it
    for _ in range(2):
        bench.start()
        bench.trail.flush()
        bench.trail.close()
    assert [notice.rule for notice in bench.notices] == ["unclean_end"]
    rotations = [event["metadata"] for event in bench.disk.events() if event["action"] == "key.rotate"]
    assert [each.get("unclean_end") for each in rotations] == [None, killed]


def test_single_acts_have_a_session_with_its_own_key_and_end(bench: Bench) -> None:
    for _ in range(2):
        for _ in range(3):
            bench.trail.ensure_session("script")
            bench.trail.record("consent.grant", "source:abc", "success", {})
        bench.trail.close()
        bench.start()
    bench.trail.flush()
    one_start = ["key.rotate", "session.start", *["consent.grant"] * 3, "session.stop"]
    assert bench.disk.actions() == ["log.genesis", *one_start, *one_start]
    keys = [event["metadata"]["public_key"] for event in bench.disk.events() if event["action"] == "key.rotate"]
    assert len(set(keys)) == 2
    sessions = {event["session_id"] for event in bench.disk.events() if event["action"] == "consent.grant"}
    assert len(sessions) == 2
    assert bench.kinds() == []


def test_a_session_that_begins_ends_that_of_single_acts(bench: Bench) -> None:
    bench.trail.ensure_session("script")
    bench.trail.next_session()
    bench.trail.record("consent.grant", "source:abc", "success", {})
    bench.trail.record("session.start", "camera:0", "success", {})
    bench.trail.ensure_session("script")
    bench.trail.record("session.stop", "camera:0", "success", {})
    bench.trail.flush()
    told = [(event["action"], event["target"]) for event in bench.disk.events() if "session" in event["action"]]
    starts = [("session.start", "script"), ("session.stop", "script")]
    assert told == [*starts, ("session.start", "camera:0"), ("session.stop", "camera:0")]
    by_action = {event["action"]: event["session_id"] for event in bench.disk.events()}
    assert by_action["consent.grant"] == by_action["session.stop"]


def test_a_session_of_ones_own_is_no_unclean_end(bench: Bench) -> None:
    bench.trail.record("session.start", "camera:0", "success", {})
    bench.trail.flush()
    bench.disk.broken = True
    bench.change()
    bench.trail.flush()
    bench.disk.broken = False
    bench.clock.pass_s(1.0)
    bench.trail.flush()
    bench.trail.record("session.stop", "camera:0", "success", {})
    bench.trail.close()
    bench.start()
    bench.trail.flush()
    assert bench.kinds() == ["failed", "recovered"]
    assert gaps(bench) == []


@pytest.mark.parametrize("by", ["a row", "a seal"])
def test_a_disk_is_called_back_when_it_has_taken_something_and_not_before(bench: Bench, by: str) -> None:
    bench.change()
    bench.trail.flush()
    bench.disk.full = True
    with pytest.raises(AuditStoreError):
        bench.trail.checkpoint().result(WAIT_S)
    for _ in range(4):  # the log can be opened, and no row waits to be put down
        bench.clock.pass_s(1.0)
        bench.trail.flush()
    assert (bench.kinds(), bench.trail.healthy) == (["failed"], False)
    bench.disk.full = False
    if by == "a row":
        bench.change()
    else:
        bench.clock.pass_s(60.0)
    bench.trail.flush()
    bench.trail.flush()
    assert (bench.kinds(), bench.trail.healthy) == (["failed", "recovered"], True)


def test_a_disk_that_can_be_opened_and_takes_nothing_is_not_called_back(bench: Bench) -> None:
    bench.trail.flush()
    bench.disk.full = True
    bench.change()
    for _ in range(4):
        bench.trail.flush()
        bench.clock.pass_s(1.0)
    assert bench.kinds() == ["failed"]
    bench.disk.full = False
    bench.trail.flush()
    bench.clock.pass_s(1.0)
    bench.trail.flush()
    assert bench.kinds() == ["failed", "recovered"]


def test_what_prepares_a_session_is_found_with_it(bench: Bench) -> None:
    for _ in range(2):
        bench.trail.next_session()
        bench.trail.next_session()
        bench.trail.record("consent.grant", "source:abc", "success", {})
        bench.trail.record("session.start", "camera:0", "success", {})
        bench.trail.record("session.stop", "camera:0", "success", {})
        bench.trail.record("export.video", "camera:0", "success", {"phase": "end"})
    bench.trail.flush()
    told = [
        event["session_id"] for event in bench.disk.events() if event["action"] not in {"log.genesis", "key.rotate"}
    ]
    assert (len(set(told[:4])), len(set(told[4:])), len(set(told))) == (1, 1, 2)


def test_what_a_session_itself_wrote_before_its_key_is_sealed_without_a_word(bench: Bench) -> None:
    """Only rows that an earlier process left unsealed are told of: that somebody came between is possible there."""
    bench.trail.record("export.video", "other:film", "success", {"phase": "start"})
    bench.trail.record("session.start", "camera:0", "success", {})
    bench.trail.record("session.stop", "camera:0", "success", {})
    bench.trail.close()
    assert bench.disk.report().notices == []
    bench.start()
    bench.change()
    bench.trail.close()
    bench.disk.notes.pop()  # the checkpoint of that end, as after a kill
    bench.disk.heads.pop()
    assert exit_code([bench.disk.report()]) == 12  # nobody can tell this row from one that somebody put there
    bench.start()
    bench.trail.checkpoint().result(WAIT_S)
    assert bench.disk.events()[-1]["metadata"]["unsealed"] == 1  # told before anything seals it
    bench.trail.record("session.start", "camera:0", "success", {})
    bench.trail.close()
    unsealed = [event["metadata"].get("unsealed") for event in bench.disk.events() if event["action"] == "key.rotate"]
    assert unsealed == [None, 1, None]
    assert "nothing had sealed the 1 rows before row 7 when that session found them" in bench.disk.report().notices


def start_that_fails(bench: Bench, action: str) -> None:
    """A session on whose way something was put on record before it failed."""

    def fail() -> None:
        bench.trail.record(action, "camera:0", "success", {})
        raise OSError("no server")

    with pytest.raises(OSError, match="no server"), bench.trail.starting("camera:0"):
        fail()


def test_a_session_that_does_not_begin_is_on_record_with_its_rows_a_key_and_an_end(bench: Bench) -> None:
    for _ in range(2):
        bench.trail.next_session()
        start_that_fails(bench, "export.video")
        bench.trail.record("export.video", "camera:0", "failure", {"phase": "end"})
    bench.trail.flush()
    told = [event for event in bench.disk.events() if event["action"] not in {"log.genesis", "key.rotate"}]
    once = ["export.video", "session.start", "session.stop", "export.video"]
    assert [event["action"] for event in told] == once * 2
    assert [event["status"] for event in told] == ["success", "failure", "failure", "failure"] * 2
    assert [event["metadata"] for event in told[1:3]] == [{"error_type": "OSError"}] * 2
    assert [len({event["session_id"] for event in told[at : at + 4]}) for at in (0, 4)] == [1, 1]
    assert bench.disk.actions().count("key.rotate") == 2
    assert bench.disk.tip.open_session == ""


def test_a_session_that_begins_is_not_called_off(bench: Bench) -> None:
    with bench.trail.starting("camera:0"):
        bench.trail.record("session.start", "camera:0", "success", {})
    start_that_fails(bench, "session.start")
    bench.trail.flush()
    told = [(event["action"], event["status"]) for event in bench.disk.events() if "session" in event["action"]]
    assert told == [("session.start", "success")] * 2 + [("session.stop", "failure")]


def faults(bench: Bench) -> list[tuple[str, dict[str, object]]]:
    return [(event["status"], event["metadata"]) for event in bench.disk.events() if event["action"] == "audit.fault"]


BROKEN = ("failure", {"what": "daily_files", "phase": "start", "error_type": "OSError"})
MENDED = ("success", {"what": "daily_files", "phase": "end"})


def test_daily_files_that_fail_are_a_row_and_an_alert_once_and_a_row_when_they_are_back(bench: Bench) -> None:
    bench.trail.flush()
    bench.disk.publish_error = "OSError"
    for _ in range(3):
        bench.clock.pass_s(1.1)
        bench.change()
        bench.trail.flush()
    bench.trail.flush()
    assert faults(bench) == [BROKEN]
    assert [notice.rule for notice in bench.notices] == ["daily_files"]
    assert bench.trail.healthy
    bench.disk.publish_error = ""
    for _ in range(2):
        bench.clock.pass_s(1.1)
        bench.change()
        bench.trail.flush()
    assert faults(bench) == [BROKEN, MENDED]
    bench.disk.publish_error = "OSError"
    bench.change()
    bench.trail.close()
    assert faults(bench) == [BROKEN, MENDED, BROKEN]
    assert [notice.rule for notice in bench.notices] == ["daily_files"] * 2


def test_a_fault_that_the_log_cannot_take_now_is_told_later(bench: Bench) -> None:
    bench.trail.flush()
    bench.disk.broken = True
    bench.change()
    bench.trail.flush()
    bench.trail.fault("archive", OSError("full"))
    bench.trail.flush()
    assert (faults(bench), bench.notices[-1].rule) == ([], "not_archived")
    bench.disk.broken = False
    bench.clock.pass_s(1.1)
    bench.trail.flush()
    bench.trail.close()
    assert faults(bench) == [("failure", {"what": "archive", "phase": "start", "error_type": "OSError"})]


def test_rows_that_wait_for_a_new_log_outlive_one_that_cannot_be_begun(bench: Bench) -> None:
    bench.trail.flush()
    bench.disk.full = True
    bench.change()
    bench.trail.flush()
    bench.disk.rows, bench.disk.notes, bench.disk.heads = [], [], []  # deleted meanwhile: a new log is due
    bench.disk.tip = MemoryDisk().tip
    for _ in range(2):
        bench.clock.pass_s(1.0)
        bench.trail.flush()
    bench.disk.full = False
    bench.clock.pass_s(1.0)
    bench.trail.flush()
    assert bench.disk.actions() == ["log.genesis", "settings.change"]
    assert bench.trail.counts.gap == 0


def test_a_loss_of_an_earlier_start_that_is_in_doubt_settles_nothing_else(bench: Bench) -> None:
    bench.trail.close()
    account = LossAccount()
    account.add("label.on", "label", "success", 1)
    bench.losses.keep([Loss("audit.gap", account.settle())])
    bench.disk.broken = True
    bench.start()
    bench.trail.flush()
    with pytest.raises(AuditStoreError):
        bench.trail.record_durably("label.off", "label", "success", {}).result(WAIT_S)
    bench.clock.pass_s(1.0)
    bench.trail.flush()
    bench.disk.broken, bench.disk.breaks_after_commit = False, True
    bench.clock.pass_s(1.0)
    bench.trail.flush()
    bench.clock.pass_s(1.0)
    bench.trail.flush()
    told = [each["counts"] for each in gaps(bench)]
    assert told.count({"label_off": 1}) == 1
    assert told.count({"label_on": 1}) >= 1  # at least once: its digest tells a double
    assert bench.losses.kept == []


def test_all_that_waits_is_stored_when_the_log_was_replaced(bench: Bench) -> None:
    bench.trail.flush()
    bench.disk.gate = threading.Event()
    bench.change()
    time.sleep(0.05)
    bench.disk.replaced = True
    for _ in range(5):
        bench.trail.checkpoint()
        bench.change()
    bench.disk.gate.set()
    bench.trail.flush()
    bench.trail.flush()
    assert bench.trail.counts.gap == 0
    assert bench.disk.actions().count("settings.change") == 6
