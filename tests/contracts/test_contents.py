"""What everybody does who sees whether the contents of a mesh come along, shown with two avatars."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live import adapters
from facefusion_live.adapters.occlusion import FaceContents
from facefusion_live.domain import geometry
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.face import Face
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.ports import Contents
from tests import nets
from tests.contracts.discovery import classes_with
from tests.faces import avatar
from tests.fakes import contents as fakes
from tests.fakes.contents import FakeContents

CASES: dict[str, Callable[[], Contents]] = {"program": FaceContents, "fake": FakeContents}
STEP_PX = 40


@pytest.fixture(params=CASES)
def contents(request: pytest.FixtureRequest) -> Contents:
    return CASES[request.param]()


def at(right: float, down: float = 0) -> Face:
    """The face of the avatar, its mesh so far away."""
    face = nets.face_in(avatar("dan"))
    mesh_px = face.mesh_px + np.float32([right, down, 0])
    return replace(face, mesh_px=mesh_px, box_px=geometry.box_of(mesh_px))


def moved(picture: NDArray[np.uint8], right: float, down: float = 0) -> HostImage:
    way = np.float64([[1, 0, right], [0, 1, down]])
    return HostImage(cv2.warpAffine(picture, way, (512, 512), borderMode=cv2.BORDER_REPLICATE))


def test_nobody_is_missing_here() -> None:
    assert classes_with("carried", adapters) == {FaceContents}
    assert classes_with("carried", fakes) == {FakeContents}


def test_of_a_new_face_nothing_is_missed(contents: Contents) -> None:
    assert contents.carried(HostImage(avatar("dan")), at(0)) == 1


def test_a_face_that_moves_takes_its_contents_along(contents: Contents) -> None:
    contents.carried(HostImage(avatar("dan")), at(0))
    for step in (1, 2, 3):
        assert contents.carried(moved(avatar("dan"), step * STEP_PX), at(step * STEP_PX)) > 0.9


def test_a_mesh_that_moves_by_itself_leaves_them_behind(contents: Contents) -> None:
    contents.carried(HostImage(avatar("dan")), at(0))
    assert contents.carried(HostImage(avatar("dan")), at(STEP_PX)) < 0.6


def test_a_mesh_that_stays_is_not_asked(contents: Contents) -> None:
    """What comes before a face, or a light that goes out, moves no mesh."""
    contents.carried(HostImage(avatar("dan")), at(0))
    assert contents.carried(HostImage(np.zeros((512, 512, 3), np.uint8)), at(1)) == 1


def test_only_the_picture_before_counts(contents: Contents) -> None:
    contents.carried(HostImage(avatar("dan")), at(0))
    contents.carried(HostImage(avatar("dan")), at(STEP_PX))
    assert contents.carried(moved(avatar("dan"), STEP_PX), at(2 * STEP_PX)) > 0.9


def test_who_is_gone_is_forgotten(contents: Contents) -> None:
    contents.carried(HostImage(avatar("dan")), at(0))
    contents.keep(())
    assert contents.carried(HostImage(avatar("dan")), at(STEP_PX)) == 1


def test_a_face_without_detail_says_nothing() -> None:
    grey, program = HostImage(np.full((512, 512, 3), 128, np.uint8)), FaceContents()
    program.carried(grey, at(0))
    assert program.carried(grey, at(STEP_PX)) == 1


def test_a_mesh_that_is_not_finite_is_an_error() -> None:
    spoilt = at(0)
    spoilt.mesh_px[:] = np.nan
    with pytest.raises(InferenceError):
        FaceContents().carried(HostImage(avatar("dan")), spoilt)
