"""A session with its record: who may be used, what it works with by SHA-256, what came out."""

import hashlib
import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from facefusion_live.adapters.onnx.session import runs_in_single
from facefusion_live.app import wiring
from facefusion_live.app.audit_wiring import audit_home
from facefusion_live.app.consents import ConsentBook, InUse
from facefusion_live.app.disclosure import Disclosure
from facefusion_live.app.environment import Home, user_path
from facefusion_live.app.permits import Permits, source_target
from facefusion_live.app.portraits import Source
from facefusion_live.app.provenance_wiring import Provenance, stamp
from facefusion_live.app.remote_nets import in_words
from facefusion_live.app.second_person import SecondPerson
from facefusion_live.app.taken_back import taken_back
from facefusion_live.domain.audit.event import SETTINGS_CHANGE
from facefusion_live.domain.disclosure import checked
from facefusion_live.domain.errors import ModelChangedError
from facefusion_live.domain.ports import EventLog
from facefusion_live.engine.capturing import Format
from facefusion_live.engine.trail import AuditTrail, settled


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
    with home.writing(trail) as writing:
        writing.next_session()
        target = input_target(wanted.input)
        with writing.starting(target):
            with telling_refusals(writing):
                opened = _opened(wanted, writing)
            opened.disclosure.begin(wanted.settings)
            if wanted.output is not None:
                announce_recording(writing, target)
        begun_ns, form = time.monotonic_ns(), None
        for served in opened.served():
            notify(in_words(served))
        try:
            with writing.starting(target), telling_refusals(writing):
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
                # Only what this session made: at the place of its output an older file may lie.
                for path in opened.recordings or (None,):
                    told = tell_recording(writing, path, form.name if form else target, facts)
                    _tell_problem(told, notify)
            for path in opened.snapshots:
                _tell_problem(stamp(path, writing), notify)


def _opened(wanted: wiring.Request, trail: AuditTrail) -> wiring.OpenSession:
    checked(wanted.settings)  # before anything is loaded
    book = ConsentBook(Home.from_environment().consent)
    second = SecondPerson(Home.from_environment(), trail)
    second.keep(wanted.settings)
    permits = Permits(
        book, trail, approval=lambda: second.asked(wanted.settings), taken_back=lambda: taken_back(audit_home())
    )
    in_use: list[InUse] = []

    def consent_problem() -> str:
        return next(filter(None, (each.problem() for each in in_use)), "")

    opened = wiring.open_session(
        wanted,
        trail,
        disclosure=Disclosure(trail),
        permit=permits,
        permitted=lambda: not consent_problem(),
    )
    in_use.append(permits.in_use(opened.sources))
    return replace(opened, sources=permits.as_kept(opened.sources), consent_problem=consent_problem)


def tell_sources(trail: AuditTrail, sources: Sequence[Source]) -> None:
    """Put on record which source pictures are in use."""
    for index, source in enumerate(sources):
        loaded: dict[str, object] = {"source_face_index": index, "input_sha256": source.sha256}
        if source.consent is not None:
            loaded["consent"] = source.consent.value
        trail.record("source.load", source_target(source.sha256), "success", loaded)


def tell_models(trail: AuditTrail, models: Mapping[str, Path]) -> None:
    """Put on record which models are in use."""
    for model, path in models.items():
        told: dict[str, object] = {"model": model, "model_sha256": _sha256(path)}
        if runs_in_single(path):
            told["precision"] = "single"
        trail.record("model.load", f"model:{model}", "success", told)


@contextmanager
def telling_refusals(events: EventLog) -> Generator[None]:
    """Models are loaded within. One that is refused because its file is another than came is put on record."""
    try:
        yield
    except ModelChangedError as error:
        told = {"model": error.model, "model_sha256": error.sha256, "reason": "changed"}
        events.record("model.load", f"model:{error.model}", "denied", told)
        raise


def tell_engine(trail: AuditTrail, before: str, now: str, revision: int) -> None:
    """Put on record that another engine swaps: a change like that of any parameter."""
    trail.record(SETTINGS_CHANGE, "engine", "success", {"fields": {"engine": (before, now)}, "revision": revision})


def input_target(spec: str) -> str:
    """How rows name an input that is not open yet: as `session.start` will. A camera by name is only "camera"."""
    kind, _, which = spec.partition(":")
    if "://" in spec:
        return kind
    if kind == "camera":
        return f"camera:{which.strip()}" if which.strip().isdecimal() else "camera"
    return "synthetic" if kind == "synthetic" else "file"


def announce_recording(trail: AuditTrail, target: str) -> None:
    """Put on record that a recording begins, before it does.

    Args:
        trail: The record.
        target: The session's input, as rows name it.

    Raises:
        AuditStoreError: It cannot be put on record: there must be no recording.
    """
    settled(trail.record_durably("export.video", target, "success", {"phase": "start"}))


def tell_recording(
    trail: AuditTrail, output: Path | None, target: str, facts: Mapping[str, object] = MappingProxyType({})
) -> Provenance | None:
    """Sign what was recorded, and put it on record by its SHA-256.

    Args:
        trail: The record.
        output: The file, finished; None, or one that is not there, where nothing was recorded.
        target: The session's input, as rows name it.
        facts: How it was made.

    Returns:
        What the file says of itself; None where there is no file.
    """
    told: dict[str, object] = {"phase": "end", **facts}
    signed = None
    if output is not None and output.is_file():
        signed = stamp(output, trail)
        told |= signed.facts()
        told |= {"output_sha256": _sha256(output), "bytes": output.stat().st_size}
    trail.record("export.video", target, "success" if signed is not None else "failure", told)
    return signed


def _tell_problem(signed: Provenance | None, notify: Callable[[str], None]) -> None:
    if signed is not None and signed.problem:
        notify(signed.problem)


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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
