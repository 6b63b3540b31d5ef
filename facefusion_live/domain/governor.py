"""The governor: what is left out while the machine does not keep up, rung by rung, and when it comes back.

It lies over the user's settings as a value and never changes them. Every rung costs looks; none touches who is looked
for, what the gate asks, the label or the mark: those are no matter of pace.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from facefusion_live.domain.limits import MEMORY_LEFT_MIB
from facefusion_live.domain.parameter import Value
from facefusion_live.domain.settings import NO_ENHANCER, NO_MASK, Budget, Settings

PACE = 0.92
"""Least share of the wanted frames: below this the eye sees that some are missing."""
DOWN_AFTER_S = 1.5
"""The budget must be missed in every reading for so long, counted from the last step: one hiccup is no reason."""
SETTLE_S = 3.0
"""So long after its start a session is not judged: nets run for the first time, and memory is taken."""
UP_AFTER_S = 10.0
"""There must be room for so long before something comes back; one reading without is forgiven, two in a row not …"""
RELAPSE_S = 20.0
"""… and twice as long as the time before where it had to go again so soon …"""
LONGEST_WAIT_S = 160.0
"""… but no longer than this."""
ROOM = 0.75
"""Of the budget: more may come back only while no more than this share of it is used."""
ROOM_IN_MEMORY = 1.5
"""Of the memory that must be left free: so many times as much must be there."""


class Shortage(Enum):
    """Which part of the budget is missed. The value is for records."""

    PACE = "pace"
    LATENCY = "latency"
    PROCESSOR = "processor"
    GPU_MEMORY = "gpu_memory"
    MEMORY = "memory"

    @property
    def words(self) -> str:
        """For people."""
        return _WORDS[self]


_WORDS = {
    Shortage.PACE: "the machine does not keep up with the pictures",
    Shortage.LATENCY: "pictures come out late",
    Shortage.PROCESSOR: "the program takes more of the processor than it may",
    Shortage.GPU_MEMORY: "the graphics card is short of memory",
    Shortage.MEMORY: "memory is short",
}
_OF_MEMORY = (Shortage.MEMORY, Shortage.GPU_MEMORY)
RECOVERED, SWITCHED_OFF = "recovered", "off"
"""Why a step upwards was taken, for records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a session took in the time since the reading before. None: not known.

    Attributes:
        fps_in: Frames that came in, per second.
        fps_done: Frames that went through inference, per second.
        busy: Share of the time in which inference was at work, 0..1.
        late_ms: Age of 95 % of the pictures, those left out as too old among them; None where there were none.
        swapped: Whether a face was swapped at all.
        crop_px: Edge of the largest patch.
        processor: Share of all processors that the program took, 0..1.
        memory_free_mib: What the system can still give.
        gpu_free_mib: On the graphics card that has least; None where no card can be asked.
    """

    fps_in: float
    fps_done: float
    busy: float
    late_ms: float | None = None
    swapped: bool = True
    crop_px: int = 0
    processor: float | None = None
    memory_free_mib: float | None = None
    gpu_free_mib: float | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """One thing that is left out.

    Attributes:
        name: For records.
        words: For people: what the picture is made with instead.
        path: The parameter that it lies over.
        eased: What is in force, given what the user chose; the same where there is nothing to leave out.
        applies: Whether there is anything to leave out.
        helps: Whether that saves anything just now.
        frees: Whether nets that rest need no memory: of no use is all else where memory is short.
    """

    name: str
    words: str
    path: str
    eased: Callable[[Value], Value]
    applies: Callable[[Settings], bool] = lambda _settings: True
    helps: Callable[[Measured], bool] = lambda _measured: True
    frees: bool = False


def _at_most(limit: int) -> Callable[[Value], Value]:
    return lambda chosen: min(int(chosen), limit)


def _every(number: int) -> Callable[[Value], Value]:
    return lambda chosen: max(int(chosen), number)


def _at_least(limit: float) -> Callable[[Value], Value]:
    return lambda chosen: max(float(chosen), limit)


def _crop(limit: int) -> Rung:
    return Rung(
        f"crop_{limit}",
        f"faces are computed {limit} pixels wide at most",
        "swap.max_crop_px",
        _at_most(limit),
        helps=lambda measured: measured.crop_px > limit,
    )


LADDER = (
    Rung("identity", "who the faces are is asked less often", "track.ask_again_s", _at_least(5.0)),
    Rung("pixel_boost", "the net paints each face in one part", "swap.pixel_boost", _at_most(1), frees=True),
    Rung(
        "enhancer",
        "the enhancer rests",
        "look.enhance",
        lambda _chosen: 0.0,
        lambda settings: settings.swap.enhancer != NO_ENHANCER,
        frees=True,
    ),
    Rung(
        "mask",
        "mask nets look at every second picture",
        "swap.mask_every",
        _every(2),
        lambda settings: {settings.swap.occluder, settings.swap.parser} != {NO_MASK},
    ),
    _crop(512),
    Rung("mesh", "lips and eyes of the mesh are not refined", "track.refined", lambda _chosen: False),
    _crop(384),
    _crop(256),
    Rung(
        "hands",
        "hands before the face are painted over",
        "swap.occlusion",
        lambda _chosen: 0.0,
        lambda settings: settings.swap.occluder == NO_MASK,
    ),
)
"""From the first thing that is left out to the last; each rung has those before it."""

GOVERNED = frozenset(rung.path for rung in LADDER)
"""All that the governor may ever change."""


@dataclass(frozen=True, slots=True)
class State:
    """Where the governor stands.

    Attributes:
        rung: How many of the ladder are in force.
        shortage: Why the last one was taken.
        since_s: When that was last changed.
        short_since_s: From when on every reading missed the budget; None while it is kept.
        room_since_s: From when on there was room; None while there is none.
        lapsed: The last reading had no room, and was forgiven.
        wait_s: How long there must be room.
        climbed_s: When something last came back; None before.
    """

    rung: int = 0
    shortage: Shortage | None = None
    since_s: float = 0.0
    short_since_s: float | None = None
    room_since_s: float | None = None
    lapsed: bool = False
    wait_s: float = UP_AFTER_S
    climbed_s: float | None = None


def effective(settings: Settings, rung: int) -> Settings:
    """The settings with so many rungs of the ladder laid over them."""
    laid = (each for each in LADDER[:rung] if each.applies(settings))
    return settings.with_values({each.path: each.eased(settings.value(each.path)) for each in laid})


def left_out(settings: Settings, rung: int) -> tuple[Rung, ...]:
    """The rungs that make a difference, each parameter's last one only."""
    return tuple({each.path: each for each in LADDER[:rung] if _eases(each, settings)}.values())


