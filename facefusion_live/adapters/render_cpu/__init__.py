"""Compute on the CPU: OpenCV, the face's region only, in reused memory."""

from facefusion_live.adapters.render_cpu.compute import CpuCompute

__all__ = ["CpuCompute"]
