# pyright: basic
"""ONNX Runtime sessions: how they are opened, and what really runs them."""

import logging
import threading
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import onnxruntime as ort
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from facefusion_live.adapters.onnx import pins, placement
from facefusion_live.adapters.onnx.container import read_graph
from facefusion_live.adapters.onnx.precision import in_single
from facefusion_live.adapters.onnx.prelu import without_prelu
from facefusion_live.adapters.onnx.runs import ORT_ERRORS, RUN_ERRORS, BoundRuns, CardRuns, Runs, replays, whole
from facefusion_live.domain.errors import InferenceError, ModelFileError, ModelUnfitError
from facefusion_live.domain.nets import TensorSpec

log = logging.getLogger("facefusion_live.inference")

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
DIRECTML = "DmlExecutionProvider"
COREML = "CoreMLExecutionProvider"
OPENVINO = "OpenVINOExecutionProvider"
_FALLS_BACK_TO = {TENSORRT: [CUDA, CPU]}
_ABOUT = {
    TENSORRT: (
        "TensorRT",
        "Install the NVIDIA driver, CUDA, cuDNN and TensorRT, or do without TensorRT: the processor alone is enough.",
    ),
    CUDA: (
        "CUDA",
        "Install the NVIDIA driver, CUDA and cuDNN, or do without: the processor alone is enough.",
    ),
    DIRECTML: ("DirectML", "Put onnxruntime-directml in the place of the installed ONNX Runtime (Windows only)."),
    COREML: ("CoreML", "Use the ONNX Runtime for macOS, which brings it; elsewhere there is none."),
    OPENVINO: ("OpenVINO", "Put onnxruntime-openvino in the place of the installed ONNX Runtime."),
}
"""What a provider is called, and what to do when it does not work."""


_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(uint8)": np.uint8,
}
"""What onnxruntime's names of types mean."""


def offered_providers() -> list[str]:
    """Providers that this ONNX Runtime was built with; whether they work is another matter."""
    return ort.get_available_providers()


def works(model: bytes, provider: str) -> bool:
    """Whether a provider really runs a net: a session is opened with it and asked what it runs on."""
    try:
        session = _with(model, _options(1), provider)
        session.run(None, {each.name: np.zeros(1, np.float32) for each in session.get_inputs()})
    except (InferenceError, *ORT_ERRORS):
        return False
    return session.get_providers()[0] == provider


PUBLISHERS_OWN = "Fetch the model again, or use the publisher's own file."
"""What to do about a file of the user's that is of no use."""

THREADS = 1
"""Threads inside one run of a net."""


