import array
import json
import math
import time
from collections import deque
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType
from typing import Any
from unicodedata import is_normalized

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from facefusion_live.adapters.storage.codec import FAST
from facefusion_live.domain.audit import canonical
from facefusion_live.domain.audit import selection as selection_module
from facefusion_live.domain.audit.alerts import AlertRules
from facefusion_live.domain.audit.canonical import STANDARD
from facefusion_live.domain.audit.errors import EventError, NotCanonicalError
from facefusion_live.domain.audit.event import Row, check_event, is_target, timestamp, ulid, utc_us
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.domain.audit.flood import LossAccount, TokenBucket, exempt
from facefusion_live.domain.audit.masking import Masker
from facefusion_live.domain.audit.merkle import Frontier, Tree, leaf_hash
from facefusion_live.domain.audit.note import Checkpoint, parse_note
from facefusion_live.domain.audit.report import LogReport, exit_code
from facefusion_live.domain.audit.seal import clock_moved_us
from facefusion_live.domain.audit.selection import Closing, Proven, Selection, verify_selection
from facefusion_live.domain.audit.streak import Streaks
from facefusion_live.domain.audit.tidy import tidy, tidy_metadata
from tests.fakes.audit import check_signature, public_bytes
from tests.fakes.audit_attacks import body, encode, genuine

KEYS = st.text("abcxyz_0189", min_size=1, max_size=8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).filter(lambda text: is_normalized("NFC", text))
INTEGERS = st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER)
PROFILE = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(PROFILE)
def test_three_writers_agree_over_the_profile(value: Any) -> None:
    reference = rfc8785.dumps(value)
    assert canonical.encode(value) == FAST.encode(value) == reference
    assert canonical.decode(reference) == FAST.decode(reference) == value


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        math.nan,
        2**53,
        -(2**53),
        "e\u0301",
        "\ud800",
        {"Key": 1},
        {"": 1},
        {1: 2},
        [[{"a": 1.0}]],
        b"bytes",
        {"a": object()},
    ],
)
def test_what_the_profile_does_not_know(value: object) -> None:
    with pytest.raises(NotCanonicalError):
        canonical.encode(value)


def test_values_may_not_be_nested_without_end() -> None:
    deep: Any = 1
    for _ in range(20):
        deep = [deep]
    with pytest.raises(NotCanonicalError):
        canonical.encode(deep)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff",
        b'{"a":1,"a":1}',
        b'{"a": 1}',
        b'{"b":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":NaN}',
        b'"\\u0041"',
        b'"\\ud800"',
        b"[" * 100_000,
    ],
)
def test_what_is_not_canonical(data: bytes) -> None:
    with pytest.raises(NotCanonicalError):
        canonical.decode(data)


def test_timestamps_have_six_digits_and_come_back() -> None:
    assert timestamp(1_760_000_000_000_001_999) == "2025-10-09T08:53:20.000001Z"
    assert timestamp(0) == "1970-01-01T00:00:00.000000Z"
    assert utc_us("2025-10-09T08:53:20.000001Z") == 1_760_000_000_000_001


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025-10-09T08:53:20Z",
        "2025-10-09T08:53:20.000001+",
        "2025-10-09 08:53:20.000001Z",
        "2025-13-09T08:53:20.000001Z",
        "2025-10-09T08:53:20.00000²Z",
        "2025-10-09T08:53:20,000001Z",
    ],
)
def test_what_is_no_timestamp(text: str) -> None:
    with pytest.raises(EventError):
        utc_us(text)


def test_a_ulid_sorts_by_time() -> None:
    # The ULID specification's own example of the time part.
    assert ulid(1469918176385, bytes(10))[:10] == "01ARYZ6S41"
    assert len(ulid(0, b"\xff" * 10)) == 26
    assert ulid(1, bytes(10)) < ulid(2, bytes(10))


