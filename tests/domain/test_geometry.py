"""Templates, fits and maps, against literal numbers and against other ways to the same answer."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from facefusion_live.domain import geometry

# Literal, from the models' published alignment code: both eyes, nose, corners of the mouth.
TEMPLATES = {
    "arcface_112_v1": ".35473214 .45658929 .64526786 .45658929 .5 .61154464 .37913393 .776875 .62086607 .776875",
    "arcface_112_v2": ".34191607 .46157411 .65653393 .45983393 "
    ".500225 .64050536 .37097589 .82469196 .63151696 .82325089",
    "arcface_128": ".36167656 .40387734 .63696719 .40235469 "
    ".50019687 .56044219 .38710391 .72160547 .61507734 .72034453",
    "dfl_whole_face": ".35342266 .39285716 .62797622 .39285716 "
    ".48660713 .5401786 .38839287 .68750011 .59821427 .68750011",
    "ffhq_512": ".37691676 .46864664 .62285697 .46912813 .50123859 .61331904 .39308822 .725411 .61150205 .72490465",
    "mtcnn_512": ".36562865 .46733799 .63305391 .46585885 .50019127 .61942959 .39032951 .77598822 .61178945 .77476328",
}

angles = st.floats(-math.pi, math.pi)
scales = st.floats(0.05, 20)
shifts = st.floats(-1000, 1000)


def similarity(angle: float, scale: float, x: float, y: float) -> NDArray[np.float64]:
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    return np.array([[cos, -sin, x], [sin, cos, y]])


def umeyama(dest: NDArray[np.float64], source: NDArray[np.float64]) -> NDArray[np.float64]:
    """The textbook way: by singular values, with the correction that forbids reflections."""
    d, s = dest - dest.mean(0), source - source.mean(0)
    u, singular, vt = np.linalg.svd(d.T @ s)
    sign = np.array([1, np.sign(np.linalg.det(u @ vt))])
    linear = (u * sign) @ vt * ((singular * sign).sum() / (s * s).sum())
    return np.column_stack([linear, dest.mean(0) - linear @ source.mean(0)])


def points(seed: int, count: int = 5, columns: int = 2) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(-100, 100, (count, columns))


def test_the_templates_are_the_published_ones() -> None:
    assert set(geometry.TEMPLATES) == set(TEMPLATES)
    for name, numbers in TEMPLATES.items():
        assert geometry.TEMPLATES[name].ravel().tolist() == [float(number) for number in numbers.split()]


def test_a_template_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        geometry.TEMPLATES["ffhq_512"][0, 0] = 0


@given(st.integers(0, 10_000), st.integers(2, 40))
def test_the_fit_is_umeyamas(seed: int, count: int) -> None:
    dest, source = points(seed, count), points(seed + 1, count)
    np.testing.assert_allclose(geometry.fit_similarity(dest, source), umeyama(dest, source), atol=1e-8)


@given(angles, scales, shifts, shifts)
def test_the_fit_finds_a_similarity_again(angle: float, scale: float, x: float, y: float) -> None:
    source = points(7)
    truth = similarity(angle, scale, x, y)
    dest = source @ truth[:, :2].T + truth[:, 2]
    np.testing.assert_allclose(geometry.fit_similarity(dest, source), truth, atol=1e-6)


def test_mirrored_points_are_not_met_by_a_mirror() -> None:
    source = points(3)
    fit = geometry.fit_similarity(source * (-1, 1), source)
    assert np.linalg.det(fit[:, :2]) >= 0


@pytest.mark.parametrize("name", TEMPLATES)
def test_an_aligned_face_lies_where_the_template_says(name: str) -> None:
    template = np.array(TEMPLATES[name].split(), float).reshape(5, 2)
    landmarks = (template * 300) @ np.array([[0, 1], [-1, 0]]) + (50, 700)  # larger, turned by a quarter, moved
    moved = geometry.transform(geometry.align(landmarks, name, 112), landmarks)
    np.testing.assert_allclose(moved, template * 112, atol=1e-4)


@given(angles, scales, shifts, shifts)
def test_an_inverse_undoes(angle: float, scale: float, x: float, y: float) -> None:
    there = similarity(angle, scale, x, y)
    both = geometry.compose(geometry.inverse(there), there)
    np.testing.assert_allclose(both, np.eye(2, 3), atol=1e-7 * (1 + abs(x) + abs(y)) / scale + 1e-9)


def test_composing_is_the_product_of_the_full_matrices() -> None:
    c_from_b, b_from_a = similarity(0.3, 2, 5, -7), np.array([[1.0, 0.5, 3], [0, 2, 4]])
    full = np.vstack([c_from_b, [0, 0, 1]]) @ np.vstack([b_from_a, [0, 0, 1]])
    np.testing.assert_allclose(geometry.compose(c_from_b, b_from_a), full[:2])


def test_points_are_moved_and_their_depth_grows_with_them() -> None:
    quarter_turn_and_double = np.array([[0.0, -2, 10], [2, 0, 20]])
    flat = geometry.transform(quarter_turn_and_double, np.array([[1.0, 2], [0, 0]]))
    assert flat.tolist() == [[6, 22], [10, 20]]
    deep = geometry.transform(quarter_turn_and_double, np.array([[1.0, 2, 3]]))
    assert deep.tolist() == [[6, 22, 6]]
    assert flat.dtype == deep.dtype == np.float32


@given(angles, scales)
def test_the_scale_of_a_similarity_is_how_much_longer_a_line_gets(angle: float, scale: float) -> None:
    assert geometry.scale_of(similarity(angle, scale, 3, 4)) == pytest.approx(scale)


def test_the_scale_of_a_mirror_is_one() -> None:
    assert geometry.scale_of(np.array([[-1.0, 0, 0], [0, 1, 0]])) == 1


def test_scaling_about_a_point_leaves_it_where_it_is() -> None:
    grown = geometry.scaled_about(np.array([30.0, 40.0]), 1.5)
    assert grown.tolist() == [[1.5, 0, -15], [0, 1.5, -20]]


@pytest.mark.parametrize(
    ("size_wh", "edge", "expected"),
    [
        ((1280, 720), 128, [[0.1, 0, 0], [0, 0.1, 28]]),
        ((640, 480), 192, [[0.3, 0, 0], [0, 0.3, 24]]),
        ((480, 640), 192, [[0.3, 0, 24], [0, 0.3, 0]]),
        ((512, 512), 640, [[1.25, 0, 0], [0, 1.25, 0]]),
    ],
)
def test_a_letterbox_is_centred_and_touches_the_longer_sides(
    size_wh: tuple[int, int], edge: int, expected: list[list[float]]
) -> None:
    np.testing.assert_allclose(geometry.letterbox(size_wh, edge), expected, atol=1e-12)


def test_a_letterbox_may_leave_a_margin() -> None:
    crop_from_frame = geometry.letterbox((200, 100), 120, margin=0.1)
    np.testing.assert_allclose(crop_from_frame, [[0.5, 0, 10], [0, 0.5, 35]], atol=1e-12)


def test_what_lies_outside_is_the_mirrored_picture() -> None:
    crop = np.full((8, 8, 3), 99, np.uint8)
    frame = np.arange(2 * 4, dtype=np.uint8).reshape(2, 4, 1)
    crop[3:5, 2:6] = frame
    geometry.mirror_outwards(crop, np.array([[1.0, 0, 2], [0, 1, 3]]), (4, 2))
    first, second = [1, 0, 0, 1, 2, 3, 3, 2], [5, 4, 4, 5, 6, 7, 7, 6]
    assert crop[..., 0].tolist() == [[99] * 8, second, first, first, second, second, first, [99] * 8]


def test_a_picture_that_fills_the_crop_needs_no_mirror() -> None:
    crop = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    before = crop.copy()
    geometry.mirror_outwards(crop, np.array([[1.0, 0, 0], [0, 1, 0]]), (4, 4))
    assert (crop == before).all()


@pytest.mark.parametrize(
    ("box", "share"),
    [([0, 0, 10, 10], 1), ([-5, 0, 5, 10], 0.5), ([95, 45, 105, 55], 0.25), ([-9, 0, -1, 5], 0), ([3, 3, 3, 3], 0)],
)
def test_the_share_of_a_box_within_the_frame(box: list[float], share: float) -> None:
    assert geometry.share_within(np.array(box, np.float32), (100, 50)) == pytest.approx(share)


# Literal, worked out once with the reference decoding of the mesh net: (box, eyes, frame_from_crop at 192 px).
ROIS = [
    (
        [100, 120, 220, 260],
        [[130, 170], [190, 180]],
        [[1.07886835, -0.17981139, 73.69053166], [0.17981139, 1.07886835, 69.16674433]],
    ),
    (
        [400, 50, 500, 130],
        [[420, 100], [480, 60]],
        [[0.65003929, 0.43335953, 345.99371321], [-0.43335953, 0.65003929, 69.19874264]],
    ),
]


@pytest.mark.parametrize(("box", "eyes", "expected"), ROIS)
def test_the_face_region_is_that_of_the_reference(
    box: list[float], eyes: list[list[float]], expected: list[list[float]]
) -> None:
    crop_from_frame = geometry.face_roi(np.array(box), np.array(eyes), 192)
    np.testing.assert_allclose(geometry.inverse(crop_from_frame), expected, atol=1e-7)


def test_the_face_region_is_one_and_a_half_boxes_wide_with_level_eyes() -> None:
    box, eyes = np.array([100.0, 120, 220, 260]), np.array([[130.0, 170], [190, 180]])
    crop_from_frame = geometry.face_roi(box, eyes, 192)
    assert geometry.scale_of(crop_from_frame) == pytest.approx(192 / (1.5 * 140))
    left, right, centre = geometry.transform(crop_from_frame, np.array([*eyes, (160.0, 190)]))
    assert left[1] == pytest.approx(right[1], abs=1e-4)
    assert left[0] < right[0]
    assert centre.tolist() == pytest.approx([96, 96], abs=1e-4)


def test_the_margin_of_the_face_region_can_be_chosen() -> None:
    box, eyes = np.array([0.0, 0, 100, 100]), np.array([[30.0, 40], [70, 40]])
    np.testing.assert_allclose(geometry.face_roi(box, eyes, 200, margin=2), [[1, 0, 50], [0, 1, 50]])


def test_a_box_is_the_extent_of_its_points() -> None:
    box = geometry.box_of(np.array([[3.0, 9, -5], [1, 4, 80], [2, 7, 0]]))
    assert box.tolist() == [1, 4, 3, 9]
    assert box.dtype == np.float32


@pytest.mark.parametrize(("box", "area"), [([0, 0, 4, 5], 20), ([2, 2, 2, 9], 0), ([5, 5, 1, 1], 0), ([0, 3, 4, 1], 0)])
def test_an_empty_box_has_no_area(box: list[float], area: float) -> None:
    assert geometry.box_area(np.array(box, float)) == area


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([0, 0, 10, 10], [0, 0, 10, 10], 1),
        ([0, 0, 10, 10], [5, 0, 15, 10], 50 / 150),
        ([0, 0, 10, 10], [2, 2, 4, 4], 4 / 100),
        ([0, 0, 10, 10], [10, 0, 20, 10], 0),
        ([0, 0, 10, 10], [20, 20, 30, 30], 0),
        ([3, 3, 3, 3], [3, 3, 3, 3], 0),
    ],
)
def test_overlap_is_intersection_over_union(a: list[float], b: list[float], expected: float) -> None:
    assert geometry.overlap(np.array(a, float), np.array(b, float)) == pytest.approx(expected)
    assert geometry.overlap(np.array(b, float), np.array(a, float)) == pytest.approx(expected)


boxes = st.builds(
    lambda x, y, w, h: np.array([x, y, x + w, y + h], np.float32),
    st.floats(-500, 2000),
    st.floats(-500, 2000),
    st.floats(1, 800),
    st.floats(1, 800),
)


@given(boxes)
def test_an_upright_crop_is_a_shift_by_whole_pixels_around_the_box(box: NDArray[np.float32]) -> None:
    crop_from_frame, edge = geometry.upright_crop(box, 1.3, 64, 4096)
    assert crop_from_frame[:, :2].tolist() == [[1, 0], [0, 1]]
    assert np.array_equal(crop_from_frame[:, 2], np.rint(crop_from_frame[:, 2]))
    assert edge % 64 == 0
    side = 1.3 * float((box[2:] - box[:2]).max())
    assert side <= edge + 1e-3 < side + 64 + 2e-3
    centre = (box[:2] + box[2:]) / 2 + crop_from_frame[:, 2]
    assert np.abs(centre - edge / 2).max() <= 0.5 + 1e-3


def test_an_upright_crop_in_literal_numbers() -> None:
    crop_from_frame, edge = geometry.upright_crop(np.array([100.0, 50, 300, 290]), 1.3, 64, 768)
    assert edge == 320  # 240 * 1.3 = 312
    assert crop_from_frame.tolist() == [[1, 0, -40], [0, 1, -10]]


def test_a_face_beyond_the_limit_is_scaled_down_to_it() -> None:
    crop_from_frame, edge = geometry.upright_crop(np.array([100.0, 0, 500, 800]), 1.25, 64, 512)
    assert edge == 512
    np.testing.assert_allclose(crop_from_frame, [[0.512, 0, 256 - 300 * 0.512], [0, 0.512, 256 - 400 * 0.512]])


@pytest.mark.parametrize(("side", "edge"), [(64, 64), (64.5, 128), (512, 512), (512.5, 512)])
def test_the_edge_of_an_upright_crop_is_the_next_multiple_up_to_the_limit(side: float, edge: int) -> None:
    assert geometry.upright_crop(np.array([0.0, 0, side, 10]), 1, 64, 512)[1] == edge


def test_a_shifted_map_ends_elsewhere() -> None:
    turned = np.array([[0.0, -2, 5], [2, 0, 7]])
    points = np.array([[1.0, 2.0], [30, 40]])
    moved = geometry.transform(geometry.shifted(turned, (3, -4)), points)
    assert np.allclose(moved, geometry.transform(turned, points) + np.array([3, -4]))


@pytest.mark.parametrize("quarters", range(4))
def test_a_turned_square_is_turned_back(quarters: int) -> None:
    square = np.arange(25).reshape(5, 5)
    turned = np.rot90(square, quarters)
    at = np.array([[x, y] for y in range(5) for x in range(5)], np.float32)
    x, y = geometry.transform(geometry.quarter_turned_back(5, quarters), at).astype(int).T
    np.testing.assert_array_equal(square[y, x], turned.ravel())
