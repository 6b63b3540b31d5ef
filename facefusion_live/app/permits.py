"""Whether a source face may be used: the consent records are asked, and the answer goes on record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from facefusion_live.app.consents import ConsentBook, InUse
from facefusion_live.app.portraits import Source
from facefusion_live.app.taken_back import TakenBack
from facefusion_live.domain.consent import Claim, Consent, Grant, newest
from facefusion_live.domain.errors import ConsentError
from facefusion_live.engine.trail import AuditTrail, settled

_NAMED_BY = 16
"""Hex digits of a picture's SHA-256 that name it as a target."""


@dataclass(frozen=True, slots=True)
class Told:
    """A consent as it is told by hand, before the document was read.

    Attributes:
        kind: Why the face may be used.
        name: Whose it is.
        document: The file in which it is written; None for none.
        until: The last day, "2027-01-31"; "" for no end.
    """

    kind: Consent
    name: str = ""
    document: Path | None = None
    until: str = ""

    def claim(self) -> Claim:
        """With the document's SHA-256.

        Raises:
            ConsentError: The document cannot be read or is empty, the name has no letter, there is no such day, or
                something is missing.
        """
        digest = document_sha256(self.document) if self.document else ""
        name = " ".join(self.name.split())
        if name and not any(sign.isalpha() for sign in name):
            raise ConsentError(f"{name!r} is no name", advice="Write whose face it is.")
        claim = Claim(self.kind, name, digest, self.until, self.document.name if self.document else "")
        check_day(self.until)
        return claim


