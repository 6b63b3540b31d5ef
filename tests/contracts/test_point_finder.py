"""What every finder of points does, whichever net it is."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from onnx import helper

from facefusion_live import adapters
from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.onnx.point_finders import PointNet
from facefusion_live.domain.points import five_of
from facefusion_live.domain.ports import PointFinder
from tests.adapters import onnx_graphs
from tests.contracts.discovery import classes_with
from tests.fakes import nets as fakes
from tests.fakes.nets import FakePointFinder
from tests.support import RESOURCES


def net() -> PointFinder:
    """A net of the shape of 2dfan4, from the card that ships."""
    rows = np.random.default_rng(1).uniform(0, 1, (1, 68, 3)).astype(np.float32) * np.float32([64, 64, 1])
    nodes = [helper.make_node("Identity", ["is"], ["points"]), helper.make_node("Identity", ["x"], ["seen"])]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "2dfan4.onnx"
        onnx_graphs.save(file, nodes, {"x": (1, 3, 256, 256)}, {"points": (1, 68, 3)}, {"is": rows})
        return Catalog(Path(folder), RESOURCES / "cards").point_finder("2dfan4")


CASES: dict[str, Callable[[], PointFinder]] = {"net": net, "fake": FakePointFinder}


@pytest.fixture(params=CASES)
def finder(request: pytest.FixtureRequest) -> PointFinder:
    return CASES[request.param]()


def test_no_finder_is_missing_here() -> None:
    assert classes_with("points", adapters) == {PointNet}
    assert classes_with("points", fakes) == {FakePointFinder}


def test_the_points_lie_in_the_crop_and_make_five(finder: PointFinder) -> None:
    found = finder.points(np.zeros((finder.input_px, finder.input_px, 3), np.uint8))
    assert found.points_px.dtype == np.float32
    assert found.points_px.min() >= 0
    assert found.points_px.max() <= finder.input_px
    assert five_of(found.points_px).shape == (5, 2)
    assert 0 <= found.score <= 1


def test_it_says_how_its_crop_is_cut(finder: PointFinder) -> None:
    assert finder.cut.reach > 1
    assert finder.cut.side in {"longer", "width"}


def test_the_crop_is_only_read(finder: PointFinder) -> None:
    crop = np.full((finder.input_px, finder.input_px, 3), 7, np.uint8)
    finder.points(crop)
    assert (crop == 7).all()
