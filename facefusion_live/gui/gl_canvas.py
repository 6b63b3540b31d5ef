"""The picture drawn by OpenGL 3.3: two textures, one rectangle, one shader."""
# pyright: basic

import ctypes
import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from OpenGL import GL
from OpenGL.error import Error as GLFault
from OpenGL.GL import shaders
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QOffscreenSurface, QOpenGLContext, QPainter
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtWidgets import QWidget

from facefusion_live.app.environment import resource
from facefusion_live.gui.canvas import BLOCKS_FROM, SHRUNK_BELOW, Over, surface_format
from facefusion_live.gui.framing import Framing

log = logging.getLogger("facefusion_live.gui")

_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "gdi generic", "basic render")
_UNIFORMS = ("u_box", "u_before", "u_after", "u_wipe", "u_mirrored", "u_shrunk")


def gl_renderer() -> str:
    """What draws GL on this screen; empty where no context of the version wanted can be had. Tried, not guessed."""
    surface = QOffscreenSurface()
    surface.setFormat(surface_format())
    surface.create()
    context = QOpenGLContext()
    context.setFormat(surface_format())
    renderer = ""
    if surface.isValid() and context.create() and context.makeCurrent(surface):
        if context.format().version() >= (3, 3):
            renderer = (GL.glGetString(GL.GL_RENDERER) or b"nameless").decode("ascii", "replace")
        context.doneCurrent()
    surface.destroy()
    return renderer


def is_software(renderer: str) -> bool:
    """Whether the processor does the drawing."""
    return any(name in renderer.lower() for name in _SOFTWARE)


class _Texture:
    """A texture that follows the size of what is put in, through a buffer that the driver reads when it likes."""

    def __init__(self) -> None:
        self.name = int(GL.glGenTextures(1))
        self._buffer = int(GL.glGenBuffers(1))
        self._size_wh = (0, 0)
        GL.glBindTexture(GL.GL_TEXTURE_2D, self.name)
        for side in (GL.GL_TEXTURE_WRAP_S, GL.GL_TEXTURE_WRAP_T):
            GL.glTexParameteri(GL.GL_TEXTURE_2D, side, GL.GL_CLAMP_TO_EDGE)
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MIN_FILTER, GL.GL_LINEAR)

    @property
    def filled(self) -> bool:
        return self._size_wh != (0, 0)

    def put(self, pixels: NDArray[np.uint8]) -> None:
        pixels = np.ascontiguousarray(pixels)
        h, w = pixels.shape[:2]
        GL.glBindTexture(GL.GL_TEXTURE_2D, self.name)
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
        if self._size_wh != (w, h):
            form = (GL.GL_RGB8, w, h, 0, GL.GL_RGB, GL.GL_UNSIGNED_BYTE, None)
            GL.glTexImage2D(GL.GL_TEXTURE_2D, 0, *form)
            self._size_wh = (w, h)
        GL.glBindBuffer(GL.GL_PIXEL_UNPACK_BUFFER, self._buffer)
        # New storage each time: the driver may still read the last picture out of the old one.
        GL.glBufferData(GL.GL_PIXEL_UNPACK_BUFFER, pixels.nbytes, pixels, GL.GL_STREAM_DRAW)
        place = (0, 0, w, h, GL.GL_RGB, GL.GL_UNSIGNED_BYTE, ctypes.c_void_p(0))
        GL.glTexSubImage2D(GL.GL_TEXTURE_2D, 0, *place)
        GL.glBindBuffer(GL.GL_PIXEL_UNPACK_BUFFER, 0)
        # As Qt expects it: it puts its letters into textures by the same context.
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 4)

    def bind(self, unit: int, *, blocks: bool) -> None:
        GL.glActiveTexture(int(GL.GL_TEXTURE0) + unit)  # type: ignore[arg-type]
        GL.glBindTexture(GL.GL_TEXTURE_2D, self.name)
        kind = GL.GL_NEAREST if blocks else GL.GL_LINEAR
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MAG_FILTER, kind)

    def empty(self) -> None:
        GL.glBindTexture(GL.GL_TEXTURE_2D, self.name)
        GL.glTexImage2D(GL.GL_TEXTURE_2D, 0, GL.GL_RGB8, 1, 1, 0, GL.GL_RGB, GL.GL_UNSIGNED_BYTE, None)
        self._size_wh = (0, 0)

    def delete(self) -> None:
        GL.glDeleteTextures([self.name])
        GL.glDeleteBuffers(1, [self._buffer])


