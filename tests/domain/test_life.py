import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import mesh
from facefusion_live.domain.life import FRAMES, SETTLING_S, Pulse
from tests.faces import canonical_mesh_px

REST = canonical_mesh_px(200)
STEP_S = 1 / 30


def watched(*meshes: NDArray[np.float32], pulse: Pulse | None = None) -> Pulse:
    pulse = pulse or Pulse()
    begin = pulse.seen_s + STEP_S if pulse.began_s is not None else 5.0
    for index, mesh_px in enumerate(meshes):
        pulse = pulse.after(mesh_px, begin + index * STEP_S)
    return pulse


def winking(open_share: float) -> NDArray[np.float32]:
    """Eyelids and lips moved together."""
    moved = REST.copy()
    for ring in (*mesh.EYES, mesh.INNER_LIPS):
        middle = moved[list(ring), 1].mean()
        moved[list(ring), 1] = middle + open_share * (moved[list(ring), 1] - middle) - 20 * (1 - open_share)
    return moved


def test_before_it_was_seen_and_for_a_while_after_nobody_knows() -> None:
    assert Pulse().life(2) == "unproven"
    assert watched(REST).life(2) == "unproven"
    assert watched(*[REST] * 55).life(2) == "unproven"


def test_what_never_moves_is_a_picture() -> None:
    assert watched(*[REST] * 65).life(2) == "picture"


def test_where_nothing_is_looked_for_everybody_lives() -> None:
    assert watched(*[REST] * 65).life(0) == "living"


def test_a_picture_that_is_shaken_turned_and_brought_nearer_stays_one() -> None:
    moved = [
        canonical_mesh_px(200 + index, (320 + 5 * (index % 7), 240 - 3 * (index % 5)), roll=index % 9)
        for index in range(80)
    ]
    assert watched(*moved).life(2) == "picture"


def test_a_head_that_turns_and_a_face_that_speaks_live_for_good() -> None:
    rest = [REST] * 15
    for moved in (canonical_mesh_px(200, yaw=12), winking(0.1)):
        pulse = watched(*rest, *[moved] * FRAMES)
        assert pulse.life(2) == "living"
        assert watched(*[REST] * 90, pulse=pulse).life(2) == "living"


def test_one_mesh_seen_wrongly_is_no_life() -> None:
    wrong = canonical_mesh_px(200, yaw=30)
    assert not watched(*[REST] * 15, *[wrong, REST] * 10).living
    assert not watched(*[REST] * 15, *[wrong] * (FRAMES - 1)).living


def test_movement_while_the_first_meshes_settle_does_not_count() -> None:
    settling = [canonical_mesh_px(200, yaw=30 - index) for index in range(int(SETTLING_S / STEP_S))]
    pulse = watched(*settling)
    assert (pulse.resting, pulse.living) == (None, False)


def test_a_mesh_without_extent_breaks_nothing() -> None:
    assert not watched(*[np.zeros((478, 3), np.float32)] * 15).living
