"""The built-in nets, decoded as their makers decode them: literal numbers, written without the adapter."""

import dataclasses
import hashlib
import shutil
import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.adapters.onnx import session
from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.onnx.recognisers import EmbeddingNet
from facefusion_live.adapters.onnx.session import NetSession
from facefusion_live.adapters.onnx.tensors import InputTensor
from facefusion_live.domain.errors import InferenceError, ModelCardError
from facefusion_live.domain.model_card import ColourOrder, PictureFormat
from tests import nets
from tests.faces import avatar, read_rgb
from tests.support import RESOURCES, shared_path

MODELS = RESOURCES / "models"
NAMES = ("ada", "bo", "cleo", "dan", "esi", "fay")

# Literal: what MediaPipe's decoding (weighted means) gives: score, box, eyes.
BLAZEFACE = {
    ("blazeface_short", "ada"): (0.928, (121.3, 159.3, 393.4, 431.4), (197.4, 235.1, 311.2, 236.4)),
    ("blazeface_short", "bo"): (0.923, (117.5, 163.7, 396.3, 442.5), (194.5, 235.7, 316.6, 236.2)),
    ("blazeface_short", "cleo"): (0.927, (104.5, 159.7, 374.9, 430.0), (201.0, 237.5, 311.1, 237.7)),
    ("blazeface_short", "dan"): (0.920, (119.2, 161.0, 413.0, 454.7), (191.1, 234.4, 317.4, 235.2)),
    ("blazeface_short", "esi"): (0.933, (106.3, 151.8, 391.0, 436.5), (200.9, 236.9, 317.2, 235.4)),
    ("blazeface_short", "fay"): (0.933, (115.7, 164.5, 393.0, 441.7), (196.3, 237.8, 315.4, 240.7)),
    ("blazeface_full", "ada"): (0.922, (108.8, 125.9, 405.0, 422.1), (202.3, 228.9, 320.1, 234.7)),
    ("blazeface_full", "bo"): (0.883, (118.5, 146.7, 397.3, 425.6), (207.3, 230.2, 314.1, 240.7)),
    ("blazeface_full", "cleo"): (0.901, (107.3, 127.5, 406.3, 426.5), (201.9, 229.8, 318.8, 231.6)),
    ("blazeface_full", "dan"): (0.786, (102.1, 137.3, 421.3, 456.5), (197.2, 231.6, 322.2, 235.8)),
    ("blazeface_full", "esi"): (0.833, (102.1, 134.8, 410.3, 443.2), (196.2, 228.3, 315.3, 230.7)),
    ("blazeface_full", "fay"): (0.921, (104.0, 130.4, 411.8, 438.2), (196.3, 232.0, 320.8, 239.2)),
}
# Literal: what OpenCV's FaceDetectorYN gives. It takes the best answer, not the mean, and the root of the score.
YUNET = {
    "ada": (0.937, (135.3, 107.2, 376.3, 441.8), (204.2, 228.1, 314.3, 229.4)),
    "bo": (0.939, (117.4, 101.5, 379.7, 448.1), (189.7, 233.5, 313.2, 223.9)),
    "cleo": (0.937, (112.1, 107.2, 361.4, 431.6), (202.9, 230.3, 308.0, 228.2)),
    "dan": (0.928, (114.1, 89.8, 382.1, 449.0), (193.3, 230.9, 313.5, 229.0)),
    "esi": (0.933, (126.1, 112.4, 376.9, 441.5), (198.9, 231.3, 312.1, 233.8)),
    "fay": (0.932, (129.9, 97.4, 378.4, 454.4), (200.2, 230.0, 318.1, 235.5)),
}


# --- detectors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "name"), BLAZEFACE)
def test_blazeface_finds_the_face_where_mediapipe_does(model: str, name: str) -> None:
    score, box, eyes = BLAZEFACE[model, name]
    (found,) = nets.detections(avatar(name), model)
    assert found.score == pytest.approx(score, abs=0.005)
    assert found.box_px.tolist() == pytest.approx(box, abs=0.5)
    assert found.eyes_px.ravel().tolist() == pytest.approx(eyes, abs=0.5)


