"""The table of settings: each parameter is one annotated field, and nothing about it is written anywhere else.

Settings are a frozen value. A change makes a new one: `settings.with_values({"mask.feather": 0.2})`.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any

from facefusion_live.domain import face_map, label
from facefusion_live.domain.errors import SettingsError
from facefusion_live.domain.parameter import (
    Acts,
    Choice,
    Parameter,
    Range,
    Text,
    Uniform,
    Value,
    Words,
    parameters_of,
)
from facefusion_live.domain.remote import are_tasks, is_address

NO_ENHANCER = "none"
MOST_BOOST = 4
NO_MASK = "none"
_SHARE = Range(0, 1, 0.01)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What is asked of the camera, and how its picture is turned."""

    width: Annotated[
        int, Range(160, 3840, 16, "px"), Acts.SESSION, Words("Width", "Picture width asked of the camera.")
    ] = 1280
    height: Annotated[
        int, Range(120, 2160, 16, "px"), Acts.SESSION, Words("Height", "Picture height asked of the camera.")
    ] = 720
    fps: Annotated[
        float, Range(1, 240, 1, "frames/s"), Acts.SESSION, Words("Frame rate", "Frame rate asked of the camera.")
    ] = 30.0
    mirror: Annotated[
        bool, Acts.SESSION, Words("Mirror", "Flip the captured picture left to right, as a mirror shows it.")
    ] = False
    rotation: Annotated[
        str,
        Choice(("0", "90", "180", "270")),
        Acts.SESSION,
        Words("Rotation", "Turn the captured picture clockwise, in degrees."),
    ] = "0"
    open_timeout_s: Annotated[
        float, Range(0.5, 120, 0.5, "s"), Acts.SESSION, Words("Open timeout", "How long a stream may take to answer.")
    ] = 10.0
    read_timeout_s: Annotated[
        float,
        Range(0.2, 60, 0.1, "s"),
        Acts.SESSION,
        Words("Read timeout", "How long a source may be silent before it counts as lost."),
    ] = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Detect:
    """How faces are found."""

    model: Annotated[
        str,
        Choice(("auto", "blazeface_short", "blazeface_full", "yunet_2023mar"), other="the name of a detector's card"),
        Acts.SESSION,
        Words("Detector", "Auto asks the full-range net, then the one for near faces, then the one for far ones."),
    ] = "auto"
    score: Annotated[
        float, _SHARE, Acts.INFERENCE, Words("Detection threshold", "How sure the detector must be of a new face.")
    ] = 0.5
    every_n: Annotated[
        int,
        Range(1, 30, 1, "frames"),
        Acts.INFERENCE,
        Words("Detect every", "Look for faces every so many frames; above 1, a newcomer can be bare until then."),
    ] = 1
    max_faces: Annotated[
        int, Range(1, 16, 1, "faces"), Acts.INFERENCE, Words("Most faces", "How many faces are followed at a time.")
    ] = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """How a face is followed from frame to frame."""

    smoothing: Annotated[
        float,
        _SHARE,
        Acts.INFERENCE,
        Words("Smoothing", "Steadies a face at rest; a moving one is followed without delay."),
    ] = 0.5
    landmarker: Annotated[
        str,
        Text("mesh, or the name of a landmarker's card"),
        Acts.SESSION,
        Words("Landmarker", "Whose points nets are aligned by: the mesh, or a landmarker that you brought."),
    ] = "mesh"
    lost_ms: Annotated[
        int,
        Range(0, 5000, 50, "ms"),
        Acts.INFERENCE,
        Words("Lost after", "How long a face that vanished is still expected back."),
    ] = 500
    refined: Annotated[
        bool,
        Acts.INFERENCE,
        Words("Refined mesh", "Follow lips and eyes more finely; without it faces are followed in half the time."),
    ] = True
    ask_again_s: Annotated[
        float,
        Range(0.5, 10, 0.5, "s"),
        Acts.INFERENCE,
        Words("Recognise every", "How often a face that is known already is shown to the recogniser again."),
    ] = 1.0
    proof_s: Annotated[
        float,
        Range(0, 10, 0.5, "s"),
        Acts.INFERENCE,
        Words(
            "Picture after", "A face that never moved for so long is a picture, if another one lives; 0 looks for none."
        ),
    ] = 2.0
    recogniser: Annotated[
        str,
        Text("auto, or the name of a recogniser's card"),
        Acts.SESSION,
        Words("Recogniser", "Which net knows people; auto takes ArcFace where you brought it, else the built-in one."),
    ] = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Who is replaced, and how finely."""

    targets: Annotated[
        str,
        Choice(("largest", "all", "enrolled")),
        Acts.INFERENCE,
        Words("Replace", "The largest face, every face in the picture, or only those of the people enrolled."),
    ] = "largest"
    map: Annotated[
        str,
        Text(face_map.WORDS, face_map.is_map),
        Acts.INFERENCE,
        Words("Own faces", "Which face people enrolled get, by their names; the others get the one chosen."),
    ] = ""
    enhancer: Annotated[
        str,
        Text("none, or the name of an enhancer's card"),
        Acts.SESSION,
        Words("Enhancer", "A net that you brought and that redraws the swap more finely; Enhance mixes it in."),
    ] = NO_ENHANCER
    occlusion: Annotated[
        float,
        _SHARE,
        Acts.INFERENCE,
        Words(
            "Show hands",
            "How much is seen of a hand before your face; 0 paints over it. Beside it some of your skin may show.",
        ),
    ] = 0.0
    keep_glasses: Annotated[
        float,
        _SHARE,
        Acts.INFERENCE,
        Words("Keep glasses", "How much is seen of the dark frames of your glasses; 0 paints over them."),
    ] = 1.0
    occluder: Annotated[
        str,
        Text("none, or the name of an occlusion net's card"),
        Acts.SESSION,
        Words(
            "Occlusion net",
            "A net that you brought; it shows what lies before the face: a hand, a microphone. Show hands rests then.",
        ),
    ] = NO_MASK
    parser: Annotated[
        str,
        Text("none, or the name of a face parser's card"),
        Acts.SESSION,
        Words("Face parser", "A net that you brought; it tells skin from hair and hats, and those stay yours."),
    ] = NO_MASK
    mask_strength: Annotated[
        float,
        _SHARE,
        Acts.INFERENCE,
        Words(
            "Mask strength",
            "How much of what these nets see before the face is shown; where they take too much of it, the gate shuts.",
        ),
    ] = 1.0
    mask_every: Annotated[
        int,
        Range(1, 3, 1),
        Acts.INFERENCE,
        Words("Pictures per mask", "For how many pictures an answer of these nets serves; it moves with the face."),
    ] = 1
    max_crop_px: Annotated[
        int,
        Range(128, 1536, 64, "px"),
        Acts.INFERENCE,
        Words("Largest crop", "Faces larger than this are computed smaller and scaled up: a limit for slow machines."),
    ] = 768
    likeness: Annotated[
        float,
        _SHARE,
        Acts.INFERENCE,
        Words(
            "Likeness", "For nets told by numbers: above the middle the face moves away from your own, below nearer."
        ),
    ] = 0.5
    morph: Annotated[
        float,
        _SHARE,
        Acts.INFERENCE,
        Words("Morph", "For models of one person that take it: how much of that person is painted, how little of you."),
    ] = 0.75
    pixel_boost: Annotated[
        int,
        Range(1, MOST_BOOST, 1, "times"),
        Acts.INFERENCE,
        Words("Pixel boost", "The net paints the face in 4, 9 or 16 interleaved parts, and as often costs its time."),
    ] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """Where the swap covers the camera's picture."""

    feather: Annotated[
        float,
        Range(0, 0.5, 0.005, "of crop width"),
        Acts.RENDER,
        Uniform("u_feather"),
        Words("Feather", "How wide the soft edge is; above about .1 it needs padding, or the gate shuts."),
    ] = 0.05
    padding: Annotated[
        float,
        Range(0, 0.1, 0.005, "of crop width"),
        Acts.RENDER,
        Uniform("u_padding"),
        Words("Padding", "Moves the edge outward."),
    ] = 0.0
    erosion: Annotated[
        float,
        Range(0, 0.1, 0.005, "of crop width"),
        Acts.RENDER,
        Uniform("u_erosion"),
        Words("Erosion", "Moves the edge inward; too much bares the rim of your face, and the gate shuts."),
    ] = 0.005
    keep_eyes: Annotated[
        float, _SHARE, Acts.RENDER, Uniform("u_keep_eyes"), Words("Keep eyes", "How much of your own eyes is seen.")
    ] = 1.0
    keep_mouth: Annotated[
        float,
        _SHARE,
        Acts.RENDER,
        Uniform("u_keep_mouth"),
        Words("Keep mouth", "How much of your own teeth and tongue is seen."),
    ] = 1.0
    keep_brows: Annotated[
        float, _SHARE, Acts.RENDER, Uniform("u_keep_brows"), Words("Keep brows", "How much of your own brows is seen.")
    ] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the swapped face looks."""

    opacity: Annotated[
        float,
        _SHARE,
        Acts.RENDER,
        Uniform("u_opacity"),
        Words(
            "Opacity",
            "Mixes the swap with the camera's picture; below about .92 your own face shows through: the gate shuts.",
        ),
    ] = 1.0
    match: Annotated[
        float,
        _SHARE,
        Acts.RENDER,
        Uniform("u_match"),
        Words("Match light", "How closely the swap takes on the light and colour of the scene."),
    ] = 1.0
    highlights: Annotated[
        float,
        _SHARE,
        Acts.RENDER,
        Uniform("u_highlights"),
        Words("Highlights", "How much of the highlights on your skin lies on the swap, as far as light is matched."),
    ] = 0.5
    sharpness: Annotated[
        float,
        Range(0, 2, 0.05),
        Acts.RENDER,
        Uniform("u_sharpness"),
        Words("Sharpness", "Brings out fine detail of the swap."),
    ] = 0.25
    enhance: Annotated[
        float,
        _SHARE,
        Acts.RENDER,
        Uniform("u_enhance"),
        Words("Enhance", "Mixes in the enhancer's picture, where an enhancer is loaded."),
    ] = 0.0
    face_scale: Annotated[
        float,
        Range(0.8, 1.25, 0.01),
        Acts.RENDER,
        Uniform("u_face_scale"),
        Words("Face scale", "Draws the swap larger or smaller; one too small for your face shuts the gate."),
    ] = 1.0
    face_shape: Annotated[
        float,
        _SHARE,
        Acts.RENDER,
        Words("Face shape", "Bends jaw and cheeks toward the source's, and gently what is around them."),
    ] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """What runs the nets."""

    provider: Annotated[
        str,
        Choice(("auto", "tensorrt", "cuda", "directml", "coreml", "openvino", "cpu")),
        Acts.SESSION,
        Words(
            "Nets run on", "Auto takes the first that really works, for nets that you brought; the window asks once."
        ),
    ] = "auto"
    remote: Annotated[
        str,
        Text("grpcs://HOST:PORT, or nothing", is_address),
        Acts.SESSION,
        Words(
            "Server for nets",
            "Runs nets that you brought (Open Inference Protocol); pictures of faces go there. The window asks once.",
        ),
    ] = ""
    remote_tasks: Annotated[
        str,
        Text("swapper, enhancer, recogniser: one or more, with commas between", are_tasks),
        Acts.SESSION,
        Words("What the server runs", "Which nets run there, under the names of their cards; the others run here."),
    ] = "swapper, enhancer, recogniser"
    remote_timeout_ms: Annotated[
        int,
        Range(20, 5000, 10, "ms"),
        Acts.SESSION,
        Words("Server's time", "How long the server may take for one run of a net; then the picture counts as failed."),
    ] = 250
    remote_ca: Annotated[
        str,
        Text("the path of a list of certificates (PEM), or nothing for the system's"),
        Acts.SESSION,
        Words("Server's authority", "Who vouches for the server; for one of your own, its authority's certificate."),
    ] = ""
    remote_plain: Annotated[
        str,
        Text("why pictures of faces may travel unencrypted; it goes on record"),
        Acts.SESSION,
        Words("Reason for no encryption", "Why grpc:// may be used to another machine. Without one it is refused."),
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a live picture may cost, and whether less is computed where it costs more."""

    govern: Annotated[
        bool,
        Acts.INFERENCE,
        Words("Governor", "Compute less, step by step, while the machine does not keep up; it comes back by itself."),
    ] = True
    fps: Annotated[
        float,
        Range(0, 240, 1, "frames/s"),
        Acts.INFERENCE,
        Words("Frames wanted", "How many of the frames that come in must be swapped; 0 wants all of them."),
    ] = 0.0
    late_ms: Annotated[
        int,
        Range(0, 2000, 10, "ms"),
        Acts.INFERENCE,
        Words("Oldest picture", "How old pictures may be when they go out, but for one in twenty; 0 sets no limit."),
    ] = 100
    processor: Annotated[
        float,
        Range(0.1, 1, 0.05),
        Acts.INFERENCE,
        Words("Processor share", "How much of all processors the program may take; 1 sets no limit."),
    ] = 1.0
    gpu_free_mib: Annotated[
        int,
        Range(0, 65_536, 64, "MiB"),
        Acts.INFERENCE,
        Words("Graphics memory left", "How much memory of the graphics card must stay free; 0 sets no limit."),
    ] = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """What composes the picture."""

    backend: Annotated[
        str,
        Choice(("auto", "gl", "cpu")),
        Acts.SESSION,
        Words("Composed by", "Auto measures graphics device and processor at the start, and takes the faster one."),
    ] = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What goes out when a face is not covered."""

    hold_ms: Annotated[
        int,
        Range(0, 10000, 50, "ms"),
        Acts.RENDER,
        Words("Hold", "How long the last good picture is shown before the slate."),
    ] = 500
    max_age_ms: Annotated[
        int,
        Range(0, 1000, 10, "ms"),
        Acts.RENDER,
        Words(
            "Oldest picture",
            "A live picture that a hiccup made older than this is left out, as long as pictures are on time as a rule. "
            "0: never.",
        ),
    ] = 100
    slate: Annotated[
        str,
        Choice(("card", "pixelate")),
        Acts.RENDER,
        Words("Slate", "What is shown instead: a picture, or the camera pixelated beyond recognition."),
    ] = "card"
    slate_picture: Annotated[
        str,
        Text("the path of a picture, or nothing for the built-in one"),
        Acts.SESSION,
        Words("Slate picture", "The picture shown as slate."),
    ] = ""
    bystanders: Annotated[
        str,
        Choice(("keep", "blur", "cover")),
        Acts.RENDER,
        Words("Bystanders", "What happens to faces that are not replaced."),
    ] = "blur"
    turned_deg: Annotated[
        int,
        Range(30, 90, 1, "degrees"),
        Acts.INFERENCE,
        Words(
            "Turned away",
            "Faces turned further to a side than this fade to what is done with bystanders, or are blurred: a profile "
            "cannot be drawn well. Full profiles count as about 60 degrees. 90: never.",
        ),
    ] = 52


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentRules:
    """What must not go out, however well the faces are covered."""

    check: Annotated[
        bool,
        Acts.INFERENCE,
        Words("Nudity check", "Show the slate while a net takes the scene for nude. Off asks for a reason."),
    ] = True
    reason: Annotated[
        str,
        Text("why scenes are not looked at; it goes on record"),
        Acts.INFERENCE,
        Words("Reason for no check", "Why the nudity check is off. Without one it stays on."),
    ] = ""
    threshold: Annotated[
        float,
        Range(0.3, 0.95, 0.05),
        Acts.INFERENCE,
        Words("Nudity threshold", "How sure the net must be; lower is stricter."),
    ] = 0.7
    calm_s: Annotated[
        float,
        # Not 0: inference is some pictures ahead, and those on their way were judged by nobody.
        Range(1, 60, 1, "s"),
        Acts.INFERENCE,
        Words("Calm for", "How long a scene must be harmless again before it is shown."),
    ] = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """How pictures say that they are synthesised."""

    show: Annotated[
        bool, Acts.RENDER, Words("Label", "Show the label in every outgoing picture. Off asks for a reason.")
    ] = True
    mark: Annotated[
        bool,
        Acts.RENDER,
        Words("Invisible mark", "Hide a mark in every outgoing picture that programs can read. Off asks for a reason."),
    ] = True
    reason: Annotated[
        str,
        Text("why label or mark are left out; it goes on record"),
        Acts.RENDER,
        Words("Reason", "Why label or mark are off. Without one they stay on."),
    ] = ""
    language: Annotated[
        str, Choice(label.LANGUAGES), Acts.RENDER, Words("Label language", "In which language the label speaks.")
    ] = "both"
    text: Annotated[
        str,
        Text(label.OWN_TEXT, label.is_whole),
        Acts.RENDER,
        Words("Label text", "Your own words; they must say that AI synthesised the picture."),
    ] = ""
    corner: Annotated[
        str, Choice(label.CORNERS), Acts.RENDER, Words("Label place", "The corner where the label stands.")
    ] = "top right"
    height: Annotated[
        float,
        Range(label.LEAST_HEIGHT, 0.15, 0.005, "of the shorter side"),
        Acts.RENDER,
        Words("Label height", "How high its letters are."),
    ] = label.LEAST_HEIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How a recording is encoded."""

    quality: Annotated[
        int,
        Range(0, 51, 1, "crf"),
        Acts.SESSION,
        Words("Quality", "Constant rate factor of H.264: smaller is better and larger on disk."),
    ] = 20
    preset: Annotated[
        str,
        Choice(("ultrafast", "superfast", "veryfast", "faster", "fast", "medium")),
        Acts.SESSION,
        Words("Encoder preset", "Faster presets spare the processor and make larger files."),
    ] = "superfast"
    split_min: Annotated[
        int,
        Range(0, 1440, 5, "min"),
        Acts.SESSION,
        Words("New file every", "Begin a new file after so many minutes; 0 keeps one file."),
    ] = 0
    split_mib: Annotated[
        int,
        Range(0, 1_000_000, 100, "MiB"),
        Acts.SESSION,
        Words("New file at", "Begin a new file when one has reached this size; 0 keeps one file."),
    ] = 0
    keep_free_mib: Annotated[
        int,
        Range(0, 100_000, 50, "MiB"),
        Acts.SESSION,
        Words("Keep free", "End the recording in good order when the disk has no more than this left."),
    ] = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """What is heard in recordings and streams."""

    source: Annotated[
        str,
        Choice(("auto", "microphone", "silence", "none")),
        Acts.SESSION,
        Words(
            "Sound",
            "Auto is the sound of the input file, and in streams silence where it has none; the microphone is opened "
            "only when asked for.",
        ),
    ] = "auto"
    microphone: Annotated[
        str,
        Text("the name of a microphone, or nothing for the system's choice"),
        Acts.SESSION,
        Words("Microphone", "Which microphone is taken."),
    ] = ""
    offset_ms: Annotated[
        int,
        Range(-1000, 1000, 5, "ms"),
        Acts.SESSION,
        Words("Sound offset", "Moves the sound against the picture; above 0 it is heard later."),
    ] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """How pictures are sent to a server."""

    encoder: Annotated[
        str,
        Choice(("auto", "x264", "nvenc", "qsv", "amf", "videotoolbox")),
        Acts.SESSION,
        Words("Stream encoder", "Auto takes the first graphics card's encoder that really works here, else x264."),
    ] = "auto"
    bitrate_kbit: Annotated[
        int,
        Range(200, 50_000, 100, "kbit/s"),
        Acts.SESSION,
        Words("Stream bit rate", "What the line must carry; servers say how much they take."),
    ] = 4000
    key_frame_s: Annotated[
        float,
        Range(0.5, 10, 0.5, "s"),
        Acts.SESSION,
        Words("Key frame every", "How long newcomers wait for a picture; servers ask for 2."),
    ] = 2.0
    preset: Annotated[
        str,
        Choice(("ultrafast", "superfast", "veryfast", "faster", "fast", "medium")),
        Acts.SESSION,
        Words("Stream preset", "For x264: slower presets look better at the same bit rate."),
    ] = "superfast"
    sound_kbit: Annotated[
        int,
        Range(32, 320, 16, "kbit/s"),
        Acts.SESSION,
        Words("Sound bit rate", "Of the sound in streams."),
    ] = 128
    timeout_s: Annotated[
        float,
        Range(1, 60, 0.5, "s"),
        Acts.SESSION,
        Words("Server timeout", "How long a server may take to answer, and to take a picture."),
    ] = 8.0
    ca_file: Annotated[
        str,
        Text("the path of a list of certificates (PEM), or nothing for the system's"),
        Acts.SESSION,
        Words(
            "Trusted authorities",
            "Who vouches for servers that speak TLS; for a server of your own, the certificate of its authority.",
        ),
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualCamera:
    """The camera that conference programs see."""

    name: Annotated[
        str,
        Text("a name"),
        Acts.SESSION,
        Words("Camera name", "What conference programs list."),
    ] = "FaceFusion Live Camera"
    size: Annotated[
        str,
        Choice(("input", "640x360", "640x480", "960x540", "1280x720", "1920x1080")),
        Acts.SESSION,
        Words("Camera size", "Pictures of another shape get black bars; input takes the size that comes in."),
    ] = "input"
    fps: Annotated[
        str,
        Choice(("input", "15", "20", "24", "25", "30", "50", "60")),
        Acts.SESSION,
        Words("Camera rate", "Most pictures per second that conference programs get; input takes what comes in."),
    ] = "input"
    format: Annotated[
        str,
        Choice(("YUY2", "I420", "NV12")),
        Acts.SESSION,
        Words("Camera format", "The pixel format offered first; programs may choose one of the others."),
    ] = "YUY2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """How long the record of failed frames and parameter changes is kept at hand."""

    keep_days: Annotated[
        int,
        Range(0, 3650, 1, "days"),
        Acts.SESSION,
        Words("Keep for", "Older rows go into an archive when a session starts; 0 keeps all at hand."),
    ] = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRules:
    """What it takes to use somebody's face."""

    approval: Annotated[
        bool,
        Acts.SESSION,
        Words("Second person", "Each consent must be confirmed with the operator's code before the face is used."),
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All parameters at one moment."""

    capture: Capture = field(default_factory=Capture)
    detect: Detect = field(default_factory=Detect)
    track: Track = field(default_factory=Track)
    swap: Swap = field(default_factory=Swap)
    mask: Mask = field(default_factory=Mask)
    look: Look = field(default_factory=Look)
    inference: Inference = field(default_factory=Inference)
    budget: Budget = field(default_factory=Budget)
    render: Render = field(default_factory=Render)
    gate: Gate = field(default_factory=Gate)
    content: ContentRules = field(default_factory=ContentRules)
    label: Label = field(default_factory=Label)
    consent: ConsentRules = field(default_factory=ConsentRules)
    record: Record = field(default_factory=Record)
    sound: Sound = field(default_factory=Sound)
    stream: Stream = field(default_factory=Stream)
    virtual_camera: VirtualCamera = field(default_factory=VirtualCamera)
    audit: Audit = field(default_factory=Audit)

    def value(self, path: str) -> Value:
        """The value at `group.name`.

        Raises:
            SettingsError: No such parameter.
        """
        row = parameter(path)
        return getattr(getattr(self, row.group), row.name)

    def with_values(self, values: Mapping[str, object]) -> "Settings":
        """These settings with some values replaced.

        Args:
            values: New values by `group.name`.

        Raises:
            SettingsError: No such parameter, or a value that is not allowed.
        """
        groups: dict[str, dict[str, Value]] = {}
        for path, value in values.items():
            row = parameter(path)
            groups.setdefault(row.group, {})[row.name] = row.check(value)
        changed: dict[str, Any] = {
            group: dataclasses.replace(getattr(self, group), **fields) for group, fields in groups.items()
        }
        return dataclasses.replace(self, **changed)

    def changes_from(self, other: "Settings") -> dict[str, tuple[Value, Value]]:
        """What differs: `group.name` to (value in the other, value here), in table order."""
        pairs = {path: (other.value(path), self.value(path)) for path in PARAMETERS}
        return {path: (old, new) for path, (old, new) in pairs.items() if old != new}


PARAMETERS: Mapping[str, Parameter] = MappingProxyType({row.path: row for row in parameters_of(Settings)})
"""Every parameter by `group.name`, in the order of the table."""


def parameter(path: str) -> Parameter:
    """The row of the table at `group.name`.

    Raises:
        SettingsError: No such parameter; the advice names the nearest ones.
    """
    try:
        return PARAMETERS[path]
    except KeyError:
        group = path.partition(".")[0]
        near = [known for known in PARAMETERS if known.startswith(group + ".")]
        advice = f"Group '{group}' has: {', '.join(near)}." if near else f"Groups: {', '.join(_groups())}."
        raise SettingsError(f"there is no parameter {path!r}", advice=advice) from None


def _groups() -> tuple[str, ...]:
    return tuple(group.name for group in dataclasses.fields(Settings))
