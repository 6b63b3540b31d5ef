"""Which pictures are too old to go out as new: a hiccup is skipped, a slow machine is not."""

from collections import deque

_SEEN = 30
"""What a machine does as a rule is told from so many pictures: those that went out, and those left out."""
_LATE_AS_A_RULE = _SEEN // 2
"""Where more of them were late it is the machine that is slow, and all go out: late pictures are better than few."""
_STILL_NS = 300_000_000
"""A picture that stands for so long is followed by the next one, however old that is: the card must not come of it."""


class Freshness:
    """Tells the picture that a hiccup made old from one that is as old as most are here. Thread: render.

    Attributes:
        skipped: Pictures that were too old.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self._late = deque[bool](maxlen=_SEEN)
        self._shown_ns = 0

    def too_old(self, age_ns: int, limit_ms: int, now_ns: int) -> bool:
        """Whether a picture should be left out: the next one is newer, and comes soon.

        Args:
            age_ns: Since it was captured.
            limit_ms: What a picture may be old; 0 for any age.
            now_ns: By the clock of `show`.
        """
        just_shown = now_ns - self._shown_ns < _STILL_NS
        return just_shown and self._on_time_as_a_rule and 0 < limit_ms * 1_000_000 < age_ns

    def skip(self) -> None:
        """A picture was left out."""
        self.skipped += 1
        self._late.append(True)

    def show(self, age_ns: int, limit_ms: int, now_ns: int) -> None:
        """A picture went on its way, as old as this."""
        self._late.append(age_ns > limit_ms * 1_000_000)
        self._shown_ns = now_ns

    @property
    def _on_time_as_a_rule(self) -> bool:
        return len(self._late) == _SEEN and sum(self._late) <= _LATE_AS_A_RULE
