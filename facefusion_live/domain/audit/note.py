"""Signed notes and checkpoints, in the formats that transparency logs share.

Source: https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint. Our checkpoints carry two extension lines,
`epoch N` and `number N`: which key signs, and how many checkpoints came before, so that none can be taken out.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from facefusion_live.domain.audit.errors import NoteError
from facefusion_live.domain.audit.merkle import HASH_BYTES

Sign: TypeAlias = Callable[[bytes], bytes]
"""Ed25519 signature (64 bytes) of a message."""
CheckSignature: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""Is (public key, signature, message) an Ed25519 signature?"""

ORIGIN_PREFIX = "facefusion-live/"
MAX_NOTE_BYTES = 65536

_ED25519 = b"\x01"
_SIGNATURE_LINE = re.compile("— (?P<name>[^ +]+) (?P<signature>[A-Za-z0-9+/=]+)")
_LOG_ID = re.compile(r"[0-9a-f]{32}").fullmatch
_NUMBER = re.compile("0|[1-9][0-9]{0,15}")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line.

    Attributes:
        name: Who says to have signed.
        key_id: Four bytes that tell keys of one name apart.
        signature: 64 bytes.
    """

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text and who signed it.

    Attributes:
        text: Ends in a newline.
        signatures: At least one.
    """

    text: str
    signatures: tuple[Signature, ...]

    def signed_by(self, name: str, public_key: bytes, check: CheckSignature) -> bool:
        """Is there a valid signature by this key?"""
        wanted = key_id(name, public_key)
        return any(
            each.name == name and each.key_id == wanted and check(public_key, each.signature, self.text.encode())
            for each in self.signatures
        )


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log at one moment.

    Attributes:
        log_id: 32 hex digits.
        size: Rows.
        root: RFC 6962 root over them, 32 bytes.
        epoch: 0 for the genesis key, then one more with every `key.rotate`.
        number: 0, 1, 2 … over the whole log, without gaps.
    """

    log_id: str
    size: int
    root: bytes
    epoch: int
    number: int

    @property
    def text(self) -> str:
        """What is signed."""
        root = b64encode(self.root).decode()
        return f"{ORIGIN_PREFIX}{self.log_id}\n{self.size}\n{root}\nepoch {self.epoch}\nnumber {self.number}\n"

    def signed(self, public_key: bytes, sign: Sign) -> str:
        """The checkpoint as a signed note."""
        return sign_note(self.text, ORIGIN_PREFIX + self.log_id, public_key, sign)

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read the text of a note.

        Raises:
            NoteError: It is not exactly what `text` writes.
        """
        lines = text.split("\n")
        try:
            origin, size, root, epoch, number, end = lines
            found = cls(
                log_id=_log_id(origin.removeprefix(ORIGIN_PREFIX)),
                size=_number(size),
                root=b64decode(root, validate=True),
                epoch=_number(epoch.removeprefix("epoch ")),
                number=_number(number.removeprefix("number ")),
            )
        except ValueError as error:
            raise NoteError("the note is no checkpoint") from error
        if end or found.text != text or len(found.root) != HASH_BYTES:
            raise NoteError("the note is no checkpoint of this program")
        return found


def key_id(name: str, public_key: bytes) -> bytes:
    """The four bytes before a signature."""
    return sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def fingerprint(public_key: bytes) -> str:
    """SHA-256 of a public key in hex: what people compare."""
    return sha256(public_key).hexdigest()


def verifier_key(name: str, public_key: bytes) -> str:
    """The public key as other tools read it: `name+id+base64`."""
    return f"{name}+{key_id(name, public_key).hex()}+{b64encode(_ED25519 + public_key).decode()}"


def sign_note(text: str, name: str, public_key: bytes, sign: Sign) -> str:
    """A text with one signature below it.

    Raises:
        NoteError: The text does not end in a newline, or holds an empty line where the signatures would begin.
    """
    if not text.endswith("\n") or "\n\n" in text:
        raise NoteError("a note's text ends in one newline and has no empty line")
    signature = b64encode(key_id(name, public_key) + sign(text.encode())).decode()
    return f"{text}\n— {name} {signature}\n"


def parse_note(note: str, longest: int = MAX_NOTE_BYTES) -> Note:
    """Take a signed note apart.

    Args:
        note: Text, an empty line, signatures.
        longest: How long it may be.

    Raises:
        NoteError: It is none.
    """
    text, blank, below = note.rpartition("\n\n")
    if not text or not blank or not below.endswith("\n") or len(note) > longest:
        raise NoteError("no signed note")
    return Note(text + "\n", tuple(_signature(line) for line in below[:-1].split("\n")))


def _signature(line: str) -> Signature:
    match = _SIGNATURE_LINE.fullmatch(line)
    try:
        blob = b64decode(match["signature"], validate=True) if match else b""
    except Base64Error as error:
        raise NoteError("a signature is not base64") from error
    if match is None or len(blob) < 5:
        raise NoteError("a line below the note is no signature")
    return Signature(match["name"], blob[:4], blob[4:])


def _log_id(text: str) -> str:
    if not _LOG_ID(text):
        raise ValueError(text)
    return text


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return int(text)
