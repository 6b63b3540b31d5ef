"""The mesh engine puts every point of the source where the target has it, and shows nothing of the source but skin."""

import itertools
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.adapters.mesh_swap import MeshSwapper
from facefusion_live.adapters.mesh_swap.focus import FocusMatch
from facefusion_live.adapters.mesh_swap.swapper import MeshSource
from facefusion_live.adapters.mesh_swap.texture import FaceTexture, build, pyramid
from facefusion_live.adapters.mesh_swap.warp import Warper
from facefusion_live.domain import blend, geometry, mesh
from facefusion_live.domain.errors import ComputeError, InferenceError
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.mesh_topology import TRIANGLES
from facefusion_live.domain.ports import Portrait
from facefusion_live.domain.settings import Look, Settings
from facefusion_live.engine.buffers import BufferPool
from tests import nets
from tests.faces import avatar, canonical_mesh_px, face_of
from tests.support import shared_path

Bytes = NDArray[np.uint8]
Points = NDArray[np.float32]
HULL, EYES, MOUTH, BROWS = range(4)
"""Channels of the regions."""
MIDDLE_OF_BROWS = ((105, 52), (334, 282))
"""A point above and one below the middle of each brow."""


# --- where points go -------------------------------------------------------------------------------------------------

SOURCE = canonical_mesh_px(150, (128, 128))


def coordinate_texture() -> FaceTexture:
    """A texture whose red says how far right a pixel is, and whose green says how far down."""
    picture = np.zeros((256, 256, 3), np.uint8)
    picture[..., 0], picture[..., 1] = np.arange(256), np.arange(256)[:, None]
    return FaceTexture(pyramid(picture)[:1], mesh.sheet(SOURCE), 150, mesh.head_pose(SOURCE))


def warped(target: Points, size_px: int, turned_deg: float | None = None) -> tuple[Bytes, Bytes]:
    """Swap and coverage of the coordinate texture in a crop, drawn as for a head turned so far; as it is by default."""
    swap, coverage = np.empty((size_px, size_px, 3), np.uint8), np.empty((size_px, size_px), np.uint8)
    turned_deg = abs(mesh.head_pose(target).yaw) if turned_deg is None else turned_deg
    Warper().warp(coordinate_texture(), mesh.sheet(target), turned_deg, swap, coverage)
    return swap, coverage


def misplaced_px(target: Points, size_px: int, turned_deg: float | None = None) -> NDArray[np.float64]:
    """(468,) how far from its own place in the source each vertex of the target shows, in pixels of the texture."""
    swap, _ = warped(target, size_px, turned_deg)
    x, y = target[:468, 0][None], target[:468, 1][None]
    shown = cv2.remap(swap.astype(np.float32), x, y, cv2.INTER_LINEAR)[0, :, :2]
    return np.linalg.norm(shown - SOURCE[:468, :2], axis=1)


def in_plain_sight(target: Points) -> NDArray[np.bool_]:
    """(468,) vertices all of whose triangles show their front, and that no nearer triangle covers. Brute force."""
    fronts = np.flatnonzero(mesh.signed_areas(target, TRIANGLES.astype(np.int32)) > 0)
    seen = np.ones(468, bool)
    for triangle in set(range(len(TRIANGLES))) - set(fronts.tolist()):
        seen[TRIANGLES[triangle]] = False
    a, b, c = (target[TRIANGLES[fronts, corner]].astype(np.float64) for corner in range(3))
    for vertex in np.flatnonzero(seen):
        to = target[vertex, :2].astype(np.float64)
        sides = [_cross(q[:, :2] - p[:, :2], to - p[:, :2]) for p, q in ((a, b), (b, c), (c, a))]
        around = np.abs(np.sign(sides).sum(0)) == 3
        seen[vertex] = not (around & ((a + b + c)[:, 2] / 3 < target[vertex, 2])).any()
    return seen


def _cross(u: NDArray[Any], v: NDArray[Any]) -> NDArray[Any]:
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]


