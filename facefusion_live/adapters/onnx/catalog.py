# pyright: basic
"""From a model's card to something that implements a port."""

import logging
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal
from weakref import WeakValueDictionary

from facefusion_live.adapters.onnx import pins
from facefusion_live.adapters.onnx.container import read_graph
from facefusion_live.adapters.onnx.content import NudityNet
from facefusion_live.adapters.onnx.detectors import BlazeFaceDetector, YuNetDetector
from facefusion_live.adapters.onnx.enhancers import EnhancerNet
from facefusion_live.adapters.onnx.grid_detectors import DistanceDetector, PriorDetector, RowDetector
from facefusion_live.adapters.onnx.hands import HandNet, PalmNet
from facefusion_live.adapters.onnx.identity import (
    Crop,
    EmbeddingIdentity,
    IdentityMaker,
    PictureIdentity,
    Projection,
    by_matrix,
    by_net,
    unchanged,
)
from facefusion_live.adapters.onnx.initialisers import last_initialiser
from facefusion_live.adapters.onnx.landmarkers import AttentionMesh, PlainMesh
from facefusion_live.adapters.onnx.likeness import Likeness
from facefusion_live.adapters.onnx.maskers import MaskNet
from facefusion_live.adapters.onnx.person_swapper import PersonSwapper
from facefusion_live.adapters.onnx.point_finders import COUNTS, PointNet
from facefusion_live.adapters.onnx.providers import NAMES, Wanted, best, reason_against
from facefusion_live.adapters.onnx.recognisers import EmbeddingNet
from facefusion_live.adapters.onnx.session import CPU, NetSession
from facefusion_live.adapters.onnx.swappers import OneShotSwapper
from facefusion_live.adapters.onnx.tiled import TiledEnhancer
from facefusion_live.domain.errors import InferenceError, ModelCardError, ModelMissingError, ModelUnfitError
from facefusion_live.domain.model_card import DecodedOutput, ModelCard, PictureFormat, Task
from facefusion_live.domain.nets import Net, NetServer
from facefusion_live.domain.ports import (
    ContentJudge,
    FaceDetector,
    FaceEnhancer,
    FaceLandmarker,
    FaceRecogniser,
    FaceSwapper,
    HandLandmarker,
    MaskMaker,
    PalmDetector,
    PointFinder,
    RegionPainter,
)

_DETECTORS = {
    "blazeface": BlazeFaceDetector,
    "yunet": YuNetDetector,
    "anchor_distances": DistanceDetector,
    "prior_boxes": PriorDetector,
    "yolov5_face": RowDetector,
    "yolov8_face": RowDetector,
}
_LANDMARKERS = {"face_mesh_attention": AttentionMesh, "face_mesh": PlainMesh}
_RECOGNISERS = {"embedding": EmbeddingNet}
_PALMS = {"palm": PalmNet}
_HANDS = {"hand_landmarks": HandNet}
_JUDGES = {"nudity": NudityNet}
"""Who reads the answer, by the name of the decoder on the card."""
MaskDecoder = Literal["occlusion", "parsing"]
_MASKERS: dict[MaskDecoder, str] = {"occlusion": "occlusion net", "parsing": "face parser"}
"""What mask nets are called, by the decoder on the card."""


log = logging.getLogger("facefusion_live.inference")

_ENGINES = "tensorrt"
"""Folder for what TensorRT built, in the user's."""


