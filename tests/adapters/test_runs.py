"""Sessions run with memory that is used again: nobody finds his answers changed."""

import gc
import threading
import weakref
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from facefusion_live.adapters.onnx import runs as module
from facefusion_live.adapters.onnx import session as sessions
from facefusion_live.adapters.onnx.runs import ORT_ERRORS, BoundRuns, CardRuns, replays
from facefusion_live.adapters.onnx.session import NetSession
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.nets import TensorSpec
from tests.adapters import onnx_graphs
from tests.support import RESOURCES

EDGE = 64
SPEC = TensorSpec("x", (1, 3, EDGE, EDGE), np.dtype(np.float32))
OUT = TensorSpec("y", (1, 3, EDGE, EDGE), np.dtype(np.float32))


def doubling(path: Path, shape: tuple[int | str, ...] = (1, 3, EDGE, EDGE)) -> ort.InferenceSession:
    onnx_graphs.save(path, [helper.make_node("Add", ["x", "x"], ["y"])], {"x": shape}, {"y": shape})
    return ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def full(value: float, edge: int = EDGE) -> dict[str, NDArray[np.float32]]:
    return {"x": np.full((1, 3, edge, edge), value, np.float32)}


@pytest.fixture
def bound(tmp_path: Path) -> BoundRuns:
    return BoundRuns(doubling(tmp_path / "net.onnx"), ["y"], from_bytes=0)


def test_memory_that_nobody_holds_is_used_again(bound: BoundRuns) -> None:
    bound(full(0))
    places = {bound(full(number))[0].ctypes.data for number in range(20)}
    assert len(places) == 1


def test_two_runs_do_not_share_what_a_caller_still_holds(bound: BoundRuns) -> None:
    held = [bound(full(number))[0] for number in range(12)]
    for one in range(12):
        assert (held[one] == 2 * one).all()
        assert not any(np.shares_memory(held[one], held[other]) for other in range(one))


@pytest.mark.parametrize("part", [lambda a: a[0, 1], lambda a: a.reshape(-1)[5:9], lambda a: a.T, memoryview])
def test_who_holds_a_part_holds_the_whole(bound: BoundRuns, part: object) -> None:
    bound(full(0))
    view = part(bound(full(7))[0])  # type: ignore[operator]
    for number in range(6):
        bound(full(100 + number))
    assert (np.asarray(view) == 14).all()


def test_what_was_let_go_is_taken_up_again_and_no_more_is_kept_than_is_needed(bound: BoundRuns) -> None:
    held = [bound(full(number)) for number in range(50)]
    held.clear()
    ((_, kept),) = bound._kept.items()
    assert len(kept) == module._KEPT
    assert all(answers.free for answers in kept)


def test_threads_do_not_write_into_each_others_answers(bound: BoundRuns) -> None:
    wrong: list[float] = []

    def run(value: float) -> None:
        for _ in range(200):
            given = bound(full(value))[0]
            if not (given == 2 * value).all():
                wrong.append(value)

    threads = [threading.Thread(target=run, args=(float(value),)) for value in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_each_form_of_input_has_its_own_memory(tmp_path: Path) -> None:
    runs = BoundRuns(doubling(tmp_path / "net.onnx", ("N", 3, "H", "W")), ["y"], from_bytes=0)
    for edge in (8, 16, 8, 16, 8):
        (given,) = runs(full(3, edge))
        assert given.shape == (1, 3, edge, edge)
        assert (given == 6).all()
    assert sorted(form[0][2] for form in runs._kept) == [8, 16]


def test_answers_whose_size_depends_on_the_numbers_are_not_bound(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("NonZero", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (4,))],
        [helper.make_tensor_value_info("y", TensorProto.INT64, (1, "n"))],
    )
    path = tmp_path / "net.onnx"
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    )
    runs = BoundRuns(ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]), ["y"], from_bytes=0)
    for fed in ([1, 0, 0, 2], [1, 1, 0, 2], [0, 0, 0, 2], [1, 1, 1, 1]):
        given = runs({"x": np.float32(fed)})
        assert given[0].tolist() == [np.flatnonzero(fed).tolist()]


def test_small_answers_are_not_bound(tmp_path: Path) -> None:
    runs = BoundRuns(doubling(tmp_path / "net.onnx", ("N", 3, "H", "W")), ["y"])
    for edge in (64, 512, 1024, 64, 1024):
        assert (runs(full(3, edge))[0] == 6).all()
    assert [form[0][2] for form in runs._kept] == [1024]


