# pyright: basic
"""OpenGL contexts without a window.

`Context` is the seam: Linux has `EglContext`. Another system needs a class with these four methods (a hidden window's
context: WGL on Windows, CGL on macOS) and its line in `open_context`.
"""

import ctypes
import ctypes.util
import sys
from collections.abc import Iterator
from typing import Protocol

from facefusion_live.domain.errors import ComputeError

_ADVICE = "Install a driver with OpenGL 3.3 (Debian: libegl1 libgl1 libgl1-mesa-dri), or use render.backend cpu."

_NONE, _EXTENSIONS, _OPENGL_API = 0x3038, 0x3055, 0x30A2
_SURFACE_TYPE, _RENDERABLE_TYPE, _OPENGL_BIT = 0x3033, 0x3040, 0x0008
_MAJOR, _MINOR, _PROFILE, _CORE = 0x3098, 0x30FB, 0x30FD, 0x0001
_RESET_STRATEGY, _LOSE_ON_RESET = 0x31BD, 0x31BF
_PLATFORM_DEVICE, _PLATFORM_SURFACELESS = 0x313F, 0x31DD
_MOST_DEVICES = 16
_Handle = ctypes.c_void_p
_Ints = ctypes.POINTER(ctypes.c_int32)


class Context(Protocol):
    """An OpenGL context of version 3.3 core. Current on one thread at a time. Raises ComputeError."""

    def make_current(self) -> None:
        """Take it for this thread."""
        ...

    def release(self) -> None:
        """Let go of it, on the thread that has it."""
        ...

    def is_lost(self) -> bool:
        """Whether it is no longer current here, behind our back."""
        ...

    def close(self) -> None:
        """Destroy it. It must be current nowhere. A second call does nothing."""
        ...


def open_context() -> Context:
    """A context of its own, sharing nothing, on the best device.

    Raises:
        ComputeError: There is none.
    """
    if sys.platform.startswith("linux"):
        return EglContext()
    raise ComputeError(f"there is no OpenGL context without a window on {sys.platform} yet", advice=_ADVICE)


class EglContext:
    """A context through EGL with no surface: on a graphics card where there is one, else in software."""

    def __init__(self) -> None:
        self._egl = _load()
        self._display: int | None = None
        self._context: int | None = None
        for display in _displays(self._egl):
            if self._open(display):
                return
        raise ComputeError("no display of this machine gives an OpenGL 3.3 context", advice=_ADVICE)

    def make_current(self) -> None:
        """Take it for this thread.

        Raises:
            ComputeError: It is closed, current on another thread, or lost.
        """
        if self._context is None or not self._egl.eglMakeCurrent(self._display, None, None, self._context):
            raise ComputeError("the OpenGL context cannot be used on this thread")

    def release(self) -> None:
        """Let go of it."""
        self._egl.eglMakeCurrent(self._display, None, None, None)

    def is_lost(self) -> bool:
        """Whether it is no longer current here."""
        return self._context is None or self._egl.eglGetCurrentContext() != self._context

    def close(self) -> None:
        """Destroy it."""
        if self._context is not None:
            # Not the display: it is the process's own, and another context may live on it.
            self._egl.eglDestroyContext(self._display, self._context)
            self._context = self._display = None

    def _open(self, display: int) -> bool:
        egl = self._egl
        if not egl.eglInitialize(display, None, None):
            return False
        config, count = _Handle(), ctypes.c_int32()
        wanted = _list(_SURFACE_TYPE, 0, _RENDERABLE_TYPE, _OPENGL_BIT)
        if egl.eglBindAPI(_OPENGL_API) and egl.eglChooseConfig(display, wanted, config, 1, count) and count.value:
            version = (_MAJOR, 3, _MINOR, 3, _PROFILE, _CORE)
            # A context that says when it was lost, where the driver has such; else one that does not.
            for strategy in ((_RESET_STRATEGY, _LOSE_ON_RESET), ()):
                context = egl.eglCreateContext(display, config, None, _list(*version, *strategy))
                if context:
                    self._display, self._context = display, context
                    return True
        return False


def _list(*numbers: int) -> ctypes.Array:
    return (ctypes.c_int32 * (len(numbers) + 1))(*numbers, _NONE)


def _load() -> ctypes.CDLL:
    """The EGL library.

    Raises:
        ComputeError: It is not installed.
    """
    name = ctypes.util.find_library("EGL") or "libEGL.so.1"
    try:
        egl = ctypes.CDLL(name)
    except OSError as error:
        raise ComputeError("the EGL library is not installed", advice=_ADVICE) from error
    flag, number = ctypes.c_uint32, ctypes.c_int32
    for function, result, *arguments in (
        ("eglGetProcAddress", _Handle, ctypes.c_char_p),
        ("eglQueryString", ctypes.c_char_p, _Handle, number),
        ("eglInitialize", flag, _Handle, _Ints, _Ints),
        ("eglBindAPI", flag, flag),
        ("eglChooseConfig", flag, _Handle, _Ints, ctypes.POINTER(_Handle), number, _Ints),
        ("eglCreateContext", _Handle, _Handle, _Handle, _Handle, _Ints),
        ("eglDestroyContext", flag, _Handle, _Handle),
        ("eglMakeCurrent", flag, _Handle, _Handle, _Handle, _Handle),
        ("eglGetCurrentContext", _Handle),
    ):
        entry = getattr(egl, function)
        entry.restype, entry.argtypes = result, arguments
    return egl


def _displays(egl: ctypes.CDLL) -> Iterator[int]:
    """Displays to try, best first: graphics cards, then what needs no device, then software devices.

    The surfaceless display alone would do on Mesa; beside a maker's own driver it may be Mesa's software renderer.
    """
    known = egl.eglQueryString(None, _EXTENSIONS) or b""
    get_display = _extension(egl, b"eglGetPlatformDisplayEXT", _Handle, ctypes.c_uint32, _Handle, _Ints)
    if get_display is None:
        return
    devices = list(_devices(egl)) if b"EGL_EXT_platform_device" in known else []
    cards = [(_PLATFORM_DEVICE, device) for device, is_software in devices if not is_software]
    plain = [(_PLATFORM_SURFACELESS, None)] if b"EGL_MESA_platform_surfaceless" in known else []
    software = [(_PLATFORM_DEVICE, device) for device, is_software in devices if is_software]
    for platform, device in (*cards, *plain, *software):
        display = get_display(platform, device, None)
        if display:
            yield display


def _devices(egl: ctypes.CDLL) -> Iterator[tuple[int, bool]]:
    """Every device of EGL, and whether it is software."""
    flag, number = ctypes.c_uint32, ctypes.c_int32
    query = _extension(egl, b"eglQueryDevicesEXT", flag, number, ctypes.POINTER(_Handle), _Ints)
    describe = _extension(egl, b"eglQueryDeviceStringEXT", ctypes.c_char_p, _Handle, number)
    if query is None or describe is None:
        return
    devices, count = (_Handle * _MOST_DEVICES)(), number()
    if query(_MOST_DEVICES, devices, count):
        for device in devices[: count.value]:
            yield device, b"EGL_MESA_device_software" in (describe(device, _EXTENSIONS) or b"")


def _extension(egl: ctypes.CDLL, name: bytes, result: type, *arguments: type):  # noqa: ANN202 (a ctypes function)
    address = egl.eglGetProcAddress(name)
    return ctypes.CFUNCTYPE(result, *arguments)(address) if address else None
