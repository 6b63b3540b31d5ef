"""The content gate: a net looks at the scene about once a second, and while it takes it for nude the slate goes out."""

import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import geometry
from facefusion_live.domain.content import LOOK_EVERY_S, Judgement, Scene
from facefusion_live.domain.geometry import Affine
from facefusion_live.domain.image import Image
from facefusion_live.domain.ports import ContentJudge, EventLog
from facefusion_live.domain.settings import ContentRules
from facefusion_live.engine.gate import Block, Gate
from facefusion_live.engine.pipeline import Draft

_TARGET = "scene"
PROBLEMS: Final = {
    Scene.NUDE: "the scene looks nude",
    Scene.BLIND: "nobody could judge the scene",
}
"""Why a scene is withheld, in words for people."""
ADVICE: Final = {
    PROBLEMS[Scene.NUDE]: "Give another picture; content.threshold says how sure the net must be.",
    PROBLEMS[Scene.BLIND]: "The picture is not at fault: its judge failed. See the log, and `facefusion-live doctor`.",
}
"""What to do about a single picture, for each problem."""


@dataclass(frozen=True, slots=True, eq=False)
class ContentCheck:
    """What a session needs to look at its scenes.

    Attributes:
        judge: Loads the net; asked once, when the first scene is to be looked at.
        crop: Samples crops from pictures. Thread: inference.
        off: Whether scenes are not looked at just now: only with a reason that is on record. Thread: any.
    """

    judge: Callable[[], ContentJudge]
    crop: Callable[[Image, Affine, NDArray[np.uint8]], None]
    off: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class ContentReading:
    """How scenes were judged so far.

    Attributes:
        scene: What is thought of the present one; None while nobody looks.
        looks: Pictures judged.
        withheld: Scenes that were not shown.
        nudest: The strongest answer, 0..1.
        failed: Whether the very first look failed, and each one since.
    """

    scene: Scene | None = None
    looks: int = 0
    withheld: int = 0
    nudest: float = 0.0
    failed: bool = False

    @property
    def problem(self) -> str:
        """Why the scene is withheld, in words; empty while it is not, and while the very first look takes place."""
        return "" if self.scene is None or not (self.looks or self.failed) else PROBLEMS.get(self.scene, "")


class ContentWatch:
    """Follows the answers, orders the gate, and puts each decision on record, without the picture. Thread: any.

    Args:
        gate: What is shut.
        events: The record.
    """

    def __init__(self, gate: Gate, events: EventLog) -> None:
        self._gate, self._events = gate, events
        self._lock = threading.Lock()
        self._judgement: Judgement | None = None
        self._looks = self._withheld = 0
        self._nudest = 0.0
        self._failed = False

    @property
    def reading(self) -> ContentReading:
        """How scenes were judged so far."""
        with self._lock:
            scene = None if self._judgement is None else self._judgement.scene
            return ContentReading(scene, self._looks, self._withheld, round(self._nudest, 4), self._failed)

    @property
    def waiting(self) -> bool:
        """Whether no picture was judged yet since scenes are looked at."""
        with self._lock:
            return self._judgement is None or self._judgement.new

    def look_away(self) -> None:
        """Scenes are not looked at any more."""
        with self._lock:
            self._judgement, self._failed = None, False
            self._gate.unblock(Block.CONTENT)

    def pass_time(self, time_s: float, frame_index: int) -> None:
        """A picture comes: is the answer overdue?"""
        with self._lock:
            before = self._judgement or Judgement()
            self._follow(before, before.at(time_s), {"frame_index": frame_index})

    def ask(self, time_s: float) -> None:
        """A picture is about to be judged."""
        with self._lock:
            if self._judgement is not None:
                self._judgement = self._judgement.asked(time_s)

    def fail(self, frame_index: int) -> None:
        """A picture could not be judged. Where none was before, the slate goes out for that reason from now on.

        Later failures are left to `pass_time`: one that is made good in time changes nothing.
        """
        with self._lock:
            if self._judgement is None or not self._judgement.new or self._failed:
                return
            self._failed = True
            self._shut(Scene.BLIND, {"frame_index": frame_index})

    def answer(self, nudity: float, time_s: float, frame_index: int, rules: ContentRules) -> None:
        """A picture was judged.

        Args:
            nudity: 0..1.
            time_s: Of the picture.
            frame_index: Its number.
            rules: The settings it was judged with.
        """
        with self._lock:
            if self._judgement is None:
                return  # asked before somebody switched off
            self._looks += 1
            self._nudest = max(self._nudest, nudity)
            told = {"nudity_milli": round(1000 * nudity), "threshold_milli": round(1000 * rules.threshold)}
            after = self._judgement.after(nudity, time_s, rules)
            self._follow(self._judgement, after, {"frame_index": frame_index, **told})

    def _follow(self, before: Judgement, after: Judgement, told: dict[str, object]) -> None:
        """Order first, then record: the row must not hold the gate up."""
        self._judgement = after
        if after.lets:
            self._gate.unblock(Block.CONTENT)
        else:
            self._gate.block(Block.CONTENT)
        # That nobody has looked yet at the very first picture is no decision; that nobody could is one.
        first = before.new and not self._failed
        self._failed = self._failed and after.new
        if after.scene is before.scene or (first and after.scene is not Scene.NUDE):
            return
        if after.lets:
            self._events.record("content.clear", _TARGET, "success", told)
        else:
            self._shut(after.scene, told)

    def _shut(self, scene: Scene, told: dict[str, object]) -> None:
        self._withheld += 1
        self._events.record("content.shut", _TARGET, "success", {"reason": scene.value, **told})


