"""How well people are told apart, and pictures from people: the tables of docs/people.md.

    python -m tools.measure_people MEDIA

MEDIA holds films and portraits whose people are known: `FILMS` below says who is in which.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.app import engines, portraits, wiring
from facefusion_live.domain import geometry, mesh
from facefusion_live.domain.face import Face
from facefusion_live.domain.image import Frame, HostImage, RgbImage
from facefusion_live.domain.life import Pulse
from facefusion_live.domain.recognition import BOUNDS, SFACE, is_frontal
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.pipeline import Draft
from facefusion_live.engine.stages import ChooseStage, DetectStage, LandmarkFinder, LookStage, TrackStage
from facefusion_live.engine.tracks import FaceTracks

FILMS = {
    "clips/talk_turn.mp4": "T",
    "clips/hand_occlusion.mp4": "H",
    "clips/leave_return.mp4": "T",
    "clips/three_faces.mp4": "THK",
    "composites/driver.mp4": "D",
    "real/again.mkv": "A",
    "real/brother.mkv": "A",
    "real/no.mkv": "A",
    "real/yes.mkv": "A",
    "real/bird.mkv": "B",
    "real/please.mkv": "B",
    "real/eat.mkv": "C",
    "real/walk.mkv": "W",
    "real/head-pose-face-detection-male.gif": "M",
}
"""Who is in which film, from left to right; faces beyond the last one are passed over."""
STILLS = ("faces/sfhq_a_04.jpg", "faces/t2i_acc_46.jpg", "faces/sfhq_a_14.jpg", "real/astronaut.png")
_SETTINGS = Settings().with_values({"swap.targets": "all", "detect.max_faces": 6})
_EVERY = 5
"""Frames from one look to the next."""
_ENROLLED = 5
"""Looks kept of a face: as one click does."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One look at a face in a film."""

    film: str
    person: str
    embedding: NDArray[np.float32]
    frontal: bool


class Bench:
    """The nets that find faces, and the recogniser."""

    def __init__(self) -> None:
        self.catalog, self.compute = engines.open_catalog("cpu"), wiring.host_compute(_SETTINGS)
        self.recogniser = self.catalog.recogniser(SFACE)

    def faces(self, pictures: Sequence[RgbImage], fps: float) -> Iterator[tuple[int, tuple[Face, ...], RgbImage]]:
        """The faces of a film, frame by frame."""
        tracks, finder = FaceTracks(), LandmarkFinder(self.catalog.landmarker(engines.LANDMARKER), self.compute)
        detectors = [self.catalog.detector(name) for name in engines.DETECTORS]
        look = LookStage(detectors[0], self.compute)
        detect = DetectStage(tracks, look, detectors[1:], self.compute)
        stages = (TrackStage(tracks, finder), look, detect, ChooseStage(tracks, finder, look.settled))
        for index, picture in enumerate(pictures):
            draft = Draft(Frame(index, index, index / fps, HostImage(picture)), _SETTINGS, index / fps)
            for stage in stages:
                stage.run(draft)
            yield index, draft.faces, picture

    def embedding(self, picture: RgbImage, face: Face) -> NDArray[np.float32]:
        """The face as numbers."""
        edge = self.recogniser.input_px
        crop = np.empty((edge, edge, 3), np.uint8)
        crop_from_frame = geometry.align(face.landmarks5_px, self.recogniser.template, edge)
        self.compute.crop(HostImage(picture), crop_from_frame, crop)
        return self.recogniser.embed(crop)


def looks(bench: Bench, media: Path) -> list[Seen]:
    """A look at everybody in every film, every few frames."""
    found: list[Seen] = []
    for name, people in FILMS.items():
        pictures, fps = read(media / name)
        for index, faces, picture in bench.faces(pictures, fps):
            if index % _EVERY:
                continue
            for face in faces:
                place = int((face.box_px[0] + face.box_px[2]) / 2 / (picture.shape[1] / len(people)))
                if len(people) == 1 and face is not max(faces, key=lambda each: geometry.box_area(each.box_px)):
                    continue
                frontal = is_frontal(mesh.head_pose(face.mesh_px))
                found.append(Seen(name, people[place], bench.embedding(picture, face), frontal))
    return found


def compared(seen: Sequence[Seen]) -> dict[str, list[float]]:
    """Everybody enrolled once a film by the first frontal looks, against every later look and every other film."""
    cosines: dict[str, list[float]] = {"same person, same film": [], "same person, other film": [], "other person": []}
    for film, person in dict.fromkeys((each.film, each.person) for each in seen):
        own = [each for each in seen if (each.film, each.person) == (film, person) and each.frontal][:_ENROLLED]
        for each in seen:
            if not own or any(each is kept for kept in own):
                continue
            likeness = max(float(kept.embedding @ each.embedding) for kept in own)
            if each.person != person:
                cosines["other person"].append(likeness)
            elif each.frontal:
                cosines[f"same person, {'same' if each.film == film else 'other'} film"].append(likeness)
    return cosines


