"""Outputs into the user's PipeWire session: the virtual camera and the virtual microphone."""

from facefusion_live.adapters.sinks.pipewire.camera import PipeWireCamera

__all__ = ["PipeWireCamera"]
