# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""The Compute port on the CPU."""

from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.render_cpu.bend import Bender
from facefusion_live.adapters.render_cpu.bystanders import Hider
from facefusion_live.adapters.render_cpu.patch import PatchPainter
from facefusion_live.domain import covering
from facefusion_live.domain.errors import BadInputError, ComputeError
from facefusion_live.domain.face import Job
from facefusion_live.domain.geometry import Affine
from facefusion_live.domain.image import Frame, HostImage, Image
from facefusion_live.domain.outline import bend_of, toward
from facefusion_live.domain.ports import Backend, Buffers, Composition
from facefusion_live.domain.settings import Settings

_SLATE_CELLS = 16
"""A pixelated picture has this many cells along its longer edge: a face that fills half of it is eight cells wide …"""
_SLATE_CELL_PX = 8
"""… and a cell is at least so many pixels: a small picture is not its own pixelation."""


class CpuCompute:
    """Composes with OpenCV, touching the regions of faces only.

    Args:
        card: The slate picture, any format that OpenCV reads.

    Raises:
        BadInputError: The slate picture cannot be read.
    """

    name = "cpu"
    backend = Backend("cpu", "OpenCV")

    def __init__(self, card: Path) -> None:
        picture = cv2.imread(str(card), cv2.IMREAD_COLOR_RGB)
        if picture is None:
            raise BadInputError(f"the slate picture {card.name} cannot be read", advice="Give a PNG or JPEG file.")
        self._card_source = picture
        self._cards: dict[tuple[int, int], HostImage] = {}
        self._painter = PatchPainter()
        self._hider = Hider()
        self._bender = Bender()

    def prepare(self, size_wh: tuple[int, int]) -> None:
        """Nothing to prepare."""

    def begin(self) -> None:
        """Nothing to take."""

    def end(self) -> None:
        """Nothing to give back."""

    def crop(self, image: Image, crop_from_frame: Affine, pixels: NDArray[np.uint8]) -> None:
        """Sample a crop bilinearly; beyond the frame its border is repeated. Thread: any."""
        height, width = pixels.shape[:2]
        try:
            cv2.warpAffine(
                image.host(), crop_from_frame, (width, height), pixels, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
            )
        except cv2.error as error:
            raise ComputeError("a crop could not be sampled") from error

    def compose(self, job: Job, settings: Settings, buffers: Buffers) -> Composition:
        """Hide the bystanders, draw every patch, veil who turns away, then bend the outlines. Thread: render."""
        frame = job.frame.image.host()
        try:
            with ExitStack() as on_failure:
                buffer = buffers.acquire()
                on_failure.callback(buffer.release)
                out = buffer.array(frame.shape)
                np.copyto(out, frame)
                self.hide_bystanders(out, job, settings)
                painted = [self._painter.paint(out, frame, patch, settings) for patch in job.patches]
                self.veil_turned(out, job, settings)
                self.bend_outlines(out, job, settings)
                on_failure.pop_all()
        except cv2.error as error:
            raise ComputeError("the picture could not be composed") from error
        return Composition(HostImage(out, buffer), covering.shares(job, painted))

    def hide_bystanders(self, out: NDArray[np.uint8], job: Job, settings: Settings) -> bool:
        """Hide the faces of people who are not swapped, as settings say; some whatever they say. Thread: render.

        Args:
            out: (h, w, 3) drawn into.
            job: Whose faces.
            settings: Blur, cover or keep.

        Returns:
            Whether anything was drawn.

        Raises:
            ComputeError: A face could not be hidden.
        """
        boxes = list(job.veiled_boxes_px)
        if settings.gate.bystanders != "keep":
            boxes = [face.box_px for index, face in enumerate(job.faces) if index not in job.targets]
            boxes += list(job.hidden_boxes_px)
        try:
            for box in boxes:
                self._hider.hide(out, box, _veil(settings))
        except cv2.error as error:
            raise ComputeError("a bystander could not be hidden") from error
        return bool(boxes)

    def veil_turned(self, out: NDArray[np.uint8], job: Job, settings: Settings) -> None:
        """Let swapped faces that turn away fade to what is done with bystanders. Thread: render.

        The swap is blurred, not the wearer: what lies below is covered all the same.

        Args:
            out: (h, w, 3) the composed picture, drawn into.
            job: Whose patches.
            settings: What is done with bystanders.

        Raises:
            ComputeError: A face could not be hidden.
        """
        faces = [job.faces[patch.face_index] for patch in job.patches]
        try:
            for face in faces:
                if face.faded:
                    self._hider.hide(out, face.box_px, _veil(settings), face.faded)
        except cv2.error as error:
            raise ComputeError("a face that turns away could not be hidden") from error

    def bend_outlines(self, out: NDArray[np.uint8], job: Job, settings: Settings) -> None:
        """Bend the finished picture around every swapped face toward the shape of its source. Thread: render.

        Last of all, so that what is hidden stays hidden: only pixels that would go out are moved.

        Args:
            out: (h, w, 3) drawn into.
            job: Whose patches.
            settings: How far.

        Raises:
            ComputeError: The picture could not be bent.
        """
        if not (strength := settings.look.face_shape):
            return
        shaped = [(job.faces[patch.face_index], patch.shapes) for patch in job.patches if patch.shapes is not None]
        try:
            for face, shapes in shaped:
                bend = bend_of(toward(face.mesh_px, shapes), strength, (out.shape[1], out.shape[0]))
                if bend is not None:
                    self._bender.bend(out, bend)
        except cv2.error as error:
            raise ComputeError("the picture could not be bent") from error

    def slate(self, frame: Frame | None, size_wh: tuple[int, int], settings: Settings, buffers: Buffers) -> Image:
        """The card, or the frame pixelated beyond recognition. Thread: render."""
        if frame is None or settings.gate.slate == "card":
            return self._card(size_wh)
        width, height = size_wh
        cell_px = max(max(size_wh) / _SLATE_CELLS, _SLATE_CELL_PX)
        cells = tuple(max(1, round(edge / cell_px)) for edge in size_wh)
        try:
            with ExitStack() as on_failure:
                buffer = buffers.acquire()
                on_failure.callback(buffer.release)
                out = buffer.array((height, width, 3))
                few = cv2.resize(frame.image.host(), cells, interpolation=cv2.INTER_AREA)
                cv2.resize(few, size_wh, dst=out, interpolation=cv2.INTER_NEAREST)
                on_failure.pop_all()
        except cv2.error as error:
            raise ComputeError("the picture could not be pixelated") from error
        return HostImage(out, buffer)

    def _card(self, size_wh: tuple[int, int]) -> HostImage:
        """The card filling the picture, cropped at its longer side."""
        if size_wh not in self._cards:
            height, width = self._card_source.shape[:2]
            scale = max(size_wh[0] / width, size_wh[1] / height)
            grown = cv2.resize(
                self._card_source,
                None,
                fx=scale,
                fy=scale,
                interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
            )
            left, top = (grown.shape[1] - size_wh[0]) // 2, (grown.shape[0] - size_wh[1]) // 2
            cut = grown[max(top, 0) :, max(left, 0) :][: size_wh[1], : size_wh[0]]
            self._cards = {size_wh: HostImage(cv2.resize(cut, size_wh))}
        return self._cards[size_wh]


def _veil(settings: Settings) -> str:
    """How faces are hidden; those that must be even where bystanders are kept are blurred."""
    return "blur" if settings.gate.bystanders == "keep" else settings.gate.bystanders
