# pyright: basic
"""libpipewire, as far as it is used here: its structures, its functions, and how its objects are called.

Layouts: checked against the headers of 0.3.65 (Debian 12). They are PipeWire's public ABI: fields and callbacks have
only ever been appended, and every table of callbacks carries its version, so one binding serves 0.3.50 to 1.x.
"""

import ctypes as c
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

from facefusion_live.domain.errors import SinkOpenError

NAME = "libpipewire-0.3.so.0"
"""The library; PipeWire 1.x still calls it so."""

Handle: TypeAlias = int | None
"""An address of one of the library's objects; None is the null pointer."""

ANY_ID = 0xFFFF_FFFF
INPUT, OUTPUT = 0, 1
ERROR, UNCONNECTED, CONNECTING, PAUSED, STREAMING = -1, 0, 1, 2, 3
AUTOCONNECT, INACTIVE, MAP_BUFFERS, DRIVER = 1 << 0, 1 << 1, 1 << 2, 1 << 3
META_HEADER = 1

StateChanged = c.CFUNCTYPE(None, c.c_void_p, c.c_int, c.c_int, c.c_char_p)
ParamChanged = c.CFUNCTYPE(None, c.c_void_p, c.c_uint32, c.c_void_p)
Process = c.CFUNCTYPE(None, c.c_void_p)
CoreDone = c.CFUNCTYPE(None, c.c_void_p, c.c_uint32, c.c_int)
CoreError = c.CFUNCTYPE(None, c.c_void_p, c.c_uint32, c.c_int, c.c_int, c.c_char_p)
GlobalAdded = c.CFUNCTYPE(None, c.c_void_p, c.c_uint32, c.c_uint32, c.c_char_p, c.c_uint32, c.c_void_p)
GlobalRemoved = c.CFUNCTYPE(None, c.c_void_p, c.c_uint32)


class Chunk(c.Structure):
    """`spa_chunk`: which part of a buffer is valid."""

    _fields_ = (("offset", c.c_uint32), ("size", c.c_uint32), ("stride", c.c_int32), ("flags", c.c_int32))


class Data(c.Structure):
    """`spa_data`: one block of memory of a buffer."""

    _fields_ = (
        ("type", c.c_uint32),
        ("flags", c.c_uint32),
        ("fd", c.c_int64),
        ("mapoffset", c.c_uint32),
        ("maxsize", c.c_uint32),
        ("data", c.c_void_p),
        ("chunk", c.POINTER(Chunk)),
    )


class Meta(c.Structure):
    """`spa_meta`: where a piece of metadata of a buffer lies."""

    _fields_ = (("type", c.c_uint32), ("size", c.c_uint32), ("data", c.c_void_p))


class Header(c.Structure):
    """`spa_meta_header`: time and number of a buffer."""

    _fields_ = (
        ("flags", c.c_uint32),
        ("offset", c.c_uint32),
        ("pts", c.c_int64),
        ("dts_offset", c.c_int64),
        ("seq", c.c_uint64),
    )


class SpaBuffer(c.Structure):
    """`spa_buffer`."""

    _fields_ = (
        ("n_metas", c.c_uint32),
        ("n_datas", c.c_uint32),
        ("metas", c.POINTER(Meta)),
        ("datas", c.POINTER(Data)),
    )


class Buffer(c.Structure):
    """`pw_buffer`: a buffer that a stream lends."""

    _fields_ = (
        ("buffer", c.POINTER(SpaBuffer)),
        ("user_data", c.c_void_p),
        ("size", c.c_uint64),
        ("requested", c.c_uint64),
    )


class Time(c.Structure):
    """`pw_time`: where on its clock a stream is."""

    _fields_ = (
        ("now", c.c_int64),
        ("rate_num", c.c_uint32),
        ("rate_denom", c.c_uint32),
        ("ticks", c.c_uint64),
        ("delay", c.c_int64),
        ("queued", c.c_uint64),
        ("buffered", c.c_uint64),
        ("queued_buffers", c.c_uint32),
        ("avail_buffers", c.c_uint32),
    )


class DictItem(c.Structure):
    """`spa_dict_item`."""

    _fields_ = (("key", c.c_char_p), ("value", c.c_char_p))


class Dict(c.Structure):
    """`spa_dict`."""

    _fields_ = (("flags", c.c_uint32), ("n_items", c.c_uint32), ("items", c.POINTER(DictItem)))


class Hook(c.Structure):
    """`spa_hook`: room for one listener. The library fills it."""

    _fields_ = (("private", c.c_void_p * 6),)


class StreamEvents(c.Structure):
    """`pw_stream_events`, version 2."""

    _fields_ = (
        ("version", c.c_uint32),
        ("destroy", c.c_void_p),
        ("state_changed", StateChanged),
        ("control_info", c.c_void_p),
        ("io_changed", c.c_void_p),
        ("param_changed", ParamChanged),
        ("add_buffer", c.c_void_p),
        ("remove_buffer", c.c_void_p),
        ("process", Process),
        ("drained", c.c_void_p),
        ("command", c.c_void_p),
        ("trigger_done", c.c_void_p),
    )


class CoreEvents(c.Structure):
    """`pw_core_events`, version 0."""

    _fields_ = (
        ("version", c.c_uint32),
        ("info", c.c_void_p),
        ("done", CoreDone),
        ("ping", c.c_void_p),
        ("error", CoreError),
        ("remove_id", c.c_void_p),
        ("bound_id", c.c_void_p),
        ("add_mem", c.c_void_p),
        ("remove_mem", c.c_void_p),
    )


