"""A model is a card: what an ONNX file is, where it comes from, and how pictures go in and come out.

A card is a TOML file beside the model, read with `ModelCard.parse`. Whatever differs between models of a family is
data here, so that a new model is one card and no code.
"""

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NoReturn, TypeVar, cast, get_args

from facefusion_live.domain.errors import ModelCardError
from facefusion_live.domain.geometry import TEMPLATES

Task = Literal[
    "detector",
    "landmarker",
    "recogniser",
    "segmenter",
    "palm_detector",
    "hand_landmarker",
    "swapper",
    "enhancer",
    "converter",
]
"""What a model is for. A converter turns one recogniser's embedding into another's: no picture goes in or out."""

Decoder = Literal[
    "blazeface",
    "yunet",
    "anchor_distances",
    "prior_boxes",
    "yolov5_face",
    "yolov8_face",
    "face_mesh",
    "face_mesh_attention",
    "embedding",
    "mask",
    "palm",
    "hand_landmarks",
]
"""How numbers that are no picture are read; each name is explained by the adapter that implements it."""

ColourOrder = Literal["RGB", "BGR", "grey"]
Layout = Literal["NCHW", "NHWC"]
IdentityKind = Literal["image", "embedding"]
Normalise = Literal["none", "before", "after"]

_CHANNELS: Final[Mapping[ColourOrder, int]] = {"RGB": 3, "BGR": 3, "grey": 1}
_PICTURE_MAKERS: Final[tuple[Task, ...]] = ("swapper", "enhancer")
_ID: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_LICENCE: Final = re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*|(non-commercial|unknown): \S.*")
_URL: Final = re.compile(r"https://[^\s/]+/\S+")
_ADVICE: Final = "Correct the model's card, or fetch the card again from where it came."

_Choice = TypeVar("_Choice", bound=str)


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """How a picture is laid out in a tensor: (level / 255 * white - mean) / std.

    Attributes:
        size_px: Edge of the square picture.
        colour_order: Order of the channels.
        layout: Order of the axes; the batch is 1.
        white: Value of level 255 before mean and deviation are applied, 1 or 255.
        mean: One number per channel, in units of `white`.
        std: One number per channel, in units of `white`, never 0.
        template: The alignment template that the crop is cut by; None for a picture that is not aligned.
    """

    size_px: int
    colour_order: ColourOrder
    layout: Layout
    white: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    template: str | None

    @property
    def scale(self) -> tuple[float, ...]:
        """Per channel: tensor = level * scale + shift, levels 0..255."""
        return tuple(self.white / 255 / std for std in self.std)

    @property
    def shift(self) -> tuple[float, ...]:
        """Per channel: tensor = level * scale + shift, levels 0..255."""
        return tuple(0.0 - mean / std for mean, std in zip(self.mean, self.std, strict=True))


