from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.domain.consent import identity_of
from facefusion_live.domain.face import Detection
from facefusion_live.domain.life import Pulse
from facefusion_live.domain.mesh import EYE_CORNERS
from facefusion_live.domain.ports import Landmarks
from facefusion_live.domain.recognition import APART_S, LOOKS_AGAINST, SFACE, Enrolled, Roster
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.looking import LOOKS
from facefusion_live.engine.persons import Sight
from facefusion_live.engine.tracks import DISAGREEMENTS, EXPECTED_S, VANISHED_S, FaceTracks
from tests.fakes.nets import detection
from tests.fakes.pictures import mesh_in

Box = NDArray[np.float32]
SETTINGS = Settings().with_values({"track.smoothing": 0, "track.lost_ms": 500})
ALL = SETTINGS.with_values({"swap.targets": "all"})
ENROLLED = SETTINGS.with_values({"swap.targets": "enrolled"})
ALICE, STRANGER = np.float32([1, 0, 0]), np.float32([0, 1, 0])
ROSTER = Roster([Enrolled("alice", SFACE, (identity_of(ALICE),))])


def sight(embedding: NDArray[np.float32], time_s: float = 0.0) -> Sight:
    return Sight(embedding, frontal=True, time_s=time_s)


def box(left: float, top: float = 0, edge: float = 40) -> Box:
    return np.array([left, top, left + edge, top + edge], np.float32)


class World:
    """What there is to see: faces by place. Landmarks snap to the face that overlaps most with where one looks."""

    def __init__(self, *boxes: Box) -> None:
        self.boxes: list[Box] = list(boxes)
        self.score = 1.0
        self.tracks = FaceTracks()
        self.time_s = 0.0
        self.looked: list[Box] = []

    def find(self, box_px: Box, eyes_px: NDArray[np.float32]) -> Landmarks:
        assert eyes_px.shape == (2, 2)
        self.looked.append(box_px)
        near = [seen for seen in self.boxes if (np.abs(seen[:2] - box_px[:2]) < 60).all()]
        if not near:
            return Landmarks(mesh_in(box_px), 0.1)
        return Landmarks(mesh_in(min(near, key=lambda seen: float(np.abs(seen - box_px).sum()))), self.score)

    def frame(self, detected: Sequence[Box] | None = None, settings: Settings = SETTINGS, score: float = 0.9) -> None:
        """One frame; the detector runs if told what it finds."""
        self.time_s += 1 / 30
        self.tracks.follow(self.find, self.time_s, settings)
        if detected is not None:
            found = [detection(place, score) for place in detected]
            self.tracks.admit(found, self.find, self.time_s, settings)

    def begin(self, settings: Settings = SETTINGS) -> None:
        self.frame(self.boxes, settings)

    @property
    def ids(self) -> list[int]:
        return [track.track_id for track in self.tracks.present]


def test_nobody_is_uncertain_and_somebody_is_not() -> None:
    world = World(box(10))
    assert world.tracks.uncertain
    world.begin()
    assert not world.tracks.uncertain
    assert world.ids == [0]


def test_a_face_keeps_its_number_while_it_moves() -> None:
    world = World(box(10))
    world.begin()
    for step in range(20):
        world.boxes = [box(10 + 5 * step)]
        world.frame()
    (track,) = world.tracks.present
    assert track.track_id == 0
    np.testing.assert_allclose(track.box_px, box(105), atol=1e-3)


def test_a_face_as_a_value() -> None:
    world = World(box(10))
    world.begin()
    face = world.tracks.face(world.tracks.present[0])
    np.testing.assert_allclose(face.box_px, box(10), atol=1e-3)
    assert face.landmarks5_px.shape == (5, 2)
    assert face.mesh_px.shape == (478, 3)
    assert (face.score, face.track_id, face.agreed, face.person, face.looks) == (1.0, 0, True, None, ())


def test_a_weak_detection_confirms_and_does_not_begin() -> None:
    world = World(box(10))
    world.frame([box(10)], score=0.3)
    assert world.ids == []
    world.begin()
    world.frame([box(10)], score=0.3)
    assert not world.tracks.uncertain


def test_no_more_faces_than_asked_for() -> None:
    world = World(box(0), box(100), box(200))
    world.begin(SETTINGS.with_values({"detect.max_faces": 2}))
    assert world.ids == [0, 1]


def test_a_detection_without_a_face_begins_nothing() -> None:
    world = World()
    world.frame([box(10)])
    assert world.ids == []
    assert world.tracks.uncertain


