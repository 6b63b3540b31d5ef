"""When a scene may be shown: what a net says of it about once a second becomes an order to the gate. Pure.

    CLEAR ── nude ──> NUDE ── calm for `content.calm_s` ──> CLEAR
    CLEAR ── an answer owed for `BLIND_S` ──> BLIND ── an answer ──> CLEAR or NUDE

It begins BLIND: nothing is shown that nobody has looked at. CLEAR alone lets pictures out.
"""

import math
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from facefusion_live.domain.settings import ContentRules

LOOK_EVERY_S: Final = 1.0
"""How often a scene is looked at."""
BLIND_S: Final = 5.0
"""Who has asked for so long without an answer knows nothing any more."""
CALM_SHARE: Final = 0.7
"""A scene that was nude is calm below this share of the threshold: one that trembles around it does not flicker."""


class Scene(Enum):
    """What is thought of the scene."""

    CLEAR = "clear"
    NUDE = "nude"
    BLIND = "blind"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is thought of a scene at one moment.

    Attributes:
        scene: What is thought of it.
        answered_s: Time of the picture that was judged last; minus infinity before the first.
        asked_s: When it was first asked for since the last answer; None while no answer is owed.
        calm_s: Time of the first picture of those below the lower threshold in a row, while NUDE; None while there is
            none.
    """

    scene: Scene = Scene.BLIND
    answered_s: float = -math.inf
    asked_s: float | None = None
    calm_s: float | None = None

    @property
    def lets(self) -> bool:
        """Whether the scene may be shown."""
        return self.scene is Scene.CLEAR

    @property
    def new(self) -> bool:
        """Whether no picture was judged yet."""
        return self.answered_s == -math.inf

    def asked(self, time_s: float) -> "Judgement":
        """With an answer owed."""
        return replace(self, asked_s=time_s if self.asked_s is None else self.asked_s)

    def at(self, time_s: float) -> "Judgement":
        """As it is at a later time: what was clear is no longer known to be, when the answer does not come."""
        overdue = self.asked_s is not None and time_s - self.asked_s > BLIND_S
        return replace(self, scene=Scene.BLIND) if overdue and self.scene is Scene.CLEAR else self

    def after(self, nudity: float, time_s: float, rules: ContentRules) -> "Judgement":
        """With one more picture judged.

        Args:
            nudity: 0..1, as the net says; what is no number counts as nude.
            time_s: Of the picture. An answer to an older picture than the last one changes nothing.
            rules: The settings in force.
        """
        if time_s < self.answered_s:
            return self
        if not nudity < rules.threshold:
            return Judgement(Scene.NUDE, time_s)
        if self.scene is not Scene.NUDE:
            return Judgement(Scene.CLEAR, time_s)
        if not nudity < CALM_SHARE * rules.threshold:
            return Judgement(Scene.NUDE, time_s)
        # Nobody knows what was there during a gap.
        unbroken = self.calm_s is not None and time_s - self.answered_s <= BLIND_S
        calm_s = self.calm_s if unbroken and self.calm_s is not None else time_s
        over = time_s - calm_s >= rules.calm_s
        return Judgement(Scene.CLEAR, time_s) if over else Judgement(Scene.NUDE, time_s, calm_s=calm_s)
