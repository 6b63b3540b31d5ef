"""Names, addresses and paths, masked so that rows of one user can be told from another's and nobody can be looked up.

A plain SHA-256 of an IPv4 address is no mask: all 2^32 are hashed within the hour. So it is an HMAC with a secret that
is made when the program is installed and never leaves the machine.
"""

import hmac
import re
from functools import lru_cache
from ipaddress import ip_address

from facefusion_live.domain.audit.event import is_target

_TEAM = re.compile(r"(team-[a-z0-9]{1,16}-)")
_MASKED = re.compile(r"hmac:[0-9a-f]{16}")
_SUSPICIOUS = re.compile(
    r"[/~\\@$\u2044\u2215\uff0f\uff3c\uff20\ufe6b]|%(?:25)*(?:2[Ff]|5[Cc]|40)|file:|::|\d\.\d+\.\d"
    r"|(?:[0-9A-Fa-f]{1,4}:){7}"
)
"""What a text must hold at least before it is worth a closer look: most are single words."""
_PLAIN = re.compile(r"[A-Za-z_. -]*")
"""What most texts are, told from the others in a fraction of the time."""
_BEGINS = re.compile(
    r"(?<!\w)[/\\~\u2044\u2215\uff0f\uff3c](?=\S)"  # from a root, a home, a URL's host, or ".."
    r"|file:(?=\S)|\$\{?[A-Za-z_]\w*\}?[/\\]|\b[A-Za-z]:(?=[\w/\\])(?=[^\s/\\]*[/\\])"
    r"|%(?:25)*(?:2[Ff]|5[Cc])|[\u2044\u2215\uff0f\uff3c\\](?=\S)"
    r"|/(?=[^\s/\\]*[/\\]\S)"  # a second separator in one word: `x/home/anna`
    r"|/(?=[^\s/\\.]*\.[A-Za-z])"  # a file's ending
    r"|\b(?:home|users|volumes|media|mnt|root)/(?=\S)",
    re.IGNORECASE,
)
"""Where a path begins. One slash between two words is none: `CUDA/TensorRT`."""
_WORD = "".join(map(chr, range(0x21, 0x7F))).translate(str.maketrans("", "", "\"'`<>|=:,;()[]{}"))
_QUOTES = "\"'`"
_MAIL = re.compile(r"(?<![^\s\"'<>|,;()])[^\s\"'<>|,;()@\uff20\ufe6b%]*(?:[@\uff20\ufe6b]|%(?:25)*40)[^\s\"'<>|,;()]+")
"""Addresses of people, and of streams that carry a password."""
_ADDRESS = re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\w|\.[0-9])|(?<!\w)[0-9A-Fa-f:.]++(?!\w)")
_NAMED = re.compile(r"model:.+|(?:source|log):[0-9a-f]{1,64}|[a-z0-9_.-]+(?::[0-9]{1,9})?|other:hmac:[0-9a-f]{16}")
"""Targets that name no person: only a model is called by a name."""


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
        """The target as rows name it; what is not of the form `kind:number`, or tells of a person, is masked whole."""
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
        plain = is_target(target) and _NAMED.fullmatch(target) and self.hide(target) == target
        return target if plain else "other:" + self._hmac("target", target)

    def hide(self, text: str) -> str:
        """The text with each path, e-mail address and network address in it replaced by an HMAC.

        A path may hold blanks, commas and quotes, so it goes on to the end of the text, or to the quote that closes
        the one before it: rather a word too many than a name.
        """
        if _PLAIN.fullmatch(text) or not _SUSPICIOUS.search(text):
            return text
        text = _MAIL.sub(lambda match: "mail:" + self._hmac("mail", match[0]), text)
        return _ADDRESS.sub(lambda match: self._hide_address(match[0]), self._hide_paths(text))

    def _hide_paths(self, text: str) -> str:
        done = ""
        while found := _BEGINS.search(text):
            start = found.start()
            while start and (text[start - 1] in _WORD or text[start - 1].isalnum()):
                start -= 1
            end = _closed(text, start)
            done += text[:start] + "path:" + self._hmac("path", text[start:end])
            text = text[end:]
        return done + text

    def _hide_address(self, text: str) -> str:
        """A dotted or coloned word, with the address in it masked; marks behind it are not its own."""
        for address in (text, text.rstrip(".:"), text.rpartition(":")[0]):
            if _is_address(address):
                return f"ip:{self.address(address)}{text[len(address) :]}"
        return text

    def _hmac(self, what: str, text: str) -> str:
        return (
            "hmac:" + hmac.digest(self._secret, f"{what}\0{text}".encode("utf-8", "surrogatepass"), "sha256").hex()[:16]
        )


def _closed(text: str, start: int) -> int:
    """Where a path ends: at the last quote of the kind before it that closes something, else with the text."""
    quote = text[start - 1] if start else ""
    if quote not in _QUOTES or not quote:
        return len(text)
    closing = [match.start() for match in re.finditer(rf"{quote}(?=[:,;)\]}}]|$)", text[start:])]
    return start + closing[-1] if closing else len(text)


def _is_address(text: str) -> bool:
    if text.count(":") < 2 and text.count(".") != 3:
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
