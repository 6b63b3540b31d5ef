from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.domain import geometry
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.ports import Composition
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BufferPool
from facefusion_live.engine.gate import Candidate, Fault
from facefusion_live.engine.identify import IdentifyStage
from facefusion_live.engine.pipeline import Draft
from facefusion_live.engine.stages import (
    CONFIRM_SCORE,
    ChooseStage,
    DetectStage,
    EnhanceStage,
    LandmarkFinder,
    LookStage,
    MaskStage,
    Outfit,
    RefineStage,
    SwapStage,
    TrackStage,
)
from facefusion_live.engine.tracks import FaceTracks
from tests.engine.rig import FACE, frame_of
from tests.faces import canonical_mesh_px, face_of
from tests.fakes.compute import FakeCompute
from tests.fakes.enhancer import FakeEnhancer
from tests.fakes.nets import FakeDetector, FakeLandmarker, FakeMaskMaker, FakePointFinder, FakeRecogniser, detection
from tests.fakes.pictures import Square, faces_in, room
from tests.fakes.swapper import FakeSource, FakeSwapper

OTHER = Square(1, 64, 6, 18)
SETTINGS = Settings().with_values({"track.smoothing": 0, "detect.every_n": 4})


class Bench:
    """The stages on one bench."""

    def __init__(self, *, run_aside: bool = True) -> None:
        self.tracks, self.compute = FaceTracks(), FakeCompute()
        self.detector, self.landmarker, self.recogniser = FakeDetector(), FakeLandmarker(), FakeRecogniser()
        self.tasks: list[Callable[[], None]] = []
        self.run_aside = run_aside
        finder = LandmarkFinder(self.landmarker, self.compute)
        self.pool = BufferPool(8 * 128**2, 4, "patch")
        look = LookStage(self.detector, self.compute)
        self.stages = [
            TrackStage(self.tracks, finder),
            look,
            DetectStage(self.tracks, look, (), self.compute),
            ChooseStage(self.tracks, finder, look.settled),
            IdentifyStage(self.tracks, self.recogniser, self.compute, self.aside),
        ]
        self.index = 0

    def aside(self, task: Callable[[], None]) -> bool:
        if self.run_aside:
            self.tasks.append(task)
        return self.run_aside

    def frame(self, *faces: Square, settings: Settings = SETTINGS) -> Draft:
        frame = frame_of(room(*faces), self.index)
        self.index += 1
        draft = Draft(frame, settings, frame.media_s)
        for stage in self.stages:
            stage.run(draft)
        return draft


def worn() -> Outfit:
    """A face and an engine."""
    return Outfit(FakeSwapper(), FakeSource())


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_face_is_found_where_it_is(bench: Bench) -> None:
    draft = bench.frame(FACE)
    (face,) = draft.faces
    np.testing.assert_allclose(face.box_px, faces_in(room(FACE))[0], atol=1.0)
    assert (draft.targets, draft.missing) == ((0,), 0)


def test_needs_are_given_in_order(bench: Bench) -> None:
    given: frozenset[str] = frozenset()
    for stage in (*bench.stages, SwapStage(worn, bench.pool)):
        assert stage.needs <= given
        given |= stage.gives
    assert [stage.name for stage in bench.stages] == ["track", "look", "detect", "choose", "identify"]


def test_the_detector_runs_every_nth_frame(bench: Bench) -> None:
    ran = [bench.frame(FACE).detections is not None for _ in range(9)]
    assert ran == [True, False, False, False, True, False, False, False, True]