@pytest.mark.parametrize("name", NAMES)
def test_yunet_finds_the_face_where_opencv_does(name: str) -> None:
    root_of_score, box, eyes = YUNET[name]
    (found,) = nets.detections(avatar(name), "yunet_2023mar")
    assert found.score == pytest.approx(root_of_score**2, abs=0.01)
    assert found.box_px.tolist() == pytest.approx(box, abs=16)
    assert found.eyes_px.ravel().tolist() == pytest.approx(eyes, abs=8)


def side_by_side(*names: str) -> NDArray[np.uint8]:
    return np.hstack([cv2.resize(avatar(name), (320, 320), interpolation=cv2.INTER_AREA) for name in names])


@pytest.mark.parametrize("model", nets.DETECTORS)
def test_each_of_several_faces_is_found_once_best_first(model: str) -> None:
    found = nets.detections(side_by_side("ada", "bo", "cleo"), model)
    middles = sorted(float(face.box_px[0] + face.box_px[2]) / 2 for face in found)
    assert middles == pytest.approx([160, 480, 800], abs=25)
    assert [face.score for face in found] == sorted((face.score for face in found), reverse=True)


@pytest.mark.parametrize("model", nets.DETECTORS)
def test_no_face_is_found_where_there_is_none(model: str) -> None:
    assert nets.detections(np.full((300, 400, 3), 127, np.uint8), model) == []


@pytest.mark.parametrize("model", nets.DETECTORS)
def test_a_threshold_above_the_score_finds_nothing(model: str) -> None:
    (found,) = nets.detections(avatar("ada"), model)
    assert nets.detections(avatar("ada"), model, found.score + 0.01) == []
    assert len(nets.detections(avatar("ada"), model, found.score - 0.01)) == 1


# --- the mesh --------------------------------------------------------------------------------------------------------


def test_the_mesh_is_that_of_the_original_runtime() -> None:
    picture = read_rgb(shared_path("media/real/astronaut.png"))
    expected = np.load(shared_path("media/real/astronaut_mesh_reference.npz"))["attention_478"]
    (detection,) = nets.detections(picture)
    found = nets.landmarks(picture, detection)
    off = np.linalg.norm(found.mesh_px[:, :2] - expected[:, :2], axis=1)
    assert off.mean() <= 0.05
    assert off.max() <= 0.2
    assert np.abs(found.mesh_px[:, 2] - expected[:, 2]).max() <= 0.2
    assert found.score > 0.99


@pytest.mark.parametrize("name", NAMES)
def test_the_mesh_lies_on_the_face(name: str) -> None:
    _, box, eyes = BLAZEFACE["blazeface_short", name]
    found = nets.landmarks(avatar(name), nets.detections(avatar(name))[0])
    irises = found.mesh_px[[468, 473], :2]
    assert irises.ravel().tolist() == pytest.approx(eyes, abs=16)
    nose = found.mesh_px[4, :2]
    assert box[0] < irises[0, 0] < nose[0] < irises[1, 0] < box[2]
    assert found.mesh_px.shape == (478, 3)
    assert found.score > 0.99


def test_where_there_is_no_face_the_mesh_says_so() -> None:
    grey = np.full((192, 192, 3), 127, np.uint8)
    assert nets.landmarker().landmarks(grey).score < 0.5


# --- identity --------------------------------------------------------------------------------------------------------


