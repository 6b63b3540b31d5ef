import math
import tomllib
from typing import Any

import pytest

from facefusion_live.domain.errors import ModelCardError
from facefusion_live.domain.model_card import DecodedOutput, FaceCrop, Identity, ModelCard, Origin, PictureFormat, Tiles

SHA = "0123456789abcdef" * 4

DETECTOR = f"""
id = "blazeface_short"
task = "detector"
vendor = "Somebody"
licence = "Apache-2.0"
licence_file = "Apache-2.0.txt"
file = "blazeface_short.onnx"
sha256 = "{SHA}"
size = 415013
urls = []
[origin]
wheel = "mediapipe"
version = "0.10.21"
wheel_sha256 = "{SHA}"
path = "mediapipe/modules/face.tflite"
[input]
size_px = 128
colour_order = "RGB"
layout = "NCHW"
mean = 0.5
std = 0.5
[output]
decoder = "blazeface"
names = ["regressors", "classificators"]
anchors = [[2, 8], [6, 16]]
"""

SIMSWAP = """
id = "simswap_256"
task = "swapper"
vendor = "Somebody"
licence = "non-commercial: research only"
file = "simswap_256.onnx"
urls = ["https://example.org/simswap_256.onnx"]
[target]
size_px = 256
colour_order = "RGB"
layout = "NCHW"
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]
template = "arcface_112_v1"
[output]
size_px = 256
colour_order = "RGB"
layout = "NCHW"
mean = 0
std = 1
[identity]
kind = "embedding"
recogniser = "arcface_w600k_r50"
project = "crossface_simswap"
normalise = "after"
mix = true
"""

UNIFACE = f"""
id = "uniface_256"
task = "swapper"
vendor = "Somebody"
licence = "unknown: none stated"
file = "uniface_256.onnx"
sha256 = "{SHA}"
size = 1
urls = ["https://example.org/a.onnx", "https://example.com/b.onnx"]
[target]
size_px = 256
colour_order = "RGB"
layout = "NCHW"
mean = 0.5
std = 0.5
template = "ffhq_512"
[output]
size_px = 256
colour_order = "RGB"
layout = "NCHW"
mean = 0.5
std = 0.5
[identity]
kind = "image"
project = ""
normalise = "none"
mix = false
[identity.picture]
size_px = 256
colour_order = "RGB"
layout = "NCHW"
mean = 0
std = 1
template = "ffhq_512"
"""


def detector(**changes: Any) -> dict[str, Any]:
    mapping: dict[str, Any] = {
        "id": "d",
        "task": "detector",
        "vendor": "v",
        "licence": "MIT",
        "licence_file": "MIT.txt",
        "file": "d.onnx",
        "sha256": SHA,
        "size": 1,
        "urls": [],
        "origin": {"wheel": "w", "version": "1", "wheel_sha256": SHA, "path": "a/b"},
        "input": {"size_px": 8, "colour_order": "RGB", "layout": "NCHW", "mean": 0, "std": 1},
        "output": {"decoder": "yunet", "names": ["a"]},
    }
    for path, value in changes.items():
        *tables, key = path.split("__")
        table = mapping
        for name in tables:
            table = table[name]
        if value is None:
            del table[key]
        else:
            table[key] = value
    return mapping


def swapper(**identity: Any) -> dict[str, Any]:
    picture = {"size_px": 8, "colour_order": "RGB", "layout": "NCHW", "mean": 0, "std": 1}
    mapping = detector(task="swapper", input=None, output=picture)
    mapping["target"] = picture
    mapping["identity"] = {"kind": "image", "picture": picture, "project": "", "normalise": "none", "mix": False}
    mapping["identity"].update(identity)
    return mapping


def test_a_built_in_detector() -> None:
    card = ModelCard.parse(DETECTOR)
    assert card == ModelCard(
        id="blazeface_short",
        task="detector",
        vendor="Somebody",
        licence="Apache-2.0",
        licence_file="Apache-2.0.txt",
        licence_url=None,
        file="blazeface_short.onnx",
        sha256=SHA,
        size=415013,
        origin=Origin("mediapipe", "0.10.21", SHA, "mediapipe/modules/face.tflite"),
        urls=(),
        home=None,
        target=PictureFormat(128, "RGB", "NCHW", 1.0, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), None),
        output=DecodedOutput("blazeface", ("regressors", "classificators"), ((2, 8), (6, 16))),
        crop=None,
        tiles=None,
        identity=None,
    )


