# pyright: basic, reportOperatorIssue=false
# (PyOpenGL's types know no sums of constants.)
"""Textures and framebuffers that stay: they grow when a larger picture comes, and only then."""

from collections.abc import Sequence
from dataclasses import dataclass

from facefusion_live.adapters.gpu.handles import Handles
from facefusion_live.adapters.gpu.library import GL
from facefusion_live.domain.errors import ComputeError

SPARE_UNIT = 15
"""No sampler reads it: where textures are bound to be filled. Every driver has sixteen units."""
Box = tuple[int, int, int, int]
"""Left, top, right, bottom in texels; row 0 is the first row in memory, which is the top of a picture."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How texels are stored, and how they come and go.

    Attributes:
        internal: Sized format on the device.
        outside: Channels in host memory, as OpenGL names them.
        number: Kind of number in host memory.
        texel_bytes: Size of one texel in host memory.
    """

    internal: int
    outside: int
    number: int
    texel_bytes: int


RGB = Layout(GL.GL_RGBA8, GL.GL_RGB, GL.GL_UNSIGNED_BYTE, 3)
"""Pictures: three bytes in memory. On the device there is a fourth; not every driver draws into three."""
RGBA = Layout(GL.GL_RGBA8, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE, 4)
GREY = Layout(GL.GL_R8, GL.GL_RED, GL.GL_UNSIGNED_BYTE, 1)
DEEP = Layout(GL.GL_RGBA16, GL.GL_RGBA, GL.GL_UNSIGNED_SHORT, 8)
"""Between passes: a gain of 4 and a sharpness of 2 would turn what 8 bits round away into levels."""
FLOATS = Layout(GL.GL_RGBA32F, GL.GL_RGBA, GL.GL_FLOAT, 16)
PROOF = Layout(GL.GL_RG32F, GL.GL_RG, GL.GL_FLOAT, 8)


class Texture:
    """A texture of one level; read by whole texels, unless it is `smooth`."""

    def __init__(
        self, handles: Handles, layout: Layout, size_wh: tuple[int, int] = (1, 1), *, smooth: bool = False
    ) -> None:
        self.layout = layout
        self._filter = GL.GL_LINEAR if smooth else GL.GL_NEAREST
        self.name = handles.make("texture")
        self.size_wh = (0, 0)
        self.fit(size_wh)

    def fit(self, size_wh: tuple[int, int]) -> None:
        """Make room for a picture of this size. What was inside is undefined when it had to grow."""
        if size_wh[0] <= self.size_wh[0] and size_wh[1] <= self.size_wh[1]:
            return
        self.size_wh = max(size_wh[0], self.size_wh[0]), max(size_wh[1], self.size_wh[1])
        layout = self.layout
        self.bind(SPARE_UNIT)
        GL.glTexImage2D(GL.GL_TEXTURE_2D, 0, layout.internal, *self.size_wh, 0, layout.outside, layout.number, None)
        for parameter, value in (
            (GL.GL_TEXTURE_MIN_FILTER, GL.GL_NEAREST),
            (GL.GL_TEXTURE_MAG_FILTER, GL.GL_NEAREST),
            (GL.GL_TEXTURE_MAX_LEVEL, 0),
            (GL.GL_TEXTURE_WRAP_S, GL.GL_CLAMP_TO_EDGE),
            (GL.GL_TEXTURE_WRAP_T, GL.GL_CLAMP_TO_EDGE),
        ):
            GL.glTexParameteri(GL.GL_TEXTURE_2D, parameter, value)

    def bind(self, unit: int) -> None:
        """Give it to the sampler of this number."""
        GL.glActiveTexture(GL.GL_TEXTURE0 + unit)
        GL.glBindTexture(GL.GL_TEXTURE_2D, self.name)


class Target:
    """Textures that passes draw into."""

    def __init__(self, handles: Handles, textures: Sequence[Texture]) -> None:
        self.textures = tuple(textures)
        self._name = handles.make("framebuffer")
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self._name)
        points = [GL.GL_COLOR_ATTACHMENT0 + index for index in range(len(self.textures))]
        for point, texture in zip(points, self.textures, strict=True):
            GL.glFramebufferTexture2D(GL.GL_FRAMEBUFFER, point, GL.GL_TEXTURE_2D, texture.name, 0)
        GL.glDrawBuffers(len(points), points)
        if GL.glCheckFramebufferStatus(GL.GL_FRAMEBUFFER) != GL.GL_FRAMEBUFFER_COMPLETE:
            raise ComputeError("the graphics driver cannot draw into a texture that every driver must")

    def use(self, box: Box) -> None:
        """Draw into a part of it from now on."""
        left, top, right, bottom = box
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self._name)
        GL.glViewport(left, top, right - left, bottom - top)

    def clear(self) -> None:
        """All of it to zero."""
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self._name)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT)
