"""Make `resources/fonts/label.otf`: the letters of the visible label, cut out of Noto Sans CJK (OFL-1.1).

    python -m tools.make_label_font /usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc resources/fonts/label.otf

Latin letters, digits and the 3755 most used Chinese characters (the first level of GB 2312).
"""

import sys
from pathlib import Path

from fontTools import subset

SIMPLIFIED_CHINESE = 2
"""Which font of the collection."""
_LEVEL_1 = range(0xB0, 0xD8)
_LAST = 0xD7F9
_MARKS = "·—…、。《》「」（）：；！？"  # noqa: RUF001 (Chinese punctuation)


def letters() -> str:
    """Every character that the label can show."""
    codes = (row << 8 | cell for row in _LEVEL_1 for cell in range(0xA1, 0xFF))
    chinese = "".join(code.to_bytes(2, "big").decode("gb2312") for code in codes if code <= _LAST)
    return "".join(map(chr, range(32, 127))) + _MARKS + chinese


def main(collection: Path, out: Path) -> None:
    """Write the font."""
    options = subset.Options(
        font_number=SIMPLIFIED_CHINESE, hinting=False, desubroutinize=True, layout_features=["kern"]
    )
    font = subset.load_font(str(collection), options)
    cutter = subset.Subsetter(options)
    cutter.populate(text=letters())
    cutter.subset(font)
    subset.save_font(font, str(out), options)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
