# pyright: basic
"""The operator's code (TOTP) that opens everyone's rows. It guards a borrowed session, not against the file's owner."""

import os
import time
from hmac import compare_digest
from pathlib import Path

from pyotp import random_base32
from pyotp.totp import TOTP

from facefusion_live.adapters.storage.layout import write_private

_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY


class OperatorCode:
    """A TOTP secret in a private file.

    Args:
        path: Where it is kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def is_set_up(self) -> bool:
        """Is a code asked for?"""
        return self._path.exists()

    def set_up(self) -> str:
        """Make a new secret; give the `otpauth://` address that an authenticator app reads."""
        secret = random_base32()
        write_private(self._path, secret.encode())
        for path in self._used():
            path.unlink(missing_ok=True)
        return TOTP(s=secret).provisioning_uri(name="operator", issuer_name="FaceFusion Live")

    def accepts(self, code: str) -> bool:
        """Is it the code of this half minute, or of the one before or after, and new? Each opens once (RFC 6238, 5.2).

        Raises:
            OSError: The secret cannot be read, or it cannot be put down that the code was used.
        """
        totp = TOTP(s=self._path.read_text(encoding="ascii").strip())
        now = int(time.time()) // totp.interval
        for step in (now - 1, now, now + 1):
            if compare_digest(totp.generate_otp(step).encode(), code.strip().encode()):
                return self._used_now(step)
        return False

    def _used(self) -> dict[Path, int]:
        """The half minute whose code was used last, by the file that says so."""
        return {path: int(path.suffix[1:]) for path in self._path.parent.glob(f"{self._path.stem}.used.*")}

    def _used_now(self, step: int) -> bool:
        """Put down that the code of a half minute was used; False when it, or a later one, was used before."""
        used = self._used()
        if any(earlier >= step for earlier in used.values()):
            return False
        try:
            # A file that must not be there yet: two programs cannot both make it.
            os.close(os.open(self._path.with_name(f"{self._path.stem}.used.{step}"), _NEW, 0o600))
        except FileExistsError:
            return False
        for path in used:
            path.unlink(missing_ok=True)
        return True
