# pyright: basic
"""A server that runs nets: found, believed and asked once; then one line for all its nets."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from facefusion_live.adapters.remote.greeting import greet
from facefusion_live.adapters.remote.line import Line
from facefusion_live.adapters.remote.net import Described, RemoteNet, Witness
from facefusion_live.domain.errors import InferenceError, ServerOpenError
from facefusion_live.domain.model_card import ModelCard
from facefusion_live.domain.remote import ServerAddress

_GREET_S = 5.0
_OPEN_S = 10.0
"""How long an answer may take before the first picture: some servers load a net when it is asked for."""
_HAS_S = 1.0
_ALSO = {"converter": "recogniser"}
"""Tasks that go with another one."""


class InferenceServer:
    """A `NetServer`. Nothing is asked before the first net is wanted. Thread: any.

    Args:
        address: Where it is.
        tasks: What it takes.
        timeout_s: How long one run may take.
        patience_s: How long a server that is lost is waited for; 0 where nothing can wait.
        trusted: Gives who vouches for it (PEM); or, where nobody must, why not, in words for the record. Raises
            ServerOpenError where somebody must.
        told: Told who computes a net, when it is opened and when the server runs another version of it.
        noticed: Told in words that the server is lost, and that it is back.
    """

    def __init__(
        self,
        address: ServerAddress,
        tasks: frozenset[str],
        *,
        timeout_s: float,
        patience_s: float = 0.0,
        trusted: Callable[[], Path | str],
        told: Callable[[Mapping[str, object]], None] = lambda _facts: None,
        noticed: Callable[[str], None] = lambda _words: None,
    ) -> None:
        self.address, self.tasks = address, tasks
        self._timeout_s, self._patience_s = timeout_s, patience_s
        self._trusted, self._told, self._noticed = trusted, told, noticed
        self._lock, self._facts = threading.Lock(), threading.Lock()
        self._waited = threading.local()
        self._line: Line | None = None
        self._who: dict[str, object] = {}
        self._served: dict[str, dict[str, object]] = {}
        self._lost: dict[str, str] = {}

    @property
    def served(self) -> Mapping[str, Mapping[str, object]]:
        """What is known of who computes, by model."""
        with self._facts:
            return {model: dict(facts) for model, facts in self._served.items()}

    @property
    def problems(self) -> tuple[str, ...]:
        """Why nets fail just now, in words; empty while they do not."""
        with self._facts:
            return tuple(dict.fromkeys(self._lost.values()))

    def waited_ns(self) -> int:
        """How long the calling thread has waited for the server so far."""
        return getattr(self._waited, "ns", 0)

    def takes(self, card: ModelCard) -> bool:
        """Whether nets like this one run there: those that the user brought, of the tasks that were given to it.

        A model of one person runs here: the consent for it is tied to its file.
        """
        return card.origin is None and not card.is_person and _ALSO.get(card.task, card.task) in self.tasks

    def has(self, card: ModelCard) -> bool:
        """Whether the net is ready there.

        Raises:
            InferenceError: The server cannot be asked.
        """
        line = self._opened()
        try:
            return line.ready(card.id, _HAS_S)
        except InferenceError as error:
            if error.advice:  # it concerns the server; some servers tell with an error that they lack a net
                raise
            return False

    def net(self, card: ModelCard) -> RemoteNet:
        """The net, having run once; who computes it has been told before any picture goes there.

        Raises:
            ServerOpenError: The server is not there, not to be trusted, or has no such net.
        """
        line, model = self._opened(), card.id
        described = self._described(line, model)
        with self._facts:
            self._served[model] = {"model": model, **self._who, "metadata_sha256": described.digest}
        net = RemoteNet(
            line,
            model,
            described,
            timeout_s=self._timeout_s,
            patience_s=self._patience_s,
            witness=_Witness(self, model),
        )
        try:
            net.warm(_OPEN_S)
        except InferenceError:
            with self._facts:
                del self._served[model]
            raise
        self.found(model)  # it may have been lost when it was let go
        if "model_version" not in self.served[model]:  # what takes any length was not run yet
            self.tell(model, ", ".join(described.versions))
        return net

    def tell(self, model: str, version: str) -> None:
        """Tell who computes a net."""
        with self._facts:
            known = self._served.setdefault(model, {"model": model, **self._who})
            known["model_version"] = _word(version)
            told = dict(known)
        self._told(told)

    def miss(self, model: str, why: str) -> None:
        """A net fails. It is told once, however many do."""
        with self._facts:
            first, self._lost[model] = not self._lost, why
        if first:
            self._noticed(why)

    def found(self, model: str) -> None:
        """A net does not fail any more."""
        with self._facts:
            last = self._lost.pop(model, "") and not self._lost
        if last:
            self._noticed(f"the server {self.address} is back")

    def count(self, spent_ns: int) -> None:
        """The calling thread has waited for the server."""
        self._waited.ns = self.waited_ns() + spent_ns

    def close(self) -> None:
        """End the line: the nets fail from now on. Safe to call twice."""
        with self._lock:
            if self._line is not None:
                self._line.close()

    def _described(self, line: Line, model: str) -> Described:
        missing = f"the server {self.address} has no net {model} that is ready"
        advice = f"Put the net there under the name {model}, or change inference.remote_tasks."
        try:
            described = Described.read(line.described(model, _OPEN_S)) if line.ready(model, _OPEN_S) else None
        except InferenceError as error:
            # What has advice of its own concerns the server, not the net.
            words = str(error) if error.advice else f"{missing}: {error}"
            raise ServerOpenError(words, advice=error.advice or advice) from None
        if described is None:
            raise ServerOpenError(missing, advice=advice)
        return described

    def _opened(self) -> Line:
        with self._lock:
            if self._line is None:
                trusted = self._trusted()
                authorities = trusted if isinstance(trusted, Path) else None
                known = {"certificate_sha256": greet(self.address, authorities, _GREET_S)}
                known["reason"] = "" if authorities else str(trusted)
                line = Line(self.address, authorities)
                self._who = self._asked_who(line) | {name: word for name, word in known.items() if word}
                self._line = line
            return self._line

    def _asked_who(self, line: Line) -> dict[str, object]:
        try:
            server: Any = line.server(_OPEN_S)
        except InferenceError as error:
            line.close()
            raise ServerOpenError(str(error), advice=error.advice) from None
        name, version = _word(server.name), _word(server.version)
        encrypted = self.address.encrypted
        return {"host": str(self.address), "server": name, "server_version": version, "encrypted": encrypted}


class _Witness(Witness):
    """Tells the server's owner what becomes of one net."""

    def __init__(self, server: InferenceServer, model: str) -> None:
        self._server, self._model = server, model

    def version(self, version: str) -> None:
        self._server.tell(self._model, version)

    def waited(self, spent_ns: int) -> None:
        self._server.count(spent_ns)

    def lost(self, why: str) -> None:
        self._server.miss(self._model, why)

    def back(self) -> None:
        self._server.found(self._model)


def _word(text: str) -> str:
    """What the other side calls itself, harmless to show and to keep."""
    return "".join(letter for letter in text[:80] if letter.isprintable())
