#!/usr/bin/env python3
"""Check an audit trail of FaceFusion Live without FaceFusion Live.

    python audit_verify.py EXPORT.zip
    python audit_verify.py HOME/audit                   (the folder with audit.sqlite3 and heads.log)
    python audit_verify.py audit.sqlite3 --anchor FILE  (a checkpoint, or forwarded rows, that somebody else kept)

Needs Python 3.11 and the package `cryptography`, nothing else. It was written on its own, from docs/audit.md, so that
two programs must err alike before an error goes unseen. It reads every row once and keeps none.

Four verdicts: chain (the rows themselves), seal (the signatures over them), coverage (that none is missing at the end),
anchor (what others kept; optional). Exit codes: 0 intact, 10 tampered, 11 truncated or rolled
back, 12 unverifiable (no seal or key), 2 could not run.

The record is tamper-evident, never tamper-proof. Compare the genesis fingerprint printed here with that of the
program's About box: a log made up from nothing is consistent in itself.
"""

import argparse
import base64
import contextlib
import hashlib
import importlib
import io
import itertools
import json
import os
import re
import sqlite3
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
CHAIN, SEAL, COVERAGE, OTHERS = "chain", "seal", "coverage", "anchor"
FIELDS = {
    "v", "log_id", "seq", "prev", "timestamp", "mono_ns", "boot_id", "session_id", "user_id", "client_ip",
    "action", "target", "status", "metadata",
}  # fmt: skip
ACTIONS = {
    "frame.failed", "settings.change", "log.genesis", "session.start", "session.stop", "key.rotate",
    "model.load", "source.load", "consent.grant", "consent.deny", "consent.revoke", "label.off", "label.on",
    "passthrough.on", "passthrough.off", "export.video", "export.audit", "audit.suppressed", "audit.gap",
    "audit.prune", "clock.jump", "auth.unlock",
}  # fmt: skip
NAMES = itemgetter("log_id", "boot_id", "session_id", "user_id", "client_ip", "target")
KEY_NAME = re.compile(r"[a-z0-9_]+").fullmatch
IDENTITIES = re.compile(
    r"(?P<log_id>[0-9a-f]{32}) (?P<boot>[0-9a-f-]{32,36}) (?P<session>sess_[0-7][0-9A-HJKMNP-TV-Z]{25}) "
    r"(?P<user>hmac:[0-9a-f]{16}|team-[a-z0-9]{1,16}-) (?P<ip>local|hmac:[0-9a-f]{16}) "
    r"(?P<target>[a-z][a-z0-9_.-]{0,31}(:[A-Za-z0-9_.:@+-]{1,96})?)"
).fullmatch
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII).fullmatch
SIGNATURE = re.compile("— ([^ +]+) ([A-Za-z0-9+/=]+)").fullmatch
CHECKPOINT = re.compile(
    r"facefusion-live/(?P<log>[0-9a-f]{32})\n(?P<size>[0-9]{1,15})\n(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"epoch (?P<epoch>[0-9]{1,15})\nnumber (?P<number>[0-9]{1,15})\n"
).fullmatch
TABLES = {"event", "checkpoint", "outbox", "horizon"}
TRIGGERS = {
    "event_appended", "event_kept", "event_not_deleted", "checkpoint_appended", "checkpoint_kept",
    "checkpoint_not_deleted", "horizon_single", "horizon_rises", "horizon_not_deleted",
}  # fmt: skip
SCHEMA_SHA256 = "eed6d7f04b6234a4754ba314aaa2e6fcdb7ac40ca844b16558ba520577c59158"
"""Of the statements that made them, by name."""
HEAD_LINE = re.compile(r"[0-9a-f]{32} [0-9]{1,15} [0-9]{1,15} [0-9a-f]{64} [^ ]+").fullmatch
NOT_OPENED = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM)
JUMP_US = 10_000_000
NOTE, HEAD, ANCHOR = range(3)
START, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)

Row: TypeAlias = tuple[int, bytes, bytes | None]
"""Seq, body, and the hash stored with it where there is one."""
Head: TypeAlias = tuple[str, int, bytes]
"""Who remembers, how many rows, their root."""
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
            self.texts.append(f"{verdict}: {text}")

    def looked_into(self, *verdicts: str) -> None:
        """What was really checked; without a finding it is intact."""
        for verdict in verdicts:
            self.verdicts.setdefault(verdict, 0)

    def verdict(self, name: str) -> str:
        """One of the four in a word."""
        return WORDS.get(self.verdicts[name], "intact") if name in self.verdicts else "not checked"


