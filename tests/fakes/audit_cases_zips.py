"""Zips that are damaged, or made to harm whoever opens them."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fakes.audit_attacks import genuine
from tests.fakes.audit_cases import (
    Case,
    Make,
)
from tests.fakes.audit_export import Export


def _bytes(change: Callable[[bytes], bytes], **more: Any) -> Make:
    """The zip itself, damaged."""

    def make(folder: Path) -> tuple[Path, list[str]]:
        path = Export(genuine(), **more).write(folder / "export.zip")
        path.write_bytes(change(path.read_bytes()))
        return path, []

    return make


def _flag(data: bytes, bit: int) -> bytes:
    """Each member's general purpose flag set, in both places where a zip has it."""
    out = bytearray(data)
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = out.find(magic)
        while start >= 0:
            out[start + at] |= bit
            start = out.find(magic, start + 4)
    return bytes(out)


def _method(data: bytes, method: int) -> bytes:
    out = bytearray(data)
    for magic, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        start = out.find(magic)
        while start >= 0:
            out[start + at] = method
            start = out.find(magic, start + 4)
    return bytes(out)


def _claimed_size(data: bytes) -> bytes:
    """The directory says that each member is 4 GB long."""
    out = bytearray(data)
    start = out.find(b"PK\x01\x02")
    while start >= 0:
        out[start + 24 : start + 28] = b"\xfe\xff\xff\xff"
        start = out.find(b"PK\x01\x02", start + 4)
    return bytes(out)


ZIPS = [
    Case(f"zip: {name}", _bytes(change, compression=compression), 2, {})
    for name, change, compression in (
        ("empty", lambda _: b"", zipfile.ZIP_STORED),
        ("no zip", lambda _: b"no zip", zipfile.ZIP_STORED),
        ("cut short", lambda data: data[: len(data) // 2], zipfile.ZIP_STORED),
        ("without its directory", lambda data: data[:-30], zipfile.ZIP_STORED),
        ("encrypted", lambda data: _flag(data, 1), zipfile.ZIP_STORED),
        ("patched", lambda data: _flag(data, 0x20), zipfile.ZIP_STORED),
        ("packed as nobody knows", lambda data: _method(data, 97), zipfile.ZIP_STORED),
        ("said to be deflated", lambda data: _method(data, 8), zipfile.ZIP_STORED),
        ("said to be bzip2", lambda data: _method(data, 12), zipfile.ZIP_STORED),
        ("said to be lzma", lambda data: _method(data, 14), zipfile.ZIP_STORED),
        ("deflated, damaged", lambda data: data.replace(data[200:260], bytes(60)), zipfile.ZIP_DEFLATED),
        ("lzma, damaged", lambda data: data.replace(data[200:260], bytes(60)), zipfile.ZIP_LZMA),
        ("bzip2, damaged", lambda data: data.replace(data[200:260], bytes(60)), zipfile.ZIP_BZIP2),
        ("a member that says to be huge", _claimed_size, zipfile.ZIP_STORED),
        ("a bit turned", lambda data: data.replace(b"camera:0", b"camera:1", 1), zipfile.ZIP_STORED),
    )
]