def test_rows_that_do_not_keep_to_the_schema() -> None:
    row = body(genuine().rows[5])
    assert check_event(row) is row
    bad: list[dict[str, Any]] = [
        {"v": True},
        {"seq": -1},
        {"mono_ns": 1.0},
        {"prev": 7},
        {"metadata": []},
        {"action": "audit.gap", "metadata": {"counts": {"x": 0}, "total": 0, "digest": ""}},
        {"action": "audit.gap", "metadata": {"counts": [], "total": 0, "digest": ""}},
        {"action": "key.rotate", "metadata": {"epoch": True}},
        {"target": "Camera"},
        {"user_id": "anna"},
        {"client_ip": "10.0.0.1"},
        {"boot_id": ""},
        {"session_id": 7},
    ]
    for change in bad:
        with pytest.raises(EventError):
            check_event({**row, **change})
    with pytest.raises(EventError):
        check_event([])
    with pytest.raises(EventError):
        check_event({**row, "more": 1})
    assert (is_target("camera:0"), is_target("/dev/video0")) == (True, False)


def test_a_clock_that_moves_is_measured() -> None:
    assert clock_moved_us(None, ("a", 5, 5)) == 0
    assert clock_moved_us(("a", 0, 0), ("a", 10, 4)) == 6
    assert clock_moved_us(("a", 0, 0), ("b", 10, 4)) == 0
    assert clock_moved_us(("a", 10, 0), ("b", 0, 4)) == -10


def test_a_bucket_fills_with_time_only() -> None:
    bucket = TokenBucket(10, 20, now_ns=10**9)
    assert sum(bucket.take(10**9) for _ in range(30)) == 20
    assert not bucket.take(0)
    assert sum(bucket.take(2 * 10**9) for _ in range(30)) == 20
    assert [exempt(action) for action in ("consent.deny", "settings.change", "auth.unlock")] == [True, False, True]


def test_two_losses_of_the_same_events_have_the_same_digest() -> None:
    first, second = LossAccount(), LossAccount()
    for account in (first, second):
        account.add("a.b", "t", "success", 1)
        account.add("a.c", "t", "success", 2)
    assert first
    tally = first.settle()
    assert tally == second.settle()
    assert tally.metadata()["counts"] == {"a_b": 1, "a_c": 1}
    assert not first
    assert first.settle().digest == "00" * 32


@given(st.lists(st.integers(0, 40), max_size=12))
def test_a_frontier_grows_by_many_leaves_as_by_each(batches: list[int]) -> None:
    by_many, by_each = Frontier(), Frontier()
    leaves = (leaf_hash(b"%d" % number) for number in range(sum(batches)))
    for count in batches:
        batch = [next(leaves) for _ in range(count)]
        by_many.extend(batch)
        for leaf in batch:
            by_each.append(leaf)
        assert (by_many.size, by_many.peaks) == (by_each.size, by_each.peaks)


def test_masks_cannot_be_looked_up_and_do_not_mask_twice() -> None:
    masker, other = Masker(b"one"), Masker(b"two")
    assert masker.user("team-a-anna") == "team-a-"
    assert masker.user("anna") == masker.user(masker.user("anna")) != other.user("anna")
    assert [masker.address(each) for each in ("local", "::1", "127.0.0.1")] == ["local"] * 3
    assert masker.address("10.0.0.1") == masker.address(masker.address("10.0.0.1"))
    assert masker.target("camera:0") == "camera:0"
    assert masker.target("/dev/video0").startswith("other:hmac:")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("/home/anna/a.png", True),
        ("cannot open '/home/anna/a b.png'", True),
        ("C:\\Users\\anna\\a.png", True),
        ("file:///home/anna/a", True),
        ("~/anna", True),
        ("look/anna", True),
        ("3/4 of anna", False),
        ("cannot open:/home/anna/secret.jpg", True),
        ("file:/home/anna/y.mp4", True),
        ("/home/anna/O'Brien/wedding anna.mp4", True),
        ("/home/x/Smith, anna.mp4", True),
        ("/home/x/a;Mary anna.mp4", True),
        ("../../home/anna/x.jpg", True),
        ("x/home/anna/pic.jpg", True),
        ("src=home/anna", True),
        ("films/anna.mp4", True),
        ("%2Fhome%2Fanna", True),
        ("%252Fhome%252Fanna", True),
        ("\u2215home\u2215anna", True),
        ("$HOME/anna", True),
        ("C:secret\\anna.jpg", True),
        ("https://example.org/anna", True),
        ("read/write by anna", False),
    ],
)
def test_paths_are_masked(text: str, hidden: bool) -> None:  # noqa: FBT001
    masker = Masker(b"x")
    out = masker.hide(text)
    assert ("hmac:" in out) == hidden
    assert ("anna" not in out) == hidden
    assert masker.hide(out) == out


