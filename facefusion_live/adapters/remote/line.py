# pyright: basic
"""The line to a server: calls with a deadline, and what went wrong in our words."""

import importlib
import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facefusion_live.adapters.remote import messages
from facefusion_live.domain.errors import InferenceError, ServerOpenError
from facefusion_live.domain.extras import advice_by_copy
from facefusion_live.domain.remote import ServerAddress

_SERVICE = "/inference.GRPCInferenceService/"
MODEL_INFER = f"{_SERVICE}ModelInfer"
_MOST_BYTES = 256 * 1024 * 1024
"""Four pictures of 2048 x 2048 in float32; gRPC's own limit of 4 MiB is less than one of 768."""
OPTIONS = (
    ("grpc.max_receive_message_length", _MOST_BYTES),
    ("grpc.max_send_message_length", _MOST_BYTES),
    # A proxy named in the environment is for the web: pictures of faces do not go through it.
    ("grpc.enable_http_proxy", 0),
    # Shared, the back-off of one line would be that of every other one to the same server.
    ("grpc.use_local_subchannel_pool", 1),
    # A server that is back is found within a second; one that swallows packets is given up after two.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.min_reconnect_backoff_ms", 2000),
)
"""How a line is kept."""
_NAMELESS = "Only servers that ask for no name can be used."
_INSTALLED = "Install it: pip install 'facefusion-live[remote]', or empty inference.remote."
_FROZEN = "This copy was built without it: use the pip package of the program with [remote], or empty inference.remote."


class Line:
    """A connection to a server that finds it again by itself. Closed with its last user. Thread: any.

    Args:
        address: Where the server is.
        trusted: Who vouches for it (PEM); None for a line without encryption.

    Raises:
        ServerOpenError: gRPC is not installed.
    """

    def __init__(self, address: ServerAddress, trusted: Path | None) -> None:
        self._grpc, self.address = _library(), address
        if trusted is None:
            channel = self._grpc.insecure_channel(str(address), OPTIONS)
        else:
            secrets = self._grpc.ssl_channel_credentials(root_certificates=trusted.read_bytes())
            channel = self._grpc.secure_channel(str(address), secrets, OPTIONS)
        self.close: Callable[[], object] = weakref.finalize(self, channel.close)
        """Safe to call twice."""
        self._server_metadata = _call(channel, "ServerMetadata")
        self._model_ready = _call(channel, "ModelReady")
        self._model_metadata = _call(channel, "ModelMetadata")
        self._model_infer = channel.unary_unary(MODEL_INFER)

    def server(self, timeout_s: float) -> Any:  # noqa: ANN401 (a message)
        """Who the server says it is. Raises InferenceError."""
        return self._asked(self._server_metadata, messages.ServerMetadataRequest(), timeout_s)

    def ready(self, model: str, timeout_s: float) -> bool:
        """Whether a net is ready. Raises InferenceError."""
        return bool(self._asked(self._model_ready, messages.ModelReadyRequest(name=model), timeout_s).ready)

    def described(self, model: str, timeout_s: float) -> Any:  # noqa: ANN401 (a message)
        """What a net takes and gives. Raises InferenceError."""
        return self._asked(self._model_metadata, messages.ModelMetadataRequest(name=model), timeout_s)

    def infer(self, request: bytes, timeout_s: float) -> bytes:
        """One run, asked for as `tensors.request` has it, answered as `tensors.answer` reads it.

        Raises:
            InferenceError: It failed, or took too long.
        """
        return self._asked(self._model_infer, request, timeout_s)

    def look(self, model: str, timeout_s: float) -> "Look":
        """Ask beside the loop whether a net is there, and what it is."""
        ready = self._model_ready.future(messages.ModelReadyRequest(name=model), timeout=timeout_s)
        described = self._model_metadata.future(messages.ModelMetadataRequest(name=model), timeout=timeout_s)
        return Look(self, ready, described)

    def failure(self, error: Any) -> InferenceError:  # noqa: ANN401 (gRPC's)
        """What an error of gRPC's means."""
        code, status = error.code(), self._grpc.StatusCode
        words, advice = {
            status.UNAVAILABLE: ("the server {} is not there", "Start it, or empty inference.remote to run nets here."),
            status.DEADLINE_EXCEEDED: (
                "the server {} did not answer in time",
                "Raise inference.remote_timeout_ms, or run the net here.",
            ),
            status.UNIMPLEMENTED: (
                "the server {} does not speak the Open Inference Protocol",
                "Give the gRPC port of Triton, OpenVINO Model Server, MLServer or KServe.",
            ),
            status.UNAUTHENTICATED: ("the server {} asks who you are", _NAMELESS),
            status.PERMISSION_DENIED: ("the server {} refuses", _NAMELESS),
        }.get(code, ("the server {} could not do it ({}: {})", ""))
        reason = code.name.lower().replace("_", " ")
        return InferenceError(words.format(self.address, reason, _one_line(error.details())), advice=advice)

    def _asked(self, call: Any, request: Any, timeout_s: float) -> Any:  # noqa: ANN401 (gRPC's)
        try:
            return call(request, timeout=timeout_s)
        except self._grpc.RpcError as error:
            raise self.failure(error) from None
        except ValueError:
            raise InferenceError(f"the line to the server {self.address} is closed") from None


class Look:
    """Two questions under way: is the net there, and what is it?"""

    def __init__(self, line: Line, ready: Any, described: Any) -> None:  # noqa: ANN401 (gRPC's)
        self._line, self._ready, self._described = line, ready, described

    @property
    def is_over(self) -> bool:
        """Whether both are answered."""
        return self._ready.done() and self._described.done()

    def answer(self) -> Any:  # noqa: ANN401 (a message)
        """What the net is; None where it is not ready. Raises InferenceError."""
        for each in (self._ready, self._described):
            if each.code().name != "OK":
                raise self._line.failure(each)
        return self._described.result() if self._ready.result().ready else None


def _call(channel: Any, name: str) -> Any:  # noqa: ANN401 (gRPC's)
    return channel.unary_unary(
        _SERVICE + name,
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=getattr(messages, f"{name}Response").FromString,
    )


def _library() -> Any:  # noqa: ANN401 (a module)
    """The module grpc, quiet: what goes wrong is told in our words, not on stderr.

    Raises:
        ServerOpenError: It is not installed.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    try:
        return importlib.import_module("grpc")
    except ImportError:
        advice = advice_by_copy(_INSTALLED, _FROZEN)
        raise ServerOpenError("nets on a server need the package grpcio", advice=advice) from None


def _one_line(text: str | None) -> str:
    """What the other side says, harmless to show."""
    words = " ".join((text or "").split())[:160]
    return "".join(letter for letter in words if letter.isprintable()) or "no reason given"
