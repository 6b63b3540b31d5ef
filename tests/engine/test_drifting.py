"""A mesh that moved without what was under it is doubted until the recogniser knows the face again."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.face import Face
from facefusion_live.domain.image import Image
from facefusion_live.domain.ports import Landmarks
from facefusion_live.domain.recognition import Bounds
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.drifting import DOUBTED_S, DriftStage
from facefusion_live.engine.likeness import ASK_EVERY_S, Likeness
from facefusion_live.engine.pipeline import Draft
from facefusion_live.engine.tracks import FaceTracks
from tests.engine.rig import frame_of
from tests.fakes.compute import FakeCompute
from tests.fakes.contents import FakeContents
from tests.fakes.nets import FakeRecogniser, detection
from tests.fakes.pictures import mesh_in

Picture = NDArray[np.uint8]
Place = tuple[int, int]
SETTINGS = Settings().with_values({"track.smoothing": 0, "swap.targets": "largest"})
BOUNDS = Bounds(0.95, 0.75)
EDGE = 60
HERE, NEXT, FAR = (40, 30), (56, 30), (150, 30)
RED, GREEN, BROWN = (200, 0, 0), (0, 200, 0), (200, 160, 0)
LATER_S = ASK_EVERY_S + 0.01
CLEAR, UNCLEAR = 1.0, 1 - 1e-6


def picture(*faces: tuple[tuple[int, int, int], Place]) -> Picture:
    """A room with faces, each of one colour by which the recogniser tells it; the last lies before the others."""
    seen = np.full((140, 260, 3), 128, np.uint8)
    for colour, (left, top) in faces:
        seen[top : top + EDGE, left : left + EDGE] = colour
    return seen


def mesh_at(place: Place) -> NDArray[np.float32]:
    left, top = place
    return mesh_in(np.array([left, top, left + EDGE, top + EDGE], np.float32))


class Bench:
    """The stage, and tracks that see what a test says."""

    def __init__(self, aside: Callable[[Callable[[], None]], bool] | None = None) -> None:
        self.tracks, self.recogniser, self.contents = FaceTracks(), FakeRecogniser(), FakeContents()
        self.asked = 0

        def counted(task: Callable[[], None]) -> bool:
            self.asked += 1
            if aside is not None:
                return aside(task)
            task()
            return True

        self.likeness = Likeness(self.recogniser, FakeCompute(), counted)
        self.stage = DriftStage(self.contents, self.likeness, BOUNDS, self.tracks)
        self.time_s = 0.0
        self.draft = Draft(frame_of(picture()), SETTINGS, 0.0)

    def run(
        self, seen: Picture, *places: Place, score: float = CLEAR, agreed: bool = True, step_s: float = 1 / 30
    ) -> Face | None:
        """A frame in which the net sees meshes there, the first one where the wearer was; the wearer's face."""
        self.time_s += step_s
        there = [mesh_at(place) for place in places]

        def find(box_px: NDArray[np.float32], _eyes_px: NDArray[np.float32]) -> Landmarks:
            near = [mesh for mesh in there if np.abs(mesh[:, :2].min(0) - box_px[:2]).max() < EDGE]
            if not near:
                return Landmarks(mesh_in(box_px), 0.0)
            nearest = min(near, key=lambda mesh: float(np.abs(mesh[:, :2].min(0) - box_px[:2]).sum()))
            return Landmarks(nearest, score)

        self.tracks.follow(find, self.time_s, SETTINGS)
        boxes = [np.concatenate([mesh[:, :2].min(0), mesh[:, :2].max(0)]) for mesh in there]
        self.tracks.admit([detection(box) for box in boxes], find, self.time_s, SETTINGS)
        targets, others = self.tracks.choose(SETTINGS)
        targets = [track for track in targets if track.present]
        faces = [self.tracks.face(track) for track in [*targets, *(other for other in others if other.present)]]
        self.draft = Draft(
            frame_of(seen, 0, self.time_s),
            SETTINGS,
            self.time_s,
            faces=tuple(replace(face, agreed=agreed) for face in faces),
            targets=tuple(range(len(targets))),
        )
        self.stage.run(self.draft)
        assert self.draft.at_face is None
        return self.draft.faces[0] if targets else None

    @property
    def who(self) -> Sequence[tuple[int, bool]]:
        """Every track and whether it is there, the chosen ones first."""
        return [(track.track_id, track.present) for tracks in self.tracks.choose(SETTINGS) for track in tracks]


