"""Who is in the picture: faces followed from frame to frame, and which of them are to be replaced."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import choosing, geometry, mesh
from facefusion_live.domain.face import Detection, Face
from facefusion_live.domain.life import Pulse
from facefusion_live.domain.ports import Landmarks
from facefusion_live.domain.settings import Settings
from facefusion_live.domain.turning import Turning
from facefusion_live.engine.filters import OneEuroFilter
from facefusion_live.engine.looking import (
    CLEAR,
    Find,
    followed_looks,
    is_face,
    lie_same_way,
    look_until_clear,
    settled_look,
    square_around,
)
from facefusion_live.engine.persons import NOBODY, KnownPeople, Person, Persons, Sight
from facefusion_live.engine.tasks import Beside

SAME_FACE = 0.3
"""Least overlap of a detection with a track for them to be the same face."""
BETTER = 0.05
"""How much surer the detector must be of a face in the turned picture for it to count against the upright one."""
OTHER_WAYS = 2
"""So many of the ways that the turned picture shows are looked at: each costs up to 12 ms."""
NEARBY = 0.1
"""Least overlap of a track with what the detector found in the turned picture for both to be of one face: a mesh drawn
the wrong way up lies beside it."""
STEADY = 0.5
"""A track whose box overlaps less than this with that of the frame before has jumped: the detector is asked at once."""
CUT_OFF = 0.6
"""A face of which less lies within the picture is not taken up, but hidden: half a face has no mesh to be trusted."""
TWINS = 0.6
"""Two tracks that overlap as much as this follow one face."""
TOUCHING = 0.02
"""Two tracks that overlap as much as this may be changing faces."""
BEHIND = 3
"""So many times as long as others those are missed who are behind somebody: they come out again."""
NOT_YET_S = float("inf")
EXPECTED_S = 5.0
"""For so long somebody who was lost is expected back: there the detector need not be sure."""
VANISHED_S = 120.0
"""For so long the place is hidden at which somebody was seen last who did not come back."""
ALIKE_PX2, AFTER_ALL_PX2 = 3.0, 9.0
"""Whose face covers so many times as much, or as little, is not they: a false face in a fence before them. Unless it
stays, up to the second: they have come back nearer, or further away."""
AFTER_ALL_S = 1.0
"""So long it must have been believed."""
DISAGREEMENTS = 15
"""Re-detections in a row that find nothing before a track is given up."""


@dataclass(slots=True, eq=False)
class Track:
    """One followed face.

    Attributes:
        track_id: Never used again.
        mesh_px: (478, 3) smoothed, in frame pixels.
        score: Of the last landmarks.
        seen_s: When it was last there.
        before_px: (478, 3) where it lay a frame ago.
        present: Found in the present frame.
        disagreements: Re-detections in a row that found nothing here.
        believed_area_px: Of its box, when it was believed last.
        believed_s: When it was believed first; till then it may be no face, and nobody misses it for long.
        parted_from: The number of whose mesh had gone over to it.
        behind: It was lost where another face came before it.
        pulse: Whether it lives.
        turning: Whether it is turned away.
    """

    track_id: int
    mesh_px: NDArray[np.float32]
    score: float
    seen_s: float
    before_px: NDArray[np.float32] | None = None
    present: bool = True
    disagreements: int = 0
    believed_area_px: float = 0.0
    believed_s: float = NOT_YET_S
    parted_from: int | None = None
    behind: bool = False
    pulse: Pulse = field(default_factory=Pulse)
    turning: Turning = field(default_factory=Turning)
    smooth: OneEuroFilter = field(default_factory=OneEuroFilter)

    @property
    def sure(self) -> bool:
        """Whether it was believed once."""
        return self.believed_s < NOT_YET_S

    @property
    def box_px(self) -> NDArray[np.float32]:
        """(4,) of the mesh."""
        return geometry.box_of(self.mesh_px)

    def face(self, person: Person) -> Face:
        """The track as a value, with what is known of it."""
        return Face(
            box_px=self.box_px,
            landmarks5_px=mesh.landmarks5(self.mesh_px),
            mesh_px=self.mesh_px,
            score=self.score,
            track_id=self.track_id,
            agreed=self.disagreements == 0,
            person=person.identity.person,
            looks=tuple(sight.embedding for sight in person.sights),
            faded=self.turning.faded,
        )


class FaceTracks:
    """All tracks. Thread: inference; `identify` from any.

    Args:
        roster: Whom the user has enrolled.
    """

    def __init__(self, roster: KnownPeople = lambda: NOBODY) -> None:
        self._tracks: list[Track] = []
        self._next_id = 0
        self._persons = Persons(roster)
        self._choice = choosing.Choice()
        self._overflow = 0
        self._unfollowed: list[tuple[NDArray[np.float32], float]] = []
        self._gone: list[tuple[NDArray[np.float32], float]] = []
        self._vanished: list[tuple[NDArray[np.float32], float]] = []

    @property
    def overflow(self) -> int:
        """Faces that the last detection found and `detect.max_faces` has no room for."""
        return self._overflow

    @property
    def unfollowed_px(self) -> list[NDArray[np.float32]]:
        """(4,) boxes of faces that were detected of late and nobody follows: to be hidden all the same."""
        return [box_px for box_px, _ in self._unfollowed]

    @property
    def vanished_px(self) -> list[NDArray[np.float32]]:
        """(4,) boxes of faces that were replaced, and stayed away for longer than they were waited for.

        They may still be there, bare: in stripes of shadow, behind a fence. Each ends when somebody is seen near it.
        """
        return [box_px for box_px, _ in self._vanished]

    @property
    def present(self) -> list[Track]:
        """Tracks found in the present frame."""
        return [track for track in self._tracks if track.present]

    @property
    def uncertain(self) -> bool:
        """Whether the detector should be asked at once: nobody is here, someone vanished or is doubted."""
        return not self._tracks or any(not track.present or track.disagreements for track in self._tracks)

    @property
    def unclear(self) -> bool:
        """Whether it is not clear of someone here which way up they are: the detector should turn the picture, too."""
        return any(track.present and track.score < CLEAR for track in self._tracks)

    def follow(
        self, find: Find, time_s: float, settings: Settings, other: Find | None = None, beside: Beside | None = None
    ) -> None:
        """Look for each present face where it was a frame ago, and forget those that stay away.

        Args:
            find: Landmarks for a box.
            time_s: Of the frame.
            settings: How long somebody is missed.
            other: As `find`, for the thread that helps with several faces; None for no help.
            beside: That thread.
        """
        followed = self.present
        finds = (find,) if other is None else (find, other)
        looks = followed_looks(finds, [track.mesh_px for track in followed], beside)
        for track, (seen, settled) in zip(followed, looks, strict=True):
            if not (track.sure or track.disagreements):
                track.believed_s = time_s
            before, track.before_px = track.box_px, track.mesh_px
            self._see(track, seen, time_s, settings)
            if track.present and not (settled and geometry.overlap(before, track.box_px) >= STEADY):
                track.disagreements += 1
        self._lose_twins()
        lost_s = settings.track.lost_ms / 1000
        for track in self._tracks:
            track.behind = not track.present and track.sure and (track.behind or self._is_touched(track))
        gone = [
            track
            for track in self._tracks
            if not track.present and time_s - track.seen_s > lost_s * (BEHIND if track.behind else 1)
        ]
        self._gone = [(box_px, gone_s) for box_px, gone_s in self._gone if time_s - gone_s <= EXPECTED_S]
        self._gone += [(track.box_px, time_s) for track in gone if track.sure]
        self._note_vanished([track for track in gone if self._held_swap(track)], time_s)
        self._keep(track for track in self._tracks if track not in gone)

    def _held_swap(self, track: Track) -> bool:
        return track.sure and track.track_id in self._choice.targets

    def _note_vanished(self, gone: Sequence[Track], time_s: float) -> None:
        for track in gone:
            # Once more at the same place, it is the same one.
            others = [each for each in self._vanished if geometry.overlap(each[0], track.box_px) < TWINS]
            self._vanished = [*others, (track.box_px, time_s)]
        self._vanished = [
            (box_px, gone_s)
            for box_px, gone_s in self._vanished
            if time_s - gone_s <= VANISHED_S
            and not any(_may_be_back(each, box_px, gone_s, time_s) for each in self.present)
        ]

    def admit(
        self,
        detections: Sequence[Detection],
        find: Find,
        time_s: float,
        settings: Settings,
        turned: Sequence[Detection] = (),
    ) -> None:
        """Compare the tracks with what the detector found: confirm, doubt, bring back, begin.

        Args:
            detections: All of them, down to a low score: enough to confirm a track, not to begin one.
            find: Landmarks for a box.
            time_s: Of the frame.
            settings: Threshold and number of faces.
            turned: What was found in the turned picture, when a track is unclear.
        """
        matches = self._matches(detections)
        free = [found for found in detections if all(found is not match for match in matches.values())]
        refused: list[Detection] = []
        for track in self._tracks:
            match = matches.get(track.track_id)
            if match is not None:
                before, track.disagreements = track.disagreements, 0
                if not track.present and not self._bring_back(
                    track, match, settled_look(find, match), time_s, settings
                ):
                    refused.append(match)
                unclear = track.present and track.score < CLEAR
                if unclear and not self._upright(track, match, turned, find, time_s, settings):
                    track.disagreements = before + 1
            elif track.present:
                track.disagreements += 1
        given_up = [track for track in self._tracks if track.disagreements >= DISAGREEMENTS]
        self._note_vanished([track for track in given_up if self._held_swap(track)], time_s)
        self._keep(track for track in self._tracks if track not in given_up)
        seen = [found for found in free if found.score >= settings.detect.score or self._is_expected(found)]
        sure = [detection for detection in seen if detection.within >= CUT_OFF]
        cut_off = [detection for detection in seen if detection.within < CUT_OFF]
        room = max(settings.detect.max_faces - len(self._tracks), 0)
        refused += [found for found in sure[:room] if not self._begin(found, find, time_s, settings)]
        self._overflow = len(sure[room:])
        self._remember((*refused, *cut_off, *sure[room:]), free, time_s, settings)
        self._lose_twins()

    def _matches(self, detections: Sequence[Detection]) -> dict[int, Detection]:
        """Who was detected where: whoever lies nearest to a detection has it, those who are here before the lost."""
        pairs = [(geometry.overlap(d.box_px, t.box_px), t, d) for t in self._tracks for d in detections]
        matches: dict[int, Detection] = {}
        for overlap, track, found in sorted(pairs, key=lambda pair: (pair[1].present, pair[0]), reverse=True):
            taken = track.track_id in matches or any(found is match for match in matches.values())
            if overlap >= SAME_FACE and not taken:
                matches[track.track_id] = found
        return matches

    def _remember(
        self, unfollowed: Sequence[Detection], free: Sequence[Detection], time_s: float, settings: Settings
    ) -> None:
        """Note who is to be hidden: also whom the detector is less sure of than a moment ago, or misses for once."""
        now = [found.box_px for found in unfollowed]
        kept: list[tuple[NDArray[np.float32], float]] = []
        for box_px, seen_s in self._unfollowed:
            again = next((found for found in free if geometry.overlap(found.box_px, box_px) >= SAME_FACE), None)
            known = [*now, *(track.box_px for track in self.present)]
            if any(geometry.overlap(box_px, other) >= SAME_FACE for other in known):
                continue
            if again is not None:
                kept.append((again.box_px, time_s))
            elif time_s - seen_s <= settings.track.lost_ms / 1000:
                kept.append((box_px, seen_s))
        self._unfollowed = [*((box_px, time_s) for box_px in now), *kept]

    def prove(self, track_id: int, mesh_px: NDArray[np.float32] | None, time_s: float, settings: Settings) -> Face:
        """A face lies here, whatever the detector says of it: what was seen of it before is seen again.

        Args:
            track_id: A track that is present.
            mesh_px: (478, 3) where it lies, if not where the net saw it.
            time_s: Of the frame.
            settings: For the smoothing.
        """
        (track,) = (each for each in self._tracks if each.track_id == track_id)
        track.disagreements = 0
        if mesh_px is not None:
            unit_px = max(mesh.eye_distance(mesh_px), 1.0)
            track.mesh_px = track.smooth(mesh_px, time_s, unit_px, settings.track.smoothing)
        return self.face(track)

    def part(self, track_id: int, mesh_px: NDArray[np.float32], time_s: float) -> None:
        """A mesh went over to another face: that one is somebody new, and whose it was has been lost behind them.

        Args:
            track_id: A track that is present.
            mesh_px: (478, 3) where the face was before.
            time_s: Of the frame.
        """
        (track,) = (each for each in self._tracks if each.track_id == track_id)
        other = Track(self._next_id, track.mesh_px, track.score, time_s, believed_s=time_s, smooth=track.smooth)
        other.parted_from = track.track_id
        self._next_id += 1
        track.mesh_px, track.smooth, track.seen_s = mesh_px, OneEuroFilter(), time_s
        track.present, track.behind, track.believed_s = False, True, min(track.believed_s, time_s)
        self._tracks.append(other)
        self._persons.begin(other.track_id)

    def lost_at(self, track_id: int) -> int | None:
        """Who was lost behind somebody where a track lies now, in which nobody believed then: not behind this one."""
        (here,) = (each for each in self._tracks if each.track_id == track_id)
        hidden = (each for each in self._tracks if each.behind and not each.present)
        since = (each for each in hidden if each.seen_s <= here.believed_s < NOT_YET_S)
        others = (each for each in since if each.track_id != here.parted_from)
        lost = [each for each in others if geometry.overlap(each.box_px, here.box_px) >= SAME_FACE]
        return lost[0].track_id if len(lost) == 1 else None

    def rejoin(self, lost_id: int, track_id: int) -> None:
        """Whoever is followed as somebody new is who was lost: they keep the number that they had."""
        lost, found = (next(each for each in self._tracks if each.track_id == one) for one in (lost_id, track_id))
        lost.mesh_px, lost.before_px, lost.smooth = found.mesh_px, found.before_px, found.smooth
        lost.score, lost.seen_s, lost.disagreements = found.score, found.seen_s, found.disagreements
        lost.present, lost.behind = True, False
        self._keep(each for each in self._tracks if each is not found)

    def choose(self, settings: Settings) -> tuple[list[Track], list[Track]]:
        """(tracks to be replaced, tracks of bystanders), those lost a moment ago included."""
        self._persons.keep({track.track_id for track in self._tracks})
        self._doubt_whoever_touches()
        candidates = [self._candidate(track, settings) for track in self._tracks]
        self._choice = choosing.choose(candidates, settings.swap.targets, self._choice.holders)
        wanted = self._choice.targets
        return [t for t in self._tracks if t.track_id in wanted], [t for t in self._tracks if t.track_id not in wanted]

    def is_ghost(self, track: Track) -> bool:
        """Whether somebody who is away was never more than a mesh on another face, and was never believed."""
        on_others = (geometry.overlap(track.box_px, other.box_px) >= SAME_FACE for other in self.present)
        return not track.present and not track.sure and any(on_others)

    def is_veiled(self, track: Track) -> bool:
        """Whether a bystander is hidden whatever the settings say: it may be the wearer."""
        return track.track_id in self._choice.veiled

    def face(self, track: Track) -> Face:
        """A track as a value, with what is known of it."""
        return track.face(self._persons.of(track.track_id))

    def is_known(self, track_id: int) -> bool:
        """Whether it is clear who a track is, or there is nobody that it could be."""
        return self._persons.is_settled(track_id)

    def identify(self, track_id: int, sight: Sight) -> None:
        """Note a look of the recogniser at a track; nothing happens when it is gone."""
        self._persons.see(track_id, sight)

    def _candidate(self, track: Track, settings: Settings) -> choosing.Candidate:
        # A mesh in doubt may be no face at all, and small: nobody takes the swap from its owner for that.
        if (track.present and not track.disagreements) or not track.believed_area_px:
            track.believed_area_px = geometry.box_area(track.box_px)
        return choosing.Candidate(
            track.track_id,
            track.believed_area_px,
            track.pulse.life(settings.track.proof_s),
            self._persons.of(track.track_id).identity,
            track.sure,
        )

    def _doubt_whoever_touches(self) -> None:
        """Faces that cross may change tracks, and one that was away may come back as another."""
        for track in self._tracks:
            if not track.present or self._is_touched(track):
                self._persons.doubt(track.track_id)

    def _is_touched(self, track: Track) -> bool:
        others = (other.box_px for other in self._tracks if other is not track)
        return any(geometry.overlap(track.box_px, box_px) >= TOUCHING for box_px in others)

    def _see(self, track: Track, landmarks: Landmarks, time_s: float, settings: Settings) -> None:
        track.score = landmarks.score
        track.present = is_face(landmarks)
        if track.present:
            unit_px = max(mesh.eye_distance(landmarks.mesh_px), 1.0)
            track.mesh_px = track.smooth(landmarks.mesh_px, time_s, unit_px, settings.track.smoothing)
            track.seen_s = time_s
            track.pulse = track.pulse.after(track.mesh_px, time_s)
            track.turning = track.turning.after(track.mesh_px, time_s, settings.gate.turned_deg)

    def _begin(self, detection: Detection, find: Find, time_s: float, settings: Settings) -> bool:
        """Follow a face from now on; False when the landmarks see none there."""
        look = settled_look(find, detection)
        landmarks = look[0]
        if not is_face(landmarks):
            return False
        if self._followed(geometry.box_of(landmarks.mesh_px)):
            return True
        hidden = self._hidden_near(detection)
        if hidden is not None:
            hidden.smooth = OneEuroFilter()
            return self._bring_back(hidden, detection, look, time_s, settings)
        track = Track(self._next_id, landmarks.mesh_px, landmarks.score, time_s)
        self._next_id += 1
        self._take_up(track, look, time_s, settings)
        self._tracks.append(track)
        self._persons.begin(track.track_id)
        return True

    def _take_up(self, track: Track, look: tuple[Landmarks, bool], time_s: float, settings: Settings) -> None:
        """See a face that was not followed from the frame before.

        A mesh that is not settled, or of which it is not clear which way up it lies, is doubted: the detector is asked
        again in the next frame, and that look counts.
        """
        landmarks, settled = look
        track.before_px = None
        self._see(track, landmarks, time_s, settings)
        track.disagreements = int(track.present and not (settled and landmarks.score >= CLEAR))

    def _bring_back(
        self, track: Track, found: Detection, look: tuple[Landmarks, bool], time_s: float, settings: Settings
    ) -> bool:
        """Take up somebody who was away; False if the look ended elsewhere than what was detected: on another face."""
        if geometry.overlap(geometry.box_of(look[0].mesh_px), found.box_px) < SAME_FACE:
            return False
        self._take_up(track, look, time_s, settings)
        return True

    def _upright(
        self,
        track: Track,
        match: Detection,
        turned: Sequence[Detection],
        find: Find,
        time_s: float,
        settings: Settings,
    ) -> bool:
        """Whether an unclear face may be believed to lie as its mesh does.

        If it is clear another way, it lies so from now on, and is doubted once more. Not if it is merely surer another
        way: with a hand before the face all ways are unsure, now the one more, now the other. There the detector
        decides: its eyes lie as the mesh's do, and no turned picture shows it a better face.
        """
        eyes_px = track.mesh_px[list(mesh.EYE_CORNERS), :2]
        near = [seen for seen in turned if geometry.overlap(seen.box_px, track.box_px) >= NEARBY]
        other = sorted((seen for seen in near if not lie_same_way(seen.eyes_px, eyes_px)), key=lambda seen: -seen.score)
        ways = [(seen.box_px, seen.eyes_px) for seen in other[:OTHER_WAYS]]
        for box_px, looked_px in (*ways, (square_around(track.box_px), eyes_px[::-1])):
            look = look_until_clear(find, box_px, looked_px)
            if look.score >= CLEAR:
                if lie_same_way(look.mesh_px[list(mesh.EYE_CORNERS), :2], eyes_px):
                    return True  # the other way leads to this one, and there it is clear
                track.smooth = OneEuroFilter()
                self._see(track, look, time_s, settings)
                return False
        better = any(seen.score > match.score + BETTER for seen in other)
        return lie_same_way(match.eyes_px, eyes_px) and not better

    def _hidden_near(self, found: Detection) -> Track | None:
        """Who vanished behind another face near here: it is they who come out."""
        hidden = (track for track in self._tracks if track.behind and not track.present)
        near = [track for track in hidden if geometry.overlap(found.box_px, _around(track.box_px)) > 0]
        return near[0] if len(near) == 1 else None

    def _is_expected(self, found: Detection) -> bool:
        """Whether somebody was lost near here of late: who comes out from behind another is half a face at first."""
        return any(geometry.overlap(found.box_px, _around(box_px)) > 0 for box_px, _ in self._gone)

    def _followed(self, box_px: NDArray[np.float32]) -> bool:
        return any(geometry.overlap(track.box_px, box_px) >= TWINS for track in self.present)

    def _lose_twins(self) -> None:
        """Of two tracks that came to follow one face one has lost its own: it is somewhere, unseen, near where it was.

        Whoever the detector doubts (somebody who passes before them takes their mesh along), else the younger.
        """
        kept: list[Track] = []
        for track in sorted(self.present, key=lambda each: each.disagreements > 0):
            if all(geometry.overlap(track.box_px, other.box_px) < TWINS for other in kept):
                kept.append(track)
            else:
                track.present = False
                track.mesh_px = track.mesh_px if track.before_px is None else track.before_px

    def _keep(self, tracks: Iterable[Track]) -> None:
        self._tracks = list(tracks)


def _may_be_back(track: Track, box_px: NDArray[np.float32], gone_s: float, time_s: float) -> bool:
    """Whether a face that came up since may be who vanished there: near the place, and about as large, or to stay."""
    since = gone_s <= track.believed_s < NOT_YET_S
    ratio = geometry.box_area(track.box_px) / max(geometry.box_area(box_px), 1.0)
    near = geometry.overlap(track.box_px, _around(box_px)) > 0
    most = AFTER_ALL_PX2 if time_s - track.believed_s >= AFTER_ALL_S else ALIKE_PX2
    return since and near and 1 / most <= ratio <= most


def _around(box_px: NDArray[np.float32]) -> NDArray[np.float32]:
    """A box with one of its size on every side: as far as a head goes while it is hidden."""
    return geometry.grown(box_px, 1.0)
