# pyright: basic
"""The fast codec, signatures and the clock: what the pure core of the audit trail is handed."""

import sys
import time
from pathlib import Path
from uuid import getnode

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from facefusion_live.domain.audit.canonical import Codec


def _encode(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


FAST = Codec(_encode, orjson.loads)
"""Equal to `canonical.STANDARD` over the profile (a property test holds them together), five times as fast."""


def check_signature(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Is it an Ed25519 signature? Thread: any."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


class SystemClock:
    """The machine's clocks. Thread: any."""

    def __init__(self) -> None:
        self._boot_id = _boot_id()
        # CLOCK_BOOTTIME goes on while the machine sleeps, so that waking up is no jump of the clock.
        self._clock = getattr(time, "CLOCK_BOOTTIME", None)

    @property
    def boot_id(self) -> str:
        """Tells this boot of the machine from every other."""
        return self._boot_id

    def utc_ns(self) -> int:
        """Wall clock, nanoseconds since 1970."""
        return time.time_ns()

    def mono_ns(self) -> int:
        """Nanoseconds since the machine was started."""
        if sys.platform != "win32" and self._clock is not None:
            return time.clock_gettime_ns(self._clock)
        return time.monotonic_ns()


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        # Elsewhere: the machine and the minute in which it was started.
        started_min = (time.time_ns() - time.monotonic_ns()) // 60_000_000_000
        return f"{getnode():016x}{started_min:016x}"
