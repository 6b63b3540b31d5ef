"""Exports and pruned homes made in memory, with every key at hand: also such as no program of ours would ever write."""

import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from facefusion_live.adapters.storage.archive import write_archive
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.manifest import TITLE
from facefusion_live.domain.audit.canonical import STANDARD
from facefusion_live.domain.audit.event import KEY_ROTATE, LOG_GENESIS, PRUNE, Row
from facefusion_live.domain.audit.evidence import Horizon
from facefusion_live.domain.audit.merkle import Frontier, Tree
from facefusion_live.domain.audit.note import ORIGIN_PREFIX, Checkpoint, fingerprint, parse_note, sign_note
from tests.fakes.audit import Log, LogBuilder, public_bytes
from tests.fakes.audit_disk import lay_out

Members = dict[str, bytes]
INTACT = {"chain": "intact", "seal": "intact", "coverage": "intact", "anchor": "not_checked"}


def _nothing(_: Any) -> None: ...


@dataclass
class Export:
    """An export to be written.

    Attributes:
        log: That is in it, and makes it.
        wanted: Rows that are wanted; None for all.
        about: Changes what the manifest says of the log, before it is signed.
        manifest: Changes the manifest, before it is signed.
        inner: Changes the members before the manifest tells their digests, as only the holder of the key can.
        members: Changes the members, manifest and all, as somebody without a key would.
        rows: Changes which rows go in, in which order, each with its proof.
        compression: Of the zip.
    """

    log: Log
    wanted: set[int] | None = None
    about: Callable[[dict[str, Any]], Any] = _nothing
    manifest: Callable[[dict[str, Any]], Any] = _nothing
    inner: Callable[[Members], Any] = _nothing
    members: Callable[[Members], Any] = _nothing
    rows: Callable[[list[Row]], list[Row]] = list
    compression: int = zipfile.ZIP_STORED

    def write(self, path: Path) -> Path:
        members, about = self._members()
        members |= {"audit_verify.py": b"print('intact')\n", "README.txt": b"Check it.\n"}
        self.inner(members)
        self.about(about)
        manifest = {
            "v": 3,
            "created": "2026-01-01T00:00:00.000000Z",
            "log_id": self.log.tip.log_id,
            "public_key": self.log.tip.public_key.hex(),
            "whole": self.wanted is None,
            "filter": "",
            "logs": [about],
            "left_out": [],
            "members": {name: sha256(data).hexdigest() for name, data in members.items()},
        }
        self.manifest(manifest)
        name = ORIGIN_PREFIX + str(manifest["log_id"])
        key = self.log.keys[-1]
        text = f"{TITLE}\n{json.dumps(manifest)}\n"
        members["manifest.note"] = sign_note(text, name, public_bytes(key), key.sign).encode()
        self.members(members)
        with zipfile.ZipFile(path, "w", self.compression) as archive:
            for each, data in members.items():
                archive.writestr(each, data)
        return path

    def _members(self) -> tuple[Members, dict[str, Any]]:
        log, folder = self.log, f"logs/{self.log.tip.log_id}"
        head = Checkpoint.parse(parse_note(log.notes[-1][1]).text) if log.notes else None
        size = head.size if head else 0
        members: Members = {}
        chosen = self.rows(log.rows)
        if self.wanted is None:
            members[f"{folder}/checkpoints.json"] = json.dumps(log.notes).encode()
        else:
            tree = Tree(row.hash for row in log.rows)
            names = {row.seq: action_of(row) for row in log.rows}
            keys = {seq for seq, name in names.items() if name in {LOG_GENESIS, KEY_ROTATE}}
            chosen = self.rows([row for row in log.rows if row.seq in self.wanted | keys])
            proofs = [_texts(tree.inclusion(row.seq - 1, size)) for row in chosen]
            members[f"{folder}/proofs.ndjson"] = "".join(json.dumps(each) + "\n" for each in proofs).encode()
            closings = [
                {"note": note, "proof": _texts(tree.consistency(at, size))}
                for at, note in log.notes
                if names[at] == KEY_ROTATE
            ]
            members[f"{folder}/closings.json"] = json.dumps(closings).encode()
            members[f"{folder}/head.note"] = log.notes[-1][1].encode()
        rows = b"".join(row.body + b"\n" for row in chosen)
        members[f"{folder}/rows.ndjson"] = rows
        about: dict[str, Any] = {
            "log_id": log.tip.log_id,
            "size": size,
            "root": head.root.hex() if head else sha256(b"").hexdigest(),
            "epoch": head.epoch if head else 0,
            "rows": len(chosen),
            "unsealed": len(log.rows) - size if "horizon" not in log.extra else 0,
            "genesis_fingerprint": fingerprint(public_bytes(log.keys[0])),
            "genesis_reason": "first",
            "heads": [
                {"source": each.source, "epoch": each.epoch, "size": each.size, "root": each.root.hex()}
                for each in log.heads[-1:]
            ],
            "verdicts": dict(INTACT),
            "findings": [],
        }
        if horizon := log.extra.get("horizon"):
            about |= {
                "pruned_to": horizon.pruned_to,
                "prune_seq": horizon.prune_seq,
                "frontier": horizon.frontier.to_bytes().hex(),
            }
        return members, about


