"""Nothing is left out of a picture before the reason is on the disk."""

from collections.abc import Iterator

import pytest

from facefusion_live.app.disclosure import Disclosure
from facefusion_live.domain.audit.canonical import STANDARD
from facefusion_live.domain.audit.errors import AuditStoreError
from facefusion_live.domain.disclosure import Part
from facefusion_live.domain.errors import BadInputError, SettingsError
from facefusion_live.domain.mark import payload_of
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.trail import AuditTrail
from tests.fakes.audit import FakeAuditClock, MemoryDisk

WAIT_S = 5.0


def asking(*, show: bool = True, mark: bool = True, check: bool = True, reason: str = "") -> Settings:
    values = {"label.show": show, "label.mark": mark, "content.check": check}
    return Settings().with_values(values | {"label.reason": reason, "content.reason": reason})


WITHOUT_LABEL = asking(show=False, reason="measuring pixels")


@pytest.fixture
def disk() -> MemoryDisk:
    return MemoryDisk()


@pytest.fixture
def trail(disk: MemoryDisk) -> Iterator[AuditTrail]:
    with AuditTrail(disk.open, clock=FakeAuditClock(), codec=STANDARD, user="anna", linger_s=0.005) as trail:
        yield trail


def acts(disk: MemoryDisk) -> list[tuple[str, str]]:
    return [(row["action"], row["target"]) for row in disk.events() if row["action"].startswith(("label.", "content."))]


def test_settings_alone_leave_nothing_out(trail: AuditTrail, disk: MemoryDisk) -> None:
    disclosure = Disclosure(trail)
    disclosure.follow(asking(show=False, mark=False, reason="a reason in a preset"))
    trail.flush()
    assert disclosure.left_out == frozenset()
    assert disclosure.asked == {Part.LABEL, Part.MARK}
    assert acts(disk) == []


def test_a_reason_on_record_leaves_out_what_was_asked_for(trail: AuditTrail, disk: MemoryDisk) -> None:
    disclosure = Disclosure(trail)
    disclosure.follow(asking(show=False, mark=False))
    disclosure.grant("  the broadcaster   adds its own ").result(WAIT_S)
    assert disclosure.left_out == {Part.LABEL, Part.MARK}
    assert disclosure.asked == frozenset()
    assert disclosure.reason == "the broadcaster adds its own"
    assert acts(disk) == [("label.off", "label"), ("label.off", "mark")]
    reasons = {row["metadata"]["reason"] for row in disk.events() if row["action"] == "label.off"}
    assert reasons == {"the broadcaster adds its own"}


def test_switching_on_needs_nobody_and_the_next_time_is_asked_again(trail: AuditTrail, disk: MemoryDisk) -> None:
    disclosure = Disclosure(trail)
    disclosure.begin(WITHOUT_LABEL)
    disclosure.follow(asking())
    assert disclosure.left_out == frozenset()
    assert disclosure.reason == ""
    disclosure.follow(WITHOUT_LABEL)
    assert disclosure.left_out == frozenset()
    assert disclosure.asked == {Part.LABEL}
    trail.flush()
    assert acts(disk) == [("label.off", "label"), ("label.on", "label")]


def test_what_cannot_be_put_on_record_stays_in_the_picture(trail: AuditTrail, disk: MemoryDisk) -> None:
    trail.flush()
    disk.broken = True
    disclosure = Disclosure(trail)
    with pytest.raises(AuditStoreError):
        disclosure.begin(WITHOUT_LABEL)
    assert disclosure.left_out == frozenset()
    disk.broken = False


def test_without_a_record_nothing_is_left_out() -> None:
    disclosure = Disclosure(None)
    with pytest.raises(BadInputError, match="on record only"):
        disclosure.begin(WITHOUT_LABEL)
    assert disclosure.left_out == frozenset()
    assert disclosure.payload == 0


@pytest.mark.parametrize("reason", ["", "   ", "no", "a" * 301])
def test_a_reason_that_says_nothing_is_refused(reason: str, trail: AuditTrail, disk: MemoryDisk) -> None:
    disclosure = Disclosure(trail)
    disclosure.follow(asking(mark=False))
    with pytest.raises(SettingsError, match="reason"):
        disclosure.grant(reason)
    with pytest.raises(SettingsError, match="reason"):
        disclosure.begin(asking(mark=False, reason=reason))
    trail.flush()
    assert acts(disk) == []


def test_a_reason_that_nobody_asked_for_changes_nothing(trail: AuditTrail, disk: MemoryDisk) -> None:
    disclosure = Disclosure(trail)
    disclosure.grant("just so").result(WAIT_S)
    trail.flush()
    assert disclosure.left_out == frozenset()
    assert acts(disk) == []


def test_what_was_wanted_again_meanwhile_stays(trail: AuditTrail) -> None:
    disclosure = Disclosure(trail)
    disclosure.follow(asking(show=False, mark=False))
    granted = disclosure.grant("measuring pixels")
    disclosure.follow(asking(mark=False))
    granted.result(WAIT_S)
    assert disclosure.left_out == {Part.MARK}


def test_the_payload_leads_to_the_session(trail: AuditTrail) -> None:
    disclosure = Disclosure(trail)
    payloads: list[int] = []
    for _ in range(2):
        trail.record("session.start", "camera:0", "success", {})
        assert disclosure.payload == payload_of(trail.session_id)
        payloads.append(disclosure.payload)
    assert payloads[0] != payloads[1]
    # Literal: part of the format.
    assert payload_of("sess_01ARZ3NDEKTSV4RRFFQ69G5FAV") == 0xB00642


def test_the_nudity_check_is_left_out_with_a_reason_of_its_own(trail: AuditTrail, disk: MemoryDisk) -> None:
    disclosure = Disclosure(trail)
    wanted = asking(show=False, check=False, reason="measuring pixels").with_values({"content.reason": "life drawing"})
    disclosure.begin(wanted)
    assert disclosure.left_out == {Part.CONTENT, Part.LABEL}
    assert disclosure.reason == "life drawing; measuring pixels"
    disclosure.follow(wanted.with_values({"content.check": True}))
    trail.flush()
    assert disclosure.reason == "measuring pixels"
    assert acts(disk) == [("content.off", "content"), ("label.off", "label"), ("content.on", "content")]
