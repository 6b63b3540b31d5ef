# pyright: basic
"""A net that runs on a server, with the face of one that runs here."""

import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.remote import tensors as travelling
from facefusion_live.adapters.remote.line import Line, Look
from facefusion_live.domain.errors import InferenceError, ServerOpenError
from facefusion_live.domain.nets import TensorSpec

_BACKOFF_S = (0.1, 0.2, 0.5, 1.0, 2.0)
"""How long a server that failed is left alone, after the first failure, the second, …"""
_LOOK_S = 2.0
"""How long it may take to say that it is back; nobody waits for that."""
_POLL_S = 0.02
_LOST_AT = 2
"""Failures in a row that are more than one late answer."""


@dataclass(frozen=True, slots=True)
class Described:
    """What a server says of a net.

    Attributes:
        inputs: What it takes, in its own order.
        outputs: Names of what it gives.
        versions: Those that it has, as it calls them.
        digest: SHA-256 of name, platform, inputs and outputs.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[str, ...]
    versions: tuple[str, ...]
    digest: str

    @classmethod
    def read(cls, message: Any) -> "Described":  # noqa: ANN401 (a message)
        """From the answer to ModelMetadata. Raises InferenceError where the net takes what cannot be sent."""
        told = [message.name, message.platform]
        told += [f"{each.name} {each.datatype} {list(each.shape)}" for each in (*message.inputs, *message.outputs)]
        return cls(
            tuple(travelling.spec(each) for each in message.inputs),
            tuple(each.name for each in message.outputs),
            tuple(message.versions),
            hashlib.sha256("\n".join(told).encode()).hexdigest(),
        )


_TURNS_S = 10.0
"""How often at most one version is told of."""


class Witness:
    """Is told what becomes of a net on a server; this one forgets it. Thread: whoever runs the net."""

    def version(self, version: str) -> None:
        """Which version computes: at the first run, and when it is another one."""

    def waited(self, spent_ns: int) -> None:
        """A wait for the server is over."""

    def lost(self, why: str) -> None:
        """Runs fail, and not just one."""

    def back(self) -> None:
        """Runs that had failed do not fail any more."""


class RemoteNet:
    """One net on a server. Thread: any.

    Each run has a deadline. After one that failed the server is left alone for a while, then asked beside the loop
    whether the net is there again; until it is, runs fail at once and cost nothing: the gate is shut meanwhile. Where
    every frame counts, the first run that fails waits for that instead, and tries again.

    Args:
        line: To the server.
        model: What the net is called there.
        described: What the server says of it.
        timeout_s: How long one run may take.
        patience_s: How long a server that is lost is waited for, once until it is back; 0 to wait for nothing.
        witness: Is told what becomes of it.
    """

    def __init__(
        self,
        line: Line,
        model: str,
        described: Described,
        *,
        timeout_s: float,
        patience_s: float = 0.0,
        witness: Witness | None = None,
    ) -> None:
        self._line, self._model = line, model
        self._described, self._timeout_s, self._patience_s = described, timeout_s, patience_s
        self._witness = witness or Witness()
        self._version: str | None = None
        self._versions: dict[str, float] = {}
        self._lock = threading.Lock()
        self._look: Look | None = None
        self._away, self._failures, self._again_s, self._lost_s = "", 0, 0.0, 0.0

    @property
    def provider(self) -> str:
        """What really runs the net."""
        return f"server {self._line.address}"

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What the net takes, in its own order."""
        return self._described.inputs

    @property
    def output_names(self) -> Sequence[str]:
        """Names of the outputs, in the order in which `run` gives them."""
        return self._described.outputs

    def fall_back(self) -> bool:
        """Never: how the net computes is the server's business."""
        return False

    def run(self, *tensors: NDArray[Any]) -> list[NDArray[np.float32]]:
        """All outputs for one run, as `Net.run`."""
        asked = travelling.request(self._model, self.inputs, self.output_names, tensors)
        while True:
            try:
                with self._lock:
                    self._be_there()
                return self._run(asked, self._timeout_s)
            except InferenceError:
                if time.monotonic() >= self._lost_s + self._patience_s:
                    raise
            time.sleep(_POLL_S)

    def warm(self, timeout_s: float) -> None:
        """Run once on zeros, where all lengths are known: a net's first run takes its time.

        Raises:
            ServerOpenError: The net does not run there, or not as it says.
        """
        shapes = [_whole(each.shape) for each in self.inputs]
        try:
            if None not in shapes:
                zeros = [np.zeros(shape or (), each.dtype) for shape, each in zip(shapes, self.inputs, strict=True)]
                self._run(travelling.request(self._model, self.inputs, self.output_names, zeros), timeout_s)
        except InferenceError as error:
            advice = error.advice or "Look into the server's log."
            raise ServerOpenError(f"{self._model} does not run there: {error}", advice=advice) from None

    def _run(self, asked: bytes, timeout_s: float) -> list[NDArray[np.float32]]:
        begun_ns = time.monotonic_ns()
        try:
            answer = travelling.answer(self._line.infer(asked, timeout_s), self.output_names)
        except InferenceError as error:
            with self._lock:
                self._leave_alone(str(error))
            raise
        finally:
            self._witness.waited(time.monotonic_ns() - begun_ns)
        with self._lock:
            failures, self._failures = self._failures, 0
            is_news = self._is_news(answer.version)
        if failures >= _LOST_AT:
            self._witness.back()
        if is_news:
            self._witness.version(answer.version)
        return answer.tensors

    def _is_news(self, version: str) -> bool:
        """Whether another version computes than was told last; of versions that take turns it rarely is news."""
        now_s = time.monotonic()
        known = self._versions.get(version)
        if version == self._version or (known is not None and now_s < known + _TURNS_S):
            return False
        self._version = version
        self._versions[version] = now_s
        return True

    def _be_there(self) -> None:
        """Nothing where the server is there; else look whether it is back, and wait for nothing."""
        if not self._away:
            return
        if self._look is None:
            if time.monotonic() < self._again_s:
                raise self._gone()
            self._look = self._line.look(self._model, _LOOK_S)
        if not self._look.is_over:
            raise self._gone()
        look, self._look = self._look, None
        try:
            self._take_up(look.answer())
        except InferenceError as error:
            self._leave_alone(str(error))
            raise
        self._away = ""

    def _take_up(self, message: Any) -> None:  # noqa: ANN401 (a message)
        if message is None:
            raise InferenceError(f"the server {self._line.address} is there, but {self._model} is not ready")
        if Described.read(message).digest != self._described.digest:
            raise InferenceError(f"the server {self._line.address} came back with another {self._model}")

    def _leave_alone(self, why: str) -> None:
        now_s = time.monotonic()
        if not self._failures:
            self._lost_s = now_s
        self._again_s = now_s + _BACKOFF_S[min(self._failures, len(_BACKOFF_S) - 1)]
        self._away, self._failures = why, self._failures + 1
        if self._failures == _LOST_AT:
            self._witness.lost(why)

    def _gone(self) -> InferenceError:
        return InferenceError(f"{self._away}; it is asked again by itself")


def _whole(shape: tuple[int | None, ...]) -> tuple[int, ...] | None:
    """A shape with one picture in the batch; None where another length is open."""
    lengths = (shape[0] or 1, *shape[1:]) if shape else ()
    return None if None in lengths else lengths  # pyright: ignore[reportReturnType]
