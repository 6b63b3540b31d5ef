"""The label measured in pictures: height, place, contrast, and that its Chinese letters are letters."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ImageFont

from facefusion_live.adapters.provenance.label import LabelPainter
from facefusion_live.domain import label as words
from facefusion_live.domain.label import letters
from facefusion_live.domain.settings import Label
from tests.faces import noise
from tests.support import RESOURCES

FONT = RESOURCES / "fonts" / "label.otf"
SIZES = [(640, 360), (854, 480), (1280, 720), (1920, 1080), (3840, 2160), (720, 1280), (480, 640)]


def labelled(picture: NDArray[np.uint8], look: Label | None = None) -> NDArray[np.uint8]:
    out = picture.copy()
    LabelPainter(FONT).draw(out, look or Label())
    return out


def box(changed: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """left, top, right, bottom of what is true; the last two one beyond."""
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def blank(size_wh: tuple[int, int], level: int) -> NDArray[np.uint8]:
    return np.full((size_wh[1], size_wh[0], 3), level, np.uint8)


@pytest.mark.parametrize("size_wh", SIZES)
def test_the_letters_are_high_enough_and_inside_the_margins(size_wh: tuple[int, int]) -> None:
    shorter = min(size_wh)
    # On black only the letters are seen. "AI" alone: capitals from foot to head.
    capitals = labelled(blank(size_wh, 0), Label(language="en"))[..., 0] > 127
    left, top, right, _ = box(capitals)
    first = capitals[:, left : left + shorter // 20]
    assert box(first)[3] - box(first)[1] >= 0.05 * shorter - 1
    plate = labelled(blank(size_wh, 255))[..., 0] < 250
    plate_left, plate_top, plate_right, _ = box(plate)
    margin = 0.04 * shorter
    assert plate_top == pytest.approx(margin, abs=1)
    assert size_wh[0] - plate_right == pytest.approx(margin, abs=1)
    assert plate_left > 0
    assert right <= plate_right
    assert top > plate_top


@pytest.mark.parametrize("corner", words.CORNERS)
def test_every_corner_can_be_had(corner: str) -> None:
    left, top, right, bottom = box(labelled(blank((1280, 720), 255), Label(corner=corner))[..., 0] < 250)
    assert ((left + right) / 2 > 640) == corner.endswith("right")
    assert ((top + bottom) / 2 > 360) == corner.startswith("bottom")


def luminance(level: float) -> float:
    """Relative luminance of a grey, sRGB."""
    share = level / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize("background", ["black", "white", "noise", "grey"])
def test_the_letters_can_be_read_on(background: str) -> None:
    size = (1280, 720)
    picture = (
        noise(size, 3) if background == "noise" else blank(size, {"black": 0, "white": 255, "grey": 128}[background])
    )
    seen = labelled(picture)[..., 0].astype(float)
    letter = labelled(blank(size, 0))[..., 0] == 255
    plate = (labelled(blank(size, 255))[..., 0] < 80) & (labelled(blank(size, 0))[..., 0] == 0)
    bright, dark = luminance(seen[letter].mean()), luminance(np.quantile(seen[plate], 0.95))
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


def test_every_chinese_character_has_a_shape_of_its_own() -> None:
    """A font without a character shows its box, the same for all."""
    font = ImageFont.truetype(str(FONT), 40)
    shapes = [bytes(font.getmask(letter)) for letter in "生成合人工智能"]
    missing = bytes(font.getmask("\U0001f600"))
    assert len({*shapes, missing}) == 8


def test_the_font_holds_what_its_tool_says() -> None:
    font = ImageFont.truetype(str(FONT), 24)
    missing = bytes(font.getmask("\U0001f600"))
    assert len(letters()) > 3800
    assert all(bytes(font.getmask(letter)) != missing for letter in letters()[1::37])


def test_a_long_text_is_set_in_lines_and_stays_in_the_picture() -> None:
    look = Label(text="Synthesised by artificial intelligence for the AI show 人工智能", height=0.1)
    left, top, right, bottom = box(labelled(blank((640, 360), 255), look)[..., 0] < 250)
    assert left >= 0
    assert right <= 640
    assert bottom - top > 2 * 36


def test_only_the_plate_is_touched() -> None:
    picture = noise((1280, 720), 4)
    seen = labelled(picture)
    left, top, right, bottom = box(labelled(blank((1280, 720), 255))[..., 0] < 255)
    outside = np.ones((720, 1280), np.bool_)
    outside[top:bottom, left:right] = False
    assert np.array_equal(seen[outside], picture[outside])


def test_a_changed_look_acts_on_the_next_picture() -> None:
    painter = LabelPainter(FONT)
    pictures = []
    for look in (Label(), Label(corner="bottom left"), Label(height=0.1), Label(language="zh"), Label()):
        picture = blank((640, 360), 128)
        painter.draw(picture, look)
        pictures.append(picture)
    assert all(not np.array_equal(one, other) for one, other in pairwise(pictures))
    assert np.array_equal(pictures[0], pictures[-1])


WIDE = f"{'W' * 45} AI synthesised"
LONG = "Live TV from our very own studio today, AI synthesised"


@pytest.mark.parametrize("size_wh", [*SIZES, (360, 640), (600, 600)])
@pytest.mark.parametrize("height", [0.05, 0.1, 0.15])
@pytest.mark.parametrize("own", ["", LONG, WIDE, "AI 合成"])
def test_the_whole_text_is_seen_off_the_edges_and_leaves_the_face(
    size_wh: tuple[int, int], height: float, own: str
) -> None:
    look = Label(height=height, text=own)
    lines, letters_px = LabelPainter(FONT)._set(size_wh, look)
    built_in = words.words(look.language)
    assert " ".join(lines) in (words.words(look.language, own), built_in), "no word is broken, none is left out"
    assert letters_px >= 0.05 * min(size_wh)
    left, top, right, bottom = box(labelled(blank(size_wh, 255), look)[..., 0] < 250)
    margin = 0.04 * min(size_wh)
    assert min(left, top, size_wh[0] - right, size_wh[1] - bottom) >= margin - 1
    assert bottom - top <= size_wh[1] / 3 + 1


@pytest.mark.parametrize("size_wh", [*SIZES, (360, 640), (600, 600)])
@pytest.mark.parametrize(
    "own", ["本节目全部画面均由人工智能生成合成", "今晚直播间里出现的所有人物画面都由AI生成合成。谢谢大家观看"]
)
def test_a_chinese_text_breaks_between_characters_and_in_no_element(size_wh: tuple[int, int], own: str) -> None:
    lines, _ = LabelPainter(FONT)._set(size_wh, Label(text=own, height=0.1))
    assert "".join(lines) == own
    assert any(element in line for line in lines for element in ("人工智能生成合成", "AI生成合成"))


def test_a_text_that_fits_at_no_height_gives_way_to_the_built_in_one() -> None:
    lines, _ = LabelPainter(FONT)._set((640, 360), Label(text=WIDE))
    assert " ".join(lines) == words.words("both")


def test_a_picture_narrower_than_a_word_still_says_it_all() -> None:
    size_wh = (90, 640)
    lines, letters_px = LabelPainter(FONT)._set(size_wh, Label())
    assert "".join(lines).replace(" ", "") == words.words("both").replace(" ", "")
    assert letters_px == 5
