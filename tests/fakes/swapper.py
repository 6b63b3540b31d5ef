"""An engine that paints faces blue."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from facefusion_live.domain import geometry
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.outline import Shape
from facefusion_live.domain.ports import Buffers, Portrait, PreparedSource
from facefusion_live.domain.settings import Settings
from tests.fakes.pictures import SWAPPED

_MARGIN = 1.25


@dataclass(frozen=True)
class FakeSource:
    """Whose colour is painted."""

    colour: tuple[int, int, int] = SWAPPED
    shape: Shape | None = None


class FakeSwapper:
    """A `FaceSwapper`.

    Args:
        spoil: Changes the patch, or raises; gets frame and honest patch.
    """

    name = "fake"
    provider = "cpu"

    def __init__(self, spoil: Callable[[Frame, Patch], Patch] | None = None) -> None:
        self.spoil = spoil

    def prepare(self, portraits: Sequence[Portrait]) -> PreparedSource:
        del portraits
        return FakeSource()

    def swap(
        self, frame: Frame, face: Face, face_index: int, source: PreparedSource, settings: Settings, buffers: Buffers
    ) -> Patch:
        assert isinstance(source, FakeSource)
        crop_from_frame, size = geometry.upright_crop(face.box_px, _MARGIN, 8, settings.swap.max_crop_px)
        buffer = buffers.acquire()
        swap = buffer.array((size, size, 3))
        regions = buffer.array((size, size, 4), offset=swap.size)
        swap[:] = source.colour
        regions[:] = 255
        buffer.retain()
        patch = Patch(HostImage(swap, buffer), None, None, HostImage(regions, buffer), crop_from_frame, face_index)
        try:
            return self.spoil(frame, patch) if self.spoil is not None else patch
        except BaseException:
            for image in patch.images():
                image.release()
            raise


def not_finite(_frame: Frame, patch: Patch) -> Patch:
    """The patch with a map of NaN."""
    return replace(patch, crop_from_frame=np.full((2, 3), np.nan))


def not_there(frame: Frame, patch: Patch) -> Patch:
    """The patch far beside the face."""
    del frame
    return replace(patch, crop_from_frame=patch.crop_from_frame + np.array([[0, 0, 1000.0], [0, 0, 0]]))