def test_what_stands_behind_a_quoted_path_is_kept() -> None:
    hide = Masker(b"x").hide
    assert hide("cannot open '/home/anna/O'Brien.png': No such file").endswith("': No such file")
    assert "anna" not in hide("'/home/x/a.png', '/home/x/anna': no")
    for text in ("/" * 4096, "a" * 4000 + "/b/", "@" * 4096, ":" * 4095 + "z", "a." * 2048 + "@x", "'/" * 2000):
        began_s = time.perf_counter()
        hide(text)
        assert time.perf_counter() - began_s < 2


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("/home/anna/My Films/a.mp4", True),
        ("written by anna@example.org today", True),
        ("anna\uff20example.org", True),
        ("anna%40example.org", True),
        ("::ffff:203.0.113.9", True),
        ("at fe80::1:", True),
        ("rtsp://anna:secret@camera/1", True),
        ("from 192.168.1.7:22", True),
        ("from 192.168.1.7.", True),
        ("fe80::1", True),
        ("2001:db8:0:0:0:0:0:1", True),
        ("999.1.1.1", False),
        ("version 1.2.3", False),
        ("at 12:30:45", False),
        ("std::vector", False),
        ("1:2:3::zz", False),
        ("a / b", False),
    ],
)
def test_people_are_not_named_in_texts_and_targets(text: str, masked: bool) -> None:  # noqa: FBT001
    masker = Masker(b"x")
    out = masker.hide(text)
    assert ("hmac:" in out) == masked
    assert masker.hide(out) == out
    assert not any(word in out for word in ("anna", "secret", "192.168", "fe80", "2001:db8"))


def test_a_target_that_tells_of_a_person_is_masked_whole() -> None:
    masker = Masker(b"x")
    for target in (
        "user:anna@example.org",
        "camera:192.168.1.7",
        "surrogate:\ud800",
        "host:fe80::1",
        "camera:Anna",
        "clip:anna",
        "anna",
        "anna.smith",
        "anna:1",
        "user:1",
        "anna-smith_berlin:1990",
        "recording:491701234567",
        "source:anna",
        "consent:anna",
        "model:C:Users",
        "model:00491701234567",
        "model:192.168.1.7",
        "2001.db8",
    ):
        assert masker.target(target).startswith("other:hmac:")
    assert masker.user("\ud800").startswith("hmac:")
    plain = (
        "camera:0",
        "model:in_swapper.v2",
        "source:0af3",
        "consent:0af3",
        "settings",
        "recording:1",
        "rtsp",
        "file",
    )
    for target in plain:
        assert masker.target(target) == target
    assert masker.target(masker.target("camera:Anna")) == masker.target("camera:Anna")


def test_alerts_count_across_starts_of_one_boot_and_an_act_of_two_rows_once() -> None:
    def row(index: int, boot: str) -> Row:
        event = {
            "boot_id": boot,
            "action": "export.audit",
            "user_id": "u",
            "status": "success",
            "metadata": {},
            "mono_ns": index,
        }
        return Row(index, canonical.encode(event), bytes(32))

    for boot, spoken in (("this", {"many_exports", "many_actions"}), ("another", set[str]())):
        rules = AlertRules()
        rules.remember([row(index, boot) for index in range(10)], "this", canonical.STANDARD)
        found = rules.observe("export.audit", "u", "success", {}, 11)
        assert {alert.rule for alert in found} == spoken
    rules = AlertRules()
    acts = [{"phase": phase} for _ in range(10) for phase in ("start", "end")]
    assert not [alert for act in acts for alert in rules.observe("export.video", "u", "success", act, 0)]


