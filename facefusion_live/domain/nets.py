"""What runs a net, on this machine or on another one; the adapters of a model ask no further."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.model_card import ModelCard


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input of a net.

    Attributes:
        name: As the net calls it.
        shape: Edges; None where any length goes.
        dtype: What it is fed with.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]


class Net(Protocol):
    """One net, ready to run. Thread: any."""

    @property
    def provider(self) -> str:
        """What really runs it: the name of an ONNX Runtime provider, or "server HOST:PORT"."""
        ...

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What it takes, in its own order."""
        ...

    @property
    def output_names(self) -> Sequence[str]:
        """Names of the outputs, in the order in which `run` gives them."""
        ...

    def fall_back(self) -> bool:
        """Run it in single precision from now on, if anything in it is half and that can be changed here.

        Raises:
            InferenceError: It cannot be loaded so.
        """
        ...

    def run(self, *tensors: NDArray[Any]) -> list[NDArray[np.float32]]:
        """All outputs for one run.

        Args:
            tensors: One per input, in the order of `inputs`; brought to the type that the net asks for.

        Returns:
            The outputs in the order of `output_names`; half-precision ones as float32.

        Raises:
            InferenceError: It failed, or nothing runs it just now.
            ValueError: Too few or too many tensors.
        """
        ...


class NetServer(Protocol):
    """Runs nets elsewhere. Thread: any."""

    def takes(self, card: ModelCard) -> bool:
        """Whether nets like this one run there, and so never here. Asks nobody."""
        ...

    def has(self, card: ModelCard) -> bool:
        """Whether the net is ready there.

        Raises:
            InferenceError: The server cannot be asked.
        """
        ...

    def net(self, card: ModelCard) -> Net:
        """The net, having run once.

        Raises:
            ServerOpenError: The server is not there, not to be trusted, or has no such net.
        """
        ...

    @property
    def served(self) -> Mapping[str, Mapping[str, object]]:
        """What is known of who computes, by model, for the record: of every net opened so far."""
        ...
