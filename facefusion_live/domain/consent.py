"""Why a source face may be used: what a person claims, what is kept of it, and when it holds no longer."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.errors import ConsentError

SAME_PERSON: Final = 0.6
"""Cosine of two faces from which on they count as one person's. Measured: copies of one photo (smaller, mirrored,
darker, grey) 0.84 and more; 820 pairs of different people 0.51 at most. A stranger must neither be let in nor be
refused for somebody else."""
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class Consent(Enum):
    """Why a source face may be used."""

    SELF = "self"
    WRITTEN = "written"
    LICENSED = "licensed"
    GENERATED = "generated"
    PUBLIC_DOMAIN = "public-domain"


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody says.

    Attributes:
        kind: Why the face may be used.
        name: Whose it is, or who gave the licence; needed for a written consent.
        document_sha256: Of the file in which it is written, in hex; the same.
        until: The last day on which it holds, "2027-01-31"; "" for no end. A written consent has one.
        document: How that file was called; "" where nobody noted it.
    """

    kind: Consent
    name: str = ""
    document_sha256: str = ""
    until: str = ""
    document: str = ""

    def __post_init__(self) -> None:
        if self.until and not _DAY.fullmatch(self.until):
            raise ConsentError(f"{self.until!r} is no day", advice="Write it as 2027-01-31.")
        if self.kind is Consent.WRITTEN and not (self.name and self.document_sha256 and self.until):
            raise ConsentError(
                "a written consent has a name, a document and a last day",
                advice="Record it once: facefusion-live consent grant PHOTO --kind written --name NAME "
                "--document FILE --until 2027-01-31.",
            )


@dataclass(frozen=True, slots=True)
class Grant:
    """A consent as it is kept.

    Attributes:
        id: 16 hex digits.
        claim: What was said.
        granted: When, UTC.
        revoked: When it was taken back; "" while it was not.
        approved: When a second person confirmed it; "" while nobody did.
        photos: SHA-256 of every picture that it was given for, in hex.
        identity: The face as 128 whole numbers: finds other pictures of the same person.
        granted_by: Who kept it, as the system calls them; "" in records of earlier versions.
    """

    id: str
    claim: Claim
    granted: str
    revoked: str = ""
    approved: str = ""
    photos: tuple[str, ...] = ()
    identity: bytes = b""
    granted_by: str = ""

    def problem(self, today: str, *, approval: bool, taken_back: Collection[str] = ()) -> str:
        """Why it does not hold on a day, in words; "" when it does.

        Args:
            today: "2026-11-26".
            approval: A second person must have confirmed it.
            taken_back: Ids of those that the audit log saw taken back, whatever the record says.
        """
        if self.revoked:
            return f"the consent was taken back on {self.revoked[:10]}"
        if self.id in taken_back:
            return "the consent was taken back, says the audit log"
        if self.claim.until and today > self.claim.until:
            return f"the consent ended on {self.claim.until}"
        if approval and not self.approved:
            return "the consent waits for a second person's approval"
        return ""

    def follows(self, earlier: "Grant") -> bool:
        """Whether it is of the person of an earlier one: a picture or the face is the same."""
        return not set(self.photos).isdisjoint(earlier.photos) or self.likeness(earlier.identity) >= SAME_PERSON

    def likeness(self, identity: bytes) -> float:
        """Cosine of the two faces; 0 where one is unknown."""
        if len(identity) != len(self.identity) or not identity:
            return 0.0
        one, other = (np.frombuffer(each, np.int8).astype(np.float64) for each in (identity, self.identity))
        return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-9))


def newest(grants: Sequence[Grant], sha256: str, identity: bytes) -> Grant | None:
    """The newest consent of a person; None for somebody unknown.

    A person is known by a picture or by the face; whom one record knows, its successors know, whatever pictures they
    were given for. So who was given anew, and taken back again, is taken back in every picture.

    Args:
        grants: The oldest first.
        sha256: Of a picture, in hex.
        identity: The face in it; empty where only the picture is known.
    """
    found: Grant | None = None
    for each in grants:
        known = sha256 in each.photos or each.likeness(identity) >= SAME_PERSON
        if known or (found is not None and each.follows(found)):
            found = each
    return found


def successor(grants: Sequence[Grant], grant: Grant) -> Grant:
    """The newest consent of the person of one; itself where no later one is of them."""
    for each in grants[next((at for at, kept in enumerate(grants) if kept.id == grant.id), len(grants)) + 1 :]:
        if each.follows(grant):
            grant = each
    return grant


def identity_of(embedding: NDArray[np.floating]) -> bytes:
    """A face as it is kept: (d,) of unit length, in whole numbers of one byte."""
    largest = max(float(np.abs(embedding).max()), 1e-9)
    return np.rint(embedding * (127 / largest)).astype(np.int8).tobytes()