@pytest.mark.parametrize(
    ("target", "size_px"),
    [
        ({"width_px": 150, "centre_px": (128, 128)}, 256),
        ({"width_px": 150, "centre_px": (140.3, 121.7)}, 256),
        ({"width_px": 100, "centre_px": (96, 96)}, 192),
        ({"width_px": 300, "centre_px": (260, 250)}, 512),
        ({"width_px": 300, "centre_px": (256, 256), "roll": 30}, 512),
        ({"width_px": 200, "centre_px": (192, 192), "roll": -80}, 384),
    ],
)
def test_every_vertex_lands_on_the_targets_vertex(target: dict[str, Any], size_px: int) -> None:
    assert misplaced_px(canonical_mesh_px(**target), size_px).max() < 1


@pytest.mark.parametrize("degrees", [{"yaw": 25}, {"yaw": -45}, {"pitch": 25}, {"pitch": -20, "yaw": 15, "roll": 20}])
def test_what_is_in_plain_sight_lands_on_a_turned_target(degrees: dict[str, float]) -> None:
    target = canonical_mesh_px(300, (256, 256), **degrees)
    misplaced = misplaced_px(target, 512)[in_plain_sight(target)]
    assert len(misplaced) > 150
    assert np.median(misplaced) < 1
    assert (misplaced < 2).mean() > 0.95


@pytest.mark.parametrize("size_px", [320, 512])
@pytest.mark.parametrize("yaw", [-60, 60])
def test_on_a_head_turned_far_the_edge_of_the_nose_is_not_smeared_over_the_cheek(yaw: float, size_px: int) -> None:
    target = canonical_mesh_px(0.6 * size_px, (size_px / 2, size_px / 2), yaw=yaw)
    seen = in_plain_sight(target)
    coarse, fine = (misplaced_px(target, size_px, turned_deg)[seen] for turned_deg in (0, 60))
    assert (fine > 2).mean() < 0.7 * (coarse > 2).mean()


@pytest.mark.parametrize("number", [0, 60, 150, 239])
def test_vertices_land_on_a_filmed_face(number: int) -> None:
    points = np.load(shared_path("media/composites/driver_gt.npz"))["lm"][number]
    box = geometry.box_of(points)
    crop_from_frame, size_px = geometry.upright_crop(box, 1.3, 64, 768)
    depth = canonical_mesh_px(float(box[2] - box[0]))[:468, 2:]
    target = geometry.transform(crop_from_frame, np.hstack([points, depth]))
    misplaced = misplaced_px(target, size_px)[in_plain_sight(target)]
    assert len(misplaced) > 300
    assert np.median(misplaced) < 1
    assert (misplaced < 2).mean() > 0.97


def test_a_smaller_level_of_the_texture_serves_a_small_face() -> None:
    levels = tuple(np.full((256 >> i, 256 >> i, 4), 50 * (i + 1), np.uint8) for i in range(4))
    texture = FaceTexture(levels, mesh.sheet(SOURCE), 150, mesh.head_pose(SOURCE))
    for width_px, level in ((300, 0), (140, 0), (70, 1), (36, 2), (18, 3), (4, 3)):
        swap, coverage = np.empty((64, 64, 3), np.uint8), np.empty((64, 64), np.uint8)
        Warper().warp(texture, mesh.sheet(canonical_mesh_px(width_px, (32, 32))), 0, swap, coverage)
        assert (swap[32, 32] == 50 * (level + 1)).all()


# --- what is covered -------------------------------------------------------------------------------------------------


def test_a_face_from_the_front_is_covered_as_far_as_its_ring() -> None:
    target = canonical_mesh_px(150, (128, 128))
    _, coverage = warped(target, 256)
    hull = mesh.hull_distance(mesh.convex_hull(target[:468]), 256, 256)
    assert coverage[hull > 0].min() == 255
    ring = mesh.hull_distance(mesh.convex_hull(mesh.sheet(target)), 256, 256)
    assert coverage[ring < -8].max() == 0  # the map is computed once per four pixels


def test_a_face_that_turns_its_back_is_not_covered() -> None:
    mirrored = canonical_mesh_px(150, (0, 128)) * np.array((-1, 1, 1), np.float32) + np.array((128, 0, 0), np.float32)
    _, coverage = warped(mirrored, 256)
    assert (coverage > 0).mean() < 0.01  # both nostrils, seen from below