class NetSession:
    """One net, ready to run.

    Small nets want one thread and no spinning: with spinning, idle ORT threads take the core that the render thread
    needs (measured on two cores).

    Args:
        path: The .onnx file.
        threads: Threads inside one run.
        provider: What must run the net. Nothing falls back silently.
        engines: Folder in which TensorRT keeps what it built: minutes of work, once. None keeps nothing.
        brought: It is a file of the user's, not of the program's.

    Raises:
        InferenceError: The file is missing or is no net that this runtime can read, or the provider does not work.
        ModelUnfitError: It is the user's, and no net that this runtime can read.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int = THREADS,
        provider: str = CPU,
        engines: Path | None = None,
        brought: bool = False,
    ) -> None:
        self._path, self._threads, self._engines = path.resolve(), threads, engines
        self._may_fall_back = True
        self._stamp = pins.stamp(self._path) if self._path.exists() else ()
        try:
            self._session = _shared(path, threads, provider, engines, brought=brought)
        except (*ORT_ERRORS, OSError) as error:
            if provider != CPU and _no_room(error):
                words = f"the graphics card has no memory left for the net {path.name}"
                raise InferenceError(words, advice=_MAKE_ROOM) from error
            words = f"the net {path.name} cannot be loaded: {type(error).__name__}"
            if brought:
                raise ModelUnfitError(words, advice=PUBLISHERS_OWN) from error
            raise InferenceError(words, advice="Install the program again: the file is missing or damaged.") from error
        # The session is asked, not onnxruntime: that lists what it was built with, whether or not it can be loaded.
        if self._name != provider:
            raise _not_there(provider)
        self._read_signature()
        if self._path in _in_single:
            self.fall_back()

    def _read_signature(self) -> None:
        self._inputs = tuple(_spec(node) for node in self._session.get_inputs())
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._runs = _runs_of(self._session)
        self._told = CPU if self._name == CPU else placement.in_words(self._name, placement.nodes_of(self._session))

    @property
    def _name(self) -> str:
        return self._session.get_providers()[0]

    @property
    def provider(self) -> str:
        """What really runs the net, asked from the session; with how many of its nodes, unless that is all."""
        return self._told

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What the graph takes, in its own order."""
        return self._inputs

    @property
    def output_names(self) -> Sequence[str]:
        """Names of the outputs, in the order in which `run` gives them."""
        return self._outputs

    def fall_back(self) -> bool:
        """Run the net in single precision from now on, if it holds anything in half.

        For nets whose numbers overflow float16 on some cards. Takes as long as loading it, once; the next session of
        this file in this process begins so. Thread: any, one at a time.

        Raises:
            InferenceError: It cannot be loaded in single precision.
        """
        if not self._may_fall_back:
            return False
        self._may_fall_back = False
        if not self._open_in_single():
            return False
        _in_single.add(self._path)
        self._read_signature()
        return True

    def _open_in_single(self) -> bool:
        try:
            if pins.stamp(self._path) != self._stamp:
                raise InferenceError(f"the net {self._path.name} has changed since it was loaded")
            single = in_single(self._path)
            if single is not None:
                graphs = _graphs_fit(self._path, self._name)
                self._session = _with(single, _options(self._threads), self._name, self._engines, graphs=graphs)
        except (*ORT_ERRORS, OSError, DecodeError) as error:
            raise InferenceError(f"the net {self._path.name} cannot be loaded in single precision") from error
        return single is not None

    def warm(self) -> None:
        """Run once on zeros, where all shapes are known: on a graphics card the first run takes seconds.

        Raises:
            InferenceError: It failed.
        """
        fed = [np.zeros(shape, spec.dtype) for spec in self._inputs if (shape := _one(spec.shape))]
        if len(fed) == len(self._inputs):
            self.run(*fed)

    def run(self, *tensors: NDArray[Any]) -> list[NDArray[np.float32]]:
        """All outputs for one run.

        Args:
            tensors: One per input, in the order of `inputs`; brought to the type that the graph asks for.

        Returns:
            The outputs in the order of `output_names`; half-precision ones as float32.

        Raises:
            InferenceError: The runtime failed.
            ValueError: Too few or too many tensors.
        """
        listener = _listeners.get(self._path)
        if listener is not None:
            listener(tensors)
        fed = {spec.name: np.asarray(tensor, spec.dtype) for spec, tensor in zip(self._inputs, tensors, strict=True)}
        try:
            answers = self._runs(fed)
        except RUN_ERRORS as error:
            if self._name != CPU and _no_room(error):
                words = f"the graphics card had no memory left to run the net {self._path.name}"
                raise InferenceError(words, advice=_MAKE_ROOM) from error
            raise InferenceError(f"a net failed: {type(error).__name__}") from error
        return [_single(np.asarray(answer)) for answer in answers]


_NO_ROOM = ("out of memory", "resource allocation failed", "failed to allocate memory")
"""How CUDA, cuBLAS and ONNX Runtime's arenas say it. On the processor it is the file that asks for too much."""
_MAKE_ROOM = "Close other programs that use the graphics card, or choose the processor (--inference.provider cpu)."


def _no_room(error: BaseException) -> bool:
    told = str(error).lower()
    return any(words in told for words in _NO_ROOM)


_in_single: set[Path] = set()


def runs_in_single(path: Path) -> bool:
    """Whether a net's file holds half precision that did not serve here, so that it runs in single."""
    return path.resolve() in _in_single


_listeners: dict[Path, Callable[[tuple[NDArray[Any], ...]], None]] = {}


@contextmanager
def overheard(path: Path, hear: Callable[[tuple[NDArray[Any], ...]], None]) -> Generator[None]:
    """Hear what a net is fed, from whichever thread, until the context ends. The tensors are the net's own memory."""
    _listeners[path.resolve()] = hear
    try:
        yield
    finally:
        del _listeners[path.resolve()]


def _one(shape: tuple[int | None, ...]) -> list[int]:
    """A shape with one picture in the batch; empty where another length is open."""
    lengths = [length for length in (shape[:1] and (shape[0] or 1,)) + shape[1:] if length is not None]
    return lengths if len(lengths) == len(shape) else []


def _spec(node: ort.NodeArg) -> TensorSpec:
    shape = tuple(edge if isinstance(edge, int) and edge > 0 else None for edge in node.shape)
    return TensorSpec(node.name, shape, np.dtype(_DTYPES.get(node.type, np.float32)))


def _single(answer: NDArray[Any]) -> NDArray[np.float32]:
    return answer.astype(np.float32) if answer.dtype == np.float16 else answer


_SMALL_BYTES = 32 * 1024 * 1024
"""Nets up to this size are kept for the next session: a start takes half as long, and building them anew each time left
holes in the C library's heaps (30 MiB after two hundred starts). Larger ones go with the last one who uses them."""
_kept: dict[tuple[object, ...], ort.InferenceSession] = {}
_in_use: WeakValueDictionary[tuple[object, ...], ort.InferenceSession] = WeakValueDictionary()
_opening = threading.Lock()


