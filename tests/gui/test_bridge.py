"""How often the window looks for pictures."""

import pytest
from PySide6.QtCore import Qt, QTimer

from facefusion_live.gui.bridge import Bridge
from tests.fakes.studio import FakeStudio

OFTEN_MS, SELDOM_MS = 15, 100


def pace_ms(bridge: Bridge) -> int:
    [views] = [timer for timer in bridge.findChildren(QTimer) if timer.timerType() is Qt.TimerType.PreciseTimer]
    return views.interval()


@pytest.mark.usefixtures("qapp")
def test_the_preview_gives_way_to_the_outputs_and_does_not_take_back_at_once(studio: FakeStudio) -> None:
    bridge = Bridge(studio)
    studio.start()
    bridge.start()
    assert pace_ms(bridge) == OFTEN_MS
    studio.show(fps_out=29.0)
    bridge.refresh()
    assert pace_ms(bridge) == OFTEN_MS, "one picture of a second is nothing to give way for"
    studio.show(fps_out=28.7)
    bridge.refresh()
    assert pace_ms(bridge) == SELDOM_MS
    studio.show(fps_out=30.0)
    bridge.refresh()
    assert pace_ms(bridge) == SELDOM_MS
    for _ in range(80):
        bridge.refresh()
    assert pace_ms(bridge) == OFTEN_MS
    bridge.close()
    bridge.deleteLater()
