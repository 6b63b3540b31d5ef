"""What a row is about and what it tells, for people: "Camera 0 · frames/s: 30".

Exports and the command line keep the names of the record itself.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from PySide6.QtCore import QCoreApplication

from facefusion_live.domain.consent import Consent
from facefusion_live.gui.panels.consent import consent_words
from facefusion_live.gui.words import engine_words

_MILLI = "_milli"
_SHORT = 12
_DIGEST = re.compile("[0-9a-f]{32,}")
"""Digests and keys are long and nobody reads them: their beginning tells them apart."""


def target_words(target: str) -> str:
    """What was acted on: "camera:0" is "Camera 0"; a kind that nobody knows stays as it is."""
    kind, _, which = target.partition(":")
    known = _kinds().get(kind)
    return f"{known} {_shortened(which)}".rstrip() if known else target


def facts(action: str, target: str, metadata: Mapping[str, Any]) -> Iterator[str]:
    """What the row tells beside its target, one by one; lists of more than words, and tables, are left to exports."""
    names, which = _names(), target.partition(":")[2]
    for name, value in metadata.items():
        if which and value == which:
            continue
        if isinstance(value, dict) or (isinstance(value, list) and not _are_words(cast("list[object]", value))):
            continue
        plain = name.removesuffix(_MILLI)
        worded = value / 1000 if plain != name and isinstance(value, int) else value
        yield f"{names.get(plain, plain)}: {_value_words(action, plain, worded)}"


def _are_words(values: list[object]) -> bool:
    return all(isinstance(each, str) for each in values)


def _value_words(action: str, name: str, value: object) -> str:
    translate = QCoreApplication.translate
    match value:
        case bool():
            return translate("Audit", "yes") if value else translate("Audit", "no")
        case float():
            return f"{value:g}"
        case list():
            return ", ".join(_value_words(action, name, each) for each in cast("list[object]", value))
        case str():
            # What somebody wrote, as the reason to leave the label out, stays as it was written.
            known = _values().get((action if name == "reason" else name, value))
            return known or _shortened(engine_words(value) if action == "consent.deny" else value)
        case _:
            return str(value)


def _shortened(text: str) -> str:
    return f"{text[:_SHORT]}…" if _DIGEST.fullmatch(text) else text


def _kinds() -> dict[str, str]:
    translate = QCoreApplication.translate
    return {
        "camera": translate("Audit", "Camera"),
        "file": translate("Audit", "File"),
        "synthetic": translate("Audit", "Demo clip"),
        "script": translate("Audit", "Script"),
        "source": translate("Audit", "Face"),
        "consent": translate("Audit", "Consent"),
        "model": translate("Audit", "Model"),
        "settings": translate("Audit", "Settings"),
        "engine": translate("Audit", "Engine"),
        "operator": translate("Audit", "Operator's code"),
        "gate": translate("Audit", "Gate"),
        "label": translate("Audit", "Label"),
        "mark": translate("Audit", "Invisible mark"),
        "content": translate("Audit", "Nudity check"),
        "export": translate("Audit", "The record"),
        "log": translate("Audit", "Log"),
        "clock": translate("Audit", "Clock"),
        "other": translate("Audit", "Other"),
    }


def _names() -> dict[str, str]:
    return {**_names_of_a_session(), **_names_of_what_was_used(), **_names_of_the_log()}


def _names_of_a_session() -> dict[str, str]:
    """Of pictures, of what failed in them, and of the governor's steps."""
    translate = QCoreApplication.translate
    return {
        "fps": translate("Audit", "frames/s"),
        "output_resolution": translate("Audit", "picture"),
        "blend": translate("Audit", "opacity"),
        "offline": translate("Audit", "offline"),
        "backend": translate("Audit", "composed by"),
        "left_out": translate("Audit", "left out"),
        "frames_in": translate("Audit", "frames in"),
        "frames_out": translate("Audit", "frames out"),
        "leaks": translate("Audit", "leaks"),
        "frame_index": translate("Audit", "frame"),
        "target_face_index": translate("Audit", "face in it"),
        "source_face_index": translate("Audit", "photo"),
        "stage": translate("Audit", "stage"),
        "error_type": translate("Audit", "error"),
        "execution_time_us": translate("Audit", "µs"),
        "phase": translate("Audit", "phase"),
        "streak": translate("Audit", "in a row"),
        "revision": translate("Audit", "revision"),
        "from_rung": translate("Audit", "from rung"),
        "to_rung": translate("Audit", "to rung"),
        "rung": translate("Audit", "which is"),
    }


