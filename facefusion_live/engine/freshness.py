"""Which pictures are too old to go out as new: a hiccup is skipped, a slow machine is not."""

from collections import deque

_SEEN = 30
"""What a machine does as a rule is told from so many pictures: those that went out, and those left out."""
_LATE_AS_A_RULE = _SEEN // 2
"""Where more of them were late it is the machine that is slow, and all go out: late pictures are better than few."""
_MOST_IN_A_ROW = 10
"""After so many in a row, a third of a second, the next one goes out however old it is: no picture stands for long."""


class Freshness:
    """Tells the picture that a hiccup made old from one that is as old as most are here. Thread: render.

    Attributes:
        skipped: Pictures that were too old.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self._late = deque[bool](maxlen=_SEEN)
        self._late_in_a_row = 0

    def too_old(self, age_ns: int, limit_ms: int) -> bool:
        """Whether a picture should be left out: the next one is newer, and comes soon.

        Args:
            age_ns: Since it was captured.
            limit_ms: What a picture may be old; 0 for any age.
        """
        return self._on_time_as_a_rule and 0 < limit_ms * 1_000_000 < age_ns

    def skip(self) -> None:
        """A picture was left out."""
        self.skipped += 1
        self._note(late=True)

    def show(self, age_ns: int, limit_ms: int) -> None:
        """A picture went on its way, as old as this."""
        self._note(late=age_ns > limit_ms * 1_000_000)

    @property
    def _on_time_as_a_rule(self) -> bool:
        known = len(self._late) == _SEEN
        return known and sum(self._late) <= _LATE_AS_A_RULE and self._late_in_a_row < _MOST_IN_A_ROW

    def _note(self, *, late: bool) -> None:
        self._late.append(late)
        self._late_in_a_row = self._late_in_a_row + 1 if late else 0
