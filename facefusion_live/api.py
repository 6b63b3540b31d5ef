"""The program as a library: the same gate, stages and recorder as on the command line, for scripts.

Pictures are BGR uint8 arrays, as OpenCV reads and shows them; what is handed in is never written to, what comes out is
the caller's own. What is refused raises a `FaceFusionLiveError` with `.advice` for the user.

    >>> from facefusion_live import detect_faces, swap_face
    >>> [round(face.score) for face in detect_faces("resources/avatars/dan.jpg")]
    [1]
    >>> swap_face("ada", "resources/avatars/dan.jpg").shape
    (512, 512, 3)

Every picture carries the label and the mark; `{"label.show": False, "label.reason": "..."}` leaves the label out, on
record.

A built-in avatar (`ada bo cleo dan esi fay`) shows nobody and may be used by anyone. Every other source face needs
`consent`: one of "self", "written", "licensed", "generated", "public-domain".
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self, TypedDict

import numpy as np
from numpy.typing import NDArray

from facefusion_live.app import portraits, wiring
from facefusion_live.app import script_arguments as arguments
from facefusion_live.app.audit_wiring import shared_trail
from facefusion_live.app.feed import Feed
from facefusion_live.app.frame_swapper import Emitted, FrameSwapper
from facefusion_live.app.on_record import started_session, telling_refusals
from facefusion_live.app.running import Progress, frames_expected, watch
from facefusion_live.app.script_record import ScriptRecord
from facefusion_live.domain.audit.canonical import STANDARD
from facefusion_live.domain.audit.errors import EventError
from facefusion_live.domain.audit.event import ACTIONS, OWN_ACTIONS, SESSION_EDGES, STATUSES
from facefusion_live.domain.audit.tidy import as_given, tidy_metadata
from facefusion_live.domain.disclosure import checked, checked_anew
from facefusion_live.domain.errors import BadInputError, FaceFusionLiveError
from facefusion_live.domain.ports import GateState
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.content import ADVICE
from facefusion_live.engine.gate import Fault
from facefusion_live.engine.report import SessionReport

__all__ = [
    "BgrImage",
    "DetectedFace",
    "FaceFusionLiveError",
    "FrameError",
    "FrameResult",
    "RealTimeFaceSwapper",
    "SessionReport",
    "detect_faces",
    "process_video",
    "swap_face",
]

BgrImage = NDArray[np.uint8]
"""(h, w, 3) uint8, BGR order."""
Picture = str | Path | BgrImage
"""A file, or its pixels. For a source also the name of a built-in avatar."""

_ONE_PICTURE = Settings().with_values({"track.smoothing": 0, "swap.max_crop_px": 1536, "track.proof_s": 0})
"""A single picture has no past to be smoothed with, and nobody waits for it."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """A face in a picture, in its pixels.

    Attributes:
        box_px: (4,) float32 left, top, right, bottom.
        landmarks5_px: (5, 2) float32: eye at the viewer's left, other eye, nose tip, mouth left, mouth right.
        mesh_px: (478, 3) float32 x, y, and z in the same unit (nearer is smaller).
        score: 0..1, that this is a face.
    """

    box_px: NDArray[np.float32]
    landmarks5_px: NDArray[np.float32]
    mesh_px: NDArray[np.float32]
    score: float


class FrameError(TypedDict):
    """Why a picture was not shown.

    Attributes:
        state: What is shown instead: "HOLD" (the last good picture) or "SLATE".
        reason: In a few words: "no face", "face lost", "not covered", "the scene looks nude",
            "the consent was taken back on 2026-11-26", …
        detail: What the failed step said; empty when none failed.
    """

    state: str
    reason: str
    detail: str


class FrameResult(TypedDict):
    """What became of a picture.

    Attributes:
        success: Whether `image` shows this very picture, every face that must be covered proved to be covered.
        image: (h, w, 3) BGR, safe to show in any case: the swapped picture, the last good one, or the slate.
        error_info: None on success.
    """

    success: bool
    image: BgrImage
    error_info: FrameError | None


class RealTimeFaceSwapper:
    """Swaps pictures as they come, one call per picture. Thread: any; calls of one method wait for each other.

    The bare face is never handed out: a picture that is not proved to be covered comes back as the last good one for
    `gate.hold_ms`, then as the slate.

        >>> import cv2
        >>> with RealTimeFaceSwapper("ada", camera_index="synthetic") as swapper:
        ...     frame = swapper.capture_frame()
        ...     result = swapper.process_frame(frame)
        >>> result["success"], result["image"].shape, result["error_info"]
        (True, (720, 1280, 3), None)

    Args:
        source_image: The face to draw: an avatar's name, a file, pixels, or several pictures of one person.
        camera_index: Number of the camera, or anything that `--input` takes: "synthetic", a file, a URL. It is opened
            by the first `capture_frame`; who brings pictures of their own needs none.
        fps_limit: `capture_frame` gives no more than so many pictures per second.
        use_tensorrt: Every net must run on TensorRT. Nothing falls back silently.
        consent: Why the source face may be used; avatars bring their own.
        settings: Parameters by name, as on the command line: `{"mask.feather": 0.1}`. The user's settings file is not
            read.
        audit: Put on record what a session would: consent, loads, start and stop, changed parameters, frames that
            failed. Never a normal frame.

    Raises:
        AuditStoreError: A consent cannot be put on record.
        BadInputError: A source, the consent, a parameter or a limit that cannot be used.
        InferenceError: A net cannot be loaded; with `use_tensorrt`, TensorRT does not work on this machine.
    """

    def __init__(
        self,
        source_image: Picture | Sequence[Picture],
        camera_index: int | str = 0,
        fps_limit: float = 30,
        use_tensorrt: bool = False,  # noqa: FBT001, FBT002 (the name that scripts use)
        consent: str | None = None,
        settings: Mapping[str, object] | None = None,
        *,
        audit: bool = True,
    ) -> None:
        self._settings = arguments.settings_of(settings)
        self._fps_limit = arguments.frames_per_second(fps_limit)
        self._input = arguments.input_of(camera_index)
        self._record = _record(audit=audit)
        self._record.allows(settings)
        with self._record.prepares():
            self._swapper: FrameSwapper | None = self._prepared(source_image, consent, tensorrt=use_tensorrt)
        self._feed: Feed | None = None
        self._turn, self._reading = threading.Lock(), threading.Lock()

    def capture_frame(self) -> BgrImage | None:
        """The newest picture of the camera, or None at the end of a file. Waits to keep to `fps_limit`.

        Raises:
            CaptureOpenError: The camera cannot be opened.
            CaptureLostError: No picture came in time. The camera is being opened again: call again.
        """
        with self._reading:
            self._open()
            if self._feed is None:
                self._feed = wiring.open_feed(self._input, self._settings, fps_limit=self._fps_limit)
            pixels = self._feed.picture()
        return None if pixels is None else _bgr(pixels)

    def process_frame(self, frame: BgrImage) -> FrameResult:
        """Swap one picture; pictures are taken to follow each other.

        Args:
            frame: (h, w, 3) BGR; it is not written to. Another size than before begins anew.

        Raises:
            BadInputError: It is no such array.
        """
        pixels = arguments.rgb(frame)
        with self._turn:
            emitted = self._open().swap(pixels)
        return FrameResult(
            success=emitted.state is GateState.LIVE,
            image=_bgr(emitted.pixels),
            error_info=_error_info(emitted),
        )

    def set_parameters(self, values: Mapping[str, object]) -> None:
        """Change parameters; they act on the next picture.

        Raises:
            SettingsError: No such parameter, a value that is not allowed, one that only a new swapper takes
                (`capture.…`, models), or label, mark or nudity check switched off without a reason; nothing is changed.
            AuditStoreError: The reason cannot be put on record: all of them stay.
        """
        store = self._open().store
        wanted = arguments.settings_of(values, store.current)
        self._record.allows(values)
        arguments.refuse_those_of_the_session(store.current, wanted)
        checked(wanted)
        checked_anew(store.current, wanted, values)
        self._dress(wanted)
        store.commit(values)
        self._record.disclosure.begin(wanted)

    def enrol(self, name: str, picture: Picture | Sequence[Picture]) -> None:
        """Know a person from now on, here and in the window: `swap.targets` and `swap.map` speak of them by name.

        Kept on this machine as numbers, without the pictures; `facefusion-live people forget` takes it back.

        Args:
            name: What to call them.
            picture: One or more pictures, each with that one face.

        Raises:
            BadInputError: It is no name, no such picture, or the face is somebody else's.
        """
        pictures = arguments.given_pictures(picture)
        wiring.enrol(name, pictures, self._open().store.current, self._record)

    def cleanup(self) -> None:
        """Close the camera and let go of everything. A second call does nothing."""
        with self._turn:
            swapper, self._swapper = self._swapper, None
        with self._reading:
            feed, self._feed = self._feed, None
        if feed is not None:
            feed.close()
        if swapper is not None:
            swapper.close()
            self._record.stopped(swapper.frames, swapper.leaks)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cleanup()

    def _dress(self, wanted: Settings) -> None:
        """Give people enrolled the faces that settings map to them, where that is asked anew."""
        swapper = self._open()
        if wanted.swap.map != swapper.store.current.swap.map:
            sources = (*self._sources, *swapper.dress(wanted))
            swapper.consent_problem = self._permits.in_use(sources).problem
            self._record.loads(sources[len(self._sources) :], {})

    def _prepared(
        self, source_image: Picture | Sequence[Picture], consent: str | None, *, tensorrt: bool
    ) -> FrameSwapper:
        checked(self._settings)  # before anything is loaded
        sources = arguments.sources_of(source_image, consent)
        disclosure, permits = self._record.disclosure, self._record.permits(self._settings)
        with telling_refusals(self._record):
            swapper = wiring.open_frame_swapper(
                sources,
                self._settings,
                disclosure,
                permits,
                tensorrt=tensorrt,
                events=self._record,
                consent=portraits.consent_of(consent),
            )
        self._permits, self._sources = permits, tuple(sources)
        sources += swapper.dress(self._settings)
        swapper.consent_problem = permits.in_use(tuple(sources)).problem
        disclosure.begin(self._settings)
        swapper.on_failure = self._record.failed
        swapper.store.on_commit(self._record.changed)
        self._record.loads(sources, swapper.models)
        self._record.started(self._fps_limit, self._settings)
        return swapper

    def _open(self) -> FrameSwapper:
        if self._swapper is None:
            raise BadInputError("the swapper was cleaned up", advice="Make a new RealTimeFaceSwapper.")
        return self._swapper


def detect_faces(image: Picture, *, audit: bool = True) -> list[DetectedFace]:
    """Every face in a picture, the largest first.

        >>> (face,) = detect_faces("resources/avatars/esi.jpg")
        >>> face.mesh_px.shape
        (478, 3)

    Args:
        image: A file or (h, w, 3) BGR.
        audit: Put the models on record that were loaded for it.

    Raises:
        BadInputError: It cannot be read.
    """
    found, models = wiring.find_faces(arguments.pixels_of(image))
    _record(audit=audit).loads((), models)
    return [DetectedFace(face.box_px, face.landmarks5_px, face.mesh_px, face.score) for face in found]


def swap_face(
    source: Picture | Sequence[Picture],
    target: Picture,
    *,
    consent: str | None = None,
    settings: Mapping[str, object] | None = None,
    audit: bool = True,
) -> BgrImage:
    """One picture with the source face in place of the largest face, or of all with `{"swap.targets": "all"}`.

        >>> picture = swap_face("bo", "resources/avatars/dan.jpg", settings={"look.sharpness": 0.5})
        >>> picture.dtype, picture.shape
        (dtype('uint8'), (512, 512, 3))

    Args:
        source: The face to draw: an avatar's name, a file, pixels, or several pictures of one person.
        target: The picture to change: a file or (h, w, 3) BGR. It is not written to.
        consent: Why the source face may be used; avatars bring their own.
        settings: Parameters by name.
        audit: Put consent, loads and a failure on record. Without it only faces with a consent of before may be used.

    Raises:
        AuditStoreError: A consent cannot be put on record.
        BadInputError: A picture, the consent or a parameter cannot be used, or no face in the target could be covered.
    """
    values = arguments.settings_of(settings, _ONE_PICTURE)
    record = _record(audit=audit)
    record.allows(settings)
    checked(values)  # before anything is loaded
    sources = arguments.sources_of(source, consent)
    said = portraits.consent_of(consent)
    with telling_refusals(record):
        swapper = wiring.open_frame_swapper(
            sources, values, record.disclosure, record.permits(values), events=record, consent=said
        )
    record.disclosure.begin(values)
    swapper.on_failure = record.failed
    record.loads(sources, swapper.models)
    try:
        pixels = arguments.pixels_of(target)
        emitted = swapper.swap(pixels)
        if emitted.fault in (Fault.DISAGREED, Fault.NOT_ENROLLED):
            # A face that is hard to see is believed at the second look, and known after the first: a film has a next
            # frame, a picture has itself.
            emitted = swapper.swap(pixels)
    finally:
        swapper.close()
    if emitted.state is not GateState.LIVE:
        if emitted.withheld:
            raise BadInputError(
                f"the target picture was not swapped: {emitted.withheld}", advice=ADVICE[emitted.withheld]
            )
        reason = emitted.fault.value if emitted.fault else "not released"
        raise BadInputError(
            f"the target picture was not swapped: {reason}", advice="Give a picture in which a face is plainly seen."
        )
    return _bgr(emitted.pixels)


def process_video(  # noqa: PLR0913 (one argument per choice, all but three with a default)
    source: Picture | Sequence[Picture],
    input: str | Path,  # noqa: A002 (the flag's name)
    output: str | Path,
    *,
    consent: str | None = None,
    settings: Mapping[str, object] | None = None,
    frame_limit: int | None = None,
    states: str | Path | None = None,
    on_progress: Progress | None = None,
) -> SessionReport:
    """Swap a whole film: every frame, in order, with its sound. Always on record, as on the command line.

    Args:
        source: The face to draw: an avatar's name, a file, pixels, or several pictures of one person.
        input: The film, or anything that `--input` takes.
        output: `.mp4` (H.264) or `.mkv` (lossless).
        consent: Why the source face may be used; avatars bring their own.
        settings: Parameters by name.
        frame_limit: End after so many frames.
        states: Where the list of emitted frames goes: index, state, index of the captured frame.
        on_progress: Called now and then on the caller's thread with the frames so far and the frames in all (None
            where nobody knows). An error that it raises ends the work; the file is closed.

    Returns:
        Counters and latencies. `state_frames` tells how many frames were swapped (LIVE), and how many held or slate.

    Raises:
        BadInputError: Something that was asked for cannot be had.
        FaceFusionLiveError: It broke on the way; the file holds what was made until then.
    """
    wanted = _film_request(source, input, output, consent, settings, frame_limit, states)
    _record(audit=True).allows(settings)
    tell = arguments.progress_of(on_progress)
    with started_session(wanted, trail=shared_trail()) as opened:
        session = opened.session
        total = frames_expected(session.format, wanted.frame_limit)
        problem = watch(session, lambda: tell(session.report(1).frames_out, total))
    if problem is not None:
        raise problem
    return session.report()


def _film_request(
    source: Picture | Sequence[Picture],
    given: str | Path,
    output: str | Path,
    consent: str | None,
    settings: Mapping[str, object] | None,
    frame_limit: int | None,
    states: str | Path | None,
) -> wiring.Request:
    return wiring.Request(
        sources=arguments.given_pictures(source),
        consent=portraits.consent_of(consent),
        input=arguments.input_of(given),
        output=arguments.file_of(output),
        states=None if states is None else arguments.file_of(states),
        engine="mesh",
        settings=arguments.settings_of(settings),
        offline=True,
        frame_limit=arguments.frame_count(frame_limit),
    )


def log_audit_event(
    *,
    user_id: str,
    action: str,
    target: str,
    status: str = "success",
    metadata: Mapping[str, Any] | None = None,
    client_ip: str = "local",
) -> None:
    """Put one event on record. Returns at once. Thread: any.

    Args:
        user_id: Who; a team's prefix ("team-a-") is kept, everything else is masked before it is written.
        action: As `docs/audit.md` lists them, save those that only the trail itself may record.
        target: Logical: "camera:0". What `docs/audit.md` does not list is masked.
        status: success, failure or denied.
        metadata: What belongs to it, at most 4 KiB. Floats become thousandths; paths and addresses are masked; bytes,
            arrays and long lists of numbers are told by their digest. May be changed afterwards.
        client_ip: From where; masked before it is written.

    Raises:
        EventError: No such action or status, one that only the trail itself may record, or words that are no words. It
            is a ValueError, too, with `.advice`.
    """
    words = {"user_id": user_id, "action": action, "target": target, "status": status, "client_ip": client_ip}
    _check_words(words, metadata)
    # A copy: the script may change its own while the row waits. The writer masks it.
    try:
        kept = tidy_metadata(action, dict(metadata or {}), as_given, STANDARD)
    except Exception as error:  # whatever an object of the script's own does when it is asked for its words
        message = f"the metadata cannot be told: {type(error).__name__} when they were asked for their words"
        raise EventError(message, advice="Give texts, numbers, lists and mappings.") from error
    trail = shared_trail()
    if action not in SESSION_EDGES:  # who begins sessions of their own needs none of ours
        trail.ensure_session("script")
    trail.record(action, target, status, kept, user=user_id, client_ip=client_ip)


def _check_words(words: Mapping[str, object], metadata: object) -> None:
    """A script may hand over anything; the writer must not stumble over it."""
    for name, word in words.items():
        if not isinstance(word, str):
            raise EventError(f"{name} is a {type(word).__name__} and no text", advice="Give one word, as 'camera:0'.")
    if not isinstance(metadata, Mapping | None):
        advice = "Give a mapping, as {'blend': 0.85}."
        raise EventError(f"metadata is a {type(metadata).__name__} and no mapping", advice=advice)
    allowed = {"action": ACTIONS - OWN_ACTIONS, "status": STATUSES}
    for name, known in allowed.items():
        if words[name] not in known:
            near = get_close_matches(str(words[name]), known, 1) or sorted(known)
            raise EventError(f"no script may record the {name} {words[name]!r:.60}", advice=f"Say {' or '.join(near)}.")


def _record(*, audit: bool) -> ScriptRecord:
    return ScriptRecord(shared_trail if audit else None)


def _bgr(pixels: NDArray[np.uint8]) -> BgrImage:
    return np.ascontiguousarray(pixels[..., ::-1])


def _error_info(emitted: Emitted) -> FrameError | None:
    if emitted.state is GateState.LIVE:
        return None
    reason = emitted.barred or emitted.withheld or (emitted.fault.value if emitted.fault else "not released")
    return FrameError(state=emitted.state.value, reason=reason, detail=emitted.detail)
