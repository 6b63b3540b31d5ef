# pyright: basic
"""A connection to the PipeWire daemon, with the thread that serves it and the count of who reads what."""

import ctypes as c
import errno
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from facefusion_live.adapters.sinks.pipewire import library as pw
from facefusion_live.domain.errors import SinkOpenError

_ENDS = "link.output.node", "link.input.node"
_CORE_ID = 0
_PATIENCE_S = 5.0
_open: "set[Connection]" = set()
"""Keeps those alive that nobody closed: the library's threads would call back into memory that is gone."""


class Connection:
    """A connection that is open from the beginning until `close`.

    Everything that touches PipeWire's objects is done under `locked`. Callbacks come on the library's own thread,
    which holds that lock; they only note what happened.

    Args:
        links_changed: Called on the library's thread when some program began or ceased to read somewhere.

    Raises:
        SinkOpenError: The library is missing, or no daemon answers.
    """

    def __init__(self, links_changed: Callable[[], None] | None = None) -> None:
        self._links_changed = links_changed
        self.library: Any = pw.load()
        self._lost: str | None = None
        self._links: dict[int, tuple[str, str]] = {}
        self._nodes: dict[int, dict[str, str]] = {}
        self._told_all = threading.Event()
        self._core: pw.Handle = None
        self._registry: pw.Handle = None
        self._context: pw.Handle = None
        self._core_events = pw.CoreEvents(
            version=0, done=pw.CoreDone(self._on_done), error=pw.CoreError(self._on_error)
        )
        self._registry_events = pw.RegistryEvents(
            version=0, added=pw.GlobalAdded(self._on_added), removed=pw.GlobalRemoved(self._on_removed)
        )
        self._hooks = pw.Hook(), pw.Hook()
        self._loop: pw.Handle = self.library.pw_thread_loop_new(b"facefusion-live", None)
        _open.add(self)
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
        # Sound has a link for each channel.
        return len({reader for source, reader in list(self._links.values()) if source == str(node_id)})

    def nodes(self, media_class: str) -> list[dict[str, str]]:
        """The properties of all nodes of a class or of a kind of it: "Audio/Source". Thread: any."""
        return [one for one in list(self._nodes.values()) if one.get("media.class", "").startswith(media_class)]

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
        _open.discard(self)

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
        # Its answer comes after everything that the daemon has was told.
        pw.sync(self._core)
        library.pw_thread_loop_start(self._loop)
        if not self._told_all.wait(_PATIENCE_S):
            raise _no_daemon(errno.ETIMEDOUT)

    def _on_done(self, _: int, __: int, ___: int) -> None:
        self._told_all.set()

    def _on_error(self, _: int, about: int, __: int, code: int, message: bytes | None) -> None:
        # What is said about other objects is their streams' business; only the end of the connection is ours.
        if about == _CORE_ID and code == -errno.EPIPE:
            self._lost = (message or b"").decode(errors="replace") or "connection lost"

    def _on_added(self, _: int, number: int, __: int, kind: bytes, ___: int, values: pw.Handle) -> None:
        match kind.decode():
            case "PipeWire:Interface:Node":
                self._nodes[number] = pw.read_dict(values)
            case "PipeWire:Interface:Link":
                ends = pw.read_dict(values)
                self._links[number] = ends.get(_ENDS[0], ""), ends.get(_ENDS[1], "")
                self._tell()

    def _on_removed(self, _: int, number: int) -> None:
        self._nodes.pop(number, None)
        if self._links.pop(number, None) is not None:
            self._tell()

    def _tell(self) -> None:
        if self._links_changed is not None:
            self._links_changed()


def _no_daemon(code: int) -> SinkOpenError:
    return SinkOpenError(
        f"no PipeWire daemon answers: {os.strerror(code)}",
        advice="Start PipeWire and WirePlumber in your session (systemctl --user start pipewire wireplumber).",
    )
