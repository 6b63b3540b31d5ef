"""How far faces are covered: what was drawn, and only where the face in the frame is."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.domain import covering
from facefusion_live.domain.face import Job, Patch
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.ports import Occluder
from facefusion_live.domain.settings import Settings
from tests.faces import canonical_mesh_px, face_of
from tests.fakes.pictures import CountedImage

FACES = (face_of(canonical_mesh_px(70, (100, 100))), face_of(canonical_mesh_px(70, (240, 90))))


def patch(face_index: int, shift_px: float = 0) -> Patch:
    """All of its crop is face; it lies over the first face."""
    regions = np.full((128, 128, 4), 255, np.uint8)
    place = np.array([[1.0, 0, shift_px - 36], [0, 1, -36]])
    return Patch(HostImage(regions[..., :3]), None, None, HostImage(regions), place, face_index)


def job(targets: tuple[int, ...], *patches: Patch) -> Job:
    frame = Frame(0, 0, 0.0, HostImage(np.zeros((200, 320, 3), np.uint8)))
    return Job(frame, FACES, targets, 0, patches, np.zeros((0, 4), np.float32), Settings())


def test_what_was_drawn_counts_where_the_patch_lies_over_its_face() -> None:
    assert covering.shares(job((0,), patch(0)), [0.7]) == (0.7,)


@pytest.mark.parametrize("shift_px", [500, float("nan"), float("inf")])
def test_a_patch_beside_its_face_covers_nothing(shift_px: float) -> None:
    assert covering.shares(job((0,), patch(0, shift_px)), [1.0]) == (0.0,)


def test_a_patch_over_another_face_does_not_cover_its_own() -> None:
    assert covering.shares(job((0, 1), patch(0), patch(1)), [1.0, 1.0]) == (1.0, 0.0)


def test_targets_without_a_patch_are_bare_and_patches_of_nobody_tell_nothing() -> None:
    assert covering.shares(job((1,), patch(0)), [1.0]) == (0.0,)


def test_a_share_that_is_no_number_stays_none() -> None:
    assert np.isnan(covering.shares(job((0,), patch(0)), [float("nan")])[0])


def test_a_patch_without_a_share_is_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        covering.shares(replace(job((0,)), patches=(patch(0),)), [])


def test_the_grid_takes_the_middle_of_each_cell() -> None:
    pixels = np.arange(256, dtype=np.uint8).repeat(256).reshape(256, 256)
    assert covering.grid_centres(pixels)[:, 0].tolist() == list(range(2, 256, 4))


def _masked(left: NDArray[np.uint8], coverage: int = 255) -> Patch:
    """A patch over the first face, of which mask nets leave so much, (64, 64)."""
    whole = replace(patch(0), coverage=HostImage(np.full((128, 128), coverage, np.uint8)))
    regions = whole.regions.host().copy()
    regions[..., 1:] = 0
    whole = replace(whole, regions=HostImage(regions))
    return covering.masked(whole, FACES[0], left.repeat(2, 0).repeat(2, 1))


def _left(given: float, *, upper: bool) -> NDArray[np.uint8]:
    """Of all 64 rows so many are given away, from the top or from the bottom."""
    left = np.full((64, 64), 255, np.uint8)
    rows = round(64 * given)
    left[:rows] = 0 if upper else 255
    left[64 - rows :] = 255 if upper else 0
    return left


def test_what_mask_nets_take_is_not_drawn() -> None:
    left = np.full((64, 64), 255, np.uint8)
    left[40:] = 51
    done = _masked(left, 100)
    assert done.coverage is not None
    assert np.array_equal(np.unique(done.coverage.host()[:80]), [100])
    assert np.array_equal(np.unique(done.coverage.host()[80:]), [20])
    assert done.left_grid is not None
    assert np.array_equal(done.left_grid, left)


def test_a_patch_that_covers_everything_covers_what_mask_nets_leave() -> None:
    done = covering.masked(
        replace(_masked(_left(0, upper=False)), coverage=None), FACES[0], np.full((128, 128), 99, np.uint8)
    )
    assert done.coverage is not None
    assert set(done.coverage.host().ravel()) == {99}


def test_the_old_coverage_is_given_back() -> None:
    held = CountedImage(size_wh=(128, 128))
    held.host = lambda: np.full((128, 128), 255, np.uint8)  # type: ignore[method-assign]
    whole = replace(patch(0), coverage=held)
    covering.masked(whole, FACES[0], np.full((128, 128), 255, np.uint8))
    assert held.shares == 0


@pytest.mark.parametrize(
    ("share", "upper", "given"),
    [(0.0, False, 0.0), (0.1875, False, 0.75), (0.234375, False, 0.9375), (0.265625, False, 1.0625), (1.0, False, 10)],
)
def test_what_is_given_away_is_measured_by_what_may_be(share: float, given: float, *, upper: bool) -> None:
    assert _masked(_left(share, upper=upper)).given == pytest.approx(given, abs=0.001)


def test_less_may_be_given_away_from_forehead_to_nose() -> None:
    """The face's eyes are in row 23 of 64 and its mouth in row 42 or so: the tip of the nose is in row 35."""
    few, more = (_masked(_left(rows / 64, upper=True)).given for rows in (3, 5))
    assert few < 1 < more


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.25])
def test_masks_that_give_too_much_away_excuse_nothing(scale: float) -> None:
    assert covering.owed(_masked(np.zeros((64, 64), np.uint8)), scale) is None
    assert covering.owed(replace(_masked(_left(0, upper=False)), given=float("nan")), scale) is None
    assert covering.owed(patch(0), scale) is None


