"""What a model's file says about itself, and whether that is what a card speaks of."""

from dataclasses import dataclass

from facefusion_live.domain.model_card import DecodedOutput, ModelCard, PictureFormat


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output of a graph.

    Attributes:
        name: As the graph calls it.
        shape: Edges; None where any length goes.
    """

    name: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """A net as its file describes it.

    Attributes:
        inputs: What is fed.
        outputs: What comes out.
        opset: Which version of the operators it is written in; 0 when it does not say.
        operators: The names of those that it uses.
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    opset: int
    operators: frozenset[str] = frozenset()


def misfit(card: ModelCard, graph: Graph) -> str:
    """Why a graph cannot be the model of a card, in words; empty when it may be."""
    if card.target is None:  # a converter: one vector in, one out
        alike = [len(graph.inputs) == 1, len(graph.outputs) == 1, all(len(each.shape) <= 2 for each in graph.inputs)]
        return "" if all(alike) else "a converter has one vector as input and one as output"
    target = card.target
    if not any(_takes(each, target) for each in graph.inputs):
        edge = target.size_px
        return f"none of its inputs takes a picture of {edge} x {edge} px laid out as {target.layout}"
    return _identity_misfit(card, graph) or _output_misfit(card, graph)


def draws_a_person(graph: Graph) -> bool:
    """Whether a graph has the form of a model of one person.

    It takes a picture (n, h, w, 3), and perhaps one number; it gives a mask, a face and a mask.
    """
    pictures = [each for each in graph.inputs if len(each.shape) == 4]
    others = [each for each in graph.inputs if len(each.shape) < 2]
    if len(pictures) != 1 or len(others) > 1 or len(pictures) + len(others) != len(graph.inputs):
        return False
    depths = [each.shape[3] if len(each.shape) == 4 else 0 for each in (*pictures, *graph.outputs)]
    return len(depths) == 4 and all(told in (None, depth) for told, depth in zip(depths, (3, 1, 3, 1), strict=True))


def _identity_misfit(card: ModelCard, graph: Graph) -> str:
    identity = card.identity
    if identity is None:
        return ""
    if identity.kind == "model":
        return "" if draws_a_person(graph) else "a model of one person gives a mask, a face and a mask for a picture"
    if len(graph.inputs) != 2:
        return f"it has {len(graph.inputs)} inputs, a swapper has 2"
    pictures = [each for each in graph.inputs if len(each.shape) == 4]
    if identity.picture is None:
        return "" if len(pictures) == 1 else "a swapper of this kind takes one picture and one vector"
    taken = any(_takes(each, identity.picture) for each in pictures)
    return "" if taken and len(pictures) == 2 else "a swapper of this kind takes two pictures"


def _output_misfit(card: ModelCard, graph: Graph) -> str:
    if isinstance(card.output, DecodedOutput):
        told, there = len(card.output.names), len(graph.outputs)
        return "" if there >= told else f"it has {there} outputs, the card tells of {told}"
    if card.output is not None and not any(_takes(each, card.output) for each in graph.outputs):
        return f"none of its outputs is a picture of {card.output.size_px} px"
    return ""


def _takes(tensor: Tensor, picture: PictureFormat) -> bool:
    edge, channels = picture.size_px, len(picture.mean)
    wanted = (channels, edge, edge) if picture.layout == "NCHW" else (edge, edge, channels)
    return len(tensor.shape) == 4 and all(
        told is None or told == length for told, length in zip(tensor.shape[1:], wanted, strict=True)
    )
