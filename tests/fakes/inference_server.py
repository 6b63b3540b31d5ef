"""A server of the Open Inference Protocol within the test's own process, which does what a test tells it to."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import grpc
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.remote import messages
from facefusion_live.adapters.remote.tensors import DTYPES

Tensors = dict[str, NDArray[Any]]
Signature = dict[str, tuple[str, tuple[int, ...]]]
"""Names of tensors, with type and shape as the protocol has them."""
_HOST = "127.0.0.1"
_LISTS = {"FP32": "fp32_contents", "INT64": "int64_contents", "UINT8": "uint_contents"}


@dataclass
class FakeModel:
    """A net on the server.

    Attributes:
        inputs: What it takes.
        outputs: What it gives.
        compute: From inputs to outputs, by name.
        version: What it calls itself.
        ready: Whether it is loaded.
        raw: Answer raw, or in lists of numbers.
        seen: The inputs of each run.
    """

    inputs: Signature
    outputs: Signature
    compute: Callable[[Tensors], Tensors]
    version: str = "1"
    ready: bool = True
    raw: bool = True
    seen: list[Tensors] = field(default_factory=list)


class FakeInferenceServer:
    """Listens until it is stopped; a context manager.

    Attributes:
        models: By name; may be changed while it runs.
        hang: While it is cleared, runs are not answered.
        spoil: Changes an answer before it goes out.

    Args:
        models: Its nets.
        port: 0 for any.
        certificate: With its key; None for no TLS.
    """

    def __init__(self, models: dict[str, FakeModel], port: int = 0, certificate: Path | None = None) -> None:
        self.models = models
        self.hang = threading.Event()
        self.hang.set()
        self.spoil: Callable[[Any], Any] = lambda answer: answer
        self._pool = ThreadPoolExecutor(4, "fake server")
        self._server = grpc.server(self._pool, options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers([self._handlers()])
        place = f"{_HOST}:{port}"
        if certificate is None:
            self.port = self._server.add_insecure_port(place)
        else:
            pem = certificate.read_bytes()
            self.port = self._server.add_secure_port(place, grpc.ssl_server_credentials([(pem, pem)]))
        self._server.start()

    @property
    def place(self) -> str:
        """`HOST:PORT`."""
        return f"{_HOST}:{self.port}"

    def stop(self) -> None:
        """End at once. A second call does nothing."""
        self.hang.set()
        self._server.stop(None).wait()
        self._pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _handlers(self) -> grpc.GenericRpcHandler:
        calls = {
            "ServerMetadata": lambda _request, _context: messages.ServerMetadataResponse(name="fake", version="9"),
            "ModelReady": self._ready,
            "ModelMetadata": self._metadata,
            "ModelInfer": self._infer,
        }
        return grpc.method_handlers_generic_handler(
            "inference.GRPCInferenceService",
            {
                name: grpc.unary_unary_rpc_method_handler(
                    call,
                    getattr(messages, f"{name}Request").FromString,
                    lambda answer: answer.SerializeToString(),
                )
                for name, call in calls.items()
            },
        )

    def _ready(self, request: Any, _context: grpc.ServicerContext) -> Any:
        model = self.models.get(request.name)
        return messages.ModelReadyResponse(ready=model is not None and model.ready)

    def _metadata(self, request: Any, context: grpc.ServicerContext) -> Any:
        model = self._model(request.name, context)
        told = messages.ModelMetadataResponse(name=request.name, versions=[model.version], platform="fake")
        for tensors, signature in ((told.inputs, model.inputs), (told.outputs, model.outputs)):
            for name, (datatype, shape) in signature.items():
                tensors.add(name=name, datatype=datatype, shape=shape)
        return told

    def _infer(self, request: Any, context: grpc.ServicerContext) -> Any:
        model = self._model(request.model_name, context)
        self.hang.wait()
        fed = {
            each.name: np.frombuffer(raw, DTYPES[each.datatype]).reshape(each.shape)
            for each, raw in zip(request.inputs, request.raw_input_contents, strict=True)
        }
        model.seen.append(fed)
        answer = messages.ModelInferResponse(model_name=request.model_name, model_version=model.version)
        computed = model.compute(fed)
        for name in [each.name for each in request.outputs] or model.outputs:
            datatype = model.outputs[name][0]
            tensor = np.ascontiguousarray(computed[name], DTYPES[datatype])
            told = answer.outputs.add(name=name, datatype=datatype, shape=tensor.shape)
            if model.raw:
                answer.raw_output_contents.append(tensor.tobytes())
            else:
                getattr(told.contents, _LISTS[datatype]).extend(tensor.ravel().tolist())
        return self.spoil(answer)

    def _model(self, name: str, context: grpc.ServicerContext) -> FakeModel:
        model = self.models.get(name)
        if model is None or not model.ready:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no model {name}")
        return model  # type: ignore[return-value]  # abort raises