def test_what_masks_give_away_grows_with_the_patch() -> None:
    hole = np.full((64, 64), 255, np.uint8)
    hole[44:60, 12:52] = 0
    done = _masked(hole)
    assert done.given < 1
    same, larger, smaller = (covering.owed(done, scale) for scale in (1, 1.1, 0.8))
    assert same is not None
    assert larger is not None
    assert smaller is not None
    assert np.array_equal(same, hole)
    assert (larger < 128).sum() == pytest.approx(1.21 * (hole == 0).sum(), rel=0.1)
    # Around a smaller patch there is nothing: that is not given away, it is bare.
    assert set(smaller[:6].ravel()) == {255}
    hole[40:60, 12:52] = 0
    assert _masked(hole).given == pytest.approx(0.78125, abs=1e-3)
    assert covering.owed(_masked(hole), 1.25) is None


@pytest.mark.parametrize(("haze", "owed"), [(230, 255), (192, 255)])
def test_a_thin_mask_excuses_nothing(haze: int, owed: int) -> None:
    """A net that is never quite sure would make a pale look paler."""
    done = replace(_masked(np.full((64, 64), haze, np.uint8)), given=0.99)
    found = covering.owed(done, 1)
    assert found is not None
    assert set(found.ravel()) == {owed}


def test_the_thinnest_mask_that_excuses_is_not_believed() -> None:
    assert _masked(np.full((64, 64), 191, np.uint8)).given > 1


def test_where_there_is_no_face_all_counts_as_given_away() -> None:
    nowhere = replace(patch(0), regions=HostImage(np.zeros((128, 128, 4), np.uint8)))
    assert covering.masked(nowhere, FACES[0], np.full((128, 128), 255, np.uint8)).given > 1


def _whole() -> Patch:
    """A patch over the first face, nothing but face."""
    regions = patch(0).regions.host().copy()
    regions[..., 1:] = 0
    return replace(patch(0), regions=HostImage(regions), coverage=HostImage(np.full((128, 128), 255, np.uint8)))


def _before(share: float, *, upper: bool, by_hand: float, likeness: float | None) -> Occluder:
    left = _left(share, upper=upper).repeat(2, 0).repeat(2, 1)
    return Occluder(left, by_hand, likeness)


def _shows(occluder: Occluder, strength: float = 1.0) -> bool:
    whole = _whole()
    done = covering.occluded(whole, FACES[0], occluder, strength)
    return done is not whole


@pytest.mark.parametrize(
    ("by_hand", "likeness", "most"),
    [
        (1.0, 0.2, 0.8),
        (0.6, 0.449, 0.8),
        (1.0, None, 0.25),
        (1.0, 0.46, 0.25),
        (1.0, 0.69, 0.25),
    ],
)
def test_the_less_an_occluder_is_like_a_face_the_more_it_may_hide(
    by_hand: float, likeness: float | None, most: float
) -> None:
    assert _shows(_before(most - 0.02, upper=False, by_hand=by_hand, likeness=likeness))
    assert not _shows(_before(most + 0.02, upper=False, by_hand=by_hand, likeness=likeness))


@pytest.mark.parametrize("likeness", [-0.5, 0.3, 0.58, None])
def test_what_is_no_hand_is_never_shown(likeness: float | None) -> None:
    """The seen mistake: the edge of red light on its way over a cheek, as little like a face as a cup."""
    assert not _shows(_before(0.02, upper=False, by_hand=0.59, likeness=likeness))


@pytest.mark.parametrize(("by_hand", "likeness", "shown"), [(1.0, 0.2, True), (0.59, 0.2, False), (1.0, 0.5, False)])
def test_eyes_are_given_only_to_what_is_surely_no_face(by_hand: float, likeness: float, *, shown: bool) -> None:
    assert _shows(_before(0.2, upper=True, by_hand=by_hand, likeness=likeness)) is shown


