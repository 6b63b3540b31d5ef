"""Rows and verdicts of the record, for people."""

from datetime import datetime
from typing import Any

from PySide6.QtCore import QCoreApplication

from facefusion_live.domain.audit.report import Outcome
from facefusion_live.domain.settings import PARAMETERS
from facefusion_live.gui.widgets import setting_words

_LONGEST = 200


def action_word(action: str) -> str:
    """What happened."""
    return _actions().get(action, action)


def status_word(status: str) -> str:
    """How it went."""
    tr = QCoreApplication.translate
    known = {
        "success": tr("Audit", "done"),
        "failure": tr("Audit", "failed"),
        "denied": tr("Audit", "denied"),
    }
    return known.get(status, status)


def verdict_words(verdict: str) -> str:
    """What a verdict is about."""
    tr = QCoreApplication.translate
    known = {
        "chain": tr("Audit", "No row was changed"),
        "seal": tr("Audit", "The signatures are right"),
        "coverage": tr("Audit", "No row is missing at the end"),
        "anchor": tr("Audit", "Copies kept elsewhere agree"),
    }
    return known.get(verdict, verdict)


def outcome_word(outcome: Outcome) -> str:
    """What was found."""
    tr = QCoreApplication.translate
    match outcome:
        case Outcome.INTACT:
            return tr("Audit", "intact")
        case Outcome.TAMPERED:
            return tr("Audit", "tampered with")
        case Outcome.TRUNCATED:
            return tr("Audit", "cut short")
        case Outcome.UNVERIFIABLE:
            return tr("Audit", "cannot be told")
        case Outcome.NOT_CHECKED:
            return tr("Audit", "not checked")


def local_time(timestamp: str) -> datetime:
    """A row's time, where the user is."""
    return datetime.fromisoformat(timestamp).astimezone()


def what(row: dict[str, Any]) -> str:
    """What a row is about, in one line: the parameters changed, else target and metadata."""
    metadata: dict[str, Any] = row["metadata"]
    if row["action"] == "settings.change":
        return ", ".join(change_words(each) for each in metadata.get("fields", ()))
    facts = (f"{name}: {value}" for name, value in metadata.items() if not isinstance(value, dict | list))
    return " · ".join((str(row["target"]), *facts))[:_LONGEST]


def change_words(change: dict[str, Any]) -> str:
    """A changed parameter: "Opacity 1 → 0.9". Fractions are on record as thousandths."""
    path = str(change.get("field", "?"))
    old, new = (_value(change, name) for name in ("old", "new"))
    row = PARAMETERS.get(path)
    if row is None:
        return f"{path} {old} → {new}"
    return f"{setting_words.label(row)} {old} → {new}"


def _value(change: dict[str, Any], name: str) -> str:
    if f"{name}_milli" in change:
        return f"{change[f'{name}_milli'] / 1000:g}"
    value = change.get(name, "?")
    return setting_words.option(value) if isinstance(value, str) and value else str(value)


def _actions() -> dict[str, str]:
    tr = QCoreApplication.translate
    return {
        "settings.change": tr("Audit", "Settings changed"),
        "frame.failed": tr("Audit", "Frame failed"),
        "session.start": tr("Audit", "Session started"),
        "session.stop": tr("Audit", "Session ended"),
        "source.load": tr("Audit", "Face loaded"),
        "model.load": tr("Audit", "Model loaded"),
        "consent.grant": tr("Audit", "Consent given"),
        "consent.deny": tr("Audit", "Consent denied"),
        "consent.revoke": tr("Audit", "Consent taken back"),
        "passthrough.on": tr("Audit", "Pass-through armed"),
        "passthrough.off": tr("Audit", "Pass-through disarmed"),
        "label.on": tr("Audit", "Label on"),
        "label.off": tr("Audit", "Label off"),
        "export.video": tr("Audit", "Recording"),
        "export.audit": tr("Audit", "Record exported"),
        "auth.unlock": tr("Audit", "Operator's code"),
        "audit.suppressed": tr("Audit", "Repeats left out"),
        "audit.gap": tr("Audit", "Gap in the record"),
        "audit.prune": tr("Audit", "Old rows archived"),
        "log.genesis": tr("Audit", "Record begun"),
        "key.rotate": tr("Audit", "New key"),
        "clock.jump": tr("Audit", "Clock changed"),
    }
