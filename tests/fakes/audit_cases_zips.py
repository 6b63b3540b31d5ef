"""Zips that are damaged, or made to harm whoever opens them."""

import warnings
import zipfile
from collections.abc import Callable
from io import BytesIO
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


def _twice(data: bytes) -> bytes:
    """The rows a second time, with other words; whoever reads by name gets those."""
    path = BytesIO(data)
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        name = next(each for each in archive.namelist() if each.endswith("rows.ndjson"))
        archive.writestr(name, archive.read(name).replace(b"camera:0", b"camera:9"))
    return path.getvalue()


def _bomb(name: str, piece: bytes, count: int) -> Make:
    """A member of many megabytes that is small as long as it is packed."""

    def change(members: dict[str, bytes]) -> None:
        (full,) = (each for each in members if each.endswith(name))
        members[full] = piece * count

    wanted = {5, 20} if name in {"proofs.ndjson", "closings.json"} else None
    make = Export(genuine(), members=change, wanted=wanted, compression=zipfile.ZIP_DEFLATED)
    return lambda folder: (make.write(folder / "export.zip"), [])


def _before_directory(data: bytes) -> bytes:
    at, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    moved = (at + 6).to_bytes(4, "little")
    return data[:at] + b"hidden" + data[at : end + 16] + moved + data[end + 20 :]


def _between(data: bytes) -> bytes:
    """Bytes between two members that no directory tells of, everything else moved as it must be."""
    at = data.index(b"PK\x03\x04", 4)
    more = b"hidden"
    out = bytearray(data[:at] + more + data[at:])
    start = out.find(b"PK\x01\x02")
    end = out.rfind(b"PK\x05\x06")
    out[end + 16 : end + 20] = start.to_bytes(4, "little")
    while start >= 0:
        offset = int.from_bytes(out[start + 42 : start + 46], "little")
        out[start + 42 : start + 46] = (offset + len(more) * (offset >= at)).to_bytes(4, "little")
        start = out.find(b"PK\x01\x02", start + 4)
    return bytes(out)


ZIPS = [
    *(
        Case(f"zip: {name}", _bytes(change), 10, {})
        for name, change in (
            ("a member that says to be huge", _claimed_size),
            ("bytes before it", lambda data: b"#!/bin/sh\n" + data),
            ("bytes behind it", lambda data: data + b"more"),
            ("a comment that ends like none", lambda data: data[:-2] + b"\6\0more\0\0"),
            ("bytes before its directory", _before_directory),
            ("a comment", lambda data: data[:-2] + b"\4\0more"),
            ("rows twice", _twice),
            ("bytes between its members", _between),
        )
    ),
    *(
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
            ("a bit turned", lambda data: data.replace(b"camera:0", b"camera:1", 1), zipfile.ZIP_STORED),
        )
    ),
]

BOMBS = [
    *(
        Case(f"bomb: {name} of {what}", _bomb(name, piece, count), 10, {})
        for name, what, piece, count in (
            ("checkpoints.json", "lists", b"[],", 4_000_000),
            ("closings.json", "objects", b"{},", 4_000_000),
            ("proofs.ndjson", "lists", b"[[],[]]\n", 1_000_000),
            ("manifest.note", "lists", b"[],", 1_000_000),
            ("checkpoints.json", "zeros", bytes(1024), 2**15),
            ("rows.ndjson", "blank lines", b"\n", 30_000_000),
            ("rows.ndjson", "one line", b"[", 30_000_000),
        )
    ),
]
"""Small zips that would fill the memory or take for ever; too slow for the mutation test."""
