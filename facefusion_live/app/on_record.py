"""A session with its record: who may be used, what it works with by SHA-256, what came out."""

import hashlib
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from facefusion_live.app import wiring
from facefusion_live.app.audit_wiring import WAIT_S, audit_home
from facefusion_live.app.portraits import Source
from facefusion_live.domain.errors import ConsentError
from facefusion_live.engine.trail import AuditTrail

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
    opening = nullcontext(trail) if trail else audit_home().open_trail(lambda notice: notify(notice.message))
    with opening as writing:
        opened = _opened(wanted, writing)
        for source in opened.sources:
            _allow(writing, source)
        if wanted.output is not None:
            writing.record_durably("export.video", "recording", "success", {"phase": "start"}).result(WAIT_S)
        try:
            opened.session.start()
            _tell_loads(writing, opened)
            yield opened
        finally:
            opened.session.stop()
            if wanted.output is not None:
                for path in opened.recordings or (wanted.output,):
                    _tell_output(writing, path)


def _opened(wanted: wiring.Request, trail: AuditTrail) -> wiring.OpenSession:
    try:
        return wiring.open_session(wanted, trail)
    except ConsentError as error:
        trail.record("consent.deny", "source", "denied", {"reason": type(error).__name__})
        raise


def _allow(trail: AuditTrail, source: Source) -> None:
    """Put on record why a face may be used, before it is. The built-in faces are nobody's."""
    if not source.built_in:
        basis = {"basis": source.consent.value, "sha256": source.sha256}
        trail.record_durably("consent.grant", _target(source), "success", basis).result(WAIT_S)


def _tell_loads(trail: AuditTrail, opened: wiring.OpenSession) -> None:
    for index, source in enumerate(opened.sources):
        loaded = {"source_face_index": index, "sha256": source.sha256, "consent": source.consent.value}
        trail.record("source.load", _target(source), "success", loaded)
    for model, path in opened.models().items():
        trail.record("model.load", f"model:{model}", "success", {"model": model, "model_sha256": _sha256(path)})


def _tell_output(trail: AuditTrail, output: Path) -> None:
    written = output.is_file()
    told = {"phase": "end"} | ({"output_sha256": _sha256(output), "bytes": output.stat().st_size} if written else {})
    trail.record("export.video", "recording", "success" if written else "failure", told)


def _target(source: Source) -> str:
    return f"source:{source.sha256[:_NAMED_BY]}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
