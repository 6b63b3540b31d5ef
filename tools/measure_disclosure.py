"""How well the invisible mark is read, how rarely it is seen where there is none, and what label and mark cost.

    python -m tools.measure_disclosure [--frames 90] [FOLDER_OF_CLIPS]

Prints the tables of docs/disclosure.md: the mark after H.264, scaling, mirroring, cropping and turning; the beacon in
clips that were never marked; PSNR; milliseconds a picture. Without a folder of clips only the demo clip and synthetic
films are used.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import combinations, islice
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.provenance.label import LabelPainter
from facefusion_live.adapters.provenance.mark import MarkPainter, MarkReader, Reading
from facefusion_live.app.engines import JUDGE, open_judges
from facefusion_live.app.portraits import source
from facefusion_live.app.wiring import host_compute
from facefusion_live.app.workshop import Workshop
from facefusion_live.domain import geometry
from facefusion_live.domain.consent import SAME_PERSON, Claim, Consent, Grant
from facefusion_live.domain.errors import SourceFaceError
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.mark import SURE_FROM
from facefusion_live.domain.settings import Label, Settings

Picture = NDArray[np.uint8]
ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "resources" / "demo" / "driver.mp4"
FONT = ROOT / "resources" / "fonts" / "label.otf"
PAYLOAD = 0xBADA55
SIZE_WH = (1280, 720)
MARKED_CLIPS = 5
UNMARKED_CLIPS = 20
SCENE_STEP = 15
"""Half a second."""
WAYS: dict[str, Callable[[Picture], Picture]] = {
    "as it came": lambda grey: grey,
    "scaled to 640x360": lambda grey: cv2.resize(grey, (640, 360), interpolation=cv2.INTER_AREA),
    "scaled to 426x240": lambda grey: cv2.resize(grey, (426, 240), interpolation=cv2.INTER_AREA),
    "mirrored": lambda grey: grey[:, ::-1],
    "10 % cropped": lambda grey: grey[36:684, 64:1216],
    "20 % cropped": lambda grey: grey[72:648, 128:1152],
    "turned by 0.5 degrees": lambda grey: _turned(grey, 0.5),
    "turned by 2 degrees": lambda grey: _turned(grey, 2),
    "upside down": lambda grey: grey[::-1],
    "bars of 5 % above and below": lambda grey: _framed(grey, 36, 0),
    "bars at the sides, 21:9": lambda grey: _framed(grey, 0, 200),
    "a window of 75 % in a desktop": lambda grey: _framed(
        cv2.resize(grey, (960, 540), interpolation=cv2.INTER_AREA), 90, 160
    ),
    "filmed: gamma and blur": lambda grey: cv2.GaussianBlur(cv2.LUT(grey, _GAMMA), (0, 0), 1.5),
}


def _turned(grey: Picture, degrees: float) -> Picture:
    turn = cv2.getRotationMatrix2D((640, 360), degrees, 1)
    return cv2.warpAffine(grey, turn, SIZE_WH, borderMode=cv2.BORDER_REFLECT)


def _framed(grey: Picture, high: int, wide: int) -> Picture:
    """With bars of so many pixels around it."""
    return cv2.copyMakeBorder(grey, high, high, wide, wide, cv2.BORDER_CONSTANT, value=(40,))


_GAMMA = np.rint(255 * (np.arange(256) / 255) ** 0.8).astype(np.uint8)


def film(path: Path, frames: int) -> list[Picture]:
    """Pictures of 1280 x 720, RGB."""
    with av.open(str(path)) as container:
        decoded = (frame.to_ndarray(format="rgb24") for frame in container.decode(video=0))
        return [cv2.resize(each, SIZE_WH, interpolation=cv2.INTER_AREA) for each in islice(decoded, frames)]


def encoded(pictures: list[Picture], kbit_s: int) -> list[Picture]:
    """The pictures after H.264, in grey."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sent.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=30, options={"preset": "veryfast"})
            stream.width, stream.height, stream.pix_fmt, stream.bit_rate = *SIZE_WH, "yuv420p", kbit_s * 1000
            for picture in pictures:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        with av.open(str(path)) as container:
            return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def read(greys: list[Picture]) -> Reading:
    """The mark in a film."""
    reader = MarkReader()
    for grey in greys:
        reader.add(np.ascontiguousarray(grey))
    return reader.read()


def marked(pictures: list[Picture]) -> list[Picture]:
    """Copies with the mark."""
    painter, copies = MarkPainter(PAYLOAD), [picture.copy() for picture in pictures]
    for copy in copies:
        painter.draw(copy)
    return copies


