"""Compute on OpenGL. Nothing of OpenGL is loaded before `open_device` is called."""

from pathlib import Path

from facefusion_live.adapters.gpu.compute import Device, GpuCompute
from facefusion_live.domain.errors import ComputeError

__all__ = ["Device", "GpuCompute", "open_device"]


def open_device(shaders: Path) -> Device:
    """The graphics device with its programs. Slow; once per program. The caller closes it.

    Args:
        shaders: The folder of GLSL sources.

    Raises:
        ComputeError: There is no OpenGL, or no context can be had.
        ResourceError: A shader is missing, does not compile, or does not keep to the table of settings.
    """
    try:
        from facefusion_live.adapters.gpu.context import open_context  # noqa: PLC0415 (the program starts without it)
        from facefusion_live.adapters.gpu.device import GlDevice  # noqa: PLC0415
    except ImportError as error:
        advice = "Install OpenGL (Debian: libegl1 libgl1 libgl1-mesa-dri), or use render.backend cpu."
        raise ComputeError("OpenGL is not installed", advice=advice) from error
    return GlDevice(open_context(), shaders)
