# pyright: basic
"""The graphics device: a context, its programs and textures, and how one picture passes through them.

There is one for the whole program, made once: a new thread and context per session cost 11 MiB each on Mesa. Sessions
take it in turn, each on its own render thread.
"""

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.gpu import passes, textures
from facefusion_live.adapters.gpu.context import Context
from facefusion_live.adapters.gpu.handles import Handles
from facefusion_live.adapters.gpu.library import GL, GLCallError, raise_errors
from facefusion_live.adapters.gpu.plan import Box, Plan, is_empty, plan
from facefusion_live.adapters.gpu.programs import told
from facefusion_live.adapters.gpu.textures import Target, Texture
from facefusion_live.adapters.gpu.transfer import ReadBack, Upload, part_bytes
from facefusion_live.domain import blend, covering
from facefusion_live.domain.errors import ComputeError, ComputeLostError
from facefusion_live.domain.face import Patch
from facefusion_live.domain.settings import Settings

_SERIALS = 1 << 20
"""Numbers of pictures begin anew after so many; each is a whole number in a float."""
_EXACT_DIGITS = 4
"""Shares come back in 16 bits; rounded so, one half is one half again."""


class GlDevice:
    """Draws patches over pictures. Thread: whoever called `begin`, until `end`.

    Args:
        context: Current nowhere; the device closes it.
        shaders: The folder of GLSL sources.

    Raises:
        ComputeError: The context cannot be used.
        ResourceError: A shader is missing, does not compile, or does not keep to the table of settings.
    """

    def __init__(self, context: Context, shaders: Path) -> None:
        self._context = context
        self._taken = threading.Lock()
        self._lost = False
        self._serial = 0
        self.handles = Handles()
        with ExitStack() as on_failure:
            on_failure.callback(self.close)
            self.begin()
            try:
                self._set_up(shaders)
                raise_errors()
            except GLCallError as error:
                raise ComputeError(f"the graphics driver refuses to work: {error}") from error
            finally:
                self.end()
            on_failure.pop_all()

    def _set_up(self, shaders: Path) -> None:
        self.description = told(GL.glGetString(GL.GL_RENDERER))
        handles = self.handles
        # The core profile draws nothing without a vertex array, though none of our vertices comes from one.
        GL.glBindVertexArray(handles.make("vertex array"))
        for switch in (GL.GL_DITHER, GL.GL_DEPTH_TEST, GL.GL_BLEND, GL.GL_FRAMEBUFFER_SRGB, GL.GL_SCISSOR_TEST):
            GL.glDisable(switch)
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
        GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)
        GL.glClearColor(0, 0, 0, 0)
        GL.glBlendFuncSeparate(GL.GL_ONE, GL.GL_ONE_MINUS_SRC_ALPHA, GL.GL_ZERO, GL.GL_ONE)
        self._upload, self._read_back = Upload(handles), ReadBack(handles)
        self._passes = passes.Passes(handles, shaders)
        self._video = Target(handles, [Texture(handles, textures.RGB)])
        self._slots: list[passes.PatchTextures] = []

    @property
    def is_lost(self) -> bool:
        """Whether its context is gone. Thread: any."""
        return self._lost

    def begin(self) -> None:
        """Take the device for this thread.

        Raises:
            ComputeError: Another session has it.
            ComputeLostError: Its context is gone.
        """
        if self._lost:
            raise ComputeLostError("the graphics context is lost")
        if not self._taken.acquire(blocking=False):
            raise ComputeError("another session has the graphics device")
        with ExitStack() as on_failure:
            on_failure.callback(self._taken.release)
            self._context.make_current()
            on_failure.pop_all()

    def end(self) -> None:
        """Let go of it, on the thread that took it."""
        self._context.release()
        self._taken.release()

    def close(self) -> None:
        """Delete every object and the context. A second call does nothing.

        Raises:
            ComputeError: A session still has the device.
        """
        if self._lost:
            self.handles.forget()
        elif self.handles.alive:
            self.begin()
            try:
                self.handles.close()
            except GLCallError:
                # Lost while nobody looked: then nothing is left to delete.
                self.handles.forget()
            finally:
                self.end()
        self._context.close()

    def draw(
        self,
        out: NDArray[np.uint8],
        frame: NDArray[np.uint8],
        patches: Sequence[Patch],
        settings: Settings,
        *,
        veiled: bool,
    ) -> list[float]:
        """Draw patches into a picture.

        Only the parts of the picture that patches touch go to the device and come back.

        Args:
            out: (h, w, 3) the picture so far, drawn into.
            frame: (h, w, 3) the camera's picture.
            patches: What to draw, in this order.
            settings: Mask and look.
            veiled: Whether `out` differs from the frame: bystanders are hidden in it.

        Returns:
            For each patch the share of its face that is covered, 0..1, as the device drew it.

        Raises:
            ComputeLostError: The device cannot be used any more.
            ComputeError: A patch cannot be drawn.
        """
        frame_wh = (frame.shape[1], frame.shape[0])
        plans = [plan(patch, settings, frame_wh) for patch in patches]
        if not plans:
            return []
        try:
            self._check_context()
            self._shade(frame, frame_wh, plans, settings)
            self._draw(out if veiled else None, frame_wh, plans, settings)
            return self._fetch(out, plans, settings)
        except GLCallError as error:
            self._lost = True
            raise ComputeLostError(f"the graphics driver failed: {type(error).__name__}") from error
        except ComputeLostError:
            self._lost = True
            raise

    def _check_context(self) -> None:
        if self._context.is_lost():
            raise ComputeLostError("the graphics context is gone")

    def _shade(
        self, frame: NDArray[np.uint8], frame_wh: tuple[int, int], plans: Sequence[Plan], settings: Settings
    ) -> None:
        """Send picture and patches, and do all that looks at the camera's picture before it is drawn into."""
        (video,) = self._video.textures
        video.fit(frame_wh)
        while len(self._slots) < len(plans):
            self._slots.append(passes.PatchTextures(self.handles))
        for each, slot in zip(plans, self._slots, strict=False):
            slot.fit(each)
            if not is_empty(each.box):
                slot.collect(self._upload, each)
            if not is_empty(each.window):
                self._upload.add(video, frame, each.window)
        self._upload.send()
        video.bind(passes.SAMPLER_UNITS["video"])
        for each, slot in zip(plans, self._slots, strict=False):
            if not is_empty(each.box):
                self._passes.shade(each, slot, frame_wh, settings)

    def _draw(
        self, out: NDArray[np.uint8] | None, frame_wh: tuple[int, int], plans: Sequence[Plan], settings: Settings
    ) -> None:
        """Draw in place: the texture that held the camera's picture becomes the finished one."""
        shown = [(each, slot) for each, slot in zip(plans, self._slots, strict=False) if not is_empty(each.window)]
        if out is not None:
            for each, _ in shown:
                self._upload.add(self._video.textures[0], out, each.window)
            self._upload.send()
        for each, slot in shown:
            self._passes.draw(each, slot, self._video, frame_wh, settings)

    def _fetch(self, out: NDArray[np.uint8], plans: Sequence[Plan], settings: Settings) -> list[float]:
        """Bring the drawn parts and the proofs back."""
        self._serial = self._serial % _SERIALS + 1
        count, layout = len(plans), self._passes.proof.textures[0].layout
        whole: Box = (0, 0, blend.GRID, blend.GRID)
        self._read_back.begin(
            [part_bytes(textures.RGB, each.window) for each in plans] + [part_bytes(layout, whole)] * count
        )
        for index, each in enumerate(plans):
            if not is_empty(each.window):
                self._read_back.read(index, self._video, each.window)
            if not is_empty(each.box):
                self._passes.prove(each, self._slots[index], self._serial, settings)
                self._read_back.read(count + index, self._passes.proof, whole)
        covered = [0.0] * count

        def take(index: int, part: NDArray[np.uint8]) -> None:
            if index >= count:
                covered[index - count] = self._covered(plans[index - count], part, settings)
            elif part.size:
                left, top, right, bottom = plans[index].window
                out[top:bottom, left:right] = part.reshape(bottom - top, right - left, 3)

        self._read_back.finish(take)
        raise_errors()
        return covered

    def _covered(self, each: Plan, raw: NDArray[np.uint8], settings: Settings) -> float:
        """Judged by what the device drew, and only if it drew it for this very picture.

        Raises:
            ComputeLostError: The proof is an old one.
        """
        if is_empty(each.box):
            return 0.0
        shares, serials = passes.proof_of(raw)
        columns, (first, last) = np.arange(blend.GRID), each.spans.T[..., None]
        drawn = (columns >= first) & (columns < last)
        drawn[: each.cells[1]] = drawn[each.cells[3] :] = False
        if (serials[drawn] != self._serial).any():
            raise ComputeLostError("the graphics device did not draw")
        grid = blend.scaled_grid(np.round(shares, _EXACT_DIGITS).astype(np.float32), settings.look.face_scale)
        owed = covering.owed(each.patch, settings.look.face_scale)
        return blend.covered_share(grid, each.regions_grid, owed)
