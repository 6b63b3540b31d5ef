"""What every finder of glasses does; the program's own sees portraits with glasses drawn before them."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live import adapters
from facefusion_live.adapters.occlusion import FaceGlasses
from facefusion_live.domain import geometry, mesh
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.ports import GlassesFinder
from tests import nets
from tests.contracts.discovery import classes_with
from tests.faces import avatar
from tests.fakes import glasses as fakes
from tests.fakes.glasses import FakeGlasses
from tools.drawn_glasses import STYLES, Style, wearing

LOOKS = 3
"""After so many it is sure: one to suspect them, one to be sure, one that measures them."""
BLACK = STYLES["black"]._replace(colour=(8, 8, 8))
NARROW = Style(0.06, 0.42, 0.22, 3.2, (24, 22, 22))
AVATARS = ("ada", "bo", "cleo", "dan", "esi", "fay")
Picture = NDArray[np.uint8]

CASES: dict[str, Callable[[], GlassesFinder]] = {"program": FaceGlasses, "fake": FakeGlasses}


@lru_cache(maxsize=8)
def face_of(name: str) -> Face:
    return nets.face_in(avatar(name))


def patch_over(face: Face, largest_px: int = 768) -> Patch:
    crop_from_frame, size = geometry.upright_crop(face.box_px, 1.3, 64, largest_px)
    regions = np.full((size, size, 4), 255, np.uint8)
    return Patch(HostImage(regions[..., :3]), None, None, HostImage(regions), crop_from_frame, 0)


def drawn(name: str, style: Style, lenses: float = 0.0) -> tuple[Picture, NDArray[np.uint8]]:
    """An avatar with glasses, RGB, and where their frames are; the lenses take that share of the light."""
    bgr, frame = wearing(np.ascontiguousarray(avatar(name)[..., ::-1]), face_of(name).mesh_px, style, lenses)
    return np.ascontiguousarray(bgr[..., ::-1]), frame


def last(finder: GlassesFinder, picture: Picture, face: Face, looks: int = LOOKS) -> NDArray[np.uint8] | None:
    """The answer to the last of some looks."""
    glasses = [finder.worn(HostImage(picture), face, patch_over(face)) for _ in range(looks)][-1]
    return None if glasses is None else glasses.left


def on_face(frame: NDArray[np.uint8], face: Face) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of the pixels of the patch that show the face those that are all frame, and those of which none is."""
    patch = patch_over(face)
    size = (patch.size_px, patch.size_px)
    hull = np.zeros(size, np.uint8)
    points = geometry.transform(patch.crop_from_frame, face.mesh_px[:468, :2])
    cv2.fillConvexPoly(hull, cv2.convexHull(np.rint(points).astype(np.int32)), 1)
    inner = cv2.erode(hull, np.ones((9, 9), np.uint8)) > 0
    share = cv2.warpAffine(frame, patch.crop_from_frame, size)
    return inner & (share > 250), inner & (cv2.dilate(share, np.ones((5, 5), np.uint8)) == 0)


@pytest.fixture(params=CASES)
def finder(request: pytest.FixtureRequest) -> GlassesFinder:
    return CASES[request.param]()


def test_no_finder_is_missing_here() -> None:
    assert classes_with("worn", adapters) == {FaceGlasses}
    assert classes_with("worn", fakes) == {FakeGlasses}


def test_frames_are_found_where_they_are(finder: GlassesFinder) -> None:
    picture, frame = drawn("dan", BLACK)
    left = last(finder, picture, face_of("dan"))
    assert left is not None
    assert left.shape == (patch_over(face_of("dan")).size_px,) * 2
    of_frame, of_face = on_face(frame, face_of("dan"))
    assert (left[of_frame] < 64).mean() > 0.9
    assert (left[of_face] < 192).mean() < 0.02


def test_a_face_that_is_forgotten_is_looked_at_anew(finder: GlassesFinder) -> None:
    picture, _ = drawn("dan", BLACK)
    assert last(finder, picture, face_of("dan")) is not None
    finder.keep({2})
    assert finder.worn(HostImage(picture), face_of("dan"), patch_over(face_of("dan"))) is None


def test_faces_are_known_apart(finder: GlassesFinder) -> None:
    picture, _ = drawn("dan", BLACK)
    assert last(finder, picture, face_of("dan")) is not None
    other = replace(face_of("dan"), track_id=2)
    assert finder.worn(HostImage(picture), other, patch_over(other)) is None
    finder.keep({1, 2})
    assert last(finder, picture, face_of("dan"), looks=1) is not None


