"""The stages of inference: follow the faces, look for new ones, choose who is replaced, swap, enhance, mask."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import covering, geometry
from facefusion_live.domain.face import Detection, Face, Patch
from facefusion_live.domain.image import HostImage, Image
from facefusion_live.domain.points import five_of
from facefusion_live.domain.ports import (
    Buffers,
    Compute,
    FaceDetector,
    FaceEnhancer,
    FaceLandmarker,
    FaceSwapper,
    Landmarks,
    MaskMaker,
    PointFinder,
    PreparedSource,
)
from facefusion_live.domain.scratch import Scratch
from facefusion_live.engine.looking import Find
from facefusion_live.engine.pipeline import Draft
from facefusion_live.engine.shapes import FaceShapes
from facefusion_live.engine.tracks import FaceTracks

HEAD, EDGE = 0.25, 0.02
"""How much further than a face that vanished its place is hidden, over its size: a head that is not seen does not sit
quite still; and how near the edge of the picture a face has gone out of it."""
CONFIRM_SCORE = 0.2
"""A detection this weak still confirms a track: profiles and hands before the face score low."""
BORDER = 0.05
"""Room around the frame in the detector's crop, over the frame's longer edge, filled with the mirrored picture.

Half a face at the edge of the picture becomes a whole one so: in `bird.mkv` it is found in every frame instead of none.
With a tenth small faces were lost, and without the mirror (black) it was found now and then.
"""
WITHIN = 0.25
"""A detection of which less lies within the frame is the mirror image of a face."""
REFINED_FROM = 0.5
"""How sure a landmarker must be for its points to be taken."""
MASK_KEPT_S = 0.1
"""A mask that is older is made anew, however seldom the nets are to look: behind a hand that left lies bare skin."""


class LandmarkFinder:
    """Finds the mesh of a face in a frame: crop, net, and back to frame pixels.

    Args:
        landmarker: The net.
        compute: For the crops.
        plain: A faster net that takes the same crops; looks where the mesh is not to be refined.
    """

    def __init__(self, landmarker: FaceLandmarker, compute: Compute, plain: FaceLandmarker | None = None) -> None:
        self._landmarker, self._plain = landmarker, plain or landmarker
        self._compute = compute
        self._crop = np.empty((landmarker.input_px, landmarker.input_px, 3), np.uint8)

    def in_frame(self, draft: Draft) -> Find:
        """The function that finds landmarks in this draft's frame."""
        landmarker = self._landmarker if draft.settings.track.refined else self._plain

        def find(box_px: NDArray[np.float32], eyes_px: NDArray[np.float32]) -> Landmarks:
            crop_from_frame = geometry.face_roi(box_px, eyes_px, landmarker.input_px)
            self._compute.crop(draft.frame.image, crop_from_frame, self._crop)
            seen = landmarker.landmarks(self._crop)
            return Landmarks(geometry.transform(geometry.inverse(crop_from_frame), seen.mesh_px), seen.score)

        return find


@dataclass(slots=True)
class TrackStage:
    """Follows every known face by its mesh of the frame before.

    Attributes:
        tracks: Who is known.
        finder: Sees them.
        other: As `finder`, for a second thread; None where one looks at all faces.
    """

    tracks: FaceTracks
    finder: LandmarkFinder
    other: LandmarkFinder | None = None
    name: str = "track"
    needs: frozenset[str] = frozenset()
    gives: frozenset[str] = frozenset({"followed"})

    def run(self, draft: Draft) -> None:
        """Follow."""
        other = None if self.other is None else self.other.in_frame(draft)
        self.tracks.follow(self.finder.in_frame(draft), draft.time_s, draft.settings, other, draft.beside)


