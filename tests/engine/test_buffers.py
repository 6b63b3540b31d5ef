import threading
import weakref

import numpy as np
import pytest

from facefusion_live.domain.errors import ComputeError
from facefusion_live.engine.buffers import BlockingQueue, BufferPool, DroppingQueue, latest_slot
from tests.engine.rig import until

WAIT_S = 10.0


class TestBufferPool:
    def test_it_can_grow_and_takes_old_memory_first(self) -> None:
        pool = BufferPool(8, 1, "test")
        old = pool.acquire()
        pool.grow_to(3)
        pool.grow_to(2)
        new = [pool.acquire() for _ in range(2)]
        with pytest.raises(ComputeError, match="all 3 test buffers"):
            pool.acquire()
        assert pool.in_use == 3
        new[0].release()
        old.release()
        assert pool.acquire() is old

    def test_memory_starts_on_a_cache_line_and_is_writable(self) -> None:
        pool = BufferPool(100, 3, "test")
        for _ in range(3):
            array = pool.acquire().array((10, 10))
            array[:] = 7
            assert array.ctypes.data % 64 == 0
            assert array.flags.writeable

    def test_views_at_an_offset_do_not_touch_each_other(self) -> None:
        buffer = BufferPool(24, 1, "test").acquire()
        first, second = buffer.array((2, 2, 3)), buffer.array((12,), offset=12)
        first[:], second[:] = 1, 2
        assert (first == 1).all()
        assert (second == 2).all()

    @pytest.mark.parametrize(("shape", "offset"), [((5, 5), 0), ((4, 4), 9)])
    def test_a_view_beyond_the_memory_is_refused(self, shape: tuple[int, ...], offset: int) -> None:
        with pytest.raises(ComputeError, match="cannot hold"):
            BufferPool(24, 1, "test").acquire().array(shape, offset)

    def test_the_last_share_gives_the_memory_back(self) -> None:
        pool = BufferPool(1, 1, "test")
        buffer = pool.acquire()
        buffer.retain()
        buffer.release()
        assert pool.in_use == 1
        buffer.release()
        assert pool.in_use == 0

    def test_an_empty_pool_says_so(self) -> None:
        pool = BufferPool(1, 2, "frame")
        held = [pool.acquire(), pool.acquire()]
        with pytest.raises(ComputeError, match="all 2 frame buffers are in use"):
            pool.acquire()
        held[0].release()
        assert pool.acquire() is held[0]

    def test_what_was_given_back_last_is_used_first(self) -> None:
        pool = BufferPool(1, 3, "test")
        first, second = pool.acquire(), pool.acquire()
        first.release()
        second.release()
        assert pool.acquire() is second

    def test_too_many_releases_and_late_retains_are_mistakes(self) -> None:
        buffer = BufferPool(1, 1, "test").acquire()
        buffer.release()
        with pytest.raises(ComputeError, match="released twice"):
            buffer.release()
        with pytest.raises(ComputeError, match="after its last release"):
            buffer.retain()

    def test_reuse_is_the_same_memory(self) -> None:
        pool = BufferPool(16, 1, "test")
        buffer = pool.acquire()
        buffer.array((16,))[:] = 9
        buffer.release()
        assert (pool.acquire().array((16,)) == 9).all()

    def test_after_closing_the_memory_is_gone_at_once(self) -> None:
        pool = BufferPool(16, 2, "test")
        spare, used = pool.acquire(), pool.acquire()
        spare.release()
        memories = [weakref.ref(buffer._memory) for buffer in (spare, used)]
        del spare
        pool.close()
        assert memories[0]() is None
        assert (used.array((16,)) == 0).all(), "what is in use may be read until it is released"
        assert pool.in_use == 1
        used.release()
        del used
        assert (memories[1](), pool.in_use) == (None, 0)

    def test_a_closed_pool_gives_nothing_out(self) -> None:
        pool = BufferPool(1, 1, "frame")
        pool.close()
        pool.close()
        with pytest.raises(ComputeError, match="the frame buffers were given back"):
            pool.acquire()

    def test_shares_balance_under_many_threads(self) -> None:
        pool = BufferPool(8, 4, "test")

        def work() -> None:
            for _ in range(500):
                buffer = pool.acquire()
                buffer.retain()
                buffer.array((8,))[:] = 1
                buffer.release()
                buffer.release()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_S)
        assert pool.in_use == 0
        assert np.array([pool.acquire().array((8,)) for _ in range(4)]).shape == (4, 8)


