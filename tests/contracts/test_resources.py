"""What the program brings along is complete, is what its cards say, and may be shipped."""

import hashlib
import math
import tomllib
from pathlib import Path
from typing import Final

import cv2
import onnxruntime as ort
import pytest

from facefusion_live.domain.model_card import DecodedOutput, ModelCard

ROOT: Final = Path(__file__).resolve().parents[2]
RESOURCES: Final = ROOT / "resources"
LICENCES: Final = RESOURCES / "licences"
CARDS: Final = sorted((RESOURCES / "models").glob("*.toml"))

LICENCE_PAGES: Final = {
    "codeformer": "https://github.com/sczhou/CodeFormer/blob/HEAD/LICENSE",
    "simswap_256": "https://github.com/neuralchen/SimSwap/blob/HEAD/LICENSE",
    "stargan_v2_256": "https://github.com/clovaai/stargan-v2/blob/HEAD/LICENSE",
    **dict.fromkeys(
        ("bisenet_18", "bisenet_34", "faceparser_resnet34"), "https://github.com/yakhyo/face-parsing/blob/HEAD/LICENSE"
    ),
    **dict.fromkeys(
        ("real_esrgan_x2", "real_esrgan_x2_fp16", "real_esrgan_x4", "real_esrgan_x4_fp16", "realesr_general_x4v3"),
        "https://github.com/xinntao/Real-ESRGAN/blob/HEAD/LICENSE",
    ),
}
"""Texts of licences of models that users bring, each looked up in its publisher's repository."""

# Literal: id -> (task, shape of the input, colour order, value of black, value of white)
MODELS: Final = {
    "blazeface_full": ("detector", [1, 3, 192, 192], "RGB", -1.0, 1.0),
    "blazeface_short": ("detector", [1, 3, 128, 128], "RGB", -1.0, 1.0),
    "face_mesh": ("landmarker", [1, 3, 192, 192], "RGB", 0.0, 1.0),
    "face_mesh_attention": ("landmarker", [1, 3, 192, 192], "RGB", 0.0, 1.0),
    "hand_landmark_lite": ("hand_landmarker", [1, 3, 224, 224], "RGB", 0.0, 1.0),
    "open_nsfw": ("classifier", ["unk__653", 224, 224, 3], "BGR", (-104.0, -117.0, -123.0), 255.0),
    "palm_detection_lite": ("palm_detector", [1, 3, 192, 192], "RGB", 0.0, 1.0),
    "selfie_segmentation": ("segmenter", [1, 3, 256, 256], "RGB", 0.0, 1.0),
    "sface_2021dec_int8bq": ("recogniser", [1, 3, 112, 112], "RGB", 0.0, 255.0),
    "yunet_2023mar": ("detector", [1, 3, 640, 640], "BGR", 0.0, 255.0),
}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def card_of(path: Path) -> ModelCard:
    return ModelCard.parse(path.read_text(encoding="utf-8"))


def session(card: ModelCard) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    return ort.InferenceSession(RESOURCES / "models" / card.file, options, providers=["CPUExecutionProvider"])


def test_every_model_has_a_card_and_every_card_a_model() -> None:
    models = {path.stem for path in (RESOURCES / "models").glob("*.onnx")}
    assert models == {path.stem for path in CARDS} == set(MODELS)


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_a_card_tells_the_truth_about_its_file(path: Path) -> None:
    card = card_of(path)
    model = path.with_name(card.file)
    assert (card.id, model.stem) == (path.stem, path.stem)
    assert card.size == model.stat().st_size
    assert card.sha256 == sha256(model)


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_a_built_in_model_is_free_and_its_licence_is_here(path: Path) -> None:
    card = card_of(path)
    assert card.licence in {"Apache-2.0", "MIT", "BSD-2-Clause"}
    assert card.licence_file is not None
    assert card.licence_file.startswith(card.licence)
    assert (LICENCES / card.licence_file).is_file()
    assert card.urls == ()
    assert card.origin is not None
    assert card.id in (LICENCES / "NOTICE.md").read_text(encoding="utf-8")


