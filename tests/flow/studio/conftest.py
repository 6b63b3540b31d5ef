"""A real studio in a home of its own, and words for what tests wait for."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from facefusion_live.app.environment import Home
from facefusion_live.app.studio import Notice, Phase, Studio, View
from facefusion_live.domain.ports import GateState
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.session import LiveSession

WAIT_S = 30.0


class Stage:
    """A studio and what tests ask of it."""

    def __init__(self, home: Path, settings: Settings | None = None) -> None:
        self.home = Home(home, home, home / "logs")
        self.studio = Studio(self.home, settings or Settings())
        self.told: list[Notice] = []

    @property
    def session(self) -> LiveSession:
        live = self.studio._director.on_air
        assert live is not None, "nothing is live"
        return live.session

    def until(self, there: Callable[[], Any], what: str = "") -> None:
        deadline_s = time.monotonic() + WAIT_S
        while not there():
            assert time.monotonic() < deadline_s, f"never came: {what}; {self.studio.state()}; {self.notices()}"
            time.sleep(0.005)

    def live(self) -> None:
        """Start, and wait for the first swapped picture."""
        self.studio.start()
        self.until(lambda: self.studio.state().gate is GateState.LIVE, "live")

    def phase(self, phase: Phase) -> None:
        self.until(lambda: self.studio.state().phase is phase, phase)

    def loaded(self) -> None:
        """Wait until the loader thread has done all that was ordered so far."""
        self.studio._loader.submit(lambda: None).result(WAIT_S)

    def notices(self) -> list[str]:
        self.told += self.studio.take_notices()
        return [notice.text for notice in self.told]

    def view(self, wanted: Callable[[View], bool] = lambda _view: True) -> View:
        """The next view that is as wanted; the caller releases it."""
        kept: list[View] = []

        def look() -> bool:
            view = self.studio.take_view()
            if view is None:
                return False
            if wanted(view):
                kept.append(view)
            else:
                view.release()
            return bool(kept)

        self.until(look, "a view")
        return kept[0]

    def rows(self) -> list[dict[str, Any]]:
        """The record so far, oldest first."""
        self.studio._trail.flush()
        return self.studio.audit.rows().result(WAIT_S)[::-1]

    def actions(self) -> list[str]:
        return [row["action"] for row in self.rows()]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path / "home")
    yield stage
    stage.studio.close()
