"""Bringing what callers hand over into the canonical profile, so that a record never fails over its own metadata."""

import re
from collections.abc import Callable
from hashlib import sha256
from numbers import Integral, Real
from typing import Any, TypeAlias, cast
from unicodedata import normalize

from facefusion_live.domain.audit.canonical import Codec
from facefusion_live.domain.audit.event import MAX_METADATA_BYTES, SETTINGS_CHANGE

Hide: TypeAlias = Callable[[str], str]
"""Masks what must not be recorded in a text, as home paths."""

MAX_DEPTH = 6
MAX_NUMBERS = 16
"""A longer list of numbers may be an embedding or pixels, which no row ever holds: it is told by its digest."""
_IS_KEY = re.compile(r"[a-z0-9_]+").fullmatch
_NOT_IN_KEY = re.compile(r"[^a-z0-9_]+")
_SIMPLE = frozenset({str, int, bool, type(None)})
"""What most values are: worth a short way, since every row of a flood goes through here."""


def tidy_metadata(action: str, metadata: dict[str, Any], hide: Hide, codec: Codec) -> dict[str, Any]:
    """Metadata as a row can hold them.

    Floats become thousandths under a key that ends in `_milli`; what has no canonical form becomes its text; paths and
    addresses are masked; bytes, arrays, long lists of numbers and what is over 4 KiB are told by size and digest.

    Args:
        action: Whose metadata; the fields of a `settings.change` become a list that queries can search.
        metadata: Anything.
        hide: Masks paths and addresses.
        codec: Measures.
    """
    if action == SETTINGS_CHANGE and isinstance(fields := metadata.get("fields"), dict):
        metadata = {
            **metadata,
            "fields": [_change(path, pair) for path, pair in cast("dict[str, Any]", fields).items()],
        }
    tidied = tidy(metadata, hide)
    if len(data := codec.encode(tidied)) <= MAX_METADATA_BYTES:
        return tidied
    return {"oversize_bytes": len(data), "sha256": sha256(data).hexdigest()}


def tidy(value: object, hide: Hide, depth: int = 0) -> Any:  # noqa: ANN401 (whatever JSON holds)
    """A copy of one value, brought into the profile; doing it again changes nothing."""
    if type(value) in _SIMPLE:
        return _simple(value, hide)
    if depth < MAX_DEPTH and isinstance(value, dict):
        return _object(cast("dict[object, object]", value), hide, depth + 1)
    if (bulk := _bulk(value)) is not None:
        return bulk
    if depth < MAX_DEPTH and isinstance(value, list | tuple):
        return [tidy(item, hide, depth + 1) for item in cast("list[object]", value)]
    return _simple(int(value) if isinstance(value, Integral) else str(value), hide)


def _simple(value: Any, hide: Hide) -> Any:  # noqa: ANN401 (one of `_SIMPLE`)
    if type(value) is int and abs(value) >= 2**53:
        value = str(value) if abs(value) < 2**1024 else "beyond all numbers"
    if type(value) is not str:
        return value
    return hide(value if value.isascii() else normalize("NFC", value.encode("utf-8", "replace").decode()))


def _object(given: dict[object, object], hide: Hide, depth: int) -> dict[str, Any]:
    """Keys that become the same word are told apart by a number: nothing is lost unsaid."""
    tidied: dict[str, Any] = {}
    for key, value in given.items():
        name, item = _item(str(key), value, hide, depth)
        number = 2
        while (unique := name if name not in tidied else f"{name}_{number}") in tidied:
            number += 1
        tidied[unique] = item
    return tidied


def _item(key: str, value: object, hide: Hide, depth: int) -> tuple[str, Any]:
    name = key if _IS_KEY(key) else _NOT_IN_KEY.sub("_", hide(key).lower()) or "_"
    if type(value) in _SIMPLE:
        return name, _simple(value, hide)
    milli = _in_thousandths(value)
    if milli is None:
        return name, tidy(value, hide, depth)
    return name if name.endswith("_milli") else f"{name}_milli", milli


def _bulk(value: object) -> dict[str, Any] | None:
    """Size and digest of bytes, an array, or a long list of numbers; None for everything else."""
    if isinstance(value, bytes | bytearray | memoryview):
        data, count = bytes(value), len(value)
    elif hasattr(value, "tobytes") and hasattr(value, "size"):  # an array, of whatever library
        data, count = cast("Any", value).tobytes(), int(cast("Any", value).size)
        if count == 1:
            return None
    elif isinstance(value, list | tuple) and len(numbers := cast("list[object]", value)) > MAX_NUMBERS:
        if not all(isinstance(each, Real) for each in numbers):
            return None
        data, count = repr(list(numbers)).encode(), len(numbers)
    else:
        return None
    return {"items": count, "sha256": sha256(data).hexdigest()}


def _in_thousandths(value: object) -> int | list[int] | None:
    """A float, or numbers among which is one, in thousandths; None for everything else."""
    if _is_fraction(value):
        number = float(cast("float", value))
        return round(number * 1000) if abs(number) < 2**40 else None  # nan and infinities compare false, too
    if not isinstance(value, list | tuple) or len(numbers := cast("list[Any]", value)) > MAX_NUMBERS:
        return None
    if not any(map(_is_fraction, numbers)):
        return None
    if not all(isinstance(each, Real) and abs(cast("Any", each)) < 2**40 for each in numbers):
        return None
    return [round(float(each) * 1000) for each in numbers]


def _is_fraction(value: object) -> bool:
    return isinstance(value, float) or (isinstance(value, Real) and not isinstance(value, Integral))


def _change(path: str, pair: Any) -> dict[str, Any]:  # noqa: ANN401 (old and new value of any parameter)
    if isinstance(pair, list | tuple) and len(both := cast("list[Any]", pair)) == 2:
        return {"field": path, "old": both[0], "new": both[1]}
    return {"field": path, "new": pair}
