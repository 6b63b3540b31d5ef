"""What runs the nets: tried, not believed; and nothing falls back without a word."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facefusion_live.adapters.onnx import catalog as catalogs
from facefusion_live.adapters.onnx import providers
from facefusion_live.adapters.onnx import session as sessions
from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.domain.errors import InferenceError
from tests.adapters import onnx_graphs
from tests.support import RESOURCES

Chained = tuple[str, dict[str, str]]
"""A provider and its options."""


@pytest.fixture(autouse=True)
def _tried_anew() -> Iterator[None]:
    providers.best.cache_clear()
    yield
    providers.best.cache_clear()


def only(monkeypatch: pytest.MonkeyPatch, working: str) -> None:
    """A machine on which every provider is offered, and one works beside the processor."""
    monkeypatch.setattr(providers, "offered_providers", lambda: [sessions.TENSORRT, sessions.CUDA, sessions.CPU])
    monkeypatch.setattr(providers, "works", lambda _model, name: name in (working, sessions.CPU))


def converter(folder: Path) -> Catalog:
    onnx_graphs.scaling_converter(folder / "crossface_ghost.onnx", 512, 1.0, 0.0)
    return Catalog(folder, RESOURCES / "models", RESOURCES / "cards")


def test_the_smallest_net_runs_on_the_processor() -> None:
    assert sessions.works(providers._smallest_net(), sessions.CPU)


def test_a_provider_that_does_not_exist_does_not_work() -> None:
    assert not sessions.works(providers._smallest_net(), "NoSuchExecutionProvider")


@pytest.mark.parametrize(
    ("working", "skipped"),
    [(sessions.TENSORRT, []), (sessions.CUDA, ["tensorrt"]), (sessions.CPU, ["tensorrt", "cuda"])],
)
def test_auto_takes_the_first_that_works_and_says_why_not_the_others(
    monkeypatch: pytest.MonkeyPatch, working: str, skipped: list[str]
) -> None:
    only(monkeypatch, working)
    chosen = providers.best()
    assert chosen.provider == working
    assert list(chosen.skipped) == skipped
    assert all(chosen.skipped.values())


@pytest.mark.parametrize("other", [sessions.DIRECTML, sessions.COREML, sessions.OPENVINO])
def test_a_build_that_the_user_put_in_place_is_used(other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "offered_providers", lambda: [other, sessions.CPU])
    monkeypatch.setattr(providers, "works", lambda _model, name: name in (other, sessions.CPU))
    chosen = providers.best()
    assert chosen.provider == other
    assert set(chosen.skipped) == {"tensorrt", "cuda"}


@pytest.mark.parametrize(
    ("wanted", "said", "advice"),
    [
        ("directml", "DirectML", "onnxruntime-directml"),
        ("coreml", "CoreML", "macOS"),
        ("openvino", "OpenVINO", "openvino"),
    ],
)
def test_one_that_this_build_lacks_is_told_with_what_to_do(
    wanted: providers.Wanted, said: str, advice: str, tmp_path: Path
) -> None:
    onnx_graphs.scaling_converter(tmp_path / "crossface_ghost.onnx", 512, 1.0, 0.0)
    catalog = Catalog(tmp_path, RESOURCES / "models", RESOURCES / "cards", provider=wanted)
    with pytest.raises(InferenceError, match=f"{said} does not work on this machine") as refusal:
        catalog._net(catalog.card("crossface_ghost"))
    assert advice in refusal.value.advice


def test_what_was_asked_for_and_fails_is_told_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "_loads", lambda _name: False)
    onnx_graphs.scaling_converter(tmp_path / "crossface_ghost.onnx", 512, 1.0, 0.0)
    catalog = Catalog(tmp_path, RESOURCES / "models", RESOURCES / "cards", provider="cuda")
    with pytest.raises(InferenceError, match="CUDA does not work on this machine: ") as refusal:
        catalog._net(catalog.card("crossface_ghost"))
    reasons = ("no NVIDIA driver was found (libcuda.so.1)", "this ONNX Runtime is built without it")
    assert str(refusal.value).endswith(reasons)


def test_a_net_on_a_card_is_run_once_before_anybody_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[int, ...]] = []

    class Card(sessions.NetSession):
        def __init__(self, path: Path, **how: object) -> None:
            assert how["provider"] == sessions.CUDA
            super().__init__(path)

        def run(self, *tensors: Any) -> list[Any]:
            ran.extend(tensor.shape for tensor in tensors)
            return super().run(*tensors)

    monkeypatch.setattr(catalogs, "NetSession", Card)
    onnx_graphs.scaling_converter(tmp_path / "crossface_ghost.onnx", 512, 1.0, 0.0)
    catalog = Catalog(tmp_path, RESOURCES / "models", RESOURCES / "cards", provider="cuda")
    catalog._net(catalog.card("crossface_ghost"))
    assert ran == [(1, 512)]


class LacksAnOperator(sessions.NetSession):
    """Opens on any provider; but for the processor's it fails when it runs, as CUDA does with quantised blocks."""

    def __init__(self, path: Path, **how: Any) -> None:
        super().__init__(path)
        self.lacks = "provider" in how

    def run(self, *tensors: Any) -> list[Any]:
        if self.lacks:
            raise InferenceError("a net failed: RuntimeException")
        return super().run(*tensors)


