"""The audit trail put together: which store, which keys, which clock. What command line, window and scripts call.

`AuditHome` is all they need: `open_trail` for whoever writes; everything else may be called from any thread, beside a
running trail or without one, and takes its time.
"""

import atexit
import logging
import os
import sys
import threading
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from facefusion_live.adapters.storage.codec import FAST, SystemClock
from facefusion_live.adapters.storage.imports import verify_export
from facefusion_live.adapters.storage.keys import mask_secret_of
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.lock import is_written
from facefusion_live.adapters.storage.losses import FileLossBook
from facefusion_live.adapters.storage.mirror import NoKeyring, OsKeyring, Vault
from facefusion_live.adapters.storage.opening import Opener, logs_of
from facefusion_live.adapters.storage.operator import OperatorCode
from facefusion_live.adapters.storage.reader import LogReader
from facefusion_live.adapters.storage.refusals import advice_for, in_words
from facefusion_live.adapters.storage.syslog import Receiver
from facefusion_live.app.audit_export_wiring import examined_by, written_by
from facefusion_live.app.audit_forwarding import forwarded
from facefusion_live.app.audit_retention import days_ago, on_disk, pruned, retain
from facefusion_live.app.environment import Home, this_user
from facefusion_live.domain.audit.anchors import KeptElsewhere
from facefusion_live.domain.audit.errors import (
    AuditStoreError,
    EvidenceMissingError,
    OperatorCodeError,
    StoreHangsError,
)
from facefusion_live.domain.audit.event import EXPORT_AUDIT, SETTINGS_CHANGE, UNLOCK
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.domain.audit.masking import Masker
from facefusion_live.domain.audit.ports import AuditStore
from facefusion_live.domain.audit.report import LogReport
from facefusion_live.domain.errors import BadInputError
from facefusion_live.engine.trail import AuditTrail, settled
from facefusion_live.engine.trail_writer import Notice

RETENTION_DAYS = 180
"""Half a year: what China's labelling rules ask of unlabelled copies."""
_EXIT_FAILED = 3
"""Of a script, as of a command."""

__all__ = ["AuditHome", "Filter", "Receiver", "audit_home", "close_shared_trail", "shared_trail"]


def _nobody(_notice: Notice) -> None:
    """Whoever has nobody to tell."""


