"""A bridge over the fake studio, and panels shown in a window of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.studio import FakeStudio


@pytest.fixture
def bridge(qapp: Any, studio: FakeStudio) -> Iterator[Any]:
    from facefusion_live.gui.bridge import Bridge
    from facefusion_live.gui.theme import Theme

    theme, told = Theme(qapp, "dark"), Bridge(studio)  # type: ignore[arg-type]
    told.start()
    yield told
    told.close()
    told.deleteLater()
    theme.deleteLater()


@pytest.fixture
def shown(qtbot: Any) -> Callable[[Any, tuple[int, int]], Any]:
    """Show a widget, have the keyboard there, and see to its end."""

    def show(widget: Any, size: tuple[int, int] = (340, 900)) -> Any:
        qtbot.addWidget(widget)
        widget.resize(*size)
        with qtbot.waitActive(widget):
            widget.show()
            widget.activateWindow()
        return widget

    return show


@pytest.fixture
def panel(studio: FakeStudio, bridge: Any, shown: Any) -> Callable[[str], Any]:
    """The panel of an id, shown."""
    from facefusion_live.gui.panels import PANELS

    makers = {each.id: each.make for each in PANELS}

    def show(panel_id: str) -> Any:
        bridge.refresh()
        return shown(makers[panel_id](bridge, studio))  # type: ignore[arg-type]

    return show


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "maria.jpg"
    path.write_bytes(b"not looked at by the fake")
    return path
