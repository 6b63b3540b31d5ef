"""How much memory a session needs, and where it comes from."""

from facefusion_live.domain.errors import ComputeError
from facefusion_live.domain.settings import NO_ENHANCER, Settings
from facefusion_live.engine.buffers import BufferPool, PoolBuffer

_PATCH_BYTES_PER_PIXEL = 8
"""Swap, regions and coverage."""
_ENHANCED_BYTES_PER_PIXEL = 11
"""The same, and the enhanced swap."""


class PatchMemory:
    """Buffers for patches, as large and as many as the settings in force ask for.

    Largest crop and most faces may be changed while frames flow. Then there is a new pool; the old one goes when its
    last patch has been rendered.

    Thread: inference; leases and `in_use` from any.

    Args:
        jobs: How many jobs may be on their way at a time.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._fits: tuple[int, int, bool] | None = None
        self._pools: tuple[BufferPool, ...] = ()

    def fit(self, settings: Settings) -> None:
        """Get ready for a frame with these settings."""
        enhanced = settings.swap.enhancer != NO_ENHANCER
        wanted = settings.swap.max_crop_px, settings.detect.max_faces, enhanced
        if wanted != self._fits:
            self._fits = wanted
            edge_px, faces, _ = wanted
            # While a patch is enhanced there are two of it.
            per_pixel = _ENHANCED_BYTES_PER_PIXEL if enhanced else _PATCH_BYTES_PER_PIXEL
            pool = BufferPool(per_pixel * edge_px**2, self._jobs * faces + enhanced, "patch")
            self.close()
            self._pools = (*(old for old in self._pools if old.in_use), pool)

    def acquire(self) -> PoolBuffer:
        """A buffer with one share taken.

        Raises:
            ComputeError: Every buffer is in use, or nobody said yet what is needed.
        """
        if not self._pools:
            raise ComputeError("patches were asked for before their size was known")
        return self._pools[-1].acquire()

    @property
    def in_use(self) -> int:
        """Buffers not given back."""
        return sum(pool.in_use for pool in self._pools)

    def close(self) -> None:
        """Give the memory back to the system; what is still in use goes when it is released."""
        for pool in self._pools:
            pool.close()