@dataclass(frozen=True, slots=True)
class DecodedOutput:
    """Outputs that are no picture.

    Attributes:
        decoder: How they are read.
        names: The graph's outputs in the order in which the decoder takes them.
        anchors: (anchors per cell, stride in pixels) of each detection layer, or for "prior_boxes" (edge, stride) of
            each prior; empty where there are none.
    """

    decoder: Decoder
    names: tuple[str, ...]
    anchors: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """How a swapper is told who to draw.

    Attributes:
        kind: By a picture of the source face or by its embedding.
        picture: That picture's format; None for an embedding.
        recogniser: Id of the card whose embedding it takes; None for a picture.
        project: What the embedding goes through: "" nothing, "initialiser" the matrix that is the graph's last
            initialiser, or the id of a converter's card.
        normalise: Whether the embedding is brought to unit length before or after that.
        mix: Whether mixing in the target's embedding has an effect (the likeness slider).
    """

    kind: IdentityKind
    picture: PictureFormat | None
    recogniser: str | None
    project: str
    normalise: Normalise
    mix: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """The public wheel that a built-in model was made from.

    Attributes:
        wheel: Name of the project on the Python package index.
        version: Its release.
        wheel_sha256: Digest of the wheel's file.
        path: The model inside the wheel.
    """

    wheel: str
    version: str
    wheel_sha256: str
    path: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is, where it comes from and how it is used.

    Attributes:
        id: Name of the card and of its file.
        task: What the model is for.
        vendor: Who trained and published it.
        licence: SPDX expression, or "non-commercial: <terms>", or "unknown: <what is known>".
        licence_file: File in `resources/licences`; None for a model that users bring.
        file: Name of the model's file.
        sha256: Digest of that file; None = not known from the publisher, the first download pins it.
        size: Bytes of that file; None = not known either.
        origin: The wheel that a built-in model was made from.
        urls: Where the file can be fetched, best first; empty for built-in models.
        target: The picture that goes in (table `[input]`, of swappers `[target]`); None for converters.
        output: What comes out; None for converters.
        identity: How the source face goes in; None for all but swappers.
    """

    id: str
    task: Task
    vendor: str
    licence: str
    licence_file: str | None
    file: str
    sha256: str | None
    size: int | None
    origin: Origin | None
    urls: tuple[str, ...]
    target: PictureFormat | None
    output: PictureFormat | DecodedOutput | None
    identity: Identity | None

    @classmethod
    def parse(cls, text: str) -> "ModelCard":
        """Read a card from TOML.

        Raises:
            ModelCardError: The text is no TOML, or not a valid card.
        """
        try:
            mapping = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ModelCardError(f"not TOML: {error}", advice=_ADVICE) from error
        return cls.from_mapping(mapping)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> "ModelCard":
        """Read a card from parsed TOML.

        Raises:
            ModelCardError: A key is unknown or missing, or its value is not allowed; the message names the key.
        """
        table = _Table(mapping)
        task = table.choice("task", get_args(Task))
        urls = table.texts("urls", _URL)
        # What the program brings along is known to the last byte; of what users fetch, the publisher may tell less.
        built_in = not urls
        card = cls(
            id=table.text("id", _ID),
            task=task,
            vendor=table.text("vendor"),
            licence=table.text("licence", _LICENCE),
            licence_file=table.text("licence_file", _FILE_NAME) if built_in or table.has("licence_file") else None,
            file=table.text("file", _FILE_NAME),
            sha256=table.text("sha256", _SHA256) if built_in or table.has("sha256") else None,
            size=table.natural("size") if built_in or table.has("size") else None,
            origin=_origin(table.table("origin")) if built_in or table.has("origin") else None,
            urls=urls,
            target=_target(table, task),
            output=_output(table, task),
            identity=_identity(table.table("identity")) if task == "swapper" else None,
        )
        table.finish()
        return card


def _target(table: "_Table", task: Task) -> PictureFormat | None:
    if task == "converter":
        return None
    return _picture(table.table("target" if task == "swapper" else "input"))


def _output(table: "_Table", task: Task) -> PictureFormat | DecodedOutput | None:
    if task == "converter":
        return None
    output = table.table("output")
    return _picture(output) if task in _PICTURE_MAKERS else _decoded(output)


def _picture(table: "_Table") -> PictureFormat:
    colour_order = table.choice("colour_order", get_args(ColourOrder))
    channels = _CHANNELS[colour_order]
    std = table.numbers("std", channels)
    if 0 in std:
        table.fail("std", "must not be 0")
    white = table.numbers("white", 1)[0] if table.has("white") else 1.0
    if white not in {1, 255}:
        table.fail("white", f"is {white:g}, allowed: 1, 255")
    picture = PictureFormat(
        size_px=table.natural("size_px"),
        colour_order=colour_order,
        layout=table.choice("layout", get_args(Layout)),
        white=white,
        mean=table.numbers("mean", channels),
        std=std,
        template=table.choice("template", tuple(TEMPLATES)) if table.has("template") else None,
    )
    table.finish()
    return picture


def _decoded(table: "_Table") -> DecodedOutput:
    output = DecodedOutput(
        decoder=table.choice("decoder", get_args(Decoder)),
        names=table.texts("names", re.compile(r"\S+")),
        anchors=table.pairs("anchors") if table.has("anchors") else (),
    )
    if not output.names:
        table.fail("names", "is empty")
    table.finish()
    return output


def _identity(table: "_Table") -> Identity:
    kind = table.choice("kind", get_args(IdentityKind))
    by_picture = kind == "image"
    project = table.text("project", re.compile(f"|{_ID.pattern}"))
    normalise = table.choice("normalise", get_args(Normalise))
    if by_picture and (project or normalise != "none"):
        table.fail("project" if project else "normalise", 'has no meaning with kind = "image"')
    identity = Identity(
        kind=kind,
        picture=_picture(table.table("picture")) if by_picture else None,
        recogniser=None if by_picture else table.text("recogniser", _ID),
        project=project,
        normalise=normalise,
        mix=table.flag("mix"),
    )
    table.finish()
    return identity


def _origin(table: "_Table") -> Origin:
    origin = Origin(
        wheel=table.text("wheel"),
        version=table.text("version"),
        wheel_sha256=table.text("wheel_sha256", _SHA256),
        path=table.text("path"),
    )
    table.finish()
    return origin


class _Table:
    """A TOML table that is read key by key and knows which keys nobody asked for."""

    def __init__(self, mapping: Mapping[str, object], path: str = "") -> None:
        self._mapping = mapping
        self._path = path
        self._known: set[str] = set()

    def has(self, key: str) -> bool:
        """Ask for a key that may be left out."""
        self._known.add(key)
        return key in self._mapping

    def fail(self, key: str, words: str) -> NoReturn:
        raise ModelCardError(f"model card: {self._path}{key} {words}", advice=_ADVICE)

    def finish(self) -> None:
        """Make sure that every key was asked for."""
        unknown = sorted(set(self._mapping) - self._known)
        if unknown:
            self.fail(unknown[0], f"is unknown here, allowed: {', '.join(sorted(self._known))}")

    def _value(self, key: str) -> object:
        if not self.has(key):
            self.fail(key, "is missing")
        return self._mapping[key]

    def table(self, key: str) -> "_Table":
        value = self._value(key)
        if not isinstance(value, Mapping):
            self.fail(key, "is not a table")
        return _Table(cast("Mapping[str, object]", value), f"{self._path}{key}.")

    def text(self, key: str, pattern: re.Pattern[str] = re.compile(r"\S.*")) -> str:
        return self._text(key, self._value(key), pattern)

    def texts(self, key: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
        return tuple(self._text(key, item, pattern) for item in self._list(key, self._value(key)))

    def choice(self, key: str, allowed: tuple[_Choice, ...]) -> _Choice:
        value = self._value(key)
        chosen = next((candidate for candidate in allowed if candidate == value), None)
        if chosen is None:
            self.fail(key, f"is {value!r}, allowed: {', '.join(allowed)}")
        return chosen

    def natural(self, key: str) -> int:
        return self._natural(key, self._value(key))

    def pairs(self, key: str) -> tuple[tuple[int, int], ...]:
        rows = [self._list(key, row) for row in self._list(key, self._value(key))]
        if any(len(row) != 2 for row in rows):
            self.fail(key, "is not a list of pairs")
        return tuple((self._natural(key, row[0]), self._natural(key, row[1])) for row in rows)

    def numbers(self, key: str, count: int) -> tuple[float, ...]:
        value = self._value(key)
        numbers = self._list(key, value) if isinstance(value, list) else [value] * count
        if len(numbers) != count:
            self.fail(key, f"has {len(numbers)} numbers, allowed: 1 or {count}")
        return tuple(self._number(key, number) for number in numbers)

    def flag(self, key: str) -> bool:
        value = self._value(key)
        if not isinstance(value, bool):
            self.fail(key, f"is {value!r}, allowed: true, false")
        return value

    def _text(self, key: str, value: object, pattern: re.Pattern[str]) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            self.fail(key, f"is {value!r}, allowed: text like {pattern.pattern}")
        return value

    def _list(self, key: str, value: object) -> list[object]:
        if not isinstance(value, list):
            self.fail(key, "is not a list")
        return cast("list[object]", value)

    def _natural(self, key: str, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self.fail(key, f"is {value!r}, allowed: a whole number from 1")
        return value

    def _number(self, key: str, value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            self.fail(key, f"is {value!r}, allowed: a number")
        return float(value)