def known() -> Bench:
    """The wearer was seen for half a second."""
    bench = Bench()
    for _ in range(15):
        bench.run(picture((RED, HERE)), HERE)
    return bench


def anchored(face: Face | None) -> bool:
    assert face is not None
    return face.anchored


def test_a_face_that_moves_is_believed_and_nobody_is_asked() -> None:
    bench = known()
    assert anchored(bench.run(picture((RED, NEXT)), NEXT))
    assert bench.asked == 0


def test_a_mesh_that_left_its_contents_is_believed_if_it_looks_the_same() -> None:
    """It comes back from a hand."""
    bench = known()
    bench.run(picture((RED, HERE)), HERE)
    assert anchored(bench.run(picture((RED, (HERE[0] - 30, HERE[1])), (RED, NEXT)), NEXT))
    assert bench.asked == 0, "the same colour came along"
    bench.contents.before[0][1][:] = 0
    assert anchored(bench.run(picture((RED, HERE)), HERE))
    assert bench.asked == 1


def test_a_mesh_on_somebody_else_is_theirs_and_the_wearer_has_been_lost_behind_them() -> None:
    bench = known()
    assert not anchored(bench.run(picture((RED, HERE), (GREEN, NEXT)), NEXT))
    assert bench.who == [(0, False), (1, True)]
    lost, other = (track for tracks in bench.tracks.choose(SETTINGS) for track in tracks)
    np.testing.assert_allclose(lost.mesh_px, mesh_at(HERE))
    np.testing.assert_allclose(other.mesh_px, mesh_at(NEXT))
    assert bench.run(picture((RED, HERE), (GREEN, NEXT)), NEXT) is None, "nobody is shown as the wearer"


def test_a_mesh_that_is_unclear_is_off_and_nobody_else() -> None:
    """A hand looks like nobody."""
    bench = known()
    assert not anchored(bench.run(picture((GREEN, NEXT)), NEXT, score=UNCLEAR))
    assert bench.who == [(0, True)]


def test_a_face_that_may_be_either_is_off_and_asked_about_again() -> None:
    bench = known()
    assert not anchored(bench.run(picture((BROWN, NEXT)), NEXT))
    assert not anchored(bench.run(picture((BROWN, NEXT)), NEXT))
    assert bench.asked == 1
    assert not anchored(bench.run(picture((BROWN, NEXT)), NEXT, step_s=LATER_S))
    assert bench.asked == 2
    assert bench.who == [(0, True)]
    assert anchored(bench.run(picture((RED, NEXT)), NEXT, step_s=LATER_S))


def test_a_doubt_ends_at_last() -> None:
    bench = known()
    bench.run(picture((BROWN, NEXT)), NEXT)
    assert not anchored(bench.run(picture((BROWN, NEXT)), NEXT, step_s=DOUBTED_S - 0.1))
    assert anchored(bench.run(picture((BROWN, NEXT)), NEXT, step_s=0.2))


def test_a_doubt_ends_though_the_mesh_never_rests() -> None:
    bench, seen, frames = known(), list[bool](), int(DOUBTED_S * 30)
    for step in range(frames + 2):
        bench.contents.before[0][1][:] = 0
        seen.append(anchored(bench.run(picture((BROWN, HERE), (BROWN, NEXT)), (NEXT, HERE)[step % 2])))
    assert not any(seen[: frames - 1])
    assert any(seen[-3:])


def test_of_whom_nothing_is_known_yet_nothing_is_asked() -> None:
    """A newcomer's mesh settles as it may."""
    bench = Bench()
    bench.run(picture((RED, HERE)), HERE, agreed=False)
    assert anchored(bench.run(picture((GREEN, NEXT)), NEXT))
    assert bench.asked == 0


def test_what_was_seen_of_a_face_while_another_one_touched_it_is_not_remembered() -> None:
    """Its mesh may lie on both."""
    bench = known()
    beside = (HERE[0] + EDGE - 10, HERE[1])
    for _ in range(15):
        bench.run(picture((GREEN, HERE), (RED, beside)), HERE, beside)
    bench.contents.before[0][1][:] = 0
    assert anchored(bench.run(picture((RED, NEXT)), NEXT)), "known by what was seen before"