def test_a_face_that_vanishes_is_missed_then_forgotten() -> None:
    world = World(box(10))
    world.begin()
    world.boxes = []
    world.frame()
    assert world.ids == []
    assert world.tracks.uncertain
    assert [track.present for track in world.tracks.choose(SETTINGS)[0]] == [False]
    for _ in range(16):
        world.frame()
    assert world.tracks.choose(SETTINGS) == ([], [])


def test_a_face_that_comes_back_is_the_same() -> None:
    world = World(box(10))
    world.begin()
    place, world.boxes = world.boxes, []
    world.frame()
    world.boxes = place
    world.frame(place)
    assert world.ids == [0]
    assert not world.tracks.uncertain


def test_a_track_that_no_detection_agrees_with_is_doubted_then_given_up() -> None:
    world = World(box(10))
    world.begin()
    world.frame([])
    assert world.tracks.uncertain
    assert not world.tracks.face(world.tracks.present[0]).agreed
    for _ in range(DISAGREEMENTS - 2):
        world.frame([])
    assert world.ids == [0]
    world.frame([])
    assert world.ids == []


def test_an_unclear_mesh_that_lies_otherwise_than_the_detectors_eyes_is_doubted() -> None:
    world = World(box(10))
    world.score = 0.999
    world.begin()
    world.frame(world.boxes)
    on_its_side = detection(box(10), 0.9)
    on_its_side = replace(on_its_side, eyes_px=on_its_side.eyes_px[:, ::-1] - [[0, 0], [0, 20]])
    world.tracks.admit([on_its_side], world.find, world.time_s, SETTINGS)
    (track,) = world.tracks.present
    assert track.disagreements == 1
    world.tracks.admit([on_its_side], world.find, world.time_s, SETTINGS)
    assert track.disagreements == 2, "it is given up in the end"
    world.frame(world.boxes)
    assert track.disagreements == 0


class Turned:
    """One face that lies on its side. The less the crop is turned as the face is, the surer the landmarks are.

    As the net does, it draws a whole mesh the wrong way up, too, and there it lies as the crop does.
    """

    def __init__(self, eyes_degrees: float, clear: float = 1.0) -> None:
        self.place = box(10)
        self.eyes_degrees, self.clear, self.looks = eyes_degrees, clear, 0

    def find(self, _: Box, eyes_px: NDArray[np.float32]) -> Landmarks:
        self.looks += 1
        along = eyes_px[1] - eyes_px[0]
        looked = np.degrees(np.arctan2(along[1], along[0]))
        off = abs((looked - self.eyes_degrees + 180) % 360 - 180)
        drawn = self.eyes_degrees if off < 80 else looked
        return Landmarks(turned_mesh(self.place, drawn), self.clear if off < 80 else 0.9999)


def turned_mesh(place: Box, degrees: float) -> NDArray[np.float32]:
    """A mesh in the box whose eyes lie along that direction."""
    mesh = mesh_in(place)
    middle = (place[:2] + place[2:]) / 2
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    mesh[:, :2] = (mesh[:, :2] - middle) @ np.array([[cos, sin], [-sin, cos]], np.float32) + middle
    return mesh


def eyes_degrees(mesh: NDArray[np.float32]) -> float:
    left, right = mesh[list(EYE_CORNERS), :2]
    return float(np.degrees(np.arctan2(*(right - left)[::-1])))


@pytest.mark.parametrize("face", [0, 90, 180, -90, 140])
@pytest.mark.parametrize("seen", [0, 50, 90, 180, -90])
def test_a_face_is_taken_up_the_right_way_up_whatever_the_detector_says(face: float, seen: float) -> None:
    world, tracks = Turned(face), FaceTracks()
    cos, sin = np.cos(np.radians(seen)), np.sin(np.radians(seen))
    found = replace(detection(world.place), eyes_px=np.array([[20, 25], [20 + 20 * cos, 25 + 20 * sin]], np.float32))
    tracks.admit([found], world.find, 0.0, SETTINGS)
    (track,) = tracks.present
    assert (eyes_degrees(track.mesh_px) - face + 180) % 360 == pytest.approx(180, abs=1)
    assert track.score == 1
    assert not track.disagreements


def test_a_track_that_came_to_lie_upside_down_is_turned_at_the_next_detection_and_doubted_for_once() -> None:
    world, tracks = Turned(180), FaceTracks()
    tracks.admit([detection(world.place)], world.find, 0.0, SETTINGS)
    (track,) = tracks.present
    track.mesh_px = turned_mesh(world.place, 0)
    tracks.follow(world.find, 0.1, SETTINGS)
    assert eyes_degrees(track.mesh_px) == pytest.approx(0, abs=1), "it confirms itself"
    tracks.admit([detection(world.place)], world.find, 0.1, SETTINGS)
    assert abs(eyes_degrees(track.mesh_px)) == pytest.approx(180, abs=1)
    assert track.disagreements == 1
    tracks.follow(world.find, 0.2, SETTINGS)
    tracks.admit([detection(world.place)], world.find, 0.2, SETTINGS)
    assert not track.disagreements


