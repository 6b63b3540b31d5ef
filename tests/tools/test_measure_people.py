"""The tables of docs/people.md: who is compared with whom, and what counts as alive."""

import numpy as np
import pytest

from tests.support import shared_path
from tools import measure_people as measuring

ONE, OTHER = np.float32([1, 0]), np.float32([0.6, 0.8])


def seen(film: str, person: str, embedding: np.ndarray, *, frontal: bool = True) -> measuring.Seen:
    return measuring.Seen(film, person, embedding, frontal)


def test_each_person_of_a_film_is_compared_with_every_other_look() -> None:
    looks = [
        *(seen("a", "T", ONE) for _ in range(5)),
        seen("a", "T", OTHER),
        seen("a", "T", ONE, frontal=False),
        seen("b", "T", OTHER),
        seen("b", "H", ONE, frontal=False),
    ]
    cosines = measuring.compared(looks)
    assert cosines["same person, same film"] == pytest.approx([0.6])
    assert cosines["same person, other film"] == pytest.approx([0.6] + [0.6] * 5 + [1.0])
    assert cosines["other person"] == pytest.approx([1.0, 0.6])


def test_the_table_tells_how_many_are_known_and_unlike() -> None:
    lines: list[str] = []
    measuring.tell_likeness({"same": [0.7, 0.5, 0.3, 0.9]}, lines.append)
    assert lines[-1] == "| same | 4 | 0.30 | 0.31 | 0.60 | 0.89 | 0.90 | 50.0% | 25.0% |"


def test_a_person_who_talks_lives_and_a_photo_on_a_wall_does_not() -> None:
    bench = measuring.Bench()
    pictures, fps = measuring.read(shared_path("media/clips/talk_turn.mp4"))
    after_s = measuring.alive_after(bench, pictures[:60], fps)
    assert after_s is not None
    assert after_s < 1
    photo = measuring.rgb(shared_path("media/faces/sfhq_a_04.jpg"))
    assert measuring.alive_after(bench, measuring.on_a_wall(photo, 240, 1.5)[:60], 30) is None