def robustness(clips: list[Path], frames: int) -> None:
    """One line for each bit rate and way; bits that are wrong, and confidence, clip by clip."""
    print(f"| after | {' | '.join(clip.stem for clip in clips)} |\n|---|{'---|' * len(clips)}")
    films = [marked(film(clip, frames)) for clip in clips]
    for kbit_s in (1500, 4000):
        sent = [encoded(each, kbit_s) for each in films]
        for way, change in WAYS.items():
            cells = [told(read([change(grey) for grey in greys])) for greys in sent]
            print(f"| {kbit_s / 1000:g} Mbit/s, {way} | {' | '.join(cells)} |", flush=True)
    for clip, copies in zip(clips, films, strict=True):
        print(f"PSNR {clip.stem}: {psnr(film(clip, frames), copies):.1f} dB")


def told(reading: Reading) -> str:
    """A cell of the table."""
    if reading.payload is None:
        return f"no mark ({reading.strength:.1f})"
    wrong = (reading.payload ^ PAYLOAD).bit_count()
    return f"right, {reading.confidence:.2f}" if wrong == 0 else f"{wrong} bits wrong, {reading.confidence:.2f}"


def psnr(before: list[Picture], after: list[Picture]) -> float:
    """Decibels, over all pictures."""
    errors = [np.square(a.astype(np.float32) - b).mean() for a, b in zip(before, after, strict=True)]
    return float(10 * np.log10(255**2 / np.mean(errors)))


def unmarked(clips: list[Path], frames: int) -> Iterator[tuple[str, list[Picture]]]:
    """Films that were never marked, in grey: real ones, then synthetic ones until there are enough."""
    for clip in clips:
        yield clip.stem, [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in film(clip, frames)]
    rng = np.random.default_rng(5)
    for number in range(max(UNMARKED_CLIPS - len(clips), 4)):
        kind = number % 4
        if kind == 0:
            pictures = [cv2.GaussianBlur(rng.integers(0, 256, (720, 1280), np.uint8), (0, 0), 3) for _ in range(30)]
        elif kind == 1:
            still = rng.integers(0, 256, (90, 160), np.uint8)  # the mark's own grid, at random: the worst still
            pictures = [cv2.resize(still, SIZE_WH, interpolation=cv2.INTER_NEAREST)] * 30
        elif kind == 2:
            ramp = np.add.outer(np.arange(720), np.arange(1280)) // (3 + number) % 256
            pictures = [ramp.astype(np.uint8)] * 30
        else:
            pictures = [rng.integers(0, 256, (720, 1280), np.uint8) for _ in range(30)]
        yield f"synthetic {number}", pictures


def false_alarms(clips: list[Path], frames: int) -> None:
    """The strongest beacon that is seen where there is none."""
    strengths = {name: read(greys).strength for name, greys in unmarked(clips, frames)}
    alarms = [name for name, strength in strengths.items() if strength >= SURE_FROM]
    strongest = max(strengths, key=strengths.__getitem__)
    print(f"{len(strengths)} clips without a mark: {len(alarms)} false alarms {alarms or ''}")
    print(f"strongest beacon {strengths[strongest]:.2f} in {strongest}; a mark counts from {SURE_FROM:g} on")
    readings = [read([each]) for each in repeating()]
    alarms = [reading for reading in readings if reading.found]
    beacons = sum(reading.strength >= SURE_FROM for reading in readings)
    print(f"{len(readings)} still patterns that repeat: {len(alarms)} false alarms; {beacons} look like a beacon")


def repeating() -> Iterator[Picture]:
    """Checkerboards and stripes of 1 to 24 px in three sizes, in grey."""
    for width, height in ((640, 360), (1280, 720), (1920, 1080)):
        for period_px in (*range(1, 13), 16, 20, 24):
            down, across = np.arange(height) // period_px, np.arange(width) // period_px
            yield (np.add.outer(down, across) % 2 * 60 + 90).astype(np.uint8)
            yield np.tile((across % 2 * 60 + 90).astype(np.uint8), (height, 1))


def cost() -> None:
    """Milliseconds a picture, on one thread."""
    cv2.setNumThreads(1)
    label = LabelPainter(FONT)
    print("| | 640x360 | 1280x720 | 1920x1080 | 3840x2160 |\n|---|---|---|---|---|")
    sizes = ((640, 360), (1280, 720), (1920, 1080), (3840, 2160))
    mark = [median_ms(MarkPainter(PAYLOAD).draw, size) for size in sizes]
    drawn = [median_ms(lambda pixels: label.draw(pixels, Label()), size) for size in sizes]
    print(f"| label, ms | {' | '.join(f'{each:.2f}' for each in drawn)} |")
    print(f"| mark, ms | {' | '.join(f'{each:.2f}' for each in mark)} |")


def median_ms(draw: Callable[[Picture], None], size_wh: tuple[int, int]) -> float:
    """Of 60 pictures."""
    pixels = np.full((size_wh[1], size_wh[0], 3), 128, np.uint8)
    taken = []
    for _ in range(60):
        begun = time.perf_counter()
        draw(pixels)
        taken.append(1000 * (time.perf_counter() - begun))
    return float(np.median(taken[5:]))