def cosine(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(nets.identity(one, nets.face_in(one)) @ nets.identity(other, nets.face_in(other)))


@pytest.mark.parametrize("name", NAMES)
def test_a_person_is_the_same_when_dark_small_or_mirrored(name: str) -> None:
    picture = avatar(name)
    dark = (picture * 0.6).astype(np.uint8)
    small = cv2.resize(picture, (200, 200), interpolation=cv2.INTER_AREA)
    for changed in (dark, small, np.ascontiguousarray(picture[:, ::-1])):
        assert cosine(picture, changed) >= 0.67


def test_the_filmed_driver_is_the_portrait_he_was_made_of() -> None:
    film = cv2.VideoCapture(str(RESOURCES / "demo" / "driver.mp4"))
    try:
        alike = []
        for number in (0, 100, 200):
            film.set(cv2.CAP_PROP_POS_FRAMES, number)
            frame = cv2.cvtColor(film.read()[1], cv2.COLOR_BGR2RGB)
            alike.append({name: cosine(frame, avatar(name)) for name in NAMES})
    finally:
        film.release()
    for cosines in alike:
        assert max(cosines, key=lambda name: cosines[name]) == "dan"
        assert cosines["dan"] >= 0.67


def test_different_people_are_told_apart() -> None:
    cosines = [cosine(avatar(a), avatar(b)) for i, a in enumerate(NAMES) for b in NAMES[:i]]
    assert max(cosines) <= 0.55
    assert np.mean(cosines) < 0.35


def test_two_real_people_are_strangers() -> None:
    one, other = (read_rgb(shared_path(f"media/real/{name}")) for name in ("astronaut.png", "grace_hopper.jpg"))
    assert cosine(one, other) <= 0.29


def test_an_identity_has_the_length_of_one() -> None:
    vector = nets.identity(avatar("ada"), nets.face_in(avatar("ada")))
    assert vector.shape == (128,)
    assert vector.dtype == np.float32
    assert float(np.linalg.norm(vector)) == pytest.approx(1, abs=1e-5)


# --- what goes in ----------------------------------------------------------------------------------------------------


def picture_format(order: ColourOrder = "RGB", mean: float = 0, std: float = 1) -> PictureFormat:
    return PictureFormat(
        size_px=2,
        colour_order=order,
        layout="NCHW",
        white=1,
        mean=(mean,) * 3,
        std=(std,) * 3,
        template="arcface_112_v2",
    )


COLOURS = np.array([[(0, 51, 255), (255, 0, 0)], [(0, 255, 0), (102, 102, 102)]], np.uint8)


def test_a_crop_becomes_planes_of_the_order_and_range_on_the_card() -> None:
    plain = InputTensor(picture_format()).fill(COLOURS)
    assert plain.shape == (1, 3, 2, 2)
    assert plain.dtype == np.float32
    np.testing.assert_allclose(plain[0, :, 0, 0], (0, 0.2, 1), atol=1e-6)
    bgr = InputTensor(picture_format("BGR", mean=0.5, std=0.5)).fill(COLOURS)
    np.testing.assert_allclose(bgr[0, :, 0, 0], (1, -0.6, -1), atol=1e-6)
    np.testing.assert_allclose(bgr[0, :, 1, 1], (-0.2,) * 3, atol=1e-6)


def test_the_tensor_is_the_same_memory_every_time() -> None:
    tensor = InputTensor(picture_format())
    assert tensor.fill(COLOURS) is tensor.fill(COLOURS[::-1])


# --- what goes wrong -------------------------------------------------------------------------------------------------


def copied(folder: Path, *model_ids: str) -> Catalog:
    """A catalog of copies that a test may spoil."""
    for model_id in model_ids:
        for suffix in (".toml", ".onnx"):
            shutil.copyfile(MODELS / f"{model_id}{suffix}", folder / f"{model_id}{suffix}")
    return Catalog(folder)


def test_a_missing_model_file_is_told_with_advice(tmp_path: Path) -> None:
    catalog = copied(tmp_path, "blazeface_short")
    (tmp_path / "blazeface_short.onnx").unlink()
    with pytest.raises(InferenceError, match=r"blazeface_short\.onnx is missing") as refusal:
        catalog.detector("blazeface_short")
    assert refusal.value.advice == "Install the program again."
    assert str(tmp_path) not in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"this is no net", None])
def test_a_damaged_model_file_is_told_with_advice(tmp_path: Path, content: bytes | None) -> None:
    catalog = copied(tmp_path, "blazeface_short")
    file = tmp_path / "blazeface_short.onnx"
    whole = hashlib.sha256(file.read_bytes()).hexdigest()
    file.write_bytes(file.read_bytes()[:2000] if content is None else content)
    with pytest.raises(InferenceError, match=r"blazeface_short\.onnx is not the one") as refusal:
        catalog.detector("blazeface_short")
    assert refusal.value.advice == "Install the program again."
    # A card that names the damaged file, as it is: what is told then is the graph's fault.
    card = tmp_path / "blazeface_short.toml"
    card.write_text(card.read_text("utf-8").replace(whole, hashlib.sha256(file.read_bytes()).hexdigest()), "utf-8")
    with pytest.raises(InferenceError, match=r"blazeface_short\.onnx cannot be loaded") as refusal:
        catalog.detector("blazeface_short")
    assert refusal.value.advice == "Install the program again: the file is missing or damaged."
    assert str(tmp_path) not in str(refusal.value)