def test_a_swapper_by_embedding_has_its_own_normalisation_for_what_goes_in_and_what_comes_out() -> None:
    card = ModelCard.parse(SIMSWAP)
    assert card.target == PictureFormat(
        256, "RGB", "NCHW", 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "arcface_112_v1"
    )
    assert card.output == PictureFormat(256, "RGB", "NCHW", 1.0, (0.0,) * 3, (1.0,) * 3, None)
    assert card.identity == Identity("embedding", None, "arcface_w600k_r50", "crossface_simswap", "after", mix=True)


def test_what_users_fetch_may_be_known_by_its_address_alone() -> None:
    card = ModelCard.parse(SIMSWAP)
    assert (card.sha256, card.size, card.licence_file, card.origin) == (None, None, None, None)


def test_a_swapper_by_picture() -> None:
    card = ModelCard.parse(UNIFACE)
    picture = PictureFormat(256, "RGB", "NCHW", 1.0, (0.0,) * 3, (1.0,) * 3, "ffhq_512")
    assert card.identity == Identity("image", picture, None, "", "none", mix=False)
    assert (card.sha256, card.size) == (SHA, 1)


def test_an_enhancer_makes_pictures() -> None:
    picture = {"size_px": 512, "colour_order": "RGB", "layout": "NCHW", "mean": 0.5, "std": 0.5, "template": "ffhq_512"}
    card = ModelCard.from_mapping(detector(task="enhancer", input=picture, output=picture))
    assert isinstance(card.target, PictureFormat)
    assert card.output == card.target


def tiled(**tiles: int) -> dict[str, Any]:
    picture = {"size_px": 64, "colour_order": "RGB", "layout": "NCHW", "mean": 0, "std": 1}
    return detector(task="enhancer", input=picture, output={**picture, "size_px": 128}, tiles=tiles)


def test_an_enhancer_that_knows_nothing_of_faces_tells_its_tiles() -> None:
    assert ModelCard.from_mapping(tiled(pad=8, overlap=23)).tiles == Tiles(8, 23)


@pytest.mark.parametrize(
    ("tiles", "told"),
    [
        ({"pad": 24, "overlap": 8}, "tiles.pad is 24: with the overlap too much for tiles of 64 px"),
        ({"pad": 0, "overlap": 8}, "tiles.pad is 0, allowed: a whole number from 1"),
        ({"pad": 8}, "tiles.overlap is missing"),
        ({"pad": 8, "overlap": 4, "rim": 1}, "tiles.rim is unknown here"),
    ],
)
def test_a_mistake_in_the_tiles_is_told(tiles: dict[str, int], told: str) -> None:
    with pytest.raises(ModelCardError, match=told):
        ModelCard.from_mapping(tiled(**tiles))


def test_a_model_of_one_aligned_face_has_no_tiles() -> None:
    with pytest.raises(ModelCardError, match="tiles is unknown here"):
        ModelCard.from_mapping(detector(tiles={"pad": 8, "overlap": 4}))


def test_a_landmarker_tells_its_crop_and_the_scale_of_its_points() -> None:
    output = {"decoder": "points_68", "names": ["a"], "scale": 4, "shift": 0.5}
    crop = {"reach": 1.31, "side": "longer", "level": False}
    card = ModelCard.from_mapping(detector(task="landmarker", output=output, crop=crop))
    assert card.crop == FaceCrop(1.31, "longer", level=False)
    assert card.output == DecodedOutput("points_68", ("a",), (), 4.0, 0.5)


def test_a_parser_tells_which_classes_are_face() -> None:
    output = {"decoder": "parsing", "names": ["a"], "classes": [1, 2, 10]}
    card = ModelCard.from_mapping(detector(task="masker", output=output))
    assert card.output == DecodedOutput("parsing", ("a",), (), classes=(1, 2, 10))


def test_a_model_may_be_known_by_its_home_alone() -> None:
    changes: dict[str, Any] = dict.fromkeys(("licence_file", "sha256", "size", "origin"))
    card = ModelCard.from_mapping(detector(home="https://example.org/models", **changes))
    assert (card.home, card.urls, card.sha256) == ("https://example.org/models", (), None)


def test_a_model_of_one_person_is_not_told_whom_to_draw() -> None:
    mapping = swapper(kind="model", picture=None)
    del mapping["identity"]["picture"]
    card = ModelCard.from_mapping(mapping)
    assert card.identity == Identity("model", None, None, "", "none", mix=False)
    assert card.is_person
    assert not ModelCard.from_mapping(swapper()).is_person
    assert not ModelCard.from_mapping(detector()).is_person


