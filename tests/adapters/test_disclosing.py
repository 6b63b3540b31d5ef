"""Every picture that a back-end makes is labelled and marked, the slate included, on both back-ends."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.adapters.gpu import GpuCompute
from facefusion_live.adapters.provenance.disclosing import DisclosingCompute
from facefusion_live.adapters.provenance.label import LabelPainter
from facefusion_live.adapters.provenance.mark import MarkPainter, MarkReader
from facefusion_live.adapters.render_cpu import CpuCompute
from facefusion_live.domain.disclosure import Part
from facefusion_live.domain.image import HostImage, Image
from facefusion_live.domain.ports import Compute
from facefusion_live.domain.sample_job import sample_job
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BufferPool
from tests.faces import noise
from tests.fakes.compute import FakeCompute
from tests.support import RESOURCES

PAYLOAD = 0xBADA55
SIZE_WH = (1280, 720)


def cpu() -> CpuCompute:
    return CpuCompute(RESOURCES / "slate.png")


CASES: dict[str, Callable[[pytest.FixtureRequest], Compute]] = {
    "cpu": lambda _: cpu(),
    "fake": lambda _: FakeCompute(),
    "gl": lambda request: GpuCompute(request.getfixturevalue("graphics"), cpu()),
}


class Bench:
    def __init__(self, inner: Compute, size_wh: tuple[int, int] = SIZE_WH) -> None:
        self.inner = inner
        self.left_out: frozenset[Part] = frozenset()
        painter = LabelPainter(RESOURCES / "fonts" / "label.otf")
        self.compute = DisclosingCompute(inner, painter, MarkPainter(PAYLOAD), lambda: self.left_out)
        self.pool = BufferPool(3 * size_wh[0] * size_wh[1], 4, "picture")

    def composed(
        self, compute: Compute | None = None, settings: Settings | None = None, seed: int = 0
    ) -> NDArray[np.uint8]:
        job = sample_job(SIZE_WH, 200, Settings())
        job = replace(job, frame=replace(job.frame, image=HostImage(noise(SIZE_WH, seed, smooth_px=9))))
        made = (compute or self.compute).compose(job, settings or Settings(), self.pool)
        return taken(made.image)

    def payload(self) -> int | None:
        """Read from a short film."""
        return payload_in(*(self.composed(seed=seed) for seed in range(8)))

    def slate(self, settings: Settings | None = None) -> NDArray[np.uint8]:
        return taken(self.compute.slate(None, SIZE_WH, settings or Settings(), self.pool))


def taken(image: Image) -> NDArray[np.uint8]:
    pixels = image.host()
    assert not pixels.flags.writeable
    copy = pixels.copy()
    image.release()
    return copy


@pytest.fixture(params=CASES)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = Bench(CASES[request.param](request))
    bench.compute.prepare(SIZE_WH)
    bench.compute.begin()
    yield bench
    bench.compute.end()
    assert bench.pool.in_use == 0


def payload_in(*pictures: NDArray[np.uint8]) -> int | None:
    reader = MarkReader()
    for picture in pictures:
        reader.add(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
    return reader.read().payload


def label_height(picture: NDArray[np.uint8]) -> int:
    """Rows of the upper right part with pure white letters in them."""
    corner = picture[: SIZE_WH[1] // 5, SIZE_WH[0] // 3 :]
    white = (corner == 255).all(2).sum(1)
    return int((white > 8).sum())


def test_a_composed_picture_is_labelled_and_marked(bench: Bench) -> None:
    bare, told = bench.composed(bench.inner), bench.composed()
    changed = np.abs(bare.astype(int) - told).max(2)
    assert changed[:110, 640:].max() > 60
    assert changed[150:].max() <= 3
    assert label_height(told) >= 0.05 * SIZE_WH[1] - 2
    assert bench.payload() == PAYLOAD


@pytest.mark.parametrize("size_wh", [(640, 360), (854, 480), (1920, 1080), (3840, 2160), (720, 1280), (1080, 1920)])
@pytest.mark.parametrize("backend", ["cpu", "gl"])
def test_pictures_of_every_size_are_labelled(
    backend: str, size_wh: tuple[int, int], request: pytest.FixtureRequest
) -> None:
    bench = Bench(CASES[backend](request), size_wh)
    bench.compute.prepare(size_wh)
    bench.compute.begin()
    job = sample_job(size_wh, min(size_wh) // 3, Settings())
    job = replace(job, frame=replace(job.frame, image=HostImage(np.zeros((size_wh[1], size_wh[0], 3), np.uint8))))
    told = taken(bench.compute.compose(job, Settings(), bench.pool).image)
    bench.compute.end()
    shorter = min(size_wh)
    # On black, and above the face, only letters are white: from the head of the capitals to the foot of the "y".
    rows = np.flatnonzero((told[: round(0.25 * shorter)] == 255).all(2).any(1))
    assert rows[0] >= 0.04 * shorter
    assert rows[-1] + 1 - rows[0] >= 0.05 * shorter


def test_the_slate_is_labelled_and_marked(bench: Bench) -> None:
    assert label_height(bench.slate()) >= 0.05 * SIZE_WH[1] - 2
    assert payload_in(bench.slate()) == PAYLOAD
    pixelated = Settings().with_values({"gate.slate": "pixelate"})
    job = sample_job(SIZE_WH, 200, Settings())
    shown = taken(bench.compute.slate(job.frame, SIZE_WH, pixelated, bench.pool))
    assert label_height(shown) >= 0.05 * SIZE_WH[1] - 2
    assert payload_in(shown) == PAYLOAD


def test_what_is_left_out_is_left_out(bench: Bench) -> None:
    bare = bench.composed(bench.inner)
    bench.left_out = frozenset({Part.LABEL})
    unlabelled = bench.composed()
    assert np.abs(bare.astype(int) - unlabelled).max() <= 3
    assert bench.payload() == PAYLOAD
    bench.left_out = frozenset(Part)
    assert np.array_equal(bench.composed(), bare)


def test_settings_leave_nothing_out_by_themselves(bench: Bench) -> None:
    off = Settings().with_values({"label.show": False, "label.mark": False, "label.reason": "because"})
    assert np.array_equal(bench.composed(settings=off), bench.composed())


def test_a_card_that_is_kept_follows_the_look(bench: Bench) -> None:
    first = bench.slate()
    assert np.array_equal(first, bench.slate())
    below = Settings().with_values({"label.corner": "bottom left"})
    assert not np.array_equal(first, bench.slate(below))
    bench.left_out = frozenset({Part.LABEL})
    assert label_height(bench.slate()) < label_height(first)


def test_it_is_the_inner_one_in_all_else(bench: Bench) -> None:
    assert bench.compute.name == bench.inner.name
    assert bench.compute.backend == bench.inner.backend
    picture = HostImage(np.full((90, 160, 3), 50, np.uint8))
    crop = np.zeros((32, 32, 3), np.uint8)
    bench.compute.crop(picture, np.array([[1.0, 0, 0], [0, 1, 0]]), crop)
    assert (crop == 50).all()
