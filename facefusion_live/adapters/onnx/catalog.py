# pyright: basic
"""From a model's card to something that implements a port."""

import threading
from collections.abc import Collection
from pathlib import Path

from facefusion_live.adapters.onnx.detectors import BlazeFaceDetector, YuNetDetector
from facefusion_live.adapters.onnx.landmarkers import AttentionMesh
from facefusion_live.adapters.onnx.recognisers import EmbeddingNet
from facefusion_live.adapters.onnx.session import CPU, TENSORRT, NetSession
from facefusion_live.domain.errors import InferenceError, ModelCardError
from facefusion_live.domain.model_card import DecodedOutput, ModelCard, PictureFormat
from facefusion_live.domain.ports import FaceDetector, FaceLandmarker, FaceRecogniser

_DETECTORS = {"blazeface": BlazeFaceDetector, "yunet": YuNetDetector}
_LANDMARKERS = {"face_mesh_attention": AttentionMesh}
_RECOGNISERS = {"embedding": EmbeddingNet}
"""Who reads the answer, by the name of the decoder on the card."""


class Catalog:
    """The models in a folder, opened by name. Thread: any.

    A net is loaded once, however many adapters read it: ONNX Runtime's sessions can be run by several threads.

    Args:
        folder: Holds `<id>.toml` cards and the models beside them.
        tensorrt: Every net must run on TensorRT; one that cannot is an InferenceError.
    """

    def __init__(self, folder: Path, *, tensorrt: bool = False) -> None:
        self._folder = folder
        self._provider = TENSORRT if tensorrt else CPU
        self._opened: dict[str, Path] = {}
        self._nets: dict[str, NetSession] = {}
        self._loading: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    @property
    def opened(self) -> dict[str, Path]:
        """Every model opened so far, and its file."""
        return dict(self._opened)

    def card(self, model_id: str) -> ModelCard:
        """The card of a model.

        Raises:
            ModelCardError: There is none, or it does not keep to the schema.
        """
        try:
            return ModelCard.parse((self._folder / f"{model_id}.toml").read_text("utf-8"))
        except OSError as error:
            raise ModelCardError(f"there is no model {model_id!r}") from error

    def detector(self, model_id: str) -> FaceDetector:
        """A face detector. Raises ModelCardError, InferenceError."""
        card = self.card(model_id)
        picture, output = _parts(card, _DETECTORS, "face detector")
        return _DETECTORS[output.decoder](self._net(card), picture, output)

    def landmarker(self, model_id: str) -> FaceLandmarker:
        """A face mesh. Raises ModelCardError, InferenceError."""
        card = self.card(model_id)
        picture, output = _parts(card, _LANDMARKERS, "face mesh")
        return _LANDMARKERS[output.decoder](self._net(card), picture)

    def recogniser(self, model_id: str) -> FaceRecogniser:
        """A recogniser. Raises ModelCardError, InferenceError."""
        card = self.card(model_id)
        picture, output = _parts(card, _RECOGNISERS, "recogniser")
        return _RECOGNISERS[output.decoder](self._net(card), picture)

    def _net(self, card: ModelCard) -> NetSession:
        # One lock for each net: different nets are loaded side by side.
        with self._lock:
            loading = self._loading.setdefault(card.id, threading.Lock())
        with loading:
            net = self._nets.get(card.id) or self._load(card)
            self._nets[card.id] = net
        return net

    def _load(self, card: ModelCard) -> NetSession:
        path = self._folder / card.file
        if not path.is_file():
            raise InferenceError(f"the model file {card.file} is missing", advice="Install the program again.")
        self._opened[card.id] = path
        return NetSession(path, provider=self._provider)


def _parts(card: ModelCard, families: Collection[str], what: str) -> tuple[PictureFormat, DecodedOutput]:
    """What goes in and how the answer is read, of a card of one of the families."""
    picture, output = card.target, card.output
    if picture is None or not isinstance(output, DecodedOutput) or output.decoder not in families:
        raise ModelCardError(f"{card.id} is no {what} of a known family")
    return picture, output
