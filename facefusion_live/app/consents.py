"""The consent records: kept on this machine, sealed, and asked before a face is used."""

import base64
import hmac
import json
import os
import secrets
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from facefusion_live.adapters.storage.lock import lock_patiently
from facefusion_live.app.environment import this_user
from facefusion_live.domain.consent import Claim, Consent, Grant, newest, successor
from facefusion_live.domain.errors import ConsentError, NewerConsentError

VERSION = 1
_PATIENCE_S = 10.0
"""How long a change waits for those of other processes; each takes a few milliseconds."""
_SAY_WHY = ", ".join(kind.value for kind in Consent)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class ConsentBook:
    """Every consent of this installation. Thread: any, in any process; each call reads what is on the disk.

    A change is made under a lock of all processes, to the record as it is by then: none undoes another one.

    Each record and the whole file are sealed with a key of the installation (HMAC-SHA-256): whoever changes the file
    without the program is found out. It does not hold against somebody who has the key, which lies beside it.

    Args:
        folder: `Home.consent`.
        now: UTC, as "2026-11-26T01:02:03Z".
    """

    def __init__(self, folder: Path, now: Callable[[], str] = _now) -> None:
        self._file, self._key_file = folder / "records.json", folder / "records.key"
        self._lock_file = folder / "records.lock"
        self._now = now
        self._lock = threading.Lock()
        self._approval_at: tuple[tuple[int, int], bool] = (0, 0), False

    @property
    def stamp(self) -> tuple[int, int]:
        """Differs after every change, whichever process made it. Cheap."""
        try:
            status = self._file.stat()
        except OSError:
            return 0, 0
        return status.st_mtime_ns, status.st_size

    def grants(self) -> tuple[Grant, ...]:
        """All of them, the oldest first.

        Raises:
            ConsentError: The records are damaged, were changed by somebody else, or cannot be read.
        """
        if not self._file.exists() and self._key_file.exists():
            with self._alone():  # another process may be about to write the first one
                return self._read()
        return self._read()

    @property
    def approval(self) -> bool:
        """A second person was asked for, and still is. Cheap while the file stays as it is. Raises ConsentError."""
        stamp = self.stamp
        if stamp != self._approval_at[0]:
            self._approval_at = stamp, self._read_whole()[1]
        return self._approval_at[1]

    def ask_for_approval(self, *, on: bool) -> None:
        """Keep that a second person is asked for from now on, or is not any more. Raises ConsentError."""
        with self._alone():
            self._save(self._read(), approval=on)

    def today(self) -> str:
        """The day on which consents are looked at, "2026-11-26"."""
        return self._now()[:10]

    def permit(self, sha256: str, identity: bytes, claim: Claim | None, name: str, *, approval: bool = False) -> Grant:
        """The consent under which a picture may be used; a claim about somebody unknown is kept, and so is the picture.

        Args:
            sha256: Of the picture.
            identity: The face in it: a copy of a picture, or another one, is still the same person.
            claim: What the user says; not needed for somebody who is known.
            name: Of the picture, for messages.
            approval: A second person must have confirmed it.

        Raises:
            ConsentError: Nobody said why, it holds no longer, or the records are not as the program left them.
        """
        known = self.find(sha256, identity)
        if known is None and claim is None:
            raise ConsentError(
                f"{name}: nobody has said why this face may be used",
                advice=f"Add --consent (in a script: consent=) and one of {_SAY_WHY}, if it is true.",
            )
        if known is not None:
            self._refuse_ended(known, name, approval=approval)
            if sha256 in known.photos:
                return known
        with self._alone():
            grants = self._read()
            now = newest(grants, sha256, identity)
            if now is None:
                if claim is None:
                    raise _gone()
                now = self._new(claim, (sha256,), identity)
                self._save((*grants, now))
            self._refuse_ended(now, name, approval=approval)
            if sha256 not in now.photos:
                now = replace(now, photos=(*now.photos, sha256))
                self._save(_exchanged(grants, now))
            return now

    def find(self, sha256: str, identity: bytes) -> Grant | None:
        """The newest consent of the person in a picture; None for somebody unknown. Raises ConsentError."""
        return newest(self.grants(), sha256, identity)

    def one(self, start: str) -> Grant:
        """The consent whose id begins so. Raises ConsentError where there is none, or more than one."""
        found = [each for each in self.grants() if each.id.startswith(start) and start]
        if len(found) != 1:
            raise ConsentError(f"there is no one consent {start!r}", advice="See facefusion-live consent list.")
        return found[0]

    def draft(self, claim: Claim, photos: tuple[str, ...], identity: bytes) -> Grant:
        """A new one that is not kept yet, and can be told of by its pseudonym. Raises ConsentError."""
        with self._alone():
            if not self._read():
                self._save(())  # with the first key
        return self._new(claim, photos, identity)

    def keep(self, grant: Grant) -> Grant:
        """Keep a new one. Raises ConsentError."""
        with self._alone():
            self._save((*self._read(), grant))
        return grant

    def add(self, claim: Claim, photos: tuple[str, ...], identity: bytes) -> Grant:
        """Make a new one and keep it. Raises ConsentError."""
        return self.keep(self._new(claim, photos, identity))

    def revoke(self, grant: Grant) -> Grant:
        """Take one back; it is kept, so that the person is known. Raises ConsentError."""
        return self._changed(grant, lambda kept: replace(kept, revoked=kept.revoked or self._now()))

    def approve(self, grant: Grant) -> Grant:
        """Note that a second person confirmed it. Raises ConsentError."""
        return self._changed(grant, lambda kept: replace(kept, approved=kept.approved or self._now()))

    def pseudonym(self, grant: Grant) -> str:
        """How rows name the person: who has the key can tell, nobody else. Raises ConsentError."""
        return f"hmac:{hmac.new(self._key(), grant.id.encode(), sha256).hexdigest()[:16]}"

    def _changed(self, grant: Grant, change: Callable[[Grant], Grant]) -> Grant:
        """Change a record as it is on the disk; what the caller holds of it may be old."""
        with self._alone():
            grants = self._read()
            kept = next((each for each in grants if each.id == grant.id), None)
            if kept is None:
                raise _gone()
            changed = change(kept)
            self._save(_exchanged(grants, changed))
        return changed

    def _new(self, claim: Claim, photos: tuple[str, ...], identity: bytes) -> Grant:
        number, by = secrets.token_hex(8), this_user()
        return Grant(number, claim, self._now(), photos=photos, identity=identity, granted_by=by)

    def _refuse_ended(self, grant: Grant, name: str, *, approval: bool) -> None:
        problem = grant.problem(self._now()[:10], approval=approval)
        if problem:
            kind = grant.claim.kind
            needed = " --name NAME --document FILE --until DAY" if kind is Consent.WRITTEN else ""
            renew = f"facefusion-live consent grant PHOTO --kind {kind.value}{needed} --renew"
            advice = f"facefusion-live consent approve {grant.id} --code CODE" if "approval" in problem else renew
            raise ConsentError(f"{name}: {problem}", advice=f"If it may be used: {advice}.")

    @contextmanager
    def _alone(self) -> Generator[None]:
        """No thread and no other process changes the records meanwhile."""
        with self._lock:
            try:
                self._lock_file.parent.mkdir(parents=True, exist_ok=True)
                handle = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise _not_kept() from error
            try:
                try:
                    lock_patiently(handle, _PATIENCE_S)
                except OSError as error:
                    raise _not_kept() from error
                yield
            finally:
                os.close(handle)

    def _read(self) -> tuple[Grant, ...]:
        return self._read_whole()[0]

    def _read_whole(self) -> tuple[tuple[Grant, ...], bool]:
        """The consents, and whether a second person is asked for."""
        if not self._file.exists():
            if self._key_file.exists():
                raise _tampered("are gone")
            return (), False
        try:
            table = json.loads(self._file.read_text("utf-8"))
            if isinstance(table["version"], int) and table["version"] > VERSION:
                raise NewerConsentError(
                    f"{self._file.name} was written by a newer version of this program",
                    advice="Get the newest version of this program.",
                )
            rows = cast("list[dict[str, Any]]", table["grants"])
            key = self._key()
            approval = bool(table.get("approval", False))
            whole = _seal(key, _whole(rows, approval=approval))
            if table["version"] != VERSION or not hmac.compare_digest(table["seal"], whole):
                raise _tampered("were changed")
            for row in rows:
                said = {name: value for name, value in row.items() if name != "seal"}
                if not hmac.compare_digest(row["seal"], _seal(key, said)):
                    raise _tampered("were changed")
            return tuple(_grant(row) for row in rows), approval
        except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise _tampered("cannot be read") from error

    def _save(self, grants: tuple[Grant, ...], *, approval: bool | None = None) -> None:
        asked = self._read_whole()[1] if approval is None else approval
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            key = self._key()
            rows = [_row(grant) for grant in grants]
            sealed = [row | {"seal": _seal(key, row)} for row in rows]
            seal = _seal(key, _whole(sealed, approval=asked))
            table = {"version": VERSION, "approval": asked, "grants": sealed, "seal": seal}
            part = self._file.with_suffix(".part")
            _write_private(part, json.dumps(table, indent=1, ensure_ascii=False).encode())
            part.replace(self._file)
        except OSError as error:
            raise _not_kept() from error

    def _key(self) -> bytes:
        """The installation's key; made with the first record."""
        if not self._key_file.exists():
            if self._file.exists():
                raise _tampered("have lost their key")
            _write_private(self._key_file, secrets.token_bytes(32))
        return self._key_file.read_bytes()


