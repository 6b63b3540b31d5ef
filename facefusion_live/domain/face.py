"""Faces, patches and jobs: what inference hands to rendering."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.image import Frame, Image
from facefusion_live.domain.outline import Shapes
from facefusion_live.domain.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face as a detector sees it.

    Attributes:
        box_px: (4,) float32 left, top, right, bottom.
        eyes_px: (2, 2) float32; the eye at the viewer's left, then the other.
        score: 0..1.
        within: Share of the box that lies within the picture, 0..1.
    """

    box_px: NDArray[np.float32]
    eyes_px: NDArray[np.float32]
    score: float
    within: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face in one frame, in frame pixels.

    Attributes:
        box_px: (4,) float32 left, top, right, bottom of the mesh.
        landmarks5_px: (5, 2) float32: eye at the viewer's left, other eye, nose tip, mouth left, mouth right.
        mesh_px: (478, 3) float32 x, y, and z in the same unit (nearer is smaller).
        score: 0..1, that this is a face at all.
        track_id: Stays with a person from frame to frame.
        agreed: The last re-detection found a face where the track says there is one.
        person: Who it is, of those enrolled; None for others, and while nobody knows.
        looks: (d,) float32 of unit length each, the recogniser's last ones; none before its first answer.
        anchored: What is seen within the mesh is the face, as far as anybody can tell.
        faded: How far its swap has faded to what is done with bystanders, 0..1: it is turned away.
    """

    box_px: NDArray[np.float32]
    landmarks5_px: NDArray[np.float32]
    mesh_px: NDArray[np.float32]
    score: float
    track_id: int
    agreed: bool
    person: str | None = None
    looks: tuple[NDArray[np.float32], ...] = ()
    anchored: bool = True
    faded: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A swapped face in crop space, before the look is applied.

    Attributes:
        swap: (s, s, 3) RGB, the source face in the target's pose.
        enhanced: (s, s, 3) RGB of the same place after an enhancer, or None.
        coverage: (s, s) 0..255, where the swap has something to show; None means everywhere.
        regions: (s, s, 4) signed distances to the face hull, the eye openings, the inner mouth and the brows:
            128 is the edge, inside is above, one step is `blend.DISTANCE_STEP` crop widths.
        crop_from_frame: (2, 3) float64 from frame pixels to crop pixels.
        face_index: Which of the job's faces this covers.
        change: How different the painted face is from the one it replaces, as `domain.change` measures it; None where
            the engine cannot but draw the source face.
        left_grid: (GRID, GRID) 0..255, what mask nets leave of the middle of each cell to the swap (`coverage` has it
            in already); None without such nets.
        given: How much they give to what lies before the face, over the most they may; above 1 they are not believed.
        given_most: The largest share of the face that they may give; None as long as nothing was given.
        thin_owed: Cells of which most is left must be covered wholly.
        shapes: How wide the face is, and the source's; None where the engine knows no source.
    """

    swap: Image
    enhanced: Image | None
    coverage: Image | None
    regions: Image
    crop_from_frame: NDArray[np.float64]
    face_index: int
    change: float | None = None
    left_grid: NDArray[np.uint8] | None = None
    given: float = 0.0
    given_most: float | None = None
    thin_owed: bool = True
    shapes: Shapes | None = None

    @property
    def size_px(self) -> int:
        """Edge of the square crop in pixels."""
        return self.swap.size_wh[0]

    def images(self) -> tuple[Image, ...]:
        """Every picture that the patch holds a share of."""
        held = (self.swap, self.enhanced, self.coverage, self.regions)
        return tuple(image for image in held if image is not None)


@dataclass(frozen=True, slots=True)
class StageFailure:
    """Why a frame could not be processed.

    Attributes:
        stage: Name of the stage that failed.
        error_type: Class name of the error.
        message: What it said, for the log.
        face: The face it failed on, its place in `Job.faces`; None where it was none in particular.
    """

    stage: str
    error_type: str
    message: str
    face: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """All that inference knows about one frame.

    Attributes:
        frame: The camera's picture.
        faces: Every face found in it.
        targets: Indices of the faces that must be covered by the swap.
        missing: Faces that must be covered, were there a moment ago and are not found in this frame.
        patches: The swaps made; a face in `targets` without one is not covered.
        hidden_boxes_px: (n, 4) float32, faces without a mesh that are hidden: lost a moment ago, or never followed.
        settings: The snapshot that inference used.
        failure: The stage that failed, or None.
        veiled_boxes_px: (n, 4) float32, faces that are hidden even where bystanders are kept: each may be the wearer's.
    """

    frame: Frame
    faces: tuple[Face, ...]
    targets: tuple[int, ...]
    missing: int
    patches: tuple[Patch, ...]
    hidden_boxes_px: NDArray[np.float32]
    settings: Settings
    failure: StageFailure | None = None
    veiled_boxes_px: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 4), np.float32))

    def retain(self) -> None:
        """Take one more share of every picture in the job."""
        for image in self._images():
            image.retain()

    def release(self) -> None:
        """Give one share of every picture in the job back."""
        for image in self._images():
            image.release()

    def _images(self) -> tuple[Image, ...]:
        return (self.frame.image, *(image for patch in self.patches for image in patch.images()))