def test_alerts_speak_once_for_each_crossing() -> None:
    rules = AlertRules()
    minute = 60 * 10**9
    spoken = [bool(rules.observe("settings.change", "u", "success", {}, index)) for index in range(15)]
    assert spoken.count(True) == 1
    assert not rules.observe("settings.change", "u", "success", {}, 2 * minute)
    assert [alert.rule for alert in rules.observe("label.off", "u", "success", {}, 0)] == ["label_off"]
    (mark,) = rules.observe("label.off", "u", "success", {}, 0, "mark")
    assert (mark.rule, mark.message) == ("label_off", "The invisible mark was switched off.")
    assert [alert.rule for alert in rules.observe("content.off", "u", "success", {}, 0)] == ["content_off"]
    tries = ["denied", "denied", "success", "denied", "denied", "denied", "denied"]
    assert [len(rules.observe("auth.unlock", "u", status, {}, 0)) for status in tries] == [0, 0, 0, 0, 0, 1, 0]


def test_three_starts_within_a_minute_are_no_alarm_and_the_same_model_again_and_again_is() -> None:
    rules = AlertRules()
    models = [f"net{index}" for index in range(6)]
    loads = [rules.observe("model.load", "u", "success", {"model": model}, 0) for _ in range(3) for model in models]
    assert not any(loads)
    again = [rules.observe("model.load", "u", "success", {"model": "net0"}, 1) for _ in range(8)]
    assert [alert.rule for each in again for alert in each] == ["many_actions"]


def test_runs_of_too_many_kinds_are_not_remembered() -> None:
    streaks = Streaks()
    for index in range(70):
        assert streaks.begins("camera:0", {"stage": str(index)}, 0) is not None
    assert streaks.begins("camera:0", {"stage": "69"}, 0) is not None
    assert streaks.begins("camera:0", {"stage": "1"}, 5) is None
    assert [run.length for run in streaks.ended()] == [2]


def test_whatever_is_handed_over_becomes_canonical() -> None:
    class Odd:
        def __str__(self) -> str:
            return "odd"

    deep: Any = 0.25
    for _ in range(9):
        deep = {"a": deep}
    given: dict[str, Any] = {
        "A b": [1, "x", None],
        "": 1,
        "odd": Odd(),
        "deep": deep,
        "mixed": [0.5, "x"],
        "huge": 1e300,
        "list": [0.5, 1e300],
        "milli_milli": 0.5,
        "surrogate": "\ud800",
        "nfd": "e\u0301",
        "flag": True,
    }
    out = tidy(given, str)
    assert canonical.encode(out)
    assert out["milli_milli"] == 500
    assert out["nfd"] == "é"
    assert out["flag"] is True
    assert (out["mixed_milli"], out["list_milli"]) == ([500, "x"], [500, "1e+300"])


class _Array:
    """What every array library's arrays have in common."""

    def __init__(self, count: int) -> None:
        self.size = count

    def tobytes(self) -> bytes:
        return bytes(self.size)

    def __str__(self) -> str:
        return "[0. 0.]"