@pytest.mark.parametrize("yaw", [70, -70])
def test_nothing_is_shown_where_only_hidden_triangles_lie(yaw: float) -> None:
    target = canonical_mesh_px(200, (192, 192), yaw=yaw)
    sheet = mesh.sheet(target)
    fronts = mesh.signed_areas(sheet, mesh.SHEET_TRIANGLES) > 0
    drawn = np.zeros((384, 384), np.uint8)
    for triangle in mesh.SHEET_TRIANGLES[fronts]:
        cv2.fillConvexPoly(drawn, np.rint(sheet[triangle, :2]).astype(np.int32), 255)
    _, coverage = warped(target, 384)
    assert (~fronts).sum() > 100
    assert coverage[cv2.dilate(drawn, np.ones((17, 17))) == 0].max() == 0
    assert coverage[cv2.erode(drawn, np.ones((17, 17))) == 255].min() == 255


# --- regions ---------------------------------------------------------------------------------------------------------


def regions_of(mesh_px: Points, size_px: int) -> Bytes:
    regions = np.empty((size_px, size_px, 4), np.uint8)
    Warper().regions(mesh_px, regions)
    return regions


def crop_widths(levels: Bytes) -> NDArray[np.float64]:
    """Stored levels as distances, by hand."""
    return (levels.astype(float) - 128) * 0.25 / 127


def distance_to_polygon(corners: NDArray[Any], at: tuple[float, float]) -> float:
    """Signed distance to a polygon of any form, positive inside. Brute force."""
    nearest, inside = np.inf, False
    for a, b in itertools.pairwise([*corners.astype(float), corners[0].astype(float)]):
        along, to = b - a, np.array(at) - a
        nearest = min(nearest, float(np.linalg.norm(to - np.clip(to @ along / (along @ along), 0, 1) * along)))
        if (a[1] > at[1]) != (b[1] > at[1]):
            inside ^= bool(at[0] < along[0] * (at[1] - a[1]) / along[1] + a[0])
    return nearest if inside else -nearest


@pytest.mark.parametrize("roll", [0, 20])
def test_the_distance_to_the_face_is_exact_inside_and_close_outside(roll: float) -> None:
    target = canonical_mesh_px(180, (128, 128), roll=roll)
    hull = mesh.convex_hull(target[:468])
    found = crop_widths(regions_of(target, 256)[..., HULL]) * 256
    for x, y in itertools.product(range(8, 256, 20), repeat=2):
        exact = distance_to_polygon(hull, (x, y))
        assert found[y, x] == pytest.approx(np.clip(exact, -64, 64), abs=1 if exact > 0 else 1 + 0.12 * -exact)


def with_outline(channel: int, radius_px: float, centre: tuple[float, float]) -> tuple[Points, NDArray[np.float64]]:
    """A mesh whose eyes or mouth are circles of that radius, and one such circle."""
    target = canonical_mesh_px(180, (128, 128))
    for outline in {EYES: mesh.EYES, MOUTH: (mesh.INNER_LIPS,)}[channel]:
        turn = np.linspace(0, 2 * np.pi, len(outline), endpoint=False)
        circle = np.stack([np.cos(turn), np.sin(turn)], 1) * radius_px + centre
        target[list(outline), :2] = circle
    return target, circle


@pytest.mark.parametrize("size_px", [128, 256, 512])
@pytest.mark.parametrize("share", [0.05, 0.1])
def test_the_distance_to_an_opening_is_right_near_its_edge(share: float, size_px: int) -> None:
    target, circle = with_round_mouth(size_px, share)
    found = crop_widths(regions_of(target, size_px)[..., MOUTH])
    errors = []
    every = size_px // 128
    for x, y in itertools.product(range(int(size_px * 0.35), int(size_px * 0.62), every), repeat=2):
        exact = distance_to_polygon(circle, (x, y)) / size_px
        if abs(exact) < blend.KEEP_SOFTNESS:
            errors.append(found[y, x] - exact)
        elif abs(exact) > 1.5 * blend.KEEP_SOFTNESS:
            assert np.sign(found[y, x]) == np.sign(exact)
    assert abs(np.mean(errors)) < 0.001
    assert np.abs(errors).max() < 0.007 if size_px == 128 else 0.004


