"""What the pictures of the window show of consents: kept, waiting, refused, taken back while live."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facefusion_live.gui.panels.sources import SourcesPanel
    from facefusion_live.gui.window import MainWindow

SCENES = ("kept", "waiting", "refused", "revoked")

Turn = Callable[[Callable[[], bool]], None]
"""Lets the window work until something is so."""


def play(scene: str, window: "MainWindow", folder: Path, turn: Turn) -> "Callable[[], None]":
    """Bring the window to a scene.

    Args:
        scene: One of `SCENES`.
        window: Live.
        folder: A home of its own, which may be written to.
        turn: Lets the window work.

    Returns:
        Brings what it is about into sight, once everything has its place.
    """
    from facefusion_live.app.audit_wiring import AuditHome  # noqa: PLC0415 (Qt's screen is known only now)
    from facefusion_live.app.permits import Told  # noqa: PLC0415
    from facefusion_live.app.portraits import Consent  # noqa: PLC0415
    from facefusion_live.app.studio import SourceState  # noqa: PLC0415

    studio, panel = window._studio, _sources(window)  # noqa: SLF001 (a picture of it is wanted)
    photo, document = _somebody(folder), folder / "maria-2026.pdf"
    document.write_bytes(b"signed by Maria")
    if scene == "waiting":
        AuditHome(folder).set_operator_code()
        studio.store.commit({"consent.approval": True})
    panel.add([photo])
    panel.consent.choices[Consent.WRITTEN].click()
    panel.consent.written.name.setText("Maria B.")
    panel.consent.written.take_document(document)
    told = panel.consent.written.told
    assert isinstance(told, Told)  # noqa: S101
    panel.consent.add.click()
    turn(lambda: any(not each.built_in and each.grant for each in studio.library.people()))
    turn(panel.card.isVisible)
    person = next(each.id for each in studio.library.people() if not each.built_in)
    if scene == "waiting":
        panel.card.consent.approve.click()
        panel.code_dialog.code.setText("000000")
        panel.code_dialog.confirm.click()
        turn(panel.code_dialog.problem.isVisible)
    if scene in ("refused", "revoked"):
        studio.choose_source(person)
        turn(lambda: studio.state().source == SourceState(person, studio.library.person(person).name))
        turn(lambda: studio.state().gate.value == "LIVE")
        panel.card.consent.revoke.click()
        panel.card.consent.really.click()
        turn(lambda: bool(studio.library.person(person).withheld) and studio.state().gate.value == "SLATE")
    if scene == "refused":
        panel.add([_again(photo)])
        panel.consent.choices[Consent.SELF].click()
        panel.consent.add.click()
        turn(panel.add_button.isEnabled)
    shown = panel.result if scene == "refused" else panel.card
    window.bridge.refresh()
    return lambda: panel._bring_into_sight(shown)  # noqa: SLF001 (as above)


def _sources(window: "MainWindow") -> "SourcesPanel":
    from facefusion_live.gui.panels.sources import SourcesPanel  # noqa: PLC0415

    panel = window.docks["sources"].widget()
    assert isinstance(panel, SourcesPanel)  # noqa: S101
    return panel


def _again(photo: Path) -> Path:
    """Another picture of the same person."""
    import cv2  # noqa: PLC0415

    again, picture = photo.with_name("maria-again.jpg"), cv2.imread(str(photo))
    assert picture is not None  # noqa: S101
    cv2.imwrite(str(again), picture[20:-10, 15:-20])
    return again


def _somebody(folder: Path) -> Path:
    """A photo of nobody: a built-in face, mirrored."""
    import cv2  # noqa: PLC0415

    from facefusion_live.app.environment import resource  # noqa: PLC0415

    photo = folder / "maria.png"
    picture = cv2.imread(str(resource("resources/avatars/bo.jpg")))
    assert picture is not None  # noqa: S101
    cv2.imwrite(str(photo), cv2.flip(picture, 1))
    return photo
