"""Which pictures are too old to go out as new: a hiccup is skipped, a slow machine is not."""

from collections import deque
from itertools import pairwise

_SEEN = 30
"""What a machine does as a rule is told from so many pictures: those that went out, and those left out."""
_LATE_AS_A_RULE = _SEEN // 2
"""Where more of them were late it is the machine that is slow, and all go out: late pictures are better than few."""
_LONGEST_NS = 300_000_000
"""A hiccup is over after so long: then the next picture goes out, however old it is."""
_GAPS = 2
"""The next picture is waited for as long as two usually take, and only if the last one may be held until then."""
_OF_LATE = 3
"""One stall is over when its picture comes. Where two of so many gaps were long, the next one will be, too."""


class Freshness:
    """Tells the picture that a hiccup made old from one that is as old as most are here. Thread: render.

    Attributes:
        skipped: Pictures that were too old.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self._late = deque[bool](maxlen=_SEEN)
        self._came_ns = deque[int](maxlen=_SEEN)
        self._shown_ns = 0
        self._skipping_since_ns: int | None = None

    def too_old(self, age_ns: int, now_ns: int, *, limit_ms: int, hold_ms: int) -> bool:
        """Whether a picture should be left out: the next one is newer, and comes before the last one has to go.

        Args:
            age_ns: Since it was captured.
            now_ns: By the clock of `show` and `skip`.
            limit_ms: What a picture may be old; 0 for any age.
            hold_ms: How long the last one may stand before the card is shown.
        """
        if not (self._on_time_as_a_rule and _is_late(age_ns, limit_ms)):
            return False
        next_ns = now_ns + _GAPS * max(self._gap_ns, self._gap_of_late_ns(now_ns))
        since_ns = now_ns if self._skipping_since_ns is None else self._skipping_since_ns
        return next_ns - self._shown_ns < hold_ms * 1_000_000 and now_ns - since_ns < _LONGEST_NS

    def skip(self, now_ns: int) -> None:
        """A picture was left out."""
        self.skipped += 1
        self._late.append(True)
        self._came_ns.append(now_ns)
        if self._skipping_since_ns is None:
            self._skipping_since_ns = now_ns

    def show(self, age_ns: int, now_ns: int, *, limit_ms: int) -> None:
        """A picture went on its way, as old as this."""
        self._late.append(_is_late(age_ns, limit_ms))
        self._came_ns.append(now_ns)
        self._shown_ns, self._skipping_since_ns = now_ns, None

    @property
    def _on_time_as_a_rule(self) -> bool:
        return len(self._late) == _SEEN and sum(self._late) <= _LATE_AS_A_RULE

    @property
    def _gap_ns(self) -> int:
        """From one picture to the next, as a rule."""
        return (self._came_ns[-1] - self._came_ns[0]) // (len(self._came_ns) - 1)

    def _gap_of_late_ns(self, now_ns: int) -> int:
        """The second longest of the last gaps, that before the picture at hand included."""
        came_ns = [*self._came_ns, now_ns][-_OF_LATE - 1 :]
        return sorted(later - before for before, later in pairwise(came_ns))[-2]


def _is_late(age_ns: int, limit_ms: int) -> bool:
    return 0 < limit_ms * 1_000_000 < age_ns