class RegistryEvents(c.Structure):
    """`pw_registry_events`, version 0."""

    _fields_ = (("version", c.c_uint32), ("added", GlobalAdded), ("removed", GlobalRemoved))


class _Interface(c.Structure):
    """`spa_interface`: how every object of the protocol begins."""

    _fields_ = (("type", c.c_char_p), ("version", c.c_uint32), ("methods", c.POINTER(c.c_void_p)), ("data", c.c_void_p))


_FUNCTIONS: Mapping[str, tuple[Any, tuple[Any, ...]]] = {
    "pw_init": (None, (c.c_void_p, c.c_void_p)),
    "pw_get_library_version": (c.c_char_p, ()),
    "pw_thread_loop_new": (c.c_void_p, (c.c_char_p, c.c_void_p)),
    "pw_thread_loop_get_loop": (c.c_void_p, (c.c_void_p,)),
    "pw_thread_loop_start": (c.c_int, (c.c_void_p,)),
    "pw_thread_loop_lock": (None, (c.c_void_p,)),
    "pw_thread_loop_unlock": (None, (c.c_void_p,)),
    "pw_thread_loop_stop": (None, (c.c_void_p,)),
    "pw_thread_loop_destroy": (None, (c.c_void_p,)),
    "pw_context_new": (c.c_void_p, (c.c_void_p, c.c_void_p, c.c_size_t)),
    "pw_context_connect": (c.c_void_p, (c.c_void_p, c.c_void_p, c.c_size_t)),
    "pw_context_destroy": (None, (c.c_void_p,)),
    "pw_core_disconnect": (c.c_int, (c.c_void_p,)),
    "pw_proxy_destroy": (None, (c.c_void_p,)),
    "pw_properties_new_dict": (c.c_void_p, (c.POINTER(Dict),)),
    "pw_stream_new": (c.c_void_p, (c.c_void_p, c.c_char_p, c.c_void_p)),
    "pw_stream_add_listener": (None, (c.c_void_p, c.POINTER(Hook), c.POINTER(StreamEvents), c.c_void_p)),
    "pw_stream_connect": (c.c_int, (c.c_void_p, c.c_int, c.c_uint32, c.c_int, c.c_void_p, c.c_uint32)),
    "pw_stream_update_params": (c.c_int, (c.c_void_p, c.c_void_p, c.c_uint32)),
    "pw_stream_dequeue_buffer": (c.POINTER(Buffer), (c.c_void_p,)),
    "pw_stream_queue_buffer": (c.c_int, (c.c_void_p, c.POINTER(Buffer))),
    "pw_stream_trigger_process": (c.c_int, (c.c_void_p,)),
    "pw_stream_set_active": (c.c_int, (c.c_void_p, c.c_bool)),
    "pw_stream_get_time_n": (c.c_int, (c.c_void_p, c.POINTER(Time), c.c_size_t)),
    "pw_stream_get_node_id": (c.c_uint32, (c.c_void_p,)),
    "pw_stream_destroy": (None, (c.c_void_p,)),
}


@cache
def load(name: str = NAME) -> Any:  # noqa: ANN401 (functions of a library are typed by the table above)
    """The library, ready for use.

    Raises:
        SinkOpenError: It is not installed, or too old.
    """
    try:
        library = c.CDLL(name, use_errno=True)
        for function, (result, arguments) in _FUNCTIONS.items():
            entry = getattr(library, function)
            entry.restype, entry.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise SinkOpenError(
            f"the PipeWire library cannot be used: {error}",
            advice="Install PipeWire 0.3.50 or newer (Debian, Ubuntu: libpipewire-0.3-0; Fedora: pipewire-libs).",
        ) from error
    library.pw_init(None, None)
    return library


def properties(library: Any, values: Mapping[str, str]) -> Handle:  # noqa: ANN401 (as load)
    """A set of properties; whoever is given it owns it."""
    items = (DictItem * len(values))(*(DictItem(k.encode(), v.encode()) for k, v in values.items()))
    return library.pw_properties_new_dict(c.byref(Dict(0, len(values), items)))


def read_dict(address: Handle) -> dict[str, str]:
    """A set of properties, as Python has them."""
    if not address:
        return {}
    found = c.cast(address, c.POINTER(Dict)).contents
    items = (found.items[index] for index in range(found.n_items))
    return {item.key.decode(): (item.value or b"").decode(errors="replace") for item in items}


def method(
    target: Handle,
    index: int,
    result: Any,  # noqa: ANN401 (a type of ctypes)
    *arguments: Any,  # noqa: ANN401 (types of ctypes)
) -> Callable[..., Any]:
    """The method at a place in an object's table, with the object filled in.

    The calls that are macros in C (`pw_core_get_registry` …) look like this inside.
    """
    interface = c.cast(target, c.POINTER(_Interface)).contents  # pyright: ignore[reportArgumentType]
    # Before the methods stands the table's version, padded to the size of a pointer.
    function = c.CFUNCTYPE(result, c.c_void_p, *arguments)(interface.methods[1 + index])
    return lambda *values: function(interface.data, *values)


def listen(target: Handle, hook: Hook, events: c.Structure) -> None:
    """Have an object call back. `hook` and `events` must outlive it."""
    method(target, 0, c.c_int, c.c_void_p, c.c_void_p, c.c_void_p)(c.byref(hook), c.byref(events), None)


def sync(core: Handle) -> None:
    """Ask for a sign (`done`) that everything asked before has been answered."""
    method(core, 2, c.c_int, c.c_uint32, c.c_int)(0, 0)


def get_registry(core: Handle) -> Handle:
    """The list of everything that the daemon has."""
    return method(core, 5, c.c_void_p, c.c_uint32, c.c_size_t)(3, 0)
