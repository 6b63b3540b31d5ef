"""What a case for verifiers is, and the ways in which homes and exports are laid out for one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from facefusion_live.domain.audit.note import Checkpoint, parse_note
from facefusion_live.domain.audit.seal import Gone, Origin, Tip, genesis_metadata
from tests.fakes.audit import Log, LogBuilder, public_bytes
from tests.fakes.audit_attacks import genuine
from tests.fakes.audit_disk import lay_out
from tests.fakes.audit_export import Export, PrunedHome

Make: TypeAlias = Callable[[Path], tuple[Path, list[str]]]
"""Lays something into an empty folder; gives what to verify and further words of the command line."""
SOME: dict[str, Any] = {"wanted": {5, 20}}
"""Some rows only."""
Verdicts = dict[str, str]


@dataclass(frozen=True)
class Case:
    """Something to verify.

    Attributes:
        name: For the test's name.
        make: Lays it into an empty folder; gives what to verify and further words of the command line.
        exit_code: What both verifiers must answer.
        verdicts: Of the first log, as far as they matter.
    """

    name: str
    make: Make
    exit_code: int
    verdicts: Verdicts


def home_of(log: Callable[[], Log], change: Callable[[Path], Any] | None = None) -> Make:
    def make(folder: Path) -> tuple[Path, list[str]]:
        home = folder / "audit"
        lay_out(home, log())
        if change:
            change(home)
        return home, []

    return make


def pruned(prepare: Callable[[PrunedHome], Any], change: Callable[[PrunedHome], Any] | None = None) -> Make:
    def make(folder: Path) -> tuple[Path, list[str]]:
        home = PrunedHome(folder / "audit")
        prepare(home)
        home.write()
        if change:
            change(home)
        return home.folder, []

    return make


def export_of(log: Callable[[], Log] = genuine, **changes: Any) -> Make:
    return lambda folder: (Export(log(), **changes).write(folder / "export.zip"), [])


def beside(make: Make, *words: str, **files: bytes) -> Make:
    """The same with more words; those that name a file become its path."""

    def made(folder: Path) -> tuple[Path, list[str]]:
        what, given = make(folder)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        return what, [*given, *(str(folder / word) if word in files else word for word in words)]

    return made


def many_scripts() -> Log:
    """A session with words of many scripts."""
    return LogBuilder().session().add("label.on", {"note": "é ü 中文 \u2028 🎥"}).checkpoint().log()


def crashed() -> Log:
    """A session that never stopped, rows that nothing had sealed, a clock that was moved, a tail."""
    builder = LogBuilder().rotate().add("session.start").checkpoint().add("label.on").session(1)
    builder.add("clock.jump", {"moved_ms": -9}, utc_ns=1_759_996_400_000_000_000).checkpoint()
    return builder.rotate(utc_ns=1_759_996_400_250_000_000).add("session.start", utc_ns=1_759_996_400_500_000_000).log()


def begun_anew(origin: Origin, **told: Any) -> Log:
    """A log that takes the place of others; what else its first row tells."""
    log = LogBuilder("after")
    log.rows, log.notes, log.heads = [], [], []
    log.tip = Tip(log.tip.log_id, log.tip.public_key)
    log.add("log.genesis", genesis_metadata(log.tip.public_key, origin) | told)
    for gone in origin.gone:
        log.add("audit.gap", gone.metadata(), status="failure")
    return log.checkpoint().log()


def begun_because() -> Log:
    """The log that follows one that was rolled back."""
    return begun_anew(Origin("rolled_back"))


def begun_without() -> Log:
    """The log that follows one that was taken away, mirrors and all."""
    return begun_anew(Origin("replaced", ("f" * 32,), gone=(Gone("f" * 32, 345),)))


def begun_oddly() -> Log:
    """One whose first row names logs that are none, and with rows that resemble one about a log that is gone."""
    log = begun_anew(Origin("replaced"), previous_logs=["none", 5, ["f" * 32]])
    lost = {"counts": {"rows": 2}, "total": 2, "digest": ""}
    builder = LogBuilder("after")
    builder.rows, builder.notes, builder.heads, builder.tip = log.rows, log.notes, log.heads, log.tip
    return builder.add("audit.gap", lost).add("label.on", lost | {"reset": True}).checkpoint().log()


def ndjson(log: Log, *seqs: int) -> bytes:
    return b"".join(row.body + b"\n" for row in log.rows if row.seq in seqs or not seqs)


def note_of(index: int, log: Callable[[], Log] = genuine) -> bytes:
    return log().notes[index][1].encode()


def resigned(index: int, key: Any = None, **changes: Any) -> bytes:
    log = genuine()
    note = replace(Checkpoint.parse(parse_note(log.notes[index][1]).text), **changes)
    key = key or log.keys[note.epoch]
    return note.signed(public_bytes(key), key.sign).encode()


def two_logs(folder: Path) -> tuple[Path, list[str]]:
    return beside_another(folder, LogBuilder("other").session().log())


def beside_another(folder: Path, other: Log) -> tuple[Path, list[str]]:
    """A genuine log, and one of a second process."""
    home = folder / "audit"
    lay_out(home, other)
    heads = (home / "heads.log").read_text()
    (home / "audit.sqlite3").rename(home / f"audit-{other.tip.log_id}.sqlite3")
    lay_out(home, genuine())
    with (home / "heads.log").open("a") as file:
        file.write(heads)
    return home, []
