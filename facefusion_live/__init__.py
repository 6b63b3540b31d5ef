"""FaceFusion Live: real-time face swapping that fails closed, tells its latency and labels what it makes."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facefusion_live.api import (
        DetectedFace,
        FaceFusionLiveError,
        FrameResult,
        RealTimeFaceSwapper,
        detect_faces,
        log_audit_event,
        process_video,
        swap_face,
    )

__all__ = [
    "DetectedFace",
    "FaceFusionLiveError",
    "FrameResult",
    "RealTimeFaceSwapper",
    "__version__",
    "detect_faces",
    "log_audit_event",
    "process_video",
    "swap_face",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """The names of `facefusion_live.api`, loaded when first asked for: `import facefusion_live` stays light."""
    if name in __all__:
        return getattr(importlib.import_module("facefusion_live.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