def with_round_mouth(size_px: int, share: float) -> tuple[Points, NDArray[np.float64]]:
    """A mesh whose mouth is a circle of that radius in crop widths, and the circle."""
    turn = np.linspace(0, 2 * np.pi, len(mesh.INNER_LIPS), endpoint=False)
    circle = (np.stack([np.cos(turn), np.sin(turn)], 1) * share + (0.471, 0.503)) * size_px
    target = canonical_mesh_px(0.7 * size_px, (size_px / 2, size_px / 2))
    target[list(mesh.INNER_LIPS), :2] = circle
    return target, circle


def test_eyes_and_brows_lie_where_the_mesh_has_them() -> None:
    target = canonical_mesh_px(180, (128, 128))
    regions = regions_of(target, 256)
    for channel, pairs in ((EYES, ((159, 145), (386, 374))), (BROWS, MIDDLE_OF_BROWS)):
        for pair in pairs:
            x, y = np.rint(target[list(pair), :2].mean(0)).astype(int)
            assert regions[y, x, channel] > blend.EDGE_LEVEL
    nose_x, nose_y = np.rint(target[4, :2]).astype(int)
    assert (regions[nose_y, nose_x, 1:] < blend.EDGE_LEVEL).all()


@pytest.mark.parametrize("size_px", [192, 256, 512, 768])
def test_closed_eyes_leave_nothing_to_keep(size_px: int) -> None:
    target = canonical_mesh_px(0.7 * size_px, (size_px / 2, size_px / 2))
    for outline in mesh.EYES:
        corner, other = target[outline[0], :2], target[outline[8], :2]
        target[list(outline), :2] = [
            corner + (other - corner) * share for share in np.abs(np.linspace(-1, 1, 16, endpoint=False))[::-1]
        ]
    eyes = regions_of(target, size_px)[..., EYES]
    assert eyes.max() < blend.EDGE_LEVEL
    assert blend.keep_curve(1.0)[eyes].min() > 0.7


def test_an_opening_beyond_the_crop_is_left_out() -> None:
    target = canonical_mesh_px(180, (128, 128))
    target[list(mesh.INNER_LIPS), :2] += 5000
    regions = regions_of(target, 256)
    assert regions[..., MOUTH].max() < blend.EDGE_LEVEL
    assert regions[..., EYES].max() > blend.EDGE_LEVEL


# --- the texture -----------------------------------------------------------------------------------------------------

SKIN, BACKGROUND, HAIR = (205, 155, 130), (40, 60, 160), (45, 30, 25)
RED_HAIR = (150, 40, 20)


def drawn_portrait(*, fringe: bool = False, skin: tuple[int, int, int] = SKIN, **degrees: float) -> Portrait:
    """A plain face: skin within the hull, dark brows, and perhaps hair down to just above them."""
    points = canonical_mesh_px(260, (256, 256), **degrees)
    picture = np.full((512, 512, 3), BACKGROUND, np.uint8)
    cv2.fillConvexPoly(picture, np.rint(mesh.convex_hull(points[:468])).astype(np.int32), skin)
    if fringe:
        lowest = round(float(points[list(mesh.BROW_LINE), 1].min())) - 15
        picture[:lowest] = HAIR
    for brow in mesh.BROWS:
        cv2.fillPoly(picture, [np.rint(points[list(brow), :2]).astype(np.int32)], HAIR)
    return Portrait(HostImage(picture), face_of(points))


def colours_at(texture: FaceTexture, points: tuple[int, ...]) -> NDArray[np.int64]:
    x, y = np.rint(texture.sheet_px[list(points), :2]).astype(int).T
    return texture.levels[0][y, x, :3].astype(int)


FOREHEAD = (10, 151, 109, 338, 67, 297, 103, 332)
RING = tuple(range(468, 504))


@pytest.mark.parametrize("fringe", [False, True])
def test_forehead_and_surroundings_are_skin_whatever_the_hair(fringe: bool) -> None:  # noqa: FBT001
    texture = build(drawn_portrait(fringe=fringe))
    for points in (FOREHEAD, RING):
        assert np.abs(colours_at(texture, points) - SKIN).max() < 20


def test_brows_survive_the_removal_of_hair() -> None:
    texture = build(drawn_portrait(fringe=True))
    for pair in MIDDLE_OF_BROWS:
        x, y = np.rint(texture.sheet_px[list(pair), :2].mean(0)).astype(int)
        assert texture.levels[0][y, x, :3].mean() < 60


