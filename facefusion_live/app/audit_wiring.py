"""The audit trail put together: which store, which keys, which clock. What command line, window and scripts call."""

import atexit
import getpass
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from facefusion_live.adapters.storage.codec import FAST, SystemClock
from facefusion_live.adapters.storage.export import Request, write_export
from facefusion_live.adapters.storage.imports import verify_export
from facefusion_live.adapters.storage.keys import install_secret
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.lock import is_written
from facefusion_live.adapters.storage.mirror import NoKeyring, OsKeyring, Vault
from facefusion_live.adapters.storage.ndjson import DailyFiles
from facefusion_live.adapters.storage.opening import Opener, logs_of
from facefusion_live.adapters.storage.operator import OperatorCode
from facefusion_live.adapters.storage.pruning import prepare
from facefusion_live.adapters.storage.reader import LogReader
from facefusion_live.adapters.storage.store import SqliteStore
from facefusion_live.adapters.storage.syslog import Receiver, SyslogForwarder, unsent
from facefusion_live.app.environment import Home, resource
from facefusion_live.domain.audit.errors import AuditStoreError, EvidenceMissingError, OperatorCodeError
from facefusion_live.domain.audit.event import EXPORT_AUDIT, UNLOCK, timestamp
from facefusion_live.domain.audit.evidence import Anchors
from facefusion_live.domain.audit.masking import Masker
from facefusion_live.domain.audit.merkle import leaf_hash
from facefusion_live.domain.audit.ports import AuditStore, Filter
from facefusion_live.domain.audit.report import LogReport
from facefusion_live.engine.trail import AuditTrail
from facefusion_live.engine.trail_writer import Notice

RETENTION_DAYS = 180
"""Half a year: what China's labelling rules ask of unlabelled copies."""
WAIT_S = 30.0
_DAY_NS = 86_400_000_000_000
_EXACT = ("status", "session_id", "user_id", "target")
_VERIFIER = "tools/audit_verify.py"

__all__ = ["AuditHome", "Filter", "Receiver", "audit_home", "log_audit_event", "shared_trail"]


