"""What every `FrameSource` must do, asked of all of them."""

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from facefusion_live.adapters import capture
from facefusion_live.adapters.capture import CameraSource, MediaSource, SequenceSource, SyntheticSource, TiledSource
from facefusion_live.adapters.capture.decoder import Location
from facefusion_live.adapters.capture.tiled import Tiling
from facefusion_live.domain.ports import FrameInfo, FrameSource
from facefusion_live.domain.settings import Capture
from tests.adapters.clips import SIZE_WH, Clip, picture
from tests.adapters.clocks import TickingClock
from tests.contracts.discovery import classes_with
from tests.fakes import sources
from tests.fakes.clock import FakeClock
from tests.fakes.sources import ScriptedSource

FRAMES = 12
EVERY_WAY = [(rotation, mirror) for rotation in ("0", "90", "180", "270") for mirror in (False, True)]


@dataclass(frozen=True)
class Kind:
    """One kind of source.

    Attributes:
        source: The class.
        open: Opens it on a film or pictures made in a folder.
        ends: Whether it says None after the last picture.
        stamped: Whether it draws into the picture after turning it.
        turns: Whether it heeds mirror and rotation.
        scaled: Whether it shows the film in another size.
    """

    source: type
    open: Callable[[Path, Capture], FrameSource]
    ends: bool
    stamped: bool = False
    turns: bool = True
    scaled: bool = False


def _clip(folder: Path) -> Path:
    path = folder / "clip.mkv"
    return path if path.exists() else Clip(frames=FRAMES, codec="ffv1", pixels="bgr0").write(path)


def _media(folder: Path, wanted: Capture) -> FrameSource:
    return MediaSource(Location.file(_clip(folder)), wanted, TickingClock(tick_s=0.01))


def _synthetic(folder: Path, wanted: Capture) -> FrameSource:
    return SyntheticSource(_clip(folder), wanted, FakeClock(), realtime=True)


def _tiled(folder: Path, wanted: Capture) -> FrameSource:
    return TiledSource(SyntheticSource(_clip(folder), wanted, FakeClock(), realtime=True), Tiling(SIZE_WH, 2, 40))


def _sequence(folder: Path, wanted: Capture) -> FrameSource:
    pictures = folder / "pictures"
    if not pictures.exists():
        pictures.mkdir()
        for number in range(FRAMES):
            cv2.imwrite(str(pictures / f"{number}.png"), picture(number)[..., ::-1])
    return SequenceSource(pictures, wanted, FakeClock())


def _camera(folder: Path, wanted: Capture) -> FrameSource:
    """OpenCV's device class on a film: the same code as on a webcam, from the device's `read` on."""
    device = cv2.VideoCapture(str(_clip(folder)))
    return CameraSource(device, np.empty((SIZE_WH[1], SIZE_WH[0], 3), np.uint8), 0, wanted, TickingClock(tick_s=0.01))


def _scripted(_: Path, __: Capture) -> FrameSource:
    return ScriptedSource([picture(number) for number in range(FRAMES)], paced=False, fps=25, size_wh=SIZE_WH)


KINDS = [
    Kind(MediaSource, _media, ends=True),
    Kind(SequenceSource, _sequence, ends=True),
    Kind(SyntheticSource, _synthetic, ends=False, stamped=True),
    Kind(TiledSource, _tiled, ends=False, stamped=True, turns=False, scaled=True),
    Kind(CameraSource, _camera, ends=False),
    Kind(ScriptedSource, _scripted, ends=True, turns=False),
]


def _name_of(kind: Kind) -> str:
    return kind.source.__name__


@pytest.fixture(params=KINDS, ids=_name_of)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


def _pixels(source: FrameSource, fill: int = 0) -> np.ndarray:
    return np.full((*source.size_wh[::-1], 3), fill, np.uint8)


def _read(source: FrameSource, count: int) -> list[tuple[FrameInfo, np.ndarray]]:
    pixels, seen = _pixels(source), []
    for _ in range(count):
        info = source.read_into(pixels)
        assert info is not None
        seen.append((info, pixels.copy()))
    return seen


