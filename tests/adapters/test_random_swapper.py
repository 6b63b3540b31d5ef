from pathlib import Path

import numpy as np
import onnx
import pytest

from facefusion_live.adapters.onnx import random_swapper
from facefusion_live.adapters.onnx.session import NetSession


def test_the_benchmarks_net_listens_to_both_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_swapper, "CHANNELS", 256)
    monkeypatch.setattr(random_swapper, "BLOCKS", 1)
    path = tmp_path / "net.onnx"
    random_swapper.write_random_swapper(path)
    net = NetSession(path)
    assert [spec.shape for spec in net.inputs] == [(1, 3, 128, 128), (1, 512)]
    random = np.random.default_rng(0)
    target, source = random.random((1, 3, 128, 128), np.float32), random.standard_normal((1, 512), np.float32)
    painted = net.run(target, source)[0].copy()
    assert painted.shape == (1, 3, 128, 128)
    assert 0 <= painted.min() < painted.max() <= 1
    assert np.abs(net.run(1 - target, source)[0] - painted).max() > 0.01
    assert np.abs(net.run(target, -source)[0] - painted).max() > 0.01


def test_it_has_as_many_weights_as_the_model_it_stands_for() -> None:
    """inswapper_128 in float32 is a file of 554 MB."""
    graph = random_swapper._Graph(np.random.default_rng(0)).model().graph
    bytes_of_weights = sum(len(weight.raw_data) for weight in graph.initializer)
    assert 530e6 < bytes_of_weights < 570e6
    matrix = graph.initializer[-1]
    assert (list(matrix.dims), matrix.data_type) == ([512, 512], onnx.TensorProto.FLOAT)
    assert sum(node.op_type == "InstanceNormalization" for node in graph.node) == 12