@dataclass(frozen=True, slots=True)
class AuditHome:
    """Everything about the audit trail of one home.

    Attributes:
        folder: The program's home; the trail lives in its folder `audit`.
        keyring: Mirror the head in the system's keyring, where there is one.
        notify: Told of alerts, suppression, failure and recovery by every trail that is opened here, on its writer
            thread; must not wait.
    """

    folder: Path
    keyring: bool = True
    notify: Callable[[Notice], None] = _nobody

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
        return self.masked(this_user())

    def masked(self, user: str) -> str:
        """A user as rows name them; empty stays empty."""
        return Masker(mask_secret_of(self.layout.mask_key)).user(user) if user else ""

    def masked_target(self, target: str) -> str:
        """A target as rows name it; empty stays empty."""
        return Masker(mask_secret_of(self.layout.mask_key)).target(target) if target else ""

    # Writing.

    def open_trail(self) -> AuditTrail:
        """Start the trail: its writer thread opens the log. Whoever calls this closes it, last of all.

        It never fails for the disk: what cannot be written is counted, and `notify` hears of it.
        """
        return self._trail(self._opener().open)

    def writing(self, trail: AuditTrail | None) -> AbstractContextManager[AuditTrail]:
        """A trail for a row or two: that of the running program, which stays open, or one that is closed at the end."""
        return self.open_trail() if trail is None else nullcontext(trail)

    def unlock(self, code: str, trail: AuditTrail | None = None) -> bool:
        """May everyone's rows be read? Without a code set up, always; else with the right one, and it is on record.

        Args:
            code: As typed; empty when none was given.
            trail: That of the running program; None to open one.

        Raises:
            OperatorCodeError: The code is wrong, was used before, or comes too soon after wrong ones; only then it was
                not looked at and is no row.
            AuditStoreError: It cannot be put down that the code was used.
        """
        if not self.operator.is_set_up:
            return True
        if not code:
            return False
        try:
            accepted = self.operator.accepts(code)
        except OSError as error:
            words = f"the operator's code cannot be checked: {in_words(error)}"
            raise AuditStoreError(words, advice=advice_for(error)) from error
        with self.writing(trail) as writing:
            writing.record(UNLOCK, "operator", "success" if accepted else "denied", {})
        if not accepted:
            message = "that is not the operator's code, or it was used before"
            raise OperatorCodeError(message, advice="Wait for the next code and try again.")
        return True

    def set_operator_code(self, code: str = "", trail: AuditTrail | None = None) -> str:
        """Make a new operator's code; give the `otpauth://` address for an authenticator app. It is a row first.

        Args:
            code: The present one, where one is set up.
            trail: That of the running program; None to open one.

        Raises:
            AuditStoreError: It cannot be put on record, or not be kept.
            OperatorCodeError: One is set up, and `code` is not it.
        """
        replaced = self.operator.is_set_up
        if not self.unlock(code, trail):
            message = "an operator's code is set up; replacing it asks for it"
            raise OperatorCodeError(message, advice="Give the present one with --code.")
        fields = [{"field": "operator.code", "old": "set" if replaced else "none", "new": "set"}]
        try:
            self.layout.ensure()
            with self.writing(trail) as writing:
                settled(writing.record_durably(SETTINGS_CHANGE, "operator", "success", {"fields": fields}))
            return self.operator.set_up()
        except OSError as error:
            words = f"the operator's code cannot be kept: {in_words(error)}"
            raise AuditStoreError(words, advice=advice_for(error)) from error

    # Reading. Nothing is written, and no log needs to be there.

    def reader(self) -> LogReader:
        """Reads the logs: queries, single rows, numbers."""
        return LogReader(self.layout, self._vault(), SystemClock())

    def logs(self) -> list[tuple[str, str]]:
        """File name and id of each log; an empty id for one that cannot be read."""
        return [(path.name, log_id) for path, log_id in logs_of(self.layout)]

    def fingerprints(self) -> dict[str, str]:
        """The genesis key's fingerprint of each log: for the About box, and to compare exports with."""
        return self.reader().fingerprints()

    def verify(
        self, what: Path | None = None, *, fingerprints: Collection[str] = (), anchors: Collection[Path] = ()
    ) -> list[LogReport]:
        """Check every log of the home, or an export.

        Args:
            what: The zip of an export; None for the home.
            fingerprints: Of the genesis keys, as somebody wrote them down; every log must begin with one of them.
            anchors: Files with a checkpoint, or with forwarded rows as NDJSON, that somebody else kept.

        Raises:
            EvidenceMissingError: There is nothing to verify, or it cannot be read.
        """
        kept = _kept(anchors)
        if what is None:
            return self.reader().verify(genesis=fingerprints, kept=kept)
        return verify_export(what, fingerprints=fingerprints, kept=kept)

    # Handing on and giving up.

    def _check_outside(self, path: Path) -> None:
        """An export replaces what lies there: never a log, and never a device."""
        place = path.resolve()
        if place.exists() and not place.is_file():
            raise BadInputError(f"{path.name} is no file", advice="Choose another name.")
        if place.is_relative_to(self.layout.folder.resolve()):
            raise BadInputError(f"{path.name} would lie in the audit folder itself", advice="Choose another folder.")

    def _own_only(self, wanted: Filter) -> Filter:
        """What may be had without the operator's code. Raises OperatorCodeError for somebody else's rows."""
        if wanted.user_id not in {"", self.own_user}:
            message = "an operator's code is set up, and these are somebody else's rows"
            raise OperatorCodeError(message, advice="Give the code.")
        return replace(wanted, user_id=self.own_user)

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

        Every log that nobody writes is sealed first, and every log is verified: what is found goes into the manifest.

        Args:
            path: Of the zip.
            wanted: Which rows; None for all.
            code: The operator's, where one is set up.
            trail: That of the running program; None to open one.
            unlocked: The operator showed the code already, by `unlock`.

        Returns:
            The manifest.

        Raises:
            BadInputError: The path is no place for a file, or lies in the audit folder itself.
            AuditStoreError: The row or the export cannot be written.
            OperatorCodeError: The code is wrong; or somebody else's rows are wanted without it.
        """
        self._check_outside(path)
        if not (unlocked or self.unlock(code, trail)):
            wanted = self._own_only(wanted or Filter())
        words = (wanted or Filter()).words
        with self.writing(trail) as writing:
            settled(writing.record_durably(EXPORT_AUDIT, "export", "success", {"filter": words}))
            settled(writing.checkpoint())
            self._seal_the_others()
            examined = examined_by(self.reader())
            # On the writer's thread: between the last checkpoint and the manifest's signature no key may change.
            write = partial(written_by, layout=self.layout, path=path, wanted=wanted, words=words, examined=examined)
            return writing.submit(lambda store: write(on_disk(store))).result()

    def prune(self, days: int = RETENTION_DAYS, trail: AuditTrail | None = None) -> dict[str, Any]:
        """Archive and delete rows that are older than so many days; verification goes on working.

        Args:
            days: How many.
            trail: That of the running program, whose log alone is pruned; None for every log of the home.

        Returns:
            "pruned" rows in all, older than "before", and what was done log by log; a log that is kept as evidence, or
            that another process writes, says so under "kept".

        Raises:
            AuditStoreError: The main log is being written by another process, or an archive cannot be written.
        """
        before = days_ago(days)
        if trail is not None:
            done = [pruned(self.layout, trail, before)]
        elif is_written(self.layout.main):
            raise AuditStoreError("the audit log is in use", advice="Close the program first.")
        else:
            done = [self._pruned_alone(path, before) for path, _ in logs_of(self.layout)]
        return {"pruned": sum(each["pruned"] for each in done), "before": before, "logs": done}

    def retain(self, trail: AuditTrail, days: int) -> None:
        """Archive and delete what is older, while the trail goes on: `audit_retention.retain`. Returns at once."""
        retain(self.layout, trail, days)

    def forward(self, receiver: Receiver, *, again: bool = False) -> int:
        """Send every row of every log that a syslog server has not taken yet; what it took is remembered.

        Works beside a running program. It hands out everyone's rows: whoever calls it has asked `unlock`.

        Args:
            receiver: Where to.
            again: Send what was taken before, too.

        Returns:
            How many rows were sent.

        Raises:
            ForwardError: It cannot be reached; what it surely took stays remembered.
            UnreadableError: A log is damaged.
        """
        return forwarded(self.layout, receiver, self.notify, again=again)

    def _trail(self, open_store: Callable[[], AuditStore]) -> AuditTrail:
        return AuditTrail(
            open_store,
            clock=SystemClock(),
            codec=FAST,
            user=this_user(),
            notify=self.notify,
            losses=FileLossBook(self.layout),
        )

    def _opener(self) -> Opener:
        return Opener(self.layout, self._vault(), SystemClock())

    def _vault(self) -> Vault:
        return OsKeyring() if self.keyring else NoKeyring()

    def _seal_the_others(self) -> None:
        """A checkpoint for each log that can be continued. One in use seals itself; evidence stays as it is."""
        for path, log_id in logs_of(self.layout):
            if log_id and not is_written(path):
                with suppress(AuditStoreError), self._alone(path) as trail:
                    settled(trail.checkpoint())

    def _alone(self, path: Path) -> AuditTrail:
        """The trail of a log that nobody writes. Raises AuditStoreError when it cannot be continued."""
        opener = self._opener()
        opener.open_again(path).close()
        return self._trail(lambda: opener.open_again(path))

    def _pruned_alone(self, path: Path, before: str) -> dict[str, Any]:
        try:
            alone = self._alone(path)
        except AuditStoreError as error:
            return {"file": path.name, "pruned": 0, "kept": str(error)}
        with alone as trail:
            return pruned(self.layout, trail, before)


def audit_home(notify: Callable[[Notice], None] = _nobody) -> AuditHome:
    """That of the user, or of `FACEFUSION_LIVE_HOME`."""
    return AuditHome(Home.from_environment().data, notify=notify)


class _Shared:
    """The one trail of this process, made when it is first wanted."""

    lock = threading.Lock()
    trail: AuditTrail | None = None


def shared_trail() -> AuditTrail:
    """The trail of this process, for scripts; closed when the process ends. Thread: any."""
    with _Shared.lock:
        if _Shared.trail is None:
            _Shared.trail = audit_home().open_trail()
            atexit.register(_close_at_exit)
        return _Shared.trail


def close_shared_trail() -> None:
    """Store and seal what waits; the next `shared_trail` begins anew.

    Raises:
        StoreHangsError: The record's disk does not answer.
    """
    with _Shared.lock:
        if _Shared.trail is not None:
            _Shared.trail.close()
            _Shared.trail = None


def _close_at_exit() -> None:
    """As `close_shared_trail`, when the process ends. A script whose record hangs does not end as if all were well.

    Python drops what is raised here, and with it the exit code: only leaving at once has one. What was registered to
    run at the end before the record was opened does not run then.
    """
    try:
        close_shared_trail()
    except StoreHangsError as error:
        print(f"facefusion-live: {error}. {error.advice}", file=sys.stderr)  # noqa: T201 (nobody else can say it now)
        logging.shutdown()
        for stream in sys.stdout, sys.stderr:
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(_EXIT_FAILED)


def _kept(paths: Collection[Path]) -> KeptElsewhere:
    advice = "Give a checkpoint, or forwarded rows as NDJSON."
    for path in paths:
        if path.exists() and not path.is_file():  # a pipe would be waited at for ever
            raise EvidenceMissingError(f"the anchor {path.name} is no file", advice=advice)
    try:
        return KeptElsewhere.read((path.read_bytes() for path in paths), FAST)
    except OSError as error:
        raise EvidenceMissingError(f"the anchor cannot be read: {error}", advice=advice) from error
