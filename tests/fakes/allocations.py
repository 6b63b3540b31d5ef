"""Counts what numpy allocates, OpenCV's Python arrays included: both take their memory from numpy's data allocator.

tracemalloc cannot tell one large allocation from many small ones that live at the same time, so this puts a counting
allocator in the place of numpy's own (NEP 49), by hand: there is no Python call for it.
"""

import ctypes
import threading
import traceback
from typing import NamedTuple

import numpy as np

_SET_HANDLER, _GET_HANDLER = 304, 305
"""Places in numpy's table of C functions, which never move."""
_Size, _Pointer = ctypes.c_size_t, ctypes.c_void_p
_Malloc = ctypes.CFUNCTYPE(_Pointer, _Pointer, _Size)
_Calloc = ctypes.CFUNCTYPE(_Pointer, _Pointer, _Size, _Size)
_Realloc = ctypes.CFUNCTYPE(_Pointer, _Pointer, _Pointer, _Size)
_Free = ctypes.CFUNCTYPE(None, _Pointer, _Pointer, _Size)


class _Handler(ctypes.Structure):
    """`PyDataMem_Handler`, version 1."""

    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("ctx", _Pointer),
        ("malloc", _Malloc),
        ("calloc", _Calloc),
        ("realloc", _Realloc),
        ("free", _Free),
    )


class Allocation(NamedTuple):
    """One piece of memory taken."""

    size_bytes: int
    thread: str
    stack: str


class AllocationCounter:
    """Notes every allocation of at least `least_bytes` on the threads that called `install`.

    It must outlive every array that was made under it, which at the end of a program it does not: use it in a process
    of its own, and end that with `os._exit`.
    """

    def __init__(self, least_bytes: int) -> None:
        self.large: list[Allocation] = []
        self.count = 0
        self._least_bytes = least_bytes
        libc = ctypes.CDLL(None)
        self._malloc = _typed(libc.malloc, _Pointer, _Size)
        self._calloc = _typed(libc.calloc, _Pointer, _Size, _Size)
        self._realloc = _typed(libc.realloc, _Pointer, _Pointer, _Size)
        self._free = _typed(libc.free, None, _Pointer)
        self._handler = _Handler(
            b"counting",
            1,
            None,
            _Malloc(lambda _, size: self._note(size, self._malloc(size))),
            _Calloc(lambda _, n, size: self._note(n * size, self._calloc(n, size))),
            _Realloc(lambda _, old, size: self._note(size, self._realloc(old, size))),
            _Free(lambda _, pointer, size: self._free(pointer)),  # noqa: ARG005 (numpy gives it)
        )
        _ALIVE.append(self)

    def install(self) -> None:
        """Count on this thread from now on: numpy keeps its allocator by thread."""
        capsule = ctypes.pythonapi.PyCapsule_New
        capsule.restype, capsule.argtypes = ctypes.py_object, (_Pointer, ctypes.c_char_p, _Pointer)
        _numpy_function(_SET_HANDLER, ctypes.py_object, ctypes.py_object)(
            capsule(ctypes.addressof(self._handler), b"mem_handler", None)
        )

    def _note(self, size_bytes: int, pointer: int | None) -> int | None:
        self.count += 1
        if size_bytes >= self._least_bytes:
            stack = "".join(traceback.format_stack()[-6:-1])
            self.large.append(Allocation(size_bytes, threading.current_thread().name, stack))
        return pointer


_ALIVE: list[AllocationCounter] = []


def _typed(function: "ctypes._NamedFuncPointer", result: type | None, *arguments: type) -> "ctypes._NamedFuncPointer":
    function.restype, function.argtypes = result, arguments
    return function


def _numpy_function(place: int, result: type, *arguments: type) -> "ctypes._FuncPointer":
    unwrap = ctypes.pythonapi.PyCapsule_GetPointer
    unwrap.restype, unwrap.argtypes = _Pointer, (ctypes.py_object, ctypes.c_char_p)
    table = ctypes.cast(unwrap(np._core.multiarray._ARRAY_API, None), ctypes.POINTER(_Pointer))
    return ctypes.PYFUNCTYPE(result, *arguments)(table[place])
