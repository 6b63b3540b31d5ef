from dataclasses import replace
from typing import Any

import pytest

from facefusion_live.domain.model_card import DecodedOutput, Identity, ModelCard, PictureFormat
from facefusion_live.domain.model_file import Graph, Tensor, misfit

PICTURE = PictureFormat(256, "RGB", "NCHW", 1.0, (0.0,) * 3, (1.0,) * 3, "arcface_128")
SMALL = replace(PICTURE, size_px=112)
VECTOR = Tensor("source", (1, 512))


def card(**changes: Any) -> ModelCard:
    identity = Identity("embedding", None, "r", "", "before", mix=True)
    values: dict[str, Any] = {
        "id": "m",
        "task": "swapper",
        "vendor": "v",
        "licence": "MIT",
        "licence_file": None,
        "licence_url": None,
        "file": "m.onnx",
        "sha256": None,
        "size": None,
        "origin": None,
        "urls": (),
        "home": None,
        "target": PICTURE,
        "output": PICTURE,
        "crop": None,
        "tiles": None,
        "identity": identity,
    }
    return ModelCard(**{**values, **changes})


def picture(*shape: int | None) -> Tensor:
    return Tensor("target", shape or (1, 3, 256, 256))


def graph(*inputs: Tensor, outputs: tuple[Tensor, ...] = (picture(),)) -> Graph:
    return Graph(inputs, outputs, 17)


OWN = Identity("model", None, None, "", "none", mix=False)
NHWC = replace(PICTURE, size_px=224, colour_order="BGR", layout="NHWC", template="dfl_whole_face")
PERSON = {"identity": OWN, "target": NHWC, "output": NHWC}
NO_PERSON = "a model of one person gives a mask, a face and a mask for a picture"
NO_224 = "none of its inputs takes a picture of 224 x 224 px laid out as NHWC"
FACE, MASK = Tensor("face", (None, 224, 224, 3)), Tensor("mask", (None, 224, 224, 1))
BY_PICTURE = Identity("image", SMALL, None, "", "none", mix=False)
CASES: list[tuple[dict[str, Any], Graph, str]] = [
    ({}, graph(picture(), VECTOR), ""),
    ({}, graph(VECTOR, picture()), ""),
    ({}, graph(picture(None, None, None, None), VECTOR, outputs=(picture(1, 3, None, None),)), ""),
    ({}, graph(picture(1, 3, 128, 128), VECTOR), "none of its inputs takes a picture of 256 x 256 px laid out as NCHW"),
    ({}, graph(picture(1, 256, 256, 3), VECTOR), "none of its inputs takes a picture of 256 x 256 px laid out as NCHW"),
    ({}, graph(picture()), "it has 1 inputs, a swapper has 2"),
    ({}, graph(picture(), picture()), "a swapper of this kind takes one picture and one vector"),
    ({}, graph(picture(), VECTOR, outputs=(VECTOR,)), "none of its outputs is a picture of 256 px"),
    ({"identity": BY_PICTURE}, graph(picture(), picture(1, 3, 112, 112)), ""),
    ({"identity": BY_PICTURE}, graph(picture(), VECTOR), "a swapper of this kind takes two pictures"),
    ({"identity": BY_PICTURE}, graph(picture(), picture()), "a swapper of this kind takes two pictures"),
    (PERSON, graph(FACE, outputs=(MASK, FACE, MASK)), ""),
    (PERSON, graph(FACE, Tensor("morph_value", (1,)), outputs=(MASK, FACE, MASK)), ""),
    (PERSON, graph(Tensor("in", (None,) * 4), outputs=(Tensor("m", (None,) * 4), FACE, MASK)), ""),
    (PERSON, graph(FACE, VECTOR, outputs=(MASK, FACE, MASK)), NO_PERSON),
    (PERSON, graph(FACE, Tensor("a", ()), Tensor("b", (1,)), outputs=(MASK, FACE, MASK)), NO_PERSON),
    (PERSON, graph(FACE, FACE, outputs=(MASK, FACE, MASK)), NO_PERSON),
    (PERSON, graph(FACE, outputs=(MASK, FACE)), NO_PERSON),
    (PERSON, graph(FACE, outputs=(FACE, MASK, MASK)), NO_PERSON),
    (PERSON, graph(FACE, outputs=(MASK, FACE, Tensor("m", (1,)))), NO_PERSON),
    (
        PERSON,
        graph(picture(1, 320, 320, 3), outputs=(MASK, FACE, MASK)),
        "none of its inputs takes a picture of 224 x 224 px laid out as NHWC",
    ),
    ({"identity": None, "output": DecodedOutput("yunet", ("a",), ())}, graph(picture()), ""),
    (
        {"identity": None, "output": DecodedOutput("yunet", ("a", "b"), ())},
        graph(picture()),
        "it has 1 outputs, the card tells of 2",
    ),
    ({"identity": None, "target": None, "output": None}, graph(VECTOR, outputs=(VECTOR,)), ""),
    (
        {"identity": None, "target": None, "output": None},
        graph(picture(), outputs=(VECTOR,)),
        "a converter has one vector as input and one as output",
    ),
    ({"identity": None, "target": replace(PICTURE, layout="NHWC")}, graph(picture(1, 256, 256, 3)), ""),
    ({"identity": None, "output": None}, graph(picture(), outputs=()), ""),
]


@pytest.mark.parametrize(("changes", "seen", "told"), CASES)
def test_a_graph_fits_its_card_or_it_is_told_why_not(changes: dict[str, Any], seen: Graph, told: str) -> None:
    assert misfit(card(**changes), seen) == told