def step(state: State, measured: Measured, settings: Settings, time_s: float) -> State:
    """The state after one more reading.

    Args:
        state: Before.
        measured: What was read.
        settings: As the user chose them.
        time_s: Of the reading; rises.
    """
    if not settings.budget.govern:
        return State(since_s=time_s)
    missed = tuple(_missed(measured, settings.budget))
    if missed:
        return _stepped_down(_without_room(state), missed, measured, settings, time_s)
    state = replace(state, short_since_s=None)
    above = _above(state.rung, settings)
    back = [rung for rung in LADDER[above : state.rung] if _eases(rung, settings)]
    room = _has_room(measured, settings.budget, in_memory=any(rung.frees for rung in back))
    if state.rung and measured.swapped and room:
        return _stepped_up(replace(state, lapsed=False), above, time_s)
    return _without_room(state)


def _without_room(state: State) -> State:
    return replace(state, lapsed=True, room_since_s=None if state.lapsed else state.room_since_s)


def _stepped_down(
    state: State, missed: tuple[Shortage, ...], measured: Measured, settings: Settings, time_s: float
) -> State:
    since_s = time_s if state.short_since_s is None else state.short_since_s
    state = replace(state, short_since_s=since_s)
    remedies = ((_remedy(state.rung, each, measured, settings), each) for each in missed)
    taken = next(((rung, each) for rung, each in remedies if rung is not None), None)
    if taken is None or time_s - max(since_s, state.since_s) < DOWN_AFTER_S:
        return state
    rung, shortage = taken
    relapsed = state.climbed_s is not None and time_s - state.climbed_s < RELAPSE_S
    wait_s = min(2 * state.wait_s, LONGEST_WAIT_S) if relapsed else UP_AFTER_S
    return replace(
        state, rung=rung, shortage=shortage, since_s=time_s, short_since_s=time_s, wait_s=wait_s, climbed_s=None
    )