def test_a_face_that_is_unclear_from_every_side_stays_as_it_is() -> None:
    world, tracks = Turned(0, clear=0.99995), FaceTracks()
    for time_s in (0.0, 0.1):
        tracks.follow(world.find, time_s, SETTINGS)
        tracks.admit([detection(world.place)], world.find, time_s, SETTINGS)
    (track,) = tracks.present
    assert eyes_degrees(track.mesh_px) == pytest.approx(0, abs=1)
    assert not track.disagreements


def looked_at(turned: Sequence[Detection], upright_score: float = 0.9) -> int:
    """Disagreements of an unclear, upright track whose next detection comes with these from the turned picture."""
    world, tracks = Turned(0, clear=0.99995), FaceTracks()
    tracks.admit([detection(world.place)], world.find, 0.0, SETTINGS)
    tracks.follow(world.find, 0.1, SETTINGS)
    tracks.admit([detection(world.place, upright_score)], world.find, 0.1, SETTINGS, turned)
    (track,) = tracks.present
    return track.disagreements


def on_its_side(score: float, left: float = 10) -> Detection:
    found = detection(box(left), score)
    return replace(found, eyes_px=found.eyes_px[:, ::-1] - found.eyes_px[:, ::-1].mean(0) + found.eyes_px.mean(0))


def test_an_unclear_face_is_doubted_while_the_turned_picture_shows_it_better() -> None:
    assert looked_at([]) == 0
    assert looked_at([on_its_side(0.8)], upright_score=0.9) == 0
    assert looked_at([on_its_side(0.95)], upright_score=0.92) == 0, "as good as equal"
    assert looked_at([on_its_side(0.8)], upright_score=0.7) == 2
    assert looked_at([on_its_side(0.9, left=200)], upright_score=0.7) == 0, "that is somebody else"
    assert looked_at([detection(box(10), 0.9)], upright_score=0.7) == 0, "it lies the same way"


def test_what_the_turned_picture_shows_clearly_is_how_the_face_lies() -> None:
    """The first looks were beside the face; the detector knows better where it is once the picture is turned."""
    tracks, place = FaceTracks(), box(10)

    def find(box_px: Box, eyes_px: NDArray[np.float32]) -> Landmarks:
        along = eyes_px[1] - eyes_px[0]
        on_side = abs(along[1]) > abs(along[0]) and box_px[0] == place[0]
        return Landmarks(turned_mesh(place, 90 if on_side else 0), 1.0 if on_side and asked else 0.9999)

    asked = False
    tracks.admit([detection(place)], find, 0.0, SETTINGS)
    assert tracks.unclear
    asked = True
    tracks.admit([detection(place)], find, 0.0, SETTINGS, [on_its_side(0.4)])
    (track,) = tracks.present
    assert abs(eyes_degrees(track.mesh_px)) == pytest.approx(90, abs=1)
    assert track.disagreements == 2, "doubted once more"
    assert not tracks.unclear


def test_an_unclear_face_is_believed_at_the_second_look() -> None:
    world, tracks = Turned(0, clear=0.99995), FaceTracks()
    tracks.admit([detection(world.place)], world.find, 0.0, SETTINGS)
    (track,) = tracks.present
    assert track.disagreements == 1
    assert tracks.uncertain, "the detector is asked at once"


def test_landmarks_without_numbers_are_not_followed_anywhere() -> None:
    def find(box_px: Box, eyes_px: NDArray[np.float32]) -> Landmarks:
        assert np.isfinite(box_px).all()
        assert np.isfinite(eyes_px).all()
        return Landmarks(np.full((478, 3), np.inf, np.float32), 0.9)

    tracks = FaceTracks()
    tracks.admit([detection(box(10))], find, 0.0, SETTINGS)
    assert not tracks.present


def test_a_clear_face_is_looked_at_once() -> None:
    world, tracks = Turned(0), FaceTracks()
    tracks.admit([detection(world.place)], world.find, 0.0, SETTINGS)
    world.looks = 0
    tracks.follow(world.find, 0.1, SETTINGS)
    assert world.looks == 1


def test_one_agreement_ends_the_doubt() -> None:
    world = World(box(10))
    world.begin()
    world.frame([])
    world.frame([box(10)])
    assert world.tracks.face(world.tracks.present[0]).agreed


