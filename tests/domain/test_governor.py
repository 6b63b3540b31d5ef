"""The governor: steps down when the budget is missed for long enough, and never restlessly up again."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facefusion_live.domain import governor
from facefusion_live.domain.governor import (
    DOWN_AFTER_S,
    GOVERNED,
    LADDER,
    LONGEST_WAIT_S,
    UP_AFTER_S,
    Measured,
    Shortage,
    State,
    effective,
    left_out,
    step,
)
from facefusion_live.domain.limits import MEMORY_LEFT_MIB
from facefusion_live.domain.settings import PARAMETERS, Settings

LOOK_S = 0.5
WELL = Measured(fps_in=30, fps_done=30, busy=0.5, late_ms=40, crop_px=700, processor=0.5, memory_free_mib=4096)
SLOW = replace(WELL, fps_done=20, busy=1.0)
Load = Callable[[int], Measured]


def live(load: Load, seconds: float, settings: Settings | None = None, state: State | None = None) -> list[State]:
    """The states of a session in which each rung has its load."""
    states = [state or State()]
    begun_s = states[0].since_s
    for number in range(1, round(seconds / LOOK_S) + 1):
        now = begun_s + number * LOOK_S
        states.append(step(states[-1], load(states[-1].rung), settings or Settings(), now))
    return states


def rungs(states: list[State]) -> list[int]:
    """Each once, in the order taken."""
    return [rung for rung, _ in itertools.groupby(state.rung for state in states)]


def always(measured: Measured) -> Load:
    return lambda _rung: measured


def with_values(**values: object) -> Settings:
    return Settings().with_values({path.replace("__", "."): value for path, value in values.items()})


class TestLadder:
    def test_no_rung_touches_whom_one_looks_for_nor_the_gate_nor_the_label(self) -> None:
        for path in GOVERNED:
            assert path.partition(".")[0] not in ("detect", "gate", "content", "label", "consent", "mask", "audit")

    @given(st.integers(0, len(LADDER)))
    def test_nothing_else_is_ever_changed(self, rung: int) -> None:
        assert set(effective(Settings(), rung).changes_from(Settings())) <= GOVERNED

    def test_each_rung_has_what_was_left_out_before(self) -> None:
        settings = with_values(
            swap__pixel_boost=2,
            swap__enhancer="gfpgan_1.4",
            look__enhance=0.5,
            swap__parser="bisenet",
            swap__occlusion=0.5,
        )
        assert {rung.path for rung in LADDER} == GOVERNED
        changed = [set(effective(settings, rung).changes_from(settings)) for rung in range(len(LADDER) + 1)]
        assert changed[0] == set()
        assert all(fewer <= more for fewer, more in itertools.pairwise(changed))
        assert changed[-1] == GOVERNED

    def test_what_the_user_chose_lower_stays(self) -> None:
        chosen = with_values(
            swap__max_crop_px=192,
            swap__mask_every=3,
            swap__occlusion=0.0,
            track__ask_again_s=8.0,
            track__refined=False,
        )
        assert effective(chosen, len(LADDER)) == chosen

    def test_what_is_left_out_is_told_once_for_each_parameter(self) -> None:
        told = [rung.words for rung in left_out(Settings(), len(LADDER))]
        assert told == [
            "who the faces are is asked less often",
            "faces are computed 256 pixels wide at most",
            "lips and eyes of the mesh are not refined",
        ]
        assert left_out(Settings(), 0) == ()

    def test_names_and_words_differ(self) -> None:
        assert len({rung.name for rung in LADDER}) == len({rung.words for rung in LADDER}) == len(LADDER)
        assert all(rung.path in PARAMETERS for rung in LADDER)
        assert len({shortage.words for shortage in Shortage}) == len(Shortage)


class TestDown:
    def test_all_is_well_and_nothing_is_left_out(self) -> None:
        assert rungs(live(always(WELL), 60)) == [0]

    def test_one_hiccup_is_no_reason(self) -> None:
        load = iter([SLOW, WELL] * 60)
        assert rungs(live(lambda _rung: next(load), 60)) == [0]

    def test_it_takes_a_while_of_misses_and_as_long_again_for_each_step(self) -> None:
        states = live(always(SLOW), 60)
        assert rungs(states) == [
            0,
            1,
            5,
            6,
            7,
            8,
        ]  # without boost, enhancer and mask nets those save nothing
        moments = [state.since_s for state in states]
        apart = [after - before for before, after in itertools.pairwise(sorted(set(moments)))]
        assert min(apart) >= DOWN_AFTER_S
        assert max(apart) <= DOWN_AFTER_S + 2 * LOOK_S
        assert states[-1].shortage is Shortage.PACE

    def test_it_stops_where_the_budget_is_kept(self) -> None:
        assert rungs(live(lambda rung: SLOW if rung < 5 else replace(WELL, busy=0.9), 300)) == [0, 1, 5]

    def test_a_crop_that_is_small_already_is_passed_over(self) -> None:
        assert rungs(live(always(replace(SLOW, crop_px=320)), 60)) == [0, 1, 6, 8]
        assert rungs(live(always(replace(SLOW, crop_px=200)), 60)) == [0, 1, 6]

    def test_boost_and_enhancer_go_first_where_there_are_any(self) -> None:
        settings = with_values(swap__pixel_boost=3, swap__enhancer="gfpgan_1.4", look__enhance=0.5)
        assert rungs(live(always(SLOW), 60, settings)) == [0, 1, 2, 3, 5, 6, 7, 8]
        unloaded = with_values(look__enhance=0.5)
        assert 3 not in rungs(live(always(SLOW), 60, unloaded))

    @pytest.mark.parametrize(("net", "last"), [("occluder", ()), ("parser", (9,))])
    def test_masks_are_kept_for_a_second_picture_where_there_are_any(self, net: str, last: tuple[int, ...]) -> None:
        """Where a net of the user's tells what lies before the face, the program does not: there is no last rung."""
        settings = with_values(swap__occlusion=1.0, **{f"swap__{net}": "xseg"})
        assert rungs(live(always(SLOW), 60, settings)) == [0, 1, 4, 5, 6, 7, 8, *last]

    @pytest.mark.parametrize(
        ("measured", "shortage"),
        [
            (replace(WELL, late_ms=101), Shortage.LATENCY),
            (replace(WELL, fps_done=27), Shortage.PACE),
        ],
    )
    def test_each_part_of_the_budget_counts(self, measured: Measured, shortage: Shortage) -> None:
        states = live(always(measured), 3)
        assert states[-1].rung == 1
        assert states[-1].shortage is shortage

    @pytest.mark.parametrize(
        ("measured", "shortage"),
        [
            (replace(WELL, gpu_free_mib=255), Shortage.GPU_MEMORY),
            (replace(WELL, memory_free_mib=MEMORY_LEFT_MIB - 1), Shortage.MEMORY),
        ],
    )
    def test_where_memory_is_short_nets_rest_and_nothing_that_frees_none(
        self, measured: Measured, shortage: Shortage
    ) -> None:
        assert rungs(live(always(measured), 60)) == [0]
        settings = with_values(swap__pixel_boost=3, swap__enhancer="gfpgan_1.4", look__enhance=0.5)
        states = live(always(measured), 60, settings)
        assert rungs(states) == [0, 2, 3]
        assert states[-1].shortage is shortage

    def test_little_memory_does_not_hide_that_the_machine_is_slow(self) -> None:
        states = live(always(replace(SLOW, memory_free_mib=100)), 60)
        assert rungs(states) == [0, 1, 5, 6, 7, 8]
        assert states[-1].shortage is Shortage.PACE

    def test_the_share_of_the_processor_counts_where_there_is_a_limit(self) -> None:
        busy = replace(WELL, processor=0.99)
        assert rungs(live(always(busy), 30)) == [0]
        states = live(always(busy), 3, with_values(budget__processor=0.9))
        assert (states[-1].rung, states[-1].shortage) == (1, Shortage.PROCESSOR)

    def test_fewer_frames_serve_whoever_wants_fewer(self) -> None:
        assert rungs(live(always(SLOW), 30, with_values(budget__fps=20))) == [0]

    def test_a_slow_camera_is_no_slow_machine(self) -> None:
        dark = replace(WELL, fps_in=15, fps_done=15)
        assert rungs(live(always(dark), 30, with_values(budget__fps=30))) == [0]

    def test_no_limit_is_no_limit(self) -> None:
        settings = with_values(budget__late_ms=0, budget__gpu_free_mib=0)
        assert rungs(live(always(replace(WELL, late_ms=900, gpu_free_mib=1)), 30, settings)) == [0]

    def test_what_nobody_knows_is_not_missed(self) -> None:
        unknown = replace(WELL, late_ms=None, processor=None, memory_free_mib=None)
        assert rungs(live(always(unknown), 30)) == [0]