@pytest.mark.parametrize("likeness", [0.7, 0.96, 1.0])
def test_what_looks_like_a_face_is_one_and_stays_painted_over_hand_or_not(likeness: float) -> None:
    """The seen mistake: a hand's outline over a bare face."""
    assert not _shows(_before(0.02, upper=False, by_hand=1.0, likeness=likeness))


@pytest.mark.parametrize("likeness", [float("nan"), float("inf")])
def test_a_likeness_that_is_no_number_is_no_reason_to_show_anything(likeness: float) -> None:
    assert not _shows(_before(0.02, upper=False, by_hand=1.0, likeness=likeness))


@pytest.mark.parametrize(("strength", "left"), [(1.0, 0), (0.5, 128), (0.2, 204)])
def test_strength_says_how_much_of_an_occluder_is_seen(strength: float, left: int) -> None:
    done = covering.occluded(_whole(), FACES[0], _before(0.5, upper=False, by_hand=1, likeness=0.1), strength)
    assert done.coverage is not None
    assert set(done.coverage.host()[:60].ravel()) == {255}
    assert set(done.coverage.host()[68:].ravel()) == {left}
    assert done.left_grid is not None
    assert set(done.left_grid[40:].ravel()) == {left}


def test_what_a_hand_takes_is_measured_by_what_a_hand_may() -> None:
    done = covering.occluded(_whole(), FACES[0], _before(0.5, upper=False, by_hand=1, likeness=0.1), 1)
    assert done.given == pytest.approx(0.625, abs=0.001)
    assert done.given_most == 0.8
    owed = covering.owed(done, 1)
    assert owed is not None
    assert set(owed[:32].ravel()) == {255}
    assert set(owed[32:].ravel()) == {0}


def test_a_hand_and_a_mask_net_both_take_what_they_see() -> None:
    hat = np.full((128, 128), 255, np.uint8)
    hat[:6] = 0
    done = covering.occluded(
        covering.masked(_whole(), FACES[0], hat),
        FACES[0],
        _before(0.5, upper=False, by_hand=1, likeness=0.1),
        1,
    )
    assert done.left_grid is not None
    assert set(done.left_grid[:3].ravel()) == {0}
    assert set(done.left_grid[3:32].ravel()) == {255}
    assert set(done.left_grid[32:].ravel()) == {0}
    # The hat takes 5 % of 10 % that nets may take from forehead to nose: the tighter of the two counts.
    assert done.given == pytest.approx(0.83, abs=0.01)
    assert done.given_most == 0.8


def test_a_hand_and_a_mask_net_take_no_more_together_than_a_hand_may() -> None:
    beard = np.full((128, 128), 255, np.uint8)
    beard[-28:] = 0
    masked = covering.masked(_whole(), FACES[0], beard)
    assert masked.given < 1
    above = np.full((128, 128), 255, np.uint8)
    above[16:92] = 0
    assert covering.occluded(masked, FACES[0], Occluder(above, 1.0, 0.1), 1) is masked
    assert covering.occluded(_whole(), FACES[0], Occluder(above, 1.0, 0.1), 1).given < 1


def test_a_hand_does_not_excuse_the_thin_mask_of_a_net() -> None:
    """Else a small hand would let a net through that is unsure everywhere."""
    thin = covering.masked(_whole(), FACES[0], np.full((128, 128), 240, np.uint8))
    done = covering.occluded(thin, FACES[0], _before(0.3, upper=False, by_hand=1, likeness=0.1), 1)
    assert done is not thin
    owed = covering.owed(done, 1)
    assert owed is not None
    assert set(owed.ravel()) == {0, 255}


def test_a_patch_that_grows_may_give_away_no_more_than_a_hand_may() -> None:
    done = covering.occluded(_whole(), FACES[0], _before(0.78, upper=False, by_hand=1, likeness=0.1), 1)
    assert covering.owed(done, 1) is not None
    # Drawn a third larger about its middle, the hand reaches over four fifths of the face.
    assert covering.owed(done, 1.5) is None


def test_the_soft_edge_of_a_hand_is_excused_as_far_as_it_goes() -> None:
    """Unlike with mask nets: its outline is long for what it leaves of the face."""
    occluder = _before(0.5, upper=False, by_hand=1, likeness=0.1)
    occluder.left[60:68] = 230
    owed = covering.owed(covering.occluded(_whole(), FACES[0], occluder, 1), 1)
    assert owed is not None
    assert set(owed[31]) == {230}