class Tree:
    """The right edge of an RFC 6962 tree."""

    def __init__(self, peaks: Iterable[tuple[int, bytes]] = ()) -> None:
        self.peaks = list(peaks)  # (height, hash), highest first
        self.size = sum(1 << height for height, _ in self.peaks)

    def add(self, leaf: bytes) -> None:
        """Append one leaf hash."""
        height = 0
        while self.peaks and self.peaks[-1][0] == height:
            leaf = hashlib.sha256(b"\x01" + self.peaks.pop()[1] + leaf).digest()
            height += 1
        self.peaks.append((height, leaf))
        self.size += 1

    def root(self) -> bytes:
        """Root of all leaves so far."""
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        root = self.peaks[-1][1]
        for _, peak in reversed(self.peaks[:-1]):
            root = hashlib.sha256(b"\x01" + peak + root).digest()
        return root

    @classmethod
    def from_bytes(cls, data: bytes) -> "Tree":
        """From a stored frontier: eight bytes of size, then the peaks."""
        size, hashes = int.from_bytes(data[:8], "big"), [data[at : at + 32] for at in range(8, len(data), 32)]
        heights = [bit for bit in range(63, -1, -1) if size >> bit & 1]
        if len(heights) != len(hashes):
            raise ValueError("no frontier")
        return cls(zip(heights, hashes, strict=True))


def refuse(text: str) -> NoReturn:
    """What JSON may not hold here."""
    raise ValueError(f"{text} has no place in a row")


READ = json.JSONDecoder(parse_float=refuse, parse_constant=refuse).decode
WRITE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False).encode


def plain(items: Iterable[Any], depth: int = 0) -> bool:
    """Are they within the profile: keys of [a-z0-9_], NFC strings, integers below 2^53?"""
    for item in items:
        kind = type(item)
        if kind is str:
            if not item.isascii() and not unicodedata.is_normalized("NFC", item):
                return False
        elif kind is int:
            if abs(item) >= 2**53:
                return False
        elif kind is dict or kind is list:
            inner = item.values() if kind is dict else item
            if depth >= 16 or not (kind is list or all(map(is_key, item))) or not plain(inner, depth + 1):
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


def read_row(body: bytes) -> dict[str, Any]:
    """The event of a body; ValueError unless the body is canonical and of sound schema."""
    text = body.decode()
    event = READ(text)
    if not isinstance(event, dict) or WRITE(event) != text or event.keys() != FIELDS or len(body) > 5120:
        raise ValueError("not a canonical row")
    numbers = (event["v"], event["seq"], event["mono_ns"])
    if not good_words(*NAMES(event)) or event["action"] not in ACTIONS or not STAMP(event["timestamp"]):
        raise ValueError("a field is not as the schema wants it")
    if set(map(type, numbers)) != {int} or min(numbers) < 0 or event["v"] != 1 or not plain((event["metadata"],)):
        raise ValueError("a number or the metadata are not as the schema wants them")
    if event["status"] not in ("success", "failure", "denied") or not isinstance(event["metadata"], dict):
        raise ValueError("a field is not as the schema wants it")
    if event["action"] in ("audit.suppressed", "audit.gap"):
        counts = event["metadata"].get("counts")
        if not counts or sum(counts.values()) != event["metadata"].get("total"):
            raise ValueError("the account does not add up")
    return event


def signed_by(note: str, name: str, public_key: bytes) -> bool:
    """Is the signed note signed by this Ed25519 key under this name?"""
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    wanted = hashlib.sha256(name.encode() + b"\n\x01" + public_key).digest()[:4]
    for line in lines.splitlines():
        match = SIGNATURE(line)
        try:
            blob = base64.b64decode(match[2], validate=True) if match else b""
            if match and match[1] == name and blob[:4] == wanted:
                Ed25519PublicKey.from_public_bytes(public_key).verify(blob[4:], text.encode())
                return True
        except (ValueError, InvalidSignature):
            continue
    return False


def checkpoint_of(note: str) -> Checkpoint | None:
    """Log, size, root, epoch and number of a checkpoint; None for what is none."""
    match = CHECKPOINT(note.rpartition("\n\n")[0] + "\n")
    if not match:
        return None
    return match["log"], int(match["size"]), base64.b64decode(match["root"]), int(match["epoch"]), int(match["number"])


