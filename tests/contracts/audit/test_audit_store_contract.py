"""What every `AuditStore` must do: the fake that the trail is tested with, and the one on disk."""

from collections.abc import Callable
from pathlib import Path

import pytest

from facefusion_live.adapters.storage.store import SqliteStore
from facefusion_live.domain.audit.canonical import STANDARD
from facefusion_live.domain.audit.event import LOG_GENESIS, PRUNE
from facefusion_live.domain.audit.note import ORIGIN_PREFIX, parse_note
from facefusion_live.domain.audit.ports import AuditStore
from facefusion_live.domain.audit.seal import Origin, Tip, genesis_metadata, seal
from tests.fakes.audit import BOOT, SESSION, MemoryDisk, MemoryStore, check_signature, draft
from tests.fakes.audit_disk import opener

Open = Callable[[], AuditStore]


@pytest.fixture(params=[MemoryStore, SqliteStore])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    return MemoryDisk().open if request.param is MemoryStore else opener(tmp_path).open


def begun(store: AuditStore, extra: int = 0) -> Tip:
    """Write a genesis row and some more, sealed."""
    tip = store.tip()
    drafts = [draft(LOG_GENESIS, 0, genesis_metadata(tip.public_key, Origin("first")))]
    drafts += [draft("label.on", index + 1) for index in range(extra)]
    tip, rows = seal(tip, drafts, BOOT, STANDARD)
    checkpoint = tip.checkpoint()
    store.append(rows, [(tip.size, checkpoint.signed(tip.public_key, store.sign))])
    store.mirror(checkpoint, tip.after_checkpoint(), at_once=True)
    store.publish(rows)
    return tip.after_checkpoint()


def test_a_new_log_is_empty_and_says_why(opening: Open) -> None:
    store = opening()
    assert (store.tip().size, store.origin, store.news) == (0, Origin("first"), ())
    store.close()
    store.close()


def test_what_was_appended_is_there_when_it_is_opened_again(opening: Open) -> None:
    store = opening()
    tip = begun(store, extra=4)
    assert store.publish_error == ""
    store.close()
    again = opening()
    found = again.tip()
    assert again.origin is None
    assert (found.log_id, found.size, found.prev, found.public_key) == (tip.log_id, 5, tip.prev, tip.public_key)
    assert (found.epoch, found.number, found.sealed) == (0, 1, 5)
    assert found.frontier.root() == tip.frontier.root()
    assert [row.seq for row in again.recent] == [1, 2, 3, 4, 5]
    again.close()


@pytest.mark.parametrize("last", ["session.start", "session.stop"])
def test_a_session_that_did_not_stop_is_known_when_it_is_opened_again(opening: Open, last: str) -> None:
    store = opening()
    drafts = [draft("session.start", 2), draft(last, 3)]
    _, rows = seal(begun(store), drafts, BOOT, STANDARD)
    store.append(rows, [])
    store.close()
    again = opening()
    assert again.tip().open_session == (SESSION if last == "session.start" else "")
    again.close()


def test_people_are_masked_alike_after_every_opening(opening: Open) -> None:
    secrets = set()
    for _ in range(2):
        store = opening()
        secrets.add(store.mask_secret)
        store.close()
    assert len(secrets) == 1
    assert secrets.pop()


def test_a_rotated_key_is_the_one_that_signs_from_then_on(opening: Open) -> None:
    store = opening()
    tip = begun(store)
    key = store.next_key()
    assert key != tip.public_key
    before = tip.checkpoint().signed(tip.public_key, store.sign)
    store.adopt_next_key()
    after = tip.checkpoint().signed(key, store.sign)
    origin = ORIGIN_PREFIX + tip.log_id
    assert parse_note(before).signed_by(origin, tip.public_key, check_signature)
    assert parse_note(after).signed_by(origin, key, check_signature)
    store.close()


def test_pruned_rows_are_gone(opening: Open) -> None:
    store = opening()
    tip = begun(store, extra=4)
    frontier = tip.frontier.copy()
    tip, rows = seal(tip, [draft(PRUNE, 9, {"pruned_to": 5})], BOOT, STANDARD)
    store.append(rows, [])
    store.drop_pruned(5, 6, frontier)
    store.close()
