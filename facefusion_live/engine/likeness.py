"""Whether a face is still the one that its track followed: asked of the recogniser, and only where it is in doubt."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.face import Face
from facefusion_live.domain.image import Image
from facefusion_live.domain.ports import Compute, FaceRecogniser
from facefusion_live.engine.identify import NEVER_S, aligned
from facefusion_live.engine.pipeline import Draft

ASK_EVERY_S = 0.1
"""How often one question is put anew."""

Crop = NDArray[np.uint8]


class _Question(NamedTuple):
    """Whose face it was about (its track), and when it was put."""

    track_id: int
    time_s: float


class _Answer(NamedTuple):
    """To which question, and the cosine."""

    to: _Question
    told: float


_NONE = _Question(-1, NEVER_S)
_SILENCE = _Answer(_NONE, 0.0)


@dataclass(slots=True, eq=False)
class _Known:
    """What a face looked like when it was not in doubt, and the last answer.

    Attributes:
        crop: (n, n, 3) RGB of the look before the last one. A mesh goes over by and by: the last one may show both.
        newer: Of the last one.
        seen: (d,) what the recogniser made of the former; None until it is asked.
        asked: The last question.
        answer: The last answer.
    """

    crop: Crop
    newer: Crop | None = None
    seen: NDArray[np.float32] | None = None
    asked: _Question = _NONE
    answer: _Answer = _SILENCE


class Likeness:
    """Thread: inference; the recogniser runs where `aside` runs it.

    Args:
        recogniser: Tells faces apart.
        compute: For the crops.
        aside: Runs a task on the side worker; False when it is closed. A task may be dropped.
    """

    def __init__(
        self, recogniser: FaceRecogniser, compute: Compute, aside: Callable[[Callable[[], None]], bool]
    ) -> None:
        self._recogniser, self._compute, self._aside = recogniser, compute, aside
        self._known: dict[int, _Known] = {}

    def remember(self, image: Image, face: Face) -> None:
        """This is what somebody looks like."""
        crop = aligned(image, face, self._recogniser, self._compute)
        known = self._known.get(face.track_id)
        older = crop if known is None else known.newer if known.newer is not None else known.crop
        self._known[face.track_id] = _Known(older, crop)

    def asked(self, draft: Draft, face: Face, track_id: int, since_s: float) -> float | None:
        """How like a face is to what is remembered of a track.

        Args:
            draft: The frame.
            face: As it was found there.
            track_id: Whose looks are meant.
            since_s: Answers to questions before this time do not count.

        Returns:
            The cosine; None while nobody knows, or nothing is remembered.
        """
        known = self._known.get(track_id)
        if known is None:
            return None
        before, question = known.asked, _Question(face.track_id, draft.time_s)
        # Where several are asked about, each has its turn.
        wait_s = ASK_EVERY_S if before.track_id == face.track_id else ASK_EVERY_S / 2
        if before.time_s < since_s or draft.time_s - before.time_s >= wait_s:
            known.asked = question  # first: the answer may come at once
            crop = aligned(draft.frame.image, face, self._recogniser, self._compute)
            if not self._aside(self._task(known, crop, question)):
                known.asked = before
        answer = known.answer
        counts = answer.to.track_id == face.track_id and answer.to.time_s >= since_s
        return answer.told if counts else None

    def knows(self, track_id: int) -> bool:
        """Whether anything is remembered."""
        return track_id in self._known

    def keep(self, track_ids: Collection[int]) -> None:
        """Forget every face but these."""
        self._known = {track_id: known for track_id, known in self._known.items() if track_id in track_ids}

    def _task(self, known: _Known, crop: Crop, question: _Question) -> Callable[[], None]:
        def look() -> None:
            if known.seen is None:
                known.seen = self._recogniser.embed(known.crop)
            known.answer = _Answer(question, float(known.seen @ self._recogniser.embed(crop)))

        return look
