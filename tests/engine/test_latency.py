import threading

from facefusion_live.engine import latency
from facefusion_live.engine.latency import LatencyRecorder, Percentiles


def test_nothing_measured_nothing_told() -> None:
    assert LatencyRecorder().percentiles() == {}


def test_percentiles_are_in_milliseconds() -> None:
    recorder = LatencyRecorder()
    for milliseconds in range(101):
        recorder.add("swap", milliseconds * 1_000_000)
    assert recorder.percentiles() == {"swap": Percentiles(50.0, 95.0, 99.0)}


def test_stages_come_in_the_order_first_seen() -> None:
    recorder = LatencyRecorder()
    for stage in ("wait", "track", "wait", "compose"):
        recorder.add(stage, 1)
    assert list(recorder.percentiles()) == ["wait", "track", "compose"]


def test_only_the_newest_are_remembered() -> None:
    recorder = LatencyRecorder()
    recorder.add("swap", 10**12)
    for _ in range(latency._KEPT):
        recorder.add("swap", 2_000_000)
    assert recorder.percentiles()["swap"] == Percentiles(2.0, 2.0, 2.0)


def test_adding_from_several_threads_loses_nothing() -> None:
    recorder = LatencyRecorder()

    def add() -> None:
        for _ in range(1000):
            recorder.add("swap", 1_000_000)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert recorder._durations["swap"].copy().size == 4000