class Permits:
    """Asked once for every source picture, before it is made ready. Thread: any one.

    Args:
        book: The consent records.
        trail: The record; None keeps none: then only who is known already is let in.
        approval: Whether a second person must have confirmed each consent, now.
        taken_back: What the record knows of revocations; asked once, before the first picture.
    """

    def __init__(
        self,
        book: ConsentBook,
        trail: AuditTrail | None,
        *,
        approval: Callable[[], bool] = lambda: False,
        taken_back: Callable[[], TakenBack] = TakenBack,
    ) -> None:
        self.book, self._trail, self._approval = book, trail, approval
        self._given: dict[str, Grant] = {}
        self._taken_back = cache(taken_back)

    def __call__(self, source: Source, identity: bytes, *, may_wait: bool = False) -> None:
        """Let a picture in, with its row on the disk first. The built-in faces are nobody's.

        Args:
            source: The picture, and what the user says of it.
            identity: The face in it.
            may_wait: It is only kept for now: a second person may confirm it later, before it is used (`check`).

        Raises:
            ConsentError: It may not be used; that is on record.
            AuditStoreError: It cannot be put on record.
        """
        if source.built_in:
            return
        try:
            grant = self._asked(source, identity, approval=self._approval() and not may_wait)
        except ConsentError as error:
            self._deny(source, error)
            raise
        if self._trail is not None:
            said = {"basis": grant.claim.kind.value, "input_sha256": source.sha256, **facts(self.book, grant)}
            said |= {"approved": bool(grant.approved), "approval_asked": self._approval()}
            settled(self._trail.record_durably("consent.grant", source_target(source.sha256), "success", said))
        self._given[source.sha256] = grant

    def _asked(self, source: Source, identity: bytes, *, approval: bool) -> Grant:
        claim = source.claim or (None if source.consent is None else Claim(source.consent))
        known = self.book.find(source.sha256, identity)
        self._refuse_older(source, known)
        if self._trail is None and claim is not None and known is None:
            raise ConsentError(
                f"{source.name}: a consent is kept on record only",
                advice="Leave audit switched on the first time, or use facefusion-live consent grant.",
            )
        return self.book.permit(source.sha256, identity, claim, source.name, approval=approval)

    def _refuse_older(self, source: Source, known: Grant | None) -> None:
        """Records that were set back, or thrown away, bring no consent back that the audit log saw taken back."""
        gone = self._taken_back()
        if known is None and source.sha256 in gone.photos:
            kind = (source.consent or Consent.SELF).value
        elif known is not None and known.id in gone.consents and not known.revoked:
            kind = known.claim.kind.value
        else:
            return
        raise ConsentError(
            f"{source.name}: the consent was taken back, says the audit log",
            advice=f"If it may be used: facefusion-live consent grant PHOTO --kind {kind} --renew.",
        )

    def kept(self, photos: Sequence[str]) -> tuple[Grant | None, str]:
        """What is known of somebody whose pictures were let in before: the consent, and why it does not hold.

        Args:
            photos: SHA-256 of the pictures, in hex.
        """
        try:
            grants, today, asked = self.book.grants(), self.book.today(), self._approval()
        except ConsentError as error:
            return None, str(error)
        found = [each for photo in photos if (each := newest(grants, photo, b"")) is not None]
        if len(found) < len(photos) or not found:
            return (found[0] if found else None), "the consent is gone"
        gone = self._taken_back().consents
        problems = (each.problem(today, approval=asked, taken_back=gone) for each in found)
        return found[0], next(filter(None, problems), "")

    def check(self, source: Source) -> None:
        """A face that was let in before, perhaps by an earlier start: is its consent still what it was?

        Raises:
            ConsentError: It may not be used any more; that is on record.
        """
        if source.built_in:
            return
        try:
            self._refuse_older(source, self.book.find(source.sha256, b""))
            self._given[source.sha256] = self.book.permit(
                source.sha256, b"", None, source.name, approval=self._approval()
            )
        except ConsentError as error:
            self._deny(source, error)
            if source.in_model and self.book.find(source.sha256, b"") is None:
                # Nobody was asked when it was taken in, as people are in the window when they add a photo.
                advice = f"Say why: facefusion-live consent grant {source.name} --kind KIND."
                raise ConsentError(str(error), advice=advice) from error
            raise

    def revoke(self, grant: Grant) -> None:
        """Take a consent back, and put it on record. Never refused for the record's sake.

        Raises:
            ConsentError: The records cannot be written, or are not as the program left them.
        """
        if self._trail is not None:
            self._trail.record("consent.revoke", f"consent:{grant.id}", "success", facts(self.book, grant))
        self.book.revoke(grant)

    def in_use(self, sources: tuple[Source, ...]) -> InUse:
        """The consents of some pictures, to be watched while they are used."""
        grants = tuple(self._given[each.sha256] for each in sources if each.sha256 in self._given)
        return InUse(self.book, grants, approval=self._approval)

    def as_kept(self, sources: Sequence[Source]) -> tuple[Source, ...]:
        """Pictures that were let in, each with the consent that the records hold, whatever was said this time."""
        given = [self._given.get(each.sha256) for each in sources]
        return tuple(
            source if grant is None else replace(source, consent=grant.claim.kind)
            for source, grant in zip(sources, given, strict=True)
        )

    def _deny(self, source: Source, error: ConsentError) -> None:
        if self._trail is not None:
            why = str(error).removeprefix(f"{source.name}: ")
            self._trail.record("consent.deny", source_target(source.sha256), "denied", {"reason": why})


def facts(book: ConsentBook, grant: Grant) -> dict[str, object]:
    """What rows tell of a consent: the person as a pseudonym, which consent, until when, which document.

    Raises:
        ConsentError: The records have lost their key.
    """
    claim = grant.claim
    told = {"person": book.pseudonym(grant), "consent_id": grant.id, "until": claim.until}
    return {name: value for name, value in (told | {"document_sha256": claim.document_sha256}).items() if value}


def source_target(digest: str) -> str:
    """How rows name a source picture."""
    return f"source:{digest[:_NAMED_BY]}"


def document_sha256(path: Path) -> str:
    """Of the file in which a consent is written.

    Raises:
        ConsentError: It cannot be read, or is empty.
    """
    try:
        document = path.read_bytes()
    except OSError as error:
        raise ConsentError(f"{path.name} cannot be read", advice="Give the file with the signed consent.") from error
    if not document:
        raise ConsentError(f"{path.name} is empty", advice="Give the file with the signed consent.")
    return sha256(document).hexdigest()


def check_day(text: str) -> None:
    """A last day, or "" for none.

    Raises:
        ConsentError: There is no such day, or it is over: such a consent would hold for nobody.
    """
    if not text:
        return
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ConsentError(f"{text!r} is no day", advice="Write it as 2027-01-31.") from None
    if day < _today():
        raise ConsentError(f"{text} is over", advice="Give today or a later day.")


def _today() -> date:
    """The day by which consents end."""
    return datetime.now(UTC).date()
