"""What may go wrong, drawn at random: every kind puts one trouble into a rig and says in words what it did."""

import random
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from facefusion_live.domain.errors import ComputeError, InferenceError
from facefusion_live.domain.face import Patch
from facefusion_live.domain.ports import Landmarks
from facefusion_live.engine.gate import Block
from facefusion_live.engine.pipeline import Draft
from facefusion_live.engine.session import LiveSession
from tests.faults.rig import Rig, lost

STAGES = ("track", "look", "detect", "choose", "identify", "swap")
Kind = Callable[[Rig, random.Random], str]
ERRORS = (InferenceError("no net"), RuntimeError("broken"), MemoryError("no memory"))


def error_in_a_stage(rig: Rig, draw: random.Random) -> str:
    stage, error = draw.choice(STAGES), draw.choice(ERRORS)
    for index in _some(rig, draw):
        rig.before.setdefault(stage, {})[index] = lambda _: _throw(error)
    return f"{type(error).__name__} in {stage}"


def error_after_swapping(rig: Rig, draw: random.Random) -> str:
    for index in _some(rig, draw):
        rig.after.setdefault("swap", {})[index] = lambda _: _throw(InferenceError("too late"))
    return "error after the swap"


def error_in_composing(rig: Rig, draw: random.Random) -> str:
    error = draw.choice([ComputeError("no picture"), RuntimeError("broken")])
    for index in _some(rig, draw):
        rig.composing[index] = lambda _: _throw(error)
    return f"{type(error).__name__} in composing"


def landmarks_without_numbers(rig: Rig, draw: random.Random) -> str:
    number, points = draw.choice([np.nan, np.inf, -np.inf]), draw.choice([1, 40, 478])
    frames = set(_some(rig, draw))

    def spoil(seen: Landmarks) -> Landmarks:
        if rig.frame_index not in frames:
            return seen
        mesh = seen.mesh_px.copy()
        mesh[:points] = number
        return Landmarks(mesh, seen.score)

    rig.spoil = spoil
    return f"{points} landmarks {number}"


def landmarks_that_jump(rig: Rig, draw: random.Random) -> str:
    shift = np.float32([draw.uniform(-1.5, 1.5), draw.uniform(-1.5, 1.5), 0])
    frames = set(_some(rig, draw))

    def spoil(seen: Landmarks) -> Landmarks:
        if rig.frame_index not in frames:
            return seen
        width = np.ptp(seen.mesh_px[:, 0])
        return Landmarks(seen.mesh_px + shift * width, seen.score)

    rig.spoil = spoil
    return f"landmarks jump by {shift[0]:.1f}, {shift[1]:.1f} face widths"


def landmarks_that_shrink(rig: Rig, draw: random.Random) -> str:
    factor = np.float32(draw.choice([0.0, 0.1, 0.5, 2.5]))
    frames = set(_some(rig, draw))

    def spoil(seen: Landmarks) -> Landmarks:
        middle = seen.mesh_px.mean(0)
        return replace_mesh(seen, (seen.mesh_px - middle) * factor + middle) if rig.frame_index in frames else seen

    rig.spoil = spoil
    return f"landmarks scaled by {factor:g}"


def landmarks_unsure(rig: Rig, draw: random.Random) -> str:
    frames = set(_some(rig, draw))
    score = draw.choice([0.0, 0.3, float("nan")])
    rig.spoil = lambda seen: Landmarks(seen.mesh_px, score) if rig.frame_index in frames else seen
    return f"landmark score {score:g}"


def faces_unseen(rig: Rig, draw: random.Random) -> str:
    for index in _some(rig, draw):
        rig.after.setdefault("detect", {})[index] = _forget
    return "the detector finds nobody"


def patches_spoilt(rig: Rig, draw: random.Random) -> str:
    name, change = draw.choice([
        ("lost", None),
        ("with a map of NaN", lambda patch: replace(patch, crop_from_frame=np.full((2, 3), np.nan))),
        ("far away", lambda patch: _shifted(patch, 2000)),
        ("beside the face", lambda patch: _shifted(patch, patch.size_px / 2)),
        ("of nobody", lambda patch: replace(patch, face_index=7)),
    ])  # fmt: skip
    for index in _some(rig, draw):
        rig.after.setdefault("swap", {})[index] = lambda draft, change=change: _spoil_patches(draft, change)
    return f"patches {name}"