@dataclass(frozen=True, slots=True)
class AuditHome:
    """Everything about the audit trail of one home.

    Attributes:
        folder: The program's home; the trail lives in its folder `audit`.
        keyring: Mirror the head in the system's keyring, where there is one.
    """

    folder: Path
    keyring: bool = True

    @property
    def layout(self) -> Layout:
        """Where things lie."""
        return Layout(self.folder / "audit")

    @property
    def operator(self) -> OperatorCode:
        """The code that opens everyone's rows."""
        return OperatorCode(self.layout.keys / "operator.totp")

    @property
    def own_user(self) -> str:
        """Who runs the program, as rows name them."""
        return self._masker().user(getpass.getuser())

    def masked(self, user: str) -> str:
        """A user as rows name them; empty stays empty."""
        return self._masker().user(user) if user else ""

    def set_operator_code(self) -> str:
        """Make a new operator's code; give the `otpauth://` address for an authenticator app."""
        self.layout.ensure()
        return self.operator.set_up()

    def open_trail(self, notify: Callable[[Notice], None] = lambda _notice: None) -> AuditTrail:
        """Start the trail: its writer thread opens the log. Whoever calls this closes it, last of all.

        Args:
            notify: Told of alerts, suppression, failure and recovery, on the writer thread; must not wait.
        """
        clock = SystemClock()
        opener = Opener(self.layout, self._vault(), clock)
        return AuditTrail(
            opener.open, clock=clock, masker=self._masker(), codec=FAST, user=getpass.getuser(), notify=notify
        )

    def reader(self) -> LogReader:
        """Reads the logs; changes nothing."""
        return LogReader(self.layout, self._vault(), SystemClock())

    def verify(self, what: Path | None = None, *, fingerprint: str = "", anchor: Path | None = None) -> list[LogReport]:
        """Check every log of the home, or an export.

        Args:
            what: The zip of an export; None for the home.
            fingerprint: Of the genesis key, as the About box showed it.
            anchor: A checkpoint, or forwarded rows as NDJSON, that somebody else kept.

        Raises:
            EvidenceMissingError: There is nothing to verify.
        """
        anchors = _anchors(anchor) if anchor else Anchors()
        if what is None:
            return self.reader().verify(fingerprint=fingerprint, anchors=anchors)
        return verify_export(what, fingerprint=fingerprint, anchors=anchors)

    def fingerprints(self) -> dict[str, str]:
        """The genesis key's fingerprint of each log: for the About box, and to compare exports with."""
        return {report.log_id: report.genesis_fingerprint for report in self.reader().verify() if report.rows}

    def unlock(self, code: str, trail: AuditTrail | None = None) -> bool:
        """May everyone's rows be read? Without a code set up, always; else with the right one, and it is on record.

        Args:
            code: As typed; empty when none was given.
            trail: That of the running program; None to open one.

        Raises:
            OperatorCodeError: The code is wrong.
        """
        if not self.operator.is_set_up:
            return True
        if not code:
            return False
        accepted = self.operator.accepts(code)
        with nullcontext(trail) if trail else self.open_trail() as writing:
            writing.record(UNLOCK, "operator", "success" if accepted else "denied", {})
        if not accepted:
            raise OperatorCodeError("that is not the operator's code", advice="Wait for the next code and try again.")
        return True

    def export(
        self,
        path: Path,
        *,
        wanted: Filter | None = None,
        code: str = "",
        trail: AuditTrail | None = None,
        unlocked: bool = False,
    ) -> dict[str, Any]:
        """Write an export; it is a row first. Without the operator's code it holds one's own rows.

        Args:
            path: Of the zip.
            wanted: Which rows; None for all.
            code: The operator's, where one is set up.
            trail: That of the running program; None to open one.
            unlocked: The operator showed the code already, by `unlock`.

        Returns:
            The manifest.

        Raises:
            AuditStoreError: The row or the export cannot be written.
            OperatorCodeError: The code is wrong.
        """
        if not (unlocked or self.unlock(code, trail)):
            wanted = replace(wanted or Filter(), user_id=self.own_user)
        with nullcontext(trail) if trail else self.open_trail() as writing:
            words = _words(wanted)
            writing.record_durably(EXPORT_AUDIT, "export", "success", {"filter": words}).result(WAIT_S)
            writing.checkpoint().result(WAIT_S)
            return writing.submit(lambda store: self._write_export(_on_disk(store), path, wanted, words)).result()

    def prune(self, days: int = RETENTION_DAYS) -> dict[str, Any]:
        """Archive and delete rows of the main log that are older than so many days.

        Raises:
            AuditStoreError: The log is being written by another process, or the archive cannot be written.
        """
        before = timestamp(SystemClock().utc_ns() - days * _DAY_NS)
        if is_written(self.layout.main):
            raise AuditStoreError("the audit log is in use", advice="Close the program first.")
        with self.open_trail() as trail:
            trail.checkpoint().result(WAIT_S)
            plan = prepare(self.layout, self.layout.main, before)
            if plan is None:
                return {"pruned": 0, "before": before}
            seq = trail.prune(plan.metadata, plan.frontier).result(WAIT_S)
            log_id = trail.submit(lambda store: store.tip().log_id).result(WAIT_S)
            DailyFiles(self.layout.ndjson, log_id).drop(before[:10])
        return {"pruned": plan.rows, "before": before, "archive": plan.archive.name, "row": seq}

    def forward(self, receiver: Receiver) -> int:
        """Send every row that a syslog server has not taken yet; what it took is remembered.

        Returns:
            How many rows were sent.

        Raises:
            ForwardError: It cannot be reached; what it took before stays remembered.
            AuditStoreError: The log is being written by another process.
        """
        if is_written(self.layout.main):
            raise AuditStoreError("the audit log is in use", advice="Let the running program forward, or close it.")
        with self.open_trail() as trail:
            trail.flush()
            return self.forward_through(trail, receiver)

    def forward_through(self, trail: AuditTrail, receiver: Receiver) -> int:
        """As `forward`, from a thread of the program that has the trail open."""
        forwarder, sent = SyslogForwarder(receiver), 0
        path = trail.submit(lambda store: _on_disk(store).path).result(WAIT_S)
        while rows := unsent(path, receiver.sink):
            seq = forwarder.send(rows)
            trail.submit(lambda store, seq=seq: store.acknowledge(receiver.sink, seq)).result(WAIT_S)
            sent += len(rows)
        return sent

    def logs(self) -> list[tuple[str, str]]:
        """File name and id of each log."""
        return [(path.name, log_id) for path, log_id in logs_of(self.layout)]

    def _write_export(self, store: SqliteStore, path: Path, wanted: Filter | None, words: str) -> dict[str, Any]:
        request = Request(
            path=path,
            created=timestamp(SystemClock().utc_ns()),
            log_id=store.tip().log_id,
            public_key=store.public_key,
            sign=store.sign,
            verifier=resource(_VERIFIER).read_bytes(),
            wanted=_matcher(wanted) if wanted else None,
            filter_words=words,
        )
        return write_export(self.layout, request)

    def _masker(self) -> Masker:
        return Masker(install_secret(self.layout.keys / "mask.key"))

    def _vault(self) -> Vault:
        return OsKeyring() if self.keyring else NoKeyring()