class _Looking:
    """Finds faces in a frame with one detector: crop, net, and back to frame pixels."""

    def __init__(self, detector: FaceDetector, compute: Compute) -> None:
        self._detector = detector
        self._compute = compute
        self._crop = np.empty((detector.input_px, detector.input_px, 3), np.uint8)

    def faces(self, image: Image) -> list[Detection]:
        """Every face down to a score that confirms a track."""
        crop_from_frame = geometry.letterbox(image.size_wh, self._detector.input_px, BORDER)
        self._compute.crop(image, crop_from_frame, self._crop)
        geometry.mirror_outwards(self._crop, crop_from_frame, image.size_wh)
        frame_from_crop = geometry.inverse(crop_from_frame)
        found = [
            Detection(
                box_px=geometry.transform(frame_from_crop, seen.box_px.reshape(2, 2)).ravel(),
                eyes_px=geometry.transform(frame_from_crop, seen.eyes_px),
                score=seen.score,
            )
            for seen in self._detector.detect(self._crop, CONFIRM_SCORE)
            if _has_a_place(seen)
        ]
        return _within(found, image)

    def turned_faces(self, image: Image) -> list[Detection]:
        """Every face that is seen when the picture of the last look is turned, quarter by quarter.

        Detectors know upright faces: one on its side or upside down scores highest when it is turned upright.
        """
        edge = self._detector.input_px
        frame_from_crop = geometry.inverse(geometry.letterbox(image.size_wh, edge, BORDER))
        found: list[Detection] = []
        for quarters in (1, 2, 3):
            crop = np.ascontiguousarray(np.rot90(self._crop, quarters))
            frame_from_turned = geometry.compose(frame_from_crop, geometry.quarter_turned_back(edge, quarters))
            for seen in self._detector.detect(crop, CONFIRM_SCORE):
                if _has_a_place(seen):
                    corners = geometry.transform(frame_from_turned, seen.box_px.reshape(2, 2))
                    box_px = np.concatenate([corners.min(0), corners.max(0)])
                    eyes_px = geometry.transform(frame_from_turned, seen.eyes_px)
                    found.append(Detection(box_px, eyes_px, seen.score))
        return _within(found, image)


def _within(found: Sequence[Detection], image: Image) -> list[Detection]:
    placed = [replace(face, within=geometry.share_within(face.box_px, image.size_wh)) for face in found]
    return [face for face in placed if face.within >= WITHIN]


class LookStage:
    """Has the first detector look at every n-th frame.

    What it sees depends on nobody's whereabouts, so it may run while the faces known are followed.

    Args:
        detector: Asked first.
        compute: For the crops.
    """

    name = "look"
    needs: frozenset[str] = frozenset()
    gives = frozenset({"looked"})

    def __init__(self, detector: FaceDetector, compute: Compute) -> None:
        self.looking = _Looking(detector, compute)
        self._since = 0

    def run(self, draft: Draft) -> None:
        """Look, if it is time to."""
        self._since += 1
        if self._since >= draft.settings.detect.every_n:
            self.look(draft)

    def look(self, draft: Draft) -> None:
        """Look now."""
        draft.looked = self.looking.faces(draft.frame.image)

    def settled(self) -> None:
        """What was seen has come to use. A look whose frame fails does not count: the next frame looks again."""
        self._since = 0


class DetectStage:
    """Settles what was seen; where someone is lost or doubted, has all detectors look at once.

    Args:
        tracks: Who is known.
        first: What the first detector saw.
        others: Asked in turn until one is sure of a face: near and far faces want different nets.
        compute: For the crops.
    """

    name = "detect"
    needs = frozenset({"followed", "looked"})
    gives = frozenset({"detections"})

    def __init__(self, tracks: FaceTracks, first: LookStage, others: Sequence[FaceDetector], compute: Compute) -> None:
        self._tracks, self._first = tracks, first
        self._others = [_Looking(detector, compute) for detector in others]

    def run(self, draft: Draft) -> None:
        """Detect, if it is time to."""
        if draft.looked is None and self._tracks.uncertain:
            self._first.look(draft)
        if draft.looked is None:
            return
        found, turned = list(draft.looked), self._turned(self._first.looking, draft)
        for look in self._others:
            if not self._tracks.uncertain or any(face.score >= draft.settings.detect.score for face in found):
                break
            found += look.faces(draft.frame.image)
            turned += self._turned(look, draft)
        draft.detections, draft.turned = tuple(found), tuple(turned)

    def _turned(self, look: _Looking, draft: Draft) -> list[Detection]:
        return look.turned_faces(draft.frame.image) if self._tracks.unclear else []