class ContentStage:
    """Has the scene judged about once a second, beside the loop; the very first picture waits for its answer.

    It comes first: a scene is looked at whatever becomes of the faces in it, under pass-through, too.

    Args:
        check: What looks.
        watch: Where the answers go.
        aside: Runs a task on the side worker. None where every frame is worked on in order: there all answers are
            waited for.
    """

    name = "content"
    needs: frozenset[str] = frozenset()
    gives: frozenset[str] = frozenset({"judged"})

    def __init__(
        self, check: ContentCheck, watch: ContentWatch, aside: Callable[[Callable[[], None]], bool] | None
    ) -> None:
        self._check, self._watch, self._aside = check, watch, aside
        self._judge = None if check.off() else check.judge()
        self._asked_s = 0.0

    def run(self, draft: Draft) -> None:
        """Look, if it is time to.

        Raises:
            InferenceError: The net cannot be loaded, or failed where its answer is waited for.
            ComputeError: The crop could not be made.
        """
        if self._check.off():
            self._watch.look_away()
            return
        frame, time_s = draft.frame, draft.time_s
        self._watch.pass_time(time_s, frame.index)
        waiting = self._watch.waiting
        if not waiting and time_s - self._asked_s < LOOK_EVERY_S:
            return
        with self._failing(frame.index):
            look = self._prepared(draft)
            self._asked_s = time_s
            self._watch.ask(time_s)
            if waiting or self._aside is None:
                look()
            else:
                self._aside(look)

    def _prepared(self, draft: Draft) -> Callable[[], None]:
        """The crop is made now, on the inference thread; what is left is the net's."""
        frame, index, time_s, rules = draft.frame, draft.frame.index, draft.time_s, draft.settings.content
        judge = self._judge = self._judge or self._check.judge()
        crop = np.empty((judge.input_px, judge.input_px, 3), np.uint8)
        self._check.crop(frame.image, geometry.judged(frame.image.size_wh, judge.input_px), crop)
        return lambda: self._watch.answer(judge.nudity(crop), time_s, index, rules)

    @contextmanager
    def _failing(self, frame_index: int) -> Generator[None]:
        """Whatever is raised in it is told to the watch, and raised."""
        with ExitStack() as if_it_fails:
            if_it_fails.callback(self._watch.fail, frame_index)
            yield
            if_it_fails.pop_all()
