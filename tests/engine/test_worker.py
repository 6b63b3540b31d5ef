import itertools
import logging
import threading
import time

import pytest

from facefusion_live.engine.worker import Worker

WAIT_S = 10.0


class Diary:
    """What happened on the thread, in order."""

    def __init__(self, *rounds: bool | Exception) -> None:
        self.rounds = list(rounds)
        self.lines: list[str] = []
        self.teardown_error: Exception | None = None
        self.on_error_error: Exception | None = None

    def setup(self) -> None:
        self.lines.append("setup")

    def step(self) -> bool:
        self.lines.append("step")
        what = self.rounds.pop(0)
        if isinstance(what, Exception):
            raise what
        return what

    def teardown(self) -> None:
        self.lines.append("teardown")
        error, self.teardown_error = self.teardown_error, None
        if error is not None:
            raise error

    def on_error(self, error: Exception) -> None:
        self.lines.append(str(error))
        if self.on_error_error is not None:
            raise self.on_error_error

    def run(self, *, backoff_s: tuple[float, ...] = (0.0,)) -> list[str]:
        worker = Worker(
            "diary",
            self.step,
            on_error=self.on_error,
            setup=self.setup,
            teardown=self.teardown,
            backoff_s=backoff_s,
        )
        worker.start()
        assert worker.join(WAIT_S)
        assert not worker.alive
        return self.lines


def test_it_runs_until_it_is_done() -> None:
    assert Diary(True, True, False).run() == ["setup", "step", "step", "step", "teardown"]


def test_an_error_is_told_after_teardown_and_it_starts_again() -> None:
    diary = Diary(True, ValueError("broken"), False)
    assert diary.run() == ["setup", "step", "step", "teardown", "broken", "setup", "step", "teardown"]


def test_both_errors_are_told_when_closing_fails_too() -> None:
    diary = Diary(ValueError("broken"), False)
    diary.teardown_error = ValueError("not closed")
    assert diary.run() == ["setup", "step", "teardown", "broken", "not closed", "setup", "step", "teardown"]


def test_done_is_done_even_if_closing_fails() -> None:
    diary = Diary(False)
    diary.teardown_error = ValueError("not closed")
    assert diary.run(backoff_s=(10**6,)) == ["setup", "step", "teardown", "not closed"]


def test_a_listener_that_raises_does_not_kill_the_thread() -> None:
    diary = Diary(ValueError("broken"), False)
    diary.on_error_error = RuntimeError("cannot listen")
    assert diary.run() == ["setup", "step", "teardown", "broken", "setup", "step", "teardown"]


def test_the_backoff_grows_and_its_last_value_serves_for_the_rest() -> None:
    times: list[float] = []

    def step() -> bool:
        times.append(time.monotonic())
        if len(times) < 5:
            raise ValueError("broken")
        return False

    worker = Worker("backoff", step, on_error=lambda _: None, backoff_s=(0.0, 0.02, 0.06))
    worker.start()
    assert worker.join(WAIT_S)
    waits = [after - before for before, after in itertools.pairwise(times)]
    assert [wait >= least for wait, least in zip(waits, (0.0, 0.02, 0.06, 0.06), strict=True)] == [True] * 4


def test_who_ran_steadily_starts_from_the_shortest_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facefusion_live.engine.worker._STEADY_S", -1.0)
    rounds = iter([ValueError("a"), ValueError("b"), ValueError("c")])

    def step() -> bool:
        error = next(rounds, None)
        if error is not None:
            raise error
        return False

    # Were the count not set back, the second wait would last for ever.
    worker = Worker("steady", step, on_error=lambda _: None, backoff_s=(0.0, 10**6))
    worker.start()
    assert worker.join(WAIT_S)


def test_a_stop_ends_the_backoff() -> None:
    broken = threading.Event()

    def step() -> bool:
        raise ValueError("broken")

    worker = Worker("backoff", step, on_error=lambda _: broken.set(), backoff_s=(10**6,))
    worker.start()
    assert broken.wait(WAIT_S)
    worker.ask_to_stop()
    assert worker.join(WAIT_S)
    assert worker.stopping


def test_asked_before_it_began_it_does_nothing() -> None:
    diary = Diary()
    worker = Worker("early", diary.step, on_error=diary.on_error, setup=diary.setup, teardown=diary.teardown)
    worker.ask_to_stop()
    worker.start()
    assert worker.join(WAIT_S)
    assert diary.lines == []


def test_pause_ends_with_a_stop() -> None:
    worker = Worker("pause", lambda: False, on_error=lambda _: None)
    worker.ask_to_stop()
    worker.pause(10**6)
    assert worker.stopping


def test_one_that_was_never_started_has_ended() -> None:
    worker = Worker("idle", lambda: False, on_error=lambda _: None)
    assert worker.join(0.0)
    assert worker.ended(0.0)


def test_one_that_hangs_is_named_with_its_stack(caplog: pytest.LogCaptureFixture) -> None:
    go, inside = threading.Event(), threading.Event()

    def hang_here() -> bool:
        inside.set()
        return not go.wait(WAIT_S)

    worker = Worker("hanging", hang_here, on_error=lambda _: None)
    worker.start()
    assert inside.wait(WAIT_S)
    with caplog.at_level(logging.ERROR, "facefusion_live.worker"):
        assert not worker.join(0.01)
    assert "thread hanging did not end" in caplog.text
    assert "hang_here" in caplog.text
    go.set()
    assert worker.join(WAIT_S)
    assert worker._stack() == "(no stack)"


def test_threads_are_daemons_with_their_names() -> None:
    names: list[tuple[str, bool]] = []

    def step() -> bool:
        thread = threading.current_thread()
        names.append((thread.name, thread.daemon))
        return False

    worker = Worker("capture", step, on_error=lambda _: None)
    worker.start()
    assert worker.join(WAIT_S)
    assert names == [("capture", True)]