class TestUp:
    BOTTOM = State(rung=8, shortage=Shortage.PACE, wait_s=UP_AFTER_S)

    def test_it_comes_back_rung_by_rung_when_there_is_room_for_long_enough(self) -> None:
        states = live(always(WELL), 120, state=self.BOTTOM)
        assert rungs(states) == [8, 7, 6, 5, 4, 0]  # without boost, enhancer and mask nets 4 leaves out what 1 does
        changes = sorted({state.since_s for state in states})
        assert all(after - before >= UP_AFTER_S for before, after in itertools.pairwise(changes))
        assert states[-1].shortage is None

    @pytest.mark.parametrize(
        "measured",
        [
            replace(WELL, busy=0.8),
            replace(WELL, late_ms=80),
            replace(WELL, late_ms=None),
            replace(WELL, swapped=False),
            replace(WELL, fps_in=0, fps_done=0),
        ],
    )
    def test_without_room_it_stays(self, measured: Measured) -> None:
        assert rungs(live(always(measured), 60, state=self.BOTTOM)) == [8]

    @pytest.mark.parametrize(
        "full", [replace(WELL, gpu_free_mib=300), replace(WELL, memory_free_mib=MEMORY_LEFT_MIB + 100)]
    )
    def test_nets_come_back_where_memory_has_room_and_all_else_without(self, full: Measured) -> None:
        settings = with_values(swap__pixel_boost=3, swap__enhancer="gfpgan_1.4", look__enhance=0.5)
        assert rungs(live(always(full), 120, settings, self.BOTTOM)) == [8, 7, 6, 5, 4]

    def test_the_processor_must_have_room_where_there_is_a_limit(self) -> None:
        settings = with_values(budget__processor=0.6)
        assert rungs(live(always(WELL), 60, settings, self.BOTTOM)) == [8]
        assert rungs(live(always(replace(WELL, processor=0.4)), 15, settings, self.BOTTOM)) == [8, 7]

    def test_room_is_that_for_the_frames_that_are_wanted(self) -> None:
        busy = replace(WELL, busy=0.9)
        assert rungs(live(always(busy), 15, with_values(budget__fps=15), self.BOTTOM)) == [8, 7]

    @pytest.mark.parametrize("full", [replace(WELL, busy=0.9), SLOW])
    def test_room_must_last(self, full: Measured) -> None:
        load = itertools.cycle([WELL] * 15 + [full] * 2)
        assert rungs(live(lambda _rung: next(load), 120, state=self.BOTTOM)) == [8]

    @pytest.mark.parametrize("full", [replace(WELL, busy=0.9), SLOW])
    def test_one_reading_without_room_is_forgiven(self, full: Measured) -> None:
        load = itertools.cycle([WELL] * 15 + [full])
        assert rungs(live(lambda _rung: next(load), 12, state=self.BOTTOM)) == [8, 7]

    def test_a_rung_that_the_user_made_needless_is_left_at_once(self) -> None:
        small = with_values(swap__max_crop_px=192, swap__mask_every=2, track__refined=False, track__ask_again_s=8.0)
        assert rungs(live(always(WELL), 12, small, self.BOTTOM)) == [8, 0]

    def test_switched_off_it_lets_go(self) -> None:
        off = with_values(budget__govern=False)
        assert step(self.BOTTOM, SLOW, off, 1.0) == State(since_s=1.0)
        assert rungs(live(always(SLOW), 30, off)) == [0]


