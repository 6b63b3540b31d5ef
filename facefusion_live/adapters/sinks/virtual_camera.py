# pyright: basic
"""Virtual cameras that need a driver: v4l2loopback on Linux, OBS on Windows and macOS, Unity Capture on Windows.

They come with the optional package pyvirtualcam. It is under the GPL, so nothing here needs it, and it is looked for
only when a camera is asked for.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.extras import advice_by_copy
from facefusion_live.domain.ports import OutputFrame, Sink, SinkState, SinkStatus

FORMS = ("virtual-camera", "virtual-camera:pipewire", "virtual-camera:driver")
_OBS = "Install OBS Studio and start its virtual camera once."
_DRIVERS = {
    "linux": "Load v4l2loopback (apt install v4l2loopback-dkms, modprobe v4l2loopback).",
    "win32": _OBS,
    "darwin": _OBS,
}
_FROZEN_LINUX = "This copy has no cameras of drivers: the pip package of the program has, with [virtual-camera]."
_FROZEN = "This copy has no cameras of drivers: take the browser source into OBS, and start the virtual camera there."


def driver_advice(system: str = sys.platform) -> str:
    """Which driver a system lacks, in one sentence."""
    return _DRIVERS.get(system, "Install a virtual camera.")


def package_advice(system: str = sys.platform) -> str:
    """How to get at cameras of drivers at all."""
    installed = f'First pip install "facefusion-live[virtual-camera]". {driver_advice(system)}'
    return advice_by_copy(installed, _FROZEN_LINUX if system == "linux" else _FROZEN)


class DriverCamera:
    """Pictures into a camera that a driver shows to other programs. A `Sink`.

    Args:
        load: Gives the module pyvirtualcam. Raises ImportError where it is not installed.
    """

    def __init__(self, load: Callable[[], Any] = lambda: importlib.import_module("pyvirtualcam")) -> None:
        self._load = load
        self._camera: Any = None
        self._state, self._words = SinkState.OPENING, ""

    @property
    def name(self) -> str:
        """Always "virtual-camera"."""
        return "virtual-camera"

    @property
    def queue_size(self) -> int:
        """A call wants the newest."""
        return 1

    def open(self, size_wh: tuple[int, int], fps: float) -> None:
        """Take the first driver that is there.

        Raises:
            SinkOpenError: None is, or the package is not installed.
        """
        try:
            module = self._load()
            # Not every driver has odd edges: the colours of two by two pixels are one.
            self._size_wh = size_wh[0] // 2 * 2, size_wh[1] // 2 * 2
            self._camera = module.Camera(*self._size_wh, fps, fmt=module.PixelFormat.RGB)
        except ImportError:
            raise SinkOpenError("no driver for a virtual camera is installed", advice=package_advice()) from None
        except RuntimeError as error:
            raise SinkOpenError("there is no virtual camera to be had", advice=driver_advice()) from error
        self._state, self._words = SinkState.RUNNING, f"{self._camera.backend}: {self._camera.device}"

    def send(self, frame: OutputFrame) -> None:
        """Show one picture.

        Raises:
            SinkError: Not open, or the driver is gone.
        """
        if self._camera is None:
            raise SinkError(f"{self.name} is not open")
        width, height = self._size_wh
        try:
            self._camera.send(frame.image.host()[:height, :width])
        except (RuntimeError, OSError) as error:
            raise SinkError(
                "the virtual camera broke", advice="Start it again; see whether its driver runs."
            ) from error

    def close(self) -> None:
        """Let go of the driver. Safe to call twice."""
        camera, self._camera = self._camera, None
        self._state = SinkState.CLOSED
        if camera is not None:
            camera.close()

    def status(self) -> SinkStatus:
        """Which driver; who looks is known to none of them."""
        return SinkStatus(self._state, self._words)


class FirstThatOpens:
    """One of several sinks: the first that can be opened here. A `Sink`.

    Args:
        sinks: All of one name, the best first.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = tuple(sinks)
        self._chosen = self._sinks[0]

    @property
    def name(self) -> str:
        """Theirs."""
        return self._chosen.name

    @property
    def queue_size(self) -> int:
        """Of the one that was asked first."""
        return self._sinks[0].queue_size

    def open(self, size_wh: tuple[int, int], fps: float) -> None:
        """Open the first that can be.

        Raises:
            SinkOpenError: None can; the first one's advice and the last one's are told.
        """
        errors: list[SinkOpenError] = []
        for sink in self._sinks:
            try:
                sink.open(size_wh, fps)
            except SinkOpenError as error:
                sink.close()
                errors.append(error)
            else:
                self._chosen = sink
                return
        words = "; ".join(dict.fromkeys(str(error) for error in errors))
        raise SinkOpenError(words, advice=_either([error.advice for error in errors if error.advice]))

    def send(self, frame: OutputFrame) -> None:
        """To the one that opened."""
        self._chosen.send(frame)

    def close(self) -> None:
        """The one that opened."""
        self._chosen.close()

    def status(self) -> SinkStatus:
        """Of the one that opened."""
        return self._chosen.status()


def _either(advices: Sequence[str]) -> str:
    """Several pieces of advice, each a sentence that translators know."""
    return " Or: ".join(dict.fromkeys(advices))
