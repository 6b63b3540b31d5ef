# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""A clip judged frame by frame, and the figures that come out."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.judge import measures
from tools.judge.bare import BareFaces, Look, Source
from tools.judge.films import SHOWN, BadFilmError, Pair
from tools.judge.hands import Hands
from tools.judge.hidden import Wearer
from tools.judge.nets import BgrImage, Eyes, Points
from tools.judge.sheet import Sheet

IDENTITY_EVERY = 6
"""Identity is asked for in every so many frames with a face."""
_AROUND = 0.75
"""How much of the picture around a face is kept, in face sizes: what the encoder did is seen there."""
_STILL_LEVELS = 0.1
"""A film that changes less than this from frame to frame stands still: flicker is measured against this instead."""


@dataclass(slots=True)
class Notes:
    """What was measured, frame by frame."""

    changed: list[float] = field(default_factory=list[float])
    share: list[float] = field(default_factory=list[float])
    own: list[float] = field(default_factory=list[float])
    fidelity: list[float] = field(default_factory=list[float])
    id_source: list[float] = field(default_factory=list[float])
    id_target: list[float] = field(default_factory=list[float])
    id_before: list[float] = field(default_factory=list[float])
    ceiling_source: list[float] = field(default_factory=list[float])
    ceiling_target: list[float] = field(default_factory=list[float])
    outside: list[float] = field(default_factory=list[float])
    seam: list[float] = field(default_factory=list[float])
    moved_given: list[float] = field(default_factory=list[float])
    moved_made: list[float] = field(default_factory=list[float])


class _Doubted(NamedTuple):
    """A face that seems bare."""

    pair: Pair
    mesh: Points


def _around(pair: Pair, mesh: Points) -> _Doubted:
    """The part of two pictures that judging a face takes: many may have to be kept until the film ends."""
    low, high = mesh[:468, :2].min(0), mesh[:468, :2].max(0)
    reach = (high - low).max() * _AROUND
    left, top = np.maximum(np.floor(low - reach), 0).astype(int)
    right, bottom = np.ceil(high + reach).astype(int)
    rows, columns = slice(top, bottom), slice(left, right)
    given, made = (picture[rows, columns].copy() for picture in (pair.given, pair.made))
    return _Doubted(Pair(given, made, pair.state), mesh - np.array((left, top, 0), np.float32))


@dataclass(slots=True)
class _Seen:
    """What was seen of a picture's faces, the widest first, and that one unwrapped."""

    looks: list[Look]
    flat: NDArray[np.float32]
    doubted: _Doubted | None = None


