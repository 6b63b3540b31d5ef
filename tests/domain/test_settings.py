"""The table of settings: every row is complete, and a change makes a new value."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facefusion_live.domain.errors import SettingsError
from facefusion_live.domain.parameter import Acts, Choice, Parameter, Range, Text, Value
from facefusion_live.domain.settings import PARAMETERS, Settings, parameter

ROWS = list(PARAMETERS.values())
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)


def values_of(row: Parameter) -> st.SearchStrategy[Any]:
    """Everything that a parameter may hold."""
    match row.limits:
        case Range(low, high):
            return st.integers(int(low), int(high)) if row.type is int else st.floats(low, high)
        case Choice(options):
            return st.sampled_from(options)
        case Text(_, allows):
            return st.one_of(st.text(), st.just("AI synthesised by me")).filter(allows)
        case None:
            return st.booleans()


changes = st.fixed_dictionaries({}, optional={row.path: values_of(row) for row in ROWS})


@every_row
def test_every_parameter_has_a_label_and_a_sentence(row: Parameter) -> None:
    assert row.words.label.strip()
    assert row.words.label[0].isupper()
    assert row.words.help.endswith(".")
    assert row.words.help[0].isupper()


@every_row
def test_every_default_is_allowed(row: Parameter) -> None:
    assert row.check(row.default) == row.default
    assert Settings().value(row.path) == row.default


@every_row
def test_every_range_can_be_walked_with_a_slider(row: Parameter) -> None:
    match row.limits:
        case Range(low, high, step):
            assert low < high
            assert 0 < step <= high - low
            assert row.type is float or float(step).is_integer()
        case Choice(options):
            assert len(set(options)) == len(options) > 1
        case Text() | None:
            assert row.type in (str, bool)


BENT_BY_THE_PROCESSOR = {"look.face_shape"}
"""Acts on the finished picture, after the shaders."""


@every_row
def test_a_uniform_belongs_to_a_number_that_acts_at_render(row: Parameter) -> None:
    if row.uniform is None:
        assert row.group not in ("mask", "look") or row.path in BENT_BY_THE_PROCESSOR
    else:
        assert row.uniform.name == f"u_{row.name}"
        assert (row.acts, row.type) == (Acts.RENDER, float)


def test_labels_differ_within_a_group_and_uniforms_everywhere() -> None:
    labels = [(row.group, row.words.label) for row in ROWS]
    uniforms = [row.uniform.name for row in ROWS if row.uniform]
    assert len(set(labels)) == len(labels)
    assert len(set(uniforms)) == len(uniforms)


def test_the_table_holds_every_field_of_every_group() -> None:
    fields = [f"{group.name}.{f.name}" for group in dataclasses.fields(Settings) for f in _fields_of(group.name)]
    assert list(PARAMETERS) == fields


def _fields_of(group: str) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(getattr(Settings(), group))


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        PARAMETERS["mask.feather"] = ROWS[0]  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().mask = Settings().mask  # type: ignore[misc]


@given(changes)
def test_new_values_are_there_and_the_old_settings_stay(values: dict[str, Value]) -> None:
    before = Settings()
    after = before.with_values(values)
    assert {path: after.value(path) for path in values} == values
    assert before == Settings()


@given(changes, changes)
def test_changes_lead_from_one_to_the_other_and_back(first: dict[str, Value], second: dict[str, Value]) -> None:
    old, new = Settings().with_values(first), Settings().with_values(second)
    found = new.changes_from(old)
    assert old.with_values({path: value for path, (_, value) in found.items()}) == new
    assert new.with_values({path: value for path, (value, _) in found.items()}) == old
    assert list(found) == [path for path in PARAMETERS if path in found]


def test_only_what_differs_is_a_change() -> None:
    new = Settings().with_values({"look.opacity": 0.5, "mask.feather": Settings().mask.feather})
    assert new.changes_from(Settings()) == {"look.opacity": (1.0, 0.5)}
    assert Settings().changes_from(Settings()) == {}


def test_several_values_of_one_group_change_together() -> None:
    new = Settings().with_values({"mask.feather": 0.2, "mask.erosion": 0, "gate.slate": "pixelate"})
    assert (new.mask.feather, new.mask.erosion, new.gate.slate) == (0.2, 0.0, "pixelate")
    assert type(new.mask.erosion) is float


def test_one_wrong_value_changes_nothing() -> None:
    with pytest.raises(SettingsError, match=r"^mask\.erosion: 3 is not allowed$") as refusal:
        Settings().with_values({"mask.feather": 0.2, "mask.erosion": 3})
    assert refusal.value.advice == "Give 0 to 0.1 of crop width."


@pytest.mark.parametrize("path", ["mask.fether", "mask.", "mask"])
def test_an_unknown_parameter_of_a_group_is_answered_with_those_that_it_has(path: str) -> None:
    with pytest.raises(SettingsError, match="there is no parameter") as refusal:
        parameter(path)
    assert refusal.value.advice.startswith("Group 'mask' has: mask.feather, mask.padding, ")
    assert "look." not in refusal.value.advice


@pytest.mark.parametrize("path", ["", "masks.feather", "feather", "."])
def test_an_unknown_group_is_answered_with_the_groups(path: str) -> None:
    with pytest.raises(SettingsError, match="there is no parameter") as refusal:
        Settings().value(path)
    assert refusal.value.advice == (
        "Groups: capture, detect, track, swap, mask, look, inference, budget, render, gate, content, label, consent, "
        "record, sound, stream, virtual_camera, audit."
    )


def test_a_known_parameter_is_found_by_its_path() -> None:
    assert parameter("mask.feather").path == "mask.feather"


def test_a_detector_of_the_users_own_may_be_named() -> None:
    settings = Settings().with_values({"detect.model": "yoloface_8n"})
    assert settings.detect.model == "yoloface_8n"
    with pytest.raises(SettingsError) as refusal:
        Settings().with_values({"detect.model": "Not a name"})
    assert "or the name of a detector's card" in refusal.value.advice
