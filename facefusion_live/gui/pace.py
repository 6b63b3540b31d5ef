"""How often the preview looks for pictures: it gives way to the outputs, and takes back what they do not need."""

STEPS_MS = (15, 50, 100)
"""The first is faster than any camera that is previewed, so that a picture waits for at most this long."""
_BEHIND = 0.96
"""Frames out per frame of the input below which the engine counts as behind: one missing in a second is none."""
_STEP_AFTER = 20
"""Looks between two steps: rates are those of the last second, and must show the step before."""
_BACK_AFTER, _BACK_AFTER_MOST = 75, 900
"""Good looks, five seconds of them, before a step is taken back. Twice as many, up to a minute of them, each time that
the outputs wanted it again at once."""


class Pace:
    """Steps of `STEPS_MS`, driven by looks at the rates, 15 a second. Thread: GUI."""

    def __init__(self) -> None:
        self._step, self._since, self._good = 0, _STEP_AFTER, 0
        self._took_back, self._back_after = False, _BACK_AFTER

    @property
    def wait_ms(self) -> int:
        """From one look for a picture to the next."""
        return STEPS_MS[self._step]

    def look(self, fps_in: float, fps_out: float) -> None:
        """Take note of the rates: what the input gives, and what went out in the last second."""
        behind = fps_out < _BEHIND * fps_in
        self._since += 1
        self._good = 0 if behind else self._good + 1
        if behind and self._since > _STEP_AFTER and self._step < len(STEPS_MS) - 1:
            if self._took_back:
                in_vain = self._since < _BACK_AFTER
                self._back_after = min(2 * self._back_after, _BACK_AFTER_MOST) if in_vain else _BACK_AFTER
            self._take(self._step + 1)
        elif self._good >= self._back_after and self._step:
            self._take(self._step - 1)

    def _take(self, step: int) -> None:
        self._took_back = step < self._step
        self._step, self._since, self._good = step, 0, 0