def test_no_row_holds_pixels_or_an_embedding() -> None:
    given: dict[str, Any] = {
        "embedding": [0.25] * 128,
        "ints": list(range(17)),
        "pixels": bytes(100),
        "array": _Array(512),
        "scalar": _Array(1),
        "words": ["word"] * 17,
        "few": [1, 2, 3],
    }
    out = tidy_metadata("model.load", given, str, STANDARD)
    for name, count in (("embedding", 128), ("ints", 17), ("pixels", 100), ("array", 512)):
        assert out[name]["items"] == count
        assert len(out[name]["sha256"]) == 64
    assert (out["scalar"], out["words"], out["few"]) == ("[0. 0.]", ["word"] * 17, [1, 2, 3])


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (array.array("f", [0.123] * 128), 128),
        (memoryview(array.array("d", [0.5] * 64)), 64),
        (deque([0.5] * 128), 128),
        ({0.5 * index for index in range(100)}, 100),
        ({index: index / 3 for index in range(128)}, 128),
        ({str(index): index for index in range(128)}, 128),
        ([[0.1 * index for index in range(16)]] * 16, 256),
        ([list(range(16)) for _ in range(32)], 512),
        ([{"value": 0.5}] * 40, 40),
        (["0.125"] * 40, 40),
        (range(1000), 1000),
        ([_Array(8)] * 4, 32),
        (str([0.123456] * 40), 400),
        ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ" * 4, 176),
        ("data:image/png;base64," + "A" * 200, 222),
        ("\n".join(["A" * 76] * 4), 307),
    ],
)
def test_no_container_and_no_text_smuggles_pixels_or_an_embedding(value: object, count: int) -> None:
    once = tidy_metadata("model.load", {"it": value}, str, STANDARD)
    assert (once["it"].keys(), once["it"]["items"]) == ({"items", "sha256"}, count)
    assert tidy_metadata("model.load", once, str, STANDARD) == once
    nested: Any = value
    for _ in range(9):
        nested = [nested]
    assert len(canonical.encode(tidy_metadata("model.load", {"it": nested}, str, STANDARD))) < 200


def test_containers_without_end_are_told_as_such_at_once() -> None:
    endless: dict[str, object] = {}
    endless["it"] = [endless]
    shared: object = 1
    for _ in range(64):
        shared = (shared, shared)
    long = ["a"] * 40_000
    for each in (endless, {"it": shared}, {"it": deque([endless])}, {"it": [long, long, long]}):
        assert tidy_metadata("model.load", each, str, STANDARD) == {"oversize_items": 65_536}
    assert tidy_metadata("model.load", {"it": [[1], b"x", deque(["a"])]}, str, STANDARD)["it"][2] == ["a"]
    pair = ["a", "b"]
    assert tidy_metadata("model.load", {"it": [pair, pair]}, str, STANDARD) == {"it": [pair, pair]}


def test_where_something_lies_in_memory_is_no_matter_for_a_record() -> None:
    assert tidy({"it": iter([1])}, str) == {"it": "<list_iterator object>"}
    assert tidy({iter([1]): 1}, str) == {"_list_iterator_object_": 1}
    assert tidy({"it": "text at 0x1f"}, str) == {"it": "text at 0x1f"}


def test_many_small_lists_are_counted_together_and_a_preset_is_not() -> None:
    slices = {f"part_{index}": [0.5] * 16 for index in range(8)}
    assert tidy_metadata("model.load", slices, str, STANDARD)["items"] == 128
    preset = {"fields": {f"look.p{index}": (0.5, index / 100) for index in range(45)}}
    out = tidy_metadata("settings.change", preset, str, STANDARD)
    assert out["fields"][44] == {"field": "look.p44", "old_milli": 500, "new_milli": 440}
    same = {"fields": [{"field": "x", "new": index} for index in range(45)]}
    assert tidy_metadata("settings.change", same, str, STANDARD)["fields"]["items"] == 45
    counts = {f"a_{index}": index + 1 for index in range(22)}
    told = {"counts": counts, "total": sum(counts.values()), "digest": "0" * 64}
    assert tidy_metadata("audit.gap", told, str, STANDARD) == told
    assert tidy_metadata("audit.gap", {"A" * 200: 1}, str, STANDARD).keys() != {"a" * 200}