@pytest.mark.parametrize("name", AVATARS)
def test_bare_faces_wear_none(name: str) -> None:
    finder = FaceGlasses()
    assert [last(finder, avatar(name), face_of(name), looks=1) for _ in range(9)] == [None] * 9


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", ["ada", "bo", "esi"])
def test_every_kind_of_dark_frame_stays(name: str, style: str) -> None:
    picture, frame = drawn(name, STYLES[style])
    left = last(FaceGlasses(), picture, face_of(name), looks=6)
    assert left is not None
    of_frame, of_face = on_face(frame, face_of(name))
    assert (left[of_frame] < 64).mean() > 0.8
    assert (left[of_face] < 192).mean() < 0.02


@pytest.mark.parametrize("name", ["ada", "bo", "dan"])
def test_a_black_brow_is_not_taken_for_the_rim_below_it(name: str) -> None:
    face, painted = face_of(name), avatar(name).copy()
    brows = np.zeros(painted.shape[:2], np.uint8)
    for brow in mesh.BROWS:
        cv2.fillConvexPoly(brows, cv2.convexHull(np.rint(face.mesh_px[list(brow), :2]).astype(np.int32)), 1)
    painted[brows > 0] = (14, 12, 12)
    picture, frame = wearing(painted, face.mesh_px, NARROW)
    size = (patch_over(face).size_px,) * 2
    hair = cv2.warpAffine(cv2.erode(brows, np.ones((3, 3), np.uint8)), patch_over(face).crop_from_frame, size) > 0
    hair &= cv2.dilate(cv2.warpAffine(frame, patch_over(face).crop_from_frame, size), np.ones((5, 5), np.uint8)) == 0
    assert hair.sum() > 300
    finder = FaceGlasses()
    seen = [left for _ in range(9) if (left := last(finder, picture, face, looks=1)) is not None]
    assert len(seen) > 5, "the glasses were not found"
    assert max((left[hair] < 128).mean() for left in seen) < 0.1


def test_glasses_that_are_taken_off_are_gone_within_ten_pictures() -> None:
    finder, face = FaceGlasses(), face_of("bo")
    assert last(finder, drawn("bo", BLACK)[0], face) is not None
    told = [last(finder, avatar("bo"), face, looks=1) for _ in range(12)]
    assert told[-1] is None
    assert all(left is None or (left < 192).mean() < 0.02 for left in told), "bare skin was taken for frames"


@pytest.mark.parametrize("name", ["ada", "bo", "esi"])
def test_behind_black_lenses_there_are_no_eyes(name: str) -> None:
    finder, face = FaceGlasses(), face_of(name)
    picture = drawn(name, STYLES["black"], lenses=0.97)[0]
    assert [finder.worn(HostImage(picture), face, patch_over(face)) for _ in range(6)][-1] is not None
    told = [finder.worn(HostImage(picture), face, patch_over(face)) for _ in range(6)]
    assert all(glasses is not None and glasses.dark for glasses in told)
    bare = [finder.worn(HostImage(avatar(name)), face, patch_over(face)) for _ in range(16)][-1]
    assert bare is None


@pytest.mark.parametrize("name", AVATARS)
def test_through_clear_lenses_the_eyes_are_seen(name: str) -> None:
    finder, face = FaceGlasses(), face_of(name)
    picture = drawn(name, STYLES["black"], lenses=0.4)[0]
    told = [finder.worn(HostImage(picture), face, patch_over(face)) for _ in range(6)]
    assert not any(glasses is not None and glasses.dark for glasses in told)


def test_far_away_nothing_is_told() -> None:
    picture, _ = drawn("bo", BLACK)
    small = cv2.resize(picture, None, fx=0.15, fy=0.15, interpolation=cv2.INTER_AREA).astype(np.uint8)
    face = replace(face_of("bo"), mesh_px=face_of("bo").mesh_px * np.float32(0.15))
    assert last(FaceGlasses(), small, face, looks=6) is None


def test_a_face_half_out_of_the_picture_is_looked_at_as_far_as_it_goes() -> None:
    picture, _ = drawn("bo", BLACK)
    middle = int(face_of("bo").mesh_px[1, 0])
    left = last(FaceGlasses(), np.ascontiguousarray(picture[:, :middle]), face_of("bo"), looks=6)
    assert left is None or left.shape == (patch_over(face_of("bo")).size_px,) * 2


def test_a_wearer_of_whom_the_edge_of_the_picture_leaves_half_is_followed_on() -> None:
    picture, _ = drawn("bo", BLACK)
    middle, finder = int(face_of("bo").mesh_px[1, 0]), FaceGlasses()
    assert last(finder, picture, face_of("bo")) is not None
    half = picture.copy()
    half[:, middle:] = 128  # nothing is darker than anything there
    for _ in range(9):
        left = last(finder, half, face_of("bo"), looks=1)
        assert left is not None


def test_a_mesh_without_numbers_is_an_error() -> None:
    face = replace(face_of("bo"), mesh_px=np.full_like(face_of("bo").mesh_px, np.nan))
    with pytest.raises(InferenceError, match="not finite"):
        FaceGlasses().worn(HostImage(avatar("bo")), face, patch_over(face_of("bo")))
