"""Sizes that all panels share: one place, so that everything lines up. Device-independent pixels."""

from typing import TypeVar

from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout

_Layout = TypeVar("_Layout", bound=QBoxLayout)

HAIR = 1
TIGHT = 4
"""Between things that are one: a label and its slider."""
GAP = 8
"""Between neighbours."""
WIDE = 16
"""Between groups."""
MARGIN = 12
"""From a dock's edge to what is in it."""
RADIUS = 5
CONTROL = 28
"""Height of buttons and boxes."""
ICON = 16
VALUE = 72
"""Width of a value box."""
TILE = 84
"""Side of a thumbnail."""
PANEL = 280
"""Narrowest dock."""


def column(*, gap: int = GAP, margin: int = 0) -> QVBoxLayout:
    """A layout from top to bottom."""
    return _spaced(QVBoxLayout(), gap, margin)


def row(*, gap: int = GAP, margin: int = 0) -> QHBoxLayout:
    """A layout from left to right."""
    return _spaced(QHBoxLayout(), gap, margin)


def _spaced(layout: _Layout, gap: int, margin: int) -> _Layout:
    layout.setSpacing(gap)
    layout.setContentsMargins(margin, margin, margin, margin)
    return layout
