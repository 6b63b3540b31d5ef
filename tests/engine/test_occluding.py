"""What lies before a face, or is worn there, is left to the camera."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.domain import blend, geometry
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.hand import Hand
from facefusion_live.domain.image import HostImage, Image
from facefusion_live.domain.ports import Occluder
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BufferPool
from facefusion_live.engine.hands import HandWatch
from facefusion_live.engine.occluding import GlassesStage, HandStage, OccludeStage
from facefusion_live.engine.pipeline import Draft
from tests.engine.rig import frame_of
from tests.faces import canonical_mesh_px, face_of
from tests.fakes.compute import FakeCompute
from tests.fakes.glasses import FakeGlasses
from tests.fakes.hands import FakeHands, FakeOccluders, FakePalms
from tests.fakes.swapper import FakeSource, FakeSwapper

FACE = face_of(canonical_mesh_px(60, (100, 110)))
BYSTANDER = face_of(canonical_mesh_px(60, (210, 110)), track_id=2)
SETTINGS = Settings().with_values({"swap.max_crop_px": 128, "swap.occlusion": 1})


def picture(bright_rows: int = 0) -> NDArray[np.uint8]:
    """So many rows of the first face, from the chin up, are a hand."""
    seen = np.full((240, 320, 3), 60, np.uint8)
    if bright_rows:
        chin = int(FACE.box_px[3])
        seen[chin - bright_rows : chin, 60:140] = 255
    return seen


def patch_over(face: Face, face_index: int) -> Patch:
    """A patch of 128 pixels around a face, all of it face."""
    crop_from_frame, size = geometry.upright_crop(face.box_px, 1.5, 64, 128)
    regions = np.zeros((size, size, 4), np.uint8)
    regions[..., 0] = 255
    return Patch(HostImage(regions[..., :3]), None, None, HostImage(regions), crop_from_frame, face_index)


class Bench:
    """The stages with fakes on every side."""

    def __init__(self, finder: FakeOccluders | None = None) -> None:
        self.finder = finder or FakeOccluders()
        self.palms = FakePalms()
        watch = HandWatch(self.palms, FakeHands(), FakeCompute(), self._at_once)
        self.watch, self.stage = HandStage(lambda: watch), OccludeStage(self.finder)

    @staticmethod
    def _at_once(task: Callable[[], None]) -> bool:
        task()
        return True

    def run(
        self,
        seen: NDArray[np.uint8],
        time_s: float = 0,
        *faces: Face,
        targets: tuple[int, ...] = (0,),
        settings: Settings = SETTINGS,
    ) -> Draft:
        draft = Draft(frame_of(seen, 0, time_s), settings, time_s, faces=faces or (FACE,), targets=targets)
        self.watch.run(draft)
        draft.patches = [patch_over(draft.faces[at], at) for at in targets]
        self.stage.run(draft)
        return draft


def test_what_lies_before_a_face_is_taken_from_its_patch() -> None:
    bench = Bench()
    assert bench.run(picture()).patches[0].coverage is None
    (patch,) = bench.run(picture(30), 0.3).patches
    assert patch.coverage is not None
    assert set(np.unique(patch.coverage.host())) == {0, 255}
    assert patch.given <= 1
    assert patch.given_most == 0.8
    assert bench.finder.hands[-1], "the finder was not told of the hand"


def test_without_strength_nothing_is_looked_for_and_all_is_forgotten() -> None:
    bench = Bench()
    bench.run(picture())
    (patch,) = bench.run(picture(30), 0.1, settings=SETTINGS.with_values({"swap.occlusion": 0})).patches
    assert patch.coverage is None
    assert bench.finder.known == set()
    asked = bench.palms.calls, len(bench.finder.hands)
    bench.run(picture(30), 0.2, settings=SETTINGS.with_values({"swap.occlusion": 0}))
    assert (bench.palms.calls, len(bench.finder.hands)) == asked


def test_half_the_strength_shows_half() -> None:
    bench = Bench()
    bench.run(picture())
    (patch,) = bench.run(picture(30), 0.1, settings=SETTINGS.with_values({"swap.occlusion": 0.5})).patches
    assert patch.coverage is not None
    assert set(np.unique(patch.coverage.host())) == {128, 255}


def test_bystanders_are_not_looked_at_and_who_left_is_forgotten() -> None:
    bench = Bench()
    draft = bench.run(picture(), 0, FACE, BYSTANDER)
    assert bench.finder.known == {1}
    assert draft.faces == (FACE, BYSTANDER)
    bench.run(picture(), 0.1, FACE, BYSTANDER, targets=(1,))
    assert bench.finder.known == {2}
    bench.run(picture(), 0.2, targets=())
    assert bench.finder.known == set()


def test_the_second_of_two_faces_gets_its_own_answer() -> None:
    bench = Bench()
    bench.run(picture(), 0, BYSTANDER, FACE, targets=(1, 0))
    first, second = bench.run(picture(30), 0.1, BYSTANDER, FACE, targets=(1, 0)).patches
    assert (first.face_index, first.coverage is not None) == (1, True)
    assert (second.face_index, second.coverage is not None) == (0, False)


def test_what_is_not_believed_stays_painted_over() -> None:
    bench = Bench(FakeOccluders(likeness=0.9))
    bench.run(picture())
    assert bench.run(picture(30), 0.1).patches[0].coverage is None


def test_a_failure_names_the_face() -> None:
    class Broken(FakeOccluders):
        def find(self, image: Image, face: Face, hands: Sequence[Hand], patch: Patch) -> Occluder | None:
            del image, face, hands, patch
            raise InferenceError("no")

    bench = Bench(Broken())
    draft = Draft(frame_of(picture()), SETTINGS, 0, faces=(BYSTANDER, FACE), targets=(1,))
    pool = BufferPool(8 * 128**2, 4, "patch")
    draft.patches = [FakeSwapper().swap(draft.frame, FACE, 1, FakeSource(), SETTINGS, pool)]
    with pytest.raises(InferenceError):
        bench.stage.run(draft)
    assert draft.at_face == 1
    draft.job().release()
    assert pool.in_use == 0


def spectacles(thick_px: int = 3) -> NDArray[np.uint8]:
    """A picture in which each eye of the first face is in a black square."""
    seen = np.full((240, 320, 3), 60, np.uint8)
    for x, y in FACE.landmarks5_px[:2].astype(int).tolist():
        cv2.rectangle(seen, (x - 10, y - 8), (x + 10, y + 8), (0, 0, 0), thick_px)
    return seen


def wear(stage: GlassesStage, seen: NDArray[np.uint8], strength: float = 1.0, face_scale: float = 1.0) -> Patch:
    """The patch over the first face after the stage."""
    settings = SETTINGS.with_values({"swap.keep_glasses": strength, "look.face_scale": face_scale})
    draft = Draft(frame_of(seen, 0, 0), settings, 0, faces=(FACE,), targets=(0,))
    patch = patch_over(FACE, 0)
    regions = patch.regions.host().copy()
    regions[60:64, 60:64, 1] = 255
    draft.patches = [replace(patch, regions=HostImage(regions))]
    stage.run(draft)
    assert draft.at_face is None
    return draft.patches[0]


def test_frames_of_glasses_are_taken_from_the_patch() -> None:
    stage = GlassesStage(FakeGlasses())
    assert wear(stage, spectacles()).coverage is None
    patch = wear(stage, spectacles())
    assert patch.coverage is not None
    assert set(np.unique(patch.coverage.host())) == {0, 255}
    assert patch.given <= 1
    assert (patch.coverage.host() == 0).mean() < 0.05


def test_half_the_strength_shows_half_of_the_glasses() -> None:
    stage = GlassesStage(FakeGlasses())
    wear(stage, spectacles())
    patch = wear(stage, spectacles(), 0.5)
    assert patch.coverage is not None
    assert set(np.unique(patch.coverage.host())) == {128, 255}


@pytest.mark.parametrize("scale", [0.9, 1.2])
def test_glasses_stay_where_they_are_when_the_face_is_drawn_larger_or_smaller(scale: float) -> None:
    stage, seen = GlassesStage(FakeGlasses()), spectacles()
    wear(stage, seen, face_scale=scale)
    patch = wear(stage, seen, face_scale=scale)
    assert patch.coverage is not None
    taken = np.argwhere(patch.coverage.host() == 0)[:, ::-1].astype(np.float32)
    drawn = blend.drawn_crop_from_frame(patch.crop_from_frame, patch.size_px, scale)
    x, y = np.rint(geometry.transform(geometry.inverse(drawn), taken)).astype(int).T
    assert len(taken) > 50
    assert (seen[y, x] == 0).all()


def test_what_is_wider_than_frames_is_painted_over() -> None:
    stage = GlassesStage(FakeGlasses())
    wear(stage, spectacles())
    assert wear(stage, spectacles(30)).coverage is None


def test_without_strength_glasses_are_painted_over_and_forgotten() -> None:
    finder = FakeGlasses()
    stage = GlassesStage(finder)
    wear(stage, spectacles())
    assert wear(stage, spectacles(), 0).coverage is None
    assert finder.known == set()


def test_behind_dark_lenses_no_eyes_are_kept() -> None:
    finder = FakeGlasses()
    stage = GlassesStage(finder)
    wear(stage, spectacles())
    assert wear(stage, spectacles()).regions.host()[..., 1].max() == 255
    finder.dark = True
    assert wear(stage, spectacles()).regions.host()[..., 1].max() == 0


def test_a_finder_of_glasses_that_fails_says_at_which_face() -> None:
    finder = FakeGlasses()
    finder.error = InferenceError("no glasses today")
    draft = Draft(frame_of(spectacles(), 0, 0), SETTINGS, 0, faces=(BYSTANDER, FACE), targets=(1,))
    draft.patches = [patch_over(FACE, 1)]
    with pytest.raises(InferenceError, match="no glasses today"):
        GlassesStage(finder).run(draft)
    assert draft.at_face == 1
