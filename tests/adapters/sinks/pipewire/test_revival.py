import pytest

from facefusion_live.adapters.sinks.pipewire.revival import Revival
from facefusion_live.domain.errors import SinkOpenError


class _Thing:
    def __init__(self) -> None:
        self.lost: str | None = None
        self.closed = False

    def close(self) -> None:
        self.closed = True


class _World:
    """A clock, and whether the thing can be made now."""

    def __init__(self) -> None:
        self.now_ns, self.possible, self.attempts_s = 0, True, []

    def make(self) -> _Thing:
        self.attempts_s.append(self.now_ns / 1e9)
        if not self.possible:
            raise SinkOpenError("not now")
        return _Thing()


def test_the_first_failure_is_told() -> None:
    world = _World()
    world.possible = False
    with pytest.raises(SinkOpenError):
        Revival(world.make, "camera")


def test_what_is_lost_is_closed_and_opened_again_with_longer_and_longer_pauses() -> None:
    world = _World()
    revival = Revival(world.make, "camera", lambda: world.now_ns)
    first = revival.current()
    assert first is not None
    world.possible, first.lost = False, "crash"
    while world.now_ns < 10_000_000_000:
        assert revival.current() is None
        world.now_ns += 10_000_000
    assert first.closed
    assert world.attempts_s == pytest.approx([0, 0.1, 0.3, 0.8, 1.8, 3.8, 5.8, 7.8, 9.8], abs=0.02)
    world.possible, world.now_ns = True, 12_000_000_000
    second = revival.current()
    assert second is not None
    assert second is not first
    assert revival.revivals == 1
    # It starts patient again.
    world.possible, second.lost = False, "crash"
    assert revival.current() is None
    world.possible, world.now_ns = True, 12_110_000_000
    assert revival.current() is not None


def test_closing_twice_is_fine() -> None:
    world = _World()
    revival = Revival(world.make, "camera")
    thing = revival.thing
    revival.close()
    revival.close()
    assert thing is not None
    assert thing.closed
    assert revival.thing is None
