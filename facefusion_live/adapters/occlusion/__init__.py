"""What lies before a face, told from how the face has looked of late, and from the hands near it."""

from facefusion_live.adapters.occlusion.finder import FaceOccluders

__all__ = ["FaceOccluders"]
