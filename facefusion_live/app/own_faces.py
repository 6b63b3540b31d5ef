"""Source faces of people enrolled, made ready beside the one that everybody else gets."""

from collections.abc import Callable
from dataclasses import replace

from facefusion_live.app import portraits
from facefusion_live.app.portraits import Source
from facefusion_live.domain import face_map
from facefusion_live.domain.ports import PreparedSource
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.stages import Outfit


class Dresser:
    """Keeps the source faces in force as the settings map them. Thread: `follow` one at a time; `worn` any.

    Args:
        outfit: Engine and the face that everybody gets whom no map names.
        consent: Why the mapped pictures may be used; avatars bring their own.
        ready: Makes one picture ready for the engine; asks the consent records first.
    """

    def __init__(
        self, outfit: Outfit, consent: portraits.Consent | None, ready: Callable[[Source], PreparedSource]
    ) -> None:
        self._outfit, self._consent, self._ready = outfit, consent, ready
        self._made: dict[str, tuple[Source, PreparedSource]] = {}

    def worn(self) -> Outfit:
        """Engine and faces in force."""
        return self._outfit

    def follow(self, settings: Settings) -> tuple[Source, ...]:
        """Map as the settings say, from the next frame on.

        Returns:
            The pictures that are mapped.

        Raises:
            SourceFaceError: A picture cannot be used; the map of before stays.
            ConsentError: Nobody has said why it may be used; the same.
            InferenceError: A net failed; the same.
        """
        named = face_map.parse(settings.swap.map)
        for face in dict.fromkeys(named.values()):
            if face not in self._made:
                source = portraits.source(face, self._consent)
                self._made[face] = (source, self._ready(source))
        self._outfit = replace(self._outfit, own={name: self._made[face][1] for name, face in named.items()})
        return tuple(self._made[face][0] for face in dict.fromkeys(named.values()))
