"""Rows and verdicts of the record, for people."""

from datetime import datetime
from typing import Any, cast

from PySide6.QtCore import QCoreApplication

from facefusion_live.domain.audit.report import Outcome
from facefusion_live.domain.audit.shown import visible
from facefusion_live.domain.settings import PARAMETERS
from facefusion_live.gui.panels.audit_facts import facts, target_words
from facefusion_live.gui.widgets import setting_words
from facefusion_live.gui.words import engine_words

_LONGEST = 200


def action_word(action: str) -> str:
    """What happened."""
    return _actions().get(action, action)


def status_word(status: str) -> str:
    """How it went."""
    translate = QCoreApplication.translate
    known = {
        "success": translate("Audit", "done"),
        "failure": translate("Audit", "failed"),
        "denied": translate("Audit", "denied"),
    }
    return known.get(status, status)


def verdict_words(verdict: str) -> str:
    """What a verdict is about."""
    translate = QCoreApplication.translate
    known = {
        "chain": translate("Audit", "No row was changed"),
        "seal": translate("Audit", "The signatures are right"),
        "coverage": translate("Audit", "No row is missing at the end"),
        "anchor": translate("Audit", "Copies kept elsewhere agree"),
    }
    return known.get(verdict, verdict)


def outcome_word(outcome: Outcome) -> str:
    """What was found."""
    translate = QCoreApplication.translate
    match outcome:
        case Outcome.INTACT:
            return translate("Audit", "intact")
        case Outcome.TAMPERED:
            return translate("Audit", "tampered with")
        case Outcome.TRUNCATED:
            return translate("Audit", "cut short")
        case Outcome.UNVERIFIABLE:
            return translate("Audit", "cannot be told")
        case Outcome.NOT_CHECKED:
            return translate("Audit", "not checked")


def local_time(timestamp: str) -> datetime:
    """A row's time, where the user is."""
    return datetime.fromisoformat(timestamp).astimezone()


def what(row: dict[str, Any]) -> str:
    """What a row is about, in one line: the parameters changed, else target and metadata; first of all its damage."""
    metadata: dict[str, Any] = row["metadata"]
    fields = metadata.get("fields")
    listed = cast("list[Any]", fields) if isinstance(fields, list) else []
    changes = [change_words(cast("dict[str, Any]", each)) for each in listed if isinstance(each, dict)]
    told = changes if row["action"] == "settings.change" and changes else _told(row, metadata, changes)
    text = (", " if told is changes else " · ").join(told)
    if damage := row.get("damaged"):
        text = f"{damage_words(str(damage))} · {text}"
    return visible(text if told is changes else text[:_LONGEST])


def damage_words(damage: str) -> str:
    """What is wrong with a row that cannot be trusted."""
    return QCoreApplication.translate("Audit", "Damaged: {why}").format(why=engine_words(damage))


def _told(row: dict[str, Any], metadata: dict[str, Any], changes: list[str]) -> list[str]:
    target = str(row["target"])
    return [target_words(target), *facts(row["action"], target, metadata), *([", ".join(changes)] if changes else [])]


def change_words(change: dict[str, Any]) -> str:
    """A changed parameter: "Opacity 1 → 0.9". Fractions are on record as thousandths."""
    path = str(change.get("field", "?"))
    old, new = (_value(change, name) for name in ("old", "new"))
    row = PARAMETERS.get(path)
    if row is None:
        return f"{path} {old} → {new}"
    return f"{setting_words.label(row)} {old} → {new}"


def _value(change: dict[str, Any], name: str) -> str:
    if isinstance(milli := change.get(f"{name}_milli"), int):
        return f"{milli / 1000:g}"
    value = change.get(name, "?")
    return setting_words.option(value) if isinstance(value, str) and value else str(value)


def _actions() -> dict[str, str]:
    translate = QCoreApplication.translate
    return {
        "settings.change": translate("Audit", "Settings changed"),
        "governor.step": translate("Audit", "Governor"),
        "frame.failed": translate("Audit", "Frame failed"),
        "session.start": translate("Audit", "Session started"),
        "session.stop": translate("Audit", "Session ended"),
        "source.load": translate("Audit", "Face loaded"),
        "model.load": translate("Audit", "Model loaded"),
        "consent.grant": translate("Audit", "Consent given"),
        "consent.deny": translate("Audit", "Consent denied"),
        "consent.revoke": translate("Audit", "Consent taken back"),
        "person.enrol": translate("Audit", "Person enrolled"),
        "person.forget": translate("Audit", "Person forgotten"),
        "passthrough.on": translate("Audit", "Pass-through armed"),
        "passthrough.off": translate("Audit", "Pass-through disarmed"),
        "label.on": translate("Audit", "Label on"),
        "label.off": translate("Audit", "Label off"),
        "content.on": translate("Audit", "Nudity check on"),
        "content.off": translate("Audit", "Nudity check off"),
        "content.shut": translate("Audit", "Scene withheld"),
        "content.clear": translate("Audit", "Scene shown again"),
        "export.video": translate("Audit", "Recording"),
        "export.audit": translate("Audit", "Record exported"),
        "auth.unlock": translate("Audit", "Operator's code"),
        "audit.suppressed": translate("Audit", "Repeats left out"),
        "audit.gap": translate("Audit", "Gap in the record"),
        "audit.fault": translate("Audit", "Files beside the record"),
        "audit.prune": translate("Audit", "Old rows archived"),
        "log.genesis": translate("Audit", "Record begun"),
        "key.rotate": translate("Audit", "New key"),
        "clock.jump": translate("Audit", "Clock changed"),
    }
