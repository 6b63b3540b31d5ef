"""The nets and the engines: which there are, and the stages of inference made of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.mesh_swap import MeshSwapper
from facefusion_live.adapters.mesh_swap.warp import Warper
from facefusion_live.adapters.occlusion import FaceAnchors, FaceContents, FaceGlasses, FaceOccluders
from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.onnx.providers import WANTED, Wanted
from facefusion_live.adapters.render_cpu import CpuCompute
from facefusion_live.app.environment import Home, resource
from facefusion_live.app.portraits import Source, in_model
from facefusion_live.domain.consent import Consent
from facefusion_live.domain.errors import BadInputError, HalfPrecisionError, InferenceError, ModelUnfitError
from facefusion_live.domain.image import Frame
from facefusion_live.domain.nets import NetServer
from facefusion_live.domain.ports import Buffers, Compute, FaceRecogniser, FaceSwapper, MaskMaker, Portrait
from facefusion_live.domain.recognition import BOUNDS, SFACE, USUAL_BOUNDS, Roster
from facefusion_live.domain.settings import NO_ENHANCER, NO_MASK, Settings
from facefusion_live.engine.anchoring import AnchorStage
from facefusion_live.engine.drifting import DriftStage
from facefusion_live.engine.hands import HandWatch
from facefusion_live.engine.identify import IdentifyStage
from facefusion_live.engine.likeness import Likeness
from facefusion_live.engine.memory import PatchMemory
from facefusion_live.engine.occluding import GlassesStage, HandStage, OccludeStage
from facefusion_live.engine.persons import NOBODY
from facefusion_live.engine.pipeline import Row, Stage
from facefusion_live.engine.session import Aside
from facefusion_live.engine.stages import (
    ChooseStage,
    DetectStage,
    EnhanceStage,
    LandmarkFinder,
    LookStage,
    MaskStage,
    Outfit,
    RefineStage,
    SwapStage,
    TrackStage,
)
from facefusion_live.engine.tracks import FaceTracks

BUILT_IN_ENGINE = "mesh"
"""The engine that needs no model of the user's."""
_LEAST_SPREAD = 1.0
"""Levels: what spreads less is no picture of a face."""
_ANOTHER_FILE = "Fetch the model again, or use the publisher's own file."
STAND_IN = "ada"
"""Whose picture an engine is tried on where there is no source picture: a built-in face."""

LANDMARKER = "face_mesh_attention"
PLAIN_LANDMARKER = "face_mesh"
"""Follows faces where `track.refined` is off."""
MESH = "mesh"
"""What `track.landmarker` says where the mesh's own points serve."""
PALMS, HANDS = "palm_detection_lite", "hand_landmark_lite"
RECOGNISER = SFACE
ARCFACE = "arcface_w600k_r50"
"""Tells people apart better, and cannot ship."""
AUTO = "auto"
JUDGE = "open_nsfw"
"""What looks at scenes."""
DETECTORS = ("blazeface_full", "blazeface_short", "yunet_2023mar")
"""What `detect.model = auto` asks in turn."""
_PORTRAIT_DETECTORS = ("blazeface_short", "blazeface_full", "yunet_2023mar")
"""What source pictures are searched with: nearest faces first, and every net, lest a second face is missed."""


def open_catalog(provider: str = "auto", server: NetServer | None = None) -> Catalog:
    """The user's models and cards first, so that a card of theirs may replace one of ours; then those that ship.

    Args:
        provider: What nets run on, as the setting `inference.provider`.
        server: Runs the nets that it takes.
    """
    named: dict[str, Wanted] = {each: each for each in WANTED}
    wanted = named.get(provider, "auto")
    user = Home.from_environment().models
    return Catalog(user, resource("resources/models"), resource("resources/cards"), provider=wanted, server=server)


def open_judges(provider: str = "auto") -> Catalog:
    """The nets that judge scenes: only ours. A card of the user's that calls all harmless would be a switch unseen."""
    named: dict[str, Wanted] = {each: each for each in WANTED}
    return Catalog(resource("resources/models"), provider=named.get(provider, "auto"))


