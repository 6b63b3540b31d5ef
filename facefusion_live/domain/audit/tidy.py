"""Bringing what callers hand over into the canonical profile, so that a record never fails over its own metadata."""

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeAlias, cast
from unicodedata import normalize

from facefusion_live.domain.audit.canonical import Codec
from facefusion_live.domain.audit.event import MAX_METADATA_BYTES, SETTINGS_CHANGE

Hide: TypeAlias = Callable[[str], str]
"""Masks what must not be recorded in a text, as home paths."""

MAX_DEPTH = 6
_NOT_IN_KEY = re.compile(r"[^a-z0-9_]+")


def tidy_metadata(action: str, metadata: dict[str, Any], hide: Hide, codec: Codec) -> dict[str, Any]:
    """Metadata as a row can hold them.

    Floats become thousandths under a key that ends in `_milli`; what has no canonical form becomes its text; paths are
    masked; what is over 4 KiB is told by its size and digest.

    Args:
        action: Whose metadata; the fields of a `settings.change` become a list that queries can search.
        metadata: Anything.
        hide: Masks paths.
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
    """One value, brought into the profile."""
    if depth < MAX_DEPTH and isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return dict(_item(str(key), item, hide, depth + 1) for key, item in items)
    if depth < MAX_DEPTH and isinstance(value, list | tuple):
        return [tidy(item, hide, depth + 1) for item in cast("list[object]", value)]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 2**53:
        return int(value)
    return hide(normalize("NFC", str(value).encode("utf-8", "replace").decode()))


def _item(key: str, value: object, hide: Hide, depth: int) -> tuple[str, Any]:
    name = _NOT_IN_KEY.sub("_", key.lower()) or "_"
    milli = _in_thousandths(value)
    if milli is None:
        return name, tidy(value, hide, depth)
    return name if name.endswith("_milli") else f"{name}_milli", milli


def _in_thousandths(value: object) -> int | list[int] | None:
    """A float, or numbers among which is one, in thousandths; None for everything else."""
    if isinstance(value, float):
        return round(value * 1000) if abs(value) < 2**40 else None  # nan and infinities compare false, too
    if not isinstance(value, list | tuple):
        return None
    numbers = cast("list[Any]", value)
    if not any(isinstance(each, float) for each in numbers):
        return None
    if not all(isinstance(each, int | float) and abs(each) < 2**40 for each in numbers):
        return None
    return [round(each * 1000) for each in numbers]


def _change(path: str, pair: Any) -> dict[str, Any]:  # noqa: ANN401 (old and new value of any parameter)
    old, new = pair
    return {"field": path, "old": old, "new": new}