def test_fractions_become_thousandths_however_they_are_nested() -> None:
    given = {"m": [1, 2.5, "x", True], "n": [[1, 2], (0.25, [float("nan")])], "s": {0.5}, "d": [{"a": 0.5}]}
    once = tidy_metadata("model.load", given, str, STANDARD)
    assert once == {
        "m_milli": [1000, 2500, "x", True],
        "n_milli": [[1000, 2000], [250, ["nan"]]],
        "s_milli": [500],
        "d": [{"a_milli": 500}],
    }
    assert tidy_metadata("model.load", once, str, STANDARD) == once


def test_keys_that_fall_together_are_told_apart() -> None:
    given = {"Blend": 0.5, "blend": 0.25, "blend_milli": 7, "/home/anna": 1}
    out = tidy(given, Masker(b"x").hide)
    assert (out["blend_milli"], out["blend_milli_2"], out["blend_milli_3"]) == (500, 250, 7)
    assert "anna" not in str(out)


def test_numbers_of_other_kinds_are_numbers() -> None:
    out = tidy({"third": Fraction(1, 3), "wide": 2**2000, "negative": -(2**53), "both": [Fraction(1, 2), 1]}, str)
    assert out == {
        "third_milli": 333,
        "wide": "beyond all numbers",
        "negative": str(-(2**53)),
        "both_milli": [500, 1000],
    }
    assert tidy(Fraction(4, 1), str) == "4"  # alone it has no key that could say thousandths
    assert tidy(_Whole(5), str) == 5


def test_doing_it_again_changes_nothing() -> None:
    once = tidy_metadata("settings.change", {"fields": {"look.opacity": (1.0, 0.5), "odd": 3}}, str, canonical.STANDARD)
    assert once == {
        "fields": [{"field": "look.opacity", "old_milli": 1000, "new_milli": 500}, {"field": "odd", "new": 3}]
    }
    assert tidy_metadata("settings.change", once, str, canonical.STANDARD) == once


class _Whole(int):
    """An integer of another type, as numpy has them."""


def test_fields_that_are_a_list_already_are_left_alone() -> None:
    given: dict[str, Any] = {"fields": [{"field": "a", "new": 1}]}
    assert tidy_metadata("settings.change", given, str, STANDARD) == given
    assert tidy_metadata("model.load", {"fields": {"a": 1}}, str, STANDARD) == {"fields": {"a": 1}}


def selection(*wanted: int) -> Selection:
    log = genuine()
    tree, size = Tree(row.hash for row in log.rows), len(log.rows)
    keys = [row.seq for row in log.rows if body(row)["action"] in {"log.genesis", "key.rotate"}]
    rows = [Proven(log.rows[seq - 1].body, tree.inclusion(seq - 1, size)) for seq in sorted({*keys, *wanted})]
    closings = [Closing(note, tree.consistency(at, size)) for at, note in log.notes if at in keys[1:]]
    return Selection(log.tip.log_id, rows, closings, log.notes[-1][1])


def judged(given: Selection) -> tuple[int, set[str], LogReport]:
    report = verify_selection(given, STANDARD, check_signature)
    report.checked("coverage")
    return exit_code([report]), {finding.code for finding in report.findings}, report


def test_a_selection_proves_its_rows_and_says_what_it_cannot_prove() -> None:
    code, codes, report = judged(selection(5, 20))
    assert (code, codes) == (0, set())
    assert (report.rows, report.epochs, report.sealed, report.first_seq, report.last_seq) == (6, 4, 25, 1, 20)
    assert report.genesis_fingerprint == genuine().verify().genesis_fingerprint
    assert "not that no row was left out" in report.notices[-1]