def action_of(row: Row) -> str:
    """Empty for a row that tells none."""
    try:
        return str(json.loads(row.body)["action"])
    except (ValueError, KeyError, TypeError):
        return ""


def _texts(steps: Iterable[bytes]) -> list[str]:
    from base64 import b64encode

    return [b64encode(step).decode() for step in steps]


@dataclass
class PrunedHome:
    """A log that is pruned again and again, as the program does it: archive, row, seal, deletion.

    Attributes:
        folder: The home's audit folder.
        builder: Writes the log.
    """

    folder: Path
    builder: LogBuilder = field(default_factory=lambda: LogBuilder().session().session(0).session(9))
    pruned_to: int = 0
    horizon: Horizon | None = None

    def __post_init__(self) -> None:
        Layout(self.folder).ensure()

    def prune(self, last: int, **claims: Any) -> "PrunedHome":
        """Give up rows up to `last`; the row that says so may claim what it likes."""
        rows, log_id = self.builder.rows, self.builder.tip.log_id
        archive = write_archive(self.folder / "archive", log_id, self.pruned_to + 1, last, rows[self.pruned_to : last])
        frontier = Frontier()
        for row in rows[:last]:
            frontier.append(row.hash)
        keys = [
            STANDARD.decode(row.body)["metadata"] for row in rows[:last] if action_of(row) in {LOG_GENESIS, KEY_ROTATE}
        ]
        told = {
            "pruned_to": last,
            "root": frontier.root().hex(),
            "last_hash": rows[last - 1].hash.hex(),
            "epoch": keys[-1].get("epoch", 0),
            "public_key": keys[-1]["public_key"],
            "genesis_key": keys[0]["public_key"],
            "number": sum(size <= last for size, _ in self.builder.notes),
            "archive": archive.path.name,
            "archive_sha256": archive.sha256(),
        }
        self.builder.add(PRUNE, told | claims).checkpoint()
        self.pruned_to = last
        self.horizon = Horizon(last, len(rows), frontier, rows[-1].body)
        return self

    def log(self) -> Log:
        """The log as its table has it."""
        log = self.builder.log()
        log.rows = log.rows[self.pruned_to :]
        if self.horizon:
            log.extra = {"horizon": self.horizon, "from_horizon": True}
        return log

    def write(self) -> Path:
        """Put the database there; the archives lie there already."""
        lay_out(self.folder, self.log())
        return self.folder

    @property
    def archives(self) -> list[Path]:
        return sorted((self.folder / "archive").iterdir())
