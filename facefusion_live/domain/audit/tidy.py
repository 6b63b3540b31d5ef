"""Bringing what callers hand over into the canonical profile, so that a record never fails over its own metadata."""

import re
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from numbers import Integral, Number, Real
from typing import Any, TypeAlias, cast
from unicodedata import normalize

from facefusion_live.domain.audit.canonical import Codec
from facefusion_live.domain.audit.event import (
    GOVERNOR_STEP,
    MAX_METADATA_BYTES,
    OWN_ACTIONS,
    SESSION_START,
    SETTINGS_CHANGE,
)

Hide: TypeAlias = Callable[[str], str]
"""Masks what must not be recorded in a text, as home paths."""

MAX_DEPTH = 6
MAX_NUMBERS = 16
"""More numbers in one value, however they are nested, may be an embedding or pixels, which no row ever holds."""
MAX_NUMBERS_IN_ALL = 48
"""The same for all values of a row together."""
MAX_CONTAINERS = 2**16
"""More of them, one within another, are not gone through: one that holds itself has no end."""
MAX_TEXT, MAX_KEY = 4096, 96
_COUNTED_AT_MOST = 2**20
_DATA = re.compile(
    r"[A-Za-z0-9+/_=-]{129}|(?:[A-Za-z0-9+/_=-]{60,128}\s+){2}"  # base64, hex; also in lines
    r"|(?:(?<![\d.eE+-])[-+]?[\d.][\d.eE+-]*[\s,;\[\]()]+){17}"  # numbers, written out
)
"""Text that is data."""
_NUMERAL = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?").fullmatch
_IS_KEY, _IS_PLAIN_KEY = re.compile(r"[a-z0-9_]+").fullmatch, re.compile(r"[a-z_]+").fullmatch
_PLACE = re.compile(r" at 0x[0-9A-Fa-f]+")
"""Where something lies in the memory of the process: no word about it, and nothing for a record."""
_NOT_IN_KEY = re.compile(r"[^a-z0-9_]+")
_TELL_SETTINGS = frozenset({SETTINGS_CHANGE, SESSION_START, GOVERNOR_STEP})
_SIMPLE = frozenset({str, int, bool, type(None)})
_FLAT = (str, bytes, bytearray)
_FLAT_KINDS = _SIMPLE | {float, *_FLAT}
_SEQUENCES = frozenset({list, tuple})
_PLAIN = _SEQUENCES | {dict}
"""What most values are: worth a short way, since every row of a flood goes through here. Asking whether something is of
an abstract kind, a Mapping say, costs ten times as much as looking at its type."""
_MOST_THOUSANDTHS = 2**40


def as_given(text: str) -> str:
    """The `Hide` of a first pass, which masks nothing and leaves names of fields as they are, for a second one to mask.

    A name that was brought into form could not be told from a harmless one any more: `_home_anna`.
    """
    return text


def tidy_metadata(action: str, metadata: dict[str, Any], hide: Hide, codec: Codec) -> dict[str, Any]:
    """Metadata as a row can hold them.

    Floats become thousandths under a key that ends in `_milli`; what has no canonical form becomes its text; paths and
    addresses are masked; bytes, arrays, more than a few numbers in whatever containers, text that is data, and what is
    over 4 KiB are told by size and digest.

    Args:
        action: Whose metadata; the fields of a `settings.change`, `session.start` or `governor.step` become a list that
            queries can search.
        metadata: Anything.
        hide: Masks paths and addresses.
        codec: Measures.
    """
    if _has_no_end(metadata):
        return {"oversize_items": MAX_CONTAINERS}
    own: dict[str, Any] = {}
    if action in _TELL_SETTINGS and (fields := metadata.get("fields")) is not None:
        # As many as a preset changes; each is looked at alone.
        if isinstance(fields, dict):
            fields = [_change(path, pair) for path, pair in cast("dict[str, Any]", fields).items()]
        if _are_changes(fields):
            own["fields"] = [_object(each, hide, 2) for each in cast("list[dict[object, object]]", fields)]
    elif action in OWN_ACTIONS and isinstance(counts := metadata.get("counts"), dict):
        own["counts"] = _object(cast("dict[object, object]", counts), hide, 2)
    rest = _object({name: value for name, value in metadata.items() if name not in own}, hide, 1)
    if len(rest) * MAX_NUMBERS > MAX_NUMBERS_IN_ALL and (numbers := _numbers(rest)) > MAX_NUMBERS_IN_ALL:
        rest = {"items": numbers, "sha256": sha256(codec.encode(rest)).hexdigest()}
    tidied = {**rest, **own}
    if len(data := codec.encode(tidied)) <= MAX_METADATA_BYTES:
        return tidied
    return {"oversize_bytes": len(data), "sha256": sha256(data).hexdigest()}


