# pyright: basic
"""The fast codec, signatures and the clock: what the pure core of the audit trail is handed."""

import time
from functools import partial
from pathlib import Path
from uuid import getnode

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from facefusion_live.domain.audit.canonical import Codec


def _encode(value: object) -> bytes:
    return orjson.dumps(value, None, orjson.OPT_SORT_KEYS)  # by name the option takes a third longer


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
    """The machine's clocks. Thread: any.

    Attributes:
        boot_id: Tells this boot of the machine from every other.
        utc_ns: Wall clock, nanoseconds since 1970.
        mono_ns: Nanoseconds since the machine was started.
    """

    def __init__(self) -> None:
        self.boot_id = _boot_id()
        # Functions written in C and no methods around them: they are called for every event, on the caller's thread.
        self.utc_ns = time.time_ns
        # CLOCK_BOOTTIME goes on while the machine sleeps, so that waking up is no jump of the clock.
        boottime = getattr(time, "CLOCK_BOOTTIME", None)
        self.mono_ns = time.monotonic_ns if boottime is None else partial(time.clock_gettime_ns, boottime)


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        # Elsewhere: the machine and the minute in which it was started.
        started_min = (time.time_ns() - time.monotonic_ns()) // 60_000_000_000
        return f"{getnode():016x}{started_min:016x}"
