"""The program's icon, drawn from its SVG in the size that a system wants."""

import sys
from pathlib import Path

SIZE: int = 512


def render(svg: Path, folder: Path, size: int = SIZE) -> str:
    """Draw the icon as a PNG; PyInstaller turns that into what the system wants (Pillow does).

    Args:
        svg: The drawing.
        folder: Where the picture is written.
        size: Pixels of a side.

    Returns:
        The picture's path.

    Raises:
        ValueError: The drawing is none.
    """
    from PySide6.QtCore import QSize, Qt  # noqa: PLC0415 (Qt is not needed to read this module)
    from PySide6.QtGui import QImage, QPainter  # noqa: PLC0415
    from PySide6.QtSvg import QSvgRenderer  # noqa: PLC0415

    drawing = QSvgRenderer(svg.read_bytes())
    if not drawing.isValid():
        raise ValueError(f"{svg} is no drawing")
    picture = QImage(QSize(size, size), QImage.Format.Format_ARGB32)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    drawing.render(painter)
    painter.end()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{svg.stem}-{size}.png"
    picture.save(str(target))
    return str(target)


if __name__ == "__main__":
    print(render(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else SIZE))
