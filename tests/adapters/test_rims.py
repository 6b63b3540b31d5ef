"""Where rims of glasses are looked for, and how a line around an eye is found."""

import numpy as np
import pytest

from facefusion_live.adapters.occlusion import rims
from facefusion_live.domain import mesh
from facefusion_live.domain.mesh_topology import CANONICAL_XYZ_CM

PX_PER_CM = 40.0
FLAT = CANONICAL_XYZ_CM[:, :2] * (PX_PER_CM, -PX_PER_CM)
EYES = [FLAT[list(eye)].mean(0) for eye in mesh.EYES]
APART_PX = float(np.linalg.norm(EYES[1] - EYES[0]))


def test_the_places_lie_on_rays_around_both_eyes() -> None:
    at = rims.around_eyes(FLAT.astype(np.float32))
    for eye, places in zip(EYES, at, strict=True):
        reach = np.linalg.norm(places[:, 0] - eye, axis=-1) / APART_PX
        np.testing.assert_allclose(reach, 0.115, atol=0.01)
        steps = np.linalg.norm(np.diff(places[:, :20], axis=1), axis=-1) / APART_PX
        np.testing.assert_allclose(steps, rims.STEP, atol=0.006)


def test_the_first_ray_goes_to_the_ear_and_a_quarter_of_the_way_round_down_to_the_cheek() -> None:
    left, right = rims.around_eyes(FLAT.astype(np.float32))
    assert left[0, -1, 0] < left[0, 0, 0]
    assert right[0, -1, 0] > right[0, 0, 0]
    for places in (left, right):
        assert places[rims.ANGLES // 4, -1, 1] > places[0, 0, 1]


def test_places_beside_the_face_lie_on_its_rim() -> None:
    at = rims.around_eyes(FLAT.astype(np.float32)).reshape(-1, 2)
    assert (at >= FLAT.min(0) - 1).all()
    assert (at <= FLAT.max(0) + 1).all()


@pytest.mark.parametrize("radius", [8.0, 20.0])
def test_a_dark_line_around_an_eye_is_found_and_its_gaps_are_bridged(radius: float) -> None:
    round_the_eye = radius + 3 * np.sin(np.arange(rims.ANGLES) * 2 * np.pi / rims.ANGLES)
    darker = np.exp(-0.5 * ((np.arange(rims.RADII) - round_the_eye[:, None]) / 0.8) ** 2).astype(np.float32)
    darker[20:26] = 0
    found = rims.rings(np.stack([darker, darker]))
    np.testing.assert_allclose(found, np.stack([round_the_eye] * 2), atol=1.2)


def test_what_is_darker_than_both_its_sides_is_a_line_and_a_step_is_none() -> None:
    seen = np.full((9, 60), 150, np.uint8)
    seen[:, 20:23], seen[:, 40:] = 50, 80
    darker = rims.darker_than_around(seen, (9, 1))
    assert darker[4, 21] == pytest.approx(100 / (150 + rims.DARKEST))
    assert darker[4, 40:].max() == darker[4, :18].max() == 0