def tidy(value: object, hide: Hide, depth: int = 0) -> Any:  # noqa: ANN401 (whatever JSON holds)
    """A copy of one value, brought into the profile; doing it again changes nothing."""
    kind = type(value)
    if kind in _SIMPLE:
        return _simple(value, hide)
    if (bulk := _bulk(value)) is not None:
        return bulk
    if depth < MAX_DEPTH and (kind is dict or isinstance(value, Mapping)):
        return _object(cast("Mapping[object, object]", value), hide, depth + 1)
    if depth < MAX_DEPTH and (items := _items(value)) is not None:
        return [tidy(item, hide, depth + 1) for item in items]
    if isinstance(value, Collection) and not hasattr(value, "tobytes"):  # nested too deeply to be told
        text = repr(value)
        return {"items": len(text), "sha256": sha256(text.encode("utf-8", "replace")).hexdigest()}
    return _simple(int(value) if isinstance(value, Integral) else _PLACE.sub("", str(value)), hide)


def _has_no_end(value: object) -> bool:
    """Are there too many containers in it?

    A shared one counts wherever it stands, and from the second time on with its parts: a small value that is shared
    stands for more than any memory holds.
    """
    waiting, seen, met = [value], 0, dict[int, object]()
    while waiting and seen <= MAX_CONTAINERS:
        each = waiting.pop()
        if isinstance(each, Mapping):
            inner = [part for pair in cast("Mapping[object, object]", each).items() for part in pair]
        elif isinstance(each, Collection) and not (hasattr(each, "tobytes") or isinstance(each, _FLAT)):
            inner = cast("Collection[object]", each)
        else:
            continue
        seen += 1 + (len(inner) if id(each) in met else 0)
        met[id(each)] = each  # kept, so that its number goes to nothing else meanwhile
        waiting += [part for part in inner if type(part) not in _FLAT_KINDS]
    return seen > MAX_CONTAINERS


def _simple(value: Any, hide: Hide) -> Any:  # noqa: ANN401 (one of `_SIMPLE`)
    if type(value) is not str:
        if type(value) is not int or -(2**53) < value < 2**53:
            return value
        value = str(value) if abs(value) < 2**1024 else "beyond all numbers"
    if len(value) > MAX_TEXT or (len(value) > 2 * MAX_NUMBERS and _DATA.search(value)):
        return {"items": len(value), "sha256": sha256(value.encode("utf-8", "replace")).hexdigest()}
    return hide(value if value.isascii() else normalize("NFC", value.encode("utf-8", "replace").decode()))


def _object(given: Mapping[object, object], hide: Hide, depth: int) -> dict[str, Any]:
    """Keys that become the same word are told apart by a number: nothing is lost unsaid."""
    tidied: dict[str, Any] = {}
    for key, value in given.items():
        name, item = _item(key if isinstance(key, str) else _PLACE.sub("", str(key)), value, hide, depth)
        number = 2
        while (unique := name if name not in tidied else f"{name}_{number}") in tidied:
            number += 1
        tidied[unique] = item
    return tidied


def _item(key: str, value: object, hide: Hide, depth: int) -> tuple[str, Any]:
    if len(key) > MAX_KEY:
        key = f"key_{sha256(key.encode('utf-8', 'replace')).hexdigest()[:16]}"
    name = _name(key, hide)
    kind = type(value)
    if kind in _SIMPLE:
        return name, _simple(value, hide)
    if kind is float and abs(cast("float", value)) < _MOST_THOUSANDTHS:
        value = cast("float", value)
        return name if name.endswith("_milli") else f"{name}_milli", round(value * 1000)
    if (bulk := _bulk(value)) is not None:
        return name, bulk
    if depth < MAX_DEPTH and _has_fraction(value, depth):
        return name if name.endswith("_milli") else f"{name}_milli", _thousandths(value, hide, depth)
    return name, tidy(value, hide, depth)


def _name(key: str, hide: Hide) -> str:
    if _IS_PLAIN_KEY(key):  # most are: nothing in it could be a path or an address
        return key
    if not key.isascii():
        key = key.encode("utf-8", "replace").decode()
    if hide is as_given:
        return key
    stem = key.removesuffix("_milli")  # says what the value is, and is no part of a path
    if (hidden := hide(stem)) == stem and _IS_KEY(key):
        return key
    return (_NOT_IN_KEY.sub("_", hidden.lower()) or "_") + key[len(stem) :]


def _items(value: object) -> "list[object] | None":
    """What a container holds, a set in an order of its own; None for everything else."""
    if type(value) in _SEQUENCES or isinstance(value, list | tuple):
        return list(cast("list[object]", value))
    if isinstance(value, set | frozenset):
        return sorted(cast("set[object]", value), key=repr)
    # An array library's scalar has a length only when it is none.
    if isinstance(value, Collection) and not isinstance(value, str | Mapping) and not hasattr(value, "tobytes"):
        return list(cast("Collection[object]", value))
    return None


