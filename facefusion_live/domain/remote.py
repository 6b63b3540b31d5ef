"""Which nets run on another machine: where it is, and what it takes."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from facefusion_live.domain.errors import SettingsError

TASKS: Final = ("swapper", "enhancer", "recogniser")
"""What may run elsewhere: nets that are big. Faces are looked for here, or the gate would believe a stranger."""
_ADDRESS = re.compile(r"(grpcs?)://([a-z0-9_.-]{1,253}|\[[0-9a-f:.]{2,45}\]):([0-9]{1,5})/?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server listens.

    Attributes:
        host: A name or a number; without brackets.
        port: 1 to 65535.
        encrypted: Whether it speaks TLS.
    """

    host: str
    port: int
    encrypted: bool

    @classmethod
    def parse(cls, text: str) -> "ServerAddress":
        """Read `grpcs://HOST:PORT` or `grpc://HOST:PORT`.

        Raises:
            SettingsError: It is none.
        """
        found = _ADDRESS.fullmatch(text.strip())
        if found is None or not 0 < int(found[3]) < 65_536:
            raise SettingsError(
                "inference.remote is no address of a server for nets", advice="Give grpcs://HOST:PORT, or nothing."
            )
        return cls(found[2].strip("[]").lower(), int(found[3]), found[1].lower() == "grpcs")

    @property
    def is_here(self) -> bool:
        """Whether what goes there never leaves this machine."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        """`HOST:PORT`, for people and for gRPC."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_address(text: str) -> bool:
    """Whether a text is an address, or empty."""
    if not text.strip():
        return True
    try:
        ServerAddress.parse(text)
    except SettingsError:
        return False
    return True


def tasks_of(text: str) -> frozenset[str]:
    """The tasks named in a text, with commas or blanks between; those unknown are left as they stand."""
    return frozenset(text.replace(",", " ").lower().split())


def are_tasks(text: str) -> bool:
    """Whether a text names tasks that may run elsewhere, one at least."""
    named = tasks_of(text)
    return bool(named) and named <= frozenset(TASKS)
