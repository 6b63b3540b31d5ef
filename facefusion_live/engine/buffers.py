"""Memory and hand-over between threads: pooled buffers, a slot for the newest, a queue for all.

After start-up the live loop takes its pictures from here and allocates none.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.errors import ComputeError
from facefusion_live.domain.memory import large_memory

T = TypeVar("T")


class PoolBuffer:
    """One piece of a pool's memory, reference-counted. Thread: any."""

    def __init__(self, pool: "BufferPool", memory: NDArray[np.uint8]) -> None:
        self._pool = pool
        self._memory = memory
        self._shares = 0

    def array(self, shape: tuple[int, ...], offset: int = 0) -> NDArray[np.uint8]:
        """A writable uint8 view of `shape`, starting `offset` bytes in.

        Raises:
            ComputeError: The pool's buffers are too small for it.
        """
        size = int(np.prod(shape))
        if offset + size > self._memory.size:
            raise ComputeError(f"a buffer of {self._memory.size} bytes cannot hold {shape} at {offset}")
        return self._memory[offset : offset + size].reshape(shape)

    def retain(self) -> None:
        """Take one more share.

        Raises:
            ComputeError: Nobody holds it any more; the memory may already be someone else's.
        """
        with self._pool.lock:
            if not self._shares:
                raise ComputeError("a buffer was retained after its last release")
            self._shares += 1

    def release(self) -> None:
        """Give one share back; with the last one the memory goes back to the pool.

        Raises:
            ComputeError: It was given back already.
        """
        with self._pool.lock:
            if not self._shares:
                raise ComputeError("a buffer was released twice")
            self._shares -= 1
            if not self._shares:
                self._pool.take_back(self)

    def take(self) -> "PoolBuffer":
        """Start anew with one share. Called by the pool, under its lock."""
        self._shares = 1
        return self


class BufferPool:
    """A fixed number of equal buffers, allocated once, until `close`.

    Args:
        size_bytes: Size of each.
        count: How many.
        name: For messages.
    """

    def __init__(self, size_bytes: int, count: int, name: str) -> None:
        self.name = name
        self.lock = threading.Lock()
        self._size_bytes, self._count = size_bytes, count
        self._in_use = 0
        self._closed = False
        self._free: deque[PoolBuffer] = deque(PoolBuffer(self, large_memory(size_bytes)) for _ in range(count))

    def acquire(self) -> PoolBuffer:
        """A buffer with one share taken.

        Raises:
            ComputeError: Every buffer is in use: someone keeps pictures for too long. Or the pool is closed.
        """
        with self.lock:
            if self._closed:
                raise ComputeError(f"the {self.name} buffers were given back to the system")
            if not self._free:
                raise ComputeError(f"all {self._count} {self.name} buffers are in use")
            self._in_use += 1
            # The one given back last: it is still in the cache, and spare buffers stay untouched.
            return self._free.pop().take()

    def take_back(self, buffer: PoolBuffer) -> None:
        """Called by a buffer with its last share, under the lock."""
        self._in_use -= 1
        if not self._closed:
            self._free.append(buffer)

    def close(self) -> None:
        """Give the memory back to the system; what is still in use goes when it is released. Twice does nothing.

        Pool and buffers know each other, so without this the memory would wait for Python's garbage collection, which
        counts objects and not their size.
        """
        with self.lock:
            self._closed = True
            self._free.clear()

    def grow_to(self, count: int) -> None:
        """Have at least so many buffers: an output was added. The new ones cost no memory until they are used."""
        with self.lock:
            more = max(0, count - self._count)
            # At the left: those in use before are taken first.
            self._free.extendleft(PoolBuffer(self, large_memory(self._size_bytes)) for _ in range(more))
            self._count += more

    @property
    def in_use(self) -> int:
        """Buffers not given back."""
        with self.lock:
            return self._in_use


class Channel(Protocol[T]):
    """A hand-over between two threads; `LatestSlot` and `BlockingQueue` are the two kinds."""

    def put(self, item: T) -> bool:
        """Hand an item over. False when the channel is closed: the item stays with the caller."""
        ...

    def get(self, timeout_s: float) -> T | None:
        """The next item, or None when none came in time or the channel is closed and empty."""
        ...

    def close(self) -> None:
        """No more puts; what lies inside can still be taken."""
        ...

    def drain(self) -> None:
        """Discard what lies inside."""
        ...

    @property
    def finished(self) -> bool:
        """Closed and empty."""
        ...


class BlockingQueue(Generic[T]):
    """First in, first out; `put` waits while it is full. For offline work: nothing is lost.

    Args:
        size: How many items fit.
        discard: Called for each item that is thrown away by `drain`.
    """

    def __init__(self, size: int, discard: Callable[[T], None]) -> None:
        self._size = size
        self._discard = discard
        self._items: deque[T] = deque()
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item: T) -> bool:
        """Wait for room and hand over; False when the channel is or gets closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._items) < self._size)
            if self._closed:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def get(self, timeout_s: float) -> T | None:
        """The oldest item, or None when none came in time or the channel is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._items), timeout_s)
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """No more puts; what lies inside can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def drain(self) -> None:
        """Discard what lies inside."""
        with self._changed:
            items, self._items = self._items, deque()
            self._changed.notify_all()
        for item in items:
            self._discard(item)

    @property
    def finished(self) -> bool:
        """Closed and empty."""
        with self._changed:
            return self._closed and not self._items


class DroppingQueue(BlockingQueue[T]):
    """First in, first out; when full, the oldest item is discarded and counted. With size 1: the newest wins.

    A queue of one keeps latency low (queues of two added 37 ms); a longer one serves what should lose nothing
    in a hiccup, such as a recording.
    """

    def __init__(self, size: int, discard: Callable[[T], None]) -> None:
        super().__init__(size, discard)
        self._dropped = 0

    def put(self, item: T) -> bool:
        """Hand over at once; False when the channel is closed."""
        lost = None
        with self._changed:
            if self._closed:
                return False
            if len(self._items) >= self._size:
                lost = self._items.popleft()
                self._dropped += 1
            self._items.append(item)
            self._changed.notify_all()
        if lost is not None:
            self._discard(lost)
        return True

    @property
    def dropped(self) -> int:
        """Items discarded because nobody took them in time."""
        return self._dropped


def latest_slot(discard: Callable[[T], None]) -> DroppingQueue[T]:
    """A hand-over in which the newest item wins."""
    return DroppingQueue(1, discard)
