# pyright: basic
"""Where pictures come from: cameras, files, image sequences, network streams and the demo clip."""

from pathlib import Path

import cv2
from av import logging as av_logging

from facefusion_live.adapters.capture.cameras import CameraInfo, CameraSource, list_cameras, open_camera
from facefusion_live.adapters.capture.decoder import Location
from facefusion_live.adapters.capture.formats import CameraFormat, camera_formats
from facefusion_live.adapters.capture.media import MediaSource
from facefusion_live.adapters.capture.sequence import SequenceSource, is_sequence
from facefusion_live.adapters.capture.synthetic import SyntheticSource
from facefusion_live.adapters.capture.tiled import TiledSource, Tiling
from facefusion_live.domain.errors import CaptureOpenError
from facefusion_live.domain.ports import Clock, FrameSource
from facefusion_live.domain.settings import Capture

__all__ = [
    "CameraFormat",
    "CameraInfo",
    "CameraSource",
    "MediaSource",
    "SequenceSource",
    "SyntheticSource",
    "TiledSource",
    "camera_formats",
    "list_cameras",
    "open_source",
]


def open_source(spec: str, capture: Capture, *, demo_clip: Path, clock: Clock, offline: bool) -> FrameSource:
    """Open what the user asked for.

    Thread: the one that reads from it, and closes it.

    Args:
        spec: `camera:N`, `camera:NAME`, a file, a folder or pattern of pictures, a URL, `synthetic`, or
            `synthetic:WIDTHxHEIGHT:FACESxFACE_WIDTH`.
        capture: Settings.
        demo_clip: What `synthetic` plays.
        clock: Time.
        offline: Every frame is wanted, as fast as possible: `synthetic` does not wait for its frames' times.

    Raises:
        CaptureOpenError: It cannot be opened; the advice says what can be done.
    """
    _hush()
    if spec == "synthetic":
        return SyntheticSource(demo_clip, capture, clock, realtime=not offline)
    if spec.startswith("synthetic:"):
        tiling = Tiling.parse(spec)
        return TiledSource(SyntheticSource(demo_clip, capture, clock, realtime=not offline), tiling)
    if spec.startswith("camera:"):
        return open_camera(spec.removeprefix("camera:").strip(), capture, clock)
    if "://" in spec:
        return MediaSource(Location.url(spec), capture, clock)
    if not spec.strip():
        raise CaptureOpenError("the input is empty", advice="Give camera:0, a file, an address or synthetic.")
    try:
        path = Path(spec).expanduser()
        many = is_sequence(path)
    except (OSError, RuntimeError) as error:  # a name too long for the disk; a ~user that nobody is
        advice = "Write the path of a file in full."
        raise CaptureOpenError("the input's name means no file on this machine", advice=advice) from error
    if many:
        return SequenceSource(path, capture, clock)
    return MediaSource(Location.file(path), capture, clock)


def _hush() -> None:
    """Errors are told once, in our own words: the libraries keep off stderr."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    av_logging.set_level(None)
