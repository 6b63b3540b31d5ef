# pyright: basic
"""A node of our own in PipeWire's graph, out of which pictures or sound come."""

import ctypes as c
import logging
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from facefusion_live.adapters.sinks.pipewire import library as pw
from facefusion_live.adapters.sinks.pipewire.connection import Connection
from facefusion_live.adapters.sinks.pipewire.pod import Pod
from facefusion_live.domain.errors import SinkOpenError

log = logging.getLogger("facefusion_live.sink")

_FORMAT = 4
Agreed = Callable[[Pod], Sequence[Pod]]
"""Told of the format that a reader and we agreed on; answers what buffers are wanted for it."""


class Stream:
    """One stream. Open from the beginning until `close`.

    Args:
        connection: Where it lives; must outlive it.
        name: Of the node, for programs.
        properties: Of the node.
        agreed: Called on the library's thread when a format was agreed on.
        process: Called on the library's thread when it is time for the next buffer; None for one that drives itself.
    """

    def __init__(
        self,
        connection: Connection,
        name: str,
        properties: Mapping[str, str],
        agreed: Agreed,
        process: Callable[[], None] | None = None,
    ) -> None:
        self._connection = connection
        self._library = connection.library
        self._agreed = agreed
        self._state = pw.UNCONNECTED
        self._broken: str | None = None
        self._node_id = pw.ANY_ID
        self._hook = pw.Hook()
        self._events = pw.StreamEvents(
            version=2,
            state_changed=pw.StateChanged(self._on_state),
            param_changed=pw.ParamChanged(self._on_param),
        )
        if process is not None:
            self._events.process = pw.Process(lambda _: process())
        with connection.locked():
            handle = self._library.pw_stream_new(
                connection.core, name.encode(), pw.properties(self._library, properties)
            )
            if handle is not None:
                self._library.pw_stream_add_listener(handle, c.byref(self._hook), c.byref(self._events), None)
        self._handle: pw.Handle = handle
        if handle is None:
            raise SinkOpenError(f"PipeWire makes no stream: {os.strerror(c.get_errno())}")

    @property
    def streaming(self) -> bool:
        """Whether someone reads. Thread: any."""
        return self._state == pw.STREAMING

    @property
    def broken(self) -> str | None:
        """Why it cannot be used; None while it can. Thread: any."""
        return self._broken

    @property
    def readers(self) -> int:
        """How many programs are connected to it. Thread: any."""
        return 0 if self._node_id == pw.ANY_ID else self._connection.readers(self._node_id)

    def connect(self, direction: int, flags: int, formats: Sequence[Pod]) -> None:
        """Show the node to the others.

        Args:
            direction: `library.OUTPUT` or `library.INPUT`.
            flags: Of `pw_stream_connect`.
            formats: What is offered, the preferred one first.

        Raises:
            SinkOpenError: PipeWire refuses.
        """
        array, keep = _pointers(formats)
        with self._connection.locked():
            code = self._library.pw_stream_connect(self._handle, direction, pw.ANY_ID, flags, array, len(formats))
        del keep
        if code < 0:
            raise SinkOpenError(f"PipeWire refuses the stream: {os.strerror(-code)}")

    @contextmanager
    def buffer(self) -> Generator[Any]:
        """An empty buffer (`library.Buffer`), handed back at the end; None when all are in readers' hands.

        Under `Connection.locked`, or on the library's thread.
        """
        lent = None if self._handle is None else self._library.pw_stream_dequeue_buffer(self._handle)
        try:
            yield lent.contents if lent else None
        finally:
            if lent:
                self._library.pw_stream_queue_buffer(self._handle, lent)

    def cycle_s(self) -> float:
        """When the present cycle of the graph began, in monotonic seconds. As `buffer`."""
        now = pw.Time()
        self._library.pw_stream_get_time_n(self._handle, c.byref(now), c.sizeof(now))
        # Not its ticks: each stream counts those from its own start.
        return now.now / 1e9

    def trigger(self) -> None:
        """Start a cycle of the graph: readers get what is queued. Under `Connection.locked`."""
        self._library.pw_stream_trigger_process(self._handle)

    def set_active(self, *, active: bool) -> None:
        """Let it run, or rest. Under `Connection.locked`, or on the library's thread."""
        if self._handle is not None:
            self._library.pw_stream_set_active(self._handle, active)

    def close(self) -> None:
        """Take the node away. Safe to call twice."""
        if self._handle is None:
            return
        with self._connection.locked():
            # Under the lock: a callback of the library's thread may be at work with it.
            handle, self._handle = self._handle, None
            self._library.pw_stream_destroy(handle)
        self._state = pw.UNCONNECTED

    def _on_state(self, _: int, __: int, state: int, error: bytes | None) -> None:
        self._state = state
        self._broken = (error or b"unknown").decode(errors="replace") if state == pw.ERROR else None
        # While it is being destroyed it passes through its states once more.
        if state in (pw.PAUSED, pw.STREAMING) and self._handle is not None:
            self._node_id = self._library.pw_stream_get_node_id(self._handle)

    def _on_param(self, _: int, kind: int, param: int | None) -> None:
        if kind != _FORMAT or not param:
            return
        size = c.cast(param, c.POINTER(c.c_uint32))[0]
        try:
            wanted = self._agreed(c.string_at(param, 8 + size))
        except ValueError as error:
            log.error("PipeWire agreed on a format that was not offered: %s", error)  # noqa: TRY400 (words are enough)
            return
        array, keep = _pointers(wanted)
        self._library.pw_stream_update_params(self._handle, array, len(wanted))
        del keep


def _pointers(pods: Sequence[Pod]) -> tuple[Any, Any]:
    """(array of pointers to the pods, what must be kept as long as it is used)."""
    keep = [c.create_string_buffer(pod, len(pod)) for pod in pods]
    return (c.c_void_p * len(pods))(*(c.addressof(one) for one in keep)), keep
