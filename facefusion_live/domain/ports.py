"""The seams. Each is a small protocol with a fake in tests/fakes and a contract suite in tests/contracts.

All of them but `Clock` are context managers or are closed by whoever opened them, on the thread that opened them. A
port's error (named in its docstring) is all that an adapter raises.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.face import Detection, Face, Job, Patch
from facefusion_live.domain.geometry import Affine
from facefusion_live.domain.hand import Hand, Palm
from facefusion_live.domain.image import Frame, Image, Lease
from facefusion_live.domain.model_card import FaceCrop
from facefusion_live.domain.outline import Shape
from facefusion_live.domain.settings import Settings


class Clock(Protocol):
    """Time, so that tests can turn the hands."""

    def now_ns(self) -> int:
        """Monotonic nanoseconds."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait at least so long."""
        ...


class Buffer(Lease, Protocol):
    """A piece of pooled memory with one share taken."""

    def array(self, shape: tuple[int, ...], offset: int = 0) -> NDArray[np.uint8]:
        """A writable uint8 view of `shape`, starting `offset` bytes in."""
        ...


class Buffers(Protocol):
    """Where pooled memory comes from. Thread: any."""

    def acquire(self) -> Buffer:
        """A buffer with one share taken.

        Raises:
            ComputeError: Every buffer is in use.
        """
        ...


@dataclass(frozen=True, slots=True)
class FrameInfo:
    """What a source tells about the picture it just wrote.

    Attributes:
        media_s: Presentation time in the source's own clock, rising strictly, from about 0.
        source_index: Position in the source: 0, 1, 2 … ; tells loss before the first queue.
    """

    media_s: float
    source_index: int


class FrameSource(Protocol):
    """Where pictures come from. Raises CaptureOpenError on opening, CaptureLostError later. Thread: capture."""

    @property
    def name(self) -> str:
        """Logical name for people and the audit trail: "camera:0", "file", "synthetic". Never a path."""
        ...

    @property
    def size_wh(self) -> tuple[int, int]:
        """Size of the pictures, as really delivered, after rotation."""
        ...

    @property
    def fps(self) -> float:
        """Nominal frames per second, as really delivered."""
        ...

    @property
    def paced(self) -> bool:
        """True for what comes at its own pace (camera, stream); False for what can be read as fast as wanted."""
        ...

    @property
    def frame_count(self) -> int | None:
        """How many pictures there will be; None when nobody knows or there is no end."""
        ...

    def read_into(self, pixels: NDArray[np.uint8]) -> FrameInfo | None:
        """Write the next picture as RGB into (h, w, 3). Blocks until there is one.

        Returns:
            What it is, or None at the end of a source that has one.

        Raises:
            CaptureLostError: Unplugged, timed out or broken; the source must be opened anew.
            ValueError: The array has another shape.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """What a landmarker says about one crop, in crop pixels.

    Attributes:
        mesh_px: (478, 3) float32.
        score: 0..1, that there is a face in the crop.
    """

    mesh_px: NDArray[np.float32]
    score: float


class FaceDetector(Protocol):
    """Finds faces in a square crop. Raises InferenceError."""

    @property
    def input_px(self) -> int:
        """Edge of the crop it wants."""
        ...

    def detect(self, crop: NDArray[np.uint8], threshold: float) -> Sequence[Detection]:
        """Faces in crop pixels, best first, each face once.

        Args:
            crop: (n, n, 3) RGB.
            threshold: 0..1, least score.
        """
        ...


class FaceLandmarker(Protocol):
    """Finds the mesh of the one face in a crop made by `geometry.face_roi`. Raises InferenceError."""

    @property
    def input_px(self) -> int:
        """Edge of the crop it wants."""
        ...

    def landmarks(self, crop: NDArray[np.uint8]) -> Landmarks:
        """The mesh in crop pixels.

        Args:
            crop: (n, n, 3) RGB.
        """
        ...


class PalmDetector(Protocol):
    """Finds palms in a square crop. Raises InferenceError."""

    @property
    def input_px(self) -> int:
        """Edge of the crop it wants."""
        ...

    def palms(self, crop: NDArray[np.uint8], threshold: float) -> Sequence[Palm]:
        """Palms in crop pixels, best first, each once.

        Args:
            crop: (n, n, 3) RGB.
            threshold: 0..1, least score.
        """
        ...


class HandLandmarker(Protocol):
    """Finds the points of the hand in a crop made by `hand.crop_of_palm` or `crop_of_hand`. Raises InferenceError."""

    @property
    def input_px(self) -> int:
        """Edge of the crop it wants."""
        ...

    def hand(self, crop: NDArray[np.uint8]) -> Hand:
        """The points in crop pixels.

        Args:
            crop: (n, n, 3) RGB.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class FacePoints:
    """The points of the one face in a crop, in crop pixels.

    Attributes:
        points_px: (n, 2) float32, n as `domain.points` knows them.
        score: 0..1, how sure the net is; 1 where it does not say.
    """

    points_px: NDArray[np.float32]
    score: float


