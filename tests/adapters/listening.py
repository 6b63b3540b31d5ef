"""Nets that tell what they were fed: given to the program as a server of nets, a port of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from facefusion_live.domain.model_card import ModelCard
from facefusion_live.domain.nets import TensorSpec

_DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}


class HeardNet:
    """Runs a graph as it is, with nothing of ours between, and keeps what it was fed."""

    provider = "CPUExecutionProvider"

    def __init__(self, path: Path) -> None:
        options = ort.SessionOptions()
        options.log_severity_level = 4
        self._session = ort.InferenceSession(str(path), options, providers=[self.provider])
        self.inputs = tuple(
            TensorSpec(
                node.name,
                tuple(edge if isinstance(edge, int) else None for edge in node.shape),
                np.dtype(_DTYPES[node.type]),
            )
            for node in self._session.get_inputs()
        )
        self.fed: list[tuple[NDArray[Any], ...]] = []

    @property
    def output_names(self) -> Sequence[str]:
        return [node.name for node in self._session.get_outputs()]

    def fall_back(self) -> bool:
        return False

    def run(self, *tensors: NDArray[Any]) -> list[NDArray[np.float32]]:
        self.fed.append(tuple(tensor.copy() for tensor in tensors))
        specs = zip(self.inputs, tensors, strict=True)
        answers = self._session.run(None, {spec.name: tensor.astype(spec.dtype) for spec, tensor in specs})
        return [np.asarray(answer, np.float32) for answer in answers]


class Listener:
    """Runs every net whose file lies in a folder.

    Attributes:
        nets: What was opened, in order.
    """

    served: Mapping[str, Mapping[str, object]] = {}

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.nets: list[HeardNet] = []

    def takes(self, card: ModelCard) -> bool:
        return (self._folder / card.file).exists()

    def has(self, card: ModelCard) -> bool:
        return self.takes(card)

    def net(self, card: ModelCard) -> HeardNet:
        self.nets.append(HeardNet(self._folder / card.file))
        return self.nets[-1]
