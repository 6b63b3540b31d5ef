# pyright: basic
"""The virtual camera: a camera of PipeWire's that conference programs list and open like any other."""

import ctypes as c
import logging
import re
import time
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from facefusion_live.adapters.sinks.pipewire import library as pw
from facefusion_live.adapters.sinks.pipewire import pod
from facefusion_live.adapters.sinks.pipewire.connection import Connection
from facefusion_live.adapters.sinks.pipewire.pixels import Letterbox, PixelFormat, Pixels, camera_size, pixel_formats
from facefusion_live.adapters.sinks.pipewire.revival import Revival
from facefusion_live.adapters.sinks.pipewire.stream import Stream
from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import OutputFrame, SinkState, SinkStatus
from facefusion_live.domain.settings import VirtualCamera as Wishes

log = logging.getLogger("facefusion_live.sink")

_PARAM_ENUM_FORMAT, _PARAM_BUFFERS, _PARAM_META = 3, 5, 6
_OBJECT_FORMAT, _OBJECT_BUFFERS, _OBJECT_META = 0x40003, 0x40004, 0x40005
_MEDIA_TYPE, _MEDIA_SUBTYPE, _VIDEO, _RAW = 1, 2, 2, 1
_FORMAT, _SIZE, _RATE = 0x20001, 0x20003, 0x20004
_RANGE, _MATRIX, _TRANSFER, _PRIMARIES = 0x2000C, 0x2000D, 0x2000E, 0x2000F
_LIMITED, _BT601, _TRANSFER_BT709, _SMPTE170M = 2, 4, 5, 4
_MEMFD = 1 << 2
_BUFFERS = (4, 2, 8)
_LARGEST_DENOMINATOR = 1001
"""Enough for the rates of television: 30000/1001."""
_THIN_FROM = 1.05
"""Pictures are left out when this much more come than are wanted: below, jitter would cost good ones."""


class PipeWireCamera:
    """A virtual camera in the user's PipeWire session. A `Sink`.

    It needs no kernel module and no rights. While nobody reads, a picture costs a look at one number. A picture that
    finds all buffers in readers' hands is dropped: a reader that hangs holds up nobody. When the daemon goes away the
    camera comes back with it. Where there is a camera of this name already it gets a number: "… 2".

    Args:
        wishes: Name, size, rate and preferred pixel format.
    """

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._listed_as = wishes.name
        self._formats = pixel_formats()
        self._node: Revival[_CameraNode] | None = None
        self._opened = False
        self._sent = self._sent_bytes = self._dropped = 0
        self._last_tick = -1

    @property
    def name(self) -> str:
        """Always "virtual-camera"."""
        return "virtual-camera"

    @property
    def queue_size(self) -> int:
        """One: what is shown must be fresh."""
        return 1

    @property
    def sent(self) -> int:
        """Pictures that readers got."""
        return self._sent

    @property
    def dropped(self) -> int:
        """Pictures for which readers left no buffer free."""
        return self._dropped

    def open(self, size_wh: tuple[int, int], fps: float) -> None:
        """Show the camera to the others.

        Raises:
            SinkOpenError: The library is missing, or no daemon answers.
        """
        camera_wh = camera_size(self._wishes.size, size_wh)
        rate = fps if self._wishes.fps == "input" else min(fps, float(self._wishes.fps))
        self._rate = rate if fps > rate * _THIN_FROM else None
        self._letterbox = Letterbox(size_wh, camera_wh)
        self._size_wh, self._last_tick = size_wh, -1
        preferred = self._wishes.format
        offered = [self._formats[preferred], *(f for f in self._formats.values() if f.name != preferred)]
        # It comes back as what it was: programs have chosen it by this name.
        self._listed_as = self._wishes.name
        self._node = Revival(lambda: _CameraNode(self._listed_as, camera_wh, rate, offered), self.name)
        if self._node.thing is not None:
            self._listed_as = self._node.thing.listed_as
        if self._listed_as != self._wishes.name:
            log.warning("there is a camera of this name already: this one has a number")
        self._opened = True

    def send(self, frame: OutputFrame) -> None:
        """Hand a picture to the readers, if there are any.

        Raises:
            SinkError: Not open, or a picture of another size.
        """
        if self._node is None:
            raise SinkError(f"{self.name} is not open")
        node = self._node.current()
        if node is None or not node.watched or self._superfluous(frame.media_s):
            return
        if frame.image.size_wh != self._size_wh:
            raise SinkError(f"{self.name} was opened for other pictures than {frame.image.size_wh}")
        if node.show(self._letterbox.fit(frame.image.host()), time.monotonic_ns()):
            self._sent += 1
            self._sent_bytes += node.picture_bytes
        else:
            self._dropped += 1

    def close(self) -> None:
        """Take the camera away. Safe to call twice."""
        node, self._node = self._node, None
        if node is not None:
            node.close()

    def status(self) -> SinkStatus:
        """How many programs watch it. Thread: any."""
        revival = self._node
        if revival is None:
            state = SinkState.CLOSED if self._opened else SinkState.OPENING
            return SinkStatus(state, bytes_out=self._sent_bytes)
        node = revival.thing
        if node is None or node.lost is not None:
            return SinkStatus(SinkState.RECONNECTING, "PipeWire is gone", 0, self._sent_bytes)
        state = SinkState.RUNNING if node.watched else SinkState.PAUSED
        readers = node.readers
        words = f"in use by {readers}" if readers else "nobody watches"
        if self._listed_as != self._wishes.name:
            words += f", listed as {self._listed_as}"
        return SinkStatus(state, words, readers, self._sent_bytes)

    def _superfluous(self, media_s: float) -> bool:
        if self._rate is None:
            return False
        tick = round(media_s * self._rate)
        before, self._last_tick = self._last_tick, tick
        return tick == before