def test_a_jump_is_doubted_at_once_and_the_detector_settles_it() -> None:
    world = World(box(0))
    world.begin()
    world.boxes = [box(30, 20)]
    world.frame()
    assert world.tracks.uncertain
    assert not world.tracks.face(world.tracks.present[0]).agreed
    world.tracks.admit([detection(box(30, 20))], world.find, world.time_s, SETTINGS)
    assert world.tracks.face(world.tracks.present[0]).agreed


@pytest.mark.parametrize(
    "mesh",
    [
        np.full((478, 3), np.nan, np.float32),
        np.full((478, 3), np.inf, np.float32),
        np.zeros((478, 3), np.float32),
        mesh_in(np.array([5, 5, 45, 6], np.float32)),
    ],
    ids=["nan", "infinite", "a point", "a line"],
)
def test_landmarks_that_are_no_face_do_not_spoil_the_track(mesh: NDArray[np.float32]) -> None:
    world = World(box(10))
    world.begin()
    world.tracks.follow(lambda *_: Landmarks(mesh, 1.0), 0.1, SETTINGS)
    assert world.ids == []
    assert np.isfinite(world.tracks.choose(SETTINGS)[0][0].box_px).all()
    world.tracks.admit([detection(box(10))], world.find, 0.1, SETTINGS)
    assert world.ids == [0]
    other = FaceTracks()
    other.admit([detection(box(10))], lambda *_: Landmarks(mesh, 1.0), 0.1, SETTINGS)
    assert other.present == []


def test_a_score_that_is_not_a_number_is_no_face() -> None:
    world = World(box(10))
    world.score = float("nan")
    world.begin()
    assert world.ids == []


def test_a_second_detection_of_one_face_begins_nothing() -> None:
    world = World(box(10))
    world.frame([box(10), box(45)])
    assert world.ids == [0]
    assert not world.tracks.uncertain


def test_of_two_tracks_on_one_face_the_younger_is_lost_not_forgotten() -> None:
    world = World(box(0), box(50))
    world.begin(ALL)
    world.boxes = [box(20)]
    world.frame(settings=ALL)
    assert world.ids == [0]
    assert [(track.track_id, track.present) for track in world.tracks.choose(ALL)[0]] == [(0, True), (1, False)]
    assert world.tracks.uncertain
    world.boxes = [box(20), box(40)]
    world.frame([box(20), box(40)], ALL)
    assert world.ids == [0, 1]


def test_two_faces_that_a_brought_back_track_mixes_up_are_told_apart() -> None:
    world = World(box(0), box(60))
    world.begin(ALL)
    world.boxes = [box(0)]
    world.frame([box(0)], ALL)
    world.tracks.choose(ALL)[0][1].present = False
    world.frame([box(0), box(45)], ALL)
    assert world.ids == [0]


def test_faces_are_looked_for_in_a_square_around_the_last_mesh() -> None:
    world = World(np.array([10, 10, 40, 70], np.float32))
    world.begin()
    world.looked.clear()
    world.frame()
    np.testing.assert_allclose(world.looked[0], [-5, 10, 55, 70], atol=1e-3)


def test_the_largest_is_chosen_and_stays_chosen() -> None:
    world = World(box(0, edge=40), box(100, edge=44))
    world.begin()
    wanted, others = world.tracks.choose(SETTINGS)
    assert [track.track_id for track in wanted] == [1]
    assert [track.track_id for track in others] == [0]
    world.boxes = [box(0, edge=48), box(100, edge=44)]
    world.frame()
    assert [track.track_id for track in world.tracks.choose(SETTINGS)[0]] == [1]


def test_a_much_larger_one_takes_over() -> None:
    world = World(box(0, edge=30), box(100, edge=32))
    world.begin()
    world.tracks.choose(SETTINGS)
    world.boxes = [box(0, edge=42), box(100, edge=32)]
    world.frame()
    assert [track.track_id for track in world.tracks.choose(SETTINGS)[0]] == [0]


def test_the_chosen_one_is_expected_back_before_another_is_chosen() -> None:
    world = World(box(0, edge=40), box(100, edge=38))
    world.begin()
    world.tracks.choose(SETTINGS)
    world.boxes = [box(100, edge=38)]
    world.frame()
    assert [track.track_id for track in world.tracks.choose(SETTINGS)[0]] == [0]
    for _ in range(16):
        world.frame()
    assert [track.track_id for track in world.tracks.choose(SETTINGS)[0]] == [1]


def test_all_means_all() -> None:
    world = World(box(0), box(100))
    world.begin()
    wanted, others = world.tracks.choose(ALL)
    assert [track.track_id for track in wanted] == [0, 1]
    assert others == []


