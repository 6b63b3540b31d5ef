# pyright: basic
"""How a session is run: its answers lie in memory that is used again, here or on a graphics card."""

import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors  # pyright: ignore[reportAttributeAccessIssue]

from facefusion_live.domain.nets import TensorSpec

ORT_ERRORS = tuple(
    error for error in vars(ort_errors).values() if isinstance(error, type) and issubclass(error, Exception)
)
"""onnxruntime's errors share no base of their own."""
RUN_ERRORS = (RuntimeError, *ORT_ERRORS)
"""What a run may raise: with a binding it is Python's own."""
Tensors = Mapping[str, NDArray[Any]]
"""What each input is fed with, in the net's own type."""
_Form = tuple[tuple[int, ...], ...]
"""The shapes of all inputs."""
_LARGE_BYTES = 8 * 1024 * 1024
"""Answers from this size on are worth a binding; for smaller ones it costs more than it saves (docs/performance.md)."""
_KEPT = 4
"""So many sets of answers are kept for a form of input: one held by a caller, one being made, two for other threads."""


class Runs(Protocol):
    """Runs one session. Thread: any. Raises what ONNX Runtime raises."""

    def __call__(self, fed: Tensors) -> list[NDArray[Any]]:
        """All outputs. Whoever holds one of them, or a part of it, holds it unchanged."""
        ...


class _Answers:
    """One set of outputs: arrays, and a binding that has them written.

    Args:
        session: Whose.
        names: Of the outputs.
        like: What they were in a run before.
    """

    def __init__(self, session: ort.InferenceSession, names: Sequence[str], like: Sequence[NDArray[Any]]) -> None:
        self.binding = session.io_binding()
        self.arrays = [np.empty_like(answer) for answer in like]
        for index, name in enumerate(names):
            self.binding.bind_ortvalue_output(name, ort.OrtValue.ortvalue_from_numpy(self.arrays[index]))
        self._own = self._references()

    @property
    def free(self) -> bool:
        """Whether nobody else holds one of the arrays; a view holds the array that it is of."""
        return self._references() == self._own

    def _references(self) -> list[int]:
        return [sys.getrefcount(array) for array in self.arrays]


class BoundRuns:
    """Runs on the processor, with large outputs bound to memory that is used again.

    What a caller still holds is never written: references are counted, and another set is taken. The first run of a
    form of input tells how large the answers are; where they are small, or differ from run to run, nothing is bound.

    Args:
        session: The net.
        names: Its outputs.
        from_bytes: What counts as large, all outputs together.
    """

    def __init__(self, session: ort.InferenceSession, names: Sequence[str], *, from_bytes: int = _LARGE_BYTES) -> None:
        self._session, self._names, self._from_bytes = session, list(names), from_bytes
        self._kept: dict[_Form, list[_Answers]] = {}
        self._plain: set[_Form] = set()
        self._lock = threading.Lock()

    def __call__(self, fed: Tensors) -> list[NDArray[Any]]:
        """As `Runs`."""
        form = tuple(tensor.shape for tensor in fed.values())
        answers = None if form in self._plain else self._taken(form)
        if answers is None:
            return self._unbound(form, fed)
        for name, tensor in fed.items():
            answers.binding.bind_cpu_input(name, np.ascontiguousarray(tensor))
        try:
            self._session.run_with_iobinding(answers.binding)
        except RUN_ERRORS:
            # Of another size than last time, or a net that fails: run without a binding it says which.
            given = self._run(fed)
            self._plain.add(form)
            return given
        given = list(answers.arrays)  # held, before it is offered to others
        self._keep(form, answers)
        return given

    def _unbound(self, form: _Form, fed: Tensors) -> list[NDArray[Any]]:
        given = self._run(fed)
        if form not in self._plain:
            if sum(answer.nbytes for answer in given) < self._from_bytes:
                self._plain.add(form)
            else:
                self._keep(form, _Answers(self._session, self._names, given))
        return given

    def _run(self, fed: Tensors) -> list[NDArray[Any]]:
        return [np.asarray(answer) for answer in self._session.run(self._names, dict(fed))]

    def _taken(self, form: _Form) -> _Answers | None:
        with self._lock:
            kept = self._kept.get(form, [])
            free = next((each for each in kept if each.free), None)
            if free is not None:
                kept.remove(free)
            return free

    def _keep(self, form: _Form, answers: _Answers) -> None:
        with self._lock:
            kept = self._kept.setdefault(form, [])
            kept.append(answers)
            del kept[:-_KEPT]  # what is held for long lives with whoever holds it


class CardRuns:
    """Runs on a graphics card, with inputs and outputs at the same places of its memory every time.

    That is what a CUDA graph wants: it is recorded once, and replayed over them. All users of the session share these
    places, so they wait for each other.

    Args:
        session: The net; all its shapes are known.
        inputs: What it takes.
        outputs: What it gives.
        device: Where the memory lies, as ONNX Runtime calls it.
    """

    def __init__(
        self,
        session: ort.InferenceSession,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        device: str = "cuda",
    ) -> None:
        self._session, self._binding, self._specs = session, session.io_binding(), tuple(inputs)
        self._inputs = {spec.name: _room(spec, device) for spec in inputs}
        self._outputs = [_room(spec, device) for spec in outputs]
        for name, room in self._inputs.items():
            self._binding.bind_ortvalue_input(name, room)
        for spec, room in zip(outputs, self._outputs, strict=True):
            self._binding.bind_ortvalue_output(spec.name, room)
        self._lock = threading.Lock()

    def __call__(self, fed: Tensors) -> list[NDArray[Any]]:
        """As `Runs`; the answers are the caller's own."""
        with self._lock:
            for name, tensor in fed.items():
                self._inputs[name].update_inplace(np.ascontiguousarray(tensor))
            self._session.run_with_iobinding(self._binding)
            return [np.array(room.numpy()) for room in self._outputs]

    def noise(self, seed: int) -> Tensors:
        """Numbers of which the net has never heard."""
        rng = np.random.default_rng(seed)
        return {spec.name: rng.uniform(0, 1, _lengths(spec)).astype(spec.dtype) for spec in self._specs}


def replays(runs: CardRuns) -> bool:
    """Whether a session that records itself gives the same answers when it is replayed, and not those of before.

    The first run is an ordinary one, the second is recorded, and the third replays it.
    """
    first, other = runs.noise(1), runs.noise(2)
    answered, _, again = runs(first), runs(other), runs(first)
    return all(np.allclose(a, b, rtol=1e-2, atol=1e-3) for a, b in zip(answered, again, strict=True))


def whole(specs: Sequence[TensorSpec]) -> bool:
    """Whether all shapes are known: only then places in memory can be given out once."""
    return all(length is not None for spec in specs for length in spec.shape)


def _room(spec: TensorSpec, device: str) -> ort.OrtValue:
    return ort.OrtValue.ortvalue_from_shape_and_type(_lengths(spec), spec.dtype.type, device, 0)


def _lengths(spec: TensorSpec) -> list[int]:
    return [length or 1 for length in spec.shape]
