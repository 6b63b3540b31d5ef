# pyright: basic
"""How a swapper is told whom to draw: the source face as a vector, or as a picture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx.recognisers import EmbeddingNet
from facefusion_live.adapters.onnx.session import NetSession
from facefusion_live.adapters.onnx.tensors import InputTensor
from facefusion_live.domain import geometry, mesh
from facefusion_live.domain.errors import InferenceError, ModelCardError
from facefusion_live.domain.image import Image
from facefusion_live.domain.model_card import Normalise, PictureFormat
from facefusion_live.domain.ports import Portrait

Crop = Callable[[Image, geometry.Affine, NDArray[np.uint8]], None]
"""Samples a crop into (n, n, 3): `Compute.crop`."""
Projection = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From one recogniser's vector (1, d) to what a swapper takes (1, e)."""


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Whom to draw.

    Attributes:
        tensor: For the swapper's second input.
        raw: (1, d) the recogniser's vector that it was made of; None where it was made of a picture.
    """

    tensor: NDArray[np.float32]
    raw: NDArray[np.float32] | None = None


class IdentityMaker(Protocol):
    """Turns source pictures into what a net takes."""

    def make(self, portraits: Sequence[Portrait]) -> Told:
        """For the swapper's second input.

        Raises:
            InferenceError: A net failed, or its answer is of no use.
        """
        ...


class EmbeddingIdentity:
    """A recogniser's vector, projected and brought to unit length as the card says.

    Several pictures of one person are averaged before that, each at unit length and scaled to their mean length, so
    that one overexposed picture does not outweigh the others.

    Args:
        recogniser: Makes the raw vectors.
        crop: Samples the recogniser's crops.
        project: What the vector goes through.
        normalise: When it is brought to unit length.
    """

    def __init__(self, recogniser: EmbeddingNet, crop: Crop, project: Projection, normalise: Normalise) -> None:
        self._recogniser, self._crop = recogniser, crop
        self._project, self._normalise = project, normalise

    def make(self, portraits: Sequence[Portrait]) -> Told:
        """(1, e) float32."""
        raw = np.concatenate([self.raw(portrait.image, portrait.face.landmarks5_px) for portrait in portraits])
        lengths = np.linalg.norm(raw, axis=1, keepdims=True)
        mean = (raw / lengths).mean(0, keepdims=True) * lengths.mean()
        return Told(self.projected(mean), mean)

    def raw(self, image: Image, landmarks5_px: NDArray[np.float32]) -> NDArray[np.float32]:
        """(1, d) as the recogniser gives it for a face in a picture."""
        edge = self._recogniser.input_px
        crop = np.empty((edge, edge, 3), np.uint8)
        self._crop(image, geometry.align(landmarks5_px, self._recogniser.template, edge), crop)
        return self._recogniser.raw(crop)[None]

    def projected(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """(1, e) float32 made of (1, d).

        Raises:
            InferenceError: A net failed, or its answer is not finite.
        """
        vector = self._project(unit(raw) if self._normalise == "before" else raw)
        vector = unit(vector) if self._normalise == "after" else vector
        if not np.isfinite(vector).all():
            raise InferenceError("the source face gave no usable vector")
        return vector.astype(np.float32)


class PictureIdentity:
    """An aligned picture of the source face; of several pictures the one that looks straightest into the camera.

    Args:
        picture: How it goes in; must name an alignment template.
        crop: Samples it.
    """

    def __init__(self, picture: PictureFormat, crop: Crop) -> None:
        if picture.template is None:
            raise ModelCardError("a swapper's card names no alignment template for the source picture")
        self._template, self._edge = picture.template, picture.size_px
        self._tensor, self._crop = InputTensor(picture), crop

    def make(self, portraits: Sequence[Portrait]) -> Told:
        """(1, 3, n, n) or (1, n, n, 3) float32."""
        portrait = min(portraits, key=_turned_away)
        crop = np.empty((self._edge, self._edge, 3), np.uint8)
        self._crop(portrait.image, geometry.align(portrait.face.landmarks5_px, self._template, self._edge), crop)
        return Told(self._tensor.fill(crop).copy())


def unchanged(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """The projection that changes nothing."""
    return vector


def by_matrix(matrix: NDArray[np.float32]) -> Projection:
    """Multiplication with a matrix (d, e) from the right."""
    return lambda vector: vector @ matrix


def by_net(converter: NetSession) -> Projection:
    """A converter net: one vector in, one out."""
    return lambda vector: converter.run(vector)[0].reshape(1, -1)


def unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vector at length 1."""
    return vector / np.maximum(np.linalg.norm(vector), np.float32(1e-12))


def _turned_away(portrait: Portrait) -> float:
    pose = mesh.head_pose(portrait.face.mesh_px)
    return float(np.hypot(pose.yaw, pose.pitch))
