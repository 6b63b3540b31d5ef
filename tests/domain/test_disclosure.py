"""What settings ask to leave out, and whether they say why."""

import pytest

from facefusion_live.domain.disclosure import SWITCHES, Part, checked, reason_of, unwanted
from facefusion_live.domain.errors import SettingsError
from facefusion_live.domain.settings import PARAMETERS, Label


def test_label_and_mark_are_wanted_by_default() -> None:
    assert unwanted(Label()) == frozenset()
    assert checked(Label()) == ""
    assert checked(Label(reason="no need of one")) == ""


def test_each_has_its_switch() -> None:
    assert unwanted(Label(show=False)) == {Part.LABEL}
    assert unwanted(Label(mark=False)) == {Part.MARK}
    assert set(SWITCHES) == set(Part)
    assert set(SWITCHES.values()) <= set(PARAMETERS)


def test_a_reason_is_asked_for() -> None:
    assert checked(Label(show=False, reason="  measuring\n pixels ")) == "measuring pixels"
    for reason in ("", "  ", "abc", "x" * 301):
        with pytest.raises(SettingsError):
            checked(Label(show=False, reason=reason))
    assert reason_of("测量像素") == "测量像素"
