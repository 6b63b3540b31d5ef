"""A stage with troubles."""

from collections.abc import Callable, Mapping, Sequence

from facefusion_live.engine.pipeline import Draft, Row, Stage


class Troubled:
    """A `Stage` that has something happen before it runs, or after.

    Args:
        stage: What it does otherwise.
        before: By frame index: raises, waits, or changes the draft.
        after: The same, when the stage has run.
    """

    def __init__(
        self,
        stage: Stage,
        before: Mapping[int, Callable[[Draft], None]] | None = None,
        after: Mapping[int, Callable[[Draft], None]] | None = None,
    ) -> None:
        self._stage = stage
        self._before, self._after = before or {}, after or {}
        self.name, self.needs, self.gives = stage.name, stage.needs, stage.gives

    def run(self, draft: Draft) -> None:
        self._before.get(draft.frame.index, _nothing)(draft)
        self._stage.run(draft)
        self._after.get(draft.frame.index, _nothing)(draft)


def each_of(rows: Sequence[Row], change: Callable[[Stage], Stage]) -> list[Row]:
    """The rows with every stage changed."""
    return [tuple(map(change, row)) if isinstance(row, tuple) else change(row) for row in rows]


def raising(error: Exception) -> Callable[[object], None]:
    """Something that raises."""

    def raise_it(_: object) -> None:
        raise error

    return raise_it


def _nothing(_: Draft) -> None:
    pass
