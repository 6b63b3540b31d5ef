"""What the label says and where it stands."""

import pytest

from facefusion_live.domain import label
from facefusion_live.domain.errors import SettingsError
from facefusion_live.domain.settings import Settings


def test_the_built_in_texts_hold_both_elements() -> None:
    assert label.words("en") == "AI synthesised"
    assert label.words("zh") == "AI生成合成"
    assert label.words("both") == "AI生成合成 AI synthesised"
    assert all(label.is_whole(label.words(language)) for language in label.LANGUAGES)


@pytest.mark.parametrize(
    "own", ["Made by AI, synthesised", "人工智能 合成", "ai GENERATED", "AI 生成", "  AI   synthesized "]
)
def test_own_words_with_both_elements_are_shown(own: str) -> None:
    assert label.words("en", own) == " ".join(own.split())
    assert Settings().with_values({"label.text": own}).label.text == own


@pytest.mark.parametrize("own", ["My show", "AI", "synthesised", "合成", "AI synthesised " * 5])
def test_own_words_without_them_are_refused(own: str) -> None:
    assert not label.is_whole(own)
    assert label.words("en", own) == "AI synthesised"
    with pytest.raises(SettingsError, match=r"label\.text"):
        Settings().with_values({"label.text": own})


def test_no_own_words_mean_the_built_in_ones() -> None:
    assert label.is_whole("  ")
    assert label.words("zh", "  ") == "AI生成合成"


@pytest.mark.parametrize(
    ("size_wh", "share", "height_px"),
    [((640, 360), 0.05, 18), ((1280, 720), 0.05, 36), ((720, 1280), 0.05, 36), ((1280, 721), 0.05, 37),
     ((3840, 2160), 0.1, 216), ((640, 360), 0.01, 18)],
)  # fmt: skip
def test_letters_are_never_lower_than_a_twentieth_of_the_shorter_side(
    size_wh: tuple[int, int], share: float, height_px: int
) -> None:
    assert label.letter_height_px(size_wh, share) == height_px


@pytest.mark.parametrize(
    ("corner", "left", "top"),
    [("top right", 1280 - 200 - 29, 29), ("top left", 29, 29), ("bottom right", 1051, 720 - 50 - 29),
     ("bottom left", 29, 641)],
)  # fmt: skip
def test_a_label_stands_in_its_corner_with_a_margin(corner: label.Corner, left: int, top: int) -> None:
    assert label.place((1280, 720), (200, 50), corner) == label.Place(left, top, 200, 50)


@pytest.mark.parametrize("corner", label.CORNERS)
def test_a_label_larger_than_the_picture_is_cut_to_it(corner: label.Corner) -> None:
    at = label.place((160, 90), (500, 200), corner)
    assert (at.left, at.top, at.width, at.height) == (0, 0, 160, 90)
