"""Measure Panic: from the key or the button, as the screen's server stamps it, to the slate in an output.

    python -m tools.measure_panic [--times 20] [--json FILE]

Needs Xvfb and xdotool. The real window on the demo clip, live; Esc struck twice and the button clicked in turn, as by
hand. The output is one of the session's own, with a queue and a thread like every other; what counts is when the first
slate reaches it, and how many pictures of the face still came after the key.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtGui import QInputEvent, QWindow
from PySide6.QtWidgets import QApplication

from facefusion_live.domain.ports import GateState, OutputFrame, SinkState, SinkStatus
from tools.measure_window import ROOT, Inside, screen

if TYPE_CHECKING:
    from collections.abc import Callable

_NS_PER_MS = 1_000_000
_PATIENCE_S = 5.0
_REST_S = 0.35
_HEARD = (QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress)


class _Output:
    """A sink that remembers when which kind of picture came."""

    name, queue_size = "measured", 1

    def __init__(self) -> None:
        self.came: list[tuple[int, GateState]] = []
        self._state = SinkState.OPENING

    def open(self, size_wh: tuple[int, int], fps: float) -> None:  # noqa: ARG002 (a Sink's)
        self._state = SinkState.RUNNING

    def send(self, frame: OutputFrame) -> None:
        self.came.append((time.monotonic_ns(), frame.state))

    def close(self) -> None:
        self._state = SinkState.CLOSED

    def status(self) -> SinkStatus:
        return SinkStatus(self._state, readers=0)


class _Stamps(QObject):
    """When the last key or button was struck: the server stamps it with the monotonic clock of this machine."""

    struck_ms = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        if event.type() in _HEARD and isinstance(watched, QWindow) and isinstance(event, QInputEvent):
            self.struck_ms = event.timestamp()
        return False


def main() -> int:
    """Run the tool; returns the exit code."""
    parser = argparse.ArgumentParser(description="How soon Panic is seen.")
    parser.add_argument("--times", type=int, default=20, help="of each way")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--inside", action="store_true", help="on the screen that is there")
    wanted = parser.parse_args()
    if wanted.inside:
        print(json.dumps(_measured(wanted.times)))
        return 0
    command = [sys.executable, "-m", "tools.measure_panic", "--inside", "--times", str(wanted.times)]
    with tempfile.TemporaryDirectory() as home, screen() as variables:
        variables |= {"FACEFUSION_LIVE_HOME": home}
        done = subprocess.run(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, check=True)
    text = json.dumps(json.loads(done.stdout.splitlines()[-1]), indent=2)
    print(text)
    if wanted.json is not None:
        wanted.json.write_text(f"{text}\n", "utf-8")
    return 0


def _measured(times: int) -> dict[str, Any]:
    inside, stamps, output = Inside("auto", 0.0), _Stamps(), _Output()
    window, session = inside.window, inside.studio._director.on_air.session  # noqa: SLF001 # type: ignore[union-attr]
    session.add_sink(output)
    QApplication.instance().installEventFilter(stamps)  # type: ignore[union-attr]
    window.activateWindow()
    inside.turn(2.0)
    at = window.on_air.panic_button.mapToGlobal(QPoint(12, 12))
    ways = {
        "esc_esc": ["xdotool", "key", "--delay", "120", "Escape", "Escape"],
        "button": ["xdotool", "mousemove", str(at.x()), str(at.y()), "click", "1"],
    }
    figures: dict[str, Any] = {}
    for way, command in ways.items():
        figures[way] = _told([_once(inside, stamps, output, command) for _ in range(times)])
    window.close()
    return figures


def _once(inside: Inside, stamps: _Stamps, output: _Output, command: list[str]) -> tuple[float, int]:
    """Milliseconds from the stroke to the slate, and how many pictures of the face came between the two."""
    _until(inside, lambda: bool(output.came) and output.came[-1][1] is GateState.LIVE)
    inside.turn(_REST_S)
    output.came.clear()
    subprocess.Popen(command)
    _until(inside, lambda: any(state is GateState.SLATE for _, state in output.came))
    came_ns = next(ns for ns, state in output.came if state is GateState.SLATE)
    struck_ns = stamps.struck_ms * _NS_PER_MS
    late = sum(ns > struck_ns and state is not GateState.SLATE for ns, state in output.came)
    inside.studio.resume()
    return (came_ns - struck_ns) / _NS_PER_MS, late


def _until(inside: Inside, there: "Callable[[], bool]") -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while not there():
        if time.monotonic() > deadline_s:
            raise TimeoutError("the picture did not come")
        inside.turn(0.05)


def _told(figures: list[tuple[float, int]]) -> dict[str, float]:
    took_ms = sorted(took for took, _ in figures)
    return {
        "times": len(took_ms),
        "median_ms": round(statistics.median(took_ms), 1),
        "worst_ms": round(took_ms[-1], 1),
        "most_pictures_between": max(late for _, late in figures),
    }


if __name__ == "__main__":
    sys.exit(main())