class GlCanvas(QOpenGLWidget):
    """The picture drawn by GL; what lies over it is painted by Qt into the same surface."""

    failed = Signal(str)
    """(why) once, when GL turns out not to work after all."""

    def __init__(self, over: Over, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._over = over
        self._framing, self._stage = Framing(), QColor()
        self._works = True
        self._program: Any = None
        self._vertices = 0
        self._at: dict[str, int] = {}
        self._before: _Texture | None = None
        self._after: _Texture | None = None
        self.setFormat(surface_format())
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def minimumSizeHint(self) -> QSize:
        """As small as it must be."""
        return QSize(1, 1)

    def initializeGL(self) -> None:
        """Make what is kept as long as the context lives."""
        with self._giving_up():
            self._make()

    def take(self, before: NDArray[np.uint8] | None, after: NDArray[np.uint8]) -> None:
        """As `Canvas.take`."""
        if self._after is None or self._before is None:
            return
        self.makeCurrent()
        with self._giving_up():
            if before is not None:
                self._before.put(before)
            self._after.put(after)
        self.doneCurrent()

    def frame(self, framing: Framing, stage: str) -> None:
        """As `Canvas.frame`."""
        self._framing, self._stage = framing, QColor(stage)

    def clear(self) -> None:
        """As `Canvas.clear`."""
        if self._after is None or self._before is None:
            return
        self.makeCurrent()
        with self._giving_up():
            self._before.empty()
            self._after.empty()
        self.doneCurrent()

    def paintGL(self) -> None:
        """Draw the picture, and paint over it."""
        with self._giving_up():
            self._draw_all()
        painter = QPainter(self)
        self._over(painter)
        painter.end()

    def _draw_all(self) -> None:
        GL.glDisable(GL.GL_BLEND)
        GL.glDisable(GL.GL_SCISSOR_TEST)
        GL.glDisable(GL.GL_DEPTH_TEST)
        stage = self._stage
        GL.glClearColor(stage.redF(), stage.greenF(), stage.blueF(), 1.0)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT)
        if self._after is not None and self._after.filled:
            self._draw()

    def release(self) -> None:
        """As `Canvas.release`."""
        if self._program is None:
            return
        self.makeCurrent()
        with self._giving_up():
            self._delete()
        self._before = self._after = self._program = None
        self.doneCurrent()

    def _delete(self) -> None:
        for texture in (self._before, self._after):
            if texture is not None:
                texture.delete()
        GL.glDeleteVertexArrays(1, [self._vertices])
        GL.glDeleteProgram(self._program)

    @contextmanager
    def _giving_up(self) -> Generator[None]:
        """A driver that does not do what it is asked is done without from now on: the picture goes on elsewhere."""
        try:
            yield
        except (GLFault, RuntimeError) as error:
            self._before = self._after = None
            if self._works:
                self._works = False
                log.warning("no picture by GL: %s", error)
                self.failed.emit(str(error))

    def _make(self) -> None:
        if self.context().format().version() < (3, 3):
            raise RuntimeError("the driver has no OpenGL 3.3")
        self.context().aboutToBeDestroyed.connect(self.release)
        parts = [
            shaders.compileShader(resource(f"shaders/viewport.{ending}").read_text("ascii"), kind)
            for ending, kind in (("vert", GL.GL_VERTEX_SHADER), ("frag", GL.GL_FRAGMENT_SHADER))
        ]
        # Not validated: in the core profile that fails as long as no vertex array is bound.
        self._program = int(shaders.compileProgram(*parts, validate=False))
        self._at = {name: GL.glGetUniformLocation(self._program, name) for name in _UNIFORMS}
        self._vertices = int(GL.glGenVertexArrays(1))
        self._before, self._after = _Texture(), _Texture()

    def _draw(self) -> None:
        framing, at = self._framing, self._at
        view_w, view_h = framing.view_wh
        box = framing.box
        blocks = framing.scale >= BLOCKS_FROM
        GL.glUseProgram(self._program)
        GL.glBindVertexArray(self._vertices)
        for unit, texture in enumerate((self._before, self._after)):
            texture.bind(unit, blocks=blocks)  # type: ignore[union-attr]
        GL.glUniform4f(at["u_box"], box.left / view_w, box.top / view_h, box.width / view_w, box.height / view_h)
        GL.glUniform1i(at["u_before"], 0)
        GL.glUniform1i(at["u_after"], 1)
        compares = framing.wipe is not None and self._before is not None and self._before.filled
        GL.glUniform1f(at["u_wipe"], framing.wipe if compares else 0.0)
        GL.glUniform1f(at["u_mirrored"], float(framing.mirrored))
        GL.glUniform1f(at["u_shrunk"], float(framing.scale * self.devicePixelRatio() < SHRUNK_BELOW))
        GL.glDrawArrays(GL.GL_TRIANGLE_STRIP, 0, 4)
        GL.glBindVertexArray(0)
        GL.glUseProgram(0)
        GL.glActiveTexture(GL.GL_TEXTURE0)
