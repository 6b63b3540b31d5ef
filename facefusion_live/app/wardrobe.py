"""Source faces made ready: the one in force, and those used lately."""

from collections import OrderedDict
from collections.abc import Callable

from facefusion_live.app.portraits import Source
from facefusion_live.domain.errors import SourceFaceError
from facefusion_live.domain.ports import FaceSwapper, Portrait, PreparedSource

_KEPT = 6
"""Faces kept ready: going back to one of them takes no time."""


class Wardrobe:
    """Holds the source face in force as one reference, which inference reads once per frame.

    Thread: `prepare` loader; `wear` and `worn` any.

    Args:
        swapper: The engine that reads prepared sources.
        look: Finds the one face of a picture.
    """

    def __init__(self, swapper: FaceSwapper, look: Callable[[Source], Portrait]) -> None:
        self._swapper, self._look = swapper, look
        self._ready: OrderedDict[tuple[str, ...], PreparedSource] = OrderedDict()
        self._worn: PreparedSource | None = None

    def prepare(self, sources: tuple[Source, ...], wanted: Callable[[], bool] = lambda: True) -> PreparedSource | None:
        """Make one person's pictures ready for the engine.

        Args:
            sources: The pictures.
            wanted: Asked before each of them: whether it is worth the time.

        Returns:
            None where it is not wanted any more.

        Raises:
            SourceFaceError: A picture shows no face that can be used.
            InferenceError: A net cannot be loaded.
        """
        name = tuple(source.sha256 for source in sources)
        if name not in self._ready:
            portraits = [self._look(source) for source in sources if wanted()]
            if len(portraits) < len(sources) or not wanted():
                return None
            self._ready[name] = self._swapper.prepare(portraits)
        self._ready.move_to_end(name)
        while len(self._ready) > _KEPT:
            self._ready.popitem(last=False)
        return self._ready[name]

    def forget(self, photos: tuple[str, ...]) -> None:
        """Keep no face ready that was made from one of these photos, named by SHA-256."""
        for name in [name for name in self._ready if set(name) & set(photos)]:
            del self._ready[name]

    def wear(self, source: PreparedSource) -> None:
        """Put a face in force: from the next frame on."""
        self._worn = source

    def worn(self) -> PreparedSource:
        """The face in force.

        Raises:
            SourceFaceError: There is none yet.
        """
        if self._worn is None:
            raise SourceFaceError("no source face was chosen", advice="Choose a face first.")
        return self._worn
