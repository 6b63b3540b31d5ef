#!/usr/bin/env python3
"""Check an audit trail of FaceFusion Live without FaceFusion Live.

    python audit_verify.py EXPORT.zip
    python audit_verify.py HOME/audit                   (the folder with audit.sqlite3 and heads.log)
    python audit_verify.py audit.sqlite3 --anchor FILE  (a checkpoint, or forwarded rows, that somebody else kept)

Needs Python 3.11 and the package `cryptography`, nothing else. It was written on its own, from docs/audit.md, so that
two programs must err alike before an error goes unseen. It reads every row once and keeps none.

Four verdicts: chain (the rows themselves), seal (the signatures over them), coverage (that none is missing at the end),
anchor (what others kept; optional). Exit codes: 0 intact, 10 tampered, 11 truncated or rolled back, 12 unverifiable
(no seal or key, or nothing here to read it with), 2 could not run.

The record is tamper-evident, never tamper-proof. Compare the genesis fingerprint printed here with that of the
program's About box (`--fingerprint`): a log made up from nothing is consistent in itself.
"""

import argparse
import base64
import contextlib
import errno
import hashlib
import importlib
import io
import itertools
import json
import os
import re
import sqlite3
import struct
import sys
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, NoReturn, TypeAlias
from urllib.parse import quote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TAMPERED, TRUNCATED, UNVERIFIABLE = 10, 11, 12
WORDS = {TAMPERED: "tampered", TRUNCATED: "truncated", UNVERIFIABLE: "unverifiable"}
CODES = {"intact": 0, "not_checked": 0} | {word: code for code, word in WORDS.items()}
VERDICTS = CHAIN, SEAL, COVERAGE, OTHERS = "chain", "seal", "coverage", "anchor"

Row: TypeAlias = tuple[int, bytes, bytes | None]
"""Seq, body, and the hash stored with it where there is one."""
Head: TypeAlias = tuple[str, int, bytes, int, dict[str, Any]]
"""Who remembers, how many rows, their root, which key sealed them; what is told for the next opening, if anything."""
Checkpoint: TypeAlias = tuple[str, int, bytes, int, int]
"""Log, size, root, epoch, number."""


class DamagedError(Exception):
    """Something that exists and cannot be read to its end."""


class Findings:
    """What is wrong with one log."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.codes: set[int] = set()
        self.count = 0
        self.verdicts: dict[str, int] = {}

    def add(self, verdict: str, code: int, text: str) -> None:
        """Take one down; the first twenty word for word."""
        self.codes.add(code)
        self.verdicts[verdict] = min(self.verdicts.get(verdict) or code, code)  # the gravest has the lowest number
        self.count += 1
        if len(self.texts) < 20:
            self.texts.append(printable(f"{verdict}: {text}"))

    def looked_into(self, *verdicts: str) -> None:
        """What was really checked; without a finding it is intact."""
        for verdict in verdicts:
            self.verdicts.setdefault(verdict, 0)

    def verdict(self, name: str) -> str:
        """One of the four in a word."""
        return WORDS.get(self.verdicts[name], "intact") if name in self.verdicts else "not checked"


def printable(text: str) -> str:
    """What a hostile file says must not steer a terminal."""
    return "".join(each if each.isprintable() else "�" for each in text)


# Rows: canonical JSON of a sound schema.

FIELDS = {
    "v", "log_id", "seq", "prev", "timestamp", "mono_ns", "boot_id", "session_id", "user_id", "client_ip",
    "action", "target", "status", "metadata",
}  # fmt: skip
ACTIONS = {
    "frame.failed", "settings.change", "log.genesis", "session.start", "session.stop", "key.rotate",
    "model.load", "source.load", "consent.grant", "consent.deny", "consent.revoke", "label.off", "label.on",
    "content.off", "content.on", "content.shut", "content.clear", "person.enrol", "person.forget",
    "passthrough.on", "passthrough.off", "export.video", "export.audit", "audit.suppressed", "audit.gap", "audit.fault",
    "audit.prune", "clock.jump", "auth.unlock", "governor.step",
}  # fmt: skip
METADATA: dict[str, dict[str, type]] = {
    "log.genesis": dict.fromkeys(("public_key", "reason"), str),
    "key.rotate": {"public_key": str, "previous_key": str, "epoch": int},
    "audit.prune": dict.fromkeys(("pruned_to", "epoch", "number"), int)
    | dict.fromkeys(("root", "last_hash", "public_key", "genesis_key", "archive", "archive_sha256"), str),
}
NAMES = itemgetter("log_id", "boot_id", "session_id", "user_id", "client_ip", "target")
KEY_NAME = re.compile(r"[a-z0-9_]+").fullmatch
IDENTITIES = re.compile(
    r"(?P<log_id>[0-9a-f]{32}) (?P<boot>[0-9a-f-]{32,36}) (?P<session>sess_[0-7][0-9A-HJKMNP-TV-Z]{25}) "
    r"(?P<user>hmac:[0-9a-f]{16}|team-[a-z0-9]{1,16}-) (?P<ip>local|hmac:[0-9a-f]{16}) "
    r"(?P<target>[a-z][a-z0-9_.-]{0,31}(:[A-Za-z0-9_.:@+-]{1,96})?)"
).fullmatch
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII).fullmatch
LONGEST_ROW, TOO_LARGE, DEEPEST = 5120, 2**53, 16
START, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
JUMP_US = 10_000_000


def refuse(text: str) -> NoReturn:
    """What JSON may not hold here."""
    raise ValueError(f"{text} has no place here")


READ = json.JSONDecoder(parse_float=refuse, parse_constant=refuse).decode
WRITE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False).encode


def read_row(body: bytes) -> dict[str, Any]:
    """The event of a body; ValueError or TypeError unless it is of sound schema."""
    event = READ(body.decode())
    if type(event) is not dict or event.keys() != FIELDS:
        raise ValueError("other fields than the schema has")
    numbers, metadata = (event["v"], event["seq"], event["mono_ns"]), event["metadata"]
    if set(map(type, numbers)) != {int} or min(numbers) < 0 or max(numbers) >= TOO_LARGE or event["v"] != 1:
        raise ValueError("v, seq or mono_ns is not as the schema wants it")
    if not good_words(*NAMES(event)) or event["action"] not in ACTIONS:
        raise ValueError("a word is not as the schema wants it")
    if event["status"] not in ("success", "failure", "denied") or {type(event["prev"]), type(event["timestamp"])} != {
        str
    }:
        raise ValueError("status, prev or timestamp is not as the schema wants it")
    if not plain((metadata,)) or not good_metadata(event["action"], metadata):
        raise ValueError("the metadata are not as the schema wants them")
    return event


def well_written(event: dict[str, Any], body: bytes) -> bool:
    """Is the body the canonical form of its event, and no longer than a row may be?"""
    return WRITE(event) == body.decode() and len(body) <= LONGEST_ROW


def plain(items: Iterable[Any], depth: int = 0) -> bool:
    """Are they within the profile: keys of [a-z0-9_], NFC strings, integers below 2^53?"""
    for item in items:
        kind = type(item)
        if kind is str:
            if not item.isascii() and not unicodedata.is_normalized("NFC", item.encode().decode()):
                return False
        elif kind is int:
            if abs(item) >= TOO_LARGE:
                return False
        elif kind is dict or kind is list:
            inner = item.values() if kind is dict else item
            if depth >= DEEPEST or not (kind is list or all(map(is_key, item))) or not plain(inner, depth + 1):
                return False
    return True


@lru_cache(maxsize=512)
def is_key(text: str) -> bool:
    """A name of [a-z0-9_]: the same few come again in every row."""
    return KEY_NAME(text) is not None


@lru_cache(maxsize=512)
def good_words(log_id: str, boot: str, session: str, user: str, address: str, target: str) -> bool:
    """Are they of the forms that the schema knows? Most rows have the same."""
    return IDENTITIES(f"{log_id} {boot} {session} {user} {address} {target}") is not None


def good_metadata(action: str, metadata: Any) -> bool:  # noqa: ANN401 (whatever JSON holds)
    """Are they an object, and do the trail's own rows say what they must?"""
    if action in ("audit.suppressed", "audit.gap"):
        if not has(metadata, counts=dict, total=int, digest=str):
            return False
        counts = metadata["counts"].values()
        return all(type(each) is int and each > 0 for each in counts) and sum(counts) == metadata["total"] > 0
    return has(metadata, **METADATA.get(action, {}))


