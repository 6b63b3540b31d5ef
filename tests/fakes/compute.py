"""A `Compute` in a few lines of numpy, which really fills its pictures and really measures what is covered."""

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import geometry
from facefusion_live.domain.face import Job
from facefusion_live.domain.geometry import Affine
from facefusion_live.domain.image import Frame, HostImage, Image
from facefusion_live.domain.ports import Backend, Buffers, Composition
from facefusion_live.domain.settings import Settings
from tests.fakes.pictures import HIDDEN, SLATE


class FakeCompute:
    """Draws patches as they are, and hides bystanders, and who turns away, under green.

    Args:
        on_compose: Called first, with the job; may raise or wait.
        on_slate: Called first, with the frame to be pixelated or None; may raise.
    """

    name = "fake"
    backend = Backend("fake", "a test")

    def __init__(
        self,
        on_compose: Callable[[Job], None] = lambda _job: None,
        on_slate: Callable[[Frame | None], None] = lambda _frame: None,
    ) -> None:
        self.on_compose, self.on_slate = on_compose, on_slate
        self.opacities: list[float] = []
        self.thread: int | None = None
        self.begun = 0

    def prepare(self, size_wh: tuple[int, int]) -> None:
        self.size_wh = size_wh

    def begin(self) -> None:
        assert self.thread is None, "begun twice"
        self.thread = threading.get_ident()
        self.begun += 1

    def end(self) -> None:
        assert self.thread == threading.get_ident(), "ended on another thread, or not begun"
        self.thread = None

    def crop(self, image: Image, crop_from_frame: Affine, pixels: NDArray[np.uint8]) -> None:
        source = image.host()
        height, width = pixels.shape[:2]
        at = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).reshape(-1, 2)
        x, y = np.rint(geometry.transform(geometry.inverse(crop_from_frame), at)).astype(int).T
        inside = source[y.clip(0, source.shape[0] - 1), x.clip(0, source.shape[1] - 1)]
        pixels[:] = inside.reshape(pixels.shape)

    def compose(self, job: Job, settings: Settings, buffers: Buffers) -> Composition:
        self.on_compose(job)
        self.opacities.append(settings.look.opacity)
        frame = job.frame.image.host()
        buffer = buffers.acquire()
        out = buffer.array(frame.shape)
        np.copyto(out, frame)
        for index, face in enumerate(job.faces):
            if index not in job.targets and settings.gate.bystanders != "keep":
                _fill(out, face.box_px, HIDDEN)
        covered = dict.fromkeys(job.targets, 0.0)
        for patch in job.patches:
            box = geometry.box_of(job.faces[patch.face_index].mesh_px)
            drawn = _draw(out, patch.swap.host(), patch.crop_from_frame, box)
            if patch.face_index in covered:
                covered[patch.face_index] = drawn
            if job.faces[patch.face_index].faded:
                _fill(out, box, HIDDEN)
        shares = tuple(share * settings.look.opacity for share in covered.values())
        return Composition(HostImage(out, buffer), shares)

    def slate(self, frame: Frame | None, size_wh: tuple[int, int], settings: Settings, buffers: Buffers) -> Image:
        del settings
        self.on_slate(frame)
        buffer = buffers.acquire()
        out = buffer.array((size_wh[1], size_wh[0], 3))
        out[:] = SLATE
        return HostImage(out, buffer)


def _fill(out: NDArray[np.uint8], box_px: NDArray[np.float32], colour: tuple[int, int, int]) -> None:
    left, top, right, bottom = np.rint(box_px).astype(int).clip(0)
    out[top:bottom, left:right] = colour


def _draw(out: NDArray[np.uint8], swap: NDArray[np.uint8], crop_from_frame: Affine, box: NDArray[np.float32]) -> float:
    """Draw what is not black in the swap; returns the share of the box that it covers."""
    if not np.isfinite(crop_from_frame).all():
        return float("nan")
    height, width = out.shape[:2]
    at = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).reshape(-1, 2)
    x, y = np.rint(geometry.transform(crop_from_frame, at)).astype(int).T
    size = swap.shape[0]
    inside = (x >= 0) & (y >= 0) & (x < size) & (y < size)
    painted = np.zeros((height * width, 3), np.uint8)
    painted[inside] = swap[y[inside], x[inside]]
    there = painted.any(-1).reshape(height, width)
    out[there] = painted.reshape(out.shape)[there]
    left, top, right, bottom = np.rint(box).astype(int).clip(0)
    face = there[top:bottom, left:right]
    return float(face.mean()) if face.size else 0.0
