"""The program's own icons: strokes in `resources/icons`, coloured like the words beside them."""

from functools import cache

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QIcon, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from facefusion_live.app.environment import resource

_DRAWN_AT = (16, 20, 24, 32, 48, 64)
"""Sizes in pixels; Qt takes the next larger one on screens with more pixels per inch."""
_INK = "#000"


@cache
def icon(name: str, colour: str, faint: str | None = None) -> QIcon:
    """An icon in one colour.

    Args:
        name: File in resources/icons, without its ending.
        colour: #rrggbb.
        faint: Colour where it cannot be used; the same when not given.

    Raises:
        ResourceError: There is no such icon.
    """
    drawn = QIcon()
    for size_px in _DRAWN_AT:
        drawn.addPixmap(QPixmap.fromImage(_image(name, colour, size_px)))
        drawn.addPixmap(QPixmap.fromImage(_image(name, faint or colour, size_px)), QIcon.Mode.Disabled)
    return drawn


def program_icon() -> QIcon:
    """The mark of the program, in its own colours."""
    drawn = QIcon()
    for size_px in (*_DRAWN_AT, 128, 256):
        drawn.addPixmap(QPixmap.fromImage(_image("facefusion-live", _INK, size_px)))
    return drawn


def draw_icon(name: str, colour: str, size_px: int, file: str) -> str:
    """Draw an icon into a file, for style sheets, which know only files.

    Returns:
        The file.
    """
    _image(name, colour, size_px).save(file)
    return file


def pixmap(name: str, colour: str, size_px: int, ratio: float) -> QPixmap:
    """An icon for a label.

    Args:
        name: As in `icon`.
        colour: #rrggbb.
        size_px: In the screen's logical pixels.
        ratio: Real pixels per logical one.
    """
    drawn = QPixmap.fromImage(_image(name, colour, round(size_px * ratio)))
    drawn.setDevicePixelRatio(ratio)
    return drawn


def _image(name: str, colour: str, size_px: int) -> QImage:
    drawing = resource(f"resources/icons/{name}.svg").read_text("utf-8").replace(f'"{_INK}"', f'"{colour}"')
    image = QImage(QSize(size_px, size_px), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(drawing.encode())).render(painter)
    painter.end()
    return image
