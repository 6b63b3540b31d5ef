"""The stages that leave hands and glasses before a face to the camera, without a net of the user's."""

from collections.abc import Callable

from facefusion_live.domain import covering
from facefusion_live.domain.face import Patch
from facefusion_live.domain.ports import GlassesFinder, OccluderFinder
from facefusion_live.engine.hands import HandWatch
from facefusion_live.engine.pipeline import Draft


class HandStage:
    """Has hands near the faces watched, as long as they are to be shown.

    Args:
        hands: Asked for once hands are to be shown, so that its nets are loaded only then.
    """

    name = "hands"
    needs = frozenset({"faces", "targets"})
    gives = frozenset({"hands"})

    def __init__(self, hands: Callable[[], HandWatch]) -> None:
        self._hands = hands

    def run(self, draft: Draft) -> None:
        """Look."""
        if draft.settings.swap.occlusion and draft.targets:
            draft.hands = self._hands().near(draft, [draft.faces[index] for index in draft.targets])


class OccludeStage:
    """Takes from every patch the hands that lie before the face.

    What is not believed (`covering.occluded`) is painted over, as it would be without this stage.

    Args:
        finder: Tells what lies there.
    """

    name = "occlude"
    needs = frozenset({"faces", "targets", "hands", "patches"})
    gives = frozenset({"occluded"})

    def __init__(self, finder: OccluderFinder) -> None:
        self._finder = finder

    def run(self, draft: Draft) -> None:
        """Look at every face that will be covered."""
        strength = draft.settings.swap.occlusion
        faces = [draft.faces[index] for index in draft.targets] if strength else []
        self._finder.keep({face.track_id for face in faces})
        if not faces:
            return
        for index, patch in enumerate(draft.patches):
            draft.at_face = patch.face_index
            face = draft.faces[patch.face_index]
            drawn = covering.as_drawn(patch, draft.settings.look.face_scale)
            occluder = self._finder.find(draft.frame.image, face, draft.hands, drawn)
            if occluder is not None:
                draft.patches[index] = covering.occluded(patch, face, occluder, strength)
        draft.at_face = None


class GlassesStage:
    """Takes from every patch the frames of the glasses that its wearer has on.

    Behind dark lenses there are no eyes to be kept: the source's are seen, not two black holes.

    Args:
        finder: Tells where they are.
    """

    name = "glasses"
    needs = frozenset({"faces", "targets", "patches"})
    gives = frozenset({"glasses"})

    def __init__(self, finder: GlassesFinder) -> None:
        self._finder = finder

    def run(self, draft: Draft) -> None:
        """Look at every face that will be covered."""
        strength = draft.settings.swap.keep_glasses
        self._finder.keep({draft.faces[index].track_id for index in draft.targets} if strength else ())
        if not strength:
            return
        for index, patch in enumerate(draft.patches):
            draft.at_face = patch.face_index
            draft.patches[index] = self._spectacled(draft, patch, strength)
        draft.at_face = None

    def _spectacled(self, draft: Draft, patch: Patch, strength: float) -> Patch:
        face = draft.faces[patch.face_index]
        drawn = covering.as_drawn(patch, draft.settings.look.face_scale)
        glasses = self._finder.worn(draft.frame.image, face, drawn)
        if glasses is None:
            return patch
        if glasses.dark:
            patch = covering.without_eyes(patch)
        return patch if glasses.left is None else covering.spectacled(patch, face, glasses.left, strength)
