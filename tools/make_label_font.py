"""Make `resources/fonts/label.otf`: the letters of the visible label, cut out of Noto Sans CJK (OFL-1.1).

    python -m tools.make_label_font /usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc resources/fonts/label.otf

Latin letters, digits and the 3755 most used Chinese characters (the first level of GB 2312).
"""

import sys
from pathlib import Path

from fontTools import subset

from facefusion_live.domain.label import letters

SIMPLIFIED_CHINESE = 2
"""Which font of the collection."""


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
