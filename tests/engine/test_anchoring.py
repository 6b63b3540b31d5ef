"""A mesh that is unsure must show the face, or is moved back onto it, or the picture is not good."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.face import Face
from facefusion_live.domain.hand import Hand
from facefusion_live.domain.image import Image
from facefusion_live.domain.ports import Landmarks
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.anchoring import (
    DOUBTFUL,
    FORGOTTEN_S,
    LATELY_S,
    LESS_DOUBTFUL,
    REMEMBERED_EVERY_S,
    AnchorStage,
)
from facefusion_live.engine.pipeline import Draft
from facefusion_live.engine.tracks import FaceTracks
from tests.engine.rig import frame_of
from tests.fakes.anchors import FakeAnchors
from tests.fakes.hands import open_hand
from tests.fakes.nets import detection
from tests.fakes.pictures import mesh_in

Picture = NDArray[np.uint8]
SETTINGS = Settings().with_values({"track.smoothing": 0, "swap.targets": "all"})
PLACE, NEAR = (40, 30), (52, 30)
EDGE = 60


def score_of(sureness: float) -> float:
    return float(1 / (1 + np.exp(-sureness)))


UNSURE, NEITHER = score_of(DOUBTFUL - 0.1), score_of(DOUBTFUL + 0.1)


def texture(seed: int) -> Picture:
    """A face like no other."""
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), np.uint8)
    return np.repeat(np.repeat(coarse, EDGE // 12, 0), EDGE // 12, 1)


FACE, STRANGER = texture(1), texture(2)


def picture(*faces: tuple[Picture, tuple[int, int]]) -> Picture:
    seen = np.full((140, 240, 3), 128, np.uint8)
    for face, (left, top) in faces:
        seen[top : top + EDGE, left : left + EDGE] = face
    return seen


def mesh_at(left: float, top: float) -> NDArray[np.float32]:
    return mesh_in(np.array([left, top, left + EDGE, top + EDGE], np.float32))


class Bench:
    """The stage, and tracks that see what a test says."""

    def __init__(self, anchors: FakeAnchors | None = None) -> None:
        self.tracks = FaceTracks()
        self.anchors = anchors or FakeAnchors()
        self.stage = AnchorStage(self.anchors, self.tracks)
        self.time_s = 0.0

    def run(
        self,
        seen: Picture,
        mesh_px: NDArray[np.float32] | None = None,
        score: float = 1.0,
        *,
        missed: int = 0,
        step_s: float = 1 / 30,
        hands: Sequence[Hand] = (),
    ) -> Face:
        """A frame in which the net sees one mesh, so sure, and the detector misses it so often."""
        mesh_px = mesh_at(*PLACE) if mesh_px is None else mesh_px
        self.time_s += step_s

        def find(_box_px: NDArray[np.float32], _eyes_px: NDArray[np.float32]) -> Landmarks:
            return Landmarks(mesh_px, score)

        self.tracks.follow(find, self.time_s, SETTINGS)
        box_px = np.concatenate([mesh_px[:, :2].min(0), mesh_px[:, :2].max(0)])
        for _ in range(missed):
            self.tracks.admit([], find, self.time_s, SETTINGS)
        if not missed:
            self.tracks.admit([detection(box_px)], find, self.time_s, SETTINGS)
        there = [track for track in self.tracks.choose(SETTINGS)[0] if track.present]
        faces = tuple(replace(self.tracks.face(track), agreed=not missed) for track in there)
        draft = Draft(frame_of(seen, 0, self.time_s), SETTINGS, self.time_s, faces=faces, targets=(0,), hands=hands)
        self.stage.run(draft)
        assert draft.at_face is None
        return draft.faces[0]


def test_a_sure_face_is_taken_as_it_is_and_remembered_now_and_then() -> None:
    bench = Bench()
    first = bench.run(picture((FACE, PLACE)))
    assert (first.anchored, first.agreed) == (True, True)
    assert (list(bench.anchors.known), bench.anchors.asked) == ([0], 0)
    bench.run(picture((STRANGER, PLACE)))
    assert bench.run(picture((FACE, PLACE)), score=UNSURE).anchored, "remembered again too soon"
    bench.run(picture((STRANGER, PLACE)), step_s=REMEMBERED_EVERY_S)
    assert bench.run(picture((STRANGER, PLACE)), score=UNSURE).anchored


def test_an_unsure_mesh_that_shows_the_face_is_believed_and_another_is_not() -> None:
    bench = Bench()
    bench.run(picture((FACE, PLACE)))
    assert bench.run(picture((FACE, PLACE)), score=UNSURE).anchored
    assert not bench.run(picture((STRANGER, PLACE)), score=UNSURE).anchored


def test_a_mesh_that_is_sure_enough_is_not_asked() -> None:
    bench = Bench()
    bench.run(picture((FACE, PLACE)))
    assert bench.run(picture((STRANGER, PLACE)), score=NEITHER).anchored
    assert bench.anchors.asked == 0


def test_what_is_neither_sure_nor_in_doubt_is_not_remembered() -> None:
    bench = Bench()
    bench.run(picture((FACE, PLACE)))
    bench.run(picture((STRANGER, PLACE)), score=NEITHER, step_s=REMEMBERED_EVERY_S)
    assert bench.run(picture((FACE, PLACE)), score=UNSURE).anchored


def test_a_face_that_is_never_sure_is_measured_by_its_own_best() -> None:
    """One with glasses, or seen from the side."""
    best = 11.0
    bench = Bench()
    bench.run(picture((FACE, PLACE)), score=score_of(best))
    assert bench.anchors.known
    assert bench.run(picture((STRANGER, PLACE)), score=score_of(best - LESS_DOUBTFUL + 0.2)).anchored
    assert not bench.run(picture((STRANGER, PLACE)), score=score_of(best - LESS_DOUBTFUL - 0.2)).anchored


def test_a_mesh_that_slipped_is_moved_back_onto_the_face_and_followed_from_there() -> None:
    bench = Bench()
    bench.run(picture((FACE, PLACE)))
    moved = (PLACE[0] + 5, PLACE[1] - 3)
    seen = bench.run(picture((FACE, moved)), mesh_at(PLACE[0], PLACE[1] + 20), UNSURE)
    assert seen.anchored
    np.testing.assert_allclose(seen.mesh_px, mesh_at(*moved))
    np.testing.assert_allclose(bench.tracks.present[0].mesh_px, mesh_at(*moved))


def test_the_net_is_believed_where_it_shows_as_much_of_the_face() -> None:
    """It sees a mouth open; a mesh of a moment ago does not."""
    bench = Bench()
    bench.run(picture((FACE, PLACE)))
    opened = mesh_at(*PLACE)
    opened[100:120, 2] += 1
    np.testing.assert_allclose(bench.run(picture((FACE, PLACE)), opened, UNSURE).mesh_px, opened)


def test_a_mesh_is_moved_on_from_where_it_was_moved_to() -> None:
    """So a face is followed for as long as the net errs, however far it goes."""
    bench = Bench()
    bench.run(picture((FACE, PLACE)))
    for step in range(1, 6):
        there = (PLACE[0] + 10 * step, PLACE[1])
        seen = bench.run(picture((FACE, there)), mesh_at(there[0], there[1] + 6), UNSURE, step_s=LATELY_S / 2)
        np.testing.assert_allclose(seen.mesh_px, mesh_at(*there), atol=1e-3)


def test_a_mesh_on_its_way_back_is_not_believed_before_it_stands_still() -> None:
    bench = Bench()
    bench.run(picture((FACE, PLACE)))
    assert not bench.run(picture((STRANGER, PLACE)), score=UNSURE).anchored
    on_the_way = mesh_at(PLACE[0], PLACE[1] + 6)
    assert not bench.run(picture((STRANGER, PLACE)), on_the_way).anchored
    assert bench.run(picture((STRANGER, PLACE)), on_the_way).anchored


def test_where_it_lay_long_ago_tells_nothing() -> None:
    bench = Bench()
    bench.run(picture((FACE, PLACE)))
    slipped = mesh_at(PLACE[0], PLACE[1] + 20)
    assert not bench.run(picture((FACE, PLACE)), slipped, UNSURE, step_s=LATELY_S + 0.01).anchored


def test_a_detector_that_misses_a_face_which_is_seen_again_is_overruled() -> None:
    bench = Bench()
    bench.run(picture((FACE, PLACE)))
    seen = bench.run(picture((FACE, PLACE)), score=UNSURE, missed=1)
    assert (seen.agreed, seen.anchored) == (True, True)
    assert not bench.tracks.uncertain
    doubted = bench.run(picture((STRANGER, PLACE)), score=UNSURE, missed=1)
    assert (doubted.agreed, doubted.anchored) == (False, False)


def test_where_the_net_is_sure_the_detector_is_not_overruled() -> None:
    """Somebody else may have come before the face."""
    bench = Bench()
    bench.run(picture((FACE, PLACE)))
    assert not bench.run(picture((FACE, PLACE)), missed=1).agreed


def test_faces_that_touch_are_left_as_they_are() -> None:
    bench = Bench()
    bench.run(picture((FACE, PLACE)))
    face = replace(bench.tracks.face(bench.tracks.present[0]), score=UNSURE)
    beside_px = mesh_at(PLACE[0] + EDGE - 4, PLACE[1])
    other = replace(face, track_id=7, mesh_px=beside_px, box_px=face.box_px + np.float32([EDGE - 4, 0, EDGE - 4, 0]))
    seen = picture((STRANGER, PLACE))
    for faces, anchored in (((face, other), True), ((face,), False)):
        draft = Draft(frame_of(seen), SETTINGS, bench.time_s, faces=faces, targets=(0,))
        bench.stage.run(draft)
        assert draft.faces[0].anchored is anchored


def test_who_comes_back_unsure_must_look_like_who_was_lost() -> None:
    for back, believed in ((FACE, True), (STRANGER, False)):
        bench = Bench()
        bench.run(picture((FACE, PLACE)))
        bench.tracks.follow(lambda box_px, _: Landmarks(mesh_in(box_px), 0), bench.time_s + 1, SETTINGS)
        seen = bench.run(picture((back, NEAR)), mesh_at(*NEAR), UNSURE)
        assert seen.track_id == 1, "a new track"
        assert seen.anchored is believed


def test_what_was_not_sure_for_long_is_believed_as_it_is() -> None:
    bench = Bench()
    bench.run(picture((FACE, PLACE)))
    assert not bench.run(picture((STRANGER, PLACE)), score=UNSURE, step_s=FORGOTTEN_S - 0.1).anchored
    assert bench.run(picture((STRANGER, PLACE)), score=UNSURE, step_s=0.2).anchored
    assert not bench.run(picture((FACE, PLACE)), score=score_of(DOUBTFUL - LESS_DOUBTFUL - 0.2)).anchored, "and learnt"


def test_what_a_hand_hides_is_excused_only_where_the_face_was() -> None:
    hand = open_hand((PLACE[0] + EDGE / 2, PLACE[1] + EDGE / 2), 40)
    hidden = picture((FACE, PLACE))
    low, high = hand.points_px[:, :2].min(0).astype(int), hand.points_px[:, :2].max(0).astype(int)
    hidden[low[1] : high[1] + 1, low[0] : high[0] + 1] = 255
    bench = Bench()
    bench.run(picture((FACE, PLACE)))
    assert bench.run(hidden, score=UNSURE, hands=(hand,)).anchored
    bench = Bench()
    bench.run(picture((FACE, PLACE)))
    assert not bench.run(hidden, score=UNSURE, hands=(hand,), step_s=LATELY_S + 0.01).anchored


def test_bystanders_are_not_asked() -> None:
    bench = Bench()
    bench.run(picture((FACE, PLACE)))
    track = bench.tracks.face(bench.tracks.present[0])
    draft = Draft(frame_of(picture((STRANGER, PLACE))), SETTINGS, 1.0, faces=(replace(track, score=UNSURE),))
    bench.stage.run(draft)
    assert bench.anchors.asked == 0


def test_a_failure_names_the_face() -> None:
    class Broken(FakeAnchors):
        def held(
            self, image: Image, mesh_px: NDArray[np.float32], track_id: int, hands: Sequence[Hand] = ()
        ) -> float | None:
            del image, mesh_px, track_id, hands
            raise InferenceError("no")

    bench = Bench(Broken())
    bench.run(picture((FACE, PLACE)))
    face = replace(bench.tracks.face(bench.tracks.present[0]), score=UNSURE)
    draft = Draft(frame_of(picture((FACE, PLACE))), SETTINGS, bench.time_s, faces=(face, face), targets=(1,))
    with pytest.raises(InferenceError):
        bench.stage.run(draft)
    assert draft.at_face == 1