def test_a_built_in_net_that_the_card_cannot_run_stays_on_the_processor_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(catalogs, "NetSession", LacksAnOperator)
    catalog = Catalog(RESOURCES / "models", provider="cuda")
    net = catalog._net(catalog.card("sface_2021dec_int8bq"))
    assert net.run(np.zeros((1, 3, 112, 112), np.float32))[0].shape == (1, 128)
    reason = "it does not run there (a net failed: RuntimeException)"
    assert catalog.skipped == {"cuda for sface_2021dec_int8bq": reason}
    assert "sface_2021dec_int8bq does not run on CUDAExecutionProvider" in caplog.text


def test_a_net_of_the_users_that_the_card_cannot_run_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogs, "NetSession", LacksAnOperator)
    onnx_graphs.scaling_converter(tmp_path / "crossface_ghost.onnx", 512, 1.0, 0.0)
    catalog = Catalog(tmp_path, RESOURCES / "models", RESOURCES / "cards", provider="cuda")
    with pytest.raises(InferenceError, match="a net failed"):
        catalog._net(catalog.card("crossface_ghost"))
    assert catalog.skipped == {}


def test_a_card_without_memory_left_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx_graphs.scaling_converter(tmp_path / "net.onnx", 8, 1.0, 0.0)

    def full(*_: object, **__: object) -> object:
        raise sessions.ORT_ERRORS[0]("CUBLAS failure 3: the resource allocation failed")

    net = sessions.NetSession(tmp_path / "net.onnx")
    monkeypatch.setattr(net, "_runs", full)
    with pytest.raises(InferenceError, match="a net failed"):  # on the processor the file asks for too much
        net.run(np.zeros((1, 8), np.float32))
    monkeypatch.setattr(sessions.NetSession, "_name", sessions.CUDA)
    with pytest.raises(InferenceError, match=r"no memory left to run the net net\.onnx") as refusal:
        net.run(np.zeros((1, 8), np.float32))
    assert refusal.value.advice.startswith("Close other programs that use the graphics card")
    monkeypatch.setattr(sessions, "_shared", full)
    with pytest.raises(InferenceError, match=r"no memory left for the net net\.onnx") as refusal:
        sessions.NetSession(tmp_path / "net.onnx", provider=sessions.CUDA)
    assert refusal.value.advice.startswith("Close other programs that use the graphics card")


def test_directml_is_opened_as_it_must_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patterns: list[bool] = []

    def refusing(_model: str, options: object, **_words: object) -> object:
        patterns.append(options.enable_mem_pattern)  # type: ignore[attr-defined]
        raise RuntimeError("no card")

    monkeypatch.setattr(sessions.ort, "InferenceSession", refusing)
    onnx_graphs.scaling_converter(tmp_path / "net.onnx", 8, 1.0, 0.0)
    with pytest.raises(InferenceError):
        sessions.NetSession(tmp_path / "net.onnx", provider=sessions.DIRECTML)
    assert patterns == [False]


def test_without_a_driver_that_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, sessions.CPU)
    monkeypatch.setattr(providers, "_loads", lambda _name: False)
    assert set(providers.best().skipped.values()) == {"no NVIDIA driver was found (libcuda.so.1)"}


def test_missing_libraries_are_named_with_the_versions_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, sessions.CPU)
    monkeypatch.setattr(providers.build_and_package_info, "cuda_version", "13.0", raising=False)
    monkeypatch.setattr(providers, "_loads", lambda name: name == "libcuda.so.1")
    skipped = providers.best().skipped
    needs = "; this ONNX Runtime needs CUDA 13.0 and cuDNN 9"
    assert skipped["cuda"] == f"not found: libcudart.so.13, libcublasLt.so.13, libcudnn.so.9{needs}"
    assert skipped["tensorrt"].endswith(f"libnvinfer.so.10, libnvonnxparser.so.10{needs}")


