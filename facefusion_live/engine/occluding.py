"""The stage that leaves hands before a face to the camera, without a net of the user's."""

from collections.abc import Callable

from facefusion_live.domain import covering
from facefusion_live.domain.ports import OccluderFinder
from facefusion_live.engine.hands import HandWatch
from facefusion_live.engine.pipeline import Draft


class OccludeStage:
    """Takes from every patch the hands that lie before the face.

    What is not believed (`covering.occluded`) is painted over, as it would be without this stage. A detector that
    misses a face behind a hand is not excused: the mesh was seen to slip there, and the chin came out bare.

    Args:
        finder: Tells what lies there.
        hands: Tells what hands are near; asked for once hands are to be shown, so that its nets are loaded only then.
    """

    name = "occlude"
    needs = frozenset({"faces", "targets", "patches"})
    gives = frozenset({"occluded"})

    def __init__(self, finder: OccluderFinder, hands: Callable[[], HandWatch]) -> None:
        self._finder, self._hands = finder, hands

    def run(self, draft: Draft) -> None:
        """Look at every face that will be covered."""
        strength = draft.settings.swap.occlusion
        faces = [draft.faces[index] for index in draft.targets] if strength else []
        self._finder.keep({face.track_id for face in faces})
        if not faces:
            return
        hands = self._hands().near(draft, faces)
        for index, patch in enumerate(draft.patches):
            draft.at_face = patch.face_index
            face = draft.faces[patch.face_index]
            occluder = self._finder.find(draft.frame.image, face, hands, patch)
            if occluder is not None:
                draft.patches[index] = covering.occluded(patch, face, occluder, strength)
        draft.at_face = None
