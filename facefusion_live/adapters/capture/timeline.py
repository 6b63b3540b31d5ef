"""Presentation times as the house wants them: from about zero, rising strictly, whatever the stream says."""

import math

_JITTER_S = 1.0
_LONGEST_GAP_S = 10.0


class Timeline:
    """Turns a stream's own times into seconds that start near 0 and rise strictly.

    A repeated or slightly earlier time (frames out of order, two pictures with one time stamp) is nudged forward by a
    tenth of a frame, so that the times after it keep their distance to the sound. A leap (the sender was started anew,
    a live stream jumped) is closed: the next picture follows one frame after the last one.

    Args:
        fps: Nominal frames per second, for times that are missing.
        origin_s: What the stream calls zero; None where it does not say. Ignored when the first picture is more than a
            second away from it.
        live: Close leaps forward too. In a file they are meant.
    """

    def __init__(self, fps: float, *, origin_s: float | None = None, live: bool = False) -> None:
        self._frame_s = 1 / fps
        self._origin_s = origin_s
        self._longest_gap_s = _LONGEST_GAP_S if live else math.inf
        self._shift_s: float | None = None
        self._last_s = -math.inf

    def splice(self) -> None:
        """Say that the stream begins anew: its next time follows one frame after the last one given."""
        self._shift_s = None

    def place(self, stream_s: float | None) -> float:
        """The time of the next picture.

        Args:
            stream_s: Its time as the stream says; None where it says nothing.
        """
        placed_s = self._next_s() if stream_s is None else self._placed(stream_s)
        self._last_s = placed_s
        return placed_s

    def _placed(self, stream_s: float) -> float:
        if self._shift_s is None:
            self._shift_s = self._first_shift(stream_s)
        placed_s = stream_s + self._shift_s
        step_s = placed_s - self._last_s
        if step_s < -_JITTER_S or self._longest_gap_s < step_s < math.inf:
            self._shift_s = self._next_s() - stream_s
            return self._next_s()
        return placed_s if step_s > 0 else self._last_s + self._frame_s / 10

    def _first_shift(self, stream_s: float) -> float:
        first = math.isinf(self._last_s)
        if first and self._origin_s is not None and 0 <= stream_s - self._origin_s <= _JITTER_S:
            return -self._origin_s
        return self._next_s() - stream_s

    def _next_s(self) -> float:
        return 0.0 if math.isinf(self._last_s) else self._last_s + self._frame_s