class TestRest:
    def test_a_load_that_falls_between_two_rungs_is_tried_ever_more_seldom(self) -> None:
        states = live(lambda rung: SLOW if rung < 5 else WELL, 3600)
        changes = sorted({state.since_s for state in states})
        assert len(changes) < 60
        assert max(state.wait_s for state in states) == LONGEST_WAIT_S
        waits = [after - before for before, after in itertools.pairwise(changes)]
        assert max(waits) >= LONGEST_WAIT_S

    def test_after_a_relapse_that_came_late_patience_is_as_before(self) -> None:
        tired = State(rung=1, shortage=Shortage.PACE, wait_s=80.0, climbed_s=-100.0)
        assert live(always(SLOW), 3, state=tired)[-1].wait_s == UP_AFTER_S

    @given(st.lists(st.sampled_from([WELL, SLOW, replace(WELL, busy=0.9), replace(WELL, swapped=False)]), max_size=120))
    def test_whatever_comes_it_stays_on_the_ladder_and_never_hurries(self, readings: list[Measured]) -> None:
        state = State()
        for number, measured in enumerate(readings, 1):
            after = step(state, measured, Settings(), number * LOOK_S)
            assert 0 <= after.rung <= len(LADDER)
            if after.rung != state.rung:
                least_s = DOWN_AFTER_S if after.rung > state.rung else UP_AFTER_S
                assert number * LOOK_S - state.since_s >= least_s
            assert (after.rung == 0) == (after.shortage is None)
            state = after


def test_the_wait_grows_to_a_power_of_two_of_the_first() -> None:
    assert governor.LONGEST_WAIT_S / governor.UP_AFTER_S == 16
