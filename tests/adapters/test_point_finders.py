"""Landmarkers that users bring: how their crops are cut, how sure they are, what is refused, and a real net."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import helper

from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.domain import geometry
from facefusion_live.domain.errors import InferenceError, ModelCardError
from facefusion_live.domain.points import five_of
from facefusion_live.domain.ports import PointFinder
from tests import nets
from tests.adapters import onnx_graphs
from tests.faces import avatar
from tests.support import RESOURCES, shared_path

CARDS = RESOURCES / "cards"


def finder(folder: Path, card: str, *answers: NDArray[np.float32]) -> PointFinder:
    """The landmarker of a card that ships, with a net that gives these answers whatever it sees."""
    catalog = Catalog(folder, CARDS)
    edge = catalog.card(card).target.size_px  # type: ignore[union-attr]
    outputs = {f"out_{index}": answer.astype(np.float32) for index, answer in enumerate(answers)}
    nodes = [helper.make_node("Identity", [f"{name}_is"], [name]) for name in outputs]
    nodes.append(helper.make_node("Identity", ["x"], ["seen"]))
    shapes: dict[str, tuple[int | str, ...]] = {name: array.shape for name, array in outputs.items()}
    constants = {f"{name}_is": array for name, array in outputs.items()}
    onnx_graphs.save(folder / catalog.card(card).file, nodes, {"x": (1, 3, edge, edge)}, shapes, constants)
    return catalog.point_finder(card)


def rows(count: int, columns: int, low: float, high: float) -> NDArray[np.float32]:
    return np.random.default_rng(7).uniform(low, high, (count, columns)).astype(np.float32)


def test_a_crop_of_a_tall_box_is_measured_by_its_longer_side_or_its_width() -> None:
    box, eyes = np.array([100.0, 50, 180, 170]), np.array([[120.0, 90], [160, 98]])
    corners = np.array([[0.0, 0], [256, 256]])
    longer = geometry.inverse(geometry.cut_around(box, eyes, 256, 1.5, wide=False, level=False))
    np.testing.assert_allclose(geometry.transform(longer, corners), [[50, 20], [230, 200]], atol=1e-3)
    width = geometry.inverse(geometry.cut_around(box, eyes, 256, 1.4, wide=True, level=False))
    np.testing.assert_allclose(geometry.transform(width, corners), [[84, 54], [196, 166]], atol=1e-3)
    level = geometry.cut_around(box, eyes, 256, 1.5, wide=False, level=True)
    turned = geometry.transform(level, eyes)
    assert turned[0, 1] == pytest.approx(turned[1, 1], abs=1e-3)


@pytest.mark.parametrize(("logit", "score"), [(0.0, 0.5), (np.log(9), 0.9), (-1000, 0.0)])
def test_whether_there_is_a_face_is_a_logit(tmp_path: Path, logit: float, score: float) -> None:
    net = finder(tmp_path, "face_landmarks_v2_478", rows(478, 3, 0, 256), np.array([[logit]]))
    assert net.points(np.zeros((256, 256, 3), np.uint8)).score == pytest.approx(score, abs=1e-6)


def test_the_score_of_68_points_is_their_mean(tmp_path: Path) -> None:
    answer = rows(68, 3, 0, 64)
    answer[:, 2] = np.linspace(0.2, 0.6, 68)
    assert finder(tmp_path, "2dfan4", answer[None]).points(np.zeros((256, 256, 3), np.uint8)).score == (
        pytest.approx(0.4)
    )


def test_another_number_of_points_is_refused(tmp_path: Path) -> None:
    net = finder(tmp_path, "2dfan4", rows(98, 3, 0, 64)[None])
    with pytest.raises(InferenceError, match="another number of points"):
        net.points(np.zeros((256, 256, 3), np.uint8))


def test_points_without_numbers_are_refused(tmp_path: Path) -> None:
    answer = rows(68, 3, 0, 64)
    answer[3, 1] = np.nan
    with pytest.raises(InferenceError, match="not finite"):
        finder(tmp_path, "2dfan4", answer[None]).points(np.zeros((256, 256, 3), np.uint8))


def test_a_card_without_a_crop_is_refused(tmp_path: Path) -> None:
    text = (CARDS / "2dfan4.toml").read_text("utf-8")
    shutil.copyfile(CARDS / "2dfan4.toml", tmp_path / "2dfan4.toml")
    (tmp_path / "2dfan4.toml").write_text(text.partition("[crop]")[0] + "[output]" + text.partition("[output]")[2])
    with pytest.raises(ModelCardError, match="how its crop is cut"):
        finder(tmp_path, "2dfan4", rows(68, 3, 0, 64)[None])


@pytest.mark.parametrize("name", ["ada", "bo", "cleo", "dan", "esi", "fay"])
def test_a_real_net_puts_the_five_points_where_the_mesh_has_them(name: str, tmp_path: Path) -> None:
    (tmp_path / "face_landmarks_v2_478.onnx").symlink_to(shared_path("models/test/face_landmarks_v2_478.onnx"))
    net = Catalog(tmp_path, CARDS).point_finder("face_landmarks_v2_478")
    face = nets.face_in(avatar(name))
    cut = net.cut
    crop_from_frame = geometry.cut_around(
        face.box_px, face.landmarks5_px[:2], net.input_px, cut.reach, wide=cut.side == "width", level=cut.level
    )
    found = net.points(nets.crop(avatar(name), crop_from_frame, net.input_px))
    five = geometry.transform(geometry.inverse(crop_from_frame), five_of(found.points_px))
    between = np.linalg.norm(face.landmarks5_px[1] - face.landmarks5_px[0])
    assert found.score > 0.5
    assert np.linalg.norm(five - face.landmarks5_px, axis=1).max() < 0.08 * between
