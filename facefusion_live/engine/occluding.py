"""The stage that leaves to the camera what lies before a face, without a net of the user's."""

from facefusion_live.domain import covering
from facefusion_live.domain.ports import OccluderFinder
from facefusion_live.engine.hands import HandWatch
from facefusion_live.engine.pipeline import Draft


class OccludeStage:
    """Takes from every patch what lies before the face: a hand, a cup, a microphone.

    What is not believed (`covering.believed`) is painted over, as it would be without this stage.

    Args:
        finder: Tells what lies there.
        hands: Tells what hands are near.
    """

    name = "occlude"
    needs = frozenset({"faces", "targets", "patches"})
    gives = frozenset({"occluded"})

    def __init__(self, finder: OccluderFinder, hands: HandWatch) -> None:
        self._finder, self._hands = finder, hands

    def run(self, draft: Draft) -> None:
        """Look at every face that will be covered."""
        strength = draft.settings.mask.occlusion
        if strength == 0:
            self._finder.keep(())
            return
        faces = [draft.faces[index] for index in draft.targets]
        self._finder.keep({face.track_id for face in faces})
        hands = self._hands.near(draft, faces)
        for index, patch in enumerate(draft.patches):
            draft.at_face = patch.face_index
            face = draft.faces[patch.face_index]
            occluder = self._finder.find(draft.frame.image, face, hands, patch)
            if occluder is not None:
                draft.patches[index] = covering.occluded(patch, face, occluder, strength)
        draft.at_face = None