def test_a_net_that_fails_says_so_and_serves_afterwards(bound: BoundRuns) -> None:
    bound(full(1))
    for _ in range(2):
        with pytest.raises(ORT_ERRORS):
            bound(full(1, 8))
    assert (bound(full(2))[0] == 4).all()


def test_what_does_not_lie_in_one_piece_arrives_whole(bound: BoundRuns) -> None:
    x = np.random.default_rng(1).random((1, 3, EDGE, EDGE), np.float32)
    bound({"x": x})
    np.testing.assert_array_equal(bound({"x": x[..., ::-1]})[0], 2 * x[..., ::-1])


def card(folder: Path) -> CardRuns:
    """As on a graphics card, with its memory here."""
    return CardRuns(doubling(folder / "net.onnx"), [SPEC], [OUT], "cpu")


def test_on_a_card_every_run_takes_the_same_places_and_answers_are_the_callers_own(tmp_path: Path) -> None:
    runs = card(tmp_path)
    places = {room.data_ptr() for room in (*runs._inputs.values(), *runs._outputs)}
    held = [runs(full(number))[0] for number in range(5)]
    assert [float(each[0, 0, 0, 0]) for each in held] == [0, 2, 4, 6, 8]
    assert {room.data_ptr() for room in (*runs._inputs.values(), *runs._outputs)} == places


def test_on_a_card_threads_wait_for_each_other(tmp_path: Path) -> None:
    runs, wrong = card(tmp_path), list[float]()

    def run(value: float) -> None:
        wrong.extend(value for _ in range(100) if not (runs(full(value))[0] == 2 * value).all())

    threads = [threading.Thread(target=run, args=(float(value),)) for value in range(1, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_recording_that_gives_what_it_gave_before_is_found_out(tmp_path: Path) -> None:
    runs = card(tmp_path)
    assert replays(runs)

    class Stale(CardRuns):
        def __call__(self, fed: module.Tensors) -> list[NDArray[np.float32]]:
            given = super().__call__(fed)
            self.last = getattr(self, "last", given)
            given, self.last = self.last, given
            return given

    assert not replays(Stale(doubling(tmp_path / "net.onnx"), [SPEC], [OUT], "cpu"))


def test_a_session_goes_with_the_last_who_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_SMALL_BYTES", 0)
    doubling(tmp_path / "net.onnx")
    net, other = NetSession(tmp_path / "net.onnx"), NetSession(tmp_path / "net.onnx")
    assert net._runs is other._runs
    net.run(full(1)["x"])
    gone = weakref.ref(net._session)
    del net, other
    gc.collect()
    assert gone() is None


# --- CUDA graphs, as far as they can be seen without a card ----------------------------------------------------------


Chained = tuple[str, dict[str, str]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[Chained]]:
    """What ONNX Runtime was asked for; it has no card."""
    chains: list[list[Chained]] = []

    def refusing(_model: str, _options: object, providers: list[Chained], **_words: object) -> object:
        chains.append(providers)
        raise RuntimeError("no card")

    monkeypatch.setattr(sessions.ort, "InferenceSession", refusing)
    return chains


@pytest.mark.parametrize(
    ("provider", "option"), [(sessions.CUDA, "enable_cuda_graph"), (sessions.TENSORRT, "trt_cuda_graph_enable")]
)
def test_where_all_shapes_are_known_graphs_are_tried_first(
    provider: str, option: str, tmp_path: Path, asked: list[list[Chained]]
) -> None:
    path = tmp_path / "net.onnx"
    shape = (1, 3, EDGE, EDGE)
    onnx_graphs.save(path, [helper.make_node("Add", ["x", "x"], ["y"])], {"x": shape}, {"y": shape})
    with pytest.raises(InferenceError, match="does not work on this machine"):
        NetSession(path, provider=provider)
    first, second = asked
    assert first[0] == (provider, first[0][1] | {option: "1"})
    assert [option in how for _, how in first] == [True, *[False] * (len(first) - 1)]
    assert not any(option in how for _, how in second), "and without them when that does not work"


def test_where_one_is_open_they_are_not(tmp_path: Path, asked: list[list[Chained]]) -> None:
    path = tmp_path / "net.onnx"
    shape = ("N", 3, EDGE, EDGE)
    onnx_graphs.save(path, [helper.make_node("Add", ["x", "x"], ["y"])], {"x": shape}, {"y": shape})
    with pytest.raises(InferenceError):
        NetSession(path, provider=sessions.CUDA)
    assert len(asked) == 1
    assert "enable_cuda_graph" not in asked[0][0][1]


def test_the_processor_has_none() -> None:
    assert not sessions._graphs_fit(RESOURCES / "models" / "face_mesh.onnx", sessions.CPU)
