"""Several faces at a time: two threads look, and what they see is the same as what one would."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.ports import Landmarks
from facefusion_live.engine.looking import Find, followed_looks
from tests.fakes.pictures import mesh_in

MESHES = [mesh_in(np.array([left, 0, left + 40, 40], np.float32)) for left in (0, 100, 200, 300)]


def sees(before: Callable[[], object] = lambda: None) -> tuple[Find, list[float]]:
    """What finds a face wherever it looks, and the left edges of the faces that it was asked for."""
    asked: list[float] = []

    def find(box_px: NDArray[np.float32], eyes_px: NDArray[np.float32]) -> Landmarks:
        del eyes_px
        before()
        asked.append(round(float(box_px[0])))
        return Landmarks(mesh_in(box_px), 1.0)

    return find, asked


def lefts(looks: list[tuple[Landmarks, bool]]) -> list[int]:
    return [round(float(seen.mesh_px[:468, 0].min())) for seen, _ in looks]


@pytest.fixture
def helper() -> Any:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit


def test_two_threads_look_at_the_faces_at_a_time(helper: Any) -> None:
    both = threading.Barrier(2, timeout=5)  # nobody goes on before the other looks, too
    (here, mine), (there, others) = sees(both.wait), sees(both.wait)
    looks = followed_looks((here, there), MESHES, helper)
    assert lefts(looks) == lefts(followed_looks((sees()[0],), MESHES, None))
    assert len(mine) == len(others) == 2


def test_one_face_is_nothing_to_help_with() -> None:
    def beside(do: Callable[[], Any], /) -> "Future[Any]":
        raise AssertionError(do)

    (here, mine), (there, _) = sees(), sees()
    assert len(followed_looks((here, there), MESHES[:1], beside)) == len(mine) == 1


def test_who_has_no_second_pair_of_eyes_does_not_help(helper: Any) -> None:
    here, mine = sees()
    followed_looks((here,), MESHES, helper)
    assert len(mine) == 4


def test_a_helper_who_never_comes_is_not_waited_for() -> None:
    def beside(do: Callable[[], Any], /) -> "Future[Any]":
        del do
        return Future()

    (here, mine), (there, others) = sees(), sees()
    looks = followed_looks((here, there), MESHES, beside)
    assert (len(looks), len(mine), len(others)) == (4, 4, 0)


def test_what_fails_beside_fails_here(helper: Any) -> None:
    both = threading.Barrier(2, timeout=5)

    def broken() -> None:
        both.wait()
        raise InferenceError("broken")

    with pytest.raises(InferenceError, match="broken"):
        followed_looks((sees(both.wait)[0], sees(broken)[0]), MESHES[:2], helper)


def test_when_it_fails_here_the_helper_is_done_before_the_picture_is_given_back(helper: Any) -> None:
    begun, failed, done = threading.Event(), threading.Event(), threading.Event()

    def broken() -> None:
        begun.wait(5)
        failed.set()
        raise InferenceError("broken")

    def slow() -> None:
        begun.set()
        failed.wait(5)
        done.set()

    with pytest.raises(InferenceError):
        followed_looks((sees(broken)[0], sees(slow)[0]), MESHES, helper)
    assert done.is_set()