def audit_home() -> AuditHome:
    """That of the user, or of `FACEFUSION_LIVE_HOME`."""
    return AuditHome(Home.from_environment().data)


class _Shared:
    """The one trail of this process, made when it is first wanted."""

    lock = threading.Lock()
    trail: AuditTrail | None = None


def shared_trail() -> AuditTrail:
    """The trail of this process, for scripts; closed when the process ends. Thread: any."""
    with _Shared.lock:
        if _Shared.trail is None:
            _Shared.trail = audit_home().open_trail()
            atexit.register(close_shared_trail)
        return _Shared.trail


def close_shared_trail() -> None:
    """Store and seal what waits; the next `shared_trail` begins anew."""
    with _Shared.lock:
        if _Shared.trail is not None:
            _Shared.trail.close()
            _Shared.trail = None


def log_audit_event(
    *,
    user_id: str,
    action: str,
    target: str,
    status: str = "success",
    metadata: dict[str, Any] | None = None,
    client_ip: str = "local",
) -> None:
    """Put one event on record from a script. Returns at once.

    Args:
        user_id: Who; masked before it is written.
        action: One of `domain.audit.event.ACTIONS`, save those that only the trail itself may record.
        target: Logical: "camera:0".
        status: success, failure or denied.
        metadata: What belongs to it; floats become thousandths, paths are masked.
        client_ip: From where; masked before it is written.

    Raises:
        EventError: No such action or status.
    """
    shared_trail().record(action, target, status, metadata or {}, user=user_id, client_ip=client_ip)


def _on_disk(store: AuditStore) -> SqliteStore:
    if not isinstance(store, SqliteStore):
        raise AuditStoreError("only a log on disk can be exported and forwarded")
    return store


def _anchors(path: Path) -> Anchors:
    """A signed checkpoint, or NDJSON of bodies as a forwarder received them."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        advice = "Give a checkpoint, or forwarded rows as NDJSON."
        raise EvidenceMissingError(f"the anchor cannot be read: {error}", advice=advice) from error
    if not text.startswith("{"):
        return Anchors(notes=(text,))
    return Anchors(copies=copies_of(text.splitlines()))


def copies_of(lines: list[str]) -> dict[int, bytes]:
    """Leaf hashes of forwarded bodies by seq; doubles fall together."""
    bodies = [line.encode() for line in lines if line]
    return {FAST.decode(body)["seq"]: leaf_hash(body) for body in bodies}


def _matcher(wanted: Filter) -> Callable[[dict[str, Any]], bool]:
    """The filter as a predicate on events, for exports that also read archives."""

    def matches(event: dict[str, Any]) -> bool:
        action = event["action"]
        fields = event["metadata"].get("fields", [])
        return (
            (not wanted.since or event["timestamp"] >= wanted.since)
            and (not wanted.until or event["timestamp"] < wanted.until)
            and (action.startswith(wanted.action) if wanted.action.endswith(".") else wanted.action in {"", action})
            and all(getattr(wanted, name) in {"", event[name]} for name in _EXACT)
            and (not wanted.setting or any(each.get("field") == wanted.setting for each in fields))
        )

    return matches


def _words(wanted: Filter | None) -> str:
    if wanted is None:
        return "all rows"
    said = {name: getattr(wanted, name) for name in Filter.__slots__ if getattr(wanted, name)}
    return ", ".join(f"{name}={value}" for name, value in said.items()) or "all rows"
