"""The built-in nets, opened once, and what they find in a picture."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.render_cpu import CpuCompute
from facefusion_live.domain import geometry
from facefusion_live.domain.face import Detection, Face
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.ports import FaceDetector, FaceLandmarker, FaceRecogniser, Landmarks, Portrait
from tests.faces import avatar, face_of
from tests.support import RESOURCES

DETECTORS = ("blazeface_short", "blazeface_full", "yunet_2023mar")
CATALOG = Catalog(RESOURCES / "models")


@lru_cache(maxsize=1)
def compute() -> CpuCompute:
    return CpuCompute(RESOURCES / "slate.png")


@lru_cache(maxsize=3)
def detector(name: str) -> FaceDetector:
    return CATALOG.detector(name)


@lru_cache(maxsize=1)
def landmarker() -> FaceLandmarker:
    return CATALOG.landmarker("face_mesh_attention")


@lru_cache(maxsize=1)
def plain_landmarker() -> FaceLandmarker:
    return CATALOG.landmarker("face_mesh")


@lru_cache(maxsize=1)
def recogniser() -> FaceRecogniser:
    return CATALOG.recogniser("sface_2021dec_int8bq")


def crop(picture: NDArray[np.uint8], crop_from_frame: geometry.Affine, size_px: int) -> NDArray[np.uint8]:
    """A square piece of a picture, as the program cuts it."""
    pixels = np.empty((size_px, size_px, 3), np.uint8)
    compute().crop(HostImage(picture.view()), crop_from_frame, pixels)
    return pixels


def detections(picture: NDArray[np.uint8], name: str = "blazeface_short", threshold: float = 0.5) -> list[Detection]:
    """Faces in the picture, in its own pixels."""
    net = detector(name)
    crop_from_frame = geometry.letterbox((picture.shape[1], picture.shape[0]), net.input_px)
    frame_from_crop = geometry.inverse(crop_from_frame)
    found = net.detect(crop(picture, crop_from_frame, net.input_px), threshold)
    return [
        Detection(
            box_px=geometry.transform(frame_from_crop, face.box_px.reshape(2, 2)).ravel(),
            eyes_px=geometry.transform(frame_from_crop, face.eyes_px),
            score=face.score,
        )
        for face in found
    ]


def landmarks(picture: NDArray[np.uint8], detection: Detection) -> Landmarks:
    """The mesh of a face that was detected, in the picture's pixels."""
    net = landmarker()
    crop_from_frame = geometry.face_roi(detection.box_px, detection.eyes_px, net.input_px)
    found = net.landmarks(crop(picture, crop_from_frame, net.input_px))
    return Landmarks(geometry.transform(geometry.inverse(crop_from_frame), found.mesh_px), found.score)


def face_in(picture: NDArray[np.uint8]) -> Face:
    """The best face in a picture."""
    return face_of(landmarks(picture, detections(picture)[0]).mesh_px)


@lru_cache(maxsize=8)
def portrait(name: str) -> Portrait:
    """A built-in avatar and its face."""
    return Portrait(HostImage(avatar(name)), face_in(avatar(name)))


def identity(picture: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
    """Who a face is."""
    net = recogniser()
    return net.embed(crop(picture, geometry.align(face.landmarks5_px, net.template, net.input_px), net.input_px))