def test_identities_arrive_later_or_never() -> None:
    world = World(box(10))
    world.begin()
    world.tracks.choose(SETTINGS)
    world.tracks.identify(0, sight(ALICE))
    world.tracks.identify(99, sight(ALICE))
    assert world.tracks.face(world.tracks.present[0]).looks == (ALICE,)


def test_only_who_is_enrolled_is_replaced_and_whoever_is_not_known_is_veiled() -> None:
    world = World(box(0), box(100))
    world.tracks = FaceTracks(lambda: ROSTER)
    world.begin()
    assert [track.track_id for track in world.tracks.choose(ENROLLED)[0]] == []
    assert all(map(world.tracks.is_veiled, world.tracks.present))
    assert not world.tracks.is_known(0)
    world.tracks.identify(1, sight(ALICE))
    for index in range(LOOKS_AGAINST):
        world.tracks.identify(0, sight(STRANGER, 2 * index * APART_S))
    wanted, others = world.tracks.choose(ENROLLED)
    assert ([track.track_id for track in wanted], [track.track_id for track in others]) == ([1], [0])
    assert not any(map(world.tracks.is_veiled, world.tracks.present))
    assert world.tracks.face(wanted[0]).person == "alice"
    assert world.tracks.is_known(0)
    assert world.tracks.is_known(1)


def test_strangers_who_touch_somebody_are_in_doubt_again() -> None:
    world = World(box(0), box(100))
    world.tracks = FaceTracks(lambda: ROSTER)
    world.begin()
    world.tracks.choose(ENROLLED)
    world.tracks.identify(1, sight(ALICE))
    for index in range(LOOKS_AGAINST):
        world.tracks.identify(0, sight(STRANGER, 2 * index * APART_S))
    world.tracks.choose(ENROLLED)
    world.boxes = [box(60), box(90)]
    world.tracks.follow(lambda place, _: Landmarks(mesh_in(place), 1.0), 1.0, ENROLLED)
    for track, place in zip(world.tracks.present, world.boxes, strict=True):
        track.mesh_px = mesh_in(place)
    wanted, (stranger,) = world.tracks.choose(ENROLLED)
    assert [track.track_id for track in wanted] == [1]
    assert world.tracks.is_veiled(stranger)
    world.tracks.identify(1, sight(STRANGER, 9.0))
    assert world.tracks.choose(ENROLLED)[0] == []


def test_where_nobody_is_enrolled_everybody_is_known_well_enough() -> None:
    world = World(box(0))
    world.begin()
    assert world.tracks.is_known(0)


def test_a_picture_gives_the_swap_to_somebody_smaller_who_lives() -> None:
    world = World(box(0, edge=80), box(140, edge=20))
    patient = SETTINGS.with_values({"track.proof_s": 2.0})
    world.begin(patient)
    small = world.tracks.present[1]
    chosen: list[int] = []
    for _ in range(80):
        world.frame(settings=patient)
        chosen.append(world.tracks.choose(patient)[0][0].track_id)
        small.pulse = Pulse(living=True)
    assert chosen.index(1) in range(57, 63)
    assert set(chosen[chosen.index(1) :]) == {1}
    assert world.tracks.is_veiled(world.tracks.present[0])


class Drifting(World):
    """Landmarks that move away from where one looks by a share of the face, less and less or always the same."""

    def __init__(self, share: float, settles: float) -> None:
        super().__init__(box(100))
        self.share, self.settles = share, settles

    def find(self, box_px: Box, eyes_px: NDArray[np.float32]) -> Landmarks:
        super().find(box_px, eyes_px)
        shift = self.share * 40 * self.settles ** (len(self.looked) - 1)
        return Landmarks(mesh_in(box_px + np.float32(shift)), 1.0)


def test_a_new_face_is_looked_at_until_two_looks_agree() -> None:
    world = World(box(100))
    world.begin()
    assert len(world.looked) == 2
    drifting = Drifting(0.2, settles=0.5)
    drifting.begin()
    assert 2 < len(drifting.looked) < LOOKS
    assert drifting.tracks.face(drifting.tracks.present[0]).agreed


def test_a_mesh_that_never_settles_is_doubted_until_it_is_confirmed() -> None:
    world = Drifting(0.1, settles=1)
    world.begin()
    assert len(world.looked) == LOOKS
    (track,) = world.tracks.present
    assert track.disagreements
    assert world.tracks.uncertain
    world.share = 0
    world.frame([track.box_px])
    assert not track.disagreements


def test_a_face_that_comes_back_is_looked_at_as_a_new_one_is() -> None:
    world = Drifting(0.05, settles=0)
    world.begin()
    world.tracks.present[0].present = False
    world.looked.clear()
    world.settles = 1
    world.frame([box(100)])
    assert len(world.looked) == LOOKS
    assert not world.tracks.face(world.tracks.present[0]).agreed