def test_a_selection_that_was_tampered_with() -> None:
    good = selection(5, 20)
    rows = list(good.rows)

    def with_rows(*changed: Proven) -> Selection:
        return Selection(good.log_id, list(changed), good.closings, good.head)

    altered = Proven(encode({**json.loads(rows[2].body), "target": "camera:9"}), rows[2].proof)
    stranger = Proven(encode({**json.loads(rows[2].body), "log_id": "f" * 32}), rows[2].proof)
    cases: list[tuple[Selection, set[str]]] = [
        (with_rows(*rows[:2], altered, *rows[3:]), {"not_included"}),
        (with_rows(*rows[:2], stranger, *rows[3:]), {"other_row", "not_included"}),
        (with_rows(*rows[:2], Proven(rows[2].body, []), *rows[3:]), {"not_included"}),
        (with_rows(*rows[:2], Proven(b"{}", []), *rows[3:]), {"no_event"}),
        (with_rows(*rows[:2], Proven(b" " + rows[2].body, []), *rows[3:]), {"no_event"}),
        (with_rows(*rows[:2], Proven(b"nonsense", []), *rows[3:]), {"no_event"}),
        (with_rows(rows[1], rows[0], *rows[2:]), {"other_row", "epoch_skipped"}),
        (with_rows(*rows[:3], *rows[4:]), {"epoch_skipped", "closing_missing"}),
        (with_rows(*rows[:4]), {"bad_signature"}),
        (Selection(good.log_id, rows, good.closings[:1], good.head), {"closing_missing"}),
        (Selection(good.log_id, rows, [*good.closings[:2], good.closings[1]], good.head), {"closing_missing"}),
        (
            Selection(good.log_id, rows, [good.closings[0], Closing("x", []), good.closings[2]], good.head),
            {"closing_missing"},
        ),
        (Selection(good.log_id, rows, good.closings, "nonsense"), {"bad_signature", "not_included"}),
        (Selection("f" * 32, rows, good.closings, good.head), {"bad_signature"}),
    ]
    for given_selection, wanted in cases:
        code, codes, _ = judged(given_selection)
        assert wanted <= codes
        assert code == 10


def test_a_head_of_an_epoch_that_no_row_names() -> None:
    log = genuine()
    good = selection()
    key = log.keys[3]
    head = replace(Checkpoint.parse(parse_note(log.notes[-1][1]).text), epoch=7)
    lied = Selection(good.log_id, good.rows, good.closings, head.signed(public_bytes(key), key.sign))
    assert judged(lied)[1] == {"epoch_skipped"}


def test_orjson_and_the_standard_library_write_the_same_row() -> None:
    row = genuine().rows[7]
    assert orjson.loads(row.body) == STANDARD.decode(row.body)
    assert FAST.encode(orjson.loads(row.body)) == row.body == STANDARD.encode(json.loads(row.body))


def test_a_selection_of_nothing_but_wrong_rows_costs_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection_module, "MOST_WRONG", 3)
    good = selection(5, 20)
    wrong = Selection(good.log_id, [Proven(b"{}", [])] * 9, good.closings, good.head)
    code, codes, report = judged(wrong)
    assert code == 10
    assert "too_many" in codes
    assert report.found < 9


def test_the_memory_for_good_keys_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical, "_MAX_GOOD_KEYS", len(canonical._good_keys))
    before = len(canonical._good_keys)
    canonical.check({"a_key_that_nobody_has_seen_yet": 1})
    assert len(canonical._good_keys) == before


def test_fields_that_are_no_list_of_changes_are_tidied_like_anything() -> None:
    assert tidy_metadata("settings.change", {"fields": "look.opacity"}, str, STANDARD) == {"fields": "look.opacity"}


@pytest.mark.parametrize(
    ("told", "found"),
    [([{"field": "look.opacity"}], True), ([{"field": "look.match"}, "look.opacity"], False), ("look.opacity", False)],
)
def test_changes_are_found_by_their_parameter(told: object, *, found: bool) -> None:
    event = {**body(genuine().rows[4]), "metadata": {"fields": told}}
    assert Filter(setting="look.opacity").matches(event) is found


@pytest.mark.parametrize("count", [16, 17])
def test_a_mapping_of_another_kind_is_counted_as_a_dict_is(count: int) -> None:
    numbers = {f"n{index}": index for index in range(count)}
    told = [
        tidy_metadata("model.load", {"it": each}, str, STANDARD)["it"] for each in (numbers, MappingProxyType(numbers))
    ]
    assert [each.get("items") for each in told] == [None if count == 16 else count] * 2
