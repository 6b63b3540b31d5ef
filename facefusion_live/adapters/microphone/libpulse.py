# pyright: basic
"""The few functions of libpulse that a microphone needs, through ctypes. LGPL, and part of every desktop."""

import ctypes
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from facefusion_live.domain.errors import CaptureOpenError

CONTEXT_READY, CONTEXT_GONE = 4, (5, 6)
STREAM_READY, STREAM_GONE = 2, (3, 4)
NO_AUTOSPAWN = 0x1
"""Of a context: start no sound server that was not running."""
S16LE = 3
RECORD_FLAGS = 0x0002 | 0x0008 | 0x2000
"""Of a stream: tell latencies, between the server's own tellings too; hand the sound over in small pieces."""
DONT_MOVE = 0x0200
"""Of a stream: end with the source, instead of going on with another one."""
UNSET = 2**32 - 1

_ADVICE = "Install it (Debian: libpulse0), or record without sound (sound.source none)."
_P, _I, _S = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p


class SampleSpec(ctypes.Structure):
    """pa_sample_spec."""

    _fields_ = (("format", _I), ("rate", ctypes.c_uint32), ("channels", ctypes.c_uint8))


class BufferAttr(ctypes.Structure):
    """pa_buffer_attr, in bytes."""

    _fields_ = tuple((name, ctypes.c_uint32) for name in ("maxlength", "tlength", "prebuf", "minreq", "fragsize"))


class SourceInfo(ctypes.Structure):
    """The head of pa_source_info; what follows is of no use here."""

    _fields_ = (("name", _S), ("index", ctypes.c_uint32), ("description", _S))


OnSource = ctypes.CFUNCTYPE(None, _P, ctypes.POINTER(SourceInfo), _I, _P)
"""pa_source_info_cb_t: (context, source, 0 while there are more, user data)."""

_FUNCTIONS: Mapping[str, tuple[Any, tuple[Any, ...]]] = MappingProxyType(
    {
        "threaded_mainloop_new": (_P, ()),
        "threaded_mainloop_get_api": (_P, (_P,)),
        "threaded_mainloop_start": (_I, (_P,)),
        "threaded_mainloop_stop": (None, (_P,)),
        "threaded_mainloop_free": (None, (_P,)),
        "threaded_mainloop_lock": (None, (_P,)),
        "threaded_mainloop_unlock": (None, (_P,)),
        "context_new": (_P, (_P, _S)),
        "context_connect": (_I, (_P, _S, _I, _P)),
        "context_get_state": (_I, (_P,)),
        "context_get_source_info_list": (_P, (_P, OnSource, _P)),
        "operation_unref": (None, (_P,)),
        "context_disconnect": (None, (_P,)),
        "context_unref": (None, (_P,)),
        "stream_new": (_P, (_P, _S, ctypes.POINTER(SampleSpec), _P)),
        "stream_connect_record": (_I, (_P, _S, ctypes.POINTER(BufferAttr), _I)),
        "stream_get_state": (_I, (_P,)),
        "stream_peek": (_I, (_P, ctypes.POINTER(_P), ctypes.POINTER(ctypes.c_size_t))),
        "stream_drop": (_I, (_P,)),
        "stream_get_latency": (_I, (_P, ctypes.POINTER(ctypes.c_uint64), ctypes.POINTER(_I))),
        "stream_get_device_name": (_S, (_P,)),
        "stream_disconnect": (_I, (_P,)),
        "stream_unref": (None, (_P,)),
    }
)


def load() -> ctypes.CDLL:
    """The library.

    Raises:
        CaptureOpenError: It is not installed.
    """
    try:
        library = ctypes.CDLL("libpulse.so.0")
    except OSError as error:
        raise CaptureOpenError("there is no way to a microphone: libpulse is missing", advice=_ADVICE) from error
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, f"pa_{name}")
        function.restype, function.argtypes = result, arguments
    return library
