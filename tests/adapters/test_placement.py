"""What runs a net is told with how much of it: a card that was given one node of many runs little."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from onnx import helper

from facefusion_live.adapters.onnx import placement
from facefusion_live.adapters.onnx import session as sessions
from facefusion_live.adapters.onnx.session import CPU, CUDA, TENSORRT, NetSession
from tests.adapters import onnx_graphs

OPEN = ("N", 4)


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """Three nodes that nothing can make fewer of, and a batch of any length."""
    nodes = [
        helper.make_node("Sin", ["x"], ["a"]),
        helper.make_node("Erf", ["a"], ["b"]),
        helper.make_node("Cos", ["b"], ["y"]),
    ]
    return onnx_graphs.save(tmp_path / "net.onnx", nodes, {"x": OPEN}, {"y": OPEN})


class Part:
    """A piece of a graph, as ONNX Runtime tells of it."""

    def __init__(self, ep_name: str, nodes: int) -> None:
        self.ep_name, self._nodes = ep_name, nodes

    def get_nodes(self) -> list[object]:
        return [object()] * self._nodes


def on_a_card(
    monkeypatch: pytest.MonkeyPatch, provider: str, parts: list[Part] | Exception
) -> list[ort.SessionOptions]:
    """As if a card ran what the processor runs; gives the options that sessions were opened with."""
    opened: list[ort.SessionOptions] = []
    real = ort.InferenceSession

    class Session:
        def __init__(self, model: Any, options: ort.SessionOptions, **_how: object) -> None:
            opened.append(options)
            self._real = real(model, options, providers=[CPU])

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

        def get_providers(self) -> list[str]:
            return [provider, CPU]

        def get_provider_graph_assignment_info(self) -> list[Part]:
            if isinstance(parts, Exception):
                raise parts
            return parts

    monkeypatch.setattr(sessions.ort, "InferenceSession", Session)
    return opened


def test_a_real_session_tells_its_nodes_when_it_noted_them(net: Path) -> None:
    options = ort.SessionOptions()
    assert placement.nodes_of(ort.InferenceSession(str(net), options, providers=[CPU])) == {}
    placement.note(options)
    assert placement.nodes_of(ort.InferenceSession(str(net), options, providers=[CPU])) == {CPU: 3}


def test_what_the_card_lacks_is_told(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = on_a_card(monkeypatch, CUDA, [*[Part(CUDA, 1)] * 41, Part(CPU, 1), Part(CPU, 1)])
    session = NetSession(net, provider=CUDA)
    assert session.provider == "CUDAExecutionProvider (41 of 43 nodes; the rest: CPUExecutionProvider 2)"
    assert opened[-1].get_session_config_entry("session.record_ep_graph_assignment_info") == "1"
    assert session.run(np.zeros((1, 4), np.float32))[0].tolist() == [[1, 1, 1, 1]]


def test_a_card_that_runs_nothing_is_no_secret(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_card(monkeypatch, CUDA, [Part(CPU, 3)])
    told = NetSession(net, provider=CUDA).provider
    assert told == "CUDAExecutionProvider (0 of 3 nodes; the rest: CPUExecutionProvider 3)"


def test_a_chain_of_three_is_told_whole(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_card(monkeypatch, TENSORRT, [Part(TENSORRT, 30), Part(CUDA, 2), Part(TENSORRT, 8), Part(CPU, 1)])
    assert NetSession(net, provider=TENSORRT).provider == (
        "TensorrtExecutionProvider (38 of 41 nodes; the rest: CUDAExecutionProvider 2, CPUExecutionProvider 1)"
    )


def test_a_net_that_is_wholly_on_the_card_has_a_plain_name(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_card(monkeypatch, CUDA, [Part(CUDA, 2), Part(CUDA, 1)])
    assert NetSession(net, provider=CUDA).provider == CUDA


@pytest.mark.parametrize("why", [AttributeError("get_provider_graph_assignment_info"), sessions.ORT_ERRORS[0]("no")])
def test_an_onnx_runtime_that_cannot_tell_is_not_believed(
    net: Path, monkeypatch: pytest.MonkeyPatch, why: Exception
) -> None:
    on_a_card(monkeypatch, CUDA, why)
    assert (
        NetSession(net, provider=CUDA).provider
        == "CUDAExecutionProvider (this ONNX Runtime does not tell how many nodes)"
    )


def test_on_the_processor_nothing_is_noted_or_asked(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(_session: object) -> dict[str, int]:
        raise AssertionError("asked")

    monkeypatch.setattr(placement, "nodes_of", asked)
    assert NetSession(net).provider == CPU
