# pyright: basic
"""The operator's code (TOTP) that opens everyone's rows. It guards a borrowed session, not against the file's owner."""

from pathlib import Path

from pyotp import random_base32
from pyotp.totp import TOTP

from facefusion_live.adapters.storage.layout import write_private


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
        return TOTP(s=secret).provisioning_uri(name="operator", issuer_name="FaceFusion Live")

    def accepts(self, code: str) -> bool:
        """Is it the code of this half minute, or of the one before or after?"""
        return TOTP(s=self._path.read_text(encoding="ascii").strip()).verify(code, valid_window=1)
