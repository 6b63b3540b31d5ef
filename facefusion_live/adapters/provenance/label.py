# pyright: basic, reportArgumentType=false, reportCallIssue=false
# (OpenCV's stubs call every array MatLike.)
"""The visible label in pixels: white letters on a dark plate that lets the picture through a little."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from facefusion_live.domain import label
from facefusion_live.domain.settings import Label

_PLATE: Final = 0.72
"""How dark the plate is: white letters then stand out from a white wall as 1 : 7."""
_PAD: Final = 0.32
"""Around the letters, over their height."""
_CORNER: Final = 0.3
"""Radius of the plate's corners, over the height of the letters."""
_PROBE_PX: Final = 200
"""Size at which a font is measured."""
_SMALLER: Final = 0.94
"""By so much letters shrink at a time until the label fits."""
_UNIT: Final = re.compile(
    r"(?:AI)?(?:人工智能|生成|合成)+[·—…、。》」）：；！]*|[\u3400-\u9fff][·—…、。》」）：；！]*|[^\u3400-\u9fff]+",  # noqa: RUF001
    re.IGNORECASE,
)
"""What stays together of a Chinese text, which has no spaces: each element, a character and the marks after it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Stamp:
    """What is drawn, for pictures of one size.

    Attributes:
        rows: Of the picture.
        columns: Of the picture.
        kept: (h, w, 3) levels 0..255: what is left of the picture.
        ink: (h, w, 3) what is added.
    """

    rows: slice
    columns: slice
    kept: NDArray[np.uint8]
    ink: NDArray[np.uint8]


class LabelPainter:
    """Draws the label into pictures, in place. Thread: render.

    Args:
        font: The file with the letters.
    """

    def __init__(self, font: Path) -> None:
        self._font = font
        self._stamp: tuple[tuple[tuple[int, int], Label], _Stamp] | None = None

    def draw(self, pixels: NDArray[np.uint8], look: Label) -> None:
        """Draw the label into a picture (h, w, 3) RGB."""
        height, width = pixels.shape[:2]
        key = (width, height), look
        if self._stamp is None or self._stamp[0] != key:
            self._stamp = key, self._made((width, height), look)
        stamp = self._stamp[1]
        below = pixels[stamp.rows, stamp.columns]
        cv2.multiply(below, stamp.kept, dst=below, scale=1 / 255)
        cv2.add(below, stamp.ink, dst=below)

    def _made(self, size_wh: tuple[int, int], look: Label) -> _Stamp:
        lines, letters_px = self._set(size_wh, look)
        plate = _plate(lines, self._font, letters_px)
        at = label.place(size_wh, (plate.shape[1], plate.shape[0]), look.corner)
        plate = plate[: at.height, : at.width]
        shade, letters = plate[..., 0].astype(np.float32) / 255, plate[..., 1].astype(np.float32) / 255
        kept = (1 - shade * _PLATE) * (1 - letters)
        return _Stamp(
            rows=slice(at.top, at.top + at.height),
            columns=slice(at.left, at.left + at.width),
            kept=np.repeat(np.rint(kept * 255).astype(np.uint8)[..., None], 3, axis=2),
            ink=np.repeat(np.rint(letters * 255).astype(np.uint8)[..., None], 3, axis=2),
        )

    def _set(self, size_wh: tuple[int, int], look: Label) -> tuple[list[str], int]:
        """Lines and height of the letters, so that the whole text is seen.

        It shrinks down to the height that must be. A text of the user's that does not fit even then gives way to the
        built-in one, whose words are broken where nothing else helps.
        """
        room, least_px = label.room(size_wh), label.letter_height_px(size_wh, label.LEAST_HEIGHT)
        texts = dict.fromkeys((label.words(look.language, look.text), label.words(look.language)))
        for text in texts:
            letters_px = label.letter_height_px(size_wh, look.height)
            while True:
                lines = _lines(text, self._font, letters_px, room[0])
                if lines is not None:
                    width, height = _extent(lines, self._font, letters_px)
                    if width <= room[0] and height <= room[1]:
                        return lines, letters_px
                if letters_px == least_px:
                    break
                letters_px = max(least_px, int(letters_px * _SMALLER))
        return _broken(label.words(look.language), self._font, least_px, room[0]), least_px


def _font_of(file: Path, letters_px: int) -> ImageFont.FreeTypeFont:
    """The font at the size at which its capital letters are `letters_px` high."""
    probe = ImageFont.truetype(str(file), _PROBE_PX)
    _, top, _, bottom = probe.getbbox("A", anchor="ls")
    return ImageFont.truetype(str(file), int(np.ceil(_PROBE_PX * letters_px / (bottom - top))))


def _lines(text: str, file: Path, letters_px: int, widest_px: float) -> list[str] | None:
    """The text in as many lines as it takes, broken at spaces, and between Chinese characters where a word is too long.

    None where nothing of that helps.
    """
    font = _font_of(file, letters_px)
    room = widest_px - 2 * round(_PAD * letters_px)
    words = [[word] if font.getlength(word) <= room else _UNIT.findall(word) for word in text.split()]
    lines: list[str] = []
    for gap, unit in (("" if number else " ", unit) for word in words for number, unit in enumerate(word)):
        joined = f"{lines[-1]}{gap}{unit}" if lines else unit
        if font.getlength(joined) <= room:
            lines[-1:] = [joined]
        elif font.getlength(unit) <= room:
            lines.append(unit)
        else:
            return None
    return lines


def _broken(text: str, file: Path, letters_px: int, widest_px: float) -> list[str]:
    """The text in as many lines as it takes, broken anywhere: for pictures that are narrower than a word."""
    font = _font_of(file, letters_px)
    room = widest_px - 2 * round(_PAD * letters_px)
    lines = [""]
    for letter in text:
        if lines[-1] and font.getlength(lines[-1] + letter) > room:
            lines.append("")
        lines[-1] += letter
    return [line.strip() for line in lines]


def _extent(lines: list[str], file: Path, letters_px: int) -> tuple[int, int]:
    """Width and height of the plate around some lines."""
    font, pad = _font_of(file, letters_px), round(_PAD * letters_px)
    boxes = [font.getbbox(line, anchor="ls") for line in lines]
    top, bottom = min(box[1] for box in boxes), max(box[3] for box in boxes)
    width = int(np.ceil(max(box[2] for box in boxes))) + 2 * pad
    return width, int(np.ceil(bottom - top)) + _pitch(font) * (len(lines) - 1) + 2 * pad


def _pitch(font: ImageFont.FreeTypeFont) -> int:
    """From line to line."""
    return round(sum(font.getmetrics()) * 0.82)


def _plate(lines: list[str], file: Path, letters_px: int) -> NDArray[np.uint8]:
    """(h, w, 2): how much plate, and how much letter."""
    font, pad = _font_of(file, letters_px), round(_PAD * letters_px)
    pitch = _pitch(font)
    top = min(font.getbbox(line, anchor="ls")[1] for line in lines)
    width, height = _extent(lines, file, letters_px)
    shade, ink = Image.new("L", (width, height), 0), Image.new("L", (width, height), 0)
    ImageDraw.Draw(shade).rounded_rectangle((0, 0, width - 1, height - 1), round(_CORNER * letters_px), fill=255)
    for number, line in enumerate(lines):
        ImageDraw.Draw(ink).text((pad, pad - top + pitch * number), line, fill=255, font=font, anchor="ls")
    return np.stack([np.asarray(shade), np.asarray(ink)], 2)