def recogniser_of(settings: Settings, catalog: Catalog) -> str:
    """Which net tells who faces are.

    Raises:
        BadInputError: There is no card of that name.
    """
    wanted = settings.track.recogniser
    if wanted == AUTO:
        brought = ARCFACE in catalog.known("recogniser") and catalog.file(catalog.card(ARCFACE)) is not None
        return ARCFACE if brought else RECOGNISER
    if wanted not in catalog.known("recogniser"):
        known = ", ".join(catalog.known("recogniser"))
        raise BadInputError(f"there is no recogniser {wanted!r}", advice=f"Recognisers: {known}.")
    return wanted


def engines(catalog: Catalog) -> tuple[str, ...]:
    """Every engine that could run now: the built-in one, and the swappers whose files are there, or on the server.

    Raises:
        InferenceError: The server cannot be asked.
    """
    return (BUILT_IN_ENGINE, *catalog.ready("swapper"))


def make_engine(name: str, catalog: Catalog, compute: Compute) -> FaceSwapper:
    """An engine by its name.

    Raises:
        BadInputError: There is none of that name.
        ModelMissingError: Its files are not there.
    """
    if name == BUILT_IN_ENGINE:
        return MeshSwapper()
    if name in catalog:
        catalog.card(name)  # one that cannot be read says why
    if name not in catalog.known("swapper"):
        there = (BUILT_IN_ENGINE, *catalog.ready("swapper"))
        raise BadInputError(f"there is no engine {name!r}", advice=f"Engines: {', '.join(there)}.")
    return catalog.swapper(name, compute.crop, Warper())


def own_face(name: str, catalog: Catalog, consent: Consent | None) -> Source | None:
    """The face that an engine brings along; None for one that draws whoever is in the source pictures.

    Args:
        name: The engine.
        catalog: Knows its card.
        consent: What the user says of that face.

    Raises:
        ModelMissingError: Its file is not there.
        SourceFaceError: Its file cannot be read.
    """
    file = catalog.person(name)
    return None if file is None else in_model(file, name, consent)


def try_on(outfit: Outfit, portrait: Portrait, settings: Settings) -> None:
    """Swap one picture that nobody sees: a net takes its time at the first run, and tells there whether it works.

    Raises:
        InferenceError: It does not.
        ModelUnfitError: It paints no face.
    """
    patches = PatchMemory(jobs=1)
    patches.fit(settings)
    swap = partial(outfit.swapper.swap, Frame(0, 0, 0.0, portrait.image), portrait.face, 0, outfit.source, settings)
    try:
        try:
            patch = swap(patches)
        except HalfPrecisionError:
            patch = swap(patches)  # in single precision, now
        plain = float(patch.swap.host().std()) < _LEAST_SPREAD
        for image in patch.images():
            image.release()
        if plain:
            raise ModelUnfitError(f"{outfit.swapper.name} paints one colour, no face", advice=_ANOTHER_FILE)
    except InferenceError as error:
        if error.advice:
            raise
        raise ModelUnfitError(f"{outfit.swapper.name} cannot be used: {error}", advice=_ANOTHER_FILE) from error
    finally:
        patches.close()


def face_finding(catalog: Catalog, compute: Compute) -> Callable[[], list[Stage]]:
    """What makes fresh stages that find the faces in a picture."""
    landmarker = catalog.landmarker(LANDMARKER)
    detectors = [catalog.detector(model) for model in _PORTRAIT_DETECTORS]

    def stages() -> list[Stage]:
        tracks, finder = FaceTracks(), LandmarkFinder(landmarker, compute)
        found: list[Stage] = []
        for look in [LookStage(detector, compute) for detector in detectors]:
            found += look, DetectStage(tracks, look, (), compute), ChooseStage(tracks, finder, look.settled)
        return found

    return stages