class InUse:
    """The consents under which a session runs: asked for every picture, and looked up only when the file changed.

    Args:
        book: The records.
        grants: Those in use.
        approval: Whether a second person must have confirmed them, now; cheap.
    """

    def __init__(
        self, book: ConsentBook, grants: tuple[Grant, ...] = (), *, approval: Callable[[], bool] = lambda: False
    ) -> None:
        self._book, self._ids, self._approval = book, {grant.id for grant in grants}, approval
        # It may have been taken back since it was looked up.
        self._seen: tuple[tuple[int, int], str, bool] | None = None
        self._problem = ""

    def problem(self) -> str:
        """Why the face may not be used any more, in words, and for good; "" while it may. Thread: any."""
        if self._ids and not self._problem:
            try:
                seen = self._book.stamp, _now()[:10], self._approval()
                if seen != self._seen:
                    self._seen, self._problem = seen, self._looked_up(seen[1], approval=seen[2])
            except ConsentError as error:
                self._problem = str(error)
        return self._problem

    def _looked_up(self, day: str, *, approval: bool) -> str:
        grants = self._book.grants()
        mine = [grant for grant in grants if grant.id in self._ids]
        if len(mine) < len(self._ids):
            return "the consent is gone"
        # What was given anew meanwhile holds in its place; what was taken back stays so for whoever wears it.
        in_force = [grant if grant.revoked else successor(grants, grant) for grant in mine]
        return next(filter(None, (grant.problem(day, approval=approval) for grant in in_force)), "")


