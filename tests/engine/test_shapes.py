from dataclasses import replace

import numpy as np
import pytest

from facefusion_live.domain.face import Face
from facefusion_live.domain.outline import Shape, Shapes, view_of
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


def chin_cm(shapes: Shapes | None) -> float:
    """How low the face's own chin is taken to be."""
    assert shapes is not None
    return float(shapes.own[CHIN, 1])


def test_without_a_source_there_is_nothing_to_compare() -> None:
    assert FaceShapes().beside(None, FACE, 0) is None


def test_a_broken_mesh_has_no_shape() -> None:
    broken = replace(FACE, mesh_px=np.full_like(FACE.mesh_px, np.nan))
    assert FaceShapes().beside(WANTED, broken, 0) is None


def test_the_source_has_the_shape_that_it_has() -> None:
    shapes = FaceShapes().beside(WANTED, FACE, 0)
    assert shapes is not None
    np.testing.assert_array_equal(shapes.wanted, WANTED)
    np.testing.assert_allclose(shapes.own, OWN)


def test_a_shape_is_averaged_over_a_second() -> None:
    known = FaceShapes()
    first = chin_cm(known.beside(WANTED, FACE, 0))
    jump = chin_cm(FaceShapes().beside(WANTED, longer(FACE, 10), 0)) - first
    assert jump > 0.3
    after = [chin_cm(known.beside(WANTED, longer(FACE, 10), number / 30)) - first for number in range(1, 91)]
    assert after[0] == 0
    assert after[29] == pytest.approx(0.63 * jump, rel=0.2)
    assert after[-1] > 0.9 * jump
    assert len(set(after)) <= 16


def test_a_frame_that_comes_again_changes_nothing() -> None:
    known = FaceShapes()
    first = chin_cm(known.beside(WANTED, FACE, 5))
    assert chin_cm(known.beside(WANTED, longer(FACE, 10), 5)) == first
    assert chin_cm(known.beside(WANTED, longer(FACE, 10), 4)) == first


def test_a_head_that_is_turned_tells_nothing_of_its_shape() -> None:
    turned = longer(face_of(canonical_mesh_px(200, yaw=46), track_id=4), 12)
    known = FaceShapes()
    before = chin_cm(known.beside(WANTED, FACE, 0))
    for number in range(1, 60):
        after = chin_cm(known.beside(WANTED, turned, number / 30))
    assert after == pytest.approx(before, abs=1e-6)


def test_each_face_has_its_own_shape_until_it_is_gone() -> None:
    known, other = FaceShapes(), replace(longer(FACE, 10), track_id=5)
    first, second = (chin_cm(known.beside(WANTED, face, 0)) for face in (FACE, other))
    assert second > first + 0.3
    swapped = replace(FACE, track_id=5)
    known.keep({4, 5})
    assert chin_cm(known.beside(WANTED, swapped, 0.01)) == second
    known.keep({4})
    assert chin_cm(known.beside(WANTED, swapped, 0.02)) == first