class TestBlockingQueue:
    def test_first_in_first_out(self) -> None:
        queue = BlockingQueue[int](3, lambda _: None)
        assert all(queue.put(item) for item in (1, 2, 3))
        assert [queue.get(0) for _ in range(4)] == [1, 2, 3, None]

    def test_put_waits_for_room(self) -> None:
        queue = BlockingQueue[int](1, lambda _: None)
        queue.put(1)
        results: list[bool] = []
        putter = threading.Thread(target=lambda: results.append(queue.put(2)))
        putter.start()
        assert results == []
        assert queue.get(WAIT_S) == 1
        putter.join(WAIT_S)
        assert results == [True]
        assert queue.get(WAIT_S) == 2

    def test_close_wakes_who_waits_to_put_and_the_item_stays_his(self) -> None:
        discarded: list[int] = []
        queue = BlockingQueue[int](1, discarded.append)
        queue.put(1)
        results: list[bool] = []
        putter = threading.Thread(target=lambda: results.append(queue.put(2)))
        putter.start()
        queue.close()
        putter.join(WAIT_S)
        assert results == [False]
        assert discarded == []

    def test_close_wakes_who_waits_to_get(self) -> None:
        queue = BlockingQueue[int](1, lambda _: None)
        results: list[int | None] = []
        getter = threading.Thread(target=lambda: results.append(queue.get(WAIT_S * 10)))
        getter.start()
        queue.close()
        getter.join(WAIT_S)
        assert results == [None]

    def test_what_lies_inside_can_still_be_taken_after_close(self) -> None:
        queue = BlockingQueue[int](2, lambda _: None)
        queue.put(1)
        queue.close()
        assert not queue.put(2)
        assert not queue.finished
        assert queue.get(0) == 1
        assert queue.finished

    def test_drain_discards_and_makes_room(self) -> None:
        discarded: list[int] = []
        queue = BlockingQueue[int](2, discarded.append)
        queue.put(1)
        queue.put(2)
        putter = threading.Thread(target=lambda: queue.put(3))
        putter.start()
        queue.drain()
        putter.join(WAIT_S)
        assert discarded == [1, 2]
        assert queue.get(0) == 3


class TestDroppingQueue:
    def test_when_full_the_oldest_goes_and_is_counted(self) -> None:
        discarded: list[int] = []
        queue = DroppingQueue[int](2, discarded.append)
        assert all(queue.put(item) for item in range(5))
        assert discarded == [0, 1, 2]
        assert queue.dropped == 3
        assert [queue.get(0), queue.get(0)] == [3, 4]

    def test_closed_it_takes_nothing_and_drops_nothing(self) -> None:
        discarded: list[int] = []
        queue = DroppingQueue[int](1, discarded.append)
        queue.put(1)
        queue.close()
        assert not queue.put(2)
        assert (discarded, queue.dropped) == ([], 0)

    def test_in_the_slot_the_newest_wins_and_order_is_kept(self) -> None:
        slot = latest_slot(lambda _item: None)
        taken: list[int] = []

        def take() -> None:
            while not slot.finished:
                item = slot.get(WAIT_S)
                if item is not None:
                    taken.append(item)

        taker = threading.Thread(target=take)
        taker.start()
        for item in range(2000):
            slot.put(item)
        slot.close()
        taker.join(WAIT_S)
        assert taken == sorted(set(taken))
        assert taken[-1] == 1999
        assert len(taken) + slot.dropped == 2000

    def test_a_discard_may_use_the_queue(self) -> None:
        queue: DroppingQueue[int] = DroppingQueue(1, lambda _: seen.append(queue.finished))
        seen: list[bool] = []
        queue.put(1)
        queue.put(2)
        until(lambda: seen == [False])