def test_a_second_look_that_sees_no_face_begins_nothing() -> None:
    world = World(box(100))
    answers = [Landmarks(mesh_in(box(100)), 1.0), Landmarks(np.full((478, 3), np.nan, np.float32), 1.0)]
    world.tracks.admit([detection(box(100))], lambda *_: answers.pop(0), 0.0, SETTINGS)
    assert world.ids == []
    assert len(world.tracks.unfollowed_px) == 1


def cut(place: Box, score: float = 0.9) -> Detection:
    return replace(detection(place, score), within=0.4)


def test_half_a_face_at_the_edge_is_hidden_and_not_followed() -> None:
    world = World(box(100))
    world.tracks.admit([cut(box(100)), detection(box(200))], world.find, 0.0, SETTINGS)
    assert world.ids == []
    assert [place.tolist() for place in world.tracks.unfollowed_px] == [box(200).tolist(), box(100).tolist()]


def test_what_is_hidden_stays_so_while_it_is_seen_dimly_and_a_moment_longer() -> None:
    tracks = FaceTracks()
    nobody = World().find
    tracks.admit([cut(box(100))], nobody, 0.0, SETTINGS)
    tracks.admit([cut(box(104), 0.25)], nobody, 0.4, SETTINGS)
    assert [place.tolist() for place in tracks.unfollowed_px] == [box(104).tolist()]
    tracks.admit([], nobody, 0.8, SETTINGS)
    assert len(tracks.unfollowed_px) == 1
    tracks.admit([], nobody, 0.95, SETTINGS)
    assert tracks.unfollowed_px == []


def test_what_is_hidden_moves_on_and_ends_when_it_is_followed() -> None:
    world = World(box(100))
    world.tracks.admit([cut(box(96))], world.find, 0.0, SETTINGS)
    world.tracks.admit([cut(box(100))], world.find, 0.1, SETTINGS)
    assert [place.tolist() for place in world.tracks.unfollowed_px] == [box(100).tolist()]
    world.tracks.admit([detection(box(100))], world.find, 0.2, SETTINGS)
    assert world.ids == [0]
    assert world.tracks.unfollowed_px == []


def test_a_followed_face_that_moved_far_is_looked_at_again_where_it_is_now() -> None:
    world = World(box(100))
    world.begin()
    world.looked.clear()
    world.frame()
    assert len(world.looked) == 1
    world.boxes = [box(110)]
    world.frame()
    assert len(world.looked) == 3
    np.testing.assert_allclose(world.looked[-1], box(110), atol=1e-3)
    assert world.tracks.face(world.tracks.present[0]).agreed


def test_a_followed_face_that_never_settles_is_doubted() -> None:
    world = Drifting(0, settles=1)
    world.begin()
    world.share = 0.1
    world.frame()
    assert not world.tracks.face(world.tracks.present[0]).agreed


@pytest.mark.parametrize(
    ("place", "after_s", "seen"),
    [(box(85), 1, True), (box(160), 1, True), (box(200), 1, False), (box(85), EXPECTED_S + 1, False)],
)
def test_who_was_lost_is_expected_back_though_the_detector_is_not_sure(
    place: Box, after_s: float, *, seen: bool
) -> None:
    """They come out from behind somebody else, and are half a face at first: else they would go bare."""
    world = World(box(10), box(85))
    world.begin(ALL)
    world.boxes = [box(10)]
    for _ in range(20):
        world.frame([box(10)], ALL)
    assert len(world.ids) == 1
    world.time_s += after_s
    world.boxes = [box(10), place]
    world.frame([box(10)], ALL)
    world.tracks.admit([detection(box(10)), detection(place, 0.25)], world.find, world.time_s, ALL)
    assert (len(world.ids) == 2) is seen


def test_who_vanished_behind_another_is_missed_for_longer() -> None:
    world = World(box(10), box(40), box(200))
    world.begin(ALL)
    world.boxes = [box(10)]
    missed = []
    for _ in range(50):
        world.frame([box(10)], ALL)
        missed.append(len(world.tracks.choose(ALL)[0]) - 1)
    assert missed[:15] == [2] * 15
    assert missed[16:44] == [1] * 28
    assert missed[46:] == [0] * 4


def test_who_comes_out_from_behind_another_is_the_one_who_vanished_there() -> None:
    world = World(box(10), box(40))
    world.begin(ALL)
    world.boxes = [box(10)]
    for _ in range(20):
        world.frame([box(10)], ALL)
    assert world.ids == [0]
    world.boxes = [box(10), box(75)]
    world.frame([box(10), box(75)], ALL)
    assert world.ids == [0, 1]
    assert len(world.tracks.choose(ALL)[0]) == 2, "nobody is missed any more"