class _CameraNode:
    """The camera in one daemon's graph."""

    def __init__(self, name: str, size_wh: tuple[int, int], fps: float, offered: Sequence[PixelFormat]) -> None:
        self._size_wh, self._offered = size_wh, offered
        self._format = offered[0]
        self._converted: Pixels = np.empty(0, np.uint8)
        self._number = 0
        self._connection = Connection()
        self.listed_as = free = _free_name(name, self._connection.nodes("Video/Source"))
        try:
            self._stream = Stream(self._connection, _node_name(free), _properties(free), self._agreed)
            self._stream.connect(pw.OUTPUT, pw.MAP_BUFFERS | pw.DRIVER, [_offer(f, size_wh, fps) for f in offered])
        except SinkOpenError:
            self._connection.close()
            raise

    @property
    def lost(self) -> str | None:
        return self._connection.lost or self._stream.broken

    @property
    def watched(self) -> bool:
        return self._stream.streaming

    @property
    def readers(self) -> int:
        return self._stream.readers

    @property
    def picture_bytes(self) -> int:
        return self._converted.size

    def show(self, rgb: Pixels, now_ns: int) -> bool:
        """Give a picture to all readers. False when they have left no buffer, or agree on a format just now."""
        form = self._format
        if self._converted.size != form.size(self._size_wh):
            self._converted = np.empty(form.size(self._size_wh), np.uint8)
        # Converted before the lock is taken: meanwhile the library's thread must be free to answer the daemon, and
        # may take the buffers away.
        form.write(rgb, self._converted)
        with self._connection.locked():
            if not self._stream.streaming or form is not self._format:
                return False
            shown = self._fill(form, now_ns)
            # First filled, then triggered: readers get it within this cycle (5 ms). Filling when the library asks for
            # a buffer cost a whole cycle more (38 ms). It is triggered without a buffer, too: that brings them back.
            self._stream.trigger()
        return shown

    def close(self) -> None:
        self._stream.close()
        self._connection.close()

    def _fill(self, form: PixelFormat, now_ns: int) -> bool:
        with self._stream.buffer() as buffer:
            if buffer is None:
                return False
            block = buffer.buffer.contents.datas[0]
            if not block.data or block.maxsize < self._converted.size:
                return False
            c.memmove(block.data, self._converted.ctypes.data, self._converted.size)
            chunk = block.chunk.contents
            chunk.offset, chunk.size, chunk.flags = 0, self._converted.size, 0
            chunk.stride = form.stride(self._size_wh)
            self._stamp(buffer.buffer.contents, now_ns)
        return True

    def _stamp(self, buffer: pw.SpaBuffer, now_ns: int) -> None:
        for index in range(buffer.n_metas):
            meta = buffer.metas[index]
            if meta.type == pw.META_HEADER and meta.size >= c.sizeof(pw.Header):
                header = c.cast(meta.data, c.POINTER(pw.Header)).contents
                header.flags, header.pts, header.dts_offset, header.seq = 0, now_ns, 0, self._number
        self._number += 1

    def _agreed(self, agreed: pod.Pod) -> Sequence[pod.Pod]:
        chosen = pod.properties_of(agreed).get(_FORMAT, ())
        found = [form for form in self._offered if (form.spa,) == chosen]
        if not found:
            raise ValueError(f"pixel format {chosen}")
        self._format = found[0]
        return _buffers(found[0], self._size_wh)


