from dataclasses import replace

import numpy as np
import pytest

from facefusion_live.domain.face import Face
from facefusion_live.domain.outline import Outline, Shape, view_of
from facefusion_live.engine.shapes import FaceShapes
from tests.faces import canonical_mesh_px, face_of

FACE = face_of(canonical_mesh_px(200), track_id=4)
OWN: Shape = view_of(FACE.mesh_px).shape
WANTED: Shape = OWN + np.array((0, 0.3))
CHIN = 18


def longer(face: Face, by_px: float) -> Face:
    mesh_px = face.mesh_px.copy()
    mesh_px[152, 1] += by_px
    return replace(face, mesh_px=mesh_px)


def shift_px(outline: Outline | None) -> float:
    """How far down the chin would move."""
    assert outline is not None
    return float(outline.shifts_px[CHIN, 1])


def test_without_a_source_there_is_no_outline() -> None:
    assert FaceShapes().toward(None, FACE, 0) is None


def test_a_broken_mesh_has_no_outline() -> None:
    broken = replace(FACE, mesh_px=np.full_like(FACE.mesh_px, np.nan))
    assert FaceShapes().toward(WANTED, broken, 0) is None


def test_a_shape_is_averaged_over_a_second() -> None:
    shapes = FaceShapes()
    first = shift_px(shapes.toward(WANTED, FACE, 0))
    jump = first - shift_px(FaceShapes().toward(WANTED, longer(FACE, 10), 0))
    assert jump > 1
    after = [first - shift_px(shapes.toward(WANTED, longer(FACE, 10), number / 30)) for number in range(1, 91)]
    assert after[0] < 0.05 * jump
    assert after[29] == pytest.approx(0.63 * jump, rel=0.1)
    assert after[-1] > 0.9 * jump


def test_a_frame_that_comes_again_changes_nothing() -> None:
    shapes = FaceShapes()
    first = shift_px(shapes.toward(WANTED, FACE, 5))
    assert shift_px(shapes.toward(WANTED, longer(FACE, 10), 5)) == pytest.approx(first)
    assert shift_px(shapes.toward(WANTED, longer(FACE, 10), 4)) == pytest.approx(first)


def test_a_head_that_is_turned_tells_nothing_of_its_shape() -> None:
    turned = longer(face_of(canonical_mesh_px(200, yaw=46), track_id=4), 12)
    shapes = FaceShapes()
    before = shift_px(shapes.toward(WANTED, FACE, 0))
    for number in range(1, 60):
        shapes.toward(WANTED, turned, number / 30)
    assert shift_px(shapes.toward(WANTED, FACE, 2)) == pytest.approx(before, abs=1e-3)


def test_each_face_has_its_own_shape_until_it_is_gone() -> None:
    shapes, other = FaceShapes(), replace(longer(FACE, 10), track_id=5)
    first, second = (shift_px(shapes.toward(WANTED, face, 0)) for face in (FACE, other))
    assert second < first - 1
    swapped = replace(FACE, track_id=5)
    shapes.keep({4, 5})
    assert shift_px(shapes.toward(WANTED, swapped, 0.01)) == pytest.approx(second, abs=0.1)
    shapes.keep({4})
    assert shift_px(shapes.toward(WANTED, swapped, 0.02)) == pytest.approx(first, abs=0.1)