def _shared(path: Path, threads: int, provider: str, engines: Path | None, *, brought: bool) -> ort.InferenceSession:
    """The one session of a net in this process: ONNX Runtime lets any number of threads run it. Thread: any."""
    file = path.stat()
    key = (path.resolve(), file.st_mtime_ns, file.st_size, threads, provider, brought)
    with _opening:
        session = _in_use.get(key)
        if session is None:
            graphs = _graphs_fit(path, provider)
            model = _as_run(path, provider) if brought else str(path)
            session = _in_use[key] = _with(model, _options(threads), provider, engines, graphs=graphs)
            if file.st_size <= _SMALL_BYTES:
                _kept[key] = session
        return session


_runs: WeakValueDictionary[int, Runs] = WeakValueDictionary()
"""How each session is run, by the number of the object: a card's places in memory are shared by all its users."""
_running = threading.Lock()


def _runs_of(session: ort.InferenceSession) -> Runs:
    with _running:
        runs = _runs.get(id(session))  # it holds its session: while it is here the number is no other one's
        if runs is None:
            runs = _runs[id(session)] = _made_runs(session)
        return runs


def _made_runs(session: ort.InferenceSession) -> Runs:
    inputs, outputs = ([_spec(node) for node in nodes] for nodes in (session.get_inputs(), session.get_outputs()))
    if session.get_providers()[0] in (CUDA, TENSORRT) and whole([*inputs, *outputs]):
        return CardRuns(session, inputs, outputs)
    return BoundRuns(session, [each.name for each in outputs])


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _as_run(path: Path, provider: str) -> str | bytes:
    """The file; or, where the processor runs it, the same net without what it is slow at."""
    if provider == CPU:
        with suppress(ModelFileError, OSError, DecodeError):  # ONNX Runtime will say it
            if "PRelu" in read_graph(path).operators:
                return without_prelu(path) or str(path)
    return str(path)


def _graphs_fit(path: Path, provider: str) -> bool:
    """Whether CUDA graphs may serve: they replay the same work at the same places, so no shape may be open."""
    if provider not in (CUDA, TENSORRT):
        return False
    with suppress(ModelFileError):  # ONNX Runtime will say it
        graph = read_graph(path)
        return all(None not in tensor.shape for tensor in (*graph.inputs, *graph.outputs))
    return False


def _with(
    model: str | bytes,
    options: ort.SessionOptions,
    provider: str,
    engines: Path | None = None,
    *,
    graphs: bool = False,
) -> ort.InferenceSession:
    """A session of a file or of a model's bytes; with CUDA graphs where they are wanted and replay what they must."""
    if provider == CPU:
        return ort.InferenceSession(model, options, providers=[CPU])
    if graphs:
        # A net of which the card runs only a part cannot be recorded, and is not opened so.
        with suppress(InferenceError, *RUN_ERRORS):
            session = _on_card(model, options, provider, engines, graphs=True)
            runs = _runs_of(session)
            if isinstance(runs, CardRuns) and replays(runs):
                return session
        log.info("no CUDA graphs for %s", model if isinstance(model, str) else "a net in single precision")
    return _on_card(model, options, provider, engines, graphs=False)


def _on_card(
    model: str | bytes, options: ort.SessionOptions, provider: str, engines: Path | None, *, graphs: bool
) -> ort.InferenceSession:
    if provider == DIRECTML:
        options.enable_mem_pattern = False  # which it does not support, and refuses
    placement.note(options)
    # The libraries of an accelerator are looked for here; what is missing is told in our words, not on stderr.
    ort.set_default_logger_severity(4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            names = [provider, *_FALLS_BACK_TO.get(provider, [CPU])]
            chain = [(name, _how(name, engines, graphs=graphs and name == provider)) for name in names]
            return ort.InferenceSession(model, options, providers=chain, enable_fallback=0)
        except RuntimeError as error:
            raise _not_there(provider) from error


def _how(provider: str, engines: Path | None, *, graphs: bool = False) -> dict[str, str]:
    """Options of a provider."""
    if provider == CUDA:
        # The exhaustive search answers no faster and starts later (measured: docs/performance.md).
        return {"cudnn_conv_algo_search": "HEURISTIC", **({"enable_cuda_graph": "1"} if graphs else {})}
    recorded = {"trt_cuda_graph_enable": "1"} if graphs and provider == TENSORRT else {}
    if provider == TENSORRT and engines is not None:
        with suppress(OSError):  # what cannot be kept is built anew
            engines.mkdir(parents=True, exist_ok=True)
            return recorded | {
                "trt_engine_cache_enable": "1",
                "trt_engine_cache_path": str(engines),
                "trt_timing_cache_enable": "1",
                "trt_timing_cache_path": str(engines),
            }
    return recorded


def _not_there(provider: str) -> InferenceError:
    name, advice = _ABOUT.get(provider, (provider, ""))
    return InferenceError(f"{name} does not work on this machine", advice=advice)
