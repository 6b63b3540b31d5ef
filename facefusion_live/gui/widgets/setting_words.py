"""The words of the table of settings, in the language of the window.

The table itself stays English and knows no Qt: `every_word` hands its words to the tool that makes the files for
translators, and the functions here look them up again.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from PySide6.QtCore import QCoreApplication

from facefusion_live.domain.parameter import Acts, Choice, Parameter, Range, Value
from facefusion_live.domain.settings import PARAMETERS

CONTEXT = "Settings"

_GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "look": "Face",
        "mask": "Edge and mask",
        "budget": "What a picture may cost",
        "render": "What composes",
        "content": "What scenes show",
        "audit": "How long rows are kept",
    }
)
"""Titles that read better than the group's name."""
_OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "largest": "Largest face",
        "all": "Every face",
        "enrolled": "People enrolled",
        "card": "Picture",
        "blazeface_short": "Near (BlazeFace)",
        "blazeface_full": "Full range (BlazeFace)",
        "yunet_2023mar": "Far (YuNet)",
        "veryfast": "Very fast",
        "superfast": "Super fast",
        "ultrafast": "Ultra fast",
        "x264": "x264",
        "nvenc": "NVENC",
        "qsv": "Quick Sync",
        "amf": "AMF",
        "videotoolbox": "VideoToolbox",
        "0": "0°",
        "90": "90°",
        "180": "180°",
        "270": "270°",
    }
)
"""Choices that read better than the word in the settings file."""
_ACTS: Mapping[Acts, str] = MappingProxyType(
    {
        Acts.RENDER: "Acts on the next picture.",
        Acts.INFERENCE: "Acts from the next frame.",
        Acts.SESSION: "Acts from the next start.",
    }
)
_ON, _OFF, _NONE = "on", "off", "none"


def label(row: Parameter) -> str:
    """A word or two."""
    return translated(row.words.label)


def help_of(row: Parameter) -> str:
    """One sentence, and one about when it acts."""
    return f"{translated(row.words.help)} {translated(_ACTS[row.acts])}"


def unit(row: Parameter) -> str:
    """What the number counts; empty where it counts nothing."""
    return translated(row.limits.unit) if isinstance(row.limits, Range) and row.limits.unit else ""


def option(word: str) -> str:
    """One of the words that a parameter can hold."""
    return translated(english_option(word))


def group_title(group: str) -> str:
    """Title of a group of parameters."""
    return translated(english_title(group))


def value_text(row: Parameter, value: Value) -> str:
    """A value as people read it: "0.05 of crop width", "Picture", "on"."""
    if isinstance(value, bool):
        return translated(_ON if value else _OFF)
    if isinstance(row.limits, Range):
        return f"{value:g} {unit(row)}".strip()
    return option(str(value)) if isinstance(row.limits, Choice) else str(value) or translated(_NONE)


def plain_value(row: Parameter, value: Value) -> str:
    """A value without its unit, for tables: "0.05", "Picture", "on"."""
    return f"{value:g}" if isinstance(row.limits, Range) else value_text(row, value)


def every_word() -> Iterator[str]:
    """Every English text of this context, for translators; some come twice."""
    for row in PARAMETERS.values():
        yield from (row.words.label, row.words.help, english_title(row.group))
        if isinstance(row.limits, Range) and row.limits.unit:
            yield row.limits.unit
        if isinstance(row.limits, Choice):
            yield from filter(_is_word, map(english_option, row.limits.options))
    yield from (*_ACTS.values(), _ON, _OFF, _NONE)


def english_title(group: str) -> str:
    """Title of a group in English: what is translated."""
    return _GROUPS.get(group, group.replace("_", " ").capitalize())


def english_option(word: str) -> str:
    """A choice in readable English: what is translated."""
    if word in _OPTIONS:
        return _OPTIONS[word]
    if not _is_word(word):
        return word.replace("x", " × ")
    return word.replace("_", " ").capitalize()


def _is_word(text: str) -> bool:
    """Whether there is something to translate: not in "1280x720", "30", "NV12"."""
    return any(letter.islower() for letter in text.replace("x", ""))


def translated(english: str) -> str:
    """A text of this context."""
    return QCoreApplication.translate(CONTEXT, english)