class PointFinder(Protocol):
    """Finds the points of the one face in a crop. Raises InferenceError."""

    @property
    def input_px(self) -> int:
        """Edge of the crop it wants."""
        ...

    @property
    def cut(self) -> FaceCrop:
        """How the crop is cut around a face."""
        ...

    def points(self, crop: NDArray[np.uint8]) -> FacePoints:
        """The points in crop pixels.

        Args:
            crop: (n, n, 3) RGB.
        """
        ...


class FaceRecogniser(Protocol):
    """Tells who a face is. Raises InferenceError."""

    @property
    def input_px(self) -> int:
        """Edge of the crop it wants."""
        ...

    @property
    def template(self) -> str:
        """Which of `geometry.TEMPLATES` the crop must follow."""
        ...

    def embed(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(d,) of unit length.

        Args:
            crop: (n, n, 3) RGB, aligned.
        """
        ...


class ContentJudge(Protocol):
    """Tells how nude a scene is. Raises InferenceError."""

    @property
    def input_px(self) -> int:
        """Edge of the crop it wants: the middle of the picture, as `geometry.judged` cuts it."""
        ...

    def nudity(self, crop: NDArray[np.uint8]) -> float:
        """0..1; above a half more likely nude than not.

        Args:
            crop: (n, n, 3) RGB.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A source picture in which exactly one face was found."""

    image: Image
    face: Face


class RegionPainter(Protocol):
    """Draws the regions of a patch; one does it for every engine. Thread: inference."""

    def regions(self, mesh_px: NDArray[np.float32], regions: NDArray[np.uint8]) -> None:
        """Write the signed distances of `Patch.regions`.

        Args:
            mesh_px: (478, 3) in crop pixels.
            regions: (s, s, 4) written.
        """
        ...


class PreparedSource(Protocol):
    """A source face as one engine wants it; only the swapper that made it can read what it draws from."""

    @property
    def shape(self) -> Shape | None:
        """How wide jaw and cheeks of that person are; None where the engine was given no picture."""
        ...


class FaceSwapper(Protocol):
    """Makes patches. Raises InferenceError."""

    @property
    def name(self) -> str:
        """Engine name as on the command line: "mesh"."""
        ...

    @property
    def provider(self) -> str:
        """What really computes: "cpu", or the name of an ONNX Runtime provider."""
        ...

    def prepare(self, portraits: Sequence[Portrait]) -> PreparedSource:
        """Make a source ready for use, from one or more pictures of one person. Slow; never on the live path."""
        ...

    def swap(
        self, frame: Frame, face: Face, face_index: int, source: PreparedSource, settings: Settings, buffers: Buffers
    ) -> Patch:
        """The source face in the pose of `face`. The patch owns one share of each of its pictures."""
        ...


class FaceEnhancer(Protocol):
    """Redraws patches more finely. Raises InferenceError."""

    @property
    def name(self) -> str:
        """Of its card."""
        ...

    def enhance(self, patch: Patch, face: Face, settings: Settings, buffers: Buffers) -> Patch:
        """The same patch with `enhanced`, at a higher resolution where the enhancer has more to show.

        The patch given is released; when an error is raised it is not.

        Args:
            patch: A swapped face.
            face: Whose place it takes.
            settings: For the largest crop.
            buffers: Memory for the new patch, with room for the enhanced picture.
        """
        ...


class MaskMaker(Protocol):
    """Tells which part of a face is to be seen, and which lies behind something. Raises InferenceError."""

    @property
    def name(self) -> str:
        """Of its card."""
        ...

    @property
    def input_px(self) -> int:
        """Edge of the square crop it takes."""
        ...

    @property
    def template(self) -> str:
        """Name of the alignment template that the crop is cut by."""
        ...

    def visible(self, crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Where the face is to be seen.

        Args:
            crop: (input_px, input_px, 3) RGB of the camera's picture.

        Returns:
            (input_px, input_px) 255 for face, 0 for what lies before it or is none.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Occluder:
    """Something before a face, in the pixels of the face's patch.

    Attributes:
        left: (s, s) 0..255, what it leaves to the swap.
        by_hand: Share of what it takes that a hand's outline explains, 0..1.
        likeness: How much of what it takes looks like a face, this person's or anybody's: the correlation of the
            camera's detail there, -1..1. None where a face has no detail that would tell.
    """

    left: NDArray[np.uint8]
    by_hand: float
    likeness: float | None


class OccluderFinder(Protocol):
    """Tells what lies before faces that it has seen for a while. Raises InferenceError."""

    def find(self, image: Image, face: Face, hands: Sequence[Hand], patch: Patch) -> Occluder | None:
        """Look at a face once more, and learn from it.

        Args:
            image: The camera's picture.
            face: As it was found there.
            hands: Those near it, in frame pixels.
            patch: What will be drawn over it: in its pixels the answer is given.

        Returns:
            None where nothing lies before the face, and while it is not known well enough to tell.
        """
        ...

    def keep(self, track_ids: Collection[int]) -> None:
        """Forget every face but these."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Glasses:
    """What somebody wears before the eyes, in the pixels of the face's patch.

    Attributes:
        left: (s, s) 0..255, what the frames leave to the swap; None where they are not told from the lenses.
        dark: The lenses are so dark that no eyes are to be seen.
    """

    left: NDArray[np.uint8] | None
    dark: bool


class GlassesFinder(Protocol):
    """Tells whether faces wear glasses, and where the frames lie. Raises InferenceError."""

    def worn(self, image: Image, face: Face, patch: Patch) -> Glasses | None:
        """Look at a face once more.

        Args:
            image: The camera's picture.
            face: As it was found there.
            patch: What will be drawn over it: in its pixels the answer is given.

        Returns:
            None where no glasses are worn, and where the face is too small to tell.
        """
        ...

    def keep(self, track_ids: Collection[int]) -> None:
        """Forget every face but these."""
        ...


class Anchors(Protocol):
    """Remembers what faces look like, to tell whether a mesh still lies on one. Raises InferenceError."""

    def cast(self, image: Image, face: Face) -> None:
        """Remember a face that lies where its mesh does, instead of what was remembered of its track before.

        Args:
            image: The camera's picture.
            face: As it was found there.
        """
        ...

    def held(
        self, image: Image, mesh_px: NDArray[np.float32], track_id: int, hands: Sequence[Hand] = ()
    ) -> float | None:
        """How much of a face that is remembered is where a mesh says.

        Args:
            image: The camera's picture.
            mesh_px: (478, 3) in its pixels.
            track_id: Whose looks are meant.
            hands: Those near it, in frame pixels: what they hide is not asked for.

        Returns:
            0..1; None where nothing is remembered, or nothing by which it could be told.
        """
        ...

    def hauled(
        self, image: Image, mesh_px: NDArray[np.float32], track_id: int, hands: Sequence[Hand] = ()
    ) -> NDArray[np.float32] | None:
        """The mesh, moved, turned and scaled to where what is remembered of a face is seen now.

        Args:
            image: The camera's picture.
            mesh_px: (478, 3) where the face was a moment ago.
            track_id: Whose looks are meant.
            hands: As `held`.

        Returns:
            (478, 3); None where too little of the face is seen.
        """
        ...

    def keep(self, track_ids: Collection[int]) -> None:
        """Forget every face but these."""
        ...


class Contents(Protocol):
    """Tells whether what is under a mesh comes along when the mesh moves. Raises InferenceError."""

    def carried(self, image: Image, face: Face) -> float:
        """How much of what lay under the mesh of this track a picture ago lies under it now.

        Args:
            image: The camera's picture.
            face: As it was found there; asked of once per picture.

        Returns:
            0..1; 1 too where the mesh hardly moved, and where nothing could tell.
        """
        ...

    def keep(self, track_ids: Collection[int]) -> None:
        """Forget every face but these."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Composition:
    """A finished picture and how well it hides the faces.

    Attributes:
        image: The picture; the receiver owns one share.
        covered: For each of the job's targets the share of the face that is covered, 0..1; 0 without a patch, and no
            more than the share of the face in the frame over which the patch really lies (`covering.shares`).
    """

    image: Image
    covered: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Backend:
    """What composes.

    Attributes:
        name: "cpu", "gl".
        reason: Why it is this one, in words.
        lost: What happened to the one before it, in words; empty while nothing did.
    """

    name: str
    reason: str
    lost: str = ""


class Compute(Protocol):
    """Whatever touches pixels: `cpu`, `gl`, later `cuda`. Raises ComputeError; ComputeLostError when it is gone."""

    @property
    def name(self) -> str:
        """The back-end: "cpu", "gl"."""
        ...

    @property
    def backend(self) -> Backend:
        """What really composes, and why. Thread: any."""
        ...

    def prepare(self, size_wh: tuple[int, int]) -> None:
        """Get ready for pictures of this size. May take its time. Thread: whoever starts the session, before `begin`.

        Raises:
            BadInputError: The back-end that was asked for cannot be had.
        """
        ...

    def begin(self) -> None:
        """Take what belongs to one thread, such as a graphics context. Thread: render, before its first picture."""
        ...

    def end(self) -> None:
        """Give it back. Thread: render, after its last picture; only after a `begin` that did not raise."""
        ...

    def crop(self, image: Image, crop_from_frame: Affine, pixels: NDArray[np.uint8]) -> None:
        """Sample a crop bilinearly into `pixels` (n, n, 3); beyond the frame its border is repeated.

        Thread: inference and the side worker, which looks for hands; nothing is kept from call to call.
        """
        ...

    def compose(self, job: Job, settings: Settings, buffers: Buffers) -> Composition:
        """Draw every patch of the job over its frame and hide the bystanders. Thread: render, after `begin`."""
        ...

    def slate(self, frame: Frame | None, size_wh: tuple[int, int], settings: Settings, buffers: Buffers) -> Image:
        """What is shown instead of a picture: the card, or the frame pixelated beyond recognition.

        Thread: render. Without a frame it is always the card.
        """
        ...


class GateState(Enum):
    """What goes out."""

    LIVE = "LIVE"
    HOLD = "HOLD"
    SLATE = "SLATE"
    PASS = "PASS"  # noqa: S105 (no password)


class OutputFrame(Protocol):
    """A picture that the gate has released. Only `engine.gate` can make one."""

    @property
    def index(self) -> int:
        """0, 1, 2 … in order of emission, without gaps."""
        ...

    @property
    def state(self) -> GateState:
        """Why it may go out."""
        ...

    @property
    def image(self) -> Image:
        """RGB pixels. Whoever keeps it beyond the call retains it."""
        ...

    @property
    def job_index(self) -> int:
        """Index of the frame it shows or stands for; -1 before the first."""
        ...

    @property
    def captured_ns(self) -> int:
        """When that frame was captured."""
        ...

    @property
    def media_s(self) -> float:
        """That frame's time in the source's clock; a repeated picture carries its own, later time."""
        ...


class SinkState(Enum):
    """What an output is doing."""

    OPENING = "opening"
    RUNNING = "running"
    RECONNECTING = "reconnecting"
    """It lost whom it sends to and tries again by itself; pictures are dropped meanwhile."""
    PAUSED = "paused"
    """Asked to rest, or nobody reads."""
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """How an output is doing at one moment.

    Attributes:
        state: In one word.
        words: The same for people, in a line without a full stop; empty where the state says all. Never a secret.
        readers: How many take its pictures; None where nobody can know.
        bytes_out: What it has sent or written; None where nobody counts.
        missing: What it goes on without, and the user did not ask it to: "the microphone is gone: silence".
        dropped: Pictures that it was too slow for, or its line.
    """

    state: SinkState
    words: str = ""
    readers: int | None = None
    bytes_out: int | None = None
    missing: str = ""
    dropped: int = 0


class Sink(Protocol):
    """Where pictures go. Raises SinkOpenError on opening, SinkError later. Thread: its own, save `status`."""

    @property
    def name(self) -> str:
        """Logical name: "recording". Never a path."""
        ...

    @property
    def queue_size(self) -> int:
        """How many pictures may wait for it: 1 for what must be fresh, many for what must be whole."""
        ...

    def open(self, size_wh: tuple[int, int], fps: float) -> None:
        """Get ready for pictures of this size."""
        ...

    def send(self, frame: OutputFrame) -> None:
        """Take one picture."""
        ...

    def close(self) -> None:
        """Finish and let go of everything. Safe to call twice, and after an error.

        Raises:
            SinkError: The end could not be written, the first time only.
        """
        ...

    def status(self) -> SinkStatus:
        """How it is doing: OPENING until it is open, CLOSED after. Thread: any; returns at once."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SoundChunk:
    """A piece of sound.

    Attributes:
        samples: (n, channels) int16.
        captured_ns: When the first of them was heard, on the clock of the frames' `captured_ns`.
    """

    samples: NDArray[np.int16]
    captured_ns: int


class Microphone(Protocol):
    """Where sound comes from; opened when it is made. Raises CaptureOpenError then, CaptureLostError later."""

    @property
    def name(self) -> str:
        """As the system calls it."""
        ...

    @property
    def rate_hz(self) -> int:
        """Samples per second."""
        ...

    @property
    def channels(self) -> int:
        """1 or 2."""
        ...

    def take(self) -> Sequence[SoundChunk]:
        """What was heard since the last call, in order; at most some seconds are kept. Never waits. Thread: any one.

        Raises:
            CaptureLostError: It is gone; it must be opened anew.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None:
        """Let go of it. Safe to call twice."""
        ...


class EventLog(Protocol):
    """Where what matters is put on record (AUDIT): failed frames, parameter changes, sessions. Never waits."""

    def record(self, action: str, target: str, status: str, metadata: dict[str, Any]) -> None:
        """Put one event on record. Thread: any; returns at once."""
        ...
