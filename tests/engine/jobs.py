"""Jobs and candidates, good and bad, of pictures that count their shares."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from facefusion_live.domain.face import Face, Job, Patch, StageFailure
from facefusion_live.domain.image import Frame
from facefusion_live.domain.ports import Composition
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.gate import Candidate, Fault
from tests.fakes.pictures import CountedImage, mesh_in

NAN = float("nan")


def face(number: int = 0, *, agreed: bool = True) -> Face:
    box = np.array([10, 10, 30, 30], np.float32) + 40 * number
    mesh_px = mesh_in(box)
    return Face(box, mesh_px[:5, :2], mesh_px, 1.0, number, agreed)


def patch(face_index: int = 0) -> Patch:
    return Patch(CountedImage(), None, None, CountedImage(), np.eye(2, 3), face_index)


def job(
    index: int = 0,
    *,
    faces: int = 1,
    patches: int | None = None,
    missing: int = 0,
    failure: StageFailure | None = None,
    image: CountedImage | None = None,
) -> Job:
    """A job in which all faces are targets and have patches, unless told otherwise."""
    return Job(
        frame=Frame(index, index * 10, index / 30, image or CountedImage()),
        faces=tuple(face(number) for number in range(faces)),
        targets=tuple(range(faces)),
        missing=missing,
        patches=tuple(patch(number) for number in range(faces if patches is None else patches)),
        hidden_boxes_px=np.empty((0, 4), np.float32),
        settings=Settings(),
        failure=failure,
    )


def composed(*covered: float, image: CountedImage | None = None) -> Composition:
    return Composition(image or CountedImage(), covered or (1.0,))


def _with_face(changed: Face) -> Job:
    return replace(job(), faces=(changed,))


def _nan_mesh() -> Face:
    whole = face()
    broken = whole.mesh_px.copy()
    broken[100, 1] = np.inf
    return replace(whole, mesh_px=broken)


def _nan_patch() -> Job:
    return replace(job(), patches=(replace(patch(), crop_from_frame=np.full((2, 3), np.nan)),))


def _changed(*changes: float) -> Job:
    whole = job(faces=len(changes))
    patches = zip(whole.patches, changes, strict=True)
    return replace(whole, patches=tuple(replace(each, change=change) for each, change in patches))


def _given(*shares: float) -> Job:
    whole = job(faces=len(shares))
    patches = zip(whole.patches, shares, strict=True)
    return replace(whole, patches=tuple(replace(each, given=share) for each, share in patches))


BAD: Mapping[str, tuple[Fault, Callable[[], Candidate]]] = {
    "stage failed": (
        Fault.STAGE_FAILED,
        lambda: Candidate(job(failure=StageFailure("swap", "InferenceError", "")), composed()),
    ),
    "failed and not composed": (
        Fault.STAGE_FAILED,
        lambda: Candidate(job(failure=StageFailure("swap", "InferenceError", "")), None),
    ),
    "not composed": (Fault.NOT_COMPOSED, lambda: Candidate(job(), None)),
    "no face": (Fault.NO_FACE, lambda: Candidate(job(faces=0), Composition(CountedImage(), ()))),
    "nobody enrolled": (
        Fault.NOT_ENROLLED,
        lambda: Candidate(replace(job(patches=0), targets=()), Composition(CountedImage(), ())),
    ),
    "face lost": (Fault.FACE_LOST, lambda: Candidate(job(faces=0, missing=1), Composition(CountedImage(), ()))),
    "one of two lost": (Fault.FACE_LOST, lambda: Candidate(job(missing=1), composed())),
    "no patch": (Fault.NO_PATCH, lambda: Candidate(job(patches=0), composed())),
    "second patch missing": (Fault.NO_PATCH, lambda: Candidate(job(faces=2, patches=1), composed(1.0, 1.0))),
    "mesh not finite": (Fault.NOT_FINITE, lambda: Candidate(_with_face(_nan_mesh()), composed())),
    "map not finite": (Fault.NOT_FINITE, lambda: Candidate(_nan_patch(), composed())),
    "disagreed": (Fault.DISAGREED, lambda: Candidate(_with_face(face(agreed=False)), composed())),
    "slipped": (Fault.SLIPPED, lambda: Candidate(_with_face(replace(face(), anchored=False)), composed())),
    "uncovered": (Fault.NOT_COVERED, lambda: Candidate(job(), composed(0.0))),
    "not changed": (Fault.NOT_CHANGED, lambda: Candidate(_changed(0.19), composed())),
    "changed into no number": (Fault.NOT_CHANGED, lambda: Candidate(_changed(NAN), composed())),
    "one of two not changed": (Fault.NOT_CHANGED, lambda: Candidate(_changed(0.9, 0.0), composed(1.0, 1.0))),
    "all given away": (Fault.GIVEN_AWAY, lambda: Candidate(_given(3.3), composed())),
    "more given away than may be": (Fault.GIVEN_AWAY, lambda: Candidate(_given(1.001), composed())),
    "no number given away": (Fault.GIVEN_AWAY, lambda: Candidate(_given(NAN), composed())),
    "one of two given away": (Fault.GIVEN_AWAY, lambda: Candidate(_given(0.0, 1.5), composed(1.0, 1.0))),
    "just below the floor": (Fault.NOT_COVERED, lambda: Candidate(job(), composed(0.8999))),
    "second face uncovered": (Fault.NOT_COVERED, lambda: Candidate(job(faces=2), composed(1.0, 0.5))),
    "coverage not a number": (Fault.NOT_COVERED, lambda: Candidate(job(), composed(NAN))),
    "coverage not told": (Fault.NOT_COVERED, lambda: Candidate(job(), Composition(CountedImage(), ()))),
    "coverage told for one of two": (Fault.NOT_COVERED, lambda: Candidate(job(faces=2), composed(1.0))),
}
"""Every way in which a picture can be bad."""


def give_back(candidate: Candidate) -> None:
    """What the render thread does with its shares."""
    candidate.job.release()
    if candidate.composition is not None:
        candidate.composition.image.release()
