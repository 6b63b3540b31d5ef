"""How the picture lies in the viewport: fit, fill, 1:1, zoom, pan, mirror and the wipe line. Numbers only, no Qt."""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

Mode: TypeAlias = Literal["fit", "fill", "actual"]
MODES: tuple[Mode, ...] = ("fit", "fill", "actual")

ZOOM_STEP = 1.15
"""One notch of the wheel."""
SCALE_LIMITS = (0.05, 32.0)
"""Screen pixels per picture pixel."""
GRIP = 8.0
"""How near the wipe line counts as on it, in screen pixels."""
_KEPT_IN_VIEW = 48.0
"""So much of the picture stays in view however far it is dragged, in screen pixels."""


class Point(NamedTuple):
    """Somewhere in the viewport or the picture, in pixels."""

    x: float
    y: float


_CENTRE = Point(0.0, 0.0)


class Box(NamedTuple):
    """A rectangle in screen pixels."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Framing:
    """Where each pixel of the picture is shown. A value: every gesture makes a new one.

    Attributes:
        view_wh: Size of the viewport in screen pixels.
        picture_wh: Size of the picture in pixels; (0, 0) before the first.
        mode: What `zoom` 1 and `pan` 0 stand for.
        zoom: Factor on top of the mode.
        pan: How far the picture's centre lies from the viewport's, in screen pixels.
        mirrored: Shown as a mirror shows it; what goes out is not.
        wipe: Where the line between before and after stands, 0..1 of the picture's width as shown; None: only after.
    """

    view_wh: tuple[float, float] = (1.0, 1.0)
    picture_wh: tuple[int, int] = (0, 0)
    mode: Mode = "fit"
    zoom: float = 1.0
    pan: Point = _CENTRE
    mirrored: bool = False
    wipe: float | None = None

    @property
    def scale(self) -> float:
        """Screen pixels per picture pixel."""
        return self._base() * self.zoom

    @property
    def box(self) -> Box:
        """Where the picture lies in the viewport."""
        (view_w, view_h), (w, h), scale = self.view_wh, self.picture_wh, self.scale
        shown_w, shown_h = w * scale, h * scale
        return Box((view_w - shown_w) / 2 + self.pan.x, (view_h - shown_h) / 2 + self.pan.y, shown_w, shown_h)

    @property
    def wipe_x(self) -> float | None:
        """Where the wipe line stands in the viewport."""
        return None if self.wipe is None else self.box.left + self.wipe * self.box.width

    def to_screen(self, point: Point) -> Point:
        """Where a place in the picture is shown."""
        box, scale = self.box, self.scale
        x = self.picture_wh[0] - point.x if self.mirrored else point.x
        return Point(box.left + x * scale, box.top + point.y * scale)

    def to_picture(self, point: Point) -> Point:
        """Which place of the picture is shown there; may lie outside."""
        box, scale = self.box, self.scale
        x = (point.x - box.left) / scale
        return Point(self.picture_wh[0] - x if self.mirrored else x, (point.y - box.top) / scale)

    def screen_from_picture(self) -> tuple[float, float, float, float]:
        """(x scale, y scale, x offset, y offset) of `to_screen`; the x scale is negative where it is mirrored."""
        box, scale = self.box, self.scale
        if self.mirrored:
            return -scale, scale, box.left + box.width, box.top
        return scale, scale, box.left, box.top

    def resized(self, view_wh: tuple[float, float]) -> "Framing":
        """The same picture in a viewport of another size."""
        return _within(replace(self, view_wh=(max(1.0, view_wh[0]), max(1.0, view_wh[1]))))

    def showing(self, picture_wh: tuple[int, int]) -> "Framing":
        """Another picture; one of another size is shown whole again."""
        if picture_wh == self.picture_wh:
            return self
        return replace(self, picture_wh=picture_wh, zoom=1.0, pan=_CENTRE)

    def in_mode(self, mode: Mode) -> "Framing":
        """Fit, fill or 1:1, without zoom and pan."""
        return replace(self, mode=mode, zoom=1.0, pan=_CENTRE)

    def zoomed(self, steps: float, at: Point) -> "Framing":
        """Nearer by so many notches; what lies under `at` stays there."""
        base = self._base()
        low, high = (limit / base for limit in SCALE_LIMITS)
        zoom = min(max(self.zoom * ZOOM_STEP**steps, low), high)
        factor = zoom / self.zoom
        from_centre = Point(at.x - self.view_wh[0] / 2, at.y - self.view_wh[1] / 2)
        pan = Point(*(c - (c - p) * factor for c, p in zip(from_centre, self.pan, strict=True)))
        return _within(replace(self, zoom=zoom, pan=pan))

    def panned(self, dx: float, dy: float) -> "Framing":
        """Dragged by so many screen pixels; never out of sight."""
        return _within(replace(self, pan=Point(self.pan.x + dx, self.pan.y + dy)))

    def wiped_to(self, x: float) -> "Framing":
        """The wipe line dragged to `x` in the viewport."""
        box = self.box
        return replace(self, wipe=min(max((x - box.left) / max(box.width, 1.0), 0.0), 1.0))

    def grips_wipe(self, at: Point) -> bool:
        """Whether a drag that begins there moves the wipe line."""
        line = self.wipe_x
        return line is not None and abs(at.x - line) <= GRIP

    def _base(self) -> float:
        (view_w, view_h), (w, h) = self.view_wh, self.picture_wh
        if self.mode == "actual" or not w or not h:
            return 1.0
        ratios = view_w / w, view_h / h
        return min(ratios) if self.mode == "fit" else max(ratios)


def _within(framing: Framing) -> Framing:
    """The same, dragged back so far that some of the picture is in view."""
    sides = zip(framing.pan, framing.view_wh, framing.box[2:], strict=True)
    limits = ((pan, max((view + shown) / 2 - _KEPT_IN_VIEW, 0.0)) for pan, view, shown in sides)
    return replace(framing, pan=Point(*(min(max(pan, -limit), limit) for pan, limit in limits)))
