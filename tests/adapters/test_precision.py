from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.onnx.precision import in_single
from facefusion_live.adapters.onnx.session import NetSession
from facefusion_live.domain.errors import HalfPrecisionError, InferenceError
from facefusion_live.domain.face import Patch
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BufferPool
from tests.adapters import onnx_graphs
from tests.faces import canonical_mesh_px, face_of
from tests.support import RESOURCES

WEIGHTS = np.array([[1.5, -2.0], [0.25, 3.0]], np.float16)


def half_net(path: Path) -> Path:
    """All in float16: inputs, outputs, an initialiser, a constant, and a branch of an If."""
    kind = TensorProto.FLOAT16
    branch = helper.make_graph(
        [helper.make_node("Constant", [], ["two"], value=numpy_helper.from_array(np.array([2], np.float16))),
         helper.make_node("Mul", ["m", "two"], ["t"])],
        "then", [], [helper.make_tensor_value_info("t", kind, [1, 2])],
    )  # fmt: skip
    other = helper.make_graph(
        [helper.make_node("Identity", ["m"], ["e"])], "else", [], [helper.make_tensor_value_info("e", kind, [1, 2])]
    )
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=other),
    ]
    x, y = (helper.make_tensor_value_info(name, kind, [1, 2]) for name in "xy")
    constants = [numpy_helper.from_array(WEIGHTS, "w"), numpy_helper.from_array(np.array(True), "yes")]
    graph = helper.make_graph(nodes, "g", [x], [y], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def test_whatever_is_half_becomes_single(tmp_path: Path) -> None:
    path = half_net(tmp_path / "half.onnx")
    whole = in_single(path)
    assert whole is not None
    model = onnx.load_model_from_string(whole)
    onnx.checker.check_model(model, full_check=True)
    assert in_single(half_net(path)) == whole
    (tmp_path / "single.onnx").write_bytes(whole)
    net = NetSession(tmp_path / "single.onnx")
    assert net.inputs[0].dtype == np.float32
    x = np.array([[1.0, 1e5]], np.float32)
    assert np.allclose(net.run(x)[0], x @ WEIGHTS.astype(np.float32) * 2)
    assert in_single(tmp_path / "single.onnx") is None, "nothing is half any more"


def test_a_file_that_was_exchanged_since_it_was_loaded_is_not_fallen_back_on(tmp_path: Path) -> None:
    path = half_net(tmp_path / "half.onnx")
    net = NetSession(path)
    half_net(tmp_path / "other.onnx").replace(path)
    with pytest.raises(InferenceError, match=r"half\.onnx has changed since it was loaded"):
        net.fall_back()
    assert not net.fall_back(), "it stays as it is"


def overflowing(path: Path, shape: tuple[int, ...], answer: tuple[int, ...], end: onnx.NodeProto) -> None:
    """A net whose numbers go beyond 65504 where they are half; in float32 they come back as they were."""
    nodes = [
        helper.make_node("Mul", ["x", "large"], ["beyond"]),
        helper.make_node("Cast", ["beyond"], ["half"], to=onnx_graphs.HALF),
        helper.make_node("Cast", ["half"], ["whole"], to=onnx_graphs.FLOAT),
        helper.make_node("Div", ["whole", "large"], ["same"]),
        end,
    ]
    constants = {"large": np.float32(1e6), "scales": np.array([1, 1, 2, 2], np.float32)}
    onnx_graphs.save(path, nodes, {"x": shape}, {"y": answer}, constants)


ENHANCERS = {
    "gfpgan_1.4": ((1, 3, 512, 512), (1, 3, 512, 512), helper.make_node("Identity", ["same"], ["y"])),
    "real_esrgan_x2": ((1, 3, 256, 256), (1, 3, 512, 512), helper.make_node("Resize", ["same", "", "scales"], ["y"])),
}


@pytest.mark.parametrize("model_id", ENHANCERS)
def test_an_enhancer_that_overflows_goes_on_in_single(model_id: str, tmp_path: Path) -> None:
    catalog = Catalog(tmp_path, RESOURCES / "cards")
    overflowing(tmp_path / catalog.card(model_id).file, *ENHANCERS[model_id])
    enhancer, face = catalog.enhancer(model_id), face_of(canonical_mesh_px(90, (96, 96)))
    white, inside = (np.full((192, 192, count), 255, np.uint8) for count in (3, 4))
    patch = Patch(HostImage(white), None, None, HostImage(inside), np.eye(2, 3), 0)
    with pytest.raises(HalfPrecisionError, match="from now on it runs in single"):
        enhancer.enhance(patch, face, Settings(), BufferPool(11 * 768**2, 1, "patch"))
    enhanced = enhancer.enhance(patch, face, Settings(), BufferPool(11 * 768**2, 1, "patch")).enhanced
    assert enhanced is not None
    assert enhanced.host().min() == 255


def test_a_masker_that_overflows_goes_on_in_single(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path, RESOURCES / "cards")
    end = helper.make_node("ReduceMean", ["same"], ["y"], axes=[3])
    overflowing(tmp_path / catalog.card("xseg_1").file, (1, 256, 256, 3), (1, 256, 256, 1), end)
    masker, white = catalog.masker("xseg_1", "occlusion"), np.full((256, 256, 3), 255, np.uint8)
    with pytest.raises(HalfPrecisionError, match="from now on it runs in single"):
        masker.visible(white)
    assert masker.visible(white).min() == 255
