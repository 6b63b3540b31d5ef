# pyright: basic
"""The manifest of an export: what is in it, what is not, and what the program found in each log when it exported."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from facefusion_live.adapters.storage.codec import FAST
from facefusion_live.domain.audit.errors import EvidenceMissingError, NoteError
from facefusion_live.domain.audit.evidence import Head
from facefusion_live.domain.audit.note import ORIGIN_PREFIX, parse_note, sign_note
from facefusion_live.domain.audit.report import VERDICTS, LogReport, Outcome

NAME = "manifest.note"
TITLE = "facefusion-live/export/v3"
LONGEST = 2**22
"""So many characters a manifest may have: a thousand logs."""
LARGEST_MEMBER = 2**24
"""Of a member that is held in memory: 48,000 checkpoints, which is millions of rows."""
MOST_PARTS = 2**19
"""So many parts its JSON may have: empty lists take thirty times the room of their brackets."""

_OUTCOMES = {each.name.lower(): each for each in Outcome}
_MOST_FINDINGS = 10
_OTHER_VERSION = re.compile(r"facefusion-live/export/v[0-9]{1,9}").fullmatch
_HEX32, _HEX64 = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{64}")


def signed(manifest: dict[str, Any], public_key: bytes, sign: Callable[[bytes], bytes]) -> str:
    """The manifest as a signed note."""
    text = f"{TITLE}\n{FAST.encode(manifest).decode()}\n"
    return sign_note(text, ORIGIN_PREFIX + manifest["log_id"], public_key, sign)


def found_in(report: LogReport, heads: Sequence[Head]) -> dict[str, Any]:
    """What the manifest says about a log beside its rows: what the outside remembers, and what verification found."""
    told = report.as_json()
    findings = sorted(told["findings"], key=lambda each: _OUTCOMES[each["outcome"]].value)[:_MOST_FINDINGS]
    return {
        "genesis_reason": report.genesis_reason,
        "heads": [
            {"source": each.source, "epoch": each.epoch, "size": each.size, "root": each.root.hex()} for each in heads
        ],
        "verdicts": told["verdicts"],
        "findings": [{name: each[name] for name in ("verdict", "outcome", "code", "message")} for each in findings],
    }


def report_found(report: LogReport, about: dict[str, Any]) -> None:
    """Report what the program found when it exported: an export is never better than its log was."""
    for verdict in VERDICTS:
        outcome = _OUTCOMES[about["verdicts"][verdict]]
        if outcome not in {Outcome.INTACT, Outcome.NOT_CHECKED}:
            word = outcome.name.lower()
            why = (
                each["message"] for each in about["findings"] if (each["verdict"], each["outcome"]) == (verdict, word)
            )
            message = f"found {word} when it was exported: {next(why, 'nothing more is said')}"
            report.find(verdict, outcome, "found_at_export", 0, message)


def heads_of(about: dict[str, Any]) -> list[Head]:
    """What the outside remembered of a log when it was exported, by rising size."""
    heads = [
        Head(
            f"{each['source']} (in the manifest)",
            about["log_id"],
            each["epoch"],
            each["size"],
            bytes.fromhex(each["root"]),
        )
        for each in about["heads"]
    ]
    return sorted(heads, key=lambda head: head.size)


def read(note: str) -> dict[str, Any]:
    """The manifest of a signed note, of sound shape; whose signature it is, is for the caller to judge.

    Raises:
        NoteError: It is none.
        ValueError: A part of it is missing or of another kind.
        EvidenceMissingError: It is one of another version.
    """
    title, _, text = parse_note(note, LONGEST).text.partition("\n")
    if title != TITLE and _OTHER_VERSION(title):
        raise EvidenceMissingError(f"this is {title}", advice="Take the verifier of the program that made it.")
    if title != TITLE:
        raise NoteError("the manifest is not one of an export")
    manifest = loads(text.encode())
    _want(_has(manifest, log_id=str, public_key=str, whole=bool, logs=list, left_out=list, members=dict), "the whole")
    _want(all(type(each) is str and _HEX64.fullmatch(each) for each in manifest["members"].values()), "a digest")
    for about in manifest["logs"]:
        _check_log(about)
    for about in manifest["left_out"]:
        _want(_has(about, log_id=str, file=str), "a log that was left out")
        _check_found(about)
    names = [about["log_id"] for about in manifest["logs"]]
    _want(names and len(set(names)) == len(names), "the list of logs")
    return manifest


def parts_in(data: bytes) -> int:
    """How many values, at most, a text of JSON has: counted before it is read."""
    return sum(map(data.count, b"[{,:"))


def loads(data: bytes) -> Any:  # noqa: ANN401 (whatever JSON holds)
    """JSON that does not fill the memory. Raises ValueError."""
    _want(parts_in(data) <= MOST_PARTS, "the number of parts")
    return orjson.loads(data)


def _check_log(about: Any) -> None:  # noqa: ANN401 (whatever JSON holds)
    numbers = dict.fromkeys(("size", "epoch", "rows", "unsealed"), int)
    _want(_has(about, log_id=str, root=str, heads=list, **numbers), "a log")
    _want(all(about[name] >= 0 for name in numbers), "a log's numbers")
    _want(_HEX32.fullmatch(about["log_id"]), "a log's id")
    _want(_HEX64.fullmatch(about["root"]), "a log's root")
    for each in about["heads"]:
        _want(_has(each, source=str, epoch=int, size=int, root=str) and each["size"] >= 0, "a head")
        _want(_HEX64.fullmatch(each["root"]), "a head's root")
    if "pruned_to" in about:
        _want(_has(about, pruned_to=int, prune_seq=int, frontier=str) and about["pruned_to"] > 0, "a horizon")
        _want(re.fullmatch("([0-9a-f]{2})*", about["frontier"]), "a horizon's frontier")
    _check_found(about)


def _check_found(about: dict[str, Any]) -> None:
    _want(_has(about, verdicts=dict, findings=list), "what was found")
    _want(about["verdicts"].keys() == set(VERDICTS), "the verdicts")
    _want(all(type(word) is str and word in _OUTCOMES for word in about["verdicts"].values()), "a verdict")
    _want(all(_has(each, verdict=str, outcome=str, message=str) for each in about["findings"]), "a finding")


def _has(value: Any, **kinds: type) -> bool:  # noqa: ANN401
    return type(value) is dict and all(type(value.get(name)) is kind for name, kind in kinds.items())


def _want(holds: object, what: str) -> bool:
    if not holds:
        raise ValueError(f"{what} is not as a manifest has it")
    return True
