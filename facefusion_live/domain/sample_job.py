"""A job of known size, made of nothing: for measuring how fast pictures are composed."""

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import blend, geometry
from facefusion_live.domain.face import Face, Job, Patch
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.settings import Settings

_CROP_STEP_PX, _LARGEST_PX, _MARGIN, _HEIGHT = 64, 768, 1.3, 1.2
"""As the mesh engine chooses its crops; a face is 1.2 times as high as it is wide."""
_SEED = 5


def sample_job(size_wh: tuple[int, int], face_px: int, settings: Settings) -> Job:
    """One face in the middle of a picture, as the mesh engine would hand it on.

    Args:
        size_wh: Of the picture.
        face_px: Width of the face; less where the picture is too small for it.
        settings: Stand in the job.
    """
    middle, face_px = np.array(size_wh) / 2, min(face_px, int(size_wh[1] / _HEIGHT / _MARGIN))
    half = np.array([face_px, _HEIGHT * face_px]) / 2
    box = np.concatenate([middle - half, middle + half]).astype(np.float32)
    crop_from_frame, size = geometry.upright_crop(box, _MARGIN, _CROP_STEP_PX, _LARGEST_PX)
    random = np.random.default_rng(_SEED)
    picture, swap = (_soft_noise(random, wh) for wh in (size_wh, (size, size)))
    coverage = np.full((size, size), 255, np.uint8)
    regions = _regions(size, half * geometry.scale_of(crop_from_frame))
    patch = Patch(HostImage(swap), None, HostImage(coverage), HostImage(regions), crop_from_frame, 0)
    face = Face(box, np.zeros((5, 2), np.float32), np.zeros((478, 3), np.float32), 1.0, 0, agreed=True)
    none = np.empty((0, 4), np.float32)
    return Job(Frame(0, 0, 0.0, HostImage(picture)), (face,), (0,), 0, (patch,), none, settings)


def _soft_noise(random: np.random.Generator, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    width, height = size_wh
    few = random.integers(0, 256, (-(-height // 8), -(-width // 8), 3), np.uint8)
    return np.ascontiguousarray(few.repeat(8, 0).repeat(8, 1)[:height, :width])


def _regions(size: int, half: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(s, s, 4) distances to an oval, two eyes, a mouth and two brows."""
    at = np.stack(np.meshgrid(*[np.arange(size, dtype=np.float32)] * 2), -1) - np.float32((size - 1) / 2)
    ovals = {
        0: [(0.0, 0.0, 1.0, 1.0)],
        1: [(-0.4, -0.15, 0.2, 0.06), (0.4, -0.15, 0.2, 0.06)],
        2: [(0.0, 0.5, 0.3, 0.08)],
        3: [(-0.4, -0.35, 0.25, 0.05), (0.4, -0.35, 0.25, 0.05)],
    }
    regions = np.empty((size, size, 4), np.uint8)
    for channel, shapes in ovals.items():
        distances = [_oval(at, half * (x, y), half * (w, h)) for x, y, w, h in shapes]
        regions[..., channel] = blend.encode_distance(np.maximum.reduce(distances) / np.float32(size))
    return regions


def _oval(at: NDArray[np.float32], centre: NDArray[np.float64], half: NDArray[np.float64]) -> NDArray[np.float32]:
    """Signed distance in pixels, near enough, positive inside."""
    apart = np.linalg.norm((at - centre.astype(np.float32)) / half.astype(np.float32), axis=-1)
    return (1 - apart) * np.float32(half.min())