@dataclass(slots=True)
class ChooseStage:
    """Takes up what the detector found and settles who must be covered.

    Attributes:
        tracks: Who is known.
        finder: Sees the faces that are taken up.
        settled: Told that what was seen has come to use.
    """

    tracks: FaceTracks
    finder: LandmarkFinder
    settled: Callable[[], None] = lambda: None
    name: str = "choose"
    needs: frozenset[str] = frozenset({"followed", "detections"})
    gives: frozenset[str] = frozenset({"faces", "targets"})

    def run(self, draft: Draft) -> None:
        """Admit and choose."""
        if draft.detections is not None:
            find = self.finder.in_frame(draft)
            self.tracks.admit(draft.detections, find, draft.time_s, draft.settings, draft.turned)
            self.settled()
        wanted, bystanders = self.tracks.choose(draft.settings)
        there = [track for track in wanted if track.present]
        others = [track for track in bystanders if track.present]
        draft.faces = tuple(map(self.tracks.face, there + others))
        draft.targets = tuple(range(len(there)))
        draft.missing = len(wanted) - len(there)
        if draft.settings.swap.targets == "all":
            # Whoever is not followed is hidden; where nobody may be hidden, they are missing.
            hidden = draft.settings.gate.bystanders != "keep"
            draft.missing += self.tracks.overflow if hidden else len(self.tracks.unfollowed_px)
        unfollowed = self.tracks.unfollowed_px
        away = [track for track in bystanders if not track.present and not self.tracks.is_ghost(track)]
        # Whoever was at the edge went out of the picture.
        inside = [box for box in self.tracks.vanished_px if _is_inside(box, draft.frame.image.size_wh)]
        vanished = [geometry.grown(box, HEAD) for box in inside]
        # Whoever comes up where somebody vanished may be they, and will be known in the next frame: till then nothing
        # is shown, lest the veil over the place be seen through their eyes.
        back = [each for each in there if not each.sure and any(geometry.overlap(each.box_px, box) for box in vanished)]
        draft.missing += len(back)
        gone = [track.box_px for track in away] + unfollowed + vanished
        draft.hidden_boxes_px = np.array(gone, np.float32).reshape(-1, 4)
        veiled = [track.box_px for track in (*others, *away) if self.tracks.is_veiled(track)] + vanished
        if draft.settings.swap.targets == "enrolled":
            veiled += unfollowed  # nobody knows who they are
        draft.veiled_boxes_px = np.array(veiled, np.float32).reshape(-1, 4)


def _is_inside(box_px: NDArray[np.float32], size_wh: tuple[int, int]) -> bool:
    left, top, right, bottom = geometry.grown(box_px, EDGE).tolist()
    return left >= 0 and top >= 0 and right <= size_wh[0] and bottom <= size_wh[1]


class RefineStage:
    """Has the five points that crops are aligned by found once more, by a net that does nothing else.

    Points that the net is not sure of are left as the mesh has them.

    Args:
        finder: The net.
        compute: For the crops.
    """

    name = "refine"
    needs = frozenset({"faces", "targets"})
    gives = frozenset({"points"})

    def __init__(self, finder: PointFinder, compute: Compute) -> None:
        self._finder, self._compute = finder, compute
        self._crop = np.empty((finder.input_px, finder.input_px, 3), np.uint8)

    def run(self, draft: Draft) -> None:
        """Refine the faces that will be replaced."""
        faces = list(draft.faces)
        for index in draft.targets:
            draft.at_face = index
            faces[index] = self._refined(draft, faces[index])
        draft.at_face = None
        draft.faces = tuple(faces)

    def _refined(self, draft: Draft, face: Face) -> Face:
        cut, edge = self._finder.cut, self._finder.input_px
        crop_from_frame = geometry.cut_around(
            face.box_px, face.landmarks5_px[:2], edge, cut.reach, wide=cut.side == "width", level=cut.level
        )
        self._compute.crop(draft.frame.image, crop_from_frame, self._crop)
        found = self._finder.points(self._crop)
        if found.score < REFINED_FROM:
            return face
        five = geometry.transform(geometry.inverse(crop_from_frame), five_of(found.points_px))
        return replace(face, landmarks5_px=five)


@dataclass(frozen=True, slots=True, eq=False)
class Outfit:
    """Source faces, with the engine that they were made ready for.

    Attributes:
        swapper: The engine.
        source: Whose face is drawn.
        own: Those that people enrolled get instead, by their names.
    """

    swapper: FaceSwapper
    source: PreparedSource
    own: Mapping[str, PreparedSource] = field(default_factory=lambda: MappingProxyType({}))

    def source_of(self, face: Face) -> PreparedSource:
        """Which face is drawn over this one."""
        return self.own.get(face.person or "", self.source)


class SwapStage:
    """Makes a patch for every face that must be covered.

    Args:
        worn: Engine and source face in force; read once per frame, so both can be switched between two frames.
        buffers: Memory for the patches.
    """

    name = "swap"
    needs = frozenset({"faces", "targets"})
    gives = frozenset({"patches"})

    def __init__(self, worn: Callable[[], Outfit], buffers: Buffers) -> None:
        self._worn = worn
        self._buffers = buffers
        self._shapes = FaceShapes()

    def run(self, draft: Draft) -> None:
        """Swap."""
        worn = self._worn()
        self._shapes.keep({face.track_id for face in draft.faces})
        for index in draft.targets:
            draft.at_face = index
            face = draft.faces[index]
            source = worn.source_of(face)
            patch = worn.swapper.swap(draft.frame, face, index, source, draft.settings, self._buffers)
            shapes = self._shapes.beside(source.shape, face, draft.time_s)
            draft.patches.append(patch if shapes is None else replace(patch, shapes=shapes))
        draft.at_face = None


