"""Source faces made ready: the one in force with its engine, and those used lately."""

from collections import OrderedDict
from collections.abc import Callable

from facefusion_live.app.portraits import Source
from facefusion_live.domain.errors import SourceFaceError
from facefusion_live.domain.ports import FaceSwapper, Portrait, PreparedSource
from facefusion_live.engine.stages import Outfit

_KEPT = 6
"""Faces kept ready: going back to one of them takes no time."""


class Wardrobe:
    """Holds engine and source face in force as one reference, which inference reads once per frame.

    Thread: `prepare` loader; `wear` and `worn` any.

    Args:
        look: Finds the one face of a picture.
    """

    def __init__(self, look: Callable[[Source], Portrait]) -> None:
        self._look = look
        self._ready: OrderedDict[tuple[str, ...], PreparedSource] = OrderedDict()
        self._worn: Outfit | None = None

    def prepare(
        self, sources: tuple[Source, ...], swapper: FaceSwapper, wanted: Callable[[], bool] = lambda: True
    ) -> Outfit | None:
        """Make one person's pictures ready for an engine.

        Args:
            sources: The pictures.
            swapper: The engine.
            wanted: Asked before each of them: whether it is worth the time.

        Returns:
            None where it is not wanted any more.

        Raises:
            SourceFaceError: A picture shows no face that can be used.
            InferenceError: A net cannot be loaded.
        """
        # The faces are kept, not their engine: what nobody wears any more gives its memory back.
        name = (swapper.name, *(source.sha256 for source in sources))
        if name not in self._ready:
            pictures = [source for source in sources if not source.in_model]
            portraits = [self._look(source) for source in pictures if wanted()]
            if len(portraits) < len(pictures) or not wanted():
                return None
            self._ready[name] = swapper.prepare(portraits)
        self._ready.move_to_end(name)
        while len(self._ready) > _KEPT:
            self._ready.popitem(last=False)
        return Outfit(swapper, self._ready[name])

    def forget(self, photos: tuple[str, ...]) -> None:
        """Keep no face ready that was made from one of these photos, named by SHA-256."""
        for name in [name for name in self._ready if set(name) & set(photos)]:
            del self._ready[name]

    def wear(self, outfit: Outfit) -> None:
        """Put a face and its engine in force: from the next frame on."""
        self._worn = outfit

    def worn(self) -> Outfit:
        """The face in force, and its engine.

        Raises:
            SourceFaceError: There is none yet.
        """
        if self._worn is None:
            raise SourceFaceError("no source face was chosen", advice="Choose a face first.")
        return self._worn
