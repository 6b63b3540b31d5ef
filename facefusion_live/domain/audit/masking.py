"""Names, addresses and paths, masked so that rows of one user can be told from another's and nobody can be looked up.

A plain SHA-256 of an IPv4 address is no mask: all 2^32 are hashed within the hour. So it is an HMAC with a secret that
is made when the program is installed and never leaves the machine.
"""

import hmac
import re
from ipaddress import ip_address

from facefusion_live.domain.audit.event import is_target

_TEAM = re.compile(r"(team-[a-z0-9]{1,16}-)")
_MASKED = re.compile(r"hmac:[0-9a-f]{16}")
_SUSPICIOUS = re.compile(r"[/~\\@]|::|\d\.\d+\.\d|(?:[0-9A-Fa-f]{1,4}:){7}")
"""What a text must hold at least before it is worth a closer look: most are single words."""
# A path may hold blanks, so it ends only at a mark that seldom stands in one: rather a word too many than a name.
_PATH = re.compile(r"(?:(?<![\w:/.])[/~](?=\S)|\b[A-Za-z]:[\\/]|\\\\|file://)[^\"'<>|,;:\n)]*")
_MAIL = re.compile(r"[^\s\"'<>|,;()]+@[^\s\"'<>|,;()]+")
"""Addresses of people, and of streams that carry a password."""
_ADDRESS = re.compile(
    r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\w|\.[0-9])|(?<!\w)[0-9A-Fa-f:]*:[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*(?!\w)"
)


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
        """The target as rows name it; what is not of the form `kind:name`, or tells of a person, is masked whole."""
        return target if is_target(target) and self.hide(target) == target else "other:" + self._hmac("target", target)

    def hide(self, text: str) -> str:
        """The text with each absolute path, e-mail address and network address in it replaced by an HMAC."""
        if not _SUSPICIOUS.search(text):
            return text
        text = _MAIL.sub(lambda match: "mail:" + self._hmac("mail", match[0]), text)
        text = _PATH.sub(lambda match: "path:" + self._hmac("path", match[0]), text)
        return _ADDRESS.sub(lambda match: "ip:" + self.address(match[0]) if _is_address(match[0]) else match[0], text)

    def _hmac(self, what: str, text: str) -> str:
        return (
            "hmac:" + hmac.digest(self._secret, f"{what}\0{text}".encode("utf-8", "surrogatepass"), "sha256").hex()[:16]
        )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
