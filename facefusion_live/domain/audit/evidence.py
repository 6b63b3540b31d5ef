"""What verification is given: streams of rows, checkpoints and heads, wherever they come from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from facefusion_live.domain.audit.event import Row
from facefusion_live.domain.audit.merkle import Frontier


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a log as something outside the log remembers it.

    Attributes:
        source: "keyring", "file", "heads.log", "manifest".
        log_id: Which log.
        epoch: Which key signed.
        size: Rows.
        root: Root over them.
        tip: What is told with it for the next opening: frontier, public_key, epoch, number, open_session; empty where
            nothing is.
    """

    source: str
    log_id: str
    epoch: int
    size: int
    root: bytes
    tip: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Horizon:
    """Up to where rows have been pruned.

    Attributes:
        pruned_to: The last row that is gone.
        prune_seq: The `audit.prune` row that says so.
        frontier: Of the tree at `pruned_to`; None when the stored one could not be read.
        prune_body: The body of that row, fetched beforehand; empty when there is none.
    """

    pruned_to: int
    prune_seq: int
    frontier: Frontier | None
    prune_body: bytes


@dataclass(frozen=True, slots=True)
class Anchors:
    """What somebody else kept of one log.

    Attributes:
        notes: Checkpoints as signed notes.
        copies: Leaf hashes of forwarded rows by seq.
    """

    notes: tuple[str, ...] = ()
    copies: Mapping[int, bytes] = field(default_factory=dict[int, bytes])


@dataclass(frozen=True, slots=True)
class Evidence:
    """One log and all that speaks for it.

    Attributes:
        rows: In order; from `horizon` on when `from_horizon`, else from row 1 (archives first). Iterating raises
            UnreadableError where the medium is damaged.
        notes: Size and signed note of each checkpoint, by rising size.
        heads: By rising size.
        log_id: As the outside knows the log; None when nobody does.
        horizon: Set where rows were pruned.
        from_horizon: The rows start after the horizon, since archives are not to be had.
        archives: SHA-256 in hex of each archive file found, by name; None where `rows` hold pruned rows without any.
        lines: Sizes of the log's lines in heads.log, read after the rows were: each checkpoint has one. Empty where the
            heads come from elsewhere.
        kept: The head in the private file, which is among `heads`, too.
        mirror_flaws: What is wrong with the mirrors themselves.
        missing: Mirrors that should be there and are not.
        flaws: What is wrong with the container: dropped triggers, a strange schema.
        growing: A program writes the log, or wrote it when it was exported: its last rows may wait for their seal.
        newer: A later version of the program made the container; what belongs into it is not known here.
        anchors: What others kept.
        now_us: Wall clock at verification; 0 when nobody says.
    """

    rows: Iterable[Row]
    notes: Iterable[tuple[int, str]]
    heads: Iterable[Head]
    log_id: str | None = None
    horizon: Horizon | None = None
    from_horizon: bool = False
    archives: Mapping[str, str] | None = None
    lines: Iterable[int] = ()
    kept: Head | None = None
    mirror_flaws: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()
    growing: bool = False
    newer: bool = False
    anchors: Anchors = Anchors()
    now_us: int = 0
