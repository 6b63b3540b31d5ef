# pyright: basic
"""When a face is bare: nothing was changed, too little of it was, or the wearer shows through what was."""

from dataclasses import dataclass
from typing import NamedTuple

from tools.judge import measures
from tools.judge.nets import BgrImage, Eyes, Points
from tools.judge.sheet import Sheet

LEAK_LEVELS = 3.0
"""A mean change inside the oval below this is a bare face …"""
LEAK_SHARE = 0.9
"""… so is a face of which less than this was changed …"""
LEAK_OWN = 0.35
"""… and one with so much of the wearer's own picture in it that is nearer to the wearer than to the source.

An opaque warp has 0 of it, at most .17 where hair or a hand lie over the face (.32 in one frame), and an opacity of .65
leaves .35 and more.
"""


class Source(NamedTuple):
    """The face that is drawn: portrait and mesh."""

    portrait: BgrImage
    mesh: Points


@dataclass(frozen=True)
class Look:
    """What was seen of one face.

    Attributes:
        change: Mean, in levels.
        share: Of the skin that was changed.
        own: Share of the wearer's picture in what is shown.
        ahead: How much nearer the face is to the wearer than to the source (cosines); below 0 if the source is nearer,
            and where `own` is so small that nobody asked.
    """

    change: float
    share: float
    own: float
    ahead: float

    @property
    def bare(self) -> bool:
        """Whether it counts as a leak."""
        pale = self.own >= LEAK_OWN and self.ahead > 0
        return self.change < LEAK_LEVELS or self.share < LEAK_SHARE or pale

    def __str__(self) -> str:
        return f"{self.share:.2f} changed, by {self.change:.1f} levels; {self.own:.2f} of the wearer's own"


class BareFaces:
    """Looks at faces in pairs of pictures.

    Args:
        eyes: The judge's nets.
        sheet: Its triangles.
        source: Who is drawn.
    """

    def __init__(self, eyes: Eyes, sheet: Sheet, source: Source) -> None:
        self._eyes, self._sheet, self._source = eyes, sheet, source
        self._identity = eyes.identity(source.portrait, source.mesh)

    def look(self, given: BgrImage, made: BgrImage, mesh: Points, hidden: measures.Mask | None = None) -> Look:
        """One face of `given`, at `mesh`, in both pictures (BGR, of one size).

        What lies before the face (`hidden`) need not have changed; if that is all of it, nobody is bare.
        """
        hull = measures.Hull(mesh, given.shape[:2])
        worn = self._sheet.worn(given, mesh, *self._source)
        own = measures.own_share(given, made, worn, hull, hidden)
        ahead = self._ahead(given, made, mesh) if own >= LEAK_OWN else -1.0
        change = measures.mean_change(given, made, hull.grown())
        skin = hull.skin() if hidden is None else hull.skin() & ~hidden
        return Look(change, measures.changed_share(given, made, hull, skin), own, ahead)

    def _ahead(self, given: BgrImage, made: BgrImage, mesh: Points) -> float:
        seen = self._eyes.identity(made, mesh)
        return float(seen @ self._eyes.identity(given, mesh) - seen @ self._identity)
