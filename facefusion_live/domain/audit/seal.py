"""Sealing: events get their place in the chain, and checkpoints sign where it stands.

`seal` is a pure function from one `Tip` to the next, so that a batch which the disk refuses leaves nothing behind.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from facefusion_live.domain.audit.canonical import Codec
from facefusion_live.domain.audit.event import (
    CLOCK_JUMP,
    GENESIS_PREV,
    KEY_ROTATE,
    SESSION_START,
    SESSION_STOP,
    VERSION,
    Draft,
    Row,
    timestamp,
)
from facefusion_live.domain.audit.merkle import Frontier, leaf_hash
from facefusion_live.domain.audit.note import Checkpoint

CHECKPOINT_EVERY_ROWS = 100
"""After so many rows there is a checkpoint; a longer tail without one is not ours."""
CLOCK_JUMP_US = 5_000_000
"""A wall clock that moved so much against the monotonic one is put on record."""
_EDGES = frozenset({SESSION_START, SESSION_STOP, KEY_ROTATE})


@dataclass(frozen=True, slots=True)
class Tip:
    """Where a log stands.

    Attributes:
        log_id: 32 hex digits.
        prev: Hash of the last row; zeros before the first.
        frontier: Right edge of the tree; its size is the number of rows.
        epoch: Which key signs now.
        public_key: That key.
        number: How many checkpoints there are.
        sealed: Rows under the last checkpoint.
        clock: Boot id, wall clock (us) and monotonic clock (us) of the last row; None before the first.
        open_session: The session that began and has not stopped; empty when none has.
    """

    log_id: str
    public_key: bytes
    prev: bytes = GENESIS_PREV
    frontier: Frontier = Frontier()  # noqa: RUF009 (never appended to: `seal` copies first)
    epoch: int = 0
    number: int = 0
    sealed: int = 0
    clock: tuple[str, int, int] | None = None
    open_session: str = ""

    @property
    def size(self) -> int:
        """Rows so far."""
        return self.frontier.size

    def checkpoint(self) -> Checkpoint:
        """The checkpoint of this very moment, to be signed with the present key."""
        return Checkpoint(self.log_id, self.size, self.frontier.root(), self.epoch, self.number)

    def after_checkpoint(self) -> "Tip":
        """The tip once that checkpoint is stored."""
        return replace(self, number=self.number + 1, sealed=self.size)

    def with_key(self, public_key: bytes) -> "Tip":
        """The tip in the next epoch."""
        return replace(self, epoch=self.epoch + 1, public_key=public_key)


@dataclass(frozen=True, slots=True)
class Gone:
    """Rows of a log before this one that were stored, and that nothing at hand holds any more.

    Attributes:
        log_id: Whose.
        rows: How many, as far as anybody remembers.
        root: Over all rows that the log had then, in hex; empty where nobody remembers it.
    """

    log_id: str
    rows: int
    root: str = ""

    def metadata(self) -> dict[str, object]:
        """As the `audit.gap` row tells them."""
        counted: dict[str, object] = {"counts": {"rows": self.rows}, "total": self.rows, "digest": self.root}
        return counted | {"reset": True, "previous_log": self.log_id}


@dataclass(frozen=True, slots=True)
class Origin:
    """Why there is a new log, and which it takes the place of.

    Attributes:
        reason: "first", "second_process", "rolled_back", "replaced", "damaged" or "key_lost".
        previous: Ids of logs that are gone or were set aside, as far as they are known.
        kept_as: The file as which the one before is kept; empty when there is none.
        gone: What was lost with them.
    """

    reason: str
    previous: tuple[str, ...] = ()
    kept_as: str = ""
    gone: tuple[Gone, ...] = ()


def genesis_metadata(public_key: bytes, origin: Origin) -> dict[str, object]:
    """Metadata of a log's first row.

    Args:
        public_key: Of epoch 0.
        origin: Why there is a new log.
    """
    told: dict[str, object] = {"public_key": public_key.hex(), "reason": origin.reason}
    before = {"previous_logs": list(origin.previous), "kept_as": origin.kept_as}
    return told | {name: value for name, value in before.items() if value}


def open_session_after(open_session: str, action: str, session_id: str) -> str:
    """Which session is open once a row is stored, which has this action and session; `open_session` before it."""
    if action == SESSION_START:
        return session_id
    return "" if action in _EDGES else open_session


def rotate_metadata(tip: Tip, next_key: bytes, unclean_end: str = "") -> dict[str, object]:
    """Metadata of the row by which the present key names the next.

    Args:
        tip: Before it.
        next_key: The public one.
        unclean_end: The session of an earlier start that never stopped; empty when each did.
    """
    keys: dict[str, object] = {
        "public_key": next_key.hex(),
        "previous_key": tip.public_key.hex(),
        "epoch": tip.epoch + 1,
    }
    # From now on these rows are sealed like any; that only the chain spoke for them until today must stay known.
    found = {"unsealed": tip.size - tip.sealed, "unclean_end": unclean_end}
    return keys | {name: value for name, value in found.items() if value}


def clock_moved_us(before: tuple[str, int, int] | None, now: tuple[str, int, int]) -> int:
    """How far the wall clock moved against the monotonic one since the row before, in microseconds.

    After a restart of the machine only a wall clock that went back can be told.
    """
    if before is None:
        return 0
    wall_us = now[1] - before[1]
    return wall_us - (now[2] - before[2]) if before[0] == now[0] else min(wall_us, 0)


def seal(tip: Tip, drafts: Sequence[Draft], boot_id: str, codec: Codec) -> tuple[Tip, list[Row]]:
    """Give every event its place.

    Args:
        tip: Where the log stands.
        drafts: With canonical metadata.
        boot_id: Of this boot of the machine.
        codec: Writes the bodies.

    Returns:
        Where the log stands afterwards, and the rows; one more than drafts for each jump of the clock.
    """
    frontier, prev, clock, session = tip.frontier.copy(), tip.prev, tip.clock, tip.open_session
    rows: list[Row] = []
    for draft in drafts:
        now = (boot_id, draft.utc_ns // 1000, draft.mono_ns // 1000)
        moved_us = clock_moved_us(clock, now)
        jump = [_clock_jump(draft, moved_us)] if abs(moved_us) > CLOCK_JUMP_US else []
        for each in (*jump, draft):
            body = _body(each, tip.log_id, frontier.size + 1, prev, boot_id, codec)
            prev = leaf_hash(body)
            frontier.append(prev)
            rows.append(Row(frontier.size, body, prev))
        clock = now
        session = open_session_after(session, draft.action, draft.session_id)
    return replace(tip, frontier=frontier, prev=prev, clock=clock, open_session=session), rows


def _clock_jump(draft: Draft, moved_us: int) -> Draft:
    return replace(draft, action=CLOCK_JUMP, target="clock", status="success", metadata={"moved_ms": moved_us // 1000})


def _body(draft: Draft, log_id: str, seq: int, prev: bytes, boot_id: str, codec: Codec) -> bytes:
    return codec.encode(
        {  # in the order of canonical JSON, so that there is nothing left to sort
            "action": draft.action,
            "boot_id": boot_id,
            "client_ip": draft.client_ip,
            "log_id": log_id,
            "metadata": draft.metadata,
            "mono_ns": draft.mono_ns,
            "prev": prev.hex(),
            "seq": seq,
            "session_id": draft.session_id,
            "status": draft.status,
            "target": draft.target,
            "timestamp": timestamp(draft.utc_ns),
            "user_id": draft.user_id,
            "v": VERSION,
        }
    )
