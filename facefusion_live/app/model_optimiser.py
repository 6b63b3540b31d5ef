"""A model made smaller: half precision or eight bits, measured on what it sees in a clip before it is kept."""

import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from facefusion_live.adapters.onnx import optimising
from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.onnx.session import NetSession, overheard
from facefusion_live.app import wiring
from facefusion_live.app.engines import BUILT_IN_ENGINE, open_catalog
from facefusion_live.app.in_turn import in_turn
from facefusion_live.app.model_store import Installed, ModelStore, Recognised, write_card
from facefusion_live.domain.errors import BadInputError, ModelMissingError
from facefusion_live.domain.model_card import ModelCard
from facefusion_live.domain.settings import Settings

Kind = Literal["fp16", "int8"]
"""Half precision, or eight bits."""
_EXAMPLES = 24
"""So many runs tell the ranges, and how far the two nets lie apart."""
_ROUNDS = 7
_SOURCE = "ada"
"""A built-in face: nobody's, so nobody need be asked."""


@dataclass(frozen=True, slots=True)
class Optimised:
    """What came of it.

    Attributes:
        installed: The new model.
        bytes_before: Size of the model's file.
        bytes_after: Of the new one.
        before_ms: Median of a run on the processor.
        after_ms: Of the new one.
        speed: Median of their ratios, above 1 where the new one is faster.
        mean_difference: Of any output, in shares of its span.
        largest_difference: The same.
        examples: How many runs of the clip were looked at.
    """

    installed: Installed
    bytes_before: int
    bytes_after: int
    before_ms: float
    after_ms: float
    speed: float
    mean_difference: float
    largest_difference: float
    examples: int


def optimise(store: ModelStore, model_id: str, kind: Kind, clip: str, say: Callable[[str], None]) -> Optimised:
    """Make a smaller model with a card of its own, `<id>_<kind>`.

    Args:
        store: Where it goes.
        model_id: A swapper, an enhancer, a detector or a landmarker whose file is here.
        kind: Half precision or eight bits.
        clip: A film with faces, to hear what the net is fed.
        say: Hears what is being done.

    Raises:
        BadInputError: There is no such model or clip, or it is of another task, or no face is in the clip.
        InferenceError: It cannot be converted, or the new one gives no finite numbers.
        ModelStoreError: It cannot be kept.
    """
    catalog = open_catalog("cpu")
    card = catalog.card(model_id)
    if card.is_person:
        raise BadInputError(f"{model_id} is a model of one person", advice="Its consent is tied to its file: it stays.")
    file = catalog.file(card)
    if file is None:
        raise ModelMissingError(f"the model file {card.file} is missing", advice=f"Fetch it: models pull {model_id}")
    request = _request(card, clip)
    say(f"listening to what {model_id} is fed")
    fed = _fed(request, file)
    made_card = _card_of(card, kind)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / made_card.file
        say("converting")
        if kind == "fp16":
            optimising.halve(file, made)
        else:
            optimising.quantise(file, made, fed)
        say("comparing")
        mean, largest = optimising.differences(file, made, fed)
        nets = NetSession(file), NetSession(made)
        before_ms, after_ms, speed = in_turn(_ROUNDS, lambda: nets[0].run(*fed[0]), lambda: nets[1].run(*fed[0]))
        sizes = file.stat().st_size, made.stat().st_size
        installed = store.add(made, Recognised(made_card, f"made from {model_id}", made_from=card))
    _write_card(catalog, card, made_card, installed)
    return Optimised(installed, *sizes, before_ms, after_ms, speed, mean, largest, len(fed))


def _request(card: ModelCard, clip: str) -> wiring.Request:
    """A session in which the model is used."""
    engine, settings = BUILT_IN_ENGINE, Settings()
    if card.task == "swapper":
        engine = card.id
    elif card.task == "enhancer":
        settings = settings.with_values({"swap.enhancer": card.id, "look.enhance": 1.0})
    elif card.task == "detector":
        settings = settings.with_values({"detect.model": card.id})
    elif card.task == "landmarker":
        settings = settings.with_values({"track.landmarker": card.id})
    else:
        raise BadInputError(
            f"{card.id} is a {card.task}", advice="Swappers, enhancers, detectors and landmarkers can be optimised."
        )
    settings = settings.with_values({"inference.provider": "cpu"})
    return wiring.Request(
        sources=(_SOURCE,),
        consent=None,
        input=clip,
        output=None,
        states=None,
        engine=engine,
        settings=settings,
        offline=True,
        frame_limit=_EXAMPLES,
    )


def _fed(request: wiring.Request, file: Path) -> list[optimising.Fed]:
    """What the net was fed while a clip was swapped.

    Raises:
        BadInputError: It was never asked.
    """
    heard: list[optimising.Fed] = []

    def hear(tensors: optimising.Fed) -> None:
        if len(heard) < _EXAMPLES:
            heard.append(tuple(np.array(tensor) for tensor in tensors))

    with overheard(file, hear):
        session = wiring.open_session(request).session
        session.start()
        try:
            session.wait()
        finally:
            session.stop()
    if not heard:
        raise BadInputError("the net was never asked: no face was found in the clip", advice="Give a film with a face.")
    return heard


def _card_of(card: ModelCard, kind: Kind) -> ModelCard:
    name = f"{card.id}_{kind}"
    origin = f"https://pypi.org/project/{card.origin.wheel}" if card.origin else None
    home = card.terms_url or origin
    return replace(card, id=name, file=f"{name}.onnx", sha256=None, size=None, origin=None, urls=(), home=home)


def _write_card(catalog: Catalog, card: ModelCard, made: ModelCard, installed: Installed) -> None:
    """The card of the model that it was made from, under a new name."""
    mapping: dict[str, Any] = tomllib.loads(catalog.text(card.id))
    mapping.pop("origin", None)
    size = installed.path.stat().st_size
    told = {"id": made.id, "file": made.file, "sha256": installed.sha256, "size": size, "urls": [], "home": made.home}
    write_card(told | {key: value for key, value in mapping.items() if key not in told}, installed.path.parent)
