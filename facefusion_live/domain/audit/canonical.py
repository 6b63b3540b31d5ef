"""Canonical JSON: the profile of RFC 8785 in which every body is written, so that equal rows are equal bytes.

Objects have keys of `[a-z0-9_]` in ASCII order, strings are in Unicode form NFC, integers lie below 2^53, and there are
no floats: 0.85 is written as `850` under a key that ends in `_milli`. Within this profile sorting by code point and
sorting by UTF-16 unit (which the RFC asks for) are the same.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast
from unicodedata import is_normalized

from facefusion_live.domain.audit.errors import NotCanonicalError

MAX_INTEGER = 2**53 - 1
"""Largest integer that every JSON reader keeps exactly."""
MAX_DEPTH = 16
"""How deep values may be nested; no event comes near, and a hostile one must not exhaust the stack."""

_KEY = re.compile(r"[a-z0-9_]+")
_PLAIN = frozenset({bool, type(None)})
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Codec:
    """How canonical bytes are written and read. The slow standard one is here; adapters bring a faster one.

    Attributes:
        encode: Sorted, compact UTF-8 of a value that `check` allows.
        decode: Any JSON text to a value; ValueError for what is no JSON.
    """

    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


def check(value: object) -> None:
    """Refuse what the profile does not know.

    Raises:
        NotCanonicalError: A float, a large integer, a string that is not NFC or not Unicode, a strange key or type.
    """
    if type(value) is dict:  # what every row asks of its metadata
        row = cast("dict[str, Any]", value)
        if not row.keys() <= _good_keys:
            _check_keys(row)
        _check_items(row.values(), 1)
    else:
        _check_items((value,), 0)


def encode(value: object) -> bytes:
    """The canonical bytes of a value.

    Raises:
        NotCanonicalError: As `check`.
    """
    check(value)
    return _encode(value)


def decode(body: bytes) -> Any:  # noqa: ANN401 (whatever JSON holds)
    """The value of canonical bytes.

    Raises:
        NotCanonicalError: The bytes are no JSON, or not the canonical form of their own value.
    """
    try:
        value = _decode(body)
        if encode(value) == body:
            return value
    except (ValueError, RecursionError) as error:
        raise NotCanonicalError("no JSON in UTF-8") from error
    raise NotCanonicalError("JSON, but not in canonical form")


def _check_items(items: Iterable[Any], depth: int) -> None:  # noqa: C901 (calls would cost more than what they do)
    """One call for each container and none for each word: verification spends most of its time here."""
    for item in items:
        kind = type(item)
        if kind is str:
            if not item.isascii():
                _check_text(item)
        elif kind is int:
            if not -MAX_INTEGER <= item <= MAX_INTEGER:
                raise NotCanonicalError("an integer of 2^53 or more")
        elif kind is dict or kind is list:
            if depth == MAX_DEPTH:
                raise NotCanonicalError(f"values nested more than {MAX_DEPTH} deep")
            if kind is list:
                _check_items(item, depth + 1)
                continue
            if not item.keys() <= _good_keys:
                _check_keys(item)
            _check_items(item.values(), depth + 1)
        elif kind not in _PLAIN:
            raise NotCanonicalError(f"a {kind.__name__} has no canonical form")


_good_keys: set[str] = set()
"""The same few keys come again in every row. Grows only, and no further than `_MAX_GOOD_KEYS`. Thread: any."""
_MAX_GOOD_KEYS = 1024


def _check_keys(keys: Iterable[object]) -> None:
    for key in keys:
        if type(key) is not str or not _KEY.fullmatch(key):
            raise NotCanonicalError(f"the key {key!r} is not of [a-z0-9_]")
        if len(_good_keys) < _MAX_GOOD_KEYS:
            _good_keys.add(key)


def _check_text(text: str) -> None:
    if not is_normalized("NFC", text):
        raise NotCanonicalError("a string that is not in Unicode form NFC")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotCanonicalError("a string with a lone surrogate") from error


def _encode(value: object) -> bytes:
    return _ENCODER.encode(value).encode()


def _decode(body: bytes) -> Any:  # noqa: ANN401 (whatever JSON holds)
    return json.loads(body.decode())


STANDARD = Codec(_encode, _decode)
"""The codec of the standard library."""