class Log:
    """Everything that speaks for one log; its rows are gone through once."""

    def __init__(self, name: str, rows: Iterable[Row] = (), heads: Iterable[Head] = ()) -> None:
        self.name, self.rows, self.heads = name, rows, list(heads)
        self.notes: list[tuple[int, str]] = []
        self.log_id, self.pruned_to, self.prune_seq, self.prune_body = "", 0, 0, b""
        self.frontier: bytes | None = None
        self.from_horizon = False
        self.archives: dict[str, str] | None = {}  # None: pruned rows are at hand without one
        self.flaws: list[str] = []
        self.missing: list[str] = []
        self.found, self.count, self.genesis, self.key = Findings(), 0, "", b""
        self.tree, self.seq, self.prev, self.clock = Tree(), 0, "0" * 64, None
        self.epoch = self.number = self.sealed = self.noted = self.rotated = 0
        self.notes_seen = self.heads_seen = 0
        self.next_key: bytes | None = None
        self.unclosed: list[int] = []
        self.notices: list[str] = []
        self.running = ""
        self.copies: dict[int, bytes] = {}
        self.prunes: dict[int, tuple[bytes, int]] = {}

    def check(self, kept: "Kept | None" = None) -> None:
        """Go through the log; what is wrong stands in `found` afterwards."""
        for flaw in self.flaws:
            self.found.add(CHAIN, TAMPERED, flaw)
        for lack in self.missing:
            self.found.add(COVERAGE, UNVERIFIABLE, f"{lack} is missing")
        if self.from_horizon:
            self.start_behind_pruned_rows()
        notes, self.copies = kept.of(self.log_id) if kept else ([], {})
        self.found.looked_into(CHAIN, COVERAGE, *([OTHERS] if notes or self.copies else []))
        marks = self.merged_marks(notes)
        for seq, body, digest in self.rows:
            self.row(seq, body, digest)
            while marks and marks[-1][0] <= self.seq:
                self.mark(*marks.pop())
        self.change_key()
        for size, kind, what in reversed(marks):
            self.heads_seen += kind == HEAD
            who = what[0] if kind == HEAD else ("the anchor" if kind == ANCHOR else "a checkpoint")
            self.found.add(
                COVERAGE if kind != ANCHOR else OTHERS, TRUNCATED, f"{who} tells of {size} rows, there are {self.seq}"
            )
        self.judge_end()

    def merged_marks(self, anchors: Iterable[str]) -> list[tuple[int, int, Any]]:
        """Checkpoints, heads and anchors by size, the next one last."""
        marks = [(size, NOTE, note) for size, note in self.notes]
        marks += [(size, HEAD, (source, root)) for source, size, root in self.heads]
        marks += [(at[1], ANCHOR, note) for note in anchors if (at := checkpoint_of(note))]
        return sorted((mark for mark in marks if mark[0] > self.seq), key=lambda mark: mark[:2], reverse=True)

    def start_behind_pruned_rows(self) -> None:
        """Begin on the word of the row that pruned; `judge_end` sees to it that this row is sealed."""
        self.seq = self.sealed = self.noted = self.pruned_to
        try:
            said = read_row(self.prune_body)["metadata"]
            self.prev, self.epoch, self.number = said["last_hash"], said["epoch"], said["number"]
            self.key = bytes.fromhex(said["public_key"])
            self.genesis = hashlib.sha256(bytes.fromhex(said["genesis_key"])).hexdigest()
            self.tree = Tree.from_bytes(self.frontier or b"")
            if self.tree.root().hex() == said["root"]:
                return
        except (ValueError, KeyError, TypeError):
            pass
        self.found.add(
            CHAIN, TAMPERED, f"what should stand for the rows up to {self.pruned_to} is damaged or another one"
        )

    def row(self, seq: int, body: bytes, digest: bytes | None) -> None:
        """Take in one row."""
        self.change_key()
        leaf = hashlib.sha256(b"\x00" + body).digest()
        self.count += 1
        if seq != self.seq + 1 or digest not in (None, leaf):
            self.found.add(CHAIN, TAMPERED, f"row {seq} is not row {self.seq + 1}, or has not the hash stored with it")
        self.seq = seq
        try:
            event = read_row(body)
            self.links(event)
            if event["action"] in ("log.genesis", "key.rotate", "audit.prune"):
                self.concerns_keys(event, body)
            if event["action"] in ("session.start", "session.stop", "key.rotate"):
                self.concerns_sessions(event)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            self.found.add(CHAIN, TAMPERED, f"row {seq}: {error}")
        if self.copies and self.copies.get(seq, leaf) != leaf:
            self.found.add(OTHERS, TAMPERED, f"row {seq} is not the one that was forwarded")
        self.tree.add(leaf)
        self.prev = leaf.hex()

    def links(self, event: dict[str, Any]) -> None:
        """The row follows the one before it, in the chain and in time."""
        self.log_id = self.log_id or event["log_id"]
        if (event["seq"], event["prev"], event["log_id"]) != (self.seq, self.prev, self.log_id):
            self.found.add(
                CHAIN, TAMPERED, f"row {self.seq} does not follow the row before it, or is one of another log"
            )
        if (event["action"] == "log.genesis") != (self.seq == 1):
            self.found.add(CHAIN, TAMPERED, f"row {self.seq}: the first row, and only it, begins a log")
        clock = clock_of(event)
        if self.clock is not None and event["action"] != "clock.jump" and moved_us(self.clock, clock) > JUMP_US:
            self.found.add(CHAIN, TAMPERED, f"the clock was moved before row {self.seq}, and no row tells of it")
        self.clock = clock

    def concerns_keys(self, event: dict[str, Any], body: bytes) -> None:
        """Rows that begin a log, replace a key or account for pruned rows."""
        said = event["metadata"]
        if event["action"] == "log.genesis":
            self.key = bytes.fromhex(said["public_key"])
            self.genesis = hashlib.sha256(self.key).hexdigest()
        elif event["action"] == "key.rotate":
            if said["epoch"] != self.epoch + 1 or bytes.fromhex(said["previous_key"]) != self.key:
                self.found.add(SEAL, TAMPERED, f"row {self.seq} skips an epoch or replaces a key that was not in force")
            self.next_key, self.rotated = bytes.fromhex(said["public_key"]), self.seq
            if waited := said.get("unsealed"):
                self.notices.append(
                    f"nothing had sealed the {waited} rows before row {self.seq} when a session found them"
                )
        else:
            self.prunes[self.seq] = body, said["pruned_to"]
            if self.archives is None:
                return
            if said["archive"] not in self.archives:
                self.found.add(COVERAGE, TRUNCATED, f"the archive {said['archive']} is missing")
            elif self.archives[said["archive"]] != said["archive_sha256"]:
                self.found.add(CHAIN, TAMPERED, f"the archive {said['archive']} was altered")

    def concerns_sessions(self, event: dict[str, Any]) -> None:
        """A session that did not stop before another began, or before another process wrote, ended uncleanly."""
        if self.running and event["action"] != "session.stop":
            self.notices.append(f"unclean end: {self.running} did not stop before row {self.seq}")
        self.running = event["session_id"] if event["action"] == "session.start" else ""

    def change_key(self) -> None:
        """After a `key.rotate` that its own key has sealed, the next key is in force."""
        if self.next_key is None:
            return
        if self.noted != self.rotated:
            self.unclosed.append(self.epoch)
        self.key, self.next_key, self.epoch = self.next_key, None, self.epoch + 1

    def mark(self, size: int, kind: int, what: Any) -> None:  # noqa: ANN401 (a note, or a head's source and root)
        """Something speaks about the tree of `size` leaves."""
        root, origin = self.tree.root(), "facefusion-live/" + self.log_id
        if size < self.seq:
            self.found.add(COVERAGE, TAMPERED, f"what tells of {size} rows is out of order")
        elif kind == HEAD:
            self.heads_seen += 1
            if what[1] != root:
                self.found.add(COVERAGE, TAMPERED, f"{what[0]} remembers other rows up to {size}")
            if self.noted != size:
                self.found.add(COVERAGE, TRUNCATED, f"{what[0]} remembers a checkpoint at {size} that is gone")
        elif not signed_by(what, origin, self.key):
            self.found.add(
                SEAL if kind == NOTE else OTHERS,
                TAMPERED,
                f"the checkpoint of {size} rows is not signed by the key of epoch {self.epoch}",
            )
        elif kind == ANCHOR and (checkpoint_of(what) or [b""] * 3)[2] != root:
            self.found.add(OTHERS, TAMPERED, f"the anchor seals other rows up to {size}")
        if kind == NOTE:
            self.note(size, checkpoint_of(what), root)

    def note(self, size: int, found: Checkpoint | None, root: bytes) -> None:
        """A checkpoint must be the one that stands here: of this log, size, root and epoch, and the next by number."""
        self.notes_seen, self.noted = self.notes_seen + 1, size
        self.found.looked_into(SEAL)
        if found == (self.log_id, size, root, self.epoch, self.number):
            self.sealed = size
        else:
            self.found.add(SEAL, TAMPERED, f"the checkpoint of {size} rows is not the one that must stand here")
        self.number = (found[4] if found else self.number) + 1

    def judge_end(self) -> None:
        """What can only be said when all rows are known."""
        if self.count == 0:
            self.found.add(CHAIN, UNVERIFIABLE, "there are no rows")
        for epoch in self.unclosed if self.notes_seen else ():
            self.found.add(SEAL, TAMPERED, f"epoch {epoch} was not closed by its own key")
        if self.notes_seen == 0 or self.seq - self.sealed >= 100:
            self.found.add(SEAL, UNVERIFIABLE, f"the last {self.seq - self.sealed} rows are not sealed")
        elif self.seq > self.sealed:
            self.notices.append(f"the last {self.seq - self.sealed} rows are chained but not sealed yet")
        if self.running:
            self.notices.append(f"unclean end, or still running: {self.running} did not stop")
        if self.heads_seen == 0:
            self.found.add(COVERAGE, UNVERIFIABLE, "nothing outside the log tells how long it was")
        if self.copies and max(self.copies) > self.seq:
            self.found.add(OTHERS, TRUNCATED, f"row {max(self.copies)} was forwarded and is gone")
        word = (self.prune_body, self.pruned_to)
        if self.pruned_to and (self.prunes.get(self.prune_seq) != word or self.prune_seq > self.sealed):
            self.found.add(
                CHAIN, TAMPERED, f"rows up to {self.pruned_to} are gone, and no sealed row says that they were pruned"
            )