def test_what_was_never_believed_is_not_missed_for_long() -> None:
    """A mesh on a passing hand, lost over the wearer's face: what hides it would blur the wearer's eyes."""
    world = World(box(10))
    world.begin(ALL)
    world.boxes, world.score = [box(10), box(40)], 0.9
    world.frame([box(10), box(40)], ALL)
    assert world.ids == [0, 1]
    world.boxes, world.score = [box(10)], 1.0
    for _ in range(17):
        world.frame([box(10)], ALL)
    assert len(world.tracks.choose(ALL)[0]) == 1


def test_a_detection_goes_to_whoever_lies_nearest() -> None:
    """Not to the older track: somebody who passes before it would get its number."""
    world = World(box(0), box(60))
    world.begin(ALL)
    world.boxes = [box(25), box(40)]
    world.frame([box(40)], ALL)
    assert [(track.track_id, track.disagreements > 0) for track in world.tracks.present] == [(0, True), (1, False)]


def test_of_two_tracks_on_one_face_the_doubted_one_is_lost_where_it_was() -> None:
    world = World(box(0), box(60))
    world.begin(ALL)
    world.boxes = [box(25), box(40)]
    world.frame([box(40)], ALL)
    world.boxes = [box(40)]
    world.frame(settings=ALL)
    assert world.ids == [1]
    (lost,) = (track for track in world.tracks.choose(ALL)[0] if not track.present)
    np.testing.assert_allclose(lost.box_px, box(25), atol=1e-3)


def test_a_mesh_that_went_over_to_somebody_is_theirs_from_then_on() -> None:
    world = World(box(0))
    world.begin()
    world.frame()
    before_px = world.tracks.present[0].mesh_px
    world.boxes = [box(20)]
    world.frame()
    world.tracks.part(0, before_px, world.time_s)
    assert world.ids == [1]
    (lost,), (other,) = world.tracks.choose(SETTINGS)
    np.testing.assert_allclose(lost.box_px, box(0), atol=1e-3)
    np.testing.assert_allclose(other.box_px, box(20), atol=1e-3)
    assert (lost.track_id, lost.present, lost.behind) == (0, False, True)
    assert world.tracks.lost_at(1) is None, "it is behind this one that they were lost"


def test_who_was_lost_may_be_who_was_believed_only_since() -> None:
    """Two crossed, and each has the other's track."""
    world = World(box(0), box(60))
    world.begin(ALL)
    world.frame(settings=ALL)
    before_px = world.tracks.present[1].mesh_px
    world.boxes = [box(25), box(40)]
    world.frame([box(40)], ALL)
    world.boxes = [box(40)]
    world.frame(settings=ALL)
    assert world.ids == [1]
    world.tracks.part(1, before_px, world.time_s)
    assert world.ids == [2]
    assert world.tracks.lost_at(2) == 0


def test_who_is_found_again_keeps_their_number() -> None:
    world = World(box(0))
    world.begin()
    world.frame()
    world.tracks.part(0, world.tracks.present[0].mesh_px, world.time_s)
    world.tracks.rejoin(0, 1)
    assert world.ids == [0]
    assert world.tracks.lost_at(0) is None
    world.boxes = [box(8)]
    world.frame([box(8)])
    np.testing.assert_allclose(world.tracks.present[0].box_px, box(8), atol=1e-3)


def test_nobody_was_lost_where_nobody_hid() -> None:
    world = World(box(0), box(200))
    world.begin(ALL)
    world.frame(settings=ALL)
    world.boxes = [box(200)]
    world.frame(settings=ALL)
    assert world.tracks.lost_at(1) is None, "0 went away without anybody coming before them"


def test_who_comes_back_as_somebody_else_than_was_detected_does_not() -> None:
    """The looks end on the face that came before theirs."""
    world = Drifting(0.3, settles=1)
    world.settles = 0
    world.begin()
    world.tracks.present[0].present = False
    world.settles = 1
    world.frame([box(100)])
    assert world.ids == []


def test_a_mesh_that_was_never_believed_takes_the_swap_from_nobody() -> None:
    """A hand before a face may look like a larger one."""
    world = World(box(0))
    world.begin()
    world.frame()
    world.tracks.choose(SETTINGS)
    world.boxes = [box(0), box(100, edge=90)]
    world.score = 1 - 1e-6
    world.frame([box(0), box(100, edge=90)])
    (wearer,), (hand,) = world.tracks.choose(SETTINGS)
    assert (wearer.track_id, world.tracks.is_veiled(hand)) == (0, True)
    world.score = 1.0
    world.frame([box(0), box(100, edge=90)])
    world.frame([box(0), box(100, edge=90)])
    assert [track.track_id for track in world.tracks.choose(SETTINGS)[0]] == [1], "believed, and much larger"