def test_no_source_is_forgotten() -> None:
    known = {kind.source for kind in KINDS}
    assert classes_with("read_into", capture) | classes_with("read_into", sources) == known


def test_it_tells_what_it_is(kind: Kind, tmp_path: Path) -> None:
    with kind.open(tmp_path, Capture()) as source:
        assert source.name
        assert "/" not in source.name
        assert "\\" not in source.name
        assert source.size_wh == SIZE_WH
        assert 1 <= source.fps <= 240
        assert source.paced in (True, False)
        assert source.frame_count in ((None, FRAMES) if kind.ends else (None,))


def test_times_start_near_zero_and_rise_and_pictures_are_counted(kind: Kind, tmp_path: Path) -> None:
    with kind.open(tmp_path, Capture()) as source:
        infos = [info for info, _ in _read(source, FRAMES)]
    assert 0 <= infos[0].media_s <= 1
    assert all(later.media_s > earlier.media_s for earlier, later in pairwise(infos))
    assert [info.source_index for info in infos] == list(range(FRAMES))


def test_every_pixel_is_written_and_nothing_else(kind: Kind, tmp_path: Path) -> None:
    seen = []
    for fill in (0, 255):
        with kind.open(tmp_path, Capture()) as source:
            around = np.full((source.size_wh[1] + 2, source.size_wh[0], 3), fill, np.uint8)
            source.read_into(around[1:-1])
        assert (around[[0, -1]] == fill).all()
        seen.append(around[1:-1])
    np.testing.assert_array_equal(*seen)


def test_a_picture_handed_out_is_never_touched_again(kind: Kind, tmp_path: Path) -> None:
    with kind.open(tmp_path, Capture()) as source:
        first, second = _pixels(source), _pixels(source)
        source.read_into(first)
        kept = first.copy()
        source.read_into(second)
        assert (first != second).any()
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.scaled], ids=_name_of)
def test_pictures_are_rgb(kind: Kind, tmp_path: Path) -> None:
    with kind.open(tmp_path, Capture()) as source:
        pixels = _read(source, 1)[0][1]
    np.testing.assert_array_equal(pixels[:200], picture(0)[:200])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.turns], ids=_name_of)
@pytest.mark.parametrize(("rotation", "mirror"), EVERY_WAY)
def test_turned_and_mirrored(kind: Kind, tmp_path: Path, rotation: str, mirror: bool) -> None:  # noqa: FBT001
    with kind.open(tmp_path, Capture(rotation=rotation, mirror=mirror)) as source:
        pixels = _read(source, 1)[0][1]
    wanted = np.rot90(picture(0), -int(rotation) // 90)
    wanted = wanted[:, ::-1] if mirror else wanted
    drawn_over = np.s_[:-32] if kind.stamped else np.s_[:]
    np.testing.assert_array_equal(pixels[drawn_over], wanted[drawn_over])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.ends], ids=_name_of)
def test_the_end_is_told_and_told_again(kind: Kind, tmp_path: Path) -> None:
    with kind.open(tmp_path, Capture()) as source:
        pixels = _pixels(source)
        assert len(list(islice(iter(lambda: source.read_into(pixels), None), 2 * FRAMES))) == FRAMES
        assert source.read_into(pixels) is None


def test_closing_twice_is_fine(kind: Kind, tmp_path: Path) -> None:
    source = kind.open(tmp_path, Capture())
    with source as entered:
        assert entered is source
    source.__exit__(None, None, None)


@pytest.mark.parametrize(("rotation", "mirror"), [("0", False), ("90", True)])
def test_reading_allocates_nothing_of_a_frames_size(
    kind: Kind,
    tmp_path: Path,
    rotation: str,
    mirror: bool,  # noqa: FBT001
) -> None:
    with kind.open(tmp_path, Capture(rotation=rotation, mirror=mirror)) as source:
        pixels = _pixels(source)
        source.read_into(pixels)
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for _ in range(FRAMES - 1):
                source.read_into(pixels)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak - before < pixels.nbytes / 2
