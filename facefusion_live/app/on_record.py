"""A session with its record: who may be used, what it works with by SHA-256, what came out."""

import hashlib
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from facefusion_live.app import wiring
from facefusion_live.app.audit_wiring import audit_home
from facefusion_live.app.environment import user_path
from facefusion_live.app.portraits import Source
from facefusion_live.domain.errors import ConsentError
from facefusion_live.engine.trail import AuditTrail, settled

_NAMED_BY = 16
"""Hex digits of a picture's SHA-256 that name it as a target."""


@contextmanager
def started_session(
    wanted: wiring.Request, notify: Callable[[str], None] = lambda _words: None, *, trail: AuditTrail | None = None
) -> Generator[wiring.OpenSession]:
    """Open and start a session, with the audit trail beside it; stop both at the end, the trail last.

    Args:
        wanted: What the session is to do.
        notify: Told in words of alerts and of a store that fails or is back. Thread: the trail's.
        trail: One that is open already and stays so; None opens one.

    Raises:
        BadInputError: As `wiring.open_session` and `LiveSession.start`.
        AuditStoreError: Something that needs its row first (consent, a recording) cannot be put on record.
    """
    opening = nullcontext(trail) if trail else audit_home(lambda notice: notify(notice.message)).open_trail()
    with opening as writing:
        opened = _opened(wanted, writing)
        for source in opened.sources:
            _allow(writing, source)
        begun_ns = time.monotonic_ns()
        if wanted.output is not None:
            settled(writing.record_durably("export.video", "recording", "success", {"phase": "start"}))
        try:
            opened.session.start()
            _tell_loads(writing, opened)
            yield opened
        finally:
            opened.session.stop()
            if wanted.output is not None:
                _tell_output(writing, wanted, opened, (time.monotonic_ns() - begun_ns) // 1000)


def _opened(wanted: wiring.Request, trail: AuditTrail) -> wiring.OpenSession:
    try:
        return wiring.open_session(wanted, trail)
    except ConsentError as error:
        trail.record("consent.deny", "source", "denied", {"reason": type(error).__name__})
        raise


def _allow(trail: AuditTrail, source: Source) -> None:
    """Put on record why a face may be used, before it is. The built-in faces are nobody's."""
    if not source.built_in:
        basis = {"basis": source.consent.value, "input_sha256": source.sha256}
        settled(trail.record_durably("consent.grant", _target(source), "success", basis))


def _tell_loads(trail: AuditTrail, opened: wiring.OpenSession) -> None:
    for index, source in enumerate(opened.sources):
        loaded = {"source_face_index": index, "input_sha256": source.sha256, "consent": source.consent.value}
        trail.record("source.load", _target(source), "success", loaded)
    for model, path in opened.models().items():
        trail.record("model.load", f"model:{model}", "success", {"model": model, "model_sha256": _sha256(path)})


def _tell_output(trail: AuditTrail, wanted: wiring.Request, opened: wiring.OpenSession, took_us: int) -> None:
    """What came out, and of what it was made; the session has ended, so the file is whole."""
    output = wanted.output
    told: dict[str, object] = {
        "phase": "end",
        "model": wanted.engine,
        "blend_milli": round(1000 * opened.store.current.look.opacity),
        "execution_time_us": took_us,
    }
    if os.path.isfile(clip := user_path(wanted.input)):  # noqa: PTH113 (`Path.is_file` raises for a long address)
        told["input_sha256"] = _sha256(clip)
    if output is None or not output.is_file():
        trail.record("export.video", "recording", "failure", told)
        return
    width, height = opened.session.format.size_wh
    told |= {"output_sha256": _sha256(output), "bytes": output.stat().st_size}
    trail.record("export.video", "recording", "success", told | {"output_resolution": f"{width}x{height}"})


def _target(source: Source) -> str:
    return f"source:{source.sha256[:_NAMED_BY]}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
