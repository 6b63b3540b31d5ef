"""Virtual cameras that need a driver; the real one is tried in a virtual machine with its kernel module."""

import sys

import numpy as np
import pytest

from facefusion_live.adapters.sinks import DriverCamera, FirstThatOpens
from facefusion_live.adapters.sinks.virtual_camera import driver_advice, package_advice
from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import SinkState
from tests.adapters.clips import FPS, picture
from tests.adapters.frames import shown
from tests.fakes.driver import FakeDriver, no_driver
from tests.fakes.sinks import BreakingSink, CollectingSink


def test_a_driver_gets_the_pictures_without_an_odd_edge() -> None:
    sink = DriverCamera(FakeDriver)
    sink.open((161, 121), 25.0)
    camera = FakeDriver.last
    assert (camera.width, camera.height, camera.fps, camera.fmt) == (160, 120, 25.0, "RGB")
    sink.send(shown(3, size_wh=(161, 121)))
    np.testing.assert_array_equal(camera.pictures[0], picture(3, (161, 121))[:120, :160])
    assert sink.status().words == "v4l2loopback: /dev/video9"
    sink.close()
    sink.close()
    assert camera.closed == 1


def test_a_driver_that_goes_is_told() -> None:
    sink = DriverCamera(FakeDriver)
    sink.open((160, 120), FPS)
    FakeDriver.last.breaks = True
    with pytest.raises(SinkError, match="the virtual camera broke") as caught:
        sink.send(shown(0, size_wh=(160, 120)))
    assert caught.value.advice
    sink.close()


SYSTEMS = ["linux", "win32", "darwin", "haiku"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_where_nothing_is_the_advice_is_for_this_system(system: str) -> None:
    words = package_advice(system)
    assert words == f'First pip install "facefusion-live[virtual-camera]". {driver_advice(system)}'
    assert ("v4l2loopback" in words) == (system == "linux")


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_frozen_program_names_no_command_that_its_user_lacks(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    words = package_advice(system)
    assert words.startswith("This copy has no cameras of drivers")
    assert "pip install" not in words
    assert ("OBS" in words) == (system != "linux")


@pytest.mark.parametrize("frozen", [False, True])
def test_what_is_missing_is_told_with_its_advice(frozen: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    monkeypatch.setattr(sys, "frozen", frozen, raising=False)
    with pytest.raises(SinkOpenError, match="no driver for a virtual camera is installed") as caught:
        DriverCamera(no_driver).open((160, 120), FPS)
    assert caught.value.advice == package_advice()


def test_the_real_package_says_in_our_words_that_there_is_no_device() -> None:
    pytest.importorskip("pyvirtualcam", reason="needs the extra [virtual-camera]")
    with pytest.raises(SinkOpenError, match="there is no virtual camera to be had"):
        DriverCamera().open((160, 120), FPS)


def test_the_first_that_opens_is_taken() -> None:
    broken, good, spare = (
        BreakingSink(SinkOpenError("no daemon"), name="virtual-camera", at_open=True),
        CollectingSink("virtual-camera"),
        CollectingSink("virtual-camera"),
    )
    sink = FirstThatOpens([broken, good, spare])
    sink.open((160, 120), FPS)
    sink.send(shown(0))
    assert (broken.closes, len(good.frames), spare.opens) == (1, 1, 0)
    assert sink.status().state is SinkState.RUNNING
    sink.close()


def test_where_none_opens_all_reasons_and_all_advice_are_told() -> None:
    kinds = [("no daemon", "Start it."), ("no driver", "Load it.")]
    sinks = [BreakingSink(SinkOpenError(words, advice=help_), at_open=True) for words, help_ in kinds]
    with pytest.raises(SinkOpenError) as caught:
        FirstThatOpens(sinks).open((160, 120), FPS)
    assert (str(caught.value), caught.value.advice) == ("no daemon; no driver", "Start it. Or: Load it.")
