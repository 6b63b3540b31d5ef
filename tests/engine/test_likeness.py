"""How like a face is to what is remembered: answered beside the loop, one question at a time."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.domain import geometry, mesh
from facefusion_live.domain.face import Face
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.likeness import ASK_EVERY_S, Likeness
from facefusion_live.engine.pipeline import Draft
from tests.engine.rig import frame_of
from tests.fakes.compute import FakeCompute
from tests.fakes.nets import FakeRecogniser
from tests.fakes.pictures import mesh_in

RED, GREEN = (200, 0, 0), (0, 200, 0)
SIZE_HW = (80, 80)


def all_of(colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.full((*SIZE_HW, 3), colour, np.uint8)


def face(track_id: int) -> Face:
    mesh_px = mesh_in(np.array([10, 10, 70, 70], np.float32))
    return Face(geometry.box_of(mesh_px), mesh.landmarks5(mesh_px), mesh_px, 1.0, track_id, agreed=True)


def seen(colour: tuple[int, int, int], time_s: float) -> Draft:
    return Draft(frame_of(all_of(colour)), Settings(), time_s)


class Side:
    """A worker beside the loop that works when it is told to."""

    def __init__(self) -> None:
        self.tasks: list[Callable[[], None]] = []
        self.closed = False

    def __call__(self, task: Callable[[], None]) -> bool:
        if not self.closed:
            self.tasks.append(task)
        return not self.closed

    def work(self) -> None:
        while self.tasks:
            self.tasks.pop(0)()


@pytest.fixture
def side() -> Side:
    return Side()


@pytest.fixture
def likeness(side: Side) -> Likeness:
    made = Likeness(FakeRecogniser(), FakeCompute(), side)
    made.remember(HostImage(all_of(RED)), face(0))
    return made


def test_the_answer_comes_later(likeness: Likeness, side: Side) -> None:
    assert likeness.asked(seen(RED, 1.0), face(0), 0, 1.0) is None
    side.work()
    assert likeness.asked(seen(RED, 1.03), face(0), 0, 1.0) == pytest.approx(1)


def test_somebody_else_is_unlike(likeness: Likeness, side: Side) -> None:
    likeness.asked(seen(GREEN, 1.0), face(0), 0, 1.0)
    side.work()
    assert (likeness.asked(seen(GREEN, 1.03), face(0), 0, 1.0) or 1) < 0.1


def test_of_whom_nothing_is_remembered_nothing_is_said(likeness: Likeness, side: Side) -> None:
    assert likeness.asked(seen(RED, 1.0), face(7), 7, 1.0) is None
    assert not side.tasks
    assert (likeness.knows(0), likeness.knows(7)) == (True, False)
    likeness.keep(())
    assert not likeness.knows(0)


def test_a_question_is_put_again_after_a_while_and_not_before(likeness: Likeness, side: Side) -> None:
    likeness.asked(seen(RED, 1.0), face(0), 0, 1.0)
    likeness.asked(seen(RED, 1.0 + ASK_EVERY_S / 2), face(0), 0, 1.0)
    assert len(side.tasks) == 1
    likeness.asked(seen(RED, 1.0 + ASK_EVERY_S), face(0), 0, 1.0)
    assert len(side.tasks) == 2


def test_an_answer_about_another_face_or_an_earlier_doubt_does_not_count(likeness: Likeness, side: Side) -> None:
    likeness.asked(seen(RED, 1.0), face(0), 0, 1.0)
    side.work()
    assert likeness.asked(seen(GREEN, 1.06), face(3), 0, 1.0) is None, "it was about another track"
    side.work()
    assert (likeness.asked(seen(GREEN, 1.07), face(3), 0, 1.0) or 1) < 0.1
    assert likeness.asked(seen(RED, 1.08), face(3), 0, 1.08) is None, "it was of before"
    assert len(side.tasks) == 1


def test_where_the_worker_is_closed_it_is_asked_again(likeness: Likeness, side: Side) -> None:
    side.closed = True
    likeness.asked(seen(RED, 1.0), face(0), 0, 1.0)
    side.closed = False
    likeness.asked(seen(RED, 1.01), face(0), 0, 1.0)
    assert len(side.tasks) == 1


def test_a_question_that_was_dropped_is_put_again(likeness: Likeness, side: Side) -> None:
    likeness.asked(seen(RED, 1.0), face(0), 0, 1.0)
    side.tasks.clear()
    assert likeness.asked(seen(RED, 1.0 + ASK_EVERY_S), face(0), 0, 1.0) is None
    side.work()
    assert likeness.asked(seen(RED, 1.12), face(0), 0, 1.0) == pytest.approx(1)


def test_of_two_who_may_be_one_person_each_has_a_turn(likeness: Likeness, side: Side) -> None:
    told: dict[int, int] = {3: 0, 4: 0}
    for frame in range(30):
        for track_id in told:
            told[track_id] += likeness.asked(seen(RED, 1 + frame / 30), face(track_id), 0, 1.0) is not None
        side.work()
    assert min(told.values()) >= 8


def test_the_look_before_the_last_one_counts(likeness: Likeness, side: Side) -> None:
    likeness.remember(HostImage(all_of(GREEN)), face(0))
    likeness.asked(seen(RED, 1.0), face(0), 0, 1.0)
    side.work()
    assert likeness.asked(seen(RED, 1.01), face(0), 0, 1.0) == pytest.approx(1)
    likeness.remember(HostImage(all_of(GREEN)), face(0))
    likeness.asked(seen(RED, 2.0), face(0), 0, 2.0)
    side.work()
    assert (likeness.asked(seen(RED, 2.01), face(0), 0, 2.0) or 1) < 0.1