def test_hair_that_the_skin_shines_through_goes_and_a_highlight_stays() -> None:
    portrait = drawn_portrait(fringe=False)
    picture, points = portrait.image.host().copy(), portrait.face.mesh_px
    line = round(float(points[list(mesh.BROW_LINE), 1].min())) - 12
    picture[:line, :220] = np.rint(0.5 * picture[:line, :220] + 0.5 * np.array(HAIR))
    picture[:line, 292:] = np.minimum(picture[:line, 292:].astype(int) + 25, 255)
    outline = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillConvexPoly(outline, np.rint(mesh.convex_hull(points[:468])).astype(np.int32), 1)
    picture[outline == 0] = HAIR
    texture = build(Portrait(HostImage(picture), portrait.face))
    assert np.abs(colours_at(texture, (67, 104, 103)) - SKIN).max() < 22
    assert np.abs(colours_at(texture, (333, 299)) - np.array(SKIN) - 25).max() < 12


def test_hair_over_the_end_of_a_brow_goes_and_the_brow_stays() -> None:
    portrait = drawn_portrait()
    picture, points = portrait.image.host().copy(), portrait.face.mesh_px
    cv2.circle(picture, tuple(np.rint(points[70, :2]).astype(int).tolist()), 9, RED_HAIR, cv2.FILLED)
    texture = build(Portrait(HostImage(picture), portrait.face))
    red, _, blue = colours_at(texture, (70,))[0]
    assert red - blue < SKIN[0] - SKIN[2] + 25
    assert colours_at(texture, MIDDLE_OF_BROWS[1]).mean() < 120
    untouched = build(portrait)
    np.testing.assert_allclose(colours_at(texture, (300, 293)), colours_at(untouched, (300, 293)), atol=3)


def test_a_wash_of_red_on_the_forehead_goes_and_its_wrinkles_stay() -> None:
    portrait = drawn_portrait()
    picture, points = portrait.image.host().copy(), portrait.face.mesh_px
    top, line = (round(float(points[point, 1])) for point in (10, 107))
    picture[top : line - 8] = np.clip(picture[top : line - 8] * np.array([1.05, 0.97, 0.8]), 0, 255)
    wrinkle = (top + line) // 2
    picture[wrinkle : wrinkle + 2] = np.rint(picture[wrinkle : wrinkle + 2] * 0.9)
    texture = build(Portrait(HostImage(picture), portrait.face))
    washed, made = lab_of(picture[wrinkle + 9, 256]), lab_of(colours_at(texture, (151,))[0])
    own = lab_of(np.array(SKIN))
    assert np.linalg.norm(washed[1:] - own[1:]) > 9
    assert np.linalg.norm(made[1:] - own[1:]) < 7
    x = round(float(texture.sheet_px[151, 0]))
    forehead = slice(round(float(texture.sheet_px[10, 1])) + 30, round(float(texture.sheet_px[8, 1])) - 30)
    column = texture.levels[0][forehead, x, :3].mean(-1)
    assert column.min() < 0.94 * np.median(column)


def lab_of(colour: NDArray[Any]) -> NDArray[np.float32]:
    pixel = np.asarray(colour, np.float32).reshape(1, 1, 3) / 255
    return cv2.cvtColor(pixel, cv2.COLOR_RGB2Lab)[0, 0]


def test_an_earring_and_hair_beside_the_cheek_go() -> None:
    portrait = drawn_portrait()
    picture, points = portrait.image.host().copy(), portrait.face.mesh_px
    at = tuple(int(value) for value in np.rint(points[177, :2] * 0.9 + points[205, :2] * 0.1))
    cv2.circle(picture, at, 8, (245, 240, 160), cv2.FILLED)
    texture = build(Portrait(HostImage(picture), portrait.face))
    assert np.abs(colours_at(texture, (177, 93, 132)) - SKIN).max() < 20


