"""Canonical JSON: the profile of RFC 8785 in which every body is written, so that equal rows are equal bytes.

Objects have keys of `[a-z0-9_]` in ASCII order, strings are in Unicode form NFC, integers lie below 2^53, and there are
no floats: 0.85 is written as `850` under a key that ends in `_milli`. Within this profile sorting by code point and
sorting by UTF-16 unit (which the RFC asks for) are the same.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
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


def check(value: object, depth: int = 0) -> None:
    """Refuse what the profile does not know.

    Raises:
        NotCanonicalError: A float, a large integer, a string that is not NFC or not Unicode, a strange key or type.
    """
    kind = type(value)
    if kind is str:
        _check_text(cast("str", value))
    elif kind is int:
        if not -MAX_INTEGER <= cast("int", value) <= MAX_INTEGER:
            raise NotCanonicalError("an integer of 2^53 or more")
    elif kind is dict or kind is list:
        if depth == MAX_DEPTH:
            raise NotCanonicalError(f"values nested more than {MAX_DEPTH} deep")
        for item in _items(cast("Any", value)):
            if type(item) is not str or not item.isascii():  # most items are words, and a call for each is dear
                check(item, depth + 1)
    elif kind not in _PLAIN:
        raise NotCanonicalError(f"a {kind.__name__} has no canonical form")


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


def _items(value: dict[object, object] | list[object]) -> Iterable[object]:
    if isinstance(value, list):
        return value
    for key in value:
        if type(key) is not str or not _is_key(key):
            raise NotCanonicalError(f"the key {key!r} is not of [a-z0-9_]")
    return value.values()


@lru_cache(maxsize=256)
def _is_key(key: str) -> bool:  # the same few keys come again in every row
    return _KEY.fullmatch(key) is not None


def _check_text(text: str) -> None:
    if text.isascii():
        return
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