class Libraries:
    """An NVIDIA driver and cuDNN, and no CUDA beside them."""

    def __init__(self, name: str) -> None:
        if name not in ("libcuda.so.1", "libcudnn.so.9"):
            raise OSError(name)

    def cuDriverGetVersion(self, place: Any) -> int:  # noqa: N802 (the driver's name)
        place._obj.value = 12040
        return 0

    def cudnnGetVersion(self) -> int:  # noqa: N802 (the library's name)
        return 90501


def test_the_versions_that_are_there_are_told_beside_those_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, sessions.CPU)
    monkeypatch.setattr(providers.build_and_package_info, "cuda_version", "13.0", raising=False)
    monkeypatch.setattr(providers.ctypes, "CDLL", Libraries)
    assert providers.best().skipped["cuda"] == (
        "not found: libcudart.so.13, libcublasLt.so.13; this ONNX Runtime needs CUDA 13.0 and cuDNN 9; "
        "found: a driver for CUDA 12.4 and cuDNN 9.5.1"
    )
    monkeypatch.setattr(providers, "_loads", lambda _name: True)
    providers.best.cache_clear()
    assert providers.best().skipped["cuda"] == (
        "this ONNX Runtime needs CUDA 13.0 and cuDNN 9; found: a driver for CUDA 12.4 and cuDNN 9.5.1"
    )


def test_a_provider_that_was_not_built_in_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, sessions.CPU)
    monkeypatch.setattr(providers, "offered_providers", lambda: [sessions.CPU])
    assert set(providers.best().skipped.values()) == {"this ONNX Runtime is built without it"}


def test_auto_asks_for_the_users_nets_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, sessions.CPU)
    catalog = converter(tmp_path)
    catalog.detector("blazeface_short")
    assert catalog.skipped == {}
    net = catalog._net(catalog.card("crossface_ghost"))
    assert net.provider == sessions.CPU
    assert list(catalog.skipped) == ["tensorrt", "cuda"]


@pytest.mark.parametrize(("wanted", "name"), [("cuda", "CUDA"), ("tensorrt", "TensorRT")])
def test_what_was_asked_for_runs_or_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: providers.Wanted, name: str
) -> None:
    real = sessions.ort.InferenceSession

    def on_the_processor(model: str, options: object, providers: list[Chained], **words: object) -> object:
        return real(model, options, providers=[each for each in providers if each[0] == sessions.CPU], **words)

    monkeypatch.setattr(sessions.ort, "InferenceSession", on_the_processor)
    shutil.copy(RESOURCES / "models" / "blazeface_short.onnx", tmp_path / "blazeface_short.onnx")
    with pytest.raises(InferenceError, match=f"{name} does not work on this machine") as refusal:
        Catalog(tmp_path, RESOURCES / "models", provider=wanted).detector("blazeface_short")
    assert refusal.value.advice.startswith("Install the NVIDIA driver")


@pytest.mark.parametrize("wanted", ["cuda", "tensorrt"])
def test_how_a_graphics_card_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: providers.Wanted) -> None:
    asked: list[list[Chained]] = []

    def refusing(_model: str, _options: object, providers: list[Chained], **_words: object) -> object:
        asked.append(providers)
        raise RuntimeError("no card")

    monkeypatch.setattr(sessions.ort, "InferenceSession", refusing)
    shutil.copy(RESOURCES / "models" / "blazeface_short.onnx", tmp_path / "blazeface_short.onnx")
    with pytest.raises(InferenceError):
        Catalog(tmp_path, RESOURCES / "models", provider=wanted).detector("blazeface_short")
    kept = str(tmp_path / "tensorrt")
    tensorrt = {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": kept,
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": kept,
    }
    cuda = [(sessions.CUDA, {"cudnn_conv_algo_search": "HEURISTIC"}), (sessions.CPU, {})]
    assert asked[1] == ([(sessions.TENSORRT, tensorrt), *cuda] if wanted == "tensorrt" else cuda)


def test_engines_that_cannot_be_kept_are_built_anew(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert sessions._how(sessions.TENSORRT, tmp_path / "file" / "tensorrt") == {}