def sliders(rig: Rig, draw: random.Random) -> str:
    values = draw.choice([
        {"look.opacity": 0.0},
        {"look.opacity": draw.uniform(0, 1)},
        {"mask.keep_eyes": 1.0, "mask.keep_mouth": 1.0, "mask.keep_brows": 1.0},
        {"mask.erosion": 0.1},
        {"look.face_scale": 0.8},
        {"mask.feather": 0.5},
    ])  # fmt: skip
    start = draw.randrange(3, rig.frames)
    rig.reading[start] = lambda: rig.store.commit(values)
    rig.reading[start + 6] = lambda: rig.store.commit({name: _default(rig, name) for name in values})
    return " ".join(f"{name} {value:.2g}" for name, value in values.items())


def source_switched(rig: Rig, draw: random.Random) -> str:
    name = draw.choice(["ada", "esi"])
    rig.reading[draw.randrange(2, rig.frames)] = lambda: rig.switch_source(name)
    return f"source switched to {name}"


def targets_switched(rig: Rig, draw: random.Random) -> str:
    rig.reading[draw.randrange(2, rig.frames)] = lambda: rig.store.commit({"swap.targets": "all"})
    return "all faces from now on"


def hanging_net(rig: Rig, draw: random.Random) -> str:
    stage, seconds = draw.choice(STAGES), draw.choice([0.3, 0.9])
    rig.offline = False
    rig.before.setdefault(stage, {})[draw.randrange(1, 8)] = lambda _: time.sleep(seconds)
    return f"{stage} hangs for {seconds} s"


def overload(rig: Rig, draw: random.Random) -> str:
    stage = draw.choice(STAGES)
    rig.offline = False
    rig.before[stage] = {index: lambda _: time.sleep(0.1) for index in range(rig.frames)}
    return f"{stage} slowed to 10 frames/s"


def source_pulled(rig: Rig, draw: random.Random) -> str:
    rig.offline = False
    rig.reading[draw.randrange(2, rig.frames)] = lost
    return "camera pulled and back"


def panic(rig: Rig, draw: random.Random) -> str:
    start, reason = draw.randrange(2, rig.frames - 6), draw.choice(list(Block))
    gate: list[LiveSession] = rig.running
    rig.reading[start] = lambda: gate[0].gate.block(reason)
    rig.reading[start + 5] = lambda: gate[0].gate.unblock(reason)
    return f"blocked: {reason.value}"


KINDS: tuple[Kind, ...] = (
    error_in_a_stage,
    error_after_swapping,
    error_in_composing,
    landmarks_without_numbers,
    landmarks_that_jump,
    landmarks_that_shrink,
    landmarks_unsure,
    faces_unseen,
    patches_spoilt,
    sliders,
    source_switched,
    targets_switched,
    hanging_net,
    overload,
    source_pulled,
    panic,
)


def replace_mesh(seen: Landmarks, mesh_px: np.ndarray) -> Landmarks:
    """The landmarks elsewhere."""
    return Landmarks(mesh_px.astype(np.float32), seen.score)


def _some(rig: Rig, draw: random.Random) -> range:
    """One frame, a few, or more than the gate may hold."""
    start, length = draw.randrange(rig.frames), draw.choice([1, 3, 18])
    return range(start, min(start + length, rig.frames))


def _throw(error: BaseException) -> None:
    raise error


def _forget(draft: Draft) -> None:
    draft.detections = () if draft.detections is not None else None


def _spoil_patches(draft: Draft, change: Callable[[Patch], Patch] | None) -> None:
    if change is not None:
        draft.patches[:] = [change(patch) for patch in draft.patches]
        return
    for patch in draft.patches:
        for image in patch.images():
            image.release()
    draft.patches.clear()


def _shifted(patch: Patch, pixels: float) -> Patch:
    return replace(patch, crop_from_frame=patch.crop_from_frame + np.array([[0, 0, pixels], [0, 0, 0]]))


def _default(rig: Rig, name: str) -> object:
    group, field = name.split(".")
    return getattr(getattr(rig.settings, group), field)
