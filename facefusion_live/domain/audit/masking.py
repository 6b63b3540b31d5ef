"""Names, addresses and paths, masked so that rows of one user can be told from another's and nobody can be looked up.

A plain SHA-256 of an IPv4 address is no mask: all 2^32 are hashed within the hour. So it is an HMAC with a secret that
is made when the program is installed and never leaves the machine.
"""

import hmac
import re
from functools import lru_cache

from facefusion_live.domain.audit.event import is_target
from facefusion_live.domain.audit.traces import without_traces

_TEAM = re.compile(r"(team-[a-z0-9]{1,16}-)")
_MASKED = re.compile(r"hmac:[0-9a-f]{16}")
_KINDS = "camera|clip|display|face|frame|input|microphone|output|person|picture|recording|scene|session|stream|video"
_WORDS = (
    "camera|clock|consent|content|engine|export|file|gate|http|https|label|log|mark|microphone|operator|recording|rtmp|rtmps|rtp"
    "|rtsp|rtsps|script|settings|synthetic|tcp|udp"
)
_LOGICAL = re.compile(
    rf"{_WORDS}|(?:{_KINDS}):[0-9]{{1,6}}|(?:source|log|consent):[0-9a-f]{{1,64}}|model:(?=[^:]*[a-z])[a-z0-9][a-z0-9_.-]*"
    r"|other:hmac:[0-9a-f]{16}"
)
"""Targets that name nobody. Only a model is called by a name: that of its card."""


_REMEMBERED = 256


class Masker:
    """Masks with one secret.

    Args:
        secret: 32 random bytes, made at install.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        # The same few people, addresses and targets stand in most rows.
        self._known_users = lru_cache(_REMEMBERED)(self._user)
        self._known_addresses = lru_cache(_REMEMBERED)(self._address)
        self._known_targets = lru_cache(_REMEMBERED)(self._target)

    def user(self, name: str) -> str:
        """`team-a-` for `team-a-anna`, an HMAC for everyone else."""
        return self._known_users(name)

    def address(self, client_ip: str) -> str:
        """`local` for this machine, an HMAC for every other address."""
        return self._known_addresses(client_ip)

    def target(self, target: str) -> str:
        """The target as rows name it; what is of no form that `docs/audit.md` lists is masked whole."""
        return self._known_targets(target)

    def _user(self, name: str) -> str:
        if team := _TEAM.match(name):
            return team[1]
        return name if _MASKED.fullmatch(name) else self._hmac("user", name)

    def _address(self, client_ip: str) -> str:
        if client_ip in {"local", "127.0.0.1", "::1"}:
            return "local"
        return client_ip if _MASKED.fullmatch(client_ip) else self._hmac("ip", client_ip)

    def _target(self, target: str) -> str:
        plain = is_target(target) and _LOGICAL.fullmatch(target) and self.hide(target) == target
        return target if plain else "other:" + self._hmac("target", target)

    def hide(self, text: str) -> str:
        """The text with each path, file name, e-mail and network address in it replaced by an HMAC."""
        return without_traces(text, self._trace)

    def _trace(self, kind: str, found: str) -> str:
        return f"{kind}:{self.address(found) if kind == 'ip' else self._hmac(kind, found)}"

    def _hmac(self, what: str, text: str) -> str:
        return (
            "hmac:" + hmac.digest(self._secret, f"{what}\0{text}".encode("utf-8", "surrogatepass"), "sha256").hex()[:16]
        )