def likenesses(folder: Path) -> None:
    """How alike copies of one photo are, and photos of different people, to the consent records."""
    workshop, claim = Workshop(), Claim(Consent.GENERATED)
    with tempfile.TemporaryDirectory() as temporary:
        copies = Path(temporary) / "copy.jpg"
        grants: list[Grant] = []
        same: list[float] = []
        for photo in sorted(folder.glob("*.jpg")):
            try:
                known = Grant("", claim, "", identity=whose(workshop, photo))
                picture = cv2.imread(str(photo))
                for change in COPIES:
                    cv2.imwrite(str(copies), change(picture), [cv2.IMWRITE_JPEG_QUALITY, 60])
                    same.append(known.likeness(whose(workshop, copies)))
            except SourceFaceError:
                continue
            grants.append(known)
    others = [a.likeness(b.identity) for a, b in combinations(grants, 2)]
    print(f"{len(same)} copies of {len(grants)} photos: likeness {min(same):.2f} to {max(same):.2f}")
    quantiles = ", ".join(f"{share:.1%} {np.quantile(others, share):.2f}" for share in (0.5, 0.99, 0.999))
    over = sum(each >= SAME_PERSON for each in others)
    print(f"{len(others)} pairs of different people: {quantiles}, most {max(others):.2f}; {over} from {SAME_PERSON} on")


def scenes(folder: Path, films: list[Path]) -> None:
    """What the judge of scenes says of every film and portrait, and what a look costs."""
    judge = open_judges().content_judge(JUDGE)
    compute = host_compute(Settings())
    crop = np.empty((judge.input_px, judge.input_px, 3), np.uint8)

    def nudity(picture: Picture) -> float:
        size_wh = picture.shape[1], picture.shape[0]
        compute.crop(HostImage(picture), geometry.judged(size_wh, judge.input_px), crop)
        return judge.nudity(crop)

    print("| film | looks | median | most |\n|---|---|---|---|")
    for path in films:
        with av.open(str(path)) as container:
            every = list(container.decode(video=0))[::SCENE_STEP]
        said = [nudity(frame.to_ndarray(format="rgb24")) for frame in every]
        print(f"| {path.name} | {len(said)} | {np.median(said):.3f} | {max(said):.3f} |")
    stills = sorted(path for kind in ("jpg", "png") for path in folder.rglob(f"*.{kind}"))
    pictures = [cv2.imread(str(path), cv2.IMREAD_COLOR_RGB) for path in stills]
    said = [nudity(np.asarray(picture, np.uint8)) for picture in pictures]
    print(f"| {len(said)} portraits | {len(said)} | {np.median(said):.3f} | {max(said):.3f} |")
    print(f"threshold {Settings().content.threshold}; strongest: {stills[int(np.argmax(said))].name}")
    for width, height in ((1280, 720), (1920, 1080), (3840, 2160)):
        picture = HostImage(np.zeros((height, width, 3), np.uint8))
        crop_from_frame = geometry.judged((width, height), judge.input_px)
        took = _median_ms(lambda: compute.crop(picture, crop_from_frame, crop))  # noqa: B023 (called at once)
        print(f"crop from {width}x{height}: {took:.2f} ms")
    print(f"look, on the side worker: {_median_ms(lambda: judge.nudity(crop)):.1f} ms")


def _median_ms(act: Callable[[], object], times: int = 30) -> float:
    took: list[float] = []
    for _ in range(times):
        begun_s = time.perf_counter()
        act()
        took.append(1000 * (time.perf_counter() - begun_s))
    return float(np.median(took))


COPIES: tuple[Callable[[Picture], Picture], ...] = (
    lambda picture: cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    lambda picture: picture[:, ::-1],
    lambda picture: cv2.convertScaleAbs(picture, alpha=0.7),
    lambda picture: cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR),
)
"""Smaller, mirrored, darker, without colour; each encoded again."""


def whose(workshop: Workshop, photo: Path) -> bytes:
    """The face in a photo, as consent records keep it."""
    return workshop.identity(workshop.portrait(source(photo, Consent.GENERATED)))


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--only", choices=("robustness", "alarms", "cost", "likeness", "scenes"))
    given = parser.parse_args()
    found = sorted(given.folder.rglob("*.m[pk][4v]")) + sorted(given.folder.rglob("*.gif")) if given.folder else []
    clips = [DEMO, *(clip for clip in found if clip.stem != DEMO.stem)]
    if given.only in (None, "robustness"):
        robustness(clips[:MARKED_CLIPS], given.frames)
    if given.only in (None, "alarms"):
        false_alarms(clips, given.frames)
    if given.only in (None, "cost"):
        cost()
    if given.only in (None, "likeness") and given.folder:
        likenesses(given.folder / "faces")
    if given.only in (None, "scenes") and given.folder:
        mkv = sorted(given.folder.rglob("*.mkv"))
        scenes(given.folder, list(dict.fromkeys([*clips, *mkv])))


if __name__ == "__main__":
    main()
