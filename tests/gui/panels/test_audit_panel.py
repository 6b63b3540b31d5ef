"""Audit: rows as they come, filters, the four verdicts, exports and the operator's code; never on the GUI thread."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFileDialog

from facefusion_live.app.studio import AuditState
from facefusion_live.domain.audit.errors import UnreadableError
from facefusion_live.domain.audit.report import LogReport, Outcome
from facefusion_live.gui.panels.audit_rows import PAGE
from facefusion_live.gui.panels.audit_words import change_words, what
from facefusion_live.gui.widgets.metrics import MARGIN
from facefusion_live.gui.words import Words
from tests.fakes.studio import FakeStudio, done, failed
from tests.gui.panels.hands import LEFT


@pytest.fixture
def audit(panel: Any, qtbot: Any) -> Any:
    shown = panel("audit")
    qtbot.waitUntil(lambda: shown.rows.rowCount() == 3)
    return shown


def asked(studio: FakeStudio) -> list[Any]:
    return [call[1] for call in studio.audit.calls if call[0] == "rows"]


def cells(audit: Any) -> list[list[str]]:
    model = audit.rows
    return [[model.index(at, column).data() for column in range(1, 4)] for at in range(model.rowCount())]


def test_rows_come_newest_first_and_in_words(audit: Any) -> None:
    first, changed, begun = cells(audit)
    assert first[:2] == ["Frame failed", "failed"]
    assert changed[:2] == ["Settings changed", "done"]
    assert changed[2].startswith("Opacity ")
    assert begun == ["Session started", "done", "Camera 0 · frames/s: 30"]


def test_the_table_follows_the_record_and_one_stays_where_one_looks(
    audit: Any, studio: FakeStudio, bridge: Any, qtbot: Any
) -> None:
    audit._looks.setInterval(20)
    audit.view.selectRow(2)
    studio.audit.kept = [*studio.audit.kept, {**studio.audit.kept[-1], "seq": 4, "action": "consent.grant"}]
    studio.audit.shown = AuditState(stored=4, suppressed=7)
    bridge.refresh()
    qtbot.waitUntil(lambda: audit.rows.rowCount() == 4)
    assert cells(audit)[0][0] == "Consent given"
    assert audit.view.currentIndex().row() == 3
    assert audit._status.text() == "On record · stored: 4 · repeats left out: 7"


def test_filters_ask_for_less(audit: Any, studio: FakeStudio, qtbot: Any) -> None:
    audit.filter.action.setFocus()
    qtbot.keyClick(audit.filter.action, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: audit.rows.rowCount() == 1)
    assert asked(studio)[-1].action == "settings.change"
    audit.filter.status.setFocus()
    qtbot.keyClick(audit.filter.status, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: asked(studio)[-1].status == "success")
    audit.filter.when.setFocus()
    qtbot.keyClick(audit.filter.when, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: asked(studio)[-1].since != "")
    qtbot.waitUntil(lambda: not audit._reading.busy)
    audit.filter.session.setFocus()
    qtbot.keyClick(audit.filter.session, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: asked(studio)[-1].session_id == "sess_01K70000000000000000000000")


def test_older_rows_are_read_when_one_comes_to_the_end(audit: Any, studio: FakeStudio, qtbot: Any) -> None:
    row = studio.audit.kept[0]
    studio.audit.kept = [{**row, "seq": seq} for seq in range(1, PAGE + 51)]
    audit.read()
    qtbot.waitUntil(lambda: audit.rows.rowCount() == PAGE)
    audit.view.scrollToBottom()
    qtbot.waitUntil(lambda: audit.rows.rowCount() == PAGE + 50, timeout=3000)
    assert not audit.rows.canFetchMore(audit.rows.index(-1, -1))


def test_verify_tells_the_four_verdicts(audit: Any, studio: FakeStudio, qtbot: Any) -> None:
    qtbot.mouseClick(audit.verify, LEFT)
    assert audit.progress.isVisible()
    assert not audit.export.isEnabled()
    qtbot.waitUntil(audit.verdicts.isVisible)
    assert audit.verdicts.text == "The record is intact"
    assert audit.verdicts.lines() == [
        ("No row was changed", "intact"),
        ("The signatures are right", "intact"),
        ("No row is missing at the end", "intact"),
        ("Copies kept elsewhere agree", "not checked"),
    ]
    assert not audit.progress.isVisible()
    report = LogReport(log_id="ab" * 16, rows=3)
    for verdict in ("chain", "seal", "coverage"):
        report.checked(verdict)
    report.find("chain", Outcome.TAMPERED, "hash_differs", 2, "row 2 was altered")
    studio.audit.verify = lambda: done([report])  # type: ignore[method-assign]
    qtbot.mouseClick(audit.verify, LEFT)
    qtbot.waitUntil(lambda: audit.verdicts.text == "The record was tampered with")
    assert audit.verdicts.lines()[0] == ("No row was changed", "tampered with")


def test_findings_and_what_is_worth_knowing_are_told_and_follow_the_language(
    audit: Any, studio: FakeStudio, qtbot: Any, qapp: Any
) -> None:
    report = LogReport(log_id="ab" * 16, rows=3)
    for at in range(5):
        report.find("chain", Outcome.TAMPERED, "hash_differs", at, f"row {at} does not have the hash stored with it")
    report.find("coverage", Outcome.TRUNCATED, "rows_missing", 9, "keyring tells of 9 rows, there are 3")
    report.note("this log was begun because the one before it was rolled back")
    studio.audit.verify = lambda: done([report])  # type: ignore[method-assign]
    qtbot.mouseClick(audit.verify, LEFT)
    qtbot.waitUntil(audit.verdicts.isVisible)
    told = [name for name, _ in audit.verdicts.lines()[4:]]
    assert told[0] == "Row 0 does not have the hash stored with it."
    assert told[3:] == [
        "Keyring tells of 9 rows, there are 3.",
        "And 2 more.",
        "This log was begun because the one before it was rolled back.",
    ]
    words = Words(qapp, "zh_CN")
    try:
        qtbot.waitUntil(lambda: audit.verdicts.lines()[0][1] == "被篡改")
        told = [name for name, _ in audit.verdicts.lines()[4:]]
    finally:
        words.speak("en")
        words.deleteLater()
    assert told[0] == "第 0 条记录与随附的哈希不符。"
    assert told[3].startswith("钥匙串 说有 9 条记录")
    assert told[4:] == ["另有 2 项。", "开始这份日志是因为前一份被回退。"]


def test_while_it_verifies_the_window_goes_on(audit: Any, studio: FakeStudio, qtbot: Any) -> None:
    slow: Future[Any] = Future()
    studio.audit.verify = lambda: slow  # type: ignore[method-assign]
    qtbot.mouseClick(audit.verify, LEFT)
    qtbot.wait(80)
    assert audit.progress.isVisible()
    slow.set_exception(UnreadableError("row 5 cannot be read", advice="Restore a backup."))
    qtbot.waitUntil(lambda: audit.result.text == "Row 5 cannot be read")
    assert audit.result.advice == "Restore a backup."
    assert audit.verify.isEnabled()


def test_export_of_all_and_of_what_is_shown(audit: Any, studio: FakeStudio, qtbot: Any, tmp_path: Path) -> None:
    def export(path: Path, wanted: Any = None) -> Any:
        studio.audit.calls.append(("export", path, wanted))
        return done({"logs": [{"rows": 3}, {"rows": 2}]})

    studio.audit.export = export  # type: ignore[method-assign]
    file = tmp_path / "record.zip"
    for only_shown in (False, True):
        if only_shown:
            audit.filter.action.setFocus()
            qtbot.keyClick(audit.filter.action, Qt.Key.Key_Down)
            qtbot.mouseClick(audit.only_shown, LEFT, pos=audit.only_shown.rect().center() * 0.1)
            audit.only_shown.setChecked(True)
        audit.result.hide()
        qtbot.mouseClick(audit.export, LEFT)
        dialog = [each for each in audit.findChildren(QFileDialog) if each.isVisible()][-1]
        dialog.filesSelected.emit([str(file)])
        dialog.close()
        qtbot.waitUntil(audit.result.isVisible)
        assert audit.result.text == "Exported to record.zip"
        assert audit.result.advice == "Rows in it: 5"
    exports = [call for call in studio.audit.calls if call[0] == "export"]
    assert exports[0] == ("export", file, None)
    assert exports[1][2].action == "settings.change"
    assert exports[1][2].limit == 0


def test_an_export_that_fails_says_why(audit: Any, studio: FakeStudio, qtbot: Any, tmp_path: Path) -> None:
    studio.audit.export = lambda *_: failed(UnreadableError("the export cannot be written", advice="Make room."))  # type: ignore[method-assign]
    audit._export(tmp_path / "record.zip")
    qtbot.waitUntil(lambda: audit.result.text == "The export cannot be written")


def test_the_operators_code_opens_everyones_rows(panel: Any, studio: FakeStudio, qtbot: Any) -> None:
    studio.audit.code_wanted, studio.audit.unlocked = True, False
    audit = panel("audit")
    assert audit.lock.isVisible()
    qtbot.keyClicks(audit.code, "000000")
    qtbot.keyClick(audit.code, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "not the operator" in audit.result.text)
    assert audit.code.text() == ""
    assert audit.lock.isVisible()
    qtbot.keyClicks(audit.code, "123456")
    qtbot.mouseClick(audit.unlock, LEFT)
    qtbot.waitUntil(lambda: not audit.lock.isVisible())
    assert audit.result.text == "Everyone's rows are shown."


def test_a_row_is_told_whole_when_it_is_chosen(audit: Any, qtbot: Any) -> None:
    audit.view.setFocus()
    audit.view.selectRow(0)
    qtbot.keyClick(audit.view, Qt.Key.Key_Down)
    assert audit._detail.text().startswith("Row 2 · ")
    assert "Opacity" in audit._detail.text()


def seen(audit: Any, widget: Any) -> bool:
    """All of it, or as much as the panel is high."""
    top = widget.mapTo(audit.viewport(), QPoint()).y()
    return top >= 0 and (top + widget.height() <= audit.viewport().height() or top < 2 * MARGIN)


@pytest.mark.parametrize("size_wh", [(700, 220), (280, 300)])
def test_what_was_asked_for_comes_into_sight(audit: Any, qtbot: Any, size_wh: tuple[int, int]) -> None:
    audit.window().setMinimumSize(1, 1)
    audit.window().resize(*size_wh)
    qtbot.mouseClick(audit.verify, LEFT)
    qtbot.waitUntil(audit.verdicts.isVisible)
    qtbot.waitUntil(lambda: seen(audit, audit.verdicts))
    audit.view.selectRow(1)
    qtbot.waitUntil(lambda: seen(audit, audit._detail))


def test_changes_are_told_in_the_units_of_the_sliders() -> None:
    assert change_words({"field": "look.opacity", "old_milli": 1000, "new_milli": 900}) == "Opacity 1 → 0.9"
    assert change_words({"field": "gate.slate", "old": "card", "new": "pixelate"}) == "Slate Picture → Pixelate"
    assert change_words({"field": "gone.by", "old": 1, "new": 2}) == "gone.by 1 → 2"
    many = {"action": "session.start", "target": "camera:0", "metadata": {"x": "y" * 500}}
    assert len(what(many)) == 200


def row(action: str, target: str, **metadata: Any) -> dict[str, Any]:
    return {"action": action, "target": target, "metadata": metadata}


def test_rows_are_told_in_words_and_follow_the_language(qapp: Any) -> None:
    rows = [
        row("session.start", "camera:0", fps=30, blend_milli=1000, offline=False, left_out=["label"]),
        row("session.start", "synthetic", fields=[{"field": "look.opacity", "old_milli": 1000, "new_milli": 900}]),
        row("consent.grant", "source:0123456789abcdef", basis="public-domain", input_sha256="ab" * 32),
        row("log.genesis", "log:0123456789abcdef", reason="rolled_back"),
        row("label.off", "label", reason="damaged"),
        row("frame.failed", "rtmp", stage="swap"),
    ]
    assert [what(each) for each in rows] == [
        "Camera 0 · frames/s: 30 · opacity: 1 · offline: no · left out: label",
        "Demo clip · Opacity 1 → 0.9",
        "Face 0123456789abcdef · because: Public domain · SHA-256 of the picture: abababababab…",
        "Log 0123456789abcdef · reason: the one before was rolled back",
        "Label · reason: damaged",  # as somebody wrote it
        "rtmp · stage: swap",
    ]
    words = Words(qapp, "zh_CN")
    try:
        told = [what(each) for each in rows]
    finally:
        words.speak("en")
        words.deleteLater()
    assert told[0] == "摄像头 0 · 帧/秒: 30 · 不透明度: 1 · 离线: 否 · 已去掉: 标识"
    assert told[3] == "日志 0123456789abcdef · 理由: 前一份被回退"
    assert told[4] == "标识 · 理由: damaged"


def test_a_damaged_row_says_so(audit: Any, studio: FakeStudio, qtbot: Any) -> None:
    spoiled = {**studio.audit.kept[-1], "seq": 4, "status": "success", "damaged": "it says row 9"}
    studio.audit.kept = [*studio.audit.kept, spoiled]
    audit.read()
    qtbot.waitUntil(lambda: audit.rows.rowCount() == 4)
    assert cells(audit)[0][2].startswith("Damaged: it says row 9 · ")
    healthy, marked = (audit.rows.index(at, 1).data(Qt.ItemDataRole.ForegroundRole) for at in (3, 0))
    assert marked is not None
    assert marked != healthy
