"""Entry point of `facefusion-live` and `python -m facefusion_live`."""

import _thread
import os
import runpy
import signal
import sys
import threading
from types import FrameType

from facefusion_live.app.heap import keep_few

_INTERRUPTED = 130
_AGAIN_S = 0.02
_CALLED_BY_THE_DYING = ("_weakrefset.py", "weakref.py")
_REMUX = "remux"
"""How the frozen program starts itself as the process that speaks with a streaming server."""


def main() -> None:
    """Run the command line and exit with its code. From the first Ctrl-C or SIGTERM on, further ones are ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    _fill_streams()
    keep_few()
    if sys.argv[1:] == [_REMUX]:
        runpy.run_module(f"facefusion_live.adapters.{_REMUX}", run_name="__main__")
    try:
        from facefusion_live.cli.main import run_command_line  # noqa: PLC0415 (signals are looked after first)
        from facefusion_live.gui import main as window  # noqa: PLC0415 (as above; it loads no Qt before it must)

        code = run_command_line(sys.argv[1:], window)
    except KeyboardInterrupt:
        code = _INTERRUPTED
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, save while one is on its way up already: files are being closed then."""
    error = sys.exception()
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return
        error = error.__context__
    if _out_of_place(frame):
        # Half a module is worse than a moment's wait: libraries turn the interrupt into an ImportError, or lose it.
        # What is raised while an object dies goes nowhere but to stderr.
        again = threading.Timer(_AGAIN_S, _thread.interrupt_main, (number,))
        again.daemon = True
        again.start()
        return
    # Not only the first time: a library may have swallowed it, and the user must be able to stop the program.
    raise KeyboardInterrupt


def _out_of_place(frame: FrameType | None) -> bool:
    """Whether a module is being imported or an object dies."""
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith("<frozen importlib") or code.co_name == "__del__":
            return True
        if code.co_filename.endswith(_CALLED_BY_THE_DYING):
            return True
        frame = frame.f_back
    return False


def _fill_streams() -> None:
    """Put nothing in the place of closed streams: else a recording may get their numbers, and stray words with them."""
    number = os.open(os.devnull, os.O_RDWR)
    while number <= 2:
        number = os.open(os.devnull, os.O_RDWR)
    os.close(number)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 (open to the end)


if __name__ == "__main__":
    main()
