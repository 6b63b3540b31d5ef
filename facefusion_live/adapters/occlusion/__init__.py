"""Which part of a face a hand hides, told from the hand's outline and from how the face has looked of late."""

from facefusion_live.adapters.occlusion.finder import FaceOccluders

__all__ = ["FaceOccluders"]