def has(value: Any, **kinds: type) -> bool:  # noqa: ANN401 (whatever JSON holds)
    """Is it an object with at least these parts, each of its kind?"""
    return type(value) is dict and all(type(value.get(name)) is kind for name, kind in kinds.items())


def clock_of(event: dict[str, Any]) -> tuple[str, int, int]:
    """Boot, wall clock and monotonic clock in microseconds; ValueError for what is no moment."""
    if not STAMP(event["timestamp"]):
        raise ValueError("no timestamp")
    wall = datetime.fromisoformat(event["timestamp"])
    return event["boot_id"], (wall - START) // MICROSECOND, event["mono_ns"] // 1000


def moved_us(before: tuple[str, int, int], now: tuple[str, int, int]) -> int:
    """How far the wall clock was moved between two rows."""
    wall = now[1] - before[1]
    return abs(wall - (now[2] - before[2])) if now[0] == before[0] else max(-wall, 0)


# The tree of RFC 6962, and proofs about it.


class Tree:
    """The right edge of an RFC 6962 tree."""

    def __init__(self, peaks: Iterable[tuple[int, bytes]] = ()) -> None:
        self.peaks = list(peaks)  # (height, hash), highest first

    def add(self, leaf: bytes) -> None:
        """Append one leaf hash."""
        height = 0
        while self.peaks and self.peaks[-1][0] == height:
            leaf = hashlib.sha256(b"\x01" + self.peaks.pop()[1] + leaf).digest()
            height += 1
        self.peaks.append((height, leaf))

    def root(self) -> bytes:
        """Root of all leaves so far."""
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        root = self.peaks[-1][1]
        for _, peak in reversed(self.peaks[:-1]):
            root = hashlib.sha256(b"\x01" + peak + root).digest()
        return root

    def to_bytes(self) -> bytes:
        """As it is stored: eight bytes of size, then the peaks."""
        size = sum(1 << height for height, _ in self.peaks)
        return size.to_bytes(8, "big") + b"".join(peak for _, peak in self.peaks)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Tree":
        """From a stored frontier: eight bytes of size, then the peaks."""
        size, hashes = int.from_bytes(data[:8], "big"), [data[at : at + 32] for at in range(8, len(data), 32)]
        heights = [bit for bit in range(63, -1, -1) if size >> bit & 1]
        if len(heights) != len(hashes) or any(len(each) != 32 for each in hashes):
            raise ValueError("no frontier")
        return cls(zip(heights, hashes, strict=True))


def leaf_of(body: bytes) -> bytes:
    """Hash of a row: its leaf in the tree and its link in the chain."""
    return hashlib.sha256(b"\x00" + body).digest()


