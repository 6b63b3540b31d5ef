"""The visible label: what it says, how large it is and where it stands.

Two elements are never missing, whatever text is chosen: that a machine made the picture ("AI"), and that it is
synthesised ("AI synthesised", 生成合成). Sources: EU AI Act Art. 50; GB 45438-2025, which asks for a height of at least
5 % of the shorter side; Provisions on Deep Synthesis Art. 17.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

Language = Literal["both", "en", "zh"]
Corner = Literal["top right", "top left", "bottom right", "bottom left"]

LANGUAGES: Final = get_args(Language)
CORNERS: Final = get_args(Corner)
LEAST_HEIGHT: Final = 0.05
"""Of the letters, over the shorter side of the picture."""

_TEXTS: Final = {"en": "AI synthesised", "zh": "AI生成合成", "both": "AI生成合成 AI synthesised"}
_BY_A_MACHINE: Final = frozenset({"ai"}), ("人工智能",)
_SYNTHESISED: Final = frozenset({"synthesised", "synthesized", "synthesis", "generated"}), ("合成", "生成")
_DENIALS: Final = (
    frozenset(
        {"no", "not", "non", "none", "never", "neither", "nor", "nothing", "without", "free", "isn", "isnt", "aint"}
        | {"wasn", "wasnt", "aren", "arent", "doesn", "doesnt", "didn", "didnt", "zero", "cannot"}
        | {"false", "falsely", "fake", "faked", "lie", "lies", "lied", "liar", "lying", "untrue", "wrong", "wrongly"}
        | {"incorrect", "mistake", "mistaken", "hoax", "joke", "joking", "kidding", "prank", "allegedly", "supposedly"}
        | {"real", "genuine", "authentic", "actual", "unedited", "unaltered", "handmade", "ignore", "disregard"}
    ),
    (*"不非未无没否勿莫谎骗假伪错误谣", "真实", "真人", "真的", "真事", "实拍", "实录", "玩笑", "笑话", "胡说", "手工"),
)
"""Words that turn an element round, or say that the picture is real; refused wherever they stand but in a few harmless
phrases, for no list of sentences would ever be complete."""
_CLAIMS: Final = re.compile(
    # A question leaves it open.
    r"[?\uff1f]|\b(?:human|man|hand)-? ?made\b|\b(?:made|filmed|shot|recorded) by (?:a )?(?:hand|humans?|people)\b"
    r"|\boriginal (?:film|footage|picture|recording|video)\b"
)
"""Phrases that do the same with words that are harmless each."""
_HARMLESS: Final = (
    # "No." before a number that ends the phrase or comes before "AI"; not an answer: "AI generated? No. 5 people".
    re.compile(r"(?:^|(?<=[a-z0-9] )|(?<=, ))no\. ?[0-9]{1,4}(?= *$| *[,;)]| ai\b)"),
    re.compile(r"\bnon-?(?:profit|commercial)\b"),
    re.compile(r"\bnot for (?:sale|resale|commercial use)\b"),
    re.compile(r"\bfree (?:of charge|to (?:use|share|copy|watch))\b"),
    re.compile(r"\breal-?time\b"),
    re.compile("非商业|非营利|非卖品|未来|无限|无锡|莫斯科|莫高窟|假期|假日|假面|暑假|寒假|真人秀"),
)
"""Phrases with such a word in them that deny nothing of what the label says."""
_WORD: Final = re.compile(r"[a-z0-9]+")
_MARKS: Final = "·—…、。《》「」（）：；！？"  # noqa: RUF001 (Chinese punctuation)
_LEVEL_1: Final = range(0xB0A1, 0xD7FA)
_MARGIN: Final = 0.04
"""Between the label's plate and the edges, over the shorter side: players and phones draw over less."""
_TALLEST: Final = 1 / 3
"""Of the picture's height, whatever height of letters is asked for."""
_LONGEST: Final = 60
OWN_TEXT: Final = (
    f"up to {_LONGEST} letters with AI and synthesised (generated, 生成, 合成) in them as words of their own, no word "
    "that denies it (not, no, false, real, 不, 非, 假) and no question, in English letters, signs or simplified "
    "Chinese; or nothing"
)
"""What `is_whole` asks for, for messages."""


def letters() -> str:
    """Every character that the label's font has: ASCII, and the first level of GB 2312, the 3755 most used Chinese."""
    cells = (code for code in _LEVEL_1 if 0xA1 <= code & 0xFF <= 0xFE)
    chinese = "".join(code.to_bytes(2, "big").decode("gb2312") for code in cells)
    return "".join(map(chr, range(32, 127))) + _MARKS + chinese


_LETTERS: Final = frozenset(letters())


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
    """Whether a text of the user's may stand in the label: "" for the built-in one, or what `OWN_TEXT` says.

    What the font has no letter for would leave a gap; what turns the direction of writing round could undo the rest.
    """
    text = " ".join(own.split())
    if not text:
        return True
    if len(text) > _LONGEST or not _LETTERS.issuperset(text):
        return False
    plain = text.casefold()
    weighed = plain
    for phrase in _HARMLESS:
        weighed = phrase.sub(" ", weighed)
    denied = _says(weighed, _DENIALS) or _CLAIMS.search(weighed) is not None
    return _says(plain, _BY_A_MACHINE) and _says(plain, _SYNTHESISED) and not denied


def _says(plain: str, words: tuple[frozenset[str], tuple[str, ...]]) -> bool:
    """Whether one of the English words stands there as a whole, or one of the Chinese anywhere: they know no spaces."""
    english, chinese = words
    return not english.isdisjoint(_WORD.findall(plain)) or any(word in plain for word in chinese)


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


def room(size_wh: tuple[int, int]) -> tuple[int, int]:
    """The largest plate there may be, (width, height) in pixels: off the edges, and the face is left in sight."""
    margin = round(min(size_wh) * _MARGIN)
    return size_wh[0] - 2 * margin, min(size_wh[1] - 2 * margin, round(size_wh[1] * _TALLEST))


def place(size_wh: tuple[int, int], plate_wh: tuple[int, int], corner: Corner) -> Place:
    """Where a plate of this size goes; one that is as wide as the picture starts at its edge."""
    margin = round(min(size_wh) * _MARGIN)
    free_x, free_y = (max(whole - plate, 0) for whole, plate in zip(size_wh, plate_wh, strict=True))
    left = min(margin, free_x) if corner.endswith("left") else max(free_x - margin, 0)
    top = min(margin, free_y) if corner.startswith("top") else max(free_y - margin, 0)
    width, height = (min(plate, whole) for plate, whole in zip(plate_wh, size_wh, strict=True))
    return Place(left, top, width, height)
