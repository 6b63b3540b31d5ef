"""One parameter: what it accepts, how it is read, how it refuses."""

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import pytest

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
from facefusion_live.domain.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Oven:
    heat: Annotated[
        float,
        Range(-10, 250.5, 0.5, "degrees"),
        Acts.RENDER,
        Uniform("u_heat"),
        Words("Heat", "How hot it gets."),
    ] = 180.0
    minutes: Annotated[int, Range(0, 90, 1, "min"), Acts.INFERENCE, Words("Time", "How long it takes.")] = 20
    fan: Annotated[bool, Acts.SESSION, Words("Fan", "Blow the air about.")] = False
    rack: Annotated[str, Choice(("top", "middle")), Acts.SESSION, Words("Rack", "Where it stands.")] = "middle"
    dish: Annotated[str, Text("the name of a dish"), Acts.SESSION, Words("Dish", "What is baked.")] = ""


@dataclass(frozen=True, kw_only=True)
class Kitchen:
    oven: Oven = field(default_factory=Oven)
    second: Oven = field(default_factory=Oven)


ROWS = {row.path: row for row in parameters_of(Kitchen)}


def row(name: str) -> Parameter:
    return ROWS[f"oven.{name}"]


def test_the_table_is_read_in_the_order_written() -> None:
    fields = ["heat", "minutes", "fan", "rack", "dish"]
    assert list(ROWS) == [f"oven.{name}" for name in fields] + [f"second.{name}" for name in fields]


def test_a_row_holds_all_that_its_field_says() -> None:
    assert row("heat") == Parameter(
        group="oven",
        name="heat",
        type=float,
        default=180.0,
        limits=Range(-10, 250.5, 0.5, "degrees"),
        acts=Acts.RENDER,
        uniform=Uniform("u_heat"),
        words=Words("Heat", "How hot it gets."),
    )


def test_a_row_without_limits_or_uniform_says_so() -> None:
    assert (row("fan").limits, row("fan").uniform) == (None, None)
    assert [row(name).acts.value for name in ("heat", "minutes", "fan")] == ["render", "inference", "session"]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("heat", "12.5", 12.5),
        ("heat", "250.5", 250.5),
        ("heat", "-10", -10.0),
        ("heat", " 7 ", 7.0),
        ("minutes", "0", 0),
        ("minutes", "90", 90),
        ("rack", "top", "top"),
        ("dish", "Brötchen", "Brötchen"),
        ("dish", "", ""),
        *[("fan", text, True) for text in ("1", "true", "Yes", " on ", "TRUE")],
        *[("fan", text, False) for text in ("0", "false", "No", "off\n")],
    ],
)
def test_a_value_is_read_as_people_type_it(name: str, text: str, value: Value) -> None:
    read = row(name).parse(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        ("heat", "warm", "Give -10 to 250.5 degrees."),
        ("heat", "250.6", "Give -10 to 250.5 degrees."),
        ("heat", "-10.1", "Give -10 to 250.5 degrees."),
        ("heat", "nan", "Give -10 to 250.5 degrees."),
        ("heat", "inf", "Give -10 to 250.5 degrees."),
        ("heat", "-1e999", "Give -10 to 250.5 degrees."),
        ("minutes", "3.5", "Give a whole number from 0 to 90 min."),
        ("minutes", "91", "Give a whole number from 0 to 90 min."),
        ("minutes", "", "Give a whole number from 0 to 90 min."),
        ("fan", "maybe", "Give on or off."),
        ("fan", "", "Give on or off."),
        ("rack", "bottom", "Give one of top, middle."),
    ],
)
def test_a_refusal_names_the_parameter_and_says_what_is_allowed(name: str, text: str, advice: str) -> None:
    with pytest.raises(SettingsError, match=f"^oven.{name}: ") as refusal:
        row(name).parse(text)
    assert refusal.value.advice == advice
    assert str(refusal.value).endswith(" is not allowed")


def test_a_whole_number_serves_where_a_fraction_is_wanted() -> None:
    value = row("heat").check(20)
    assert value == 20
    assert type(value) is float


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("heat", True),
        ("heat", "20"),
        ("heat", None),
        ("heat", float("nan")),
        ("heat", 10**400),
        ("heat", -(10**400)),
        ("minutes", True),
        ("minutes", 20.0),
        ("minutes", 10**400),
        ("fan", 1),
        ("fan", "on"),
        ("rack", ("top",)),
        ("rack", b"top"),
        ("dish", 7),
    ],
    ids=lambda value: f"{value!r:.20}",
)
def test_a_value_of_another_type_or_beyond_all_measure_is_refused(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=f"^oven.{name}: "):
        row(name).check(value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("heat", "-10 to 250.5 degrees"),
        ("minutes", "a whole number from 0 to 90 min"),
        ("fan", "on or off"),
        ("rack", "one of top, middle"),
        ("dish", "the name of a dish"),
    ],
)
def test_what_is_allowed_is_said_in_words(name: str, words: str) -> None:
    assert row(name).expectation() == words


def test_a_range_without_a_unit_ends_with_its_number() -> None:
    share = dataclasses.replace(row("heat"), limits=Range(0, 1, 0.01))
    assert share.expectation() == "0 to 1"


def test_numpys_numbers_are_taken_as_pythons() -> None:
    settings = Settings().with_values({"mask.feather": np.float32(0.25), "detect.every_n": np.int64(4)})
    assert (settings.mask.feather, settings.detect.every_n) == (0.25, 4)
    assert type(settings.mask.feather) is float