def test_what_lay_under_a_mesh_when_it_was_a_bystander_is_forgotten() -> None:
    bench = known()
    bench.stage.run(replace(bench.draft, targets=()))
    assert not bench.contents.before


def patient() -> tuple[Bench, list[Callable[[], None]]]:
    """The wearer was seen for half a second; questions wait."""
    waiting: list[Callable[[], None]] = []

    def aside(task: Callable[[], None]) -> bool:
        waiting.append(task)
        return True

    bench = Bench(aside)
    for _ in range(15):
        bench.run(picture((RED, HERE)), HERE)
    return bench, waiting


def test_while_the_answer_is_not_there_the_face_is_off() -> None:
    bench, waiting = patient()
    bench.contents.before[0][1][:] = 0
    assert not anchored(bench.run(picture((RED, NEXT)), NEXT))
    assert not anchored(bench.run(picture((RED, NEXT)), NEXT))
    (task,) = waiting
    task()
    assert anchored(bench.run(picture((RED, NEXT)), NEXT))


def test_who_comes_back_is_not_taken_for_who_had_their_mesh() -> None:
    """The last answer was about the other one."""
    bench, waiting = patient()
    assert not anchored(bench.run(picture((RED, HERE), (GREEN, NEXT)), NEXT))
    waiting.pop()()
    assert not anchored(bench.run(picture((RED, HERE), (GREEN, NEXT)), NEXT))
    assert bench.who == [(0, False), (1, True)]
    for left in (90, 124):
        assert bench.run(picture((RED, HERE), (GREEN, (left, 30))), (left, 30)) is None
    apart = picture((RED, HERE), (GREEN, (124, 30)))
    waiting.clear()
    assert not anchored(bench.run(apart, (124, 30), HERE)), "not asked yet"
    waiting.pop()()
    assert anchored(bench.run(apart, (124, 30), HERE))
    assert bench.who == [(0, True), (1, True)]


def test_what_the_wearer_looked_like_a_moment_before_the_last_look_counts() -> None:
    """A mesh goes over by and by: the last look may show the other one already."""
    bench = known()
    for _ in range(6):
        bench.run(picture((GREEN, HERE)), HERE)
    assert not anchored(bench.run(picture((GREEN, HERE), (RED, NEXT), (BROWN, NEXT)), NEXT))


def test_who_was_lost_is_known_again_in_a_mesh_that_nobody_believed_at_that_time() -> None:
    """One on a passing hand, that ended on the wearer when the hand had gone."""
    bench = known()
    bench.run(picture((RED, HERE), (GREEN, NEXT)), NEXT)
    (mesh,) = bench.tracks.present
    mesh.believed_s, mesh.parted_from = bench.time_s + LATER_S, None
    bench.run(picture((RED, NEXT)), NEXT, step_s=2 * LATER_S)
    assert bench.who == [(0, True)]
    assert anchored(bench.run(picture((RED, NEXT)), NEXT))


def test_who_came_before_the_wearer_is_not_the_wearer_whatever_they_look_like() -> None:
    """A photo of themselves, held up."""
    bench = known()
    bench.run(picture((RED, HERE), (GREEN, NEXT)), NEXT)
    bench.run(picture((RED, NEXT)), NEXT, step_s=2 * LATER_S)
    assert bench.who == [(0, False), (1, True)]


def test_bystanders_are_not_asked_but_remembered() -> None:
    """Where two cross, either may be lost behind the other."""
    bench = known()
    for _ in range(2):
        bench.run(picture((RED, HERE), (GREEN, FAR)), HERE, FAR)
    assert list(bench.contents.before) == [0]
    assert bench.likeness.knows(1)


def test_a_failure_names_the_face() -> None:
    class Broken(FakeContents):
        def carried(self, image: Image, face: Face) -> float:
            del image, face
            raise InferenceError("no")

    bench = known()
    stage = DriftStage(Broken(), Likeness(bench.recogniser, FakeCompute(), lambda _task: True), BOUNDS, bench.tracks)
    with pytest.raises(InferenceError):
        stage.run(bench.draft)
    assert bench.draft.at_face == 0
