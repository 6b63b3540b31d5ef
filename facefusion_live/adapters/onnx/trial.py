# pyright: basic
"""A first run of a model that nobody has run yet: in a process that may break, with bounded memory."""

import os
from pathlib import Path

from facefusion_live.adapters.onnx.session import NetSession

if os.name == "posix":
    import resource

    def _limit_memory(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
else:

    def _limit_memory(size: int) -> None:
        """Windows has no such limit for the process itself."""


_ROOM_BYTES = 12 * 1024**3
"""Address space beside eight times the file: the libraries alone map several gigabytes that they never touch."""


def first_run(path: Path) -> None:
    """Load a net and run it once on zeros, where its shapes are known.

    To be called in a process of its own, whose memory it limits for good.

    Raises:
        InferenceError: It cannot be loaded, or fails.
    """
    _limit_memory(_ROOM_BYTES + 8 * path.stat().st_size)
    NetSession(path, brought=True).warm()