def portrait_pairs(bench: Bench, media: Path) -> list[float]:
    """Every two portraits of different people."""
    finding, seen = engines.face_finding(bench.catalog, bench.compute), list[NDArray[np.float32]]()
    for path in sorted((media / "faces").glob("*.jpg")):
        picture = rgb(path)
        faces = portraits.faces_in(picture, finding)
        if len(faces) == 1:
            seen.append(bench.embedding(picture, faces[0]))
    return [float(one @ other) for one, other in combinations(seen, 2)]


def alive_after(bench: Bench, pictures: Sequence[RgbImage], fps: float) -> float | None:
    """Seconds until the first face of a film is taken for alive; None where it is not."""
    pulse = Pulse()
    for index, faces, _ in bench.faces(pictures, fps):
        for face in faces[:1]:
            pulse = pulse.after(face.mesh_px, index / fps)
        if pulse.living:
            return index / fps
    return None


def on_a_wall(photo: RgbImage, edge: int, shake_px: float) -> list[RgbImage]:
    """Three seconds of a photo on a wall, grainy, by a camera that is held still or not."""
    draw, at, made = np.random.default_rng(1), np.zeros(2), list[RgbImage]()
    wall = np.full((480, 640, 3), 120, np.uint8)
    top, left = (480 - edge) // 2, (640 - edge) // 2
    wall[top : top + edge, left : left + edge] = cv2.resize(photo, (edge, edge), interpolation=cv2.INTER_AREA)
    for _ in range(90):
        at = 0.9 * at + draw.normal(0, shake_px, 2)
        moved = cv2.warpAffine(wall, np.array([[1, 0, at[0]], [0, 1, at[1]]]), (640, 480))
        made.append(np.clip(moved + draw.normal(0, 5, moved.shape), 0, 255).astype(np.uint8))
    return made


def read(path: Path) -> tuple[list[RgbImage], float]:
    """A film's pictures, and how many there are in a second."""
    film, pictures = cv2.VideoCapture(str(path)), list[RgbImage]()
    while (got := film.read())[0]:
        pictures.append(cv2.cvtColor(got[1], cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False))
    return pictures, film.get(cv2.CAP_PROP_FPS) or 30.0


def rgb(path: Path) -> RgbImage:
    """A picture file."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise SystemExit(f"{path} cannot be read")
    return picture.astype(np.uint8, copy=False)


def tell_likeness(cosines: dict[str, list[float]], say: Callable[[str], None]) -> None:
    """The first table."""
    bounds = BOUNDS[SFACE]
    say(f"| cosine | n | least | 1 % | median | 99 % | most | from {bounds.same} | below {bounds.other} |")
    say("|---|---|---|---|---|---|---|---|---|")
    for name, values in cosines.items():
        low, median, high = np.quantile(values, [0.01, 0.5, 0.99])
        known, unlike = (np.mean(np.array(values) >= bounds.same), np.mean(np.array(values) < bounds.other))
        say(
            f"| {name} | {len(values)} | {min(values):.2f} | {low:.2f} | {median:.2f} | {high:.2f} | "
            f"{max(values):.2f} | {known:.1%} | {unlike:.1%} |"
        )


def tell_life(bench: Bench, media: Path, say: Callable[[str], None]) -> None:
    """The second table."""
    say("| film or photo | alive after |")
    say("|---|---|")
    for name in FILMS:
        say(f"| {name} | {_seconds(alive_after(bench, *read(media / name)))} |")
    for name in STILLS:
        for edge, shake_px in ((240, 0.0), (240, 1.5), (120, 0.7)):
            after = alive_after(bench, on_a_wall(rgb(media / name), edge, shake_px), 30)
            say(f"| {name}, {edge} px, {'held' if shake_px else 'still'} camera | {_seconds(after)} |")


def _seconds(after_s: float | None) -> str:
    return "never" if after_s is None else f"{after_s:.1f} s"


def main(words: Sequence[str]) -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("media", type=Path)
    media, bench = parser.parse_args(words).media, Bench()
    cosines = compared(looks(bench, media))
    cosines["other person, portraits"] = portrait_pairs(bench, media)
    tell_likeness(cosines, print)
    print()
    tell_life(bench, media, print)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
