"""The stage that has the recogniser look at faces, beside the loop: who they are is known some frames later."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import geometry, mesh
from facefusion_live.domain.face import Face
from facefusion_live.domain.image import Image
from facefusion_live.domain.ports import Compute, FaceRecogniser
from facefusion_live.domain.recognition import is_frontal
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.persons import Sight
from facefusion_live.engine.pipeline import Draft
from facefusion_live.engine.tracks import FaceTracks

DECIDE_EVERY_S = 0.2
"""How often a face is shown to the recogniser of which nobody knows yet whose it is."""
GIVEN_UP_S = 1.0
"""An answer that did not come for so long never will: its task was given up."""
NEVER_S = float("-inf")


class IdentifyStage:
    """Hands aligned crops to the side worker now and then; the answer arrives some frames later.

    One look at a time: whoever was not decided upon comes first, then whoever was looked at longest ago.

    Args:
        tracks: Where the answers go.
        recogniser: Run on the side worker only.
        compute: For the crop, on the inference thread.
        aside: Runs a task on the side worker; False when it is closed. A task may be dropped.
        when: Whether anybody wants to know, by the settings of the frame.
    """

    name = "identify"
    needs = frozenset({"faces"})
    gives = frozenset({"identities"})

    def __init__(
        self,
        tracks: FaceTracks,
        recogniser: FaceRecogniser,
        compute: Compute,
        aside: Callable[[Callable[[], None]], bool],
        when: Callable[[Settings], bool] = lambda _settings: True,
    ) -> None:
        self._tracks = tracks
        self._recogniser = recogniser
        self._compute = compute
        self._aside = aside
        self._when = when
        self._asked_s: dict[int, float] = {}
        self._open_since_s: float | None = None

    def run(self, draft: Draft) -> None:
        """Ask who the faces are that were not asked about for a while."""
        if not self._when(draft.settings):
            return
        self._asked_s = {face.track_id: self._asked_s.get(face.track_id, NEVER_S) for face in draft.faces}
        for face in sorted(draft.faces, key=lambda face: self._asked_s[face.track_id]):
            if not self._is_due(face, draft.time_s, draft.settings.track.ask_again_s):
                continue
            self._open_since_s = draft.time_s  # first: the answer may come at once
            if self._aside(
                self._task(face, aligned(draft.frame.image, face, self._recogniser, self._compute), draft.time_s)
            ):
                self._asked_s[face.track_id] = draft.time_s
            else:
                self._open_since_s = None

    def _is_due(self, face: Face, time_s: float, again_s: float) -> bool:
        waited_s = time_s - self._asked_s[face.track_id]
        if self._open_since_s is not None and time_s - self._open_since_s < GIVEN_UP_S:
            return False
        return waited_s >= (again_s if self._tracks.is_known(face.track_id) else DECIDE_EVERY_S)

    def _task(self, face: Face, crop: NDArray[np.uint8], time_s: float) -> Callable[[], None]:
        def look() -> None:
            try:
                sight = Sight(self._recogniser.embed(crop), is_frontal(mesh.head_pose(face.mesh_px)), time_s)
                self._tracks.identify(face.track_id, sight)
            finally:
                self._open_since_s = None

        return look


def aligned(image: Image, face: Face, recogniser: FaceRecogniser, compute: Compute) -> NDArray[np.uint8]:
    """(n, n, 3) RGB: a face as a recogniser wants to see it."""
    edge = recogniser.input_px
    crop = np.empty((edge, edge, 3), np.uint8)
    compute.crop(image, geometry.align(face.landmarks5_px, recogniser.template, edge), crop)
    return crop