def test_a_texture_is_a_face_of_640_pixels_in_four_sizes() -> None:
    texture = build(drawn_portrait())
    heights = [level.shape[0] for level in texture.levels]
    assert len(heights) == 4
    assert heights == [heights[0], -(-heights[0] // 2), -(-heights[0] // 4), -(-heights[0] // 8)]
    assert np.ptp(texture.sheet_px[:468, 0]) == pytest.approx(640, abs=0.1)
    assert texture.sheet_px.shape == (504, 3)
    assert tuple(texture.pose) == pytest.approx((0, 0, 0), abs=0.01)


def test_a_portrait_larger_than_the_texture_is_averaged_not_thinned_out() -> None:
    points = canonical_mesh_px(1920, (1500, 1500))
    picture = np.zeros((3000, 3000, 3), np.uint8)
    picture[::2, ::2] = 255  # one pixel in four
    texture = build(Portrait(HostImage(picture), face_of(points)))
    cheeks = colours_at(texture, (50, 280, 101, 330))
    assert np.abs(cheeks - 64).max() < 25


def test_real_portraits_keep_their_cheeks_and_lose_their_background() -> None:
    texture = build(nets.portrait("bo"))
    cheeks = np.median(colours_at(texture, (50, 280, 101, 330, 205, 425)), axis=0)
    assert np.abs(colours_at(texture, RING).mean(0) - cheeks).max() < 50


# --- the port --------------------------------------------------------------------------------------------------------

CROP_BYTES = 768 * 768 * 8


def pool(size_bytes: int = CROP_BYTES) -> BufferPool:
    return BufferPool(size_bytes, 1, "patch")


def swap(face: Face, *portraits: Portrait, buffers: BufferPool | None = None, **values: Any) -> Patch:
    swapper = MeshSwapper()
    frame = Frame(0, 0, 0.0, HostImage(np.zeros((480, 640, 3), np.uint8)))
    settings = Settings().with_values({f"swap.{name}": value for name, value in values.items()})
    return swapper.swap(frame, face, 3, swapper.prepare(portraits), settings, buffers or pool())


def test_a_patch_lies_around_the_face_at_the_resolution_of_the_frame() -> None:
    face = face_of(canonical_mesh_px(200, (320, 240)))
    patch = swap(face, drawn_portrait())
    assert patch.face_index == 3
    assert patch.enhanced is None
    assert patch.crop_from_frame[:, :2].tolist() == [[1, 0], [0, 1]]
    height = float(face.box_px[3] - face.box_px[1])
    assert patch.size_px == -(-height * 1.3 // 64) * 64
    moved = geometry.transform(patch.crop_from_frame, np.array([[320.0, 240]]))
    assert np.abs(moved - patch.size_px / 2).max() <= 1
    shapes = [image.host().shape for image in patch.images()]
    assert shapes == [(patch.size_px, patch.size_px, *channels) for channels in ((3,), (), (4,))]


@pytest.mark.parametrize(("largest", "size_px"), [(128, 128), (192, 192), (200, 192), (1536, 320)])
def test_a_patch_is_no_larger_than_allowed_and_a_multiple_of_the_grid(largest: int, size_px: int) -> None:
    patch = swap(face_of(canonical_mesh_px(200)), drawn_portrait(), max_crop_px=largest)
    assert patch.size_px == size_px
    assert patch.size_px % blend.GRID == 0


def test_a_patch_shows_the_skin_of_the_source() -> None:
    patch = swap(face_of(canonical_mesh_px(200)), drawn_portrait())
    middle = patch.size_px // 2
    assert np.abs(patch.swap.host()[middle, middle].astype(int) - SKIN).max() < 5


def test_a_swapper_remembers_nothing_of_other_faces() -> None:
    swapper = MeshSwapper()
    source = swapper.prepare([nets.portrait("ada")])
    frame = Frame(0, 0, 0.0, HostImage(avatar("bo").view()))

    def pictures(width_px: float) -> list[Bytes]:
        face = face_of(canonical_mesh_px(width_px, (250, 250), yaw=width_px / 10), track_id=next(tracks))
        patch = swapper.swap(frame, face, 0, source, Settings(), pool())
        return [image.host().copy() for image in patch.images()]

    tracks = itertools.count()
    first = pictures(180)
    pictures(300)
    pictures(60)
    for before, after in zip(first, pictures(180), strict=True):
        assert np.array_equal(before, after)


def test_every_picture_of_a_patch_holds_one_share() -> None:
    buffers = pool()
    patch = swap(face_of(canonical_mesh_px(200)), drawn_portrait(), buffers=buffers)
    for image in patch.images():
        assert buffers.in_use == 1
        image.release()
    assert buffers.in_use == 0


@pytest.mark.parametrize(("yaw", "shown"), [(-40, 0), (-3, 1), (4, 1), (38, 2)])
def test_of_several_portraits_the_one_turned_like_the_target_is_shown(yaw: float, shown: int) -> None:
    skins = [(210, 160, 130), (190, 130, 100), (160, 105, 80)]
    portraits = [drawn_portrait(skin=skin, yaw=angle) for skin, angle in zip(skins, (-35, 0, 35), strict=True)]
    patch = swap(face_of(canonical_mesh_px(200, yaw=yaw, roll=25)), *portraits)
    middle = patch.size_px // 2
    colour = patch.swap.host()[middle, middle].astype(int)
    assert int(np.argmin([np.abs(colour - skin).max() for skin in skins])) == shown


def broken(value: float) -> Face:
    points = canonical_mesh_px(200)
    points[100, 1] = value
    return face_of(points)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_mesh_that_is_not_finite_is_refused_and_no_buffer_is_left(value: float) -> None:
    buffers = pool()
    with pytest.raises(InferenceError, match="not finite"):
        swap(broken(value), drawn_portrait(), buffers=buffers)
    assert buffers.in_use == 0


def test_a_face_without_an_extent_is_refused_and_no_buffer_is_left() -> None:
    buffers = pool()
    with pytest.raises(InferenceError):
        swap(face_of(np.full((478, 3), 100.0)), drawn_portrait(), buffers=buffers)
    assert buffers.in_use == 0


def test_a_buffer_too_small_for_a_patch_is_given_back() -> None:
    buffers = pool(1000)
    with pytest.raises(ComputeError, match="cannot hold"):
        swap(face_of(canonical_mesh_px(200)), drawn_portrait(), buffers=buffers)
    assert buffers.in_use == 0


def test_a_source_of_another_engine_is_refused() -> None:
    frame = Frame(0, 0, 0.0, HostImage(np.zeros((8, 8, 3), np.uint8)))
    with pytest.raises(InferenceError, match="another engine"):
        MeshSwapper().swap(frame, face_of(canonical_mesh_px(200)), 0, object(), Settings(), pool())


# --- as sharp as the camera, and no harder ---------------------------------------------------------------------------

WHOLE = np.array([[1, 0, 0], [0, 1, 0]], np.float64)


def blurred(picture: Bytes, sigma_px: float) -> Bytes:
    return cv2.GaussianBlur(picture, (0, 0), sigma_px)


def softened(camera: Bytes, portrait: Bytes, *, times: int = 1, matcher: FocusMatch | None = None) -> Bytes:
    """The portrait after the last of so many looks at the same picture."""
    matcher, swap = matcher or FocusMatch(), portrait.copy()
    for _ in range(times):
        swap = portrait.copy()
        matcher.soften(camera, WHOLE, swap, track_id=1, look=Look())
    return swap


def edges(picture: Bytes) -> float:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64)[128:384, 128:384]
    return float((np.diff(grey, axis=0) ** 2).mean() + (np.diff(grey, axis=1) ** 2).mean())


@pytest.mark.parametrize("sigma_px", [1.2, 2.0, 3.0])
def test_on_a_soft_picture_the_portrait_is_as_soft(sigma_px: float) -> None:
    portrait = avatar("ada")
    camera = blurred(portrait, sigma_px)
    assert edges(softened(camera, portrait)) == pytest.approx(edges(camera), rel=0.2)


def test_on_a_sharper_picture_the_portrait_stays_as_it_is() -> None:
    soft = blurred(avatar("ada"), 2)
    np.testing.assert_array_equal(softened(avatar("ada"), soft), soft)


@pytest.mark.parametrize(("share", "left"), [(0.5, 0.5 * 1.4), (0.1, 0.55)])
def test_on_a_pale_picture_the_portrait_is_hardly_less_pale(share: float, left: float) -> None:
    portrait = avatar("bo")
    middle = portrait[128:384, 128:384].mean((0, 1))
    pale = np.rint(middle + (portrait - middle) * share).astype(np.uint8)
    found = softened(pale, portrait).astype(np.float64)[128:384, 128:384]
    assert found[..., 1].std() == pytest.approx(portrait[128:384, 128:384, 1].std() * left, rel=0.12)
    np.testing.assert_allclose(found.mean((0, 1)), middle, atol=1.5)


def test_a_picture_that_is_suddenly_soft_is_followed_slowly() -> None:
    portrait, matcher = avatar("ada"), FocusMatch()
    camera = blurred(portrait, 3)
    softened(portrait, portrait, matcher=matcher)
    first = edges(softened(camera, portrait, matcher=matcher))
    assert edges(camera) * 1.5 < first
    assert edges(softened(camera, portrait, matcher=matcher, times=60)) == pytest.approx(edges(camera), rel=0.2)


def test_faces_of_long_ago_are_forgotten() -> None:
    portrait, matcher = avatar("ada"), FocusMatch()
    fresh = softened(blurred(portrait, 3), portrait)
    softened(portrait, portrait, matcher=matcher)
    for other in range(2, 40):
        matcher.soften(portrait, WHOLE, portrait.copy(), track_id=other, look=Look())
    np.testing.assert_array_equal(softened(blurred(portrait, 3), portrait, matcher=matcher), fresh)


# --- several pictures of one person ----------------------------------------------------------------------------------


def flat_texture(level: int, yaw: float) -> FaceTexture:
    picture = np.full((256, 256, 3), level, np.uint8)
    return FaceTexture(pyramid(picture)[:1], mesh.sheet(SOURCE), 150, mesh.HeadPose(yaw, 0, 0))


def shown_at(yaw: float, *yaws: float) -> float:
    """The level in the middle of a face turned so far, of pictures with the levels 0, 100, 200 …"""
    source = MeshSource(tuple(flat_texture(100 * index, at) for index, at in enumerate(yaws)), None)
    face = face_of(canonical_mesh_px(200, yaw=yaw))
    best, second, share = source.best_for(face)
    other = best if second is None else second
    return float(best.levels[0][0, 0, 0]) * (1 - share) + float(other.levels[0][0, 0, 0]) * share


def test_between_two_poses_both_pictures_are_shown_and_nothing_jumps() -> None:
    seen = [shown_at(yaw, -20, 20) for yaw in np.arange(-30, 30.1, 0.5)]
    assert (seen[0], seen[-1]) == (0, 100)
    assert shown_at(0, -20, 20) == pytest.approx(50, abs=8)
    assert np.abs(np.diff(seen)).max() < 10


def test_one_picture_alone_is_all_there_is() -> None:
    assert shown_at(35, 0) == 0


def test_a_third_picture_comes_in_without_a_jump() -> None:
    seen = [shown_at(yaw, -20, 0, 20) for yaw in np.arange(-30, 30.1, 0.5)]
    assert {0.0, 100.0, 200.0} <= set(seen)
    assert np.abs(np.diff(seen)).max() < 20


def test_a_swap_between_two_pictures_mixes_them() -> None:
    swapper = MeshSwapper()
    face = face_of(canonical_mesh_px(200, (256, 256)))
    yaw = mesh.head_pose(face.mesh_px).yaw
    frame = Frame(0, 0, 0.0, HostImage(avatar("bo").view()))
    source = MeshSource((flat_texture(40, yaw - 5), flat_texture(140, yaw + 5)), None)
    patch = swapper.swap(frame, face, 0, source, Settings(), pool())
    middle = patch.size_px // 2
    assert patch.swap.host()[middle, middle, 0] == pytest.approx(90, abs=2)


def test_a_single_cell_of_the_map_that_lies_elsewhere_is_put_between_its_neighbours_and_an_edge_stays() -> None:
    across = np.arange(40, dtype=np.float32) * 5
    smooth = np.stack(np.meshgrid(across, across), -1)
    smooth[:, 20:] += 100  # a nose before a cheek
    wild = smooth.copy()
    wild[10, 10], wild[30, 8] = (400, -300), (90, 600)
    Warper().tame(wild, 5)
    np.testing.assert_allclose(wild[10, 10], smooth[10, 10], atol=1)
    np.testing.assert_allclose(wild[30, 8], smooth[30, 8], atol=1)
    np.testing.assert_array_equal(wild[:, 14:26], smooth[:, 14:26])
