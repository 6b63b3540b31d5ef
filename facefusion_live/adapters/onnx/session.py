# pyright: basic
"""ONNX Runtime sessions: how they are opened, and what really runs them."""

import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors  # pyright: ignore[reportAttributeAccessIssue]

from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.model_card import PictureFormat

_ORT_ERRORS = tuple(
    error for error in vars(ort_errors).values() if isinstance(error, type) and issubclass(error, Exception)
)
"""onnxruntime's errors share no base of their own."""

CPU = "CPUExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
_FALLS_BACK_TO = {TENSORRT: ["CUDAExecutionProvider", CPU]}
_ABOUT = {
    TENSORRT: (
        "TensorRT",
        "Install the NVIDIA driver, CUDA, cuDNN and TensorRT, or do without TensorRT: the processor alone is enough.",
    )
}
"""What a provider is called, and what to do when it does not work."""


def offered_providers() -> list[str]:
    """Providers that this ONNX Runtime was built with; whether they work is another matter."""
    return ort.get_available_providers()


class NetSession:
    """One net, ready to run.

    Small nets want one thread and no spinning: with spinning, idle ORT threads take the core that the render thread
    needs (measured on two cores).

    Args:
        path: The .onnx file.
        threads: Threads inside one run.
        provider: What must run the net. Nothing falls back silently.

    Raises:
        InferenceError: The file is missing or is no net that this runtime can read, or the provider does not work.
    """

    def __init__(self, path: Path, *, threads: int = 1, provider: str = CPU) -> None:
        try:
            self._session = _shared(path, threads, provider)
        except (*_ORT_ERRORS, OSError) as error:
            raise InferenceError(
                f"the net {path.name} cannot be loaded: {type(error).__name__}",
                advice="Install the program again: the file is missing or damaged.",
            ) from error
        # The session is asked, not onnxruntime: that lists what it was built with, whether or not it can be loaded.
        if self.provider != provider:
            raise _not_there(provider)
        self._input = self._session.get_inputs()[0]
        self._outputs = [output.name for output in self._session.get_outputs()]

    @property
    def provider(self) -> str:
        """What really runs the net, asked from the session."""
        return self._session.get_providers()[0]

    @property
    def output_names(self) -> Sequence[str]:
        """Names of the outputs, in the order in which `run` gives them."""
        return self._outputs

    def run(self, tensor: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """All outputs for one input.

        Raises:
            InferenceError: The runtime failed.
        """
        try:
            answers = self._session.run(self._outputs, {self._input.name: tensor})
        except _ORT_ERRORS as error:
            raise InferenceError(f"a net failed: {type(error).__name__}") from error
        return [np.asarray(answer) for answer in answers]


_SMALL_BYTES = 32 * 1024 * 1024
"""Nets up to this size are kept for the next session: a start takes half as long, and building them anew each time left
holes in the C library's heaps (30 MiB after two hundred starts). Larger ones go with the last one who uses them."""
_kept: dict[tuple[object, ...], ort.InferenceSession] = {}
_in_use: WeakValueDictionary[tuple[object, ...], ort.InferenceSession] = WeakValueDictionary()
_opening = threading.Lock()


def _shared(path: Path, threads: int, provider: str) -> ort.InferenceSession:
    """The one session of a net in this process: ONNX Runtime lets any number of threads run it. Thread: any."""
    file = path.stat()
    key = (path.resolve(), file.st_mtime_ns, file.st_size, threads, provider)
    with _opening:
        session = _in_use.get(key)
        if session is None:
            session = _in_use[key] = _opened(path, _options(threads), provider)
            if file.st_size <= _SMALL_BYTES:
                _kept[key] = session
        return session


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _opened(path: Path, options: ort.SessionOptions, provider: str) -> ort.InferenceSession:
    if provider == CPU:
        return ort.InferenceSession(str(path), options, providers=[CPU])
    # The libraries of an accelerator are looked for here; what is missing is told in our words, not on stderr.
    ort.set_default_logger_severity(4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            providers = [provider, *_FALLS_BACK_TO.get(provider, [CPU])]
            return ort.InferenceSession(str(path), options, providers=providers, enable_fallback=0)
        except RuntimeError as error:
            raise _not_there(provider) from error


def _not_there(provider: str) -> InferenceError:
    name, advice = _ABOUT.get(provider, (provider, ""))
    return InferenceError(f"{name} does not work on this machine", advice=advice)


class InputTensor:
    """The reusable float tensor that a crop is turned into, as the model's card says.

    Args:
        picture: Size, order of the channels and normalisation.
    """

    def __init__(self, picture: PictureFormat) -> None:
        edge = picture.size_px
        self._nchw = np.empty((1, 3, edge, edge), np.float32)
        self._scale = np.array(picture.scale, np.float32)[:, None, None]
        self._shift = np.array(picture.shift, np.float32)[:, None, None]
        self._order = slice(None, None, -1) if picture.colour_order == "BGR" else slice(None)

    def fill(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The crop (n, n, 3) RGB as (1, 3, n, n) float32. The same memory every time."""
        np.multiply(crop[..., self._order].transpose(2, 0, 1), self._scale, out=self._nchw[0], casting="unsafe")
        if self._shift.any():
            self._nchw += self._shift
        return self._nchw