def _free_name(name: str, cameras: Sequence[Mapping[str, str]]) -> str:
    """The name, with a number where programs would list two cameras that nobody can tell apart."""
    taken = {camera.get(key, "") for camera in cameras for key in ("node.description", "node.name")}
    free, number = name, 2
    while free in taken or _node_name(free) in taken:
        free, number = f"{name} {number}", number + 1
    return free


def _node_name(name: str) -> str:
    """How programs call it: "FaceFusion Live Camera" is "facefusion-live-camera"."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "facefusion-live-camera"


def _properties(name: str) -> dict[str, str]:
    return {
        "media.type": "Video",
        # Both are needed: the class for PipeWire's own programs, the role for the camera portal, which browsers ask.
        "media.class": "Video/Source",
        "media.role": "Camera",
        "node.name": _node_name(name),
        "node.description": name,
        "node.nick": name,
    }


def _offer(form: PixelFormat, size_wh: tuple[int, int], fps: float) -> pod.Pod:
    rate = Fraction(fps).limit_denominator(_LARGEST_DENOMINATOR).as_integer_ratio()
    return pod.thing(
        _OBJECT_FORMAT,
        _PARAM_ENUM_FORMAT,
        {
            _MEDIA_TYPE: pod.ident(_VIDEO),
            _MEDIA_SUBTYPE: pod.ident(_RAW),
            _FORMAT: pod.ident(form.spa),
            _SIZE: pod.rectangle(*size_wh),
            _RATE: pod.fraction_range(rate, (0, 1), rate),
            _RANGE: pod.ident(_LIMITED),
            _MATRIX: pod.ident(_BT601),
            _TRANSFER: pod.ident(_TRANSFER_BT709),
            _PRIMARIES: pod.ident(_SMPTE170M),
        },
    )


def _buffers(form: PixelFormat, size_wh: tuple[int, int]) -> Sequence[pod.Pod]:
    count, blocks, size, stride, kinds = 1, 2, 3, 4, 6
    meta_kind, meta_size = 1, 2
    return (
        pod.thing(
            _OBJECT_BUFFERS,
            _PARAM_BUFFERS,
            {
                count: pod.whole_range(*_BUFFERS),
                blocks: pod.whole(1),
                size: pod.whole(form.size(size_wh)),
                stride: pod.whole(form.stride(size_wh)),
                kinds: pod.flags(_MEMFD),
            },
        ),
        pod.thing(
            _OBJECT_META,
            _PARAM_META,
            {meta_kind: pod.ident(pw.META_HEADER), meta_size: pod.whole(c.sizeof(pw.Header))},
        ),
    )