def test_a_model_of_one_person_has_no_home() -> None:
    mapping = swapper(kind="model", picture=None)
    del mapping["identity"]["picture"]
    for key in ("licence_file", "sha256", "size", "origin"):
        mapping.pop(key, None)
    mapping["urls"] = []
    card = ModelCard.from_mapping(mapping)
    assert (card.urls, card.home, card.sha256, card.origin) == ((), None, None, None)


def test_a_converter_has_no_pictures() -> None:
    card = ModelCard.from_mapping(detector(task="converter", input=None, output=None))
    assert (card.target, card.output, card.identity) == (None, None, None)


@pytest.mark.parametrize(
    ("white", "mean", "std", "black", "full"),
    [
        (1, 0.5, 0.5, -1.0, 1.0),
        (1, 0, 1, 0.0, 1.0),
        (255, 0, 1, 0.0, 255.0),
        (255, 127, 128, -0.9921875, 1.0),
        (1, 0.485, 0.229, -2.1179039301310043, 2.2489082969432315),
    ],
)
def test_scale_and_shift_bring_levels_to_what_the_net_expects(
    white: float, mean: float, std: float, black: float, full: float
) -> None:
    card = ModelCard.from_mapping(detector(input__white=white, input__mean=mean, input__std=std))
    assert card.target is not None
    assert card.target.shift == pytest.approx((black,) * 3)
    assert [255 * scale + shift for scale, shift in zip(card.target.scale, card.target.shift, strict=True)] == (
        pytest.approx([full] * 3)
    )


def test_a_grey_picture_has_one_channel() -> None:
    card = ModelCard.from_mapping(detector(input__colour_order="grey", input__mean=[0.25]))
    assert card.target is not None
    assert card.target.mean == (0.25,)
    assert card.target.std == (1.0,)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"task": "detectr"}, "task is 'detectr', allowed: detector, landmarker, recogniser"),
        ({"task": None}, "task is missing"),
        ({"id": "Upper"}, "id is 'Upper'"),
        ({"id": 7}, "id is 7"),
        ({"vendor": ""}, "vendor is ''"),
        ({"licence": "free as in beer"}, "licence is 'free as in beer'"),
        ({"licence": "non-commercial: "}, "licence is"),
        ({"licence_file": None}, "licence_file is missing"),
        ({"licence_file": "../MIT.txt"}, "licence_file is '../MIT.txt'"),
        ({"file": "/etc/passwd"}, "file is '/etc/passwd'"),
        ({"sha256": SHA[:-1]}, "sha256 is"),
        ({"sha256": SHA.upper()}, "sha256 is"),
        ({"sha256": None}, "sha256 is missing"),
        ({"size": 0}, "size is 0"),
        ({"size": True}, "size is True"),
        ({"size": 1.5}, "size is 1.5"),
        ({"size": None}, "size is missing"),
        ({"urls": "https://example.org/a"}, "urls is not a list"),
        ({"urls": ["http://example.org/a"]}, "urls is 'http://example.org/a'"),
        ({"origin": None}, "origin is missing"),
        ({"origin": "a wheel"}, "origin is not a table"),
        ({"origin__wheel_sha256": "?"}, "origin.wheel_sha256 is '?'"),
        ({"origin__extra": 1}, "origin.extra is unknown here, allowed: path, version, wheel, wheel_sha256"),
        ({"colour": "red"}, "colour is unknown here, allowed: crop, file, home, id, input, licence"),
        ({"identity": {}}, "identity is unknown here"),
        ({"target": {}}, "target is unknown here"),
        ({"input": None}, "input is missing"),
        ({"input__size_px": -1}, "input.size_px is -1"),
        ({"input__colour_order": "GBR"}, "input.colour_order is 'GBR', allowed: RGB, BGR, grey"),
        ({"input__colour_order": ["RGB"]}, "input.colour_order is ['RGB'], allowed"),
        ({"input__layout": "CHW"}, "input.layout is 'CHW', allowed: NCHW, NHWC"),
        ({"input__template": "ffhq"}, "input.template is 'ffhq', allowed: arcface_112_v1, arcface_112_v2"),
        ({"input__white": 100}, "input.white is 100, allowed: 1, 255"),
        ({"input__mean": "0"}, "input.mean is '0', allowed: a number"),
        ({"input__mean": True}, "input.mean is True, allowed: a number"),
        ({"input__mean": math.nan}, "input.mean is nan, allowed: a number"),
        ({"input__mean": [0, 0]}, "input.mean has 2 numbers, allowed: 1 or 3"),
        ({"input__std": [1, 0, 1]}, "input.std must not be 0"),
        ({"input__extra": 1}, "input.extra is unknown here"),
        ({"output__decoder": "magic"}, "output.decoder is 'magic', allowed: blazeface, yunet"),
        ({"output__names": []}, "output.names is empty"),
        ({"output__names": ["a", 1]}, "output.names is 1"),
        ({"output__anchors": [[1, 2, 3]]}, "output.anchors is not a list of pairs"),
        ({"output__anchors": [1]}, "output.anchors is not a list"),
        ({"output__anchors": [[1, 0]]}, "output.anchors is 0"),
        ({"output__scale": "4"}, "output.scale is '4', allowed: a number"),
        ({"output__classes": [0]}, "output.classes is 0"),
        ({"output__extra": 1}, "output.extra is unknown here"),
        ({"crop": {"reach": 0, "side": "width", "level": True}}, "crop.reach is 0, allowed: a number above 0"),
        ({"crop": {"reach": 1, "side": "height", "level": True}}, "crop.side is 'height', allowed: longer, width"),
        ({"crop": {"reach": 1, "side": "width"}}, "crop.level is missing"),
        ({"home": "example.org"}, "home is 'example.org'"),
    ],
)
def test_a_mistake_is_told_with_its_key(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ModelCardError) as raised:
        ModelCard.from_mapping(detector(**changes))
    assert f"model card: {told}" in str(raised.value)
    assert raised.value.advice


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kind": "name"}, "identity.kind is 'name', allowed: image, embedding"),
        ({"kind": "embedding"}, "identity.recogniser is missing"),
        ({"kind": "embedding", "recogniser": "r"}, "identity.picture is unknown here"),
        ({"project": "initialiser"}, 'identity.project has no meaning with kind = "image"'),
        ({"normalise": "after"}, 'identity.normalise has no meaning with kind = "image"'),
        ({"normalise": "twice"}, "identity.normalise is 'twice', allowed: none, before, after"),
        ({"project": "No Such"}, "identity.project is 'No Such'"),
        ({"mix": 1}, "identity.mix is 1, allowed: true, false"),
        ({"recogniser": "r"}, "identity.recogniser is unknown here"),
    ],
)
def test_a_mistake_in_the_identity_is_told(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ModelCardError) as raised:
        ModelCard.from_mapping(swapper(**changes))
    assert f"model card: {told}" in str(raised.value)


