"""How a face is looked at: where the mesh lies, and which way up, told by looking until looks agree."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from functools import partial

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import geometry, mesh
from facefusion_live.domain.face import Detection
from facefusion_live.domain.ports import Landmarks
from facefusion_live.engine.tasks import Beside

PRESENT_FROM = 0.5
"""Least landmark score of a face that is there."""
CLEAR = 1 - 4e-11
"""A landmark score from which there is no doubt which way up a face is (a logit of 24).

The wrong way up, too, the net draws a whole mesh, which confirms itself from frame to frame and leaves half the face
bare; but it is less sure of it: on 160 portraits and frames the logit was 4 to 38 the right way up, of most above 24,
and at most 19 any other way, turned portraits included.
"""
TURNED_LOOKS = 4
"""Most looks at a face from another side. On the demo clip upside down the second was clear, or the third."""
SAME_WAY = 0.7
"""Least cosine between the line of the eyes of a detection and of a track that is not clear. On films of upright heads,
profiles and hands before the face among them, it is .97 or more."""
SETTLED = 0.9
"""Two looks at a face, the second where the first saw it, agree if their boxes overlap as much as this.

A detector's box lies badly around a chin held up or a full profile, and the mesh seen in it ends short of the jaw: of
44 portraits two came out with a bare rim after one look, none once the looks agreed. So does a followed face that has
moved by half its width while a net hung. Faces from the front agree at once, and so do faces that move at 30 frames/s.
"""
LOOKS = 5
"""Most looks at a face that is taken up. Every portrait and film that it was tuned on needed no more than four."""
SMALLEST_PX = 4.0
"""A mesh with a shorter side is no face."""

Find = Callable[[NDArray[np.float32], NDArray[np.float32]], Landmarks]
"""(box_px, eyes_px) -> landmarks in frame pixels."""


def is_face(landmarks: Landmarks) -> bool:
    """Whether there is a face: sure enough, in finite numbers, and not shrunk to a point."""
    if not (landmarks.score >= PRESENT_FROM and np.isfinite(landmarks.mesh_px).all()):
        return False
    box_px = geometry.box_of(landmarks.mesh_px)
    return float((box_px[2:] - box_px[:2]).min()) >= SMALLEST_PX


def settled_look(find: Find, detection: Detection) -> tuple[Landmarks, bool]:
    """Look at a face that was detected until two looks agree.

    Returns:
        The last look, and whether it agrees with the one before.
    """
    seen = _right_way_up(find, detection)
    return _looked_at_again(find, seen, LOOKS - 1)


def followed_look(find: Find, mesh_px: NDArray[np.float32]) -> tuple[Landmarks, bool]:
    """Look at a face where it was a frame ago; again, if it has moved far from there. As `settled_look`."""
    before = geometry.box_of(mesh_px)
    seen = find(square_around(before), mesh_px[list(mesh.EYE_CORNERS), :2])
    if not is_face(seen) or geometry.overlap(before, geometry.box_of(seen.mesh_px)) >= SETTLED:
        return seen, True
    return _looked_at_again(find, seen, LOOKS - 1)


def followed_looks(
    finds: Sequence[Find], meshes_px: Sequence[NDArray[np.float32]], beside: Beside | None
) -> list[tuple[Landmarks, bool]]:
    """Look at several faces where they were a frame ago, two at a time where there is somebody to help.

    Args:
        finds: One for this thread, and one for the other; nobody helps without a second.
        meshes_px: (478, 3) each.
        beside: The other thread; None for all on this one.

    Returns:
        As `followed_look`, in the order of the meshes.
    """
    seen: dict[int, tuple[Landmarks, bool]] = {}
    waiting = deque(enumerate(meshes_px))

    def look(find: Find) -> None:
        while True:
            try:
                index, mesh_px = waiting.popleft()
            except IndexError:  # asking first would let the other thread take the last one in between
                return
            seen[index] = followed_look(find, mesh_px)

    here, *others = finds
    if beside is None or not others or len(meshes_px) < 2:
        look(here)
    else:
        helping = beside(partial(look, others[0]))
        try:
            look(here)
        finally:
            waiting.clear()
            # One that has not begun has nothing left to do; one that has still reads the picture.
            if not helping.cancel():
                wait([helping])
        if not helping.cancelled():
            helping.result()
    return [seen[index] for index in range(len(meshes_px))]


def _right_way_up(find: Find, detection: Detection) -> Landmarks:
    """Look at a face; unless it is clear which way up it is, from the other sides as well. The surest look.

    The other way up it is looked for twice, where the detector saw it and where the first look did: neither alone found
    every face.
    """
    seen = find(detection.box_px, detection.eyes_px)
    if _enough(seen):
        return seen
    there = square_around(geometry.box_of(seen.mesh_px)), seen.mesh_px[list(mesh.EYE_CORNERS), :2]
    sides = [(detection.box_px, detection.eyes_px, 2), (*there, 2)]
    sides += [(detection.box_px, detection.eyes_px, quarters) for quarters in (1, 3)]
    for box_px, eyes_px, quarters in sides:
        other = look_until_clear(find, box_px, _turned(eyes_px, quarters))
        seen = max(seen, other, key=lambda look: look.score)
        if _enough(seen):
            break
    return seen


def look_until_clear(find: Find, box_px: NDArray[np.float32], eyes_px: NDArray[np.float32]) -> Landmarks:
    """Look at a face from one side until it is clear, each time where it was just seen. The last look.

    Of a face upside down the detector sees the hair as its lower half: the first look is beside the face, and unsure.
    """
    seen = find(box_px, eyes_px)
    for _ in range(TURNED_LOOKS - 1):
        if _enough(seen):
            break
        seen = find(square_around(geometry.box_of(seen.mesh_px)), seen.mesh_px[list(mesh.EYE_CORNERS), :2])
    return seen


def _enough(seen: Landmarks) -> bool:
    """Whether to look no further: it is clear, or there is no place to look from."""
    return seen.score >= CLEAR or not bool(np.isfinite(seen.mesh_px).all())


def _turned(eyes_px: NDArray[np.float32], quarters: int) -> NDArray[np.float32]:
    """The eyes, turned about their middle."""
    middle, half = eyes_px.mean(0), (eyes_px[1] - eyes_px[0]) / 2
    for _ in range(quarters):
        half = np.array([-half[1], half[0]], half.dtype)
    return np.stack([middle - half, middle + half])


def _looked_at_again(find: Find, seen: Landmarks, looks: int) -> tuple[Landmarks, bool]:
    for _ in range(looks):
        if not is_face(seen):
            break
        before, seen = (
            seen,
            find(square_around(geometry.box_of(seen.mesh_px)), seen.mesh_px[list(mesh.EYE_CORNERS), :2]),
        )
        if geometry.overlap(geometry.box_of(before.mesh_px), geometry.box_of(seen.mesh_px)) >= SETTLED:
            return seen, True
    return seen, False


def lie_same_way(eyes_px: NDArray[np.float32], others_px: NDArray[np.float32]) -> bool:
    """Whether two pairs of eyes, (2, 2) each, lie along one line, the same way round."""
    one, other = eyes_px[1] - eyes_px[0], others_px[1] - others_px[0]
    return float(one @ other) >= SAME_WAY * float(np.linalg.norm(one) * np.linalg.norm(other))


def square_around(box_px: NDArray[np.float32]) -> NDArray[np.float32]:
    """The square about the middle of a box that holds it."""
    centre = (box_px[:2] + box_px[2:]) / 2
    half = (box_px[2:] - box_px[:2]).max() / 2
    return np.concatenate([centre - half, centre + half])
