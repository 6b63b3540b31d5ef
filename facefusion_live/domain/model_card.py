"""A model is a card: what an ONNX file is, where it comes from, and how pictures go in and come out.

A card is a TOML file beside the model, read with `ModelCard.parse`. Whatever differs between models of a family is
data here, so that a new model is one card and no code.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from facefusion_live.domain.card_table import ADVICE, CardTable
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
    "masker",
    "converter",
    "classifier",
]
"""What a model is for. A converter turns one recogniser's embedding into another's: no picture goes in or out.
A classifier judges whole pictures."""

Decoder = Literal[
    "blazeface",
    "yunet",
    "anchor_distances",
    "prior_boxes",
    "yolov5_face",
    "yolov8_face",
    "face_mesh",
    "face_mesh_attention",
    "points_68",
    "points_98",
    "points_106",
    "points_478",
    "embedding",
    "mask",
    "occlusion",
    "parsing",
    "palm",
    "hand_landmarks",
    "nudity",
]
"""How numbers that are no picture are read; each name is explained by the adapter that implements it."""

ColourOrder = Literal["RGB", "BGR", "grey"]
Layout = Literal["NCHW", "NHWC"]
IdentityKind = Literal["image", "embedding", "model"]
CropSide = Literal["longer", "width"]
Normalise = Literal["none", "before", "after"]

_CHANNELS: Final[Mapping[ColourOrder, int]] = {"RGB": 3, "BGR": 3, "grey": 1}
_PICTURE_MAKERS: Final[tuple[Task, ...]] = ("swapper", "enhancer")
_ID: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_LICENCE: Final = re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*|(non-commercial|unknown): \S.*")
_REPOSITORIES: Final = frozenset({"github.com", "huggingface.co"})
"""Where an address begins with an owner and the name of a repository."""
_URL: Final = re.compile(r"https://[^\s/]+/\S+")


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
        scale: Points: crop pixel = number * scale + shift.
        shift: See there.
        classes: Parsing: the classes that are face.
    """

    decoder: Decoder
    names: tuple[str, ...]
    anchors: tuple[tuple[int, int], ...]
    scale: float = 1.0
    shift: float = 0.0
    classes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FaceCrop:
    """How a square crop is cut around a face's box where no template aligns it.

    Attributes:
        reach: Edge of the square over the side of the box.
        side: Which side: the longer one, or the width.
        level: Whether the crop is turned so that the eyes are level.
    """

    reach: float
    side: CropSide
    level: bool


@dataclass(frozen=True, slots=True)
class Tiles:
    """How a picture of any size goes through a net in squares.

    Attributes:
        pad: Pixels at each side of a tile that the net sees and that are not painted.
        overlap: Pixels of what is painted over which one tile fades into the next.
    """

    pad: int
    overlap: int


@dataclass(frozen=True, slots=True)
class Identity:
    """How a swapper is told who to draw.

    Attributes:
        kind: By a picture of the source face or by its embedding; or not at all, where the model is one person's.
        picture: That picture's format; None without one.
        recogniser: Id of the card whose embedding it takes; None without one.
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
        licence_url: Where its text is; None where the publisher gives no page of its own for it.
        file: Name of the model's file.
        sha256: Digest of that file; None = not known from the publisher, the first download pins it.
        size: Bytes of that file; None = not known either.
        origin: The wheel that a built-in model was made from.
        urls: Where the file can be fetched, best first; empty for built-in models, and for those with a home only.
        home: Page of a publisher who gives no file of this form; None for all others, and for a person's own model.
        target: The picture that goes in (table `[input]`, of swappers `[target]`); None for converters.
        output: What comes out; None for converters.
        crop: How the crop is cut around a face; None where a template or nothing aligns it.
        tiles: How the whole patch goes through in squares of `target.size_px`; None for nets of one aligned face.
        identity: How the source face goes in; None for all but swappers.
    """

    id: str
    task: Task
    vendor: str
    licence: str
    licence_file: str | None
    licence_url: str | None
    file: str
    sha256: str | None
    size: int | None
    origin: Origin | None
    urls: tuple[str, ...]
    home: str | None
    target: PictureFormat | None
    output: PictureFormat | DecodedOutput | None
    crop: FaceCrop | None
    tiles: Tiles | None
    identity: Identity | None

    @property
    def is_person(self) -> bool:
        """Whether it draws the one person that it was trained on: then the file itself needs that person's consent."""
        return self.identity is not None and self.identity.kind == "model"

    @property
    def terms_url(self) -> str:
        """Where to read under which terms it comes: the licence's text, else its publisher's page; empty for neither.

        Of files that lie in a repository, that is the repository.
        """
        if self.licence_url or self.home or not self.urls:
            return self.licence_url or self.home or ""
        scheme, _, rest = self.urls[0].partition("://")
        host, *folders = rest.split("/")[:-1]
        if host in _REPOSITORIES:
            folders = folders[:2]
        return f"{scheme}://{'/'.join([host, *folders])}"

    @property
    def needs(self) -> tuple[str, ...]:
        """Ids of the other models that it cannot work without."""
        identity = self.identity
        if identity is None:
            return ()
        converter = "" if identity.project == "initialiser" else identity.project
        return tuple(model_id for model_id in (identity.recogniser, converter) if model_id)

    @classmethod
    def parse(cls, text: str) -> "ModelCard":
        """Read a card from TOML.

        Raises:
            ModelCardError: The text is no TOML, or not a valid card.
        """
        try:
            mapping = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ModelCardError(f"not TOML: {error}", advice=ADVICE) from error
        return cls.from_mapping(mapping)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> "ModelCard":
        """Read a card from parsed TOML.

        Raises:
            ModelCardError: A key is unknown or missing, or its value is not allowed; the message names the key.
        """
        table = CardTable(mapping)
        task = table.choice("task", get_args(Task))
        urls = table.texts("urls", _URL)
        home = table.text("home", _URL) if table.has("home") else None
        identity = _identity(table.table("identity")) if task == "swapper" else None
        # What the program brings along is known to the last byte; of what users fetch, the publisher may tell less, and
        # a model of one person has none.
        one_person = identity is not None and identity.kind == "model"
        built_in = not urls and home is None and not one_person
        card = cls(
            id=table.text("id", _ID),
            task=task,
            vendor=table.text("vendor"),
            licence=table.text("licence", _LICENCE),
            licence_file=table.text("licence_file", _FILE_NAME) if built_in or table.has("licence_file") else None,
            licence_url=table.text("licence_url", _URL) if table.has("licence_url") else None,
            file=table.text("file", _FILE_NAME),
            sha256=table.text("sha256", _SHA256) if built_in or table.has("sha256") else None,
            size=table.natural("size") if built_in or table.has("size") else None,
            origin=_origin(table.table("origin")) if built_in or table.has("origin") else None,
            urls=urls,
            home=home,
            target=_target(table, task),
            output=_output(table, task),
            crop=_crop(table.table("crop")) if table.has("crop") else None,
            tiles=_tiles(table) if task == "enhancer" and table.has("tiles") else None,
            identity=identity,
        )
        table.finish()
        return card