class Catalog:
    """The models in some folders, opened by name. Thread: any.

    A net is loaded once, however many adapters read it: ONNX Runtime's sessions can be run by several threads. It goes
    with the last of them: an engine that was switched away from must not fill a graphics card.

    Args:
        folders: Each holds `<id>.toml` cards and models; a model's file may lie in another of them than its card.
            The first that has a name wins.
        provider: What every net must run on; one that cannot is an InferenceError. Only a built-in net of which it
            lacks an operator runs on the processor, and `skipped` says so. With "auto" the built-in nets, which are
            small, run on the processor, and those of the user on the first provider that works.
        server: Runs the nets that it takes; one that it does not have is an error, and does not run here instead.
    """

    def __init__(self, *folders: Path, provider: Wanted = "auto", server: NetServer | None = None) -> None:
        self._folders, self._server = folders, server
        self._wanted: Wanted = provider
        self._skipped: Mapping[str, str] = {}
        self._stayed: dict[str, str] = {}
        self._opened: dict[str, Path] = {}
        self._nets: WeakValueDictionary[tuple[object, ...], Net] = WeakValueDictionary()
        self._loading: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    @property
    def opened(self) -> dict[str, Path]:
        """Every model opened on this machine so far, and its file."""
        return dict(self._opened)

    @property
    def skipped(self) -> dict[str, str]:
        """Which providers were tried and not taken, and why, for all nets or for one. Empty before nets are loaded."""
        return dict(self._skipped) | self._stayed

    def __contains__(self, model_id: str) -> bool:
        """Whether there is a card of that name, readable or not."""
        return self._find(f"{model_id}.toml") is not None

    def card(self, model_id: str) -> ModelCard:
        """The card of a model.

        Raises:
            ModelCardError: There is none, or it does not keep to the schema.
        """
        card = ModelCard.parse(self.text(model_id))
        if card.id != model_id:
            raise ModelCardError(
                f"the card {model_id}.toml is that of {card.id!r}", advice="Call the file as the model is called in it."
            )
        return card

    def text(self, model_id: str) -> str:
        """The card of a model as it is written.

        Raises:
            ModelCardError: There is none, or it cannot be read.
        """
        path = self._find(f"{model_id}.toml")
        try:
            text = None if path is None else path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ModelCardError(f"the card of {model_id} cannot be read") from error
        if text is None:
            raise ModelCardError(f"there is no model {model_id!r}", advice="See: facefusion-live models list")
        return text

    def known(self, task: Task) -> tuple[str, ...]:
        """Every model of a task that there is a card for, by name. Cards that cannot be read are passed over."""
        return tuple(card.id for card in self._cards() if card.task == task)

    def ready(self, task: Task) -> tuple[str, ...]:
        """Those of `known` whose own file is there, and the files of the models that they need.

        Of nets that run on a server the server is asked; it may take its time.

        Raises:
            InferenceError: It cannot be asked.
        """
        return tuple(card.id for card in self._cards() if card.task == task and not self._lacks(card))

    def cards(self) -> tuple[ModelCard, ...]:
        """Every card that can be read, by name."""
        return tuple(self._cards())

    def unreadable(self) -> dict[str, str]:
        """What is wrong with the cards that cannot be read, by name."""
        wrong: dict[str, str] = {}
        for model_id in self._names():
            try:
                self.card(model_id)
            except ModelCardError as error:
                wrong[model_id] = str(error)
        return wrong

    def file(self, card: ModelCard) -> Path | None:
        """Where the file of a model lies; None when it is not there."""
        return self._find(card.file)

    def person(self, model_id: str) -> Path | None:
        """The file of a model that draws one person; None for all others, and where there is no such model.

        Raises:
            ModelMissingError: It is not there.
            ModelChangedError: It is not the one that came.
        """
        try:
            card = self.card(model_id)
        except ModelCardError:
            return None
        if not card.is_person:
            return None
        file = self._file(card)
        pins.check(card, file)  # before anybody asks whose consent that is
        return file

    def _names(self) -> list[str]:
        return sorted({path.stem for folder in self._folders for path in folder.glob("*.toml")})

    def _cards(self) -> Iterator[ModelCard]:
        for model_id in self._names():
            with suppress(ModelCardError):
                yield self.card(model_id)

    def _lacks(self, card: ModelCard) -> bool:
        try:
            needed = [card, *(self.card(model_id) for model_id in card.needs)]
        except ModelCardError:
            return True
        return any(not self._there(each) for each in needed)

    def _there(self, card: ModelCard) -> bool:
        if self._server is not None and self._server.takes(card):
            return self._server.has(card)
        return self._find(card.file) is not None

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

    def point_finder(self, model_id: str) -> PointFinder:
        """A landmarker that gives points, no mesh. Raises ModelCardError, InferenceError."""
        card = self.card(model_id)
        picture, output = _parts(card, COUNTS, "landmarker")
        return PointNet(self._net(card), picture, output, card.crop)

    def recogniser(self, model_id: str) -> FaceRecogniser:
        """A recogniser. Raises ModelCardError, InferenceError."""
        return self._embedding_net(model_id)

    def content_judge(self, model_id: str) -> ContentJudge:
        """What judges scenes. Raises ModelCardError, InferenceError."""
        card = self.card(model_id)
        picture, output = _parts(card, _JUDGES, "judge of scenes")
        return _JUDGES[output.decoder](self._net(card), picture)

    def palm_detector(self, model_id: str) -> PalmDetector:
        """What finds palms. Raises ModelCardError, InferenceError."""
        card = self.card(model_id)
        picture, output = _parts(card, _PALMS, "palm detector")
        return _PALMS[output.decoder](self._net(card), picture, output)

    def hand_landmarker(self, model_id: str) -> HandLandmarker:
        """What finds the points of hands. Raises ModelCardError, InferenceError."""
        card = self.card(model_id)
        picture, output = _parts(card, _HANDS, "hand landmarker")
        return _HANDS[output.decoder](self._net(card), picture)

    def swapper(self, model_id: str, crop: Crop, regions: RegionPainter) -> FaceSwapper:
        """A neural swapper with all that its card says it needs.

        Args:
            model_id: Name of the card.
            crop: Samples crops from pictures.
            regions: Draws the signed distances of patches.

        Raises:
            ModelCardError: There is no such card, or it is no swapper's, or it does not fit its graph.
            InferenceError: A net cannot be loaded.
        """
        card = self.card(model_id)
        if card.identity is None:
            raise ModelCardError(f"{card.id} is no swapper of a known family")
        if card.is_person:
            return PersonSwapper(card, self._net(card), crop, regions)
        net, identity = self._net(card), self._identity(card, crop)
        likeness = Likeness(identity) if card.identity.mix and isinstance(identity, EmbeddingIdentity) else None
        return OneShotSwapper(card, net, identity, likeness, crop, regions)

    def enhancer(self, model_id: str) -> FaceEnhancer:
        """An enhancer. Raises ModelCardError, InferenceError."""
        card = self.card(model_id)
        if card.task != "enhancer":
            raise ModelCardError(f"{card.id} is no enhancer of a known family")
        return (EnhancerNet if card.tiles is None else TiledEnhancer)(card, self._net(card))

    def masker(self, model_id: str, decoder: MaskDecoder) -> MaskMaker:
        """A mask net of the kind asked for. Raises ModelCardError, InferenceError."""
        card = self.card(model_id)
        picture, output = _parts(card, (decoder,), _MASKERS[decoder])
        return MaskNet(card.id, self._net(card), picture, output)

    def _identity(self, card: ModelCard, crop: Crop) -> IdentityMaker:
        identity = card.identity
        if identity is not None and identity.picture is not None:
            return PictureIdentity(identity.picture, crop)
        if identity is None or identity.recogniser is None:
            raise ModelCardError(f"{card.id} does not say how it is told whom to draw")
        recogniser = self._embedding_net(identity.recogniser)
        return EmbeddingIdentity(recogniser, crop, self._projection(card, identity.project), identity.normalise)

    def _projection(self, card: ModelCard, project: str) -> Projection:
        if not project:
            return unchanged
        if project == "initialiser":
            return by_matrix(last_initialiser(self._file(card)))
        return by_net(self._net(self.card(project)))

    def _embedding_net(self, model_id: str) -> EmbeddingNet:
        card = self.card(model_id)
        picture, output = _parts(card, _RECOGNISERS, "recogniser")
        return _RECOGNISERS[output.decoder](self._net(card), picture)

    def _net(self, card: ModelCard) -> Net:
        # One lock for each net: different nets are loaded side by side.
        with self._lock:
            loading = self._loading.setdefault(card.id, threading.Lock())
        with loading:
            # By its file as it is now: one that was exchanged is loaded, whoever still holds the net of before.
            file = self._find(card.file)
            name = (card.id, file, pins.stamp(file) if file else None)
            net = self._nets.get(name) or self._load(card)
            self._nets[name] = net
        return net

    def _load(self, card: ModelCard) -> Net:
        if self._server is not None and self._server.takes(card):
            return self._server.net(card)
        path = self._file(card)
        pins.check(card, path)
        self._opened[card.id] = path
        brought = card.origin is None
        if brought:
            read_graph(path)  # a file that was put here by hand may lead to others, or claim what it does not hold
        provider = self._provider(card)
        try:
            net = NetSession(path, provider=provider, engines=self._folders[0] / _ENGINES, brought=brought)
        except ModelUnfitError:
            raise
        except InferenceError as error:
            why = "" if provider == CPU else reason_against(provider)
            raise (InferenceError(f"{error}: {why}", advice=error.advice) if why else error) from error
        if provider == CPU:
            return net
        try:
            net.warm()  # before anybody waits for a picture
        except InferenceError as error:
            if brought:
                raise
            # CUDA knows no weights that are quantised in blocks, as the recogniser's are (docs/performance.md).
            self._stayed[f"{self._wanted} for {card.id}"] = f"it does not run there ({error})"
            log.warning("%s does not run on %s: it runs on the processor", card.id, provider)
            return NetSession(path)
        log.info("%s runs on %s", card.id, net.provider)
        return net

    def _provider(self, card: ModelCard) -> str:
        if self._wanted != "auto":
            return NAMES[self._wanted]
        if card.origin is not None:
            return CPU
        chosen = best()
        self._skipped = chosen.skipped
        return chosen.provider

    def _file(self, card: ModelCard) -> Path:
        path = self._find(card.file)
        if path is None:
            raise ModelMissingError(f"the model file {card.file} is missing", advice=_how_to_get(card))
        return path

    def _find(self, name: str) -> Path | None:
        return next((folder / name for folder in self._folders if (folder / name).is_file()), None)


def _how_to_get(card: ModelCard) -> str:
    if card.urls:
        return f"Fetch it: facefusion-live models pull {card.id}"
    return "Install the program again." if card.origin else "Take it in: facefusion-live models add FILE"


def _parts(card: ModelCard, families: Collection[str], what: str) -> tuple[PictureFormat, DecodedOutput]:
    """What goes in and how the answer is read, of a card of one of the families."""
    picture, output = card.target, card.output
    if picture is None or not isinstance(output, DecodedOutput) or output.decoder not in families:
        raise ModelCardError(f"{card.id} is no {what} of a known family")
    return picture, output
