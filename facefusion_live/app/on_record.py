"""A session with its record: who may be used, what it works with by SHA-256, what came out."""

import hashlib
import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import MappingProxyType

from facefusion_live.app import wiring
from facefusion_live.app.audit_wiring import audit_home
from facefusion_live.app.environment import user_path
from facefusion_live.app.portraits import Source
from facefusion_live.domain.errors import ConsentError
from facefusion_live.engine.capturing import Format
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
    home = audit_home(lambda notice: notify(notice.message))
    with nullcontext(trail) if trail else home.open_trail() as writing:
        opened = _opened(wanted, writing)
        for source in opened.sources:
            allow(writing, source)
        begun_ns, form = time.monotonic_ns(), None
        if wanted.output is not None:
            announce_recording(writing)
        try:
            form = opened.session.start()
            tell_sources(writing, opened.sources)
            tell_models(writing, opened.models())
            home.retain(writing, opened.store.current.audit.keep_days)
            yield opened
        finally:
            opened.session.stop()
            if wanted.output is not None:
                facts = _recorded_with(wanted, opened, form)
                facts["execution_time_us"] = (time.monotonic_ns() - begun_ns) // 1000
                for path in opened.recordings or (wanted.output,):
                    tell_recording(writing, path, facts)


def _opened(wanted: wiring.Request, trail: AuditTrail) -> wiring.OpenSession:
    try:
        return wiring.open_session(wanted, trail)
    except ConsentError as error:
        trail.record("consent.deny", "source", "denied", {"reason": type(error).__name__})
        raise


def allow(trail: AuditTrail, source: Source) -> None:
    """Put on record why a face may be used, before it is. The built-in faces are nobody's.

    Raises:
        AuditStoreError: It cannot be put on record: the face must not be used.
    """
    if not source.built_in:
        basis = {"basis": source.consent.value, "input_sha256": source.sha256}
        settled(trail.record_durably("consent.grant", source_target(source.sha256), "success", basis))


def tell_sources(trail: AuditTrail, sources: Sequence[Source]) -> None:
    """Put on record which source pictures are in use."""
    for index, source in enumerate(sources):
        loaded = {"source_face_index": index, "input_sha256": source.sha256, "consent": source.consent.value}
        trail.record("source.load", source_target(source.sha256), "success", loaded)


def tell_models(trail: AuditTrail, models: Mapping[str, Path]) -> None:
    """Put on record which models are in use."""
    for model, path in models.items():
        trail.record("model.load", f"model:{model}", "success", {"model": model, "model_sha256": _sha256(path)})


def announce_recording(trail: AuditTrail) -> None:
    """Put on record that a recording begins, before it does.

    Raises:
        AuditStoreError: It cannot be put on record: there must be no recording.
    """
    settled(trail.record_durably("export.video", "recording", "success", {"phase": "start"}))


def tell_recording(trail: AuditTrail, output: Path, facts: Mapping[str, object] = MappingProxyType({})) -> None:
    """Put on record what was recorded, by its SHA-256.

    Args:
        trail: The record.
        output: The file, finished; one that is not there was not recorded.
        facts: How it was made.
    """
    told: dict[str, object] = {"phase": "end", **facts}
    written = output.is_file()
    if written:
        told |= {"output_sha256": _sha256(output), "bytes": output.stat().st_size}
    trail.record("export.video", "recording", "success" if written else "failure", told)


def _recorded_with(wanted: wiring.Request, opened: wiring.OpenSession, form: Format | None) -> dict[str, object]:
    """What a recording is made of."""
    facts: dict[str, object] = {
        "model": wanted.engine,
        "blend_milli": round(1000 * opened.store.current.look.opacity),
    }
    if form is not None:
        width, height = form.size_wh
        facts["output_resolution"] = f"{width}x{height}"
    if os.path.isfile(clip := user_path(wanted.input)):  # noqa: PTH113 (`Path.is_file` raises for a long address)
        facts["input_sha256"] = _sha256(clip)
    return facts


def source_target(sha256: str) -> str:
    """How rows name a source picture."""
    return f"source:{sha256[:_NAMED_BY]}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