class EnhanceStage:
    """Has every patch redrawn more finely, as long as any of it would be seen.

    Args:
        enhancer: The net.
        buffers: Memory for the new patches.
    """

    name = "enhance"
    needs = frozenset({"patches"})
    gives = frozenset({"enhanced"})

    def __init__(self, enhancer: FaceEnhancer, buffers: Buffers) -> None:
        self._enhancer, self._buffers = enhancer, buffers

    def run(self, draft: Draft) -> None:
        """Enhance."""
        if draft.settings.look.enhance == 0:
            return
        for index, patch in enumerate(draft.patches):
            draft.at_face = patch.face_index
            face = draft.faces[patch.face_index]
            draft.patches[index] = self._enhancer.enhance(patch, face, draft.settings, self._buffers)
        draft.at_face = None


class MaskStage:
    """Takes from every patch what mask nets see before the face: a hand, a microphone, hair.

    Args:
        makers: The nets; what one of them takes is taken.
        compute: For the crops, and for laying masks over patches.
    """

    name = "mask"
    needs = frozenset({"faces", "patches"})
    gives = frozenset({"masked"})

    def __init__(self, makers: Sequence[MaskMaker], compute: Compute) -> None:
        self._makers, self._compute, self._scratch = tuple(makers), compute, Scratch()
        self._seen: dict[tuple[int, str], _Seen] = {}

    def run(self, draft: Draft) -> None:
        """Mask."""
        strength = draft.settings.swap.mask_strength
        if strength == 0:
            return
        here = {draft.faces[patch.face_index].track_id for patch in draft.patches}
        self._seen = {key: seen for key, seen in self._seen.items() if key[0] in here}
        for index, patch in enumerate(draft.patches):
            draft.at_face = patch.face_index
            face = draft.faces[patch.face_index]
            left = self._left(draft, face, patch)
            draft.patches[index] = covering.masked(patch, face, _weakened(strength)[left])
        draft.at_face = None

    def _left(self, draft: Draft, face: Face, patch: Patch) -> NDArray[np.uint8]:
        """(s, s) 0..255, what all nets leave to the swap, in the patch's pixels."""
        left = self._scratch.array("left", (patch.size_px, patch.size_px))
        other = self._scratch.array("other", (patch.size_px, patch.size_px))
        left[:] = 255
        for maker in self._makers:
            crop_from_frame = geometry.align(face.landmarks5_px, maker.template, maker.input_px)
            visible = self._visible(maker, draft, face.track_id, crop_from_frame)
            drawn = covering.as_drawn(patch, draft.settings.look.face_scale)
            patch_from_crop = geometry.compose(drawn.crop_from_frame, geometry.inverse(crop_from_frame))
            self._compute.crop(HostImage(visible), patch_from_crop, other)
            np.minimum(left, other, out=left)
        return left

    def _visible(
        self, maker: MaskMaker, draft: Draft, track_id: int, crop_from_frame: NDArray[np.float64]
    ) -> NDArray[np.uint8]:
        """What a net sees, or saw of this face just now: laid out by the face's points, so it moves with the face."""
        every, seen = draft.settings.swap.mask_every, self._seen.get((track_id, maker.name))
        if seen is not None and seen.uses < every and draft.time_s - seen.time_s <= MASK_KEPT_S:
            seen.uses += 1
            return seen.visible
        crop = self._scratch.array(f"crop of {maker.name}", (maker.input_px, maker.input_px, 3))
        self._compute.crop(draft.frame.image, crop_from_frame, crop)
        visible = maker.visible(crop)
        if every > 1:
            self._seen[track_id, maker.name] = _Seen(visible, draft.time_s)
        return visible


@dataclass(slots=True, eq=False)
class _Seen:
    """What a mask net saw of a face, when, and in how many pictures that was used."""

    visible: NDArray[np.uint8]
    time_s: float
    uses: int = 1


@lru_cache(maxsize=8)
def _weakened(strength: float) -> NDArray[np.uint8]:
    """(256,) what is left to the swap when masks count by a strength."""
    return np.rint(255 - strength * (255 - np.arange(256))).astype(np.uint8)


def _has_a_place(seen: Detection) -> bool:
    """Whether a detection can be cropped: nets give boxes without an area, or without numbers, when they break."""
    finite = bool(np.isfinite(seen.box_px).all() and np.isfinite(seen.eyes_px).all())
    return finite and geometry.box_area(seen.box_px) > 0
