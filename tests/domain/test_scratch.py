import numpy as np

from facefusion_live.domain.scratch import Scratch


def test_the_same_name_is_the_same_memory() -> None:
    scratch = Scratch()
    first = scratch.array("a", (4, 4, 3))
    first.fill(7)
    assert np.shares_memory(first, scratch.array("a", (2, 2)))
    assert not np.shares_memory(first, scratch.array("b", (4, 4, 3)))


def test_it_has_the_shape_and_type_asked_for() -> None:
    array = Scratch().array("a", (5, 3), np.float32)
    assert array.shape == (5, 3)
    assert array.dtype == np.float32


def test_a_little_more_is_the_same_memory_still() -> None:
    scratch = Scratch()
    small = scratch.array("a", (100,))
    assert np.shares_memory(small, scratch.array("a", (149,)))
    assert not np.shares_memory(small, scratch.array("a", (1000,)))
