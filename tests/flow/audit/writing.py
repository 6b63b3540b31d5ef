"""A process that writes rows until it is killed, and says which are safe."""

import time
from pathlib import Path

from facefusion_live.adapters.storage.codec import FAST, SystemClock
from facefusion_live.engine.trail import AuditTrail
from tests.fakes.audit_disk import opener


def write_for_ever(folder: Path) -> None:
    """Begin a session, write rows, and print the seq of each that is on the disk."""
    clock = SystemClock()
    trail = AuditTrail(opener(folder).open, clock=clock, codec=FAST, user="anna", linger_s=0.002)
    trail.record("session.start", "camera:0", "success", {})
    while True:
        for _ in range(7):
            trail.record("consent.grant", "source:abc", "success", {"text": "x" * 200})
        seq = trail.record_durably("consent.grant", "source:abc", "success", {}).result(20)
        print(seq, flush=True)  # noqa: T201 (the parent reads it)
        time.sleep(0.001)