def _tampered(what: str) -> ConsentError:
    return ConsentError(
        f"the consent records {what}: no face but the built-in ones may be used",
        advice="Put the folder consent back from a backup, or move it away and grant each consent anew.",
    )


def _gone() -> ConsentError:
    return ConsentError("the consent is gone", advice="See facefusion-live consent list.")


def _not_kept() -> ConsentError:
    advice = "Give the program's folder back its write permission, or make room."
    return ConsentError("the consent cannot be kept", advice=advice)


def _exchanged(grants: tuple[Grant, ...], new: Grant) -> tuple[Grant, ...]:
    return tuple(new if each.id == new.id else each for each in grants)


def _seal(key: bytes, said: object) -> str:
    return hmac.new(key, json.dumps(said, sort_keys=True, separators=(",", ":")).encode(), sha256).hexdigest()


def _whole(rows: list[dict[str, Any]], *, approval: bool) -> list[str]:
    """What the whole file's seal is over; files of earlier versions knew nothing of approval."""
    return [*(row["seal"] for row in rows), *(["approval"] if approval else [])]


def _row(grant: Grant) -> dict[str, Any]:
    row = asdict(grant)
    row["claim"]["kind"] = grant.claim.kind.value
    return row | {"photos": list(grant.photos), "identity": base64.b64encode(grant.identity).decode()}


def _grant(row: dict[str, Any]) -> Grant:
    said = row["claim"]
    return Grant(
        id=str(row["id"]),
        claim=Claim(
            Consent(said["kind"]), said["name"], said["document_sha256"], said["until"], said.get("document", "")
        ),
        granted=row["granted"],
        revoked=row["revoked"],
        approved=row["approved"],
        photos=tuple(row["photos"]),
        identity=base64.b64decode(row["identity"]),
        granted_by=row.get("granted_by", ""),
    )


def _write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read: it holds what tells people apart."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