def clock_of(event: dict[str, Any]) -> tuple[str, int, int]:
    """Boot, wall clock and monotonic clock in microseconds."""
    wall = datetime.fromisoformat(event["timestamp"])
    return event["boot_id"], (wall - START) // MICROSECOND, event["mono_ns"] // 1000


def moved_us(before: tuple[str, int, int], now: tuple[str, int, int]) -> int:
    """How far the wall clock was moved between two rows."""
    wall = now[1] - before[1]
    return abs(wall - (now[2] - before[2])) if now[0] == before[0] else max(-wall, 0)


def included(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """RFC 9162, 2.1.3.2."""
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
    if old == new:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else proof
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    if not path:
        return False
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


class Kept:
    """What somebody else kept: checkpoints, and forwarded rows as NDJSON; each speaks about its own log."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.notes: dict[str, list[str]] = {}
        self.copies: dict[str, dict[int, bytes]] = {}
        self.nonsense = False
        for text in texts:
            if text.startswith("{"):
                self.take_rows(text)
            elif at := checkpoint_of(text):
                self.notes.setdefault(at[0], []).append(text)
            else:
                self.nonsense = True

    def take_rows(self, text: str) -> None:
        """Rows as a forwarder received them; two different ones under one number are like no row at all."""
        for line in filter(None, text.split("\n")):
            event, leaf = json.loads(line), hashlib.sha256(b"\x00" + line.encode()).digest()
            rows = self.copies.setdefault(event["log_id"], {})
            rows[event["seq"]] = leaf if rows.get(event["seq"], leaf) == leaf else b""

    def of(self, log_id: str) -> tuple[list[str], dict[int, bytes]]:
        """Checkpoints and rows of one log."""
        return self.notes.get(log_id, []), self.copies.get(log_id, {})

    def lost(self, present: set[str]) -> list[Log]:
        """Logs that somebody kept something of, and that are not here."""
        logs = [Log(log_id) for log_id in sorted((set(self.notes) | set(self.copies)) - present)]
        for log in logs:
            log.found.add(OTHERS, TRUNCATED, f"the log {log.name} was kept by somebody and is not here")
        return logs


def check_selection(log: Log, about: dict[str, Any], archive: zipfile.ZipFile) -> None:
    """A filtered export: every row proven to stand in the sealed log, every epoch closed by its own key."""
    folder = f"logs/{about['log_id']}/"
    lines = archive.read(folder + "rows.ndjson").splitlines()
    proofs = [json.loads(line) for line in archive.read(folder + "proofs.ndjson").splitlines()]
    closings = json.loads(archive.read(folder + "closings.json"))
    note = archive.read(folder + "head.note").decode()
    head = checkpoint_of(note)
    log.found.looked_into(CHAIN, SEAL, COVERAGE)
    if not head or (head[0], head[1], len(lines)) != (about["log_id"], about["size"], about["rows"]):
        log.found.add(COVERAGE, TRUNCATED, "the export does not hold what its manifest tells")
        return
    log.epoch, log.log_id = -1, head[0]
    for line, proof in zip(lines, proofs, strict=False):
        log.count += 1
        try:
            event = read_row(line)
            steps = [base64.b64decode(step) for step in proof]
            leaf = hashlib.sha256(b"\x00" + line).digest()
            ours = event["log_id"] == head[0] and event["seq"] > log.seq
            if not ours or not included(leaf, event["seq"] - 1, head[1], steps, head[2]):
                log.found.add(CHAIN, TAMPERED, f"row {event['seq']} is not proven to stand in the log")
            log.seq = event["seq"]
            if event["action"] in ("log.genesis", "key.rotate"):
                new_key(log, event, closings, head)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            log.found.add(CHAIN, TAMPERED, f"line {log.count}: {error}")
    if head[3] != log.epoch or not signed_by(note, "facefusion-live/" + head[0], log.key):
        log.found.add(SEAL, TAMPERED, "the last checkpoint is not signed by the log's key")


def new_key(log: Log, event: dict[str, Any], closings: list[dict[str, Any]], head: Checkpoint) -> None:
    """A row of a filtered export names a key: the key before it must have closed its epoch with a proven beginning."""
    seq, name = event["seq"], "facefusion-live/" + log.log_id
    if log.epoch >= 0:
        closing = closings[log.epoch] if log.epoch < len(closings) else {"note": "", "proof": []}
        at, steps = checkpoint_of(closing["note"]), [base64.b64decode(step) for step in closing["proof"]]
        if not at or at[:2] != (log.log_id, seq) or not signed_by(closing["note"], name, log.key):
            log.found.add(SEAL, TAMPERED, f"epoch {log.epoch} was not closed by its own key")
        elif not extended(seq, head[1], steps, at[2], head[2]):
            log.found.add(SEAL, TAMPERED, f"the tree at the end of epoch {log.epoch} is no beginning of the last one")
    if event["metadata"].get("epoch", 0) != log.epoch + 1 or (log.epoch == -1) != (seq == 1):
        log.found.add(SEAL, TAMPERED, f"row {seq} skips an epoch")
    log.epoch, log.key = log.epoch + 1, bytes.fromhex(event["metadata"]["public_key"])
    log.genesis = log.genesis or hashlib.sha256(log.key).hexdigest()


def check_zip(path: Path, kept: Kept) -> list[Log]:
    """Every log of an export, and that the manifest is signed by the log that made it."""
    with zipfile.ZipFile(path) as archive:
        note = archive.read("manifest.note").decode()
        title, _, text = note.rpartition("\n\n")[0].partition("\n")
        manifest = json.loads(text)
        if title != "facefusion-live/export/v1":
            raise ValueError("no export of this kind")
        logs = [check_exported(archive, manifest, about, kept) for about in manifest["logs"]]
    own = next((log.key for log in logs if log.name == manifest["log_id"]), b"")
    if not signed_by(note, "facefusion-live/" + manifest["log_id"], own):
        for log in logs:
            log.found.add(COVERAGE, TAMPERED, "the manifest is not signed by the log that made the export")
    return logs


def lines_of(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """The lines of a member, one at a time."""
    with archive.open(name) as file:
        for line in file:
            yield line.rstrip(b"\n")


def check_exported(archive: zipfile.ZipFile, manifest: dict[str, Any], about: dict[str, Any], kept: Kept) -> Log:
    """One log of an export."""
    folder = f"logs/{about['log_id']}/"
    rows = folder + "rows.ndjson"
    log = Log(about["log_id"], heads=[("the manifest", about["size"], bytes.fromhex(about["root"]))])
    if manifest["whole"]:
        start, at = about.get("pruned_to", 0), about.get("prune_seq", 0)
        log.rows = ((seq, line, None) for seq, line in enumerate(lines_of(archive, rows), start + 1))
        log.log_id, log.pruned_to, log.prune_seq = about["log_id"], start, at
        log.notes = [(size, note) for size, note in json.loads(archive.read(folder + "checkpoints.json"))]
        log.archives = {} if start else None
        log.from_horizon, log.frontier = bool(start), bytes.fromhex(about.get("frontier", ""))
        word = itertools.islice(lines_of(archive, rows), max(at - start - 1, 0), None)
        log.prune_body = next(word, b"") if start else b""
        log.check(kept)
    else:
        check_selection(log, about, archive)
    with archive.open(rows) as file:
        digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
    if digest.hexdigest() != about["rows_sha256"]:
        log.found.add(COVERAGE, TAMPERED, "the rows are not those of the manifest")
    return log


def check_database(path: Path, kept: Kept) -> Log:
    """A database file, with heads.log, mirrored head and archives where they lie beside it."""
    log = Log(path.name)
    if not path.is_file():
        raise FileNotFoundError(path)
    lines, mirrors = outside(path.parent)  # before the rows, which a running program may be adding to
    try:
        with closing(sqlite3.connect(address_of(path), uri=True, isolation_level=None)) as database:
            database.execute("BEGIN")
            load(log, database)
            recall(log, lines, mirrors)
            rows = database.execute("SELECT seq, CAST(body AS BLOB), hash FROM event ORDER BY seq")
            archived = archives(path.parent / "archive", log)
            log.from_horizon = bool(log.pruned_to) and archived is None
            log.rows = itertools.chain(archived or [], rows)
            log.check(kept)
    except (sqlite3.Error, TypeError, UnicodeDecodeError) as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in NOT_OPENED:
            log.found.add(
                CHAIN, UNVERIFIABLE, f"cannot be opened here ({error}): verify a copy where files can be written"
            )
        else:
            log.found.add(CHAIN, TAMPERED, f"the database is damaged: {error}")
    except DamagedError as error:
        log.found.add(CHAIN, TAMPERED, str(error))
    return log


def address_of(path: Path) -> str:
    """Read-only; where no file can be written and no journal lies, as a file that nobody changes."""
    frozen = not os.access(path.parent, os.W_OK) and not path.with_name(path.name + "-wal").exists()
    return f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if frozen else ''}"


def load(log: Log, database: sqlite3.Connection) -> None:
    """What the tables say beside the rows."""
    names = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE name NOT GLOB 'sqlite_*'")}
    log.flaws = [f"{name} is missing or does not belong here" for name in names ^ (TABLES | TRIGGERS)]
    made_by = database.execute("SELECT CAST(sql AS BLOB) FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
    if hashlib.sha256(b"\n".join(sql for (sql,) in made_by)).hexdigest() != SCHEMA_SHA256:
        log.flaws.append("the tables or triggers are not those that the program makes")
    first = database.execute("SELECT CAST(body AS BLOB) FROM event ORDER BY seq LIMIT 1").fetchone()
    with contextlib.suppress(ValueError, KeyError, TypeError):
        log.log_id = json.loads(first[0])["log_id"] if first else ""
    notes = database.execute("SELECT size, CAST(note AS BLOB) FROM checkpoint ORDER BY size")
    log.notes = [(size, (note or b"").decode("utf-8", "replace")) for size, note in notes]
    horizon = database.execute("SELECT pruned_to, prune_seq, frontier FROM horizon").fetchone()
    log.pruned_to, log.prune_seq, log.frontier = horizon or (0, 0, None)
    body = database.execute("SELECT CAST(body AS BLOB) FROM event WHERE seq = ?", (log.prune_seq,)).fetchone()
    log.prune_body = body[0] if body else b""


def outside(folder: Path) -> tuple[list[list[str]] | None, dict[str, Any]]:
    """What heads.log and the mirrored heads remember; None for a heads.log that is not there."""
    path = folder / "heads.log"
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else None
    lines = None if text is None else [line.split(" ") for line in text.split("\n") if HEAD_LINE(line)]
    mirrors = {}
    for each in (folder / "keys").glob("*.head"):
        with contextlib.suppress(ValueError):
            mirrors[each.stem] = json.loads(each.read_text())
    return lines, mirrors


def recall(log: Log, lines: list[list[str]] | None, mirrors: dict[str, Any]) -> None:
    """Lay what the outside remembers beside the log."""
    log.heads = [("heads.log", int(at[2]), bytes.fromhex(at[3])) for at in lines or [] if at[0] == log.log_id]
    if not log.heads:
        log.missing.append("heads.log" if lines is None else "every line of this log in heads.log")
    if log.heads != sorted(log.heads, key=lambda head: head[1]):
        log.found.add(COVERAGE, TAMPERED, "heads.log is out of order")
    if mirror := mirrors.get(log.log_id):
        log.heads.append(("the mirrored head", mirror["size"], bytes.fromhex(mirror["root"])))
    else:
        log.missing.append("the mirrored head")
    known = set(mirrors) | {at[0] for at in lines or []}
    if log.log_id and known and log.log_id not in known:
        log.found.add(COVERAGE, TAMPERED, f"{log.name} was not written here")


def archives(folder: Path, log: Log) -> Iterator[Row] | None:
    """Rows of all archives, one at a time, if every one is there and can be unpacked here; None otherwise."""
    files = sorted(folder.glob(f"{log.log_id}.*.ndjson.zst"))
    log.archives = {each.name: sha256_of(each) for each in files}
    files = [each for each in files if ends_of(each)[1] <= log.pruned_to]  # one beyond: its rows are still in the table
    ranges = [ends_of(each) for each in files]
    if sum(last - first + 1 for first, last in ranges) != log.pruned_to:
        log.found.add(COVERAGE, TRUNCATED, f"the archives do not hold all rows up to {log.pruned_to}")
        return None
    if zstd() is None:
        return None
    return ((seq, body, None) for seq, body in enumerate(itertools.chain.from_iterable(map(unpacked, files)), 1))


def ends_of(path: Path) -> tuple[int, int]:
    """First and last row of an archive, as its name says."""
    first, last = path.name.split(".")[1].split("-")
    return int(first), int(last)


def zstd() -> Any:  # noqa: ANN401 (one module or another)
    """Python 3.14's own module, or a package that happens to be there; None where there is neither."""
    for name in ("compression.zstd", "zstandard"):
        with contextlib.suppress(ImportError):
            return importlib.import_module(name)
    return None


def unpacked(path: Path) -> Iterator[bytes]:
    """The lines of a zstd file, one at a time."""
    module = zstd()
    try:
        with module.open(path, "rb") as file:
            for line in io.BufferedReader(file):
                yield line.rstrip(b"\n")
    except (OSError, EOFError, module.ZstdError) as error:
        raise DamagedError(f"the archive {path.name} is damaged: {error}") from error


def sha256_of(path: Path) -> str:
    """Of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lost(folder: Path, present: set[str]) -> list[Log]:
    """Logs that heads.log or a mirrored head knows, and whose file is gone."""
    lines, mirrors = outside(folder)
    logs = [Log(log_id) for log_id in sorted((set(mirrors) | {line[0] for line in lines or []}) - present)]
    for log in logs:
        log.found.add(COVERAGE, TRUNCATED, f"the log {log.name} was written here, and its file is gone")
    return logs


def check(what: Path, fingerprint: str, kept: Kept) -> list[Log]:
    """Every log of a folder, an export or a database file."""
    if what.is_dir():
        paths = sorted([*what.glob("audit*.sqlite3"), *what.glob("damaged-*.sqlite3")])
        logs = [check_database(path, kept) for path in paths]
        logs += lost(what, {log.log_id for log in logs})
    else:
        logs = check_zip(what, kept) if zipfile.is_zipfile(what) else [check_database(what, kept)]
    if fingerprint and logs and not any(log.genesis == fingerprint.lower() for log in logs):
        for log in logs:
            log.found.add(SEAL, TAMPERED, "the log does not begin with the key whose fingerprint was given")
    return logs + kept.lost({log.log_id or log.name for log in logs}) if logs else []


def main(words: list[str] | None = None) -> int:
    """Check what the command line names; give the exit code."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("what", type=Path)
    asked.add_argument("--fingerprint", default="", help="of the genesis key, as the About box showed it")
    asked.add_argument(
        "--anchor", type=Path, action="append", default=[], help="a checkpoint or rows that somebody else kept"
    )
    asked.add_argument("--json", action="store_true", help="print one JSON object")
    given = asked.parse_args(words)
    try:
        kept = Kept(path.read_text(encoding="utf-8") for path in given.anchor)
        logs = check(given.what, given.fingerprint, kept)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        print(f"could not run: {error!r}", file=sys.stderr)
        return 2
    codes = {code for log in logs for code in log.found.codes}
    if kept.nonsense:
        codes.add(UNVERIFIABLE)
    code = next((each for each in (TAMPERED, TRUNCATED, UNVERIFIABLE) if each in codes), 0 if logs else 2)
    if given.json:
        about = [{"log": each.name, "rows": each.count, "genesis_fingerprint": each.genesis,
                  "verdicts": {name: each.found.verdict(name) for name in (CHAIN, SEAL, COVERAGE, OTHERS)},
                  "findings": each.found.texts, "notices": each.notices} for each in logs]  # fmt: skip
        print(json.dumps({"exit_code": code, "logs": about}))
        return code
    for log in logs:
        print(f"{log.name}: {log.count} rows, genesis {log.genesis}, {log.found.count} findings")
        print("  " + ", ".join(f"{name} {log.found.verdict(name)}" for name in (CHAIN, SEAL, COVERAGE, OTHERS)))
        print("".join(f"  ! {text}\n" for text in log.found.texts), end="")
        print("".join(f"  · {text}\n" for text in (*log.notices[:3], *log.notices[3:][-17:])), end="")
    print({0: "intact", 10: "TAMPERED", 11: "TRUNCATED", 12: "UNVERIFIABLE", 2: "nothing to check"}[code])
    return code


if __name__ == "__main__":
    sys.exit(main())