def _bulk(value: object) -> dict[str, Any] | None:
    """Count and digest of bytes, an array, or a container of more than a few numbers; None for everything else."""
    kind = type(value)
    if kind is float:
        return None
    if kind in _PLAIN and (count := _numbers(value)) <= MAX_NUMBERS:
        return None
    if hasattr(value, "tobytes") and hasattr(value, "size"):  # an array, of whatever library
        data, count = cast("Any", value).tobytes(), int(cast("Any", value).size)
        if count == 1:
            return None
    elif (buffer := _buffer(value)) is not None:
        data, count = buffer
    elif isinstance(value, Collection) and not isinstance(value, str):
        if (count := _numbers(cast("Collection[object]", value))) <= MAX_NUMBERS:
            return None
        data = repr(value if isinstance(value, Mapping) else _items(cast("object", value))).encode("utf-8", "replace")
    else:
        return None
    return {"items": count, "sha256": sha256(data).hexdigest()}


def _buffer(value: object) -> tuple[bytes, int] | None:
    """Bytes and count of whatever lends out its memory."""
    if isinstance(value, list | tuple | dict):
        return None
    try:
        view = memoryview(cast("Any", value))
    except TypeError:
        return None
    with view:
        return view.tobytes(), view.nbytes // view.itemsize


def _numbers(value: object) -> int:
    """How many numbers a value holds, those in nested containers and those written as text too."""
    waiting, count, seen = [value], 0, 0
    while waiting and seen < _COUNTED_AT_MOST:
        each = waiting.pop()
        seen += 1
        kind = type(each)
        if kind is int or kind is float or kind is bool:  # the short way for most
            count += 1
        elif kind is str:
            text = cast("str", each)
            count += len(text) <= 32 and not text.isalpha() and _NUMERAL(text) is not None
        elif kind in _SEQUENCES:
            waiting += cast("list[object]", each)
        elif kind is dict:
            waiting += map(_counted, cast("dict[object, object]", each).items())
        elif hasattr(each, "tobytes") and hasattr(each, "size"):
            count += int(cast("Any", each).size)
        elif isinstance(each, Number) or (isinstance(each, str) and len(each) <= 32 and _NUMERAL(each)):
            count += 1
        elif isinstance(each, Mapping):
            waiting += map(_counted, cast("Mapping[object, object]", each).items())
        elif isinstance(each, Collection) and not isinstance(each, str | bytes | bytearray):
            waiting += list(cast("Collection[object]", each))
    return count


def _counted(pair: tuple[object, object]) -> object:
    """A number that stands as a key, or else the value under the key."""
    key, value = pair
    return key if type(key) is not str and isinstance(key, Number) else value


def _has_fraction(value: object, depth: int) -> bool:
    """A float that thousandths can tell, or a list with one somewhere in it."""
    kind = type(value)
    if kind is float:
        return abs(cast("float", value)) < _MOST_THOUSANDTHS
    if kind in _SIMPLE or kind is dict:
        return False
    if kind in _SEQUENCES and depth < MAX_DEPTH:
        return any(_has_fraction(each, depth + 1) for each in cast("list[object]", value))
    if depth < MAX_DEPTH and not isinstance(value, Mapping) and (items := _items(value)) is not None:
        return any(_has_fraction(each, depth + 1) for each in items)
    # nan and infinities compare false, too
    return _is_fraction(value) and abs(cast("float", value)) < _MOST_THOUSANDTHS


def _thousandths(value: object, hide: Hide, depth: int) -> Any:  # noqa: ANN401 (whatever JSON holds)
    """A number in thousandths, each in a list, however nested; what is none as elsewhere."""
    kind = type(value)
    if (kind is float or kind is int) and abs(cast("float", value)) < _MOST_THOUSANDTHS:
        return round(float(cast("float", value)) * 1000)
    if depth < MAX_DEPTH and not isinstance(value, Mapping) and (items := _items(value)) is not None:
        return [_thousandths(each, hide, depth + 1) for each in items]
    if type(value) in _SIMPLE and type(value) is not int:
        return _simple(value, hide)
    if isinstance(value, Real) and abs(cast("Any", value)) < _MOST_THOUSANDTHS:
        return round(float(value) * 1000)
    return tidy(value, hide, depth)


def _is_fraction(value: object) -> bool:
    return isinstance(value, float) or (isinstance(value, Real) and not isinstance(value, Integral))


def _are_changes(fields: object) -> bool:
    """A list of changes as rows have them, each of another parameter."""
    if not isinstance(fields, list):
        return False
    changes = [cast("dict[str, Any]", each) for each in cast("list[object]", fields) if isinstance(each, dict)]
    names = {name for each in changes if isinstance(name := each.get("field"), str)}
    return len(names) == len(cast("list[object]", fields))


def _change(path: str, pair: Any) -> dict[str, Any]:  # noqa: ANN401 (old and new value of any parameter)
    if isinstance(pair, list | tuple) and len(both := cast("list[Any]", pair)) == 2:
        return {"field": path, "old": both[0], "new": both[1]}
    return {"field": path, "new": pair}
