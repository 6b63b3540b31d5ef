"""Patches and jobs: who holds a share of which picture."""

import numpy as np
import pytest

from facefusion_live.domain.face import Face, Job, Patch, StageFailure
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.settings import Settings
from tests.faces import canonical_mesh_px, face_of


class CountedImage(HostImage):
    """A picture that says how many shares of it are held."""

    shares: int

    def __init__(self, size_px: int, channels: int = 3) -> None:
        super().__init__(np.zeros((size_px, size_px, channels), np.uint8))
        object.__setattr__(self, "shares", 1)

    def retain(self) -> None:
        object.__setattr__(self, "shares", self.shares + 1)

    def release(self) -> None:
        object.__setattr__(self, "shares", self.shares - 1)


def patch(*, enhanced: bool = False, coverage: bool = False) -> Patch:
    return Patch(
        swap=CountedImage(64),
        enhanced=CountedImage(64) if enhanced else None,
        coverage=CountedImage(64, 1) if coverage else None,
        regions=CountedImage(64, 4),
        crop_from_frame=np.eye(2, 3),
        face_index=0,
    )


def job(patches: tuple[Patch, ...], failure: StageFailure | None = None) -> Job:
    frame = Frame(0, 0, 0.0, CountedImage(8))
    return Job(frame, (), (), 0, patches, np.zeros((0, 4), np.float32), Settings(), failure)


def shares(job: Job) -> list[int]:
    return [image.shares for image in (job.frame.image, *(i for p in job.patches for i in p.images()))]  # type: ignore[attr-defined]


def test_a_patch_knows_its_edge() -> None:
    assert patch().size_px == 64


@pytest.mark.parametrize(("enhanced", "coverage", "count"), [(False, False, 2), (True, False, 3), (True, True, 4)])
def test_a_patch_lists_the_pictures_that_it_has(enhanced: bool, coverage: bool, count: int) -> None:  # noqa: FBT001
    made = patch(enhanced=enhanced, coverage=coverage)
    assert len(made.images()) == count
    assert made.images()[0] is made.swap
    assert made.images()[-1] is made.regions


def test_retaining_a_job_retains_every_picture_in_it_once() -> None:
    held = job((patch(enhanced=True, coverage=True), patch()))
    held.retain()
    assert shares(held) == [2] * 7


def test_releasing_a_job_releases_every_picture_in_it_once() -> None:
    held = job((patch(coverage=True),))
    held.release()
    assert shares(held) == [0] * 4


def test_a_job_can_say_which_stage_failed() -> None:
    assert job(()).failure is None
    failed = job((), StageFailure("swap", "InferenceError", "a net failed"))
    assert failed.failure == StageFailure("swap", "InferenceError", "a net failed")


def test_a_face_has_no_identity_before_somebody_looked() -> None:
    face: Face = face_of(canonical_mesh_px())
    assert (face.person, face.looks) == (None, ())
    assert face.landmarks5_px.shape == (5, 2)
