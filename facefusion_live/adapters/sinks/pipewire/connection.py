# pyright: basic
"""A connection to the PipeWire daemon, with the thread that serves it and the count of who reads what."""

import ctypes as c
import errno
import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from facefusion_live.adapters.sinks.pipewire import library as pw
from facefusion_live.domain.errors import SinkOpenError

_LINK = "PipeWire:Interface:Link"
_OUTPUT_NODE = "link.output.node"
_CORE_ID = 0


class Connection:
    """A connection that is open from the beginning until `close`.

    Everything that touches PipeWire's objects is done under `locked`. Callbacks come on the library's own thread,
    which holds that lock; they only note what happened.

    Raises:
        SinkOpenError: The library is missing, or no daemon answers.
    """

    def __init__(self) -> None:
        self.library: Any = pw.load()
        self._lost: str | None = None
        self._links: dict[int, int] = {}
        self._core: pw.Handle = None
        self._registry: pw.Handle = None
        self._context: pw.Handle = None
        self._core_events = pw.CoreEvents(version=0, error=pw.CoreError(self._on_error))
        self._registry_events = pw.RegistryEvents(
            version=0, added=pw.GlobalAdded(self._on_added), removed=pw.GlobalRemoved(self._on_removed)
        )
        self._hooks = pw.Hook(), pw.Hook()
        self._loop: pw.Handle = self.library.pw_thread_loop_new(b"facefusion-live", None)
        try:
            self._connect()
        except SinkOpenError:
            self.close()
            raise

    @property
    def core(self) -> pw.Handle:
        """The daemon's end, as the library has it."""
        return self._core

    @property
    def lost(self) -> str | None:
        """Why the daemon does not answer any more; None while it does. Thread: any."""
        return self._lost

    def readers(self, node_id: int) -> int:
        """How many programs read from a node just now. Thread: any."""
        return list(self._links.values()).count(node_id)

    @contextmanager
    def locked(self) -> Generator[None]:
        """Nothing else touches PipeWire's objects meanwhile."""
        self.library.pw_thread_loop_lock(self._loop)
        try:
            yield
        finally:
            self.library.pw_thread_loop_unlock(self._loop)

    def close(self) -> None:
        """End the connection and its thread. Streams must be gone. Safe to call twice."""
        if self._loop is None:
            return
        # After this nobody but us is left, and no lock is needed.
        self.library.pw_thread_loop_stop(self._loop)
        if self._registry is not None:
            self.library.pw_proxy_destroy(self._registry)
        if self._core is not None:
            self.library.pw_core_disconnect(self._core)
        if self._context is not None:
            self.library.pw_context_destroy(self._context)
        self.library.pw_thread_loop_destroy(self._loop)
        self._loop = self._context = self._core = self._registry = None

    def _connect(self) -> None:
        library = self.library
        self._context = library.pw_context_new(library.pw_thread_loop_get_loop(self._loop), None, 0)
        if self._context is None:
            raise _no_daemon(c.get_errno())
        self._core = library.pw_context_connect(self._context, None, 0)
        if self._core is None:
            raise _no_daemon(c.get_errno())
        pw.listen(self._core, self._hooks[0], self._core_events)
        self._registry = pw.get_registry(self._core)
        pw.listen(self._registry, self._hooks[1], self._registry_events)
        library.pw_thread_loop_start(self._loop)

    def _on_error(self, _: int, about: int, __: int, code: int, message: bytes | None) -> None:
        # What is said about other objects is their streams' business; only the end of the connection is ours.
        if about == _CORE_ID and code == -errno.EPIPE:
            self._lost = (message or b"").decode(errors="replace") or "connection lost"

    def _on_added(self, _: int, number: int, __: int, kind: bytes, ___: int, values: pw.Handle) -> None:
        if kind.decode() == _LINK:
            node = pw.read_dict(values).get(_OUTPUT_NODE, "")
            if node.isdecimal():
                self._links[number] = int(node)

    def _on_removed(self, _: int, number: int) -> None:
        self._links.pop(number, None)


def _no_daemon(code: int) -> SinkOpenError:
    return SinkOpenError(
        f"no PipeWire daemon answers: {os.strerror(code)}",
        advice="Start PipeWire and WirePlumber in your session (systemctl --user start pipewire wireplumber).",
    )