def _names_of_what_was_used() -> dict[str, str]:
    """Of models, files and consents."""
    translate = QCoreApplication.translate
    return {
        "model": translate("Audit", "model"),
        "derived_from": translate("Audit", "made from"),
        "model_sha256": translate("Audit", "SHA-256 of the model"),
        "input_sha256": translate("Audit", "SHA-256 of the picture"),
        "output_sha256": translate("Audit", "SHA-256 of the file"),
        "document_sha256": translate("Audit", "SHA-256 of the document"),
        "archive_sha256": translate("Audit", "SHA-256 of the archive"),
        "consent": translate("Audit", "consent"),
        "basis": translate("Audit", "because"),
        "person": translate("Audit", "person"),
        "consent_id": translate("Audit", "number of the consent"),
        "approved": translate("Audit", "approved by a second person"),
        "approval_asked": translate("Audit", "a second person was asked for"),
        "recorded": translate("Audit", "kept by hand"),
        "until": translate("Audit", "until"),
        "reason": translate("Audit", "reason"),
        "bytes": translate("Audit", "bytes"),
        "manifest": translate("Audit", "signed manifest"),
        "aigc": translate("Audit", "AIGC label"),
        "produce_id": translate("Audit", "number of the AIGC label"),
    }


def _names_of_the_log() -> dict[str, str]:
    """Of what the record tells about itself."""
    translate = QCoreApplication.translate
    return {
        "epoch": translate("Audit", "number of the key"),
        "public_key": translate("Audit", "public key"),
        "previous_key": translate("Audit", "key before"),
        "genesis_key": translate("Audit", "first key"),
        "unsealed": translate("Audit", "rows not sealed until then"),
        "unclean_end": translate("Audit", "did not end"),
        "kept_as": translate("Audit", "kept as"),
        "what": translate("Audit", "what"),
        "total": translate("Audit", "in all"),
        "reset": translate("Audit", "rows that are gone"),
        "previous_log": translate("Audit", "of the log"),
        "previous_logs": translate("Audit", "in place of the log"),
        "digest": translate("Audit", "digest"),
        "filter": translate("Audit", "filter"),
        "moved_ms": translate("Audit", "moved by ms"),
        "pruned_to": translate("Audit", "up to row"),
        "archive": translate("Audit", "archive"),
        "last_hash": translate("Audit", "last hash"),
        "root": translate("Audit", "root"),
        "number": translate("Audit", "checkpoints"),
        "body": translate("Audit", "as it stands there"),
    }


def _values() -> dict[tuple[str, str], str]:
    """Words of the record by the fact that they stand for; reasons by the action that has them."""
    translate = QCoreApplication.translate
    return {
        ("phase", "start"): translate("Audit", "start"),
        ("phase", "end"): translate("Audit", "end"),
        ("log.genesis", "first"): translate("Audit", "the first one"),
        ("log.genesis", "second_process"): translate("Audit", "a second program"),
        ("log.genesis", "rolled_back"): translate("Audit", "the one before was rolled back"),
        ("log.genesis", "replaced"): translate("Audit", "the one before was replaced"),
        ("log.genesis", "damaged"): translate("Audit", "the one before was damaged"),
        ("log.genesis", "key_lost"): translate("Audit", "the key was lost"),
        ("model.load", "changed"): translate("Audit", "the file has changed since it came"),
        ("what", "daily_files"): translate("Audit", "daily files"),
        ("what", "archive"): translate("Audit", "archive"),
        ("passthrough.off", "session ended"): translate("Audit", "the session ended"),
        ("manifest", "valid"): translate("Audit", "valid"),
        ("manifest", "broken"): translate("Audit", "broken"),
        ("manifest", "none"): translate("Audit", "none"),
        ("left_out", "label"): translate("Audit", "label"),
        ("left_out", "mark"): translate("Audit", "invisible mark"),
        ("backend", "cpu"): translate("Audit", "processor"),
        ("backend", "gl"): translate("Audit", "graphics device"),
        ("filter", "all"): translate("Audit", "all"),
        **_values_of_the_governor(),
        **{(name, each.value): consent_words(each) for name in ("consent", "basis") for each in Consent},
    }


def _values_of_the_governor() -> dict[tuple[str, str], str]:
    """Why it took a step, and which rung that was."""
    translate = QCoreApplication.translate
    return {
        ("governor.step", "pace"): translate("Audit", "too few frames"),
        ("governor.step", "latency"): translate("Audit", "too late"),
        ("governor.step", "processor"): translate("Audit", "too much of the processor"),
        ("governor.step", "gpu_memory"): translate("Audit", "graphics memory short"),
        ("governor.step", "memory"): translate("Audit", "memory short"),
        ("governor.step", "recovered"): translate("Audit", "there is room again"),
        ("governor.step", "off"): translate("Audit", "the governor was switched off"),
        ("rung", "identity"): translate("Audit", "recognising less often"),
        ("rung", "pixel_boost"): translate("Audit", "no pixel boost"),
        ("rung", "enhancer"): translate("Audit", "no enhancer"),
        ("rung", "mask"): translate("Audit", "masks every second picture"),
        ("rung", "mesh"): translate("Audit", "mesh not refined"),
        ("rung", "crop_512"): translate("Audit", "crops of 512 px"),
        ("rung", "crop_384"): translate("Audit", "crops of 384 px"),
        ("rung", "crop_256"): translate("Audit", "crops of 256 px"),
        ("rung", "hands"): translate("Audit", "hands painted over"),
    }
