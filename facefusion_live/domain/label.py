"""The visible label: what it says, how large it is and where it stands.

Two elements are never missing, whatever text is chosen: that a machine made the picture ("AI"), and that it is
synthesised ("AI synthesised", 生成合成). Sources: EU AI Act Art. 50; GB 45438-2025, which asks for a height of at least
5 % of the shorter side; Provisions on Deep Synthesis Art. 17.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Language = Literal["both", "en", "zh"]
Corner = Literal["top right", "top left", "bottom right", "bottom left"]

LANGUAGES: Final = get_args(Language)
CORNERS: Final = get_args(Corner)
LEAST_HEIGHT: Final = 0.05
"""Of the letters, over the shorter side of the picture."""

_TEXTS: Final = {"en": "AI synthesised", "zh": "AI生成合成", "both": "AI生成合成 AI synthesised"}
_BY_A_MACHINE: Final = ("ai", "人工智能")
_SYNTHESISED: Final = ("synthesi", "generated", "合成", "生成")
_MARGIN: Final = 0.04
"""Between the label's plate and the edges, over the shorter side: players and phones draw over less."""
_LONGEST: Final = 60


def words(language: Language, own: str = "") -> str:
    """What the label says.

    Args:
        language: Of the text that comes with the program.
        own: The user's own text; "" for none.

    An own text that does not do (`is_whole`) is never shown: the built-in one is.
    """
    text = " ".join(own.split())
    return text if text and is_whole(text) else _TEXTS[language]


def is_whole(own: str) -> bool:
    """Whether a text of the user's may stand in the label: "" for the built-in one, or both elements in 60 letters."""
    plain = " ".join(own.split()).casefold()
    if not plain:
        return True
    said = any(word in plain for word in _BY_A_MACHINE) and any(word in plain for word in _SYNTHESISED)
    return said and len(plain) <= _LONGEST


@dataclass(frozen=True, slots=True)
class Place:
    """Where the label's plate lies in a picture, in pixels.

    Attributes:
        left: Of the plate.
        top: Of the plate.
        width: Of the plate.
        height: Of the plate.
    """

    left: int
    top: int
    width: int
    height: int


def letter_height_px(size_wh: tuple[int, int], share: float) -> int:
    """Height of the letters: never less than 5 % of the shorter side, rounded up."""
    return -int(-min(size_wh) * max(share, LEAST_HEIGHT) // 1)


def place(size_wh: tuple[int, int], plate_wh: tuple[int, int], corner: Corner) -> Place:
    """Where a plate of this size goes; one that is as wide as the picture starts at its edge."""
    margin = round(min(size_wh) * _MARGIN)
    free_x, free_y = (max(whole - plate, 0) for whole, plate in zip(size_wh, plate_wh, strict=True))
    left = min(margin, free_x) if corner.endswith("left") else max(free_x - margin, 0)
    top = min(margin, free_y) if corner.startswith("top") else max(free_y - margin, 0)
    width, height = (min(plate, whole) for plate, whole in zip(plate_wh, size_wh, strict=True))
    return Place(left, top, width, height)
