# pyright: basic, reportOperatorIssue=false, reportArgumentType=false, reportCallIssue=false
# (PyOpenGL's types know neither sums of constants nor constants for numbers.)
"""Pixels to the device and back, through rings of pixel buffers."""

import ctypes
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.gpu.handles import Handles
from facefusion_live.adapters.gpu.library import GL
from facefusion_live.adapters.gpu.textures import SPARE_UNIT, Box, Layout, Target, Texture
from facefusion_live.domain.errors import ComputeLostError

_RING = 3
_ROOM = 1.5
"""Memory is taken larger than asked for: a face that comes nearer asks for a little more with every frame."""
_ALIGNMENT = 64
_PATIENCE_S = 2.0
"""How long the device may take for one picture: a driver that hangs must not hang the picture."""
_POLL_NS = 1_000_000


class _Ring:
    """Pixel buffers in turn, so that the driver need not wait for the one before."""

    def __init__(self, handles: Handles, target: int, usage: int) -> None:
        self.target, self._usage = target, usage
        self._names = [handles.make("buffer") for _ in range(_RING)]
        self._sizes = [0] * _RING
        self._turn = 0

    def next(self, size_bytes: int) -> None:
        """Bind the next buffer, with room for so much."""
        self._turn = (self._turn + 1) % _RING
        GL.glBindBuffer(self.target, self._names[self._turn])
        if self._sizes[self._turn] < size_bytes:
            self._sizes[self._turn] = int(size_bytes * _ROOM)
            GL.glBufferData(self.target, self._sizes[self._turn], None, self._usage)

    def mapped(self, size_bytes: int, access: int) -> NDArray[np.uint8]:
        """The bound buffer as host memory, until `unmap`."""
        address = GL.glMapBufferRange(self.target, 0, size_bytes, access)
        if not address:
            raise ComputeLostError("the graphics driver gives no memory")
        return np.frombuffer((ctypes.c_uint8 * size_bytes).from_address(address), np.uint8)

    def unmap(self) -> None:
        """Hand the memory back.

        Raises:
            ComputeLostError: What was in it is lost.
        """
        if not GL.glUnmapBuffer(self.target):
            raise ComputeLostError("the graphics driver lost a picture")

    def unbind(self) -> None:
        """Leave no buffer bound: host pointers mean host memory again."""
        GL.glBindBuffer(self.target, 0)


class Upload:
    """Collects parts of pictures, copies them into one pixel buffer, and from there into their textures."""

    def __init__(self, handles: Handles) -> None:
        self._ring = _Ring(handles, GL.GL_PIXEL_UNPACK_BUFFER, GL.GL_STREAM_DRAW)
        self._parts: list[tuple[Texture, NDArray[np.uint8], Box]] = []

    def add(self, texture: Texture, pixels: NDArray[np.uint8], box: Box) -> None:
        """The part of a picture inside `box` is to go to the same place of a texture."""
        self._parts.append((texture, pixels, box))

    def send(self) -> None:
        """Send what was collected."""
        parts, self._parts = self._parts, []
        places = _places([part_bytes(texture.layout, box) for texture, _, box in parts])
        size_bytes = places.pop()
        if not size_bytes:
            return
        self._ring.next(size_bytes)
        memory = self._ring.mapped(size_bytes, GL.GL_MAP_WRITE_BIT | GL.GL_MAP_INVALIDATE_BUFFER_BIT)
        for (texture, pixels, (left, top, right, bottom)), place in zip(parts, places, strict=True):
            part = pixels[top:bottom, left:right]
            room = memory[place : place + part_bytes(texture.layout, (left, top, right, bottom))]
            np.copyto(room.reshape(part.shape), part)
        self._ring.unmap()
        for (texture, _, (left, top, right, bottom)), place in zip(parts, places, strict=True):
            texture.bind(SPARE_UNIT)
            size_wh, layout = (right - left, bottom - top), texture.layout
            GL.glTexSubImage2D(
                GL.GL_TEXTURE_2D, 0, left, top, *size_wh, layout.outside, layout.number, ctypes.c_void_p(place)
            )
        self._ring.unbind()


class ReadBack:
    """Collects parts of targets and brings them to the host, within the same frame."""

    def __init__(self, handles: Handles) -> None:
        self._ring = _Ring(handles, GL.GL_PIXEL_PACK_BUFFER, GL.GL_STREAM_READ)
        self._places: list[int] = []
        self._sizes: list[int] = []

    def begin(self, sizes_bytes: list[int]) -> None:
        """Get ready for parts of these sizes."""
        *self._places, whole = _places(sizes_bytes)
        self._sizes = sizes_bytes
        self._ring.next(max(whole, 1))

    def read(self, index: int, target: Target, box: Box) -> None:
        """Ask for a part of a target; drawing goes on meanwhile."""
        left, top, right, bottom = box
        target.use(box)
        layout = target.textures[0].layout
        place = ctypes.c_void_p(self._places[index])
        GL.glReadPixels(left, top, right - left, bottom - top, layout.outside, layout.number, place)

    def finish(self, take: Callable[[int, NDArray[np.uint8]], None]) -> None:
        """Wait until the device is done, then hand out every part, by its index, as bytes.

        Raises:
            ComputeLostError: It does not get done.
        """
        _wait()
        memory = self._ring.mapped(self._places[-1] + self._sizes[-1], GL.GL_MAP_READ_BIT)
        for index, (place, size) in enumerate(zip(self._places, self._sizes, strict=True)):
            take(index, memory[place : place + size])
        self._ring.unmap()
        self._ring.unbind()


def _wait() -> None:
    """Set a fence behind all commands so far, and wait for it."""
    fence = GL.glFenceSync(GL.GL_SYNC_GPU_COMMANDS_COMPLETE, 0)
    deadline_s = time.monotonic() + _PATIENCE_S
    try:
        while True:
            answer = GL.glClientWaitSync(fence, GL.GL_SYNC_FLUSH_COMMANDS_BIT, _POLL_NS)
            if answer in (GL.GL_ALREADY_SIGNALED, GL.GL_CONDITION_SATISFIED):
                return
            if answer != GL.GL_TIMEOUT_EXPIRED or time.monotonic() > deadline_s:
                raise ComputeLostError("the graphics device does not answer")
    finally:
        GL.glDeleteSync(fence)


def part_bytes(layout: Layout, box: Box) -> int:
    """Bytes that a part takes in host memory."""
    left, top, right, bottom = box
    return (right - left) * (bottom - top) * layout.texel_bytes


def _places(sizes: list[int]) -> list[int]:
    """Where each part begins, and at the end how much it is in all."""
    places = [0]
    for size in sizes:
        places.append((places[-1] + size + _ALIGNMENT - 1) // _ALIGNMENT * _ALIGNMENT)
    return places
