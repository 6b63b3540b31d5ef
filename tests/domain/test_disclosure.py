"""What settings ask to leave out, and whether they say why."""

import pytest

from facefusion_live.domain.disclosure import REASONS, SWITCHES, Part, checked, reason_of, unwanted
from facefusion_live.domain.errors import SettingsError
from facefusion_live.domain.settings import PARAMETERS, Settings


def asking(**values: object) -> Settings:
    return Settings().with_values({name.replace("__", "."): value for name, value in values.items()})


def test_label_mark_and_check_are_wanted_by_default() -> None:
    assert unwanted(Settings()) == frozenset()
    assert checked(Settings()) == {}
    assert checked(asking(label__reason="no need of one")) == {}


def test_each_has_its_switch_and_its_reason() -> None:
    assert unwanted(asking(label__show=False)) == {Part.LABEL}
    assert unwanted(asking(label__mark=False)) == {Part.MARK}
    assert unwanted(asking(content__check=False)) == {Part.CONTENT}
    assert set(SWITCHES) == set(REASONS) == set(Part)
    assert {*SWITCHES.values(), *REASONS.values()} <= set(PARAMETERS)


def test_a_reason_is_asked_for() -> None:
    whole = checked(asking(label__show=False, label__reason="  measuring\n pixels "))
    assert whole == {Part.LABEL: "measuring pixels"}
    short, dull = ("", "  ", "abc", "....", "-- -- --", "test"), ("aaaa", "aaaa bbbb", "no no no no", "x" * 20)
    for reason in (*short, *dull, "long reason " * 30):
        with pytest.raises(SettingsError):
            checked(asking(label__show=False, label__reason=reason))
    assert reason_of("测量像素") == "测量像素"
    assert reason_of("measurement") == "measurement"


def test_the_check_has_a_reason_of_its_own() -> None:
    with pytest.raises(SettingsError, match="the nudity check is left out for a reason only") as refused:
        checked(asking(content__check=False, label__reason="the broadcaster adds its own"))
    assert "--content.reason" in refused.value.advice
    both = asking(content__check=False, content__reason="life drawing", label__mark=False, label__reason="pixel tests")
    assert checked(both) == {Part.CONTENT: "life drawing", Part.MARK: "pixel tests"}