def test_of_what_users_bring_the_terms_can_be_read() -> None:
    """The licence's own text where its address was looked up; the publisher's page or repository of all others."""
    brought = [card_of(path) for path in (RESOURCES / "cards").glob("*.toml")]
    assert {card.id: card.licence_url for card in brought if card.licence_url} == LICENCE_PAGES
    assert [card.id for card in brought if not card.terms_url] == []


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_a_card_describes_the_input(path: Path) -> None:
    card = card_of(path)
    task, shape, colour_order, black, white = MODELS[card.id]
    assert card.target is not None
    assert card.task == task
    assert [value.shape for value in session(card).get_inputs()] == [shape]
    layout = "NCHW" if shape[1] == 3 else "NHWC"
    assert (card.target.size_px, card.target.layout, card.target.colour_order) == (shape[2], layout, colour_order)
    blacks = black if isinstance(black, tuple) else (black,) * 3
    assert card.target.shift == pytest.approx(blacks)
    span = white if isinstance(black, tuple) else white - black
    assert [255 * scale for scale in card.target.scale] == pytest.approx([span] * 3)


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_a_card_names_the_outputs_and_their_anchors(path: Path) -> None:
    card = card_of(path)
    assert isinstance(card.output, DecodedOutput)
    assert card.target is not None
    shapes = {value.name: value.shape for value in session(card).get_outputs()}
    assert set(card.output.names) == set(shapes)
    if card.output.anchors:
        anchors = sum(count * (card.target.size_px // stride) ** 2 for count, stride in card.output.anchors)
        boxes = sum(shape[1] for shape in shapes.values() if shape[2] == 1) / (2 if card.id.startswith("yunet") else 1)
        assert anchors == boxes


def test_the_avatars_are_exactly_those_listed() -> None:
    folder = RESOURCES / "avatars"
    listing = tomllib.loads((folder / "avatars.toml").read_text(encoding="utf-8"))
    assert listing["consent"] == "generated"
    assert (LICENCES / listing["licence_file"]).read_text(encoding="utf-8").startswith(f"{listing['licence']} License")
    assert "SFHQ" in listing["credit"]
    assert [avatar["id"] for avatar in listing["avatars"]] == ["ada", "bo", "cleo", "dan", "esi", "fay"]
    assert {avatar["file"] for avatar in listing["avatars"]} == {path.name for path in folder.glob("*.jpg")}
    for avatar in listing["avatars"]:
        assert set(avatar) == {"id", "name", "description", "file", "sha256"}
        assert avatar["sha256"] == sha256(folder / avatar["file"])
        picture = cv2.imread(str(folder / avatar["file"]))
        assert picture is not None
        assert picture.shape == (512, 512, 3)


def test_the_demo_clip_is_a_camera_of_eight_seconds() -> None:
    clip = cv2.VideoCapture(str(RESOURCES / "demo" / "driver.mp4"))
    try:
        width, height = clip.get(cv2.CAP_PROP_FRAME_WIDTH), clip.get(cv2.CAP_PROP_FRAME_HEIGHT)
        assert (width, height) == (1280, 720)
        assert math.isclose(clip.get(cv2.CAP_PROP_FPS), 30)
        assert clip.get(cv2.CAP_PROP_FRAME_COUNT) == 240
    finally:
        clip.release()
    assert {path.name for path in (RESOURCES / "demo").iterdir()} == {"driver.mp4"}


def test_a_licence_holds_its_text_and_its_holder() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in LICENCES.glob("*.txt")}
    assert "END OF TERMS AND CONDITIONS" in texts["Apache-2.0.txt"]
    assert "Copyright (c) 2020 Shiqi Yu" in texts["MIT-yunet.txt"]
    assert "David Beniaguev" in texts["MIT-sfhq.txt"]
    assert "Copyright (c) 2016, Yahoo Inc." in texts["BSD-2-Clause-open_nsfw.txt"]
    assert "Copyright 2014-2021 Adobe" in texts["OFL-1.1-noto.txt"]
    for name, text in texts.items():
        grants = "Redistribution and use" if name.startswith("BSD") else "Permission is hereby granted"
        assert name == "Apache-2.0.txt" or grants in " ".join(text.split())
