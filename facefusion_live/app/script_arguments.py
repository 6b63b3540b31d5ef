"""What scripts hand over: read, checked and brought into the program's own form, or refused with advice."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from facefusion_live.app import portraits, wiring
from facefusion_live.domain.errors import BadInputError, SettingsError
from facefusion_live.domain.image import RgbImage
from facefusion_live.domain.parameter import Acts
from facefusion_live.domain.settings import Settings, parameter

_MOST_FPS = 1000
"""No camera gives more."""
SMALLEST_PX = 16
"""Of a picture's shorter edge."""


def settings_of(values: object, base: Settings | None = None) -> Settings:
    """Parameters by name, over those of `base`.

    Raises:
        SettingsError: No mapping, no such parameter, or a value that is not allowed.
    """
    given: object = {} if values is None else values
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in cast("Iterable[object]", given)):
        raise SettingsError(
            f"{_what(values)} is no table of parameters", advice='Give them by name: {"mask.feather": 0.1}.'
        )
    return (base or Settings()).with_values(cast("Mapping[str, object]", given))


def refuse_those_of_the_session(old: Settings, new: Settings) -> None:
    """Changes that would wait for a start which never comes.

    Raises:
        SettingsError: One of them acts at the start only.
    """
    late = [path for path in new.changes_from(old) if parameter(path).acts is Acts.SESSION]
    if late:
        raise SettingsError(
            f"{', '.join(late)}: only a new swapper takes that", advice="Make one with settings={…}; this one goes on."
        )


def sources_of(pictures: object, consent: object) -> list[portraits.Source]:
    """The pictures of a source, one or many, with the consent for them.

    Raises:
        BadInputError: None at all, something that is no picture, or no such consent.
    """
    if not isinstance(consent, str | None):
        raise BadInputError(f"{_what(consent)} is no consent", advice="Give one of its words, or None.")
    why = portraits.consent_of(consent)
    return [portraits.source(one, why) for one in given_pictures(pictures)]


def given_pictures(pictures: object) -> tuple[str | Path | RgbImage, ...]:
    """One picture or many: names and files as they are, pixels turned to RGB.

    Raises:
        BadInputError: None at all, or something that is no picture.
    """
    if isinstance(pictures, (str, os.PathLike, np.ndarray)):
        many: list[object] = [pictures]
    else:
        many = list(cast("Iterable[object]", pictures)) if isinstance(pictures, Iterable) else [pictures]
    if not many:
        raise BadInputError("there is no source picture", advice="Give an avatar's name, a file, or pixels.")
    return tuple(one if isinstance(one, str) else _file_or_pixels(one) for one in many)


def pixels_of(picture: object) -> RgbImage:
    """A file's or an array's picture, ours to give away.

    Raises:
        BadInputError: It cannot be read, or is no picture.
    """
    return wiring.read_picture(file_of(picture)) if isinstance(picture, (str, os.PathLike)) else rgb(picture)


def file_of(path: object) -> Path:
    """A path.

    Raises:
        BadInputError: It is none.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise BadInputError(f"{_what(path)} is no file", advice="Give the path of a file.")
    return Path(cast("str | os.PathLike[str]", path))


def rgb(picture: object) -> RgbImage:
    """A copy of a BGR picture in RGB order.

    Raises:
        BadInputError: It is no (h, w, 3) uint8 array.
    """
    shape = picture.shape if isinstance(picture, np.ndarray) and picture.dtype == np.uint8 else ()
    if not isinstance(picture, np.ndarray) or len(shape) != 3 or shape[2] != 3 or min(shape[:2]) < SMALLEST_PX:
        raise BadInputError(
            f"{_what(picture)} is no picture" if not shape else f"an array of shape {shape} is no picture",
            advice=f"Give a uint8 array (height, width, 3) in BGR order, {SMALLEST_PX} pixels or more a side.",
        )
    return np.ascontiguousarray(cast("NDArray[np.uint8]", picture)[..., ::-1])


def frames_per_second(limit: object) -> float:
    """A pace.

    Raises:
        BadInputError: It is no number, not above 0, or far beyond any camera.
    """
    number = isinstance(limit, (int, float, np.integer, np.floating)) and not isinstance(limit, bool)
    if not number or not 0 < cast("float", limit) <= _MOST_FPS:
        said = "so many" if isinstance(limit, int) and limit > _MOST_FPS else repr(limit)
        raise BadInputError(
            f"a limit of {said} frames/s is not allowed", advice=f"Give a number above 0, at most {_MOST_FPS}."
        )
    return float(cast("float", limit))


def frame_count(limit: object) -> int | None:
    """How many frames, or None for all.

    Raises:
        BadInputError: It is no whole number from 1 on.
    """
    if limit is None:
        return None
    if not isinstance(limit, (int, np.integer)) or isinstance(limit, bool) or limit < 1:
        raise BadInputError(f"a limit of {limit!r} frames is not allowed", advice="Give a whole number from 1 on.")
    return int(limit)


def input_of(camera: object) -> str:
    """A camera's number, or anything that `--input` takes, as `--input` takes it.

    Raises:
        BadInputError: It is neither.
    """
    if isinstance(camera, (int, np.integer)) and not isinstance(camera, bool) and camera >= 0:
        return f"camera:{int(camera)}"
    if isinstance(camera, (str, os.PathLike)):
        return os.fspath(cast("str | os.PathLike[str]", camera))
    raise BadInputError(
        f"there is no camera {camera!r}", advice='Give its number from 0 on, "synthetic", a file or an address.'
    )


def progress_of(told: Callable[[int, int | None], None] | None) -> Callable[[int, int | None], None]:
    """Who is told how far it is; nobody for None.

    Raises:
        BadInputError: It cannot be called.
    """
    if told is not None and not callable(told):
        raise BadInputError(
            f"{_what(told)} cannot be told how far it is", advice="Give a function of two numbers, or None."
        )
    return told or (lambda _frames, _of_all: None)


def _what(value: object) -> str:
    """For messages: "None", "an int", "a list"."""
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _file_or_pixels(one: object) -> Path | RgbImage:
    return file_of(one) if isinstance(one, os.PathLike) else rgb(one)