def test_a_model_without_a_card_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(ModelCardError, match="there is no model 'nobody'"):
        Catalog(tmp_path).card("nobody")


def test_a_model_is_opened_only_as_what_it_is() -> None:
    for model_id in ("sface_2021dec_int8bq", "face_mesh_attention"):
        with pytest.raises(ModelCardError, match=f"{model_id} is no face detector"):
            nets.CATALOG.detector(model_id)
    for model_id in ("sface_2021dec_int8bq", "blazeface_short"):
        with pytest.raises(ModelCardError, match=f"{model_id} is no face mesh"):
            nets.CATALOG.landmarker(model_id)
    for model_id in ("face_mesh_attention", "yunet_2023mar"):
        with pytest.raises(ModelCardError, match=f"{model_id} is no recogniser"):
            nets.CATALOG.recogniser(model_id)


def test_a_recogniser_needs_an_alignment_template() -> None:
    unaligned = dataclasses.replace(picture_format(), template=None)
    with pytest.raises(ModelCardError, match="no alignment template"):
        EmbeddingNet(SpeechlessNet(1), unaligned)  # type: ignore[arg-type]


def test_a_card_that_does_not_say_what_goes_in_is_refused(tmp_path: Path) -> None:
    catalog = copied(tmp_path, "face_mesh_attention")
    card = tmp_path / "face_mesh_attention.toml"
    text = card.read_text("utf-8")
    start, end = text.index("[input]"), text.index("[output]")
    card.write_text(text[:start] + text[end:], "utf-8")
    with pytest.raises(ModelCardError):
        catalog.landmarker("face_mesh_attention")


def test_a_net_says_what_runs_it() -> None:
    assert NetSession(MODELS / "blazeface_short.onnx").provider == "CPUExecutionProvider"


def test_warming_runs_the_net_once_on_zeros_of_its_own_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    net = NetSession(MODELS / "blazeface_short.onnx")
    fed: list[dict[str, NDArray[np.float32]]] = []
    monkeypatch.setattr(net, "_runs", lambda tensors: fed.append(tensors) or [])
    net.warm()
    (tensors,) = fed
    (tensor,) = tensors.values()
    assert (tensor.shape, tensor.dtype, tensor.any()) == ((1, 3, 128, 128), np.float32, False)


def test_warming_does_not_hide_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_fed: object) -> list[NDArray[np.float32]]:
        raise session.ORT_ERRORS[0]("no kernel")

    net = NetSession(MODELS / "blazeface_short.onnx")
    monkeypatch.setattr(net, "_runs", failing)
    with pytest.raises(InferenceError, match="a net failed"):
        net.warm()


def test_a_net_that_fails_is_an_inference_error() -> None:
    net = NetSession(MODELS / "blazeface_short.onnx")
    with pytest.raises(InferenceError, match="a net failed"):
        net.run(np.zeros((1, 3, 64, 64), np.float32))


class SpeechlessNet:
    """A net that gives the same vector whatever it sees."""

    def __init__(self, *vector: float) -> None:
        self._vector = np.array([vector], np.float32)

    def run(self, tensor: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        del tensor
        return [self._vector]


@pytest.mark.parametrize("vector", [(0, 0, 0), (1, np.nan, 0), (np.inf, 1, 1)])
def test_a_vector_without_a_direction_is_an_inference_error(vector: tuple[float, ...]) -> None:
    net = EmbeddingNet(SpeechlessNet(*vector), picture_format())  # type: ignore[arg-type]
    with pytest.raises(InferenceError, match="no usable vector"):
        net.embed(COLOURS)


def test_a_net_is_opened_once_for_all_who_use_it_and_anew_when_its_file_changed(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes((RESOURCES / "models" / "yunet_2023mar.onnx").read_bytes())
    first, second = NetSession(path), NetSession(path)
    assert first._session is second._session
    assert NetSession(path, threads=2)._session is not first._session
    path.write_bytes((RESOURCES / "models" / "blazeface_short.onnx").read_bytes())
    assert NetSession(path)._session is not first._session


def test_a_large_net_goes_with_the_last_one_who_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_SMALL_BYTES", 0)
    path = tmp_path / "net.onnx"
    path.write_bytes((RESOURCES / "models" / "yunet_2023mar.onnx").read_bytes())
    net = NetSession(path)
    left = weakref.ref(net._session)
    del net
    assert left() is None
