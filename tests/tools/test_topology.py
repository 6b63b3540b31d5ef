"""The generated mesh keeps what its generator promises."""

import numpy as np
import pytest

from facefusion_live.domain.mesh import OVAL
from facefusion_live.domain.mesh_topology import CANONICAL_UV, CANONICAL_XYZ_CM, TRIANGLES
from tools.canonical_face import (
    TopologyError,
    boundary_loops,
    check_disc,
    directed_edges,
    fill_loop,
    mean_face_cm,
    mirror_map,
    signed_areas,
    similarity_aligned,
)

FACES = TRIANGLES.astype(np.int64)
SKIN = FACES[:852]
XYZ = CANONICAL_XYZ_CM.astype(np.float64)


def test_shapes_and_types() -> None:
    assert (TRIANGLES.shape, TRIANGLES.dtype) == ((898, 3), np.int16)
    assert (CANONICAL_XYZ_CM.shape, CANONICAL_XYZ_CM.dtype) == ((468, 3), np.float32)
    assert (CANONICAL_UV.shape, CANONICAL_UV.dtype) == ((468, 2), np.float32)
    assert not any(array.flags.writeable for array in (TRIANGLES, CANONICAL_XYZ_CM, CANONICAL_UV))


def test_the_mesh_is_one_disc_with_the_face_oval_as_its_outline() -> None:
    check_disc(FACES, OVAL)
    assert len({tuple(sorted(triangle)) for triangle in TRIANGLES.tolist()}) == 898
    loop = boundary_loops(FACES)[0]
    start = loop.index(OVAL[0])
    assert tuple([*loop[start:], *loop[:start]][::-1]) == (*OVAL[1:], OVAL[0])


def test_the_skin_has_three_holes() -> None:
    assert [len(loop) for loop in boundary_loops(SKIN)] == [36, 20, 16, 16]
    with pytest.raises(TopologyError, match="not a disc: 4 boundaries"):
        check_disc(SKIN, OVAL)


def test_a_mesh_with_a_turned_triangle_is_refused() -> None:
    turned = FACES.copy()
    turned[0] = turned[0, ::-1]
    with pytest.raises(TopologyError, match="twice in the same direction"):
        directed_edges(turned)


def test_triangles_run_counter_clockwise_to_the_eye() -> None:
    frontal = XYZ[:, :2] * [1, -1]
    assert np.count_nonzero(signed_areas(frontal, FACES) > 0) == 2  # both nostrils, seen from below
    assert signed_areas(CANONICAL_UV.astype(np.float64), FACES).max() < 0


def test_the_atlas_lies_within_the_texture() -> None:
    assert 0 < CANONICAL_UV.min() < CANONICAL_UV.max() < 1
    assert CANONICAL_UV[10, 1] < CANONICAL_UV[152, 1]  # forehead above chin, v downwards
    assert CANONICAL_UV[33, 0] < CANONICAL_UV[263, 0]


def test_the_mean_face_is_symmetric_and_of_natural_size() -> None:
    mirror = mirror_map(SKIN)
    assert mirror[[33, 133, 61, 234, 10, 152]].tolist() == [263, 362, 291, 454, 10, 152]
    np.testing.assert_array_equal(XYZ[mirror] * [-1, 1, 1], XYZ)
    assert XYZ[263, 0] > 0 > XYZ[33, 0]  # x to the viewer's right
    assert XYZ[10, 1] > 0 > XYZ[152, 1]  # y up
    assert XYZ[4, 2] == XYZ[:, 2].max()  # the nose comes nearest
    assert 15 < XYZ[10, 1] - XYZ[152, 1] < 18
    assert 12 < XYZ[454, 0] - XYZ[234, 0] < 16


def test_a_mesh_without_symmetry_is_refused() -> None:
    with pytest.raises(TopologyError, match="no left-right symmetry"):
        mirror_map(SKIN[SKIN[:, 0] > 3])


def test_a_hole_is_filled_alike_on_both_sides() -> None:
    mouth = boundary_loops(SKIN)[1]
    filling = fill_loop(mouth, XYZ)
    mirror = mirror_map(SKIN)
    assert len(filling) == 18
    assert {tuple(sorted(t)) for t in filling} == {tuple(sorted(mirror[list(t)].tolist())) for t in filling}
    with pytest.raises(TopologyError, match="sides of different length"):
        fill_loop(mouth[1:], XYZ)


def test_alignment_undoes_rotation_scale_and_shift() -> None:
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(similarity_aligned(3 * XYZ @ turn + 7, XYZ), XYZ, atol=1e-9)


def test_the_mean_of_a_face_is_the_face() -> None:
    pupils = np.array([[-3.15, 3.3, 0.5], [3.15, 3.3, 0.5]])
    irises = np.repeat(pupils, 5, axis=0)
    face = np.concatenate([XYZ, irises]) * 20 + 5
    mean = mean_face_cm(np.stack([face, face * 2]), mirror_map(SKIN))
    np.testing.assert_allclose(mean, XYZ - XYZ.mean(0), atol=1e-6)
