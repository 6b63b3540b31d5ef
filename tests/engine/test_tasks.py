import threading
import time
from collections.abc import Generator
from concurrent.futures import CancelledError, wait
from itertools import pairwise

import pytest

from facefusion_live.engine.tasks import TaskRunner
from tests.fakes.stages import raising

WAIT_S = 10.0


def test_tasks_run_in_order_on_one_thread() -> None:
    runner, seen = TaskRunner("loader"), list[tuple[int, str]]()
    futures = [
        runner.submit(lambda number=number: seen.append((number, threading.current_thread().name)))
        for number in range(5)
    ]
    for future in futures:
        future.result(WAIT_S)
    assert seen == [(number, "loader") for number in range(5)]
    assert runner.close(WAIT_S)


def test_an_error_comes_out_of_its_future_and_stops_nobody() -> None:
    runner = TaskRunner("loader")
    bad = runner.submit(lambda: raising(ValueError("no"))(None))
    good = runner.submit(lambda: 7)
    with pytest.raises(ValueError, match="no"):
        bad.result(WAIT_S)
    assert good.result(WAIT_S) == 7
    assert runner.close(WAIT_S)


def test_without_work_there_is_no_thread() -> None:
    before = threading.active_count()
    runner = TaskRunner("loader")
    assert threading.active_count() == before
    assert runner.close(WAIT_S)


def test_closing_gives_up_what_waits() -> None:
    runner, go = TaskRunner("loader"), threading.Event()
    first = runner.submit(lambda: go.wait(WAIT_S))
    waiting = runner.submit(lambda: 1)
    closing = threading.Thread(target=runner.close, args=(WAIT_S,))
    closing.start()
    while not runner._closed:
        pass
    go.set()
    closing.join(WAIT_S)
    assert first.result(WAIT_S)
    with pytest.raises(CancelledError):
        waiting.result(WAIT_S)
    late = runner.submit(lambda: 1)
    assert late.cancelled()
    assert wait([waiting, late], WAIT_S).not_done == set(), "whoever waits for one of several would hang"
    assert runner.close(WAIT_S)


def test_finishing_does_what_waits() -> None:
    runner, done = TaskRunner("loader"), list[int]()
    for number in range(20):
        runner.submit(lambda number=number: done.append(number))
    assert runner.finish(WAIT_S)
    assert done == list(range(20))
    assert runner.finish(WAIT_S)


def test_a_task_that_hangs_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    runner, go = TaskRunner("loader"), threading.Event()
    hanging = runner.submit(lambda: go.wait(WAIT_S))
    waiting = runner.submit(lambda: 1)
    assert not runner.finish(0.01)
    assert "loader did not end" in caplog.text
    assert waiting.cancelled()
    go.set()
    assert hanging.result(WAIT_S)


def test_a_cancelled_task_is_not_done() -> None:
    runner, go, done = TaskRunner("loader"), threading.Event(), list[int]()
    runner.submit(lambda: go.wait(WAIT_S))
    unwanted = runner.submit(lambda: done.append(1))
    assert unwanted.cancel()
    go.set()
    assert runner.finish(WAIT_S)
    assert done == []


def steps(seen: list[str], count: int, fails_at: int = -1) -> Generator[None, None, int]:
    for number in range(count):
        if number == fails_at:
            raise ValueError("no")
        seen.append(f"step {number}")
        yield
    return count


def test_between_two_steps_others_have_their_turn() -> None:
    runner, go, seen = TaskRunner("loader"), threading.Event(), list[str]()
    runner.submit(lambda: go.wait(WAIT_S))
    long = runner.submit_in_steps(steps(seen, 3))
    runner.submit(lambda: seen.append("stop"))
    go.set()
    assert long.result(WAIT_S) == 3
    assert seen == ["step 0", "stop", "step 1", "step 2"]
    assert runner.close(WAIT_S)


def test_a_step_that_fails_is_the_last_one() -> None:
    runner, seen = TaskRunner("loader"), list[str]()
    with pytest.raises(ValueError, match="no"):
        runner.submit_in_steps(steps(seen, 3, fails_at=1)).result(WAIT_S)
    assert seen == ["step 0"]
    assert runner.close(WAIT_S)


def test_the_end_comes_after_the_step_in_hand() -> None:
    runner, seen = TaskRunner("loader"), list[str]()
    begun, go = threading.Event(), threading.Event()

    def slow() -> Generator[None, None, None]:
        begun.set()
        go.wait(WAIT_S)
        yield
        seen.append("too late")

    long = runner.submit_in_steps(slow())
    assert begun.wait(WAIT_S)
    finishing = threading.Thread(target=runner.finish, args=(WAIT_S,))
    finishing.start()
    while not runner._closed:
        pass
    go.set()
    finishing.join(WAIT_S)
    assert (long.cancelled(), seen) == (True, [])
    assert runner.submit_in_steps(slow()).cancelled()


def test_who_gives_way_rests_between_two_steps_and_holds_nobody_up() -> None:
    runner, begun_s = TaskRunner("loader", lambda: True), list[float]()

    def slow() -> Generator[None, None, str]:
        for _ in range(3):
            begun_s.append(time.monotonic())
            time.sleep(0.03)
            yield
        return "done"

    long = runner.submit_in_steps(slow())
    while not begun_s:
        time.sleep(0.001)
    asked_s = time.monotonic()
    runner.submit(lambda: None).result(WAIT_S)
    assert time.monotonic() - asked_s < 0.1, "whoever asks meanwhile does not wait for the rest"
    assert long.result(WAIT_S) == "done"
    assert all(later - before > 0.14 for before, later in pairwise(begun_s))
    assert runner.close(WAIT_S)


def test_what_rests_is_given_up_at_the_end() -> None:
    runner, seen = TaskRunner("loader", lambda: True), list[str]()

    def slow() -> Generator[None, None, None]:
        seen.append("begun")
        time.sleep(0.05)
        yield
        seen.append("too late")

    long = runner.submit_in_steps(slow())
    while not seen:
        time.sleep(0.001)
    assert runner.finish(WAIT_S)
    assert (long.cancelled(), seen) == (True, ["begun"])
