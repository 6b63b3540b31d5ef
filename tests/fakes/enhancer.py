"""An enhancer that turns colours round."""

from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.ports import Buffers
from facefusion_live.domain.settings import Settings


class FakeEnhancer:
    """A `FaceEnhancer`."""

    name = "fake"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls = 0

    def enhance(self, patch: Patch, face: Face, settings: Settings, buffers: Buffers) -> Patch:
        del face, settings
        self.calls += 1
        if self.error is not None:
            raise self.error
        size = patch.size_px
        buffer = buffers.acquire()
        swap, enhanced = buffer.array((size, size, 3)), buffer.array((size, size, 3), 3 * size * size)
        regions = buffer.array((size, size, 4), 6 * size * size)
        swap[:], regions[:] = patch.swap.host(), patch.regions.host()
        enhanced[:] = 255 - swap
        for _ in range(2):
            buffer.retain()
        images = (HostImage(swap, buffer), HostImage(enhanced, buffer), None, HostImage(regions, buffer))
        done = Patch(*images, patch.crop_from_frame, patch.face_index, patch.change)
        for image in patch.images():
            image.release()
        return done
