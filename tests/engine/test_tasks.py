import threading
from concurrent.futures import CancelledError

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
    assert runner.submit(lambda: 1).cancelled()
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
