"""Outputs into the user's PipeWire session: the virtual camera and the virtual microphone."""

from facefusion_live.adapters.sinks.pipewire.camera import PipeWireCamera
from facefusion_live.adapters.sinks.pipewire.microphone import PipeWireMicrophone

__all__ = ["PipeWireCamera", "PipeWireMicrophone"]