def _target(table: CardTable, task: Task) -> PictureFormat | None:
    if task == "converter":
        return None
    return _picture(table.table("target" if task == "swapper" else "input"))


def _output(table: CardTable, task: Task) -> PictureFormat | DecodedOutput | None:
    if task == "converter":
        return None
    output = table.table("output")
    return _picture(output) if task in _PICTURE_MAKERS else _decoded(output)


def _picture(table: CardTable) -> PictureFormat:
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


def _decoded(table: CardTable) -> DecodedOutput:
    output = DecodedOutput(
        decoder=table.choice("decoder", get_args(Decoder)),
        names=table.texts("names", re.compile(r"\S+")),
        anchors=table.pairs("anchors") if table.has("anchors") else (),
        scale=table.number("scale", 1.0),
        shift=table.number("shift", 0.0),
        classes=table.naturals("classes") if table.has("classes") else (),
    )
    if not output.names:
        table.fail("names", "is empty")
    table.finish()
    return output


def _crop(table: CardTable) -> FaceCrop:
    crop = FaceCrop(
        reach=table.numbers("reach", 1)[0],
        side=table.choice("side", get_args(CropSide)),
        level=table.flag("level"),
    )
    if crop.reach <= 0:
        table.fail("reach", f"is {crop.reach:g}, allowed: a number above 0")
    table.finish()
    return crop


def _tiles(card: CardTable) -> Tiles:
    table, edge = card.table("tiles"), card.table("input").natural("size_px")
    tiles = Tiles(pad=table.natural("pad"), overlap=table.natural("overlap"))
    # Three tiles in a row never meet: a pixel lies in one of them or between two.
    if 2 * (tiles.pad + tiles.overlap) >= edge:
        table.fail("pad", f"is {tiles.pad}: with the overlap too much for tiles of {edge} px")
    table.finish()
    return tiles


def _identity(table: CardTable) -> Identity:
    kind = table.choice("kind", get_args(IdentityKind))
    by_picture, by_vector = kind == "image", kind == "embedding"
    project = table.text("project", re.compile(f"|{_ID.pattern}"))
    normalise = table.choice("normalise", get_args(Normalise))
    if not by_vector and (project or normalise != "none"):
        table.fail("project" if project else "normalise", f'has no meaning with kind = "{kind}"')
    identity = Identity(
        kind=kind,
        picture=_picture(table.table("picture")) if by_picture else None,
        recogniser=table.text("recogniser", _ID) if by_vector else None,
        project=project,
        normalise=normalise,
        mix=table.flag("mix"),
    )
    table.finish()
    return identity


def _origin(table: CardTable) -> Origin:
    origin = Origin(
        wheel=table.text("wheel"),
        version=table.text("version"),
        wheel_sha256=table.text("wheel_sha256", _SHA256),
        path=table.text("path"),
    )
    table.finish()
    return origin
