"""Names, addresses and paths, so masked that rows of one user can be told from another's and nobody can be looked up.

A plain SHA-256 of an IPv4 address is no mask: all 2^32 are hashed within the hour. So it is an HMAC with a secret that
is made when the program is installed and never leaves the machine.
"""

import hmac
import re

from facefusion_live.domain.audit.event import is_target

_TEAM = re.compile(r"(team-[a-z0-9]{1,16}-)")
_MASKED = re.compile(r"hmac:[0-9a-f]{16}")
_PATH = re.compile(r"(?:(?<![\w:/.])[/~]|\b[A-Za-z]:[\\/]|\\\\|file://)[^\s\"'<>|]*[^\s\"'<>|.,;:)]")


class Masker:
    """Masks with one secret.

    Args:
        secret: 32 random bytes, made at install.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def user(self, name: str) -> str:
        """`team-a-` for `team-a-anna`, an HMAC for everyone else."""
        if team := _TEAM.match(name):
            return team[1]
        return name if _MASKED.fullmatch(name) else self._hmac("user", name)

    def address(self, client_ip: str) -> str:
        """`local` for this machine, an HMAC for every other address."""
        if client_ip in {"local", "127.0.0.1", "::1"}:
            return "local"
        return client_ip if _MASKED.fullmatch(client_ip) else self._hmac("ip", client_ip)

    def target(self, target: str) -> str:
        """The target as rows name it; what is not of the form `kind:name` is masked whole."""
        return target if is_target(target) else "other:" + self._hmac("target", target)

    def hide_paths(self, text: str) -> str:
        """The text with each absolute path in it replaced by an HMAC."""
        return _PATH.sub(lambda match: "path:" + self._hmac("path", match[0]), text)

    def _hmac(self, what: str, text: str) -> str:
        return "hmac:" + hmac.digest(self._secret, f"{what}\0{text}".encode(), "sha256").hex()[:16]