def test_text_that_is_no_toml() -> None:
    with pytest.raises(ModelCardError, match="not TOML"):
        ModelCard.parse("id = ")


def test_text_of_several_lines_is_no_name() -> None:
    with pytest.raises(ModelCardError, match="vendor is"):
        ModelCard.from_mapping(detector(vendor="a\nb"))


@pytest.mark.parametrize(
    ("text", "needed"), [(SIMSWAP, ("arcface_w600k_r50", "crossface_simswap")), (UNIFACE, ()), (DETECTOR, ())]
)
def test_a_card_tells_which_other_models_are_needed(text: str, needed: tuple[str, ...]) -> None:
    assert ModelCard.parse(text).needs == needed


def test_a_matrix_in_the_graph_is_no_other_model() -> None:
    card = ModelCard.parse(SIMSWAP.replace('"crossface_simswap"', '"initialiser"'))
    assert card.needs == ("arcface_w600k_r50",)


@pytest.mark.parametrize(
    ("urls", "more", "terms"),
    [
        (["https://github.com/owner/models/releases/download/v1/x.onnx"], {}, "https://github.com/owner/models"),
        (["https://huggingface.co/owner/models/resolve/main/x.onnx"], {}, "https://huggingface.co/owner/models"),
        (["https://example.org/some/where/x.onnx", "https://github.com/a/b/x"], {}, "https://example.org/some/where"),
        (["https://example.org/x.onnx"], {}, "https://example.org"),
        (["https://example.org/x.onnx"], {"home": "https://example.org/about"}, "https://example.org/about"),
        (
            ["https://example.org/x.onnx"],
            {"home": "https://example.org/about", "licence_url": "https://example.org/LICENCE"},
            "https://example.org/LICENCE",
        ),
    ],
)
def test_a_card_tells_where_its_terms_are_read(urls: list[str], more: dict[str, str], terms: str) -> None:
    mapping = tomllib.loads(UNIFACE) | {"urls": urls} | more
    assert ModelCard.from_mapping(mapping).terms_url == terms


def test_what_the_program_brings_along_has_its_terms_with_it() -> None:
    assert ModelCard.parse(DETECTOR).terms_url == ""
    with pytest.raises(ModelCardError, match="licence_url is 'LICENCE'"):
        ModelCard.from_mapping(detector(licence_url="LICENCE"))