def test_a_newcomer_that_could_not_be_taken_up_is_looked_for_again_in_the_next_frame(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would go bare until the detector's next turn."""
    for _ in range(4):
        bench.frame(FACE)

    def broken(*_: object) -> None:
        raise InferenceError("no")

    with monkeypatch.context() as patched:
        patched.setattr(bench.tracks, "admit", broken)
        with pytest.raises(InferenceError):
            bench.frame(FACE, OTHER)
    assert len(bench.frame(FACE, OTHER).faces) == 2


def test_a_look_whose_frame_fails_is_made_again_in_the_next(bench: Bench) -> None:
    for _ in range(4):
        bench.frame(FACE)
    failed = frame_of(room(FACE, OTHER), bench.index)
    draft = Draft(failed, SETTINGS, failed.media_s)
    bench.stages[1].run(draft)  # beside the following, which fails: nobody settles what is seen
    assert draft.looked is not None
    assert len(bench.frame(FACE, OTHER).faces) == 2


def test_the_detector_runs_at_once_when_someone_is_lost(bench: Bench) -> None:
    bench.frame(FACE)
    calls = bench.detector.calls
    assert bench.frame().detections == ()
    assert bench.detector.calls == calls + 1


def test_a_lost_face_is_missing(bench: Bench) -> None:
    bench.frame(FACE)
    draft = bench.frame()
    assert (draft.faces, draft.targets, draft.missing) == ((), (), 1)
    assert draft.hidden_boxes_px.shape == (0, 4)


def test_bystanders_are_no_targets_and_are_hidden_where_they_were(bench: Bench) -> None:
    draft = bench.frame(FACE, OTHER)
    assert (len(draft.faces), draft.targets) == (2, (0,))
    draft = bench.frame(FACE)
    assert (len(draft.faces), draft.targets, draft.missing) == (1, (0,), 0)
    np.testing.assert_allclose(draft.hidden_boxes_px, [faces_in(room(OTHER))[1]], atol=1.0)


def test_all_faces_are_targets_if_so_set(bench: Bench) -> None:
    draft = bench.frame(FACE, OTHER, settings=SETTINGS.with_values({"swap.targets": "all"}))
    assert draft.targets == (0, 1)


@pytest.mark.parametrize(
    "box",
    [(np.nan, 0, 1, 1), (0, 0, np.inf, 1), (5, 5, 5, 5), (9, 9, 1, 1)],
    ids=["nan", "infinite", "empty", "inside out"],
)
def test_detections_without_a_place_are_passed_over(bench: Bench, box: tuple[float, ...]) -> None:
    honest = FakeDetector().detect
    bench.detector.answer = [detection(box), *honest(room(FACE, size_wh=(96, 96)), 0.5)]
    assert len(bench.frame(FACE).detections or ()) == 1


def test_the_detector_is_asked_down_to_the_confirming_score(bench: Bench) -> None:
    bench.detector.answer = [detection((30, 36, 54, 60), CONFIRM_SCORE)]
    draft = bench.frame(FACE)
    assert len(draft.detections or ()) == 1
    assert draft.faces == ()


def test_everyone_is_identified_now_and_then(bench: Bench) -> None:
    asked = [len(bench.tasks) for _ in range(40) if bench.frame(FACE)]
    assert asked[0] == 1
    assert asked[29] == 1
    assert asked[31] == 2


def test_the_answer_reaches_the_track(bench: Bench) -> None:
    bench.frame(FACE)
    bench.tasks[0]()
    (face,) = bench.frame(FACE).faces
    (seen,) = face.looks
    assert np.linalg.norm(seen) == pytest.approx(1)


def test_one_look_at_a_time_and_one_that_was_given_up_holds_nobody_up(bench: Bench) -> None:
    bench.frame(FACE, OTHER)
    assert len(bench.tasks) == 1
    bench.tasks[0]()
    bench.frame(FACE, OTHER)
    assert len(bench.tasks) == 2
    asked = [len(bench.tasks) for _ in range(40) if bench.frame(FACE, OTHER)]
    assert asked[28:31] == [2, 3, 3], asked


def test_nobody_is_looked_at_where_nobody_wants_to_know() -> None:
    bench = Bench()
    bench.stages[4] = IdentifyStage(
        bench.tracks, FakeRecogniser(), FakeCompute(), bench.aside, lambda settings: settings.swap.targets == "enrolled"
    )
    bench.frame(FACE)
    assert bench.tasks == []
    bench.frame(FACE, settings=SETTINGS.with_values({"swap.targets": "enrolled"}))
    assert len(bench.tasks) == 1


@pytest.mark.parametrize("targets", ["largest", "enrolled"])
def test_whoever_is_not_followed_is_veiled_where_it_counts_who_they_are(targets: str) -> None:
    bench = Bench()
    one = SETTINGS.with_values({"detect.max_faces": 1, "swap.targets": targets})
    draft = bench.frame(FACE, OTHER, settings=one)
    assert len(draft.veiled_boxes_px) == (2 if targets == "enrolled" else 0)
    assert draft.job().veiled_boxes_px is draft.veiled_boxes_px


def test_a_person_enrolled_gets_a_face_of_their_own() -> None:
    alice, own = face_of(canonical_mesh_px()), FakeSource((1, 2, 3))
    outfit = Outfit(FakeSwapper(), FakeSource(), {"alice": own})
    assert outfit.source_of(replace(alice, person="alice")) is own
    assert outfit.source_of(replace(alice, person="bob")) is outfit.source
    assert outfit.source_of(alice) is outfit.source


def test_when_the_side_worker_is_closed_it_is_asked_again() -> None:
    bench = Bench(run_aside=False)
    bench.frame(FACE)
    bench.run_aside = True
    bench.frame(FACE)
    assert len(bench.tasks) == 1


def test_a_patch_for_every_target(bench: Bench) -> None:
    draft = bench.frame(FACE, OTHER, settings=SETTINGS.with_values({"swap.targets": "all", "swap.max_crop_px": 128}))
    SwapStage(worn, bench.pool).run(draft)
    assert [patch.face_index for patch in draft.patches] == [0, 1]
    assert bench.pool.in_use == 2
    draft.job().release()
    assert bench.pool.in_use == 0


def test_a_swap_that_fails_names_the_face_it_was_at(bench: Bench) -> None:
    class FailsOnTheSecond(FakeSwapper):
        def swap(self, frame: Frame, face: Face, face_index: int, *rest: Any) -> Patch:
            if face_index == 1:
                raise InferenceError("no net")
            return super().swap(frame, face, face_index, *rest)

    everyone = SETTINGS.with_values({"swap.targets": "all", "swap.max_crop_px": 128})
    draft = bench.frame(FACE, OTHER, settings=everyone)
    with pytest.raises(InferenceError):
        SwapStage(lambda: Outfit(FailsOnTheSecond(), FakeSource()), bench.pool).run(draft)
    assert (draft.at_face, len(draft.patches)) == (1, 1)
    draft.job().release()
    SwapStage(worn, bench.pool).run(draft := bench.frame(FACE, OTHER, settings=everyone))
    assert draft.at_face is None
    draft.job().release()


def test_the_source_is_read_once_per_frame(bench: Bench) -> None:
    outfits = (Outfit(FakeSwapper(), FakeSource((0, 0, blue))) for blue in (100, 200))
    stage = SwapStage(lambda: next(outfits), bench.pool)
    colours: list[int] = []
    for _ in range(2):
        draft = bench.frame(FACE, OTHER, settings=SETTINGS.with_values({"swap.targets": "all"}))
        stage.run(draft)
        colours += [int(patch.swap.host()[0, 0, 2]) for patch in draft.patches]
        draft.job().release()
    assert colours == [100, 100, 200, 200]


def test_the_first_patch_is_not_lost_when_the_second_fails(bench: Bench) -> None:
    def second_fails(_frame: object, patch: object) -> object:
        if bench.pool.in_use == 2:
            raise InferenceError("no")
        return patch

    draft = bench.frame(FACE, OTHER, settings=SETTINGS.with_values({"swap.targets": "all"}))
    with pytest.raises(InferenceError):
        SwapStage(lambda: Outfit(FakeSwapper(second_fails), FakeSource()), bench.pool).run(draft)
    assert bench.pool.in_use == 1
    draft.job().release()
    assert bench.pool.in_use == 0


def test_landmarks_are_given_in_frame_pixels() -> None:
    bench = Bench()
    draft = Draft(frame_of(room(FACE)), SETTINGS, 0.0)
    found = detection(faces_in(room(FACE))[0])
    landmarks = LandmarkFinder(bench.landmarker, bench.compute).in_frame(draft)(found.box_px, found.eyes_px)
    assert isinstance(draft.frame.image, HostImage)
    middle = landmarks.mesh_px[:, :2].mean(0)
    np.testing.assert_allclose(middle, [42, 32], atol=3)


def test_the_mirror_image_of_a_face_is_no_face(bench: Bench) -> None:
    bench.detector.answer = [detection([0, 0, 20, 15]), detection([30, 30, 54, 54])]
    draft = bench.frame(FACE)
    assert draft.detections is not None
    assert [round(found.within, 2) for found in draft.detections] == [1.0]


def test_the_detector_sees_half_a_face_at_the_edge_as_a_whole_one(bench: Bench) -> None:
    half = Square(0, -10, 20, 24)
    picture = room()
    picture[half.top : half.top + half.edge, : half.left + half.edge] = half.colour
    draft = Draft(frame_of(picture), SETTINGS, 0.0)
    for stage in bench.stages:
        stage.run(draft)
    assert draft.detections is not None
    ((left, _, right, _),) = [found.box_px.tolist() for found in draft.detections]
    assert left < -2
    assert right == pytest.approx(14, abs=1.5)


@pytest.mark.parametrize(("bystanders", "missing"), [("blur", 0), ("keep", 1)])
def test_whoever_may_not_be_hidden_is_missing(bystanders: str, missing: int, bench: Bench) -> None:
    settings = SETTINGS.with_values({"swap.targets": "all", "gate.bystanders": bystanders})
    bench.detector.answer = [detection([30, 40, 54, 64]), detection([-12, 20, 10, 42])]
    draft = bench.frame(FACE, settings=settings)
    assert (len(draft.hidden_boxes_px), draft.missing) == (1, missing)


def test_the_points_of_those_who_are_replaced_are_refined(bench: Bench) -> None:
    draft = bench.frame(FACE, OTHER)
    before, finder = draft.faces, FakePointFinder()
    RefineStage(finder, bench.compute).run(draft)
    assert finder.calls == len(draft.targets) == 1
    # Points 30, 48 and 54 of 67 along the diagonal of the square; the eyes are means of six.
    share = np.array([38.5, 44.5, 30, 48, 54])[:, None] / 67
    corner, edge = np.array([FACE.left, FACE.top]), FACE.edge
    assert np.abs(draft.faces[0].landmarks5_px - (corner + share * edge)).max() < 1.5
    assert draft.faces[1] is before[1]
    assert np.array_equal(draft.faces[0].mesh_px, before[0].mesh_px)


def test_points_that_a_net_is_not_sure_of_are_left(bench: Bench) -> None:
    draft = bench.frame(FACE)
    before = draft.faces
    RefineStage(FakePointFinder(0.4), bench.compute).run(draft)
    assert draft.faces == before


@pytest.mark.parametrize(("share", "calls"), [(0.0, 0), (0.5, 1)])
def test_patches_are_enhanced_as_long_as_it_would_be_seen(bench: Bench, share: float, calls: int) -> None:
    settings = SETTINGS.with_values({"look.enhance": share, "swap.max_crop_px": 128})
    draft = bench.frame(FACE, settings=settings)
    pool = BufferPool(11 * 128**2, 2, "patch")
    SwapStage(worn, pool).run(draft)
    enhancer = FakeEnhancer()
    EnhanceStage(enhancer, pool).run(draft)
    assert enhancer.calls == calls
    assert [patch.enhanced is not None for patch in draft.patches] == [calls == 1]
    assert pool.in_use == 1
    draft.job().release()
    assert pool.in_use == 0


def test_an_enhancer_that_fails_names_the_face_and_leaves_nothing_behind(bench: Bench) -> None:
    settings = SETTINGS.with_values({"look.enhance": 1, "swap.max_crop_px": 128})
    draft = bench.frame(FACE, settings=settings)
    pool = BufferPool(11 * 128**2, 2, "patch")
    SwapStage(worn, pool).run(draft)
    with pytest.raises(InferenceError):
        EnhanceStage(FakeEnhancer(InferenceError("no")), pool).run(draft)
    assert draft.at_face == 0
    draft.job().release()
    assert pool.in_use == 0


def on_the_grid(_frame: Frame, patch: Patch) -> Patch:
    """The patch at a size that renderers take, all of it face but no eye and no mouth."""
    for image in patch.images():
        image.release()
    regions = np.zeros((128, 128, 4), np.uint8)
    regions[..., 0] = 255
    place = geometry.compose(geometry.scaled(128 / patch.size_px), patch.crop_from_frame)
    return Patch(HostImage(regions[..., :3]), None, None, HostImage(regions), place, patch.face_index)


def masked_by(bench: Bench, *makers: FakeMaskMaker, strength: float = 1.0) -> Draft:
    settings = SETTINGS.with_values({"swap.mask_strength": strength, "swap.max_crop_px": 128})
    draft = bench.frame(FACE, settings=settings)
    SwapStage(lambda: Outfit(FakeSwapper(on_the_grid), FakeSource()), bench.pool).run(draft)
    MaskStage(makers, bench.compute).run(draft)
    return draft


def lower_right() -> np.ndarray:
    left = np.full((64, 64), 255, np.uint8)
    left[40:, 40:] = 0
    return left


def test_what_lies_before_the_face_is_taken_from_the_patch_where_it_lies(bench: Bench) -> None:
    (patch,) = masked_by(bench, FakeMaskMaker(lower_right())).patches
    assert patch.coverage is not None
    taken = patch.coverage.host() == 0
    assert taken.any()
    # From the patch's pixels to the frame's, to those of the net's crop: there the hand begins at pixel 40.
    face = bench.tracks.face(bench.tracks.choose(SETTINGS)[0][0])
    ys, xs = np.nonzero(taken)
    in_frame = geometry.transform(geometry.inverse(patch.crop_from_frame), np.stack([xs, ys], 1))
    at = geometry.transform(geometry.align(face.landmarks5_px, "dfl_whole_face", 64), in_frame)
    assert at.min() >= 39
    assert patch.left_grid is not None
    assert (patch.left_grid == 0).any()


def test_what_one_of_two_mask_nets_takes_is_taken() -> None:
    one = masked_by(Bench(), FakeMaskMaker(lower_right()), FakeMaskMaker()).patches[0]
    other = masked_by(Bench(), FakeMaskMaker(), FakeMaskMaker(lower_right())).patches[0]
    assert one.left_grid is not None
    assert other.left_grid is not None
    assert np.array_equal(one.left_grid, other.left_grid)
    assert one.given == other.given > 0


def test_masks_count_by_their_strength(bench: Bench) -> None:
    whole, half = (masked_by(Bench(), FakeMaskMaker(lower_right()), strength=s).patches[0] for s in (1.0, 0.5))
    assert half.given == pytest.approx(whole.given / 2, rel=0.02)
    maker = FakeMaskMaker(lower_right())
    (none,) = masked_by(bench, maker, strength=0.0).patches
    assert (maker.calls, none.left_grid, none.given) == (0, None, 0.0)


def test_a_mask_net_that_takes_everything_is_told_to_the_gate(bench: Bench) -> None:
    draft = masked_by(bench, FakeMaskMaker(np.zeros((64, 64), np.uint8)))
    candidate = Candidate(draft.job(), Composition(draft.frame.image, (1.0,)))
    assert candidate.fault() is Fault.GIVEN_AWAY


def test_a_mask_net_that_fails_names_the_face_and_leaves_nothing_behind(bench: Bench) -> None:
    settings = SETTINGS.with_values({"swap.max_crop_px": 128})
    draft = bench.frame(FACE, settings=settings)
    pool = BufferPool(8 * 128**2, 1, "patch")
    SwapStage(worn, pool).run(draft)
    with pytest.raises(InferenceError):
        MaskStage([FakeMaskMaker(error=InferenceError("no"))], bench.compute).run(draft)
    assert draft.at_face == 0
    draft.job().release()
    assert pool.in_use == 0


@pytest.mark.parametrize("name", ["left", "other"])
def test_a_card_may_have_any_name(name: str) -> None:
    maker = FakeMaskMaker(lower_right())
    expected = masked_by(Bench(), maker).patches[0].left_grid
    maker.name = name
    assert np.array_equal(masked_by(Bench(), maker).patches[0].left_grid, expected)


@pytest.mark.parametrize(("every", "calls"), [(1, 4), (2, 2), (3, 2)])
def test_a_mask_serves_for_several_pictures_and_moves_with_the_face(bench: Bench, every: int, calls: int) -> None:
    settings = SETTINGS.with_values({"swap.mask_every": every, "swap.max_crop_px": 128})
    maker = FakeMaskMaker(lower_right())
    stage = MaskStage([maker], bench.compute)
    swap = SwapStage(lambda: Outfit(FakeSwapper(on_the_grid), FakeSource()), bench.pool)
    taken_px: list[NDArray[np.float64]] = []
    for number in range(4):
        draft = bench.frame(FACE._replace(left=FACE.left + 3 * number), settings=settings)
        swap.run(draft)
        stage.run(draft)
        (patch,) = draft.patches
        assert patch.coverage is not None
        ys, xs = np.nonzero(patch.coverage.host() == 0)
        in_frame = geometry.transform(geometry.inverse(patch.crop_from_frame), np.stack([xs, ys], 1))
        taken_px.append(in_frame.mean(0) - draft.faces[0].landmarks5_px.mean(0))
        draft.job().release()
    assert maker.calls == calls
    assert np.ptp(taken_px, axis=0).max() < 1


def test_a_mask_is_not_kept_for_long_nor_for_somebody_else(bench: Bench) -> None:
    settings = SETTINGS.with_values({"swap.mask_every": 3, "swap.max_crop_px": 128})
    maker = FakeMaskMaker()
    stage = MaskStage([maker], bench.compute)
    swap = SwapStage(lambda: Outfit(FakeSwapper(on_the_grid), FakeSource()), bench.pool)

    def masked(*faces: Square) -> None:
        draft = bench.frame(*faces, settings=settings)
        swap.run(draft)
        stage.run(draft)
        draft.job().release()

    masked(FACE)
    bench.index += 3  # more than a tenth of a second later, at 30 frames per second
    masked(FACE)
    assert maker.calls == 2
    masked(FACE)
    assert maker.calls == 2
    bench.index += 60
    masked()
    masked(FACE)
    assert maker.calls == 3


def test_who_comes_back_where_they_vanished_is_shown_once_the_veil_is_off(bench: Bench) -> None:
    settings = SETTINGS.with_values({"detect.every_n": 1, "track.lost_ms": 100})
    for _ in range(4):
        bench.frame(FACE, settings=settings)
    while not len(bench.frame(settings=settings).veiled_boxes_px):
        assert bench.index < 60, "nobody is hidden"
    back = [bench.frame(FACE, settings=settings) for _ in range(3)]
    veiled = [(len(draft.veiled_boxes_px), draft.missing) for draft in back if draft.targets]
    assert veiled[0] == (1, 1)
    assert veiled[-1] == (0, 0)
