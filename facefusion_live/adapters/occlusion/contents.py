"""Whether what is under a mesh came along when the mesh moved: one that goes over to another face leaves it behind."""

from collections.abc import Collection
from dataclasses import dataclass, field

from facefusion_live.adapters.occlusion.flat import FlatFace
from facefusion_live.adapters.occlusion.pieces import FOUND, REACH, Mesh, Sheet, laid_flat, pieces_of, searched
from facefusion_live.domain import geometry
from facefusion_live.domain.face import Face
from facefusion_live.domain.image import Image

_STIRRED = 0.93
"""A mesh whose box overlaps that of the picture before by this or more did not go anywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class _Before:
    """A face a picture ago: its mesh, and the detail under it."""

    mesh_px: Mesh
    detail: Sheet


@dataclass(slots=True, eq=False)
class FaceContents:
    """The `Contents` of this program. Thread: inference."""

    _flat: FlatFace = field(default_factory=FlatFace)
    _before: dict[int, _Before] = field(default_factory=dict[int, _Before])

    def carried(self, image: Image, face: Face) -> float:
        """As the port.

        Raises:
            InferenceError: The mesh is not finite.
        """
        seen = laid_flat(self._flat, image, face.mesh_px)
        before = self._before.get(face.track_id)
        self._before[face.track_id] = _Before(face.mesh_px, seen)
        if before is None or _overlap(before.mesh_px, face.mesh_px) >= _STIRRED:
            return 1.0
        found = searched(before.detail, seen, pieces_of(self._flat, before.detail, before.mesh_px), REACH)
        return sum(each.likeness >= FOUND for each in found) / len(found) if found else 1.0

    def keep(self, track_ids: Collection[int]) -> None:
        """As the port."""
        self._before = {track_id: before for track_id, before in self._before.items() if track_id in track_ids}


def _overlap(one_px: Mesh, other_px: Mesh) -> float:
    return geometry.overlap(geometry.box_of(one_px), geometry.box_of(other_px))
