"""What everything that touches pixels does, on whichever device."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live import adapters
from facefusion_live.adapters.gpu import GpuCompute
from facefusion_live.adapters.provenance.disclosing import DisclosingCompute
from facefusion_live.adapters.provenance.label import LabelPainter
from facefusion_live.adapters.provenance.mark import MarkPainter
from facefusion_live.adapters.render_cpu import CpuCompute
from facefusion_live.domain import covering
from facefusion_live.domain.disclosure import Part
from facefusion_live.domain.errors import ComputeError
from facefusion_live.domain.face import Job, Patch
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.outline import Shapes, view_of
from facefusion_live.domain.ports import Compute
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BufferPool
from tests.contracts.discovery import classes_with
from tests.faces import canonical_mesh_px, face_of, noise
from tests.fakes import compute as fakes
from tests.fakes.compute import FakeCompute
from tests.support import RESOURCES


def cpu() -> CpuCompute:
    return CpuCompute(RESOURCES / "slate.png")


CASES: dict[str, Callable[[pytest.FixtureRequest], Compute]] = {
    "cpu": lambda _: cpu(),
    "fake": lambda _: FakeCompute(),
    "gl": lambda request: GpuCompute(request.getfixturevalue("graphics"), cpu()),
    # Pixels are compared here; what it draws is measured in tests/adapters/test_disclosing.py.
    "disclosing": lambda _: DisclosingCompute(
        cpu(), LabelPainter(RESOURCES / "fonts" / "label.otf"), MarkPainter(0), lambda: frozenset(Part)
    ),
}
KINDS = {"cpu": CpuCompute, "fake": FakeCompute, "gl": GpuCompute, "disclosing": DisclosingCompute}
SIZE_WH = (320, 200)
FACE = face_of(canonical_mesh_px(70, (100, 100)))
OTHER = face_of(canonical_mesh_px(70, (240, 90)))


@pytest.fixture(params=CASES)
def compute(request: pytest.FixtureRequest) -> Iterator[Compute]:
    """Ready on this thread, as the render thread has it."""
    made = CASES[request.param](request)
    made.prepare(SIZE_WH)
    made.begin()
    yield made
    made.end()


def pool(count: int = 1) -> BufferPool:
    return BufferPool(SIZE_WH[0] * SIZE_WH[1] * 3, count, "render")


def frame(seed: int = 1) -> Frame:
    return Frame(0, 0, 0.0, HostImage(noise(SIZE_WH, seed)))


def blue_patch() -> Patch:
    """Covers the face and everything around it."""
    blue = np.zeros((128, 128, 3), np.uint8)
    blue[..., 2] = 200
    regions = np.zeros((128, 128, 4), np.uint8)
    regions[..., 0] = 255
    place = np.array([[1.0, 0, -36], [0, 1, -36]])
    return Patch(HostImage(blue), None, None, HostImage(regions), place, 0)


def shifted(patch: Patch, by_px: tuple[float, float]) -> Patch:
    place = patch.crop_from_frame.copy()
    place[:, 2] += by_px
    return replace(patch, crop_from_frame=place)


def job(*patches: Patch) -> Job:
    return Job(frame(), (FACE, OTHER), (0,), 0, patches, np.zeros((0, 4), np.float32), Settings())


def look(**values: object) -> Settings:
    own = {"look.match": 0, "look.sharpness": 0, "gate.bystanders": "keep"}
    return Settings().with_values(own | {name.replace("__", "."): value for name, value in values.items()})


def pixels_at(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """At every point of the first face."""
    x, y = np.rint(FACE.mesh_px[:468, :2]).astype(int).T
    return picture[y, x]


def test_no_compute_is_missing_here() -> None:
    assert classes_with("compose", adapters) == {CpuCompute, GpuCompute, DisclosingCompute}
    assert classes_with("compose", fakes) == {FakeCompute}
    assert set(KINDS.values()) == {CpuCompute, GpuCompute, FakeCompute, DisclosingCompute}
    assert KINDS.keys() == CASES.keys()


def test_it_says_its_name(compute: Compute) -> None:
    assert compute.name == compute.backend.name
    assert compute.backend.reason
    assert not compute.backend.lost


def test_it_can_be_taken_again_on_another_thread(compute: Compute) -> None:
    compute.end()
    covered: list[float] = []

    def session() -> None:
        compute.begin()
        covered.extend(compute.compose(job(blue_patch()), look(), pool()).covered)
        compute.end()

    thread = threading.Thread(target=session)
    thread.start()
    thread.join()
    compute.begin()
    assert covered[0] > 0.95


def test_a_crop_shifted_by_whole_pixels_is_a_piece_of_the_frame(compute: Compute) -> None:
    picture = frame().image
    pixels = np.empty((48, 48, 3), np.uint8)
    compute.crop(picture, np.array([[1.0, 0, -20], [0, 1, -30]]), pixels)
    assert np.array_equal(pixels, picture.host()[30:78, 20:68])


def test_a_crop_repeats_the_border_of_the_frame(compute: Compute) -> None:
    picture = frame().image
    pixels = np.empty((48, 48, 3), np.uint8)
    compute.crop(picture, np.array([[1.0, 0, 10], [0, 1, 10]]), pixels)
    at = np.clip(np.arange(48) - 10, 0, None)
    assert np.array_equal(pixels, picture.host()[np.ix_(at, at)])


def test_a_job_without_patches_is_the_frame_and_covers_nothing(compute: Compute) -> None:
    work = job()
    composition = compute.compose(work, look(), pool())
    assert np.array_equal(composition.image.host(), work.frame.image.host())
    assert composition.covered == (0.0,)


def test_a_patch_hides_its_face_and_leaves_the_rest(compute: Compute) -> None:
    work = job(blue_patch())
    composition = compute.compose(work, look(), pool())
    picture = composition.image.host()
    assert (pixels_at(picture) == (0, 0, 200)).all()
    assert np.array_equal(picture[:, 180:], work.frame.image.host()[:, 180:])
    assert composition.covered[0] > 0.95


def test_a_pale_swap_covers_less(compute: Compute) -> None:
    (covered,) = compute.compose(job(blue_patch()), look(look__opacity=0.4), pool()).covered
    assert covered < 0.5


def masked(left: NDArray[np.uint8]) -> Patch:
    """What mask nets leave of the blue patch."""
    whole = blue_patch()
    regions = whole.regions.host().copy()
    return covering.masked(replace(whole, regions=HostImage(regions)), FACE, left)


RENDERERS = [name for name in CASES if name != "fake"]


@pytest.mark.parametrize("compute", RENDERERS, indirect=True)
def test_a_hand_before_the_face_is_seen_and_no_leak(compute: Compute) -> None:
    left = np.full((128, 128), 255, np.uint8)
    left[76:104, 50:86] = 0
    work = job(masked(left))
    composition = compute.compose(work, look(), pool())
    picture, camera = composition.image.host(), work.frame.image.host()
    assert np.array_equal(picture[114:138, 88:120], camera[114:138, 88:120])
    assert (picture[70:106, 80:124] == (0, 0, 200)).all()
    assert composition.covered[0] > 0.95


@pytest.mark.parametrize("compute", RENDERERS, indirect=True)
@pytest.mark.parametrize("scale", [0.8, 1.0, 1.25])
def test_masks_that_take_everything_leave_a_face_that_is_not_covered(compute: Compute, scale: float) -> None:
    work = job(masked(np.zeros((128, 128), np.uint8)))
    composition = compute.compose(work, look(look__face_scale=scale), pool())
    assert composition.covered == (0.0,)


@pytest.mark.parametrize("compute", RENDERERS, indirect=True)
def test_a_pale_swap_covers_no_more_for_a_hand_before_it(compute: Compute) -> None:
    left = np.full((128, 128), 255, np.uint8)
    left[84:104, 50:86] = 0
    (covered,) = compute.compose(job(masked(left)), look(look__opacity=0.8), pool()).covered
    assert covered == pytest.approx(0.8 / 0.95, abs=0.01)


@pytest.mark.parametrize("compute", RENDERERS, indirect=True)
def test_a_thin_mask_makes_a_pale_swap_paler(compute: Compute) -> None:
    patch = masked(np.full((128, 128), 232, np.uint8))
    assert patch.given < 1
    (covered,) = compute.compose(job(patch), look(look__opacity=0.86), pool()).covered
    assert covered == pytest.approx(0.86 * 232 / 255 / 0.95, abs=0.01)


def shaped(patch: Patch, by_cm: float) -> Patch:
    """The patch of a source whose face is so much longer."""
    shape = view_of(FACE.mesh_px).shape
    return replace(patch, shapes=Shapes(shape, shape + np.array((0, by_cm))))


@pytest.mark.parametrize("compute", RENDERERS, indirect=True)
def test_the_finished_picture_bends_toward_the_shape_of_the_source(compute: Compute) -> None:
    place = np.array([[1.0, 0, -36], [0, 1, -36]])
    regions = np.full((128, 128, 4), 0, np.uint8)
    regions[24:106, 30:98, 0] = 255
    patch = replace(blue_patch(), regions=HostImage(regions), crop_from_frame=place)

    def lowest_blue(share: float, by_cm: float) -> int:
        picture = compute.compose(job(shaped(patch, by_cm)), look(look__face_shape=share), pool()).image.host()
        column = picture[:, 100].astype(int)
        return int(np.flatnonzero((np.abs(column - (0, 0, 200)) < 40).all(-1)).max())

    rest = lowest_blue(0, 0.9)
    assert lowest_blue(1, 0.9) > lowest_blue(0.5, 0.9) > rest > lowest_blue(1, -0.9)


@pytest.mark.parametrize("compute", RENDERERS, indirect=True)
def test_the_shape_alone_changes_nothing_far_from_the_face(compute: Compute) -> None:
    work = job(shaped(blue_patch(), 0.9))
    straight = compute.compose(work, look(), pool())
    bent = compute.compose(work, look(look__face_shape=1), pool())
    assert (bent.image.host()[:, 200:] == straight.image.host()[:, 200:]).all()
    assert bent.covered == straight.covered


@pytest.mark.parametrize("shift_px", [(60, 0), (0, -60), (500, 0)])
def test_a_patch_beside_its_face_does_not_cover_it(compute: Compute, shift_px: tuple[float, float]) -> None:
    (covered,) = compute.compose(job(shifted(blue_patch(), shift_px)), look(), pool()).covered
    assert not covered >= 0.9


def test_a_patch_at_no_place_is_refused_or_covers_nothing(compute: Compute) -> None:
    nowhere = shifted(blue_patch(), (float("nan"), 0))
    try:
        (covered,) = compute.compose(job(nowhere), look(), pool()).covered
    except ComputeError:
        return
    assert not covered >= 0.9


def test_a_patch_of_nobody_who_must_be_covered_tells_nothing(compute: Compute) -> None:
    work = job(blue_patch())
    assert compute.compose(replace(work, targets=()), look(), pool()).covered == ()


@pytest.mark.parametrize("how", ["blur", "cover"])
def test_a_bystander_is_hidden(compute: Compute, how: str) -> None:
    work = job(blue_patch())
    picture = compute.compose(work, look(gate__bystanders=how), pool()).image.host()
    middle = (OTHER.box_px[:2] + OTHER.box_px[2:]) / 2
    x, y = np.rint(middle + (OTHER.mesh_px[:468, :2] - middle) * 0.9).astype(int).T
    assert np.abs(picture[y, x + 1].astype(int) - picture[y, x]).max() <= 12
    assert np.array_equal(picture[180:], work.frame.image.host()[180:])


def of_turned_head(faded: float) -> Job:
    """A job whose patch has detail, over a head that is turned away."""
    patch = replace(blue_patch(), swap=HostImage(noise((128, 128), 3)))
    return replace(job(patch), faces=(replace(FACE, faded=faded),))


def detail(picture: NDArray[np.uint8]) -> float:
    """Mean step from pixel to pixel over the face, in levels."""
    x, y = np.rint(FACE.mesh_px[:468, :2]).astype(int).T
    return float(np.abs(picture[y, x + 1].astype(int) - picture[y, x]).mean())


@pytest.mark.parametrize("how", ["blur", "cover", "keep"])
def test_a_swapped_face_that_turned_away_is_hidden_as_bystanders_are(compute: Compute, how: str) -> None:
    composition = compute.compose(of_turned_head(1), look(gate__bystanders=how), pool())
    assert detail(composition.image.host()) <= 6
    assert composition.covered[0] > 0.95


def test_on_the_way_there_it_fades(compute: Compute) -> None:
    details = [detail(compute.compose(of_turned_head(faded), look(), pool()).image.host()) for faded in (0, 0.5, 1)]
    assert details[0] > 60
    assert details[2] <= details[1] < 0.7 * details[0]


def test_the_receiver_owns_one_share_of_the_picture(compute: Compute) -> None:
    buffers = pool()
    composition = compute.compose(job(blue_patch()), look(), buffers)
    assert buffers.in_use == 1
    composition.image.release()
    assert buffers.in_use == 0


def test_two_pictures_live_side_by_side(compute: Compute) -> None:
    buffers = pool(2)
    first = compute.compose(job(blue_patch()), look(), buffers).image
    before = first.host().copy()
    compute.compose(replace(job(), frame=frame(5)), look(), buffers)
    assert np.array_equal(first.host(), before)


def test_without_memory_there_is_no_picture(compute: Compute) -> None:
    buffers = pool(0)
    with pytest.raises(ComputeError):
        compute.compose(job(), look(), buffers)
    assert buffers.in_use == 0


@pytest.mark.parametrize("kind", ["card", "pixelate"])
@pytest.mark.parametrize("with_frame", [True, False])
def test_a_slate_has_the_size_asked_for_and_shows_no_face(compute: Compute, kind: str, with_frame: bool) -> None:  # noqa: FBT001
    buffers, picture = pool(), frame()
    slate = compute.slate(picture if with_frame else None, SIZE_WH, look(gate__slate=kind), buffers)
    assert slate.size_wh == SIZE_WH
    changes = np.abs(np.diff(slate.host().astype(int), axis=1)).mean()
    assert changes < np.abs(np.diff(picture.image.host().astype(int), axis=1)).mean() / 3
    slate.release()
    assert buffers.in_use == 0
