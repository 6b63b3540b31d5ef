# pyright: basic
"""The operator's code (TOTP) that opens everyone's rows. It guards a borrowed session, not against the file's owner."""

import os
import time
from hmac import compare_digest
from pathlib import Path

from pyotp import random_base32
from pyotp.totp import TOTP

from facefusion_live.adapters.storage.layout import is_file, make_way, read_file, write_private
from facefusion_live.domain.audit.errors import AuditStoreError, OperatorCodeError

FREE_TRIES = 3
"""After so many wrong codes in a row, the next try has to wait."""
_WAIT_S, _WAIT_MOST_S = 30, 900
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
        for path in (*self._numbered("used"), *self._numbered("wrong")):
            path.unlink(missing_ok=True)
        return TOTP(s=secret).provisioning_uri(name="operator", issuer_name="FaceFusion Live")

    def accepts(self, code: str) -> bool:
        """Is it the code of this half minute, or of the one before or after, and new? Each opens once (RFC 6238, 5.2).

        After three wrong ones in a row each further try has to wait: 30 s, a minute … a quarter of an hour. What has to
        be remembered for that lies beside the secret.

        Raises:
            OperatorCodeError: It is not time for the next try; the code was not looked at.
            AuditStoreError: What lies in the secret's place is none.
            OSError: The secret cannot be read now, or it cannot be put down that the code was used.
        """
        totp = self._totp()
        self._begin_try()
        now = int(time.time()) // totp.interval
        for step in (now - 1, now, now + 1):
            if compare_digest(totp.generate_otp(step).encode(), code.strip().encode("utf-8", "replace")):
                accepted = self._used_now(step)
                for path in self._numbered("wrong") if accepted else ():
                    path.unlink(missing_ok=True)
                return accepted
        return False

    def _totp(self) -> TOTP:
        """What tells the codes. An empty secret is none: with it everybody could tell them."""
        try:
            totp = TOTP(s=read_file(self._path).decode("ascii").strip())
            if totp.byte_secret():
                return totp
        except (FileNotFoundError, ValueError):
            pass
        words = f"the operator's code cannot be checked: {self._path.name} is not the file that was made for it"
        raise AuditStoreError(words, advice="Put it back from a backup, or delete it and set up a new code.")

    def _begin_try(self) -> None:
        """Put a try down as wrong before it is looked at: whoever ends the process then has not tried for nothing."""
        wrong = self._numbered("wrong")
        count, now_s = max(wrong.values(), default=0), int(time.time())
        if count >= FREE_TRIES:
            wait_s = min(_WAIT_S * 2 ** min(count - FREE_TRIES, 10), _WAIT_MOST_S)
            if (left_s := max(self._when(path, now_s) for path in wrong) + wait_s - now_s) > 0:
                message = f"{count} wrong operator codes in a row: no code is looked at for another {left_s} seconds"
                raise OperatorCodeError(message, advice="Wait, then give the code that is shown then.")
        path = self._path.with_name(f"{self._path.stem}.wrong.{count + 1}")
        try:
            handle = os.open(path, _NEW, 0o600)  # two at once cannot both make it
        except FileExistsError as error:
            raise OperatorCodeError("another code is being looked at", advice="Try again.") from error
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(str(now_s))
        for earlier in wrong:
            earlier.unlink(missing_ok=True)

    @staticmethod
    def _when(path: Path, now_s: int) -> int:
        """When a try was.

        What cannot be read, or is ahead of a clock that was set back, is put down as now: nobody waits longer than the
        time that is due, and nobody for ever.
        """
        try:
            when_s = int(read_file(path))
        except FileNotFoundError:  # whoever showed the right code meanwhile
            return now_s
        except ValueError:
            when_s = now_s + 1
        if when_s > now_s:
            write_private(path, str(now_s).encode())
        return min(when_s, now_s)

    def _numbered(self, what: str) -> dict[Path, int]:
        """The files beside the secret that remember something, with the number in their names.

        A folder or a pipe in the place of one remembers nothing: it is kept aside.
        """
        found = self._path.parent.glob(f"{self._path.stem}.{what}.*")
        numbered = {path: int(path.suffix[1:]) for path in found if path.suffix[1:].isdecimal()}
        for path in numbered:
            make_way(path)
        return {path: number for path, number in numbered.items() if is_file(path)}

    def _used_now(self, step: int) -> bool:
        """Put down that the code of a half minute was used; False when it, or a later one, was used before."""
        used = self._numbered("used")
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
