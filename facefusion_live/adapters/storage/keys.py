# pyright: basic
"""Secrets on disk: the private key of each log's present epoch, and what masks are made with. Files of mode 0600."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from facefusion_live.adapters.storage.layout import (
    is_file,
    make_way,
    overwrite,
    read_file,
    sync_folder,
    write_private,
    write_private_once,
)
from facefusion_live.domain.audit.errors import KeyLostError


class KeyRing:
    """The keys of one log: the present one, and between two steps of a rotation the next.

    Args:
        folder: Where keys are kept.
        log_id: Whose keys.
    """

    def __init__(self, folder: Path, log_id: str) -> None:
        self._present, self._next = folder / f"{log_id}.key", folder / f"{log_id}.next"
        self._key: Ed25519PrivateKey | None = None

    def create(self) -> bytes:
        """Make the genesis key; give its public half."""
        self._key = Ed25519PrivateKey.generate()
        write_private(self._present, self._key.private_bytes_raw())
        return _public(self._key)

    def load(self, public_key: bytes) -> None:
        """Take up the key that the log names; finish a rotation that a crash interrupted.

        Raises:
            KeyLostError: It is not there.
            OSError: It cannot be read now, or the rotation not be finished.
        """
        for path in (self._present, self._next):
            key = _read(path)
            if key is not None and _public(key) == public_key:
                self._key = key
                if path == self._next:
                    self._promote()
                return
        raise KeyLostError("the private key of this log is gone", advice="A new log is begun; this one stays readable.")

    @property
    def public_key(self) -> bytes:
        """Of the present key; empty when none was loaded."""
        return b"" if self._key is None else _public(self._key)

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature with the present key."""
        if self._key is None:
            raise KeyLostError("no key was loaded")
        return self._key.sign(message)

    def make_next(self) -> bytes:
        """Make and keep the next key; give its public half."""
        key = Ed25519PrivateKey.generate()
        write_private(self._next, key.private_bytes_raw())
        return _public(key)

    def adopt_next(self) -> None:
        """The next key becomes the present one, the old one is destroyed."""
        self._key = _read(self._next)
        self._promote()

    def _promote(self) -> None:
        overwrite(self._present)
        make_way(self._present)
        self._next.replace(self._present)
        sync_folder(self._present.parent)


def install_secret(path: Path) -> bytes:
    """The 32 random bytes kept in a file; made when there are none. Raises OSError."""
    if not is_file(path):
        write_private_once(path, os.urandom(32))
    return path.read_bytes()


def mask_secret_of(path: Path) -> bytes:
    """The secret as it is; without one nobody was ever masked, and a mask made with nothing matches no row."""
    try:
        return read_file(path)
    except OSError:
        return b""


def _read(path: Path) -> Ed25519PrivateKey | None:
    try:
        return Ed25519PrivateKey.from_private_bytes(read_file(path))
    except (FileNotFoundError, ValueError):  # any other error says nothing about the key
        return None


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