def included(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """RFC 9162, 2.1.3.2."""
    if not 0 <= index < size:
        return False
    fn, sn = index, size - 1
    for step in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            leaf = hashlib.sha256(b"\x01" + step + leaf).digest()
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            leaf = hashlib.sha256(b"\x01" + leaf + step).digest()
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and leaf == root


def extended(old: int, new: int, proof: list[bytes], old_root: bytes, new_root: bytes) -> bool:
    """RFC 9162, 2.1.4.2."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else proof
    if not path:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    left = right = path[0]
    for step in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            left = hashlib.sha256(b"\x01" + step + left).digest()
            right = hashlib.sha256(b"\x01" + step + right).digest()
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            right = hashlib.sha256(b"\x01" + right + step).digest()
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and left == old_root and right == new_root


# Signed notes (c2sp.org/signed-note) and checkpoints (c2sp.org/tlog-checkpoint).

ORIGIN = "facefusion-live/"
SIGNATURE = re.compile("— ([^ +]+) ([A-Za-z0-9+/=]+)").fullmatch
NUMBER = "0|[1-9][0-9]{0,15}"
CHECKPOINT = re.compile(
    rf"{ORIGIN}(?P<log>[0-9a-f]{{32}})\n(?P<size>{NUMBER})\n(?P<root>[A-Za-z0-9+/]{{43}}=)\n"
    rf"epoch (?P<epoch>{NUMBER})\nnumber (?P<number>{NUMBER})\n"
).fullmatch
LONGEST_NOTE, LONGEST_MANIFEST = 2**16, 2**22


def parse_note(note: str, longest: int = LONGEST_NOTE) -> tuple[str, list[tuple[str, bytes]]]:
    """The text of a signed note, and who signed it with what; ValueError for what is none."""
    text, _, below = note.rpartition("\n\n")
    if not text or not below.endswith("\n") or len(note) > longest:
        raise ValueError("no signed note")
    signatures = []
    for line in below[:-1].split("\n"):
        match = SIGNATURE(line)
        blob = base64.b64decode(match[2], validate=True) if match else b""
        if match is None or len(blob) < 5:
            raise ValueError("a line below the note is no signature")
        signatures.append((match[1], blob))
    return text + "\n", signatures


def signed_by(note: str, log_id: str, public_key: bytes, longest: int = LONGEST_NOTE) -> bool:
    """Is the signed note signed by this Ed25519 key for this log?"""
    name = ORIGIN + log_id
    wanted = hashlib.sha256(name.encode() + b"\n\x01" + public_key).digest()[:4]
    text, signatures = parse_note(note, longest)
    for signer, blob in signatures:
        if signer == name and blob[:4] == wanted:
            with contextlib.suppress(ValueError, InvalidSignature):
                Ed25519PublicKey.from_public_bytes(public_key).verify(blob[4:], text.encode())
                return True
    return False


def checkpoint_of(note: str) -> Checkpoint | None:
    """Log, size, root, epoch and number of a checkpoint; None for what is none."""
    try:
        match = CHECKPOINT(parse_note(note)[0])
    except ValueError:
        return None
    if match is None or base64.b64encode(root := base64.b64decode(match["root"])).decode() != match["root"]:
        return None
    return match["log"], int(match["size"]), root, int(match["epoch"]), int(match["number"])


def key_of(text: str) -> bytes:
    """A public key from hex; what is no hex becomes a key that signs nothing."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


# One log.

NOTE, HEAD, ANCHOR, HORIZON = range(4)
MOST_WRONG = 10_000
DAMAGED = (DamagedError, sqlite3.Error, UnicodeDecodeError)


class Log:
    """Everything that speaks for one log; its rows are gone through once."""

    def __init__(self, name: str, log_id: str = "") -> None:
        self.name, self.log_id = name, log_id
        self.rows: Iterable[Row] = ()
        self.heads: list[Head] = []
        self.lines: set[int] = set()  # sizes of the log's lines in heads.log; each checkpoint has one
        self.kept = 0  # size of the head in the private file; 0 where there is none
        self.file_had = self.without_line = 0
        self.spoiled: list[str] = []
        self.notes: list[tuple[int, str]] = []
        self.pruned_to, self.prune_seq, self.prune_body = 0, 0, b""
        self.frontier = b""
        self.from_horizon = False
        self.archives: dict[str, str] | None = {}  # None: pruned rows are at hand without one
        self.flaws: list[str] = []
        self.schema = SCHEMA
        self.missing: list[str] = []
        self.unread = False  # it could not be opened now, which says nothing about it
        self.found, self.notices, self.count = Findings(), list[str](), 0
        self.genesis, self.key = "", b""
        self.previous: set[str] = set()  # the logs that this one took the place of, as its first row says
        self.next_key: bytes | None = None
        self.tree, self.start, self.seq, self.prev = Tree(), 0, 0, "0" * 64
        self.clock: tuple[str, int, int] | None = None
        self.epoch = self.number = self.sealed = self.noted = self.rotated = 0
        self.notes_seen = self.heads_seen = 0
        self.unclosed: list[int] = []
        self.running = self.action = ""
        self.growing = self.may_lag = False  # rows behind the last checkpoint may wait for the next
        self.copies: dict[int, bytes] = {}
        self.prunes: dict[int, tuple[bytes, int]] = {}

    def check(self, kept: "Kept | None" = None) -> None:
        """Go through the log; what is wrong stands in `found` afterwards."""
        for flaw in self.flaws if self.schema <= SCHEMA else ():
            self.found.add(CHAIN, TAMPERED, flaw)
        if self.schema > SCHEMA:
            self.found.add(CHAIN, UNVERIFIABLE, "a newer version of the program made the database: verify it with that")
        for lack in self.missing:
            self.found.add(COVERAGE, UNVERIFIABLE, f"{lack} is missing")
        if self.from_horizon:
            self.start_behind_pruned_rows()
        notes, self.copies = kept.of(self.log_id) if kept else ([], {})
        self.found.looked_into(CHAIN, COVERAGE)
        marks = self.merged_marks(notes)
        wrong = 0
        try:
            for seq, body, digest in self.rows:
                before = self.found.count
                self.row(seq, body, digest)
                while marks and marks[-1][0] <= self.seq:
                    self.mark(*marks.pop())
                wrong += self.found.count > before
                if wrong == MOST_WRONG:
                    raise DamagedError(f"{wrong} rows are wrong, and the others were not looked at")
        except DAMAGED as error:
            self.found.add(CHAIN, TAMPERED, f"the rows behind row {self.seq} cannot be read: {error}")
        self.change_key()
        for size, kind, what in reversed([mark for mark in marks if mark[1] != HORIZON]):
            self.heads_seen += kind == HEAD
            who = what[0] if kind == HEAD else ("the anchor" if kind == ANCHOR else "a checkpoint")
            verdict = OTHERS if kind == ANCHOR else COVERAGE
            self.found.add(verdict, TRUNCATED, f"{who} tells of {size} rows, there are {self.seq}")
        self.judge_copies()
        self.judge_end()

    def merged_marks(self, anchors: Iterable[str]) -> list[tuple[int, int, Any]]:
        """Checkpoints, heads and anchors by size, the next one last. An anchor that cannot be compared is told."""
        marks: list[tuple[int, int, Any]] = [(size, NOTE, note) for size, note in self.notes]
        marks += [(head[1], HEAD, head) for head in self.heads]
        marks += [(self.pruned_to, HORIZON, None)] if self.pruned_to else []
        marks = [mark for mark in marks if mark[0] > self.start]
        for anchor in anchors:
            at = checkpoint_of(anchor)
            if at and at[1] > self.start:
                marks.append((at[1], ANCHOR, (anchor, at[2])))
            else:
                what = f"the anchor tells of {at[1]} rows, which are not at hand" if at else "the anchor is none"
                self.found.add(OTHERS, UNVERIFIABLE, what)
        return sorted(marks, key=lambda mark: mark[:2], reverse=True)

    def start_behind_pruned_rows(self) -> None:
        """Begin on the word of the row that pruned; `judge_end` sees to it that this row is sealed."""
        self.start = self.seq = self.sealed = self.noted = self.pruned_to
        self.notices.append(
            f"row {self.prune_seq} tells the genesis key and where rows up to {self.start} ended; nothing shows it"
        )
        self.prev = ""
        if said := self.told():
            self.prev, self.epoch, self.number = key_of(said["last_hash"]).hex(), said["epoch"], said["number"]
            self.key, genesis = key_of(said["public_key"]), key_of(said["genesis_key"])
            self.genesis = hashlib.sha256(genesis).hexdigest()
            self.tree = self.kept_tree()
        if not said or self.tree.root().hex() != said["root"]:
            self.found.add(CHAIN, TAMPERED, f"what should stand for rows up to {self.start} is damaged or another one")

    def row(self, seq: int, body: bytes, digest: bytes | None) -> None:
        """Take in one row."""
        if self.next_key is not None:
            self.change_key()
        leaf = leaf_of(body)
        self.count += 1
        if seq != self.seq + 1 or digest not in (None, leaf):
            self.found.add(CHAIN, TAMPERED, f"row {seq} is not row {self.seq + 1}, or has not the hash stored with it")
        self.seq, self.action = seq, ""
        try:
            event = read_row(body)
            if not well_written(event, body):
                self.found.add(CHAIN, TAMPERED, f"row {seq} is not in canonical form, or too long")
        except (ValueError, TypeError, RecursionError) as error:
            self.found.add(CHAIN, TAMPERED, f"row {seq}: {error}")
        else:
            self.event(event, body)
        if self.copies and self.copies.get(seq, leaf) != leaf:
            self.found.add(OTHERS, TAMPERED, f"row {seq} is not the one that was forwarded")
        self.tree.add(leaf)
        self.prev = leaf.hex()

    def event(self, event: dict[str, Any], body: bytes) -> None:
        """Take in what a row says."""
        action = self.action = event["action"]
        self.links(event)
        self.moment(event)
        if action in ("log.genesis", "key.rotate"):
            self.names_key(event)
        elif action == "audit.prune":
            self.prunes_rows(event["metadata"], body)
        elif action == "audit.gap" and event["metadata"].get("reset") is True:
            told = event["metadata"]
            lost = f"{told['total']} rows of the log {told.get('previous_log')} before this one"
            self.notices.append(f"{lost} were lost with it")
        if action in ("session.start", "session.stop", "key.rotate"):
            self.concerns_sessions(event)

    def links(self, event: dict[str, Any]) -> None:
        """The row follows the one before it, in this log."""
        self.log_id = self.log_id or event["log_id"]
        if (event["seq"], event["prev"], event["log_id"]) != (self.seq, self.prev, self.log_id):
            self.found.add(
                CHAIN, TAMPERED, f"row {self.seq} does not follow the row before it, or is one of another log"
            )
        if (event["action"] == "log.genesis") != (self.seq == 1):
            self.found.add(CHAIN, TAMPERED, f"row {self.seq}: the first row, and only it, begins a log")

    def moment(self, event: dict[str, Any]) -> None:
        """The row follows the one before it in time, or says why not."""
        try:
            clock = clock_of(event)
        except ValueError as error:
            self.found.add(CHAIN, TAMPERED, f"row {self.seq}: {error}")
            return
        if event["action"] == "clock.jump":
            self.notices.append(f"the clock was moved by {event['metadata'].get('moved_ms')} ms at row {self.seq}")
        elif self.clock is not None and moved_us(self.clock, clock) > JUMP_US:
            self.found.add(CHAIN, TAMPERED, f"the clock was moved before row {self.seq}, and no row tells of it")
        self.clock = clock

    def names_key(self, event: dict[str, Any]) -> None:
        """A row that begins a log or replaces a key."""
        said = event["metadata"]
        if event["action"] == "log.genesis":
            self.key = key_of(said["public_key"])
            self.genesis = hashlib.sha256(self.key).hexdigest()
            told = said.get("previous_logs")
            self.previous = set(filter(HEX32, map(str, told if type(told) is list else ())))
            if said["reason"] not in ("first", "second_process"):
                why = said["reason"].replace("_", " ")
                self.notices.append(f"this log was begun because the one before it was {why}")
            return
        if said["epoch"] != self.epoch + 1 or key_of(said["previous_key"]) != self.key:
            self.found.add(SEAL, TAMPERED, f"row {self.seq} skips an epoch or replaces a key that was not in force")
        self.next_key, self.rotated = key_of(said["public_key"]), self.seq
        if waited := said.get("unsealed"):
            self.notices.append(f"nothing had sealed the {waited} rows before row {self.seq} when a session found them")

    def prunes_rows(self, said: dict[str, Any], body: bytes) -> None:
        """A row that accounts for pruned rows: their archive must be the one that it names."""
        self.prunes[self.seq] = body, said["pruned_to"]
        if self.archives is None:
            return
        if said["archive"] not in self.archives:
            self.found.add(COVERAGE, TRUNCATED, f"the archive {said['archive']} is missing: erased, or taken away")
        elif self.archives[said["archive"]] != said["archive_sha256"]:
            self.found.add(CHAIN, TAMPERED, f"the archive {said['archive']} was altered")

    def concerns_sessions(self, event: dict[str, Any]) -> None:
        """A session that did not stop before another began, or before another process wrote, ended uncleanly."""
        if self.running and event["action"] != "session.stop":
            self.notices.append(f"unclean end: {self.running} did not stop before row {self.seq}")
        self.running = event["session_id"] if event["action"] == "session.start" else ""
        if self.running and self.rotated == self.sealed == self.seq - 1:
            self.may_lag = True  # killed as it began: the key is new, and the next checkpoint was due at once

    def change_key(self) -> None:
        """After a `key.rotate` that its own key has sealed, the next key is in force."""
        if self.next_key is None:
            return
        if self.noted != self.rotated:
            self.unclosed.append(self.epoch)
        self.key, self.next_key, self.epoch = self.next_key, None, self.epoch + 1

    def mark(self, size: int, kind: int, what: Any) -> None:  # noqa: ANN401 (a note, or a head's source and root)
        """Something speaks about the tree of `size` leaves."""
        if size < self.seq:
            self.found.add(COVERAGE, TAMPERED, f"what tells of {size} rows is out of order")
        elif kind == NOTE:
            self.note(size, what)
        elif kind == HEAD:
            self.head(*what)
        elif kind == HORIZON:
            self.horizon()
        else:
            self.anchor(size, *what)

    def note(self, size: int, note: str) -> None:
        """A checkpoint: signed by the key in force, of this log, size, root and epoch, and the next by number."""
        if self.without_line:
            self.found.add(COVERAGE, TRUNCATED, f"heads.log lacks the line of the checkpoint at {self.without_line}")
        # Every checkpoint has one, save the last one of a program that was killed; with none at all it is missing.
        self.without_line = size if self.lines and size not in self.lines else 0
        self.notes_seen, self.noted, self.may_lag = self.notes_seen + 1, size, self.running != ""
        self.found.looked_into(SEAL)
        found = checkpoint_of(note)
        if found != (self.log_id, size, self.tree.root(), self.epoch, self.number):
            self.found.add(SEAL, TAMPERED, f"the checkpoint of {size} rows is not the one that must stand here")
        elif not signed_by(note, self.log_id, self.key):
            self.found.add(SEAL, TAMPERED, f"checkpoint {size} is not signed by the key of epoch {self.epoch}")
        else:
            self.sealed = size
        self.number = (found[4] if found else self.number) + 1

    def head(self, source: str, size: int, root: bytes, epoch: int, tip: dict[str, Any]) -> None:
        """What the outside remembers: this root, a checkpoint over it, and where the next opening goes on."""
        self.heads_seen += 1
        if root != self.tree.root() or epoch != self.epoch:
            self.found.add(COVERAGE, TAMPERED, f"{source} remembers other rows up to {size}")
        if self.noted != size:
            self.found.add(COVERAGE, TRUNCATED, f"{source} remembers a checkpoint at {size} that is gone")
        key, epoch = (self.key, epoch) if self.next_key is None else (self.next_key, epoch + 1)
        stands = {"public_key": key.hex(), "epoch": epoch, "number": self.number, "open_session": self.running}
        if tip and tip != stands | {"frontier": self.tree.to_bytes().hex()}:
            self.found.add(COVERAGE, TAMPERED, f"{source} tells the next opening of another log at {size}")
        if source == "heads.log" and self.action in ("key.rotate", "session.stop", "audit.prune"):
            self.file_had = size

    def anchor(self, size: int, note: str, root: bytes) -> None:
        """A checkpoint that somebody else kept: signed by the key in force, over these rows."""
        self.found.looked_into(OTHERS)
        if not signed_by(note, self.log_id, self.key):
            self.found.add(OTHERS, TAMPERED, "the anchor is not signed by a key of this log")
        if root != self.tree.root():
            self.found.add(OTHERS, TAMPERED, f"the anchor seals other rows up to {size}")

    def horizon(self) -> None:
        """The pruned rows are at hand: what stands for them must be what they come to."""
        said = self.told()
        if said is None:
            return  # `judge_end` says so
        key, epoch = (self.key, self.epoch) if self.next_key is None else (self.next_key, self.epoch + 1)
        stands = (self.tree.root().hex(), self.prev, key.hex(), epoch, self.number, self.genesis)
        begun = hashlib.sha256(key_of(said["genesis_key"])).hexdigest()
        told = (*map(said.get, ("root", "last_hash", "public_key", "epoch", "number")), begun)
        if stands != told or self.kept_tree().root() != self.tree.root():
            self.found.add(CHAIN, TAMPERED, f"what should stand for rows up to {self.pruned_to} tells of others")

    def told(self) -> dict[str, Any] | None:
        """What the row that pruned says of those rows; None for a row that did not."""
        with contextlib.suppress(ValueError, TypeError, RecursionError):
            event = read_row(self.prune_body)
            return event["metadata"] if event["action"] == "audit.prune" else None
        return None

    def kept_tree(self) -> Tree:
        """The tree kept at the horizon; an empty one where it cannot be read."""
        try:
            return Tree.from_bytes(self.frontier)
        except (ValueError, TypeError):
            return Tree()

    def judge_copies(self) -> None:
        """Rows that were forwarded: compared above where both are there."""
        if not self.copies:
            return
        self.found.looked_into(OTHERS)
        if pruned := sum(seq <= self.start for seq in self.copies):
            self.found.add(OTHERS, UNVERIFIABLE, f"{pruned} rows that were forwarded are not at hand to be compared")
        if max(self.copies) > self.seq:
            self.found.add(OTHERS, TRUNCATED, f"row {max(self.copies)} was forwarded and is gone")

    def judge_end(self) -> None:
        """What can only be said when all rows are known."""
        if self.count == 0:
            self.found.add(CHAIN, UNVERIFIABLE, "there are no rows")
        for epoch in self.unclosed if self.notes_seen else ():
            self.found.add(SEAL, TAMPERED, f"epoch {epoch} was not closed by its own key")
        tail = self.seq - self.sealed  # none where the last program ended in order, and few where it was killed
        if self.notes_seen == 0 or tail >= 100 or (tail and not (self.growing or self.may_lag)):
            self.found.add(SEAL, UNVERIFIABLE, f"the last {tail} rows are not sealed")
        elif tail:
            self.notices.append(f"the last {tail} rows are chained but not sealed yet")
        if self.running:
            self.notices.append(f"unclean end, or still running: {self.running} did not stop")
        for what in self.spoiled:
            self.found.add(COVERAGE, TAMPERED, what)
        if 0 < self.kept < self.file_had:
            was = f"the mirrored head was set back to {self.kept}: it had {self.file_had}"
            self.found.add(COVERAGE, TRUNCATED, was)
        if self.heads_seen == 0:
            self.found.add(COVERAGE, UNVERIFIABLE, "nothing outside the log tells how long it was")
        word = (self.prune_body, self.pruned_to)
        if self.pruned_to and (self.prunes.get(self.prune_seq) != word or self.prune_seq > self.sealed):
            self.found.add(
                CHAIN, TAMPERED, f"rows up to {self.pruned_to} are gone, and no sealed row says that they were pruned"
            )


class Kept:
    """What somebody else kept: checkpoints, and forwarded rows as NDJSON; each speaks about its own log."""

    def __init__(self, files: Iterable[bytes] = ()) -> None:
        self.notes: dict[str, list[str]] = {}
        self.nonsense: list[str] = []
        self.copies: dict[str, dict[int, bytes]] = {}
        for data in files:
            text = data.decode("utf-8", "replace").replace("\r\n", "\n")
            if data.lstrip().startswith(b"{"):
                self.take_rows(data)
            elif at := checkpoint_of(text):
                self.notes.setdefault(at[0], []).append(text)
            else:
                self.nonsense.append(text)

    def take_rows(self, data: bytes) -> None:
        """Rows as a forwarder received them; two different ones under one number are like no row at all."""
        lines = [line for each in data.split(b"\n") if (line := each.strip())]
        spoiled = 0
        for line in lines:
            try:
                event, leaf = read_row(line), leaf_of(line)
                if event["seq"] < 1:
                    raise ValueError("a row has a number from 1 on")  # noqa: TRY301 (one answer for all)
            except (ValueError, TypeError, RecursionError):
                spoiled += 1
                continue
            rows = self.copies.setdefault(event["log_id"], {})
            rows[event["seq"]] = leaf if rows.get(event["seq"], leaf) == leaf else b""
        if spoiled:
            self.nonsense.append(f"{spoiled} lines are no rows")

    def of(self, log_id: str) -> tuple[list[str], dict[int, bytes]]:
        """Checkpoints and rows of one log; what is neither vouches for nothing, whatever the log."""
        return [*self.notes.get(log_id, []), *self.nonsense], self.copies.get(log_id, {})

    def lost(self, present: list[Log]) -> list[Log]:
        """Logs that somebody kept something of, and that are not here."""
        kept = set(self.notes) | set(self.copies)
        logs = [Log(log_id, log_id) for log_id in sorted(kept - {log.log_id for log in present})]
        for log in logs:
            log.found.add(OTHERS, code_of_lost(present), f"the log {log.name} was kept by somebody and is not here")
        return logs


# A folder or a database file.

TABLES = {"event", "checkpoint", "outbox", "horizon"}
TRIGGERS = {
    "event_appended", "event_kept", "event_not_deleted", "checkpoint_appended", "checkpoint_kept",
    "checkpoint_not_deleted", "horizon_single", "horizon_rises", "horizon_not_deleted",
}  # fmt: skip
SCHEMA = 1
"""The version of the database that this verifier knows; 0 has the same tables."""
SCHEMA_SHA256 = "eed6d7f04b6234a4754ba314aaa2e6fcdb7ac40ca844b16558ba520577c59158"
"""Of the statements that made them, by name."""
HEAD_LINE = re.compile(
    rb"[0-9a-f]{32} (0|[1-9][0-9]{0,14}) [1-9][0-9]{0,14} [0-9a-f]{64} \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
).fullmatch
BROKEN_OFF = re.compile(
    rb"([0-9a-f]{0,31}|[0-9a-f]{32}( [0-9]{0,15}( [0-9]{0,15}( ([0-9a-f]{0,63}|[0-9a-f]{64}( [0-9T:.Z-]{0,26})?))?)?)?)"
    rb"\0*"
).fullmatch
"""What a crash leaves of a line; some file systems fill it up with zeros."""
LONGEST_HEAD = 2**16
HEAD_PARTS = {"log_id": str, "root": str, "keyring": bool, "epoch": int, "size": int}
TIP_PARTS = {"frontier": str, "public_key": str, "epoch": int, "number": int, "open_session": str}
ARCHIVE = re.compile(r"[0-9a-f]{32}\.([0-9]{12})-([0-9]{12})\.ndjson\.zst").fullmatch
LOG_FILE = re.compile(r"audit(-[0-9a-f]{32})?\.sqlite3|damaged-[0-9]+\.sqlite3").fullmatch
BUSY_S = 2.0
NOT_NOW = (
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM,
)  # fmt: skip
"""What SQLite says when it cannot read now: no word about what is in the file."""
WRONG_BYTES = (sqlite3.SQLITE_IOERR_CORRUPTFS, sqlite3.SQLITE_IOERR_DATA)
NO_ZSTD = (
    "the rows up to {} lie in archives that cannot be read here: take Python 3.14, the package zstandard, or an export"
)


class Outside:
    """What heads.log and the mirrored heads of a folder remember. Read before rows that a program may be adding to."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "heads.log"
        data = self.path.read_bytes() if self.path.is_file() else None
        raw = (data or b"").split(b"\n")
        self.lines = None if data is None else [line.decode().split(" ") for line in raw if HEAD_LINE(line)]
        self.spoiled = sum(not (HEAD_LINE(line) or BROKEN_OFF(line)) for line in raw)
        heads = (folder / "keys").glob("*.head")
        files = {each.stem: each for each in heads if HEX32(each.stem) and each.is_file()}
        self.mirrors = {log_id: mirrored(log_id, path) for log_id, path in files.items()}
        self.known = set(files) | {line[0] for line in self.lines or []}

    def speak_for(self, log: Log) -> None:
        """Lay what is remembered beside the log."""
        own = [at for at in self.lines or [] if at[0] == log.log_id]
        log.heads = [("heads.log", int(at[2]), bytes.fromhex(at[3]), int(at[1]), {}) for at in own]
        log.lines = self.lines_now(log.log_id)
        if twice := sum(line[:4] == before[:4] for before, line in itertools.pairwise(own)):
            log.notices.append(f"{twice} lines of this log stand twice in heads.log")
        if self.spoiled:
            log.spoiled.append(f"{self.spoiled} lines of heads.log are none that the program wrote")
        if not log.heads:
            log.missing.append("heads.log" if self.lines is None else "every line of this log in heads.log")
        if log.heads != sorted(log.heads, key=lambda head: head[1]):
            log.found.add(COVERAGE, TAMPERED, "heads.log is out of order")
        if head := self.mirrors.get(log.log_id):
            log.heads.append(head)
            log.kept = head[1]
        else:
            log.missing.append("the mirrored head")

    def lines_now(self, log_id: str) -> set[int]:
        """Sizes of a log's lines by now: a running program has written those of every checkpoint that was read."""
        lines = self.path.read_bytes().split(b"\n") if self.path.is_file() else []
        return {int(line.split()[2]) for line in lines if HEAD_LINE(line) and line.startswith(log_id.encode())}


def mirrored(log_id: str, path: Path) -> Head | None:
    """The head of this log in a private file; None for one that is not as the program writes it."""
    with path.open("rb") as file:
        data = file.read(LONGEST_HEAD)
    try:
        kept = loads(data.decode())
    except (ValueError, RecursionError):
        return None
    tip = kept.pop("tip", None) if type(kept) is dict else None
    if not has_only(kept, HEAD_PARTS) or not (tip is None or has_only(tip, TIP_PARTS)):
        return None
    if kept["log_id"] != log_id or not HEX64(kept["root"]) or not 0 < kept["size"] < 10**15 or kept["epoch"] < 0:
        return None
    return "the mirrored head", kept["size"], bytes.fromhex(kept["root"]), kept["epoch"], tip or {}


def has_only(value: Any, parts: dict[str, type]) -> bool:  # noqa: ANN401 (whatever JSON holds)
    """Is it an object of just these parts, each of its kind?"""
    return type(value) is dict and {name: type(each) for name, each in value.items()} == parts


def check_folder(folder: Path, kept: Kept) -> list[Log]:
    """Every log of a home, and those that were written here and have no file any more."""
    outside = Outside(folder)
    logs = [check_database(path, kept) for path in sorted(folder.iterdir(), reverse=True) if LOG_FILE(path.name)]
    holders: dict[str, str] = {}
    for log in logs:
        if outside.known and log.log_id and log.log_id not in outside.known:
            log.found.add(COVERAGE, TAMPERED, f"{log.name} was not written here")
        first = holders.setdefault(log.log_id, log.name)
        if log.log_id and first != log.name:
            log.found.add(COVERAGE, TAMPERED, f"{log.name} holds the same log as {first}")
    known = outside.known.union(*(log.previous for log in logs))
    gone = [Log(log_id, log_id) for log_id in sorted(known - {log.log_id for log in logs})]
    code = code_of_lost(logs)
    for log in gone:
        log.found.add(COVERAGE, code, f"the log {log.name} was written here, and no file that can be read holds it")
    return logs + gone


def code_of_lost(logs: list[Log]) -> int:
    """Of a log that is not among these: one that cannot be read now may be it."""
    return UNVERIFIABLE if any(log.unread for log in logs) else TRUNCATED


def check_database(path: Path, kept: Kept) -> Log:
    """A database file, with heads.log, mirrored head and archives where they lie beside it."""
    log, outside = Log(path.name), Outside(path.parent)
    try:
        beside = (path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))
        for file in (path, *filter(Path.exists, beside)):
            if not file.is_file():  # SQLite would wait for ever at a pipe
                raise DamagedError(f"{file.name} is no file")
        log.growing = is_written(path)
        with closing(sqlite3.connect(address_of(path), uri=True, timeout=BUSY_S, isolation_level=None)) as database:
            database.execute("BEGIN")
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on all is of one moment
            log.growing = is_written(path) or log.growing
            load(log, database)
            outside.speak_for(log)
            log.rows = itertools.chain(archived(path.parent / "archive", log), stored(database))
            log.check(kept)
    except DAMAGED as error:
        code = getattr(error, "sqlite_errorcode", 0)
        if code & 0xFF in NOT_NOW and code not in WRONG_BYTES:
            log.unread = True
            log.found.add(CHAIN, UNVERIFIABLE, f"cannot be read now: {error}. Wait, or verify a copy elsewhere")
        else:
            log.found.add(CHAIN, TAMPERED, f"the database is damaged: {error}")
    return log


