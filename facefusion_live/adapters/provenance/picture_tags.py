# pyright: basic
"""The AIGC block in files: written into pictures, read from pictures and movies."""

import struct
import zlib
from pathlib import Path

import av
from av.error import FFmpegError

from facefusion_live.domain import aigc

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_PNG_KEYWORD = b"XML:com.adobe.xmp"
_JPEG_HEAD = b"http://ns.adobe.com/xap/1.0/\x00"
_AFTER_IHDR = 33


def write_block(path: Path, block: dict[str, str]) -> None:
    """Put the block into a PNG or JPEG file as XMP, whole or not at all. Pixels are not touched.

    Raises:
        OSError: The file cannot be read or written.
        ValueError: It is neither.
    """
    data, packet = path.read_bytes(), aigc.xmp(block).encode()
    if data.startswith(_PNG):
        body = b"iTXt" + _PNG_KEYWORD + bytes(5) + packet
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        data = data[:_AFTER_IHDR] + chunk + data[_AFTER_IHDR:]
    elif data.startswith(_JPEG):
        at = _after_jfif(data)
        body = _JPEG_HEAD + packet
        data = data[:at] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[at:]
    else:
        raise ValueError("neither PNG nor JPEG")
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)


def read_block(path: Path) -> dict[str, str] | None:
    """The block in a picture or movie; None where there is none, and where it is not as it must be.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(len(_PNG))
        if head.startswith((_PNG, _JPEG)):
            data = head + file.read()
            return aigc.from_xmp(data.decode("utf-8", "ignore"))
    try:
        with av.open(str(path)) as container:
            return aigc.from_tags(dict(container.metadata))
    except (FFmpegError, ValueError):
        return None


def _after_jfif(data: bytes) -> int:
    """Where the first segment after SOI and JFIF's own begins."""
    if data[2:4] == b"\xff\xe0":
        return 4 + struct.unpack(">H", data[4:6])[0]
    return 2
