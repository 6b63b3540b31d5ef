"""What a face looks like, laid flat: which part of it a hand hides, and whether it still lies where its mesh does."""

from facefusion_live.adapters.occlusion.anchors import FaceAnchors
from facefusion_live.adapters.occlusion.contents import FaceContents
from facefusion_live.adapters.occlusion.finder import FaceOccluders
from facefusion_live.adapters.occlusion.glasses import FaceGlasses

__all__ = ["FaceAnchors", "FaceContents", "FaceGlasses", "FaceOccluders"]
