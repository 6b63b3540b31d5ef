# pyright: basic
"""From a model's card to something that implements a port."""

from pathlib import Path

from facefusion_live.adapters.onnx.detectors import BlazeFaceDetector, YuNetDetector
from facefusion_live.adapters.onnx.landmarkers import AttentionMesh
from facefusion_live.adapters.onnx.recognisers import EmbeddingNet
from facefusion_live.adapters.onnx.session import CPU, TENSORRT, NetSession
from facefusion_live.domain.errors import InferenceError, ModelCardError
from facefusion_live.domain.model_card import DecodedOutput, ModelCard, PictureFormat
from facefusion_live.domain.ports import FaceDetector, FaceLandmarker, FaceRecogniser

_DETECTORS = {"blazeface": BlazeFaceDetector, "yunet": YuNetDetector}


class Catalog:
    """The models in a folder, opened by name.

    Args:
        folder: Holds `<id>.toml` cards and the models beside them.
        tensorrt: Every net must run on TensorRT; one that cannot is an InferenceError.
    """

    def __init__(self, folder: Path, *, tensorrt: bool = False) -> None:
        self._folder = folder
        self._provider = TENSORRT if tensorrt else CPU

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
        output = card.output
        if not isinstance(output, DecodedOutput) or output.decoder not in _DETECTORS:
            raise ModelCardError(f"{model_id} is no face detector of a known family")
        return _DETECTORS[output.decoder](self._net(card), _picture(card), output)

    def landmarker(self, model_id: str) -> FaceLandmarker:
        """A face mesh. Raises ModelCardError, InferenceError."""
        card = self.card(model_id)
        return AttentionMesh(self._net(card), _picture(card))

    def recogniser(self, model_id: str) -> FaceRecogniser:
        """A recogniser. Raises ModelCardError, InferenceError."""
        card = self.card(model_id)
        return EmbeddingNet(self._net(card), _picture(card))

    def _net(self, card: ModelCard) -> NetSession:
        path = self._folder / card.file
        if not path.is_file():
            raise InferenceError(f"the model file {card.file} is missing", advice="Install the program again.")
        return NetSession(path, provider=self._provider)


def _picture(card: ModelCard) -> PictureFormat:
    if card.target is None:
        raise ModelCardError(f"{card.id}: the card does not say what picture goes in")
    return card.target