def is_written(path: Path) -> bool:
    """Does a running program hold the log's lock: a file beside it, and of the main log the folder?"""
    places = [path.with_name(path.name + ".lock")]
    if os.name == "posix" and path.name == "audit.sqlite3":
        places.append(path.parent)
    return any(map(is_locked, filter(Path.exists, places)))


def is_locked(place: Path) -> bool:
    """Does somebody hold the lock? It is taken for an instant to see, which a starting program waits for."""
    handle = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # never wait at a pipe
    try:
        if os.name == "posix":
            fcntl = importlib.import_module("fcntl")
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            msvcrt = importlib.import_module("msvcrt")
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    except OSError as error:
        return error.errno != errno.EBADF  # a network's file system, where folders cannot be locked
    finally:
        os.close(handle)
    return False


def address_of(path: Path) -> str:
    """Read-only; where no file can be written and no journal lies, as a file that nobody changes."""
    frozen = not os.access(path.parent, os.W_OK) and not path.with_name(path.name + "-wal").exists()
    return f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if frozen else ''}"


def load(log: Log, database: sqlite3.Connection) -> None:
    """What the tables say beside the rows."""
    (log.schema,) = database.execute("PRAGMA user_version").fetchone()
    names = {
        row[0]
        for row in database.execute("SELECT CAST(name AS BLOB) FROM sqlite_master WHERE name NOT GLOB 'sqlite_*'")
    }
    wanted = {name.encode() for name in TABLES | TRIGGERS}
    log.flaws = [f"{name.decode('utf-8', 'replace')} is missing or does not belong here" for name in names ^ wanted]
    made_by = database.execute("SELECT CAST(sql AS BLOB) FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
    if hashlib.sha256(b"\n".join(sql for (sql,) in made_by)).hexdigest() != SCHEMA_SHA256:
        log.flaws.append("the tables or triggers are not those that the program makes")
    first = next(stored(database), None)
    try:
        log_id = loads(first[1].decode())["log_id"] if first else ""
        if first and not (type(log_id) is str and HEX32(log_id)):
            raise DamagedError("the first row names no log")
        log.log_id = log_id
        horizon = database.execute("SELECT pruned_to, prune_seq, frontier FROM horizon").fetchone()
        if horizon and horizon[0]:
            log.pruned_to, log.prune_seq, log.frontier = int(horizon[0]), int(horizon[1] or 0), horizon[2]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedError(f"the first row or the horizon: {error!r}") from error
    body = database.execute("SELECT CAST(body AS BLOB) FROM event WHERE seq = ?", (log.prune_seq,)).fetchone()
    log.prune_body = (body and body[0]) or b""
    try:
        for size, note in database.execute("SELECT size, CAST(note AS BLOB) FROM checkpoint ORDER BY size"):
            if type(size) is not int:
                raise DamagedError("a checkpoint without a size")
            log.notes.append((size, (note or b"").decode("utf-8", "replace")))
    except DAMAGED as error:
        log.found.add(SEAL, TAMPERED, f"the checkpoints cannot be read: {error}")


def stored(database: sqlite3.Connection) -> Iterator[Row]:
    """Rows of the table, one at a time."""
    for row in database.execute("SELECT seq, CAST(body AS BLOB), hash FROM event ORDER BY seq"):
        if (type(row[0]), type(row[1]), type(row[2])) != (int, bytes, bytes):
            raise DamagedError(f"row {row[0]} is damaged")
        yield row


def archived(folder: Path, log: Log) -> Iterable[Row]:
    """Rows of all archives, one at a time; none, and the log begins at its horizon, unless every one can be read."""
    files = sorted(each for each in folder.glob(f"{log.log_id}.*") if ARCHIVE(each.name) and each.is_file())
    log.archives = {each.name: sha256_of(each) for each in files}
    ranges = [tuple(map(int, ARCHIVE(each.name).groups())) for each in files]  # type: ignore[union-attr]
    # One that goes beyond the horizon: a program was killed before it deleted those rows from the table.
    files = [each for each, (_, last) in zip(files, ranges, strict=True) if last <= log.pruned_to]
    ranges = [each for each in ranges if each[1] <= log.pruned_to]
    ends = [0, *(last for _, last in ranges)]
    if ends[-1] != log.pruned_to or any(first != end + 1 for (first, _), end in zip(ranges, ends, strict=False)):
        log.found.add(COVERAGE, TRUNCATED, f"the archives do not hold all rows up to {log.pruned_to}")
    elif not files:
        return ()
    elif zstd() is None:
        log.found.add(CHAIN, UNVERIFIABLE, NO_ZSTD.format(log.pruned_to))
    else:
        return itertools.chain.from_iterable(map(unpacked, files, ranges))
    log.from_horizon = True
    return ()


def zstd() -> Any:  # noqa: ANN401 (one module or another)
    """Python 3.14's own module, or a package that happens to be there; None where there is neither."""
    for name in ("compression.zstd", "zstandard"):
        with contextlib.suppress(ImportError):
            return importlib.import_module(name)
    return None


def unpacked(path: Path, ends: tuple[int, ...]) -> Iterator[Row]:
    """The rows of an archive, one at a time."""
    module, seq = zstd(), ends[0]
    try:
        with module.open(path, "rb") as file:
            for line in lines_of(io.BufferedReader(file)):
                if seq > ends[1] or len(line) == LONGEST_LINE:  # a few packed bytes become gigabytes of one line
                    raise DamagedError(f"the archive {path.name} holds more than the rows that its name says")
                yield seq, line, None
                seq += 1
    except (OSError, EOFError, module.ZstdError) as error:
        raise DamagedError(f"the archive {path.name} is damaged: {error}") from error
    if seq != ends[1] + 1:
        raise DamagedError(f"the archive {path.name} does not hold the rows that its name says")


def sha256_of(path: Path) -> str:
    """Of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# An export.

TITLE, MANIFEST = "facefusion-live/export/v3", "manifest.note"
OTHER_VERSION = re.compile(r"facefusion-live/export/v[0-9]{1,9}").fullmatch
HEX = re.compile(r"([0-9a-f]{2})*").fullmatch
HEX32, HEX64 = re.compile(r"[0-9a-f]{32}").fullmatch, re.compile(r"[0-9a-f]{64}").fullmatch
LONGEST_LINE, LONGEST_PROOF, LARGEST_MEMBER, MOST_PARTS, MOST_STEPS = 2**16, 2**12, 2**24, 2**19, 64
"""What is held in memory is bounded, and so is what JSON makes of it."""
SPOILED = (KeyError, ValueError, TypeError, RecursionError)
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
LOCAL_HEADER = struct.Struct("<26xHH")


class OtherVersionError(Exception):
    """An export of another version."""


def check_export(path: Path, kept: Kept) -> list[Log]:
    """Every log of an export, that the manifest is signed by the log that made it, and what it says of each log."""
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        if any(info.compress_type not in PACKED for info in archive.infolist()):
            raise zipfile.BadZipFile("packed as no export is")
        if not is_filled(file, archive):
            return [spoiled("", "the zip holds bytes that belong to none of its members")]
        try:
            note = member(archive, MANIFEST, LONGEST_MANIFEST).decode()
            manifest = read_manifest(note)
        except SPOILED as error:
            return [spoiled("", f"the manifest is missing, or not as an export has it: {error!r}")]
        flaws = flaws_of(archive, manifest["members"])
        logs = [checked(archive, manifest["whole"], about, kept) for about in manifest["logs"]]
    own = next((log.key for log in logs if log.log_id == manifest["log_id"]), b"")
    if not signed_by(note, manifest["log_id"], own, LONGEST_MANIFEST):
        flaws.append("the manifest is not signed by the log that made the export")
    for log in logs:
        for flaw in flaws:
            log.found.add(COVERAGE, TAMPERED, flaw)
    return logs + [left_out(about) for about in manifest["left_out"]]


def is_filled(file: Any, archive: zipfile.ZipFile) -> bool:  # noqa: ANN401 (an open file)
    """Do the members lie one behind the other from the first byte to the directory, and is that the end?"""
    at = 0
    for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
        file.seek(at)
        lengths = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
        if info.header_offset != at:
            return False
        at += LOCAL_HEADER.size + sum(lengths) + info.compress_size
    file.seek(-22, os.SEEK_END)
    return at == archive.start_dir and file.read().startswith(b"PK\5\6")


def flaws_of(archive: zipfile.ZipFile, told: dict[str, str]) -> list[str]:
    """Members that the signed manifest does not tell of, or tells otherwise."""
    names = archive.namelist()
    there = set(names)
    flaws = [f"{len(names) - len(there)} members are twice in the zip"] if len(names) > len(there) else []
    flaws += [f"{name} is not in the manifest" for name in sorted(there - told.keys() - {MANIFEST})]
    flaws += [f"{name} is missing" for name in sorted(told.keys() - there)]
    flaws += [f"{name} was altered" for name in sorted(told.keys() & there) if digest_of(archive, name) != told[name]]
    return flaws


def digest_of(archive: zipfile.ZipFile, name: str) -> str:
    """SHA-256 of a member, in hex."""
    digest = hashlib.sha256()
    with archive.open(name) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def spoiled(log_id: str, text: str) -> Log:
    """A log of which the export shows nothing."""
    log = Log(log_id, log_id)
    log.found.add(COVERAGE, TAMPERED, text)
    return log


def checked(archive: zipfile.ZipFile, whole: bool, about: dict[str, Any], kept: Kept) -> Log:  # noqa: FBT001
    """One log of an export, whatever its members hold."""
    try:
        return check_exported(archive, whole, about, kept)
    except SPOILED as error:
        return spoiled(about["log_id"], f"what the export holds of the log is not as it must be: {error!r}")


def read_manifest(note: str) -> dict[str, Any]:
    """The manifest of a signed note, of sound shape."""
    title, _, text = parse_note(note, LONGEST_MANIFEST)[0].partition("\n")
    if title != TITLE and OTHER_VERSION(title):
        raise OtherVersionError(f"this is {title}: take the verifier of the program that made it")
    want(title == TITLE, "the title")
    manifest = loads(text)
    want(has(manifest, log_id=str, public_key=str, whole=bool, logs=list, left_out=list, members=dict), "the whole")
    want(all(type(each) is str and HEX64(each) for each in manifest["members"].values()), "a digest")
    for about in manifest["logs"]:
        check_about(about)
    for about in manifest["left_out"]:
        want(has(about, log_id=str, file=str), "a log that was left out")
        check_told(about)
    names = [about["log_id"] for about in manifest["logs"]]
    want(names and len(set(names)) == len(names), "the list of logs")
    return manifest


def check_about(about: Any) -> None:  # noqa: ANN401 (whatever JSON holds)
    """What the manifest says of a log that is in the export."""
    numbers = dict.fromkeys(("size", "epoch", "rows", "unsealed"), int)
    want(has(about, log_id=str, root=str, heads=list, **numbers), "a log")
    want(all(about[name] >= 0 for name in numbers), "a log's numbers")
    want(HEX32(about["log_id"]) and HEX64(about["root"]), "a log's digests")
    for each in about["heads"]:
        want(has(each, source=str, epoch=int, size=int, root=str), "a head")
        want(each["size"] >= 0 and HEX64(each["root"]), "a head's root")
    if "pruned_to" in about:
        want(has(about, pruned_to=int, prune_seq=int, frontier=str) and about["pruned_to"] > 0, "a horizon")
        want(HEX(about["frontier"]), "a horizon's frontier")
    check_told(about)


def check_told(about: dict[str, Any]) -> None:
    """What verification found when it was exported."""
    want(has(about, verdicts=dict, findings=list), "what was found")
    want(about["verdicts"].keys() == set(VERDICTS), "the verdicts")
    want(all(type(word) is str and word in CODES for word in about["verdicts"].values()), "a verdict")
    want(all(has(each, verdict=str, outcome=str, message=str) for each in about["findings"]), "a finding")


def want(holds: object, what: str) -> None:
    """ValueError where a manifest is not as it must be."""
    if not holds:
        raise ValueError(f"the manifest: {what} is not as it must be")


def check_exported(archive: zipfile.ZipFile, whole: bool, about: dict[str, Any], kept: Kept) -> Log:  # noqa: FBT001
    """One log of an export."""
    log = Log(about["log_id"], about["log_id"])
    if whole:
        check_whole(log, about, archive, kept)
    else:
        Selection(log, about, archive, kept).check()
        if about["unsealed"]:
            log.notices.append(f"{about['unsealed']} rows were not sealed yet when it was exported, and are not in it")
    if log.count != about["rows"]:
        log.found.add(COVERAGE, TRUNCATED, f"the manifest tells of {about['rows']} rows, there are {log.count}")
    repeat_findings(log, about)
    return log


def repeat_findings(log: Log, about: dict[str, Any]) -> None:
    """What the program found when it exported: an export is never better than its log was."""
    for verdict, word in about["verdicts"].items():
        if code := CODES[word]:
            why = (
                each["message"] for each in about["findings"] if (each["verdict"], each["outcome"]) == (verdict, word)
            )
            log.found.add(verdict, code, f"found {word} when it was exported: {next(why, 'nothing more is said')}")


def left_out(about: dict[str, Any]) -> Log:
    """A log that could not be put in: nothing about it is shown but what the manifest says."""
    log = Log(about["log_id"], about["log_id"])
    log.found.add(COVERAGE, UNVERIFIABLE, f"{about['file'] or 'a log whose file is gone'} was left out of the export")
    repeat_findings(log, about)
    return log


def check_whole(log: Log, about: dict[str, Any], archive: zipfile.ZipFile, kept: Kept) -> None:
    """All rows of a log that were at hand."""
    rows, notes = (f"logs/{log.log_id}/{name}" for name in ("rows.ndjson", "checkpoints.json"))
    log.growing = about["unsealed"] > 0  # what that meant of the log, the manifest's verdicts tell
    start, at = about.get("pruned_to", 0), about.get("prune_seq", 0)
    log.rows = ((seq, line, None) for seq, line in enumerate(lines_in(archive, rows), start + 1))
    log.notes = [(size, note) for size, note in loads(member(archive, notes).decode())]
    want(all((type(size), type(note)) == (int, str) for size, note in log.notes), "a checkpoint")
    log.heads = [
        (f"{each['source']} (in the manifest)", each["size"], bytes.fromhex(each["root"]), each["epoch"], {})
        for each in about["heads"]
    ]
    if about["size"]:
        log.heads.append(("the manifest", about["size"], bytes.fromhex(about["root"]), about["epoch"], {}))
    log.archives = {} if start else None
    if start:
        log.from_horizon, log.pruned_to, log.prune_seq = True, start, at
        log.frontier = bytes.fromhex(about["frontier"])
        Tree.from_bytes(log.frontier)  # refuses what is none
        log.prune_body = (
            next(itertools.islice(lines_in(archive, rows), at - start - 1, None), b"") if at > start else b""
        )
    log.check(kept)


class Selection:
    """A filtered export: every row proven to stand in the sealed log, every epoch closed by its own key."""

    def __init__(self, log: Log, about: dict[str, Any], archive: zipfile.ZipFile, kept: Kept) -> None:
        self.log, self.about, self.archive = log, about, archive
        self.folder = f"logs/{log.log_id}/"
        self.note = member(archive, self.folder + "head.note").decode()
        self.head = self.own(self.note)
        self.closings = [(each["note"], steps_of(each["proof"])) for each in loads(self.text("closings.json"))]
        want(all(type(note) is str for note, _ in self.closings), "a closing")
        self.anchors, self.copies = kept.of(log.log_id)
        self.roots = {self.head[1]: self.head[2]} if self.head else {}
        self.sealer = b"", -1  # key and epoch of the last checkpoint
        self.compared = 0

    def check(self) -> None:
        """Go through the rows; what is wrong stands in the log's findings."""
        log, proofs = self.log, lines_in(self.archive, self.folder + "proofs.ndjson", LONGEST_PROOF)
        log.found.looked_into(CHAIN, SEAL, COVERAGE)
        log.epoch, wrong = -1, 0
        rows = lines_in(self.archive, self.folder + "rows.ndjson")
        for line, proof in itertools.zip_longest(rows, proofs, fillvalue=b"[]"):  # neither row nor proof of anything
            before = log.found.count
            self.row(line, steps_of(loads(proof.decode())))
            wrong += log.found.count > before
            if wrong == MOST_WRONG:
                log.found.add(CHAIN, TAMPERED, f"{wrong} rows are wrong: the others were not looked at")
                break
        if self.head is None or not signed_by(self.note, log.log_id, self.sealer[0]):
            log.found.add(SEAL, TAMPERED, "the last checkpoint is not signed by the log's key")
        elif self.head[3] != self.sealer[1]:
            log.found.add(SEAL, TAMPERED, "a row that names a key is missing")
        self.judge_coverage()
        for anchor in self.anchors:
            self.anchor(anchor)
        self.judge_copies()
        log.notices.append("a filtered export shows that its rows stand in the log, not that no row was left out")

    def row(self, line: bytes, steps: list[bytes]) -> None:
        """One row and its proof."""
        log, leaf = self.log, leaf_of(line)
        log.count += 1
        try:
            event = read_row(line)
            if not well_written(event, line):
                raise ValueError("not in canonical form, or too long")  # noqa: TRY301 (one answer for both)
        except (ValueError, TypeError, RecursionError) as error:
            log.found.add(CHAIN, TAMPERED, f"line {log.count}: {error}")
            return
        seq, head = event["seq"], self.head
        if event["log_id"] != log.log_id or seq <= log.seq:
            log.found.add(CHAIN, TAMPERED, f"row {seq} does not belong here")
        if head is None or not included(leaf, seq - 1, head[1], steps, head[2]):
            log.found.add(CHAIN, TAMPERED, f"row {seq} is not proven to stand in the log")
        if (copy := self.copies.get(seq)) is not None:
            self.compared += 1
            if copy != leaf:
                log.found.add(OTHERS, TAMPERED, f"row {seq} is not the one that was forwarded")
        log.seq = seq
        if event["action"] in ("log.genesis", "key.rotate"):
            self.new_key(seq, event["metadata"])

    def new_key(self, seq: int, said: dict[str, Any]) -> None:
        """A row names a key: the key before it must have closed its epoch, with a proven beginning of the log."""
        log, epoch = self.log, said.get("epoch", 0)
        if log.epoch == -1:
            log.genesis = hashlib.sha256(key_of(said["public_key"])).hexdigest()
        elif not self.closed(seq):
            log.found.add(SEAL, TAMPERED, f"epoch {log.epoch} was not closed by its own key")
        if log.epoch >= 0 and key_of(said.get("previous_key", "")) != log.key:
            log.found.add(SEAL, TAMPERED, f"row {seq} replaces a key that was not in force")
        if epoch != log.epoch + 1 or (seq == 1) != (epoch == 0):
            log.found.add(SEAL, TAMPERED, f"row {seq} begins epoch {epoch} after {log.epoch}")
        end = self.head[1] if self.head else 0
        if log.epoch == -1 or seq != end:  # the old key seals what replaces it
            self.sealer = key_of(said["public_key"]), epoch
        log.epoch, log.key = epoch, key_of(said["public_key"])

    def closed(self, seq: int) -> bool:
        """Did the key in force sign the tree that ends with the row which replaces it, and is that tree a beginning?"""
        if not 0 <= self.log.epoch < len(self.closings) or self.head is None:
            return False
        note, steps = self.closings[self.log.epoch]
        at = self.own(note)
        if at is None or at[1] != seq or not signed_by(note, self.log.log_id, self.log.key):
            return False
        self.roots[seq] = at[2]
        return extended(seq, self.head[1], steps, at[2], self.head[2])

    def judge_coverage(self) -> None:
        """Is the last checkpoint the one that the manifest and the outside remember?"""
        found, size = self.log.found, self.about["size"]
        if (self.head[1] if self.head else 0) != size:
            found.add(COVERAGE, TRUNCATED, f"the manifest tells of a log of {size} rows, its checkpoint does not")
        for each in self.about["heads"]:
            if each["size"] > size:
                found.add(COVERAGE, TRUNCATED, f"{each['source']} tells of {each['size']} rows, there are {size}")
            elif each["size"] == size and each["root"] != self.about["root"]:
                found.add(COVERAGE, TAMPERED, f"{each['source']} remembers other rows up to {size}")

    def anchor(self, note: str) -> None:
        """Only where the tree's root is known can a checkpoint be laid beside it: at the end of each epoch."""
        found, at = self.log.found, self.own(note)
        if at is None:
            found.add(OTHERS, UNVERIFIABLE, "the anchor is no checkpoint of this log")
        elif at[1] > (self.head[1] if self.head else 0):
            found.add(OTHERS, TRUNCATED, f"the anchor tells of {at[1]} rows, there are fewer")
        elif at[1] not in self.roots:
            found.add(OTHERS, UNVERIFIABLE, f"an anchor of {at[1]} rows cannot be laid beside some rows only")
        elif at[2] != self.roots[at[1]]:
            found.add(OTHERS, TAMPERED, "the anchor seals other rows")
        else:
            found.looked_into(OTHERS)

    def judge_copies(self) -> None:
        """Rows that were forwarded: compared above where both are there."""
        if not self.copies:
            return
        found, furthest = self.log.found, max(self.copies)
        if furthest > (self.head[1] if self.head else 0):
            found.add(OTHERS, TRUNCATED, f"row {furthest} was forwarded and is gone")
        if self.compared:
            found.looked_into(OTHERS)
        else:
            found.add(OTHERS, UNVERIFIABLE, "none of the rows that were forwarded is in this export")

    def own(self, note: str) -> Checkpoint | None:
        """A checkpoint of this log; None for anything else."""
        at = checkpoint_of(note)
        return at if at and at[0] == self.log.log_id else None

    def text(self, name: str) -> str:
        """A member of the log's folder."""
        return member(self.archive, self.folder + name).decode()


def lines_in(archive: zipfile.ZipFile, name: str, longest: int = LONGEST_LINE) -> Iterator[bytes]:
    """The lines of a member, one at a time."""
    with archive.open(name) as file:
        yield from lines_of(file, longest)


def lines_of(file: Any, longest: int = LONGEST_LINE) -> Iterator[bytes]:  # noqa: ANN401 (whatever reads lines)
    """One line at a time; of one longer than it may be no more than shows that it is none."""
    while line := file.readline(longest):
        yield line.removesuffix(b"\n")


def member(archive: zipfile.ZipFile, name: str, most: int = LARGEST_MEMBER) -> bytes:
    """A member that is held in memory, if it is not made to fill it."""
    want(archive.getinfo(name).file_size <= most, f"the size of {name}")
    return archive.read(name)


def loads(text: str) -> Any:  # noqa: ANN401 (whatever JSON holds)
    """JSON without what other readers refuse, and without what fills the memory."""
    want(sum(map(text.count, "[{,:")) <= MOST_PARTS, "the number of parts")
    value = json.loads(text, parse_constant=refuse)
    json.dumps(value, ensure_ascii=False).encode()  # refuses lone surrogates
    return value


def steps_of(texts: Any) -> list[bytes]:  # noqa: ANN401 (whatever JSON holds)
    """The hashes of a proof."""
    want(type(texts) is list and len(texts) <= MOST_STEPS, "a proof")
    return [base64.b64decode(text, validate=True) for text in texts]


# The command line.


def check(what: Path, fingerprints: Iterable[str], kept: Kept) -> list[Log]:
    """Every log of a folder, an export or a database file."""
    if what.is_dir():
        logs = check_folder(what, kept)
    elif not what.is_file():  # a pipe would be waited at for ever
        raise FileNotFoundError(2, "No such file", str(what))
    else:
        with what.open("rb") as file:
            is_database = file.read(16) == b"SQLite format 3\0"
        logs = [check_database(what, kept)] if is_database else check_export(what, kept)
    known = {fingerprint.lower() for fingerprint in fingerprints}
    for log in logs:
        if known and log.count and log.genesis not in known:
            log.found.add(SEAL, TAMPERED, "the log does not begin with a key whose fingerprint was given")
    return logs + kept.lost(logs) if logs else []


def bytes_of(path: Path) -> bytes:
    """What a file holds; a pipe would be waited at for ever."""
    if not path.is_file():
        raise FileNotFoundError(2, "No such file", str(path))
    return path.read_bytes()


def fingerprint(text: str) -> str:
    """64 hex digits, as the program prints them."""
    if not HEX64(text.lower()):
        raise argparse.ArgumentTypeError(f"{text!r} is no fingerprint: give 64 hex digits")
    return text


def main(words: list[str] | None = None) -> int:
    """Check what the command line names; give the exit code."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("what", type=Path)
    asked.add_argument(
        "--fingerprint", type=fingerprint, action="append", default=[],
        help="of a genesis key, as the About box showed it; repeat it for several logs: each must begin with one",
    )  # fmt: skip
    asked.add_argument(
        "--anchor", type=Path, action="append", default=[], help="a checkpoint or rows that somebody else kept"
    )
    asked.add_argument("--json", action="store_true", help="print one JSON object")
    given = asked.parse_args(words)
    try:
        kept = Kept(map(bytes_of, given.anchor))
        logs = check(given.what, given.fingerprint, kept)
    except Exception as error:  # noqa: BLE001 (the border: whatever a file holds, the answer is one line)
        print(f"could not run: {printable(repr(error))[:300]}", file=sys.stderr)
        return 2
    codes = {code for log in logs for code in log.found.codes}
    code = next((each for each in (TAMPERED, TRUNCATED, UNVERIFIABLE) if each in codes), 0 if logs else 2)
    if given.json:
        print(json.dumps({"exit_code": code, "logs": [as_json(log) for log in logs]}))
    else:
        report(logs, code)
    return code


def as_json(log: Log) -> dict[str, Any]:
    """One log for other programs."""
    verdicts = {name: log.found.verdict(name) for name in VERDICTS}
    names = {"log": log.name, "log_id": log.log_id, "rows": log.count, "genesis_fingerprint": log.genesis}
    return names | {"verdicts": verdicts, "findings": log.found.texts, "notices": log.notices}


def report(logs: list[Log], code: int) -> None:
    """All logs for people."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may not know every sign
    for log in logs:
        print(f"{printable(log.name)}: {log.count} rows, genesis {log.genesis}, {log.found.count} findings")
        print("  " + ", ".join(f"{name} {log.found.verdict(name)}" for name in VERDICTS))
        print("".join(f"  ! {text}\n" for text in log.found.texts), end="")
        notices = [*log.notices[:3], *log.notices[3:][-17:]]
        print("".join(f"  · {printable(text)}\n" for text in notices), end="")
    print({0: "intact", 10: "TAMPERED", 11: "TRUNCATED", 12: "UNVERIFIABLE", 2: "nothing to check"}[code])


if __name__ == "__main__":
    sys.exit(main())