class Judge:
    """Looks at one pair of pictures after the other.

    Args:
        source: The source portrait.
        every_face: Look for leaks in every face, not only in the widest.

    Raises:
        BadFilmError: No face is found in the portrait.
    """

    def __init__(self, source: BgrImage, *, every_face: bool = False) -> None:
        self._eyes = Eyes()
        self._sheet = Sheet(self._eyes)
        mesh = self._eyes.face(source)
        if mesh is None:
            raise BadFilmError("no face is found in the source picture")
        self._source = Source(source, self._eyes.closer(source, mesh))
        self._bare = BareFaces(self._eyes, self._sheet, self._source)
        self._source_identity = self._eyes.identity(source, mesh)
        self._every_face = every_face
        self._notes = Notes()
        self._seen: list[_Seen] = []
        self._frames = self._faces = self._found = self._leaks = self._shown = self._excused = 0
        self._flat: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def judge(self, pairs: Iterable[Pair]) -> dict[str, Any]:
        """Look at all of them; returns the figures."""
        for pair in pairs:
            self._look(pair)
        self._count_leaks()
        return self._figures()

    def _look(self, pair: Pair) -> None:
        self._frames += 1
        mesh = self._eyes.face(pair.given)
        if mesh is None:
            self._flat = None
            return
        self._faces += 1
        hull, notes = measures.Hull(mesh, pair.given.shape[:2]), self._notes
        closer = self._eyes.closer(pair.given, mesh)
        self._look_for_leaks(pair, closer)
        notes.changed.append(measures.mean_change(pair.given, pair.made, hull.grown()))
        notes.outside.append(measures.outside_psnr(pair.given, pair.made, hull))
        notes.seam.append(measures.seam_ratio(pair.given, pair.made, hull))
        self._flicker(pair, closer)
        made_mesh = self._eyes.face(pair.made)
        if made_mesh is None:
            return
        self._found += 1
        notes.fidelity.append(measures.landmark_distance(mesh, made_mesh))
        if self._faces % IDENTITY_EVERY == 1:
            self._identity(pair, mesh, made_mesh)
            self._ceiling(pair, mesh, closer)

    def _look_for_leaks(self, pair: Pair, widest: Points) -> None:
        if pair.state not in SHOWN:
            return
        meshes = [widest]
        if self._every_face:
            meshes = [self._eyes.closer(pair.given, mesh) for mesh in self._eyes.faces(pair.given)]
        looks = [self._bare.look(pair.given, pair.made, mesh) for mesh in meshes]
        self._shown += 1
        self._seen.append(_Seen(looks, self._sheet.unwrap(pair.given, widest)))
        if looks[0].bare:
            self._seen[-1].doubted = _around(pair, widest)

    def _count_leaks(self) -> None:
        """Look again at the widest faces that seemed bare: something may lie before them."""
        wearer = Wearer(self._sheet, Hands(), [seen.flat for seen in self._seen])
        for seen in self._seen:
            if seen.doubted is not None:
                pair, mesh = seen.doubted.pair, seen.doubted.mesh
                hidden = wearer.hidden(pair.given, mesh)
                if hidden.any():
                    self._excused += 1
                    seen.looks[0] = self._bare.look(pair.given, pair.made, mesh, hidden)
            self._notes.share.append(min(look.share for look in seen.looks))
            self._notes.own.append(max(look.own for look in seen.looks))
            self._leaks += any(look.bare for look in seen.looks)

    def _flicker(self, pair: Pair, mesh: Points) -> None:
        """How much each film changes from frame to frame on the skin itself, wherever the face has moved."""
        before = self._flat
        self._flat = self._sheet.unwrap(pair.given, mesh), self._sheet.unwrap(pair.made, mesh)
        if before is not None:
            given, made = (
                float(np.abs(now - then)[self._sheet.inside].mean())
                for now, then in zip(self._flat, before, strict=True)
            )
            self._notes.moved_given.append(given)
            self._notes.moved_made.append(made)

    def _identity(self, pair: Pair, mesh: Points, made_mesh: Points) -> None:
        notes, source = self._notes, self._source_identity
        own = self._eyes.identity(pair.given, mesh)
        seen = self._eyes.identity(pair.made, made_mesh)
        notes.id_source.append(float(seen @ source))
        notes.id_target.append(float(seen @ own))
        notes.id_before.append(float(own @ source))

    def _ceiling(self, pair: Pair, mesh: Points, closer: Points) -> None:
        best = self._sheet.worn(pair.given, closer, *self._source)
        best_mesh = self._eyes.face(best)
        if best_mesh is not None:
            identity = self._eyes.identity(best, best_mesh)
            self._notes.ceiling_source.append(float(identity @ self._source_identity))
            self._notes.ceiling_target.append(float(identity @ self._eyes.identity(pair.given, mesh)))

    def _figures(self) -> dict[str, Any]:
        notes = self._notes
        mean = {name: _mean(values) for name, values in asdict(notes).items()}
        moved_given, moved_made = mean["moved_given"], mean["moved_made"]
        flicker = None if moved_made is None else moved_made / max(moved_given or 0.0, _STILL_LEVELS)
        best, seen = mean["ceiling_source"], mean["id_source"]
        return _rounded({
            "frames": self._faces,
            "frames_compared": self._frames,
            "found": self._found / max(self._faces, 1),
            "fidelity": mean["fidelity"],
            "fidelity_median": float(np.median(notes.fidelity)) if notes.fidelity else None,
            "id_source": seen,
            "id_target": mean["id_target"],
            "changed": mean["changed"],
            "outside": mean["outside"],
            "seam": mean["seam"],
            "shown": self._shown,
            "leaks": self._leaks,
            "behind": self._excused,
            "changed_share_min": min(notes.share, default=None),
            "own_share_max": max(notes.own, default=None),
            "flicker": flicker,
            "moved_given": moved_given,
            "moved_made": moved_made,
            "id_before": mean["id_before"],
            "nearer": _mean([source > own for source, own in zip(notes.id_source, notes.id_target, strict=True)]),
            "ceiling_id_source": best,
            "ceiling_id_target": mean["ceiling_target"],
            "share_of_ceiling": None if best is None or seen is None or best <= 0 else seen / best,
        })  # fmt: skip


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in figures.items()}
