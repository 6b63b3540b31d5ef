"""When a scene may be shown: each edge of the machine, and random scenes against the rule written down once more."""

import math

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from facefusion_live.domain.content import BLIND_S, CALM_SHARE, Judgement, Scene
from facefusion_live.domain.settings import ContentRules

RULES = ContentRules()
CALM = CALM_SHARE * RULES.threshold - 0.01
NEARLY = RULES.threshold - 0.01
CLEAR = Judgement().after(0.1, 0.0, RULES)
NUDE = Judgement().after(0.9, 0.0, RULES)


def test_nothing_is_shown_that_nobody_has_looked_at() -> None:
    assert Judgement().scene is Scene.BLIND
    assert not Judgement().lets
    assert Judgement().new
    assert not CLEAR.new


def test_the_first_answer_decides() -> None:
    assert CLEAR.lets
    assert NUDE.scene is Scene.NUDE
    assert Judgement().after(NEARLY, 0.0, RULES).lets


@pytest.mark.parametrize("nudity", [RULES.threshold, 1.0, math.nan, math.inf])
def test_a_clear_scene_becomes_nude_at_the_threshold_and_by_what_is_no_number(nudity: float) -> None:
    assert CLEAR.after(nudity, 1.0, RULES).scene is Scene.NUDE


def test_a_nude_scene_is_shown_again_once_it_was_calm_for_long_enough() -> None:
    seen = NUDE
    for time_s in (1.0, 2.0, 3.0):
        seen = seen.after(CALM, time_s, RULES)
        assert seen.scene is Scene.NUDE
    assert seen.after(CALM, 4.0, RULES).lets


@pytest.mark.parametrize("nudity", [NEARLY, CALM_SHARE * RULES.threshold, RULES.threshold, math.nan])
def test_what_trembles_around_the_threshold_stays_withheld(nudity: float) -> None:
    seen = NUDE
    for time_s in range(1, 20):
        seen = seen.after(nudity if time_s % 3 == 0 else CALM, float(time_s), RULES)
        assert seen.scene is Scene.NUDE


def test_an_answer_that_stays_away_blinds() -> None:
    asked = CLEAR.asked(1.0).asked(2.0)
    assert asked.at(1.0 + BLIND_S).lets
    assert asked.at(1.0 + BLIND_S + 0.1).scene is Scene.BLIND
    assert asked.at(1.0 + BLIND_S + 0.1).after(0.1, 7.0, RULES).lets
    assert asked.after(0.1, 1.0, RULES).at(100.0).lets, "nobody was asked, so nobody owes an answer"


def test_a_nude_scene_stays_nude_when_nobody_answers() -> None:
    assert NUDE.asked(1.0).at(100.0).scene is Scene.NUDE


def test_calm_is_not_counted_over_a_gap() -> None:
    seen = NUDE.after(CALM, 1.0, RULES).after(CALM, 1.0 + BLIND_S + 0.1, RULES)
    assert seen.scene is Scene.NUDE
    assert seen.calm_s == 1.0 + BLIND_S + 0.1


def test_an_old_answer_changes_nothing() -> None:
    later = NUDE.after(0.9, 5.0, RULES)
    assert later.after(0.0, 4.0, RULES) is later


@given(st.lists(st.tuples(st.floats(0.1, 3.0), st.floats(0, 1)), max_size=40), st.sampled_from([1.0, 2.0, 5.0]))
@hypothesis_settings(derandomize=True)
def test_random_scenes_keep_to_the_rule(looks: list[tuple[float, float]], calm_s: float) -> None:
    """Shown: the answer is below the threshold, and since the last one at or above it all were calm for long enough."""
    rules = ContentRules(calm_s=calm_s)
    judgement, time_s = Judgement(), 0.0
    past: list[tuple[float, float]] = []
    withheld = False
    for step_s, nudity in looks:
        time_s += step_s
        past.append((time_s, nudity))
        judgement = judgement.after(nudity, time_s, rules)
        if nudity >= rules.threshold:
            withheld = True
        elif withheld:
            calm = [at_s for at_s, seen in past if all(s < CALM_SHARE * rules.threshold for t, s in past if t >= at_s)]
            withheld = not (calm and nudity < CALM_SHARE * rules.threshold and time_s - calm[0] >= calm_s)
        assert judgement.lets is not withheld
