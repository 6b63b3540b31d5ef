"""The flood limit: a token bucket, and the account of what it turned away."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

EXEMPT_PREFIXES = (
    "consent.",
    "export.",
    "label.",
    "content.",
    "passthrough.",
    "key.",
    "log.",
    "session.",
    "audit.",
    "auth.",
)
"""Acts that are never turned away, and the log's own rows."""


def exempt(action: str) -> bool:
    """Does the limit spare this action?"""
    return action.startswith(EXEMPT_PREFIXES)


class TokenBucket:
    """So many at once, so many a second afterwards. Thread: one, or under the caller's lock.

    Args:
        rate_hz: Tokens that come back each second.
        burst: Tokens that it holds.
        now_ns: Monotonic.
    """

    def __init__(self, rate_hz: float = 10.0, burst: float = 20.0, now_ns: int = 0) -> None:
        self._rate_hz, self._burst = rate_hz, burst
        self._tokens, self._at_ns = burst, now_ns

    def take(self, now_ns: int) -> bool:
        """Take a token if there is one. Time that runs backwards brings none and costs none."""
        gained = max(now_ns - self._at_ns, 0) * 1e-9 * self._rate_hz
        self._tokens = min(self._tokens + gained, self._burst)
        self._at_ns = now_ns
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


@dataclass(frozen=True, slots=True)
class Tally:
    """What was not stored.

    Attributes:
        counts: How many by action.
        digest: SHA-256 over them in order, in hex: two tellings of what was lost can be compared.
    """

    counts: dict[str, int]
    digest: str

    @property
    def total(self) -> int:
        """How many in all."""
        return sum(self.counts.values())

    def metadata(self) -> dict[str, object]:
        """As `audit.suppressed` and `audit.gap` tell it."""
        counts = {action.replace(".", "_"): count for action, count in self.counts.items()}
        return {"counts": counts, "total": self.total, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class Loss:
    """What a row is still to be written about.

    Attributes:
        action: `audit.gap` or `audit.suppressed`.
        tally: What was not stored.
    """

    action: str
    tally: Tally


def merged(losses: Iterable[Loss]) -> list[Loss]:
    """One loss for each action, with all counts; its digest is over the digests."""
    together: dict[str, Tally] = {}
    for loss in losses:
        earlier, tally = together.get(loss.action), loss.tally
        if earlier is not None:
            digest = sha256(bytes.fromhex(earlier.digest) + bytes.fromhex(tally.digest)).hexdigest()
            tally = Tally(dict(Counter(earlier.counts) + Counter(tally.counts)), digest)
        together[loss.action] = tally
    return [Loss(action, tally) for action, tally in together.items()]


class LossAccount:
    """Counts events that are not stored. Thread: one, or under the caller's lock."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._digest = bytes(32)

    def __bool__(self) -> bool:
        return bool(self._counts)

    def add(self, action: str, target: str, status: str, mono_ns: int) -> None:
        """Count one."""
        self._counts[action] += 1
        self._digest = sha256(self._digest + f"{action}\0{target}\0{status}\0{mono_ns}".encode()).digest()

    def settle(self) -> Tally:
        """What has been counted; the account starts anew."""
        tally = Tally(dict(self._counts), self._digest.hex())
        self._counts, self._digest = Counter(), bytes(32)
        return tally
