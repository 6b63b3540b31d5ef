"""How often the window looks for pictures."""

import pytest
from PySide6.QtCore import Qt, QTimer

from facefusion_live.gui.bridge import Bridge
from tests.fakes.studio import FakeStudio

OFTEN_MS, LESS_MS, SELDOM_MS = 15, 50, 100


def pace_ms(bridge: Bridge) -> int:
    [views] = [timer for timer in bridge.findChildren(QTimer) if timer.timerType() is Qt.TimerType.PreciseTimer]
    return views.interval()


def look(bridge: Bridge, times: int) -> int:
    """So many looks at the state; the pace after them."""
    for _ in range(times):
        bridge.refresh()
    return pace_ms(bridge)


@pytest.mark.usefixtures("qapp")
def test_the_preview_gives_way_to_the_outputs_and_does_not_take_back_at_once(studio: FakeStudio) -> None:
    bridge = Bridge(studio)
    studio.start()
    bridge.start()
    assert pace_ms(bridge) == OFTEN_MS
    studio.show(fps_out=1.0, session_s=1.0)
    assert look(bridge, 30) == OFTEN_MS, "a session that begins is not behind"
    studio.show(fps_out=28.7, session_s=10.0)
    assert look(bridge, 1) == LESS_MS
    assert look(bridge, 30) == SELDOM_MS
    studio.show(fps_out=30.0)
    assert look(bridge, 60) == SELDOM_MS
    assert look(bridge, 100) == OFTEN_MS
    bridge.close()
    bridge.deleteLater()