@dataclass(frozen=True, slots=True, eq=False)
class Inference:
    """The nets and the engine, ready to make stages.

    Attributes:
        catalog: The nets.
        compute: Makes the crops.
        worn: Engine and source faces in force.
        settings: At the start.
        known: Whom the user has enrolled, as a recogniser saw them.
        dress: Gives people enrolled the faces that settings map to them; returns the pictures.
    """

    catalog: Catalog
    compute: CpuCompute
    worn: Callable[[], Outfit]
    settings: Settings
    known: Callable[[str], Roster] = lambda _recogniser: NOBODY
    dress: Callable[[Settings], tuple[Source, ...]] = lambda _settings: ()

    def stages(self, buffers: Buffers, aside: Aside | None = None) -> Sequence[Row]:
        """The stages of inference.

        Who the faces are is asked beside the loop; where nobody works there, on the spot, if the settings depend on it.
        """
        recogniser = recogniser_of(self.settings, self.catalog)
        tracks = FaceTracks(partial(self.known, recogniser))
        finder, other = self._landmark_finder(), self._landmark_finder()
        chosen = self.settings.detect.model
        detectors = [self.catalog.detector(model) for model in (DETECTORS if chosen == "auto" else (chosen,))]
        look = LookStage(detectors[0], self.compute)
        found: tuple[Row, ...] = (
            (TrackStage(tracks, finder, other), look),
            DetectStage(tracks, look, detectors[1:], self.compute),
            ChooseStage(tracks, finder, look.settled),
        )
        if self.settings.track.landmarker != MESH:
            refined = RefineStage(self.catalog.point_finder(self.settings.track.landmarker), self.compute)
            found = (*found, refined)
        if self.settings.swap.occluder == NO_MASK:
            found = (*found, HandStage(self._hands(aside or _at_once)))
        net = OnDemand(lambda: self.catalog.recogniser(recogniser))
        likeness = Likeness(net, self.compute, aside or _at_once)
        bounds = BOUNDS.get(recogniser, USUAL_BOUNDS)
        found = (*found, AnchorStage(FaceAnchors(), tracks), DriftStage(FaceContents(), likeness, bounds, tracks))
        swap = SwapStage(self.worn, buffers)
        made: tuple[Stage, ...] = (swap,)
        if self.settings.swap.enhancer != NO_ENHANCER:
            made = (swap, EnhanceStage(self.catalog.enhancer(self.settings.swap.enhancer), buffers))
        if masks := self._mask_nets():
            made = (*made, MaskStage(masks, self.compute))
        # Before hands: what they may take is so much that glasses would be refused beside them.
        made = (*made, GlassesStage(FaceGlasses()))
        if self.settings.swap.occluder == NO_MASK:
            made = (*made, OccludeStage(FaceOccluders(resource("resources/mean_face.png"))))
        identify = IdentifyStage(tracks, net, self.compute, aside or _at_once, _always if aside else _matters)
        return (*found, identify, *made)

    def _landmark_finder(self) -> LandmarkFinder:
        refined, plain = (self.catalog.landmarker(name) for name in (LANDMARKER, PLAIN_LANDMARKER))
        return LandmarkFinder(refined, self.compute, plain)

    def _hands(self, aside: Aside) -> Callable[[], HandWatch]:
        """What sees hands near faces, as long as no net of the user's shows what lies before them."""

        @cache
        def hands() -> HandWatch:
            palms, landmarker = self.catalog.palm_detector(PALMS), self.catalog.hand_landmarker(HANDS)
            return HandWatch(palms, landmarker, self.compute, aside)

        return hands

    def _mask_nets(self) -> list[MaskMaker]:
        swap, nets = self.settings.swap, list[MaskMaker]()
        if swap.occluder != NO_MASK:
            nets.append(self.catalog.masker(swap.occluder, "occlusion"))
        if swap.parser != NO_MASK:
            nets.append(self.catalog.masker(swap.parser, "parsing"))
        return nets


class OnDemand:
    """A recogniser that is loaded when somebody first asks who a face is. Thread: inference, then the side worker."""

    def __init__(self, load: Callable[[], FaceRecogniser]) -> None:
        self._net = cache(load)

    @property
    def input_px(self) -> int:
        """As the port."""
        return self._net().input_px

    @property
    def template(self) -> str:
        """As the port."""
        return self._net().template

    def embed(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As the port."""
        return self._net().embed(crop)


def _at_once(task: Callable[[], None]) -> bool:
    task()
    return True


def _always(_settings: Settings) -> bool:
    return True


def _matters(settings: Settings) -> bool:
    """Whether anything depends on who the faces are."""
    return settings.swap.targets == "enrolled" or bool(settings.swap.map)