def _stepped_up(state: State, rung: int, time_s: float) -> State:
    since_s = time_s if state.room_since_s is None else state.room_since_s
    if time_s - max(since_s, state.since_s) < state.wait_s:
        return replace(state, room_since_s=since_s)
    return replace(
        state,
        rung=rung,
        shortage=state.shortage if rung else None,
        since_s=time_s,
        room_since_s=time_s,
        climbed_s=time_s,
    )


def _remedy(rung: int, shortage: Shortage, measured: Measured, settings: Settings) -> int | None:
    """The next rung that is of use: those on the way to it that change nothing cost nothing."""
    in_force = effective(settings, rung)
    for number, each in enumerate(LADDER[rung:], rung + 1):
        useful = each.frees or shortage not in _OF_MEMORY
        if useful and _eases(each, in_force) and each.helps(measured):
            return number
    return None


def _above(rung: int, settings: Settings) -> int:
    """The next rung upwards that makes a difference."""
    in_force = effective(settings, rung)
    return next((each for each in range(rung - 1, 0, -1) if effective(settings, each) != in_force), 0)


def _eases(rung: Rung, settings: Settings) -> bool:
    chosen = settings.value(rung.path)
    return rung.applies(settings) and rung.eased(chosen) != chosen


def _missed(measured: Measured, budget: Budget) -> Iterator[Shortage]:
    if measured.memory_free_mib is not None and measured.memory_free_mib < MEMORY_LEFT_MIB:
        yield Shortage.MEMORY
    if measured.gpu_free_mib is not None and measured.gpu_free_mib < budget.gpu_free_mib:
        yield Shortage.GPU_MEMORY
    if measured.fps_done < PACE * _wanted_fps(measured, budget):
        yield Shortage.PACE
    if budget.late_ms and measured.late_ms is not None and measured.late_ms > budget.late_ms:
        yield Shortage.LATENCY
    if measured.processor is not None and measured.processor > budget.processor:
        yield Shortage.PROCESSOR


def _has_room(measured: Measured, budget: Budget, *, in_memory: bool) -> bool:
    """Whether there is room for what would come back; in memory, too, where that needs any."""
    memory = measured.memory_free_mib if in_memory else None
    card = measured.gpu_free_mib if in_memory else None
    wanted = _wanted_fps(measured, budget)
    # What is taken when no more than the wanted frames are made.
    busy = measured.busy * min(1.0, wanted / measured.fps_done) if measured.fps_done else 1.0
    return (
        busy <= ROOM
        and (not budget.late_ms or (measured.late_ms is not None and measured.late_ms <= ROOM * budget.late_ms))
        and (measured.processor is None or budget.processor >= 1 or measured.processor <= ROOM * budget.processor)
        and (memory is None or memory >= ROOM_IN_MEMORY * MEMORY_LEFT_MIB)
        and (card is None or card >= ROOM_IN_MEMORY * budget.gpu_free_mib)
    )


def _wanted_fps(measured: Measured, budget: Budget) -> float:
    """No more than come in: a slow camera is no slow machine."""
    return min(budget.fps, measured.fps_in) if budget.fps else measured.fps_in
