"""SPA pods: the little binary values in which PipeWire speaks of formats and buffers. Pure: bytes in, bytes out.

A pod is its size and its type (two u32), then a body, padded to eight bytes. Source: spa/pod/pod.h, spa/utils/type.h;
the numbers are part of PipeWire's wire protocol and have not changed since 0.3.
"""

import struct
from collections.abc import Mapping
from typing import TypeAlias

Pod: TypeAlias = bytes

_HEAD = struct.Struct("<II")
_ID, _INT, _RECTANGLE, _FRACTION, _ARRAY, _OBJECT, _CHOICE = 3, 4, 10, 11, 13, 15, 19
_RANGE, _FLAGS = 1, 4
_BODIES = {_ID: struct.Struct("<I"), _INT: struct.Struct("<i"), _RECTANGLE: _HEAD, _FRACTION: _HEAD}


def ident(number: int) -> Pod:
    """A member of an enumeration."""
    return _pod(_ID, _BODIES[_ID].pack(number))


def whole(number: int) -> Pod:
    """A whole number."""
    return _pod(_INT, _BODIES[_INT].pack(number))


def rectangle(width: int, height: int) -> Pod:
    """A size in pixels."""
    return _pod(_RECTANGLE, _HEAD.pack(width, height))


def whole_range(default: int, low: int, high: int) -> Pod:
    """A whole number that may be chosen from `low` to `high`."""
    return _choice(_RANGE, _INT, (default,), (low,), (high,))


def flags(mask: int) -> Pod:
    """Any of the bits of a mask."""
    return _choice(_FLAGS, _INT, (mask,))


def fraction_range(default: tuple[int, int], low: tuple[int, int], high: tuple[int, int]) -> Pod:
    """A fraction that may be chosen from `low` to `high`; each is (numerator, denominator)."""
    return _choice(_RANGE, _FRACTION, default, low, high)


def idents(numbers: tuple[int, ...]) -> Pod:
    """An array of members of an enumeration."""
    body = b"".join(_BODIES[_ID].pack(number) for number in numbers)
    return _pod(_ARRAY, _HEAD.pack(_BODIES[_ID].size, _ID) + body)


def thing(kind: int, purpose: int, properties: Mapping[int, Pod]) -> Pod:
    """An object: a kind of parameter, what it is for, and its properties by key."""
    body = b"".join(_HEAD.pack(key, 0) + value for key, value in properties.items())
    return _pod(_OBJECT, _HEAD.pack(kind, purpose) + body)


def properties_of(pod: Pod) -> dict[int, tuple[int, ...]]:
    """The numbers in an object, by key: (value,), or (width, height), or (numerator, denominator).

    Of a choice the default is told. What is neither number nor size is left out.

    Raises:
        ValueError: Not an object, or cut short.
    """
    try:
        size, kind = _HEAD.unpack_from(pod)
        if kind != _OBJECT or len(pod) < _HEAD.size + size:
            raise ValueError("not a whole SPA object")
        return _read_properties(pod, _HEAD.size + size)
    except struct.error as error:
        raise ValueError("an SPA object that is cut short") from error


def _read_properties(pod: Pod, end: int) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}
    at = 2 * _HEAD.size
    while at < end:
        key, _ = _HEAD.unpack_from(pod, at)
        size, kind = _HEAD.unpack_from(pod, at + 8)
        body = at + 16
        at = body + size + -size % 8
        if kind == _CHOICE:
            _, kind = _HEAD.unpack_from(pod, body + 8)
            body += 16
        if kind in _BODIES:
            found[key] = _BODIES[kind].unpack_from(pod, body)
    return found


def _pod(kind: int, body: bytes) -> Pod:
    return _HEAD.pack(len(body), kind) + body + bytes(-len(body) % 8)


def _choice(kind: int, child: int, *values: tuple[int, ...]) -> Pod:
    body = _BODIES[child]
    children = b"".join(body.pack(*value) for value in values)
    return _pod(_CHOICE, _HEAD.pack(kind, 0) + _HEAD.pack(body.size, child) + children)
