"""Which pictures are too old to go out as new: a hiccup is skipped, a slow machine is not."""

_STEADY = 30
"""So many pictures in a row must have been on time before one is skipped: where all are late, all go out."""
_LATE_IN_A_ROW = 5
"""After so many late ones in a row it is no hiccup: they go out again until the machine has caught up."""


class Freshness:
    """Tells the picture that a hiccup made old from one that is as old as all are here. Thread: render.

    Attributes:
        skipped: Pictures that were too old.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self._on_time = 0
        self._late = 0

    def too_old(self, age_ns: int, limit_ms: int) -> bool:
        """Whether a picture should be left out: the next one is newer, and comes soon.

        Args:
            age_ns: Since it was captured.
            limit_ms: What a picture may be old; 0 for any age.
        """
        return self._steady and 0 < limit_ms * 1_000_000 < age_ns

    def skip(self) -> None:
        """A picture was left out."""
        self.skipped += 1
        self._note(late=True)

    def show(self, age_ns: int, limit_ms: int) -> None:
        """A picture went on its way, as old as this."""
        self._note(late=age_ns > limit_ms * 1_000_000)

    @property
    def _steady(self) -> bool:
        return self._on_time >= _STEADY

    def _note(self, *, late: bool) -> None:
        self._late = self._late + 1 if late else 0
        if not late:
            self._on_time = min(self._on_time + 1, _STEADY)
        elif not self._steady or self._late >= _LATE_IN_A_ROW:
            self._on_time = 0