def test_a_mesh_in_doubt_does_not_lose_the_swap_for_being_small() -> None:
    world = World(box(0, edge=80), box(200, edge=80))
    world.begin()
    world.frame()
    assert [track.track_id for track in world.tracks.choose(SETTINGS)[0]] == [0]
    world.boxes = [box(20, 20, edge=40), box(200, edge=80)]
    world.frame([box(200, edge=80)])
    assert [track.track_id for track in world.tracks.choose(SETTINGS)[0]] == [0]


@pytest.mark.parametrize(("left", "score", "ghost"), [(30, 1 - 1e-6, True), (30, 1.0, False), (120, 1 - 1e-6, False)])
def test_only_a_mesh_on_another_face_that_was_never_believed_is_a_ghost(
    left: float, score: float, *, ghost: bool
) -> None:
    world = World(box(0, edge=60))
    world.begin(ALL)
    world.boxes, world.score = [box(0, edge=60), box(left, edge=60)], score
    world.frame(world.boxes, ALL)
    world.frame(settings=ALL)
    (other,) = (track for track in world.tracks.present if track.track_id == 1)
    assert not world.tracks.is_ghost(other), "it is here"
    other.present = False
    assert world.tracks.is_ghost(other) is ghost


def test_what_was_detected_and_could_not_be_brought_back_is_hidden() -> None:
    world = Drifting(0.3, settles=0)
    world.begin()
    world.tracks.present[0].present = False
    world.settles = 1
    world.frame([box(100)])
    np.testing.assert_allclose(world.tracks.unfollowed_px, [box(100)], atol=1e-3)


WEARER, OTHER = box(100, 100, 60), box(400, 100, 40)


def without_the_wearer(*others: Box, frames: int = 30, gone: Box = WEARER) -> World:
    """Two people, of whom one is seen no more from some frame on; the other is."""
    world = World(WEARER, OTHER)
    for _ in range(4):
        world.frame(world.boxes)
        world.tracks.choose(SETTINGS)
    world.boxes = [each for each in world.boxes if each is not gone]
    for _ in range(frames):
        world.frame(world.boxes)
        world.tracks.choose(SETTINGS)
    world.boxes += others
    for _ in range(4):
        world.frame(world.boxes)
        world.tracks.choose(SETTINGS)
    return world


def test_whoever_was_replaced_and_vanished_is_hidden_where_they_were() -> None:
    world = without_the_wearer()
    assert [track.track_id for track in world.tracks.present] == [1]
    (place,) = world.tracks.vanished_px
    np.testing.assert_allclose(place, WEARER, atol=1e-3)


def test_a_bystander_who_vanished_is_not_looked_after() -> None:
    assert without_the_wearer(gone=OTHER).tracks.vanished_px == []


def test_a_face_as_large_that_comes_up_near_is_theirs() -> None:
    assert without_the_wearer(box(130, 110, 50)).tracks.vanished_px == []


@pytest.mark.parametrize("edge", [30.0, 120.0])
def test_who_comes_back_nearer_or_further_away_is_believed_once_they_stay(edge: float) -> None:
    world = without_the_wearer(box(110, 110, edge))
    assert len(world.tracks.vanished_px) == 1
    for _ in range(32):
        world.frame(world.boxes)
        world.tracks.choose(SETTINGS)
    assert world.tracks.vanished_px == []


def test_a_small_thing_taken_for_a_face_there_is_not() -> None:
    assert len(without_the_wearer(box(120, 120, 14)).tracks.vanished_px) == 1


def test_nor_is_somebody_who_was_in_the_picture_before() -> None:
    world = without_the_wearer()
    for step in range(40):
        world.boxes = [box(400 - 8 * step, 100, 40)]
        world.frame(world.boxes)
        world.tracks.choose(SETTINGS)
    assert len(world.tracks.vanished_px) == 1


def test_who_vanishes_at_a_place_again_and_again_is_hidden_there_once() -> None:
    world = World(WEARER, OTHER)
    for seen in (4, 30, 1, 30, 1, 30):  # in so many frames they are there, in so many they are not
        world.boxes = [OTHER] if seen == 30 else [WEARER, OTHER]
        for _ in range(seen):
            world.frame(world.boxes, settings=ALL)
            world.tracks.choose(ALL)
    assert len(world.tracks.vanished_px) <= 1


def test_nobody_is_hidden_for_ever() -> None:
    world = without_the_wearer()
    world.time_s += VANISHED_S
    world.frame(world.boxes)
    assert world.tracks.vanished_px == []
